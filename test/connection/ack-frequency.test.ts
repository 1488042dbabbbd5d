// QUIC Acknowledgment Frequency, cited as AF: what is asked of the peer, and what is done when it asks.

import { describe, expect, test } from 'vitest'
import { AckRequests, MOST_PACKETS_PER_ACK } from '../../src/connection/ack-frequency.ts'
import { type AckFrequencyFrame, FrameType } from '../../src/packet/frames/frame.ts'
import { Level, Space } from '../../src/packet/level.ts'
import { PacketWriter } from '../../src/packet/packet-writer.ts'
import type { SentFrame } from '../../src/packet/sent-frame.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { defaultTransportParameters } from '../../src/packet/transport-parameters.ts'
import { newReno } from '../../src/recovery/congestion/new-reno.ts'
import { Recovery } from '../../src/recovery/recovery.ts'
import { bytes } from '../conformance/bytes-by-hand.ts'
import { peerOf } from '../conformance/hand-made-peer.ts'
import { Pair } from '../sim/pair.ts'
import { World } from '../sim/world.ts'
import { framesOf, OpenPair, PacketLog, pingBytes, type Side, Transfer } from './support.ts'

const { FrameEncodingError, ProtocolViolation } = ErrorCode

function request(sequence: number, threshold: number, delay: number, reordering: number): Uint8Array {
  return bytes(FrameType.AckFrequency, sequence, threshold, delay, reordering)
}

describe.each(['client', 'server'] as const)('a %s that is asked', role => {
  test('AF §4: acknowledges when more than the threshold wait, or after the delay', () => {
    const peer = peerOf(role).reach('confirmed').pass(100)
    peer.send(Level.OneRtt, request(0, 9, 20_000, 3)).pass(20)
    const acks = (): number => peer.frames(FrameType.Ack, Level.OneRtt).length
    const before = acks()
    for (let i = 0; i < 9; i++) peer.send(Level.OneRtt, pingBytes)
    expect(acks()).toBe(before)
    peer.send(Level.OneRtt, pingBytes)
    expect(acks()).toBe(before + 1)
    peer.send(Level.OneRtt, pingBytes).pass(19)
    expect(acks()).toBe(before + 1)
    peer.pass(1)
    expect(acks()).toBe(before + 2)
  })

  test('AF §4: an older request is ignored', () => {
    const peer = peerOf(role).reach('confirmed').pass(100)
    peer
      .send(Level.OneRtt, request(7, 0, 25_000, 1))
      .send(Level.OneRtt, request(6, 99, 25_000, 1))
      .pass(100)
    const before = peer.frames(FrameType.Ack, Level.OneRtt).length
    peer.send(Level.OneRtt, pingBytes)
    expect(peer.frames(FrameType.Ack, Level.OneRtt).length).toBe(before + 1)
  })

  test('AF §4: a delay below our min_ack_delay, or of 2^14 ms and more', () => {
    for (const delay of [0, 999, 2 ** 14 * 1000, 2 ** 40]) {
      peerOf(role)
        .reach('confirmed')
        .send(Level.OneRtt, request(0, 1, delay, 1))
        .expectClose(ProtocolViolation)
    }
    for (const delay of [1000, 2 ** 14 * 1000 - 1]) {
      peerOf(role)
        .reach('confirmed')
        .send(Level.OneRtt, request(0, 1, delay, 1))
        .expectOpen()
    }
  })

  test('AF §5: IMMEDIATE_ACK is answered at once', () => {
    const peer = peerOf(role)
      .reach('confirmed')
      .pass(100)
      .send(Level.OneRtt, request(0, 99, 25_000, 0))
      .pass(100)
    const before = peer.frames(FrameType.Ack, Level.OneRtt).length
    peer.send(Level.OneRtt, pingBytes)
    expect(peer.frames(FrameType.Ack, Level.OneRtt).length).toBe(before)
    peer.send(Level.OneRtt, bytes(FrameType.ImmediateAck))
    expect(peer.frames(FrameType.Ack, Level.OneRtt).length).toBe(before + 1)
  })

  test('RFC 9000 §12.4: without min_ack_delay both frames are unknown', () => {
    for (const frame of [request(0, 1, 5000, 1), bytes(FrameType.ImmediateAck)]) {
      const peer = peerOf(role, { transport: { ackFrequency: false } }).reach('confirmed')
      peer.send(Level.OneRtt, frame).expectClose(FrameEncodingError)
    }
  })

  test('AF §3: min_ack_delay is no more than max_ack_delay, whatever that is', () => {
    for (const maxAckDelay of [0, 1, 25]) {
      expect(() => peerOf(role, { transport: { maxAckDelay } }).reach('confirmed').expectOpen()).not.toThrow()
    }
  })
})

