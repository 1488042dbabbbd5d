// RESET_STREAM_AT: QUIC Stream Resets with Partial Delivery, cited as PD.

import { describe, expect, test } from 'vitest'
import { type Frame, FrameType, type ResetStreamAtFrame, type StreamFrame } from '../../src/packet/frames/frame.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { deliver, type End, flush, framesOf, LossyLink, packetOf, pair, readAll, seeded } from './link.ts'

const fault = (code: number, frameType: number) => expect.objectContaining({ name: 'TransportError', code, frameType })

function data(id: number, offset: number, length: number, fin = false): StreamFrame {
  return { type: FrameType.Stream, id, offset, data: new Uint8Array(length).fill(1), fin }
}

function resetAt(id: number, errorCode: number, finalSize: number, reliableSize: number): ResetStreamAtFrame {
  return { type: FrameType.ResetStreamAt, id, errorCode, finalSize, reliableSize }
}

/** A stream of the client on which so much is written. */
function writing(size: number): { client: End; server: End; id: number } {
  const { client, server } = pair()
  const id = client.set.open('uni') as number
  client.set.send(id, new Uint8Array(size), false)
  return { client, server, id }
}

/** A server that has heard these frames for stream 2 of its client. */
function hearing(...frames: Frame[]): End {
  const { server } = pair()
  for (const frame of frames) deliver(server.set, frame)
  return server
}

describe('sending', () => {
  test('PD §4: what is promised and not sent yet goes first, the rest never', () => {
    const { client, server, id } = writing(5000)
    packetOf(client.set, 1000)
    client.set.reset(id, 42, 3000)
    const frames = flush(client.set, server.set)
    expect(frames.at(-1)).toEqual(resetAt(id, 42, 3000, 3000))
    const sent = frames.filter(frame => frame.type === FrameType.Stream) as StreamFrame[]
    expect(Math.max(...sent.map(frame => frame.offset + frame.data.length))).toBe(3000)
    expect(sent.some(frame => frame.fin)).toBe(false)
  })

  test('PD §4: the final size is what was sent, when that is more', () => {
    const { client, id } = writing(1000)
    packetOf(client.set)
    client.set.reset(id, 42, 10)
    expect(framesOf(packetOf(client.set))).toEqual([resetAt(id, 42, 1000, 10)])
  })

  test('PD §4: it waits for the credit that what is promised needs', () => {
    const { client, server } = pair({}, { maxStreamDataUni: 500 })
    const id = client.set.open('uni') as number
    client.set.send(id, new Uint8Array(1000), false)
    client.set.reset(id, 7, 800)
    expect(flush(client.set, server.set).map(frame => frame.type)).not.toContain(FrameType.ResetStreamAt)
    expect(readAll(server.set, id).data.length).toBe(500)
    flush(server.set, client.set)
    expect(flush(client.set, server.set).at(-1)).toEqual(resetAt(id, 7, 800, 800))
  })

  test('PD §5: data is repeated up to the promise, the frame until it is acknowledged', () => {
    const { client, id } = writing(1000)
    const first = packetOf(client.set)
    client.set.reset(id, 42, 300)
    const reset = packetOf(client.set)
    for (const frame of [...first.frames, ...reset.frames]) client.set.onLost(frame)
    const again = framesOf(packetOf(client.set))
    expect(again).toMatchObject([{ type: FrameType.ResetStreamAt }, { type: FrameType.Stream, offset: 0, fin: false }])
    expect((again[1] as StreamFrame).data.length).toBe(300)
  })

  test('PD §5.3: it is over when promise and frame are acknowledged, in any order', () => {
    for (const order of [0, 1]) {
      const { client, id } = writing(1000)
      const first = packetOf(client.set)
      client.set.reset(id, 42, 300)
      const reset = packetOf(client.set)
      const [early, late] = order === 0 ? [first, reset] : [reset, first]
      for (const frame of early.frames) client.set.onAcked(frame)
      expect(client.set.openCount).toBe(1)
      for (const frame of late.frames) client.set.onAcked(frame)
      expect(client.set.openCount).toBe(0)
      expect(client.take('streamFinished')).toEqual([])
    }
  })

  test('PD §5.1: after a FIN', () => {
    const { client, server } = pair()
    const id = client.set.open('uni') as number
    client.set.send(id, new Uint8Array(1000), true)
    const lost = packetOf(client.set)
    client.set.reset(id, 42, 600)
    for (const frame of lost.frames) client.set.onLost(frame)
    flush(client.set, server.set)
    expect(readAll(server.set, id)).toMatchObject({ fin: false })
    expect(server.take('streamReset')).toEqual([{ type: 'streamReset', id, errorCode: 42 }])
    expect([client.set.openCount, server.set.openCount]).toEqual([0, 0])
  })

  test('PD §5.2: the promise may become less, down to none; code and final size stay', () => {
    const { client, id } = writing(1000)
    packetOf(client.set)
    const frames: Frame[] = []
    for (const [code, size] of [
      [42, 500],
      [43, 700],
      [44, 500],
      [45, 200],
      [46, 0],
    ] as const) {
      client.set.reset(id, code, size)
      if (client.set.hasDataToSend) frames.push(...framesOf(packetOf(client.set)))
    }
    expect(frames).toEqual([
      resetAt(id, 42, 1000, 500),
      resetAt(id, 42, 1000, 200),
      { type: FrameType.ResetStream, id, errorCode: 42, finalSize: 1000 },
    ])
  })

  test('PD §5.2: only the frame that promises least counts', () => {
    const { client, id } = writing(1000)
    const first = packetOf(client.set)
    client.set.reset(id, 42, 500)
    const more = packetOf(client.set)
    client.set.reset(id, 42, 200)
    const less = packetOf(client.set)
    for (const frame of [...first.frames, ...more.frames]) client.set.onAcked(frame)
    expect(client.set.openCount).toBe(1)
    for (const frame of [...more.frames, ...less.frames]) client.set.onLost(frame)
    expect(framesOf(packetOf(client.set))).toEqual([resetAt(id, 42, 1000, 200)])
    for (const frame of less.frames) client.set.onAcked(frame)
    expect(client.set.openCount).toBe(0)
  })

  test('PD §5.4: STOP_SENDING is answered by RESET_STREAM, with the code that was said before', () => {
    const { client, id } = writing(1000)
    packetOf(client.set)
    client.set.reset(id, 42, 500)
    packetOf(client.set)
    client.set.onStopSending({ type: FrameType.StopSending, id, errorCode: 9 })
    expect(framesOf(packetOf(client.set))).toEqual([
      { type: FrameType.ResetStream, id, errorCode: 42, finalSize: 1000 },
    ])
  })

  test('RFC 9001 §4.6.2: refused with early data it begins again, with what was promised', () => {
    const { client, server, id } = writing(1000)
    packetOf(client.set, 600)
    client.set.reset(id, 42, 100)
    client.set.rejectEarly()
    client.set.applyPeerLimits({ ...noneBut, maxData: 5000, maxStreamDataUni: 5000, maxStreamsUni: 5 })
    expect(flush(client.set, server.set).at(-1)).toEqual(resetAt(id, 42, 100, 100))
  })

  test('more than was written cannot be promised', () => {
    const { client, id } = writing(1000)
    for (const size of [1001, -1, Number.NaN]) expect(() => client.set.reset(id, 42, size)).toThrow(RangeError)
    expect(client.set.send(id, new Uint8Array(1), false)).toBeGreaterThan(0)
  })
})

