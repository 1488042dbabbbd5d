import { describe, expect, test } from 'vitest'
import { Writer } from '../../src/bytes/writer.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { retryAlways } from '../../src/endpoint/admission.ts'
import { QuicEndpoint } from '../../src/endpoint/endpoint.ts'
import { type Admission, type Incoming, isReflector, MAX_PENDING_DATAGRAMS } from '../../src/endpoint/incoming.ts'
import { PendingClients } from '../../src/endpoint/pending-clients.ts'
import { Router } from '../../src/endpoint/router.ts'
import { PacketKind, readHeader } from '../../src/packet/header.ts'
import { isReservedVersion, QUIC_V1, QUIC_V2, readVersionNegotiation } from '../../src/packet/version.ts'
import { AddressTokens } from '../../src/zero-rtt/address-token.ts'
import { gateFrom, SingleUse } from '../../src/zero-rtt/anti-replay.ts'
import type { Resumption } from '../../src/zero-rtt/resumption.ts'
import { MemoryTickets, type TicketStore } from '../../src/zero-rtt/ticket-store.ts'
import { caPem, p256 } from '../support/certificates.ts'
import {
  client,
  closing,
  echo,
  eventually,
  failure,
  freePort,
  pattern,
  Stranger,
  server,
  sleep,
  Tap,
  text,
} from './helpers.ts'

/** The first datagram of a client, caught before any server sees it. */
async function firstFlight(): Promise<Uint8Array> {
  const stranger = await Stranger.at()
  const near = client(stranger.address)
  const datagram = await stranger.answer()
  await near.close()
  return datagram as Uint8Array
}

function kindOf(datagram: Uint8Array | undefined): number | undefined {
  return datagram && readHeader(datagram, 0, 8)?.kind
}

/** The versions of a Version Negotiation packet that mean something. */
function offeredIn(answer: Uint8Array): number[] | undefined {
  return readVersionNegotiation(answer)?.filter(version => !isReservedVersion(version))
}

