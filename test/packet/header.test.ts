import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/hex.ts'
import { Writer } from '../../src/bytes/writer.ts'
import {
  longHeaderSize,
  PacketKind,
  peekDestination,
  readHeader,
  writeLongHeader,
  writeShortHeader,
} from '../../src/packet/header.ts'
import { Level } from '../../src/packet/level.ts'
import { writePacketNumber } from '../../src/packet/packet-number.ts'
import { QUIC_V1, QUIC_V2 } from '../../src/packet/version.ts'
import { integer, randomBytes, seededRandom } from '../reference/random.ts'

const none: Uint8Array = new Uint8Array(0)
const odcid = fromHex('8394c8f03e515708')
const serverId = fromHex('f067a5502a4262b5')

/** A packet with `payload` bytes behind the number, all 0xee. */
function longPacket(
  level: Level,
  version: number,
  { destination = odcid, source = serverId, token = none, numberLength = 2, payload = 30 } = {},
): Uint8Array {
  const w = Writer.allocate(2000)
  const lengthOffset = writeLongHeader(w, level, version, destination, source, token, numberLength)
  const numberOffset = w.pos
  writePacketNumber(w, 1, numberLength)
  w.put(new Uint8Array(payload).fill(0xee))
  w.patchVarint2(lengthOffset, w.pos - numberOffset)
  return w.finish()
}

describe('published headers', () => {
  test.each<[string, Level, number, Uint8Array, Uint8Array, number, number, number, string]>([
    [
      'RFC 9001 §A.2 client Initial',
      Level.Initial,
      QUIC_V1,
      odcid,
      none,
      2,
      4,
      1182,
      'c300000001088394c8f03e5157080000449e00000002',
    ],
    [
      'RFC 9001 §A.3 server Initial',
      Level.Initial,
      QUIC_V1,
      none,
      serverId,
      1,
      2,
      117,
      'c1000000010008f067a5502a4262b50040750001',
    ],
    [
      'RFC 9369 §A.2 client Initial',
      Level.Initial,
      QUIC_V2,
      odcid,
      none,
      2,
      4,
      1182,
      'd36b3343cf088394c8f03e5157080000449e00000002',
    ],
    [
      'RFC 9369 §A.3 server Initial',
      Level.Initial,
      QUIC_V2,
      none,
      serverId,
      1,
      2,
      117,
      'd16b3343cf0008f067a5502a4262b50040750001',
    ],
  ])('%s', (_, level, version, destination, source, number, numberLength, length, hex) => {
    const w = Writer.allocate(1300)
    const lengthOffset = writeLongHeader(w, level, version, destination, source, none, numberLength)
    const numberOffset = w.pos
    writePacketNumber(w, number, numberLength)
    w.patchVarint2(lengthOffset, length)
    expect(toHex(w.finish())).toBe(hex)
    expect(w.pos).toBe(longHeaderSize(level, destination, source, none, numberLength))
    w.zeros(length - numberLength)
    const header = readHeader(w.finish(), 0, 8)
    expect(header).toMatchObject({ kind: PacketKind.Initial, version, destination, source, token: none })
    expect([header?.numberOffset, header?.end]).toEqual([numberOffset, w.pos])
  })

  test('RFC 9001 §A.5 short header', () => {
    const w = Writer.allocate(8)
    writeShortHeader(w, none, 0, 0, 3)
    writePacketNumber(w, 654_360_564, 3)
    expect(toHex(w.finish())).toBe('4200bff4')
  })
})

describe('RFC 9000 §17.2, RFC 9369 §3.2: types', () => {
  test.each<[number, Level, number]>([
    [QUIC_V1, Level.Initial, 0b00],
    [QUIC_V1, Level.ZeroRtt, 0b01],
    [QUIC_V1, Level.Handshake, 0b10],
    [QUIC_V2, Level.Initial, 0b01],
    [QUIC_V2, Level.ZeroRtt, 0b10],
    [QUIC_V2, Level.Handshake, 0b11],
  ])('version %d level %d has type bits %d', (version, level, bits) => {
    const packet = longPacket(level, version)
    expect(((packet[0] as number) >> 4) & 3).toBe(bits)
    expect(readHeader(packet, 0, 8)?.kind).toBe(level)
  })

  test.each([
    [QUIC_V1, 0b11],
    [QUIC_V2, 0b00],
  ])('version %d Retry', (version, bits) => {
    const packet = longPacket(Level.Initial, version)
    packet[0] = 0xc0 | (bits << 4)
    const header = readHeader(packet, 0, 8)
    expect(header?.kind).toBe(PacketKind.Retry)
    expect(header?.numberOffset).toBe(7 + 16)
    expect(header?.end).toBe(packet.length)
  })
})

