// Stores that answer later, and clients that take nothing but what they have a key for.

import { describe, expect, test } from 'vitest'
import { provisionHttp3 } from '../../src/web/provision.ts'
import { gateFrom, SingleUse } from '../../src/zero-rtt/anti-replay.ts'
import type { Resumption } from '../../src/zero-rtt/resumption.ts'
import { MemoryTickets, type TicketStore } from '../../src/zero-rtt/ticket-store.ts'
import { eventually, failure } from '../endpoint/helpers.ts'
import { session, site } from './helpers.ts'

/** A store in another process, as it were. */
class FarTickets implements TicketStore {
  readonly #kept = new MemoryTickets(Date.now)
  readonly origins: string[] = []
  puts = 0

  async take(origin: string): Promise<Resumption | undefined> {
    this.origins.push(origin)
    await new Promise(setImmediate)
    return this.#kept.take(origin)
  }

  async put(origin: string, resumption: Resumption): Promise<void> {
    await new Promise(setImmediate)
    this.#kept.put(origin, resumption)
    this.puts++
  }
}

describe('a store that answers later', () => {
  test('the request of connect’s own tick is early all the same', async () => {
    const { url } = await site(request => new Response(`${request.early}`), { earlyData: gateFrom(new SingleUse()) })
    const tickets = new FarTickets()
    const first = session(url, { tickets, earlyData: true })
    expect(await (await first.fetch('/')).text()).toBe('false')
    await eventually(() => tickets.puts > 0)
    await first.close()
    const second = session(url, { tickets, earlyData: true })
    const answers = await Promise.all(['/a', '/b'].map(async path => (await second.fetch(path)).text()))
    expect(answers).toEqual(['true', 'true'])
    expect(second.earlyData).toBe('accepted')
  })

  test('by name, and as a plain session that ends before the answer', async () => {
    const { port } = await site(() => new Response('hello'))
    const tickets = new FarTickets()
    const near = session(`https://localhost:${port}`, { tickets, serverName: 'localhost' })
    expect(await (await near.fetch('/')).text()).toBe('hello')
    const gone = session(`https://127.0.0.1:${port}`, { tickets })
    gone.session.close()
    await gone.closed
  })

  test('one that fails costs a round trip, and is shown', async () => {
    const warnings: string[] = []
    const listen = (warning: Error): void => void warnings.push(warning.message)
    process.on('warning', listen)
    const broken: TicketStore = {
      take: () => Promise.reject(new Error('the store is away')),
      put: () => Promise.reject(new Error('the store is still away')),
    }
    const { url } = await site(() => new Response('hello'))
    const near = session(url, { tickets: broken })
    expect(await (await near.fetch('/')).text()).toBe('hello')
    await eventually(() => warnings.length >= 2)
    process.off('warning', listen)
    expect(warnings.join()).toContain('the store is away')
    expect(warnings.join()).toContain('the store is still away')
  })
})

describe('fallback: refuse', () => {
  const closed = (pages: string) => ({ bundle: undefined as never, fetch: () => new Response(pages) })

  test('no certificate is taken where the PSK is not', async () => {
    const { url, port } = await site(() => new Response('a stranger'))
    const { client } = provisionHttp3({ clientId: 'edge', addresses: [`127.0.0.1:${port}`] })
    const near = session(url, { bundle: client, fallback: 'refuse' })
    const error = await failure(near.fetch('/'))
    expect(error.code).toBe('ERR_ZEROTRIP_HANDSHAKE')
    expect(String((error.cause as Error).message)).toContain('took no PSK')
  })

  test('without anything to offer it fails at once, and nothing is sent', async () => {
    const { url, server } = await site(closed('x').fetch)
    for (const tickets of [new MemoryTickets(Date.now), new FarTickets()]) {
      const near = session(url, { tickets, fallback: 'refuse' })
      expect((await failure(near.fetch('/'))).code).toBe('ERR_ZEROTRIP_NO_CREDENTIAL')
    }
    expect(server.endpoint.statistics().accepted).toBe(0)
  })
})

describe('tickets of a provisioned worker', () => {
  test('are kept under its name and not its address, and hold to the pins of the bundle', async () => {
    const probe = await site(() => new Response(''))
    await probe.server.close()
    const { port } = probe
    const pins = [new Uint8Array(32).fill(7)]
    const { worker, client } = provisionHttp3({
      clientId: 'gateway',
      addresses: [`127.0.0.1:${port}`],
      pins,
      maxUses: 1,
    })
    const { url } = await site(request => new Response(`${request.early}`), { port, bundle: worker })
    const tickets = new FarTickets()
    const near = session(url, { bundle: client, tickets })
    expect(await (await near.fetch('/')).text()).toBe('true')
    await eventually(() => tickets.puts > 0)
    const again = session(url, { bundle: client, tickets })
    await again.opened
    expect(again.session.peer?.isResumed).toBe(true)
    expect(tickets.origins.every(origin => origin.startsWith('instance '))).toBe(true)
    const ticket = await tickets.take(tickets.origins[0] as string)
    expect(ticket?.pins).toEqual(pins)
    expect(ticket?.authorization?.peer).toBe(Buffer.from(client.instanceId).toString('hex'))
  })
})
