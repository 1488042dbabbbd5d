// What a client offers, and the ClientHello made of it, first and second (RFC 8446 §4.1.2).

import { type CryptoBackend, type KeyExchange, NamedGroup } from '../crypto/backend.ts'
import type { CipherSuite } from '../crypto/cipher-suite.ts'
import { limits } from '../limits.ts'
import type { TlsClientConfig } from './config.ts'
import { ExtensionType } from './extensions.ts'
import { EarlyStage, hashLength } from './key-schedule.ts'
import { fillBinder, type Grease, RANDOM_LENGTH, truncateHello, writeClientHello } from './messages/client-hello.ts'
import { illegalParameter } from './messages/handshake.ts'
import type { OfferedPsk } from './ports.ts'
import { earlyDataSuite, usablePsk } from './psk.ts'
import type { HelloTranscript } from './transcript.ts'

/** A longer cookie is refused: our answer would be longer than any server reads. */
export const MAX_COOKIE_LENGTH: number = limits.cookieLength

export class ClientOffer {
  readonly config: TlsClientConfig
  readonly random: Uint8Array
  readonly suites: readonly CipherSuite[]
  readonly #groups: readonly NamedGroup[]
  readonly #startTime: number
  #shares: readonly KeyExchange[]
  #group: NamedGroup
  #psk: OfferedPsk | undefined
  #earlyStage: EarlyStage | undefined
  #earlySuite: CipherSuite | undefined
  #obfuscatedAge: number
  #cookie: Uint8Array | undefined
  /** The same in both ClientHellos: what a server asked for leaves the rest unchanged (RFC 8446 §4.1.2). */
  readonly #grease: Grease | undefined

  constructor(config: TlsClientConfig, unixTime: number) {
    const { backend } = config
    this.config = config
    this.suites = config.cipherSuites ?? backend.cipherSuites
    this.#groups = config.groups ?? defaultGroups(backend)
    const [first] = this.#groups
    if (first === undefined || this.suites.length === 0) throw new TypeError('a suite and a group are needed')
    this.random = backend.random(RANDOM_LENGTH)
    this.#startTime = unixTime
    this.#shares = this.#sharesOf(first)
    this.#group = first
    this.#psk = usablePsk(config.psk, this.suites)
    this.#earlyStage = undefined
    this.#earlySuite = earlyDataSuite(this.#psk, this.suites, config.alpn)
    this.#obfuscatedAge = this.#psk?.obfuscatedAge ?? 0
    this.#cookie = undefined
    this.#grease = (config.grease ?? true) ? grease(backend) : undefined
  }

  /** The PSK in the last ClientHello. */
  get psk(): OfferedPsk | undefined {
    return this.#psk
  }

