import { describe, expect, test } from 'vitest'
import { FrameType, type StreamFrame } from '../../src/packet/frames/frame.ts'
import { Level } from '../../src/packet/level.ts'
import { SentKind } from '../../src/packet/sent-frame.ts'
import { MIN_FRAGMENT } from '../../src/streams/send-stream.ts'
import { deliver, flush, framesOf, packetOf, pair, readAll } from './link.ts'

const text = (s: string) => new TextEncoder().encode(s)

function streamFrame(id: number, offset: number, length: number, fin = false): StreamFrame {
  return { type: FrameType.Stream, id, offset, data: new Uint8Array(length), fin }
}

describe('a stream from open to close', () => {
  test('both ways, with all its facts, and nothing left behind', () => {
    const { client, server } = pair()
    const id = client.set.open('bidi') as number
    expect(id).toBe(0)
    client.set.send(id, text('ping'), true)
    flush(client.set, server.set)
    expect(client.facts.splice(0)).toEqual([{ type: 'streamFinished', id }])
    expect(server.facts.splice(0)).toEqual([
      { type: 'streamOpened', id },
      { type: 'readable', id },
    ])
    expect(server.set.receive(id)).toEqual({ data: text('ping'), fin: true })
    expect(server.set.receive(id)).toBe(undefined)
    server.set.send(id, text('pong'), true)
    flush(server.set, client.set)
    expect(server.set.openCount).toBe(0)
    expect(client.set.receive(id)).toEqual({ data: text('pong'), fin: true })
    expect(client.set.openCount).toBe(0)
    expect(client.set.stats).toEqual({
      opened: 1,
      accepted: 0,
      closed: 1,
      bytesSent: 4,
      bytesReceived: 4,
      bytesRead: 4,
    })
  })

  test('RFC 9000 §19.8: a FIN alone, for nothing at all and behind data that is gone already', () => {
    const { client, server } = pair()
    const empty = client.set.open('uni') as number
    const late = client.set.open('uni') as number
    client.set.send(empty, new Uint8Array(0), true)
    client.set.send(late, text('x'), false)
    flush(client.set, server.set)
    client.set.send(late, new Uint8Array(0), true)
    expect(flush(client.set, server.set)).toEqual([
      { type: FrameType.Stream, id: late, offset: 1, data: new Uint8Array(0), fin: true },
    ])
    expect(server.set.receive(empty)).toEqual({ data: new Uint8Array(0), fin: true })
    expect(server.set.receive(late)).toEqual({ data: text('x'), fin: true })
    expect(server.set.openCount + client.set.openCount).toBe(0)
  })

  test('an end that comes after the data was read is read by itself', () => {
    const { client, server } = pair()
    const id = client.set.open('uni') as number
    client.set.send(id, text('all'), false)
    flush(client.set, server.set)
    expect(server.set.receive(id)).toEqual({ data: text('all'), fin: false })
    expect(server.set.receive(id)).toBe(undefined)
    server.facts.length = 0
    client.set.send(id, new Uint8Array(0), true)
    flush(client.set, server.set)
    expect(server.facts).toEqual([{ type: 'readable', id }])
    expect(server.set.receive(id)).toEqual({ data: new Uint8Array(0), fin: true })
  })

  test('readable is said once until somebody looks', () => {
    const { client, server } = pair()
    const id = client.set.open('uni') as number
    for (let i = 0; i < 5; i++) {
      client.set.send(id, text('x'), false)
      flush(client.set, server.set)
    }
    expect(server.take('readable').length).toBe(1)
    server.set.receive(id)
    client.set.send(id, text('x'), false)
    flush(client.set, server.set)
    expect(server.take('readable').length).toBe(1)
  })

  test('what is received is a view of the packet', () => {
    const { client, server } = pair()
    const id = client.set.open('uni') as number
    client.set.send(id, new Uint8Array(1000), false)
    const packet = packetOf(client.set)
    for (const frame of framesOf(packet)) deliver(server.set, frame)
    expect(server.set.receive(id)?.data.buffer).toBe(packet.bytes.buffer)
  })
})

