// Which rules about peers have a test: node scripts/rfc-coverage.mjs [--json]
//
// test/conformance/musts.json lists the MUSTs about what a peer does, RFC by RFC. One is tested when a title in test/
// cites its section, as in `RFC 9000 §19.8: ...`, and has the words of its `title`. Those left out are listed, with a
// reason each, in test/conformance/LEFT-OUT.md. Exits 1 when a rule is neither, or both.

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const tests = fileURLToPath(new URL('../test/', import.meta.url))
const musts = JSON.parse(readFileSync(`${tests}conformance/musts.json`, 'utf8'))
const reasons = readReasons(readFileSync(`${tests}conformance/LEFT-OUT.md`, 'utf8'))
const titles = readTitles()

const report = {}
const faults = []
for (const [rfc, rules] of Object.entries(musts)) {
  const tested = []
  const leftOut = []
  const missing = []
  for (const { id, section, rule, title } of rules) {
    const found =
      title === undefined ? [] : (titles.get(`${rfc} ${section}`) ?? []).filter(text => text.includes(title))
    const reason = reasons.get(id)
    reasons.delete(id)
    if (found.length > 0 && reason !== undefined) faults.push(`${id} is tested, and listed in LEFT-OUT.md as well`)
    if (found.length > 0) tested.push({ id, section, rule, tests: found })
    else if (reason !== undefined) leftOut.push({ id, section, rule, reason })
    else {
      missing.push({ id, section, rule })
      faults.push(`${id} (RFC ${rfc} §${section}) has neither a test nor a reason: ${rule}`)
    }
  }
  const sections = [...new Set(tested.map(({ section }) => section))]
  report[`RFC ${rfc}`] = { musts: rules.length, tested: tested.length, sections, leftOut, missing, rules: tested }
}
for (const id of reasons.keys()) faults.push(`LEFT-OUT.md speaks of ${id}, which is not in musts.json`)

if (process.argv.includes('--json')) console.log(JSON.stringify(report, undefined, 2))
else print()
for (const fault of faults) console.error(fault)
process.exitCode = faults.length > 0 ? 1 : 0

function print() {
  for (const [rfc, { musts: count, tested, sections, leftOut }] of Object.entries(report)) {
    console.log(`${rfc}: ${count} MUSTs about peers, ${tested} tested, ${leftOut.length} left out`)
    console.log(`  tested: §${sections.join(' §')}`)
    for (const { id, rule, reason } of leftOut) console.log(`  left out: ${id}: ${rule}. ${reason}`)
  }
}

/** Lines `- id: reason`, which may go on in lines that are indented. */
function readReasons(text) {
  const found = new Map()
  for (const [, id, reason] of text.matchAll(/^- (\d{4}-[\d.]+-\d+): (.+(?:\n {2,}.+)*)$/gm)) {
    found.set(id, reason.replace(/\s+/g, ' '))
  }
  return found
}

/** By RFC and section, the titles that cite it. */
function readTitles() {
  const found = new Map()
  for (const name of readdirSync(tests, { recursive: true })) {
    if (!name.endsWith('.ts')) continue
    const code = readFileSync(tests + name, 'utf8').replace(/^\s*(?:\/\/|\/?\*).*$/gm, '')
    for (const [, quote, title] of code.matchAll(
      /(['"`])((?:\\.|(?!\1)[^\\\n])*RFC \d{4} §(?:\\.|(?!\1)[^\\\n])*)\1/g,
    )) {
      if (quote === '`' && title.includes('${')) continue
      for (const key of citations(title)) found.set(key, [...(found.get(key) ?? []), title])
    }
  }
  return found
}

/** `RFC 9000 §17.2, §17.3.1` and `§19.15-16` are two each. */
function* citations(title) {
  for (const [, rfc, list] of title.matchAll(/RFC (\d{4}) ((?:§[\dA-Z.-]+(?:, )?)+)/g)) {
    for (const [, section, last] of list.matchAll(/§([\dA-Z.]*[\dA-Z])(?:-(\d+))?/g)) {
      yield `${rfc} ${section}`
      const dot = section.lastIndexOf('.') + 1
      for (let next = Number(section.slice(dot)) + 1; next <= Number(last); next++) {
        yield `${rfc} ${section.slice(0, dot)}${next}`
      }
    }
  }
}
