// Nothing small is kept of what is over: after many handshakes and streams there are as many objects as before.
//
// SOAK=10000 npx vitest run test/security/soak.test.ts makes it as many as one likes.

import { queryObjects } from 'node:v8'
import { expect, test } from 'vitest'
import { Connection } from '../../src/connection/connection.ts'
import { Pair } from '../sim/pair.ts'
import { World } from '../sim/world.ts'

const handshakes = Number(process.env['SOAK'] ?? 60)
const streams = 100 * handshakes
const timeout = 60_000 + 100 * handshakes

/** Objects of every kind that can still be reached; collects garbage first. */
function objects(): number {
  return queryObjects(Object, { format: 'count' })
}

test(
  'handshakes leave nothing behind',
  () => {
    for (let seed = 0; seed < 20; seed++) handshake(seed)
    const before = objects()
    for (let seed = 0; seed < handshakes; seed++) handshake(seed)
    expect(objects() - before).toBeLessThan(handshakes / 2)
    expect(queryObjects(Connection, { format: 'count' })).toBe(0)
  },
  timeout,
)

test(
  'streams of one connection leave nothing behind',
  () => {
    const pair = new Pair({ world: new World(1, 'fast', Number.POSITIVE_INFINITY) }).connect()
    pair.client.keepsRecords = false
    pair.server.keepsRecords = false
    pair.server.onEvent = event => {
      if (event.type === 'readable') answer(pair.server.connection, event.id)
    }
    request(pair, 2000)
    const before = objects()
    request(pair, streams)
    expect(objects() - before).toBeLessThan(streams / 10)
  },
  timeout,
)

function handshake(seed: number): void {
  const pair = new Pair({ seed }).connect()
  pair.client.act(client => client.close(0, ''))
  pair.world.pass(10_000)
}

/** `count` requests and answers of one byte, as many at a time as the server allows. */
function request(pair: Pair, count: number): void {
  let asked = 0
  let answered = 0
  const ask = (client: Connection): void => {
    for (; asked < count; asked++) {
      const id = client.openStream('bidi')
      if (id === undefined) return
      client.write(id, Uint8Array.of(1), true)
    }
  }
  pair.client.onEvent = event => {
    if (event.type === 'readable' && pair.client.connection.read(event.id)?.fin) answered++
    if (event.type === 'streamsAvailable') ask(pair.client.connection)
  }
  pair.client.act(ask)
  expect(pair.world.run(() => answered === count, Number.POSITIVE_INFINITY)).toBe(true)
}

function answer(server: Connection, id: number): void {
  while (server.read(id) !== undefined);
  server.write(id, Uint8Array.of(2), true)
}