describe('losses', () => {
  test('RFC 9000 §13.3: a lost FIN goes again, alone when the data has arrived', () => {
    const { client, server } = pair()
    const id = client.set.open('uni') as number
    client.set.send(id, text('abc'), false)
    flush(client.set, server.set)
    client.set.send(id, new Uint8Array(0), true)
    const lost = packetOf(client.set)
    expect(client.set.hasDataToSend).toBe(false)
    for (const frame of lost.frames) client.set.onLost(frame)
    const again = packetOf(client.set)
    expect(framesOf(again)).toEqual([{ type: FrameType.Stream, id, offset: 3, data: new Uint8Array(0), fin: true }])
    for (const frame of again.frames) client.set.onAcked(frame)
    for (const frame of lost.frames) client.set.onLost(frame)
    expect(client.set.hasDataToSend).toBe(false)
    expect(client.take('streamFinished')).toEqual([{ type: 'streamFinished', id }])
  })

  test.each([
    ['among equals', 3, [0, 1]],
    ['but not before what is more urgent', 7, [1, 0]],
  ])('RFC 9000 §13.3: what was lost goes before what is new, %s', (_, urgency, order) => {
    const { client } = pair()
    const slow = client.set.open('uni') as number
    const urgent = client.set.open('uni') as number
    client.set.setPriority(slow, urgency, true)
    client.set.send(slow, new Uint8Array(500), false)
    const lost = packetOf(client.set)
    client.set.send(urgent, new Uint8Array(600), false)
    for (const frame of lost.frames) client.set.onLost(frame)
    expect(packetOf(client.set).frames.map(frame => frame.id)).toEqual(order.map(i => [slow, urgent][i]))
  })

  test('a lost frame goes again in pieces when packets have become smaller', () => {
    const { client, server } = pair()
    const id = client.set.open('uni') as number
    client.set.send(id, new Uint8Array(1000).fill(7), true)
    for (const frame of packetOf(client.set, 1200).frames) client.set.onLost(frame)
    const frames = flush(client.set, server.set, 300)
    expect(frames.length).toBe(4)
    expect(readAll(server.set, id)).toEqual({ data: new Uint8Array(1000).fill(7), fin: true })
  })

  test('acknowledged and lost frames of a stream that is gone are nobody’s', () => {
    const { client, server } = pair()
    const id = client.set.open('uni') as number
    client.set.send(id, text('abc'), true)
    const packet = packetOf(client.set)
    for (const frame of packet.frames) client.set.onAcked(frame)
    for (const frame of packet.frames) client.set.onLost(frame)
    for (const frame of packet.frames) client.set.onAcked(frame)
    expect(client.set.openCount).toBe(0)
    expect(client.set.hasDataToSend).toBe(false)
    expect(server.set.hasDataToSend).toBe(false)
  })
})

describe('whose turn it is', () => {
  function opened(count: number) {
    const { client, server } = pair({}, { maxStreamsUni: count, maxData: 1e6 })
    const ids = Array.from({ length: count }, () => client.set.open('uni') as number)
    for (const id of ids) client.set.send(id, new Uint8Array(5000), true)
    const order = () => {
      const packet = packetOf(client.set)
      return packet.frames.filter(frame => frame.kind === SentKind.Stream).map(frame => frame.id)
    }
    return { client, server, ids, order }
  }

  test('equals take turns, packet by packet', () => {
    const { ids, order } = opened(3)
    const [a, b, c] = ids
    expect([...order(), ...order(), ...order(), ...order()]).toEqual([a, b, c, a])
  })

  test('RFC 9218 §10: without incremental, one after the other', () => {
    const { client, ids, order } = opened(2)
    for (const id of ids) client.set.setPriority(id, 3, false)
    const seen: number[] = []
    while (client.set.hasDataToSend) seen.push(...order())
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
  })

  test('RFC 9218 §10: by stream id, in whatever order they became ready', () => {
    const { client } = pair({}, { maxStreamsUni: 4, maxData: 1e6 })
    const ids = Array.from({ length: 4 }, () => client.set.open('uni') as number)
    for (const id of ids) client.set.setPriority(id, 3, false)
    for (const i of [2, 0, 3, 1]) client.set.send(ids[i] as number, new Uint8Array(200), true)
    expect(packetOf(client.set).frames.map(frame => frame.id)).toEqual(ids)
  })

  test('RFC 9218 §10: one that waited for credit comes back to its place', () => {
    const { client } = pair({}, { maxStreamsUni: 2, maxStreamDataUni: 1000, maxData: 1e6 })
    const [a, b] = [client.set.open('uni'), client.set.open('uni')] as [number, number]
    for (const id of [a, b]) {
      client.set.setPriority(id, 3, false)
      client.set.send(id, new Uint8Array(5000), true)
    }
    const streams = () => packetOf(client.set).frames.filter(frame => frame.kind === SentKind.Stream)
    expect(streams().map(frame => frame.id)).toEqual([a, b])
    client.set.onMaxStreamData({ type: FrameType.MaxStreamData, id: a, maximum: 5000 })
    expect(streams().map(frame => frame.id)).toEqual([a])
  })

  test('RFC 9218 §10: those that share and those that do not keep nobody waiting', () => {
    const { client, ids, order } = opened(4)
    const [large, next, small, other] = ids as [number, number, number, number]
    client.set.setPriority(large, 3, false)
    client.set.setPriority(next, 3, false)
    const seen: number[] = []
    for (let i = 0; i < 8; i++) seen.push(...order())
    expect(seen.slice(0, 8)).toEqual([large, small, large, other, large, small, large, other])
    while (client.set.hasDataToSend) seen.push(...order())
    expect(seen.indexOf(next)).toBeGreaterThan(seen.lastIndexOf(large) - 2)
    expect(new Set(seen)).toEqual(new Set(ids))
  })

  test('RFC 9218 §10: an urgency gets nothing while one before it can send, and all when that is blocked', () => {
    const { client } = pair({}, { maxStreamsUni: 2, maxStreamDataUni: 2000, maxData: 1e6 })
    const [starved, greedy] = [client.set.open('uni'), client.set.open('uni')] as [number, number]
    client.set.setPriority(greedy, 2, true)
    for (const id of [starved, greedy]) client.set.send(id, new Uint8Array(5000), false)
    const streams = () => packetOf(client.set).frames.filter(frame => frame.kind === SentKind.Stream)
    expect(streams().map(frame => frame.id)).toEqual([greedy])
    expect(streams().map(frame => frame.id)).toEqual([greedy, starved])
  })

  test('RFC 9218 §4.1: the more urgent first', () => {
    const { client, ids, order } = opened(3)
    client.set.setPriority(ids[2] as number, 0, true)
    client.set.setPriority(ids[0] as number, 7, true)
    const seen: number[] = []
    while (client.set.hasDataToSend) seen.push(...order())
    expect([...new Set(seen)]).toEqual([ids[2], ids[1], ids[0]])
  })

  test('a packet’s last few bytes are not filled with scraps', () => {
    const { client, ids } = opened(2)
    const frames = packetOf(client.set, 100).frames
    expect(frames.length).toBe(1)
    client.set.send(client.set.open('bidi') as number, text('tiny'), false)
    const size = 5000 + 4 + MIN_FRAGMENT + 20
    for (const frame of packetOf(client.set, size).frames) {
      expect(frame.length >= MIN_FRAGMENT || frame.length === 4).toBe(true)
    }
    expect(ids.length).toBe(2)
  })

  test('small streams share a packet', () => {
    const { client } = pair({}, { maxStreamsBidi: 10 })
    for (let i = 0; i < 10; i++) client.set.send(client.set.open('bidi') as number, text('hello'), true)
    expect(packetOf(client.set).frames.length).toBe(10)
    expect(client.set.hasDataToSend).toBe(false)
  })

  test('works in packets of 0-RTT too', () => {
    const { client } = pair()
    client.set.send(client.set.open('bidi') as number, text('early'), true)
    const frames = framesOf(packetOf(client.set, 100, Level.ZeroRtt), Level.ZeroRtt)
    expect(frames.map(frame => frame.type)).toEqual([FrameType.Stream])
  })
})

