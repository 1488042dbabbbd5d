// A connection in numbers: each is compared with what the simulated network, or the log, has seen.

import { describe, expect, test } from 'vitest'
import { Pair } from '../sim/pair.ts'
import { provisioned } from './early.ts'
import { OpenPair, Transfer } from './support.ts'

describe('statistics()', () => {
  test('what went in and out, as the network counted it', () => {
    const pair = new OpenPair({ seed: 3, link: { delay: 10 } }).connect()
    expect(new Transfer(pair, 60_000, 40_000, 3).begin().run()).toBe(true)
    pair.world.pass(1000)
    for (const [side, other] of [
      ['client', 'server'],
      ['server', 'client'],
    ] as const) {
      const host = pair[side]
      const stats = host.connection.statistics()
      expect(stats.datagramsSent).toBe(host.sentCount)
      expect(stats.bytesSent).toBe(host.sentBytes)
      expect(stats.bytesReceived).toBe(host.received)
      expect(stats.datagramsReceived).toBe(pair[other].sentCount)
      expect(stats.packetsSent).toBe(pair.logs[side].sent.length)
      expect(stats.packetsReceived).toBe(pair.logs[side].received.length)
      expect(stats).toMatchObject({ packetsLost: 0, bytesLost: 0, packetsRetransmitted: 0, bytesRetransmitted: 0 })
      expect(stats).toMatchObject({ packetsDropped: 0, congestionEvents: 0, spuriousLosses: 0, keyUpdates: 0 })
      expect(stats.bytesInFlight).toBe(0)
      expect(stats.rtt.min).toBe(20)
      expect(stats.rtt.smoothed).toBeGreaterThanOrEqual(20)
      expect(stats.pacingRate).toBeGreaterThan(0)
    }
    const { streams, handshakeTime } = pair.client.connection.statistics()
    expect(streams).toEqual({
      opened: 3,
      accepted: 0,
      closed: 3,
      open: 0,
      bytesSent: 180_000,
      bytesReceived: 120_000,
      bytesRead: 120_000,
    })
    expect(handshakeTime).toBe(20)
    expect(pair.server.connection.statistics().streams).toMatchObject({ opened: 0, accepted: 3, closed: 3 })
    expect(pair.server.connection.statistics().handshakeTime).toBe(20)
  })

  test('it is a picture: what happens later does not change it', () => {
    const pair = new Pair().connect()
    const before = pair.client.connection.statistics()
    const copy = structuredClone(before)
    expect(new Transfer(pair, 20_000, 20_000).begin().run()).toBe(true)
    expect(before).toEqual(copy)
    expect(pair.client.connection.statistics().bytesSent).toBeGreaterThan(before.bytesSent)
    expect(JSON.parse(JSON.stringify(before)).dropped).toEqual(copy.dropped)
  })

  test('losses, and what is sent again because of them', () => {
    const pair = new Pair({ seed: 11, link: { delay: 20, loss: 0.05 } }).connect()
    expect(new Transfer(pair, 300_000, 1000).begin().run()).toBe(true)
    const stats = pair.client.connection.statistics()
    expect(stats.packetsLost).toBeGreaterThan(5)
    expect(stats.bytesLost).toBeGreaterThan(5000)
    expect(stats.packetsRetransmitted).toBeGreaterThanOrEqual(stats.packetsLost - stats.mtuProbesLost - 5)
    expect(stats.bytesRetransmitted).toBeGreaterThan(5000)
    // All of it left, once and again.
    expect(stats.bytesSent).toBeGreaterThan(300_000 + stats.bytesLost / 2)
    expect(stats.streams.bytesSent).toBe(300_000)
    expect(stats.congestionEvents).toBeGreaterThan(0)
    expect(stats.slowStartThreshold).toBeLessThan(Number.POSITIVE_INFINITY)
    expect(stats.rtt.latest).toBeGreaterThanOrEqual(stats.rtt.min)
  })

  test('RFC 9002 §6.2: probes of a peer that is silent', () => {
    const pair = new Pair().connect()
    pair.world.pass(1000)
    pair.server.filter = () => undefined
    pair.client.act(client => client.write(client.openStream('bidi') as number, new Uint8Array(100), false))
    pair.world.pass(2000)
    const stats = pair.client.connection.statistics()
    expect(stats.ptoCount).toBeGreaterThan(1)
    expect(stats.probeTimeouts).toBeGreaterThanOrEqual(stats.ptoCount)
    expect(stats.bytesInFlight).toBeGreaterThan(100)
    expect(stats.packetsRetransmitted).toBeGreaterThan(0)
  })

  test('RFC 9000 §14.3: the path MTU, and the probes that found it', () => {
    const pair = new Pair({ bufferSize: 2000, link: { delay: 10, mtu: 1420 } }).connect()
    expect(new Transfer(pair, 500_000, 1000).begin().run()).toBe(true)
    const { pathMtu, mtuProbesSent, mtuProbesLost } = pair.client.connection.statistics()
    expect(pathMtu).toBeGreaterThanOrEqual(1400)
    expect(pathMtu).toBeLessThanOrEqual(1420)
    expect(mtuProbesSent).toBeGreaterThan(1)
    expect(mtuProbesLost).toBeGreaterThan(0)
    expect(mtuProbesSent).toBeGreaterThan(mtuProbesLost)
  })

  test('RFC 9001 §6: key updates of both sides', () => {
    const pair = new Pair().connect()
    expect(new Transfer(pair, 20_000, 20_000).begin().run()).toBe(true)
    pair.client.act(client => expect(client.updateKeys(pair.world.now)).toBe(true))
    expect(new Transfer(pair, 2000, 2000).begin().run()).toBe(true)
    expect(pair.client.connection.statistics().keyUpdates).toBe(1)
    expect(pair.server.connection.statistics().keyUpdates).toBe(1)
  })

  test('what is dropped, by cause', () => {
    const pair = new OpenPair().connect()
    pair.world.pass(1000)
    const { server, client } = pair
    const copy = client.sent.at(-1) as Uint8Array
    server.receive(copy.slice(), client.address)
    const forged = copy.slice()
    forged[forged.length - 1] = (forged.at(-1) as number) ^ 1
    server.receive(forged, client.address)
    server.receive(Uint8Array.of(0x80, 1), client.address)
    // An Initial, whose keys are gone.
    server.receive((client.sent[0] as Uint8Array).slice(), client.address)
    const { dropped, packetsDropped } = server.connection.statistics()
    expect(dropped).toMatchObject({ duplicate: 1, decryption_failure: 1, invalid: 1, key_unavailable: 1 })
    expect(packetsDropped).toBe(Object.values(dropped).reduce((sum, count) => sum + count, 0))
  })

  test('RFC 9001 §4.6: early data that was taken', () => {
    const { resumption, server } = provisioned()
    const pair = new Pair({ client: { resumption, earlyData: true }, server })
    pair.start(client => client.write(client.openStream('bidi') as number, new Uint8Array(500), true))
    expect(pair.client.connection.statistics()).toMatchObject({ earlyBytesAccepted: 0, handshakeTime: undefined })
    pair.world.pass(1000)
    const near = pair.client.connection.statistics()
    const far = pair.server.connection.statistics()
    expect(near.earlyPackets).toBe(1)
    expect(near.earlyBytes).toBeGreaterThan(500)
    expect(near.earlyBytesAccepted).toBe(near.earlyBytes)
    expect(far.earlyBytesAccepted).toBe(near.earlyBytes)
  })
})
