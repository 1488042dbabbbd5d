// The ends of a connection: close, error, idle, silence (RFC 9000 §10).

import { describe, expect, test } from 'vitest'
import { FrameType } from '../../src/packet/frames/frame.ts'
import { Level } from '../../src/packet/level.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { Pair } from '../sim/pair.ts'
import { provisioned } from './early.ts'
import { closedWith, frames, OpenPair, pingBytes } from './support.ts'

const close = frames(w => {
  w.u8(FrameType.ConnectionClose)
  w.varint(ErrorCode.NoError)
  w.varint(0)
  w.varint(0)
})

describe('immediate close (RFC 9000 §10.2)', () => {
  test.each(['client', 'server'] as const)('the %s closes with its own code and reason', side => {
    const pair = new Pair().connect()
    const other = pair[side === 'client' ? 'server' : 'client']
    pair[side].act(connection => connection.close(7, 'done, thank you', pair.world.now))
    pair.world.pass(15)
    expect(pair[side].find('closed')).toMatchObject({
      by: 'local',
      errorCode: 7,
      isApplication: true,
      error: undefined,
    })
    expect(other.find('closed')).toMatchObject({
      by: 'peer',
      errorCode: 7,
      reason: 'done, thank you',
      isApplication: true,
      error: undefined,
    })
  })

  test('is said once to the application, whatever follows', () => {
    const pair = new OpenPair().connect()
    pair.client.act(client => client.close(1, 'a', pair.world.now))
    pair.client.act(client => client.close(2, 'b', pair.world.now))
    // CONNECTION_CLOSE, and behind it what would be an error.
    pair.inject('client', Level.OneRtt, new Uint8Array([...close, FrameType.HandshakeDone]))
    pair.world.pass(20_000)
    for (const host of [pair.client, pair.server]) {
      expect(host.events.filter(event => event.type === 'closed').length).toBe(1)
    }
    expect(closedWith(pair.server)).toBe(ErrorCode.NoError)
  })

  test('closing answers the 1st datagram that still comes, then the 3rd, the 7th...', () => {
    const pair = new OpenPair().connect()
    pair.server.act(server => server.close(0, '', pair.world.now))
    const before = pair.server.sentCount
    const answered: number[] = []
    for (let i = 1; i <= 40; i++) {
      pair.inject('client', Level.OneRtt, pingBytes)
      if (pair.server.sentCount > before + answered.length) answered.push(i)
    }
    expect(answered).toEqual([1, 3, 7, 15, 31])
  })

  test('draining is silent, and both are over after three PTO', () => {
    const pair = new OpenPair().connect()
    pair.server.act(server => server.close(0, '', pair.world.now))
    pair.world.pass(12)
    const sent = pair.client.sentCount
    for (let i = 0; i < 40; i++) pair.inject('server', Level.OneRtt, pingBytes)
    expect(pair.client.sentCount).toBe(sent)
    expect(pair.client.connection.isTerminated).toBe(false)
    pair.world.pass(3000)
    expect([pair.client.connection.isTerminated, pair.server.connection.isTerminated]).toEqual([true, true])
    expect(pair.client.connection.nextTimeout()).toBe(Number.POSITIVE_INFINITY)
    pair.client.receive(pair.forge('server', Level.OneRtt, pingBytes), pair.server.address)
    expect(pair.client.sentCount).toBe(sent)
  })

  test('no id is routed any more afterwards', () => {
    const pair = new Pair().connect()
    pair.world.pass(500)
    expect([pair.retired.client, pair.retired.server]).toEqual([[], []])
    pair.server.act(server => server.close(0, '', pair.world.now))
    pair.world.pass(5000)
    expect([pair.retired.client.length, pair.retired.server.length]).toEqual([4, 4])
  })

  test('a reason too long for a packet is left out rather than cut into nonsense', () => {
    const pair = new Pair().connect()
    pair.client.act(client => client.close(3, 'x'.repeat(5000), pair.world.now))
    pair.world.pass(15)
    expect(pair.server.find('closed')).toMatchObject({ errorCode: 3, reason: '' })
  })
})

