// Sessions that move, over real sockets (RFC 9000 §9).

import { networkInterfaces } from 'node:os'
import { describe, expect, test } from 'vitest'
import { QuicEndpoint } from '../../src/endpoint/endpoint.ts'
import type { QuicSession } from '../../src/endpoint/quic-session.ts'
import { caPem } from '../support/certificates.ts'
import { client, closing, echo, eventually, failure, isSame, pattern, server } from './helpers.ts'

async function roundTrip(session: QuicSession, length = 5000): Promise<boolean> {
  const stream = await session.openStream()
  const writing = stream.write(pattern(length)).then(() => stream.end())
  const bytes = await stream.bytes()
  await writing
  return isSame(bytes, pattern(length))
}

const hasIPv6 = Object.values(networkInterfaces()).some(list => list?.some(({ address }) => address === '::1'))

/** A server that remembers its sessions. */
async function remembering(options: Parameters<typeof server>[1] = {}) {
  const sessions: QuicSession[] = []
  const { address, endpoint } = await server(session => {
    sessions.push(session)
    echo(session)
  }, options)
  return { address, endpoint, sessions }
}

describe('session.migrate (RFC 9000 §9.2)', () => {
  test('to another port, in the middle of a transfer', async () => {
    const { address, sessions } = await remembering()
    const session = client(address)
    await session.confirmed
    const before = sessions[0]?.remoteAddress.port
    const transfer = roundTrip(session, 500_000)
    await session.migrate()
    expect(await transfer).toBe(true)
    expect(await roundTrip(session)).toBe(true)
    expect(await eventually(() => sessions[0]?.remoteAddress.port !== before)).toBe(true)
    expect(session.remoteAddress).toMatchObject(address)
  })

  test('to another address, and on from there, while its neighbour stays', async () => {
    const { address, sessions } = await remembering()
    const endpoint = closing(new QuicEndpoint({ host: '127.0.0.1' }))
    const connect = (): QuicSession => endpoint.connect(address, { alpn: ['echo'], ca: caPem })
    const [session, neighbour] = [connect(), connect()]
    await Promise.all([session.confirmed, neighbour.confirmed])
    const { port } = await endpoint.ready
    for (const host of ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.1']) {
      await session.migrate({ host })
      expect(await roundTrip(session)).toBe(true)
      expect(await eventually(() => sessions.some(({ remoteAddress }) => remoteAddress.host === host))).toBe(true)
    }
    expect(await roundTrip(neighbour)).toBe(true)
    const ports = sessions.map(({ remoteAddress }) => remoteAddress.port)
    expect(ports.filter(used => used === port).length).toBe(1)
    await endpoint.close()
    expect(endpoint.routes).toBe(0)
  })

  test('refused: by the server, too early, twice at once', async () => {
    const { address } = await remembering({ transport: { disableActiveMigration: true } })
    const session = client(address)
    expect((await failure(session.migrate())).code).toBe('ERR_ZEROTRIP_MIGRATION_REFUSED')
    await session.confirmed
    const error = await failure(session.migrate())
    expect(error.code).toBe('ERR_ZEROTRIP_MIGRATION_REFUSED')
    expect(error.message).toContain('disable_active_migration')
    const other = client((await remembering()).address)
    await other.confirmed
    const first = other.migrate()
    expect((await failure(other.migrate())).code).toBe('ERR_ZEROTRIP_MIGRATION_REFUSED')
    await first
  })

  test('refused: on the side of a server', async () => {
    const { address, sessions } = await remembering()
    const session = client(address)
    await session.confirmed
    expect((await failure((sessions[0] as QuicSession).migrate())).code).toBe('ERR_ZEROTRIP_MIGRATION_REFUSED')
  })

  test('a port that is taken, an end in the middle', async () => {
    const { address } = await remembering()
    const session = client(address)
    await session.confirmed
    expect((await failure(session.migrate({ port: address.port }))).code).toBe('ERR_ZEROTRIP_BIND')
    expect(await roundTrip(session)).toBe(true)
    const moving = session.migrate()
    session.close()
    expect((await failure(moving)).code).toMatch(/^ERR_ZEROTRIP_MIGRATION/)
  })

  test('§9.2: nobody answers there: the session stays where it is', async () => {
    const { address } = await remembering()
    const session = client(address)
    await session.confirmed
    // Nothing gets from IPv6 to a server that has IPv4 alone.
    const error = await failure(session.migrate({ host: '::1' }))
    expect(error.code).toMatch(hasIPv6 ? 'ERR_ZEROTRIP_MIGRATION_FAILED' : 'ERR_ZEROTRIP_BIND')
    expect(await roundTrip(session)).toBe(true)
  })
})

describe('preferredAddress (RFC 9000 §9.6)', () => {
  const preferredAddress = { ipv4: { host: '127.0.0.5', port: 0 } }

  test('is where clients go after the handshake', async () => {
    const { address } = await remembering({ preferredAddress })
    const session = client(address)
    expect(await roundTrip(session, 100_000)).toBe(true)
    expect(await eventually(() => session.remoteAddress.host === '127.0.0.5')).toBe(true)
    expect(await roundTrip(session, 100_000)).toBe(true)
    await session.close()
  })

  test('but for those that do not want to', async () => {
    const { address } = await remembering({ preferredAddress })
    const session = client(address, { followPreferredAddress: false })
    await session.confirmed
    expect(await roundTrip(session)).toBe(true)
    expect(session.remoteAddress).toEqual(address)
  })

  test('has to be one, and to be had', async () => {
    const ipv4 = { host: 'localhost', port: 1 }
    expect(() => new QuicEndpoint({ preferredAddress: { ipv4 } })).toThrow(TypeError)
    const endpoint = new QuicEndpoint({ preferredAddress: { ipv4: { host: '203.0.113.1', port: 1 } } })
    await expect(endpoint.ready).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
    await endpoint.close()
  })
})
