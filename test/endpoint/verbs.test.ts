// What a session can do besides streams: keys, exporters, priorities.

import { expect, test } from 'vitest'
import type { QuicSession } from '../../src/endpoint/quic-session.ts'
import { client, echo, eventually, isSame, pattern, server } from './helpers.ts'

/** Both ends of a connection. */
async function ends(): Promise<{ near: QuicSession; far: QuicSession }> {
  const sessions: QuicSession[] = []
  const { address } = await server(session => {
    sessions.push(session)
    echo(session)
  })
  const near = client(address)
  await near.confirmed
  return { near, far: sessions[0] as QuicSession }
}

test('RFC 9001 §6.1: updateKeys, on either side, in the middle of a transfer', async () => {
  const { near, far } = await ends()
  const stream = await near.openStream()
  const written = stream.end(pattern(300_000))
  expect(near.updateKeys()).toBe(true)
  // Not acknowledged yet.
  expect(near.updateKeys()).toBe(false)
  expect(isSame(await stream.bytes(), pattern(300_000))).toBe(true)
  await written
  expect(await eventually(() => far.updateKeys())).toBe(true)
  const again = await near.openStream()
  await again.end('x')
  expect((await again.bytes()).length).toBe(1)
})

test('RFC 8446 §7.5: both ends export the same secret, another for each label and context', async () => {
  const { near, far } = await ends()
  const context = new Uint8Array([1])
  const secret = near.exportKeyingMaterial(32, 'EXPORTER-test')
  expect(secret.length).toBe(32)
  expect(far.exportKeyingMaterial(32, 'EXPORTER-test')).toEqual(secret)
  expect(far.exportKeyingMaterial(32, 'EXPORTER-test', context)).not.toEqual(secret)
  expect(far.exportKeyingMaterial(32, 'EXPORTER-other')).not.toEqual(secret)
  const { address } = await server(echo)
  const early = client(address)
  expect(() => early.exportKeyingMaterial(32, 'EXPORTER-test')).toThrow(/await `session.opened`/)
  expect(early.updateKeys()).toBe(false)
})

test('RFC 9218 §4: a stream of a lower urgency waits for one of a higher', async () => {
  const { near, far } = await ends()
  const order: number[] = []
  const [first, second] = [await near.openStream(), await near.openStream()]
  for (const stream of [first, second]) stream.delivered.then(() => order.push(stream.id))
  first.setPriority({ urgency: 7 })
  second.setPriority({ urgency: 0, incremental: true })
  const writing = [first.end(pattern(400_000)), second.end(pattern(200_000))]
  const read = [first.bytes(), second.bytes()]
  expect((await Promise.all(read)).map(bytes => bytes.length)).toEqual([400_000, 200_000])
  await Promise.all(writing)
  expect(await eventually(() => order.length === 2)).toBe(true)
  expect(order).toEqual([second.id, first.id])
  for (const urgency of [-1, 8, 1.5]) expect(() => first.setPriority({ urgency })).toThrow(RangeError)
  expect(far.remoteAddress.host).toBe('127.0.0.1')
})
