import { expect, test } from 'vitest'
import type { CryptoBackend, NamedGroup } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { MAX_KEY_SHARES_AHEAD, withKeySharesAhead } from '../../src/endpoint/key-shares-ahead.ts'
import { eventually } from './helpers.ts'

const [first, second] = nodeBackend.groups as readonly [NamedGroup, NamedGroup]

function counting(): { backend: CryptoBackend; made: () => number } {
  let count = 0
  const backend = {
    ...nodeBackend,
    keyExchange: (group: NamedGroup) => {
      count++
      return nodeBackend.keyExchange(group)
    },
  }
  return { backend, made: () => count }
}

test('shares are made at once, handed out once and replaced later', async () => {
  const { backend, made } = counting()
  const ahead = withKeySharesAhead(backend, 3)
  expect(made()).toBe(3)
  const shares = [1, 2, 3].map(() => ahead.keyExchange(first))
  expect(made()).toBe(3)
  expect(await eventually(() => made() === 6)).toBe(true)
  shares.push(...[1, 2, 3].map(() => ahead.keyExchange(first)))
  expect(made()).toBe(6)
  expect(new Set(shares.map(share => share.publicKey.toString())).size).toBe(6)
})

test('a burst that takes them all is served all the same', () => {
  const { backend, made } = counting()
  const ahead = withKeySharesAhead(backend, 2)
  const keys = Array.from({ length: 10 }, () => ahead.keyExchange(first).publicKey.toString())
  expect(new Set(keys).size).toBe(10)
  expect(made()).toBe(10)
})

test('they agree as shares made on demand do', () => {
  const share = withKeySharesAhead(nodeBackend, 1).keyExchange(first)
  const peer = nodeBackend.keyExchange(first)
  expect(share.agree(peer.publicKey)).toEqual(peer.agree(share.publicKey))
})

test('other groups are made on demand', () => {
  const { backend, made } = counting()
  expect(withKeySharesAhead(backend, 1).keyExchange(second).group).toBe(second)
  expect(made()).toBe(2)
})

test('numbers that make no sense are refused', () => {
  for (const count of [0, -1, 1.5, MAX_KEY_SHARES_AHEAD + 1]) {
    expect(() => withKeySharesAhead(nodeBackend, count)).toThrow(RangeError)
  }
  expect(() => withKeySharesAhead({ ...nodeBackend, groups: [] }, 1)).toThrow(TypeError)
})
