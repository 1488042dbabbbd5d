// A PSK that was provisioned, as TLS sees it at the worker (RFC 9258 §5), and what both halves read off a bundle.

import { cipherSuite, type HashName } from '../crypto/cipher-suite.ts'
import type { Authorization, EarlyDataTerms, Psk, PskKind, PskSource } from '../tls13/ports.ts'
import type { BundleTerms } from './bundle.ts'
import type { ProvisionedContext } from './provisioned-context.ts'
import type { Caller } from './provisioned-keys.ts'

/** A PSK found by a ProvisionedServer, with the name of who holds it. */
export class ProvisionedPsk implements Psk {
  readonly kind: PskKind = 'imported'
  readonly secret: Uint8Array
  readonly hash: HashName
  readonly earlyData: EarlyDataTerms | undefined
  readonly expires: number
  readonly appState: Uint8Array
  readonly authorization: Authorization
  readonly counter: number
  /** Unix ms, as the client says, under its binder. */
  readonly time: number
  /** Who found it, and may admit its early data. */
  readonly source: PskSource

  constructor(
    source: PskSource,
    terms: BundleTerms,
    { clientId, caller }: Caller,
    context: ProvisionedContext,
    secret: Uint8Array,
  ) {
    this.secret = secret
    this.hash = hashOf(terms)
    this.earlyData = terms.earlyRequests === 'never' ? undefined : termsOf(terms)
    this.expires = terms.expires
    this.appState = terms.appState
    this.authorization = { peer: clientId, edge: edgeOf(caller, terms.callee), epoch: context.epoch }
    this.counter = context.counter
    this.time = context.time
    this.source = source
  }

  get clientId(): string {
    return this.authorization.peer
  }

  get epoch(): number {
    return this.authorization.epoch
  }
}

/** The relation between two functions by name; empty when neither has one. */
export function edgeOf(caller: string, callee: string): string {
  return caller === '' && callee === '' ? '' : `${caller}>${callee}`
}

export function hashOf(terms: BundleTerms): HashName {
  const suite = cipherSuite(terms.cipherSuite)
  if (suite === undefined) throw new RangeError(`cipher suite ${terms.cipherSuite} is not known`)
  return suite.hash
}

function termsOf(terms: BundleTerms): EarlyDataTerms {
  return {
    cipherSuite: terms.cipherSuite,
    alpn: terms.alpn,
    serverName: terms.serverName,
    transportParameters: terms.transportParameters,
  }
}
