// What `get` says about what it did: for people a line each, for programs one JSON object.

import type { PeerInfo, QuicSession } from '../index.ts'
import { ExitCode } from './errors.ts'
import { sizeText } from './progress.ts'

export interface RequestReport {
  readonly url: string
  /** Undefined: HTTP/0.9, or there was no answer. */
  readonly status: number | undefined
  readonly bytes: number
  /** From the request to the last byte. */
  readonly ms: number
  /** Where the content is; undefined: on standard output, or nowhere. */
  readonly file: string | undefined
  /** Undefined: all went well. */
  readonly error: string | undefined
  readonly exitCode: ExitCode
}

export interface ConnectionReport {
  readonly origin: string
  /** Undefined: the handshake failed. */
  readonly peer: PeerInfo | undefined
  /** Of the handshake. */
  readonly ms: number
  readonly stats: ReturnType<QuicSession['statistics']>
  readonly error: string | undefined
  readonly requests: readonly RequestReport[]
}

/** The worst of what happened. */
export function exitCodeOf(connections: readonly ConnectionReport[]): ExitCode {
  if (connections.some(connection => connection.error !== undefined)) return ExitCode.ConnectionFailed
  const codes = connections.flatMap(connection => connection.requests.map(request => request.exitCode))
  if (codes.includes(ExitCode.LocalFailed)) return ExitCode.LocalFailed
  return codes.find(code => code !== ExitCode.Ok) ?? ExitCode.Ok
}

/** Every error once, in order. */
export function errorsOf(connections: readonly ConnectionReport[]): string[] {
  // A failed connection is the error of all its requests.
  const errors = connections.flatMap(({ error, requests }) => (error ? [error] : requests.map(each => each.error)))
  return [...new Set(errors.filter(error => error !== undefined))]
}

export function textReport(connections: readonly ConnectionReport[]): string {
  let text = ''
  for (const { origin, peer, ms, requests } of connections) {
    if (peer === undefined) continue
    for (const request of requests) if (request.error === undefined) text += `${requestText(request)}\n`
    text += `${origin}: ${peer.alpn}, ${peer.cipherSuite}, handshake ${timeText(ms)}${resumptionText(peer)}\n`
  }
  return text
}

export function jsonReport(connections: readonly ConnectionReport[], ms: number): string {
  const exitCode = exitCodeOf(connections)
  const report = {
    ok: exitCode === ExitCode.Ok,
    exitCode,
    ms: rounded(ms),
    errors: errorsOf(connections),
    connections: connections.map(({ origin, peer, stats, error, ...rest }) => ({
      origin,
      error,
      alpn: peer?.alpn,
      cipherSuite: peer?.cipherSuite,
      group: peer?.group,
      resumed: peer?.isResumed,
      earlyData: peer?.earlyData,
      handshakeMs: peer && rounded(rest.ms),
      rttMs: rounded(stats.rtt.smoothed),
      stats,
    })),
    requests: connections.flatMap(({ requests }) =>
      requests.map(({ exitCode: _, ...request }) => ({ ...request, ms: rounded(request.ms) })),
    ),
  }
  return `${JSON.stringify(report)}\n`
}

function requestText({ status, bytes, ms, url, file }: RequestReport): string {
  const from = `${status ?? '-'} ${url}  ${sizeText(bytes)} in ${timeText(ms)}`
  return file === undefined ? from : `${from} -> ${file}`
}

function resumptionText({ isResumed, earlyData }: PeerInfo): string {
  if (!isResumed) return earlyData === 'rejected' ? ', 0-RTT rejected' : ''
  return earlyData === 'none' ? ', resumed' : `, resumed, 0-RTT ${earlyData}`
}

function timeText(ms: number): string {
  return ms < 10_000 ? `${rounded(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** To tenths. */
function rounded(ms: number): number {
  return Math.round(ms * 10) / 10
}
