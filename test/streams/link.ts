// Two ends of a connection reduced to their streams, joined by a link that loses, reorders and repeats packets.

import { Reader } from '../../src/bytes/reader.ts'
import { type Frame, FrameType } from '../../src/packet/frames/frame.ts'
import { readFrame } from '../../src/packet/frames/read-frame.ts'
import { Level } from '../../src/packet/level.ts'
import { PacketWriter } from '../../src/packet/packet-writer.ts'
import type { SentFrame } from '../../src/packet/sent-frame.ts'
import type { StreamFact, StreamLimits } from '../../src/streams/stream-set.ts'
import { StreamSet, type StreamSetOptions } from '../../src/streams/stream-set.ts'

/** Numbers from 0 to 1 that are the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

export function limits(some: Partial<StreamLimits> = {}): StreamLimits {
  return {
    maxData: 100_000,
    maxStreamDataBidiLocal: 50_000,
    maxStreamDataBidiRemote: 50_000,
    maxStreamDataUni: 50_000,
    maxStreamsBidi: 10,
    maxStreamsUni: 10,
    ...some,
  }
}

export interface Packet {
  readonly bytes: Uint8Array
  readonly frames: readonly SentFrame[]
}

/** Asks for one packet of at most `size` bytes. */
export function packetOf(set: StreamSet, size = 1200, level: Level = Level.OneRtt): Packet {
  const writer = new PacketWriter(level, new Uint8Array(size), 0, size)
  set.write(writer, 0)
  return { bytes: writer.finish(), frames: writer.frames }
}

export function framesOf(packet: Packet, level: Level = Level.OneRtt): Frame[] {
  const reader = new Reader(packet.bytes)
  const frames: Frame[] = []
  while (!reader.isDone) frames.push(readFrame(reader, level))
  return frames
}

export function deliver(set: StreamSet, frame: Frame, isEarly = false): void {
  switch (frame.type) {
    case FrameType.Stream:
      return set.onStream(frame, isEarly, 0)
    case FrameType.ResetStream:
    case FrameType.ResetStreamAt:
      return set.onResetStream(frame)
    case FrameType.StopSending:
      return set.onStopSending(frame)
    case FrameType.MaxData:
      return set.onMaxData(frame)
    case FrameType.MaxStreamData:
      return set.onMaxStreamData(frame)
    case FrameType.MaxStreamsBidi:
    case FrameType.MaxStreamsUni:
      return set.onMaxStreams(frame)
    case FrameType.DataBlocked:
      return set.onDataBlocked(frame)
    case FrameType.StreamDataBlocked:
      return set.onStreamDataBlocked(frame)
    case FrameType.StreamsBlockedBidi:
    case FrameType.StreamsBlockedUni:
      return set.onStreamsBlocked(frame)
    default:
      throw new Error(`unexpected frame ${frame.type}`)
  }
}

/** Moves everything that is due from one to the other, without loss, and acknowledges it. */
export function flush(from: StreamSet, to: StreamSet, size = 1200): Frame[] {
  const seen: Frame[] = []
  while (from.hasDataToSend) {
    const packet = packetOf(from, size)
    if (packet.frames.length === 0) throw new Error('something is due that does not fit an empty packet')
    for (const frame of framesOf(packet)) {
      seen.push(frame)
      deliver(to, frame)
    }
    for (const frame of packet.frames) from.onAcked(frame)
  }
  return seen
}

export class End {
  readonly set: StreamSet
  readonly facts: StreamFact[] = []

  constructor(role: 'client' | 'server', own: StreamLimits, peer: StreamLimits, options: StreamSetOptions = {}) {
    this.set = new StreamSet(role, own, this.facts, options)
    this.set.applyPeerLimits(peer)
  }

  /** Takes the facts of one type, and drops the others. */
  take<T extends StreamFact['type']>(type: T): Extract<StreamFact, { type: T }>[] {
    return this.facts.splice(0).filter((fact): fact is Extract<StreamFact, { type: T }> => fact.type === type)
  }
}

export function pair(
  client: Partial<StreamLimits> = {},
  server: Partial<StreamLimits> = {},
  options: StreamSetOptions = {},
): { client: End; server: End } {
  const ours = limits(client)
  const theirs = limits(server)
  return { client: new End('client', ours, theirs, options), server: new End('server', theirs, ours, options) }
}

/** All that can be read now, in one piece. */
export function readAll(set: StreamSet, id: number): { data: Uint8Array; fin: boolean } {
  const bytes: number[] = []
  for (;;) {
    const chunk = set.receive(id)
    if (chunk === undefined) return { data: Uint8Array.from(bytes), fin: false }
    for (const byte of chunk.data) bytes.push(byte)
    if (chunk.fin) return { data: Uint8Array.from(bytes), fin: true }
  }
}

/** The packets of one direction between sending and their fate. */
export class LossyLink {
  readonly #from: StreamSet
  readonly #to: StreamSet
  readonly #random: () => number
  readonly #loss: number
  #flying: Packet[] = []
  /** Delivered, and not yet acknowledged; or dropped, and not yet known to be lost. */
  #fates: { packet: Packet; isDelivered: boolean }[] = []

  constructor(from: StreamSet, to: StreamSet, random: () => number, loss: number) {
    this.#from = from
    this.#to = to
    this.#random = random
    this.#loss = loss
  }

  get isEmpty(): boolean {
    return this.#flying.length === 0 && this.#fates.length === 0 && !this.#from.hasDataToSend
  }

  step(): void {
    const random = this.#random
    if (random() < 0.6 && this.#from.hasDataToSend) {
      const packet = packetOf(this.#from, 60 + Math.floor(random() * 1140))
      if (packet.frames.length > 0) this.#flying.push(packet)
    }
    if (this.#flying.length > 0 && random() < 0.5) this.#arrive(Math.floor(random() * this.#flying.length))
    if (this.#fates.length > 0 && random() < 0.5) this.#settle(Math.floor(random() * this.#fates.length))
  }

  #arrive(index: number): void {
    const random = this.#random
    const packet = this.#flying.splice(index, 1)[0] as Packet
    const isDelivered = random() >= this.#loss
    if (isDelivered) {
      const times = random() < 0.1 ? 2 : 1
      for (let i = 0; i < times; i++) {
        // As from the network: fresh memory for each packet.
        const copy = { bytes: packet.bytes.slice(), frames: packet.frames }
        for (const frame of framesOf(copy)) deliver(this.#to, frame)
      }
    }
    this.#fates.push({ packet, isDelivered })
  }

  /** Acknowledged or declared lost, sometimes both: a late acknowledgement after a spurious loss. */
  #settle(index: number): void {
    const fate = this.#fates[index] as { packet: Packet; isDelivered: boolean }
    const isSpurious = fate.isDelivered && this.#random() < this.#loss / 2
    if (!fate.isDelivered || isSpurious) {
      for (const frame of fate.packet.frames) this.#from.onLost(frame)
    } else {
      for (const frame of fate.packet.frames) this.#from.onAcked(frame)
    }
    if (!isSpurious || this.#random() < 0.5) this.#fates.splice(index, 1)
  }
}
