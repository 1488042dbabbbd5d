// RFC 9000 §10: idle timeouts, closes and stateless resets of a peer.

import { describe, expect, test } from 'vitest'
import { FrameType } from '../../../src/packet/frames/frame.ts'
import { Level } from '../../../src/packet/level.ts'
import { ErrorCode } from '../../../src/packet/transport-error.ts'
import { bytes, concat, zeros } from '../bytes-by-hand.ts'
import { type HandMadePeer, HandMadeServer, peerOf, type Stage, strangeAddress } from '../hand-made-peer.ts'

const ping = bytes(FrameType.Ping)
const close = bytes(FrameType.ConnectionClose, 0, 0, 0)
const token = new Uint8Array(16).fill(0x42)
const otherToken = new Uint8Array(16).fill(0x43)

/** A datagram that ends in `end` and is nothing but noise before that. */
function noise(first: number, length: number, end: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(first), new Uint8Array(length - 17).fill(0x5a), end)
}

/** A peer whose current id has `token`. */
function withToken(role: 'client' | 'server'): HandMadePeer {
  if (role === 'client') return new HandMadeServer({ parameters: { statelessResetToken: token } }).reach('confirmed')
  const peer = peerOf('server').reach('confirmed')
  return peer.send(Level.OneRtt, bytes(FrameType.NewConnectionId, 1, 1, 8, new Uint8Array(8).fill(1), token))
}

function isReset(peer: HandMadePeer): boolean {
  return peer.events.some(event => event.type === 'closed' && event.by === 'reset')
}

describe.each(['client', 'server'] as const)('a connection of a %s', role => {
  test('RFC 9000 §10.1: an idle timeout of the peer below three PTO is stretched', () => {
    const peer = peerOf(role, { parameters: { maxIdleTimeout: 1 } })
      .reach('confirmed')
      .pass(50)
    peer.expectOpen()
    expect(peer.pass(30_000).has('closed')).toBe(true)
  })

  test('RFC 9000 §10.2.1: in the closing state, nothing for a stranger, and less than what comes', () => {
    const peer = peerOf(role)
      .reach('confirmed')
      .act(connection => connection.close(1, ''))
    const { length } = peer.datagrams
    for (let i = 0; i < 20; i++) peer.deliver(peer.packet(Level.OneRtt, ping), strangeAddress)
    expect(peer.datagrams.length - length).toBeLessThan(7)
    expect(peer.datagrams.filter(({ to }) => to.host === strangeAddress.host)).toEqual([])
  })

  test('RFC 9000 §10.2.2: nothing is sent after CONNECTION_CLOSE of the peer', () => {
    for (const stage of ['initial', 'handshake', 'confirmed'] as const) {
      const level = { initial: Level.Initial, handshake: Level.Handshake, confirmed: Level.OneRtt }[stage]
      const peer = peerOf(role).reach(stage).send(level, concat(ping, close))
      expect(peer.has('closed')).toBe(true)
      const { length } = peer.datagrams
      for (let i = 0; i < 10; i++) peer.send(level, ping)
      expect(peer.pass(30_000).datagrams.length).toBe(length)
      expect(peer.connection.isTerminated).toBe(true)
    }
  })

  test('RFC 9000 §10.2.3: once the handshake is confirmed, closes are in 1-RTT packets', () => {
    const peer = peerOf(role).reach('confirmed').send(Level.OneRtt, bytes(0x21))
    const closing = peer.heard.filter(packet => packet.frames.some(frame => frame.type === FrameType.ConnectionClose))
    expect(closing.map(packet => packet.level)).toEqual([Level.OneRtt])
  })

  test('RFC 9000 §10.2.3: before that, an application close is replaced, without its reason', () => {
    for (const stage of ['initial', 'handshake'] satisfies Stage[]) {
      const peer = peerOf(role)
        .reach(stage)
        .act(connection => connection.close(77, 'secret'))
      for (const frame of peer.frames(FrameType.ConnectionClose)) {
        expect(frame).toMatchObject({ errorCode: ErrorCode.ApplicationError, reason: '' })
      }
      expect(peer.frames(FrameType.ApplicationClose, Level.Initial)).toEqual([])
      expect(peer.frames(FrameType.ApplicationClose, Level.Handshake)).toEqual([])
    }
  })

  test('RFC 9000 §10.3: datagrams too small for any packet are dropped', () => {
    const peer = peerOf(role).reach('confirmed')
    for (const length of [1, 2, 8, 20]) {
      peer.expectDropped(() => peer.deliver(concat(Uint8Array.of(0x40), zeros(length - 1))))
    }
  })

  const resets: [title: string, datagram: () => Uint8Array][] = [
    [
      'RFC 9000 §10.3, §10.3.1: a short header that ends in the token is a stateless reset',
      () => noise(0x41, 42, token),
    ],
    ['RFC 9000 §10.3: the smallest datagram that can be one', () => noise(0x41, 21, token)],
    ['RFC 9000 §10.3: a long header of another version that ends in the token', () => noise(0xc1, 60, token)],
    ['RFC 9000 §10.3.1: no fixed bit, and the token', () => noise(0x01, 42, token)],
  ]
  test.each(resets)('%s', (_, datagram) => {
    const peer = withToken(role)
    const { length } = peer.datagrams
    peer.deliver(datagram())
    expect(isReset(peer)).toBe(true)
    for (let i = 0; i < 5; i++) peer.send(Level.OneRtt, ping)
    expect(peer.pass(30_000).datagrams.length).toBe(length)
  })

  test('RFC 9000 §10.3.1: a long header of ours that cannot be opened and ends in the token', () => {
    const peer = withToken(role)
    // The keys are gone: this packet cannot be opened any more.
    const header = concat(bytes(Uint8Array.of(0xe0, 0, 0, 0, 1, 8), peer.destination), bytes(8, peer.id, 60))
    peer.deliver(concat(header, zeros(60 - 16), token))
    expect(isReset(peer)).toBe(true)
  })

  test('RFC 9000 §10.3.1: Retry and Version Negotiation that end in the token', () => {
    for (const [first, version] of [
      [0xf0, 1],
      [0xc0, 0],
    ]) {
      const peer = withToken(role)
      const ids = concat(Uint8Array.of(8), peer.destination, Uint8Array.of(8), peer.id)
      peer.deliver(concat(Uint8Array.of(first as number, 0, 0, 0, version as number), ids, token))
      expect(isReset(peer)).toBe(true)
    }
  })

  test('RFC 9000 §10.3.1: tokens of ids that were retired or not used are not looked at', () => {
    const peer = withToken(role)
    const issue = (sequence: number, prior: number, reset: Uint8Array): Uint8Array =>
      bytes(FrameType.NewConnectionId, sequence, prior, 8, new Uint8Array(8).fill(sequence), reset)
    peer.send(Level.OneRtt, issue(3, 0, otherToken))
    peer.expectDropped(() => peer.deliver(noise(0x41, 42, otherToken)))
    peer.send(Level.OneRtt, issue(2, 2, zeros(16)))
    peer.expectDropped(() => peer.deliver(noise(0x41, 42, token)))
    peer.send(Level.OneRtt, issue(4, 3, zeros(16))).deliver(noise(0x41, 42, otherToken))
    expect(isReset(peer)).toBe(true)
  })

  test('RFC 9000 §10.3.1: all 16 bytes of the token count', () => {
    const peer = withToken(role)
    for (let i = 0; i < 16; i++) {
      const almost = token.slice()
      almost[i] = 0
      peer.expectDropped(() => peer.deliver(noise(0x41, 42, almost)))
    }
  })
})
