// What recovery does with a path: senders with more data than it carries, at one bottleneck.

import { describe, expect, test } from 'vitest'
import { bbr } from '../../src/recovery/congestion/bbr.ts'
import type { CongestionFactory } from '../../src/recovery/congestion/controller.ts'
import { cubic } from '../../src/recovery/congestion/cubic.ts'
import { newReno } from '../../src/recovery/congestion/new-reno.ts'
import { Flow, jain, LONG_FAT, Network, type NetworkOptions } from './network.ts'

const SECOND = 1000
const MSS = 1200

interface Run {
  network: Network
  flow: Flow
  /** Share of the bottleneck that carried data for the first time. */
  share: number
}

function transfer(congestion: CongestionFactory, seconds: number, options: Partial<NetworkOptions> = {}): Run {
  const network = new Network({ ...LONG_FAT, ...options })
  const flow = new Flow(network, congestion)
  flow.start(network.now)
  network.run(network.now + seconds * SECOND)
  return { network, flow, share: flow.delivered / (seconds * SECOND * network.options.rate) }
}

describe.each([
  ['CUBIC', cubic],
  ['NewReno', newReno],
])('RFC 9406: %s leaves slow start before the queue overflows', (_name, congestion) => {
  // Slow start doubles: where in the last doubling the path is full differs from rate to rate.
  test.each([
    [50, 20],
    [50, 60],
    [50, 100],
    [50, 140],
    [50, 200],
    [100, 50],
    [100, 100],
    [100, 200],
  ])('a queue of one BDP: %d ms, %d Mbit/s', (rtt, megabits) => {
    const rate = megabits * 125
    const network = new Network({ rate, rtt, queue: rate * rtt })
    const flow = new Flow(network, congestion)
    const { recovery } = flow
    flow.start(network.now)
    while (recovery.congestion.isInSlowStart && network.now < 10 * SECOND) network.run(network.now + 1)
    expect(network.dropped).toBe(0)
    expect(recovery.stats.congestionEvents).toBe(0)
    // Nor too early: the path is full.
    expect(recovery.congestion.window).toBeGreaterThan(1.2 * rate * rtt)
    network.run(network.now + 2 * rtt)
    expect(network.dropped).toBe(0)
  })

  test('late packets do not end it', () => {
    const { flow, share } = transfer(congestion, 10, { late: 0.05, lateBy: 10 })
    expect(share).toBeGreaterThan(0.9)
    expect(flow.recovery.stats.probeTimeouts).toBe(0)
  })
})

describe.each([
  ['CUBIC', cubic],
  ['NewReno', newReno],
  ['BBR', bbr],
])('%s', (_name, congestion) => {
  test('fills 100 Mbit/s x 50 ms with a queue of one BDP', () => {
    const { share, flow } = transfer(congestion, 20)
    expect(share).toBeGreaterThan(0.95)
    expect(flow.recovery.stats).toMatchObject({ spuriousLosses: 0, persistentCongestions: 0, probeTimeouts: 0 })
  })

  test.each([
    ['64 kbit/s x 200 ms', { rate: 8, rtt: 200, queue: 12_000 }],
    ['1 Mbit/s x 20 ms', { rate: 125, rtt: 20, queue: 12_000 }],
    ['1 Gbit/s x 1 ms', { rate: 125_000, rtt: 1, queue: 250_000 }],
    ['50 Mbit/s x 500 ms', { rate: 6250, rtt: 500, queue: 3_125_000 }],
  ])('fills %s', (_path, options) => {
    const { share } = transfer(congestion, options.rate > 100_000 ? 2 : 20, options)
    expect(share).toBeGreaterThan(0.75)
  })

  test('RFC 9000 §13.2.2: few ACKs are needed for it', () => {
    const { flow } = transfer(congestion, 10)
    expect(flow.delivered / MSS / flow.acksSent).toBeGreaterThan(8)
  })

  test('RFC 9002 §6.1, RFC 9438 §4.9: reordering costs little', () => {
    const { share, flow } = transfer(congestion, 20, { late: 0.01, lateBy: 5 })
    expect(share).toBeGreaterThan(0.95)
    expect(flow.recovery.stats.spuriousLosses).toBeLessThan(50)
    expect(flow.recovery.stats.undoneCongestionEvents).toBeGreaterThan(0)
  })

  test('a blackout of 3 s is survived', () => {
    const network = new Network({ ...LONG_FAT })
    const flow = new Flow(network, congestion)
    flow.start(network.now)
    network.run(5 * SECOND)
    network.isDown = true
    network.run(8 * SECOND)
    network.isDown = false
    const before = flow.delivered
    network.run(20 * SECOND)
    // The probe timer may have been backed off to some seconds.
    expect((flow.delivered - before) / (12 * SECOND * LONG_FAT.rate)).toBeGreaterThan(0.4)
  })

  test('RFC 9002 §7.8: who sends little does not lose what was learnt', () => {
    const network = new Network({ ...LONG_FAT })
    const flow = new Flow(network, congestion, { isGreedy: false })
    flow.start(network.now)
    flow.offer(20_000)
    network.run(5 * SECOND)
    expect(flow.delivered).toBeGreaterThanOrEqual(20_000 * MSS)
    for (let i = 0; i < 100; i++) {
      network.run(network.now + 100)
      flow.offer(5)
    }
    network.run(network.now + 200)
    const { window } = flow.recovery.congestion
    expect(window).toBeGreaterThan(300_000)
    const [start, before] = [network.now, flow.delivered]
    flow.offer(4000)
    while (flow.delivered - before < 4000 * MSS && network.now < start + 5 * SECOND) network.run(network.now + 10)
    expect(network.now - start).toBeLessThan(900)
  })
})

