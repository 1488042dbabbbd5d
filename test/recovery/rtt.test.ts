import { describe, expect, test } from 'vitest'
import { Space } from '../../src/packet/level.ts'
import { Rtt } from '../../src/recovery/rtt.ts'
import { ack, confirmed, create, send } from './support.ts'

describe('RFC 9002 §A.4: initialization', () => {
  test('smoothed_rtt = kInitialRtt, rttvar = kInitialRtt / 2, no sample', () => {
    const rtt = new Rtt()
    expect(rtt).toMatchObject({ latest: 0, smoothed: 333, variance: 166.5, min: 0, hasSample: false })
  })

  test('RFC 9002 §6.2.2: a remembered RTT may take its place', () => {
    expect(new Rtt(40)).toMatchObject({ smoothed: 40, variance: 20 })
  })
})

describe('RFC 9002 §5.3: smoothed_rtt and rttvar', () => {
  test('the first sample resets the estimator, its acknowledgment delay is not subtracted', () => {
    const rtt = new Rtt()
    rtt.update(100, 20, 1000)
    expect(rtt).toMatchObject({
      latest: 100,
      smoothed: 100,
      variance: 50,
      min: 100,
      hasSample: true,
      firstSampleAt: 1000,
    })
  })

  test('later samples are adjusted by the acknowledgment delay and averaged', () => {
    const rtt = new Rtt()
    rtt.update(100, 0, 1000)
    rtt.update(140, 20, 1100)
    // adjusted 120: rttvar = 3/4 * 50 + 1/4 * |100 - 120|, smoothed = 7/8 * 100 + 1/8 * 120
    expect(rtt).toMatchObject({ latest: 140, variance: 42.5, smoothed: 102.5, min: 100 })
    expect(rtt.firstSampleAt).toBe(1000)
  })

  test('the delay is not subtracted where the result would be below min_rtt', () => {
    const rtt = new Rtt()
    rtt.update(100, 0, 1000)
    rtt.update(110, 20, 1100)
    expect(rtt.smoothed).toBe((7 * 100 + 110) / 8)
  })

  test('it is subtracted when the result is exactly min_rtt', () => {
    const rtt = new Rtt()
    rtt.update(100, 0, 1000)
    rtt.update(120, 20, 1100)
    expect(rtt.smoothed).toBe(100)
  })
})

describe('RFC 9002 §5.2: min_rtt', () => {
  test('is the smallest sample, whatever delay the peer reports', () => {
    const rtt = new Rtt()
    rtt.update(100, 0, 1000)
    rtt.update(80, 50, 1100)
    expect(rtt.min).toBe(80)
    rtt.update(300, 0, 1200)
    expect(rtt.min).toBe(80)
  })

  test('is set to the newest sample after persistent congestion', () => {
    const rtt = new Rtt()
    rtt.update(100, 0, 1000)
    rtt.update(300, 0, 1100)
    rtt.forgetMin()
    expect(rtt.min).toBe(300)
  })
})

describe('RFC 9002 §5.1: generating samples', () => {
  test('the sample is the time since the largest acknowledged was sent', () => {
    const recovery = confirmed()
    send(recovery, Space.Application, 1000)
    send(recovery, Space.Application, 1010)
    recovery.onAck(Space.Application, ack([0, 1]), 0, 1060)
    expect(recovery.rtt.latest).toBe(50)
  })

  test('no sample when the largest acknowledged was acknowledged before', () => {
    const recovery = confirmed()
    send(recovery, Space.Application, 1000)
    send(recovery, Space.Application, 1010)
    recovery.onAck(Space.Application, ack([1, 1]), 0, 1060)
    recovery.onAck(Space.Application, ack([0, 1]), 0, 1065)
    expect(recovery.rtt.latest).toBe(50)
    expect(recovery.rtt.smoothed).toBe(50)
  })

  test('no sample when nothing ack-eliciting is newly acknowledged', () => {
    const recovery = confirmed()
    send(recovery, Space.Application, 1000, { isAckEliciting: false })
    recovery.onAck(Space.Application, ack([0, 0]), 0, 1060)
    expect(recovery.rtt.hasSample).toBe(false)
  })

  test('a sample when the largest is not ack-eliciting, but another one is', () => {
    const recovery = confirmed()
    send(recovery, Space.Application, 1000)
    send(recovery, Space.Application, 1010, { isAckEliciting: false })
    recovery.onAck(Space.Application, ack([0, 1]), 0, 1060)
    expect(recovery.rtt.latest).toBe(50)
  })
})

describe('RFC 9002 §5.3: max_ack_delay', () => {
  const second = (recovery: ReturnType<typeof create>) => {
    recovery.setMaxAckDelay(25)
    send(recovery, Space.Application, 1000)
    recovery.onAck(Space.Application, ack([0, 0]), 0, 1100)
    send(recovery, Space.Application, 2000)
    recovery.onAck(Space.Application, ack([1, 1]), 60, 2200)
    return recovery.rtt.smoothed
  }

  test('limits the delay once the handshake is confirmed', () => {
    expect(second(confirmed())).toBe((7 * 100 + (200 - 25)) / 8)
  })

  test('does not limit it before', () => {
    expect(second(create())).toBe((7 * 100 + (200 - 60)) / 8)
  })
})

test('RFC 9000 §9.4: packets sent on the path before give no sample on this one', () => {
  const recovery = confirmed()
  send(recovery, Space.Application, 1000)
  recovery.onNewPath(70, 1010)
  expect(recovery.rtt).toMatchObject({ smoothed: 70, variance: 35, hasSample: false })
  recovery.onAck(Space.Application, ack([0, 0]), 0, 1100)
  expect(recovery.rtt.hasSample).toBe(false)
  send(recovery, Space.Application, 1110)
  recovery.onAck(Space.Application, ack([1, 1]), 0, 1140)
  expect(recovery.rtt.latest).toBe(30)
})
