// RFC 9000 §6.2 and §17.2.1, RFC 8999 §6: Version Negotiation packets at a client.

import { expect, test } from 'vitest'
import { FrameType } from '../../../src/packet/frames/frame.ts'
import { Level } from '../../../src/packet/level.ts'
import { bytes, concat, zeros } from '../bytes-by-hand.ts'
import { HandMadeServer } from '../hand-made-peer.ts'

const OTHER = 0xff00001d

test('RFC 9000 §6.2: no version of ours in it: the attempt is abandoned', () => {
  const peer = new HandMadeServer()
  peer.deliver(peer.versionNegotiation([OTHER, 0x0a0a0a0a]))
  expect(peer.connection.isTerminated).toBe(true)
  expect(peer.datagrams.length).toBe(1)
})

test('RFC 9000 §6.2: after any other packet it is discarded', () => {
  const peer = new HandMadeServer().send(Level.Initial, bytes(FrameType.Ping))
  peer.expectDropped(() => peer.deliver(peer.versionNegotiation([OTHER])))
  const retried = new HandMadeServer().retry()
  retried.expectDropped(() => retried.deliver(retried.versionNegotiation([OTHER])))
})

test('RFC 9000 §6.2: with the version we chose it is discarded', () => {
  const peer = new HandMadeServer()
  peer.expectDropped(() => peer.deliver(peer.versionNegotiation([OTHER, 1])))
})

test('RFC 9000 §17.2.1, RFC 8999 §6: the unused bits are ignored', () => {
  for (const unused of [0, 0x2a, 0x3f]) {
    const peer = new HandMadeServer()
    const packet = peer.versionNegotiation([OTHER], unused)
    packet[0] = (packet[0] as number) & ~0x40
    expect(peer.deliver(packet).connection.isTerminated).toBe(true)
  }
})

test('RFC 8999 §6: an answer to other ids than ours is discarded', () => {
  const peer = new HandMadeServer()
  peer.expectDropped(() => peer.deliver(peer.versionNegotiation([OTHER], 0, zeros(8))))
})

test('RFC 8999 §6: without a version, or with a part of one, it is ignored', () => {
  const peer = new HandMadeServer()
  const empty = peer.versionNegotiation([])
  peer.expectDropped(() => peer.deliver(empty))
  peer.expectDropped(() => peer.deliver(concat(empty, zeros(3))))
  peer.expectDropped(() => peer.deliver(peer.versionNegotiation([OTHER]).slice(0, -1)))
})
