// What an endpoint does with its own connection ids (RFC 9000 §5.1, §10.3.2, §19.15-16).

import { describe, expect, test } from 'vitest'
import { toHex } from '../../../src/bytes/hex.ts'
import { FrameType } from '../../../src/packet/frames/frame.ts'
import { Level } from '../../../src/packet/level.ts'
import { bytes, concat, zeros } from '../bytes-by-hand.ts'
import { type HandMadePeer, peerOf } from '../hand-made-peer.ts'

const ROUNDS = 50

/** A peer that retires each id as soon as it has another one. */
function restless(role: 'client' | 'server'): HandMadePeer {
  const peer = peerOf(role).reach('confirmed')
  for (let sequence = 0; sequence < ROUNDS; sequence++) {
    const next = issued(peer).find(frame => frame.sequence > sequence)
    peer.destination = next?.id as Uint8Array
    peer.send(Level.OneRtt, bytes(FrameType.RetireConnectionId, sequence)).pass(50)
  }
  peer.expectOpen()
  return peer
}

function issued(peer: HandMadePeer): { sequence: number; retirePriorTo: number; id: Uint8Array; token: string }[] {
  const seen = new Map<number, { sequence: number; retirePriorTo: number; id: Uint8Array; token: string }>()
  for (const { sequence, retirePriorTo, id, statelessResetToken } of peer.frames(FrameType.NewConnectionId)) {
    seen.set(sequence, { sequence, retirePriorTo, id, token: toHex(statelessResetToken) })
  }
  return [...seen.values()]
}

describe.each(['client', 'server'] as const)('a connection of a %s', role => {
  test('RFC 9000 §5.1.1: sequence numbers go up by one', () => {
    const numbers = issued(restless(role)).map(({ sequence }) => sequence)
    expect(numbers.length).toBeGreaterThan(ROUNDS)
    expect(numbers).toEqual(numbers.map((_, i) => i + 1))
  })

  test('RFC 9000 §5.1, §10.3.2: no id is issued twice, and every id has a reset token of its own', () => {
    const all = issued(restless(role))
    expect(new Set(all.map(({ id }) => toHex(id))).size).toBe(all.length)
    expect(new Set(all.map(({ token }) => token)).size).toBe(all.length)
  })

  test('RFC 9000 §5.1.2, §19.15: nothing asks the peer to retire an id', () => {
    expect(issued(restless(role)).every(({ retirePriorTo }) => retirePriorTo === 0)).toBe(true)
  })

  test('RFC 9000 §19.16: no id is retired in a packet that has it', () => {
    const peer = peerOf(role).reach('confirmed')
    const ids = [peer.id]
    for (let sequence = 1; sequence < 40; sequence++) {
      ids.push(new Uint8Array(8).fill(sequence))
      const content = concat(new Uint8Array(8).fill(sequence), zeros(15), Uint8Array.of(sequence))
      peer.send(Level.OneRtt, bytes(FrameType.NewConnectionId, sequence, sequence, 8, content)).pass(50)
      // All that was said so far has arrived.
      const number = Math.max(...peer.heard.filter(({ level }) => level === Level.OneRtt).map(packet => packet.number))
      peer.send(Level.OneRtt, bytes(FrameType.Ack, number, 0, 0, 0))
    }
    peer.expectOpen()
    let retirements = 0
    for (const { frames, destination } of peer.heard) {
      for (const frame of frames) {
        if (frame.type !== FrameType.RetireConnectionId) continue
        retirements++
        expect(toHex(destination)).not.toBe(toHex(ids[frame.sequence] as Uint8Array))
      }
    }
    expect(retirements).toBeGreaterThanOrEqual(39)
  })
})
