// Ways as lists: what each element does to datagrams, and that their order counts.

import { expect, test } from 'vitest'
import { Transfer } from '../connection/support.ts'
import {
  blackout,
  client,
  corrupt,
  delay,
  drop,
  duplicate,
  elementsOf,
  jitter,
  loss,
  mtu,
  queue,
  reorder,
  server,
  type Topology,
  toClient,
  toServer,
} from './elements.ts'
import { Link } from './link.ts'
import { Pair } from './pair.ts'
import { World } from './world.ts'

/** When datagrams of these sizes arrive that are sent at these times, as [index, time]. */
function arrivals(
  topology: Topology,
  direction: 'toServer' | 'toClient',
  sent: readonly (readonly [at: number, size: number])[],
): number[][] {
  const world = new World(1)
  const link = new Link(world, elementsOf(topology, direction))
  const seen: number[][] = []
  for (const [i, [at, size]] of sent.entries()) {
    world.plan(at, () => link.send(new Uint8Array(size).fill(i), bytes => seen.push([bytes[0] as number, world.now])))
  }
  world.run()
  return seen
}

test('a queue lets its rate pass, and drops what it has no room for', () => {
  const way: Topology = [client, queue({ rate: 10, bytes: 250 }), delay(5), server]
  const burst = [100, 100, 100, 100].map(size => [0, size] as const)
  expect(arrivals(way, 'toServer', burst)).toEqual([
    [0, 15],
    [1, 25],
  ])
})

test('whoever comes to a queue first goes first, however late it was sent', () => {
  const way: Topology = [client, reorder(1, 100), queue({ rate: 10 }), server]
  const seen = arrivals(way, 'toServer', [
    [0, 10],
    [0, 10],
    [0, 10],
    [0, 10],
  ])
  const times = seen.map(([, at]) => at as number)
  expect(seen.map(([i]) => i)).not.toEqual([0, 1, 2, 3])
  // Nobody waits for one that is still on its way to the queue.
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(times[3]).toBeGreaterThan((times[0] as number) + 10)
})

test('what goes back passes the elements the other way round', () => {
  // Behind the queue everything is in its time; before it the first one is missed.
  const way: Topology = [client, queue({ rate: 1 }), blackout(0, 5), server]
  const sent = [0, 6].map(at => [at, 10] as const)
  expect(arrivals(way, 'toServer', sent).map(([i]) => i)).toEqual([0, 1])
  expect(arrivals(way, 'toClient', sent).map(([i]) => i)).toEqual([1])
})

test('elements of one direction', () => {
  const way: Topology = [client, ...toServer(delay(3), mtu(50)), ...toClient(delay(7)), server]
  expect(arrivals(way, 'toServer', [[0, 51]])).toEqual([])
  expect(arrivals(way, 'toServer', [[0, 50]])).toEqual([[0, 3]])
  expect(arrivals(way, 'toClient', [[0, 51]])).toEqual([[0, 7]])
})

test('a hole for large datagrams that opens later', () => {
  const way: Topology = [client, mtu(50, 100), server]
  const sent = [99, 100].map(at => [at, 51] as const)
  expect(arrivals(way, 'toServer', sent)).toEqual([[0, 99]])
})

test('lost, doubled, damaged, late, dropped by number', () => {
  const one = [[0, 8]] as const
  expect(arrivals([client, loss(1), server], 'toServer', one)).toEqual([])
  expect(arrivals([client, duplicate(1), server], 'toServer', one)).toHaveLength(2)
  const twins = arrivals([client, duplicate(1), corrupt(1), server], 'toServer', one)
  expect(twins).toHaveLength(2)
  expect(arrivals([client, jitter(9), server], 'toServer', one)[0]?.[1]).toBeGreaterThan(0)
  expect(
    arrivals([client, drop(index => index === 1), server], 'toServer', [
      [0, 1],
      [1, 1],
      [2, 1],
    ]),
  ).toEqual([
    [0, 0],
    [2, 2],
  ])
})

test('a transfer over a list', () => {
  const topology: Topology = [client, delay(10), loss(0.1), queue({ rate: 500, bytes: 30_000 }), server]
  const pair = new Pair({ topology, seed: 5 }).connect()
  expect(new Transfer(pair, 20_000, 60_000, 2).begin().run()).toBe(true)
  expect(pair.toServer.carried).toBeGreaterThan(20)
})
