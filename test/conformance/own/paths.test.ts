// How an endpoint itself asks paths, and answers (RFC 9000 §8.2, §9.3.3).

import { expect, test } from 'vitest'
import { FrameType } from '../../../src/packet/frames/frame.ts'
import { Level } from '../../../src/packet/level.ts'
import { bytes } from '../bytes-by-hand.ts'
import { HandMadeClient, type HeardPacket, peerAddress, strangeAddress } from '../hand-made-peer.ts'

function count({ frames }: HeardPacket, wanted: number): number {
  return frames.filter(({ type }) => type === wanted).length
}

test('RFC 9000 §8.2.1: never two questions in one packet', () => {
  const peer = new HandMadeClient().reach('complete')
  for (let port = 1; port < 20; port++) {
    peer
      .deliver(peer.packet(Level.OneRtt, bytes(FrameType.Ping), { padTo: 1200 }), { ...strangeAddress, port })
      .pass(700)
  }
  const questions = peer.heard.map(packet => count(packet, FrameType.PathChallenge))
  expect(questions.filter(n => n > 0).length).toBeGreaterThan(10)
  expect(Math.max(...questions)).toBe(1)
})

test('RFC 9000 §8.2.4: an answer is waited for as long as three PTO of a path nobody knows', () => {
  const peer = new HandMadeClient().reach('complete')
  peer.deliver(peer.packet(Level.OneRtt, bytes(FrameType.Ping), { padTo: 1200 }), strangeAddress)
  peer.pass(2990)
  expect(peer.connection.remote).toEqual(strangeAddress)
  peer.pass(100)
  expect(peer.connection.remote).toEqual(peerAddress)
})

test('RFC 9000 §9.3.3: PATH_CHALLENGE on the active path is answered by more than a probe', () => {
  const peer = new HandMadeClient().reach('complete')
  peer.send(Level.OneRtt, bytes(FrameType.PathChallenge, new Uint8Array(8).fill(1)))
  const answer = peer.heard.find(packet => count(packet, FrameType.PathResponse) > 0) as HeardPacket
  expect(count(answer, FrameType.Ack)).toBe(1)
})
