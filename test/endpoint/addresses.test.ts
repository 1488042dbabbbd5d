// One endpoint at several addresses: an answer leaves by the socket that was asked (RFC 9000 §9, §5.2).

import { createSocket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { describe, expect, test } from 'vitest'
import { listen, QuicEndpoint } from '../../src/endpoint/endpoint.ts'
import { MAX_ADDRESSES } from '../../src/endpoint/endpoint-options.ts'
import type { QuicSession } from '../../src/endpoint/quic-session.ts'
import { caPem, p256 } from '../support/certificates.ts'
import { bound, client, closing, echo, eventually, freePort, isSame, pattern, Stranger, Tap } from './helpers.ts'

const hasIPv6 = Object.values(networkInterfaces()).some(list => list?.some(({ address }) => address === '::1'))
const identity = { alpn: ['echo'], cert: p256.chainPem, key: p256.keyPem }

async function roundTrip(session: QuicSession, length = 20_000): Promise<boolean> {
  const stream = await session.openStream()
  const writing = stream.end(pattern(length))
  const bytes = await stream.bytes()
  await writing
  return isSame(bytes, pattern(length))
}

function serving(addresses: Parameters<typeof listen>[0]['addresses'], sessions: QuicSession[] = []) {
  const server = closing(
    listen({ ...identity, ...(addresses && { addresses }) }, session => {
      sessions.push(session)
      echo(session)
    }),
  )
  return { server, sessions }
}

describe('addresses', () => {
  test('two ports and another host: each is served, and told', async () => {
    const hosts = ['127.0.0.1', '127.0.0.1', '127.0.0.2']
    const { server, sessions } = serving(hosts.map(host => ({ host })))
    expect(server.addresses).toEqual([])
    const first = await server.ready
    expect(server.addresses.map(({ host }) => host)).toEqual(hosts)
    expect(server.addresses[0]).toEqual(first)
    expect(new Set(server.addresses.map(({ host, port }) => `${host} ${port}`)).size).toBe(3)
    for (const { host, port } of server.addresses) {
      expect(await roundTrip(client({ host, port }, { host: '127.0.0.3', serverName: '127.0.0.1' }))).toBe(true)
    }
    expect(sessions.map(({ remoteAddress }) => remoteAddress.via ?? 0)).toEqual([0, 1, 2])
  })

  test.runIf(hasIPv6)('IPv4 beside IPv6, which clients of either family can use', async () => {
    const { server } = serving([{ host: '127.0.0.1' }, { host: '::1' }])
    await server.ready
    const near = closing(new QuicEndpoint({ addresses: [{ host: '127.0.0.1' }, { host: '::1' }] }))
    for (const { host, port } of server.addresses) {
      // In the tick of its making: before anything is bound.
      const session = near.connect({ host, port }, { alpn: ['echo'], ca: caPem })
      expect(await roundTrip(session)).toBe(true)
    }
  })

  test.runIf(hasIPv6)('one port for `::` alone and 0.0.0.0 beside it', async () => {
    const port = await freePort('::')
    const { server } = serving([
      { host: '::', port, ipv6Only: true },
      { host: '0.0.0.0', port },
    ])
    await server.ready
    expect(await roundTrip(client({ host: '127.0.0.1', port }))).toBe(true)
    expect(await roundTrip(client({ host: '::1', port }, { host: '::1' }))).toBe(true)
  })

  test('a connection that comes in at another one goes on there (RFC 9000 §9.3)', async () => {
    const { server, sessions } = serving([{ host: '127.0.0.1' }, { host: '127.0.0.2' }])
    await server.ready
    const [first, second] = server.addresses
    const tap = await Tap.before(first as never)
    const session = client(tap.address)
    await session.confirmed
    const transfer = roundTrip(session, 400_000)
    tap.redirect(second as never)
    expect(await transfer).toBe(true)
    expect(await eventually(() => sessions[0]?.remoteAddress.via === 1)).toBe(true)
    expect(await roundTrip(session)).toBe(true)
    expect(server.sessions.size).toBe(1)
  })

  test('a preferred address that is one of them needs no further socket (RFC 9000 §9.6)', async () => {
    const ipv4 = { host: '127.0.0.2', port: await freePort('127.0.0.2') }
    const server = closing(
      listen({ ...identity, addresses: [{ host: '127.0.0.1' }, ipv4], preferredAddress: { ipv4 } }, echo),
    )
    const session = client(await server.ready)
    expect(await roundTrip(session)).toBe(true)
    expect(await eventually(() => session.remoteAddress.host === '127.0.0.2')).toBe(true)
    expect(await roundTrip(session)).toBe(true)
  })

  test('sockets that are bound already are taken over, and closed with the endpoint', async () => {
    const socket = await bound()
    const { port } = socket.address()
    const { server } = serving([{ socket }, { host: '127.0.0.2' }])
    expect(await server.ready).toEqual({ host: '127.0.0.1', port })
    for (const { host, port } of server.addresses)
      expect(await roundTrip(client({ host, port }, { serverName: '127.0.0.1' }))).toBe(true)
    await server.close()
    expect(() => socket.address()).toThrow()
  })
})

describe('all or nothing', () => {
  test('a port that is taken: ready rejects with EADDRINUSE, and the other ports are free again', async () => {
    const taken = await Stranger.at()
    const port = await freePort()
    const { server } = serving([{ host: '127.0.0.1', port }, taken.address, { host: '127.0.0.1' }])
    await expect(server.ready).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect(server.addresses).toEqual([])
    const again = await Stranger.at('127.0.0.1', port)
    expect(again.address.port).toBe(port)
  })

  test('a preferred address that cannot be had closes all of them', async () => {
    const ipv4 = { host: '203.0.113.1', port: 1 }
    const server = closing(new QuicEndpoint({ addresses: [{ host: '127.0.0.1' }], preferredAddress: { ipv4 } }))
    await expect(server.ready).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
    expect(server.addresses).toEqual([])
  })

  test('what makes no sense is said at once', async () => {
    const make = (options: ConstructorParameters<typeof QuicEndpoint>[0]) => () => new QuicEndpoint(options)
    expect(make({ port: 0, addresses: [{}] })).toThrow(/not both/)
    expect(make({ addresses: [] })).toThrow(RangeError)
    expect(make({ addresses: Array.from({ length: MAX_ADDRESSES + 1 }, () => ({})) })).toThrow(RangeError)
    expect(make({ addresses: [{ host: 'localhost' }] })).toThrow(TypeError)
    expect(make({ addresses: [{ port: 70_000 }] })).toThrow(RangeError)
    const socket = createSocket('udp4')
    expect(make({ addresses: [{ socket }] })).toThrow(/must be bound/)
    socket.close()
  })
})
