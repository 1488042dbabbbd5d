// One property over random operations: the count of bytes in flight is the sum of what is in flight.

import { describe, expect, test } from 'vitest'
import { Space } from '../../src/packet/level.ts'
import { Bbr } from '../../src/recovery/congestion/bbr.ts'
import { Cubic } from '../../src/recovery/congestion/cubic.ts'
import { NewReno } from '../../src/recovery/congestion/new-reno.ts'
import type { Outcome, Recovery } from '../../src/recovery/recovery.ts'
import { ack, create, seeded, send } from './support.ts'

/** The plain twin: every packet that was sent and whose fate is not known. */
class Flight {
  readonly sizes: Map<number, number>[] = [new Map(), new Map(), new Map()]

  settle(outcome: Outcome): void {
    for (const packet of [...outcome.acked, ...outcome.lost]) {
      if (packet.isInFlight) expect(this.sizes[packet.space]?.delete(packet.number)).toBe(true)
    }
  }

  /** RFC 9000 §9.4: what took the path of before is no part of it any more. */
  leavePath(): void {
    for (const space of this.sizes) for (const number of space.keys()) space.set(number, 0)
  }

  get bytes(): number {
    let sum = 0
    for (const space of this.sizes) for (const size of space.values()) sum += size
    return sum
  }
}

describe.each([
  ['CUBIC', (size: number) => new Cubic(size)],
  ['NewReno', (size: number) => new NewReno(size)],
  ['BBR', (size: number) => new Bbr(size)],
])('RFC 9002 §B.2: bytes_in_flight, %s', (_name, congestion) => {
  test.each(Array.from({ length: 12 }, (_, i) => i + 1))('seed %i', seed => {
    const random = seeded(seed)
    const below = (n: number) => Math.floor(random() * n)
    const recovery = create({ isServer: seed % 2 === 0, random, congestion })
    const flight = new Flight()
    const isDiscarded = [false, false, false]
    let now = 1000

    const spaces = () => [Space.Initial, Space.Handshake, Space.Application].filter(space => !isDiscarded[space])
    const anySpace = () => spaces()[below(spaces().length)] as Space

    const sendOne = () => {
      const space = anySpace()
      const isAckEliciting = random() < 0.7
      const isInFlight = isAckEliciting || random() < 0.3
      const size = 30 + below(1171)
      const isEarly = space === Space.Application && random() < 0.2
      const number = send(recovery, space, now, { size, isAckEliciting, isInFlight, isEarly })
      if (isInFlight) flight.sizes[space]?.set(number, size)
    }
    const acknowledge = () => {
      const space = anySpace()
      // Only numbers that were really sent: a skipped one would end the connection.
      const sent = [...(flight.sizes[space] as Map<number, number>).keys()].filter(() => random() < 0.4)
      if (sent.length === 0) return
      const ranges = sent.reverse().map((number): [number, number] => [number, number])
      flight.settle(recovery.onAck(space, ack(...ranges), below(30), now))
    }
    const operate = () => {
      const dice = random()
      if (dice < 0.55) sendOne()
      else if (dice < 0.85) acknowledge()
      else if (dice < 0.96) flight.settle(recovery.onTimeout(now))
      else if (dice < 0.97) flight.settle(recovery.onEarlyRejected(now))
      else if (dice < 0.975) recovery.setAmplificationLimited(random() < 0.5, now)
      else if (dice < 0.978) flight.settle(recovery.onRetry(now))
      else if (dice < 0.981) {
        recovery.onNewPath(undefined, now)
        flight.leavePath()
      } else if (dice < 0.984) recovery.onHandshakeConfirmed(now)
      else if (dice < 0.986 && spaces().length > 1) {
        const space = spaces()[0] as Space
        recovery.discardSpace(space, now)
        flight.sizes[space]?.clear()
        isDiscarded[space] = true
      }
    }

    for (let i = 0; i < 2000; i++) {
      now += random() * 20
      operate()
      expect(recovery.bytesInFlight).toBe(flight.bytes)
      expectSane(recovery)
    }
    for (const space of spaces()) {
      for (const number of [...(flight.sizes[space] as Map<number, number>).keys()]) {
        flight.settle(recovery.onAck(space, ack([number, number]), 0, now))
      }
    }
    expect(recovery.bytesInFlight).toBe(0)
  })
})

function expectSane(recovery: Recovery): void {
  const { congestion, rtt } = recovery
  expect(congestion.window).toBeGreaterThanOrEqual(2400)
  expect(Number.isFinite(congestion.window)).toBe(true)
  expect(Number.isNaN(recovery.nextTimeout())).toBe(false)
  if (!(recovery.pacingRate > 0 && recovery.pacingRate < 1e9)) throw new Error(`paced at ${recovery.pacingRate}`)
  expect(rtt.smoothed).toBeGreaterThanOrEqual(0)
  expect(rtt.variance).toBeGreaterThanOrEqual(0)
}
