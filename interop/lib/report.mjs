// interop/results.json, and the table in interop/README.md.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const BEGIN = '<!-- results: written by interop/run.mjs -->'
const END = '<!-- end of results -->'

/** One plain line. */
export function summary(results) {
  const failed = results.filter(result => !result.ok).length
  const peers = [...new Set(results.flatMap(({ client, server }) => [client, server]))].filter(
    name => name !== 'zerotrip',
  )
  const outcome = failed === 0 ? 'all passed' : `${failed} FAILED`
  return `interop: ${results.length} cases with ${peers.join(' and ')}, ${outcome}`
}

export function writeResults(root, { results, versions, isQuick }) {
  const path = name => join(root, 'interop', name)
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const date = new Date().toISOString().slice(0, 10)
  const before = isQuick ? readResults(path('results.json')) : undefined
  // How long each took depends on the machine; what matters here is what worked.
  const current = results.map(({ ms: _, ...result }) => result)
  // A quick run leaves what it did not try as the last full one found it.
  const kept = (before?.results ?? []).filter(old => !current.some(each => keyOf(each) === keyOf(old)))
  const facts = {
    date,
    fullRun: isQuick ? before?.fullRun : date,
    zerotrip: version,
    node: process.version,
    peers: versions,
    results: [...current, ...kept],
  }
  writeFileSync(path('results.json'), `${JSON.stringify(facts, undefined, 2)}\n`)
  const text = readFileSync(path('README.md'), 'utf8')
  const [head, rest] = text.split(BEGIN)
  const after = rest?.split(END)[1]
  if (after === undefined) throw new Error(`interop/README.md has no place for results: ${BEGIN} ... ${END}`)
  writeFileSync(path('README.md'), `${head}${BEGIN}\n\n${table(facts)}\n${END}${after}`)
}

function readResults(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

function keyOf({ client, server, alpn, test }) {
  return [client, server, alpn, test].join()
}

function table({ date, fullRun, zerotrip, node, peers, results }) {
  const columns = [...new Set(results.map(columnOf))]
  const tests = [...new Set(results.map(({ test }) => test))]
  const cell = (test, column) => {
    const result = results.find(each => each.test === test && columnOf(each) === column)
    if (result === undefined) return ''
    return result.ok ? 'yes' : '**no**'
  }
  const row = cells => `| ${cells.join(' | ')} |\n`
  const versions = Object.entries(peers).map(([name, version]) => `${name} ${version}`)
  const when = fullRun === date ? date : `${date} (last full run ${fullRun ?? 'never'})`
  return [
    `${when}: zerotrip ${zerotrip} on Node ${node}, with ${versions.join(' and ')}.\n\n`,
    row(['', ...columns]),
    row(['---', ...columns.map(() => '---')]),
    ...tests.map(test => row([test, ...columns.map(column => cell(test, column))])),
  ].join('')
}

function columnOf({ client, server, alpn }) {
  return `${client} → ${server} ${alpn}`
}