  /** Row one of the key schedule under that PSK: the binder, early data and the handshake come out of it. */
  get earlyStage(): EarlyStage | undefined {
    if (this.#psk === undefined) return undefined
    this.#earlyStage ??= new EarlyStage(this.config.backend, this.#psk.hash, this.#psk.secret)
    return this.#earlyStage
  }

  /** The suite of early data; undefined when none is offered. */
  get earlySuite(): CipherSuite | undefined {
    return this.#earlySuite
  }

  /** The group that was agreed upon. */
  get group(): NamedGroup {
    return this.#group
  }

  /** The name that is sent (RFC 6066 §3): without the dot at the end; undefined for IP literals. */
  get serverName(): string | undefined {
    const name = this.config.serverName
    return name === '' || isIpLiteral(name) ? undefined : name.replace(/\.$/, '')
  }

  /** The types of the extensions in the last ClientHello: an answer must keep to them (RFC 8446 §4.2). */
  get extensionTypes(): ReadonlySet<number> {
    const types = new Set<number>(ALWAYS)
    if (this.serverName !== undefined) types.add(ExtensionType.ServerName)
    if (this.config.compression !== undefined) types.add(ExtensionType.CompressCertificate)
    if (this.#cookie !== undefined) types.add(ExtensionType.Cookie)
    if (this.#earlySuite !== undefined) types.add(ExtensionType.EarlyData)
    if (this.#psk !== undefined) types.add(ExtensionType.PreSharedKey)
    return types
  }

  /** The ClientHello as things stand; `before` holds the messages in front of it, for the binder. */
  write(before: HelloTranscript): Uint8Array {
    const { config } = this
    const psk = this.#psk
    const binderLength = psk === undefined ? 0 : hashLength(psk.hash)
    const message = writeClientHello({
      random: this.random,
      cipherSuites: this.suites.map(suite => suite.id),
      serverName: this.serverName,
      groups: this.#groups,
      keyShares: this.#shares,
      signatureSchemes: config.backend.signatureSchemes,
      alpn: config.alpn,
      transportParameters: config.transportParameters,
      compressions: config.compression?.algorithms,
      grease: this.#grease,
      cookie: this.#cookie,
      hasEarlyData: this.#earlySuite !== undefined,
      psk: psk && { identity: psk.identity, obfuscatedAge: this.#obfuscatedAge, binderLength },
    })
    if (psk !== undefined) {
      const truncated = before.digestWith(psk.hash, truncateHello(message, binderLength))
      fillBinder(message, (this.earlyStage as EarlyStage).binder(psk.kind, truncated))
    }
    return message
  }

  /** Changes the offer as a HelloRetryRequest asks (RFC 8446 §4.1.4). */
  retry(suite: CipherSuite, group: number | undefined, cookie: Uint8Array | undefined, unixTime: number): void {
    // RFC 8446 §4.1.4: a request that changes nothing is an error.
    if (group === undefined && cookie === undefined) throw illegalParameter('a HelloRetryRequest that asks for nothing')
    if (cookie !== undefined && cookie.length > MAX_COOKIE_LENGTH) throw illegalParameter('the cookie is too long')
    const wanted = group === undefined ? undefined : this.#newGroup(group)
    if (wanted !== undefined) this.#shares = [this.config.backend.keyExchange(wanted)]
    this.#cookie = cookie
    this.#earlySuite = undefined
    const psk = this.#psk
    if (psk === undefined) return
    // RFC 8446 §4.1.4: no PSK of another hash in the second ClientHello. A ticket has grown older meanwhile (§4.1.2).
    if (psk.hash !== suite.hash) this.#psk = undefined
    else if (psk.kind === 'resumption') {
      this.#obfuscatedAge = (psk.obfuscatedAge + Math.max(0, Math.round(unixTime - this.#startTime))) % 2 ** 32
    }
  }

  /** RFC 8446 §4.2.8: the server answers one of our shares. */
  agree(group: number, publicKey: Uint8Array): Uint8Array {
    const share = this.#shares.find(candidate => candidate.group === group)
    if (share === undefined) throw illegalParameter(`a share of group ${group} was not asked for`)
    this.#group = share.group
    const secret = share.agree(publicKey)
    if (secret === undefined) throw illegalParameter('the key share is not a valid one')
    return secret
  }

  /** A hybrid's X25519 is offered by itself as well, the same key: a server without the hybrid need not ask again. */
  #sharesOf(group: NamedGroup): readonly KeyExchange[] {
    const exchange = this.config.backend.keyExchange(group)
    const { half } = exchange
    return half !== undefined && this.#groups.includes(half.group) ? [exchange, half] : [exchange]
  }

  /** RFC 8446 §4.2.8: one of our groups, and not one whose share was sent. */
  #newGroup(group: number): NamedGroup {
    const known = this.#groups.find(candidate => candidate === group)
    if (known === undefined || this.#shares.some(share => share.group === known))
      throw illegalParameter(`group ${group} cannot be asked for`)
    return known
  }
}

/** A hybrid share costs a second datagram and more time than all the rest: who wants it says so. */
function defaultGroups(backend: CryptoBackend): readonly NamedGroup[] {
  return backend.groups.filter(group => group !== NamedGroup.X25519MlKem768)
}

const ALWAYS: readonly number[] = [
  ExtensionType.SupportedVersions,
  ExtensionType.SupportedGroups,
  ExtensionType.SignatureAlgorithms,
  ExtensionType.Alpn,
  ExtensionType.KeyShare,
  ExtensionType.PskKeyExchangeModes,
  ExtensionType.QuicTransportParameters,
]

/** RFC 8701 §2: 0x0a0a, 0x1a1a and so on. Two extensions of one type would be a fault. */
function grease(backend: CryptoBackend): Grease {
  const [suite, group, version, extension, other] = Array.from(backend.random(5), reserved) as [
    number,
    number,
    number,
    number,
    number,
  ]
  return { suite, group, version, extension, lastExtension: other === extension ? other ^ 0x1010 : other }
}

function reserved(random: number): number {
  const byte = (random & 0xf0) | 0x0a
  return (byte << 8) | byte
}

function isIpLiteral(name: string): boolean {
  return name.includes(':') || /^\d+(\.\d+){3}$/.test(name)
}
