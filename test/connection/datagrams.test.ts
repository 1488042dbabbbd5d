// DATAGRAM frames (RFC 9221): what arrives, what becomes of what does not, and how little is kept meanwhile.

import { describe, expect, test } from 'vitest'
import { MemoryAccount, MemoryBudget } from '../../src/bytes/memory-budget.ts'
import { Datagrams, MAX_QUEUED_DATAGRAMS } from '../../src/connection/datagrams.ts'
import { EventQueue, MAX_UNREAD_DATAGRAMS } from '../../src/connection/event-queue.ts'
import type { ConnectionEvent, DatagramFate } from '../../src/connection/events.ts'
import { FrameType } from '../../src/packet/frames/frame.ts'
import { Level } from '../../src/packet/level.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import type { Host } from '../sim/host.ts'
import { Pair, type PairOptions } from '../sim/pair.ts'
import { closedWith, OpenPair } from './support.ts'

const transport = { maxDatagramFrameSize: 1000 }
const both: PairOptions = { client: { transport }, server: { transport } }

/** What was told of each datagram, by its id. */
function fates(events: readonly ConnectionEvent[]): Map<number, DatagramFate[]> {
  const told = new Map<number, DatagramFate[]>()
  for (const event of events) {
    if (event.type === 'datagramSettled') told.set(event.id, [...(told.get(event.id) ?? []), event.fate])
  }
  return told
}

function received(host: Host): Uint8Array[] {
  return host.events.flatMap(event => (event.type === 'datagram' ? [event.data] : []))
}

/** Datagrams from the client with the ids from 1 on, one every 20 ms. */
function sendMany(pair: Pair, count: number, size = 100): void {
  for (let id = 1; id <= count; id++) {
    pair.client.act(client => expect(client.sendDatagram(new Uint8Array(size).fill(id), id)).toBe(true))
    pair.world.pass(20)
  }
}

describe('datagrams', () => {
  test('RFC 9221 §5: arrive whole, or not at all', () => {
    const pair = new Pair({ ...both, seed: 2, link: { delay: 10, loss: 0.2 } }).connect()
    sendMany(pair, 100)
    const got = received(pair.server)
    expect(got.length).toBeGreaterThan(60)
    expect(got.length).toBeLessThan(100)
    expect(new Set(got.map(data => data[0])).size).toBe(got.length)
    expect(got.every(data => data.length === 100)).toBe(true)
  })

  test('RFC 9221 §3: are not taken when the peer announced none, or none so large', () => {
    const pair = new Pair({ server: { transport } }).connect()
    expect(pair.server.connection.sendDatagram(new Uint8Array(1))).toBe(false)
    expect(pair.server.connection.datagramLimits).toEqual({ size: 0, room: 64 })
    expect(pair.client.connection.sendDatagram(new Uint8Array(1001))).toBe(false)
    expect(pair.client.connection.datagramLimits.size).toBe(995)
    expect(pair.client.connection.sendDatagram(new Uint8Array(995))).toBe(true)
  })

  test('never stand in the way, however large the options claim they may be', () => {
    const large = { maxDatagramFrameSize: 60_000, maxDatagramSize: 9000 }
    const pair = new Pair({ client: { transport: large }, server: { transport: large }, bufferSize: 1300 }).connect()
    pair.client.act(client => client.sendDatagram(new Uint8Array(8000), 1))
    pair.client.act(client => client.sendDatagram(new Uint8Array(800), 2))
    pair.world.pass(100)
    expect(received(pair.server).length).toBe(1)
    expect(fates(pair.client.events).get(1)).toEqual(['tooLarge'])
    expect(fates(pair.client.events).get(2)).toEqual(['acked'])
    expect(pair.client.connection.statistics().datagramFrames).toMatchObject({ sent: 1, acked: 1, tooLarge: 1 })
  })

  test('RFC 9221 §3: nobody may send what was not announced', () => {
    const pair = new OpenPair().connect()
    pair.inject('client', Level.OneRtt, Uint8Array.of(FrameType.Datagram + 1, 1, 0))
    expect(closedWith(pair.server)).toBe(ErrorCode.ProtocolViolation)
  })
})

