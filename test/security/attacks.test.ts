// ATTACKS.md names tests that exist, and every limit.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'

const here = new URL('./', import.meta.url)
const text = readFileSync(new URL('ATTACKS.md', here), 'utf8')
const rows = text
  .split(/^## /m)
  .slice(1)
  .map(row => ({ name: row.slice(0, row.indexOf('\n')), body: row.slice(row.indexOf('\n')) }))

describe('ATTACKS.md', () => {
  test.each(rows)('$name: has tests, and they exist', ({ body }) => {
    const cited = Array.from(body.matchAll(/^- (\S+\.test\.ts): (.+)$/gm), match => [match[1], match[2]] as string[])
    expect(cited.length).toBeGreaterThan(0)
    for (const [file, title] of cited) expect(titles(file as string), `${file}: ${title}`).toContain(title)
  })

  test('every limit answers an attack', () => {
    const named = new Set(Array.from(text.matchAll(/`(\w+)`/g), match => match[1]))
    expect(Object.keys(limits).filter(name => !named.has(name))).toEqual([])
    expect(
      [...named].filter(name => name !== 'limits' && name !== 'Map' && !Object.hasOwn(limits, name as string)),
    ).toEqual([])
  })
})

/** Every string of a file that could be a title. */
function titles(file: string): string[] {
  const code = readFileSync(new URL(`../${file}`, here), 'utf8')
  return Array.from(code.matchAll(/(['"`])((?:\\.|(?!\1)[^\\\n])*)\1/g), match => match[2] as string)
}
