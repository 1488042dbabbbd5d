// Packet headers, long and short (RFC 8999 §5, RFC 9000 §17.2-3, RFC 9369 §3.2), as far as they are readable before
// header protection is removed.

import { Reader } from '../bytes/reader.ts'
import { varintSize } from '../bytes/varint.ts'
import type { Writer } from '../bytes/writer.ts'
import { MAX_CONNECTION_ID_LENGTH } from './connection-id.ts'
import { Level } from './level.ts'
import { QUIC_V1, QUIC_V2 } from './version.ts'

/** The first four are the numbers of their levels. */
export const PacketKind = {
  Initial: 0,
  ZeroRtt: 1,
  Handshake: 2,
  OneRtt: 3,
  Retry: 4,
  VersionNegotiation: 5,
  /** A long header of a version this file does not know: only the ids can be trusted (RFC 8999). */
  UnknownVersion: 6,
} as const
export type PacketKind = (typeof PacketKind)[keyof typeof PacketKind]

/** One packet of a datagram. All byte fields are views into the datagram. */
export class PacketHeader {
  readonly kind: PacketKind
  /** Where the packet starts in the datagram. */
  readonly start: number
  /** 0 for a short header, which has none. */
  readonly version: number
  readonly source: Uint8Array
  /** Of an Initial; otherwise empty. `readRetry` finds that of a Retry. */
  readonly token: Uint8Array
  /** Where the packet number starts; for the last three kinds, what follows the ids. */
  readonly numberOffset: number
  /** Where the packet ends in the datagram. */
  readonly end: number
  readonly #datagram: Uint8Array
  /** Undefined until asked for, in a short header: between its first byte and the packet number. */
  #destination: Uint8Array | undefined

  constructor(
    datagram: Uint8Array,
    kind: PacketKind,
    start: number,
    version: number,
    destination: Uint8Array | undefined,
    source: Uint8Array,
    token: Uint8Array,
    numberOffset: number,
    end: number,
  ) {
    this.kind = kind
    this.start = start
    this.version = version
    this.source = source
    this.token = token
    this.numberOffset = numberOffset
    this.end = end
    this.#datagram = datagram
    this.#destination = destination
  }

  get destination(): Uint8Array {
    this.#destination ??= this.#datagram.subarray(this.start + 1, this.numberOffset)
    return this.#destination
  }

