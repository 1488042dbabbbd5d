import { describe, expect, test } from 'vitest'
import type { Field } from '../../../src/http3/field.ts'
import { QpackDecoder } from '../../../src/http3/qpack/decoder.ts'
import { DecoderStream } from '../../../src/http3/qpack/decoder-stream.ts'
import { QpackEncoder } from '../../../src/http3/qpack/encoder.ts'
import { EncoderStream } from '../../../src/http3/qpack/encoder-stream.ts'

/** mulberry32: the same numbers every time. */
function random(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

const names = [':path', ':method', 'cookie', 'authorization', 'accept', 'x-a', 'x-bb', 'etag', 'date', 'user-agent', '']

function fields(next: (below: number) => number): Field[] {
  return Array.from({ length: next(12) }, () => {
    const name = names[next(names.length)] as string
    const kind = next(10)
    if (kind < 6) return [name, `value ${next(6)}`]
    if (kind < 8) return [name, String.fromCharCode(...Array.from({ length: next(60) }, () => next(256)))]
    return [`x-${next(30)}`, 'abc'.repeat(next(kind === 8 ? 4 : 400))]
  })
}

interface Sent {
  readonly id: number
  readonly section: Uint8Array
  readonly list: readonly Field[]
}

/** An encoder and a decoder with a network between them that keeps the order within a stream and no other. */
class World {
  readonly encoder = new QpackEncoder()
  readonly decoder: QpackDecoder
  readonly #next: (below: number) => number
  readonly #maxBlocked: number
  readonly #encoderStream: EncoderStream
  readonly #decoderStream = new DecoderStream(this.encoder)
  readonly #instructions: Uint8Array[] = []
  readonly #answers: Uint8Array[] = []
  /** Sections on their way, by stream. */
  readonly #sections = new Map<number, Sent[]>()
  readonly #waiting = new Map<number, Sent>()
  readonly #ready: number[] = []
  readonly #dead = new Set<number>()
  #sent = 0
  decoded = 0
  blocked = 0

  constructor(next: (below: number) => number) {
    this.#next = next
    const capacity = [0, 40, 100, 400, 4096, 65_536][next(6)] as number
    this.#maxBlocked = [0, 1, 3, 100][next(4)] as number
    this.decoder = new QpackDecoder({
      maxFieldSectionSize: 65_536,
      maxFields: 256,
      maxTableCapacity: capacity,
      maxBlockedStreams: this.#maxBlocked,
    })
    this.encoder.setLimits(capacity, this.#maxBlocked)
    this.#encoderStream = new EncoderStream(this.decoder.table, capacity)
  }

  turn(): void {
    switch (this.#next(6)) {
      case 0:
      case 1:
        return this.#send()
      case 2:
        return this.#deliverInstructions(this.#next(2) === 0)
      case 3:
        return this.#deliverSection()
      case 4:
        return this.#deliverAnswers()
      default:
        return this.#next(4) === 0 ? this.#cancel() : this.#resume()
    }
  }

  settle(): void {
    while (this.#instructions.length > 0) this.#deliverInstructions(false)
    while (this.#sections.size > 0 || this.#waiting.size > 0) {
      this.#deliverSection()
      this.#resume()
    }
    this.#deliverAnswers()
  }

  #send(): void {
    const id = 4 * Math.floor(this.#next(20) + this.#sent++ / 8)
    if (this.#dead.has(id)) return
    const list = fields(this.#next)
    const section = this.encoder.encode(list, id, this.#next(8) > 0).slice()
    const instructions = this.encoder.takeInstructions()
    if (instructions !== undefined) this.#instructions.push(instructions)
    const queue = this.#sections.get(id) ?? []
    queue.push({ id, section, list })
    this.#sections.set(id, queue)
  }

  #deliverInstructions(inPieces: boolean): void {
    const bytes = this.#instructions.shift()
    if (bytes === undefined) return
    const cut = inPieces ? this.#next(bytes.length + 1) : bytes.length
    if (cut < bytes.length) this.#instructions.unshift(bytes.subarray(cut))
    this.#encoderStream.receive(bytes.subarray(0, cut))
    for (let id = this.decoder.takeReady(); id !== undefined; id = this.decoder.takeReady()) this.#ready.push(id)
    this.#answer()
  }

  #deliverSection(): void {
    const ids = [...this.#sections.keys()].filter(id => !this.#waiting.has(id))
    const id = ids[this.#next(ids.length)]
    const queue = id === undefined ? undefined : this.#sections.get(id)
    const sent = queue?.shift()
    if (queue === undefined || sent === undefined) return
    if (queue.length === 0) this.#sections.delete(sent.id)
    this.#decode(sent)
    expect(this.decoder.blockedCount).toBeLessThanOrEqual(this.#maxBlocked)
  }

  #resume(): void {
    const id = this.#ready.shift()
    const sent = id === undefined ? undefined : this.#waiting.get(id)
    if (sent === undefined) return
    this.#waiting.delete(sent.id)
    expect(this.#decode(sent)).toBe(true)
  }

  #decode(sent: Sent): boolean {
    const list = this.decoder.decode(sent.section, sent.id)
    if (list === undefined) {
      this.blocked++
      this.#waiting.set(sent.id, sent)
      return false
    }
    expect(list).toEqual(sent.list)
    this.decoded++
    if (this.#next(2) === 0) this.#answer()
    return true
  }

  /** Its reader is not interested any more. */
  #cancel(): void {
    const ids = [...new Set([...this.#sections.keys(), ...this.#waiting.keys()])]
    const id = ids[this.#next(ids.length)]
    if (id === undefined) return
    this.#sections.delete(id)
    this.#waiting.delete(id)
    this.#dead.add(id)
    this.decoder.cancel(id)
    this.#answer()
  }

  #answer(): void {
    const bytes = this.decoder.takeInstructions()
    if (bytes !== undefined) this.#answers.push(bytes)
  }

  #deliverAnswers(): void {
    this.#answer()
    for (const bytes of this.#answers.splice(0)) {
      const cut = this.#next(bytes.length)
      this.#decoderStream.receive(bytes.subarray(0, cut))
      this.#decoderStream.receive(bytes.subarray(cut))
    }
  }
}

describe('RFC 9204 §2.1-2: what an encoder says its decoder understands, in whatever order streams arrive', () => {
  test('random lists, tables, limits, losses of interest', () => {
    let decoded = 0
    let blocked = 0
    let inserted = 0
    for (let seed = 1; seed <= 60; seed++) {
      const world = new World(random(seed))
      try {
        for (let i = 0; i < 300; i++) world.turn()
        world.settle()
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error })
      }
      decoded += world.decoded
      blocked += world.blocked
      inserted += world.decoder.table.insertCount
    }
    expect(decoded).toBeGreaterThan(2000)
    expect(blocked).toBeGreaterThan(100)
    expect(inserted).toBeGreaterThan(1000)
  })
})
