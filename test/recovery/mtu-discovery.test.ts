import { describe, expect, test } from 'vitest'
import {
  BASE_DATAGRAM_SIZE,
  BLACK_HOLE_EPISODES,
  BLACK_HOLE_TIMEOUTS,
  MAX_DATAGRAM_SIZE,
  MAX_PROBES,
  MtuDiscovery,
  RAISE_INTERVAL,
  SEARCH_GRANULARITY,
} from '../../src/recovery/mtu-discovery.ts'

/** A path of one size: probes up to it arrive, all others are lost. */
class Path {
  readonly mtu: MtuDiscovery
  size: number
  number = 0
  probes: number[] = []

  constructor(size: number, ceiling: number) {
    this.size = size
    this.mtu = new MtuDiscovery(ceiling)
  }

  /** Sends probes until there is none to send. */
  search(now = 1000): this {
    this.probes = []
    for (;;) {
      const size = this.mtu.nextProbe(now)
      if (size === undefined) return this
      this.probes.push(size)
      this.mtu.onProbeSent(++this.number, size)
      if (size <= this.size) this.mtu.onAcked(this.number, size)
      else this.mtu.onLost(this.number, size, now)
      if (this.probes.length > 200) throw new Error('endless')
    }
  }

  /** An ordinary packet of the present size. */
  lose(now: number, size = this.mtu.current): boolean {
    return this.mtu.onLost(++this.number, size, now)
  }
}

describe('RFC 8899 §5.3: the search', () => {
  test('begins at the base, which QUIC needs anyway', () => {
    expect(new MtuDiscovery(1472).current).toBe(BASE_DATAGRAM_SIZE)
  })

  test('§5.3.2: common sizes first', () => {
    const path = new Path(1472, 1472).search()
    expect(path.probes).toEqual([1400, 1452, 1472])
    expect(path.mtu.current).toBe(1472)
  })

  test('up to the ceiling, whatever it is', () => {
    expect(new Path(1460, 1460).search().probes).toEqual([1400, 1452, 1460])
    expect(new Path(9000, 9000).search().mtu.current).toBe(9000)
    expect(new Path(65_527, 65_527).search().probes).toEqual([1400, 1452, 1472, 8952, 8972, 65_527])
    expect(new Path(99_999, 99_999).search().mtu.current).toBe(MAX_DATAGRAM_SIZE)
  })

  test('RFC 8899 §5.1.1: what the first hop is said to take is tried first, and found out if it is not true', () => {
    const narrow = new Path(1472, 1452)
    narrow.mtu.bound(16_000, true)
    const { probes, mtu } = narrow.search()
    expect(probes.slice(0, MAX_PROBES + 3)).toEqual([16_000, 16_000, 16_000, 1400, 1452, 1472])
    expect(mtu.current).toBe(1472)
    const wide = new Path(16_000, 1452)
    wide.mtu.bound(16_000, true)
    expect(wide.search().probes).toEqual([16_000])
  })

  test('a ceiling at or below the base leaves nothing to search', () => {
    expect(new Path(1500, 1200).search().probes).toEqual([])
    expect(new MtuDiscovery(500).current).toBe(1200)
  })

  test('§4.1: one probe at a time', () => {
    const mtu = new MtuDiscovery(1472)
    expect(mtu.nextProbe(1000)).toBe(1400)
    expect(mtu.nextProbe(1000)).toBe(1400)
    mtu.onProbeSent(1, 1400)
    expect(mtu.nextProbe(1001)).toBeUndefined()
    expect(mtu.onAcked(2, 1200)).toBe(false)
    expect(mtu.nextProbe(1002)).toBeUndefined()
    expect(mtu.onAcked(1, 1400)).toBe(true)
    expect(mtu.nextProbe(1003)).toBe(1452)
  })

  test('§5.1.2: MAX_PROBES probes of a size, and it is too large', () => {
    const mtu = new MtuDiscovery(1472)
    for (let i = 0; i < MAX_PROBES; i++) {
      expect(mtu.nextProbe(1000)).toBe(1400)
      mtu.onProbeSent(i, 1400)
      expect(mtu.onLost(i, 1400, 1000 + i)).toBe(false)
    }
    expect(mtu.nextProbe(1000)).toBe(1300)
  })

  test('§5.1.3: a probe that arrives makes up for those lost before', () => {
    const mtu = new MtuDiscovery(1472)
    for (let i = 0; i < MAX_PROBES - 1; i++) {
      mtu.onProbeSent(i, mtu.nextProbe(1000) as number)
      mtu.onLost(i, 1400, 1000)
    }
    mtu.onProbeSent(9, mtu.nextProbe(1000) as number)
    expect(mtu.onAcked(9, 1400)).toBe(true)
    mtu.onProbeSent(10, mtu.nextProbe(1000) as number)
    mtu.onLost(10, 1452, 1000)
    expect(mtu.nextProbe(1000)).toBe(1452)
  })

  test.each([1200, 1201, 1280, 1399, 1430, 1471, 2000, 8960, 12_345, 65_000])('finds %d by halves', size => {
    const { mtu, probes } = new Path(size, 65_527).search()
    expect(mtu.current).toBeLessThanOrEqual(size)
    expect(size - mtu.current).toBeLessThanOrEqual(SEARCH_GRANULARITY)
    expect(probes.length).toBeLessThan(60)
  })

  test('RFC 9000 §14.2.1: what the local interface refuses is not tried again', () => {
    const mtu = new MtuDiscovery(1472)
    mtu.onProbeSent(1, mtu.nextProbe(1000) as number)
    mtu.onAcked(1, 1400)
    expect(mtu.nextProbe(1000)).toBe(1452)
    mtu.onProbeSent(2, 1452)
    expect(mtu.onRefused(1452)).toBe(false)
    // That it is lost is no news then, and says nothing of other sizes.
    expect(mtu.nextProbe(1000)).toBeUndefined()
    expect(mtu.onLost(2, 1452, 1000)).toBe(false)
    expect(mtu.nextProbe(1000)).toBe(1426)
    expect(mtu.onRefused(1200)).toBe(false)
    expect(mtu.onRefused(600)).toBe(false)
    expect(mtu.current).toBe(1400)
    expect(mtu.onRefused(1400)).toBe(true)
    expect(mtu.current).toBe(1200)
    expect(mtu.nextProbe(1000)).toBe(1300)
  })
})

