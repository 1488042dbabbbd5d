// Stores and guards in a real Redis: one server for the fleet, which may be killed, slow, or cut off. On a machine without
// redis-server nothing of this runs, and the only test says so; .ci/run installs one.

import { describe, expect, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { RedisSingleUse } from '../../src/platform/redis-single-use.ts'
import { RedisTickets } from '../../src/platform/redis-tickets.ts'
import { sharedGate } from '../../src/platform/shared-gate.ts'
import { TicketSealer } from '../../src/zero-rtt/ticket-sealer.ts'
import { MemoryTickets } from '../../src/zero-rtt/ticket-store.ts'
import { eventually } from '../endpoint/helpers.ts'
import { session, site } from '../web/helpers.ts'
import { bytesOf, resumption } from '../zero-rtt/support.ts'
import { Redis, redisServer } from './support.ts'

const KEY = new Uint8Array(32).fill(6)
const ORIGIN = 'worker:443'
const name = (taken: { identity: Uint8Array } | undefined) => taken && Buffer.from(taken.identity).toString()
const ticket = (text: string, changes = {}) =>
  resumption({ identity: bytesOf(text), issued: Date.now(), lifetime: 60_000, ...changes })
const id = (number: number) => Uint8Array.of(number >>> 8, number)

/** Remembers for a second, so that a test need not wait for longer. */
const MEMORY = 1000

if (redisServer === undefined) {
  test('redis-server is not installed: stores and guards in Redis are tested by .ci/run', () => {
    console.warn('redis-server is not installed: stores and guards in Redis were not tested')
  })
} else {
  describe('single use', () => {
    test('nothing is fresh before the server has remembered for long enough; then each key is, once', async () => {
      const redis = await Redis.start()
      const guards = [await redis.connect(), await redis.connect()].map(
        one => new RedisSingleUse(one, { memory: MEMORY }),
      )
      const [one, two] = guards as [RedisSingleUse, RedisSingleUse]
      const born = Date.now()
      expect(await one.check(id(1), born + 500, born)).toBe('unknown')
      expect(await one.check(id(1), born + 500, born)).toBe('seen')
      const later = born + MEMORY + 1
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, i) => (i % 2 ? one : two).check(id(100 + (i >> 2)), later + 500, later)),
      )
      expect(answers.filter(answer => answer === 'fresh').length).toBe(50)
      expect(answers.filter(answer => answer === 'seen').length).toBe(150)
      // What is to be remembered for longer than it remembers, or is over.
      expect(await one.check(id(2), later + MEMORY + 1, later)).toBe('unknown')
      expect(await one.check(id(3), later, later)).toBe('unknown')
    })

    test('a server that lost its memory is not believed until what it forgot has expired', async () => {
      const redis = await Redis.start()
      const client = await redis.connect()
      const guard = new RedisSingleUse(client, { memory: MEMORY })
      const start = Date.now()
      await guard.check(id(1), start + 500, start)
      expect(await guard.check(id(2), start + MEMORY + 500, start + MEMORY + 1)).toBe('fresh')
      await redis.kill()
      await redis.restart()
      await eventually(() => client.isReady)
      const after = start + MEMORY + 2
      expect(await guard.check(id(2), after + 500, after)).toBe('unknown')
      expect(await guard.check(id(3), after + 500, after)).toBe('unknown')
      expect(await guard.check(id(4), after + 2 * MEMORY, after + MEMORY + 1)).toBe('fresh')
    })

    test('one that is gone, or silent, answers with an error or not at all', async () => {
      const redis = await Redis.start()
      const guard = new RedisSingleUse(await redis.connect(), { memory: MEMORY })
      await redis.kill()
      await expect(guard.check(id(1), Date.now() + 500, Date.now())).rejects.toThrow()
    })
  })

  describe('tickets', () => {
    test('of many who take at the same time, no two get the same', async () => {
      const redis = await Redis.start()
      const clients = [await redis.connect(), await redis.connect()]
      const stores = clients.map(client => new RedisTickets(client, { key: KEY, maxPerOrigin: 100, deadline: 10_000 }))
      for (let i = 0; i < 100; i++) await stores[i % 2]?.put(ORIGIN, ticket(`ticket ${i}`))
      const taken = await Promise.all(Array.from({ length: 120 }, (_, i) => stores[i % 2]?.take(ORIGIN)))
      const names = taken.map(name).filter(each => each !== undefined)
      expect(names.length).toBe(100)
      expect(new Set(names).size).toBe(100)
    })

    test('are bounded, sealed, and end with their life', async () => {
      const redis = await Redis.start()
      const client = await redis.connect()
      const store = new RedisTickets(client, { key: KEY, prefix: 'mine', maxPerOrigin: 2, deadline: 10_000 })
      for (const each of ['one', 'two', 'three']) await store.put(ORIGIN, ticket(each))
      const kept = await client.sendCommand(['LRANGE', `mine:tickets:${ORIGIN}`, '0', '-1'])
      expect((kept as unknown as string[]).length).toBe(2)
      const raw = Buffer.from((kept as unknown as string[]).join(''), 'base64')
      for (const text of ['three', 'example.com']) expect(raw.includes(text)).toBe(false)
      expect(Number(await client.sendCommand(['PTTL', `mine:tickets:${ORIGIN}`]))).toBeGreaterThan(50_000)
      expect(name(await store.take(ORIGIN))).toBe('three')
      await store.put(ORIGIN, ticket('old', { issued: Date.now() - 61_000 }))
      await client.sendCommand(['RPUSH', `mine:tickets:${ORIGIN}`, 'AAAA'])
      expect(name(await store.take(ORIGIN))).toBe('two')
      expect(await store.take(ORIGIN)).toBeUndefined()
    })

    test('a Redis that is away costs no more than its deadline, and no request', async () => {
      const redis = await Redis.start()
      const tickets = new RedisTickets(await redis.connect(), { key: KEY, deadline: 30 })
      const { url } = await site(() => new Response('hello'))
      const warnings: string[] = []
      const listen = (warning: Error): void => void warnings.push(warning.message)
      process.on('warning', listen)
      redis.pause()
      const slow = session(url, { tickets })
      expect(await (await slow.fetch('/')).text()).toBe('hello')
      redis.resume()
      await redis.kill()
      const gone = session(url, { tickets })
      expect(await (await gone.fetch('/')).text()).toBe('hello')
      await eventually(() => warnings.some(text => text.includes('a ticket store failed')))
      process.off('warning', listen)
    })
  })

  describe('a fleet that shares its ticket keys', () => {
    /** Two servers on one port’s worth of tickets, each of which counts what it ran. */
    async function fleet(redis: Redis, deadline: number) {
      const keys = [nodeBackend.random(32)]
      const runs = new Map<string, number>()
      // What is in time on a machine that is busy with something else.
      const memory = 120_000
      const guard = new RedisSingleUse(await redis.connect(), { memory })
      // Since before this fleet began.
      await (await redis.connect()).sendCommand(['SET', 'zerotrip:guard-born', String(Date.now() - 2 * memory)])
      const start = () =>
        site(
          async request => {
            const { pathname } = new URL(request.url)
            runs.set(pathname, (runs.get(pathname) ?? 0) + 1)
            return new Response(String(request.early))
          },
          {
            tickets: new TicketSealer(nodeBackend, { keys }),
            earlyData: sharedGate(guard, { window: memory / 2, deadline }),
          },
        )
      return { servers: [await start(), await start()], runs }
    }

    async function ticketFrom(url: string, tickets: MemoryTickets) {
      const near = session(url, { tickets })
      await (await near.fetch('/warm-up')).text()
      await eventually(() => {
        const taken = tickets.take(new URL(url).host)
        if (taken !== undefined) tickets.put(new URL(url).host, taken)
        return taken !== undefined
      })
      const taken = tickets.take(new URL(url).host)
      await near.close()
      if (taken === undefined) throw new Error('no ticket')
      return taken
    }

    test('any of them takes early data, and no two the same', async () => {
      const redis = await Redis.start()
      const { servers, runs } = await fleet(redis, 10_000)
      const [first, second] = servers.map(({ url }) => url) as [string, string]
      const kept = await ticketFrom(first, new MemoryTickets(Date.now))
      const at = (url: string, path: string) => {
        const tickets = new MemoryTickets(Date.now)
        tickets.put(new URL(url).host, kept)
        return session(url, { tickets, earlyData: true }).fetch(path)
      }
      expect(await (await at(second, '/elsewhere')).text()).toBe('true')
      // The same ticket in another ClientHello is another key to the guard, as RFC 8446 §8.2 has it.
      expect(await (await at(first, '/again')).text()).toBe('true')
      expect([...runs].filter(([, count]) => count !== 1)).toEqual([])
    })

    test.each(['killed', 'silent'])(
      'with a Redis that is %s: one round trip more, none lost, none twice',
      async how => {
        const redis = await Redis.start()
        const { servers, runs } = await fleet(redis, 40)
        const urls = servers.map(({ url }) => url)
        const kept = []
        for (let i = 0; i < 6; i++) kept.push(await ticketFrom(urls[i % 2] as string, new MemoryTickets(Date.now)))
        if (how === 'killed') await redis.kill()
        else redis.pause()
        const answers = await Promise.all(
          kept.map(async (one, i) => {
            const url = urls[(i + 1) % 2] as string
            const tickets = new MemoryTickets(Date.now)
            tickets.put(new URL(url).host, one)
            return (await session(url, { tickets, earlyData: true }).fetch(`/order/${i}`)).text()
          }),
        )
        expect(answers).toEqual(Array.from({ length: 6 }, () => 'false'))
        redis.resume()
        for (let i = 0; i < 6; i++) expect(runs.get(`/order/${i}`)).toBe(1)
      },
    )
  })
}
