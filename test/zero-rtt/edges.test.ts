// Directed edges: who calls whom is in the key, and in the tickets that come of it (RFC 9257 §4.1, RFC 9258 Appendix B).

import { describe, expect, test } from 'vitest'
import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { clientBundle, provision } from '../../src/zero-rtt/generator.ts'
import { ProvisionedClient } from '../../src/zero-rtt/provisioned-client.ts'
import { ProvisionedServer } from '../../src/zero-rtt/provisioned-server.ts'
import type { Resumption } from '../../src/zero-rtt/resumption.ts'
import { TicketSealer } from '../../src/zero-rtt/ticket-sealer.ts'
import { START, toHex } from './support.ts'

const ORIGIN = '10.0.0.7:443'
const common = { backend: nodeBackend, unixTime: START, transportParameters: new Uint8Array(0), cipherSuite: 0x1301 }

function edge(options: Partial<Parameters<typeof provision>[0]> = {}) {
  const { worker, client } = provision({
    ...common,
    callee: 'payment',
    caller: 'checkout',
    clientId: 'checkout-7f',
    addresses: [ORIGIN],
    ...options,
  })
  const take = () => new ProvisionedClient(nodeBackend, client, () => START).take(ORIGIN) as Resumption
  return { worker, client, server: new ProvisionedServer(nodeBackend, worker), take }
}

describe('an edge', () => {
  test('is what both ends say of each other', () => {
    const { server, take, worker } = edge()
    const resumption = take()
    const found = server.find(resumption.identity, 0, START)
    expect(found?.authorization).toEqual({ peer: 'checkout-7f', edge: 'checkout>payment', epoch: 0 })
    expect(resumption.authorization).toEqual({ peer: toHex(worker.instanceId), edge: 'checkout>payment', epoch: 0 })
  })

  test('is none where nobody has a name', () => {
    const { server, take } = edge({ callee: '', caller: '' })
    expect(server.find(take().identity, 0, START)?.authorization.edge).toBe('')
  })

  test('another caller, another callee: another key, and unknown', () => {
    const { worker, client, server } = edge()
    const asCart = clientBundle(nodeBackend, worker, { clientId: 'checkout-7f', caller: 'cart', addresses: [] }, START)
    expect(asCart.key).not.toEqual(client.key)
    // Who holds the key of one edge says that it is another one.
    for (const changes of [{ caller: 'cart' }, { callee: 'ledger' }]) {
      const forged = new ProvisionedClient(nodeBackend, { ...client, addresses: [ORIGIN], ...changes }, () => START)
      const { identity } = forged.take(ORIGIN) as Resumption
      expect(server.find(identity, 0, START)).toBeUndefined()
    }
  })

  test('from a function to itself, with two instances, is one; an instance that meets its own name refuses it', () => {
    const self = { callee: 'walk', caller: 'walk', ownClientId: 'walk-1' }
    const other = edge({ ...self, clientId: 'walk-2' })
    expect(other.server.find(other.take().identity, 0, START)?.authorization.edge).toBe('walk>walk')
    const reflected = edge({ ...self, clientId: 'walk-1' })
    expect(reflected.server.find(reflected.take().identity, 0, START)).toBeUndefined()
  })
})

