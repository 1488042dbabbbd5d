// What all packets of an endpoint are like, whatever happens to it (RFC 9000 §12, §17).

import { describe, expect, test } from 'vitest'
import { toHex } from '../../../src/bytes/hex.ts'
import { type Frame, FrameType } from '../../../src/packet/frames/frame.ts'
import { readHeader } from '../../../src/packet/header.ts'
import { Level, spaceOf } from '../../../src/packet/level.ts'
import { ErrorCode } from '../../../src/packet/transport-error.ts'
import { bytes, concat, zeros } from '../bytes-by-hand.ts'
import { HandMadeClient, type HandMadePeer, type PeerOptions, peerOf } from '../hand-made-peer.ts'

const ping = bytes(FrameType.Ping)
const handshakeFrames: readonly number[] = [
  FrameType.Padding,
  FrameType.Ping,
  FrameType.Ack,
  FrameType.Crypto,
  FrameType.ConnectionClose,
]

/** A long life: a handshake whose answers come late, streams both ways, ids, questions, losses, and an end. */
function life(role: 'client' | 'server', options: PeerOptions = {}): HandMadePeer {
  const transport = { maxDatagramFrameSize: 1000, maxIdleTimeout: 0 }
  const parameters = { maxDatagramFrameSize: 1000 }
  const peer = peerOf(role, { transport, parameters, ...options })
  peer.pass(1000).reach('handshake').pass(2000).reach('confirmed')
  const theirs = role === 'server' ? 0 : 1
  for (let i = 0; i < 20; i++) {
    peer.send(Level.OneRtt, bytes(FrameType.Stream | 0x02, theirs + 4 * i, 3, zeros(3)))
    peer.act(connection => {
      const id = connection.openStream(i % 2 === 0 ? 'bidi' : 'uni')
      if (id !== undefined) connection.write(id, new Uint8Array(500 * i), i % 3 === 0)
      connection.sendDatagram(new Uint8Array(40 * i))
    })
    peer.send(Level.OneRtt, bytes(FrameType.PathChallenge, zeros(8))).pass(300)
    const number = Math.max(...peer.heard.filter(({ level }) => level === Level.OneRtt).map(packet => packet.number))
    if (i % 4 === 3) peer.send(Level.OneRtt, bytes(FrameType.Ack, number, 0, 0, 0))
  }
  return peer.act(connection => connection.close(7, 'enough', peer.now))
}

