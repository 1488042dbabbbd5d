// RFC 9000 §3.1, walked from outside: every event in every state of the sending part, real frames in and out.

import { describe, expect, test } from 'vitest'
import { type Frame, FrameType } from '../../src/packet/frames/frame.ts'
import { errorCodeName, TransportError } from '../../src/packet/transport-error.ts'
import { deliver, End, framesOf, limits, type Packet, packetOf, readAll } from './link.ts'

const states = ['Ready', 'Send', 'DataSent', 'ResetSent', 'DataRecvd', 'ResetRecvd'] as const
type State = (typeof states)[number]

/** A stream of a client, and what became of it. */
class Walker {
  readonly end: End = new End('client', limits(), limits())
  readonly id: number
  /** Of the first bytes, of the FIN, of RESET_STREAM. */
  readonly packets: { data?: Packet; fin?: Packet; reset?: Packet } = {}
  readonly seen: Frame[] = []
  readonly facts: string[] = []

  constructor(direction: 'bidi' | 'uni') {
    this.id = this.set.open(direction) as number
    if (direction === 'uni') return
    // What the peer has to say is over: the sending part alone keeps the stream.
    deliver(this.set, { type: FrameType.Stream, id: this.id, offset: 0, data: new Uint8Array(0), fin: true })
    readAll(this.set, this.id)
  }

  get set(): End['set'] {
    return this.end.set
  }

  reach(state: State): this {
    if (state === 'Ready') return this
    this.set.send(this.id, new Uint8Array(100), false)
    this.packets.data = this.send()
    if (state === 'Send') return this
    this.set.send(this.id, new Uint8Array(0), true)
    this.packets.fin = this.send()
    if (state === 'DataRecvd') this.ack('data', 'fin')
    if (state === 'DataSent' || state === 'DataRecvd') return this
    this.set.reset(this.id, 7)
    this.packets.reset = this.send()
    if (state === 'ResetRecvd') this.ack('reset')
    return this
  }

  send(): Packet {
    const packet = packetOf(this.set)
    this.seen.push(...framesOf(packet))
    return packet
  }

  ack(...names: ('data' | 'fin' | 'reset')[]): void {
    this.#fate(names, frame => this.set.onAcked(frame))
  }

  lose(...names: ('data' | 'fin' | 'reset')[]): void {
    this.#fate(names, frame => this.set.onLost(frame))
  }

  /** The state, and what the next packet holds: as far as one can tell from outside. */
  look(): string {
    const next = framesOf(packetOf(this.set))
    const due = next.map(nameOf).join(' ')
    return due === '' ? this.#state() : `${this.#state()}: ${due}`
  }

  #state(): State {
    this.#takeFacts()
    if (this.set.openCount === 0) return this.facts.includes('streamFinished') ? 'DataRecvd' : 'ResetRecvd'
    // Only a stream that may still send is stopped.
    deliver(this.set, { type: FrameType.StopSending, id: this.id, errorCode: 99 })
    const before = this.facts.length
    this.#takeFacts()
    if (!this.facts.slice(before).includes('streamStopped')) return 'ResetSent'
    if (this.seen.length === 0) return 'Ready'
    return this.seen.some(isEnd) ? 'DataSent' : 'Send'
  }

  #takeFacts(): void {
    for (const fact of this.end.facts.splice(0)) this.facts.push(fact.type)
  }

  #fate(names: readonly ('data' | 'fin' | 'reset')[], tell: (frame: Packet['frames'][number]) => void): void {
    for (const name of names) {
      const packet = this.packets[name]
      if (packet === undefined) throw new Impossible()
      for (const frame of packet.frames) tell(frame)
    }
  }
}

function isEnd(frame: Frame): boolean {
  return frame.type === FrameType.ResetStreamAt || (frame.type === FrameType.Stream && frame.fin)
}

/** What was never sent is neither acknowledged nor lost. */
class Impossible extends Error {}

function nameOf(frame: Frame): string {
  if (frame.type === FrameType.Stream) return frame.fin ? 'STREAM+FIN' : 'STREAM'
  if (frame.type === FrameType.ResetStreamAt) return 'RESET_STREAM_AT'
  if (frame.type === FrameType.ResetStream) return 'RESET_STREAM'
  if (frame.type === FrameType.StreamDataBlocked) return 'STREAM_DATA_BLOCKED'
  return `frame ${frame.type}`
}

const nothing = new Uint8Array(0)
const ten = new Uint8Array(10)

