// The claim: how many one-way trips pass until the server's application sees the first byte of a request. Counted on
// the chain of datagrams that each cause the next; no time is measured.

import { describe, expect, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { AddressTokens } from '../../src/zero-rtt/address-token.ts'
import { Pair, type PairOptions } from '../sim/pair.ts'
import { provisioned, ticketed } from './early.ts'

const request = new TextEncoder().encode('GET /')

/** One-way trips until the request is there; it is written as early as the client may. */
function tripsToRequest(options: PairOptions): number {
  const pair = new Pair(options)
  let trips = 0
  pair.server.onEvent = event => {
    if (event.type === 'readable' && trips === 0 && pair.server.connection.read(event.id)) trips = pair.server.trips
  }
  const write = (): void => {
    const id = pair.client.connection.openStream('bidi')
    if (id !== undefined) pair.client.connection.write(id, request, true)
  }
  let isWritten = false
  pair.client.onEvent = event => {
    if (event.type === 'handshakeComplete' && !isWritten) write()
  }
  pair.start(client => {
    const id = client.openStream('bidi')
    isWritten = id !== undefined
    if (id !== undefined) client.write(id, request, true)
  })
  expect(pair.world.run(() => trips > 0, 10_000)).toBe(true)
  return trips
}

const ONE_WAY = 1
const ROUND_TRIP = 2

describe('one-way trips until the first byte of a request', () => {
  test('zero round trips: provisioned, to a server process that has never met a client', () => {
    const { resumption, server } = provisioned()
    expect(tripsToRequest({ client: { resumption, earlyData: true }, server })).toBe(ONE_WAY)
  })

  test('zero round trips: with a ticket', () => {
    const { resumption, server } = ticketed()
    expect(tripsToRequest({ client: { resumption, earlyData: true }, server })).toBe(ONE_WAY)
  })

  test('zero round trips although the server asks for address tokens: the bundle has one', () => {
    const { resumption, server, tokens } = provisioned()
    expect(tripsToRequest({ client: { resumption, earlyData: true }, server, retry: tokens })).toBe(ONE_WAY)
  })

  test('one round trip: with a certificate', () => {
    expect(tripsToRequest({})).toBe(ROUND_TRIP + ONE_WAY)
  })

  test('one round trip: with a PSK but early data refused', () => {
    const { resumption, server } = provisioned()
    const refusing = { ...server, earlyData: { admit: () => false } }
    expect(tripsToRequest({ client: { resumption, earlyData: true }, server: refusing })).toBe(ROUND_TRIP + ONE_WAY)
  })

  test('two round trips: with a certificate and a Retry', () => {
    const retry = new AddressTokens(nodeBackend)
    expect(tripsToRequest({ retry })).toBe(2 * ROUND_TRIP + ONE_WAY)
  })

  test('one round trip: early data and a Retry', () => {
    const { resumption, server } = provisioned()
    const retry = new AddressTokens(nodeBackend)
    const client = { resumption: { ...resumption, token: new Uint8Array(0) }, earlyData: true }
    expect(tripsToRequest({ client, server, retry })).toBe(ROUND_TRIP + ONE_WAY)
  })
})

test('the answer to an early request is there after one round trip', () => {
  const { resumption, server } = provisioned()
  const pair = new Pair({ client: { resumption, earlyData: true }, server })
  pair.server.onEvent = event => {
    if (event.type !== 'readable') return
    while (pair.server.connection.read(event.id));
    pair.server.connection.write(event.id, new TextEncoder().encode('200'), true)
  }
  let trips = 0
  pair.client.onEvent = event => {
    if (event.type === 'readable' && trips === 0) trips = pair.client.trips
  }
  pair.start(client => client.write(client.openStream('bidi') as number, request, true))
  expect(pair.world.run(() => trips > 0, 10_000)).toBe(true)
  expect(trips).toBe(ROUND_TRIP)
})

test('the first flight of a provisioned client is one datagram: ClientHello and request', () => {
  const { resumption, server } = provisioned()
  const pair = new Pair({ client: { resumption, earlyData: true }, server })
  pair.start(client => client.write(client.openStream('bidi') as number, request, true))
  expect(pair.client.sent.map(datagram => datagram.length)).toEqual([1200])
})
