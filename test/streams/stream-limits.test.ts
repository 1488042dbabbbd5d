import { describe, expect, test } from 'vitest'
import { type Frame, FrameType, type StreamFrame } from '../../src/packet/frames/frame.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { StreamSet } from '../../src/streams/stream-set.ts'
import { deliver, flush, framesOf, limits, packetOf, pair, readAll } from './link.ts'

function streamFrame(id: number, length = 0, fin = false): StreamFrame {
  return { type: FrameType.Stream, id, offset: 0, data: new Uint8Array(length), fin }
}

const fault = (code: number, frameType: number) => expect.objectContaining({ name: 'TransportError', code, frameType })

describe('RFC 9000 §4.6: opening', () => {
  test('nothing may be opened before the peer has said so', () => {
    const set = new StreamSet('client', limits(), [])
    expect(set.open('bidi')).toBe(undefined)
    expect(set.open('uni')).toBe(undefined)
  })

  test('ids are used in order, each kind by itself', () => {
    const { client, server } = pair()
    expect([client.set.open('bidi'), client.set.open('uni'), client.set.open('bidi')]).toEqual([0, 2, 4])
    expect([server.set.open('bidi'), server.set.open('uni'), server.set.open('uni')]).toEqual([1, 3, 7])
  })

  test('stops at the limit, says so once for each, and hears when there is room', () => {
    const { client, server } = pair({}, { maxStreamsUni: 2 })
    const ids = [client.set.open('uni') as number, client.set.open('uni') as number]
    expect(client.set.hasDataToSend).toBe(false)
    expect(client.set.open('uni')).toBe(undefined)
    const blocked = { type: FrameType.StreamsBlockedUni, limit: 2 }
    expect(flush(client.set, server.set)).toEqual([blocked])
    expect(client.set.open('uni')).toBe(undefined)
    expect(client.set.hasDataToSend).toBe(false)
    for (const id of ids) client.set.send(id, Uint8Array.of(1), true)
    flush(client.set, server.set)
    client.facts.length = 0
    readAll(server.set, ids[0] as number)
    expect(flush(server.set, client.set)).toEqual([{ type: FrameType.MaxStreamsUni, maximum: 3 }])
    expect(client.facts).toEqual([{ type: 'streamsAvailable', direction: 'uni' }])
    expect(client.set.open('uni')).toBe(10)
  })

  test('nobody is told of room who did not ask', () => {
    const { client } = pair()
    deliver(client.set, { type: FrameType.MaxStreamsBidi, maximum: 100 })
    expect(client.facts).toEqual([])
  })

  test('RFC 9000 §13.3: lost MAX_STREAMS and STREAMS_BLOCKED go again', () => {
    const { client, server } = pair({}, { maxStreamsUni: 1 })
    const id = client.set.open('uni') as number
    client.set.open('uni')
    const blocked = packetOf(client.set)
    for (const frame of blocked.frames) client.set.onLost(frame)
    expect(framesOf(packetOf(client.set))).toEqual(framesOf(blocked))
    client.set.send(id, Uint8Array.of(1), true)
    flush(client.set, server.set)
    readAll(server.set, id)
    const grant = packetOf(server.set)
    expect(server.set.hasDataToSend).toBe(false)
    for (const frame of grant.frames) server.set.onLost(frame)
    expect(framesOf(packetOf(server.set))).toEqual([{ type: FrameType.MaxStreamsUni, maximum: 2 }])
    deliver(client.set, { type: FrameType.MaxStreamsUni, maximum: 2 })
    for (const frame of blocked.frames) client.set.onLost(frame)
    expect(client.set.hasDataToSend).toBe(false)
  })

  test('too small a packet leaves STREAMS_BLOCKED due', () => {
    const { client } = pair({}, { maxStreamsBidi: 0 })
    client.set.open('bidi')
    expect(packetOf(client.set, 5).frames).toEqual([])
    expect(framesOf(packetOf(client.set, 9))).toEqual([{ type: FrameType.StreamsBlockedBidi, limit: 0 }])
  })
})

