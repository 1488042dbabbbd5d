// RFC 9000 §3.2, walked from outside: every event in every state of the receiving part, real frames in and out.

import { describe, expect, test } from 'vitest'
import { type Frame, FrameType } from '../../src/packet/frames/frame.ts'
import { errorCodeName, TransportError } from '../../src/packet/transport-error.ts'
import { deliver, End, framesOf, limits, type Packet, packetOf } from './link.ts'

/**
 * Of a stream of 30 bytes: 10 have come; the FIN too, without the 10 between; all have; the application has them; it was
 * told of a reset. "Reset Recvd" is left in the moment it is entered: the event is the application's reading. A stream
 * that the application has stopped waits for nothing but its final size.
 */
const states = ['Recv', 'SizeKnown', 'DataRecvd', 'DataRead', 'ResetRead', 'Recv, stopped'] as const
type State = (typeof states)[number]

const SIZE = 30
const WINDOW = 1000

class Walker {
  readonly end: End = new End('server', limits({ maxStreamDataUni: WINDOW, maxStreamDataBidiRemote: WINDOW }), limits())
  readonly id: number
  readonly facts: string[] = []
  readonly packets: { stop?: Packet; credit?: Packet } = {}

  constructor(direction: 'bidi' | 'uni') {
    this.id = direction === 'uni' ? 2 : 0
    this.stream(0, 10)
    if (direction === 'uni') return
    // The sending part is over.
    this.set.send(this.id, new Uint8Array(0), true)
    for (const frame of packetOf(this.set).frames) this.set.onAcked(frame)
  }

  get set(): End['set'] {
    return this.end.set
  }

  stream(from: number, to: number, fin = false): void {
    deliver(this.set, { type: FrameType.Stream, id: this.id, offset: from, data: new Uint8Array(to - from), fin })
  }

  reset(finalSize: number, errorCode = 7): void {
    deliver(this.set, { type: FrameType.ResetStream, id: this.id, errorCode, finalSize })
  }

  resetAt(finalSize: number, reliableSize: number): void {
    deliver(this.set, { type: FrameType.ResetStreamAt, id: this.id, errorCode: 7, finalSize, reliableSize })
  }

  read(): void {
    while (this.set.receive(this.id) !== undefined);
  }

  stop(): void {
    this.set.stop(this.id, 4)
    this.packets.stop = packetOf(this.set)
  }

  reach(state: State): this {
    if (state === 'Recv, stopped') this.stop()
    if (state === 'ResetRead') this.reset(SIZE)
    this.#takeFacts()
    if (state === 'Recv' || state === 'Recv, stopped' || state === 'ResetRead') return this
    this.stream(20, SIZE, true)
    if (state !== 'SizeKnown') this.stream(10, 20)
    if (state === 'DataRead') this.read()
    return this
  }

  /** The state, what the application is told, and what the next packet holds. */
  look(): string {
    const before = this.facts.length
    this.#takeFacts()
    const due = framesOf(packetOf(this.set)).filter(isOfStream).map(nameOf)
    const told = this.facts.slice(before).filter(fact => fact === 'streamReset')
    const more = [...told, ...due].join(' ')
    return more === '' ? this.#state() : `${this.#state()}: ${more}`
  }

  #state(): string {
    if (this.set.openCount === 0) return this.facts.includes('streamReset') ? 'ResetRead' : 'DataRead'
    const chunks: number[] = []
    let isWhole = false
    for (let chunk = this.set.receive(this.id); chunk !== undefined; chunk = this.set.receive(this.id)) {
      chunks.push(chunk.data.length)
      isWhole = chunk.fin
    }
    this.#takeFacts()
    if (isWhole) return 'DataRecvd'
    if (this.facts.includes('streamReset')) return 'DataRecvd, reset'
    // More than the final size is an error where it is known.
    try {
      this.stream(900, 901)
      return this.packets.stop === undefined ? 'Recv' : 'Recv, stopped'
    } catch {
      return 'SizeKnown'
    }
  }

  #takeFacts(): void {
    for (const fact of this.end.facts.splice(0)) this.facts.push(fact.type)
  }
}