describe('admission', () => {
  test('accept, with what is known of the client', async () => {
    const asked: Incoming[] = []
    const { address } = await server(echo, {
      admit: incoming => {
        asked.push(incoming)
        return 'accept'
      },
    })
    const near = client(address)
    await near.opened
    expect(asked).toEqual([
      { remoteAddress: expect.anything(), isAddressValidated: false, handshakes: 0, connections: 0 },
    ])
    expect(asked[0]?.remoteAddress.host).toBe('127.0.0.1')
  })

  test('refuse: CONNECTION_REFUSED', async () => {
    const { endpoint, address } = await server(echo, { admit: () => 'refuse' })
    const error = await failure(client(address).opened)
    expect(error).toMatchObject({ code: 'ERR_ZEROTRIP_CONNECTION_REFUSED', errorCode: 2 })
    expect(endpoint.sessions.size).toBe(0)
    expect(endpoint.routes).toBe(0)
  })

  test('retry: the client proves its address, then is accepted (RFC 9000 §8.1.2)', async () => {
    const asked: boolean[] = []
    const { address } = await server(echo, {
      admit: incoming => {
        asked.push(incoming.isAddressValidated)
        return retryAlways(incoming)
      },
    })
    const tap = await Tap.before(address)
    const near = client(tap.address)
    await near.opened
    expect(asked).toEqual([false, true])
    expect(kindOf(tap.toClient[0])).toBe(PacketKind.Retry)
  })

  test('ignore: silence', async () => {
    const { endpoint, address } = await server(echo, { admit: () => 'ignore' })
    const near = client(address, { handshakeTimeout: 50 })
    expect((await failure(near.opened)).code).toBe('ERR_ZEROTRIP_HANDSHAKE_TIMEOUT')
    expect(endpoint.sessions.size).toBe(0)
  })

  test('a promise: datagrams wait for its answer; rejected is ignored; a throw is shown', async () => {
    let next: Admission | Error = 'accept'
    let answer: () => void = () => {}
    const thought = new Promise<void>(resolve => {
      answer = resolve
    })
    const { endpoint, address } = await server(echo, {
      admit: async () => {
        await thought
        if (next instanceof Error) throw next
        return next
      },
    })
    const near = client(address)
    expect(await eventually(() => endpoint.listener.pending === 1)).toBe(true)
    expect(endpoint.sessions.size).toBe(0)
    answer()
    await near.opened
    expect(endpoint.listener.pending).toBe(0)
    next = 'refuse'
    expect((await failure(client(address).opened)).code).toBe('ERR_ZEROTRIP_CONNECTION_REFUSED')
    next = new Error('directory down')
    const ignored = client(address, { handshakeTimeout: 60 })
    expect((await failure(ignored.opened)).code).toBe('ERR_ZEROTRIP_HANDSHAKE_TIMEOUT')
  })

  test('an `admit` that throws lets nobody in, and is shown', async () => {
    const shown: unknown[] = []
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', error => shown.push(error))
    try {
      const { endpoint, address } = await server(echo, {
        admit: () => {
          throw new Error('broken')
        },
      })
      const near = client(address, { handshakeTimeout: 40 })
      expect((await failure(near.opened)).code).toBe('ERR_ZEROTRIP_HANDSHAKE_TIMEOUT')
      // The client's good-bye is a stranger's datagram, too.
      expect(await eventually(() => shown.length > 1)).toBe(true)
      expect(new Set(shown.map(String))).toEqual(new Set(['Error: broken']))
      expect(endpoint.sessions.size).toBe(0)
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const listener of listeners) process.on('uncaughtException', listener)
    }
  })

  test('of two clients with one id, whose admission was thought about together, the first has it', async () => {
    let answer: (admission: Admission) => void = () => {}
    const thought = new Promise<Admission>(resolve => {
      answer = resolve
    })
    const { endpoint, address } = await server(echo, { admit: () => thought })
    const datagram = await firstFlight()
    const [first, second] = [await Stranger.at(), await Stranger.at()]
    await first.send(datagram, address)
    await second.send(datagram, address)
    expect(await eventually(() => endpoint.listener.pending === 2)).toBe(true)
    answer('accept')
    expect(await first.answer()).toBeDefined()
    expect(await second.answer(30)).toBe(undefined)
    expect(endpoint.sessions.size).toBe(1)
  })

  test('0-RTT datagrams wait with their Initial', async () => {
    let isSlow = false
    const { address } = await server(
      async session => {
        for await (const stream of session.streams)
          await stream.end(`${stream.isEarly} ${(await stream.bytes()).length}`)
      },
      {
        earlyData: gateFrom(new SingleUse()),
        admit: async (): Promise<Admission> => {
          if (isSlow) await sleep(40)
          return 'accept'
        },
      },
    )
    const tickets = new MemoryTickets(Date.now)
    const first = client(address, { tickets })
    const warm = await first.openStream()
    await warm.end()
    await warm.bytes()
    await first.close()
    isSlow = true
    const near = client(address, { tickets, earlyData: true, transport: { initialRtt: 500 } })
    const stream = near.openStreamNow()
    stream?.end(pattern(6000))
    expect(text(await stream?.bytes())).toBe('true 6000')
    expect(near.statistics().packetsLost).toBe(0)
  })

  test('a close while the answer is out: nobody is let in', async () => {
    const { endpoint, address } = await server(echo, { admit: () => new Promise(() => {}) })
    const near = client(address)
    await eventually(() => endpoint.listener.pending === 1)
    endpoint.listener.close()
    expect(endpoint.listener.pending).toBe(0)
    expect((await failure(near.opened)).code).toBe('ERR_ZEROTRIP_CONNECTION_REFUSED')
    expect(endpoint.sessions.size).toBe(0)
  })
})

