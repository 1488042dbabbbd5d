// QUIC versions 1 and 2, and how both sides agree on one (RFC 9368, RFC 9369).

import { describe, expect, test } from 'vitest'
import { NamedGroup } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { type PacketHeader, PacketKind, readHeader } from '../../src/packet/header.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { QUIC_V1, QUIC_V2 } from '../../src/packet/version.ts'
import { AddressTokens } from '../../src/zero-rtt/address-token.ts'
import type { Host } from '../sim/host.ts'
import { Pair, type PairOptions } from '../sim/pair.ts'
import { provisioned, resumptionOf, ticketed } from './early.ts'
import { closedWith, OpenPair, Transfer } from './support.ts'

const both = [QUIC_V1, QUIC_V2]
const second = [QUIC_V2, QUIC_V1]

/** The long headers a host has sent. */
function headers(host: Host): PacketHeader[] {
  const found: PacketHeader[] = []
  for (const datagram of host.sent) {
    for (let pos = 0; pos < datagram.length; ) {
      const header = readHeader(datagram, pos, 8, true)
      if (header === undefined) break
      pos = header.end
      if (header.version !== 0) found.push(header)
    }
  }
  return found
}

function versionsOf(host: Host, kind: PacketHeader['kind']): number[] {
  return [...new Set(headers(host).flatMap(header => (header.kind === kind ? [header.version] : [])))]
}

function versionsIn(pair: Pair): (number | undefined)[] {
  return [pair.client.connection.peer?.version, pair.server.connection.peer?.version]
}

function connected(client: readonly number[], server: readonly number[], options: PairOptions = {}): Pair {
  const versions = { client: { ...options.client, versions: client }, server: { ...options.server, versions: server } }
  return new Pair({ ...options, ...versions }).connect()
}

/** Runs until the client is closed. */
function failed(pair: Pair): Pair {
  pair.start()
  pair.world.run(() => pair.client.has('closed'), 30_000)
  return pair
}

describe('version 2 (RFC 9369)', () => {
  test('RFC 9369 §3: from the first packet on, with a transfer over it', () => {
    const pair = connected([QUIC_V2], [QUIC_V2])
    expect(versionsIn(pair)).toEqual([QUIC_V2, QUIC_V2])
    expect([...headers(pair.client), ...headers(pair.server)].every(({ version }) => version === QUIC_V2)).toBe(true)
    expect(new Transfer(pair, 100_000, 100_000).begin().run()).toBe(true)
  })

  test('RFC 9369 §3.3.2: keys are updated with its labels', () => {
    const pair = connected([QUIC_V2], [QUIC_V2])
    pair.world.pass(1000)
    expect(pair.client.connection.updateKeys()).toBe(true)
    expect(new Transfer(pair, 50_000, 50_000).begin().run()).toBe(true)
  })

  test('RFC 9369 §3.3.3: after a Retry', () => {
    const retry = new AddressTokens(nodeBackend)
    const pair = connected([QUIC_V2], [QUIC_V2], { retry })
    expect(versionsIn(pair)).toEqual([QUIC_V2, QUIC_V2])
    expect(versionsOf(pair.server, PacketKind.Retry)).toEqual([QUIC_V2])
  })

  test('the default: version 1 alone for a client, both for a server', () => {
    expect(versionsIn(new Pair().connect())).toEqual([QUIC_V1, QUIC_V1])
    expect(versionsIn(new Pair({ client: { versions: [QUIC_V2] } }).connect())).toEqual([QUIC_V2, QUIC_V2])
  })

  test.each([[[]], [[3]], [[QUIC_V1, QUIC_V1]]])('a list %j cannot be used', versions => {
    expect(() => new Pair({ client: { versions } }).start()).toThrow(RangeError)
  })
})

