import { describe, expect, test } from 'vitest'
import { CapsuleReader, writeCapsule } from '../../src/http3/capsules.ts'
import { Http3ErrorCode as Code } from '../../src/http3/error-codes.ts'
import { FrameReader, FrameType } from '../../src/http3/frames.ts'
import type { WebTransportServerSession } from '../../src/http3/webtransport/server.ts'
import {
  CapsuleType,
  knownCapsules,
  readMaximum,
  streamHeader,
  WebTransportCode,
  writeMaximum,
} from '../../src/http3/webtransport/wire.ts'
import { bytes, concat } from './helpers.ts'
import { clientSettings, flowSettings, Raw } from './webtransport-client.ts'

const { FlowControlError } = WebTransportCode
const few = { data: 100, bidirectionalStreams: 2, unidirectionalStreams: 3 }

/** A session under limits: ours, and those of the client. */
class Flow extends Raw {
  readonly connectId: number
  readonly #reader = new FrameReader()
  readonly #capsules = new CapsuleReader(knownCapsules)

  private constructor(ours: typeof few, theirs: Uint8Array) {
    super({ limits: ours }, theirs)
    this.connectId = this.connect('webtransport-h3')
  }

  static async open(ours = few, theirs = flowSettings(few)): Promise<Flow> {
    const flow = new Flow(ours, theirs)
    await flow.pair.settle()
    return flow
  }

  get session(): WebTransportServerSession {
    return this.sessions[0] as WebTransportServerSession
  }

  stream(direction: 'bidi' | 'uni', data: Uint8Array = new Uint8Array(0), fin = false): number {
    return this.open(direction, concat(streamHeader(direction === 'bidi' ? 0x41 : 0x54, this.connectId), data), fin)
  }

  async say(...capsules: Uint8Array[]): Promise<void> {
    for (const capsule of capsules) this.content(this.connectId, capsule)
    await this.pair.settle()
  }

