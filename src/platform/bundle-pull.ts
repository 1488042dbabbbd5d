// A bundle by HTTPS, with a bearer token (RFC 6750): for workers that are started by somebody who can hand them a token
// and nothing else, such as a projected service-account token of Kubernetes.

import { readFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import type { RequestOptions } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { now } from '../endpoint/clock.ts'
import { type WorkerBundle, writeWorkerBundle } from '../zero-rtt/bundle.ts'
import { MAX_BUNDLE, readOnce } from './inherited.ts'

export interface PullOptions extends Pick<RequestOptions, 'ca' | 'servername'> {
  /** The token itself, or the file it is in, which is read anew for each attempt: tokens are renewed there. */
  readonly token?: string
  readonly tokenFile?: string
  /** ms until the bundle must be here, attempts that failed included. Default 5,000. */
  readonly deadline?: number
  readonly signal?: AbortSignal
}

/** What the other side of the pull said, or did not say. */
export class PullError extends Error {
  override readonly name = 'PullError'
  readonly code = 'ERR_ZEROTRIP_BUNDLE_PULL'
  /** Of HTTP; undefined: there was no answer. */
  readonly status: number | undefined

  constructor(message: string, status?: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.status = status
  }
}

/**
 * The worker's half from `url`, which must be https. What may pass (no answer, 429, 5xx) is tried again until the
 * deadline. Rejects with a PullError, with the reason of the signal, with a TypeError for options or for what is no bundle.
 */
export async function pullBundle(url: string | URL, options: PullOptions): Promise<WorkerBundle> {
  const target = new URL(url)
  if (target.protocol !== 'https:') throw new TypeError(`a bundle comes by https only, not from ${target.href}`)
  if ((options.token === undefined) === (options.tokenFile === undefined)) {
    throw new TypeError('pullBundle needs `token` or `tokenFile`')
  }
  const end = now() + (options.deadline ?? DEADLINE)
  let earlier: unknown
  for (let pause = FIRST_PAUSE; ; pause *= 2) {
    try {
      return readOnce(await pull(target, options, end - now()))
    } catch (error) {
      options.signal?.throwIfAborted()
      // What was answered before says more than that time is up.
      if (now() >= end) throw earlier ?? error
      if (!mayPass(error) || now() + pause >= end) throw error
      earlier = error
      await sleep(pause, undefined, options.signal && { signal: options.signal })
    }
  }
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof PullError)) return false
  const { status, cause } = error
  if (status !== undefined) return status === 429 || status >= 500
  // A certificate that is not trusted will not be a moment later.
  return PASSING.has((cause as NodeJS.ErrnoException | undefined)?.code ?? '')
}

const PASSING: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ENOTFOUND',
])

async function pull(url: URL, options: PullOptions, timeout: number): Promise<Uint8Array> {
  const token = options.token ?? (await readFile(options.tokenFile as string, 'utf8')).trim()
  if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(token)) throw new TypeError('not a bearer token (RFC 6750 §2.1)')
  const signals = [AbortSignal.timeout(Math.max(1, Math.ceil(timeout))), options.signal]
  const { ca, servername } = options
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void =>
      reject(new PullError(`no bundle from ${url.host}: ${cause}`, undefined, cause))
    const { request } = process.getBuiltinModule('node:https')
    const outgoing = request(
      url,
      {
        headers: { authorization: `Bearer ${token}`, accept: MEDIA_TYPE },
        agent: false,
        signal: AbortSignal.any(signals.filter(signal => signal !== undefined)),
        ...(ca !== undefined && { ca }),
        ...(servername !== undefined && { servername }),
      },
      response => {
        const { statusCode = 0, headers } = response
        const refuse = (what: string): void => {
          response.destroy()
          reject(new PullError(`no bundle from ${url.host}: ${what}`, statusCode))
        }
        if (statusCode !== 200) return refuse(`status ${statusCode}`)
        if (headers['content-type'] !== MEDIA_TYPE) return refuse(`it is ${headers['content-type']}`)
        const bytes = new Uint8Array(MAX_BUNDLE)
        let length = 0
        response.on('error', fail)
        response.on('data', (chunk: Uint8Array) => {
          if (length + chunk.length > MAX_BUNDLE) return refuse('it is too long')
          bytes.set(chunk, length)
          length += chunk.length
        })
        response.on('end', () => resolve(bytes.subarray(0, length)))
      },
    )
    outgoing.on('error', fail)
    outgoing.end()
  })
}

/**
 * The Generator's side, for `createServer` of node:https. `issue` is given the token and answers with the half of the one
 * worker it stands for, or undefined: 401. Each call is a launch: a worker that asks twice is given two bundles, and only
 * the clients' halves of the last are of use.
 */
export function bundleListener(issue: (token: string) => Promise<WorkerBundle | undefined>): RequestListener {
  return (incoming, outgoing) => {
    const end = (status: number, headers = {}): void => void outgoing.writeHead(status, headers).end()
    if (incoming.method !== 'GET') return end(405, { allow: 'GET' })
    const token = /^Bearer ([A-Za-z0-9\-._~+/]+=*)$/i.exec(incoming.headers.authorization ?? '')?.[1]
    if (token === undefined) return end(401, CHALLENGE)
    issue(token).then(
      bundle => {
        if (bundle === undefined) return end(401, { 'www-authenticate': 'Bearer error="invalid_token"' })
        const encoded = writeWorkerBundle(bundle)
        outgoing.writeHead(200, { 'content-type': MEDIA_TYPE, 'cache-control': 'no-store' })
        outgoing.end(encoded, () => encoded.fill(0))
      },
      error => {
        end(500)
        process.emitWarning(error instanceof Error ? error : new Error(String(error)))
      },
    )
  }
}

const MEDIA_TYPE = 'application/vnd.zerotrip.bundle'
const CHALLENGE = { 'www-authenticate': 'Bearer' }
const DEADLINE = 5000
const FIRST_PAUSE = 50
