import { describe, expect, test } from 'vitest'
import { FrameType, type StreamFrame } from '../../src/packet/frames/frame.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { MAX_GAPS } from '../../src/streams/receive-buffer.ts'
import { deliver, flush, framesOf, packetOf, pair, readAll } from './link.ts'

function streamFrame(id: number, offset: number, length: number, fin = false): StreamFrame {
  return { type: FrameType.Stream, id, offset, data: new Uint8Array(length), fin }
}

const fault = (code: number, frameType: number) => expect.objectContaining({ name: 'TransportError', code, frameType })

describe('RFC 9000 §4.1: sending', () => {
  test('stops at the limit of the stream, says so once, and goes on with more credit', () => {
    const { client, server } = pair({}, { maxStreamDataUni: 1000 })
    const id = client.set.open('uni') as number
    client.set.send(id, new Uint8Array(3000), true)
    const blocked = { type: FrameType.StreamDataBlocked, id, limit: 1000 }
    expect(flush(client.set, server.set)).toContainEqual(blocked)
    expect(client.set.hasDataToSend).toBe(false)
    expect(readAll(server.set, id).data.length).toBe(1000)
    expect(flush(server.set, client.set)).toEqual([{ type: FrameType.MaxStreamData, id, maximum: 2000 }])
    expect(flush(client.set, server.set)).toContainEqual({ ...blocked, limit: 2000 })
    expect(readAll(server.set, id).data.length).toBe(1000)
    flush(server.set, client.set)
    flush(client.set, server.set)
    expect(readAll(server.set, id).fin).toBe(true)
    expect(client.set.openCount + server.set.openCount).toBe(0)
  })

  test('stops at the limit of the connection, says so once, and goes on with more credit', () => {
    const { client, server } = pair({}, { maxData: 1500 })
    const a = client.set.open('uni') as number
    const b = client.set.open('uni') as number
    client.set.send(a, new Uint8Array(1000), true)
    client.set.send(b, new Uint8Array(1000), true)
    const frames = flush(client.set, server.set)
    expect(frames.filter(frame => frame.type === FrameType.DataBlocked)).toEqual([
      { type: FrameType.DataBlocked, limit: 1500 },
    ])
    expect(client.set.hasDataToSend).toBe(false)
    expect(readAll(server.set, a).fin).toBe(true)
    expect(flush(server.set, client.set)).toEqual([{ type: FrameType.MaxData, maximum: 2500 }])
    flush(client.set, server.set)
    expect(readAll(server.set, b).fin).toBe(true)
  })

  test('what needs no credit passes a connection that has none', () => {
    const { client, server } = pair({}, { maxData: 100 })
    const full = client.set.open('uni') as number
    const empty = client.set.open('uni') as number
    client.set.send(full, new Uint8Array(100), false)
    const lost = packetOf(client.set)
    client.set.send(full, new Uint8Array(100), true)
    client.set.send(empty, new Uint8Array(0), true)
    for (const frame of lost.frames) client.set.onLost(frame)
    const frames = flush(client.set, server.set)
    expect(frames.map(frame => frame.type)).toEqual([FrameType.Stream, FrameType.Stream, FrameType.DataBlocked])
    expect(readAll(server.set, empty).fin).toBe(true)
    expect(readAll(server.set, full).data.length).toBe(100)
  })

  test('a *_BLOCKED frame that was lost goes again, but only while blocked on that limit', () => {
    const { client } = pair({}, { maxData: 100, maxStreamDataUni: 50 })
    const id = client.set.open('uni') as number
    const other = client.set.open('uni') as number
    client.set.send(id, new Uint8Array(200), false)
    client.set.send(other, new Uint8Array(50), false)
    const first = packetOf(client.set)
    client.set.send(client.set.open('uni') as number, new Uint8Array(1), false)
    const second = packetOf(client.set)
    const blocked = (type: number) => (frame: { kind: number }) => frame.kind === type
    const streamBlocked = [...first.frames, ...second.frames].find(blocked(10))
    const dataBlocked = [...first.frames, ...second.frames].find(blocked(9))
    if (streamBlocked === undefined || dataBlocked === undefined) throw new Error('both were to be sent')
    client.set.onLost(streamBlocked)
    client.set.onLost(dataBlocked)
    expect(framesOf(packetOf(client.set)).map(frame => frame.type)).toEqual([
      FrameType.StreamDataBlocked,
      FrameType.DataBlocked,
    ])
    deliver(client.set, { type: FrameType.MaxData, maximum: 1000 })
    deliver(client.set, { type: FrameType.MaxStreamData, id, maximum: 1000 })
    client.set.onLost(streamBlocked)
    client.set.onLost(dataBlocked)
    const types = framesOf(packetOf(client.set)).map(frame => frame.type)
    expect(new Set(types)).toEqual(new Set([FrameType.Stream]))
  })

  test('limits never shrink', () => {
    const { client } = pair()
    const id = client.set.open('uni') as number
    deliver(client.set, { type: FrameType.MaxData, maximum: 1 })
    deliver(client.set, { type: FrameType.MaxStreamData, id, maximum: 1 })
    deliver(client.set, { type: FrameType.MaxStreamsUni, maximum: 1 })
    client.set.send(id, new Uint8Array(1000), true)
    expect(packetOf(client.set).frames[0]?.length).toBe(1000)
    expect(client.set.open('uni')).toBe(6)
  })

  test('limits beyond what a number holds exactly are as good as none', () => {
    const { client } = pair()
    const id = client.set.open('uni') as number
    deliver(client.set, { type: FrameType.MaxData, maximum: 2 ** 62 })
    deliver(client.set, { type: FrameType.MaxStreamData, id, maximum: 2 ** 62 })
    client.set.send(id, new Uint8Array(150_000), true)
    let sent = 0
    while (client.set.hasDataToSend) for (const frame of packetOf(client.set).frames) sent += frame.length
    expect(sent).toBe(150_000)
  })
})

