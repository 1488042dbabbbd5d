import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { provision, provisionClient } from '../../src/zero-rtt/generator.ts'
import { ProvisionedClient } from '../../src/zero-rtt/provisioned-client.ts'
import { ProvisionedServer } from '../../src/zero-rtt/provisioned-server.ts'
import { RATCHET_SKIP, ReceivingRatchet, SendingRatchet } from '../../src/zero-rtt/ratchet.ts'
import type { Resumption } from '../../src/zero-rtt/resumption.ts'
import { attempt, START, toHex } from './support.ts'

const root = () => new Uint8Array(32).fill(5)
const LIFE = 20_000

/** The keys of the first links, by whoever could keep everything. */
function links(count: number): string[] {
  const sender = new SendingRatchet(nodeBackend, root())
  return Array.from({ length: count }, () => toHex(sender.next()))
}

const known = links(400)

test('both ends make the same keys, in order and out of it', () => {
  const receiver = new ReceivingRatchet(nodeBackend, root(), LIFE)
  for (const index of [0, 3, 1, 2, 9, 4]) {
    expect(toHex(receiver.peek(index, START) as Uint8Array)).toBe(known[index])
    expect(receiver.use(index, START)).toBe(true)
  }
})

test('every link by itself: whatever the order, each is used once, and its key cannot be had again', () => {
  const order = fc.array(fc.nat({ max: 200 }), { maxLength: 60 })
  const property = fc.property(order, indices => {
    const receiver = new ReceivingRatchet(nodeBackend, root(), LIFE)
    const used = new Set<number>()
    let highest = -1
    for (const index of indices) {
      const isReachable = index <= highest + 1 + RATCHET_SKIP && !used.has(index)
      const key = receiver.peek(index, START)
      if (key !== undefined) expect(toHex(key)).toBe(known[index])
      if (used.has(index)) expect(key).toBeUndefined()
      const isUsed = receiver.use(index, START)
      expect(isUsed).toBe(key !== undefined)
      if (isUsed) {
        expect(isReachable).toBe(true)
        used.add(index)
        highest = Math.max(highest, index)
      }
      expect(receiver.size).toBeLessThanOrEqual(RATCHET_SKIP)
    }
    for (const index of used) expect(receiver.peek(index, START)).toBeUndefined()
  })
  fc.assert(property, { numRuns: 60 })
})

test('every fresh link within the reach of the last is taken', () => {
  const property = fc.property(fc.array(fc.nat({ max: RATCHET_SKIP }), { maxLength: 20 }), steps => {
    const receiver = new ReceivingRatchet(nodeBackend, root(), LIFE)
    let next = 0
    for (const step of steps) {
      expect(receiver.use(next + step, START)).toBe(true)
      next += step + 1
    }
  })
  fc.assert(property, { numRuns: 30 })
})

test('nothing that is left at either end gives a key that was used', () => {
  // All that the objects hold, looked at by whoever has stolen the process's memory.
  const held: Uint8Array[] = []
  const watching = {
    ...nodeBackend,
    hmac: (hash: 'sha256' | 'sha384', key: Uint8Array, data: Uint8Array) => {
      const made = nodeBackend.hmac(hash, key, data)
      held.push(made)
      return made
    },
  }
  const receiver = new ReceivingRatchet(watching, root(), LIFE)
  for (let index = 0; index < 5; index++) receiver.use(index, START)
  held.length = 0
  receiver.peek(9, START)
  const later = new Set(held.map(toHex))
  for (const key of known.slice(0, 5)) expect(later.has(key)).toBe(false)
})

test('links passed over are forgotten in time, and are counted', () => {
  const receiver = new ReceivingRatchet(nodeBackend, root(), LIFE)
  receiver.use(10, START)
  expect(receiver.size).toBe(10)
  expect(receiver.peek(3, START + LIFE - 1)).toBeDefined()
  expect(receiver.peek(3, START + LIFE)).toBeUndefined()
  expect(receiver.size).toBe(0)
  for (let index = 75; index < 400; index += RATCHET_SKIP) receiver.use(index, START + LIFE)
  expect(receiver.size).toBe(RATCHET_SKIP)
})

test('nobody makes it run far ahead', () => {
  let steps = 0
  const counting = {
    ...nodeBackend,
    hmac: (...args: Parameters<typeof nodeBackend.hmac>) => {
      steps++
      return nodeBackend.hmac(...args)
    },
  }
  const receiver = new ReceivingRatchet(counting, root(), LIFE)
  steps = 0
  expect(receiver.peek(0xffffffff, START)).toBeUndefined()
  expect(receiver.peek(RATCHET_SKIP + 1, START)).toBeUndefined()
  expect(steps).toBe(0)
  expect(receiver.peek(RATCHET_SKIP, START)).toBeDefined()
  expect(steps).toBe(RATCHET_SKIP + 1)
})

