// RFC 9000 §12, §13, §14 and §17: headers that break rules, packets that are dropped, acknowledgments that are owed.

import { describe, expect, test } from 'vitest'
import { FrameType } from '../../../src/packet/frames/frame.ts'
import { Level } from '../../../src/packet/level.ts'
import { ErrorCode } from '../../../src/packet/transport-error.ts'
import { offeredPsk } from '../../../src/zero-rtt/resumption.ts'
import { provisioned } from '../../connection/early.ts'
import { testTime } from '../../support/certificates.ts'
import { bytes, concat, zeros } from '../bytes-by-hand.ts'
import { HandMadeClient, HandMadeServer, peerOf, RETRY_ID, type Stage } from '../hand-made-peer.ts'

const { ProtocolViolation } = ErrorCode
const ping = bytes(FrameType.Ping)
const FIXED_BIT = 0x40
/** Without RFC 9287. */
const plain = { transport: { greaseQuicBit: false } }
const levelAt: [Level, Stage][] = [
  [Level.Initial, 'initial'],
  [Level.Handshake, 'handshake'],
  [Level.OneRtt, 'confirmed'],
]
const longAt = levelAt.slice(0, 2)

describe.each(['client', 'server'] as const)('a connection of a %s', role => {
  test.each(longAt)('RFC 9000 §17.2: reserved bits of a long header (level %d)', (level, stage) => {
    for (const set of [0x04, 0x08]) peerOf(role).reach(stage).send(level, ping, { set }).expectClose(ProtocolViolation)
  })

  test('RFC 9000 §17.3.1: reserved bits of a short header', () => {
    for (const set of [0x08, 0x10]) {
      peerOf(role).reach('confirmed').send(Level.OneRtt, ping, { set }).expectClose(ProtocolViolation)
    }
  })

  test.each(levelAt)('RFC 9000 §17.2, §17.3.1: reserved bits that nobody authenticated (level %d)', (level, stage) => {
    const peer = peerOf(role).reach(stage)
    const packet = peer.packet(level, ping, { set: 0x08 })
    packet[packet.length - 1] = (packet.at(-1) as number) ^ 0x80
    peer.expectDropped(() => peer.deliver(packet))
  })

  test.each(longAt)('RFC 9000 §17.2: a long header without the fixed bit (level %d)', (level, stage) => {
    const peer = peerOf(role, plain).reach(stage)
    peer.expectDropped(() => peer.send(level, ping, { clear: FIXED_BIT }))
  })

  test('RFC 9000 §17.3.1: a short header without the fixed bit', () => {
    const peer = peerOf(role, plain).reach('confirmed')
    peer.expectDropped(() => peer.send(Level.OneRtt, ping, { clear: FIXED_BIT }))
  })

  test.each(longAt)('RFC 9000 §17.2: an id of more than 20 bytes (level %d)', (level, stage) => {
    const peer = peerOf(role).reach(stage)
    peer.expectDropped(() => peer.send(level, ping, { destination: zeros(21) }))
    peer.expectDropped(() => peer.send(level, ping, { source: zeros(21) }))
  })

  test('RFC 9000 §13.2.3: below ranges that were forgotten, nothing is taken any more', () => {
    const peer = peerOf(role).reach('confirmed')
    for (let number = 1000; number < 1100; number += 2) peer.send(Level.OneRtt, ping, { number })
    peer.expectDropped(() => peer.send(Level.OneRtt, ping, { number: 1001 }))
    const { length } = peer.heard
    peer.send(Level.OneRtt, ping, { number: 1099 }).pass(100).expectOpen()
    expect(peer.heard.length).toBeGreaterThan(length)
  })

  test('RFC 9000 §13.4.2.1: ECN counts that go down, or count what was never marked, change nothing', () => {
    const peer = peerOf(role)
      .reach('confirmed')
      .act(connection => void connection.openStream('uni'))
    const { number } = peer.send(Level.OneRtt, ping).pass(100).heard.at(-1) as { number: number }
    peer.send(Level.OneRtt, bytes(FrameType.AckEcn, number, 0, 0, 0, 7, 8, 9))
    peer.send(Level.OneRtt, bytes(FrameType.AckEcn, 0, 0, 0, 0, 1, 0, 0)).expectOpen()
    expect(peer.connection.diagnostics.congestionWindow).toBeGreaterThanOrEqual(12_000)
  })

  test('RFC 9000 §17.4: the spin bit of the peer is ignored', () => {
    const peer = peerOf(role).reach('confirmed').send(Level.OneRtt, ping, { set: 0x20 }).send(Level.OneRtt, ping)
    peer.expectOpen()
    expect(peer.connection.stats.packetsDropped).toBe(0)
  })

  test('RFC 9000 §12.2: packets of one datagram are each processed', () => {
    const peer = peerOf(role).reach('handshake')
    const received = peer.connection.stats.packetsReceived
    const padding = zeros(1150)
    peer.deliver(
      concat(peer.packet(Level.Initial, concat(ping, padding), { padTo: 0 }), peer.packet(Level.Handshake, ping)),
    )
    expect(peer.connection.stats.packetsReceived).toBe(received + 2)
    expect(peer.frames(FrameType.Ack, Level.Handshake).length).toBeGreaterThan(0)
  })

  test('RFC 9000 §12.2: one that cannot be opened does not keep the rest from being processed', () => {
    const peer = peerOf(role).reach('handshake')
    const received = peer.connection.stats.packetsReceived
    const broken = peer.packet(Level.Initial, ping)
    broken[1100] = (broken[1100] as number) ^ 1
    peer.deliver(concat(broken, peer.packet(Level.Handshake, ping))).expectOpen()
    expect(peer.connection.stats.packetsReceived).toBe(received + 1)
  })

  test('RFC 9000 §12.2: packets for another id than the first of the datagram are ignored', () => {
    const peer = peerOf(role).reach('handshake')
    const received = peer.connection.stats.packetsReceived
    const other = peer.packet(Level.Handshake, bytes(0x21), { destination: zeros(8) })
    peer.deliver(concat(peer.packet(Level.Handshake, ping), other)).expectOpen()
    expect(peer.connection.stats.packetsReceived).toBe(received + 1)
  })

  test.each(levelAt)('RFC 9000 §12.3: a packet number that came before is dropped (level %d)', (level, stage) => {
    const peer = peerOf(role).reach(stage).send(level, ping, { number: 50 })
    peer.expectDropped(() => peer.send(level, ping, { number: 50 }))
    // Under one number, but not the same.
    peer.expectDropped(() => peer.send(level, bytes(0x21), { number: 50 }))
  })

  test('RFC 9000 §12.3: every space has numbers of its own', () => {
    const peer = peerOf(role).reach('handshake').send(Level.Initial, ping, { number: 90 })
    peer.send(Level.Handshake, ping, { number: 90 }).expectOpen()
    expect(peer.connection.stats.packetsDropped).toBe(0)
  })

  test.each(longAt)('RFC 9000 §13.2.1: what asks for an ACK gets it at once (level %d)', (level, stage) => {
    const peer = peerOf(role).reach(stage).send(level, ping, { number: 70 })
    expect(peer.frames(FrameType.Ack, level).map(frame => frame.largestAcknowledged)).toContain(70)
  })

  test('RFC 9000 §13.2.1: what asks for an ACK gets it within max_ack_delay, in 1-RTT packets', () => {
    const peer = peerOf(role, { transport: { maxAckDelay: 20 } })
      .reach('confirmed')
      .pass(500)
    peer.send(Level.OneRtt, ping, { number: 70 }).pass(21)
    expect(peer.frames(FrameType.Ack, Level.OneRtt).at(-1)?.largestAcknowledged).toBe(70)
  })

  test('RFC 9000 §13.2.1: what does not ask for an ACK gets no answer, whatever is missing before it', () => {
    const peer = peerOf(role).reach('confirmed').pass(500)
    const { length } = peer.datagrams
    const largest = peer.heard.findLast(packet => packet.level === Level.OneRtt)?.number as number
    for (const number of [80, 90, 100])
      peer.send(Level.OneRtt, bytes(FrameType.Ack, largest, 0, 0, largest), { number })
    expect(peer.datagrams.length).toBe(length)
  })

  test('RFC 9000 §13.1: a packet with a fault in it is not acknowledged', () => {
    const peer = peerOf(role)
      .reach('confirmed')
      .send(Level.OneRtt, concat(ping, bytes(0x21)), { number: 60 })
      .pass(100)
    expect(peer.frames(FrameType.Ack, Level.OneRtt).some(frame => frame.largestAcknowledged === 60)).toBe(false)
    expect(peer.close).toBeDefined()
  })
})