/** One who may ask, of a path that looks as the test wants it. */
class Asker {
  readonly controller = { ...newReno(1200), window: 0, isInSlowStart: false }
  readonly recovery = new Recovery({ isServer: true, random: () => 0.5, congestion: () => this.controller })
  readonly requests = new AckRequests(this.recovery)
  readonly sent: SentFrame[] = []
  now = 0

  constructor(window: number, rtt: number, minAckDelay: number | undefined = 1000) {
    this.controller.window = window * 1200
    this.recovery.rtt.update(rtt, 0, 0)
    this.recovery.setMaxAckDelay(25)
    this.requests.offer({ ...defaultTransportParameters, minAckDelay })
  }

  /** An ACK came; what is asked for in the next packet. */
  ack(ms = 0): AckFrequencyFrame | undefined {
    this.now += ms
    this.requests.review(1200, this.now)
    return this.write()
  }

  write(): AckFrequencyFrame | undefined {
    const packet = new PacketWriter(Level.OneRtt, new Uint8Array(100), 0, 100)
    this.requests.write(packet, this.now)
    this.sent.push(...packet.frames)
    return framesOf(packet.finish().slice(), Level.OneRtt)[0] as AckFrequencyFrame | undefined
  }

  get maxAckDelay(): number {
    return this.recovery.probePeriod(Space.Application) - this.recovery.probePeriod(Space.Handshake)
  }
}

describe('what is asked (AF §8)', () => {
  test('six ACKs for a window, no later than a quarter of the round trip', () => {
    const frame = new Asker(120, 40).ack()
    expect(frame).toMatchObject({ sequence: 0, ackElicitingThreshold: 19, requestedMaxAckDelay: 10_000 })
    // AF §9: as many as make a packet lost.
    expect(frame?.reorderingThreshold).toBe(3)
  })

  test('never more than so many packets for one ACK, nor longer than 25 ms', () => {
    expect(new Asker(100_000, 900).ack()).toMatchObject({
      ackElicitingThreshold: MOST_PACKETS_PER_ACK - 1,
      requestedMaxAckDelay: 25_000,
    })
  })

  test('AF §3: never less than the peer says it can', () => {
    const frame = new Asker(120, 40, 20_000).ack()
    expect(frame?.requestedMaxAckDelay).toBe(20_000)
  })

  test('AF §8.1: where the peer is slower than the path, every reordering is to be told', () => {
    expect(new Asker(120, 0.5).ack()).toMatchObject({ requestedMaxAckDelay: 1000, reorderingThreshold: 1 })
  })

  test('nothing in slow start, of a small window, or of a peer that offers nothing', () => {
    const starting = new Asker(120, 40)
    starting.controller.isInSlowStart = true
    expect(starting.ack()).toBeUndefined()
    expect(new Asker(12, 40).ack()).toBeUndefined()
    const silent = new Asker(120, 40)
    silent.requests.offer(defaultTransportParameters)
    expect(silent.ack()).toBeUndefined()
  })

  test('again only when it makes a difference, and after a round trip', () => {
    const asker = new Asker(120, 40)
    asker.ack()
    asker.requests.onAcked(asker.sent[0] as SentFrame)
    asker.controller.window = 130 * 1200
    expect(asker.ack(100)).toBeUndefined()
    asker.controller.window = 240 * 1200
    expect(asker.ack(100)).toMatchObject({ sequence: 1, ackElicitingThreshold: 39 })
    asker.requests.onAcked(asker.sent[1] as SentFrame)
    asker.controller.window = 60 * 1200
    expect(asker.ack(39)).toBeUndefined()
    expect(asker.ack(1)).toMatchObject({ sequence: 2, ackElicitingThreshold: 9 })
  })

  test('one at a time; what is lost is said again while it is the newest', () => {
    const asker = new Asker(120, 40)
    const first = asker.ack()
    asker.controller.window = 480 * 1200
    expect(asker.ack(100)).toBeUndefined()
    asker.requests.onLost(asker.sent[0] as SentFrame)
    expect(asker.write()).toEqual(first)
    asker.requests.onNewPath()
    expect(asker.write()).toMatchObject({ sequence: 1, ackElicitingThreshold: 1 })
    asker.requests.onLost(asker.sent[0] as SentFrame)
    expect(asker.requests.hasDue).toBe(false)
  })

  test('what was acknowledged is not said again', () => {
    const asker = new Asker(120, 40)
    asker.ack()
    asker.requests.onLost(asker.sent[0] as SentFrame)
    asker.requests.onAcked(asker.sent[0] as SentFrame)
    expect(asker.write()).toBeUndefined()
  })

  test('AF §7: until it is acknowledged the probe timeout counts with the longer delay', () => {
    const asker = new Asker(120, 40)
    asker.ack()
    expect(asker.maxAckDelay).toBe(25)
    asker.requests.onAcked(asker.sent[0] as SentFrame)
    expect(asker.maxAckDelay).toBe(10)
    for (let i = 0; i < 100; i++) asker.recovery.rtt.update(80, 0, 1)
    asker.ack(1000)
    expect(asker.maxAckDelay).toBeCloseTo(20, 1)
  })
})

