// Bytes over all kinds of paths, both ways, and the credit they need (RFC 9000 §2-4).

import { describe, expect, test } from 'vitest'
import { FrameType } from '../../src/packet/frames/frame.ts'
import { Level } from '../../src/packet/level.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { peerOf } from '../conformance/hand-made-peer.ts'
import type { LinkOptions } from '../sim/link.ts'
import { Pair } from '../sim/pair.ts'
import { closedWith, frames, OpenPair, Transfer } from './support.ts'

const KiB = 1024

/** A network: to the server, to the client, bytes of a request and of its answer, streams at once. */
type Network = [
  name: string,
  toServer: LinkOptions,
  toClient: LinkOptions,
  request: number,
  response: number,
  count: number,
]

const networks: Network[] = [
  ['a wire', { delay: 0.1 }, { delay: 0.1 }, 1024 * KiB, 1024 * KiB, 1],
  ['no delay at all', { delay: 0 }, { delay: 0 }, 256 * KiB, 256 * KiB, 1],
  ['a continent', { delay: 40 }, { delay: 40 }, 1024 * KiB, 64 * KiB, 2],
  ['a satellite', { delay: 300 }, { delay: 300 }, 64 * KiB, 1024 * KiB, 1],
  ['ADSL', { delay: 15, rate: 125 }, { delay: 15, rate: 1000 }, 64 * KiB, 1024 * KiB, 1],
  [
    'a thin wire with a short queue',
    { delay: 20, rate: 60, queue: 9000 },
    { delay: 20, rate: 60, queue: 9000 },
    128 * KiB,
    128 * KiB,
    3,
  ],
  [
    'a thin wire with a long queue',
    { delay: 20, rate: 100, queue: 300_000 },
    { delay: 20, rate: 100, queue: 300_000 },
    128 * KiB,
    128 * KiB,
    1,
  ],
  ['1 % loss', { delay: 25, loss: 0.01 }, { delay: 25, loss: 0.01 }, 512 * KiB, 512 * KiB, 4],
  ['10 % loss', { delay: 25, loss: 0.1 }, { delay: 25, loss: 0.1 }, 128 * KiB, 128 * KiB, 2],
  ['30 % loss', { delay: 10, loss: 0.3 }, { delay: 10, loss: 0.3 }, 64 * KiB, 64 * KiB, 1],
  ['loss one way', { delay: 25 }, { delay: 25, loss: 0.15 }, 128 * KiB, 128 * KiB, 1],
  ['loss of ACKs', { delay: 25, loss: 0.25 }, { delay: 25 }, 4 * KiB, 512 * KiB, 1],
  ['everything twice', { delay: 10, duplicate: 1 }, { delay: 10, duplicate: 1 }, 256 * KiB, 256 * KiB, 1],
  ['out of order', { delay: 30, reorder: 0.5 }, { delay: 30, reorder: 0.5 }, 128 * KiB, 128 * KiB, 3],
  ['corrupted', { delay: 10, corrupt: 0.1 }, { delay: 10, corrupt: 0.1 }, 128 * KiB, 128 * KiB, 1],
  ['one way is ten times longer', { delay: 5 }, { delay: 150 }, 256 * KiB, 256 * KiB, 1],
  [
    'all of it',
    { delay: 40, loss: 0.05, reorder: 0.2, duplicate: 0.1, corrupt: 0.03 },
    { delay: 60, loss: 0.08, rate: 500 },
    128 * KiB,
    128 * KiB,
    3,
  ],
]

describe('the same bytes arrive, both ways', () => {
  test.each(networks)('%s', (_, toServer, toClient, request, response, count) => {
    const pair = new Pair({ seed: 7, toServer, toClient }).connect()
    expect(new Transfer(pair, request, response, count).begin().run()).toBe(true)
    expect([pair.client.has('closed'), pair.server.has('closed')]).toEqual([false, false])
  })

  test('streams that a hundred requests open and close leave nothing behind', () => {
    const pair = new Pair({ link: { delay: 5, loss: 0.02 } }).connect()
    for (let round = 0; round < 5; round++) {
      expect(new Transfer(pair, 300, 3000, 20).begin().run()).toBe(true)
    }
    expect(pair.client.connection.stats.packetsSent).toBeLessThan(2000)
  })

  test('large datagrams, where both sides and the buffer allow them', () => {
    const transport = { maxDatagramSize: 8000 }
    const pair = new Pair({ client: { transport }, server: { transport }, bufferSize: 9000 }).connect()
    expect(new Transfer(pair, 300_000, 300_000).begin().run()).toBe(true)
    expect(Math.max(...pair.client.sent.map(datagram => datagram.length))).toBeGreaterThan(7900)
  })
})