describe('RFC 9000 §4.6: being opened', () => {
  test('STREAM_LIMIT_ERROR beyond the limit, whatever the frame', () => {
    const { server } = pair({}, { maxStreamsBidi: 3, maxStreamsUni: 3 })
    const limit = (type: number) => fault(ErrorCode.StreamLimitError, type)
    expect(() => server.set.onStream(streamFrame(12), false, 0)).toThrow(limit(8))
    expect(() => server.set.onStream(streamFrame(14), false, 0)).toThrow(limit(8))
    expect(() => server.set.onResetStream({ type: FrameType.ResetStream, id: 12, errorCode: 0, finalSize: 0 })).toThrow(
      limit(4),
    )
    expect(() => server.set.onStopSending({ type: FrameType.StopSending, id: 12, errorCode: 0 })).toThrow(limit(5))
    expect(() => server.set.onMaxStreamData({ type: FrameType.MaxStreamData, id: 12, maximum: 0 })).toThrow(limit(0x11))
    expect(() => server.set.onStreamDataBlocked({ type: FrameType.StreamDataBlocked, id: 14, limit: 0 })).toThrow(
      limit(0x15),
    )
    // As a reader rounds them: ids that no number holds exactly.
    expect(() => server.set.onStream(streamFrame(2 ** 62), false, 0)).toThrow(limit(8))
    server.set.onStream(streamFrame(8), false, 0)
    expect(server.set.openCount).toBe(3)
  })

  test('RFC 9000 §3.2: opens all with lower ids too, in order', () => {
    const { server } = pair()
    server.set.onStream(streamFrame(10, 1), false, 0)
    expect(server.facts).toEqual([
      { type: 'streamOpened', id: 2 },
      { type: 'streamOpened', id: 6 },
      { type: 'streamOpened', id: 10 },
      { type: 'readable', id: 10 },
    ])
  })

  test('RFC 9000 §3.2: MAX_STREAM_DATA, STOP_SENDING and STREAM_DATA_BLOCKED open a stream', () => {
    const { server } = pair()
    deliver(server.set, { type: FrameType.MaxStreamData, id: 0, maximum: 1e6 })
    deliver(server.set, { type: FrameType.StopSending, id: 4, errorCode: 0 })
    deliver(server.set, { type: FrameType.StreamDataBlocked, id: 2, limit: 0 })
    expect(server.take('streamOpened').map(fact => fact.id)).toEqual([0, 4, 2])
  })

  test('RFC 9000 §19: STREAM_STATE_ERROR for frames that cannot be meant for the stream', () => {
    const { client } = pair()
    const ours = client.set.open('uni') as number
    const theirs = 3
    const frames: [Frame, number][] = [
      [streamFrame(ours), 8],
      [{ type: FrameType.ResetStream, id: ours, errorCode: 0, finalSize: 0 }, 4],
      [{ type: FrameType.StreamDataBlocked, id: ours, limit: 0 }, 0x15],
      [{ type: FrameType.StopSending, id: theirs, errorCode: 0 }, 5],
      [{ type: FrameType.MaxStreamData, id: theirs, maximum: 0 }, 0x11],
      // Streams of ours that were not opened.
      [streamFrame(0), 8],
      [{ type: FrameType.ResetStream, id: 0, errorCode: 0, finalSize: 0 }, 4],
      [{ type: FrameType.StreamDataBlocked, id: 0, limit: 0 }, 0x15],
      [{ type: FrameType.StopSending, id: 0, errorCode: 0 }, 5],
      [{ type: FrameType.StopSending, id: 6, errorCode: 0 }, 5],
      [{ type: FrameType.MaxStreamData, id: 0, maximum: 0 }, 0x11],
    ]
    for (const [frame, type] of frames) {
      expect(() => deliver(client.set, frame)).toThrow(fault(ErrorCode.StreamStateError, type))
    }
    expect(client.set.openCount).toBe(1)
  })

  test('frames for a stream that is closed are ignored', () => {
    const { client, server } = pair()
    const id = client.set.open('bidi') as number
    client.set.send(id, Uint8Array.of(1), true)
    flush(client.set, server.set)
    readAll(server.set, id)
    server.set.send(id, Uint8Array.of(2), true)
    flush(server.set, client.set)
    readAll(client.set, id)
    for (const end of [client, server]) {
      end.facts.length = 0
      deliver(end.set, streamFrame(id, 1, true))
      deliver(end.set, { type: FrameType.ResetStream, id, errorCode: 0, finalSize: 1 })
      deliver(end.set, { type: FrameType.StopSending, id, errorCode: 0 })
      deliver(end.set, { type: FrameType.MaxStreamData, id, maximum: 1e9 })
      deliver(end.set, { type: FrameType.StreamDataBlocked, id, limit: 1 })
      deliver(end.set, { type: FrameType.StreamsBlockedBidi, limit: 1 })
      expect(end.facts).toEqual([])
      expect(end.set.openCount).toBe(0)
    }
  })

  test('room is made by closing, not by resetting: a stream counts until the application lets go', () => {
    const { server } = pair({}, { maxStreamsBidi: 4 })
    for (let id = 0; id < 16; id += 4) {
      deliver(server.set, streamFrame(id, 10))
      deliver(server.set, { type: FrameType.ResetStream, id, errorCode: 1, finalSize: 10 })
      deliver(server.set, { type: FrameType.StopSending, id, errorCode: 1 })
    }
    for (let round = 0; round < 3 && server.set.hasDataToSend; round++) {
      const packet = packetOf(server.set)
      expect(framesOf(packet).every(frame => frame.type === FrameType.ResetStream)).toBe(true)
      for (const frame of packet.frames) server.set.onAcked(frame)
    }
    expect(server.set.openCount).toBe(4)
    expect(() => deliver(server.set, streamFrame(16))).toThrow(fault(ErrorCode.StreamLimitError, 8))
    server.set.reset(0, 1)
    server.set.send(4, new Uint8Array(0), true)
    expect(server.set.openCount).toBe(2)
    expect(framesOf(packetOf(server.set))).toEqual([{ type: FrameType.MaxStreamsBidi, maximum: 6 }])
    deliver(server.set, streamFrame(20))
  })

  test('limits grow by what was closed, an eighth at a time', () => {
    const { client, server } = pair({}, { maxStreamsUni: 16 })
    const granted: number[] = []
    for (let i = 0; i < 64; i++) {
      const id = client.set.open('uni') as number
      client.set.send(id, Uint8Array.of(1), true)
      flush(client.set, server.set)
      readAll(server.set, id)
      for (const frame of flush(server.set, client.set)) {
        if (frame.type === FrameType.MaxStreamsUni) granted.push(frame.maximum)
      }
    }
    expect(granted).toEqual(Array.from({ length: 32 }, (_, i) => 16 + 2 * (i + 1)))
    expect(client.set.openCount + server.set.openCount).toBe(0)
  })
})
