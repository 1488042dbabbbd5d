// RFC 9000 §8 and §9: what an address may be sent before it is validated, and what a path is asked.

import { describe, expect, test } from 'vitest'
import type { Address } from '../../../src/connection/path.ts'
import { FrameType } from '../../../src/packet/frames/frame.ts'
import { Level } from '../../../src/packet/level.ts'
import { bytes, concat, zeros } from '../bytes-by-hand.ts'
import {
  HandMadeClient,
  type HandMadePeer,
  HandMadeServer,
  peerAddress,
  peerOf,
  strangeAddress,
} from '../hand-made-peer.ts'

const ping = bytes(FrameType.Ping)
const data = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
const challenge = bytes(FrameType.PathChallenge, data)

function sentTo(peer: HandMadePeer, address: Address): number {
  const datagrams = peer.datagrams.filter(({ to }) => to.host === address.host)
  return datagrams.reduce((sum, datagram) => sum + datagram.bytes.length, 0)
}

describe('a connection of a server', () => {
  test('RFC 9000 §8: three bytes for each of a client that was not heard of again', () => {
    const peer = new HandMadeClient().speak(Level.Initial).pass(20_000)
    expect(sentTo(peer, peerAddress)).toBeGreaterThan(0)
    expect(sentTo(peer, peerAddress)).toBeLessThanOrEqual(3600)
  })

  test('RFC 9000 §8.1: datagrams of which nothing could be used count as well', () => {
    const peer = new HandMadeClient().speak(Level.Initial).pass(3000)
    const before = sentTo(peer, peerAddress)
    expect(before).toBeLessThanOrEqual(3600)
    peer.deliver(concat(Uint8Array.of(0x40), zeros(1199))).pass(10_000)
    expect(sentTo(peer, peerAddress)).toBeGreaterThan(before)
    expect(sentTo(peer, peerAddress)).toBeLessThanOrEqual(7200)
  })

  test('RFC 9000 §8.1: so does the end of a handshake that went wrong', () => {
    const peer = new HandMadeClient().send(Level.Initial, bytes(0x21))
    for (let i = 0; i < 100; i++) peer.deliver(zeros(30))
    expect(sentTo(peer, peerAddress)).toBeLessThanOrEqual(3600)
  })

  test('RFC 9000 §8.2.2: the answer goes where the question came from, and there obeys the limit', () => {
    const peer = new HandMadeClient().reach('complete')
    peer.deliver(peer.packet(Level.OneRtt, challenge), strangeAddress)
    expect(peer.heard.at(-1)?.to).toEqual(strangeAddress)
    expect(peer.frames(FrameType.PathResponse)).toMatchObject([{ data }])
    expect(sentTo(peer, strangeAddress)).toBeLessThanOrEqual(3 * 50)
  })

  test('RFC 9000 §9: a client that is elsewhere is asked whether it is there', () => {
    const peer = new HandMadeClient().reach('complete')
    peer.deliver(peer.packet(Level.OneRtt, ping, { padTo: 1200 }), strangeAddress)
    const asked = peer.heard.filter(packet => packet.frames.some(frame => frame.type === FrameType.PathChallenge))
    expect(asked.map(packet => packet.to.host)).toContain(strangeAddress.host)
    expect(sentTo(peer, strangeAddress)).toBeLessThanOrEqual(3600)
  })

  test('RFC 9000 §9: not before the handshake is confirmed', () => {
    const peer = new HandMadeClient().reach('handshake')
    peer.deliver(peer.packet(Level.Handshake, ping), strangeAddress).pass(3000)
    expect(sentTo(peer, strangeAddress)).toBe(0)
  })

  test('RFC 9000 §9.3.2: when nobody answers there, it goes on where it was', () => {
    const peer = new HandMadeClient().reach('complete')
    peer.deliver(peer.packet(Level.OneRtt, ping, { padTo: 1200 }), strangeAddress).pass(20_000)
    expect(peer.connection.remote).toEqual(peerAddress)
    expect(sentTo(peer, strangeAddress)).toBeLessThanOrEqual(3600)
  })

  test('RFC 9000 §9.3.3: the address it seems to have left is asked as well', () => {
    const peer = new HandMadeClient().reach('complete')
    const before = peer.heard.length
    peer.deliver(peer.packet(Level.OneRtt, ping, { padTo: 1200 }), strangeAddress)
    const asked = peer.heard
      .slice(before)
      .filter(packet => packet.frames.some(frame => frame.type === FrameType.PathChallenge))
    expect(asked.map(packet => packet.to.host)).toContain(peerAddress.host)
  })

  test('RFC 9000 §9.3: from then on everything goes there', () => {
    const peer = new HandMadeClient().reach('complete').pass(100)
    peer.deliver(peer.packet(Level.OneRtt, ping, { padTo: 1200 }), strangeAddress)
    const { length } = peer.datagrams
    peer.act(connection => connection.write(connection.openStream('uni') as number, zeros(100), true))
    expect(peer.datagrams.slice(length).map(({ to }) => to)).toEqual([strangeAddress])
  })

  test('RFC 9000 §9.4: another host is another path: the round trip is measured anew', () => {
    const peer = new HandMadeClient().reach('complete')
    const largest = (): number => peer.heard.findLast(packet => packet.level === Level.OneRtt)?.number as number
    peer.now += 7
    peer.send(Level.OneRtt, concat(ping, bytes(FrameType.Ack, largest(), 0, 0, 0)))
    expect(peer.connection.rtt.smoothed).toBeLessThan(10)
    peer.deliver(peer.packet(Level.OneRtt, ping, { padTo: 1200 }), strangeAddress)
    expect(peer.connection.rtt.smoothed).toBe(333)
  })

  test('RFC 9000 §9.5: a client that moves on purpose, to a new id of ours, is sent a new id of its own', () => {
    const peer = new HandMadeClient().reach('complete')
    const spare = new Uint8Array(8).fill(1)
    peer.send(Level.OneRtt, bytes(FrameType.NewConnectionId, 1, 0, 8, spare, zeros(16)))
    const { id } = peer.frames(FrameType.NewConnectionId)[0] as { id: Uint8Array }
    const before = peer.heard.length
    peer.deliver(peer.packet(Level.OneRtt, ping, { padTo: 1200, destination: id }), strangeAddress)
    const there = peer.heard.slice(before).filter(packet => packet.to.host === strangeAddress.host)
    expect(there.length).toBeGreaterThan(0)
    for (const packet of there) expect(packet.destination).toEqual(spare)
  })

  test('RFC 9000 §8.2.1: what is asked is never the same', () => {
    const peer = new HandMadeClient().reach('complete')
    peer.deliver(peer.packet(Level.OneRtt, ping, { padTo: 1200 }), strangeAddress)
    const asked = peer.frames(FrameType.PathChallenge).map(frame => frame.data.join())
    expect(new Set(asked).size).toBe(asked.length)
    expect(asked.length).toBeGreaterThan(1)
  })
})