describe('authorize', () => {
  const life = { notBefore: START, expires: START + 900_000 }
  const granted = { peer: 'checkout-7f', edge: 'checkout>payment', epoch: 0 }
  const ticket = (authorization: typeof granted | undefined) => {
    const sealer = new TicketSealer(nodeBackend)
    const secret = new Uint8Array(32)
    const nothing = new Uint8Array(0)
    const state = { secret, hash: 'sha256', issued: START, terms: undefined, appState: nothing, authorization } as const
    const issued = sealer.issue(state)
    const psk = issued && sealer.find(issued.ticket, issued.ageAdd, START)
    if (psk === undefined) throw new Error('no ticket')
    return psk
  }

  test('a ticket says what the connection was for', () => {
    expect(ticket(granted).authorization).toEqual(granted)
    expect(ticket(undefined).authorization).toBeUndefined()
  })

  test('PSKs and tickets alike: while the epoch lives', () => {
    const { server, take } = edge()
    const psk = server.find(take().identity, 0, START)
    if (psk === undefined) throw new Error('unknown')
    for (const each of [psk, ticket(granted)]) expect(server.authorize({ psk: each })).toEqual(granted)
    expect(server.authorize({ psk: ticket(undefined) })).toBe('anyone')
    server.advanceEpoch(life)
    expect(server.authorize({ psk: ticket(granted) })).toEqual(granted)
    expect(server.isRevoked(granted)).toBe(false)
    server.advanceEpoch(life)
    for (const each of [psk, ticket(granted)]) expect(server.authorize({ psk: each })).toBeUndefined()
    expect(server.isRevoked(granted)).toBe(true)
  })

  test('and until the peer is revoked', () => {
    const { server } = edge()
    server.revoke('somebody else')
    expect(server.authorize({ psk: ticket(granted) })).toEqual(granted)
    server.revoke('checkout-7f')
    expect(server.authorize({ psk: ticket(granted) })).toBeUndefined()
  })
})

describe('how long a refusal takes', () => {
  /** What a backend was asked to do, and over how many bytes: time that does not depend on the machine. */
  function counting(): { backend: CryptoBackend; take: () => string } {
    const work: string[] = []
    const { hmac, hash, aead } = nodeBackend
    const backend: CryptoBackend = {
      ...nodeBackend,
      hmac: (name, key, data) => {
        work.push(`hmac ${key.length} ${data.length}`)
        return hmac(name, key, data)
      },
      hash: (name, data) => {
        work.push(`hash ${data.length}`)
        return hash(name, data)
      },
      aead: (name, key) => {
        const real = aead(name, key)
        return {
          seal: (nonce, data, plaintext) => real.seal(nonce, data, plaintext),
          open: (nonce, data, sealed) => {
            work.push(`open ${sealed.length}`)
            return real.open(nonce, data, sealed)
          },
        }
      },
    }
    return { backend, take: () => work.splice(0).join(', ') }
  }

  test.each([false, true])('is the same for every kind of it; with a ratchet: %s', ratchet => {
    // Names as long as that of the stranger in whose place the work is done.
    const names = { clientId: 'gateway1', caller: '', callee: '', ratchet }
    const options = { ...common, ...names, addresses: [ORIGIN] }
    const own = provision(options)
    const strange = new ProvisionedClient(nodeBackend, provision(options).client, () => START)
    const { backend, take } = counting()
    const server = new ProvisionedServer(backend, own.worker)
    const client = new ProvisionedClient(nodeBackend, own.client, () => START)
    const work = (identity: Uint8Array, at = START) => {
      take()
      const found = server.find(identity, 0, at)
      return { isFound: found !== undefined, work: take() }
    }
    const right = (client.take(ORIGIN) as Resumption).identity
    const wrongRole = right.slice()
    // The context stands behind the external identity: format, role, ...
    const context = 2 + own.client.identity.length + 2
    wrongRole[context + 1] = 1
    const wrongParties = right.slice()
    wrongParties[context + 2] = (wrongParties[context + 2] as number) ^ 1
    const wrongEpoch = right.slice()
    wrongEpoch[context + 18 + 3] = 9
    // What is made at the first contact of a client that the Generator has sealed is made once.
    work(right)
    const good = work(right)
    expect(good.isFound).toBe(true)
    const bad = {
      wrongKey: work((strange.take(ORIGIN) as Resumption).identity),
      wrongRole: work(wrongRole),
      wrongParties: work(wrongParties),
      wrongEpoch: work(wrongEpoch),
      expired: work(right, own.worker.expires),
    }
    for (const [name, { isFound, work: done }] of Object.entries(bad)) {
      expect([name, isFound, done]).toEqual([name, false, good.work])
    }
    server.revoke('gateway1')
    expect(work(right)).toEqual({ isFound: false, work: good.work })
  })
})
