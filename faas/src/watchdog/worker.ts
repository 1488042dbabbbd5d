#!/usr/bin/env node
// The worker process: takes its half of the keys, starts the function, listens, says so.
//
//     zerotrip-watchdog HANDLER.mjs [--host 127.0.0.1] [--port 0] [--name NAME]... [--tcp] [--tls]
//     mode=http upstream_url=http://127.0.0.1:3000 fprocess='python3 server.py' zerotrip-watchdog
//     zerotrip-watchdog -run-healthcheck
//     zerotrip-watchdog -version
//
// With a module the function lives in this process (mode `inproc`); without, the environment says what to do, as it does
// to OpenFaaS' of-watchdog.

import { closeSync, readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { takeBundle, takeDescriptor } from 'zerotrip/platform'
import { type ClientBundle, type EarlyRequests, isEarlyRequestAllowed, readClientBundle } from 'zerotrip/zero-rtt'
import { type FunctionHandler, plain } from '../http/handler.ts'
import { GATEWAY_FD, PLATFORM_FD } from '../inherited.ts'
import { loadFunction, type ServerlessFunction } from './function.ts'
import { isHealthy, Readiness } from './readiness.ts'
import type { Registration } from './registration.ts'
import { type RequestCounts, Service } from './service.ts'
import { CREDENTIAL_NAMES, readSettings, type WatchdogSettings } from './settings.ts'
import { SingleExecution } from './single-execution.ts'
import { startWatchdog, type Watchdog } from './watchdog.ts'

/** ms that requests in flight are given when a platform that launched this worker wants it to end, or is gone. */
const DRAIN = 5000

interface Plan {
  readonly handler: string | undefined
  readonly settings: WatchdogSettings
  readonly host: string
  readonly port: number
  readonly names: readonly string[]
  readonly tcp: boolean
  readonly tls: boolean
  /** ms between the wish to end and its beginning, and for what was begun. */
  readonly notice: number
  readonly drain: number
}

/** A worker that was launched for one module is one of many on its machine; one by environment has a host to itself. */
function planOf(isLaunched: boolean): Plan {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      host: { type: 'string' },
      port: { type: 'string' },
      name: { type: 'string', multiple: true, default: [] },
      tcp: { type: 'boolean', default: false },
      tls: { type: 'boolean', default: false },
    },
  })
  const [handler] = positionals
  const settings = readSettings(process.env, handler === undefined ? 'streaming' : 'inproc')
  const isAlone = handler === undefined && !isLaunched
  return {
    handler,
    settings,
    host: values.host ?? (isAlone ? '0.0.0.0' : '127.0.0.1'),
    port: Number(values.port ?? (isAlone ? settings.port : 0)),
    names: values.name,
    tcp: values.tcp || (isAlone && settings.quic !== 'only'),
    tls: values.tls,
    notice: isAlone ? settings.healthcheckInterval : 0,
    drain: isAlone ? settings.writeTimeout : DRAIN,
  }
}

async function main(): Promise<void> {
  // Before any code of the function runs: that code shall find neither the keys nor where they came from.
  const inherited = takeBundle()
  const gatewayKeys = takeKeys(process.env)
  const platform = takeDescriptor(process.env, PLATFORM_FD)
  const plan = planOf(platform !== undefined)
  // Nor where the keys of one that was not launched here come from.
  for (const name of CREDENTIAL_NAMES) delete process.env[name]
  const { settings } = plan
  const isAlone = plan.handler === undefined && platform === undefined
  // Who was launched has its keys already.
  const registration = platform === undefined ? await registrationOf(settings) : undefined
  const pulling = inherited ?? registration?.pull()
  const run = await loadFunction(settings, gatewayKeys, plan.handler, process.env, onError)
  const bundle = await pulling
  const readiness = isAlone ? new Readiness(settings.lockFile, settings.suppressLock) : new Readiness()
  const metrics = isAlone ? await listenMetrics(plan) : undefined
  const service = new Service({
    run: onceAtMost(run.fetch, settings.earlyRequests),
    readiness,
    counts: metrics?.counts,
    maxInflight: settings.maxInflight,
    writeTimeout: settings.writeTimeout,
    readyPath: settings.readyPath,
    log: isAlone ? line => console.log(`${new Date().toISOString()} ${line}`) : undefined,
    logsCallId: settings.log.callId,
    onError,
  })
  const watchdog = await startWatchdog({
    ...plan,
    fetch: request => service.fetch(request),
    listener: run.listener,
    onUpgrade: run.upstream && (await import('./modes/upgrade.ts')).passUpgrade(run.upstream.url),
    udp: settings.quic !== 'off',
    bundle,
    earlyRequests: settings.earlyRequests,
    readTimeout: settings.readTimeout,
    onError,
  })
  readiness.accept()
  const end = endOnce(watchdog, readiness, run, plan)
  process.once('SIGTERM', end)
  const line = JSON.stringify({ ...watchdog.announcement, metricsPort: metrics?.port })
  registration?.announce(watchdog.announcement).catch(onError)
  if (platform === undefined) console.log(line)
  else announce(platform, line, end)
}