describe('flow control (RFC 9000 §4)', () => {
  test('windows far smaller than the transfer', () => {
    const transport = { initialMaxData: 3000, initialMaxStreamData: 2000 }
    const pair = new Pair({ client: { transport }, server: { transport } }).connect()
    expect(new Transfer(pair, 50_000, 50_000, 2).begin().run()).toBe(true)
  })

  test('with loss: a lost MAX_DATA or MAX_STREAM_DATA is repeated', () => {
    const transport = { initialMaxData: 3000, initialMaxStreamData: 2000 }
    const link = { delay: 10, loss: 0.2 }
    const pair = new Pair({ seed: 9, link, client: { transport }, server: { transport } }).connect()
    expect(new Transfer(pair, 20_000, 20_000, 2).begin().run()).toBe(true)
  })

  test('who is not read from stops: nothing is sent beyond the window, however long', () => {
    const transport = { initialMaxData: 10_000, initialMaxStreamData: 4000 }
    const pair = new OpenPair({ server: { transport } }).connect()
    pair.client.act(client => {
      for (let i = 0; i < 4; i++) client.write(client.openStream('bidi') as number, new Uint8Array(8000), true)
    })
    pair.world.pass(20_000)
    const ends = new Map<number, number>()
    for (const { id, offset, data } of pair.logs.client.frames(FrameType.Stream)) {
      ends.set(id, Math.max(ends.get(id) ?? 0, offset + data.length))
    }
    expect(Math.max(...ends.values())).toBeLessThanOrEqual(4000)
    expect([...ends.values()].reduce((sum, end) => sum + end, 0)).toBe(10_000)
    expect(pair.logs.client.frames(FrameType.DataBlocked).length).toBeGreaterThan(0)
    expect(pair.server.connection.stats.bytesReceived).toBeLessThan(20_000)
  })

  test('streams beyond the limit wait for MAX_STREAMS (§4.6)', () => {
    const pair = new Pair({ server: { transport: { initialMaxStreamsBidi: 3 } } }).connect()
    const first = new Transfer(pair, 100, 100, 3).begin()
    expect(pair.client.connection.openStream('bidi')).toBeUndefined()
    expect(first.run()).toBe(true)
    pair.world.run(() => pair.client.has('streamsAvailable'), pair.world.now + 1000)
    expect(pair.client.connection.openStream('bidi')).toBe(12)
  })

  const wrong: [string, number, (w: Parameters<Parameters<typeof frames>[0]>[0]) => void][] = [
    [
      'data beyond the stream limit',
      ErrorCode.FlowControlError,
      w => {
        w.u8(FrameType.Stream + 6)
        w.varint(0)
        w.varint(2_000_000)
        w.varint(4)
        w.zeros(4)
      },
    ],
    [
      'an offset that ends beyond 2^62-1 (security: overflow)',
      ErrorCode.FlowControlError,
      w => {
        w.u8(FrameType.Stream + 6)
        w.varint(0)
        w.u32(0xffffffff)
        w.u32(0xffffffff)
        w.varint(4)
        w.zeros(4)
      },
    ],
    [
      'a stream beyond the limit',
      ErrorCode.StreamLimitError,
      w => {
        w.u8(FrameType.Stream + 2)
        w.varint(4 * 100_000)
        w.varint(0)
      },
    ],
    [
      'data on a stream of the receiver that it never opened',
      ErrorCode.StreamStateError,
      w => {
        w.u8(FrameType.Stream + 2)
        w.varint(1)
        w.varint(0)
      },
    ],
    [
      'MAX_STREAM_DATA for a receive-only stream',
      ErrorCode.StreamStateError,
      w => {
        w.u8(FrameType.MaxStreamData)
        w.varint(2)
        w.varint(9)
      },
    ],
    [
      'RESET_STREAM with a final size beyond the limit',
      ErrorCode.FlowControlError,
      w => {
        w.u8(FrameType.ResetStream)
        w.varint(0)
        w.varint(1)
        w.varint(9_000_000)
      },
    ],
    [
      'a final size that changes (security: final size)',
      ErrorCode.FinalSizeError,
      w => {
        w.u8(FrameType.ResetStream)
        w.varint(0)
        w.varint(1)
        w.varint(10)
        w.u8(FrameType.Stream + 6)
        w.varint(0)
        w.varint(10)
        w.varint(1)
        w.u8(0)
      },
    ],
  ]
  test.each(wrong)('%s', (_, code, write) => {
    const pair = new OpenPair().connect()
    pair.inject('client', Level.OneRtt, frames(write))
    expect(closedWith(pair.server)).toBe(code)
    pair.world.pass(100)
    expect(pair.client.find('closed')).toMatchObject({ by: 'peer', errorCode: code })
  })

  test('security: thousands of gaps in a stream end the connection before they fill memory', () => {
    const pair = new OpenPair().connect()
    for (let batch = 0; batch < 60 && !pair.server.has('closed'); batch++) {
      const sparse = frames(w => {
        for (let i = 0; i < 50; i++) {
          w.u8(FrameType.Stream + 6)
          w.varint(0)
          w.varint(10 + 2 * (50 * batch + i))
          w.varint(1)
          w.u8(1)
        }
      })
      pair.inject('client', Level.OneRtt, sparse)
    }
    expect(pair.server.find('closed')?.by).toBe('local')
  })
})

