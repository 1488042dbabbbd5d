// The 0-RTT Generator: each launch of a worker gets a key of its own, made here. One half goes to the worker over an
// inherited descriptor, the other to the client; their first contact can then carry data.

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import type { Duplex, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { defaultBackend } from 'zerotrip'
import { provisionHttp3 } from 'zerotrip/http3'
import { BUNDLE_FD, giveBundle } from 'zerotrip/platform'
import {
  type ClientBundle,
  clientBundle,
  type EarlyRequests,
  originOf,
  type WorkerBundle,
  writeClientBundle,
} from 'zerotrip/zero-rtt'
import {
  type Announcement,
  GATEWAY_FD,
  MAX_ANNOUNCEMENT,
  PLATFORM_FD,
  readAnnouncement,
  WORKER_HTTP3,
} from '../inherited.ts'

export interface LaunchOptions {
  /** Path of the module that exports the function. Default: `environment` says what to run. */
  readonly handler?: string
  /** Where the worker is started. Default: where this process was. */
  readonly directory?: string
  /** Who will call: 1 to 63 bytes of UTF-8, one name for one process. */
  readonly clientId: string
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Names in the worker's certificate besides `host`. */
  readonly names?: readonly string[]
  /** Plain HTTP/1.1 on the same port, HTTPS on another. Default false. */
  readonly tcp?: boolean
  readonly tls?: boolean
  /** Which requests may come early. Default `safe`. */
  readonly earlyRequests?: EarlyRequests
  /** The worker's half of keys for calling its gateway. Default: its first call takes a round trip more. */
  readonly gatewayKeys?: ClientBundle | undefined
  /** ms from the launch until the keys end. Default 10 minutes. */
  readonly lifetime?: number
  /** Environment of the worker. Default this process's own. */
  readonly environment?: NodeJS.ProcessEnv
  /** Arguments of node itself, such as `--max-old-space-size=64`. */
  readonly nodeArguments?: readonly string[]
  /** ms within which the worker has to listen. Default 10,000. */
  readonly startDeadline?: number
  /** Ends a worker that does not listen yet. */
  readonly signal?: AbortSignal
}

const START_DEADLINE = 10_000

/** Numbers the worker finds its descriptors under. */
const BUNDLE_AT = 3
const PLATFORM_AT = 4
const GATEWAY_AT = 5

export class LaunchedWorker implements AsyncDisposable {
  readonly process: ChildProcess
  readonly announcement: Announcement
  /** The half of the client that was named at the launch. */
  readonly client: ClientBundle
  readonly #bundle: WorkerBundle

  constructor(process: ChildProcess, announcement: Announcement, bundle: WorkerBundle, client: ClientBundle) {
    this.process = process
    this.announcement = announcement
    this.client = client
    this.#bundle = bundle
  }

  /** As in a URL: `127.0.0.1:4433`. */
  get origin(): string {
    return originOf(this.announcement.host, this.announcement.port)
  }

  /** The half of one more client; the worker need not be told. `addresses`: where it will call, default the worker's. */
  clientFor(clientId: string, addresses: readonly string[] = [this.origin]): ClientBundle {
    const pins = [pinOf(this.announcement)]
    return clientBundle(defaultBackend, this.#bundle, { clientId, addresses, pins }, Date.now())
  }

  /** Lets requests in flight finish. Resolves when the process is gone. */
  async stop(): Promise<void> {
    const gone = hasExited(this.process)
    this.process.kill('SIGTERM')
    await gone
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/**
 * Starts a worker that nobody has contacted yet. Resolves when it listens: by then both halves are where they belong,
 * and the first datagram of the client may carry a request.
 */
export async function launch(options: LaunchOptions): Promise<LaunchedWorker> {
  const { clientId, earlyRequests, lifetime } = options
  const { worker, client } = provisionHttp3({
    clientId,
    http3: WORKER_HTTP3,
    // Not known before it listens.
    addresses: [],
    ...(earlyRequests && { earlyRequests }),
    ...(lifetime && { lifetime }),
  })
  const child = start(options)
  // A worker that dies before it reads is reported by `listening`.
  giveBundle(child.stdio[BUNDLE_AT] as Writable, worker)
  if (options.gatewayKeys) giveKeys((child.stdio as readonly unknown[])[GATEWAY_AT] as Writable, options.gatewayKeys)
  const announcement = await listening(child, options.startDeadline ?? START_DEADLINE, options.signal)
  const { host, port } = announcement
  const half = { ...client, addresses: [originOf(host, port)], pins: [pinOf(announcement)] }
  return new LaunchedWorker(child, announcement, worker, half)
}

function start(options: LaunchOptions): ChildProcess {
  const program = fileURLToPath(new URL('../watchdog/worker.js', import.meta.url))
  const settings = [
    ...(options.host === undefined ? [] : ['--host', options.host]),
    ...(options.names ?? []).flatMap(name => ['--name', name]),
    ...(options.tcp ? ['--tcp'] : []),
    ...(options.tls ? ['--tls'] : []),
  ]
  const stdio: StdioOptions = ['ignore', 'inherit', 'inherit', 'pipe', 'pipe', options.gatewayKeys ? 'pipe' : 'ignore']
  const handler = options.handler === undefined ? [] : [options.handler]
  const child = spawn(process.execPath, [...(options.nodeArguments ?? []), program, ...handler, ...settings], {
    stdio,
    // A group of its own: what the worker started ends with it, however it ends.
    detached: true,
    ...(options.directory !== undefined && { cwd: options.directory }),
    // Numbers only: the environment of a process can be read by others, and is inherited by what it starts.
    env: {
      ...(options.environment ?? process.env),
      ...(options.earlyRequests && { quic_early_data: options.earlyRequests }),
      [BUNDLE_FD]: String(BUNDLE_AT),
      [PLATFORM_FD]: String(PLATFORM_AT),
      ...(options.gatewayKeys && { [GATEWAY_FD]: String(GATEWAY_AT) }),
    },
  })
  child.once('exit', () => killGroup(child.pid as number))
  return child
}

function giveKeys(pipe: Writable, keys: ClientBundle): void {
  const encoded = writeClientBundle(keys)
  // A worker that dies before it reads is nobody's fault here.
  pipe.on('error', () => {})
  pipe.end(encoded, () => encoded.fill(0))
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // Nobody was left.
  }
}

/** Rejects when the worker ends, the deadline passes or nobody wants it any more, before it says that it listens. */
function listening(child: ChildProcess, deadline: number, signal: AbortSignal | undefined): Promise<Announcement> {
  const pipe = child.stdio[PLATFORM_AT] as Duplex
  return new Promise((resolve, reject) => {
    let text = ''
    const fail = (reason: string): void => {
      settle()
      child.kill('SIGKILL')
      reject(new Error(`the worker did not start: ${reason}`))
    }
    const timer = setTimeout(() => fail(`it did not listen within ${deadline} ms`), deadline)
    const onExit = (code: number | null, signal: string | null): void => fail(`it ended with ${code ?? signal}`)
    const onAbort = (): void => fail('nobody wants it any more')
    const settle = (): void => {
      clearTimeout(timer)
      child.off('exit', onExit)
      signal?.removeEventListener('abort', onAbort)
    }
    child.once('exit', onExit)
    child.once('error', error => fail(error.message))
    signal?.addEventListener('abort', onAbort)
    pipe.on('error', () => {})
    pipe.on('data', (data: Buffer) => {
      text += data.toString('utf8')
      const end = text.indexOf('\n')
      if (end < 0 && text.length <= MAX_ANNOUNCEMENT) return
      pipe.removeAllListeners('data').resume()
      try {
        resolve(readAnnouncement(text.slice(0, end)))
        settle()
      } catch (error) {
        fail(`what it said is no announcement: ${error}`)
      }
    })
  })
}

function hasExited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise(resolve => child.once('exit', () => resolve()))
}

function pinOf(announcement: Announcement): Uint8Array {
  return new Uint8Array(Buffer.from(announcement.pin, 'hex'))
}
