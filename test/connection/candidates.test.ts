// A server with several addresses, of which some do not answer (RFC 8305).

import { expect, test } from 'vitest'
import { Pair, serverAddress } from '../sim/pair.ts'
import { provisioned } from './early.ts'

const dead = { host: '2001:db8::1', port: 443 }
const other = { host: '2001:db8::2', port: 443 }
const stranger = { host: '198.51.100.7', port: 443 }

test('RFC 8305 §5: the next address is tried at a probe timeout, and the one that answers is kept', () => {
  const pair = new Pair({ link: { delay: 10 } })
  pair.start(client => client.setRemotes([dead, serverAddress, other]))
  pair.world.pass(900)
  expect(pair.server.hasConnection).toBe(false)
  expect(pair.client.connection.remote).toEqual(dead)
  pair.world.run(() => pair.client.has('handshakeConfirmed'), 5000)
  expect(pair.world.now).toBeLessThan(1500)
  expect(pair.client.connection.remote).toEqual(serverAddress)
  // Whatever is lost from now on, it stays there.
  pair.client.filter = () => undefined
  pair.client.act(client => client.write(client.openStream('uni') as number, new Uint8Array(10), true))
  pair.world.pass(10_000)
  expect(pair.client.connection.remote).toEqual(serverAddress)
})

test('an answer that comes when the next address is tried already is taken', () => {
  const pair = new Pair({ link: { delay: 600 } })
  pair.start(client => client.setRemotes([serverAddress, dead]))
  pair.world.pass(1100)
  expect(pair.client.connection.remote).toEqual(dead)
  pair.world.run(() => pair.client.has('handshakeConfirmed'), 10_000)
  expect(pair.client.has('handshakeConfirmed')).toBe(true)
  expect(pair.client.connection.remote).toEqual(serverAddress)
})

test('RFC 9000 §9: who is none of them is not heard', () => {
  const pair = new Pair({ link: { delay: 10 } })
  pair.start(client => client.setRemotes([serverAddress, dead]))
  const { packetsDropped } = pair.client.connection.stats
  pair.client.receive(new Uint8Array(1200).fill(0xc0), stranger)
  expect(pair.client.connection.stats.packetsDropped).toBe(packetsDropped + 1)
  expect(pair.client.connection.remote).toEqual(serverAddress)
})

test('early data is for one server alone: who may send it stays with the first', () => {
  const { resumption, server } = provisioned()
  const pair = new Pair({ client: { resumption, earlyData: true }, server })
  pair.start(client => {
    client.setRemotes([dead, serverAddress])
    client.write(client.openStream('bidi') as number, new Uint8Array(10), true)
  })
  pair.world.pass(10_000)
  expect(pair.client.connection.remote).toEqual(dead)
  expect(pair.server.hasConnection).toBe(false)
})