describe('RFC 9000 §4.1: receiving', () => {
  test('FLOW_CONTROL_ERROR beyond the limit of the stream', () => {
    const { server } = pair({}, { maxStreamDataUni: 1000 })
    server.set.onStream(streamFrame(2, 900, 100), false, 0)
    expect(() => server.set.onStream(streamFrame(2, 1000, 1), false, 0)).toThrow(fault(ErrorCode.FlowControlError, 8))
    expect(() => server.set.onStream(streamFrame(2, 2 ** 53, 1000), false, 0)).toThrow(
      fault(ErrorCode.FlowControlError, 8),
    )
  })

  test('FLOW_CONTROL_ERROR beyond the limit of the connection, counted by largest offsets', () => {
    const { server } = pair({}, { maxData: 1000 })
    server.set.onStream(streamFrame(2, 499, 1), false, 0)
    server.set.onStream(streamFrame(6, 499, 1), false, 0)
    server.set.onStream(streamFrame(6, 0, 499), false, 0)
    expect(() => server.set.onStream(streamFrame(10, 0, 1), false, 0)).toThrow(fault(ErrorCode.FlowControlError, 8))
    expect(() => server.set.onStream(streamFrame(2, 500, 1), false, 0)).toThrow(fault(ErrorCode.FlowControlError, 8))
  })

  test('RFC 9000 §4.2: limits grow with what is read, not with what arrives', () => {
    const { client, server } = pair({}, { maxStreamDataUni: 1000, maxData: 1500 })
    const id = client.set.open('uni') as number
    client.set.send(id, new Uint8Array(1000), false)
    flush(client.set, server.set)
    expect(server.set.hasDataToSend).toBe(false)
    // Saying that one is blocked does not help either.
    deliver(server.set, { type: FrameType.StreamDataBlocked, id, limit: 1000 })
    deliver(server.set, { type: FrameType.DataBlocked, limit: 1000 })
    expect(server.set.hasDataToSend).toBe(false)
    readAll(server.set, id)
    expect(framesOf(packetOf(server.set))).toEqual([
      { type: FrameType.MaxData, maximum: 2500 },
      { type: FrameType.MaxStreamData, id, maximum: 2000 },
    ])
  })

  test('RFC 9000 §13.3: a lost limit is sent again with the value of then', () => {
    const { client, server } = pair({}, { maxStreamDataUni: 1000, maxData: 1000 })
    const id = client.set.open('uni') as number
    client.set.send(id, new Uint8Array(1000), false)
    flush(client.set, server.set)
    readAll(server.set, id)
    const lost = packetOf(server.set)
    expect(server.set.hasDataToSend).toBe(false)
    for (const frame of lost.frames) server.set.onLost(frame)
    expect(framesOf(packetOf(server.set))).toEqual(framesOf(lost))
  })

  test('RFC 9000 §3.2: no more credit for a stream whose size is known', () => {
    const { client, server } = pair({}, { maxStreamDataUni: 1000 })
    const id = client.set.open('uni') as number
    client.set.send(id, new Uint8Array(600), false)
    flush(client.set, server.set)
    server.set.receive(id)
    const lost = packetOf(server.set)
    client.set.send(id, new Uint8Array(600), true)
    const held = framesOf(packetOf(client.set))
    server.set.onStream(streamFrame(id, 900, 100, true), false, 0)
    for (const frame of lost.frames) server.set.onLost(frame)
    expect(server.set.hasDataToSend).toBe(false)
    expect(held.length).toBeGreaterThan(0)
  })

  test('too small a packet for a limit leaves it due', () => {
    const { client, server } = pair({}, { maxStreamDataUni: 1000, maxData: 1000 })
    const id = client.set.open('uni') as number
    client.set.send(id, new Uint8Array(1000), false)
    flush(client.set, server.set)
    readAll(server.set, id)
    expect(packetOf(server.set, 8).frames).toEqual([])
    expect(packetOf(server.set, 16).frames.length).toBe(1)
    expect(packetOf(server.set, 16).frames.length).toBe(0)
    expect(server.set.hasDataToSend).toBe(true)
    expect(packetOf(server.set, 17).frames.length).toBe(1)
    expect(server.set.hasDataToSend).toBe(false)
  })

  test('a peer that leaves gaps everywhere is sent away', () => {
    const { server } = pair()
    const flood = () => {
      for (let i = 0; i <= MAX_GAPS; i++) server.set.onStream(streamFrame(0, 2 * i + 1, 1), false, 0)
    }
    expect(flood).toThrow(fault(ErrorCode.InternalError, 8))
  })
})

