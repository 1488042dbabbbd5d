// The door of this room: sessions that eat and make handshake bytes (RFC 9001 §4.1).

import type { Level } from '../packet/level.ts'
import { ClientMachine } from './client.ts'
import type { TlsClientConfig, TlsOutput, TlsServerConfig } from './config.ts'
import { CLIENT_MESSAGE_LIMIT, MessageReader, SERVER_MESSAGE_LIMIT } from './framing.ts'
import { asAlert } from './messages/handshake.ts'
import type { CertifiedKey, EarlyDataRefusal } from './ports.ts'
import { ServerMachine } from './server.ts'
import { type Machine, Wire } from './wire.ts'

export {
  type AdmissionWantedOutput,
  type CertificateWantedOutput,
  MAX_TICKETS,
  type SignatureWantedOutput,
  type TlsClientConfig,
  type TlsOutput,
  type TlsServerConfig,
} from './config.ts'

export interface TlsSession {
  /**
   * CRYPTO bytes of one level, in order. Throws a TlsAlert, or a TransportError where RFC 9001 names one; the session
   * is of no use after that.
   */
  receive(level: Level, bytes: Uint8Array, unixTime: number): void
  /** The oldest thing that is new; ask until undefined after the start and after each `receive`. */
  poll(): TlsOutput | undefined
  /** Answers `certificateWanted`; undefined: there is none. Throws as `receive` does, a TypeError if nobody asked. */
  provideCertificate(certified: CertifiedKey | undefined, unixTime: number): void
  /** Answers `signatureWanted`; undefined: the key would not sign. Throws as `receive` does, a TypeError if nobody asked. */
  provideSignature(signature: Uint8Array | undefined): void
  /** Answers `admissionWanted`: true, or why early data is refused. Throws as `receive` does, a TypeError if nobody asked. */
  provideAdmission(answer: true | EarlyDataRefusal): void
  /**
   * A server has let early data in and not computed its flight yet: what is early need not wait for the key exchange.
   * `makeFlight` comes before anything is sent.
   */
  readonly isFlightDue: boolean
  /** Throws as `receive` does, a TypeError if no flight is due. */
  makeFlight(): void
  /** Both Finished messages have been verified or sent (RFC 9001 §4.1.1). */
  readonly isComplete: boolean
  /** RFC 8446 §7.5; a TypeError before there are the keys for it. */
  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array
}

/** The ClientHello can be polled at once, and the secret for 0-RTT packets after it. */
export function startClient(config: TlsClientConfig, unixTime: number): TlsSession {
  checkProtocols(config.alpn)
  // RFC 6066 §3: names are ASCII, others come in their A-label form.
  if (!/^[!-~]{0,255}$/.test(config.serverName)) throw new RangeError(`'${config.serverName}' is not a host name`)
  const reader = new MessageReader(CLIENT_MESSAGE_LIMIT)
  const wire = new Wire(reader, config.keyLog)
  return new Session(reader, wire, new ClientMachine(config, wire, unixTime))
}

export function startServer(config: TlsServerConfig): TlsSession {
  checkProtocols(config.alpn)
  const reader = new MessageReader(SERVER_MESSAGE_LIMIT)
  const wire = new Wire(reader, config.keyLog)
  return new Session(reader, wire, new ServerMachine(config, wire))
}

class Session implements TlsSession {
  readonly #reader: MessageReader
  readonly #wire: Wire
  readonly #machine: Machine

  constructor(reader: MessageReader, wire: Wire, machine: Machine) {
    this.#reader = reader
    this.#wire = wire
    this.#machine = machine
  }

  get isComplete(): boolean {
    return this.#machine.isComplete
  }

  receive(level: Level, bytes: Uint8Array, unixTime: number): void {
    this.#reader.push(level, bytes)
    try {
      for (let message = this.#reader.next(); message !== undefined; message = this.#reader.next()) {
        this.#machine.onMessage(message, unixTime)
      }
    } catch (error) {
      throw asAlert(error)
    }
  }

  poll(): TlsOutput | undefined {
    return this.#wire.poll()
  }

  provideCertificate(certified: CertifiedKey | undefined, unixTime: number): void {
    this.#machine.provideCertificate(certified, unixTime)
  }

  provideSignature(signature: Uint8Array | undefined): void {
    this.#machine.provideSignature(signature)
  }

  provideAdmission(answer: true | EarlyDataRefusal): void {
    if (this.#machine.provideAdmission === undefined) throw new TypeError('no admission was asked for')
    this.#machine.provideAdmission(answer)
  }

  get isFlightDue(): boolean {
    return this.#machine.isFlightDue === true
  }

  makeFlight(): void {
    if (this.#machine.makeFlight === undefined) throw new TypeError('no flight is due')
    this.#machine.makeFlight()
  }

  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array {
    return this.#machine.exportKeyingMaterial(label, context, length)
  }
}

/** RFC 9001 §8.1: ALPN is not optional. RFC 7301 §3.1: names have 1 to 255 bytes. */
function checkProtocols(alpn: readonly string[]): void {
  if (alpn.length === 0) throw new TypeError('at least one ALPN protocol is needed')
  for (const name of alpn) {
    const length = name.length
    if (length === 0 || length > 255) throw new RangeError(`an ALPN protocol of ${length} characters`)
    for (let i = 0; i < length; i++) if (name.charCodeAt(i) > 0xff) throw new RangeError(`'${name}' is not bytes`)
  }
}
