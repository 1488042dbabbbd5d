// Transport parameters (RFC 9000 §18, RFC 9221 §3, RFC 9287 §3, RFC 9368 §3; QUIC Acknowledgment Frequency §3, cited as AF): one
// record, read from and written to the TLS extension.

import { OutOfBytes, Reader } from '../bytes/reader.ts'
import { MAX_EXACT, varintSize } from '../bytes/varint.ts'
import { Writer } from '../bytes/writer.ts'
import { MAX_CONNECTION_ID_LENGTH } from './connection-id.ts'
import { STATELESS_RESET_TOKEN_LENGTH } from './stateless-reset.ts'
import { ErrorCode, TransportError } from './transport-error.ts'
import { readVersionInformation, type VersionInformation, versionInformationBytes } from './version-information.ts'

/** What one side declares about itself. "Local" streams are those opened by the side that declares. */
export interface TransportParameters {
  /** Servers only: the destination id of the client's very first packet. */
  readonly originalDestinationConnectionId: Uint8Array | undefined
  /** ms; 0 for no timeout. */
  readonly maxIdleTimeout: number
  /** Servers only. */
  readonly statelessResetToken: Uint8Array | undefined
  /** Default 65527, the most UDP can carry. */
  readonly maxUdpPayloadSize: number
  readonly initialMaxData: number
  readonly initialMaxStreamDataBidiLocal: number
  readonly initialMaxStreamDataBidiRemote: number
  readonly initialMaxStreamDataUni: number
  readonly initialMaxStreamsBidi: number
  readonly initialMaxStreamsUni: number
  /** Default 3. */
  readonly ackDelayExponent: number
  /** ms, default 25. */
  readonly maxAckDelay: number
  readonly disableActiveMigration: boolean
  /** Servers only. */
  readonly preferredAddress: PreferredAddress | undefined
  /** Default and least 2. */
  readonly activeConnectionIdLimit: number
  readonly initialSourceConnectionId: Uint8Array | undefined
  /** Servers only, after a Retry. */
  readonly retrySourceConnectionId: Uint8Array | undefined
  /** The largest DATAGRAM frame this side takes, type and length included; 0, the default, for none (RFC 9221 §3). */
  readonly maxDatagramFrameSize: number
  /**
   * The least this side holds an ACK back when it is asked to, in µs; undefined: it takes no ACK_FREQUENCY or
   * IMMEDIATE_ACK frames (AF §3).
   */
  readonly minAckDelay: number | undefined
  /** This side takes packets whatever their QUIC bit is (RFC 9287 §3). */
  readonly greaseQuicBit: boolean
  /** This side takes RESET_STREAM_AT frames (QUIC Stream Resets with Partial Delivery §3). */
  readonly resetStreamAt: boolean
  readonly versionInformation: VersionInformation | undefined
}

/** RFC 9000 §18.1: a parameter that means nothing. Its id is one of 31 * N + 27. */
export interface ReservedParameter {
  readonly id: number
  readonly value: Uint8Array
}

/** RFC 9000 §18.2: an address family that is not offered is all zeros, kept as it is. */
export interface PreferredAddress {
  /** 4 bytes. */
  readonly ipv4: Uint8Array
  readonly ipv4Port: number
  /** 16 bytes. */
  readonly ipv6: Uint8Array
  readonly ipv6Port: number
  readonly connectionId: Uint8Array
  readonly statelessResetToken: Uint8Array
}

/** What holds for everything that is not declared. */
export const defaultTransportParameters: TransportParameters = {
  originalDestinationConnectionId: undefined,
  maxIdleTimeout: 0,
  statelessResetToken: undefined,
  maxUdpPayloadSize: 65_527,
  initialMaxData: 0,
  initialMaxStreamDataBidiLocal: 0,
  initialMaxStreamDataBidiRemote: 0,
  initialMaxStreamDataUni: 0,
  initialMaxStreamsBidi: 0,
  initialMaxStreamsUni: 0,
  ackDelayExponent: 3,
  maxAckDelay: 25,
  disableActiveMigration: false,
  preferredAddress: undefined,
  activeConnectionIdLimit: 2,
  initialSourceConnectionId: undefined,
  retrySourceConnectionId: undefined,
  maxDatagramFrameSize: 0,
  minAckDelay: undefined,
  greaseQuicBit: false,
  resetStreamAt: false,
  versionInformation: undefined,
}

/**
 * Reads what the peer declares. Everything returned is legal; byte fields are copies, integers beyond 2^53-1 became
 * 2^53-1. Unknown parameters are skipped. Throws TRANSPORT_PARAMETER_ERROR.
 */
export function readTransportParameters(bytes: Uint8Array, from: 'client' | 'server'): TransportParameters {
  try {
    return readAll(new Reader(bytes), from)
  } catch (error) {
    if (!(error instanceof OutOfBytes)) throw error
    throw malformed(`cut off: ${error.message}`)
  }
}

