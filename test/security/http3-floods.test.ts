// What clients can do to a server of HTTP/3 by sheer number (rapid reset, bombs, streams that wait, readers that do not
// read, SETTINGS and the rest of a control stream): each with what it leaves in memory, and what it costs beside requests
// that are answered.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { beforeAll, describe, expect, test } from 'vitest'
import { Http3ErrorCode as Code } from '../../src/http3/error-codes.ts'
import type { Field } from '../../src/http3/field.ts'
import { QpackEncoder } from '../../src/http3/qpack/encoder.ts'
import { Http3Server, type Http3ServerOptions } from '../../src/http3/server.ts'
import { limits } from '../../src/limits.ts'
import { FakePair } from '../support/fake-transport.ts'

const KB = 1024
const encoder = new QpackEncoder()

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'))
}

function frame(type: number, payload: Uint8Array): Uint8Array {
  const head = Buffer.alloc(5)
  head[0] = type
  head.writeUInt32BE((0x80000000 | payload.length) >>> 0, 1)
  return Uint8Array.from(Buffer.concat([head, payload]))
}

function headers(fields: Field[]): Uint8Array {
  return frame(1, encoder.encode(fields))
}

const get = headers([
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'a'],
  [':path', '/'],
])

/** A client made by hand, and what its server holds. */
class Attack {
  readonly pair = new FakePair()
  readonly server: Http3Server
  handlers = 0
  #next = 0

  constructor(options: Http3ServerOptions & { readonly body?: () => ReadableStream<Uint8Array> } = {}) {
    this.pair.client.streamLimit = { bidi: Number.POSITIVE_INFINITY, uni: 1000 }
    this.server = new Http3Server(
      this.pair.server,
      () => {
        this.handlers++
        return { body: options.body?.() ?? 'ok' }
      },
      options,
    )
    this.pair.server.sink = this.server
  }

  write(id: number, data: Uint8Array, fin = false): void {
    this.pair.client.write(id, data, fin)
    while (this.pair.step());
  }

  request(data: Uint8Array, fin: boolean): number {
    const id = 4 * this.#next++
    this.write(id, data, fin)
    this.#forget(id)
    return id
  }

  /** The network keeps nothing here: what is measured is the server. */
  #forget(id: number): void {
    if (id < 80) return
    delete this.pair.client.sent[id - 80]
    delete this.pair.server.sent[id - 80]
  }

  get code(): number | undefined {
    return this.pair.server.closedWith?.code
  }
}

interface Cost {
  /** Bytes of heap more than before, while the server is held. */
  readonly held: number
  /** CPU time, µs, of each thing that was done. */
  readonly each: number
}

async function measure(attack: Attack, count: number, act: (n: number) => boolean | undefined): Promise<Cost> {
  await attack.pair.settle()
  gc()
  const before = process.memoryUsage().heapUsed
  const start = process.cpuUsage()
  let done = 0
  while (done < count && act(done) !== false) done++
  await attack.pair.settle()
  const { user, system } = process.cpuUsage(start)
  attack.pair.client.sent.length = 0
  attack.pair.server.sent.length = 0
  gc()
  const held = process.memoryUsage().heapUsed - before
  expect(attack.server).toBeDefined()
  return { held, each: (user + system) / Math.max(1, done) }
}

/** CPU time of a request that is answered, µs. */
let fair = 0

beforeAll(async () => {
  const calm = new Attack()
  calm.write(2, bytes('00 0400'))
  await measure(calm, 300, () => void calm.request(get, true))
  const { each } = await measure(calm, 300, () => void calm.request(get, true))
  fair = each
})