describe('RFC 8899 §5.2: search complete', () => {
  test('nothing is sent until PMTU_RAISE_TIMER', () => {
    const { mtu } = new Path(1452, 1472).search(1000)
    expect(mtu.current).toBe(1452)
    expect(mtu.deadline).toBe(1000 + RAISE_INTERVAL)
    expect(mtu.nextProbe(mtu.deadline - 1)).toBeUndefined()
  })

  test('then larger sizes are tried again', () => {
    const path = new Path(1452, 1472).search(1000)
    path.size = 1472
    expect(path.search(path.mtu.deadline).probes).toEqual([1472])
    expect(path.mtu.current).toBe(1472)
  })

  test('also when there is nothing above the current one', () => {
    const path = new Path(1472, 1472).search(1000)
    expect(path.search(path.mtu.deadline).probes).toEqual([])
    expect(path.mtu.deadline).toBe(1000 + 2 * RAISE_INTERVAL)
  })
})

describe('RFC 8899 §4.3: black holes', () => {
  const narrowed = () => new Path(1472, 1472).search()

  test('packets that are lost again and again, while none arrives', () => {
    const path = narrowed()
    for (let i = 1; i < BLACK_HOLE_EPISODES; i++) expect(path.lose(2000 + 100 * i)).toBe(false)
    expect(path.lose(3000)).toBe(true)
    expect(path.mtu.current).toBe(1200)
  })

  test('then the search begins anew', () => {
    const path = narrowed()
    for (let i = 0; i < BLACK_HOLE_EPISODES; i++) path.lose(2000 + i)
    path.size = 1410
    path.search()
    expect(path.mtu.current).toBe(1400)
  })

  test('many losses at once count once', () => {
    const path = narrowed()
    for (let i = 0; i < 50; i++) expect(path.lose(2000)).toBe(false)
    expect(path.mtu.current).toBe(1472)
  })

  test('losses between packets that arrive are congestion', () => {
    const path = narrowed()
    for (let i = 0; i < 20; i++) {
      const number = ++path.number
      path.mtu.onAcked(++path.number, 1472)
      expect(path.mtu.onLost(number, 1472, 2000 + i)).toBe(false)
    }
    expect(path.mtu.current).toBe(1472)
  })

  test('small packets that arrive prove nothing, small ones lost neither', () => {
    const path = narrowed()
    for (let i = 1; i < BLACK_HOLE_EPISODES; i++) path.lose(2000 + i)
    path.mtu.onAcked(++path.number, 1200)
    path.lose(2100, 1200)
    expect(path.mtu.current).toBe(1472)
    expect(path.lose(2200)).toBe(true)
  })

  test('probe timeouts in a row', () => {
    const path = narrowed()
    expect(path.mtu.onProbeTimeout(BLACK_HOLE_TIMEOUTS - 1)).toBe(false)
    expect(path.mtu.onProbeTimeout(BLACK_HOLE_TIMEOUTS)).toBe(true)
    expect(path.mtu.current).toBe(1200)
    expect(path.mtu.onProbeTimeout(BLACK_HOLE_TIMEOUTS + 1)).toBe(false)
  })

  test('a probe that was under way meanwhile is judged by its own size', () => {
    const path = new Path(1400, 1472)
    path.mtu.onProbeSent(1, 1400)
    path.mtu.onAcked(1, 1400)
    path.mtu.onProbeSent(2, path.mtu.nextProbe(1000) as number)
    path.mtu.onProbeTimeout(BLACK_HOLE_TIMEOUTS)
    path.mtu.onLost(2, 1452, 1500)
    path.number = 2
    expect(path.search().probes[0]).toBe(1400)
    expect(path.mtu.current).toBe(1400)
  })
})