describe('before the handshake is complete (RFC 9000 §10.2.3)', () => {
  test("a client's application code stays unsaid in Initial packets", () => {
    const pair = new OpenPair()
    pair.start()
    pair.world.pass(11)
    pair.client.act(client => client.close(42, 'secret', pair.world.now))
    pair.world.pass(15)
    expect(pair.server.find('closed')).toMatchObject({
      errorCode: ErrorCode.ApplicationError,
      isApplication: false,
      reason: '',
    })
    expect(pair.logs.client.frames(FrameType.ApplicationClose)).toEqual([])
  })

  test('a server says it at every level the client may have keys for', () => {
    const pair = new OpenPair()
    pair.start()
    pair.world.pass(11)
    pair.server.act(server => server.close(42, 'secret', pair.world.now))
    const levels = pair.logs.server.sent
      .filter(({ frames: sent }) =>
        sent.some(({ type }) => type === FrameType.ConnectionClose || type === FrameType.ApplicationClose),
      )
      .map(({ level }) => level)
    expect(levels).toEqual([Level.Initial, Level.Handshake, Level.OneRtt])
    pair.world.pass(20)
    expect(pair.client.find('closed')?.by).toBe('peer')
  })

  test('a client with early data closes in its first flight', () => {
    const { resumption, server } = provisioned()
    const pair = new OpenPair({ client: { resumption, earlyData: true }, server })
    pair.start(client => client.write(client.openStream('bidi') as number, pingBytes, true))
    pair.client.act(client => client.close(9, '', pair.world.now))
    pair.world.pass(15)
    expect(pair.server.find('closed')?.by).toBe('peer')
  })

  test('an error in the very first packet is answered within the amplification limit', () => {
    const pair = new OpenPair({ client: { alpn: ['nobody speaks this'] } })
    pair.start()
    pair.world.pass(100)
    expect(pair.server.sentBytes).toBeLessThanOrEqual(3 * pair.server.received)
    expect(closedWith(pair.client)).toBe(0x178)
  })
})

describe('idle timeout (RFC 9000 §10.1)', () => {
  test('both sides end in silence, by the smaller of the two values', () => {
    const pair = new Pair({
      client: { transport: { maxIdleTimeout: 60_000 } },
      server: { transport: { maxIdleTimeout: 5000 } },
    }).connect()
    pair.world.pass(300)
    const sent = [pair.client.sentCount, pair.server.sentCount]
    pair.world.pass(4600)
    expect(pair.client.has('closed')).toBe(false)
    pair.world.pass(500)
    for (const host of [pair.client, pair.server]) {
      expect(host.find('closed')).toMatchObject({ by: 'idle', errorCode: 0 })
      expect(host.find('closed')?.error).toBeInstanceOf(Error)
      expect(host.connection.isTerminated).toBe(true)
    }
    expect([pair.client.sentCount, pair.server.sentCount]).toEqual(sent)
  })

  test('what arrives, and the first that is sent after it, start the time anew; more that is sent does not', () => {
    const pair = new Pair({ client: { transport: { maxIdleTimeout: 5000 } } }).connect()
    pair.world.pass(4000)
    pair.client.act(client => client.write(client.openStream('uni') as number, pingBytes, false))
    pair.world.pass(4500)
    expect(pair.client.has('closed')).toBe(false)
    // From here on nothing comes back.
    pair.client.filter = () => undefined
    const id = pair.client.connection.openStream('uni') as number
    for (let i = 0; i < 6; i++) {
      pair.client.act(client => client.write(id, pingBytes, false))
      pair.world.pass(1000)
    }
    expect(pair.client.find('closed')?.by).toBe('idle')
  })

  test('never earlier than three PTO', () => {
    const transport = { maxIdleTimeout: 100 }
    const pair = new Pair({ client: { transport }, link: { delay: 200 } }).connect()
    expect(pair.client.has('handshakeConfirmed')).toBe(true)
    pair.world.run(() => pair.client.has('closed'), 60_000)
    expect(pair.world.now).toBeGreaterThan(1200 + 3 * 400)
  })

  test('0 on both sides: never', () => {
    const transport = { maxIdleTimeout: 0 }
    const pair = new Pair({ client: { transport }, server: { transport } }).connect()
    pair.world.pass(10_000_000)
    expect([pair.client.has('closed'), pair.server.has('closed')]).toEqual([false, false])
  })

  test('nobody answers at all: the client gives up, its probes ever further apart', () => {
    const pair = new Pair({ toServer: { drop: () => true } }).start()
    pair.world.run(() => pair.client.has('closed'), 100_000)
    expect(pair.client.find('closed')?.by).toBe('idle')
    expect(pair.client.sentCount).toBeLessThan(14)
    expect(pair.world.now).toBeLessThanOrEqual(32_000)
  })
})