describe('RFC 9000 §4.5: the final size', () => {
  test('never changes', () => {
    const { server } = pair()
    server.set.onStream(streamFrame(2, 50, 50, true), false, 0)
    const wrong = fault(ErrorCode.FinalSizeError, 8)
    expect(() => server.set.onStream(streamFrame(2, 50, 51, true), false, 0)).toThrow(wrong)
    expect(() => server.set.onStream(streamFrame(2, 50, 40, true), false, 0)).toThrow(wrong)
    expect(() => server.set.onStream(streamFrame(2, 100, 1), false, 0)).toThrow(wrong)
    const reset = (finalSize: number) => () =>
      server.set.onResetStream({ type: FrameType.ResetStream, id: 2, errorCode: 0, finalSize })
    expect(reset(99)).toThrow(fault(ErrorCode.FinalSizeError, 4))
    expect(reset(101)).toThrow(fault(ErrorCode.FinalSizeError, 4))
    expect(reset(100)).not.toThrow()
  })

  test('is not below what was received', () => {
    const { server } = pair()
    server.set.onStream(streamFrame(2, 0, 100), false, 0)
    expect(() => server.set.onStream(streamFrame(2, 0, 99, true), false, 0)).toThrow(fault(ErrorCode.FinalSizeError, 8))
    expect(() => server.set.onResetStream({ type: FrameType.ResetStream, id: 2, errorCode: 0, finalSize: 99 })).toThrow(
      fault(ErrorCode.FinalSizeError, 4),
    )
  })

  test('is checked while the stream is known, also after all was received', () => {
    const { server } = pair()
    server.set.onStream(streamFrame(0, 0, 10, true), false, 0)
    readAll(server.set, 0)
    server.set.onStream(streamFrame(0, 0, 10, true), false, 0)
    expect(() => server.set.onStream(streamFrame(0, 0, 11), false, 0)).toThrow(fault(ErrorCode.FinalSizeError, 8))
  })
})
