// Two Http3Transports joined in memory: bytes arrive when `settle` runs, in pieces of any size, with a window.

import type { Http3Transport, Http3TransportEvent, StreamCount } from '../../src/http3/transport.ts'

interface Sink {
  onEvent(event: Http3TransportEvent): void
}

class Flow {
  queued: Uint8Array[] = [] // at the sender
  arrived: Uint8Array[] = [] // at the receiver
  fin: 'none' | 'queued' | 'arrived' | 'read' = 'none'
  isBlocked = false
  isClosed = false
  isOpened = false
  writes = 0
  /** Bytes that went to the receiver, and those it has read. */
  moved = 0
  taken = 0
  isCounted = false
}

export class FakeTransport implements Http3Transport {
  readonly events: Http3TransportEvent[] = []
  sink: Sink | undefined
  closedWith: { code: number; reason: string } | undefined
  isHandshakeConfirmed = true
  readonly early = new Set<number>()
  readonly resets: [id: number, code: number][] = []
  readonly stops: [id: number, code: number][] = []
  readonly priorities: [id: number, urgency: number, isIncremental: boolean][] = []
  readonly sent: Flow[] = []
  streamLimit = { bidi: 100, uni: 10 }
  pieceSize: number = Number.POSITIVE_INFINITY
  window = 65_536
  highWater = 65_536
  peer: FakeTransport = this
  readonly #parity: number
  readonly #opened = { bidi: 0, uni: 0 }

  constructor(isServer: boolean) {
    this.#parity = isServer ? 1 : 0
  }

  openStream(direction: 'bidi' | 'uni'): number | undefined {
    if (this.#opened[direction] >= this.streamLimit[direction]) return undefined
    return 4 * this.#opened[direction]++ + (direction === 'uni' ? 2 : 0) + this.#parity
  }

  flow(id: number): Flow {
    this.sent[id] ??= new Flow()
    return this.sent[id]
  }

  write(id: number, bytes: Uint8Array, fin: boolean): number {
    const flow = this.flow(id)
    if (flow.isClosed || flow.fin !== 'none' || this.closedWith) throw new Error('stream cannot be written')
    flow.writes++
    if (bytes.length > 0) flow.queued.push(bytes)
    if (fin) flow.fin = 'queued'
    const room = this.highWater - size(flow.queued)
    if (room <= 0) flow.isBlocked = true
    return room
  }

  read(id: number): { data: Uint8Array; fin: boolean } | undefined {
    const flow = this.peer.flow(id)
    const data = flow.isClosed ? undefined : flow.arrived.shift()
    const fin = flow.fin === 'arrived' && flow.arrived.length === 0
    if (data === undefined && !fin) return undefined
    if (fin) flow.fin = 'read'
    flow.taken += data?.length ?? 0
    return { data: data ?? new Uint8Array(0), fin }
  }

  reset(id: number, errorCode: number): void {
    this.flow(id).isClosed = true
    this.resets.push([id, errorCode])
    this.peer.#open(id)
    this.#tellCount(id, true)
    this.peer.events.push({ type: 'streamReset', id, errorCode })
  }

  count(id: number): StreamCount {
    const incoming = this.peer.flow(id)
    incoming.isCounted = true
    const isFinal = incoming.isClosed || incoming.fin === 'arrived' || incoming.fin === 'read'
    return { sent: this.flow(id).moved, received: incoming.moved, read: incoming.taken, isFinal }
  }

  stop(id: number, errorCode: number): void {
    this.stops.push([id, errorCode])
    this.peer.flow(id).arrived = []
    this.peer.events.push({ type: 'streamStopped', id, errorCode })
  }

  close(code: number, reason: string): void {
    this.closedWith = { code, reason }
    this.events.push({ type: 'closed', error: undefined })
    this.peer.events.push({ type: 'closed', error: new Error(`closed by peer: ${code} ${reason}`) })
  }

  isEarly(id: number): boolean {
    return this.early.has(id)
  }

  setPriority(id: number, urgency: number, isIncremental: boolean): void {
    this.priorities.push([id, urgency, isIncremental])
  }

  /** Waits for `deliverDatagrams`. */
  readonly datagrams: Uint8Array[] = []
  readonly datagramLimits = { size: 1200, room: 64 }

  sendDatagram(data: Uint8Array): boolean {
    if (data.length > this.datagramLimits.size) return false
    this.datagrams.push(data)
    return true
  }

  /** Moves what fits the window to the peer and raises its events; true when something moved. */
  deliver(): boolean {
    let moved = false
    this.sent.forEach((flow, id) => {
      let hasNew = false
      while (flow.queued.length > 0 && size(flow.arrived) < this.window) {
        const chunk = flow.queued.shift() as Uint8Array
        const piece = chunk.subarray(0, this.pieceSize)
        if (piece.length < chunk.length) flow.queued.unshift(chunk.subarray(piece.length))
        if (!flow.isClosed) {
          flow.arrived.push(piece)
          flow.moved += piece.length
        }
        hasNew = true
      }
      if (flow.fin === 'queued' && flow.queued.length === 0) {
        flow.fin = 'arrived'
        hasNew = true
        this.events.push({ type: 'streamFinished', id })
      }
      if (hasNew && !flow.isClosed) {
        this.peer.#open(id)
        this.#tellCount(id, flow.fin === 'arrived')
        this.peer.events.push({ type: 'readable', id })
      }
      if (flow.isBlocked && size(flow.queued) < this.highWater) {
        flow.isBlocked = false
        this.events.push({ type: 'writable', id })
      }
      moved ||= hasNew
    })
    return moved
  }

  /** Gives the sink what happened; true when something did. */
  drain(): boolean {
    let any = false
    for (let event = this.events.shift(); event !== undefined; event = this.events.shift()) {
      any = true
      this.sink?.onEvent(event)
    }
    return any
  }

  #tellCount(id: number, isFinal: boolean): void {
    const { isCounted, moved: length } = this.flow(id)
    if (isCounted) this.peer.events.push({ type: 'streamCounted', id, length, isFinal })
  }

  #open(id: number): void {
    const flow = this.peer.flow(id)
    if (!flow.isOpened && id % 2 !== this.#parity) this.events.push({ type: 'streamOpened', id })
    flow.isOpened = true
  }
}

export class FakePair {
  readonly client: FakeTransport = new FakeTransport(false)
  readonly server: FakeTransport = new FakeTransport(true)

  constructor() {
    this.client.peer = this.server
    this.server.peer = this.client
  }

  /** Runs both ends, and the promises between, until nothing moves. */
  async settle(): Promise<void> {
    for (let idle = 0; idle < 3; idle++) {
      if (this.step()) idle = 0
      await new Promise(resolve => setImmediate(resolve))
    }
  }

  /** Datagrams overtake streams here. */
  deliverDatagrams(): void {
    for (const end of [this.client, this.server]) {
      for (const data of end.datagrams.splice(0)) end.peer.sink?.onEvent({ type: 'datagram', data })
    }
  }

  /** One exchange without giving promises a turn. */
  step(): boolean {
    const moved = [this.client.deliver(), this.server.deliver(), this.client.drain(), this.server.drain()]
    return moved.includes(true)
  }
}

function size(chunks: readonly Uint8Array[]): number {
  let total = 0
  for (const chunk of chunks) total += chunk.length
  return total
}
