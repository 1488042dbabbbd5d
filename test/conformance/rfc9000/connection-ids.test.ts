// RFC 9000 §5, §19.15 and §19.16: ids that a peer issues and retires, and packets that belong to nobody.

import { describe, expect, test } from 'vitest'
import { toHex } from '../../../src/bytes/hex.ts'
import { FrameType } from '../../../src/packet/frames/frame.ts'
import { Level } from '../../../src/packet/level.ts'
import { ErrorCode } from '../../../src/packet/transport-error.ts'
import { bytes, concat, MAX_VARINT, type Part, zeros } from '../bytes-by-hand.ts'
import { HandMadeServer, type PeerOptions, peerOf } from '../hand-made-peer.ts'

const { ConnectionIdLimitError, FrameEncodingError, ProtocolViolation } = ErrorCode
const ping = bytes(FrameType.Ping)

function idOf(seed: number, length = 8): Uint8Array {
  return new Uint8Array(length).fill(seed)
}

/** NEW_CONNECTION_ID; the id is that of its sequence number unless given. */
function issue(sequence: Part, retirePriorTo: Part = 0, id: Uint8Array = idOf(Number(sequence) & 0xff)): Uint8Array {
  return bytes(FrameType.NewConnectionId, sequence, retirePriorTo, Uint8Array.of(id.length), id, idOf(7, 16))
}

function retire(sequence: Part): Uint8Array {
  return bytes(FrameType.RetireConnectionId, sequence)
}

