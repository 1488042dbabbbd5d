import { createSocket, type Socket, type SocketOptions } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import { describe, expect, test } from 'vitest'
import { nobleBackend } from '../../src/crypto/backend-noble.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { inTurns } from '../../src/endpoint/dialer.ts'
import { connect, listen, QuicEndpoint } from '../../src/endpoint/endpoint.ts'
import type { QuicSession } from '../../src/endpoint/quic-session.ts'
import { UdpSocket } from '../../src/endpoint/udp-socket.ts'
import { caPem, p256 } from '../support/certificates.ts'
import {
  client,
  closing,
  echo,
  eventually,
  isSame,
  pattern,
  Stranger,
  server,
  sleep,
  sockets,
  Tap,
  text,
} from './helpers.ts'

async function roundTrip(session: QuicSession, words = 'hello'): Promise<string> {
  const stream = await session.openStream()
  await stream.end(words)
  return text(await stream.bytes())
}

const hasIPv6 = Object.values(networkInterfaces()).some(list => list?.some(({ address }) => address === '::1'))

describe('addresses', () => {
  test.runIf(hasIPv6)('IPv4 and IPv6 on one `::` socket', async () => {
    const remotes: string[] = []
    const { address } = await server(
      session => {
        remotes.push(session.remoteAddress.host)
        echo(session)
      },
      { host: '::' },
    )
    const four = client({ host: '127.0.0.1', port: address.port }, { host: '::' })
    const six = client({ host: '::1', port: address.port }, { host: '::' })
    expect(await roundTrip(four, '4')).toBe('4')
    expect(await roundTrip(six, '6')).toBe('6')
    // As themselves, not as ::ffff:127.0.0.1.
    expect(remotes.sort()).toEqual(['127.0.0.1', '::1'])
    expect(four.remoteAddress.host).toBe('127.0.0.1')
  })

  test('names are looked up, in the family the socket has', async () => {
    const { address } = await server(echo)
    const near = client({ host: 'localhost', port: address.port })
    expect(await roundTrip(near)).toBe('hello')
    expect(near.remoteAddress).toEqual({ host: '127.0.0.1', port: address.port })
  })

  test('RFC 8305 §4: families take turns, each address once', () => {
    const found = ['a', 'b', 'a', 'c'].map(address => ({ address, family: 6 }))
    expect(inTurns([...found, { address: 'd', family: 4 }])).toEqual(['a', 'd', 'b', 'c'])
    expect(inTurns([{ address: 'd', family: 4 }])).toEqual(['d'])
  })

  test.runIf(hasIPv6)('a name whose first address does not answer', async () => {
    const names = await lookup('localhost', { all: true })
    const { address } = await server(echo)
    const near = client({ host: 'localhost', port: address.port }, { host: '::' })
    expect(await roundTrip(near)).toBe('hello')
    expect(near.remoteAddress.host).toBe('127.0.0.1')
    expect(names.map(name => name.address)).toContain('127.0.0.1')
  })

  test('a name that is none: ERR_ZEROTRIP_LOOKUP', async () => {
    const endpoint = closing(new QuicEndpoint({ host: '127.0.0.1' }))
    const near = endpoint.connect({ host: 'no-such-host.invalid', port: 4433 }, { alpn: ['echo'], ca: caPem })
    await expect(near.opened).rejects.toMatchObject({ code: 'ERR_ZEROTRIP_LOOKUP', cause: expect.any(Error) })
    await expect(near.closed).rejects.toMatchObject({ code: 'ERR_ZEROTRIP_LOOKUP' })
    expect(endpoint.sessions.size).toBe(0)
    expect(endpoint.routes).toBe(0)
  })

  test('a socket of the wrong family is weather: the handshake times out', async () => {
    const near = client({ host: '::1', port: 4433 }, { host: '127.0.0.1', handshakeTimeout: 50 })
    await expect(near.opened).rejects.toMatchObject({ code: 'ERR_ZEROTRIP_HANDSHAKE_TIMEOUT' })
  })
})

