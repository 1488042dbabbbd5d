// interop/results.json, and the table in interop/README.md.

import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { cases } from '../cases.mjs'
import { knownFailure } from '../known.mjs'

const BEGIN = '<!-- results: written by interop/run.mjs -->'
const END = '<!-- end of results -->'
const MARKS = { ok: '✓', unsupported: '–', failed: '✗' }
const SHORT = { 'hq-interop': 'hq', webtransport: 'h3' }
const OVER_HTTP3 = new Set(cases.filter(({ alpn }) => alpn === 'h3').map(({ name }) => name))
const GROUPS = [...new Set(cases.map(({ group }) => group))].filter(group => group !== undefined)

/** A cell in words. */
export function lineOf({ peer, role, test, alpn, result, ms, reason, logs, note, kbps, runs }) {
  const pair = role === 'server' ? `zerotrip → ${peer}` : `${peer} → zerotrip`
  const words = [pair.padEnd(26), test.padEnd(25), (alpn ?? '').padEnd(12), `${(ms / 1000).toFixed(1)} s`.padStart(7)]
  const detail = [note, kbps && `${kbps} kbit/s`, runs && !kbps && `${runs} times`, reason, logs].filter(Boolean)
  return `${words.join('  ')}  ${result.toUpperCase()}${detail.length > 0 ? `: ${detail.join('; ')}` : ''}`
}

/** One plain line. */
export function summary(cells) {
  const count = result => cells.filter(each => each.result === result).length
  const peers = [...new Set(cells.map(({ peer }) => peer))].join(', ')
  const known = cells.filter(each => each.result === 'failed' && knownFailure(each)).length
  const failed = `${count('failed') - known} failed${known > 0 ? `, ${known} more as is known of the peer` : ''}`
  return `interop: ${cells.length} cells with ${peers}: ${count('ok')} ok, ${count('unsupported')} unsupported, ${failed}`
}

/** Of the whole matrix, or of a part: then what was not run stays as it was. */
export function writeReport(root, { cells, versions, isWhole }) {
  const path = name => join(root, 'interop', name)
  const before = isWhole ? undefined : JSON.parse(readFileSync(path('results.json'), 'utf8'))
  const current = cells.map(({ ms: _, logs: __, ...cell }) => cell)
  const kept = (before?.cells ?? []).filter(old => !current.some(each => keyOf(each) === keyOf(old)))
  const facts = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpus()[0].model}, Linux, Node ${process.version}`,
    peers: { ...before?.peers, ...versions },
    cells: [...kept, ...current].sort(inOrder),
  }
  // Numbers side by side, as our formatter has them.
  const text = JSON.stringify(facts, undefined, 2).replace(
    /\[\s+([\d,\s]+?)\s+\]/g,
    (_, list) => `[${list.split(/\s+/).join(' ')}]`,
  )
  writeFileSync(path('results.json'), `${text}\n`)
  const [head, rest] = readFileSync(path('README.md'), 'utf8').split(BEGIN)
  const after = rest?.split(END)[1]
  if (after === undefined) throw new Error(`interop/README.md has no place for results: ${BEGIN} ... ${END}`)
  writeFileSync(path('README.md'), `${head}${BEGIN}\n\n${table(facts)}\n${END}${after}`)
}

function keyOf({ peer, role, test }) {
  return [peer, role, test].join()
}

function inOrder(a, b) {
  const order = ({ test }) => cases.findIndex(({ name }) => name === test)
  return a.peer.localeCompare(b.peer) || b.role.localeCompare(a.role) || order(a) - order(b)
}

function table({ date, machine, peers, cells }) {
  const versions = Object.entries(peers).map(([name, version]) => `${name} ${version}`)
  return [
    `${date}, ${machine}. Versions: ${versions.join('; ')}.\n\n`,
    `${MARKS.ok} passed, ${MARKS.unsupported} not supported by one of both, ${MARKS.failed} failed; goodput and crosstraffic in Mbit/s, the median.\n\n`,
    tableOf(cells, undefined),
    ...GROUPS.map(group => `\n${group}:\n\n${tableOf(cells, group)}`),
    ...explanations(cells),
  ].join('')
}

/** Of the cases of a group, and the peers that have any. */
function tableOf(all, group) {
  const names = cases.filter(each => each.group === group).map(({ name }) => name)
  const cells = all.filter(({ test }) => names.includes(test))
  const rows = [...new Set(cells.map(rowOf))]
  const cellOf = (row, test) => cells.find(each => rowOf(each) === row && each.test === test)
  const line = texts => `| ${texts.join(' | ')} |\n`
  return [
    line(['peer, its role', 'over', ...names]),
    line(Array(names.length + 2).fill('---')),
    ...rows.map(row => line([row, alpnOf(cells, row), ...names.map(name => textOf(cellOf(row, name)))])),
  ].join('')
}

function rowOf({ peer, role }) {
  return `${peer} ${role}`
}

/** Of every cell that failed. */
function explanations(cells) {
  const failed = cells.filter(({ result }) => result === 'failed')
  if (failed.length === 0) return []
  const lines = failed.map(cell => {
    const found = knownFailure(cell)
    const why = found === undefined ? cell.reason : `${found.why}. ${found.source}`
    return `- ${cell.peer} as ${cell.role}, ${cell.test}: ${why}\n`
  })
  return ['\nWhat failed:\n\n', ...lines]
}

/** But for cases that are about HTTP/3. */
function alpnOf(cells, row) {
  const found = cells.filter(each => rowOf(each) === row && each.alpn)
  const { alpn } = found.find(each => !OVER_HTTP3.has(each.test)) ?? found[0] ?? {}
  return SHORT[alpn] ?? alpn ?? ''
}

function textOf(cell) {
  if (cell === undefined) return ''
  if (cell.kbps === undefined || cell.result !== 'ok') return MARKS[cell.result]
  return (median(cell.kbps) / 1000).toFixed(2)
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
}
