import { describe, expect, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import {
  AddressTokens,
  MAX_REMEMBERED_TOKENS,
  MAX_TOKEN_LENGTH,
  NEW_TOKEN_LIFETIME,
  RETRY_LIFETIME,
} from '../../src/zero-rtt/address-token.ts'
import { SingleUse } from '../../src/zero-rtt/anti-replay.ts'
import { provision } from '../../src/zero-rtt/generator.ts'
import { START } from './support.ts'

const HOME = '192.0.2.1:50000'
const odcid = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
const scid = Uint8Array.of(9, 9, 9, 9)

describe('RFC 9000 §8.1.2, Retry tokens', () => {
  const tokens = new AddressTokens(nodeBackend)
  const token = tokens.retryToken(HOME, odcid, scid, START)

  test('give back the ids the handshake is checked against', () => {
    expect(tokens.read(token, HOME, START + 100)).toEqual({
      kind: 'retry',
      originalDestination: odcid,
      retrySource: scid,
    })
  })

  test('invalid from another host, another port, after 15 s, or altered: INVALID_TOKEN', () => {
    const invalid = { kind: 'invalid-retry' }
    expect(tokens.read(token, '192.0.2.2:50000', START)).toEqual(invalid)
    expect(tokens.read(token, '192.0.2.1:50001', START)).toEqual(invalid)
    expect(tokens.read(token, HOME, START + RETRY_LIFETIME - 1)).toMatchObject({ kind: 'retry' })
    expect(tokens.read(token, HOME, START + RETRY_LIFETIME)).toEqual(invalid)
    for (let at = 2; at < token.length; at++) {
      const altered = token.slice()
      altered[at] = (altered[at] as number) ^ 1
      expect(tokens.read(altered, HOME, START)).toEqual(invalid)
    }
  })

  test('of a server with other keys are known to be Retry tokens, and invalid', () => {
    expect(new AddressTokens(nodeBackend).read(token, HOME, START)).toEqual({ kind: 'invalid-retry' })
  })
})

describe('RFC 9000 §8.1.3, NEW_TOKEN tokens', () => {
  const tokens = new AddressTokens(nodeBackend, { guard: false })
  const token = tokens.newToken(HOME, START)

  test('RFC 9000 §8.1.3: two tokens of NEW_TOKEN share no bytes but those of every token', () => {
    const all = Array.from({ length: 200 }, () => tokens.newToken(HOME, START))
    const first = all[0] as Uint8Array
    for (let at = 0; at < first.length; at++) {
      const values = new Set(all.map(other => other[at]))
      // The same in the tokens of all clients, or different in each.
      const isCommon = tokens.newToken('198.51.100.7:1', START + 99_999)[at] === first[at]
      expect(values.size > 60 || (values.size === 1 && isCommon)).toBe(true)
    }
  })

  test('RFC 9369 §5: a token is good in the version it was given in', () => {
    expect(tokens.read(tokens.newToken(`1/${HOME}`, START), `1/${HOME}`, START)).toEqual({ kind: 'new' })
    expect(tokens.read(tokens.newToken(`1/${HOME}`, START), `2/${HOME}`, START)).toBeUndefined()
  })

  test('prove the host, from any port', () => {
    expect(tokens.read(token, '192.0.2.1:1', START + 3_600_000)).toEqual({ kind: 'new' })
    expect(tokens.read(tokens.newToken('[2001:db8::1]:7', START), '[2001:db8::1]:8', START)).toEqual({ kind: 'new' })
    expect(tokens.read(tokens.newToken('pipe', START), 'pipe', START)).toEqual({ kind: 'new' })
  })

  test('are as good as absent from another host, after a day, altered, or with other keys', () => {
    expect(tokens.read(token, '192.0.2.11:50000', START)).toBeUndefined()
    expect(tokens.read(token, HOME, START + NEW_TOKEN_LIFETIME - 1)).toEqual({ kind: 'new' })
    expect(tokens.read(token, HOME, START + NEW_TOKEN_LIFETIME)).toBeUndefined()
    expect(new AddressTokens(nodeBackend).read(token, HOME, START)).toBeUndefined()
    for (let at = 2; at < token.length; at++) {
      const altered = token.slice()
      altered[at] = (altered[at] as number) ^ 1
      expect(tokens.read(altered, HOME, START)).toBeUndefined()
    }
  })

  test('cannot be turned into Retry tokens, nor these into them', () => {
    const asRetry = token.slice()
    asRetry.set(tokens.retryToken(HOME, odcid, scid, START).subarray(0, 2))
    expect(tokens.read(asRetry, HOME, START)).toEqual({ kind: 'invalid-retry' })
    const asNew = tokens.retryToken(HOME, odcid, scid, START)
    asNew.set(token.subarray(0, 2))
    expect(tokens.read(asNew, HOME, START)).toBeUndefined()
  })

  test('RFC 9000 §8.1.4: once, unless told otherwise; Retry tokens as often as an Initial is repeated', () => {
    const once = new AddressTokens(nodeBackend)
    const mine = once.newToken(HOME, START)
    expect(once.read(mine, HOME, START)).toEqual({ kind: 'new' })
    expect(once.read(mine, HOME, START)).toBeUndefined()
    expect(tokens.read(token, HOME, START)).toEqual({ kind: 'new' })
    expect(tokens.read(token, HOME, START)).toEqual({ kind: 'new' })
    const retry = once.retryToken(HOME, odcid, scid, START)
    for (let i = 0; i < 3; i++) expect(once.read(retry, HOME, START)).toMatchObject({ kind: 'retry' })
  })

  test('of a fleet with one key are good at each of its servers', () => {
    const keys = [new Uint8Array(32).fill(7)]
    const [a, b] = [0, 1].map(() => new AddressTokens(nodeBackend, { keys })) as [AddressTokens, AddressTokens]
    expect(b.read(a.newToken(HOME, START), HOME, START)).toEqual({ kind: 'new' })
    expect(b.read(a.retryToken(HOME, odcid, scid, START), HOME, START)).toMatchObject({ kind: 'retry' })
  })

  test('RFC 9000 §8.1.4: single use with a guard', () => {
    const once = new AddressTokens(nodeBackend, { guard: new SingleUse(2) })
    const [first, second, third] = [0, 1, 2].map(() => once.newToken(HOME, START)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
    expect(once.read(first, HOME, START)).toEqual({ kind: 'new' })
    expect(once.read(first, HOME, START)).toBeUndefined()
    expect(once.read(second, HOME, START)).toEqual({ kind: 'new' })
    // The guard is full: no guess is made.
    expect(once.read(third, HOME, START)).toBeUndefined()
    // A token from elsewhere uses nothing up.
    const stolen = new AddressTokens(nodeBackend, { guard: new SingleUse(1) })
    const mine = stolen.newToken(HOME, START)
    expect(stolen.read(mine, '198.51.100.1:1', START)).toBeUndefined()
    expect(stolen.read(mine, HOME, START)).toEqual({ kind: 'new' })
  })
})

describe('rotation', () => {
  test('a token survives one change of key, not two', () => {
    const tokens = new AddressTokens(nodeBackend)
    const token = tokens.newToken(HOME, START)
    tokens.rotate()
    expect(tokens.read(token, HOME, START)).toEqual({ kind: 'new' })
    tokens.rotate()
    expect(tokens.read(token, HOME, START)).toBeUndefined()
  })

  test('keys of our own change once in the life of a token, so that none is lost early', () => {
    const tokens = new AddressTokens(nodeBackend, { newTokenLifetime: 1000 })
    const last = [0, 999].map(after => tokens.newToken(HOME, START + after))
    tokens.newToken(HOME, START + 1000)
    expect(tokens.read(last[1] as Uint8Array, HOME, START + 1998)).toEqual({ kind: 'new' })
    tokens.newToken(HOME, START + 2000)
    expect(tokens.read(last[1] as Uint8Array, HOME, START + 1998)).toBeUndefined()
  })
})

describe('tokens of a bundle', () => {
  const make = () =>
    provision({
      backend: nodeBackend,
      unixTime: START,
      clientId: 'gateway',
      addresses: ['10.0.0.7:443'],
      transportParameters: new Uint8Array(0),
    })

  test('are good from any address at that instance, until the bundle expires', () => {
    const { worker, client } = make()
    const tokens = AddressTokens.ofInstance(nodeBackend, worker)
    expect(tokens.read(client.token, HOME, START)).toEqual({ kind: 'new' })
    expect(tokens.read(client.token, '[::1]:5', worker.expires - 1)).toEqual({ kind: 'new' })
    expect(tokens.read(client.token, HOME, worker.expires)).toBeUndefined()
  })

  test('are nothing at another instance, even one with the same key', () => {
    const { worker, client } = make()
    const other = { instanceId: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), tokenKey: worker.tokenKey }
    expect(AddressTokens.ofInstance(nodeBackend, other).read(client.token, HOME, START)).toBeUndefined()
    expect(AddressTokens.ofInstance(nodeBackend, make().worker).read(client.token, HOME, START)).toBeUndefined()
  })

  test('can be left out', () => {
    const { client } = provision({
      backend: nodeBackend,
      unixTime: START,
      clientId: 'gateway',
      addresses: [],
      transportParameters: new Uint8Array(0),
      withToken: false,
    })
    expect(client.token.length).toBe(0)
  })
})

test('anything else is no token', () => {
  const tokens = new AddressTokens(nodeBackend)
  for (const length of [0, 1, 2, 33, 34, 100, MAX_TOKEN_LENGTH + 1]) {
    expect(tokens.read(new Uint8Array(length).fill(0x77), HOME, START)).toBeUndefined()
  }
  const long = new Uint8Array(MAX_TOKEN_LENGTH + 1)
  long.set(tokens.retryToken(HOME, odcid, scid, START))
  expect(tokens.read(long, HOME, START)).toBeUndefined()
})

test('a provisioned token that was opened once is known, until it expires or the keys are rotated', () => {
  const tokens = AddressTokens.ofInstance(nodeBackend, { instanceId: new Uint8Array(16), tokenKey: new Uint8Array(32) })
  const token = tokens.provisionedToken(2000, 1000)
  for (const unixTime of [1000, 1500, 1999])
    expect(tokens.read(token, '192.0.2.1:1', unixTime)).toEqual({ kind: 'new' })
  expect(tokens.read(token, '192.0.2.1:1', 2000)).toBeUndefined()
  const forged = token.slice()
  forged[forged.length - 1] = (forged[forged.length - 1] as number) ^ 1
  expect(tokens.read(forged, '192.0.2.1:1', 1000)).toBeUndefined()
  for (let i = 0; i < 2; i++) tokens.rotate()
  expect(tokens.read(token, '192.0.2.1:1', 1000)).toBeUndefined()
})

test('the provisioned tokens remembered are bounded', () => {
  const tokens = AddressTokens.ofInstance(nodeBackend, { instanceId: new Uint8Array(16), tokenKey: new Uint8Array(32) })
  for (let i = 0; i < MAX_REMEMBERED_TOKENS + 10; i++) {
    expect(tokens.read(tokens.provisionedToken(2000 + i, 1000), '192.0.2.1:1', 1000)).toEqual({ kind: 'new' })
  }
})
