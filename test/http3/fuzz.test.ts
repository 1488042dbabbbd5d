import { describe, expect, test } from 'vitest'
import { Http3Client } from '../../src/http3/client.ts'
import { Http3ErrorCode, http3ErrorName } from '../../src/http3/error-codes.ts'
import { QpackEncoder } from '../../src/http3/qpack/encoder.ts'
import { Http3Server } from '../../src/http3/server.ts'
import { attachWebTransport, webTransportSettings, webTransportTunnels } from '../../src/http3/webtransport/server.ts'
import { WebTransportCode } from '../../src/http3/webtransport/wire.ts'
import { FakePair, type FakeTransport } from '../support/fake-transport.ts'
import { bytes, concat } from './helpers.ts'

/** mulberry32: the same numbers every time. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const encoder = new QpackEncoder()
function headers(...fields: [string, string][]): Uint8Array {
  const section = encoder.encode(fields).slice()
  return concat(Uint8Array.of(1, 0x40, section.length), section)
}

const request = headers(
  [':method', 'POST'],
  [':scheme', 'https'],
  [':authority', 'example.com'],
  [':path', '/a?b'],
  ['x-y', 'z'],
)
const response = headers([':status', '200'], ['content-type', 'text/html'], ['content-length', '3'])
const requestStream = concat(bytes('2103aabbcc'), request, bytes('0003616263 2100'), headers(['x-sum', '1']))
const responseStream = concat(headers([':status', '103']), response, bytes('0003616263'))
const control = bytes('00 0407 064400 074100 2100 2102aabb 0d0105 800f0700 04 00 753d31 070100')
const clientControl = bytes('00 0403 064400 2102aabb 070104')
const qpackEncoder = bytes('02 3fe11f ff20 821c64 4378797a 03616263 00 80 0161 2020')
/** GET with the user-agent of the table. */
const dynamicRequest = bytes('01 09 0200 d1 d7 5001 61 c1 80')
const qpackDecoder = bytes('03 447f8001')

function mutate(data: Uint8Array, next: () => number): Uint8Array {
  let result: Uint8Array = data.slice()
  const count = Math.floor(next() * 4)
  for (let i = 0; i < count; i++) {
    const at = Math.floor(next() * (result.length + 1))
    const kind = next()
    if (kind < 0.4 && at < result.length) result[at] = Math.floor(next() * 256)
    else if (kind < 0.6) result = result.slice(0, at)
    else if (kind < 0.8) result = concat(result.subarray(0, at), result.subarray(at + 1))
    else result = concat(result.subarray(0, at), Uint8Array.of(Math.floor(next() * 256)), result.subarray(at))
  }
  return result
}

function noise(next: () => number): Uint8Array {
  return new Uint8Array(Math.floor(next() * 40)).map(() => Math.floor(next() * 256))
}

const codes: ReadonlySet<number> = new Set([...Object.values(Http3ErrorCode), ...Object.values(WebTransportCode)])

function expectKnownCodes(end: FakeTransport): void {
  if (end.closedWith !== undefined) {
    expect(codes.has(end.closedWith.code)).toBe(true)
    // Would be a fault of ours, not of the peer.
    expect(`${http3ErrorName(end.closedWith.code)} ${end.closedWith.reason}`).not.toMatch(/InternalError/)
  }
  for (const [, code] of [...end.resets, ...end.stops]) expect(codes.has(code)).toBe(true)
}

function play(
  peer: FakeTransport,
  pair: FakePair,
  streams: [id: number, data: Uint8Array][],
  next: () => number,
): void {
  peer.pieceSize = 1 + Math.floor(next() * 12)
  for (const [id, data] of streams) {
    try {
      peer.write(id, data, next() < 0.5)
      if (next() < 0.1) peer.reset(id, 0x10c)
    } catch {
      // We closed it: the peer may not write any more.
    }
    while (pair.step());
  }
}

