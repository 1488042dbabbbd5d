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
  const facts = {
    date: new Date().toISOString().slice(0, 10),
    zerotrip: version,
    node: process.version,
    peers: versions,
    quick: isQuick,
    // How long each took depends on the machine; what matters here is what worked.
    results: results.map(({ ms: _, ...result }) => result),
  }
  writeFileSync(path('results.json'), `${JSON.stringify(facts, undefined, 2)}\n`)
  const text = readFileSync(path('README.md'), 'utf8')
  const [before, rest] = text.split(BEGIN)
  const after = rest?.split(END)[1]
  if (after === undefined) throw new Error(`interop/README.md has no place for results: ${BEGIN} ... ${END}`)
  writeFileSync(path('README.md'), `${before}${BEGIN}\n\n${table(facts)}\n${END}${after}`)
}

function table({ date, zerotrip, node, peers, results }) {
  const columns = [...new Map(results.map(result => [columnOf(result), result])).keys()]
  const tests = [...new Set(results.map(({ test }) => test))]
  const cell = (test, column) => {
    const result = results.find(each => each.test === test && columnOf(each) === column)
    if (result === undefined) return ''
    return result.ok ? 'yes' : '**no**'
  }
  const row = cells => `| ${cells.join(' | ')} |\n`
  const versions = Object.entries(peers).map(([name, version]) => `${name} ${version}`)
  return [
    `${date}: zerotrip ${zerotrip} on Node ${node}, with ${versions.join(' and ')}.\n\n`,
    row(['', ...columns]),
    row(['---', ...columns.map(() => '---')]),
    ...tests.map(test => row([test, ...columns.map(column => cell(test, column))])),
  ].join('')
}

function columnOf({ client, server, alpn }) {
  return `${client} → ${server} ${alpn}`
}
