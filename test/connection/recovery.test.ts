// Loss, probes and windows as a connection shows them (RFC 9002), and datagrams (RFC 9221).

import { describe, expect, test } from 'vitest'
import { FrameType } from '../../src/packet/frames/frame.ts'
import { Level } from '../../src/packet/level.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { Pair } from '../sim/pair.ts'
import { closedWith, frames, OpenPair, pingBytes, Transfer } from './support.ts'

describe('probes (RFC 9002 §6.2)', () => {
  test('an unanswered packet is probed for after a PTO, two packets at a time, ever further apart', () => {
    const pair = new OpenPair().connect()
    pair.world.pass(500)
    pair.client.filter = () => undefined
    pair.client.act(client => client.write(client.openStream('uni') as number, pingBytes, true))
    const start = pair.world.now
    const before = pair.logs.client.sent.length
    pair.world.pass(3000)
    const times = pair.logs.client.sent.slice(before).map(({ now }) => now - start)
    expect(times.length).toBeGreaterThanOrEqual(8)
    const waits = [...new Set(times)].map((time, i, all) => time - (all[i - 1] ?? 0))
    for (let i = 1; i < waits.length; i++) {
      expect((waits[i] as number) / (waits[i - 1] as number)).toBeGreaterThan(1.5)
    }
  })

  test('a probe carries the data again, not only a PING', () => {
    const pair = new OpenPair().connect()
    pair.world.pass(500)
    const isLost = pair.server.filter
    pair.server.filter = () => undefined
    pair.client.act(client => client.write(client.openStream('uni') as number, new Uint8Array(500), true))
    pair.server.filter = isLost
    let lost = true
    pair.server.filter = datagram => {
      const passes = !lost
      lost = false
      return passes ? datagram : undefined
    }
    pair.world.run(() => pair.server.has('readable'), pair.world.now + 1000)
    expect(pair.server.has('readable')).toBe(true)
  })

  test('a probe says again what was received: the answer may be what was lost (RFC 9000 §13.2.1)', () => {
    const pair = new OpenPair({ link: { delay: 10 } }).connect()
    pair.world.pass(500)
    pair.client.filter = () => undefined
    pair.inject('client', Level.OneRtt, pingBytes, { number: 30_000 })
    pair.world.pass(100)
    const before = pair.logs.server.sent.length
    pair.server.act(server => server.write(server.openStream('uni') as number, pingBytes, true))
    pair.world.pass(1000)
    const acknowledged = pair.logs.server.sent
      .slice(before)
      .map(({ frames }) => frames.find(frame => frame.type === FrameType.Ack)?.largestAcknowledged)
    expect(acknowledged.length).toBeGreaterThan(2)
    expect(new Set(acknowledged.slice(1))).toEqual(new Set([30_000]))
    expect(acknowledged[0]).toBeUndefined()
  })

  test('nothing is sent when nothing is unanswered', () => {
    const pair = new Pair({
      client: { transport: { maxIdleTimeout: 0 } },
      server: { transport: { maxIdleTimeout: 0 } },
    })
    pair.connect()
    pair.world.pass(2000)
    const sent = pair.client.sentCount + pair.server.sentCount
    pair.world.pass(100_000)
    expect(pair.client.sentCount + pair.server.sentCount).toBe(sent)
  })

  test('a black hole of two seconds is survived', () => {
    const pair = new Pair({ link: { delay: 20 } }).connect()
    const transfer = new Transfer(pair, 300_000, 300_000).begin()
    transfer.run(pair.world.now + 100)
    pair.client.filter = pair.server.filter = () => undefined
    pair.world.pass(2000)
    pair.client.filter = pair.server.filter = datagram => datagram
    expect(transfer.run()).toBe(true)
    expect(pair.client.has('closed')).toBe(false)
  })
})

describe('what is sent (RFC 9002 §7)', () => {
  test('the first flight after the handshake is no more than the initial window', () => {
    const pair = new Pair({ link: { delay: 50 } }).connect()
    pair.world.pass(1000)
    const before = pair.client.sentBytes
    pair.client.act(client => client.write(client.openStream('uni') as number, new Uint8Array(500_000), true))
    pair.world.pass(99)
    expect(pair.client.sentBytes - before).toBeLessThanOrEqual(14_720)
    expect(pair.client.sentBytes - before).toBeGreaterThan(10_000)
  })

  test('what the pacer holds back leaves when it says, not when a timer fires', () => {
    const pair = new Pair({ link: { delay: 50 } }).connect()
    expect(new Transfer(pair, 200_000, 100).begin().run()).toBe(true)
    pair.world.pass(1000)
    pair.client.act(client => client.write(client.openStream('uni') as number, new Uint8Array(100_000), true))
    expect(pair.client.connection.nextTimeout() - pair.world.now).toBeLessThan(10)
    expect(pair.world.run(() => pair.client.has('streamFinished'), pair.world.now + 5000)).toBe(true)
  })

  test('RFC 9000 §13.2: a lone packet is acknowledged within max_ack_delay, every second one at once', () => {
    const pair = new OpenPair({ link: { delay: 10 } }).connect()
    pair.world.pass(500)
    const acks = (): number => pair.logs.server.frames(FrameType.Ack, Level.OneRtt).length
    const before = acks()
    const id = pair.client.connection.openStream('uni') as number
    pair.client.act(client => client.write(id, pingBytes, false))
    pair.world.pass(11)
    expect(acks()).toBe(before)
    pair.world.pass(25)
    expect(acks()).toBe(before + 1)
    pair.client.act(client => client.write(id, pingBytes, false))
    pair.client.act(client => client.write(id, pingBytes, false))
    pair.world.pass(11)
    expect(acks()).toBe(before + 2)
  })

  test('security: an ACK of a packet that was never sent is a PROTOCOL_VIOLATION (RFC 9000 §13.1)', () => {
    const pair = new OpenPair().connect()
    const ack = frames(w => {
      w.u8(FrameType.Ack)
      w.varint(100_000)
      w.varint(0)
      w.varint(0)
      w.varint(0)
    })
    pair.inject('client', Level.OneRtt, ack)
    expect(closedWith(pair.server)).toBe(ErrorCode.ProtocolViolation)
  })

  test('security: ACKs with thousands of ranges cost nothing, and ours stay small', () => {
    const pair = new OpenPair().connect()
    for (let i = 0; i < 300; i++) pair.inject('client', Level.OneRtt, pingBytes, { number: 20_000 + 2 * i })
    const largest = Math.max(...pair.logs.server.sent.map(({ size }) => size))
    expect(largest).toBeLessThanOrEqual(1200)
    const ranges = pair.logs.server.frames(FrameType.Ack, Level.OneRtt).map(frame => frame.ranges.length / 2)
    expect(Math.max(...ranges)).toBeLessThanOrEqual(32)
  })

  test('the RTT is measured', () => {
    const pair = new Pair({ toServer: { delay: 30 }, toClient: { delay: 50 } }).connect()
    expect(new Transfer(pair, 20_000, 20_000).begin().run()).toBe(true)
    expect(pair.client.connection.rtt.min).toBe(80)
    expect(pair.client.connection.rtt.smoothed).toBeLessThan(120)
  })
})
