// What the environment says, in the words of OpenFaaS' of-watchdog; what is new here begins with `quic`.

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EarlyRequests } from 'zerotrip/zero-rtt'
import { type GatewayAddress, readGatewayAddress } from '../chain/gateway-address.ts'
import { readDuration } from '../http/duration.ts'

export type Mode = 'http' | 'streaming' | 'serializing' | 'static' | 'inproc'

const MODES: readonly Mode[] = ['http', 'streaming', 'serializing', 'static', 'inproc']

export interface LogSettings {
  /** Lines of the function begin with the date and the name of the stream. */
  readonly prefix: boolean
  /** Bytes of a line, at most; -1: what comes is passed on as it comes. */
  readonly bufferSize: number
  /** The access log ends with `[X-Call-Id]`. */
  readonly callId: boolean
}

export interface WatchdogSettings {
  readonly mode: Mode
  /** Program and arguments of the function; empty in the modes that start none. */
  readonly command: readonly string[]
  /** UDP and TCP. */
  readonly port: number
  readonly metricsPort: number
  /** ms a client may take to send a request. */
  readonly readTimeout: number
  /** ms for the whole of a request and its answer, and for requests in flight at the end. */
  readonly writeTimeout: number
  /** ms a function may take; Infinity: as long as it likes. */
  readonly execTimeout: number
  /** ms between the signal to end and the end of new connections: health checks have to notice first. */
  readonly healthcheckInterval: number
  readonly contentType: string
  /** Mode `http`: where the function listens. */
  readonly upstreamUrl: string | undefined
  /** Mode `static`. */
  readonly staticPath: string
  /** A path of the function that says whether it is ready. */
  readonly readyPath: string | undefined
  /** Requests at once; 0: any number. */
  readonly maxInflight: number
  /** Mode `http`: read a request whole before it is passed on, so that it has a length. */
  readonly bufferBody: boolean
  readonly suppressLock: boolean
  readonly lockFile: string
  readonly log: LogSettings
  /** Is there HTTP/3 on UDP, HTTP/1.1 on TCP, or both. */
  readonly quic: 'on' | 'off' | 'only'
  /** Mode `http`, `streaming`, `serializing`: whom the function runs as; undefined: as the watchdog. */
  readonly uid: number | undefined
  /** Which requests may run as early data. */
  readonly earlyRequests: EarlyRequests
  /** Where other functions are; undefined: nobody said. */
  readonly gateway: GatewayAddress | undefined
  /** Where the worker has its keys from, and the file of the token it shows there; undefined: nowhere. */
  readonly credentials: { readonly url: string; readonly tokenFile: string } | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

const HALF_MINUTE = 30_000

/** Throws a TypeError that names the variable. Durations that cannot be read are the default, as upstream has it. */
export function readSettings(environment: Environment, fallback: Mode = 'streaming'): WatchdogSettings {
  const mode = choice(environment, 'mode', MODES, fallback)
  const writeTimeout = duration(environment, 'write_timeout', HALF_MINUTE)
  if (writeTimeout === 0) throw new TypeError('write_timeout must be more than 0')
  const execTimeout = duration(environment, 'exec_timeout', HALF_MINUTE)
  const upstreamUrl = environment['upstream_url'] ?? environment['http_upstream_url']
  if (mode === 'http') checkUpstream(upstreamUrl)
  return {
    mode,
    command: readCommand(environment, mode),
    port: integer(environment, 'port', 8080, 0, 65_535),
    metricsPort: integer(environment, 'metrics_port', 8081, 0, 65_535),
    readTimeout: duration(environment, 'read_timeout', HALF_MINUTE),
    writeTimeout,
    execTimeout: execTimeout === 0 ? Number.POSITIVE_INFINITY : execTimeout,
    healthcheckInterval: duration(environment, 'healthcheck_interval', writeTimeout),
    contentType: environment['content_type'] ?? 'application/octet-stream',
    upstreamUrl,
    staticPath: environment['static_path'] ?? '/home/app/public',
    readyPath: environment['ready_path'],
    maxInflight: integer(environment, 'max_inflight', 0, 0, Number.MAX_SAFE_INTEGER),
    bufferBody: flag(environment, 'buffer_http', false) || flag(environment, 'http_buffer_req_body', false),
    suppressLock: flag(environment, 'suppress_lock', false),
    lockFile: join(tmpdir(), '.lock'),
    log: {
      prefix: flag(environment, 'prefix_logs', true),
      bufferSize: integer(environment, 'log_buffer_size', 65_536, -1, 1 << 30) || 65_536,
      callId: flag(environment, 'log_callid', false) || flag(environment, 'log_call_id', false),
    },
    quic: choice(environment, 'quic', ['on', 'off', 'only'] as const, 'on'),
    uid: environment['function_uid'] ? integer(environment, 'function_uid', 0, 0, 2 ** 31) : undefined,
    earlyRequests: choice(environment, 'quic_early_data', ['never', 'safe', 'all'] as const, 'safe'),
    gateway: readGatewayAddress(environment),
    credentials: readCredentials(environment),
  }
}

/** What of the environment is no business of the function. */
export const CREDENTIAL_NAMES: readonly string[] = ['quic_bundle_url', 'quic_bundle_token_file']

function readCredentials(environment: Environment): WatchdogSettings['credentials'] {
  const url = environment['quic_bundle_url']
  if (!url) return undefined
  if (!URL.canParse(url) || new URL(url).protocol !== 'https:') {
    throw new TypeError(`quic_bundle_url must be an https:// URL, not '${url}'`)
  }
  const tokenFile = environment['quic_bundle_token_file']
  if (!tokenFile) throw new TypeError('quic_bundle_url needs quic_bundle_token_file: the file with the token')
  return { url, tokenFile }
}

function readCommand(environment: Environment, mode: Mode): readonly string[] {
  if (mode === 'static' || mode === 'inproc') return []
  const text = environment['function_process'] ?? environment['fprocess'] ?? ''
  const words = text.split(' ').filter(word => word !== '')
  if (words.length === 0) throw new TypeError(`mode ${mode} needs fprocess: the program to run, with its arguments`)
  return words
}

function checkUpstream(text: string | undefined): void {
  if (text === undefined) throw new TypeError('mode http needs upstream_url: where the function listens')
  if (!URL.canParse(text) || new URL(text).protocol !== 'http:') {
    throw new TypeError(`upstream_url must be an http:// URL, not '${text}'`)
  }
}

function duration(environment: Environment, name: string, fallback: number): number {
  const text = environment[name]
  return (text === undefined ? undefined : readDuration(text)) ?? fallback
}

function flag(environment: Environment, name: string, fallback: boolean): boolean {
  const text = environment[name]
  return text === undefined || text === '' ? fallback : /^(1|t|true|yes|on)$/i.test(text)
}

function integer(environment: Environment, name: string, fallback: number, least: number, most: number): number {
  const text = environment[name]
  if (text === undefined || text === '') return fallback
  const value = Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new TypeError(`${name} must be a whole number from ${least} to ${most}, not '${text}'`)
}

function choice<T extends string>(environment: Environment, name: string, values: readonly T[], fallback: T): T {
  const text = environment[name]
  if (text === undefined || text === '') return fallback
  const value = values.find(each => each === text)
  if (value !== undefined) return value
  throw new TypeError(`${name} must be one of ${values.join(', ')}, not '${text}'`)
}
