// What client and server have in common: messages in, outputs out.

import type { SignatureScheme } from '../crypto/backend.ts'
import type { CipherSuite } from '../crypto/cipher-suite.ts'
import type { Level } from '../packet/level.ts'
import { Alert, TlsAlert } from './alert.ts'
import type { TlsOutput } from './config.ts'
import type { MessageReader } from './framing.ts'
import { HandshakeType, type Message } from './messages/handshake.ts'
import type { CertifiedKey, EarlyDataRefusal, KeyLog, SigningKey } from './ports.ts'

/** One side of the handshake: a chain of states, each named for what it waits for. */
export interface Machine {
  readonly isComplete: boolean
  onMessage(message: Message, unixTime: number): void
  provideCertificate(certified: CertifiedKey | undefined, unixTime: number): void
  provideSignature(signature: Uint8Array | undefined): void
  /** A server's. */
  provideAdmission?(answer: true | EarlyDataRefusal): void
  readonly isFlightDue?: boolean
  makeFlight?(): void
  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array
}

/** Waits for a signature; no message may come meanwhile. `S` is what the machine's states are. */
export class AwaitSignature<S> {
  readonly goOn: (signature: Uint8Array) => S

  constructor(goOn: (signature: Uint8Array) => S) {
    this.goOn = goOn
  }

  onMessage(message: Message): never {
    return expectType(message) as never
  }
}

/** What an AwaitSignature in `state` goes on with. */
export function withSignature<S>(state: S | AwaitSignature<S>, signature: Uint8Array | undefined): S {
  if (!(state instanceof AwaitSignature)) throw new TypeError('no signature was asked for')
  if (signature === undefined) throw new TlsAlert(Alert.InternalError, 'the private key did not sign')
  return state.goOn(signature)
}

/** Signs at once, or asks and waits (RFC 8446 §4.4.3). */
export function signed<S>(
  wire: Wire,
  { key, scheme }: { readonly key: SigningKey; readonly scheme: SignatureScheme },
  content: Uint8Array,
  goOn: (signature: Uint8Array) => S,
): S | AwaitSignature<S> {
  if (key.sign !== undefined) return goOn(key.sign(scheme, content))
  wire.emit({ type: 'signatureWanted', key, scheme, content })
  return new AwaitSignature(goOn)
}

/** The outputs of a session, oldest first, and the level it reads at. */
export class Wire {
  readonly #reader: MessageReader
  readonly #keyLog: KeyLog | undefined
  readonly #outputs: TlsOutput[]

  constructor(reader: MessageReader, keyLog: KeyLog | undefined) {
    this.#reader = reader
    this.#keyLog = keyLog
    this.#outputs = []
  }

  poll(): TlsOutput | undefined {
    return this.#outputs.shift()
  }

  emit(output: TlsOutput): void {
    this.#outputs.push(output)
  }

  send(level: Level, bytes: Uint8Array): void {
    this.#outputs.push({ type: 'send', level, bytes })
  }

  secret(level: Level, direction: 'read' | 'write', suite: CipherSuite, secret: Uint8Array): void {
    this.#outputs.push({ type: 'secret', level, direction, suite, secret })
  }

  /** From here on messages come at `level`; what is left over at the old one is a violation (RFC 9001 §4.1.3). */
  moveTo(level: Level): void {
    this.#reader.moveTo(level)
  }

  log(label: string, clientRandom: Uint8Array, secret: Uint8Array): void {
    this.#keyLog?.(label, clientRandom, secret)
  }
}

/** RFC 8446 §4: messages out of order end the handshake. */
export function expectType(message: Message, ...types: readonly HandshakeType[]): void {
  if (types.some(type => type === message.type)) return
  throw new TlsAlert(Alert.UnexpectedMessage, `a ${messageName(message.type)} here`)
}

function messageName(type: number): string {
  for (const [name, code] of Object.entries(HandshakeType)) if (code === type) return name
  return `message of type ${type}`
}
