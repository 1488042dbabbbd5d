import { describe, expect, test } from 'vitest'
import { MAX_PARKED_PACKETS, Parked } from '../../src/connection/parked.ts'
import { TLS_AES_128_GCM_SHA256 } from '../../src/crypto/cipher-suite.ts'
import { FrameType } from '../../src/packet/frames/frame.ts'
import { Level } from '../../src/packet/level.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { randomBytes, seededRandom } from '../reference/random.ts'
import { clientAddress, Pair, type PairOptions } from '../sim/pair.ts'
import { provisioned, ticketed } from './early.ts'
import { closedWith, OpenPair } from './support.ts'

const body = randomBytes(seededRandom(5), 9000)

/** Sends `body` early on a stream; collects what arrives at the server. */
function sendEarly<P extends Pair>(pair: P): { pair: P; arrived: () => Uint8Array; id: number } {
  const chunks: Uint8Array[] = []
  pair.server.onEvent = event => {
    if (event.type !== 'readable') return
    for (let chunk = pair.server.connection.read(event.id); chunk; chunk = pair.server.connection.read(event.id)) {
      chunks.push(chunk.data.slice())
    }
  }
  let id = -1
  pair.start(client => {
    id = client.openStream('bidi') ?? -1
    if (id >= 0) client.write(id, body, true)
  })
  return { pair, arrived: () => new Uint8Array(Buffer.concat(chunks)), id }
}

function early(options: PairOptions = {}, offer = provisioned()): OpenPair {
  const { resumption, server } = offer
  return new OpenPair({
    ...options,
    client: { resumption, earlyData: true, ...options.client },
    server: { ...server, ...options.server },
  })
}

describe('accepted (RFC 9001 §4.6)', () => {
  test('the server reads it before the handshake is complete, and knows that it is early', () => {
    const { pair, arrived, id } = sendEarly(early())
    let wasEarly = false
    const read = pair.server.onEvent
    pair.server.onEvent = event => {
      if (event.type === 'readable' && !pair.server.connection.isHandshakeConfirmed) {
        wasEarly ||= pair.server.connection.isEarly(event.id)
      }
      read(event)
    }
    pair.world.run(() => pair.client.has('handshakeConfirmed'), 5000)
    pair.world.pass(100)
    expect(arrived()).toEqual(body)
    expect([id, wasEarly]).toEqual([0, true])
    expect(pair.client.find('handshakeComplete')?.peer).toMatchObject({ earlyData: 'accepted', isResumed: true })
    expect(pair.server.find('handshakeComplete')?.peer).toMatchObject({ earlyData: 'accepted' })
    expect(pair.server.connection.stats.earlyPackets).toBeGreaterThan(0)
  })

  test('the server reads it before it computes its flight, and may wait a turn until there is an answer', () => {
    const { pair } = sendEarly(early())
    const seen: boolean[] = []
    pair.server.onEvent = ({ type }) => {
      const { connection } = pair.server
      if (type !== 'streamOpened') return
      seen.push(connection.isPatient)
      connection.write(0, body, true)
      seen.push(connection.isPatient)
    }
    const read = pair.client.onEvent
    pair.client.onEvent = event => {
      if (event.type === 'handshakeComplete') seen.push(pair.client.connection.isPatient)
      read(event)
    }
    pair.world.run(() => pair.client.has('handshakeConfirmed'), 5000)
    expect(seen).toEqual([true, false, true])
    expect([pair.client.connection.isPatient, pair.server.connection.isPatient]).toEqual([false, false])
  })

  test('nothing is sent twice: 0-RTT packets are acknowledged in 1-RTT packets', () => {
    const { pair, arrived } = sendEarly(early())
    pair.world.run(() => pair.client.has('streamFinished'), 5000)
    expect(arrived()).toEqual(body)
    expect(pair.client.connection.stats.packetsLost).toBe(0)
    expect(pair.logs.client.frames(FrameType.Stream).reduce((sum, { data }) => sum + data.length, 0)).toBe(body.length)
    expect(pair.logs.server.frames(FrameType.Ack, Level.ZeroRtt)).toEqual([])
  })

  test('a lost first datagram is sent again with its 0-RTT part by the first probe', () => {
    const { pair, arrived } = sendEarly(early({ toServer: { drop: index => index === 0 } }))
    pair.world.run(() => arrived().length === body.length, 10_000)
    expect(arrived()).toEqual(body)
    expect(
      pair.logs.client.sent.filter(packet => packet.level === Level.ZeroRtt && packet.now > 100).length,
    ).toBeGreaterThan(0)
  })

  test('all of the first flight is lost', () => {
    const { pair, arrived } = sendEarly(early({ toServer: { drop: index => index < 9 } }))
    pair.world.run(() => arrived().length === body.length, 20_000)
    expect(arrived()).toEqual(body)
  })

  test('RFC 9001 §4.9.3: 0-RTT keys go, at the client at once and at the server three PTO later', () => {
    const { pair } = sendEarly(early())
    pair.world.run(() => pair.client.has('handshakeConfirmed'), 5000)
    const late = pair.forge('client', Level.ZeroRtt, Uint8Array.of(FrameType.Ping))
    const before = pair.server.connection.stats.packetsReceived
    pair.server.receive(late.slice(), clientAddress)
    expect(pair.server.connection.stats.packetsReceived).toBe(before + 1)
    pair.world.pass(2000)
    const after = pair.server.connection.stats.packetsReceived
    pair.inject('client', Level.ZeroRtt, Uint8Array.of(FrameType.Ping))
    expect(pair.server.connection.stats.packetsReceived).toBe(after)
    pair.client.act(client => client.write(client.openStream('bidi') as number, body, true))
    expect(pair.logs.client.sent.at(-1)?.level).toBe(Level.OneRtt)
  })

  test('RFC 9000 §12.4: an ACK or CRYPTO frame in a 0-RTT packet breaks the protocol', () => {
    for (const type of [FrameType.Ack, FrameType.Crypto]) {
      const { pair } = sendEarly(early())
      pair.world.pass(11)
      pair.inject('client', Level.ZeroRtt, Uint8Array.of(type, 0, 0, 0, 0))
      expect(closedWith(pair.server)).toBe(ErrorCode.ProtocolViolation)
    }
  })

  test('RFC 9000 §5.2.1: a client drops 0-RTT packets', () => {
    const { pair } = sendEarly(early())
    pair.world.run(() => pair.client.has('handshakeConfirmed'), 5000)
    const before = pair.client.connection.stats.packetsDropped
    const datagram = pair.forge('client', Level.ZeroRtt, Uint8Array.of(FrameType.Ping))
    pair.client.receive(datagram, pair.server.address)
    expect(pair.client.connection.stats.packetsDropped).toBe(before + 1)
  })
})