describe('limits', () => {
  test('maxConnections: one more is refused, and there is room again when one has gone', async () => {
    const { endpoint, address } = await server(echo, { maxConnections: 2 })
    const first = client(address, { transport: { initialRtt: 1 } })
    const second = client(address)
    await Promise.all([first.confirmed, second.confirmed])
    expect((await failure(client(address).opened)).code).toBe('ERR_ZEROTRIP_CONNECTION_REFUSED')
    await first.close()
    await eventually(() => endpoint.sessions.size === 1)
    await client(address).opened
  })

  test('maxPendingClients: one more is ignored', async () => {
    let answer: (admission: Admission) => void = () => {}
    const thought = new Promise<Admission>(resolve => {
      answer = resolve
    })
    const { endpoint, address } = await server(echo, { maxPendingClients: 3, admit: () => thought })
    // Nobody says anything twice before it is over.
    const options = { transport: { initialRtt: 10_000 } }
    const clients = Array.from({ length: 8 }, () => client(address, options))
    expect(await eventually(() => endpoint.statistics().datagramsReceived === 8)).toBe(true)
    expect(endpoint.listener.pending).toBe(3)
    answer('accept')
    let open = 0
    for (const near of clients)
      near.opened.then(
        () => open++,
        () => {},
      )
    expect(await eventually(() => open === 3)).toBe(true)
    for (const near of clients) near.abort(new Error('enough'))
    const results = await Promise.allSettled(clients.map(near => near.opened))
    expect(results.filter(result => result.status === 'fulfilled').length).toBe(3)
  })

  test('datagrams of one waiting client, and bytes of all', () => {
    const pending = new PendingClients(2)
    const key = (port: number): string => pending.key({ host: '192.0.2.1', port }, pattern(8))
    expect(pending.append(key(1), pattern(10))).toBe(false)
    expect(pending.add(key(1), pattern(10))).toBe(true)
    for (let i = 0; i < 100; i++) expect(pending.append(key(1), pattern(10))).toBe(true)
    expect(pending.add(key(2), pattern(10))).toBe(true)
    expect(pending.add(key(3), pattern(10))).toBe(false)
    expect(pending.take(key(1)).length).toBe(MAX_PENDING_DATAGRAMS)
    expect(pending.take(key(1)).length).toBe(0)
    expect(pending.size).toBe(1)
    const large = new PendingClients(1000)
    let kept = 0
    while (kept < 1000 && large.add(`${kept} 443 id`, new Uint8Array(65_000))) kept++
    expect(kept).toBe(64)
    large.clear()
    expect(large.add('again 443 id', new Uint8Array(65_000))).toBe(true)
  })
})

describe('address validation tokens', () => {
  test('RFC 9000 §8.1.2: a Retry token that is not good is answered with INVALID_TOKEN', async () => {
    const tokens = new AddressTokens(nodeBackend)
    const { address } = await server(echo, { admit: retryAlways, addressTokens: tokens })
    const tap = await Tap.before(address)
    const near = client(tap.address)
    // The Retry goes to one client, and is answered from another address.
    tap.passes = (_, direction) => direction === 'toClient' || tap.toServer.length < 2
    expect(await eventually(() => tap.toServer.length === 2)).toBe(true)
    const stranger = await Stranger.at()
    await stranger.send(tap.toServer[1] as Uint8Array, address)
    const answer = (await stranger.answer()) as Uint8Array
    expect(kindOf(answer)).toBe(PacketKind.Initial)
    expect(answer.length).toBeLessThan(100)
    near.abort(new Error('done'))
  })

  test('an expired Retry token ends the attempt of the client', async () => {
    const tokens = new AddressTokens(nodeBackend, { retryLifetime: -1000 })
    const { address } = await server(echo, { admit: retryAlways, addressTokens: tokens })
    expect(await failure(client(address).opened)).toMatchObject({ code: 'ERR_ZEROTRIP_TRANSPORT', errorCode: 0x0b })
  })

  test('NEW_TOKEN spares the second connection its Retry', async () => {
    const asked: boolean[] = []
    const { address } = await server(echo, {
      admit: incoming => {
        asked.push(incoming.isAddressValidated)
        return retryAlways(incoming)
      },
    })
    const tickets = new MemoryTickets(Date.now)
    for (let i = 0; i < 2; i++) {
      const near = client(address, { tickets })
      const stream = await near.openStream()
      await stream.end('x')
      await stream.bytes()
      await near.close()
    }
    expect(asked).toEqual([false, true, true])
  })

  test('RFC 9000 §8.1.4: a token that comes a second time counts as absent', async () => {
    const asked: boolean[] = []
    const { address } = await server(echo, {
      admit: incoming => {
        asked.push(incoming.isAddressValidated)
        return 'accept'
      },
    })
    const kept: Resumption[] = []
    const tickets = { take: () => kept.at(-1), put: (_: string, resumption: Resumption) => void kept.push(resumption) }
    const visit = async (store: TicketStore): Promise<void> => {
      const near = client(address, { tickets: store })
      const stream = await near.openStream()
      await stream.end('x')
      await stream.bytes()
      await near.close()
    }
    await visit(tickets)
    // The token is for one of the two tickets, the one that is taken first.
    expect(kept.map(({ token }) => token.length > 0)).toEqual([false, true])
    const used = { ...tickets, put: () => {} }
    await visit(used)
    await visit(used)
    expect(asked).toEqual([false, true, false])
  })
})