describe('compatible negotiation (RFC 9368 §2.3, RFC 9369 §4.1)', () => {
  test.each([
    ['from 1 to 2', both, second, QUIC_V1, QUIC_V2],
    ['from 2 to 1', second, both, QUIC_V2, QUIC_V1],
    ['a server of one version', second, [QUIC_V2], QUIC_V2, QUIC_V2],
    ['a client that offers one', [QUIC_V1], second, QUIC_V1, QUIC_V1],
  ])('%s', (_, client, server, first, negotiated) => {
    const pair = connected(client, server)
    expect(versionsIn(pair)).toEqual([negotiated, negotiated])
    expect(headers(pair.client)[0]?.version).toBe(first)
    expect(versionsOf(pair.server, PacketKind.Initial)).toEqual([negotiated])
    for (const host of [pair.client, pair.server]) expect(versionsOf(host, PacketKind.Handshake)).toEqual([negotiated])
    expect(new Transfer(pair, 30_000, 30_000).begin().run()).toBe(true)
  })

  test('RFC 9369 §4.1: the client goes on in the version of the server', () => {
    const link = { delay: 10, drop: (index: number): boolean => index === 2 }
    const pair = connected(both, second, { link })
    const initials = headers(pair.client).filter(({ kind }) => kind === PacketKind.Initial)
    const at = initials.findIndex(({ version }) => version === QUIC_V2)
    expect(at).toBeGreaterThan(0)
    expect(initials.slice(at).every(({ version }) => version === QUIC_V2)).toBe(true)
  })

  test('RFC 9368 §3: a client begins with a version every server knows, and says that it likes another better', () => {
    const pair = new Pair({ client: { versions: second, firstVersion: QUIC_V1 }, server: { versions: second } })
    expect(versionsIn(pair.connect())).toEqual([QUIC_V2, QUIC_V2])
    expect(headers(pair.client)[0]?.version).toBe(QUIC_V1)
    const old = new Pair({ client: { versions: second, firstVersion: QUIC_V1 }, server: { versions: [QUIC_V1] } })
    expect(versionsIn(old.connect())).toEqual([QUIC_V1, QUIC_V1])
  })

  test('in one round trip less than a Version Negotiation packet would cost', () => {
    const pair = connected(both, second)
    const plain = connected([QUIC_V1], [QUIC_V1])
    expect(pair.client.trips).toBe(plain.client.trips)
  })

  test('RFC 9369 §4.1: with a Retry, which keeps the original version', () => {
    const pair = connected(both, second, { retry: new AddressTokens(nodeBackend) })
    expect(versionsOf(pair.server, PacketKind.Retry)).toEqual([QUIC_V1])
    expect(versionsIn(pair)).toEqual([QUIC_V2, QUIC_V2])
  })

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])('however lossy and disordered, seed %i', seed => {
    const link = { delay: 10, loss: 0.3, jitter: 30, duplicate: 0.1 }
    const pair = connected(both, second, { seed, link })
    expect(versionsIn(pair)).toEqual([QUIC_V2, QUIC_V2])
    expect(new Transfer(pair, 20_000, 20_000).begin().run()).toBe(true)
  })

  test('RFC 9369 §4.1: early data keeps the version of the first flight and is accepted', () => {
    const { resumption, server } = provisioned()
    const options = { client: { resumption, earlyData: true, versions: both }, server: { ...server, versions: second } }
    const pair = new OpenPair(options)
    const transfer = new Transfer(pair, 5000, 5000)
    pair.start(client => transfer.writeAll(client))
    expect(transfer.run()).toBe(true)
    expect(versionsOf(pair.client, PacketKind.ZeroRtt)).toEqual([QUIC_V1])
    expect(pair.client.connection.peer).toMatchObject({ earlyData: 'accepted', version: QUIC_V2 })
  })

  test('a server that asks for another key share goes over before it does', () => {
    const server = { groups: [NamedGroup.P384] }
    const pair = connected(both, second, { server })
    expect(versionsIn(pair)).toEqual([QUIC_V2, QUIC_V2])
    expect(versionsOf(pair.server, PacketKind.Initial)).toEqual([QUIC_V2])
  })
})

