// Several processes at one address: ids that say whose a datagram is, and datagrams that are handed on.

import { createDecipheriv } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Address } from '../../src/connection/path.ts'
import type { QuicEndpoint } from '../../src/endpoint/endpoint.ts'
import type { QuicSession } from '../../src/endpoint/quic-session.ts'
import { type WorkerConnectionIds, workerConnectionIds } from '../../src/endpoint/worker-ids.ts'
import { client, echo, eventually, isSame, pattern, Stranger, server, Tap } from './helpers.ts'

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
const key = hex('8f95f09245765f80256934e50c66207f')

describe('workerConnectionIds', () => {
  test('draft-ietf-quic-load-balancers appendix B: an id of the draft, read in one pass', () => {
    const ids = workerConnectionIds({ worker: 1, key, configuration: 2 })
    expect(ids.workerOf(hex('504dd2d05a7b0de9b2b9907afb5ecf8cc3'))).toBe(0xed79)
    const decipher = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false)
    const id = ids.generate()
    expect((id[0] as number) >> 5).toBe(2)
    expect(decipher.update(id.subarray(1)).readUInt16BE()).toBe(1)
  })

  test.each([
    [11, undefined],
    [17, key],
  ])('of %i bytes: say who made them', (length, shared) => {
    for (const worker of [0, 1, 255, 256, 65_535]) {
      const ids = workerConnectionIds({ worker, ...(shared && { key: shared }) })
      expect(ids.length).toBe(length)
      for (let i = 0; i < 20; i++) {
        const id = ids.generate()
        expect(id.length).toBe(length)
        expect(ids.workerOf(id)).toBe(worker)
      }
    }
  })

  test('RFC 9000 §5.1: what is not the number cannot be guessed, and with a key neither can that', () => {
    const seen = (ids: WorkerConnectionIds): Set<string>[] => {
      const made = Array.from({ length: 400 }, () => ids.generate())
      return Array.from({ length: ids.length }, (_, at) => new Set(made.map(id => `${id[at]}`)))
    }
    const plain = seen(workerConnectionIds({ worker: 7 }))
    for (const at of [1, 2]) expect(plain[at]?.size).toBe(1)
    for (const values of plain.slice(3)) expect(values.size).toBeGreaterThan(150)
    for (const values of seen(workerConnectionIds({ worker: 7, key })).slice(1))
      expect(values.size).toBeGreaterThan(150)
  })

  test.each([
    ['plain', undefined],
    ['encrypted', key],
  ])('%s: all workers agree whose an id is, also one that a client chose', (_, shared) => {
    const workers = Array.from({ length: 4 }, (_, worker) =>
      workerConnectionIds({ worker, ...(shared && { key: shared }) }),
    )
    for (const [worker, ids] of workers.entries()) {
      const id = ids.generate()
      for (const other of workers) expect(other.ownerOf(id, 4)).toBe(worker)
    }
    const counts = [0, 0, 0, 0]
    for (let length = 8; length <= 20; length++) {
      for (let i = 0; i < 100; i++) {
        const chosen = crypto.getRandomValues(new Uint8Array(length))
        const owners = new Set(workers.map(ids => ids.ownerOf(chosen, 4)))
        expect(owners.size).toBe(1)
        for (const owner of owners) counts[owner] = (counts[owner] as number) + 1
      }
    }
    for (const count of counts) expect(count).toBeGreaterThan(200)
  })

  test('what does not fit is a RangeError', () => {
    for (const worker of [-1, 65_536, 1.5]) expect(() => workerConnectionIds({ worker })).toThrow(RangeError)
    expect(() => workerConnectionIds({ worker: 1, key: new Uint8Array(15) })).toThrow(RangeError)
    expect(() => workerConnectionIds({ worker: 1, configuration: 7 })).toThrow(RangeError)
  })
})

/** Two workers that hand on to each other; every datagram comes in at the first, or where the relay leads it. */
async function pair() {
  const sessions: QuicSession[][] = [[], []]
  const handedOn = [0, 0]
  const endpoints: QuicEndpoint[] = []
  const addresses: Address[] = []
  for (const worker of [0, 1]) {
    const ids = workerConnectionIds({ worker, key })
    const serve = (session: QuicSession): void => {
      sessions[worker]?.push(session)
      echo(session)
    }
    const forward = (datagram: Uint8Array, from: Address, id: Uint8Array): boolean => {
      const owner = ids.ownerOf(id, 2)
      if (owner === worker) return false
      handedOn[worker] = (handedOn[worker] as number) + 1
      endpoints[owner]?.inject(datagram.slice(), from)
      return true
    }
    const made = await server(serve, { connectionIds: ids, forward })
    endpoints.push(made.endpoint)
    addresses.push(made.address)
  }
  return { endpoints, addresses: addresses as [Address, Address], sessions, handedOn }
}

describe('forward and inject', () => {
  test('a connection stays with its worker, whoever gets its datagrams (RFC 9000 §5.1)', async () => {
    const { addresses, endpoints, sessions, handedOn } = await pair()
    for (let i = 0; i < 4; i++) {
      const tap = await Tap.before(addresses[0])
      const near = client(tap.address)
      await near.confirmed
      const stream = await near.openStream()
      const writing = stream.end(pattern(100_000))
      const bytes = stream.bytes()
      tap.redirect(addresses[1])
      await writing
      expect(isSame(await bytes, pattern(100_000))).toBe(true)
    }
    expect((sessions[0]?.length ?? 0) + (sessions[1]?.length ?? 0)).toBe(4)
    expect(endpoints.reduce((sum, { sessions }) => sum + sessions.size, 0)).toBe(4)
    // The first flights of one half of them, and later ones of the other.
    expect(handedOn[0] === 0 && handedOn[1] === 0).toBe(false)
  })

  test('what is injected is not handed on again', async () => {
    let asked = 0
    const { endpoint, address } = await server(echo, { forward: () => ++asked > 0 })
    const stranger = await Stranger.at()
    const short = new Uint8Array(60).fill(0x41)
    await stranger.send(short, address)
    expect(await eventually(() => asked === 1)).toBe(true)
    expect(endpoint.statistics()).toMatchObject({ datagramsReceived: 1, datagramsForwarded: 1, resetsSent: 0 })
    endpoint.inject(short.slice(), stranger.address)
    // A packet of nobody: it was ours to answer.
    expect((await stranger.answer())?.length).toBeLessThan(60)
    expect(asked).toBe(1)
  })

  test('a `forward` that throws loses the datagram, is shown, and the endpoint goes on', async () => {
    const uncaught: unknown[] = []
    const note = (error: unknown): void => void uncaught.push(error)
    process.on('uncaughtException', note)
    let fails = true
    const { address } = await server(echo, {
      forward: () => {
        if (fails) throw new Error('no way')
        return false
      },
    })
    const near = client(address, { transport: { initialRtt: 20 } })
    expect(await eventually(() => uncaught.length > 0)).toBe(true)
    fails = false
    await near.opened
    process.off('uncaughtException', note)
  })
})