  /** Capsules the server said since the last time, as `[type, maximum]`. */
  heard(): [number, bigint][] {
    const heard: [number, bigint][] = []
    for (let chunk = this.pair.client.read(this.connectId); chunk; chunk = this.pair.client.read(this.connectId)) {
      this.#reader.push(chunk.data)
      while (this.#reader.isInFrame || this.#reader.readHeader()) {
        const payload = this.#reader.collect()
        if (payload === undefined) break
        if (this.#reader.type === FrameType.Data) this.#capsules.push(payload)
        for (let next = this.#capsules.next(); next; next = this.#capsules.next()) {
          heard.push([next.type, readMaximum(next.value)])
        }
      }
    }
    return heard
  }

  /** What the session's stream was reset with; undefined: it lives. */
  get fault(): number | undefined {
    return this.pair.server.resets.find(([id]) => id === this.connectId)?.[1]
  }
}

/** Everything of one stream, and then the next. */
async function readAll(session: WebTransportServerSession): Promise<void> {
  for await (const stream of session.incomingUnidirectionalStreams) for await (const _ of stream);
}

describe('draft-ietf-webtrans-http3 section 5: what a client may not do', () => {
  test.each(['bidi', 'uni'] as const)('section 5.6.2: a %s stream too many: WT_FLOW_CONTROL_ERROR', async direction => {
    const flow = await Flow.open()
    const most = direction === 'bidi' ? few.bidirectionalStreams : few.unidirectionalStreams
    for (let i = 0; i < most; i++) flow.stream(direction, bytes('61'))
    await flow.pair.settle()
    expect(flow.fault).toBeUndefined()
    const last = flow.stream(direction, bytes('61'))
    await flow.pair.settle()
    expect(flow.fault).toBe(FlowControlError)
    expect(flow.pair.server.stops).toContainEqual([last, WebTransportCode.SessionGone])
    await expect(flow.session.closed).rejects.toMatchObject({ source: 'session' })
    expect([flow.code, flow.server.activeCount]).toEqual([undefined, 0])
  })
  test('section 5.6.2: streams that came before their session count, and those that were reset', async () => {
    const flow = await Flow.open()
    const next = 4
    for (let i = 0; i < 4; i++) {
      const id = flow.open('uni', concat(streamHeader(0x54, next), bytes('61')))
      await flow.pair.settle()
      if (i === 0) flow.pair.client.reset(id, 0)
    }
    expect(flow.connect('webtransport-h3')).toBe(next)
    await flow.pair.settle()
    expect(flow.pair.server.resets).toContainEqual([next, FlowControlError])
    expect(flow.fault).toBeUndefined()
  })
  test('section 5.6.4: more data than the limit, though nobody reads: WT_FLOW_CONTROL_ERROR', async () => {
    const flow = await Flow.open()
    flow.stream('uni', new Uint8Array(60))
    const second = flow.stream('bidi', new Uint8Array(40))
    await flow.pair.settle()
    expect(flow.fault).toBeUndefined()
    flow.pair.client.write(second, new Uint8Array(1), false)
    await flow.pair.settle()
    expect(flow.fault).toBe(FlowControlError)
  })
  test('section 5.6.4: data of streams that nobody wants counts, and is given back', async () => {
    const flow = await Flow.open()
    const id = flow.stream('uni', new Uint8Array(10))
    await flow.pair.settle()
    const { value } = await flow.session.incomingUnidirectionalStreams.getReader().read()
    await value?.cancel()
    for (let i = 0; i < 3; i++) {
      flow.pair.client.write(id, new Uint8Array(90), false)
      await flow.pair.settle()
    }
    expect(flow.fault).toBeUndefined()
    expect(flow.heard().filter(([type]) => type === CapsuleType.MaxData)).toEqual([
      [CapsuleType.MaxData, 200n],
      [CapsuleType.MaxData, 290n],
      [CapsuleType.MaxData, 380n],
    ])
    flow.pair.client.write(id, new Uint8Array(200), false)
    await flow.pair.settle()
    expect(flow.fault).toBe(FlowControlError)
  })
  test.each([
    ['WT_MAX_DATA', CapsuleType.MaxData, 100],
    ['WT_MAX_STREAMS of bidirectional ones', CapsuleType.MaxStreamsBidi, 2],
    ['WT_MAX_STREAMS of unidirectional ones', CapsuleType.MaxStreamsUni, 3],
  ])('section 5.6: %s that does not grow: WT_FLOW_CONTROL_ERROR', async (_, type, limit) => {
    for (const bad of [limit, limit - 1, 0]) {
      const flow = await Flow.open()
      await flow.say(writeMaximum(type, bad))
      expect(flow.fault).toBe(FlowControlError)
    }
    const flow = await Flow.open()
    await flow.say(writeMaximum(type, limit + 2))
    expect(flow.fault).toBeUndefined()
    await flow.say(writeMaximum(type, limit + 1))
    expect(flow.fault).toBe(FlowControlError)
  })
  test.each([
    ['WT_MAX_STREAMS', CapsuleType.MaxStreamsBidi],
    ['WT_MAX_STREAMS', CapsuleType.MaxStreamsUni],
    ['WT_STREAMS_BLOCKED', CapsuleType.StreamsBlockedBidi],
    ['WT_STREAMS_BLOCKED', CapsuleType.StreamsBlockedUni],
  ])('section 5.6.2-3: %s (%i) of more than 2^60: WT_FLOW_CONTROL_ERROR', async (_, type) => {
    const flow = await Flow.open()
    await flow.say(writeCapsule(type, bytes('d000000000000000')))
    expect(flow.fault).toBeUndefined()
    await flow.say(writeCapsule(type, bytes('d000000000000001')))
    expect(flow.fault).toBe(FlowControlError)
  })
  test.each(['', '40', '0101', '80000001ff'])(
    'RFC 9297 §3.3: a limit that is no integer (%s): H3_MESSAGE_ERROR',
    async value => {
      const flow = await Flow.open()
      await flow.say(writeCapsule(CapsuleType.MaxData, bytes(value)))
      expect(flow.fault).toBe(Code.MessageError)
    },
  )
})

describe('section 5: limits that are kept', () => {
  test('section 5.1: sessions of several at once, each with limits of its own', async () => {
    const flow = await Flow.open()
    const second = flow.connect('webtransport-h3')
    await flow.pair.settle()
    expect(flow.sessions.length).toBe(2)
    for (const id of [flow.connectId, second]) flow.open('uni', concat(streamHeader(0x54, id), new Uint8Array(100)))
    await flow.pair.settle()
    expect(flow.pair.server.resets).toEqual([])
  })
  test.each([
    ['of which the client says nothing', few, clientSettings('ac7cf000 01')],
    ['that are not offered', { data: 0, bidirectionalStreams: 0, unidirectionalStreams: 0 }, flowSettings(few)],
  ])('section 5.1: of limits %s there are none, and capsules are ignored', async (_, ours, theirs) => {
    const flow = await Flow.open(ours, theirs)
    await flow.say(writeMaximum(CapsuleType.MaxData, 0), writeMaximum(CapsuleType.StreamsBlockedBidi, 9))
    for (let i = 0; i < 9; i++) flow.stream('uni', new Uint8Array(1000), true)
    const [one, two] = [flow.connect('webtransport-h3'), flow.connect('webtransport-h3')]
    await flow.pair.settle()
    expect(flow.fault).toBeUndefined()
    expect(flow.pair.server.resets).toEqual([
      [one, Code.RequestRejected],
      [two, Code.RequestRejected],
    ])
    const writer = (await flow.session.createUnidirectionalStream()).getWriter()
    await writer.write(new Uint8Array(5000))
  })
  test('section 5.2: of two that come at once while the first is thought about, the second is refused', async () => {
    const raw = new Raw({ accept: async () => true }, clientSettings('ac7cf000 01'))
    raw.connect('webtransport-h3')
    const second = raw.connect('webtransport-h3')
    await raw.pair.settle()
    expect(raw.sessions.length).toBe(1)
    expect(raw.pair.server.resets).toEqual([[second, Code.RequestRejected]])
  })
  test('section 5.5: limits rise as data is read and streams are closed', async () => {
    const flow = await Flow.open()
    readAll(flow.session).catch(() => {})
    for (let i = 0; i < 30; i++) {
      flow.stream('uni', new Uint8Array(50), true)
      await flow.pair.settle()
    }
    expect(flow.fault).toBeUndefined()
    const heard = flow.heard()
    expect(heard.filter(([type]) => type === CapsuleType.MaxStreamsUni).at(-1)?.[1]).toBeGreaterThan(30n)
    expect(heard.filter(([type]) => type === CapsuleType.MaxData).at(-1)).toEqual([CapsuleType.MaxData, 1600n])
    expect(heard.length).toBeLessThanOrEqual(45)
  })
  test('section 5.6.4-5: a writer waits at the limit, says so once, and goes on', async () => {
    const flow = await Flow.open()
    const writer = (await flow.session.createUnidirectionalStream()).getWriter()
    let isWritten = false
    const written = writer.write(new Uint8Array(250)).then(() => {
      isWritten = true
    })
    await flow.pair.settle()
    expect(arrived(flow)).toBe(100)
    expect(flow.heard()).toEqual([[CapsuleType.DataBlocked, 100n]])
    await flow.say(writeMaximum(CapsuleType.MaxData, 200))
    expect([arrived(flow), isWritten]).toEqual([200, false])
    expect(flow.heard()).toEqual([[CapsuleType.DataBlocked, 200n]])
    await flow.say(writeMaximum(CapsuleType.MaxData, 250))
    await written
    expect([arrived(flow), flow.heard()]).toEqual([250, []])
  })
  test.each(['bidi', 'uni'] as const)('section 5.6.3: opening %s streams waits at the limit', async direction => {
    const flow = await Flow.open()
    const open = (): Promise<unknown> =>
      direction === 'bidi' ? flow.session.createBidirectionalStream() : flow.session.createUnidirectionalStream()
    const [max, blocked, most] =
      direction === 'bidi'
        ? ([CapsuleType.MaxStreamsBidi, CapsuleType.StreamsBlockedBidi, 2] as const)
        : ([CapsuleType.MaxStreamsUni, CapsuleType.StreamsBlockedUni, 3] as const)
    let opened = 0
    for (let i = 0; i < most + 2; i++) open().then(() => opened++)
    await flow.pair.settle()
    expect([opened, flow.heard()]).toEqual([most, [[blocked, BigInt(most)]]])
    await flow.say(writeMaximum(max, most + 1))
    expect([opened, flow.heard()]).toEqual([most + 1, [[blocked, BigInt(most + 1)]]])
    await flow.say(writeMaximum(max, 2 ** 40))
    expect([opened, flow.heard()]).toEqual([most + 2, []])
  })
  test('RFC 9000 §4.5: what was written and never sent takes nothing of the limit', async () => {
    const flow = await Flow.open()
    const first = (await flow.session.createUnidirectionalStream()).getWriter()
    await first.write(new Uint8Array(80))
    // Before anything has gone out.
    await first.abort()
    const second = (await flow.session.createUnidirectionalStream()).getWriter()
    await second.write(new Uint8Array(100))
    await flow.pair.settle()
    expect(flow.heard()).toEqual([])
  })
  test('limits that nobody takes from us do not pile up', async () => {
    const flow = await Flow.open()
    flow.heard()
    readAll(flow.session).catch(() => {})
    const { server } = flow.pair
    server.window = 0
    server.highWater = 1
    const id = flow.stream('uni')
    for (let i = 0; i < 10; i++) {
      flow.pair.client.write(id, new Uint8Array(i === 0 ? 60 : 10), false)
      await flow.pair.settle()
    }
    expect([flow.fault, server.flow(flow.connectId).queued.length]).toEqual([undefined, 1])
    server.window = 1000
    await flow.pair.settle()
    expect(flow.heard()).toEqual([
      [CapsuleType.MaxData, 160n],
      [CapsuleType.MaxData, 250n],
    ])
  })
})

/** Bytes of content on the stream the server opened last. */
function arrived(flow: Flow): number {
  return (flow.pair.server.sent.at(-1)?.moved ?? 0) - streamHeader(0x54, flow.connectId).length
}