  /** Whether a short header is addressed to `id`: asked for each packet, and so without a view. */
  isShortTo(id: Uint8Array): boolean {
    if (this.kind !== PacketKind.OneRtt || this.numberOffset - this.start - 1 !== id.length) return false
    for (let i = 0; i < id.length; i++) if (this.#datagram[this.start + 1 + i] !== id[i]) return false
    return true
  }
}

/**
 * Reads the header at `pos`. Undefined: neither this packet nor what follows it in the datagram can be used.
 * `isQuicBitFree`: a packet may lack the fixed bit, because we said so (RFC 9287 §3).
 *
 * Versions 1 and 2 are understood; whether a connection may use them is for the caller to ask of `isSupportedVersion`.
 */
export function readHeader(
  datagram: Uint8Array,
  pos: number,
  localIdLength: number,
  isQuicBitFree = false,
): PacketHeader | undefined {
  if (pos >= datagram.length) return undefined
  return (datagram[pos] as number) & LONG_FORM
    ? readLongHeader(datagram, pos, isQuicBitFree)
    : readShortHeader(datagram, pos, localIdLength, isQuicBitFree)
}

/** The destination id of the first packet, of whatever version (RFC 8999 §5): for finding the connection. */
export function peekDestination(datagram: Uint8Array, localIdLength: number): Uint8Array | undefined {
  if (datagram.length === 0) return undefined
  const isLong = ((datagram[0] as number) & LONG_FORM) !== 0
  if (isLong && datagram.length < 6) return undefined
  const at = isLong ? 6 : 1
  const end = at + (isLong ? (datagram[5] as number) : localIdLength)
  return end > datagram.length ? undefined : datagram.subarray(at, end)
}

/**
 * Writes a long header up to the packet number, which is not written. Only an Initial has a token. Returns the offset
 * of the two-byte length, to be filled in by `Writer.patchVarint2` with the bytes from the packet number to the end.
 */
export function writeLongHeader(
  w: Writer,
  level: Level,
  version: number,
  destination: Uint8Array,
  source: Uint8Array,
  token: Uint8Array,
  numberLength: number,
): number {
  w.u8(LONG_FORM | FIXED_BIT | (typeBits(level, version) << 4) | (numberLength - 1))
  w.u32(version)
  w.u8(destination.length)
  w.put(destination)
  w.u8(source.length)
  w.put(source)
  if (level === Level.Initial) {
    w.varint(token.length)
    w.put(token)
  }
  const lengthOffset = w.pos
  w.u16(0)
  w.patchVarint2(lengthOffset, 0)
  return lengthOffset
}

/** What `writeLongHeader` and the packet number take together. */
export function longHeaderSize(
  level: Level,
  destination: Uint8Array,
  source: Uint8Array,
  token: Uint8Array,
  numberLength: number,
): number {
  const tokenSize = level === Level.Initial ? varintSize(token.length) + token.length : 0
  return 7 + destination.length + source.length + tokenSize + 2 + numberLength
}

/** Writes a short header up to the packet number, which is not written. */
export function writeShortHeader(
  w: Writer,
  destination: Uint8Array,
  keyPhase: 0 | 1,
  spin: 0 | 1,
  numberLength: number,
): void {
  w.u8(FIXED_BIT | (spin << 5) | (keyPhase << 2) | (numberLength - 1))
  w.put(destination)
}

/** The bit that RFC 9000 calls fixed, of the packet at `pos` (RFC 9287). */
export function hasQuicBit(datagram: Uint8Array, pos: number): boolean {
  return ((datagram[pos] as number) & FIXED_BIT) !== 0
}

/** Before the packet is sealed. */
export function clearQuicBit(datagram: Uint8Array, pos: number): void {
  datagram[pos] = (datagram[pos] as number) & ~FIXED_BIT
}

/** The type bits of a Retry in `version`, for `retry.ts`. */
export function retryTypeBits(version: number): number {
  return version === QUIC_V2 ? 0 : 3
}

function readShortHeader(
  datagram: Uint8Array,
  pos: number,
  localIdLength: number,
  isQuicBitFree: boolean,
): PacketHeader | undefined {
  if (!isQuicBitFree && !hasQuicBit(datagram, pos)) return undefined
  const numberOffset = pos + 1 + localIdLength
  if (numberOffset + MIN_PROTECTED_LENGTH > datagram.length) return undefined
  return new PacketHeader(datagram, PacketKind.OneRtt, pos, 0, undefined, none, none, numberOffset, datagram.length)
}

function readLongHeader(datagram: Uint8Array, pos: number, isQuicBitFree: boolean): PacketHeader | undefined {
  const reader = new Reader(datagram, pos)
  if (reader.remaining < 7) return undefined
  const first = reader.u8()
  const version = reader.u32()
  const destination = tryVector(reader)
  const source = destination && tryVector(reader)
  if (!destination || !source) return undefined
  if (version !== QUIC_V1 && version !== QUIC_V2) {
    const kind = version === 0 ? PacketKind.VersionNegotiation : PacketKind.UnknownVersion
    return new PacketHeader(datagram, kind, pos, version, destination, source, none, reader.pos, datagram.length)
  }
  // RFC 9000 §17.2: a packet without the fixed bit is discarded, and so is one whose ids are too long.
  if (!isQuicBitFree && (first & FIXED_BIT) === 0) return undefined
  if (destination.length > MAX_CONNECTION_ID_LENGTH || source.length > MAX_CONNECTION_ID_LENGTH) return undefined
  const kind = kindOf((first >> 4) & 3, version)
  if (kind === PacketKind.Retry) {
    return new PacketHeader(datagram, kind, pos, version, destination, source, none, reader.pos, datagram.length)
  }
  const token = kind === PacketKind.Initial ? tryToken(reader) : none
  const length = token && tryVarint(reader)
  if (!token || length === undefined) return undefined
  // RFC 9001 §5.4.2: a packet too short for a whole sample is discarded.
  if (length < MIN_PROTECTED_LENGTH || length > reader.remaining) return undefined
  const end = reader.pos + length
  return new PacketHeader(datagram, kind, pos, version, destination, source, token, reader.pos, end)
}

// A datagram that is cut off is weather, and anyone can send it: these return undefined where Reader would throw.

function tryVarint(reader: Reader): number | undefined {
  if (reader.isDone || reader.remaining < 1 << (reader.peek() >> 6)) return undefined
  return reader.varint()
}

function tryVector(reader: Reader): Uint8Array | undefined {
  if (reader.isDone) return undefined
  const length = reader.u8()
  return length > reader.remaining ? undefined : reader.view(length)
}

function tryToken(reader: Reader): Uint8Array | undefined {
  const length = tryVarint(reader)
  return length === undefined || length > reader.remaining ? undefined : reader.view(length)
}

/** RFC 9369 §3.2: version 2 shifts the four types by one, to keep middleboxes from learning them by heart. */
function typeBits(level: Level, version: number): number {
  return version === QUIC_V2 ? level + 1 : level
}

function kindOf(bits: number, version: number): PacketKind {
  const type = version === QUIC_V2 ? (bits + 3) & 3 : bits
  return type === 3 ? PacketKind.Retry : (type as PacketKind)
}

const LONG_FORM = 0x80
const FIXED_BIT = 0x40
/** Four bytes for the longest packet number and 16 for the sample behind it (RFC 9001 §5.4.2). */
const MIN_PROTECTED_LENGTH = 20
const none = new Uint8Array(0)