class Impossible extends Error {}

function isOfStream({ type }: Frame): boolean {
  return type !== FrameType.MaxStreamsBidi && type !== FrameType.MaxStreamsUni
}

function nameOf(frame: Frame): string {
  if (frame.type === FrameType.StopSending) return 'STOP_SENDING'
  if (frame.type === FrameType.MaxStreamData) return 'MAX_STREAM_DATA'
  return `frame ${frame.type}`
}

function stopPacket(w: Walker): Packet {
  if (w.packets.stop === undefined) throw new Impossible()
  return w.packets.stop
}

const events: Record<string, (w: Walker) => void> = {
  'STREAM, new': w => w.stream(10, 15),
  'STREAM, the same again': w => w.stream(0, 10),
  'STREAM, empty': w => w.stream(0, 0),
  'STREAM, all that is missing': w => w.stream(10, SIZE),
  'STREAM with FIN': w => w.stream(20, SIZE, true),
  'STREAM with FIN, all that is missing': w => w.stream(10, SIZE, true),
  'STREAM with FIN, empty': w => w.stream(SIZE, SIZE, true),
  'STREAM with FIN, another final size': w => w.stream(30, 31, true),
  'STREAM with FIN, below what was received': w => w.stream(0, 5, true),
  'STREAM beyond the final size': w => w.stream(30, 35),
  'STREAM beyond the limit': w => w.stream(WINDOW, WINDOW + 1),
  RESET_STREAM: w => w.reset(SIZE),
  'RESET_STREAM twice': w => {
    w.reset(SIZE)
    w.reset(SIZE)
  },
  'RESET_STREAM, then the data': w => {
    w.reset(SIZE)
    w.stream(0, SIZE, true)
  },
  'RESET_STREAM, another final size': w => w.reset(40),
  'RESET_STREAM, below what was received': w => w.reset(5),
  'RESET_STREAM beyond the limit': w => w.reset(WINDOW + 1),
  'RESET_STREAM_AT, of what is there': w => w.resetAt(SIZE, 10),
  'RESET_STREAM_AT, of more': w => w.resetAt(SIZE, 20),
  'RESET_STREAM_AT of more, then RESET_STREAM': w => {
    w.resetAt(SIZE, 20)
    w.reset(SIZE)
  },
  'RESET_STREAM_AT, then RESET_STREAM with another code': w => {
    w.resetAt(SIZE, 20)
    w.reset(SIZE, 8)
  },
  STREAM_DATA_BLOCKED: w => deliver(w.set, { type: FrameType.StreamDataBlocked, id: w.id, limit: 1 }),
  'a stream with a higher number': w => {
    deliver(w.set, { type: FrameType.StreamDataBlocked, id: w.id + 4, limit: 0 })
    w.set.stop(w.id + 4, 0)
    deliver(w.set, { type: FrameType.ResetStream, id: w.id + 4, errorCode: 0, finalSize: 0 })
    w.end.facts.length = 0
    if (w.id === 0) w.set.reset(4, 0)
    for (const frame of packetOf(w.set).frames) w.set.onAcked(frame)
  },
  'the application reads all': w => w.read(),
  'the application reads nothing more': w => {
    w.read()
    expect(w.set.receive(w.id)).toBe(undefined)
  },
  'the application stops': w => w.set.stop(w.id, 4),
  'STOP_SENDING is sent': w => w.stop(),
  'the application stops, then reads': w => {
    w.stop()
    expect(w.set.receive(w.id)).toBe(undefined)
  },
  'ACK of STOP_SENDING': w => {
    for (const frame of stopPacket(w).frames) w.set.onAcked(frame)
  },
  'loss of STOP_SENDING': w => {
    for (const frame of stopPacket(w).frames) w.set.onLost(frame)
  },
  'early data is rejected': w => {
    w.set.rejectEarly()
    w.set.applyPeerLimits(limits())
  },
}

