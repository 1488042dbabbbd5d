// Keys by level, their updates and their limits (RFC 9001 §4.9, §5, §6).

import { describe, expect, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import {
  type CipherSuite,
  TLS_AES_128_GCM_SHA256,
  TLS_CHACHA20_POLY1305_SHA256,
} from '../../src/crypto/cipher-suite.ts'
import { nextSecret } from '../../src/crypto/packet-protection.ts'
import { Level } from '../../src/packet/level.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { Pair } from '../sim/pair.ts'
import { closedWith, OpenPair, pingBytes, Transfer } from './support.ts'

const aes: CipherSuite = TLS_AES_128_GCM_SHA256

function say(pair: Pair, bytes = 10): void {
  pair.client.act(client => client.write(client.openStream('bidi') as number, new Uint8Array(bytes), true))
  pair.world.pass(200)
}

describe('key updates (RFC 9001 §6)', () => {
  test('either side may start one once the handshake is confirmed and a packet is acknowledged', () => {
    const pair = new Pair().start()
    expect(pair.client.connection.updateKeys()).toBe(false)
    pair.world.run(() => pair.client.has('handshakeConfirmed'), 1000)
    say(pair)
    let isUpdated = false
    pair.client.act(client => {
      isUpdated = client.updateKeys(pair.world.now)
    })
    expect(isUpdated).toBe(true)
    say(pair)
    expect(pair.client.connection.updateKeys(pair.world.now)).toBe(false)
    say(pair, 100_000)
    pair.world.pass(5000)
    expect(pair.server.connection.updateKeys(pair.world.now)).toBe(true)
    expect(new Transfer(pair, 50_000, 50_000).begin().run()).toBe(true)
    expect([pair.client.has('closed'), pair.server.has('closed')]).toEqual([false, false])
  })

  test('ten updates in the middle of a transfer over a lossy, reordering path', () => {
    const pair = new Pair({ seed: 3, link: { delay: 20, loss: 0.03, reorder: 0.2 } }).connect()
    const transfer = new Transfer(pair, 1_500_000, 1_500_000).begin()
    let updates = 0
    while (!transfer.isDone && pair.world.now < 300_000) {
      transfer.run(pair.world.now + 150)
      const side = updates % 2 === 0 ? pair.client : pair.server
      if (side.connection.updateKeys(pair.world.now)) updates++
    }
    expect(transfer.isDone).toBe(true)
    expect(updates).toBeGreaterThan(5)
  })

  test('security: forged packets in the other phase change nothing and are counted', () => {
    const pair = new OpenPair().connect()
    const secret = new Uint8Array(32)
    for (let i = 0; i < 50; i++) pair.inject('client', Level.OneRtt, pingBytes, { secret, phase: 1 })
    expect(pair.server.connection.stats.packetsDropped).toBeGreaterThanOrEqual(50)
    say(pair)
    expect(pair.server.has('closed')).toBe(false)
  })

  test('RFC 9001 §6.4: new keys under a lower number than the old ones close with KEY_UPDATE_ERROR', () => {
    const pair = new OpenPair().connect()
    say(pair)
    const secret = nextSecret(nodeBackend, 1, aes, pair.secret('client', Level.OneRtt))
    pair.inject('client', Level.OneRtt, pingBytes, { number: 5000 })
    pair.inject('client', Level.OneRtt, pingBytes, { number: 4000, secret, phase: 1, header: 'client' })
    expect(closedWith(pair.server)).toBe(ErrorCode.KeyUpdateError)
    expect(pair.server.find('closed')?.by).toBe('local')
  })
})

describe('limits (RFC 9001 §6.6)', () => {
  test('keys are renewed before they are used up', () => {
    const suite = { ...aes, confidentialityLimit: 400 }
    const config = { cipherSuites: [suite] }
    const pair = new Pair({ client: config, server: config, link: { delay: 10, rate: 200, queue: 12_000 } }).connect()
    expect(new Transfer(pair, 1_000_000, 1_000_000, 2).begin().run()).toBe(true)
    expect(pair.client.connection.stats.packetsSent).toBeGreaterThan(800)
    expect(pair.client.has('closed')).toBe(false)
  })

  test('where no update is possible the connection ends with AEAD_LIMIT_REACHED, and the peer hears of it', () => {
    const transport = { maxIdleTimeout: 0 }
    const client = { cipherSuites: [{ ...aes, confidentialityLimit: 128 }], transport }
    const pair = new Pair({ client, server: { transport } }).connect()
    // Nothing comes back that could allow an update; what leaves are probes, further and further apart.
    pair.client.filter = () => undefined
    pair.client.act(connection => connection.write(connection.openStream('bidi') as number, new Uint8Array(10), true))
    pair.world.run(() => pair.server.has('closed'), 1e12)
    expect([closedWith(pair.client), closedWith(pair.server)]).toEqual([
      ErrorCode.AeadLimitReached,
      ErrorCode.AeadLimitReached,
    ])
  })

  test('keys that are used up to the last packet end it without a word', () => {
    const client = { cipherSuites: [{ ...aes, confidentialityLimit: 1 }] }
    const pair = new Pair({ client }).start()
    pair.world.run(() => pair.client.has('closed'), 5000)
    expect(closedWith(pair.client)).toBe(ErrorCode.AeadLimitReached)
    expect(pair.client.connection.isTerminated).toBe(true)
  })

  test('security: too many forged packets, at any level, end the connection', () => {
    const suite = { ...aes, integrityLimit: 20 }
    const pair = new OpenPair({ client: { cipherSuites: [suite] }, server: { cipherSuites: [suite] } })
    pair.start()
    pair.world.pass(11)
    const secret = new Uint8Array(32)
    for (let i = 0; i < 8; i++) pair.inject('client', Level.Initial, pingBytes, { secret })
    pair.world.run(() => pair.client.has('handshakeConfirmed'), 1000)
    for (let i = 0; i < 12; i++) pair.inject('client', Level.OneRtt, pingBytes, { secret })
    expect(pair.server.has('closed')).toBe(false)
    pair.inject('client', Level.OneRtt, pingBytes, { secret })
    expect(closedWith(pair.server)).toBe(ErrorCode.AeadLimitReached)
  })

  test('ChaCha20-Poly1305', () => {
    const pair = new Pair({ client: { cipherSuites: [TLS_CHACHA20_POLY1305_SHA256] } }).connect()
    expect(pair.client.connection.peer?.cipherSuite).toBe(TLS_CHACHA20_POLY1305_SHA256.name)
    expect(new Transfer(pair, 10_000, 10_000).begin().run()).toBe(true)
  })
})

describe('keys that are discarded (RFC 9001 §4.9)', () => {
  test('Initial keys: by the client with its first Handshake packet, by the server with the first it reads', () => {
    const pair = new OpenPair()
    pair.start()
    pair.world.run(() => pair.client.trips === 2 && pair.client.sentCount > 1, 1000)
    const { stats } = pair.client.connection
    const before = stats.packetsReceived
    pair.inject('server', Level.Initial, pingBytes)
    expect(stats.packetsReceived).toBe(before)
    const atServer = pair.server.connection.stats.packetsReceived
    pair.inject('client', Level.Initial, pingBytes)
    expect(pair.server.connection.stats.packetsReceived).toBe(atServer + 1)
    pair.world.run(() => pair.server.trips === 3, 1000)
    const after = pair.server.connection.stats.packetsReceived
    pair.inject('client', Level.Initial, pingBytes)
    expect(pair.server.connection.stats.packetsReceived).toBe(after)
  })

  test('Handshake keys: once the handshake is confirmed (§4.9.2)', () => {
    const pair = new OpenPair().connect()
    for (const [from, to] of [
      ['client', pair.server],
      ['server', pair.client],
    ] as const) {
      const before = to.connection.stats.packetsReceived
      pair.inject(from, Level.Handshake, pingBytes)
      expect(to.connection.stats.packetsReceived).toBe(before)
    }
  })

  test('RFC 9001 §5.7: a server reads no 1-RTT packet before the handshake is complete, but keeps it for then', () => {
    const pair = new OpenPair({ toServer: { drop: index => index > 0 } })
    pair.start()
    pair.world.run(() => pair.client.has('handshakeComplete'), 1000)
    pair.world.pass(15)
    const { stats } = pair.server.connection
    const [received, parked] = [stats.packetsReceived, stats.packetsParked]
    pair.inject('client', Level.OneRtt, pingBytes)
    expect([stats.packetsReceived, stats.packetsParked]).toEqual([received, parked + 1])
  })
})
