import { describe, expect, test } from 'vitest'
import { FrameType } from '../../src/packet/frames/frame.ts'
import { Level } from '../../src/packet/level.ts'
import type { StreamFact } from '../../src/streams/stream-set.ts'
import { StreamSet } from '../../src/streams/stream-set.ts'
import { End, flush, framesOf, limits, packetOf, readAll } from './link.ts'

const text = (s: string) => new TextEncoder().encode(s)

function earlyClient(remembered = limits()) {
  const facts: StreamFact[] = []
  const set = new StreamSet('client', limits(), facts)
  set.applyPeerLimits(remembered)
  return { set, facts }
}

describe('RFC 9001 §4.6.2: early data that was rejected', () => {
  test('goes again from the first byte, on the same streams', () => {
    const { set } = earlyClient()
    const server = new End('server', limits(), limits())
    const bidi = set.open('bidi') as number
    const uni = set.open('uni') as number
    set.send(bidi, text('request'), true)
    set.send(uni, text('settings'), false)
    const early = framesOf(packetOf(set, 1200, Level.ZeroRtt), Level.ZeroRtt)
    expect(set.hasDataToSend).toBe(false)
    set.rejectEarly()
    // Nothing may be sent before the real limits are known.
    expect(set.hasDataToSend).toBe(false)
    expect(set.stats.bytesSent).toBe(0)
    set.applyPeerLimits(limits())
    expect(flush(set, server.set)).toEqual(early)
    expect(readAll(server.set, bidi)).toEqual({ data: text('request'), fin: true })
    expect(readAll(server.set, uni)).toEqual({ data: text('settings'), fin: false })
  })

  test('obeys the real limits, also where they are lower than the remembered ones', () => {
    const { set, facts } = earlyClient(limits({ maxData: 1000, maxStreamDataUni: 500, maxStreamsUni: 3 }))
    const ids = [set.open('uni') as number, set.open('uni') as number, set.open('uni') as number]
    for (const id of ids) set.send(id, new Uint8Array(300), true)
    while (set.hasDataToSend) packetOf(set, 1200, Level.ZeroRtt)
    set.rejectEarly()
    expect(set.open('uni')).toBe(undefined)
    const real = limits({ maxData: 350, maxStreamDataUni: 200, maxStreamsUni: 1 })
    set.applyPeerLimits(real)
    const server = new End('server', real, limits())
    const frames = flush(set, server.set)
    expect(frames).toEqual([
      { type: FrameType.Stream, id: ids[0], offset: 0, data: new Uint8Array(200), fin: false },
      { type: FrameType.StreamDataBlocked, id: ids[0], limit: 200 },
      { type: FrameType.StreamsBlockedUni, limit: 1 },
    ])
    // With more streams allowed, those that had to wait are sent.
    readAll(server.set, ids[0] as number)
    flush(server.set, set)
    flush(set, server.set)
    readAll(server.set, ids[0] as number)
    flush(server.set, set)
    expect(flush(set, server.set).map(frame => 'id' in frame && frame.id)).toContain(ids[1])
    expect(facts.filter(fact => fact.type === 'streamsAvailable')).toEqual([])
  })

  test('resets and stops go again, with nothing sent', () => {
    const { set } = earlyClient()
    const id = set.open('bidi') as number
    set.send(id, new Uint8Array(100), false)
    packetOf(set, 1200, Level.ZeroRtt)
    set.reset(id, 5)
    set.stop(id, 6)
    packetOf(set, 1200, Level.ZeroRtt)
    expect(set.hasDataToSend).toBe(false)
    set.rejectEarly()
    set.applyPeerLimits(limits())
    expect(framesOf(packetOf(set))).toEqual([
      { type: FrameType.ResetStream, id, errorCode: 5, finalSize: 0 },
      { type: FrameType.StopSending, id, errorCode: 6 },
    ])
  })

  test('room that comes with the real limits is told to who has asked before', () => {
    const { set, facts } = earlyClient(limits({ maxStreamsBidi: 1 }))
    set.open('bidi')
    set.rejectEarly()
    expect(set.open('bidi')).toBe(undefined)
    set.applyPeerLimits(limits({ maxStreamsBidi: 1 }))
    expect(facts).toEqual([])
    set.onMaxStreams({ type: FrameType.MaxStreamsBidi, maximum: 2 })
    expect(facts).toEqual([{ type: 'streamsAvailable', direction: 'bidi' }])
    expect(set.open('bidi')).toBe(4)
  })
})

test('early data that was accepted: the real limits only add to the remembered ones', () => {
  const { set } = earlyClient(limits({ maxData: 1000, maxStreamDataBidiRemote: 500 }))
  const id = set.open('bidi') as number
  set.send(id, new Uint8Array(900), true)
  while (set.hasDataToSend) packetOf(set, 1200, Level.ZeroRtt)
  expect(set.stats.bytesSent).toBe(500)
  set.applyPeerLimits(limits({ maxData: 2000, maxStreamDataBidiRemote: 700 }))
  while (set.hasDataToSend) packetOf(set)
  expect(set.stats.bytesSent).toBe(700)
})