function outcome(direction: 'bidi' | 'uni', state: State, act: (w: Walker) => void): string {
  const walker = new Walker(direction).reach(state)
  try {
    act(walker)
  } catch (error) {
    if (error instanceof Impossible) return '-'
    if (error instanceof TransportError) return errorCodeName(error.code)
    return answers.find(([pattern]) => pattern.test((error as Error).message))?.[1] ?? String(error)
  }
  return walker.look()
}

const answers: [RegExp, string][] = [
  [/is not open for sending/, 'not open'],
  [/is receive-only/, 'receive-only'],
]

/**
 * The next state and, after a colon, what the application is told or the next packet holds; the code the connection is
 * closed with; or -, where the event cannot be. A stream that is gone without a word of a reset counts as read.
 */
const table: Record<string, readonly string[]> = {
  //                           Recv, SizeKnown, DataRecvd, DataRead, ResetRead, Recv (stopped)
  'STREAM, new': ['Recv', 'SizeKnown', 'DataRecvd', 'DataRead', 'ResetRead', 'Recv, stopped'],
  'STREAM, the same again': ['Recv', 'SizeKnown', 'DataRecvd', 'DataRead', 'ResetRead', 'Recv, stopped'],
  'STREAM, empty': ['Recv', 'SizeKnown', 'DataRecvd', 'DataRead', 'ResetRead', 'Recv, stopped'],
  'STREAM, all that is missing': ['Recv', 'DataRecvd', 'DataRecvd', 'DataRead', 'ResetRead', 'Recv, stopped'],
  'STREAM with FIN': ['SizeKnown', 'SizeKnown', 'DataRecvd', 'DataRead', 'ResetRead', 'DataRead'],
  'STREAM with FIN, all that is missing': ['DataRecvd', 'DataRecvd', 'DataRecvd', 'DataRead', 'ResetRead', 'DataRead'],
  'STREAM with FIN, empty': ['SizeKnown', 'SizeKnown', 'DataRecvd', 'DataRead', 'ResetRead', 'DataRead'],
  'STREAM with FIN, another final size': [
    'SizeKnown',
    'FinalSizeError',
    'FinalSizeError',
    'DataRead',
    'ResetRead',
    'DataRead',
  ],
  'STREAM with FIN, below what was received': [
    'FinalSizeError',
    'FinalSizeError',
    'FinalSizeError',
    'DataRead',
    'ResetRead',
    'FinalSizeError',
  ],
  'STREAM beyond the final size': [
    'Recv',
    'FinalSizeError',
    'FinalSizeError',
    'DataRead',
    'ResetRead',
    'Recv, stopped',
  ],
  'STREAM beyond the limit': [
    'FlowControlError',
    'FinalSizeError',
    'FinalSizeError',
    'DataRead',
    'ResetRead',
    'FlowControlError',
  ],
  RESET_STREAM: ['ResetRead: streamReset', 'ResetRead: streamReset', 'DataRecvd', 'DataRead', 'ResetRead', 'DataRead'],
  'RESET_STREAM twice': [
    'ResetRead: streamReset',
    'ResetRead: streamReset',
    'DataRecvd',
    'DataRead',
    'ResetRead',
    'DataRead',
  ],
  'RESET_STREAM, then the data': [
    'ResetRead: streamReset',
    'ResetRead: streamReset',
    'DataRecvd',
    'DataRead',
    'ResetRead',
    'DataRead',
  ],
  'RESET_STREAM, another final size': [
    'ResetRead: streamReset',
    'FinalSizeError',
    'FinalSizeError',
    'DataRead',
    'ResetRead',
    'DataRead',
  ],
  'RESET_STREAM, below what was received': [
    'FinalSizeError',
    'FinalSizeError',
    'FinalSizeError',
    'DataRead',
    'ResetRead',
    'FinalSizeError',
  ],
  'RESET_STREAM beyond the limit': [
    'FlowControlError',
    'FinalSizeError',
    'FinalSizeError',
    'DataRead',
    'ResetRead',
    'FlowControlError',
  ],
  'RESET_STREAM_AT, of what is there': [
    'DataRecvd, reset',
    'DataRecvd, reset',
    'DataRecvd',
    'DataRead',
    'ResetRead',
    'DataRead',
  ],
  'RESET_STREAM_AT, of more': ['SizeKnown', 'SizeKnown', 'DataRecvd', 'DataRead', 'ResetRead', 'DataRead'],
  'RESET_STREAM_AT of more, then RESET_STREAM': [
    'ResetRead: streamReset',
    'ResetRead: streamReset',
    'DataRecvd',
    'DataRead',
    'ResetRead',
    'DataRead',
  ],
  'RESET_STREAM_AT, then RESET_STREAM with another code': [
    'StreamStateError',
    'StreamStateError',
    'DataRecvd',
    'DataRead',
    'ResetRead',
    'DataRead',
  ],
  STREAM_DATA_BLOCKED: ['Recv', 'SizeKnown', 'DataRecvd', 'DataRead', 'ResetRead', 'Recv, stopped'],
  'a stream with a higher number': ['Recv', 'SizeKnown', 'DataRecvd', 'DataRead', 'ResetRead', 'Recv, stopped'],
  'the application reads all': ['Recv', 'SizeKnown', 'DataRead', 'DataRead', 'ResetRead', 'Recv, stopped'],
  'the application reads nothing more': ['Recv', 'SizeKnown', 'DataRead', 'DataRead', 'ResetRead', 'Recv, stopped'],
  'the application stops': [
    'Recv: STOP_SENDING',
    'DataRead: STOP_SENDING',
    'DataRead',
    'DataRead',
    'ResetRead',
    'Recv, stopped',
  ],
  'STOP_SENDING is sent': ['Recv, stopped', 'DataRead', 'DataRead', 'DataRead', 'ResetRead', 'Recv, stopped'],
  'the application stops, then reads': [
    'Recv, stopped',
    'DataRead',
    'DataRead',
    'DataRead',
    'ResetRead',
    'Recv, stopped',
  ],
  'ACK of STOP_SENDING': ['-', '-', '-', '-', '-', 'Recv, stopped'],
  'loss of STOP_SENDING': ['-', '-', '-', '-', '-', 'Recv, stopped: STOP_SENDING'],
  'early data is rejected': ['Recv', 'SizeKnown', 'DataRecvd', 'DataRead', 'ResetRead', 'Recv, stopped: STOP_SENDING'],
}

