import { describe, expect, test } from 'vitest'
import { Space } from '../../../src/packet/level.ts'
import { Bbr, bbr } from '../../../src/recovery/congestion/bbr.ts'
import { TwoWindowMax } from '../../../src/recovery/congestion/bbr-filters.ts'
import { BbrState } from '../../../src/recovery/congestion/bbr-state.ts'
import { isRateController } from '../../../src/recovery/congestion/controller.ts'
import { cubic } from '../../../src/recovery/congestion/cubic.ts'
import { DeliveryRate, RateSample } from '../../../src/recovery/congestion/delivery-rate.ts'
import { FullPipe } from '../../../src/recovery/congestion/full-pipe.ts'
import { SentPacket } from '../../../src/recovery/sent-packets.ts'
import { Flow, LONG_FAT, Network, type NetworkOptions } from '../network.ts'

const App = Space.Application
const packet = (number: number, sentAt: number) => new SentPacket(number, App, sentAt, 1000, true, true, [])

describe('delivery rate (draft-cheng-iccrg-delivery-rate-estimation §3)', () => {
  /** One packet each ms, acknowledged 50 ms later. */
  function steady(): { rate: DeliveryRate; sample: RateSample } {
    const rate = new DeliveryRate()
    const packets = Array.from({ length: 200 }, (_, i) => packet(i, i))
    let sample = new RateSample()
    for (let now = 0; now < 200; now++) {
      if (now >= 50) {
        rate.onAcked(packets[now - 50] as SentPacket, now)
        sample = rate.finish(Number.POSITIVE_INFINITY)
        if (now < 199) rate.clear()
      }
      rate.onSent(packets[now] as SentPacket, Math.min(now, 50) * 1000)
    }
    return { rate, sample }
  }

  test('bytes delivered by the time that took', () => {
    const { sample } = steady()
    expect(sample.rate).toBeCloseTo(1000, -2)
    expect(sample).toMatchObject({ rtt: 50, newlyAcked: 1000, lost: 0, isAppLimited: false, inFlight: 51_000 })
  })

  test('a burst of ACKs shows no faster path: the slower of sending and acknowledging counts', () => {
    const rate = new DeliveryRate()
    const packets = Array.from({ length: 10 }, (_, i) => packet(i, 5 * i))
    packets.forEach((p, i) => {
      rate.onSent(p, i * 1000)
    })
    for (const p of packets) rate.onAcked(p, 100)
    expect(rate.finish(Number.POSITIVE_INFINITY).rate).toBeCloseTo(100)
  })

  test('an interval shorter than the shortest RTT is not believed', () => {
    const rate = new DeliveryRate()
    const p = packet(0, 0)
    rate.onSent(p, 0)
    rate.onAcked(p, 10)
    expect(rate.finish(20).rate).toBe(0)
    expect(rate.finish(10).rate).toBe(100)
  })

  test('losses since the packet was sent', () => {
    const rate = new DeliveryRate()
    const packets = [packet(0, 0), packet(1, 0), packet(2, 0)] as const
    packets.forEach((p, i) => {
      rate.onSent(p, i * 1000)
    })
    rate.onLost(packets[0])
    rate.onLost(packets[1])
    rate.onAcked(packets[2], 50)
    expect(rate.finish(50)).toMatchObject({ lost: 2000, newlyLost: 2000, newlyAcked: 1000, delivered: 1000 })
    rate.clear()
    expect(rate.finish(50)).toMatchObject({ newlyLost: 0, newlyAcked: 0, priorDelivered: -1, delivered: 0 })
  })

  test('application-limited until what was in flight then is delivered', () => {
    const rate = new DeliveryRate()
    const [a, b, c] = [packet(0, 0), packet(1, 1), packet(2, 60)] as const
    rate.onSent(a, 0)
    rate.onSendingStopped(1000)
    rate.onSent(b, 1000)
    rate.onAcked(a, 50)
    expect(rate.finish(50).isAppLimited).toBe(false)
    rate.clear()
    rate.onAcked(b, 51)
    expect(rate.finish(50).isAppLimited).toBe(true)
    expect(rate.isAppLimited).toBe(false)
    rate.clear()
    rate.onSent(c, 0)
    rate.onAcked(c, 110)
    expect(rate.finish(50).isAppLimited).toBe(false)
  })

  test('packets from before a change of controller are not counted', () => {
    const rate = new DeliveryRate()
    rate.onAcked(packet(0, 0), 50)
    expect(rate.delivered).toBe(0)
  })
})

test('BBR §2.11: the maximum of this window and the one before', () => {
  const filter = new TwoWindowMax()
  expect(filter.hasSample).toBe(false)
  for (const value of [3, 5, 4]) filter.update(value)
  expect(filter).toMatchObject({ max: 5, hasSample: true })
  filter.advance()
  filter.update(2)
  expect(filter.max).toBe(5)
  filter.advance()
  expect(filter.max).toBe(2)
  filter.advance()
  expect(filter.max).toBe(0)
})

