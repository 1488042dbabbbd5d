import { describe, expect, test } from 'vitest'
import { type Frame, FrameType, type StreamFrame } from '../../src/packet/frames/frame.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { deliver, flush, framesOf, packetOf, pair, readAll } from './link.ts'

function streamFrame(id: number, offset: number, length: number, fin = false): StreamFrame {
  return { type: FrameType.Stream, id, offset, data: new Uint8Array(length), fin }
}

function typesOf(frames: readonly Frame[]): number[] {
  return frames.map(frame => frame.type)
}

const fault = (code: number, frameType: number) => expect.objectContaining({ name: 'TransportError', code, frameType })

describe('RESET_STREAM (RFC 9000 §3.1, §19.4)', () => {
  test('drops what was not sent; its final size is what was', () => {
    const { client, server } = pair()
    const id = client.set.open('uni') as number
    client.set.send(id, new Uint8Array(5000), false)
    const packet = packetOf(client.set, 1000)
    const sent = packet.frames[0]?.length as number
    client.set.reset(id, 42)
    const frames = framesOf(packetOf(client.set))
    expect(frames).toEqual([{ type: FrameType.ResetStream, id, errorCode: 42, finalSize: sent }])
    deliver(server.set, frames[0] as Frame)
    expect(server.take('streamReset')).toEqual([{ type: 'streamReset', id, errorCode: 42 }])
    // The data comes late, and is ignored.
    for (const frame of framesOf(packet)) deliver(server.set, frame)
    expect(server.set.receive(id)).toBe(undefined)
    expect(server.set.openCount).toBe(0)
  })

  test('RFC 9000 §13.3: goes again until acknowledged, unchanged; data does not', () => {
    const { client } = pair()
    const id = client.set.open('uni') as number
    client.set.send(id, new Uint8Array(100), true)
    const data = packetOf(client.set)
    client.set.reset(id, 1)
    client.set.reset(id, 2)
    const first = packetOf(client.set)
    for (const frame of [...data.frames, ...first.frames]) client.set.onLost(frame)
    const second = packetOf(client.set)
    expect(framesOf(second)).toEqual(framesOf(first))
    for (const frame of data.frames) client.set.onAcked(frame)
    expect(client.set.openCount).toBe(1)
    for (const frame of second.frames) client.set.onAcked(frame)
    expect(client.set.openCount).toBe(0)
    for (const frame of first.frames) client.set.onLost(frame)
    expect(client.set.hasDataToSend).toBe(false)
  })

  test('may be the first frame of a stream', () => {
    const { client, server } = pair()
    const id = client.set.open('bidi') as number
    client.set.reset(id, 3)
    flush(client.set, server.set)
    expect(server.facts).toEqual([
      { type: 'streamOpened', id },
      { type: 'streamReset', id, errorCode: 3 },
    ])
    expect(() => client.set.send(id, new Uint8Array(1), false)).toThrow(TypeError)
  })

  test('leaves the other direction as it is', () => {
    const { client, server } = pair()
    const id = client.set.open('bidi') as number
    client.set.reset(id, 3)
    flush(client.set, server.set)
    server.set.send(id, Uint8Array.of(1), true)
    flush(server.set, client.set)
    expect(readAll(client.set, id)).toEqual({ data: Uint8Array.of(1), fin: true })
    expect(client.set.openCount + server.set.openCount).toBe(0)
  })

  test('RFC 9000 §3.2: is suppressed when all data had arrived', () => {
    const { server } = pair()
    server.set.onStream(streamFrame(2, 0, 10, true), false, 0)
    server.set.onResetStream({ type: FrameType.ResetStream, id: 2, errorCode: 1, finalSize: 10 })
    expect(server.take('streamReset')).toEqual([])
    expect(readAll(server.set, 2)).toEqual({ data: new Uint8Array(10), fin: true })
    expect(server.set.openCount).toBe(0)
  })

  test('RFC 9000 §4.5: its final size counts against both limits, and is consumed at once', () => {
    const { server } = pair({}, { maxStreamDataUni: 1000, maxData: 1500 })
    const reset = (id: number, finalSize: number) => () =>
      server.set.onResetStream({ type: FrameType.ResetStream, id, errorCode: 0, finalSize })
    expect(reset(2, 1001)).toThrow(fault(ErrorCode.FlowControlError, 4))
    reset(2, 1000)()
    expect(server.set.stats.bytesReceived).toBe(1000)
    expect(server.set.stats.bytesRead).toBe(1000)
    expect(framesOf(packetOf(server.set))).toContainEqual({ type: FrameType.MaxData, maximum: 2500 })
    reset(6, 1000)()
    expect(reset(10, 501)).toThrow(fault(ErrorCode.FlowControlError, 4))
    reset(10, 500)()
  })

  test('of a stream partly read: the rest is consumed', () => {
    const { server } = pair()
    server.set.onStream(streamFrame(0, 0, 600), false, 0)
    server.set.receive(0)
    server.set.onStream(streamFrame(0, 700, 100), false, 0)
    server.set.onResetStream({ type: FrameType.ResetStream, id: 0, errorCode: 0, finalSize: 1000 })
    expect(server.set.stats.bytesRead).toBe(1000)
    expect(server.set.receive(0)).toBe(undefined)
    server.set.onResetStream({ type: FrameType.ResetStream, id: 0, errorCode: 0, finalSize: 1000 })
    expect(server.set.stats.bytesRead).toBe(1000)
    expect(server.take('streamReset').length).toBe(1)
  })
})

