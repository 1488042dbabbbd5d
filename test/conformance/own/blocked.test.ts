// Who is blocked by flow control says so, again and again (RFC 9000 §4.1).

import { describe, expect, test } from 'vitest'
import { FrameType } from '../../../src/packet/frames/frame.ts'
import { Level } from '../../../src/packet/level.ts'
import { bytes, concat, zeros } from '../bytes-by-hand.ts'
import { type HandMadePeer, type PeerOptions, peerOf } from '../hand-made-peer.ts'

const IDLE = 10_000

/** Everything that was heard is acknowledged. */
function acknowledge(peer: HandMadePeer): void {
  const numbers = peer.heard.flatMap(({ level, number }) => (level === Level.OneRtt ? [number] : []))
  peer.send(Level.OneRtt, concat(...numbers.map(number => bytes(FrameType.Ack, number, 0, 0, 0))))
}

function writing(role: 'client' | 'server', size: number, parameters: PeerOptions['parameters']): HandMadePeer {
  const peer = peerOf(role, { transport: { maxIdleTimeout: IDLE }, parameters: parameters ?? {} }).reach('confirmed')
  peer.act(connection => connection.write(connection.openStream('uni') as number, zeros(size), false))
  for (let i = 0; i < 5; i++) {
    acknowledge(peer)
    peer.pass(100)
  }
  return peer
}

describe.each(['client', 'server'] as const)('a connection of a %s', role => {
  test.each([
    ['a stream', FrameType.StreamDataBlocked, { initialMaxStreamDataUni: 3000 }],
    ['the connection', FrameType.DataBlocked, { initialMaxData: 3000 }],
  ])('RFC 9000 §4.1: blocked by the limit of %s, it says so again before the idle timeout', (_, type, parameters) => {
    const peer = writing(role, 5000, parameters)
    for (let round = 0; round < 8; round++) {
      const { length } = peer.frames(type)
      peer.pass(IDLE / 2 - 200)
      expect(peer.frames(type).length).toBe(length)
      peer.pass(300)
      expect(peer.frames(type).length).toBeGreaterThan(length)
      acknowledge(peer)
    }
    peer.expectOpen()
  })

  test('RFC 9000 §4.1: but ends all the same when nobody answers', () => {
    const peer = writing(role, 5000, { initialMaxData: 3000 })
    peer.pass(2 * IDLE)
    expect(peer.frames(FrameType.DataBlocked).length).toBeGreaterThan(1)
    expect(peer.has('closed')).toBe(true)
  })

  test('RFC 9000 §10.1: with all of it acknowledged, nothing keeps it from ending', () => {
    const peer = writing(role, 2000, { initialMaxData: 3000 })
    const { length } = peer.datagrams
    peer.pass(IDLE + 100)
    expect(peer.has('closed')).toBe(true)
    expect(peer.datagrams.length).toBe(length)
  })
})
