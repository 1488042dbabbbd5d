// Runs all examples and looks at what they say: node examples/run.mjs [NAME...]

import { execFile, fork } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fetch } from 'zerotrip/http3'

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
  'mutual-tls': ['hello DNS:client-7, trusted: true', 'without one: ERR_ZEROTRIP_HANDSHAKE'],
}

const all = [...Object.keys(expected), 'cluster']
const names = process.argv.length > 2 ? process.argv.slice(2) : all
const results = await Promise.all(names.map(run))
for (const { name, ms, fault } of results)
  console.log(`${fault ? '✗' : '✓'} ${name.padEnd(14)} ${ms} ms ${fault ?? ''}`)
if (results.some(({ fault }) => fault)) process.exitCode = 1

async function run(name) {
  const started = performance.now()
  const fault = await (name === 'cluster' ? manyCores() : program(name)).catch(error => error.message)
  return { name, ms: Math.round(performance.now() - started), fault }
}

/** Undefined, or what is wrong. */
async function program(name) {
  const file = join(import.meta.dirname, `${name}.mjs`)
  const { stdout } = await promisify(execFile)(process.execPath, [file, '--once'], { timeout: 60_000 })
  let at = 0
  for (const words of expected[name] ?? []) {
    at = stdout.indexOf(words, at)
    if (at === -1) return `did not say '${words}' but: ${stdout}`
  }
}

/** The one that runs until it is told to stop. */
async function manyCores() {
  const port = 30_000 + (process.pid % 10_000)
  const options = ['--port', String(port), '--workers', '2']
  const child = fork(join(import.meta.dirname, 'cluster', 'main.mjs'), options, { silent: true })
  const exit = new Promise(resolve => child.once('exit', resolve))
  const { cert } = await new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', code => reject(new Error(`ended with ${code}`)))
  })
  const response = await fetch(`https://127.0.0.1:${port}/bytes/1000`, { ca: cert })
  const { byteLength } = await response.arrayBuffer()
  child.send('stop')
  const code = await exit
  if (byteLength !== 1000 || code !== 0) return `${byteLength} bytes, ended with ${code}`
}
