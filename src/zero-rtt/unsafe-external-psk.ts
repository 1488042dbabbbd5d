// Raw external PSKs (RFC 8446 §4.2.11, "ext binder"), for peers that cannot import. Unsafe, as the names say: nothing
// binds such a key to roles, to a hash or to a moment (RFC 9257 §4), and its early data can be replayed for as long as
// the key lives. Prefer bundles.

import { toHex } from '../bytes/hex.ts'
import { cipherSuite, type HashName } from '../crypto/cipher-suite.ts'
import { QUIC_V1 } from '../packet/version.ts'
import type { EarlyDataTerms, Psk, PskSource } from '../tls13/ports.ts'
import { MIN_EPSK_LENGTH } from './psk-importer.ts'
import type { Resumption } from './resumption.ts'

export interface UnsafeExternalPsk {
  readonly identity: Uint8Array
  /** At least 16 bytes of full entropy. */
  readonly secret: Uint8Array
  /** Decides the hash, and is the one suite of early data. */
  readonly cipherSuite: number
  readonly alpn: string
  readonly serverName?: string
  /** Unix ms. */
  readonly expires: number
  /** Default false. */
  readonly allowsEarlyData?: boolean
  /** The server's, encoded; needed for early data. Default empty. */
  readonly transportParameters?: Uint8Array
  /** Default empty. */
  readonly appState?: Uint8Array
}

/** The client's side: something to `put` into a store of tickets. */
export function unsafeRawExternalPsk(psk: UnsafeExternalPsk, unixTime: number): Resumption {
  const issued = Math.floor(unixTime)
  return {
    kind: 'unsafeExternal',
    identity: psk.identity,
    secret: checked(psk).secret,
    hash: hashOf(psk),
    cipherSuite: psk.cipherSuite,
    version: QUIC_V1,
    alpn: psk.alpn,
    serverName: psk.serverName,
    issued,
    lifetime: Math.max(0, Math.floor(psk.expires) - issued),
    ageAdd: 0,
    allowsEarlyData: psk.allowsEarlyData ?? false,
    transportParameters: psk.transportParameters ?? NOTHING,
    appState: psk.appState ?? NOTHING,
    token: NOTHING,
    pins: [],
    initialRtt: undefined,
  }
}

/** The server's side: a directory. Early data also needs a gate for the kind `external`. */
export class UnsafeExternalPsks implements PskSource {
  readonly #psks = new Map<string, Psk>()

  add(psk: UnsafeExternalPsk): void {
    this.#psks.set(toHex(psk.identity), {
      kind: 'external',
      secret: checked(psk).secret,
      hash: hashOf(psk),
      earlyData: psk.allowsEarlyData === true ? termsOf(psk) : undefined,
      expires: psk.expires,
      appState: psk.appState ?? NOTHING,
    })
  }

  remove(identity: Uint8Array): void {
    this.#psks.delete(toHex(identity))
  }

  find(identity: Uint8Array, _obfuscatedAge: number, unixTime: number): Psk | undefined {
    const psk = this.#psks.get(toHex(identity))
    return psk !== undefined && unixTime < psk.expires ? psk : undefined
  }
}

function checked(psk: UnsafeExternalPsk): UnsafeExternalPsk {
  if (psk.secret.length < MIN_EPSK_LENGTH) throw new RangeError(`a PSK of ${psk.secret.length} bytes is too short`)
  return psk
}

function hashOf(psk: UnsafeExternalPsk): HashName {
  const suite = cipherSuite(psk.cipherSuite)
  if (suite === undefined) throw new RangeError(`cipher suite ${psk.cipherSuite} is not known`)
  return suite.hash
}

function termsOf(psk: UnsafeExternalPsk): EarlyDataTerms {
  return {
    cipherSuite: psk.cipherSuite,
    alpn: psk.alpn,
    serverName: psk.serverName,
    transportParameters: psk.transportParameters ?? NOTHING,
  }
}

const NOTHING: Uint8Array = new Uint8Array(0)