test('the token belongs to an Initial', () => {
  const token = fromHex('aa bb cc')
  const packet = longPacket(Level.Initial, QUIC_V1, { token })
  expect(readHeader(packet, 0, 8)).toMatchObject({ token, destination: odcid, source: serverId })
  for (const level of [Level.ZeroRtt, Level.Handshake]) {
    expect(readHeader(longPacket(level, QUIC_V1, { token }), 0, 8)?.token.length).toBe(0)
  }
  const long = new Uint8Array(100)
  expect(readHeader(longPacket(Level.Initial, QUIC_V1, { token: long }), 0, 8)?.token.length).toBe(100)
  expect(longHeaderSize(Level.Initial, odcid, serverId, long, 2)).toBe(7 + 16 + 2 + 100 + 2 + 2)
  expect(longHeaderSize(Level.Handshake, odcid, serverId, none, 4)).toBe(7 + 16 + 2 + 4)
})

test('header fields are views', () => {
  const packet = longPacket(Level.Initial, QUIC_V1)
  expect(readHeader(packet, 0, 8)?.destination.buffer).toBe(packet.buffer)
})

test('RFC 9000 §12.2: coalesced packets are found one behind the other', () => {
  const w = Writer.allocate(1000)
  w.put(longPacket(Level.Initial, QUIC_V1))
  w.put(longPacket(Level.Handshake, QUIC_V1, { payload: 50 }))
  const shortAt = w.pos
  writeShortHeader(w, odcid, 1, 1, 2)
  w.zeros(30)
  const datagram = w.finish()
  const first = readHeader(datagram, 0, 8)
  const second = readHeader(datagram, first?.end ?? -1, 8)
  const third = readHeader(datagram, second?.end ?? -1, 8)
  expect([first?.kind, second?.kind, third?.kind]).toEqual([0, 2, 3])
  expect(third).toMatchObject({ start: shortAt, version: 0, destination: odcid, numberOffset: shortAt + 9, end: w.pos })
  expect(datagram[shortAt]).toBe(0x40 | 0x20 | 0x04 | 0x01)
  expect(readHeader(datagram, w.pos, 8)).toBe(undefined)
})