/** A download over 100 Mbit/s and 50 ms. */
function download(ackFrequency: boolean, loss = 0): { acks: number; duration: number; asked: number; lost: number } {
  const logs: Record<Side, PacketLog> = { client: new PacketLog(), server: new PacketLog() }
  const transport = { ackFrequency }
  const pair = new Pair({
    world: new World(3, 'fast'),
    client: { transport },
    server: { transport },
    toServer: { delay: 25, loss },
    toClient: { delay: 25, loss, rate: 12_500, queue: 625_000 },
    recorder: side => logs[side].recorder,
  }).connect()
  const begin = pair.world.now
  expect(new Transfer(pair, 10, 6_000_000).begin().run()).toBe(true)
  const acks = logs.client.sent.filter(({ frames }) => frames.some(({ type }) => type === FrameType.Ack)).length
  const asked = logs.server.frames(FrameType.AckFrequency).length
  return { acks, duration: pair.world.now - begin, asked, lost: pair.server.connection.stats.packetsLost }
}

describe('a long transfer', () => {
  test('takes less than two thirds of the ACKs, and no more time', () => {
    const without = download(false)
    const asked = download(true)
    expect(without.asked).toBe(0)
    expect(asked.asked).toBeGreaterThan(0)
    expect(asked.asked).toBeLessThan(10)
    expect(asked.acks).toBeLessThan((without.acks * 2) / 3)
    expect(asked.duration).toBeLessThan(without.duration * 1.02)
  })

  test('losses are found and repeated, one way and the other', () => {
    const asked = download(true, 0.005)
    expect(asked.asked).toBeGreaterThan(0)
    expect(asked.lost).toBeGreaterThan(10)
    expect(asked.duration).toBeLessThan(download(false, 0.005).duration * 1.15)
  })
})

test('AF §7: a probe asks for an ACK at once', () => {
  const pair = new OpenPair().connect()
  pair.world.pass(500)
  pair.client.filter = () => undefined
  pair.client.act(client => client.write(client.openStream('uni') as number, pingBytes, true))
  expect(pair.logs.client.frames(FrameType.ImmediateAck)).toEqual([])
  pair.world.pass(500)
  expect(pair.logs.client.frames(FrameType.ImmediateAck).length).toBeGreaterThanOrEqual(2)
})