describe('rejected (RFC 9001 §4.6.2)', () => {
  test('the same bytes arrive under 1-RTT keys, and the application is told', () => {
    const offer = provisioned()
    const { pair, arrived } = sendEarly(early({ server: { earlyData: { admit: () => false } } }, offer))
    let wasEarly = false
    pair.world.run(() => pair.server.has('readable'), 5000)
    wasEarly = pair.server.connection.isEarly(0)
    pair.world.run(() => pair.client.has('streamFinished'), 5000)
    expect(arrived()).toEqual(body)
    expect(wasEarly).toBe(false)
    const types = pair.client.events.map(event => event.type)
    expect(types.indexOf('earlyRejected')).toBeGreaterThanOrEqual(0)
    expect(types.indexOf('earlyRejected')).toBeLessThan(types.indexOf('handshakeComplete'))
    expect(pair.client.connection.peer).toMatchObject({ earlyData: 'rejected', isResumed: true })
  })

  test('an unknown identity falls back to a certificate, and the same bytes arrive', () => {
    const { resumption } = provisioned()
    const { server } = provisioned()
    const { pair, arrived } = sendEarly(new OpenPair({ client: { resumption, earlyData: true }, server }))
    pair.world.run(() => pair.client.has('streamFinished'), 5000)
    expect(arrived()).toEqual(body)
    expect(pair.client.connection.peer).toMatchObject({ isResumed: false, earlyData: 'rejected' })
  })

  test('it is no sign of congestion', () => {
    const offer = provisioned()
    const { pair } = sendEarly(early({ server: { earlyData: { admit: () => false } } }, offer))
    pair.world.run(() => pair.client.has('streamFinished'), 5000)
    // Half the initial window and one round trip more would show.
    expect(pair.world.now).toBeLessThanOrEqual(70)
  })

  test('other application state than remembered is a reason (RFC 9114 §7.2.4.2)', () => {
    const offer = provisioned({}, Uint8Array.of(1))
    const { pair, arrived } = sendEarly(early({ server: { appState: Uint8Array.of(2) } }, offer))
    pair.world.run(() => pair.client.has('streamFinished'), 5000)
    expect(pair.client.connection.peer?.earlyData).toBe('rejected')
    expect(arrived()).toEqual(body)
  })
})

describe('remembered parameters (RFC 9000 §7.4.1)', () => {
  test('early data obeys the limits of the bundle', () => {
    const offer = provisioned({ initialMaxStreamData: 4000 })
    const { pair, arrived } = sendEarly(early({}, offer))
    expect(pair.logs.client.frames(FrameType.Stream).reduce((sum, { data }) => sum + data.length, 0)).toBe(4000)
    pair.world.run(() => pair.client.has('streamFinished'), 5000)
    expect(arrived()).toEqual(body)
  })

  test('a server that grants less than the client remembers refuses', () => {
    const offer = provisioned({ initialMaxStreamData: 100_000 })
    const { pair, arrived } = sendEarly(early({ server: { transport: { initialMaxStreamData: 50_000 } } }, offer))
    pair.world.run(() => pair.client.has('streamFinished'), 5000)
    expect(pair.client.connection.peer?.earlyData).toBe('rejected')
    expect(arrived()).toEqual(body)
  })

  test('a server that grants more accepts', () => {
    const offer = provisioned({ initialMaxStreamData: 100_000 })
    const { pair } = sendEarly(early({ server: { transport: { initialMaxStreamData: 500_000 } } }, offer))
    pair.world.run(() => pair.client.has('streamFinished'), 5000)
    expect(pair.client.connection.peer?.earlyData).toBe('accepted')
  })
})

