import { describe, expect, test } from 'vitest'
import { Level } from '../../src/packet/level.ts'
import type { StreamFact, StreamLimits } from '../../src/streams/stream-set.ts'
import { End, LossyLink, limits, packetOf, seeded } from './link.ts'

/** The byte at each place of what one side sends on one stream. */
function byteAt(role: string, id: number, offset: number): number {
  return (offset * 31 + (offset >> 8) * 7 + id * 13 + (role === 'client' ? 1 : 101)) & 0xff
}

interface Outgoing {
  length: number
  sent: number
  isOver: boolean
}

/** An application that opens streams, writes, reads, and now and then gives up. */
class Application {
  readonly role: 'client' | 'server'
  readonly end: End
  readonly random: () => number
  readonly out: Map<number, Outgoing> = new Map()
  readonly incoming: Map<number, { got: number; isOver: boolean }> = new Map()
  toOpen: number
  readonly rudeness: number
  finished = 0

  constructor(role: 'client' | 'server', end: End, random: () => number, toOpen: number, rudeness: number) {
    this.role = role
    this.end = end
    this.random = random
    this.toOpen = toOpen
    this.rudeness = rudeness
  }

  get isIdle(): boolean {
    return this.toOpen === 0 && [...this.out.values()].every(o => o.isOver) && this.#allRead
  }

  get #allRead(): boolean {
    return [...this.incoming.values()].every(i => i.isOver)
  }

  step(): void {
    for (const fact of this.end.facts.splice(0)) this.#on(fact)
    if (this.toOpen > 0 && this.random() < 0.3) this.#open()
    for (const [id, out] of this.out) if (!out.isOver && this.random() < 0.3) this.#write(id, out)
    for (const [id, incoming] of this.incoming) if (!incoming.isOver && this.random() < 0.3) this.#read(id, incoming)
  }

  #open(): void {
    const isUni = this.random() < 0.3
    const id = this.end.set.open(isUni ? 'uni' : 'bidi')
    if (id === undefined) return
    this.toOpen--
    this.#startWriting(id)
    if (!isUni) this.incoming.set(id, { got: 0, isOver: false })
    if (this.random() < 0.3) this.end.set.setPriority(id, Math.floor(this.random() * 8), this.random() < 0.5)
  }

  #startWriting(id: number): void {
    const size = this.random() < 0.2 ? 0 : Math.floor(this.random() ** 3 * 40_000)
    this.out.set(id, { length: size, sent: 0, isOver: false })
  }

  #on(fact: StreamFact): void {
    if (fact.type === 'streamOpened') {
      this.incoming.set(fact.id, { got: 0, isOver: false })
      if ((fact.id & 2) === 0) this.#startWriting(fact.id)
    } else if (fact.type === 'streamReset') {
      const incoming = this.incoming.get(fact.id)
      if (incoming !== undefined) incoming.isOver = true
    } else if (fact.type === 'streamStopped') {
      const out = this.out.get(fact.id)
      if (out !== undefined) out.isOver = true
      this.end.set.reset(fact.id, 1)
    } else if (fact.type === 'streamFinished') this.finished++
  }

  #write(id: number, out: Outgoing): void {
    const { set } = this.end
    if (this.random() < this.rudeness) {
      set.reset(id, 7)
      out.isOver = true
      return
    }
    const count = Math.min(out.length - out.sent, Math.floor(this.random() * 3000))
    const start = out.sent
    const bytes = Uint8Array.from({ length: count }, (_, i) => byteAt(this.role, id, start + i))
    out.sent += count
    out.isOver = out.sent === out.length && this.random() < 0.7
    set.send(id, bytes, out.isOver)
  }

  #read(id: number, incoming: { got: number; isOver: boolean }): void {
    const { set } = this.end
    if (this.random() < this.rudeness) {
      set.stop(id, 9)
      incoming.isOver = true
      return
    }
    const chunk = set.receive(id)
    if (chunk === undefined) return
    const peer = this.role === 'client' ? 'server' : 'client'
    for (let i = 0; i < chunk.data.length; i++) {
      if (chunk.data[i] !== byteAt(peer, id, incoming.got + i))
        throw new Error(`stream ${id} differs at ${incoming.got + i}`)
    }
    incoming.got += chunk.data.length
    if (chunk.fin) incoming.isOver = true
  }
}