const events: Record<string, (w: Walker) => void> = {
  'the application writes': w => void w.set.send(w.id, ten, false),
  'the application ends it': w => void w.set.send(w.id, nothing, true),
  'STREAM is sent': w => {
    w.set.send(w.id, ten, false)
    w.send()
  },
  'STREAM with FIN is sent': w => {
    w.set.send(w.id, ten, true)
    w.send()
  },
  'more than the limit is sent': w => {
    w.set.send(w.id, new Uint8Array(60_000), false)
    while (w.set.hasDataToSend) w.send()
  },
  'the application resets': w => w.set.reset(w.id, 9),
  'RESET_STREAM is sent': w => {
    w.set.reset(w.id, 9)
    w.send()
  },
  'RESET_STREAM_AT is sent, for what was': w => {
    w.set.reset(w.id, 9, 50)
    w.packets.reset = w.send()
  },
  'ACK of that RESET_STREAM_AT': w => {
    w.set.reset(w.id, 9, 50)
    w.packets.reset = w.send()
    w.ack('reset')
  },
  'ACK of that RESET_STREAM_AT and the data': w => {
    w.set.reset(w.id, 9, 50)
    w.packets.reset = w.send()
    w.ack('data', 'reset')
  },
  'loss of that RESET_STREAM_AT and the data': w => {
    w.set.reset(w.id, 9, 50)
    w.packets.reset = w.send()
    w.lose('reset', 'data')
  },
  'that RESET_STREAM_AT, then a reset': w => {
    w.set.reset(w.id, 9, 50)
    w.packets.reset = w.send()
    w.set.reset(w.id, 9)
  },
  'the application reads': w => expect(w.set.receive(w.id)).toBe(undefined),
  'a priority is set': w => w.set.setPriority(w.id, 1, false),
  STOP_SENDING: w => w.set.onStopSending({ type: FrameType.StopSending, id: w.id, errorCode: 5 }),
  'MAX_STREAM_DATA, more': w => w.set.onMaxStreamData({ type: FrameType.MaxStreamData, id: w.id, maximum: 90_000 }),
  'MAX_STREAM_DATA, less': w => w.set.onMaxStreamData({ type: FrameType.MaxStreamData, id: w.id, maximum: 1 }),
  'ACK of the data': w => w.ack('data'),
  'ACK of the FIN': w => w.ack('fin'),
  'ACK of data and FIN': w => w.ack('data', 'fin'),
  'ACK of RESET_STREAM': w => w.ack('reset'),
  'loss of the data': w => w.lose('data'),
  'loss of the FIN': w => w.lose('fin'),
  'loss of RESET_STREAM': w => w.lose('reset'),
  'loss of the data, then its ACK': w => {
    w.lose('data')
    w.ack('data')
  },
  'loss of RESET_STREAM, then its ACK': w => {
    w.lose('reset')
    w.ack('reset')
  },
  'early data is rejected': w => {
    w.set.rejectEarly()
    w.set.applyPeerLimits(limits())
    w.seen.length = 0
  },
}
/**
 * The next state and, after a colon, what the next packet holds; what a verb answers; or -, where the event cannot be. A
 * stream that is gone without having been finished counts as reset.
 */
