// What peers can make an endpoint hold, and what happens when it is too much.

import { describe, expect, test } from 'vitest'
import { MemoryBudget } from '../../src/bytes/memory-budget.ts'
import { QuicEndpoint } from '../../src/endpoint/endpoint.ts'
import { defaultMemory } from '../../src/endpoint/memory.ts'
import type { QuicSession } from '../../src/endpoint/quic-session.ts'
import { DEFAULT_SEND_BUFFER, MIN_SEND_BUFFER } from '../../src/streams/high-water-mark.ts'
import { client, eventually, failure, server } from './helpers.ts'

const KiB = 1024
const MiB = KiB * KiB

/** Fills the windows of `session`: nobody reads what it sends. */
async function fill(session: QuicSession): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const stream = await session.openStream({ direction: 'uni' })
    stream.write(new Uint8Array(256 * KiB)).catch(() => {})
  }
}

describe('RFC 9000 §21.6: memory of an endpoint', () => {
  test('near its end clients are refused; those who are here go on, and make room', async () => {
    const window = 192 * KiB
    const transport = { initialMaxData: window, initialMaxStreamData: window, maxConnectionWindow: window }
    const { address, endpoint } = await server(() => {}, { maxMemory: 2 * MiB, transport })
    const used = (): number => endpoint.statistics().memoryUsed
    const here: QuicSession[] = []
    while (used() < 1.75 * MiB) {
      const before = used()
      const near = client(address)
      here.push(near)
      await near.opened
      await fill(near)
      expect(await eventually(() => used() >= before + window)).toBe(true)
    }
    const refused = client(address)
    expect((await failure(refused.opened)).code).toBe('ERR_ZEROTRIP_CONNECTION_REFUSED')
    expect(endpoint.statistics()).toMatchObject({ refused: 1, connections: here.length })
    await Promise.all(here.slice(0, 2).map(near => near.close()))
    expect(await eventually(() => used() < 1.75 * MiB)).toBe(true)
    await client(address).opened
  })

  test('beyond its end the connection that holds most is closed, with a code on both sides', async () => {
    const ended: unknown[] = []
    const told: unknown[] = []
    const onSession = (session: QuicSession) => void session.closed.catch(error => ended.push(error))
    const { address, endpoint } = await server(onSession, { maxMemory: 2 * MiB })
    const near = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const session = client(address)
        await session.opened
        return session
      }),
    )
    for (const session of near) session.closed.catch(error => told.push(error))
    await Promise.all(near.map(fill))
    expect(await eventually(() => ended.length > 0 && told.length === ended.length)).toBe(true)
    expect(ended[0]).toMatchObject({
      code: 'ERR_ZEROTRIP_OUT_OF_MEMORY',
      message: expect.stringContaining('maxMemory'),
    })
    expect(told[0]).toMatchObject({ code: 'ERR_ZEROTRIP_TRANSPORT', errorCode: 1 })
    expect(ended.length).toBeLessThan(4)
    expect(endpoint.statistics().memoryUsed).toBeLessThanOrEqual(2 * MiB)
  })

  test('a peer that reads nothing on a hundred streams: writers wait, and wait earlier when memory is short', async () => {
    const streams = 100
    const maxMemory = 24 * MiB
    const before = process.memoryUsage()
    let written = 0
    const { address, endpoint } = await server(
      async session => {
        for await (const stream of session.streams) {
          const write = async (): Promise<void> => {
            for (let i = 0; i < 640; i++, written += 16 * KiB) await stream.write(new Uint8Array(16 * KiB))
          }
          write().catch(() => {})
        }
      },
      { maxMemory },
    )
    const near = client(address)
    for (let i = 0; i < streams; i++) {
      const stream = await near.openStream()
      stream.write('!').catch(() => {})
    }
    expect(await eventually(() => written >= streams * MIN_SEND_BUFFER)).toBe(true)
    await quiet(() => written)
    const { memoryUsed, connections } = endpoint.statistics()
    expect(connections).toBe(1)
    expect(memoryUsed).toBeGreaterThan(streams * MIN_SEND_BUFFER * 0.5)
    expect(memoryUsed).toBeLessThan(maxMemory)
    expect(written).toBeLessThan(streams * (DEFAULT_SEND_BUFFER + 64 * KiB))
    // They want to write a gigabyte.
    const { rss, arrayBuffers } = process.memoryUsage()
    expect(arrayBuffers - before.arrayBuffers).toBeLessThan(100 * MiB)
    expect(rss - before.rss).toBeLessThan(300 * MiB)
  })

  test('a peer that sends one byte on every stream it may have and then nothing', async () => {
    const { address, endpoint } = await server(() => {}, {})
    const near = client(address)
    for (let i = 0; i < 128; i++) (await near.openStream()).write('!').catch(() => {})
    expect(await eventually(() => endpoint.statistics().memoryUsed > 128 * 4 * KiB)).toBe(true)
    expect(endpoint.statistics().memoryUsed).toBeLessThan(128 * 8 * KiB)
  })

  test('what is closed holds nothing', async () => {
    const { address, endpoint } = await server(() => {})
    const near = client(address)
    await near.opened
    await fill(near)
    expect(await eventually(() => endpoint.statistics().memoryUsed > 400 * KiB)).toBe(true)
    await near.close()
    expect(await eventually(() => endpoint.statistics().memoryUsed === 0)).toBe(true)
  })
})

test('maxMemory: a share of what there is, or a number that makes sense', () => {
  expect(defaultMemory()).toBeGreaterThanOrEqual(64 * MiB)
  expect(() => new QuicEndpoint({ maxMemory: 1000 })).toThrow(/maxMemory must be 1048576 bytes or more/)
  expect(new MemoryBudget().isShort).toBe(false)
})

/** Until `count` does not change any more. */
async function quiet(count: () => number): Promise<void> {
  let last = -1
  await eventually(() => {
    const isQuiet = count() === last
    last = count()
    return isQuiet
  }, 5000)
}