describe('version negotiation (RFC 9000 §6)', () => {
  test('an unknown version is told ours, with the ids turned round', async () => {
    const { address } = await server(echo)
    const stranger = await Stranger.at()
    const datagram = new Writer(new Uint8Array(1200))
    datagram.u8(0xc3)
    datagram.u32(0x0a1a2a3a)
    datagram.u8(8)
    datagram.put(pattern(8, 1))
    datagram.u8(5)
    datagram.put(pattern(5, 2))
    await stranger.send(datagram.bytes, address)
    const answer = (await stranger.answer()) as Uint8Array
    expect(offeredIn(answer)).toEqual([QUIC_V2, QUIC_V1])
    expect((answer[0] as number) & 0x80).toBe(0x80)
    expect([...answer.subarray(5, 6 + 5)]).toEqual([5, ...pattern(5, 2)])
    expect([...answer.subarray(11, 20)]).toEqual([8, ...pattern(8, 1)])
  })

  test('`c0 57414954 00 00` and 1,200 zeros: ids of no length', async () => {
    const { address } = await server(echo)
    const stranger = await Stranger.at()
    const datagram = new Uint8Array(7 + 1200)
    datagram.set([0xc0, 0x57, 0x41, 0x49, 0x54, 0, 0])
    await stranger.send(datagram, address)
    const answer = (await stranger.answer()) as Uint8Array
    expect(offeredIn(answer)).toEqual([QUIC_V2, QUIC_V1])
    // RFC 9000 §6.3: and a reserved version.
    expect(answer.length).toBe(7 + 8 + 4)
  })

  test('no answer to small datagrams, nor to Version Negotiation itself, nor without a listener', async () => {
    const { address } = await server(echo)
    const stranger = await Stranger.at()
    const small = new Uint8Array(1199)
    small.set([0xc0, 0x57, 0x41, 0x49, 0x54, 0, 0])
    await stranger.send(small, address)
    const negotiation = new Uint8Array(1200)
    negotiation.set([0xc0, 0, 0, 0, 0, 0, 0])
    await stranger.send(negotiation, address)
    const silent = closing(new QuicEndpoint({ host: '127.0.0.1' }))
    const large = new Uint8Array(1200)
    large.set([0xc0, 0x57, 0x41, 0x49, 0x54, 0, 0])
    await stranger.send(large, await silent.ready)
    expect(await stranger.answer(40)).toBe(undefined)
  })

  test('a client that is offered only unknown versions says so, and leaves nothing', async () => {
    const stranger = await Stranger.at()
    const endpoint = closing(new QuicEndpoint({ host: '127.0.0.1' }))
    const near = endpoint.connect(stranger.address, { alpn: ['echo'], ca: caPem })
    const hello = readHeader((await stranger.answer()) as Uint8Array, 0, 8)
    const answer = new Writer(new Uint8Array(100))
    answer.u8(0x80)
    answer.u32(0)
    for (const id of [hello?.source, hello?.destination]) {
      answer.u8((id as Uint8Array).length)
      answer.put(id as Uint8Array)
    }
    answer.u32(0x1a2a3a4a)
    await stranger.send(answer.finish(), await endpoint.ready)
    expect(await failure(near.opened)).toMatchObject({ code: 'ERR_ZEROTRIP_VERSION_NEGOTIATION' })
    expect(await eventually(() => endpoint.sessions.size === 0)).toBe(true)
    expect(endpoint.routes).toBe(0)
  })
})

