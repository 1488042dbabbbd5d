import { describe, expect, test } from 'vitest'
import { CapsuleReader, writeCapsule } from '../../src/http3/capsules.ts'
import { Http3ErrorCode as Code } from '../../src/http3/error-codes.ts'
import { Http3Server } from '../../src/http3/server.ts'
import type { WebTransportServerSession } from '../../src/http3/webtransport/server.ts'
import {
  CapsuleType,
  fromHttpCode,
  readCloseInfo,
  readStrings,
  streamHeader,
  toHttpCode,
  WebTransportCode,
  writeCloseInfo,
  writeStrings,
} from '../../src/http3/webtransport/wire.ts'
import { limits } from '../../src/limits.ts'
import { FakePair } from '../support/fake-transport.ts'
import { bytes, concat, hex } from './helpers.ts'
import { clientSettings, headers, Raw, settings02 } from './webtransport-client.ts'

describe('draft-ietf-webtrans-http3: what is on the wire', () => {
  test.each([
    [0, 0x52e4a40fa8db],
    [0x1d, 0x52e4a40fa8f8],
    [0x1e, 0x52e4a40fa8fa],
    [0xffffffff, 0x52e5ac983162],
  ])('section 4.4: code %d', (code, mapped) => {
    expect(toHttpCode(code)).toBe(mapped)
    expect(fromHttpCode(mapped)).toBe(code)
  })
  test('codes of nobody', () => {
    for (const code of [0x100, 0x52e4a40fa8da, 0x52e5ac983163, 0x52e4a40fa8f9])
      expect(fromHttpCode(code)).toBeUndefined()
  })
  test('section 6: a reason has 1,024 bytes, and ends at a character', () => {
    const value = writeCloseInfo({ closeCode: 1, reason: 'ä'.repeat(600) })
    expect(value.length).toBe(4 + 1024)
    expect(readCloseInfo(value)).toEqual({ closeCode: 1, reason: 'ä'.repeat(512) })
    expect(() => readCloseInfo(bytes('000000'))).toThrow(expect.objectContaining({ code: Code.MessageError }))
    expect(() => readCloseInfo(bytes('00000000 ff'))).toThrow(expect.objectContaining({ code: Code.MessageError }))
  })
  test.each([
    ['"a", "b\\"c\\\\"', ['a', 'b"c\\']],
    ['"a";x=1;y="," , "b"', ['a', 'b']],
    ['', []],
    ['a', undefined],
    ['"a",', undefined],
    ['"a" "b"', undefined],
    ['1', undefined],
  ])('section 3.3: %s', (value, strings) => {
    expect(readStrings(value)).toEqual(strings)
    if (strings !== undefined) expect(readStrings(writeStrings(strings))).toEqual(strings)
  })
})

describe('RFC 9297 §3.2: capsules', () => {
  test('in pieces of one byte; unknown ones are passed over without being held', () => {
    const reader = new CapsuleReader(new Map([[0x17, 10]]))
    const stream = concat(writeCapsule(0x21, new Uint8Array(5000)), writeCapsule(0x17, bytes('0102')))
    const seen: string[] = []
    for (const byte of stream) {
      reader.push(Uint8Array.of(byte))
      for (let next = reader.next(); next; next = reader.next()) seen.push(hex(next.value))
    }
    expect(seen).toEqual(['0102'])
    expect(reader.isAtBoundary).toBe(true)
  })
  test('one that is too long is refused by its length alone', () => {
    const reader = new CapsuleReader(new Map([[0x17, 10]]))
    reader.push(bytes('17 0b'))
    expect(() => reader.next()).toThrow(expect.objectContaining({ code: Code.MessageError }))
  })
})

