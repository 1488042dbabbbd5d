// A ClientHello that takes two datagrams, as with a post-quantum share, on networks that lose and reorder.

import { describe, expect, test } from 'vitest'
import { NamedGroup } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { AddressTokens } from '../../src/zero-rtt/address-token.ts'
import { Pair, type PairOptions } from '../sim/pair.ts'

const groups = [NamedGroup.X25519MlKem768, NamedGroup.X25519]

function longPair(options: PairOptions): Pair {
  return new Pair({ ...options, client: { groups, ...options.client }, server: { groups } })
}

describe('RFC 9000 §7.2: a ClientHello in two datagrams', () => {
  test('leaves in one flight of full datagrams', () => {
    const sent: number[] = []
    const pair = longPair({
      toServer: {
        drop: (_, datagram) => {
          sent.push(datagram.length)
          return false
        },
      },
    }).start()
    expect(sent).toEqual([1200, 1200])
    pair.world.run(() => pair.client.has('handshakeConfirmed'), 1000)
    expect(pair.client.connection.peer?.group).toBe('X25519MLKEM768')
    expect(pair.world.now).toBeLessThan(100)
  })

  test.each([[[0]], [[1]], [[0, 1]], [[0, 2]], [[1, 2]], [[0, 1, 2, 3]]])('with datagrams %j lost', lost => {
    const pair = longPair({ toServer: { drop: index => lost.includes(index) } }).connect()
    expect(pair.server.connection.peer?.group).toBe('X25519MLKEM768')
  })

  test.each([[[0]], [[1]], [[0, 1, 2]]])('after a Retry, with datagrams %j lost', lost => {
    const retry = new AddressTokens(nodeBackend)
    const pair = longPair({ retry, toServer: { drop: index => lost.includes(index) } }).connect()
    expect(pair.server.connection.peer?.group).toBe('X25519MLKEM768')
  })

  test('reordered and duplicated, by seed', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const link = { reorder: 0.5, duplicate: 0.3, jitter: 20, loss: seed % 2 === 0 ? 0.2 : 0 }
      const pair = longPair({ seed, link }).connect()
      expect(pair.client.connection.peer?.group).toBe('X25519MLKEM768')
    }
  })

  test('RFC 9000 §8.1: the first half alone gets no more than three times its size', () => {
    const pair = longPair({ toServer: { drop: index => index > 0 } }).start()
    pair.world.run(() => false, 20_000)
    expect(pair.server.received).toBe(1200)
    expect(pair.server.sentBytes).toBeLessThanOrEqual(3600)
  })
})