describe('binding', () => {
  /** A machine without IPv6: every udp6 socket fails to bind with `code`. */
  function without(code: string): (options: SocketOptions) => Socket {
    return options => {
      const socket = createSocket(options)
      if (options.type === 'udp6') {
        socket.bind = () => {
          setImmediate(() => socket.emit('error', Object.assign(new Error(`bind ${code}`), { code })))
          return socket
        }
      }
      return socket
    }
  }

  test.each(['EAFNOSUPPORT', 'EADDRNOTAVAIL'])('`::` becomes 0.0.0.0 where there is no IPv6 (%s)', async code => {
    const socket = closing(new UdpSocket(nodeBackend, 1500, without(code)))
    const seen: string[] = []
    socket.onDatagram((datagram, from) => seen.push(`${from.host} ${text(datagram)}`))
    const { host, port } = await socket.bind()
    expect(host).toBe('0.0.0.0')
    expect(socket.family).toBe(4)
    const stranger = await Stranger.at()
    await stranger.send(new TextEncoder().encode('hi'), { host: '127.0.0.1', port })
    expect(await eventually(() => seen.length === 1)).toBe(true)
    expect(seen).toEqual(['127.0.0.1 hi'])
    const buffer = socket.buffer() as Uint8Array
    buffer.set([1, 2, 3])
    socket.send(buffer, 3, stranger.address)
    expect(await stranger.answer()).toEqual(new Uint8Array([1, 2, 3]))
  })

  test('an address that was asked for is not replaced; other errors are not hidden', async () => {
    const six = new UdpSocket(nodeBackend, 1500, without('EADDRNOTAVAIL'))
    await expect(six.bind({ host: '::1' })).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
    const any = new UdpSocket(nodeBackend, 1500, without('EACCES'))
    await expect(any.bind()).rejects.toMatchObject({ code: 'EACCES' })
    await any.close()
  })

  test('a port that is taken: ready rejects with node’s error, sessions with ERR_ZEROTRIP_BIND', async () => {
    const taken = await Stranger.at()
    const { port } = taken.address
    const endpoint = new QuicEndpoint({ host: '127.0.0.1', port })
    const near = endpoint.connect({ host: '127.0.0.1', port: 9 }, { alpn: ['echo'], ca: caPem })
    await expect(endpoint.ready).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await expect(near.opened).rejects.toMatchObject({ code: 'ERR_ZEROTRIP_BIND', cause: { code: 'EADDRINUSE' } })
    expect(endpoint.sessions.size).toBe(0)
    await endpoint.close()
    const mine = listen({ alpn: ['x'], cert: p256.chainPem, key: p256.keyPem, host: '127.0.0.1', port })
    await expect(mine.ready).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await mine.close()
  })

  test('ref and unref, before and after the socket is bound', async () => {
    const endpoint = closing(new QuicEndpoint({ host: '127.0.0.1' })).unref()
    await endpoint.ready
    expect(endpoint.ref()).toBe(endpoint)
    endpoint.unref()
  })
})

