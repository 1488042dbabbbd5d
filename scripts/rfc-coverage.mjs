// Which rules of the RFCs have a test: node scripts/rfc-coverage.mjs [--json]
//
// test/conformance/musts.json lists the MUSTs about what a peer does, RFC by RFC. One is tested when a title in test/
// cites its section, as in `RFC 9000 §19.8: ...`, and has the words of its `title`. test/conformance/duties.json lists
// what an endpoint itself MUST or SHOULD do, each with the file that shows it and words of a title there. Those left out
// are listed, with a reason each, in test/conformance/LEFT-OUT.md. Exits 1 when a rule is neither, or both.

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const tests = fileURLToPath(new URL('../test/', import.meta.url))
const musts = JSON.parse(readFileSync(`${tests}conformance/musts.json`, 'utf8'))
const allDuties = JSON.parse(readFileSync(`${tests}conformance/duties.json`, 'utf8'))
const { reasons, gaps } = readReasons(readFileSync(`${tests}conformance/LEFT-OUT.md`, 'utf8'))
const titles = readTitles()

const faults = []
const report = {}
for (const rfc of Object.keys({ ...musts, ...allDuties }).sort()) {
  const peers = judge(rfc, musts[rfc] ?? [], testsOfRule)
  const own = judge(rfc, allDuties[rfc] ?? [], testsOfDuty)
  report[`RFC ${rfc}`] = {
    musts: peers.count,
    tested: peers.tested.length,
    sections: peers.sections,
    leftOut: peers.leftOut,
    missing: peers.missing,
    rules: peers.tested,
    duties: {
      musts: own.of('MUST'),
      shoulds: own.of('SHOULD'),
      tested: own.tested.length,
      sections: own.sections,
      leftOut: own.leftOut.filter(({ id }) => !gaps.has(id)),
      gaps: own.leftOut.filter(({ id }) => gaps.has(id)),
      missing: own.missing,
      rules: own.tested,
    },
  }
}
for (const id of reasons.keys()) faults.push(`LEFT-OUT.md speaks of ${id}, which is in neither list`)

if (process.argv.includes('--json')) console.log(JSON.stringify(report, undefined, 2))
else print()
for (const fault of faults) console.error(fault)
process.exitCode = faults.length > 0 ? 1 : 0

function judge(rfc, rules, testsOf) {
  const tested = []
  const leftOut = []
  const missing = []
  for (const rule of rules) {
    const { title: _title, test: _test, ...facts } = rule
    const found = testsOf(rfc, rule)
    const reason = reasons.get(rule.id)
    reasons.delete(rule.id)
    if (found.length > 0 && reason !== undefined) faults.push(`${rule.id} is tested, and listed in LEFT-OUT.md as well`)
    if (found.length > 0) tested.push({ ...facts, tests: found })
    else if (reason !== undefined) leftOut.push({ ...facts, reason })
    else {
      missing.push(facts)
      faults.push(`${rule.id} (RFC ${rfc} §${rule.section}) has neither a test nor a reason: ${rule.rule}`)
    }
  }
  const sections = [...new Set(tested.map(({ section }) => section))]
  const of = level => rules.filter(rule => rule.level === level).length
  return { count: rules.length, tested, sections, leftOut, missing, of }
}

function testsOfRule(rfc, { section, title }) {
  if (title === undefined) return []
  return titles
    .filter(({ text, cited }) => cited.has(`${rfc} ${section}`) && text.includes(title))
    .map(({ text }) => text)
}

/** `room/file: words`. */
function testsOfDuty(_rfc, { test }) {
  if (test === undefined) return []
  const at = test.indexOf(': ')
  const [file, words] = [test.slice(0, at), test.slice(at + 2)]
  return titles.filter(({ name, text }) => name === file && text.includes(words)).map(({ text }) => `${file}: ${text}`)
}

function print() {
  for (const [rfc, { musts: count, tested, sections, leftOut, duties }] of Object.entries(report)) {
    console.log(`${rfc}: ${count} MUSTs about peers, ${tested} tested, ${leftOut.length} left out`)
    if (tested > 0) console.log(`  tested: §${sections.join(' §')}`)
    for (const { id, rule, reason } of leftOut) console.log(`  left out: ${id}: ${rule}. ${reason}`)
    const { musts: must, shoulds, gaps: known } = duties
    console.log(
      `  of our own: ${must} MUSTs and ${shoulds} SHOULDs, ${duties.tested} tested, ${known.length} known gaps`,
    )
    if (duties.tested > 0) console.log(`  tested: §${duties.sections.join(' §')}`)
    for (const { id, rule, reason } of known) console.log(`  known gap: ${id}: ${rule}. ${reason}`)
    for (const { id, rule, reason } of duties.leftOut) console.log(`  left out: ${id}: ${rule}. ${reason}`)
  }
}

/** Lines `- id: reason`, which may go on in lines that are indented; known gaps stand under that headline. */
function readReasons(text) {
  const found = new Map()
  const known = new Set()
  for (const part of text.split(/^## /m)) {
    for (const [, id, reason] of part.matchAll(/^- (\d{4}-[\d.]+-(?:own-)?\d+): (.+(?:\n {2,}.+)*)$/gm)) {
      found.set(id, reason.replace(/\s+/g, ' '))
      if (part.startsWith('Known gaps')) known.add(id)
    }
  }
  return { reasons: found, gaps: known }
}

/** Of each test and group: its file, its text, and the sections it cites. */
function readTitles() {
  const found = []
  for (const file of readdirSync(tests, { recursive: true })) {
    if (!file.endsWith('.ts')) continue
    const name = file.replaceAll('\\', '/').replace(/(\.test)?\.ts$/, '')
    const code = readFileSync(tests + file, 'utf8').replace(/^\s*(?:\/\/|\/?\*).*$/gm, '')
    for (const text of titlesIn(code)) found.push({ name, text, cited: new Set(citations(text)) })
  }
  return found
}

/** What stands first in the parentheses of a test or group, or cites an RFC in a table of titles. */
function* titlesIn(code) {
  const string = /(['"`])((?:\\.|(?!\1)[^\\\n])+)\1/g
  for (const match of code.matchAll(string)) {
    const [, quote, text] = match
    const before = code.slice(Math.max(0, match.index - 120), match.index)
    const isTitle = /\b(?:test|describe)(?:\.\w+)?\(\s*$|\)\(\s*$|\[\s*$/.test(before)
    if (!isTitle && !/RFC \d{4} §/.test(text)) continue
    if (quote === '`' && text.includes('${') && !isTitle) continue
    yield text
  }
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
