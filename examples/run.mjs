// Runs all examples, none of which may have more than thirty lines, and looks at what they say: node examples/run.mjs [NAME...]

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const MAX_LINES = 30
/** What each must say, in this order. */
const expected = {
  'quic-echo': ['hello over QUIC'],
  'three-doors': ['200 stream: /door', '200 fetch: /door', '200 (req, res): /door'],
  express: ["hello: 'express', over: '3.0'", 'sum: 6'],
  hono: ['hello from Hono', "id: '7'"],
  'undici-fetch': ['200 you sent: global fetch', '200 you sent: undici.request'],
  webtransport: ['hello over WebTransport'],
  datagrams: ['back: one'],
  'zero-rtt': ['early: true - early data accepted'],
  'many-cores': ['processes at', 'hello from '],
  'mutual-tls': ['hello DNS:client-7, trusted: true', 'without one: ERR_ZEROTRIP_HANDSHAKE'],
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(expected)
const results = await Promise.all(names.map(run))
for (const { name, ms, fault } of results)
  console.log(`${fault ? '✗' : '✓'} ${name.padEnd(14)} ${ms} ms ${fault ?? ''}`)
if (results.some(({ fault }) => fault)) process.exitCode = 1

async function run(name) {
  const started = performance.now()
  const fault = await program(name).catch(error => error.message)
  return { name, ms: Math.round(performance.now() - started), fault }
}

/** Undefined, or what is wrong. */
async function program(name) {
  const file = join(import.meta.dirname, `${name}.mjs`)
  const lines = readFileSync(file, 'utf8').split('\n').length - 1
  if (lines > MAX_LINES) return `has ${lines} lines`
  const { stdout } = await promisify(execFile)(process.execPath, [file, '--once'], { timeout: 60_000 })
  let at = 0
  for (const words of expected[name] ?? []) {
    at = stdout.indexOf(words, at)
    if (at === -1) return `did not say '${words}' but: ${stdout}`
  }
}
