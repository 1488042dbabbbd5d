import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { provisionHttp3 } from '../../src/web/provision.ts'
import type { ServeOptions } from '../../src/web/serve.ts'
import type { Http3Session } from '../../src/web/session.ts'
import { parseCertificate } from '../../src/x509/certificate.ts'
import { gateFrom, SingleUse } from '../../src/zero-rtt/anti-replay.ts'
import { MemoryTickets } from '../../src/zero-rtt/ticket-store.ts'
import { eventually, failure, freePort, packetTypes, sleep, Tap } from '../endpoint/helpers.ts'
import { p256 } from '../support/certificates.ts'
import { session, site } from './helpers.ts'

describe('early data', () => {
  const early = (): Partial<ServeOptions> => ({ earlyData: gateFrom(new SingleUse()) })

  /** A session that leaves a ticket behind. */
  async function warmUp(url: string, tickets: MemoryTickets): Promise<void> {
    const near = session(url, { tickets })
    await (await near.fetch('/')).text()
    await eventually(() => {
      const taken = tickets.take(new URL(url).host)
      if (taken) tickets.put(new URL(url).host, taken)
      return taken !== undefined
    })
    await near.close()
  }

  test('the request of connect’s own tick is in the first datagram, and the handler knows', async () => {
    const seen: string[] = []
    const { port } = await site(async request => {
      seen.push(`${request.method} ${request.early}`)
      await request.confirmed
      return new Response('done')
    }, early())
    const tap = await Tap.before({ host: '127.0.0.1', port })
    const url = `https://127.0.0.1:${tap.address.port}`
    const tickets = new MemoryTickets(Date.now)
    await warmUp(url, tickets)
    const before = tap.toServer.length
    const near = session(url, { tickets, earlyData: true })
    const response = near.fetch('/first')
    expect(await (await response).text()).toBe('done')
    expect(near.earlyData).toBe('accepted')
    // The session of before may have had last words.
    const first = tap.toServer
      .slice(before)
      .map(packetTypes)
      .find(types => types[0] !== '1-RTT')
    expect(first).toEqual(['Initial', '0-RTT'])
    expect(seen).toEqual(['GET false', 'GET true'])
  })

  test('a session made ahead sends nothing before its first request, which is in its first datagram', async () => {
    const { port } = await site(request => new Response(`${request.method} ${request.early}`), early())
    const tap = await Tap.before({ host: '127.0.0.1', port })
    const url = `https://127.0.0.1:${tap.address.port}`
    const tickets = new MemoryTickets(Date.now)
    await warmUp(url, tickets)
    await sleep(20)
    const before = tap.toServer.length
    const [first, second, unused] = [0, 1, 2].map(() => session(url, { tickets, earlyData: true, ahead: true }))
    await sleep(20)
    expect(tap.toServer.length).toBe(before)
    expect(await (await (first as Http3Session).fetch('/')).text()).toBe('GET true')
    expect(packetTypes(tap.toServer[before] as Uint8Array)).toEqual(['Initial', '0-RTT'])
    const posted = await (second as Http3Session).fetch('/', { method: 'POST', body: 'x', early: false })
    expect(await posted.text()).toBe('POST false')
    await unused?.close()
    expect(unused?.session.statistics().datagramsSent).toBe(0)
  })

  test.each([
    ['RFC 8470 §5.2: 425 for what is not safe, and the client tries again by itself', 'too-early'],
    ['what is not safe is held until the handshake is confirmed', 'defer'],
  ] as const)('%s', async (_, policy) => {
    const seen: string[] = []
    const { url } = await site(
      async request => {
        seen.push(`${request.method} ${request.early} ${await request.text()}`)
        return new Response('done')
      },
      { ...early(), early: policy },
    )
    const tickets = new MemoryTickets(Date.now)
    await warmUp(url, tickets)
    const near = session(url, { tickets, earlyData: true })
    const response = await near.fetch('/', { method: 'POST', body: 'order', early: true })
    expect(response.status).toBe(200)
    expect(seen).toEqual(['GET false ', 'POST false order'])
  })

  test('what is not safe waits for the handshake unless told otherwise', async () => {
    const seen: boolean[] = []
    const { url } = await site(
      request => {
        seen.push(request.early)
        return new Response('done')
      },
      { ...early(), early: 'all' },
    )
    const tickets = new MemoryTickets(Date.now)
    await warmUp(url, tickets)
    const near = session(url, { tickets, earlyData: true })
    await Promise.all([near.fetch('/', { method: 'POST', body: 'x' }), near.fetch('/')])
    expect(seen).toEqual([false, true, false])
  })

  test('refused early data is sent again: the server was restarted', async () => {
    const { url, server, port } = await site(() => new Response('old'), early())
    const tickets = new MemoryTickets(Date.now)
    await warmUp(url, tickets)
    await server.close()
    await site(() => new Response('new'), { ...early(), port })
    const near = session(url, { tickets, earlyData: true })
    expect(await (await near.fetch('/')).text()).toBe('new')
    expect(near.earlyData).toBe('rejected')
  })
})