describe('STOP_SENDING (RFC 9000 §3.5, §19.5)', () => {
  test('is answered by RESET_STREAM with the same code', () => {
    const { client, server } = pair()
    const id = client.set.open('uni') as number
    client.set.send(id, new Uint8Array(100), false)
    flush(client.set, server.set)
    server.set.stop(id, 77)
    expect(flush(server.set, client.set)).toEqual([{ type: FrameType.StopSending, id, errorCode: 77 }])
    expect(client.take('streamStopped')).toEqual([{ type: 'streamStopped', id, errorCode: 77 }])
    server.facts.length = 0
    expect(flush(client.set, server.set)).toEqual([{ type: FrameType.ResetStream, id, errorCode: 77, finalSize: 100 }])
    // The application that stopped the stream needs no telling.
    expect(server.facts).toEqual([])
    expect(client.set.openCount + server.set.openCount).toBe(0)
  })

  test('a second one changes nothing', () => {
    const { client } = pair()
    const id = client.set.open('bidi') as number
    const stop = { type: FrameType.StopSending, id, errorCode: 5 }
    deliver(client.set, stop)
    deliver(client.set, { ...stop, errorCode: 6 })
    expect(client.take('streamStopped').length).toBe(1)
    expect(framesOf(packetOf(client.set))).toEqual([{ type: FrameType.ResetStream, id, errorCode: 5, finalSize: 0 }])
  })

  test('a code that no number holds exactly can be answered', () => {
    const { client } = pair()
    const id = client.set.open('bidi') as number
    deliver(client.set, { type: FrameType.StopSending, id, errorCode: 2 ** 62 })
    expect(framesOf(packetOf(client.set))).toEqual([
      { type: FrameType.ResetStream, id, errorCode: Number.MAX_SAFE_INTEGER, finalSize: 0 },
    ])
  })

  test('writing to a stopped stream goes nowhere, without a fault', () => {
    const { client, server } = pair()
    const id = client.set.open('bidi') as number
    client.set.send(id, Uint8Array.of(1), true)
    flush(client.set, server.set)
    server.set.send(id, new Uint8Array(10), false)
    deliver(server.set, { type: FrameType.StopSending, id, errorCode: 5 })
    expect(server.set.send(id, new Uint8Array(1000), false)).toBe(256 * 1024)
    flush(server.set, client.set)
    readAll(server.set, id)
    expect(server.set.openCount).toBe(1)
    server.set.send(id, new Uint8Array(10), true)
    expect(server.set.openCount).toBe(0)
  })

  test('RFC 9000 §4.1: what still arrives is counted and thrown away', () => {
    const { client, server } = pair({}, { maxData: 2000 })
    const id = client.set.open('uni') as number
    client.set.send(id, new Uint8Array(800), false)
    flush(client.set, server.set)
    server.set.stop(id, 1)
    expect(server.set.stats.bytesRead).toBe(800)
    server.facts.length = 0
    server.set.onStream(streamFrame(id, 1000, 500), false, 0)
    expect(server.set.stats.bytesRead).toBe(1500)
    expect(server.facts).toEqual([])
    expect(server.set.receive(id)).toBe(undefined)
    expect(() => server.set.onStream(streamFrame(id, 1500, 5000), false, 0)).toThrow(
      fault(ErrorCode.FlowControlError, 8),
    )
  })

  test('RFC 9000 §3.3: goes again when lost, until the end of the stream is known', () => {
    const { server } = pair()
    server.set.onStream(streamFrame(2, 0, 10), false, 0)
    server.set.stop(2, 1)
    const first = packetOf(server.set)
    for (const frame of first.frames) server.set.onLost(frame)
    const second = packetOf(server.set)
    expect(framesOf(second)).toEqual(framesOf(first))
    server.set.onStream(streamFrame(2, 10, 10, true), false, 0)
    expect(server.set.openCount).toBe(0)
    for (const frame of second.frames) server.set.onLost(frame)
    expect(server.set.hasDataToSend).toBe(false)
  })

  test('is not sent when all data has arrived; what is unread is dropped', () => {
    const { server } = pair()
    server.set.onStream(streamFrame(2, 0, 10, true), false, 0)
    server.set.stop(2, 1)
    expect(server.set.hasDataToSend).toBe(false)
    expect(server.set.openCount).toBe(0)
    expect(server.set.stats.bytesRead).toBe(10)
  })

  test('with the size known, it is sent once and the stream is forgotten', () => {
    const { server } = pair()
    server.set.onStream(streamFrame(2, 5, 10, true), false, 0)
    server.set.stop(2, 1)
    server.set.stop(2, 2)
    expect(server.set.stats.bytesRead).toBe(15)
    expect(typesOf(framesOf(packetOf(server.set)))).toEqual([FrameType.StopSending])
    expect(server.set.openCount).toBe(0)
  })

  test('crossing a reset: nothing more to say', () => {
    const { server } = pair()
    server.set.onStream(streamFrame(2, 0, 10), false, 0)
    server.set.stop(2, 1)
    server.set.onResetStream({ type: FrameType.ResetStream, id: 2, errorCode: 9, finalSize: 10 })
    expect(server.set.hasDataToSend).toBe(false)
    expect(server.take('streamReset')).toEqual([])
    expect(server.set.openCount).toBe(0)
  })

  test('too small a packet leaves both due', () => {
    const { client, server } = pair()
    const id = client.set.open('bidi') as number
    client.set.reset(id, 70_000)
    client.set.stop(id, 70_000)
    expect(packetOf(client.set, 6).frames).toEqual([])
    expect(packetOf(client.set, 8).frames.length).toBe(1)
    expect(packetOf(client.set, 5).frames).toEqual([])
    expect(typesOf(flush(client.set, server.set))).toEqual([FrameType.StopSending])
  })
})