const table: Record<string, readonly string[]> = {
  //                           Ready, Send, DataSent, ResetSent, DataRecvd, ResetRecvd
  'the application writes': ['Ready: STREAM', 'Send: STREAM', 'ended', 'ended', 'not open', 'not open'],
  'the application ends it': ['Ready: STREAM+FIN', 'Send: STREAM+FIN', 'ended', 'ended', 'not open', 'not open'],
  'STREAM is sent': ['Send', 'Send', 'ended', 'ended', 'not open', 'not open'],
  'STREAM with FIN is sent': ['DataSent', 'DataSent', 'ended', 'ended', 'not open', 'not open'],
  'more than the limit is sent': ['Send', 'Send', 'ended', 'ended', 'not open', 'not open'],
  'the application resets': [
    'ResetSent: RESET_STREAM',
    'ResetSent: RESET_STREAM',
    'ResetSent: RESET_STREAM',
    'ResetSent',
    'DataRecvd',
    'ResetRecvd',
  ],
  'RESET_STREAM is sent': ['ResetSent', 'ResetSent', 'ResetSent', 'ResetSent', 'DataRecvd', 'ResetRecvd'],
  'RESET_STREAM_AT is sent, for what was': [
    'not written',
    'DataSent',
    'DataSent',
    'ResetSent',
    'DataRecvd',
    'ResetRecvd',
  ],
  'ACK of that RESET_STREAM_AT': ['not written', 'DataSent', 'DataSent', 'ResetSent', 'DataRecvd', 'ResetRecvd'],
  'ACK of that RESET_STREAM_AT and the data': [
    'not written',
    'ResetRecvd',
    'ResetRecvd',
    'ResetSent',
    'DataRecvd',
    'ResetRecvd',
  ],
  'loss of that RESET_STREAM_AT and the data': [
    'not written',
    'DataSent: RESET_STREAM_AT STREAM',
    'DataSent: RESET_STREAM_AT STREAM',
    'ResetSent',
    'DataRecvd',
    'ResetRecvd',
  ],
  'that RESET_STREAM_AT, then a reset': [
    'not written',
    'ResetSent: RESET_STREAM',
    'ResetSent: RESET_STREAM',
    'ResetSent',
    'DataRecvd',
    'ResetRecvd',
  ],
  'the application reads': ['Ready', 'Send', 'DataSent', 'ResetSent', 'DataRecvd', 'ResetRecvd'],
  'a priority is set': ['Ready', 'Send', 'DataSent', 'ResetSent', 'DataRecvd', 'ResetRecvd'],
  STOP_SENDING: [
    'ResetSent: RESET_STREAM',
    'ResetSent: RESET_STREAM',
    'ResetSent: RESET_STREAM',
    'ResetSent',
    'DataRecvd',
    'ResetRecvd',
  ],
  'MAX_STREAM_DATA, more': ['Ready', 'Send', 'DataSent', 'ResetSent', 'DataRecvd', 'ResetRecvd'],
  'MAX_STREAM_DATA, less': ['Ready', 'Send', 'DataSent', 'ResetSent', 'DataRecvd', 'ResetRecvd'],
  'ACK of the data': ['-', 'Send', 'DataSent', 'ResetSent', 'DataRecvd', 'ResetRecvd'],
  'ACK of the FIN': ['-', '-', 'DataSent', 'ResetSent', 'DataRecvd', 'ResetRecvd'],
  'ACK of data and FIN': ['-', '-', 'DataRecvd', 'ResetSent', 'DataRecvd', 'ResetRecvd'],
  'ACK of RESET_STREAM': ['-', '-', '-', 'ResetRecvd', '-', 'ResetRecvd'],
  'loss of the data': ['-', 'Send: STREAM', 'DataSent: STREAM+FIN', 'ResetSent', 'DataRecvd', 'ResetRecvd'],
  'loss of the FIN': ['-', '-', 'DataSent: STREAM+FIN', 'ResetSent', 'DataRecvd', 'ResetRecvd'],
  'loss of RESET_STREAM': ['-', '-', '-', 'ResetSent: RESET_STREAM', '-', 'ResetRecvd'],
  'loss of the data, then its ACK': ['-', 'Send', 'DataSent', 'ResetSent', 'DataRecvd', 'ResetRecvd'],
  'loss of RESET_STREAM, then its ACK': ['-', '-', '-', 'ResetRecvd', '-', 'ResetRecvd'],
  'early data is rejected': [
    'Ready',
    'Ready: STREAM',
    'Ready: STREAM+FIN',
    'ResetSent: RESET_STREAM',
    'DataRecvd',
    'ResetRecvd',
  ],
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
  [/has been ended/, 'ended'],
  [/is send-only/, 'send-only'],
  [/^reliableSize must be/, 'not written'],
]

test('RFC 9000 §3.1: the table has a cell for every event in every state', () => {
  expect(Object.keys(table)).toEqual(Object.keys(events))
  for (const row of Object.values(table)) expect(row).toHaveLength(states.length)
})

describe.each(['uni', 'bidi'] as const)('RFC 9000 §3.1: the sending part of a %s stream', direction => {
  for (const [event, act] of Object.entries(events)) {
    test(event, () => {
      expect(states.map(state => outcome(direction, state, act))).toEqual(table[event])
    })
  }
})

const received: [name: string, frame: (id: number) => Frame][] = [
  ['STREAM', id => ({ type: FrameType.Stream, id, offset: 0, data: ten, fin: false })],
  ['RESET_STREAM', id => ({ type: FrameType.ResetStream, id, errorCode: 0, finalSize: 0 })],
  ['STREAM_DATA_BLOCKED', id => ({ type: FrameType.StreamDataBlocked, id, limit: 0 })],
]

test.each(received)(
  'RFC 9000 §19: %s for a stream that only we send on is STREAM_STATE_ERROR in every state',
  (_, frame) => {
    const act = (w: Walker): void => deliver(w.set, frame(w.id))
    expect(states.map(state => outcome('uni', state, act))).toEqual(states.map(() => 'StreamStateError'))
  },
)

test('a send-only stream cannot be stopped; one that is gone is not asked', () => {
  const act = (w: Walker): void => w.set.stop(w.id, 1)
  const refused = ['send-only', 'send-only', 'send-only', 'send-only']
  expect(states.map(state => outcome('uni', state, act))).toEqual([...refused, 'DataRecvd', 'ResetRecvd'])
})

test('RFC 9000 §4.1: STREAM_DATA_BLOCKED alone opens a stream, too', () => {
  const end = new End('client', limits(), limits({ maxStreamDataUni: 0 }))
  const id = end.set.open('uni') as number
  end.set.send(id, ten, false)
  expect(framesOf(packetOf(end.set))).toEqual([{ type: FrameType.StreamDataBlocked, id, limit: 0 }])
  end.set.reset(id, 1)
  expect(framesOf(packetOf(end.set))).toEqual([{ type: FrameType.ResetStream, id, errorCode: 1, finalSize: 0 }])
})