describe('a connection of a client', () => {
  test('RFC 9000 §9: packets from an address that is not that of the server are dropped', () => {
    const peer = new HandMadeServer().reach('confirmed')
    peer.expectDropped(() => peer.deliver(peer.packet(Level.OneRtt, ping), strangeAddress))
  })

  test('RFC 9000 §8.1: every datagram with an Initial has 1,200 bytes, and probes go on', () => {
    const peer = new HandMadeServer().pass(5000)
    expect(peer.datagrams.length).toBeGreaterThan(2)
    for (const datagram of peer.datagrams) expect(datagram.bytes.length).toBeGreaterThanOrEqual(1200)
  })
})

describe.each(['client', 'server'] as const)('a connection of a %s', role => {
  test('RFC 9000 §8.2.2: one answer to one challenge, in a datagram of 1,200 bytes', () => {
    const peer = peerOf(role).reach('confirmed').send(Level.OneRtt, challenge, { padTo: 1200 }).pass(3000)
    const answers = peer.heard.filter(packet => packet.frames.some(frame => frame.type === FrameType.PathResponse))
    expect(answers.map(packet => packet.size)).toEqual([1200])
  })

  test('RFC 9000 §8.2.1: a small datagram with a challenge is not dropped', () => {
    const peer = peerOf(role).reach('confirmed').send(Level.OneRtt, challenge)
    expect(peer.frames(FrameType.PathResponse)).toMatchObject([{ data }])
  })

  test('RFC 9000 §19.18: an answer to what was never asked changes nothing', () => {
    peerOf(role).reach('confirmed').send(Level.OneRtt, bytes(FrameType.PathResponse, data)).expectOpen()
  })
})
