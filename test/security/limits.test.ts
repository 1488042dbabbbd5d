// The table of bounds in SECURITY.md is that of src/limits.ts.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as core from '../../src/core.ts'
import * as entry from '../../src/index.ts'
import { limits } from '../../src/limits.ts'

const source = readFileSync(new URL('../../src/limits.ts', import.meta.url), 'utf8')
const security = readFileSync(new URL('../../SECURITY.md', import.meta.url), 'utf8')

test('limits are frozen, and the same at both entries', () => {
  expect(Object.isFrozen(limits)).toBe(true)
  expect(entry.limits).toBe(limits)
  expect(core.limits).toBe(limits)
})

test('every limit says what it counts, what happens at the bound, what against, and by which RFC', () => {
  expect(documented().map(({ name }) => name)).toEqual(Object.keys(limits))
})

test('SECURITY.md has every limit with its value and what happens at the bound', () => {
  const rows = documented().map(({ name, what, consequence, attack, rfc }) => {
    const value = limits[name].toLocaleString('en-US')
    return `| \`${name}\` | ${value} | ${what} | ${consequence} | ${attack} | ${rfc} |`
  })
  expect(security.match(/^\| `\w+` \| [\d,]+ \|.*$/gm)).toEqual(rows)
})

interface Documented {
  readonly name: keyof typeof limits
  readonly what: string
  readonly consequence: string
  readonly attack: string
  readonly rfc: string
}

/** The entries whose docstrings have all four parts. */
function documented(): Documented[] {
  const found: Documented[] = []
  for (const [, comment, name] of source.matchAll(/^ {2}\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {2}(\w+): /gm)) {
    const text = (comment as string).replace(/\s*\n\s*\*\s*/g, ' ').trim()
    const parts = /^(.+)\. At the bound: (.+)\. Against (.+)\. (RFC \d+ §[\d.]*\d)\.$/.exec(text)
    if (!parts) continue
    const [, what, consequence, attack, rfc] = parts as unknown as [string, string, string, string, string]
    found.push({ name: name as keyof typeof limits, what, consequence, attack, rfc })
  }
  return found
}
