// What connections on which nothing happens cost: memory and timers. `npm run bench -- growth` has larger numbers.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import type { Address } from '../../src/connection/path.ts'
import { QuicEndpoint } from '../../src/endpoint/endpoint.ts'
import type { QuicSession } from '../../src/endpoint/quic-session.ts'
import { caPem } from '../support/certificates.ts'
import { closing, echo, patient, pattern, server } from './helpers.ts'

const COUNT = 300
/** Both ends of a connection are in this process: a server keeps some 20 kB, a client a little more. */
const BOTH_ENDS = 70_000
/** A MiB each way: of that nothing, but some tables keep their size. */
const AFTER_TRANSFER = 150_000

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

test('300 idle connections keep less than 70 kB each, both ends together', async () => {
  const { endpoint, address } = await server(echo)
  const near = closing(new QuicEndpoint({ host: '127.0.0.1' }))
  // Before memory is looked at, all code has run.
  await connect(near, address, 50)
  const before = await memory()
  await connect(near, address, COUNT)
  const each = ((await memory(before + COUNT * BOTH_ENDS)) - before) / COUNT
  expect(endpoint.sessions.size).toBe(50 + COUNT)
  expect(each).toBeGreaterThan(5000)
  expect(each).toBeLessThan(BOTH_ENDS)
})

test('after a large transfer a connection at rest keeps nothing of it', async () => {
  const { address } = await server(echo)
  const near = closing(new QuicEndpoint({ host: '127.0.0.1' }))
  await transfer(near.connect(address, { alpn: ['echo'], ca: caPem }))
  const before = await memory()
  const size = 40
  for (let i = 0; i < size; i++) await transfer(near.connect(address, { alpn: ['echo'], ca: caPem }))
  expect(((await memory(before + size * AFTER_TRANSFER)) - before) / size).toBeLessThan(AFTER_TRANSFER)
})

async function connect(near: QuicEndpoint, address: Address, count: number): Promise<void> {
  await near.ready
  const open = (): QuicSession => near.connect(address, { alpn: ['echo'], ca: caPem, ...patient })
  for (let left = count; left > 0; left -= 25) {
    await Promise.all(Array.from({ length: Math.min(25, left) }, () => open().confirmed))
  }
}

async function transfer(session: QuicSession): Promise<void> {
  const stream = await session.openStream()
  stream.end(pattern(1024 * 1024))
  for await (const _ of stream);
}

/** Bytes in use, once ACKs are out and the garbage is gone; for as long as they are more than `expected`, if not for ever. */
async function memory(expected = Number.POSITIVE_INFINITY): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < 6 || (least >= expected && i < 200); i++) {
    await new Promise(resolve => setTimeout(resolve, 50))
    gc()
    const { heapUsed, external } = process.memoryUsage()
    least = Math.min(least, heapUsed + external)
  }
  return least
}