describe('a ratcheted worker', () => {
  const ORIGIN = '10.0.0.7:443'
  const make = () => {
    const clock = { time: START }
    const bundles = provision({
      backend: nodeBackend,
      unixTime: START,
      clientId: 'gateway-1',
      addresses: [ORIGIN],
      transportParameters: new Uint8Array(0),
      cipherSuite: 0x1301,
      ratchet: true,
    })
    const client = new ProvisionedClient(nodeBackend, bundles.client, () => clock.time)
    const server = new ProvisionedServer(nodeBackend, bundles.worker)
    return { ...bundles, clock, taker: client, server, take: () => client.take(ORIGIN) as Resumption }
  }

  test('takes each PSK once; then it does not know it any more', () => {
    const { take, server, clock } = make()
    const [first, second] = [take(), take()]
    for (const { identity, secret } of [second, first]) {
      const found = server.find(identity, 0, clock.time)
      expect(found?.secret).toEqual(secret)
      expect(found && server.admit(attempt(found, clock.time))).toBe(true)
      expect(server.find(identity, 0, clock.time)).toBeUndefined()
    }
  })

  test('two flights under one PSK at the same moment: one is taken', () => {
    const { take, server, clock } = make()
    const { identity } = take()
    const found = [0, 1].map(() => server.find(identity, 0, clock.time))
    expect(found.map(psk => psk && server.admit(attempt(psk, clock.time)))).toEqual([true, false])
  })

  test('the roots are gone out of both bundles, and K_w gives none of the keys', () => {
    const { client, worker, server, take, clock } = make()
    const zeros = new Uint8Array(32)
    expect(client.key).toEqual(zeros)
    expect(worker.chains.map(({ key }) => key)).toEqual([zeros])
    // The same instance, made again of all that was left.
    expect(() => new ProvisionedServer(nodeBackend, worker)).toThrow('a ratchet begins once')
    expect(() => new ProvisionedClient(nodeBackend, client, () => clock.time)).toThrow('a ratchet begins once')
    const guess = { ...worker, isRatcheted: false, chains: [] }
    const { identity, secret } = take()
    expect(new ProvisionedServer(nodeBackend, guess).find(identity, 0, clock.time)?.secret).not.toEqual(secret)
    expect(server.find(identity, 0, clock.time)?.secret).toEqual(secret)
  })

  test('has to be told of further clients', () => {
    const { worker, server, clock } = make()
    const half = provisionClient(nodeBackend, worker, { clientId: 'gateway-2', addresses: [ORIGIN] }, START)
    const taker = new ProvisionedClient(nodeBackend, half.client, () => clock.time)
    const first = taker.take(ORIGIN) as Resumption
    expect(server.find(first.identity, 0, clock.time)).toBeUndefined()
    if (half.chain) server.addChain(half.chain)
    expect(server.find(first.identity, 0, clock.time)?.secret).toEqual(first.secret)
  })

  test('is renewed by another bundle', () => {
    const { worker, server, clock } = make()
    expect(() => server.advanceEpoch({ notBefore: START, expires: START + 1000 })).toThrow(TypeError)
    const next = { ...worker, epoch: 1, chains: [] }
    server.renew(next)
    const half = provisionClient(nodeBackend, next, { clientId: 'gateway-1', addresses: [ORIGIN] }, START)
    if (half.chain) server.addChain(half.chain)
    const { identity } = new ProvisionedClient(nodeBackend, half.client, () => clock.time).take(ORIGIN) as Resumption
    expect(server.find(identity, 0, clock.time)?.epoch).toBe(1)
    expect(() => server.renew(next)).toThrow('does not follow')
    expect(() => server.renew({ ...next, instanceId: new Uint8Array(16), epoch: 2 })).toThrow('another instance')
  })

  test('has room for so many clients', () => {
    const { worker } = make()
    const server = new ProvisionedServer(nodeBackend, { ...worker, chains: [] }, { maxClients: 2 })
    const chain = (clientId: string) => ({ clientId, caller: '', key: nodeBackend.random(32) })
    server.addChain(chain('a'))
    server.addChain(chain('b'))
    server.addChain(chain('a'))
    expect(() => server.addChain(chain('c'))).toThrow(RangeError)
  })
})
