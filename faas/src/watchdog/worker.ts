#!/usr/bin/env node
// The worker process: takes its half of the keys, loads the function, listens, says so. Mode `inproc`: the function is a
// module that exports `fetch`, and lives here.
//
//     zerotrip-watchdog HANDLER.mjs [--host 127.0.0.1] [--port 0] [--name NAME]... [--tcp] [--tls]

import { Socket } from 'node:net'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { readWorkerBundle, type WorkerBundle } from 'zerotrip/zero-rtt'
import { BUNDLE_FD, MAX_BUNDLE, PLATFORM_FD, readAndClose, takeDescriptor } from '../inherited.ts'
import { type ServerlessFunction, startWatchdog } from './watchdog.ts'

/** ms that requests in flight are given when the platform wants the worker to end, or is gone. */
const DRAIN = 5000

/** Before any code of the function runs: that code shall find neither the keys nor where they came from. */
function takeBundle(): WorkerBundle | undefined {
  const descriptor = takeDescriptor(process.env, BUNDLE_FD)
  if (descriptor === undefined) return undefined
  const encoded = readAndClose(descriptor, MAX_BUNDLE)
  const bundle = readWorkerBundle(encoded)
  encoded.fill(0)
  return bundle
}

async function main(): Promise<void> {
  const bundle = takeBundle()
  const platform = takeDescriptor(process.env, PLATFORM_FD)
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '0' },
      name: { type: 'string', multiple: true, default: [] },
      tcp: { type: 'boolean', default: false },
      tls: { type: 'boolean', default: false },
    },
  })
  const [handler] = positionals
  if (handler === undefined) throw new TypeError('which function? zerotrip-watchdog HANDLER.mjs')
  const run = (await import(pathToFileURL(resolve(handler)).href)) as ServerlessFunction
  if (typeof run.fetch !== 'function') throw new TypeError(`${handler} must export a function \`fetch\``)
  const watchdog = await startWatchdog({
    run,
    host: values.host,
    port: Number(values.port),
    names: values.name,
    tcp: values.tcp,
    tls: values.tls,
    onError: error => console.error(error),
    ...(bundle && { bundle }),
  })
  const end = (): void => {
    watchdog.close(DRAIN).then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.once('SIGTERM', end)
  if (platform === undefined) console.log(JSON.stringify(watchdog.announcement))
  else announce(platform, JSON.stringify(watchdog.announcement), end)
}

/** One line; afterwards the descriptor only tells when the platform is gone. */
function announce(descriptor: number, line: string, onGone: () => void): void {
  const platform = new Socket({ fd: descriptor, readable: true, writable: true })
  platform.on('error', () => {})
  platform.once('close', onGone)
  platform.resume()
  platform.write(`${line}\n`)
}

main().catch(error => {
  console.error(`zerotrip-watchdog: ${error instanceof Error ? error.message : error}`)
  process.exit(1)
})