test('RFC 9000 §3.2: the table has a cell for every event in every state', () => {
  expect(Object.keys(table)).toEqual(Object.keys(events))
  for (const row of Object.values(table)) expect(row).toHaveLength(states.length)
})

describe.each(['uni', 'bidi'] as const)('RFC 9000 §3.2: the receiving part of a %s stream', direction => {
  for (const [event, act] of Object.entries(events)) {
    test(event, () => {
      expect(states.map(state => outcome(direction, state, act))).toEqual(table[event])
    })
  }
})

const received: [name: string, frame: (id: number) => Frame][] = [
  ['MAX_STREAM_DATA', id => ({ type: FrameType.MaxStreamData, id, maximum: 1 })],
  ['STOP_SENDING', id => ({ type: FrameType.StopSending, id, errorCode: 0 })],
]

test.each(received)(
  'RFC 9000 §19: %s for a stream that only the peer sends on is STREAM_STATE_ERROR in every state',
  (_, frame) => {
    const act = (w: Walker): void => deliver(w.set, frame(w.id))
    expect(states.map(state => outcome('uni', state, act))).toEqual(states.map(() => 'StreamStateError'))
  },
)

test('a receive-only stream cannot be written to, nor reset while it is there', () => {
  const write = (w: Walker): unknown => w.set.send(w.id, new Uint8Array(1), false)
  expect(states.map(state => outcome('uni', state, write))).toEqual(states.map(() => 'not open'))
  const reset = (w: Walker): void => w.set.reset(w.id, 1)
  const there = 'receive-only'
  expect(states.map(state => outcome('uni', state, reset))).toEqual([
    there,
    there,
    there,
    'DataRead',
    'ResetRead',
    there,
  ])
})