/** Some packets are sent with more generous limits of old, none is received; then come the real limits. */
function sendEarlyInVain(client: Application, real: StreamLimits): void {
  const { set } = client.end
  set.applyPeerLimits(limits({ maxData: 40_000, maxStreamsBidi: 12, maxStreamsUni: 12 }))
  for (let step = 0; step < 60; step++) {
    client.step()
    if (step % 2 === 0) packetOf(set, 1200, Level.ZeroRtt)
  }
  set.rejectEarly()
  set.applyPeerLimits(real)
}

function run(
  seed: number,
  loss: number,
  rudeness: number,
  isEarlyRejected = false,
): { client: Application; server: Application } {
  const random = seeded(seed)
  const own = limits({
    maxData: 5_000 + Math.floor(random() * 60_000),
    maxStreamDataBidiLocal: 1_000 + Math.floor(random() * 20_000),
    maxStreamDataBidiRemote: 1_000 + Math.floor(random() * 20_000),
    maxStreamDataUni: 1_000 + Math.floor(random() * 20_000),
    maxStreamsBidi: 1 + Math.floor(random() * 8),
    maxStreamsUni: 1 + Math.floor(random() * 8),
  })
  const peer = limits({ maxData: 20_000, maxStreamsBidi: 3, maxStreamsUni: 2 })
  const client = new Application('client', new End('client', own, peer), random, 25, rudeness)
  const server = new Application('server', new End('server', peer, own), random, 15, rudeness)
  if (isEarlyRejected) sendEarlyInVain(client, peer)
  const up = new LossyLink(client.end.set, server.end.set, random, loss)
  const down = new LossyLink(server.end.set, client.end.set, random, loss)
  for (let step = 0; step < 200_000; step++) {
    client.step()
    server.step()
    up.step()
    down.step()
    if (client.isIdle && server.isIdle && up.isEmpty && down.isEmpty) {
      if (client.end.facts.length + server.end.facts.length === 0) return { client, server }
    }
  }
  throw new Error(`seed ${seed} never came to an end: ${client.end.set.openCount} and ${server.end.set.openCount} open`)
}

describe('two ends over a link that loses, reorders and repeats', () => {
  const worlds: [loss: number, rudeness: number, seeds: number, isEarlyRejected: boolean][] = [
    [0, 0, 5, false],
    [0.1, 0, 6, false],
    [0.4, 0, 4, false],
    [0.1, 0.02, 8, false],
    [0.4, 0.05, 6, false],
    [0.1, 0, 5, true],
    [0.1, 0.05, 10, true],
  ]
  for (const [loss, rudeness, seeds, isEarlyRejected] of worlds) {
    const start = isEarlyRejected ? ', after rejected early data' : ''
    test(`loss ${loss}, giving up ${rudeness}${start}: bytes are identical and no stream is left`, () => {
      for (let seed = 1; seed <= seeds; seed++) {
        const { client, server } = run(seed * 1000 + Math.round(loss * 100), loss, rudeness, isEarlyRejected)
        expect(client.end.set.openCount).toBe(0)
        expect(server.end.set.openCount).toBe(0)
        const up = client.end.set.stats
        const down = server.end.set.stats
        // RFC 9000 §4.5: in the end both sides agree on the credit used, and all of it was consumed.
        expect(down.bytesReceived).toBe(up.bytesSent)
        expect(up.bytesReceived).toBe(down.bytesSent)
        expect(up.bytesRead).toBe(up.bytesReceived)
        expect(up.opened).toBe(25)
        expect(down.accepted).toBe(25)
        expect(up.closed).toBe(40)
        if (rudeness > 0) continue
        for (const [id, out] of client.out) expect(server.incoming.get(id)?.got).toBe(out.sent)
        for (const [id, out] of server.out) expect(client.incoming.get(id)?.got).toBe(out.sent)
        expect(client.finished).toBe(client.out.size)
      }
    })
  }
})
