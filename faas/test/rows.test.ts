// Nothing that users know is forgotten: each row has a test that bears its name.

import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { gatewayRows, watchdogRows } from './rows.ts'

/** `describe` and `test` together, as reports show them; of `test.each`, what is in its table as well. */
function titlesOf(source: string): string[] {
  const titles: string[] = []
  let group = ''
  for (const { groups = {} } of source.matchAll(TITLE)) {
    const { group: next, table = '', title = '' } = groups
    if (next !== undefined) group = next
    else titles.push(`${group} > ${table} ${title}`)
  }
  return titles
}

const TITLE =
  /^describe\('(?<group>[^']*)'|^ *test(?:\.runIf\(.*\)|\.each\(\[(?<table>[\s\S]*?)^ *\]\))?\(\s*'(?<title>[^']*)'/gm

const here = new URL('.', import.meta.url)
const titles = readdirSync(here)
  .filter(name => name.endsWith('.test.ts'))
  .flatMap(name => titlesOf(readFileSync(new URL(name, here), 'utf8')))

test.each([
  ['watchdog', watchdogRows],
  ['gateway', gatewayRows],
])('every row of the %s has a test that is named after it', (_, rows) => {
  expect(titles.length).toBeGreaterThan(50)
  expect(rows.filter(row => !titles.some(title => title.includes(row)))).toEqual([])
})