describe('a server of WebTransport, and clients made by hand', () => {
  test('draft-02 is answered as draft-02', async () => {
    const raw = new Raw()
    raw.connect()
    await raw.pair.settle()
    expect(raw.sessions.length).toBe(1)
    const answer = Buffer.concat(raw.pair.client.peer.flow(0).arrived).toString('latin1')
    expect(answer.length).toBeGreaterThan(4)
  })
  test('section 3.1: requests wait for the SETTINGS of the client', async () => {
    const raw = new Raw({}, new Uint8Array(0))
    raw.connect()
    await raw.pair.settle()
    expect(raw.sessions.length).toBe(0)
    raw.pair.client.write(2, settings02, false)
    await raw.pair.settle()
    expect(raw.sessions.length).toBe(1)
  })
  test('section 3.1: without what it takes: H3_MESSAGE_ERROR', async () => {
    const raw = new Raw({}, bytes('00 04 02 3301'))
    raw.connect()
    await raw.pair.settle()
    expect(raw.sessions.length).toBe(0)
    expect(raw.pair.server.resets).toEqual([[0, Code.MessageError]])
  })
  test('section 4.5: streams and datagrams that come first find their session', async () => {
    const raw = new Raw({}, new Uint8Array(0))
    // The uni stream, a datagram and a bidi stream are there before the CONNECT.
    raw.open('uni', concat(streamHeader(0x54, 0), bytes('6162')), true)
    const id = raw.connect()
    expect(id).toBe(0)
    raw.open('bidi', concat(streamHeader(0x41, 0), bytes('6364')))
    raw.pair.client.sendDatagram(bytes('00 7071'))
    raw.pair.deliverDatagrams()
    await raw.pair.settle()
    raw.pair.client.write(2, settings02, false)
    await raw.pair.settle()
    const session = raw.sessions[0] as WebTransportServerSession
    const uni = (await session.incomingUnidirectionalStreams.getReader().read()).value
    expect(await new Response(uni as never).text()).toBe('ab')
    const bidi = (await session.incomingBidirectionalStreams.getReader().read()).value
    const piece = await bidi?.readable.getReader().read()
    expect(hex(piece?.value as Uint8Array)).toBe('6364')
    expect(hex((await session.datagrams.readable.getReader().read()).value as Uint8Array)).toBe('7071')
  })
  test('section 4.5: how many streams wait is bounded: WT_BUFFERED_STREAM_REJECTED', async () => {
    const raw = new Raw()
    for (let i = 0; i < limits.webTransportEarlyStreams + 3; i++) raw.open('uni', streamHeader(0x54, 400))
    for (let i = 0; i < 2; i++) raw.open('uni', concat(streamHeader(0x54, 400), bytes('61')))
    await raw.pair.settle()
    expect(raw.pair.server.stops.length).toBe(5)
    expect(raw.pair.server.stops.every(([, code]) => code === WebTransportCode.BufferedStreamRejected)).toBe(true)
    expect(raw.code).toBeUndefined()
  })
  test.each([1, 2, 3])('section 4: a session with id %d: H3_ID_ERROR', async owner => {
    for (const [direction, signal] of [
      ['uni', 0x54],
      ['bidi', 0x41],
    ] as const) {
      const raw = new Raw()
      raw.open(direction, concat(streamHeader(signal, owner), bytes('61')))
      await raw.pair.settle()
      expect(raw.code).toBe(Code.IdError)
    }
  })
  test('section 4.3: WT_STREAM behind another frame: H3_FRAME_ERROR', async () => {
    const raw = new Raw()
    raw.open('bidi', concat(bytes('2100'), streamHeader(0x41, 0)))
    await raw.pair.settle()
    expect(raw.code).toBe(Code.FrameError)
  })
  test('without WebTransport, 0x41 is a frame like others that are not known', async () => {
    const pair = new FakePair()
    const server = new Http3Server(pair.server, () => ({ body: '' }))
    pair.server.sink = server
    pair.client.write(0, concat(bytes('4041 02 6161'), headers([[':method', 'GET']])), false)
    await pair.settle()
    expect(pair.server.closedWith).toBeUndefined()
  })
  test('section 6: a stream of a session that ended: WT_SESSION_GONE', async () => {
    const raw = new Raw()
    const id = raw.connect()
    await raw.pair.settle()
    raw.content(id, writeCapsule(CapsuleType.CloseSession, writeCloseInfo({ closeCode: 3, reason: 'x' })), true)
    await raw.pair.settle()
    expect(await raw.sessions[0]?.closed).toEqual({ closeCode: 3, reason: 'x' })
    const late = raw.open('bidi', streamHeader(0x41, id))
    await raw.pair.settle()
    expect(raw.pair.server.resets).toContainEqual([late, WebTransportCode.SessionGone])
    expect(raw.server.activeCount).toBe(0)
  })
  const broken: [string, Uint8Array, boolean][] = [
    ['more than 1,024 bytes of reason', writeCapsule(CapsuleType.CloseSession, new Uint8Array(1029)), false],
    ['no code', writeCapsule(CapsuleType.CloseSession, new Uint8Array(3)), false],
    ['a reason that is no UTF-8', writeCapsule(CapsuleType.CloseSession, bytes('00000000 c0')), false],
    ['WT_MAX_STREAM_DATA', writeCapsule(CapsuleType.MaxStreamData, bytes('0001')), false],
    ['WT_STREAM_DATA_BLOCKED', writeCapsule(CapsuleType.StreamDataBlocked, bytes('0001')), false],
    ['an end within a capsule', bytes('21 05 61'), true],
    [
      'something after the last capsule',
      concat(writeCapsule(CapsuleType.CloseSession, writeCloseInfo({ closeCode: 0, reason: '' })), bytes('2100')),
      false,
    ],
  ]
  test.each(broken)('section 6, RFC 9297 §3.3: %s: H3_MESSAGE_ERROR', async (_, content, fin) => {
    const raw = new Raw()
    const id = raw.connect()
    await raw.pair.settle()
    // The last capsule and what follows come apart.
    if (content.length < 40)
      for (let at = 0; at < content.length; at++)
        raw.content(id, content.subarray(at, at + 1), fin && at === content.length - 1)
    else raw.content(id, content, fin)
    await raw.pair.settle()
    const codes = [...raw.pair.server.resets, ...raw.pair.server.stops]
    expect(codes.some(([stream, code]) => stream === id && code === Code.MessageError)).toBe(true)
    expect(raw.code).toBeUndefined()
    expect(raw.server.activeCount).toBe(0)
  })
  test('section 5.2: without flow control there is one session of the current draft at a time', async () => {
    const raw = new Raw({}, clientSettings('ac7cf000 01'))
    raw.connect('webtransport-h3')
    await raw.pair.settle()
    const second = raw.connect('webtransport-h3')
    await raw.pair.settle()
    expect(raw.sessions.length).toBe(1)
    expect(raw.pair.server.resets).toEqual([[second, Code.RequestRejected]])
  })
  test('sessions of draft-02 are bounded as well', async () => {
    const raw = new Raw()
    for (let i = 0; i <= limits.webTransportSessions; i++) {
      raw.connect()
      await raw.pair.settle()
    }
    expect(raw.sessions.length).toBe(limits.webTransportSessions)
    expect(raw.pair.server.resets.at(-1)?.[1]).toBe(Code.RequestRejected)
  })
  test('sessions that come and go leave nothing behind', async () => {
    const raw = new Raw()
    raw.pair.client.streamLimit = { bidi: 5000, uni: 10 }
    for (let i = 0; i < 2 * limits.webTransportGone; i++) {
      const id = raw.connect()
      await raw.pair.settle()
      raw.open('bidi', concat(streamHeader(0x41, id), bytes('61')))
      raw.content(id, new Uint8Array(0), true)
      await raw.pair.settle()
    }
    expect(raw.sessions.length).toBe(2 * limits.webTransportGone)
    expect(raw.server.activeCount).toBe(0)
    expect(raw.server.connection.requestCount).toBe(0)
  })
  test('a handler that fails ends its session', async () => {
    const raw = new Raw({
      session: () => {
        throw new Error('mine')
      },
    })
    raw.connect()
    await raw.pair.settle()
    expect(raw.errors).toEqual([new Error('mine')])
    expect(raw.pair.server.flow(0).fin).not.toBe('none')
  })
  test('datagrams of a session nobody reads are bounded', async () => {
    const raw = new Raw()
    raw.connect()
    await raw.pair.settle()
    for (let i = 0; i < limits.receivedDatagrams + 10; i++) raw.pair.client.sendDatagram(bytes('00 61'))
    raw.pair.deliverDatagrams()
    expect(raw.sessions[0]?.datagrams.droppedIncoming).toBe(10)
  })
})