describe('what the system refuses', () => {
  test('EMSGSIZE, ECONNREFUSED and bad ports lose a datagram, nothing else', async () => {
    const socket = closing(new UdpSocket(nodeBackend, 70_000))
    await socket.bind({ host: '127.0.0.1' })
    const gone = await Stranger.at()
    const { port } = gone.address
    socket.send(socket.buffer() as Uint8Array, 70_000, gone.address)
    socket.send(socket.buffer() as Uint8Array, 100, { host: '127.0.0.1', port: 70_000 })
    socket.send(socket.buffer() as Uint8Array, 100, { host: 'fe80::1', port })
    expect(await eventually(() => socket.sendErrors === 3)).toBe(true)
    for (let i = 0; i < 200; i++) {
      const buffer = socket.buffer()
      if (buffer) socket.send(buffer, 100, gone.address)
      else await sleep(1)
    }
    expect(await gone.answer()).toBeDefined()
  })

  test('RFC 8899 §4.3: an interface whose MTU falls in the middle of a transfer', async () => {
    const socket = createSocket('udp4')
    await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
    let limit = 9000
    const refused: number[] = []
    const send = socket.send.bind(socket) as (...args: unknown[]) => void
    socket.send = (...args: unknown[]) => {
      const { length } = args[0] as Uint8Array
      if (length <= limit) return send(...args)
      refused.push(length)
      const error = Object.assign(new Error('send EMSGSIZE'), { code: 'EMSGSIZE' })
      setImmediate(args[3] as (error: Error) => void, error)
    }
    const { address } = await server(echo)
    const near = closing(connect(address, { alpn: ['echo'], ca: caPem, addresses: [{ socket }] }))
    const stream = await near.openStream()
    const received = stream.bytes()
    await stream.write(pattern(2_000_000))
    expect(await eventually(() => near.statistics().pathMtu > 8000)).toBe(true)
    // Each probe that is refused is lost once.
    expect(new Set(refused).size).toBe(refused.length)
    refused.length = 0
    limit = 1200
    await stream.end(pattern(500_000, 2))
    expect(isSame(await received, Buffer.concat([pattern(2_000_000), pattern(500_000, 2)]))).toBe(true)
    expect(near.statistics().pathMtu).toBe(1200)
    // Those of a burst, and probes.
    expect(refused.length).toBeLessThan(400)
    await near.close()
  })

  test('buffers are bounded, given back, and grow on demand', async () => {
    const socket = closing(new UdpSocket(nodeBackend, 1500))
    const buffers: Uint8Array[] = []
    for (let buffer = socket.buffer(); buffer !== undefined; buffer = socket.buffer()) buffers.push(buffer)
    expect(buffers.length).toBe(64)
    socket.raiseBufferSize(1400)
    socket.release(buffers.pop() as Uint8Array)
    expect(socket.buffer()?.length).toBe(1500)
    socket.raiseBufferSize(9000)
    for (const buffer of buffers.splice(0)) socket.release(buffer)
    expect(socket.buffer()?.length).toBe(9000)
    // Not bound: what is sent goes nowhere, and the buffer comes back.
    socket.send(new Uint8Array(9000), 100, { host: '127.0.0.1', port: 9 })
  })

  test('a path that takes only 1,200 bytes: larger datagrams are lost, the rest goes on', async () => {
    const { address } = await server(echo)
    const tap = await Tap.before(address)
    tap.passes = datagram => datagram.length <= 1200
    expect(await roundTrip(client(tap.address))).toBe('hello')
  })

  test('jumbo datagrams where the options say so, without another option', async () => {
    const transport = { maxDatagramSize: 8000 }
    const { address } = await server(echo, { transport })
    const tap = await Tap.before(address)
    const near = client(tap.address, { transport })
    const stream = await near.openStream()
    stream.end(pattern(200_000))
    expect(isSame(await stream.bytes(), pattern(200_000))).toBe(true)
    expect(Math.max(...tap.toServer.map(({ length }) => length))).toBe(8000)
    expect(Math.max(...tap.toClient.map(({ length }) => length))).toBe(8000)
  })
})

describe('the noble backend', () => {
  test('end to end, both sides and mixed', async () => {
    for (const [near, far] of [
      [nobleBackend, nobleBackend],
      [nodeBackend, nobleBackend],
    ] as const) {
      const { address } = await server(echo, { backend: far })
      const session = client(address, { backend: near })
      const stream = await session.openStream()
      stream.end(pattern(50_000))
      expect(isSame(await stream.bytes(), pattern(50_000))).toBe(true)
    }
  })
})

describe('loss', () => {
  test('a tenth of all datagrams lost, both ways', async () => {
    const { address } = await server(echo)
    const tap = await Tap.before(address)
    let count = 0
    tap.passes = () => ++count % 10 !== 0
    const near = client(tap.address, { transport: { initialRtt: 10 } })
    const stream = await near.openStream()
    stream.end(pattern(100_000)).catch(() => {})
    expect(isSame(await stream.bytes(), pattern(100_000))).toBe(true)
    expect(near.statistics().packetsLost).toBeGreaterThan(0)
  })

  test('a connection of its own closes its socket', async () => {
    const { address } = await server(echo)
    // Of other tests, nothing is left.
    expect(await eventually(() => sockets() === 1)).toBe(true)
    const near = connect(address, { alpn: ['echo'], ca: caPem, host: '127.0.0.1' })
    expect(await roundTrip(near)).toBe('hello')
    expect(sockets()).toBe(2)
    await near.close()
    expect(await eventually(() => sockets() === 1)).toBe(true)
    expect(() => connect(address, { alpn: [], host: '127.0.0.1' })).toThrow(TypeError)
    expect(await eventually(() => sockets() === 1)).toBe(true)
  })
})