const connect = headers(
  [':method', 'CONNECT'],
  [':protocol', 'webtransport'],
  [':scheme', 'https'],
  [':authority', 'example.com'],
  [':path', '/'],
)
/** Capsules: a datagram, one that is unknown, a drain, the end. */
const capsules = bytes('00 16 00 02 6162 4040 01 61 800078ae 00 6843 06 00000007 6f6b')
const webTransportControl = bytes('00 04 0a 3301 ab603742 01 06 4400')

describe('whatever a peer sends, nothing is thrown and every code is one of RFC 9114 §8.1', () => {
  test('a server', async () => {
    const outcomes = new Set<number | undefined>()
    for (let seed = 1; seed <= 1500; seed++) {
      const next = random(seed)
      const pair = new FakePair()
      pair.server.sink = new Http3Server(pair.server, async r => new Response(await r.text()))
      const make = (data: Uint8Array): Uint8Array => (next() < 0.1 ? noise(next) : mutate(data, next))
      const streams: [number, Uint8Array][] = [
        [2, make(control)],
        [6, make(qpackEncoder)],
        [10, make(qpackDecoder)],
        [0, make(requestStream)],
        [4, make(requestStream)],
        [8, make(dynamicRequest)],
        [14, noise(next)],
      ]
      streams.sort(() => next() - 0.5)
      play(pair.client, pair, streams, next)
      if (seed % 10 === 0) await pair.settle()
      expectKnownCodes(pair.server)
      outcomes.add(pair.server.closedWith?.code)
    }
    expect(outcomes.size).toBeGreaterThan(8)
  })

  test('a server that takes sessions of WebTransport', async () => {
    const outcomes = new Set<number | undefined>()
    let sessions = 0
    for (let seed = 1; seed <= 800; seed++) {
      const next = random(seed)
      const pair = new FakePair()
      const session = (): void => {
        sessions++
      }
      const server = new Http3Server(pair.server, () => ({}), {
        ...webTransportSettings,
        tunnels: webTransportTunnels({ session }),
      })
      attachWebTransport(server)
      pair.server.sink = server
      const make = (data: Uint8Array): Uint8Array => (next() < 0.5 ? data : mutate(data, next))
      const streams: [number, Uint8Array][] = [
        [2, make(webTransportControl)],
        [0, concat(make(connect), make(capsules))],
        [4, make(bytes('4041 00 616263'))],
        [8, make(bytes('4041 04 616263'))],
        [6, make(bytes('4054 00 616263'))],
        [10, make(bytes('4054 04 616263'))],
      ]
      streams.sort(() => next() - 0.5)
      play(pair.client, pair, streams, next)
      pair.client.sendDatagram(make(bytes('00 6162')))
      pair.deliverDatagrams()
      await pair.settle()
      expectKnownCodes(pair.server)
      outcomes.add(pair.server.closedWith?.code)
    }
    expect(sessions).toBeGreaterThan(40)
    expect(outcomes.size).toBeGreaterThan(5)
  })

  test('a client', async () => {
    const outcomes = new Set<number | undefined>()
    for (let seed = 1; seed <= 1500; seed++) {
      const next = random(seed)
      const pair = new FakePair()
      const client = new Http3Client(pair.client)
      pair.client.sink = client
      for (let i = 0; i < 3; i++) {
        client
          .request({ url: 'https://example.com/' })
          .then(r => r.text())
          .catch(() => {})
      }
      const make = (data: Uint8Array): Uint8Array => (next() < 0.1 ? noise(next) : mutate(data, next))
      const streams: [number, Uint8Array][] = [
        [3, make(clientControl)],
        [7, make(qpackEncoder)],
        [11, make(qpackDecoder)],
        [0, make(responseStream)],
        [4, make(responseStream)],
        [8, noise(next)],
        [15, noise(next)],
      ]
      streams.sort(() => next() - 0.5)
      play(pair.server, pair, streams, next)
      if (seed % 10 === 0) await pair.settle()
      expectKnownCodes(pair.client)
      outcomes.add(pair.client.closedWith?.code)
    }
    expect(outcomes.size).toBeGreaterThan(8)
  })
})
