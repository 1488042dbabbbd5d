// What strangers can make an endpoint keep, compute or say.

import { expect, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { isReflector } from '../../src/endpoint/incoming.ts'
import { Neighbours } from '../../src/endpoint/neighbours.ts'
import { PendingClients } from '../../src/endpoint/pending-clients.ts'
import type { QuicSession } from '../../src/endpoint/quic-session.ts'
import { Router } from '../../src/endpoint/router.ts'
import { limits } from '../../src/limits.ts'
import { PacketKind, readHeader } from '../../src/packet/header.ts'
import { echo, eventually, pattern, Stranger, server } from '../endpoint/helpers.ts'
import { Pair } from '../sim/pair.ts'

test('a flood of Initial packets: beyond the bound each gets a Retry and leaves nothing', async () => {
  // However long it takes, none of them gives up meanwhile.
  const transport = { maxIdleTimeout: 0 }
  const { endpoint, address } = await server(echo, { handshakeTimeout: 0, transport })
  const stranger = await Stranger.at()
  const excess = 20
  const retries = (): number => stranger.received.filter(({ bytes }) => kindOf(bytes) === PacketKind.Retry).length
  for (let seed = 1; seed <= limits.handshakesBeforeRetry + excess; seed++) {
    await stranger.send(
      new Pair({ seed, client: { alpn: ['echo'], transport } }).start().client.sent[0] as Uint8Array,
      address,
    )
    expect(await eventually(() => endpoint.sessions.size + retries() === seed)).toBe(true)
  }
  expect(retries()).toBe(excess)
  expect(endpoint.listener.handshakes).toBe(limits.handshakesBeforeRetry)
})

test('clients that wait for admission: the bytes of one host do not take the room of the others', () => {
  const pending = new PendingClients(10_000)
  const add = (host: string, port: number): boolean =>
    pending.add(pending.key({ host, port }, pattern(8)), new Uint8Array(1200))
  let kept = 0
  while (kept < 10_000 && add('192.0.2.1', kept)) kept++
  expect(kept).toBe(Math.floor(limits.pendingBytesPerHost / 1200))
  expect(pending.append(pending.key({ host: '192.0.2.1', port: 0 }, pattern(8)), new Uint8Array(1200))).toBe(true)
  expect(pending.take(pending.key({ host: '192.0.2.1', port: 0 }, pattern(8))).length).toBe(1)
  expect(add('192.0.2.2', 1)).toBe(true)
  // What was taken makes room again.
  expect(add('192.0.2.1', 0)).toBe(true)
  expect(add('192.0.2.1', 20_000)).toBe(false)
  // An IPv6 network of 64 bits is one host.
  for (kept = 0; kept < 10_000 && add(`2001:db8::${kept.toString(16)}`, 443); ) kept++
  expect(kept).toBe(Math.floor(limits.pendingBytesPerHost / 1200))
})

test('garbage is compared with the reset tokens of a bounded number of neighbours', () => {
  const neighbours = new Neighbours()
  let compared = 0
  const connection = { receiveStray: () => ++compared < 0 }
  const from = { host: '192.0.2.1', port: 443 }
  const sessions = Array.from({ length: 2 * limits.neighbours }, () => ({ connection }) as unknown as QuicSession)
  for (const session of sessions) neighbours.add(session, from)
  expect(neighbours.receiveReset(pattern(50), from, 0)).toBe(undefined)
  expect(compared).toBe(limits.neighbours)
  for (const session of sessions) neighbours.remove(session)
  expect(neighbours.size).toBe(0)
})

test.each([0x40, 0])(
  'RFC 9000 §10.3.3: two endpoints that answer each other with resets fall silent (first byte %i)',
  first => {
    const routers = [1, 2].map(seed => new Router(nodeBackend, pattern(32, seed)))
    const into = new Uint8Array(1500)
    let datagram = pattern(1200)
    datagram[0] = first
    let answers = 0
    for (; answers < 1000; answers++) {
      const length = (routers[answers % 2] as Router).reset(datagram, datagram.slice(1, 9), into, 0, true)
      if (length === 0) break
      expect(length).toBeLessThan(datagram.length)
      datagram = into.slice(0, length)
    }
    expect(answers).toBeLessThan(25)
  },
)

test.each([0, 17, 19, 53, 111, 123, 137, 138, 161, 389, 500, 1900, 5353, 11211])('port %d is never answered', port => {
  expect(isReflector(port)).toBe(true)
})

function kindOf(datagram: Uint8Array): number | undefined {
  return readHeader(datagram, 0, 8)?.kind
}