describe('CUBIC', () => {
  test.each([2, 3])('two flows share the bottleneck: Jain >= 0.95 over 60 s, seed %i', seed => {
    const network = new Network({ ...LONG_FAT, noise: 2, seed })
    const flows = [new Flow(network, cubic), new Flow(network, cubic)]
    flows.forEach((flow, i) => {
      flow.start(network.now + 20 * i)
    })
    network.run(network.now + 60 * SECOND)
    expect(jain(flows.map(flow => flow.delivered))).toBeGreaterThanOrEqual(0.95)
    const sum = flows[0]!.delivered + flows[1]!.delivered
    expect(sum / (60 * SECOND * LONG_FAT.rate)).toBeGreaterThan(0.95)
  })

  test('RFC 9438 §5.1, Figure 6: 0.1 % loss', () => {
    const [rtt, loss] = [LONG_FAT.rtt / 1000, 0.001]
    // In segments; the larger of the cubic and, as §4.3 wants it, Reno.
    const cubicWindow = ((0.4 * 3.7) / 1.2) ** 0.25 * (rtt / loss) ** 0.75
    const renoWindow = Math.sqrt(3 / (2 * loss))
    const expected = Math.max(cubicWindow, renoWindow)
    let delivered = 0
    for (const seed of [1, 2, 3, 4]) delivered += transfer(cubic, 60, { loss, seed }).flow.delivered
    const window = (delivered / MSS / 240) * rtt
    expect(window / expected).toBeGreaterThan(0.9)
  })
})

describe('BBR', () => {
  test.each([1, 2])('seed %i: fills nine tenths although one packet in a hundred is lost', seed => {
    expect(transfer(bbr, 20, { loss: 0.01, seed }).share).toBeGreaterThan(0.9)
  })

  test('§4.3.4: keeps the queue empty most of the time', () => {
    const network = new Network({ ...LONG_FAT, queue: 10 * LONG_FAT.queue })
    const flow = new Flow(network, bbr)
    flow.start(network.now)
    network.run(3 * SECOND)
    let busy = 0
    for (let i = 0; i < 2000; i++) {
      network.run(network.now + 10)
      if (network.backlog > 0.2 * LONG_FAT.queue) busy++
    }
    expect(busy / 2000).toBeLessThan(0.25)
  })

  test('two flows share the bottleneck', () => {
    const network = new Network({ ...LONG_FAT, noise: 1 })
    const flows = [new Flow(network, bbr), new Flow(network, bbr)]
    for (const flow of flows) flow.start(network.now)
    network.run(network.now + 30 * SECOND)
    expect(jain(flows.map(flow => flow.delivered))).toBeGreaterThan(0.9)
  })

  test('a path that becomes narrower, and then wider, is followed', () => {
    const network = new Network({ ...LONG_FAT })
    const flow = new Flow(network, bbr)
    flow.start(network.now)
    const measure = (rate: number) => {
      network.rate = rate
      network.run(network.now + 8 * SECOND)
      const before = flow.delivered
      network.run(network.now + 5 * SECOND)
      return (flow.delivered - before) / (5 * SECOND * rate)
    }
    expect(measure(LONG_FAT.rate)).toBeGreaterThan(0.9)
    expect(measure(LONG_FAT.rate / 5)).toBeGreaterThan(0.85)
    expect(measure(LONG_FAT.rate)).toBeGreaterThan(0.8)
  })
})
