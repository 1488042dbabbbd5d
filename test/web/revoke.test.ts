// A provisioned worker whose keys change while it runs: revoked clients, epochs, snapshots.

import { describe, expect, test } from 'vitest'
import { NamedGroup } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { freshNodeBackend } from '../../src/crypto/fresh-node.ts'
import { QuicEndpoint } from '../../src/endpoint/endpoint.ts'
import { provisionHttp3 } from '../../src/web/provision.ts'
import { restoredBackend } from '../../src/web/restored-backend.ts'
import type { ServeOptions } from '../../src/web/serve.ts'
import { gateFrom, SingleUse } from '../../src/zero-rtt/anti-replay.ts'
import type { ClientBundle } from '../../src/zero-rtt/bundle.ts'
import { clientBundle, nextEpoch, provisionClient } from '../../src/zero-rtt/generator.ts'
import { MemoryTickets } from '../../src/zero-rtt/ticket-store.ts'
import { closing, failure } from '../endpoint/helpers.ts'
import { session, site } from './helpers.ts'

async function worker(options: Partial<Parameters<typeof provisionHttp3>[0]> = {}, serve: Partial<ServeOptions> = {}) {
  const probe = await site(() => new Response(''))
  await probe.server.close()
  const { port } = probe
  const addresses = [`127.0.0.1:${port}`]
  const bundles = provisionHttp3({ clientId: 'gateway-1', addresses, ...options })
  const runs: string[] = []
  const made = await site(
    request => {
      runs.push(new URL(request.url).pathname)
      return new Response(`${request.early}`)
    },
    { port, bundle: bundles.worker, earlyData: gateFrom(new SingleUse()), ...serve },
  )
  const half = (clientId: string) => clientBundle(nodeBackend, bundles.worker, { clientId, addresses }, Date.now())
  return { ...bundles, ...made, addresses, runs, half }
}

const open = async (url: string, bundle: ClientBundle, tickets = new MemoryTickets(Date.now)) => {
  const near = session(url, { bundle, tickets })
  const answer = await (await near.fetch('/')).text()
  // The server knows it, too: before, it could only say that it closes, and not why.
  await near.session.confirmed
  return { near, answer, tickets }
}

describe('revocation', () => {
  test('closes what the client has open, and keeps out its key and its tickets', async () => {
    const { server, url, client, half } = await worker({ maxUses: 1, caller: 'checkout', callee: 'payment' })
    const { near, tickets } = await open(url, client)
    const other = await open(url, half('gateway-2'))
    const [session_] = [...server.endpoint.sessions].filter(({ peer }) => peer?.authorization?.peer === 'gateway-1')
    expect(session_?.peer?.authorization).toEqual({ peer: 'gateway-1', edge: 'checkout>payment', epoch: 0 })
    server.revoke('gateway-1')
    expect(await near.closed).toMatchObject({ errorCode: 0x10c, reason: 'revoked', by: 'peer' })
    expect(other.near.isOpen).toBe(true)
    // The ticket of before: what it inherited is revoked, too.
    const again = session(url, { bundle: client, tickets })
    const error = await failure(again.fetch('/'))
    expect(error).toMatchObject({ code: 'ERR_ZEROTRIP_HANDSHAKE', errorCode: 0x100 + 49 })
  })

  test('an epoch that is over takes its connections and tickets with it', async () => {
    const { server, url, client, worker: bundle, addresses } = await worker({ maxUses: 1 })
    const { near, tickets } = await open(url, client)
    const life = { notBefore: Date.now() - 1000, expires: Date.now() + 600_000 }
    server.advanceEpoch(life)
    expect(near.isOpen).toBe(true)
    const next = clientBundle(
      nodeBackend,
      nextEpoch(nodeBackend, bundle, life),
      { clientId: 'gateway-1', addresses },
      Date.now(),
    )
    expect((await open(url, next)).answer).toBe('true')
    const resumed = await open(url, client, tickets)
    expect(resumed.near.session.peer?.isResumed).toBe(true)
    server.advanceEpoch(life)
    await near.closed
    await resumed.near.closed
    const error = await failure(session(url, { bundle: client, tickets }).fetch('/'))
    expect(error.errorCode).toBe(0x100 + 49)
  })

  test('a hook of one’s own comes after that, and sees name and protocol', async () => {
    const asked: unknown[] = []
    const { server, url, client, half } = await worker(
      {},
      {
        authorize: ({ psk, serverName, alpn }) => {
          asked.push([psk.authorization?.peer, serverName, alpn])
          return psk.authorization?.peer === 'gateway-1' ? { peer: 'G', edge: 'e', epoch: 0 } : undefined
        },
      },
    )
    expect((await open(url, client)).answer).toBe('true')
    expect([...server.endpoint.sessions][0]?.peer?.authorization).toEqual({ peer: 'G', edge: 'e', epoch: 0 })
    expect((await failure(session(url, { bundle: half('gateway-9') }).fetch('/'))).errorCode).toBe(0x100 + 49)
    expect(asked).toEqual([
      ['gateway-1', undefined, 'h3'],
      ['gateway-9', undefined, 'h3'],
    ])
  })

  test('a worker with a ratchet is told of clients and renewed by bundles', async () => {
    const { server, url, client, worker: bundle, addresses } = await worker({ ratchet: true })
    for (let i = 0; i < 3; i++) expect((await open(url, client)).answer).toBe('true')
    const second = provisionClient(nodeBackend, bundle, { clientId: 'gateway-2', addresses }, Date.now())
    if (second.chain) server.addClient(second.chain)
    expect((await open(url, second.client)).answer).toBe('true')
    expect(() => server.advanceEpoch({ notBefore: 0, expires: 1 })).toThrow('renewed by a bundle')
    const renewed = { ...bundle, epoch: 1, chains: [] }
    const third = provisionClient(nodeBackend, renewed, { clientId: 'gateway-3', addresses }, Date.now())
    server.renew({ ...renewed, chains: third.chain ? [third.chain] : [] })
    expect((await open(url, third.client)).answer).toBe('true')
  })

  test('a gateway closes what it has open to an instance that is not welcome any more', async () => {
    const { url, client } = await worker()
    const endpoint = closing(new QuicEndpoint({ host: '127.0.0.1' }))
    const near = session(url, { bundle: client, endpoint })
    await (await near.fetch('/')).text()
    const instance = Buffer.from(client.instanceId).toString('hex')
    expect(endpoint.closeWhere(({ peer }) => peer === 'another')).toBe(0)
    expect(endpoint.closeWhere(({ peer }) => peer === instance)).toBe(1)
    expect(await near.closed).toMatchObject({ reason: 'revoked', by: 'local' })
  })

  test('a server without a bundle has nobody to revoke', async () => {
    const { server } = await site(() => new Response(''))
    expect(() => server.revoke('anybody')).toThrow('has no `bundle`')
  })
})

