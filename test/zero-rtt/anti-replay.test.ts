import { describe, expect, test } from 'vitest'
import type { Psk } from '../../src/tls13/ports.ts'
import {
  gateFrom,
  MAX_RECORDED,
  RefuseEarlyData,
  SingleUse,
  STRIKE_WINDOW,
  StrikeWindow,
} from '../../src/zero-rtt/anti-replay.ts'
import { TicketPsk } from '../../src/zero-rtt/ticket-sealer.ts'
import { attempt, START } from './support.ts'

const key = (number: number) => Uint8Array.of(number >>> 16, number >>> 8, number)
const binder = (number: number) => new Uint8Array(32).fill(number)

function ticket(claimedAge: number, expires = START + 600_000, place = {}): TicketPsk {
  const state = {
    secret: new Uint8Array(32),
    hash: 'sha256',
    issued: START,
    terms: undefined,
    appState: key(0),
  } as const
  return new TicketPsk(state, expires, claimedAge, { isKeyShared: false, isAnywhereGood: false, ...place })
}

test('the default refuses', () => {
  expect(RefuseEarlyData.check(key(1), START, START)).toBe('unknown')
  expect(gateFrom(RefuseEarlyData).admit(attempt(ticket(0), START))).toBe(false)
})

describe('SingleUse', () => {
  test('fresh once', () => {
    const guard = new SingleUse()
    expect(guard.check(key(1), START + 5000, START)).toBe('fresh')
    expect(guard.check(key(1), START + 5000, START + 4999)).toBe('seen')
    expect(guard.check(key(2), START + 5000, START)).toBe('fresh')
  })

  test('a gate made of it admits a binder once', () => {
    const gate = gateFrom(new SingleUse())
    expect(gate.admit(attempt(ticket(0), START, { binder: binder(1) }))).toBe(true)
    expect(gate.admit(attempt(ticket(0), START, { binder: binder(1) }))).toBe(false)
    expect(gate.admit(attempt(ticket(0), START, { binder: binder(2) }))).toBe(true)
  })

  test('is bounded: when full nothing is fresh, and nothing is forgotten for it', () => {
    const guard = new SingleUse(100)
    for (let i = 0; i < 100; i++) expect(guard.check(key(i), START + 60_000, START)).toBe('fresh')
    expect(guard.check(key(100), START + 60_000, START)).toBe('unknown')
    expect(guard.check(key(0), START + 60_000, START)).toBe('seen')
    expect(guard.size).toBe(100)
    // Room again once they expired.
    expect(guard.check(key(100), START + 120_000, START + 61_000)).toBe('fresh')
    expect(guard.size).toBe(1)
  })

  test('the default bound holds under a flood', () => {
    const guard = new SingleUse()
    for (let i = 0; i < MAX_RECORDED + 1000; i++) guard.check(key(i), START + 60_000, START)
    expect(guard.size).toBe(MAX_RECORDED)
  })

  test('a clock set back does not make a forgotten key fresh', () => {
    const guard = new SingleUse()
    guard.check(key(1), START + 1000, START)
    guard.check(key(2), START + 90_000, START + 80_000)
    expect(guard.size).toBe(1)
    expect(guard.check(key(1), START + 1000, START)).toBe('unknown')
  })

  test('a limit that is none is the caller fault', () => {
    for (const limit of [0, -1, 1.5]) expect(() => new SingleUse(limit)).toThrow(RangeError)
  })
})

describe('ticket keys that were handed in, RFC 8446 §8.2', () => {
  const later = START + 5000
  const shared = (place = {}) => ticket(5000, START + 600_000, { isKeyShared: true, ...place })

  test('a guard that does not say since when it remembers takes none', () => {
    for (const gate of [gateFrom(new SingleUse()), new StrikeWindow()]) {
      const asked = attempt(shared(), later)
      expect(gate.admit(asked)).toBe(false)
      expect(asked.refusal).toBe('undecided')
    }
  })

  test('one that does takes tickets that were made since, and no others', () => {
    expect(gateFrom(new SingleUse(), { startedAt: START }).admit(attempt(shared(), later))).toBe(true)
    expect(gateFrom(new SingleUse(), { startedAt: START + 1 }).admit(attempt(shared(), later))).toBe(false)
  })

  test('nothing that another server would take as well', () => {
    const anywhere = shared({ isAnywhereGood: true })
    expect(gateFrom(new SingleUse(), { startedAt: START }).admit(attempt(anywhere, later))).toBe(false)
    expect(new StrikeWindow({ startedAt: 0 }).admit(attempt(anywhere, later))).toBe(false)
  })
})

test('whoever refuses says why, and how far the clocks are apart', () => {
  const gate = new StrikeWindow()
  const asked = attempt(ticket(1000), START + 1040, { binder: binder(1) })
  expect([gate.admit(asked), asked.skew]).toEqual([true, 40])
  const again = attempt(ticket(1000), START + 1050, { binder: binder(1) })
  expect([gate.admit(again), again.refusal, again.skew]).toEqual([false, 'replayed', 50])
  const stale = attempt(ticket(1000), START + 60_000)
  expect([gate.admit(stale), stale.refusal, stale.skew]).toEqual([false, 'expired', 59_000])
})

describe('StrikeWindow, RFC 8446 §8.2-3', () => {
  test('admits a ticket whose claimed age agrees with the clock, once', () => {
    const gate = new StrikeWindow()
    expect(gate.admit(attempt(ticket(5000), START + 5100, { binder: binder(1) }))).toBe(true)
    expect(gate.admit(attempt(ticket(5000), START + 5200, { binder: binder(1) }))).toBe(false)
    expect(gate.admit(attempt(ticket(5000), START + 5200, { binder: binder(2) }))).toBe(true)
  })

  test('refuses a flight that comes too late or too early', () => {
    const gate = new StrikeWindow()
    const at = (claimedAge: number, elapsed: number) => gate.admit(attempt(ticket(claimedAge), START + elapsed))
    expect(at(0, STRIKE_WINDOW + 1)).toBe(false)
    expect(at(STRIKE_WINDOW + 1, 0)).toBe(false)
    expect(at(0, STRIKE_WINDOW)).toBe(true)
  })

  test('a replay is refused at every moment: recorded as long as it is fresh', () => {
    const gate = new StrikeWindow({ window: 3000 })
    const psk = ticket(20_000)
    expect(gate.admit(attempt(psk, START + 17_000))).toBe(true)
    for (let elapsed = 17_000; elapsed <= 40_000; elapsed += 100) {
      expect(gate.admit(attempt(psk, START + elapsed))).toBe(false)
    }
  })

  test('refuses what is no ticket of ours: its age is not known', () => {
    const psk: Psk = { ...ticket(0), kind: 'external' }
    expect(new StrikeWindow().admit(attempt(psk, START, { ticketAge: 0 }))).toBe(false)
  })

  test('RFC 8446 §8.2: refuses while the window reaches back to before the start', () => {
    const gate = new StrikeWindow({ window: 1000, startedAt: START })
    const at = (elapsed: number) => gate.admit(attempt(ticket(elapsed), START + elapsed))
    expect(at(0)).toBe(false)
    expect(at(2000)).toBe(false)
    expect(at(2001)).toBe(true)
  })

  test('is bounded', () => {
    const gate = new StrikeWindow({ limit: 2 })
    const admitted = [1, 2, 3].map(number => gate.admit(attempt(ticket(0), START, { binder: binder(number) })))
    expect(admitted).toEqual([true, true, false])
  })
})
