// `npm run interop`: zerotrip against other QUIC implementations, both ways. See README.md.

import { mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cases, RECEIPT, runCase, SIZES, SMALL } from './cases.mjs'
import { stopAll } from './lib/child.mjs'
import { makeCredentials } from './lib/credentials.mjs'
import { describe, makeFiles } from './lib/files.mjs'
import { summary, writeResults } from './lib/report.mjs'
import { aioquic } from './peers/aioquic.mjs'
import { ngtcp2 } from './peers/ngtcp2.mjs'
import { zerotrip } from './peers/zerotrip.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const cache = join(root, '.cache')
const CASE_TIMEOUT = 60_000
const peers = [ngtcp2, aioquic]

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    peer: { type: 'string' },
    test: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const say = options.json ? text => process.stderr.write(`${text}\n`) : text => process.stdout.write(`${text}\n`)

/** Everything there is to run against one peer. */
function plan(peer) {
  const jobs = []
  for (const each of cases) {
    if (options.test ? each.name !== options.test : options.quick && !each.isQuick) continue
    for (const alpn of (each.alpn ?? peer.alpn).filter(name => peer.alpn.includes(name))) {
      if (can(peer, 'client', each)) jobs.push({ each, alpn, client: peer, server: zerotrip })
      if (can(peer, 'server', each)) jobs.push({ each, alpn, client: zerotrip, server: peer })
    }
  }
  return jobs
}

function can(peer, role, { needs }) {
  return needs === undefined || peer.can[role].includes(needs)
}

async function carryOut({ each, alpn, client, server }, shared) {
  const id = `${client.name}-${server.name}-${alpn}-${each.name}`.replaceAll(' ', '-')
  const dir = join(cache, 'interop', id)
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  const context = { dir, www: shared.www, credentials: shared.credentials }
  const start = performance.now()
  const late = new AbortController()
  const timeout = sleep(CASE_TIMEOUT, undefined, { signal: late.signal }).then(() => {
    throw new Error(`not done after ${CASE_TIMEOUT / 1000} s`)
  })
  timeout.catch(() => {})
  const result = { client: client.name, server: server.name, alpn, test: each.name }
  try {
    await Promise.race([runCase(each, { server, client, alpn, context, files: shared.files }), timeout])
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
    return { ...result, ok: true, ms: Math.round(performance.now() - start) }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { ...result, ok: false, ms: Math.round(performance.now() - start), reason, logs: `.cache/interop/${id}` }
  } finally {
    late.abort()
    await stopAll()
  }
}

function install(peer) {
  try {
    return { peer, version: peer.install(cache) }
  } catch (error) {
    const detail = String(error.stderr ?? '')
      .trim()
      .split('\n')
      .at(-1)
    return { peer, error: detail || error.message }
  }
}

const work = join(cache, 'interop', 'shared')
rmSync(work, { recursive: true, force: true })
mkdirSync(join(work, 'www'), { recursive: true })
const shared = {
  www: join(work, 'www'),
  credentials: makeCredentials(work),
  files: makeFiles(join(work, 'www'), { ...SIZES, ...SMALL }),
}

const { length, sha256 } = shared.files['10m.bin']
shared.files[RECEIPT] = describe(Buffer.from(`${length} ${sha256}\n`))

const chosen = peers.filter(peer => !options.peer || peer.name === options.peer)
const results = []
const versions = {}
for (const { peer, version, error } of chosen.map(install)) {
  if (error) {
    say(`${peer.name}: cannot be installed: ${error}`)
    results.push({ client: peer.name, server: 'zerotrip', alpn: '-', test: 'install', ok: false, ms: 0, reason: error })
    continue
  }
  versions[peer.name] = version
  say(`${peer.name} ${version}`)
  for (const job of plan(peer)) {
    const result = await carryOut(job, shared)
    results.push(result)
    const end = result.ok ? 'ok' : `FAILED: ${result.reason} (${result.logs})`
    say(
      `  ${result.client} -> ${result.server}  ${result.alpn}  ${result.test}  ${(result.ms / 1000).toFixed(1)} s  ${end}`,
    )
  }
}

if (results.length === 0) {
  say('nothing to run: is there such a --peer or --test?')
  process.exit(2)
}
const isComplete = !options.peer && !options.test
if (isComplete) writeResults(root, { results, versions, isQuick: options.quick })
if (options.json) process.stdout.write(`${JSON.stringify({ versions, results }, undefined, 1)}\n`)
say(summary(results))
process.exit(results.every(result => result.ok) ? 0 : 1)
