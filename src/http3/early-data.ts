// Early data in HTTP (RFC 8470): which requests a server runs before it knows that they are no replay, and 425.

import type { Field } from './field.ts'
import type { RequestHead } from './fields.ts'

/** What to do with an early request: run it now, hold it until the handshake is confirmed, or answer 425 (Too Early). */
export type EarlyDecision = 'run' | 'defer' | 'too-early'

/** What a policy is asked. */
export interface EarlyQuestion {
  readonly request: RequestHead
  /** It came as 0-RTT data of this connection; waiting for the handshake makes it safe. */
  readonly isEarly: boolean
  /** `Early-Data: 1`: it was early on a hop before this one. Waiting here proves nothing (RFC 8470 §5.1). */
  readonly isForwarded: boolean
}

/**
 * - `defer` (default): safe methods run at once, others wait here for the handshake, which costs the client no round trip;
 *   425 where waiting does not help.
 * - `too-early`: safe methods run at once, others are answered 425: for servers that would not hold requests.
 * - `all`: everything runs at once: for handlers that ask `request.early` themselves, or do not mind replays.
 * - a function: per request.
 */
export type EarlyDataPolicy = 'defer' | 'too-early' | 'all' | ((question: EarlyQuestion) => EarlyDecision)

/** Asked for every request: those that are not early at all run. */
export function decideEarly(policy: EarlyDataPolicy, request: RequestHead, isEarly: boolean): EarlyDecision {
  const isForwarded = request.field('early-data') !== undefined
  if ((!isEarly && !isForwarded) || policy === 'all') return 'run'
  if (typeof policy === 'function') return policy({ request, isEarly, isForwarded })
  if (isSafeMethod(request.method)) return 'run'
  return policy === 'defer' && !isForwarded ? 'defer' : 'too-early'
}

/** RFC 9110 §9.2.1. */
export function isSafeMethod(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'TRACE'
}

/**
 * For gateways: a request handed on before its client's handshake was confirmed carries `Early-Data: 1`, and one that
 * carries it keeps it (RFC 8470 §5.1).
 */
export function forwardEarlyData(request: { readonly early: boolean }, headers: Headers): void {
  if (request.early) headers.set('early-data', '1')
}

/** RFC 8470 §5.2. */
export const tooEarly: readonly Field[] = [[':status', '425']]
