// QUIC versions and the Version Negotiation packet (RFC 9000 §15, §17.2.1, RFC 8999 §6).

import { Reader } from '../bytes/reader.ts'
import type { Writer } from '../bytes/writer.ts'

export const QUIC_V1: number = 0x00000001
/** RFC 9369: other numbers on the wire, the same protocol. */
export const QUIC_V2: number = 0x6b3343cf

/** The versions a connection may use. Each is compatible with the other (RFC 9369 §4). */
export const supportedVersions: readonly number[] = [QUIC_V1, QUIC_V2]

export function isSupportedVersion(version: number): boolean {
  return supportedVersions.includes(version)
}

/** RFC 9000 §15: 0x?a?a?a?a is reserved to make peers negotiate. */
export function isReservedVersion(version: number): boolean {
  return (version & 0x0f0f0f0f) >>> 0 === 0x0a0a0a0a
}

/** What `withReservedVersion` asks for. */
export const RESERVED_VERSION_RANDOM: number = 5

/** RFC 9000 §6.3: one of them somewhere among the versions that are offered. `random`: five bytes. */
export function withReservedVersion(versions: readonly number[], random: Uint8Array): readonly number[] {
  let reserved = 0
  for (let i = 0; i < 4; i++) reserved = reserved * 256 + (((random[i] as number) & 0xf0) | 0x0a)
  const mixed = [...versions]
  mixed.splice((random[4] as number) % (versions.length + 1), 0, reserved)
  return mixed
}

/**
 * A whole Version Negotiation packet. `destination` and `source` are the source and destination of the packet it
 * answers, which may be longer than 20 bytes (RFC 9000 §17.2.1).
 */
export function writeVersionNegotiation(
  w: Writer,
  destination: Uint8Array,
  source: Uint8Array,
  versions: readonly number[],
  firstByteRandom: number,
): void {
  // RFC 9000 §17.2.1: the bit that other packets call fixed should be set, for those who share a port with QUIC.
  w.u8(0xc0 | (firstByteRandom & 0x3f))
  w.u32(0)
  w.u8(destination.length)
  w.put(destination)
  w.u8(source.length)
  w.put(source)
  for (const version of versions) w.u32(version)
}

/** The versions listed in a Version Negotiation packet; undefined when it is not one, is cut off or lists nothing. */
export function readVersionNegotiation(packet: Uint8Array): number[] | undefined {
  const reader = new Reader(packet)
  if (reader.remaining < 7 || (reader.u8() & 0x80) === 0 || reader.u32() !== 0) return undefined
  for (let id = 0; id < 2; id++) {
    const length = reader.isDone ? 0 : reader.u8()
    if (length >= reader.remaining) return undefined
    reader.skip(length)
  }
  if (reader.remaining % 4 !== 0) return undefined
  const versions: number[] = []
  while (!reader.isDone) versions.push(reader.u32())
  return versions
}