describe('a Version Negotiation packet (RFC 9368 §2.1)', () => {
  test.each([
    ['from 1 to 2', both, [QUIC_V2]],
    ['from 2 to 1', second, [QUIC_V1]],
  ])('a client begins again with a version of both, %s', (_, client, server) => {
    const pair = connected(client, server)
    expect(versionsIn(pair)).toEqual([server[0], server[0]])
    expect(new Transfer(pair, 30_000, 30_000).begin().run()).toBe(true)
  })

  test('what went early goes again after the handshake', () => {
    const { resumption, server } = provisioned()
    const options = {
      client: { resumption, earlyData: true, versions: both },
      server: { ...server, versions: [QUIC_V2] },
    }
    const pair = new Pair(options)
    let isRejected = false
    pair.start(client => client.write(client.openStream('bidi') as number, new Uint8Array(100), true))
    pair.client.onEvent = event => {
      if (event.type === 'earlyRejected') isRejected = true
    }
    expect(pair.world.run(() => pair.server.has('readable'), 10_000)).toBe(true)
    expect(isRejected).toBe(true)
    expect(pair.client.connection.peer).toMatchObject({ earlyData: 'rejected', version: QUIC_V2 })
  })

  test('without a version of ours the attempt is over', () => {
    const pair = failed(new Pair({ client: { versions: [QUIC_V1] }, server: { versions: [QUIC_V2] } }))
    expect(closedWith(pair.client)).toBe(ErrorCode.VersionNegotiationError)
  })

  test('RFC 9368 §4: a second one is ignored, and so is one with the version begun with', () => {
    const pair = new Pair({ client: { versions: second }, server: { versions: [QUIC_V1] } })
    pair.start()
    const [first] = headers(pair.client) as [PacketHeader]
    pair.sendVersions(first, second)
    pair.sendVersions(first, [QUIC_V1])
    pair.sendVersions(first, [QUIC_V2])
    expect(pair.world.run(() => pair.client.has('handshakeConfirmed'), 10_000)).toBe(true)
    expect(versionsIn(pair)).toEqual([QUIC_V1, QUIC_V1])
  })
})

describe('downgrade protection (RFC 9368 §4)', () => {
  test('a forged Version Negotiation packet is found out in the handshake', () => {
    const pair = new Pair({ client: { versions: second }, server: { versions: [QUIC_V1, QUIC_V2] } })
    let isForged = false
    pair.server.filter = datagram => {
      if (isForged) return datagram
      isForged = true
      pair.sendVersions(readHeader(datagram, 0, 8) as PacketHeader, [QUIC_V1])
      return undefined
    }
    expect(closedWith(failed(pair).client)).toBe(ErrorCode.VersionNegotiationError)
    pair.world.pass(1000)
    expect(closedWith(pair.server)).toBe(ErrorCode.VersionNegotiationError)
  })
})

describe('tickets and tokens of another version (RFC 9369 §5)', () => {
  test('a client begins with the version of its ticket, if it may, and resumes', () => {
    const { server, resumption } = ticketed({ client: { versions: [QUIC_V2] } })
    expect(resumption.version).toBe(QUIC_V2)
    const pair = new Pair({ client: { versions: both, resumption, earlyData: true }, server }).connect()
    expect(headers(pair.client)[0]?.version).toBe(QUIC_V2)
    expect(pair.client.connection.peer).toMatchObject({ isResumed: true, earlyData: 'accepted' })
  })

  test('a client that may not leaves it out', () => {
    const { server, resumption } = ticketed({ client: { versions: [QUIC_V2] } })
    const pair = new Pair({ client: { versions: [QUIC_V1], resumption, earlyData: true }, server }).connect()
    expect(pair.client.connection.peer).toMatchObject({ isResumed: false, earlyData: 'none', version: QUIC_V1 })
  })

  test('RFC 9369 §5: a server does not take one of another version', () => {
    const { server, resumption } = ticketed({ client: { versions: [QUIC_V2] } })
    const forged = { ...resumption, version: QUIC_V1 }
    const pair = new Pair({ client: { resumption: forged, earlyData: true }, server }).connect()
    expect(pair.client.connection.peer).toMatchObject({ isResumed: false, earlyData: 'rejected' })
  })

  test('after compatible negotiation a ticket belongs to the negotiated version', () => {
    const { server, resumption, first } = ticketed({ client: { versions: both }, server: { versions: second } })
    expect(resumption.version).toBe(QUIC_V2)
    expect(resumptionOf(first).version).toBe(QUIC_V2)
    const pair = new Pair({ client: { versions: both, resumption }, server }).connect()
    expect(pair.client.connection.peer).toMatchObject({ isResumed: true, version: QUIC_V2 })
  })
})