const noneBut = {
  maxData: 0,
  maxStreamDataBidiLocal: 0,
  maxStreamDataBidiRemote: 0,
  maxStreamDataUni: 0,
  maxStreamsBidi: 0,
  maxStreamsUni: 0,
}

describe('receiving', () => {
  test('PD §5: the reset is told when what was promised is read', () => {
    const server = hearing(data(2, 0, 100), resetAt(2, 42, 1000, 200))
    expect(readAll(server.set, 2).data.length).toBe(100)
    expect(server.take('streamReset')).toEqual([])
    deliver(server.set, data(2, 100, 100))
    expect(readAll(server.set, 2)).toMatchObject({ fin: false })
    expect(server.take('streamReset')).toEqual([{ type: 'streamReset', id: 2, errorCode: 42 }])
    expect(server.set.receive(2)).toBe(undefined)
    expect(server.set.openCount).toBe(0)
    expect(server.set.stats).toMatchObject({ bytesReceived: 1000, bytesRead: 1000 })
  })

  test('it is told at once when that was read before, or nothing was promised', () => {
    const early = hearing(data(2, 0, 100))
    readAll(early.set, 2)
    deliver(early.set, resetAt(2, 42, 100, 100))
    expect(early.take('streamReset').length).toBe(1)
    expect(hearing(resetAt(2, 42, 100, 0)).take('streamReset').length).toBe(1)
  })

  test('PD §5.2: a lower promise holds, a higher one is late', () => {
    const server = hearing(resetAt(2, 42, 1000, 300), resetAt(2, 42, 1000, 100), resetAt(2, 42, 1000, 200))
    deliver(server.set, data(2, 0, 100))
    expect(readAll(server.set, 2).data.length).toBe(100)
    expect(server.take('streamReset').length).toBe(1)
  })

  test('PD §5.2: RESET_STREAM takes back what was promised', () => {
    const server = hearing(resetAt(2, 42, 1000, 300))
    deliver(server.set, { type: FrameType.ResetStream, id: 2, errorCode: 42, finalSize: 1000 })
    expect(server.take('streamReset').length).toBe(1)
    expect(server.set.openCount).toBe(0)
  })

  test('PD §5.2: another code is a STREAM_STATE_ERROR, another final size a FINAL_SIZE_ERROR', () => {
    const { StreamStateError, FinalSizeError } = ErrorCode
    const first = resetAt(2, 42, 1000, 300)
    expect(() => hearing(first, resetAt(2, 43, 1000, 200))).toThrow(fault(StreamStateError, FrameType.ResetStreamAt))
    expect(() => hearing(first, resetAt(2, 42, 999, 200))).toThrow(fault(FinalSizeError, FrameType.ResetStreamAt))
    const reset = { type: FrameType.ResetStream, id: 2, errorCode: 43, finalSize: 1000 } as const
    expect(() => hearing(first, reset)).toThrow(fault(StreamStateError, FrameType.ResetStream))
    expect(() => hearing(first, data(2, 0, 999, true))).toThrow(fault(FinalSizeError, FrameType.Stream))
    expect(() => hearing(first, data(2, 900, 101))).toThrow(fault(FinalSizeError, FrameType.Stream))
  })

  test('PD §4: a final size beyond the credit of the stream or the connection', () => {
    const { server } = pair({}, { maxStreamDataUni: 500, maxData: 700 })
    const { FlowControlError } = ErrorCode
    const at = FrameType.ResetStreamAt
    expect(() => deliver(server.set, resetAt(2, 42, 501, 0))).toThrow(fault(FlowControlError, at))
    deliver(server.set, resetAt(2, 42, 500, 500))
    expect(() => deliver(server.set, resetAt(6, 42, 201, 201))).toThrow(fault(FlowControlError, at))
  })

  test('who has stopped the stream hears nothing of it', () => {
    const server = hearing(data(2, 0, 100))
    server.set.stop(2, 5)
    deliver(server.set, resetAt(2, 42, 1000, 300))
    expect(server.take('streamReset')).toEqual([])
    packetOf(server.set)
    expect(server.set.openCount).toBe(0)
  })
})