describe('the fate of a datagram', () => {
  test('RFC 9221 §5.2: on a network that loses some, each is told once, and what is called acked has arrived', () => {
    const pair = new Pair({ ...both, seed: 7, link: { delay: 10, loss: 0.2 } }).connect()
    sendMany(pair, 100)
    pair.world.pass(5000)
    const told = fates(pair.client.events)
    expect(told.size).toBe(100)
    expect([...told.values()].every(each => each.length === 1)).toBe(true)
    const arrived = new Set(received(pair.server).map(data => data[0] as number))
    const acked = [...told].filter(([, [fate]]) => fate === 'acked').map(([id]) => id)
    const lost = [...told].filter(([, [fate]]) => fate === 'lost').map(([id]) => id)
    expect(acked.length + lost.length).toBe(100)
    expect(lost.length).toBeGreaterThan(10)
    expect(acked.every(id => arrived.has(id))).toBe(true)
    // Called lost and arrived: the acknowledgment came too late, or never.
    for (let id = 1; id <= 100; id++) if (!arrived.has(id)) expect(lost).toContain(id)
    const { datagramFrames } = pair.client.connection.statistics()
    expect(datagramFrames.sent).toBe(100)
    expect(datagramFrames.lost).toBe(lost.length)
    expect(pair.server.connection.statistics().datagramFrames.received).toBe(arrived.size)
  })

  test('nobody is told of those without an id', () => {
    const pair = new Pair({ ...both, seed: 7, link: { loss: 0.2 } }).connect()
    for (let i = 0; i < 50; i++) pair.client.act(client => client.sendDatagram(Uint8Array.of(i)))
    pair.world.pass(5000)
    expect(fates(pair.client.events).size).toBe(0)
    expect(pair.client.connection.statistics().datagramFrames.acked).toBeGreaterThan(20)
  })

  test('RFC 9221 §5: a probe timeout does not send it again, and does not call it lost', () => {
    const pair = new Pair(both).connect()
    pair.world.pass(1000)
    // The first copy is lost, and nothing follows that would show it: the probe timer has to find out.
    pair.client.filter = () => undefined
    pair.client.act(client => client.sendDatagram(Uint8Array.of(1), 1))
    pair.world.pass(2000)
    expect(pair.client.connection.statistics().probeTimeouts).toBeGreaterThan(1)
    expect(received(pair.server).length).toBe(1)
    expect(fates(pair.client.events).size).toBe(0)
    pair.client.filter = datagram => datagram
    pair.world.pass(10_000)
    expect(fates(pair.client.events).get(1)).toEqual(['acked'])
    expect(received(pair.server).length).toBe(1)
  })

  test('when the connection ends: never sent, or nothing heard; each before `closed`', () => {
    const pair = new Pair(both).connect()
    pair.world.pass(1000)
    pair.client.act(client => client.sendDatagram(Uint8Array.of(1), 1))
    pair.client.act(client => {
      client.sendDatagram(Uint8Array.of(2), 2)
      client.close(0, '', pair.world.now)
    })
    const types = pair.client.events.map(event => event.type)
    expect(types.slice(-3)).toEqual(['datagramSettled', 'datagramSettled', 'closed'])
    expect(fates(pair.client.events)).toEqual(
      new Map([
        [2, ['unsent']],
        [1, ['unknown']],
      ]),
    )
    pair.client.act(client => expect(client.sendDatagram(Uint8Array.of(3), 3)).toBe(false))
    pair.world.pass(10_000)
    expect(received(pair.server)).toEqual([Uint8Array.of(1)])
    expect(fates(pair.client.events).has(3)).toBe(false)
  })
})

describe('RFC 9221 §5.1: the urgency of a datagram', () => {
  /** Streams and datagrams in the order in which the client sent them, those that follow their own kind left out. */
  function order(pair: OpenPair, from: number): string[] {
    const names = pair.logs.client.sent.slice(from).flatMap(({ frames }) =>
      frames.flatMap(frame => {
        if (frame.type === FrameType.Datagram) return `datagram ${frame.data[0]}`
        return frame.type === FrameType.Stream ? `stream ${frame.id}` : []
      }),
    )
    return names.filter((name, i) => name !== names[i - 1])
  }

  test('decides its place among others and among the streams, whenever it was sent', () => {
    const pair = new OpenPair(both).connect()
    pair.world.pass(1000)
    const from = pair.logs.client.sent.length
    pair.client.act(client => {
      for (const urgency of [5, 1]) {
        const id = client.openStream('bidi') as number
        client.setPriority(id, urgency, false)
        client.write(id, new Uint8Array(2000), true)
      }
      for (const urgency of [7, 3, 5, 1, 0, 3]) client.sendDatagram(new Uint8Array(50).fill(urgency), 0, urgency)
    })
    pair.world.pass(1000)
    // Stream 4 is the urgent one. At the same urgency the datagram is first.
    expect(order(pair, from)).toEqual([
      'datagram 0',
      'datagram 1',
      'stream 4',
      'datagram 3',
      'datagram 5',
      'stream 0',
      'datagram 7',
    ])
    expect(received(pair.server).map(data => data[0])).toEqual([0, 1, 3, 3, 5, 7])
  })

  test('lets less urgent streams go after it, and fill what it leaves of a packet', () => {
    const pair = new OpenPair(both).connect()
    pair.world.pass(1000)
    const from = pair.logs.client.sent.length
    pair.client.act(client => {
      const ids = [6, 2].map(urgency => {
        const id = client.openStream('bidi') as number
        client.setPriority(id, urgency, true)
        return id
      })
      for (const id of ids) client.write(id, new Uint8Array(1500), true)
      client.sendDatagram(new Uint8Array(100), 0, 4)
      client.sendDatagram(Uint8Array.of(9), 0, 7)
    })
    pair.world.pass(1000)
    expect(order(pair, from)).toEqual(['stream 4', 'datagram 0', 'stream 0', 'datagram 9'])
  })

  test('does not hold it back behind a stream that has no credit', () => {
    const server = { transport: { ...transport, initialMaxStreamData: 10 } }
    const pair = new Pair({ client: { transport }, server }).connect()
    pair.client.act(client => {
      const id = client.openStream('bidi') as number
      client.setPriority(id, 0, false)
      client.write(id, new Uint8Array(1000), true)
      client.sendDatagram(Uint8Array.of(1), 1, 7)
    })
    pair.world.pass(1000)
    expect(fates(pair.client.events).get(1)).toEqual(['acked'])
  })

  test('is an integer from 0 to 7', () => {
    const { connection } = new Pair(both).connect().client
    for (const urgency of [-1, 8, 1.5, Number.NaN]) {
      expect(() => connection.sendDatagram(Uint8Array.of(1), 0, urgency)).toThrow(
        'urgency must be an integer from 0 to 7',
      )
    }
    expect(connection.sendDatagram(Uint8Array.of(1), 0, 7)).toBe(true)
  })
})