/**
 * Writes what differs from the defaults. `reserved` adds what every peer must ignore.
 */
export function writeTransportParameters(parameters: TransportParameters, reserved?: ReservedParameter): Uint8Array {
  const w = Writer.allocate(MAX_WRITTEN + (reserved?.value.length ?? 0))
  for (const { id, name } of integers) {
    const value = parameters[name]
    if (value !== undefined && value !== defaultTransportParameters[name]) writeInteger(w, id, value)
  }
  for (const { id, name } of byteStrings) {
    const value = parameters[name]
    if (value !== undefined) writeBytes(w, id, value)
  }
  for (const { id, name } of flags) {
    if (parameters[name]) writeBytes(w, id, empty)
  }
  if (parameters.preferredAddress !== undefined) {
    writeBytes(w, PREFERRED_ADDRESS, preferredAddressBytes(parameters.preferredAddress))
  }
  if (parameters.versionInformation !== undefined) {
    writeBytes(w, VERSION_INFORMATION, versionInformationBytes(parameters.versionInformation))
  }
  if (reserved !== undefined) writeBytes(w, reserved.id, reserved.value)
  return w.finish().slice()
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type NamesOf<V> = {
  [K in keyof TransportParameters]: TransportParameters[K] extends V ? K : never
}[keyof TransportParameters]

interface IntegerParameter {
  readonly id: number
  readonly name: Exclude<NamesOf<number | undefined>, NamesOf<undefined>>
  readonly min: number
  readonly max: number
}

interface ByteStringParameter {
  readonly id: number
  readonly name: Exclude<NamesOf<Uint8Array | undefined>, NamesOf<undefined>>
  readonly minLength: number
  readonly maxLength: number
  readonly isServerOnly: boolean
}

/** True when it is there, with an empty value. */
interface FlagParameter {
  readonly id: number
  readonly name: NamesOf<boolean>
}

const NO_LIMIT = Number.POSITIVE_INFINITY

/** RFC 9000 §18.2, with the range of each. */
const integers: readonly IntegerParameter[] = [
  { id: 0x01, name: 'maxIdleTimeout', min: 0, max: NO_LIMIT },
  { id: 0x03, name: 'maxUdpPayloadSize', min: 1200, max: NO_LIMIT },
  { id: 0x04, name: 'initialMaxData', min: 0, max: NO_LIMIT },
  { id: 0x05, name: 'initialMaxStreamDataBidiLocal', min: 0, max: NO_LIMIT },
  { id: 0x06, name: 'initialMaxStreamDataBidiRemote', min: 0, max: NO_LIMIT },
  { id: 0x07, name: 'initialMaxStreamDataUni', min: 0, max: NO_LIMIT },
  { id: 0x08, name: 'initialMaxStreamsBidi', min: 0, max: 2 ** 60 },
  { id: 0x09, name: 'initialMaxStreamsUni', min: 0, max: 2 ** 60 },
  { id: 0x0a, name: 'ackDelayExponent', min: 0, max: 20 },
  { id: 0x0b, name: 'maxAckDelay', min: 0, max: 2 ** 14 - 1 },
  { id: 0x0e, name: 'activeConnectionIdLimit', min: 2, max: NO_LIMIT },
  { id: 0x20, name: 'maxDatagramFrameSize', min: 0, max: NO_LIMIT },
  { id: 0xff04de1b, name: 'minAckDelay', min: 0, max: NO_LIMIT },
]

const byteStrings: readonly ByteStringParameter[] = [
  connectionIdParameter(0x00, 'originalDestinationConnectionId', true),
  {
    id: 0x02,
    name: 'statelessResetToken',
    minLength: STATELESS_RESET_TOKEN_LENGTH,
    maxLength: STATELESS_RESET_TOKEN_LENGTH,
    isServerOnly: true,
  },
  connectionIdParameter(0x0f, 'initialSourceConnectionId', false),
  connectionIdParameter(0x10, 'retrySourceConnectionId', true),
]

function connectionIdParameter(
  id: number,
  name: ByteStringParameter['name'],
  isServerOnly: boolean,
): ByteStringParameter {
  return { id, name, minLength: 0, maxLength: MAX_CONNECTION_ID_LENGTH, isServerOnly }
}

const flags: readonly FlagParameter[] = [
  { id: 0x0c, name: 'disableActiveMigration' },
  { id: 0x1d, name: 'resetStreamAt' },
  { id: 0x2ab2, name: 'greaseQuicBit' },
]

const PREFERRED_ADDRESS = 0x0d
const VERSION_INFORMATION = 0x11
const integerById: ReadonlyMap<number, IntegerParameter> = new Map(integers.map(p => [p.id, p]))
const flagById: ReadonlyMap<number, FlagParameter> = new Map(flags.map(p => [p.id, p]))
const byteStringById: ReadonlyMap<number, ByteStringParameter> = new Map(byteStrings.map(p => [p.id, p]))
/** 12 integers of 10 bytes and one of 17, 4 byte strings of 22, the address of 63, flags of 2, 2 and 3, three versions in
 * 18 and an unknown id with its length in 16: below 512. */
const MAX_WRITTEN = 512
const empty = new Uint8Array(0)

function readAll(reader: Reader, from: 'client' | 'server'): TransportParameters {
  const parameters: Mutable<TransportParameters> = { ...defaultTransportParameters }
  const seen = new Set<number>()
  while (!reader.isDone) {
    const id = reader.varint()
    const value = reader.sub(reader.varint())
    if (readOne(parameters, id, value, from)) {
      // RFC 9000 §7.4: none may come twice. Unknown ones are not looked at: two of them may round to one number.
      if (seen.has(id)) throw malformed(`parameter 0x${id.toString(16)} twice`)
      seen.add(id)
    }
  }
  // AF §3: the one in µs, the other in ms.
  if (parameters.minAckDelay !== undefined && parameters.minAckDelay > parameters.maxAckDelay * 1000) {
    throw malformed('minAckDelay is more than maxAckDelay')
  }
  return parameters
}

/** False when the parameter is unknown. */
function readOne(
  parameters: Mutable<TransportParameters>,
  id: number,
  value: Reader,
  from: 'client' | 'server',
): boolean {
  const integer = integerById.get(id)
  const byteString = byteStringById.get(id)
  const flag = flagById.get(id)
  if (integer !== undefined) {
    parameters[integer.name] = readInteger(integer, value)
  } else if (byteString !== undefined) {
    if (byteString.isServerOnly) forbidClient(from, byteString.name)
    parameters[byteString.name] = readByteString(byteString, value)
  } else if (flag !== undefined) {
    if (!value.isDone) throw malformed(`${flag.name} with a value`)
    parameters[flag.name] = true
  } else if (id === PREFERRED_ADDRESS) {
    forbidClient(from, 'preferredAddress')
    parameters.preferredAddress = readPreferredAddress(value)
  } else if (id === VERSION_INFORMATION) {
    parameters.versionInformation = readVersionInformation(value, from)
    if (parameters.versionInformation === undefined) throw malformed('versionInformation malformed')
  } else return false
  return true
}

function readInteger(parameter: IntegerParameter, value: Reader): number {
  const number = value.varint()
  if (!value.isDone) throw malformed(`${parameter.name} is not one integer`)
  if (number < parameter.min || number > parameter.max) throw malformed(`${parameter.name} is ${number}`)
  // No count here ever reaches 2^53; what is exact can be stored and written again.
  return Math.min(number, MAX_EXACT)
}

function readByteString(parameter: ByteStringParameter, value: Reader): Uint8Array {
  const length = value.remaining
  if (length < parameter.minLength || length > parameter.maxLength)
    throw malformed(`${parameter.name} of ${length} bytes`)
  return value.copy(length)
}

function readPreferredAddress(value: Reader): PreferredAddress {
  const ipv4 = value.copy(4)
  const ipv4Port = value.u16()
  const ipv6 = value.copy(16)
  const ipv6Port = value.u16()
  const length = value.u8()
  // RFC 9000 §18.2: an id of no bytes cannot be moved to.
  if (length < 1 || length > MAX_CONNECTION_ID_LENGTH) throw malformed(`preferredAddress with an id of ${length} bytes`)
  const connectionId = value.copy(length)
  const statelessResetToken = value.copy(STATELESS_RESET_TOKEN_LENGTH)
  if (!value.isDone) throw malformed('preferredAddress too long')
  return { ipv4, ipv4Port, ipv6, ipv6Port, connectionId, statelessResetToken }
}

function preferredAddressBytes(address: PreferredAddress): Uint8Array {
  const w = Writer.allocate(41 + address.connectionId.length)
  w.put(address.ipv4)
  w.u16(address.ipv4Port)
  w.put(address.ipv6)
  w.u16(address.ipv6Port)
  w.u8(address.connectionId.length)
  w.put(address.connectionId)
  w.put(address.statelessResetToken)
  return w.finish()
}

function writeInteger(w: Writer, id: number, value: number): void {
  w.varint(id)
  w.varint(varintSize(value))
  w.varint(value)
}

function writeBytes(w: Writer, id: number, value: Uint8Array): void {
  w.varint(id)
  w.varint(value.length)
  w.put(value)
}

/** RFC 9000 §18.2: a client must not send what describes a server. */
function forbidClient(from: 'client' | 'server', name: string): void {
  if (from === 'client') throw malformed(`${name} from a client`)
}

function malformed(reason: string): TransportError {
  // RFC 9000 §19.19: the parameters came in a CRYPTO frame.
  return new TransportError(ErrorCode.TransportParameterError, reason, CRYPTO_FRAME)
}

const CRYPTO_FRAME = 0x06