describe('a provisioned worker', () => {
  const spki = (): Uint8Array => {
    const { publicKey } = parseCertificate(p256.chain[0] as Uint8Array)
    return new Uint8Array(createHash('sha256').update(publicKey).digest())
  }

  /** A worker on a port chosen before, as its bundle names it. */
  async function worker(
    options: Partial<Parameters<typeof provisionHttp3>[0]> = {},
    handler: ServeOptions['fetch'] = request => new Response(`${request.method} ${request.early}`),
    serveOptions: Partial<ServeOptions> = {},
  ) {
    const port = await freePort()
    const bundles = provisionHttp3({ clientId: 'gateway', addresses: [`127.0.0.1:${port}`], ...options })
    const { url } = await site(handler, { port, bundle: bundles.worker, ...serveOptions })
    return { ...bundles, url }
  }

  test('first contact, first datagram, early request', async () => {
    const { client, url } = await worker()
    for (let i = 0; i < 3; i++) {
      const near = session(url, { bundle: client })
      const response = await near.fetch('/')
      expect(await response.text()).toBe('GET true')
      expect((await near.opened).earlyData).toBe('accepted')
      expect(near.session.peer?.certificates).toEqual([])
      await near.close()
    }
  })

  test('without a certificate; by another server name; with earlyData off', async () => {
    const { client, url } = await worker({}, undefined, { cert: undefined as never, key: undefined as never })
    const near = session(url, { bundle: client, serverName: 'worker.example' })
    expect(await (await near.fetch('/')).text()).toBe('GET true')
    const careful = session(url, { bundle: client, earlyData: false })
    expect(await (await careful.fetch('/')).text()).toBe('GET false')
    expect(careful.session.peer).toMatchObject({ isResumed: true, earlyData: 'none' })
  })

  test('what a bundle allows is early without being told to', async () => {
    const { client, url } = await worker({ earlyRequests: 'all' })
    const near = session(url, { bundle: client })
    expect(await (await near.fetch('/', { method: 'POST', body: 'x' })).text()).toBe('POST true')
    const safe = await worker({ earlyRequests: 'safe' })
    const other = session(safe.url, { bundle: safe.client })
    expect(await (await other.fetch('/', { method: 'POST', body: 'x' })).text()).toBe('POST false')
  })

  test('a worker that does not know the PSK: one round trip more, and the key that was pinned', async () => {
    const { client, url } = await worker({ pins: [spki()] }, undefined, { bundle: undefined as never })
    const near = session(url, { bundle: client, ca: undefined as never })
    expect(await (await near.fetch('/')).text()).toBe('GET false')
    expect(near.session.peer).toMatchObject({ isResumed: false, earlyData: 'rejected' })
    const wrong = await worker({ pins: [new Uint8Array(32)] }, undefined, { bundle: undefined as never })
    const wary = session(wrong.url, { bundle: wrong.client, ca: undefined as never })
    expect((await failure(wary.fetch('/'))).code).toBe('ERR_ZEROTRIP_HANDSHAKE')
  })

  test('PSKs of one’s own beside those of the bundle', async () => {
    const asked: number[] = []
    const psks = {
      find: (id: Uint8Array) => {
        asked.push(id.length)
        return undefined
      },
    }
    const { client, url } = await worker({}, undefined, { psks })
    expect(await (await session(url, { bundle: client }).fetch('/')).text()).toBe('GET true')
    expect(asked.length).toBe(1)
  })
})
