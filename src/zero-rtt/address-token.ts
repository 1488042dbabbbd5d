// Address validation tokens (RFC 9000 §8.1): of a Retry, of NEW_TOKEN, and of a bundle.

import { constantTimeEqual, equal } from '../bytes/equal.ts'
import { Writer } from '../bytes/writer.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import { TAG_LENGTH } from '../crypto/cipher-suite.ts'
import { limits } from '../limits.ts'
import { connectionIdKey } from '../packet/connection-id.ts'
import { type ReplayGuard, SingleUse } from './anti-replay.ts'
import { bytes, RecordFormat, text, uint } from './record-format.ts'
import { SEALED_OVERHEAD, SealingKeys, type SealingKeysOptions } from './sealing-keys.ts'

export type AddressTokenAnswer =
  /** The client answered a Retry from this address. */
  | { readonly kind: 'retry'; readonly originalDestination: Uint8Array; readonly retrySource: Uint8Array }
  /** The address is known from before, or vouched for: proceed without Retry. */
  | { readonly kind: 'new' }
  /** RFC 9000 §8.1.2: the client will not accept another Retry; close with INVALID_TOKEN. */
  | { readonly kind: 'invalid-retry' }

export interface AddressTokensOptions extends SealingKeysOptions {
  /** ms a Retry token is good for. Default RETRY_LIFETIME. */
  readonly retryLifetime?: number
  /** ms a NEW_TOKEN token is good for. Default NEW_TOKEN_LIFETIME. */
  readonly newTokenLifetime?: number
  /**
   * Makes NEW_TOKEN tokens single-use (RFC 9000 §8.1.4): one seen twice counts as absent. Default: a SingleUse of its
   * own, which knows what this process has seen; false: they may be used until they expire.
   */
  readonly guard?: ReplayGuard | false
  /** Binds every token to one instance. Default: none. */
  readonly instanceId?: Uint8Array
}

/** Defaults, ms. */
export const RETRY_LIFETIME: number = limits.retryTokenLifetime
export const NEW_TOKEN_LIFETIME: number = limits.newTokenLifetime

/** Provisioned tokens that need not be opened again. */
export const MAX_REMEMBERED_TOKENS: number = limits.rememberedTokens

/** A longer token is not one of ours. */
export const MAX_TOKEN_LENGTH: number = limits.openedTokenLength

export class AddressTokens {
  readonly #keys: SealingKeys
  readonly #retryLifetime: number
  readonly #newTokenLifetime: number
  readonly #guard: ReplayGuard | false
  readonly #instanceId: Uint8Array
  /** Provisioned tokens that were opened, by their tag: a client brings the same one with each connection. */
  readonly #vouched = new Map<string, { readonly token: Uint8Array; readonly expires: number }>()

  constructor(backend: CryptoBackend, options: AddressTokensOptions = {}) {
    this.#retryLifetime = options.retryLifetime ?? RETRY_LIFETIME
    this.#newTokenLifetime = options.newTokenLifetime ?? NEW_TOKEN_LIFETIME
    // Two keys of our own are to cover the life of every token.
    this.#keys = new SealingKeys(backend, 'address token', { period: this.#newTokenLifetime, ...options })
    this.#guard = options.guard ?? new SingleUse()
    this.#instanceId = options.instanceId ?? new Uint8Array(0)
  }

  /** For a worker that was provisioned: opens the tokens of its clients' bundles. */
  static ofInstance(
    backend: CryptoBackend,
    worker: { readonly instanceId: Uint8Array; readonly tokenKey: Uint8Array },
    options: AddressTokensOptions = {},
  ): AddressTokens {
    return new AddressTokens(backend, { ...options, keys: [worker.tokenKey], instanceId: worker.instanceId })
  }

  /** Bound to `address` (`host:port`) and to the ids the handshake will be checked against (RFC 9000 §7.3). */
  retryToken(address: string, originalDestination: Uint8Array, retrySource: Uint8Array, unixTime: number): Uint8Array {
    const expires = unixTime + this.#retryLifetime
    return this.#seal(TokenType.Retry, { address, originalDestination, retrySource, expires }, unixTime)
  }

  /** Bound to the host of `address`: the port of a later connection is another (RFC 9000 §8.1.3). */
  newToken(address: string, unixTime: number): Uint8Array {
    const expires = unixTime + this.#newTokenLifetime
    return this.#seal(TokenType.New, { ...NO_IDS, address: hostOf(address), expires }, unixTime)
  }

  /**
   * Good for any address until `expires`: whoever makes a bundle vouches for its holder. It is readable on the path, so
   * that somebody there could use it to aim our answers elsewhere: keep its life short.
   */
  provisionedToken(expires: number, unixTime: number): Uint8Array {
    return this.#seal(TokenType.Provisioned, { ...NO_IDS, address: '', expires }, unixTime)
  }

