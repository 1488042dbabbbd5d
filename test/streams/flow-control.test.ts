import { describe, expect, test } from 'vitest'
import { ReceiveWindow, SendCredit } from '../../src/streams/flow-control.ts'

describe('SendCredit', () => {
  test('RFC 9000 §4.1: a limit that does not increase is ignored', () => {
    const credit = new SendCredit(10)
    credit.use(4)
    expect(credit.raise(10)).toBe(false)
    expect(credit.raise(3)).toBe(false)
    expect(credit.available).toBe(6)
    expect(credit.raise(20)).toBe(true)
    expect(credit.available).toBe(16)
  })

  test('being blocked is reported once for each limit, and again when the report was lost', () => {
    const credit = new SendCredit(5)
    expect(credit.isBlockedDue).toBe(false)
    credit.use(5)
    expect(credit.isBlockedDue).toBe(true)
    credit.onBlockedSent()
    expect(credit.isBlockedDue).toBe(false)
    credit.onBlockedLost(5)
    expect(credit.isBlockedDue).toBe(true)
    credit.onBlockedSent()
    credit.raise(6)
    credit.use(1)
    expect(credit.isBlockedDue).toBe(true)
    credit.onBlockedSent()
    // RFC 9000 §13.3: only the most recent frame counts.
    credit.onBlockedLost(5)
    expect(credit.isBlockedDue).toBe(false)
  })

  test('starts anew after rejected early data', () => {
    const credit = new SendCredit(5)
    credit.use(5)
    credit.restart(3)
    expect(credit.available).toBe(-3)
    credit.raise(4)
    expect(credit.available).toBe(1)
  })
})

describe('ReceiveWindow', () => {
  test('RFC 9000 §4.2: a new limit is due when half of the window was consumed', () => {
    const window = new ReceiveWindow(100)
    expect(window.canReceive(100)).toBe(true)
    expect(window.canReceive(101)).toBe(false)
    window.receive(100)
    expect(window.canReceive(1)).toBe(false)
    window.consume(49)
    expect(window.isDue).toBe(false)
    window.consume(1)
    expect(window.isDue).toBe(true)
    expect(window.announce()).toBe(150)
    expect(window.isDue).toBe(false)
    expect(window.canReceive(50)).toBe(true)
  })

  test('RFC 9000 §13.3: the most recent limit is sent again when lost, with the value of then', () => {
    const window = new ReceiveWindow(100)
    window.receive(80)
    window.consume(50)
    window.announce()
    window.onLost(100)
    expect(window.isDue).toBe(false)
    window.consume(10)
    window.onLost(150)
    expect(window.isDue).toBe(true)
    expect(window.announce()).toBe(160)
  })

  test('can be tuned, and never takes back what it has promised', () => {
    const window = new ReceiveWindow(100)
    window.resize(400)
    expect(window.isDue).toBe(true)
    expect(window.announce()).toBe(400)
    window.resize(10)
    expect(window.isDue).toBe(false)
    expect(window.announce()).toBe(400)
  })

  test('a window of nothing never opens, and a huge one stays exact', () => {
    const none = new ReceiveWindow(0)
    expect(none.isDue).toBe(false)
    expect(none.canReceive(1)).toBe(false)
    const huge = new ReceiveWindow(Number.MAX_SAFE_INTEGER)
    huge.receive(10)
    huge.consume(10)
    huge.resize(Number.MAX_SAFE_INTEGER)
    expect(huge.announce()).toBe(Number.MAX_SAFE_INTEGER)
  })

  test('steps smaller than half, for counts', () => {
    const window = new ReceiveWindow(16, 16, 1 / 8)
    window.consume(1)
    expect(window.isDue).toBe(false)
    window.consume(1)
    expect(window.announce()).toBe(18)
    const one = new ReceiveWindow(1, 1, 1 / 8)
    one.consume(1)
    expect(one.announce()).toBe(2)
  })
})
