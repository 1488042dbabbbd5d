// Clients that move on purpose: by themselves, or to the preferred address of a server (RFC 9000 §9.2, §9.5, §9.6).

import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/bytes/hex.ts'
import { MAX_CHALLENGES } from '../../src/connection/path-validation.ts'
import { preferredAddress, preferredFor } from '../../src/connection/preferred-address.ts'
import { FrameType } from '../../src/packet/frames/frame.ts'
import { readHeader } from '../../src/packet/header.ts'
import { clientAddress, type Pair, type PairOptions, serverAddress } from '../sim/pair.ts'
import { OpenPair, Transfer } from './support.ts'

const other = { host: '198.51.100.9', port: 40_001 }
const preferred = { host: '192.0.2.77', port: 4433 }

/** A client with a second address, some time after the handshake. */
function roaming(options: PairOptions = {}): OpenPair {
  const pair = new OpenPair(options)
  pair.client.others.push(other)
  pair.connect()
  pair.world.pass(500)
  return pair
}

function migrate(pair: Pair): string | undefined {
  let refusal: string | undefined
  pair.client.act(client => {
    refusal = client.migrate({ ...serverAddress, via: 1 })
  })
  return refusal
}

/** Destination ids of the client's short headers, in order, each once. */
function shortIds(pair: Pair): string[] {
  const short = pair.client.sent.filter(datagram => ((datagram[0] as number) & 0x80) === 0)
  return [...new Set(short.map(datagram => toHex(readHeader(datagram, 0, 8, true)?.destination as Uint8Array)))]
}

describe('a client that moves (RFC 9000 §9.2)', () => {
  test('in the middle of a transfer: the server follows, both under new ids (§9.5)', () => {
    const pair = roaming({ link: { delay: 20 } })
    const transfer = new Transfer(pair, 300_000, 300_000).begin()
    transfer.run(pair.world.now + 100)
    expect(migrate(pair)).toBe(undefined)
    expect(transfer.run()).toBe(true)
    // The ids of the old path go when nothing can be under way there any more (§5.1.2).
    expect(pair.retired.client.length + pair.retired.server.length).toBe(0)
    pair.world.pass(7000)
    expect(pair.client.find('migrated')?.remote).toEqual({ ...serverAddress, via: 1 })
    expect(pair.client.connection.remote).toEqual({ ...serverAddress, via: 1 })
    expect(pair.server.connection.remote).toEqual(other)
    expect(pair.server.connection.isAddressValidated).toBe(true)
    expect(shortIds(pair).length).toBe(2)
    expect(pair.retired.client.length).toBe(1)
    expect(pair.retired.server.length).toBe(1)
  })

  test('§8.2.1: the new path is asked in full datagrams before anything else goes there', () => {
    const pair = roaming()
    const before = pair.client.sent.length
    migrate(pair)
    expect(pair.client.sent.slice(before).map(datagram => datagram.length)).toEqual([1200])
    expect(pair.logs.client.sent.at(-1)?.frames[0]?.type).toBe(FrameType.PathChallenge)
    expect(pair.client.connection.remote).toEqual(serverAddress)
  })

  test('§8.2: the server asks back in the datagram of its answer, and nothing more once the client is there', () => {
    const pair = roaming({ link: { delay: 20 } })
    const transfer = new Transfer(pair, 300_000, 300_000).begin()
    transfer.run(pair.world.now + 100)
    const before = pair.logs.server.sent.length
    migrate(pair)
    expect(transfer.run()).toBe(true)
    const frames = pair.logs.server.sent.slice(before).map(packet => packet.frames.map(({ type }) => type))
    const asking = frames.filter(types => types.includes(FrameType.PathChallenge))
    expect(asking[0]).toContain(FrameType.PathResponse)
    // The other is for the address that was left (§9.3.3).
    expect(asking.length).toBe(2)
    expect(pair.server.connection.remote).toEqual(other)
    expect(pair.server.connection.isAddressValidated).toBe(true)
  })

  test('an idle connection moves too', () => {
    const pair = roaming()
    migrate(pair)
    pair.world.pass(500)
    expect(pair.server.connection.remote).toEqual(other)
    expect(new Transfer(pair, 1000, 1000).begin().run()).toBe(true)
  })

  test('§9.4: what was known of the old path does not hold on the new one', () => {
    const pair = roaming({ link: { delay: 50 } })
    new Transfer(pair, 100_000, 100_000).begin().run()
    const { congestionWindow } = pair.client.connection.diagnostics
    migrate(pair)
    pair.world.run(() => pair.client.has('migrated'), 2000)
    expect(pair.client.connection.diagnostics.congestionWindow).toBeLessThan(congestionWindow)
  })

  test('§8.2.4: a path that does not answer is asked some times, and given up; its id is not used again', () => {
    const pair = roaming()
    const { server } = pair
    server.filter = datagram => (datagram.length === 1200 ? undefined : datagram)
    migrate(pair)
    pair.world.pass(4000)
    const asked = pair.logs.client.frames(FrameType.PathChallenge)
    expect(asked.length).toBeGreaterThan(2)
    expect(asked.length).toBeLessThanOrEqual(MAX_CHALLENGES)
    expect(new Set(asked.map(frame => toHex(frame.data))).size).toBe(asked.length)
    expect(pair.client.has('migrationFailed')).toBe(true)
    expect(pair.client.connection.remote).toEqual(serverAddress)
    expect(pair.logs.client.frames(FrameType.RetireConnectionId).map(frame => frame.sequence)).toEqual([1])
    server.filter = datagram => datagram
    expect(new Transfer(pair, 10_000, 10_000).begin().run()).toBe(true)
    expect(migrate(pair)).toBe(undefined)
    pair.world.pass(500)
    expect(pair.server.connection.remote).toEqual(other)
  })

  test('§13.3: a lost question is asked again', () => {
    const pair = roaming()
    let lost = 0
    pair.server.filter = datagram => (datagram.length === 1200 && lost++ < 2 ? undefined : datagram)
    migrate(pair)
    pair.world.pass(3000)
    expect(lost).toBeGreaterThan(2)
    expect(pair.client.has('migrated')).toBe(true)
  })

  test('there and back, as often as one likes: ids are issued anew', () => {
    const pair = roaming()
    for (let i = 0; i < 20; i++) {
      const via = 1 - (i % 2)
      pair.client.act(client => expect(client.migrate({ ...serverAddress, via })).toBe(undefined))
      pair.world.pass(1000)
      expect(pair.server.connection.remote).toEqual(via === 1 ? other : clientAddress)
    }
    expect(new Transfer(pair, 10_000, 10_000).begin().run()).toBe(true)
  })
})

