import { describe, expect, test } from 'vitest'
import { FrameType } from '../../src/packet/frames/frame.ts'
import { Space } from '../../src/packet/level.ts'
import { ErrorCode, TransportError } from '../../src/packet/transport-error.ts'
import { MAX_SKIPPED_NUMBERS } from '../../src/recovery/number-space.ts'
import type { Recovery } from '../../src/recovery/recovery.ts'
import { ack, confirmed, create, seeded, send } from './support.ts'

const App = Space.Application

function fault(act: () => unknown): TransportError {
  try {
    act()
  } catch (error) {
    if (error instanceof TransportError) return error
  }
  throw new Error('no TransportError')
}

/** Sends until `count` numbers were skipped; returns them. */
function skipped(recovery: Recovery, count: number): number[] {
  const result: number[] = []
  for (let expected = 0; result.length < count; expected++) {
    const number = send(recovery, App, 1000, { size: 30 })
    if (number !== expected) result.push(expected++)
  }
  return result
}

describe('RFC 9000 §13.1: an ACK of a packet that was not sent', () => {
  test('ends the connection', () => {
    const recovery = confirmed()
    send(recovery, App, 1000)
    const error = fault(() => recovery.onAck(App, ack([0, 1]), 0, 1100))
    expect(error).toMatchObject({ code: ErrorCode.ProtocolViolation, frameType: FrameType.Ack })
  })

  test('also before anything was sent', () => {
    expect(fault(() => create().onAck(Space.Initial, ack([0, 0]), 0, 1000)).code).toBe(ErrorCode.ProtocolViolation)
  })

  test('changes nothing else', () => {
    const recovery = confirmed()
    send(recovery, App, 1000)
    fault(() => recovery.onAck(App, ack([0, 1]), 0, 1100))
    expect(recovery.bytesInFlight).toBe(1200)
    expect(recovery.largestAcknowledged(App)).toBe(-1)
  })
})

describe('RFC 9000 §21.4: optimistic ACKs', () => {
  test('numbers are skipped at random, ever more rarely', () => {
    const recovery = confirmed({ random: seeded(7) })
    const gaps = skipped(recovery, 8)
    expect(gaps[0]).toBeLessThan(520)
    expect(gaps[7]).toBeGreaterThan(2000)
    const others = skipped(confirmed({ random: seeded(8) }), 1)
    expect(others[0]).not.toBe(gaps[0])
  })

  test('not in handshakes', () => {
    const recovery = create({ random: () => 0 })
    for (let i = 0; i < 600; i++) {
      expect(send(recovery, Space.Initial, 1000)).toBe(i)
      expect(send(recovery, Space.Handshake, 1000)).toBe(i)
    }
  })

  test('number 0 is never left out', () => {
    expect(create({ random: () => 0 }).nextNumber(App)).toBe(0)
  })

  test('nextNumber is the same until it is used', () => {
    const recovery = confirmed({ random: () => 0 })
    send(recovery, App, 1000)
    expect(recovery.nextNumber(App)).toBe(2)
    expect(recovery.nextNumber(App)).toBe(2)
  })

  test('an ACK of a skipped number ends the connection, wherever in the ranges it is', () => {
    const recovery = confirmed({ random: seeded(7) })
    const [a, b] = skipped(recovery, 2) as [number, number]
    const last = recovery.nextNumber(App) - 1
    const bad = [
      ack([a, a]),
      ack([0, last]),
      ack([b - 1, b]),
      ack([b, b + 1]),
      ack([last, last], [a - 1, a + 1], [0, 2]),
    ]
    for (const frame of bad)
      expect(fault(() => recovery.onAck(App, frame, 0, 1100)).code).toBe(ErrorCode.ProtocolViolation)
    const good = recovery.onAck(App, ack([b + 1, last], [a + 1, b - 1], [0, a - 1]), 0, 1100)
    expect(good.acked).toHaveLength(last - 1)
    expect(recovery.bytesInFlight).toBe(0)
  })

  test('only so many are remembered', () => {
    // The smallest draws: every second number is left out.
    const recovery = confirmed({ random: () => 0 })
    for (let i = 0; i <= MAX_SKIPPED_NUMBERS; i++) send(recovery, App, 1000)
    fault(() => recovery.onAck(App, ack([3, 3]), 0, 1100))
    expect(recovery.onAck(App, ack([0, 1]), 0, 1100).acked).toHaveLength(1)
  })
})
