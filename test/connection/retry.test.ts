// Retry and Version Negotiation: what a client believes before any key is exchanged (RFC 9000 §6, §17.2.5).

import { describe, expect, test } from 'vitest'
import { Writer } from '../../src/bytes/writer.ts'
import { MAX_TOKEN_LENGTH } from '../../src/connection/config.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { type PacketHeader, PacketKind, readHeader } from '../../src/packet/header.ts'
import { Level } from '../../src/packet/level.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { writeVersionNegotiation } from '../../src/packet/version.ts'
import { AddressTokens } from '../../src/zero-rtt/address-token.ts'
import { Pair, RETRY_ID, serverAddress } from '../sim/pair.ts'
import { provisioned } from './early.ts'
import { closedWith, OpenPair } from './support.ts'

const retry = (): AddressTokens => new AddressTokens(nodeBackend)

function headers(datagrams: readonly Uint8Array[]): PacketHeader[] {
  return datagrams.map(datagram => readHeader(datagram, 0, 8, true) as PacketHeader)
}

/** A pair whose server is silent, and the header of the client's first Initial. */
function waiting(): { pair: OpenPair; initial: PacketHeader } {
  const pair = new OpenPair()
  pair.server.accept = () => undefined
  pair.start()
  return { pair, initial: headers(pair.client.sent)[0] as PacketHeader }
}

describe('Retry (RFC 9000 §8.1.2)', () => {
  test('the whole way: token, new id, handshake, validated from the first byte', () => {
    const pair = new OpenPair({ retry: retry() })
    pair.start()
    pair.world.run(() => pair.server.hasConnection, 1000)
    expect(pair.server.connection.isAddressValidated).toBe(true)
    pair.world.run(() => pair.client.has('handshakeConfirmed'), 1000)
    expect(pair.client.has('handshakeConfirmed')).toBe(true)
    const [first, second] = headers(pair.client.sent)
    expect(first?.token.length).toBe(0)
    expect(second?.token.length).toBeGreaterThan(0)
    expect(second?.destination).toEqual(RETRY_ID)
    expect(second?.source).toEqual(first?.source)
  })

  test('RFC 9000 §17.2.5.3: packet numbers go on, in all spaces, and every Initial carries the token', () => {
    const { resumption, server } = provisioned()
    const client = { resumption: { ...resumption, token: new Uint8Array(0) }, earlyData: true }
    const pair = new OpenPair({ client, server, retry: retry(), toServer: { drop: index => index === 3 } })
    let read = 0
    pair.server.onEvent = event => {
      if (event.type !== 'readable') return
      for (let chunk = pair.server.connection.read(event.id); chunk; chunk = pair.server.connection.read(event.id)) {
        read += chunk.data.length
      }
    }
    pair.start(connection => connection.write(connection.openStream('bidi') as number, new Uint8Array(2500), true))
    pair.world.run(() => pair.client.has('handshakeConfirmed') && read === 2500, 10_000)
    expect(read).toBe(2500)
    for (const level of [Level.Initial, Level.ZeroRtt]) {
      const numbers = pair.logs.client.sent.filter(packet => packet.level === level).map(packet => packet.number)
      expect(numbers.length).toBeGreaterThan(1)
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
    }
    const initials = headers(pair.client.sent).filter(header => header.kind === PacketKind.Initial)
    expect(initials.slice(1).every(header => header.token.length > 0)).toBe(true)
  })

  test('an invalid integrity tag is ignored (RFC 9001 §5.8)', () => {
    const { pair, initial } = waiting()
    pair.client.filter = datagram => {
      datagram[datagram.length - 1] = (datagram[datagram.length - 1] as number) ^ 1
      return datagram
    }
    pair.sendRetry(initial, Uint8Array.of(1, 2, 3))
    pair.world.pass(50)
    expect(pair.client.received).toBeGreaterThan(0)
    expect(pair.client.sentCount).toBe(1)
  })

  test('only the first one counts', () => {
    const { pair, initial } = waiting()
    pair.sendRetry(initial, Uint8Array.of(1, 2, 3))
    pair.world.pass(15)
    const second = headers(pair.client.sent)[1] as PacketHeader
    expect(second.token).toEqual(Uint8Array.of(1, 2, 3))
    pair.sendRetry(initial, Uint8Array.of(4, 5), Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9))
    pair.sendRetry(second, Uint8Array.of(4, 5), Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9))
    pair.world.pass(3000)
    expect(
      headers(pair.client.sent)
        .slice(1)
        .every(header => header.token.length === 3),
    ).toBe(true)
  })

  test('none counts once the server has answered', () => {
    const pair = new OpenPair()
    pair.start()
    pair.world.pass(25)
    pair.sendRetry(headers(pair.client.sent)[0] as PacketHeader, Uint8Array.of(1, 2, 3))
    expect(pair.world.run(() => pair.client.has('handshakeConfirmed'), 1000)).toBe(true)
  })

  test.each([
    ['without a token', 0, RETRY_ID],
    ['with a token that leaves no room for a ClientHello', MAX_TOKEN_LENGTH + 1, RETRY_ID],
  ])('%s it is ignored (RFC 9000 §17.2.5.2)', (_, length, source) => {
    const { pair, initial } = waiting()
    pair.sendRetry(initial, new Uint8Array(length), source)
    pair.world.pass(50)
    expect([pair.client.sentCount, pair.client.has('closed')]).toEqual([1, false])
  })

  test('with the id the client chose it is ignored (RFC 9000 §17.2.5.1)', () => {
    const { pair, initial } = waiting()
    pair.sendRetry(initial, Uint8Array.of(1), initial.destination.slice())
    pair.world.pass(50)
    expect(pair.client.sentCount).toBe(1)
  })

  test('the longest token still works', () => {
    const { pair, initial } = waiting()
    pair.sendRetry(initial, new Uint8Array(MAX_TOKEN_LENGTH).fill(1))
    pair.world.pass(50)
    expect(pair.client.sentCount).toBeGreaterThan(2)
    expect(headers(pair.client.sent).every(header => header.kind === PacketKind.Initial)).toBe(true)
    expect(pair.client.has('closed')).toBe(false)
  })

  test('RFC 9000 §7.3: a server that does not confirm the Retry is not believed', () => {
    const { pair, initial } = waiting()
    pair.sendRetry(initial, Uint8Array.of(1, 2, 3))
    pair.world.pass(15)
    // Whoever took the Initials from here on knows nothing of a Retry.
    const other = new Pair({ world: pair.world })
    pair.server.accept = other.server.accept
    pair.world.run(() => pair.client.has('closed'), 10_000)
    expect(closedWith(pair.client)).toBe(ErrorCode.TransportParameterError)
  })
})