describe('stateless reset (RFC 9000 §10.3)', () => {
  /** A short header packet of nobody. */
  function orphan(length: number): Uint8Array {
    const datagram = pattern(length)
    datagram[0] = 0x41
    return datagram
  }

  test('answers a packet of an unknown connection, always shorter than it', async () => {
    const { address } = await server(echo)
    const stranger = await Stranger.at()
    for (const [length, expected] of [
      [1200, 42],
      [43, 42],
      [42, 41],
      [30, 29],
      [22, 21],
    ] as const) {
      await stranger.send(orphan(length), address)
      const answer = (await stranger.answer()) as Uint8Array
      expect(answer.length).toBe(expected)
      expect((answer[0] as number) & 0xc0).toBe(0x40)
    }
    for (const length of [21, 20, 9, 8, 1]) await stranger.send(orphan(length), address)
    expect(await stranger.answer(40)).toBe(undefined)
  })

  test('RFC 9287 §3: without the QUIC bit only where packets may lack it, and if it could be a packet', async () => {
    const stranger = await Stranger.at()
    const alien = (length: number): Uint8Array => orphan(length).fill(0x01, 0, 1)
    const { address } = await server(echo)
    await stranger.send(alien(28), address)
    await stranger.send(alien(29), address)
    expect((await stranger.answer())?.length).toBe(28)
    // For who listens with nothing but QUIC's own packets in mind, it is another protocol.
    const { address: strict } = await server(echo, { transport: { greaseQuicBit: false } })
    await stranger.send(alien(100), strict)
    await stranger.send(orphan(50), strict)
    expect((await stranger.answer())?.length).toBe(42)
    expect(stranger.received.length).toBe(0)
  })

  test('at a bounded rate', () => {
    const router = new Router(nodeBackend, pattern(32))
    const into = new Uint8Array(100)
    const answers = (from: number, to: number): number => {
      let count = 0
      for (let time = from; time < to; time++) if (router.reset(orphan(50), pattern(8), into, time) > 0) count++
      return count
    }
    expect(answers(0, 1000)).toBe(100)
    expect(answers(1000, 2000)).toBe(100)
    expect(router.reset(orphan(50), pattern(8), into, 2500)).toBe(42)
  })

  test('a client learns of a server that restarted with the same key', async () => {
    const statelessResetKey = pattern(32)
    const { endpoint, address } = await server(echo, { statelessResetKey, port: await freePort() })
    const tap = await Tap.before(address)
    const near = client(tap.address)
    await near.confirmed
    const stream = await near.openStream()
    // The process dies without a word.
    tap.passes = () => false
    await endpoint.close()
    await tap.seen()
    tap.passes = () => true
    await server(echo, { statelessResetKey, port: address.port })
    const reading = failure(stream.read())
    await stream.write(pattern(100))
    expect(await failure(near.closed)).toMatchObject({ code: 'ERR_ZEROTRIP_STATELESS_RESET' })
    expect((await reading).code).toBe('ERR_ZEROTRIP_STATELESS_RESET')
    // RFC 9000 §10.3.1: from another server it is noise.
    const other = client(tap.address, { transport: { maxIdleTimeout: 2000, initialRtt: 5 } })
    await other.confirmed
    tap.redirect((await server(echo)).address)
    ;(await other.openStream()).write(pattern(100)).catch(() => {})
    expect((await failure(other.closed)).code).toBe('ERR_ZEROTRIP_IDLE_TIMEOUT')
  })
})