describe('what is refused', () => {
  test('RFC 9000 §18.2: by a peer that said disable_active_migration', () => {
    const pair = roaming({ server: { transport: { disableActiveMigration: true } } })
    expect(migrate(pair)).toBe('disabled')
  })

  test('RFC 9000 §9: before the handshake is confirmed, and after the end', () => {
    const pair = new OpenPair().start()
    expect(migrate(pair)).toBe('unconfirmed')
    pair.world.pass(1000)
    pair.client.act(client => client.close(0, ''))
    expect(migrate(pair)).toBe('unconfirmed')
  })

  test('a second move while the first is under way; a server that moves', () => {
    const pair = roaming()
    migrate(pair)
    expect(migrate(pair)).toBe('moving')
    expect(pair.server.connection.migrate(other)).toBe('server')
  })

  test('RFC 9000 §9.5: without an id to spare', () => {
    const pair = new OpenPair()
    pair.client.others.push(other)
    pair.start()
    pair.client.onEvent = event => {
      if (event.type === 'handshakeConfirmed') pair.server.filter = () => undefined
    }
    pair.world.run(() => pair.client.has('handshakeConfirmed'), 1000)
    const refusals = new Set<string | undefined>()
    // Each failure costs an id, and no new ones come.
    for (let i = 0; i < 6; i++) {
      refusals.add(migrate(pair))
      pair.world.pass(4000)
    }
    expect(refusals).toEqual(new Set([undefined, 'no id']))
  })
})

