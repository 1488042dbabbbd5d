// What is still under way on a path that is used no more: packets, their acknowledgments, their losses.

import { expect, test } from 'vitest'
import { FrameType } from '../../src/packet/frames/frame.ts'
import { OpenPair, Transfer } from '../connection/support.ts'
import { serverAddress } from '../sim/pair.ts'

const other = { host: '198.51.100.9', port: 40_001 }

function roaming(): OpenPair {
  const pair = new OpenPair({ link: { delay: 20 } })
  pair.client.others.push(other)
  pair.connect()
  pair.world.pass(500)
  return pair
}

test('RFC 9000 §8.2.4: what a path that was given up still says is late, and harms nothing', () => {
  const pair = roaming()
  const held: Uint8Array[] = []
  // The server hears the questions, but no answer comes back.
  pair.client.filter = datagram => (datagram.length === 1200 && held.push(datagram) > 0 ? undefined : datagram)
  pair.client.act(client => expect(client.migrate({ ...serverAddress, via: 1 })).toBe(undefined))
  pair.world.run(() => pair.client.has('migrationFailed'), 20_000)
  expect(pair.client.has('migrationFailed')).toBe(true)
  expect(held.length).toBeGreaterThan(2)
  pair.client.filter = datagram => datagram
  for (const datagram of held) pair.client.receive(datagram, { ...serverAddress, via: 1 })
  pair.world.pass(2000)
  expect(pair.logs.server.frames(FrameType.PathResponse).length).toBeGreaterThan(2)
  expect(pair.client.has('migrated')).toBe(false)
  expect(pair.client.has('closed') || pair.server.has('closed')).toBe(false)
  expect(pair.client.connection.remote).toEqual(serverAddress)
  expect(new Transfer(pair, 100_000, 100_000).begin().run()).toBe(true)
})

test.each([
  [1, 5],
  [5, 20],
])(
  'RFC 9000 §9.3, §9.4: every %i ms at another address, %i ms away: the server is at the newest a few round trips later',
  (every, delay) => {
    const pair = new OpenPair({ link: { delay } }).connect()
    pair.world.pass(100)
    const id = pair.client.connection.openStream('bidi') as number
    for (let i = 0; i < 200; i++) {
      pair.client.address = { host: `203.0.113.${i}`, port: 1000 + i }
      pair.client.act(client => client.write(id, Uint8Array.of(i), false))
      // What asks whether anybody is at the former address fills no window of the new one.
      if (i > 0 && pair.server.connection.remote.port >= 1000) {
        expect(pair.server.connection.diagnostics.bytesInFlight).toBeLessThan(12_000)
      }
      pair.world.pass(every)
    }
    pair.world.pass(3 * 2 * delay)
    const { connection } = pair.server
    expect(connection.remote).toEqual(pair.client.address)
    expect(connection.isAddressValidated).toBe(true)
    pair.world.pass(20_000)
    expect(connection.remote).toEqual(pair.client.address)
    expect(new Transfer(pair, 20_000, 20_000).begin().run()).toBe(true)
  },
)

test('RFC 9000 §9.3: a client that is somewhere else with every packet is asked three times for each at most, and stays', () => {
  const pair = new OpenPair({ link: { delay: 5 } }).connect()
  pair.world.pass(100)
  const id = pair.client.connection.openStream('bidi') as number
  const moves = 200
  for (let i = 0; i < moves; i++) {
    pair.client.address = { host: `203.0.113.${i % 250}`, port: 1000 + i }
    pair.client.act(client => client.write(id, Uint8Array.of(i), false))
    pair.world.pass(20)
  }
  pair.world.pass(20_000)
  // One where it is, one where it was (§9.3.3), one in a full datagram (§8.2.1); the last of them again until it is answered.
  const asked = pair.logs.server.frames(FrameType.PathChallenge).length
  expect(asked).toBeGreaterThan(0)
  expect(asked).toBeLessThanOrEqual(3 * moves + 10)
  expect(pair.server.has('closed')).toBe(false)
  expect(pair.server.connection.remote).toEqual(pair.client.address)
  expect(new Transfer(pair, 20_000, 20_000).begin().run()).toBe(true)
})