  /** What the token of an Initial from `address` (`host:port`) proves; undefined: nothing, as if there were none. */
  read(token: Uint8Array, address: string, unixTime: number): AddressTokenAnswer | undefined {
    const type = tokenType(token)
    if (type === TokenType.Provisioned) return this.#readProvisioned(token, unixTime)
    const content = type === undefined ? undefined : this.#open(type, token)
    if (type === TokenType.Retry) return readRetryContent(content, address, unixTime)
    if (type === undefined || content === undefined || unixTime >= content.expires) return undefined
    if (type === TokenType.New && !this.#isFreshFor(content, token, address, unixTime)) return undefined
    return { kind: 'new' }
  }

  /** A new key for tokens to come; see `SealingKeys.rotate`. */
  rotate(key?: Uint8Array): void {
    this.#keys.rotate(key)
    this.#vouched.clear()
  }

  #readProvisioned(token: Uint8Array, unixTime: number): AddressTokenAnswer | undefined {
    const key = connectionIdKey(token.subarray(token.length - TAG_LENGTH))
    let known = this.#vouched.get(key)
    if (known === undefined || !equal(known.token, token)) {
      const content = this.#open(TokenType.Provisioned, token)
      if (content === undefined) return undefined
      known = { token: token.slice(), expires: content.expires }
      if (this.#vouched.size >= MAX_REMEMBERED_TOKENS) this.#vouched.clear()
      this.#vouched.set(key, known)
    }
    return unixTime < known.expires ? { kind: 'new' } : undefined
  }

  #isFreshFor(content: TokenContent, token: Uint8Array, address: string, unixTime: number): boolean {
    if (!isSameText(content.address, hostOf(address))) return false
    // The tag behind a token is unique to it.
    const tag = token.subarray(token.length - 16)
    return this.#guard === false || this.#guard.check(tag, content.expires, unixTime) === 'fresh'
  }

  /** The type stands in the clear: even a Retry token that cannot be opened must be told from the others. */
  #seal(type: TokenType, content: TokenContent, unixTime: number): Uint8Array {
    const expires = Math.floor(content.expires)
    const sealed = this.#keys.seal(format.write({ ...content, expires }), this.#associatedData(type), unixTime)
    const writer = Writer.allocate(2 + sealed.length)
    writer.u16(type)
    writer.put(sealed)
    return writer.finish()
  }

  #open(type: TokenType, token: Uint8Array): TokenContent | undefined {
    const content = this.#keys.open(token.subarray(2), this.#associatedData(type))
    return content && format.read(content)
  }

  #associatedData(type: TokenType): Uint8Array {
    const writer = Writer.allocate(2 + this.#instanceId.length)
    writer.u16(type)
    writer.put(this.#instanceId)
    return writer.finish()
  }
}

/** Two bytes of no meaning, so that a token of another server is rarely taken for one of ours. */
const TokenType = { Retry: 0x5a31, New: 0xa631, Provisioned: 0x3c31 } as const
type TokenType = (typeof TokenType)[keyof typeof TokenType]

interface TokenContent {
  readonly address: string
  readonly originalDestination: Uint8Array
  readonly retrySource: Uint8Array
  readonly expires: number
}

const format: RecordFormat<TokenContent> = new RecordFormat<TokenContent>('ZTAT', 'zerotrip address token', 1, {
  address: text(0, 255),
  originalDestination: bytes(0, 255),
  retrySource: bytes(0, 20),
  expires: uint(),
})

function tokenType(token: Uint8Array): TokenType | undefined {
  if (token.length < 2 + SEALED_OVERHEAD || token.length > MAX_TOKEN_LENGTH) return undefined
  const type = ((token[0] as number) << 8) | (token[1] as number)
  return types.find(known => known === type)
}

function readRetryContent(content: TokenContent | undefined, address: string, unixTime: number): AddressTokenAnswer {
  if (content === undefined || unixTime >= content.expires || !isSameText(content.address, address)) {
    return { kind: 'invalid-retry' }
  }
  return { kind: 'retry', originalDestination: content.originalDestination, retrySource: content.retrySource }
}

function hostOf(address: string): string {
  const colon = address.lastIndexOf(':')
  return colon < 0 ? address : address.slice(0, colon)
}

function isSameText(a: string, b: string): boolean {
  const encoder = new TextEncoder()
  return constantTimeEqual(encoder.encode(a), encoder.encode(b))
}

const types: readonly TokenType[] = Object.values(TokenType)
const NOTHING: Uint8Array = new Uint8Array(0)
const NO_IDS: { readonly originalDestination: Uint8Array; readonly retrySource: Uint8Array } = {
  originalDestination: NOTHING,
  retrySource: NOTHING,
}
