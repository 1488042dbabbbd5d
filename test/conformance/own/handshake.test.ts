// What an endpoint itself says in the handshake: ids, tokens, parameters, early data (RFC 9000 §7.2, §8.1.3, §17.2).

import { expect, test } from 'vitest'
import { toHex } from '../../../src/bytes/hex.ts'
import { Reader } from '../../../src/bytes/reader.ts'
import { FrameType } from '../../../src/packet/frames/frame.ts'
import { PacketKind, readHeader } from '../../../src/packet/header.ts'
import { Level } from '../../../src/packet/level.ts'
import { provisioned } from '../../connection/early.ts'
import { OpenPair } from '../../connection/support.ts'
import { bytes } from '../bytes-by-hand.ts'
import { HandMadeClient, type HandMadePeer, HandMadeServer, peerOf } from '../hand-made-peer.ts'

/** Of the first packet of each datagram, in order. */
function ids(peer: HandMadePeer, which: 'source' | 'destination'): string[] {
  return peer.datagrams.flatMap(({ bytes: datagram }) => {
    const header = readHeader(datagram, 0, peer.id.length)
    return header === undefined || header.kind === PacketKind.OneRtt ? [] : [toHex(header[which])]
  })
}

test('RFC 9000 §7.2: a client has one destination id until the server has spoken', () => {
  const peer = new HandMadeServer().pass(5000)
  expect(ids(peer, 'destination').length).toBeGreaterThan(3)
  expect(new Set(ids(peer, 'destination')).size).toBe(1)
})

test('RFC 9000 §7.2: what a server says goes to the source id of the first Initial', () => {
  const peer = new HandMadeClient().reach('handshake').pass(2000)
  expect(new Set(ids(peer, 'destination'))).toEqual(new Set([toHex(peer.id)]))
})

test('RFC 9000 §8.1.3: a token of NEW_TOKEN is in every Initial', () => {
  const token = Uint8Array.of(4, 5, 6)
  const peer = new HandMadeServer({ client: { token } }).pass(2000)
  peer.speak(Level.Initial)
  const initials = peer.heard.filter(({ level }) => level === Level.Initial)
  expect(initials.length).toBeGreaterThan(2)
  expect(initials.every(packet => toHex(packet.token) === '040506')).toBe(true)
})

test('RFC 9000 §8.1.3: the token of a Retry is not remembered, and replaces another one', () => {
  const peer = new HandMadeServer({ client: { token: Uint8Array.of(4, 5, 6) } })
  peer.retry(Uint8Array.of(7, 7, 7))
  expect(toHex(peer.heard.at(-1)?.token as Uint8Array)).toBe('070707')
  expect(peer.has('newToken')).toBe(false)
})

test('RFC 9000 §17.2.2: no token in an Initial of the server', () => {
  const peer = new HandMadeClient().reach('handshake').pass(2000)
  const initials = peer.heard.filter(({ level }) => level === Level.Initial)
  expect(initials.length).toBeGreaterThan(1)
  expect(initials.every(({ token }) => token.length === 0)).toBe(true)
})

test('RFC 9000 §17.2.3: no 0-RTT packet after the handshake', () => {
  const { resumption, server } = provisioned()
  const pair = new OpenPair({ client: { resumption, earlyData: true }, server })
  pair.start(client => client.write(client.openStream('bidi') as number, new Uint8Array(100), false))
  pair.world.run(() => pair.client.has('handshakeComplete'), 5000)
  const before = pair.logs.client.sent.length
  expect(pair.logs.client.sent.some(({ level }) => level === Level.ZeroRtt)).toBe(true)
  pair.client.act(client => client.write(client.openStream('bidi') as number, new Uint8Array(100), true))
  pair.world.pass(500)
  const after = pair.logs.client.sent.slice(before)
  expect(after.length).toBeGreaterThan(1)
  expect(after.some(({ level }) => level === Level.ZeroRtt)).toBe(false)
})

test('RFC 9000 §17.2.5.2: the source id stays after a Retry', () => {
  const peer = new HandMadeServer().retry()
  expect(peer.datagrams.length).toBeGreaterThan(1)
  expect(new Set(ids(peer, 'source')).size).toBe(1)
})

/** The ids of transport parameters that a connection in `role` declares. */
function declared(role: 'client' | 'server'): number[] {
  const reader = new Reader(peerOf(role).reach('complete').declared)
  const found: number[] = []
  while (!reader.isDone) {
    found.push(reader.varint())
    reader.skip(reader.varint())
  }
  return found
}

test('RFC 9000 §18.2: a client sends no parameter of servers', () => {
  expect(declared('client').length).toBeGreaterThan(5)
  for (const id of [0x00, 0x02, 0x0d, 0x10]) expect(declared('client')).not.toContain(id)
})

test.each(['client', 'server'] as const)('RFC 9000 §7.4: no parameter is declared twice by a %s', role => {
  for (let i = 0; i < 20; i++) {
    const ids = declared(role)
    expect(new Set(ids).size).toBe(ids.length)
  }
})

test('RFC 9002 §6.2: a probe timeout makes no packet lost', () => {
  const peer = new HandMadeServer().pass(8000)
  expect(peer.heard.length).toBeGreaterThan(4)
  expect(peer.connection.diagnostics.packetsLost).toBe(0)
})

test('RFC 9000 §19.20: HANDSHAKE_DONE comes once the handshake is complete', () => {
  const peer = new HandMadeClient().reach('handshake').pass(500)
  expect(peer.frames(FrameType.HandshakeDone)).toEqual([])
  peer.speak(Level.Handshake)
  expect(peer.frames(FrameType.HandshakeDone)).toHaveLength(1)
})

test('RFC 9002 §6.2.2.1, §6.2.4: with nothing to repeat a probe of a client is a PING in a full datagram', () => {
  const peer = new HandMadeServer().send(Level.Initial, bytes(FrameType.Ack, 0, 0, 0, 0)).pass(3000)
  const pings = peer.heard.filter(({ frames }) => frames.some(({ type }) => type === FrameType.Ping))
  expect(pings.length).toBeGreaterThan(0)
  expect(pings.every(({ level, size }) => level === Level.Initial && size >= 1200)).toBe(true)
})
