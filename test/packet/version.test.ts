import { expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/hex.ts'
import { Writer } from '../../src/bytes/writer.ts'
import { PacketKind, readHeader } from '../../src/packet/header.ts'
import {
  isReservedVersion,
  isSupportedVersion,
  QUIC_V1,
  QUIC_V2,
  readVersionNegotiation,
  supportedVersions,
  writeVersionNegotiation,
} from '../../src/packet/version.ts'

const destination = fromHex('01 02 03')
const source = fromHex('aa bb')

function negotiation(versions: readonly number[], random = 0): Uint8Array {
  const w = Writer.allocate(1200)
  writeVersionNegotiation(w, destination, source, versions, random)
  return w.finish()
}

test('RFC 9000 §15: 0x?a?a?a?a is grease', () => {
  expect(isReservedVersion(0x0a0a0a0a)).toBe(true)
  expect(isReservedVersion(0xfafafafa)).toBe(true)
  expect(isReservedVersion(0x1a2a3a4a)).toBe(true)
  expect(isReservedVersion(0xfafafafb)).toBe(false)
  expect(isReservedVersion(QUIC_V1)).toBe(false)
  expect(isReservedVersion(QUIC_V2)).toBe(false)
})

test('versions 1 and 2 are supported, others are not', () => {
  expect(supportedVersions.filter(isSupportedVersion)).toEqual(supportedVersions)
  expect(isSupportedVersion(QUIC_V1)).toBe(true)
  expect(isSupportedVersion(QUIC_V2)).toBe(true)
  expect(isSupportedVersion(0)).toBe(false)
  expect(isSupportedVersion(0x1a2a3a4a)).toBe(false)
})

test('RFC 9000 §17.2.1: Version Negotiation packet', () => {
  const packet = negotiation([QUIC_V1, 0xfafafafa])
  expect(toHex(packet)).toBe('c0 00000000 03 010203 02 aabb 00000001 fafafafa'.replaceAll(' ', ''))
  expect(readVersionNegotiation(packet)).toEqual([QUIC_V1, 0xfafafafa])
  expect(negotiation([1], 0xff)[0]).toBe(0xff)
  const header = readHeader(packet, 0, 8)
  expect(header?.kind).toBe(PacketKind.VersionNegotiation)
  expect(header?.destination).toEqual(destination)
  expect(header?.source).toEqual(source)
})

test('RFC 9000 §17.2.1: all bits of the first byte but the highest are ignored', () => {
  const packet = negotiation([QUIC_V1])
  packet[0] = 0x80
  expect(readVersionNegotiation(packet)).toEqual([QUIC_V1])
  expect(readHeader(packet, 0, 8)?.kind).toBe(PacketKind.VersionNegotiation)
})

test('one that lists nothing or half a version is not one', () => {
  expect(readVersionNegotiation(negotiation([]))).toBe(undefined)
  const packet = negotiation([QUIC_V1, QUIC_V2])
  for (let length = 0; length < packet.length; length++) {
    const versions = readVersionNegotiation(packet.subarray(0, length))
    expect(versions).toEqual(length === packet.length - 4 ? [QUIC_V1] : undefined)
  }
})

test('a short header or another version is not one', () => {
  const packet = negotiation([QUIC_V1])
  packet[4] = 1
  expect(readVersionNegotiation(packet)).toBe(undefined)
  packet[4] = 0
  packet[0] = 0x40
  expect(readVersionNegotiation(packet)).toBe(undefined)
})

test('RFC 8999 §5.3: it echoes ids of 255 bytes', () => {
  const w = Writer.allocate(1200)
  const long = new Uint8Array(255).fill(7)
  writeVersionNegotiation(w, long, long, [QUIC_V1], 0)
  expect(readVersionNegotiation(w.finish())).toEqual([QUIC_V1])
  expect(readHeader(w.finish(), 0, 8)?.destination).toEqual(long)
})