describe('BBR §4.3.1.2: the pipe is full', () => {
  const sample = (rate: number, isAppLimited = false) => Object.assign(new RateSample(), { rate, isAppLimited })

  test('after three rounds without a quarter more', () => {
    const pipe = new FullPipe()
    for (const rate of [100, 130, 170]) pipe.update(sample(rate), true)
    for (const rate of [180, 200]) pipe.update(sample(rate), true)
    expect(pipe.isFilled).toBe(false)
    pipe.update(sample(210), true)
    expect(pipe).toMatchObject({ isFilled: true, isFullNow: true })
  })

  test('within a round, or when the application is what limits, nothing is decided', () => {
    const pipe = new FullPipe()
    for (let i = 0; i < 20; i++) {
      pipe.update(sample(100), false)
      pipe.update(sample(100, true), true)
    }
    expect(pipe.isFilled).toBe(false)
  })

  test('a new probe looks again, and does not forget', () => {
    const pipe = new FullPipe()
    for (let i = 0; i < 4; i++) pipe.update(sample(100), true)
    pipe.restart(100)
    expect(pipe).toMatchObject({ isFilled: true, isFullNow: false })
  })
})

describe('BBR', () => {
  /** The states in the order in which they were entered, looked at each ms. */
  function states(seconds: number, options: Partial<NetworkOptions> = {}): { path: string[]; flow: Flow; bbr: Bbr } {
    const network = new Network({ ...LONG_FAT, ...options })
    const flow = new Flow(network, bbr)
    const controller = flow.recovery.congestion as Bbr
    const names = Object.keys(BbrState)
    const path: string[] = []
    flow.start(network.now)
    for (let ms = 0; ms < seconds * 1000; ms++) {
      network.run(network.now + 1)
      const name = names[controller.state] as string
      if (path.at(-1) !== name) path.push(name)
    }
    return { path, flow, bbr: controller }
  }

  test('is known to measure rates, and others not to', () => {
    expect(isRateController(bbr(1200))).toBe(true)
    expect(isRateController(cubic(1200))).toBe(false)
  })

  test('§4.1.1: Startup, Drain, and then the cycle of probing for bandwidth', () => {
    // Down is over at once: Drain has left no queue.
    const { path } = states(6, { queue: 10 * LONG_FAT.queue })
    expect(path.slice(0, 7)).toEqual(['Startup', 'Drain', 'Cruise', 'Refill', 'Up', 'Down', 'Cruise'])
  })

  test('§4.3.4: ProbeRTT when the shortest RTT was not seen again for five seconds', () => {
    // The queue of another's makes every RTT longer after the first second.
    const network = new Network({ ...LONG_FAT, queue: 10 * LONG_FAT.queue })
    const flow = new Flow(network, bbr)
    const controller = flow.recovery.congestion as Bbr
    flow.start(network.now)
    network.run(2000)
    network.extraDelay = 30
    let windowInProbe = Number.POSITIVE_INFINITY
    let time = 0
    for (let ms = 0; ms < 20_000; ms++) {
      network.run(network.now + 1)
      if (controller.state !== BbrState.ProbeRtt) continue
      time++
      windowInProbe = Math.min(windowInProbe, controller.window)
    }
    expect(time).toBeGreaterThan(200)
    expect(time).toBeLessThan(4 * 450)
    expect(windowInProbe).toBeLessThan(0.8 * LONG_FAT.queue)
    expect(controller.window).toBeGreaterThan(LONG_FAT.queue)
  })

  test('§4.6.2: paces a little below the bandwidth', () => {
    const { bbr: controller } = states(1.5)
    expect(controller.state).toBe(BbrState.Cruise)
    expect(controller.pacingRate / LONG_FAT.rate).toBeGreaterThan(0.97)
    expect(controller.pacingRate / LONG_FAT.rate).toBeLessThan(1)
  })

  test('§4.3.1.3: lasting losses end Startup', () => {
    const { path, flow } = states(2, { queue: LONG_FAT.queue / 10 })
    expect(path.slice(0, 2)).toEqual(['Startup', 'Drain'])
    expect(flow.recovery.stats.packetsLost).toBeGreaterThan(0)
  })

  test('§4.5.6.2: losses while probing bound what is in flight', () => {
    const { bbr: controller } = states(20, { queue: LONG_FAT.queue / 4 })
    expect(controller.window).toBeLessThan(1.4 * LONG_FAT.queue)
  })

  test('§4.5.6.3: more losses than are tolerated lower the rate', () => {
    const { bbr: controller } = states(8, { loss: 0.1 })
    expect(controller.pacingRate).toBeLessThan(0.7 * LONG_FAT.rate)
  })

  test('RFC 9002 §7.2: the window is never below four datagrams, but after persistent congestion', () => {
    const { bbr: controller } = states(5, { loss: 0.4 })
    expect(controller.window).toBeGreaterThanOrEqual(4 * 1200)
    controller.onPersistentCongestion()
    expect(controller.window).toBe(2400)
  })

  test('RFC 9002 §7.2: the initial window follows the datagram size', () => {
    const controller = new Bbr(1200)
    expect(controller.window).toBe(12_000)
    controller.setMaxDatagramSize(1452)
    expect(controller.window).toBe(14_520)
    expect(controller.isInSlowStart).toBe(true)
    expect(controller.slowStartThreshold).toBe(Number.POSITIVE_INFINITY)
  })

  test('§4.4: after a pause it goes on at the rate it had', () => {
    const network = new Network({ ...LONG_FAT })
    const flow = new Flow(network, bbr, { isGreedy: false })
    flow.start(network.now)
    flow.offer(20_000)
    network.run(network.now + 30_000)
    const before = flow.delivered
    const start = network.now
    flow.offer(5000)
    network.run(start + 700)
    expect(flow.delivered - before).toBeGreaterThan(4900 * 1200)
  })
})
