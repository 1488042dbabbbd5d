// Clients on the move by seed: paths come and go while packets are under way on them (RFC 9000 §9; security: state of
// paths that are gone, floods of probes).

import { describe, expect, test } from 'vitest'
import { MAX_PROBED } from '../../src/connection/probes.ts'
import { FIRST_SILENCE, MAX_PINGS } from '../../src/connection/silence.ts'
import { FrameType } from '../../src/packet/frames/frame.ts'
import { Level } from '../../src/packet/level.ts'
import { seededRandom } from '../reference/random.ts'
import { clientAddress, Pair, serverAddress } from '../sim/pair.ts'
import { frames, OpenPair, pingBytes, Transfer } from './support.ts'

const seeds = Array.from({ length: 12 }, (_, i) => i + 1)

test.each(seeds)('RFC 9000 §9.3: NATs that change their minds and clients that move, on bad paths (seed %d)', seed => {
  const random = seededRandom(seed)
  const pair = new Pair({ seed, link: { delay: 15, loss: 0.05, duplicate: 0.05, reorder: 0.2 } })
  pair.client.others.push({ host: '198.51.100.9', port: 40_001 })
  pair.connect()
  const transfer = new Transfer(pair, 60_000, 60_000).begin()
  let port = 50_000
  const turn = (): void => {
    if (transfer.isDone || pair.client.has('closed')) return
    const { client, world } = pair
    if (random() < 0.5)
      client.address = { host: random() < 0.5 ? clientAddress.host : `192.0.2.${port % 200}`, port: ++port }
    else client.act(connection => connection.migrate({ ...serverAddress, via: 1 - (connection.remote.via ?? 0) }))
    world.plan(world.now + 20 + random() * 400, turn)
  }
  pair.world.plan(pair.world.now + 50, turn)
  expect(transfer.run()).toBe(true)
  expect(pair.client.has('closed') || pair.server.has('closed')).toBe(false)
  // What is acknowledged or lost after its path is gone finds nobody there, and all is given back in the end.
  pair.world.pass(20_000)
  expect(pair.server.connection.nextTimeout()).toBeGreaterThan(pair.world.now)
  expect(new Transfer(pair, 1000, 1000).begin().run()).toBe(true)
})

test('RFC 9000 §9: the port of a NAT may change also where active migration is forbidden', () => {
  const pair = new Pair({ link: { delay: 20 }, server: { transport: { disableActiveMigration: true } } }).connect()
  const transfer = new Transfer(pair, 100_000, 100_000).begin()
  transfer.run(pair.world.now + 60)
  pair.client.address = { ...clientAddress, port: 50_001 }
  expect(transfer.run()).toBe(true)
  expect(pair.server.connection.remote).toEqual({ ...clientAddress, port: 50_001 })
  expect(pair.server.connection.isAddressValidated).toBe(true)
})

describe('a client that waits for an answer breaks the silence (RFC 9000 §10.1.2)', () => {
  /** The times of PINGs in full datagrams; those that look for a larger MTU are larger still. */
  const pings = ({ logs }: OpenPair): number[] =>
    logs.client.sent
      .filter(({ size, frames: [first, ...rest] }) => first?.type === FrameType.Ping && size === 1200 && !rest[1])
      .map(({ now }) => now)

  /** A request that is acknowledged and not answered. */
  function ask(pair: OpenPair): number {
    pair.client.act(connection => connection.write(connection.openStream('bidi') ?? 0, pingBytes, true))
    pair.world.pass(500)
    return pair.client.connection.diagnostics.bytesInFlight
  }

  test('and so a server finds it behind a NAT that has forgotten it', () => {
    const pair = new OpenPair({ link: { delay: 15 } }).connect()
    expect(ask(pair)).toBe(0)
    pair.client.address = { ...clientAddress, port: 50_001 }
    pair.server.act(connection => connection.write(0, new Uint8Array(50_000), true))
    const { now } = pair.world
    const isThere = (): boolean => pair.client.connection.stats.bytesReceived > 50_000
    expect(pair.world.run(isThere, now + 5000)).toBe(true)
    expect(pings(pair).length).toBe(1)
    expect(pair.server.connection.remote.port).toBe(50_001)
  })

  test('a few times, later and later, until something comes', () => {
    const pair = new OpenPair({ link: { delay: 15 } }).connect()
    ask(pair)
    pair.world.pass(20_000)
    const times = pings(pair)
    expect(times.length).toBe(MAX_PINGS)
    const pauses = times.slice(1).map((time, i) => time - (times[i] as number))
    expect(pauses.map(pause => Math.floor(pause / FIRST_SILENCE))).toEqual([2, 4])
    pair.server.act(connection => connection.write(0, pingBytes, false))
    pair.world.pass(20_000)
    expect(pings(pair).length).toBe(2 * MAX_PINGS)
  })

  test('but not without a question, and no server does', () => {
    const pair = new OpenPair({ link: { delay: 15 } }).connect()
    pair.server.act(connection => connection.openStream('bidi'))
    pair.world.pass(25_000)
    expect(pings(pair)).toEqual([])
    expect(pair.logs.server.sent.at(-1)?.now).toBeLessThan(2000)
  })
})

test('RFC 9000 §9.4: questions that are lost on another path are no congestion on this one', () => {
  const pair = new Pair()
  pair.client.others.push({ host: '198.51.100.9', port: 40_001 })
  pair.connect()
  pair.world.pass(500)
  const { congestionWindow, congestionEvents } = pair.client.connection.diagnostics
  pair.server.filter = datagram => (datagram.length === 1200 ? undefined : datagram)
  pair.client.act(connection => connection.migrate({ ...serverAddress, via: 1 }))
  for (let i = 0; i < 50; i++) {
    pair.client.act(connection => connection.write(connection.openStream('bidi') ?? 0, pingBytes, false))
    pair.world.pass(80)
  }
  expect(pair.client.has('migrationFailed')).toBe(true)
  expect(pair.client.connection.diagnostics.packetsLost).toBeGreaterThan(2)
  expect(pair.client.connection.diagnostics.congestionEvents).toBe(congestionEvents)
  expect(pair.client.connection.diagnostics.congestionWindow).toBeGreaterThanOrEqual(congestionWindow)
})

test('security: two hundred addresses that probe: what is sent stays within three times what came', () => {
  const pair = new OpenPair().connect()
  pair.world.pass(500)
  const [other] = pair.logs.server.frames(FrameType.NewConnectionId)
  const sent = new Map<number, number>()
  const send = pair.server.send.bind(pair.server)
  pair.server.send = (datagram, to) => {
    sent.set(to?.port ?? 0, (sent.get(to?.port ?? 0) ?? 0) + datagram.length)
    send(datagram, to)
  }
  const question = frames(w => {
    w.u8(FrameType.PathChallenge)
    w.zeros(8)
  })
  for (let port = 1; port <= 200; port++) {
    const destination = other?.id as Uint8Array
    pair.inject('client', Level.OneRtt, question, { from: { host: '203.0.113.5', port }, destination, padTo: 400 })
  }
  pair.world.pass(10_000)
  for (let port = 1; port <= 200; port++) expect(sent.get(port) ?? 0).toBeLessThanOrEqual(1200)
  expect(MAX_PROBED).toBeLessThan(10)
  expect(pair.server.has('closed')).toBe(false)
})
