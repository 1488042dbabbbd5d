import { describe, expect, test } from 'vitest'
import { Reader } from '../../src/bytes/reader.ts'
import { type CryptoFrame, FrameType } from '../../src/packet/frames/frame.ts'
import { readFrame } from '../../src/packet/frames/read-frame.ts'
import { Level } from '../../src/packet/level.ts'
import { PacketWriter } from '../../src/packet/packet-writer.ts'
import { SentKind } from '../../src/packet/sent-frame.ts'
import { CLIENT_CRYPTO_BUFFER, CryptoStream, SERVER_CRYPTO_BUFFER } from '../../src/streams/crypto-stream.ts'
import { MAX_GAPS } from '../../src/streams/receive-buffer.ts'
import { seeded } from './link.ts'

function crypto(offset: number, length: number): CryptoFrame {
  return { type: FrameType.Crypto, offset, data: Uint8Array.from({ length }, (_, i) => (offset + i) & 0xff) }
}

function packetOf(stream: CryptoStream, size: number): PacketWriter {
  const packet = new PacketWriter(stream.level, new Uint8Array(size), 0, size)
  stream.write(packet)
  return packet
}

function readAll(stream: CryptoStream): number[] {
  const all: number[] = []
  for (let bytes = stream.receive(); bytes !== undefined; bytes = stream.receive()) all.push(...bytes)
  return all
}

test('RFC 9000 §19.6: cuts the handshake into frames that fit, and records them', () => {
  const stream = new CryptoStream(Level.Handshake, CLIENT_CRYPTO_BUFFER)
  expect(stream.hasDataToSend).toBe(false)
  stream.send(Uint8Array.of(1, 2, 3, 4))
  stream.send(Uint8Array.of(5, 6, 7, 8))
  const first = packetOf(stream, 9)
  expect(first.frames).toEqual([
    expect.objectContaining({ kind: SentKind.Crypto, level: Level.Handshake, offset: 0, length: 6 }),
  ])
  expect(first.isAckEliciting).toBe(true)
  const second = packetOf(stream, 100)
  expect(stream.hasDataToSend).toBe(false)
  const frame = readFrame(new Reader(second.finish()), Level.Handshake)
  expect(frame).toEqual({ type: FrameType.Crypto, offset: 6, data: Uint8Array.of(7, 8) })
  expect(packetOf(stream, 3).pos).toBe(0)
})

test('sends again what was lost, and all of it after a Retry or for a probe', () => {
  const stream = new CryptoStream(Level.Initial, CLIENT_CRYPTO_BUFFER)
  stream.send(new Uint8Array(100))
  const [lost] = packetOf(stream, 60).frames
  const [acked] = packetOf(stream, 60).frames
  if (lost === undefined || acked === undefined) throw new Error('two frames were to be sent')
  stream.onAcked(acked)
  stream.onLost(lost)
  expect(stream.hasDataToSend).toBe(true)
  expect(packetOf(stream, 200).frames).toEqual([expect.objectContaining({ offset: 0, length: 57 })])
  stream.resend()
  expect(stream.hasUnacked).toBe(true)
  expect(packetOf(stream, 200).frames).toEqual([expect.objectContaining({ offset: 0, length: 57 })])
  stream.onAcked(lost)
  expect(stream.hasUnacked).toBe(false)
  stream.resend()
  expect(stream.hasDataToSend).toBe(false)
})

test('a packet with too little room stays empty', () => {
  const stream = new CryptoStream(Level.Initial, CLIENT_CRYPTO_BUFFER)
  stream.send(new Uint8Array(10))
  expect(packetOf(stream, 3).frames).toEqual([])
  expect(packetOf(stream, 2).frames).toEqual([])
  expect(stream.hasDataToSend).toBe(true)
})

test('puts bytes into order', () => {
  const stream = new CryptoStream(Level.Initial, SERVER_CRYPTO_BUFFER)
  stream.onCrypto(crypto(5, 5))
  expect(stream.receive()).toBe(undefined)
  stream.onCrypto(crypto(0, 7))
  stream.onCrypto(crypto(0, 3))
  expect(readAll(stream)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

describe('RFC 9000 §7.5: a bound on what is buffered', () => {
  test('counts from what was read, also after megabytes', () => {
    const stream = new CryptoStream(Level.OneRtt, SERVER_CRYPTO_BUFFER)
    for (let at = 0; at < 1_000_000; at += 1000) {
      stream.onCrypto(crypto(at, 1000))
      expect(readAll(stream).length).toBe(1000)
    }
    stream.onCrypto(crypto(1_000_000 + SERVER_CRYPTO_BUFFER - 1, 1))
    expect(() => stream.onCrypto(crypto(1_000_000 + SERVER_CRYPTO_BUFFER, 1))).toThrow(
      expect.objectContaining({ code: 0x0d, frameType: 6 }),
    )
  })

  test('at least 4096 bytes, and no more gaps than a stream may have', () => {
    const stream = new CryptoStream(Level.Initial, SERVER_CRYPTO_BUFFER)
    stream.onCrypto(crypto(1, 4096))
    const tiny = new CryptoStream(Level.Initial, SERVER_CRYPTO_BUFFER)
    const flood = () => {
      for (let i = 0; i <= MAX_GAPS; i++) tiny.onCrypto(crypto(2 * i + 1, 1))
    }
    expect(flood).toThrow(expect.objectContaining({ code: 0x0d }))
  })
})

test('random loss and order: the handshake arrives whole', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = seeded(seed)
    const from = new CryptoStream(Level.Handshake, CLIENT_CRYPTO_BUFFER)
    const to = new CryptoStream(Level.Handshake, CLIENT_CRYPTO_BUFFER)
    const sent = Uint8Array.from({ length: 20_000 }, () => Math.floor(random() * 256))
    for (let at = 0; at < sent.length; at += 3000) from.send(sent.subarray(at, at + 3000))
    const flying: PacketWriter[] = []
    const got: number[] = []
    while (from.hasUnacked) {
      if (random() < 0.005) from.resend()
      if (from.hasDataToSend && flying.length < 50) flying.push(packetOf(from, 100 + Math.floor(random() * 1100)))
      const packet = flying.splice(Math.floor(random() * flying.length), 1)[0]
      if (packet === undefined || random() < 0.3) {
        for (const frame of packet?.frames ?? []) from.onLost(frame)
        continue
      }
      const reader = new Reader(packet.finish())
      while (!reader.isDone) to.onCrypto(readFrame(reader, Level.Handshake) as CryptoFrame)
      got.push(...readAll(to))
      for (const frame of packet.frames) from.onAcked(frame)
    }
    expect(Uint8Array.from(got)).toEqual(sent)
  }
})