describe.each(['client', 'server'] as const)('a connection of a %s', role => {
  test('RFC 9000 §12.3: numbers go up in every space and are never used again', () => {
    const last = [-1, -1, -1]
    for (const { level, number } of life(role).heard) {
      expect(number).toBeGreaterThan(last[spaceOf(level)] as number)
      last[spaceOf(level)] = number
    }
    expect(last.every(number => number >= 0)).toBe(true)
  })

  test('RFC 9000 §12.2: all packets of a datagram have one destination id', () => {
    const peer = life(role)
    let coalesced = 0
    for (const { bytes: datagram } of peer.datagrams) {
      const ids = new Set<string>()
      let packets = 0
      for (let pos = 0; pos < datagram.length; packets++) {
        const header = readHeader(datagram, pos, peer.id.length)
        if (header === undefined) throw new Error('no packet')
        ids.add(toHex(header.destination.length === 0 ? datagram.subarray(pos + 1, pos + 9) : header.destination))
        pos = header.end
      }
      if (packets > 1) coalesced++
      expect(ids.size).toBe(1)
    }
    expect(coalesced).toBeGreaterThan(0)
  })

  test('RFC 9000 §12.4, §13.2.7: no packet is without frames, and none is PADDING alone', () => {
    const { heard } = life(role)
    expect(heard.length).toBeGreaterThan(60)
    expect(heard.every(({ frames }) => frames.some(({ type }) => type !== FrameType.Padding))).toBe(true)
  })

  test('RFC 9000 §12.4, §12.5, RFC 9221 §5: frames are in packets that permit them', () => {
    const { heard } = life(role)
    const types = new Set<number>()
    for (const { level, frames } of heard) {
      for (const { type } of frames as readonly Frame[]) {
        types.add(type)
        if (level !== Level.OneRtt) expect(handshakeFrames).toContain(type)
        if (role === 'client') expect([FrameType.NewToken, FrameType.HandshakeDone]).not.toContain(type)
      }
    }
    expect(types).toContain(FrameType.Datagram)
    expect(types).toContain(FrameType.ApplicationClose)
  })

  test('RFC 9000 §17.2, §17.3.1: reserved bits are 0', () => {
    for (const { level, first } of life(role).heard) expect(first & (level === Level.OneRtt ? 0x18 : 0x0c)).toBe(0)
  })

  test('RFC 9000 §17.4: the spin bit is random, and one for each id of the peer', () => {
    const spins = new Set<number>()
    for (let i = 0; i < 40; i++) {
      const { heard } = peerOf(role).reach('confirmed').send(Level.OneRtt, ping).pass(100)
      const bits = heard.flatMap(({ level, first }) => (level === Level.OneRtt ? [first & 0x20] : []))
      expect(new Set(bits).size).toBe(1)
      spins.add(bits[0] as number)
    }
    expect([...spins].sort()).toEqual([0, 0x20])
  })

  test('RFC 9000 §18.2: an ACK is due a little before max_ack_delay, which timers may exceed', () => {
    const peer = peerOf(role).reach('confirmed').send(Level.OneRtt, ping).pass(200)
    const { length } = peer.heard
    peer.send(Level.OneRtt, ping).pass(23)
    expect(peer.heard.length).toBe(length)
    expect(
      peer
        .pass(1)
        .heard.at(-1)
        ?.frames.some(({ type }) => type === FrameType.Ack),
    ).toBe(true)
  })

  test('RFC 9000 §13.2.1: one packet that asks for an ACK gets one answer', () => {
    const peer = peerOf(role).reach('confirmed').send(Level.OneRtt, ping).pass(200)
    const { length } = peer.heard
    peer.send(Level.OneRtt, ping).pass(2000)
    // Probes of what this peer never acknowledges may say it again.
    const answers = peer.heard.slice(length).filter(({ frames }) => frames.every(({ type }) => type === FrameType.Ack))
    expect(answers.length).toBe(1)
  })

  test('RFC 9002 §7.7: an ACK leaves though nothing else may', () => {
    const parameters = { initialMaxStreamDataUni: 100_000 }
    const peer = peerOf(role, { parameters }).reach('confirmed').send(Level.OneRtt, ping).pass(200)
    peer.act(connection => connection.write(connection.openStream('uni') as number, zeros(90_000), false))
    const { bytesInFlight, congestionWindow } = peer.connection.diagnostics
    expect(bytesInFlight + 1200).toBeGreaterThan(congestionWindow)
    const { length } = peer.heard
    peer.send(Level.OneRtt, ping).send(Level.OneRtt, ping)
    const answers = peer.heard.slice(length)
    expect(answers.length).toBeGreaterThan(0)
    expect(answers.every(({ frames }) => frames.every(({ type }) => type === FrameType.Ack))).toBe(true)
  })

  test('RFC 9000 §10.3: no packet is too small to be answered by a reset', () => {
    const idLength = 20
    const peer = peerOf(role, { idLength, id: zeros(0) }).reach('confirmed')
    for (let i = 0; i < 5; i++) peer.send(Level.OneRtt, ping).pass(100)
    const sizes = peer.heard.flatMap(({ level, size }) => (level === Level.OneRtt ? [size] : []))
    expect(sizes.length).toBeGreaterThan(5)
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(22 + idLength)
  })
})

describe('packets that wait for their keys', () => {
  /** The last flight of a client, and a 1-RTT packet that overtakes it by 400 ms. */
  function overtaken(plaintext: (peer: HandMadeClient) => Uint8Array): HandMadeClient {
    const peer = new HandMadeClient()
    peer.speak(Level.Initial)
    peer.act(connection => connection.write(connection.openStream('uni') as number, zeros(10), false))
    peer.send(Level.OneRtt, plaintext(peer))
    peer.pass(400)
    return peer.speak(Level.Handshake)
  }

  test('RFC 9000 §13.2.5: the time a packet waited for its keys is in the ACK delay', () => {
    const [ack] = overtaken(() => ping).frames(FrameType.Ack, Level.OneRtt)
    // In units of 8 microseconds.
    expect(ack?.ackDelay).toBe(400_000 / 8)
  })

  test('RFC 9002 §5.3: the time an ACK waited for its keys is not in the sample', () => {
    const peer = overtaken(({ heard }) => {
      const number = Math.max(...heard.filter(({ level }) => level === Level.OneRtt).map(packet => packet.number))
      return concat(bytes(FrameType.Ack, number, 0, 0, 0))
    })
    expect(peer.connection.statistics().rtt.latest).toBeLessThan(100)
  })

  test('security: an ACK that came before its packet was sent, and waited for its keys: PROTOCOL_VIOLATION', () => {
    const peer = new HandMadeClient().speak(Level.Initial)
    peer.act(connection => connection.write(connection.openStream('uni') as number, zeros(10), false))
    const next = 1 + Math.max(...peer.heard.filter(({ level }) => level === Level.OneRtt).map(({ number }) => number))
    peer.send(Level.OneRtt, bytes(FrameType.Ack, next, 0, 0, 0)).pass(9000)
    peer.act(connection => connection.write(connection.openStream('uni') as number, zeros(10), false))
    peer.speak(Level.Handshake).expectClose(ErrorCode.ProtocolViolation)
  })
})