describe('the caller’s faults', () => {
  test('are thrown at the door', () => {
    const { client, server } = pair()
    expect(() => client.set.send(0, text('x'), false)).toThrow(RangeError)
    expect(() => client.set.reset(0, 1)).toThrow(RangeError)
    expect(() => client.set.stop(1, 1)).toThrow(RangeError)
    const uni = client.set.open('uni') as number
    expect(() => client.set.stop(uni, 1)).toThrow(TypeError)
    expect(() => client.set.reset(uni, -1)).toThrow(RangeError)
    expect(() => client.set.reset(uni, 2 ** 60)).toThrow(RangeError)
    expect(() => client.set.setPriority(uni, 8, true)).toThrow(RangeError)
    client.set.send(uni, text('x'), true)
    expect(() => client.set.send(uni, text('y'), false)).toThrow(TypeError)
    flush(client.set, server.set)
    expect(() => client.set.send(uni, text('y'), false)).toThrow(RangeError)
    expect(() => server.set.send(uni, text('y'), false)).toThrow(RangeError)
    expect(() => server.set.reset(uni, 1)).toThrow(TypeError)
  })

  test('what comes too late for a stream that is gone does nothing', () => {
    const { client, server } = pair()
    const id = client.set.open('uni') as number
    client.set.send(id, text('x'), true)
    flush(client.set, server.set)
    readAll(server.set, id)
    client.set.reset(id, 1)
    server.set.stop(id, 1)
    client.set.setPriority(id, 1, true)
    expect(server.set.receive(id)).toBe(undefined)
    expect(client.set.receive(999)).toBe(undefined)
    expect(client.set.hasDataToSend || server.set.hasDataToSend).toBe(false)
  })
})

test('early data is remembered of each stream', () => {
  const { server } = pair()
  server.set.onStream(streamFrame(0, 0, 5), true, 0)
  server.set.onStream(streamFrame(4, 0, 5), false, 0)
  expect(server.set.isEarly(0)).toBe(true)
  server.set.onStream(streamFrame(0, 5, 5), false, 0)
  expect(server.set.isEarly(0)).toBe(true)
  expect(server.set.isEarly(4)).toBe(false)
  expect(server.set.isEarly(8)).toBe(false)
})
