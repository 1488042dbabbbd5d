// A session ticket that no session gave: made by whoever has the worker's ticket key, for clients that can resume but know
// nothing of external PSKs (RFC 8446 §4.6.1).

import type { CryptoBackend } from '../crypto/backend.ts'
import { cipherSuite } from '../crypto/cipher-suite.ts'
import { QUIC_V1 } from '../packet/version.ts'
import type { Authorization } from '../tls13/ports.ts'
import { type Resumption, resumptionFromTicket } from './resumption.ts'
import type { TicketSealer } from './ticket-sealer.ts'

export interface SyntheticTicketOptions {
  /** The server's transport parameters, encoded (`writeRemembered`). */
  readonly transportParameters: Uint8Array
  /** Default the backend's first. */
  readonly cipherSuite?: number
  /** Default `h3`. */
  readonly alpn?: string
  readonly serverName?: string
  /** HTTP/3 SETTINGS of the server. Default empty. */
  readonly appState?: Uint8Array
  /** QUIC version. Default 1. */
  readonly version?: number
  /** Default true. */
  readonly allowsEarlyData?: boolean
  /** Whom it is for, and by which edge; `authorize` of the server is asked about it. Default: anyone. */
  readonly authorization?: Authorization
  /** Address validation token for the first Initial. Default none. */
  readonly token?: Uint8Array
  /** SHA-256 of the server's SubjectPublicKeyInfo, for the handshake that falls back to a certificate. Default none. */
  readonly pins?: readonly Uint8Array[]
}

/**
 * One ticket, for one connection: a client that needs more is given more. `sealer` has the key of the server (`keys` of
 * `TicketSealerOptions`), its replica and its lifetime. Throws a RangeError for a suite that is not known, or for what
 * does not fit a ticket.
 */
export function mintTicket(
  backend: CryptoBackend,
  sealer: TicketSealer,
  options: SyntheticTicketOptions,
  unixTime: number,
): Resumption {
  const id = options.cipherSuite ?? (backend.cipherSuites[0]?.id as number)
  const suite = cipherSuite(id)
  if (suite === undefined) throw new RangeError(`cipher suite ${id} is not known`)
  const { transportParameters, serverName, authorization } = options
  const alpn = options.alpn ?? 'h3'
  const version = options.version ?? QUIC_V1
  const appState = options.appState ?? NOTHING
  const allowsEarlyData = options.allowsEarlyData ?? true
  const secret = backend.random(suite.hashLength)
  const terms = allowsEarlyData ? { cipherSuite: id, alpn, serverName, transportParameters } : undefined
  const state = { secret, hash: suite.hash, issued: unixTime, terms, appState, version, authorization }
  const issued = sealer.issue(state)
  if (issued === undefined) throw new RangeError('this does not fit a ticket')
  return resumptionFromTicket(
    { ...issued, secret, hash: suite.hash, cipherSuite: id, alpn, serverName, allowsEarlyData, transportParameters },
    {
      version,
      appState,
      token: options.token ?? NOTHING,
      pins: options.pins ?? [],
      initialRtt: undefined,
      authorization,
    },
    unixTime,
  )
}

const NOTHING: Uint8Array = new Uint8Array(0)