describe.each(['client', 'server'] as const)('a connection of a %s', role => {
  const noIdOfPeer: PeerOptions = { id: zeros(0) }
  const noIdOfOurs: PeerOptions = { idLength: 0 }
  const violations: [title: string, code: number, frame: Uint8Array, options?: PeerOptions][] = [
    // The one of the handshake, and four more: our limit is four.
    [
      'RFC 9000 §5.1.1: more ids than active_connection_id_limit',
      ConnectionIdLimitError,
      concat(issue(1), issue(2), issue(3), issue(4)),
    ],
    [
      'RFC 9000 §5.1.1: more ids than active_connection_id_limit, after some were retired',
      ConnectionIdLimitError,
      concat(issue(1), issue(2), issue(3), issue(4, 1), issue(5)),
    ],
    ['RFC 9000 §19.15: an id of no bytes', FrameEncodingError, issue(1, 0, zeros(0))],
    ['RFC 9000 §19.15: an id of 21 bytes', FrameEncodingError, issue(1, 0, idOf(1, 21))],
    ['RFC 9000 §19.15: Retire Prior To above the sequence number', FrameEncodingError, issue(1, 2)],
    ['RFC 9000 §19.15: the largest Retire Prior To there is', FrameEncodingError, issue(1, MAX_VARINT)],
    ['RFC 9000 §5.1.1: the largest sequence number there is', ProtocolViolation, issue(MAX_VARINT)],
    ['RFC 9000 §19.15: two ids under one sequence number', ProtocolViolation, concat(issue(1), issue(1, 0, idOf(9)))],
    ['RFC 9000 §19.15: one id under two sequence numbers', ProtocolViolation, concat(issue(1), issue(2, 0, idOf(1)))],
    ['RFC 9000 §19.15: an id from a peer that uses none', ProtocolViolation, issue(1), noIdOfPeer],
    ['RFC 9000 §19.16: an id is retired that was never issued', ProtocolViolation, retire(99)],
    ['RFC 9000 §19.16: the last id there is is retired', ProtocolViolation, retire(MAX_VARINT)],
    ['RFC 9000 §19.16: the id of the packet itself is retired', ProtocolViolation, retire(0)],
    ['RFC 9000 §19.16: an id is retired where there is none', ProtocolViolation, retire(0), noIdOfOurs],
  ]
  test.each(violations)('%s', (_, code, frame, options) => {
    peerOf(role, options).reach('confirmed').send(Level.OneRtt, frame).expectClose(code)
  })

  test('RFC 9000 §5.1.1: as many ids as active_connection_id_limit, more with Retire Prior To', () => {
    const peer = peerOf(role).reach('confirmed')
    peer.send(Level.OneRtt, concat(issue(1), issue(2), issue(3), issue(4, 1), issue(5, 2), issue(9, 9)))
    peer.expectOpen()
    expect(peer.frames(FrameType.RetireConnectionId).map(frame => frame.sequence)).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('RFC 9000 §5.1.1: packets to any id we issued are taken until it is retired', () => {
    const peer = peerOf(role).reach('confirmed')
    const issued = peer.frames(FrameType.NewConnectionId)
    expect(issued.length).toBeGreaterThan(0)
    for (const { id } of issued) peer.send(Level.OneRtt, ping, { destination: id })
    expect(peer.connection.stats.packetsDropped).toBe(0)
    const [first] = issued
    peer.send(Level.OneRtt, retire(0), { destination: first?.id as Uint8Array }).expectOpen()
    expect(peer.retired.map(toHex)).toEqual([toHex(peer.destination)])
  })

  test('RFC 9000 §5.1.2: Retire Prior To: those ids are used no more, and retired', () => {
    const peer = peerOf(role).reach('confirmed')
    const before = peer.heard.length
    peer.send(Level.OneRtt, issue(3, 3)).send(Level.OneRtt, ping).pass(100)
    const after = peer.heard.slice(before)
    expect(after.length).toBeGreaterThan(0)
    for (const packet of after) expect(packet.destination).toEqual(idOf(3))
    expect(peer.frames(FrameType.RetireConnectionId).map(frame => frame.sequence)).toContain(0)
  })

  test('RFC 9000 §5.1.2: more retirements than we can get acknowledged', () => {
    const peer = peerOf(role).reach('confirmed')
    for (let sequence = 1; sequence <= 200 && !peer.close; sequence++)
      peer.send(Level.OneRtt, issue(sequence, sequence))
    peer.expectClose(ConnectionIdLimitError)
  })

  test('RFC 9000 §19.15: the same frame again is no error', () => {
    peerOf(role)
      .reach('confirmed')
      .send(Level.OneRtt, concat(issue(1), issue(1)))
      .send(Level.OneRtt, issue(1))
      .expectOpen()
  })

  test('RFC 9000 §19.15: a Retire Prior To that does not increase is ignored', () => {
    const peer = peerOf(role)
      .reach('confirmed')
      .send(Level.OneRtt, concat(issue(2, 2), issue(3, 1), issue(4, 0)))
    peer.expectOpen()
    expect(peer.frames(FrameType.RetireConnectionId).map(frame => frame.sequence)).toEqual([0])
  })

  test('RFC 9000 §19.15: an id below an earlier Retire Prior To is retired at once', () => {
    const peer = peerOf(role)
      .reach('confirmed')
      .send(Level.OneRtt, concat(issue(5, 5), issue(2)))
    peer.expectOpen()
    expect(peer.frames(FrameType.RetireConnectionId).map(frame => frame.sequence)).toEqual([0, 2])
  })

  test('RFC 9000 §5.2: a packet that was not sealed by the peer is dropped', () => {
    const peer = peerOf(role).reach('handshake')
    for (const level of [Level.Initial, Level.Handshake]) {
      const packet = peer.packet(level, ping)
      packet[packet.length - 1] = (packet.at(-1) as number) ^ 1
      peer.expectDropped(() => peer.deliver(packet))
    }
  })
})

describe('a connection of a client', () => {
  test.each([2, 0x6b3343cf, 0xff00001d])('RFC 9000 §5.2.1: a packet of another version is dropped (%d)', version => {
    const peer = new HandMadeServer()
    peer.expectDropped(() => peer.send(Level.Initial, ping, { version }))
    peer.reach('complete')
    expect(peer.connection.isHandshakeComplete).toBe(true)
  })
})