describe('strangers', () => {
  test('garbage, of any length, is ignored', async () => {
    const { endpoint, address } = await server(echo)
    const stranger = await Stranger.at()
    await stranger.send(new Uint8Array(0), address)
    for (let length = 1; length < 60; length++) {
      const bytes = nodeBackend.random(length)
      bytes[0] = (bytes[0] as number) | 0x80
      await stranger.send(bytes, address)
    }
    for (const first of [0xc0, 0xd0, 0xe0, 0xf0]) {
      const bytes = new Uint8Array(1200).fill(0xff)
      bytes.set([first, 0, 0, 0, 1, 8])
      await stranger.send(bytes, address)
    }
    expect(await stranger.answer(40)).toBe(undefined)
    expect(endpoint.sessions.size).toBe(0)
    const near = client(address)
    await near.opened
  })

  test('first flights with bytes changed, cut off or made up: the server goes on', async () => {
    const { endpoint, address } = await server(echo, { admit: retryAlways })
    const datagram = await firstFlight()
    const stranger = await Stranger.at()
    for (let i = 0; i < 400; i++) {
      const mutant = Uint8Array.from(datagram)
      for (let n = 0; n <= i % 4; n++) mutant[(i * 7 + n * 13) % 60] = (i * 37 + n * 101) & 0xff
      await stranger.send(i % 5 === 0 ? mutant.subarray(0, (i * 31) % 1200) : mutant, address)
    }
    await client(address).opened
    expect(endpoint.sessions.size).toBe(1)
  })

  test('an Initial that cannot be opened leaves nothing behind, and gets no answer', async () => {
    const { endpoint, address } = await server(echo)
    const datagram = await firstFlight()
    datagram[600] = (datagram[600] as number) ^ 1
    const stranger = await Stranger.at()
    await stranger.send(datagram, address)
    expect(await stranger.answer(30)).toBe(undefined)
    expect(endpoint.sessions.size).toBe(0)
    expect(endpoint.routes).toBe(0)
    expect(endpoint.listener.handshakes).toBe(0)
  })

  test('an Initial that is too small, or whose id is too short, is ignored (RFC 9000 §7.2, §14.1)', async () => {
    const { endpoint, address } = await server(echo)
    const stranger = await Stranger.at()
    const datagram = await firstFlight()
    await stranger.send(datagram.subarray(0, 1199), address)
    const short = new Uint8Array(1200)
    short.set([0xc0, 0, 0, 0, 1, 7, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0x44, 0x90])
    await stranger.send(short, address)
    expect(await stranger.answer(30)).toBe(undefined)
    expect(endpoint.sessions.size).toBe(0)
  })

  test('ports that could reflect get no answer', async () => {
    for (const port of [0, 7, 17, 19, 53, 123, 161, 389, 1900, 5353, 11211]) expect(isReflector(port)).toBe(true)
    for (const port of [443, 4433, 1024, 50_000]) expect(isReflector(port)).toBe(false)
    const { address } = await server(echo)
    const reflector = await Stranger.at('127.0.0.1', 11211).catch(() => undefined)
    // The port may be taken on this machine.
    if (reflector === undefined) return
    const unknown = new Uint8Array(1200)
    unknown.set([0xc0, 0x57, 0x41, 0x49, 0x54, 0, 0])
    await reflector.send(unknown, address)
    const orphan = pattern(1200)
    orphan[0] = 0x41
    await reflector.send(orphan, address)
    await reflector.send(await firstFlight(), address)
    expect(await reflector.answer(40)).toBe(undefined)
  })
})

describe('options that do not fit', () => {
  test('are TypeErrors and RangeErrors at listen, and leave no socket behind', async () => {
    const good = { alpn: ['echo'], cert: p256.chainPem, key: p256.keyPem }
    const endpoint = closing(new QuicEndpoint({ host: '127.0.0.1' }))
    expect(() => endpoint.listen({ ...good, alpn: [] })).toThrow(TypeError)
    expect(() => endpoint.listen({ alpn: ['echo'] })).toThrow(/cert.*key/)
    expect(() => endpoint.listen({ ...good, cert: 'nothing' })).toThrow(/PEM/)
    expect(() => endpoint.listen({ ...good, transport: { maxDatagramSize: 100 } })).toThrow(RangeError)
    expect(() => endpoint.listen({ ...good, handshakeTimeout: -5 })).toThrow(RangeError)
    expect(() => endpoint.listen({ ...good, maxConnections: -1 })).toThrow(RangeError)
    expect(() => endpoint.listen({ ...good, maxPendingClients: Number.NaN })).toThrow(RangeError)
    expect(() => new QuicEndpoint({ host: 'localhost' })).toThrow(TypeError)
    expect(() => new QuicEndpoint({ port: 70_000 })).toThrow(RangeError)
    expect(() => new QuicEndpoint({ statelessResetKey: pattern(16) })).toThrow(TypeError)
    // After all that, it listens.
    endpoint.listen(good, echo)
    await client(await endpoint.ready).opened
  })

  test('at connect', async () => {
    const endpoint = closing(new QuicEndpoint({ host: '127.0.0.1' }))
    const to = { host: '127.0.0.1', port: 4433 }
    expect(() => endpoint.connect(to, { alpn: [] })).toThrow(/alpn/)
    expect(() => endpoint.connect({ ...to, port: 0 }, { alpn: ['x'] })).toThrow(RangeError)
    expect(() => endpoint.connect({ ...to, port: 65_536 }, { alpn: ['x'] })).toThrow(RangeError)
    expect(() => endpoint.connect({ ...to, host: '' }, { alpn: ['x'] })).toThrow(TypeError)
    expect(() => endpoint.connect(to, { alpn: ['x'], ca: 'no PEM' })).toThrow(/PEM/)
    expect(endpoint.sessions.size).toBe(0)
    expect(endpoint.routes).toBe(0)
  })
})
