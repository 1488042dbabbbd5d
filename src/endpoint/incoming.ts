// A client that is not a connection yet: the place to decide, before any state exists (RFC 9000 §5.2.2, §8.1).

import { Writer } from '../bytes/writer.ts'
import type { Address } from '../connection/path.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import { INITIAL_SUITE, TAG_LENGTH } from '../crypto/cipher-suite.ts'
import { initialSecrets } from '../crypto/initial-keys.ts'
import { directionKeys } from '../crypto/packet-protection.ts'
import { retryTag } from '../crypto/retry-integrity.ts'
import { limits } from '../limits.ts'
import { writeConnectionClose } from '../packet/frames/close.ts'
import { type PacketHeader, writeLongHeader } from '../packet/header.ts'
import { Level } from '../packet/level.ts'
import { writePacketNumber } from '../packet/packet-number.ts'
import { writeRetry } from '../packet/retry.ts'
import { ErrorCode } from '../packet/transport-error.ts'
import type { AddressTokens } from '../zero-rtt/address-token.ts'

export type Admission = 'accept' | 'refuse' | 'retry' | 'ignore'

/** What may be known of a client before it costs anything. */
export interface Incoming {
  readonly remoteAddress: Address
  /** A token proved that the client can receive at this address. */
  readonly isAddressValidated: boolean
  /** Handshakes under way and connections open on this endpoint. */
  readonly handshakes: number
  readonly connections: number
}

/**
 * Decides on each new client. `retry` for a client whose address is proven counts as `accept`. A promise holds the
 * client's datagrams back, bounded, until it is answered; a rejected one means `ignore`.
 */
export type Admit = (incoming: Incoming) => Admission | Promise<Admission>

/** Handshakes under way from which on addresses are to be proven first. */
export const RETRY_ABOVE_HANDSHAKES: number = limits.handshakesBeforeRetry
/** Default of ListenOptions.maxConnections. */
export const MAX_CONNECTIONS: number = limits.connections
/** Default of ListenOptions.maxPendingClients. */
export const MAX_PENDING_CLIENTS: number = limits.pendingClients
/** Datagrams kept for each of them: a first flight with its early data. */
export const MAX_PENDING_DATAGRAMS: number = limits.pendingDatagrams
/** Bytes kept for all of them together. */
export const MAX_PENDING_BYTES: number = limits.pendingBytes
/** And for those of one host. */
export const MAX_PENDING_BYTES_PER_HOST: number = limits.pendingBytesPerHost

/** Ports of services that answer anything: never a client, but good to reflect at (UDP loops, amplification). */
const REFLECTING_PORTS: ReadonlySet<number> = new Set([
  0, 7, 13, 17, 19, 37, 53, 69, 111, 123, 137, 138, 161, 389, 500, 1900, 5353, 11211,
])

/** Strangers from such a port get no answer, whatever they say. */
export function isReflector(port: number): boolean {
  return REFLECTING_PORTS.has(port)
}

/** What address tokens are bound to: they are good for the version they were given in alone (RFC 9369 §5). */
export function placeOf(from: Address, version: number): string {
  return `${version}/${from.host}:${from.port}`
}

/** Writes a Retry for the Initial `header`, with `source` as the id to go on with (RFC 9000 §17.2.5); returns its length. */
export function writeRetryAnswer(
  into: Uint8Array,
  header: PacketHeader,
  from: Address,
  source: Uint8Array,
  backend: CryptoBackend,
  tokens: AddressTokens,
  unixTime: number,
): number {
  const token = tokens.retryToken(placeOf(from, header.version), header.destination, source, unixTime)
  const writer = new Writer(into)
  writeRetry(writer, header.version, header.source, source, token, backend.random(1)[0] as number)
  writer.put(retryTag(backend, header.version, header.destination, writer.finish()))
  return writer.pos
}

/** Writes an Initial packet with CONNECTION_CLOSE for the Initial `header`; returns its length. Keeps no state. */
export function writeRefusal(
  into: Uint8Array,
  header: PacketHeader,
  errorCode: typeof ErrorCode.ConnectionRefused | typeof ErrorCode.InvalidToken,
  backend: CryptoBackend,
): number {
  const { server } = initialSecrets(backend, header.version, header.destination)
  const keys = directionKeys(backend, header.version, INITIAL_SUITE, server)
  const writer = new Writer(into)
  const nothing = new Uint8Array(0)
  const lengthAt = writeLongHeader(writer, Level.Initial, header.version, header.source, header.destination, nothing, 1)
  const numberOffset = writer.pos
  writePacketNumber(writer, 0, 1)
  const reason = errorCode === ErrorCode.InvalidToken ? 'invalid token' : 'refused'
  writeConnectionClose(writer, errorCode, 0, reason)
  writer.patchVarint2(lengthAt, writer.pos + TAG_LENGTH - numberOffset)
  return keys.packet.seal(into, 0, numberOffset, 1, writer.pos, 0)
}