describe('a connection of a server', () => {
  test('RFC 9000 §14, §14.1: an Initial in a datagram of less than 1,200 bytes is dropped', () => {
    const peer = new HandMadeClient()
    peer.expectDropped(() => peer.send(Level.Initial, ping, { padTo: 1199 }))
    peer.send(Level.Initial, ping).expectOpen()
    expect(peer.connection.stats.packetsReceived).toBe(1)
  })

  test('RFC 9000 §12.3: 0-RTT and 1-RTT packets share their numbers', () => {
    const { resumption, server } = provisioned()
    const peer = new HandMadeClient({ server, psk: offeredPsk(resumption, testTime, true) }).speak(Level.Initial)
    peer.send(Level.ZeroRtt, ping, { number: 4 }).reach('complete')
    peer.expectDropped(() => peer.send(Level.OneRtt, ping, { number: 4 }))
  })
})

describe('a connection of a client', () => {
  test('RFC 9000 §17.2.2: an Initial with a token is dropped', () => {
    const peer = new HandMadeServer()
    peer.expectDropped(() => peer.send(Level.Initial, ping, { token: zeros(3) }))
  })

  test('RFC 9000 §17.2.5: unused bits of a Retry are ignored', () => {
    const peer = new HandMadeServer()
    peer.deliver(peer.retryPacket(zeros(3), RETRY_ID, 0x0f))
    expect(peer.datagrams.length).toBe(2)
  })

  test('RFC 9000 §17.2.5.1: a Retry with the id the client chose is dropped', () => {
    const peer = new HandMadeServer()
    peer.expectDropped(() => peer.deliver(peer.retryPacket(zeros(3), peer.originalDestination)))
  })

  test('RFC 9000 §17.2.5.1: the id of a Retry is where all packets go from then on', () => {
    const peer = new HandMadeServer().retry()
    expect(peer.heard.at(-1)?.destination).toEqual(RETRY_ID)
    expect(peer.heard.length).toBeGreaterThan(1)
  })

  test('RFC 9000 §17.2.5.2: a second Retry is dropped', () => {
    const peer = new HandMadeServer().retry()
    peer.expectDropped(() => peer.deliver(peer.retryPacket(zeros(4), zeros(8))))
  })

  test('RFC 9000 §17.2.5.2: a Retry after an Initial is dropped', () => {
    const peer = new HandMadeServer().send(Level.Initial, ping)
    peer.expectDropped(() => peer.deliver(peer.retryPacket(zeros(4))))
  })

  test('RFC 9000 §17.2.5.2: a Retry with a wrong integrity tag is dropped', () => {
    const peer = new HandMadeServer()
    const packet = peer.retryPacket(zeros(3))
    packet[packet.length - 1] = (packet.at(-1) as number) ^ 1
    peer.expectDropped(() => peer.deliver(packet))
  })

  test('RFC 9000 §17.2.5.2: a Retry without a token is dropped', () => {
    const peer = new HandMadeServer()
    peer.expectDropped(() => peer.deliver(peer.retryPacket(zeros(0))))
  })

  test('RFC 9000 §8.1.2: the token of a Retry is in every Initial, also in those sent later', () => {
    const token = Uint8Array.of(5, 5, 5)
    const peer = new HandMadeServer().retry(token).pass(5000)
    const later = peer.heard.slice(1)
    expect(later.length).toBeGreaterThan(2)
    for (const packet of later) expect(packet.token).toEqual(token)
  })

  test('RFC 9000 §17.2.5.3: packet numbers go on after a Retry, and the ClientHello is the same', () => {
    const peer = new HandMadeServer().retry()
    const [first, second] = peer.heard
    expect(second?.number).toBeGreaterThan(first?.number as number)
    const hello = (packet = peer.heard[0]): unknown => packet?.frames.find(frame => frame.type === FrameType.Crypto)
    expect(hello(second)).toEqual(hello(first))
  })
})