describe('what a client can do by number alone', () => {
  test('rapid reset: H3_EXCESSIVE_LOAD, nothing is held, none costs more than a request', async () => {
    const attack = new Attack()
    const { held, each } = await measure(attack, 50_000, () => {
      attack.pair.client.reset(attack.request(get.subarray(0, 8), false), Code.RequestCancelled)
      while (attack.pair.step());
      return attack.code === undefined
    })
    expect(attack.code).toBe(Code.ExcessiveLoad)
    expect(attack.handlers).toBe(0)
    expect(held).toBeLessThan(512 * KB)
    expect(each).toBeLessThan(3 * fair)
  })

  test('a header bomb: counted while it unpacks, 431, nothing is held', async () => {
    const attack = new Attack()
    // One entry of 4,000 bytes in the table, 16,000 references to it in a section: 64 MB when unpacked.
    const value = new Uint8Array(4000).fill(0x61)
    const insert = Buffer.concat([bytes('02 3fe11f 41 78 7f a11e'), value])
    attack.write(6, Uint8Array.from(insert))
    const section = new Uint8Array(16_000).fill(0x80)
    section.set(bytes('0200'))
    const bomb = frame(1, section)
    const { held, each } = await measure(attack, 500, () => {
      attack.request(bomb, true)
      return attack.code === undefined
    })
    expect(attack.handlers).toBe(0)
    expect(attack.server.connection.qpack.insertions.received).toBe(1)
    expect(held).toBeLessThan(512 * KB)
    expect(each).toBeLessThan(20 * fair)
  })

  test('streams that wait for the encoder stream: bounded in number and bytes', async () => {
    for (const [size, code] of [
      [30, Code.QpackDecompressionFailed],
      [60_000, Code.ExcessiveLoad],
    ] as const) {
      const attack = new Attack()
      const section = new Uint8Array(size).fill(0x10)
      section.set(bytes('0280'))
      const waiting = frame(1, section)
      let most = 0
      const { held, each } = await measure(attack, 1000, () => {
        attack.request(waiting, false)
        most = Math.max(most, attack.server.connection.requestCount)
        return attack.code === undefined
      })
      expect(attack.code).toBe(code)
      expect(most).toBeLessThanOrEqual(limits.qpackBlockedStreams + 1)
      expect(held).toBeLessThan(512 * KB)
      expect(each).toBeLessThan(20 * fair)
    }
  })

  test('insertions that nobody refers to: H3_EXCESSIVE_LOAD', async () => {
    const attack = new Attack()
    attack.write(6, bytes('02 3fe11f'))
    const insert = bytes('4378797a 03 616263')
    const { held, each } = await measure(attack, 100_000, () => {
      attack.write(6, insert)
      return attack.code === undefined
    })
    expect(attack.code).toBe(Code.ExcessiveLoad)
    expect(held).toBeLessThan(512 * KB)
    expect(each).toBeLessThan(2 * fair)
  })

  test('a reader that does not read: what it is owed stays where it comes from', async () => {
    let pulled = 0
    const attack = new Attack({
      body: () =>
        new ReadableStream<Uint8Array>({
          pull: controller => {
            pulled++
            controller.enqueue(new Uint8Array(16 * KB))
          },
        }),
    })
    attack.pair.client.window = 16 * KB
    attack.pair.server.highWater = 64 * KB
    attack.write(2, bytes('00 0400'))
    const streams = 100
    const { held, each } = await measure(attack, streams, () => void attack.request(get, true))
    // Two in the stream's own queue, the rest up to its high-water mark; and no more however long it waits.
    const first = pulled
    await attack.pair.settle()
    expect(pulled).toBe(first)
    expect(pulled).toBeLessThanOrEqual(10 * streams)
    expect(attack.server.activeCount).toBe(streams)
    // What the bodies have ready is the application's: one piece for each stream, and the objects around it.
    expect(held).toBeLessThan(streams * 40 * KB)
    expect(each).toBeLessThan(100 * fair)
  })

  test('SETTINGS: one, and no longer than 4,096 bytes', async () => {
    const again = new Attack()
    again.write(2, bytes('00 0400'))
    again.write(2, bytes('0400'))
    expect(again.code).toBe(Code.FrameUnexpected)
    const long = new Attack()
    const { held, each } = await measure(long, 1, () => void long.write(2, Uint8Array.of(0, 4, 0x80, 1, 0, 0)))
    expect(long.code).toBe(Code.ExcessiveLoad)
    expect(held).toBeLessThan(512 * KB)
    expect(each).toBeLessThan(100 * fair)
    // Thousands of settings that nobody knows fit; nothing of them is kept but the bytes.
    const many = new Attack()
    const settings = new Uint8Array(limits.settingsLength).map((_, i) => (i % 2 === 0 ? 0x21 : 1))
    many.write(2, Uint8Array.from(Buffer.concat([bytes('00'), frame(4, settings)])))
    expect(many.code).toBeUndefined()
  })

  test('request smuggling: lengths that lie end in H3_EXCESSIVE_LOAD, no handler sees one, nothing is held', async () => {
    const head: Field[] = [
      [':method', 'POST'],
      [':scheme', 'https'],
      [':authority', 'a'],
      [':path', '/'],
      ['content-length', '3'],
    ]
    const lies = [
      // Too little is known at the end only, when a handler may have seen the beginning.
      headers(head),
      Buffer.concat([headers(head), frame(0, bytes('61616161'))]),
      Buffer.concat([headers([...head, ['content-length', '4']]), frame(0, bytes('616161'))]),
      Buffer.concat([headers([...head, ['transfer-encoding', 'chunked']]), frame(0, bytes('616161'))]),
      Buffer.concat([headers([...head, ['host', 'b']]), frame(0, bytes('616161'))]),
    ].map(lie => Uint8Array.from(lie))
    const attack = new Attack()
    const { held, each } = await measure(attack, 50_000, n => {
      attack.request(lies[n % lies.length] as Uint8Array, true)
      return attack.code === undefined
    })
    expect(attack.code).toBe(Code.ExcessiveLoad)
    expect(held).toBeLessThan(512 * KB)
    expect(each).toBeLessThan(4 * fair)
    expect(attack.handlers).toBe(0)
  })

  const useless: [string, Uint8Array][] = [
    ['PRIORITY_UPDATE', bytes('800f0700 05 4040 753d30')],
    ['frames that mean nothing', bytes('21 04 61616161')],
    ['MAX_PUSH_ID', bytes('0d 01 00')],
  ]
  test.each(useless)('a control stream full of %s: H3_EXCESSIVE_LOAD', async (_, data) => {
    const attack = new Attack()
    attack.write(2, bytes('00 0400'))
    const { held, each } = await measure(attack, 100_000, () => {
      attack.write(2, data)
      return attack.code === undefined
    })
    expect(attack.code).toBe(Code.ExcessiveLoad)
    expect(held).toBeLessThan(512 * KB)
    expect(each).toBeLessThan(2 * fair)
  })
})