describe('a preferred address (RFC 9000 §9.6)', () => {
  function preferring(options: PairOptions = {}): OpenPair {
    const server = { preferredAddress: { ipv4: preferred }, ...options.server }
    const pair = new OpenPair({ ...options, server })
    pair.server.others.push(preferred)
    return pair
  }

  test('§9.6.1: is where the client goes once the handshake is confirmed, under the id that came with it', () => {
    const pair = preferring().connect()
    pair.world.pass(7000)
    expect(pair.client.connection.remote).toEqual(preferred)
    expect(pair.server.connection.remote).toEqual({ ...clientAddress, via: 1 })
    const used = shortIds(pair).at(-1)
    expect(used).not.toBe(toHex(pair.id('server')))
    const issued = pair.logs.server.frames(FrameType.NewConnectionId)
    expect(issued.map(frame => frame.sequence)).toEqual([2, 3, 4])
    expect(issued.map(frame => toHex(frame.id))).not.toContain(used)
    expect(new Transfer(pair, 50_000, 50_000).begin().run()).toBe(true)
  })

  test('in the middle of a transfer', () => {
    const pair = preferring({ link: { delay: 20, loss: 0.05 } }).start()
    pair.world.run(() => pair.client.has('handshakeComplete'), 10_000)
    expect(new Transfer(pair, 200_000, 200_000).begin().run()).toBe(true)
    pair.world.pass(4000)
    expect(pair.client.connection.remote).toEqual(preferred)
  })

  test('not by a client that does not want to', () => {
    const pair = preferring({ client: { followPreferredAddress: false } }).connect()
    pair.world.pass(500)
    expect(pair.client.connection.remote).toEqual(serverAddress)
  })

  test('§9.6.2: also where active migration is forbidden', () => {
    const pair = preferring({ server: { transport: { disableActiveMigration: true } } }).connect()
    pair.world.pass(500)
    expect(pair.client.connection.remote).toEqual(preferred)
  })

  test('§9.6.1: nobody there: everything goes on where it was', () => {
    const pair = preferring()
    pair.server.others.length = 0
    pair.connect()
    pair.world.pass(4000)
    expect(pair.client.has('migrationFailed')).toBe(true)
    expect(pair.client.connection.remote).toEqual(serverAddress)
    expect(new Transfer(pair, 10_000, 10_000).begin().run()).toBe(true)
  })

  test('of the other family alone is none', () => {
    const ipv6 = { host: '2001:db8::1', port: 443 }
    const pair = preferring({ server: { preferredAddress: { ipv6 } } }).connect()
    pair.world.pass(4000)
    expect(pair.client.connection.remote).toEqual(serverAddress)
    expect(pair.client.has('migrationFailed')).toBe(false)
  })

  test.each([
    '2001:db8::1',
    '::1',
    'fe80::',
    '2001:db8:0:1:1:1:1:1',
    '2001:0:0:1::1',
    '1:2:3:4:5:6:7:8',
    '1::8',
    'ff02::2:0:0:1',
    '10:0:1::',
  ])('%s goes there and back', host => {
    const encoded = preferredAddress({ ipv6: { host, port: 443 } }, new Uint8Array(8), new Uint8Array(16))
    expect(preferredFor({ host: '::1', port: 1 }, encoded)).toEqual({ host, port: 443 })
  })

  test.each([
    ['192.0.2.2', '127.0.0.1'],
    ['192.0.2.2', '127.255.0.9'],
    ['2001:db8::1', '::1'],
    ['2001:db8::1', '::ffff:7f00:1'],
  ])('RFC 9000 §21.5.6: to the loopback from elsewhere is none (%s to %s)', (from, host) => {
    const to = { host, port: 443 }
    const preferred = from.includes(':') ? { ipv6: to } : { ipv4: to }
    const encoded = preferredAddress(preferred, new Uint8Array(8), new Uint8Array(16))
    expect(preferredFor({ host: from, port: 1 }, encoded)).toBeUndefined()
  })

  test.each(['', '1.2.3', '1.2.3.256', 'a.b.c.d', '::1'])('%j is no IPv4 address', host => {
    expect(() => preferredAddress({ ipv4: { host, port: 1 } }, new Uint8Array(8), new Uint8Array(16))).toThrow(
      RangeError,
    )
  })

  test.each(['', '1:2', '1:2:3:4:5:6:7:8:9', '1::2::3:4:5:6:7:8:9', 'g::1', '10000::'])(
    '%j is no IPv6 address',
    host => {
      expect(() => preferredAddress({ ipv6: { host, port: 1 } }, new Uint8Array(8), new Uint8Array(16))).toThrow(
        RangeError,
      )
    },
  )
})