test('through loss, reordering and repetition what was promised arrives, and then the reset', () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = seeded(seed)
    const { client, server } = pair({}, { maxStreamDataUni: 2000 })
    const there = new LossyLink(client.set, server.set, random, 0.3)
    const back = new LossyLink(server.set, client.set, random, 0.3)
    const id = client.set.open('uni') as number
    const size = 1 + Math.floor(random() * 6000)
    client.set.send(
      id,
      Uint8Array.from({ length: size }, (_, i) => i),
      random() < 0.3,
    )
    let promised = 1 + Math.floor(random() * size)
    const got: number[] = []
    const step = (): void => {
      there.step()
      back.step()
      got.push(...readAll(server.set, id).data)
    }
    for (let i = Math.floor(random() * 40); i > 0; i--) step()
    client.set.reset(id, 42, promised)
    for (let i = Math.floor(random() * 20); i > 0; i--) step()
    if (random() < 0.5 && promised > 1) {
      promised = 1 + Math.floor(random() * (promised - 1))
      client.set.reset(id, 43, promised)
    }
    for (let i = 0; i < 5000 && !(there.isEmpty && back.isEmpty); i++) step()
    expect([seed, there.isEmpty && back.isEmpty]).toEqual([seed, true])
    const isEnded = server.facts.some(fact => fact.type === 'streamReset' && fact.errorCode === 42)
    // All of it may have arrived, FIN included, before the reset did.
    if (!isEnded) expect([seed, got.length]).toEqual([seed, size])
    expect(got.length).toBeGreaterThanOrEqual(promised)
    expect(got.every((byte, i) => byte === (i & 255))).toBe(true)
    expect([seed, client.set.openCount, server.set.openCount]).toEqual([seed, 0, 0])
  }
})