/** For calling the gateway: read to the end, once, and closed. */
function takeKeys(environment: NodeJS.ProcessEnv): ClientBundle | undefined {
  const descriptor = takeDescriptor(environment, GATEWAY_FD)
  if (descriptor === undefined) return undefined
  const encoded = readFileSync(descriptor)
  closeSync(descriptor)
  return readClientBundle(encoded)
}

async function registrationOf({ credentials, gateway }: WatchdogSettings): Promise<Registration | undefined> {
  if (credentials === undefined) return undefined
  const options = { ...credentials, ca: gateway?.certificate ?? process.env['quic_gateway_ca'] }
  const note = (error: unknown): void =>
    console.error(`zerotrip-watchdog: ${error instanceof Error ? error.message : error}`)
  return new (await import('./registration.ts')).Registration(options, note)
}

/** What is early on the way to TCP is nothing that can be waited for here (RFC 8470 §5.2). */
function onceAtMost(run: FunctionHandler, earlyRequests: EarlyRequests): FunctionHandler {
  if (earlyRequests === 'all') return new SingleExecution().around(run)
  return request => {
    const isTooEarly = request.headers.has('early-data') && !isEarlyRequestAllowed(earlyRequests, request.method)
    return isTooEarly ? plain(425, '') : run(request)
  }
}

async function listenMetrics({ host, settings }: Plan): Promise<{ counts: RequestCounts; port: number }> {
  const { WatchdogMetrics } = await import('./metrics.ts')
  const counts = new WatchdogMetrics()
  return { counts, port: await counts.listen(host, settings.metricsPort) }
}

/** Health checks notice first; then what is new is refused, what was begun finishes, and the process ends. */
function endOnce(watchdog: Watchdog, readiness: Readiness, run: ServerlessFunction, plan: Plan): () => void {
  let isEnding = false
  // Nothing to stand in front of: whoever restarts workers shall see it.
  run.upstream?.gone.then(code => {
    if (isEnding) return
    readiness.refuse()
    console.error(`zerotrip-watchdog: the function ended with ${code}`)
    process.exit(1)
  })
  return () => {
    if (isEnding) return
    isEnding = true
    readiness.refuse()
    setTimeout(() => {
      watchdog
        .close(plan.drain)
        .then(() => run.local?.close())
        .then(
          () => leave(run, plan.drain, 0),
          () => leave(run, plan.drain, 1),
        )
    }, plan.notice)
  }
}

async function leave(run: ServerlessFunction, deadline: number, code: number): Promise<void> {
  await run.upstream?.stop(deadline)
  process.exit(code)
}

/** One line; afterwards the descriptor only tells when the platform is gone. */
function announce(descriptor: number, line: string, onGone: () => void): void {
  const platform = new Socket({ fd: descriptor, readable: true, writable: true })
  platform.on('error', () => {})
  platform.once('close', onGone)
  platform.resume()
  platform.write(`${line}\n`)
}

function onError(error: unknown): void {
  console.error(error)
}

if (process.argv[2] === '-version' || process.argv[2] === '--version') {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  console.log(`zerotrip-watchdog ${version}`)
  process.exit(0)
}
if (process.argv[2] === '-run-healthcheck' || process.argv[2] === '--run-healthcheck') {
  process.exit(isHealthy(readSettings({}, 'inproc').lockFile) ? 0 : 1)
}
main().catch(error => {
  console.error(`zerotrip-watchdog: ${error instanceof Error ? error.message : error}`)
  process.exit(1)
})