describe('a process restored from a snapshot', () => {
  test('drops its connections without a word, and serves the same port with new keys', async () => {
    const { server, url, client, addresses, runs } = await worker()
    const tickets = new MemoryTickets(Date.now)
    const { near } = await open(url, client, tickets)
    const restored = provisionHttp3({ clientId: 'gateway-1', addresses })
    const sent = server.endpoint.statistics()
    const after = closing(await server.injectAfterRestore(restored.worker))
    await after.ready
    expect(sent.connections).toBe(1)
    // The client was told nothing: only its own packets find out that nobody knows it.
    expect(near.isOpen).toBe(true)
    expect((await open(url, restored.client)).answer).toBe('true')
    // Of the half of before, and of the tickets of before, nothing is known.
    const old = session(url, { bundle: client, tickets })
    await (await old.fetch('/old')).text()
    expect(old.session.peer).toMatchObject({ isResumed: false, earlyData: 'rejected' })
    expect(runs.filter(path => path === '/old').length).toBe(1)
  })

  test('randomness is each copy’s own, and right', () => {
    const { worker: one } = provisionHttp3({ clientId: 'a', addresses: [] })
    const [first, twin] = [restoredBackend(one), restoredBackend(one)]
    const drawn = [first, twin].map(backend => Buffer.from(backend.random(5000)).toString('hex'))
    expect(drawn[0]).not.toBe(drawn[1])
    expect(new Set(Array.from({ length: 1000 }, () => Buffer.from(first.random(16)).toString('hex'))).size).toBe(1000)
    for (const group of [NamedGroup.X25519, NamedGroup.P256, NamedGroup.P384]) {
      const [ours, theirs] = [first.keyExchange(group), nodeBackend.keyExchange(group)]
      expect(ours.agree(theirs.publicKey)).toEqual(theirs.agree(ours.publicKey))
      expect(ours.publicKey).not.toEqual(first.keyExchange(group).publicKey)
    }
    expect(() => freshNodeBackend(new Uint8Array(31))).toThrow(RangeError)
    // The same seed is the same generator: that is what must not happen to two copies.
    const same = [0, 1].map(() => freshNodeBackend(new Uint8Array(32)).random(32))
    expect(same[0]).toEqual(same[1])
  })
})