describe('the queues', () => {
  function queue(): { datagrams: Datagrams; events: () => ConnectionEvent[]; memory: MemoryAccount } {
    const memory = new MemoryAccount(new MemoryBudget())
    const all = new EventQueue(memory)
    const datagrams = new Datagrams(0, all, memory)
    datagrams.setPeerMaximum(100)
    const events = (): ConnectionEvent[] => {
      const told: ConnectionEvent[] = []
      for (let event = all.shift(); event !== undefined; event = all.shift()) told.push(event)
      return told
    }
    return { datagrams, events, memory }
  }

  test('64 wait to be sent, of which the oldest goes first', () => {
    const { datagrams, events } = queue()
    for (let id = 1; id <= 1000; id++) expect(datagrams.send(Uint8Array.of(id), id, 1000)).toBe(true)
    expect(MAX_QUEUED_DATAGRAMS).toBe(64)
    expect(datagrams.stats.overflowed).toBe(1000 - 64)
    expect([...fates(events()).keys()]).toEqual(Array.from({ length: 1000 - 64 }, (_, i) => i + 1))
    datagrams.trim(0)
    expect(datagrams.hasDue).toBe(false)
    expect(datagrams.stats.tooLarge).toBe(64)
  })

  test('when 64 wait, the oldest of the least urgent goes, be it the one that has come', () => {
    const { datagrams, events } = queue()
    for (let id = 1; id <= 64; id++) datagrams.send(Uint8Array.of(id), id, 1000, id <= 32 ? 5 : 3)
    datagrams.send(Uint8Array.of(65), 65, 1000, 3)
    datagrams.send(Uint8Array.of(66), 66, 1000, 5)
    datagrams.send(Uint8Array.of(67), 67, 1000, 7)
    expect([...fates(events()).keys()]).toEqual([1, 2, 67])
    expect(datagrams.room).toBe(0)
  })

  test('both count as memory, until they are sent, read, dropped or over', () => {
    const { datagrams, events, memory } = queue()
    for (let i = 0; i < 1000; i++) datagrams.send(new Uint8Array(10), 0, 1000)
    expect(memory.used).toBe(64 * 10)
    for (let i = 0; i < 1000; i++) datagrams.onDatagram(new Uint8Array(7))
    // A view that holds nine tenths of nothing else is kept as it is, and counts as what it holds.
    datagrams.onDatagram(new Uint8Array(10).subarray(0, 9))
    expect(memory.used).toBe(64 * 10 + 255 * 7 + 10)
    expect(events().length).toBe(256)
    expect(memory.used).toBe(64 * 10)
    datagrams.trim(0)
    expect(memory.used).toBe(0)
    datagrams.send(new Uint8Array(10), 0, 1000)
    datagrams.abandon()
    expect(memory.used).toBe(0)
  })

  test('who found it full is told when it is half empty', () => {
    const { datagrams, events } = queue()
    for (let i = 0; i < 64; i++) datagrams.send(new Uint8Array(i < 32 ? 90 : 10), 0, 1000)
    expect(datagrams.room).toBe(0)
    expect(events()).toEqual([])
    datagrams.trim(50)
    expect(events()).toEqual([{ type: 'datagramsWritable' }])
    expect(datagrams.room).toBe(32)
  })

  test('RFC 9221 §5.3: 256 wait to be polled for; a peer that sends more pushes out its own oldest', () => {
    const pair = new Pair(both).connect()
    const server = pair.server.connection
    const events = pair.server.events.length
    // Nobody polls.
    const { poll } = server
    server.poll = () => undefined
    for (let i = 0; i < 1000; i++) {
      pair.client.act(client => client.sendDatagram(Uint8Array.of(i >> 8, i)))
      pair.world.pass(1)
    }
    pair.world.pass(1000)
    server.poll = poll
    pair.server.flush()
    const { datagramFrames } = server.statistics()
    expect(datagramFrames).toMatchObject({ received: 1000, unread: 1000 - MAX_UNREAD_DATAGRAMS })
    expect(pair.server.events.length - events).toBeLessThan(MAX_UNREAD_DATAGRAMS + 10)
    const kept = received(pair.server).map(data => (data[0] as number) * 256 + (data[1] as number))
    expect(kept).toEqual(Array.from({ length: 256 }, (_, i) => 744 + i))
  })
})