describe('replay (RFC 8446 §8, RFC 9001 §9.2)', () => {
  test('the recorded first flight, given to new connections of the same worker, is executed not even once', () => {
    const offer = provisioned()
    const { pair, arrived } = sendEarly(early({}, offer))
    const flight = pair.client.sent.map(datagram => datagram.slice())
    pair.world.run(() => pair.client.has('streamFinished'), 5000)
    expect(arrived()).toEqual(body)
    let executed = 0
    for (let attack = 0; attack < 5; attack++) {
      const replay = new Pair({ server: offer.server })
      replay.server.onEvent = event => {
        if (event.type === 'readable' || event.type === 'streamOpened') executed++
      }
      for (const datagram of flight) replay.server.receive(datagram.slice(), clientAddress)
      replay.world.pass(3000)
      expect(replay.server.hasConnection).toBe(true)
    }
    expect(executed).toBe(0)
  })

  test('the same with a ticket', () => {
    const { server, resumption } = ticketed({ client: { cipherSuites: [TLS_AES_128_GCM_SHA256] } })
    const options = { client: { resumption, earlyData: true }, server }
    const { pair, arrived } = sendEarly(new OpenPair(options))
    const flight = pair.client.sent.map(datagram => datagram.slice())
    pair.world.run(() => pair.client.has('streamFinished'), 5000)
    expect(arrived()).toEqual(body)
    expect(pair.client.connection.peer?.earlyData).toBe('accepted')
    const replay = new Pair({ server })
    for (const datagram of flight) replay.server.receive(datagram.slice(), clientAddress)
    replay.world.pass(1000)
    expect(replay.server.has('readable')).toBe(false)
  })

  test('a datagram that comes twice in one connection is read once', () => {
    const { pair, arrived } = sendEarly(early({ link: { duplicate: 1 } }))
    pair.world.run(() => pair.client.has('streamFinished'), 5000)
    pair.world.pass(1000)
    expect(arrived()).toEqual(body)
  })
})

describe('before its keys (RFC 9001 §5.7; security: packets that cannot be opened yet)', () => {
  test('0-RTT packets that overtake the rest of their ClientHello are parked and read', () => {
    // A ClientHello over two datagrams, the second of which is late.
    const alpn = ['test', ...Array.from({ length: 12 }, (_, i) => `${'x'.repeat(90)}${i}`)]
    const pair = early({ client: { alpn } })
    const { arrived } = sendEarly(pair)
    const [first, second, ...others] = pair.client.sent.map(datagram => datagram.slice())
    const server = new Pair({ server: provisioned().server })
    expect(others.length).toBeGreaterThan(0)
    // Not over the link: in this order, by hand.
    pair.server.receive(first as Uint8Array, clientAddress)
    for (const datagram of others) pair.server.receive(datagram, clientAddress)
    expect(pair.server.connection.stats.packetsParked).toBe(others.length)
    expect(pair.server.has('readable')).toBe(false)
    pair.server.receive(second as Uint8Array, clientAddress)
    expect(pair.server.has('readable')).toBe(true)
    expect(server.server.hasConnection).toBe(false)
    pair.world.run(() => pair.client.has('streamFinished'), 5000)
    expect(arrived()).toEqual(body)
  })

  test('they are bounded by number and by bytes', () => {
    const parked = new Parked()
    const small = new Uint8Array(100)
    for (let i = 0; i < MAX_PARKED_PACKETS; i++) expect(parked.park(Level.ZeroRtt, small, clientAddress, 0)).toBe(true)
    expect(parked.park(Level.ZeroRtt, small, clientAddress, 0)).toBe(false)
    expect(parked.take(() => true)?.bytes).toEqual(small)
    expect(parked.park(Level.OneRtt, small, clientAddress, 0)).toBe(true)
    parked.drop(Level.ZeroRtt)
    expect(parked.park(Level.OneRtt, new Uint8Array(40_000), clientAddress, 0)).toBe(false)
    expect(parked.park(Level.OneRtt, new Uint8Array(30_000), clientAddress, 0)).toBe(true)
    expect(parked.park(Level.OneRtt, new Uint8Array(3000), clientAddress, 0)).toBe(false)
    expect(parked.take(level => level === Level.Handshake)).toBeUndefined()
  })
})

test('without resumption nothing can be sent before the handshake', () => {
  const { pair, id } = sendEarly(new OpenPair())
  expect(id).toBe(-1)
  expect(pair.logs.client.sent.every(packet => packet.level === Level.Initial)).toBe(true)
})

test('an expired resumption is not offered', () => {
  const { resumption, server } = provisioned()
  const expired = { ...resumption, lifetime: 0 }
  const pair = new OpenPair({ client: { resumption: expired, earlyData: true }, server }).connect()
  expect(pair.client.connection.peer).toMatchObject({ isResumed: false, earlyData: 'none' })
})
