// RFC 9287: packets whose QUIC bit is not set, from peers and to them.

import { describe, expect, test } from 'vitest'
import { Writer } from '../../../src/bytes/writer.ts'
import { nodeBackend } from '../../../src/crypto/backend-node.ts'
import { TLS_AES_128_GCM_SHA256 } from '../../../src/crypto/cipher-suite.ts'
import { initialSecrets } from '../../../src/crypto/initial-keys.ts'
import { directionKeys } from '../../../src/crypto/packet-protection.ts'
import { FrameType } from '../../../src/packet/frames/frame.ts'
import { clearQuicBit, hasQuicBit, writeLongHeader } from '../../../src/packet/header.ts'
import { Level } from '../../../src/packet/level.ts'
import { ErrorCode } from '../../../src/packet/transport-error.ts'
import { OpenPair, pingBytes, type Side, Transfer } from '../../connection/support.ts'
import { echo, eventually, Stranger, server } from '../../endpoint/helpers.ts'
import { bytes, concat, parameter, zeros } from '../bytes-by-hand.ts'
import { type HandMadePeer, peerOf } from '../hand-made-peer.ts'

const QUIC_BIT = 0x40
const GREASE_QUIC_BIT = 0x2ab2
const ping = concat(pingBytes, zeros(3))
const off = { transport: { greaseQuicBit: false } }

/** How many of the datagrams, from `first` on, begin with a packet that lacks the bit. */
function cleared(datagrams: readonly Uint8Array[], first = 0): number {
  return datagrams.slice(first).filter(datagram => !hasQuicBit(datagram, 0)).length
}

function sentBy(peer: HandMadePeer): Uint8Array[] {
  return peer.datagrams.map(datagram => datagram.bytes)
}

describe.each(['client', 'server'] as const)('a connection of a %s', role => {
  test('RFC 9287 §3: grease_quic_bit with a value', () => {
    const rawParameters = (encoded: Uint8Array): Uint8Array => concat(encoded, parameter(GREASE_QUIC_BIT, 0))
    peerOf(role, { rawParameters }).reach('complete').expectClose(ErrorCode.TransportParameterError)
  })

  test.each([
    [Level.Initial, 'initial'],
    [Level.Handshake, 'handshake'],
    [Level.OneRtt, 'confirmed'],
  ] as const)('RFC 9287 §3: a packet without the QUIC bit is taken (level %d)', (level, stage) => {
    const peer = peerOf(role).reach(stage)
    const { packetsReceived } = peer.connection.stats
    peer.send(level, ping, { clear: QUIC_BIT }).expectOpen()
    expect(peer.connection.stats.packetsReceived).toBe(packetsReceived + 1)
  })

  test('RFC 9287 §3: who does not offer it drops such packets', () => {
    const peer = peerOf(role, off).reach('confirmed')
    peer.expectDropped(() => peer.send(Level.OneRtt, ping, { clear: QUIC_BIT }))
  })

  test('RFC 9287 §3.1: the bit of packets is random once the peer has said that it does not look', () => {
    const peer = peerOf(role, { parameters: { greaseQuicBit: true } }).reach('confirmed')
    const { length } = peer.datagrams
    for (let i = 0; i < 200; i++) peer.send(Level.OneRtt, ping).pass(30)
    const sent = peer.datagrams.length - length
    expect(sent).toBeGreaterThanOrEqual(200)
    expect(cleared(sentBy(peer), length)).toBeGreaterThan(sent / 4)
    expect(cleared(sentBy(peer), length)).toBeLessThan((sent * 3) / 4)
  })

  test('RFC 9287 §3.1: the bit is set in every packet to a peer that has not said so', () => {
    for (const options of [{}, { ...off, parameters: { greaseQuicBit: true } }]) {
      const peer = peerOf(role, options).reach('confirmed')
      for (let i = 0; i < 50; i++) peer.send(Level.OneRtt, ping).pass(30)
      expect(cleared(sentBy(peer))).toBe(0)
    }
  })
})

test('RFC 9287 §3.1: a client sets the bit until it has the parameters of the server', () => {
  for (let i = 0; i < 20; i++) {
    const peer = peerOf('client', { parameters: { greaseQuicBit: true } }).pass(2000)
    expect(peer.datagrams.length).toBeGreaterThan(1)
    expect(cleared(sentBy(peer))).toBe(0)
  }
})

test('RFC 9287 §3.1: a transfer between two who do not look at the bit', () => {
  const pair = new OpenPair().connect()
  expect(new Transfer(pair, 100_000, 100_000).begin().run()).toBe(true)
  for (const side of ['client', 'server'] satisfies Side[]) {
    const { sent } = pair[side]
    expect(cleared(sent)).toBeGreaterThan(sent.length / 4)
    expect(cleared(sent)).toBeLessThan((sent.length * 3) / 4)
    expect(pair[side].connection.stats.packetsDropped).toBe(0)
  }
})

/** An Initial packet of 1,200 bytes with a PING, without the QUIC bit. */
function initial(token: Uint8Array): Uint8Array {
  const destination = zeros(8)
  const writer = Writer.allocate(1200)
  const lengthAt = writeLongHeader(writer, Level.Initial, 1, destination, zeros(5), token, 4)
  const numberOffset = writer.pos
  writer.put(bytes(zeros(4), FrameType.Ping))
  writer.zeros(1200 - 16 - writer.pos)
  writer.patchVarint2(lengthAt, 1200 - numberOffset)
  clearQuicBit(writer.bytes, 0)
  const secret = initialSecrets(nodeBackend, 1, destination).client
  const keys = directionKeys(nodeBackend, 1, TLS_AES_128_GCM_SHA256, secret)
  keys.packet.seal(writer.bytes, 0, numberOffset, 4, writer.pos, 0)
  return writer.bytes
}

/** Whether a server thinks of letting in who sent this. */
async function isConsidered(datagram: Uint8Array, options: object = {}): Promise<boolean> {
  let isAsked = false
  const admit = (): 'ignore' => {
    isAsked = true
    return 'ignore'
  }
  const { address, endpoint } = await server(echo, { admit, ...options })
  await (await Stranger.at()).send(datagram, address)
  expect(await eventually(() => endpoint.statistics().datagramsReceived === 1)).toBe(true)
  return isAsked
}

test('RFC 9287 §3.1: the first packet of a client lacks the bit only beside a token', async () => {
  const token = nodeBackend.random(40)
  expect(await isConsidered(initial(token))).toBe(true)
  expect(await isConsidered(initial(zeros(0)))).toBe(false)
  expect(await isConsidered(initial(token), off)).toBe(false)
})