describe('what is dropped', () => {
  test('RFC 9000 §17.2: packets without the fixed bit', () => {
    const long = longPacket(Level.Handshake, QUIC_V1)
    long[0] = (long[0] as number) & ~0x40
    expect(readHeader(long, 0, 8)).toBe(undefined)
    const short = new Uint8Array(40)
    expect(readHeader(short, 0, 8)).toBe(undefined)
    short[0] = 0x40
    expect(readHeader(short, 0, 8)?.kind).toBe(PacketKind.OneRtt)
  })

  test('RFC 9000 §17.2: ids of more than 20 bytes', () => {
    const id = new Uint8Array(21)
    expect(readHeader(longPacket(Level.Initial, QUIC_V1, { destination: id }), 0, 8)).toBe(undefined)
    expect(readHeader(longPacket(Level.Initial, QUIC_V1, { source: id }), 0, 8)).toBe(undefined)
    const longest = id.subarray(1)
    const packet = longPacket(Level.Initial, QUIC_V1, { destination: longest, source: longest })
    expect(readHeader(packet, 0, 8)?.source.length).toBe(20)
  })

  test('RFC 9001 §5.4.2: packets too short for a sample', () => {
    expect(readHeader(longPacket(Level.Handshake, QUIC_V1, { numberLength: 1, payload: 18 }), 0, 8)).toBe(undefined)
    expect(readHeader(longPacket(Level.Handshake, QUIC_V1, { numberLength: 1, payload: 19 }), 0, 8)?.kind).toBe(2)
    expect(readHeader(new Uint8Array(28).fill(0x40), 0, 8)).toBe(undefined)
    expect(readHeader(new Uint8Array(29).fill(0x40), 0, 8)?.kind).toBe(3)
  })

  test('a short packet whose sample would come from the next one', () => {
    const w = Writer.allocate(200)
    w.put(longPacket(Level.Handshake, QUIC_V1, { payload: 5 }))
    w.put(longPacket(Level.Handshake, QUIC_V1))
    expect(readHeader(w.finish(), 0, 8)).toBe(undefined)
  })

  test.each([Level.Initial, Level.ZeroRtt, Level.Handshake])('a packet of level %d cut off at any byte', level => {
    const packet = longPacket(level, QUIC_V1, { token: fromHex('aa bb') })
    for (let length = 0; length < packet.length; length++) {
      expect(readHeader(packet.subarray(0, length), 0, 8)).toBe(undefined)
    }
  })

  test('lengths that lie', () => {
    const packet = longPacket(Level.Initial, QUIC_V1)
    const tokenLengthAt = 7 + 16
    const lie = packet.slice()
    lie[tokenLengthAt] = 0x3f
    expect(readHeader(lie, 0, 8)).toBe(undefined)
    const huge = packet.slice()
    huge.fill(0xff, tokenLengthAt, tokenLengthAt + 8)
    expect(readHeader(huge, 0, 8)).toBe(undefined)
    const hugeLength = packet.slice()
    hugeLength.fill(0xff, tokenLengthAt + 1, tokenLengthAt + 9)
    expect(readHeader(hugeLength, 0, 8)).toBe(undefined)
  })

  test('nothing at or behind the end', () => {
    expect(readHeader(none, 0, 8)).toBe(undefined)
    expect(readHeader(new Uint8Array(5), 9, 0)).toBe(undefined)
  })
})

test('RFC 8999 §5.1: an unknown version shows its ids, whatever their length', () => {
  const w = Writer.allocate(700)
  w.u8(0x80)
  w.u32(0x1a2a3a4a)
  w.u8(255)
  w.put(new Uint8Array(255).fill(1))
  w.u8(254)
  w.put(new Uint8Array(254).fill(2))
  const header = readHeader(w.finish(), 0, 8)
  expect(header).toMatchObject({ kind: PacketKind.UnknownVersion, version: 0x1a2a3a4a, numberOffset: w.pos })
  expect([header?.destination.length, header?.source.length]).toEqual([255, 254])
  for (let length = 0; length < w.pos; length++) {
    expect(readHeader(w.bytes.subarray(0, length), 0, 8)).toBe(undefined)
  }
})

describe('peekDestination', () => {
  test('RFC 8999 §5: long header of any version, and short header', () => {
    expect(peekDestination(longPacket(Level.Initial, 0x1a2a3a4a), 4)).toEqual(odcid)
    const short = fromHex('40 01020304 99')
    expect(peekDestination(short, 4)).toEqual(fromHex('01020304'))
    expect(peekDestination(short, 0)).toEqual(none)
  })

  test('is undefined when the id is cut off', () => {
    const packet = longPacket(Level.Initial, QUIC_V1)
    for (let length = 0; length < 14; length++) {
      expect(peekDestination(packet.subarray(0, length), 8)).toBe(undefined)
    }
    expect(peekDestination(packet.subarray(0, 14), 8)).toEqual(odcid)
    expect(peekDestination(fromHex('40 0102'), 4)).toBe(undefined)
  })
})

test('random datagrams are headers or nothing, and never an exception', () => {
  const random = seededRandom(7)
  for (let i = 0; i < 20_000; i++) {
    const datagram = randomBytes(random, integer(random, 80))
    if (random() < 0.7 && datagram.length > 4) {
      datagram.set(fromHex(random() < 0.5 ? '00000001' : '6b3343cf'), 1)
      datagram[5] = integer(random, 12)
    }
    const header = readHeader(datagram, 0, 8)
    peekDestination(datagram, 8)
    if (header === undefined) continue
    expect(header.end).toBeLessThanOrEqual(datagram.length)
    expect(header.numberOffset).toBeLessThanOrEqual(header.end)
    if (header.kind <= PacketKind.OneRtt) expect(header.end - header.numberOffset).toBeGreaterThanOrEqual(20)
  }
})