describe('Version Negotiation (RFC 9000 §6.2; security: downgrade)', () => {
  function negotiation(versions: number[], destination: Uint8Array, source: Uint8Array): Uint8Array {
    const writer = Writer.allocate(200)
    writeVersionNegotiation(writer, destination, source, versions, 0)
    return writer.bytes.slice(0, writer.pos)
  }

  test('without a version of ours it ends the attempt at once, and says which versions there are', () => {
    const { pair, initial } = waiting()
    pair.client.receive(negotiation([0x6b3343cf, 0x0a0a0a0a], initial.source, initial.destination), serverAddress)
    expect(pair.client.find('closed')).toMatchObject({ errorCode: ErrorCode.VersionNegotiationError })
    expect(pair.client.find('closed')?.reason).toContain('0x6b3343cf')
    expect(pair.client.connection.isTerminated).toBe(true)
    expect(pair.retired.client.length).toBe(1)
  })

  test('with our version it is a lie', () => {
    const { pair, initial } = waiting()
    pair.client.receive(negotiation([2, 1], initial.source, initial.destination), serverAddress)
    expect(pair.client.has('closed')).toBe(false)
  })

  test.each(['source', 'destination'] as const)('with another %s id it is not for us', which => {
    const { pair, initial } = waiting()
    const other = new Uint8Array(8)
    const ids = { destination: initial.source, source: initial.destination, [which]: other }
    pair.client.receive(negotiation([2], ids.destination, ids.source), serverAddress)
    expect(pair.client.has('closed')).toBe(false)
  })

  test('after any packet of the server it is too late', () => {
    const pair = new OpenPair()
    pair.start()
    const initial = headers(pair.client.sent)[0] as PacketHeader
    pair.world.pass(25)
    pair.client.receive(negotiation([2], initial.source, initial.destination), serverAddress)
    expect(pair.client.has('closed')).toBe(false)
  })

  test('a server does not care', () => {
    const pair = new OpenPair().connect()
    const initial = headers(pair.client.sent)[0] as PacketHeader
    pair.server.receive(negotiation([2], initial.destination, initial.source), pair.client.address)
    expect(pair.server.has('closed')).toBe(false)
  })

  test('a packet of a version nobody speaks is dropped', () => {
    const pair = new OpenPair().connect()
    const datagram = (pair.client.sent[0] as Uint8Array).slice()
    datagram[4] = 9
    const before = pair.server.connection.stats.packetsDropped
    pair.server.receive(datagram, pair.client.address)
    expect(pair.server.connection.stats.packetsDropped).toBe(before + 1)
  })
})

test('NEW_TOKEN: a server hands out a token, the next connection is validated at once (RFC 9000 §8.1.3)', () => {
  const tokens = retry()
  const newToken = (): Uint8Array => tokens.newToken('192.0.2.1:1', 1_735_689_600_000)
  const pair = new Pair({ server: { newToken } }).connect()
  pair.world.run(() => pair.client.has('newToken'), 5000)
  const token = pair.client.find('newToken')?.token as Uint8Array
  const next = new Pair({ client: { token }, retry: tokens })
  next.start()
  next.world.run(() => next.server.hasConnection, 1000)
  expect(next.server.connection.isAddressValidated).toBe(true)
  expect(next.server.trips).toBe(1)
})

test('a token too long to be sent is neither stored nor sent', () => {
  const pair = new OpenPair({
    client: { token: new Uint8Array(MAX_TOKEN_LENGTH + 1) },
    server: { newToken: () => new Uint8Array(2000) },
  }).connect()
  pair.world.pass(500)
  expect(headers(pair.client.sent)[0]?.token.length).toBe(0)
  expect(pair.client.has('newToken')).toBe(false)
})