describe('resets (RFC 9000 §3.5)', () => {
  test('STOP_SENDING is answered by RESET_STREAM with the same code', () => {
    const pair = new OpenPair().connect()
    const id = pair.client.connection.openStream('bidi') as number
    pair.client.act(client => client.write(id, new Uint8Array(100), false))
    pair.world.pass(50)
    pair.server.act(server => server.stop(id, 77))
    pair.world.pass(100)
    expect(pair.client.find('streamStopped')).toMatchObject({ id, errorCode: 77 })
    expect(pair.logs.client.frames(FrameType.ResetStream)[0]).toMatchObject({ id, errorCode: 77, finalSize: 100 })
  })

  test('QUIC Stream Resets with Partial Delivery: what was promised arrives before the reset, through loss', () => {
    const pair = new Pair({ seed: 4, link: { delay: 10, loss: 0.3 } }).connect()
    const id = pair.client.connection.openStream('uni') as number
    let got = 0
    let isReset = false
    pair.server.onEvent = event => {
      if (event.type === 'streamReset') isReset = true
      if (event.type !== 'readable') return
      expect(isReset).toBe(false)
      for (let chunk = pair.server.connection.read(id); chunk; chunk = pair.server.connection.read(id)) {
        got += chunk.data.length
        expect(chunk.fin).toBe(false)
      }
    }
    pair.client.act(client => client.write(id, new Uint8Array(100_000), false))
    pair.client.act(client => expect(client.resetAt(id, 5, 40_000)).toBe(true))
    pair.world.pass(20_000)
    expect(pair.server.find('streamReset')).toEqual({ type: 'streamReset', id, errorCode: 5 })
    expect(got).toBeGreaterThanOrEqual(40_000)
    expect(got).toBeLessThan(100_000)
    expect(pair.client.connection.diagnostics.openStreams).toBe(0)
    expect(pair.server.connection.diagnostics.openStreams).toBe(0)
  })

  test('QUIC Stream Resets with Partial Delivery §3: not to a peer that does not know how', () => {
    const peer = peerOf('client').reach('confirmed')
    const id = peer.connection.openStream('uni') as number
    peer.act(client => client.write(id, new Uint8Array(10), false))
    peer.act(client => expect(client.resetAt(id, 5, 5)).toBe(false))
    expect(peer.frames(FrameType.ResetStreamAt)).toEqual([])
    const able = peerOf('client', { parameters: { resetStreamAt: true } }).reach('confirmed')
    const other = able.connection.openStream('uni') as number
    able.act(client => client.write(other, new Uint8Array(10), false))
    able.act(client => expect(client.resetAt(other, 5, 5)).toBe(true))
    expect(able.frames(FrameType.ResetStreamAt)).toMatchObject([{ id: other, finalSize: 10, reliableSize: 5 }])
  })

  test('a reset arrives although all around it is lost', () => {
    const pair = new Pair({ seed: 4, link: { delay: 10, loss: 0.4 } }).connect()
    const id = pair.client.connection.openStream('uni') as number
    pair.client.act(client => client.write(id, new Uint8Array(20_000), false))
    pair.client.act(client => client.reset(id, 5))
    pair.world.run(() => pair.server.has('streamReset'), 60_000)
    expect(pair.server.find('streamReset')).toMatchObject({ id, errorCode: 5 })
  })

  test('after the end the verbs do nothing, and reading goes on', () => {
    const pair = new Pair().connect()
    const id = pair.client.connection.openStream('bidi') as number
    pair.client.act(client => client.write(id, new Uint8Array(100), true))
    pair.client.act(client => client.close(0, '', pair.world.now))
    pair.world.pass(100)
    expect(pair.client.connection.openStream('bidi')).toBeUndefined()
    expect(pair.client.connection.write(id, new Uint8Array(1), false)).toBe(0)
    pair.client.connection.reset(id, 1)
    pair.client.connection.stop(id, 1)
    expect(pair.client.connection.sendDatagram(new Uint8Array(1))).toBe(false)
    expect(pair.client.connection.updateKeys()).toBe(false)
  })

  test('urgent streams overtake (RFC 9218)', () => {
    const pair = new Pair({ link: { delay: 10, rate: 100 } }).connect()
    const order: number[] = []
    pair.server.onEvent = event => {
      if (event.type !== 'readable') return
      for (let chunk = pair.server.connection.read(event.id); chunk; chunk = pair.server.connection.read(event.id)) {
        if (chunk.fin) order.push(event.id)
      }
    }
    pair.client.act(client => {
      const [slow, fast] = [client.openStream('bidi') as number, client.openStream('bidi') as number]
      client.setPriority(slow, 7, false)
      client.setPriority(fast, 0, false)
      client.write(slow, new Uint8Array(100_000), true)
      client.write(fast, new Uint8Array(100_000), true)
    })
    pair.world.pass(20_000)
    expect(order).toEqual([4, 0])
  })
})
