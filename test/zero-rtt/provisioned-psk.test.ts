import { describe, expect, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import type { CipherSuite } from '../../src/crypto/cipher-suite.ts'
import type { WorkerBundle } from '../../src/zero-rtt/bundle.ts'
import { clientBundle, nextEpoch, provision, workerBundle } from '../../src/zero-rtt/generator.ts'
import { ProvisionedClient } from '../../src/zero-rtt/provisioned-client.ts'
import { CONTEXT_LENGTH, Role, readContext, writeContext } from '../../src/zero-rtt/provisioned-context.ts'
import { type Caller, clientKey, epskOf, IdentitySealer, partiesOf } from '../../src/zero-rtt/provisioned-keys.ts'
import { ProvisionedPsk } from '../../src/zero-rtt/provisioned-psk.ts'
import { FRESHNESS, ProvisionedServer } from '../../src/zero-rtt/provisioned-server.ts'
import { importPsk, readImportedIdentity } from '../../src/zero-rtt/psk-importer.ts'
import { writeRemembered } from '../../src/zero-rtt/remembered-parameters.ts'
import { isExpired, offeredPsk, type Resumption } from '../../src/zero-rtt/resumption.ts'
import { attempt, bytesOf, parameters, START, seededBackend, toHex } from './support.ts'

const ORIGIN = '10.0.0.7:443'

function world(options: Partial<Parameters<typeof provision>[0]> = {}, server = {}) {
  const clock = { time: START }
  const bundles = provision({
    backend: seededBackend(),
    unixTime: START,
    clientId: 'gateway-1',
    addresses: [ORIGIN],
    transportParameters: writeRemembered(parameters),
    appState: bytesOf('settings'),
    cipherSuite: 0x1301,
    ...options,
  })
  return {
    clock,
    ...bundles,
    client: new ProvisionedClient(nodeBackend, bundles.client, () => clock.time),
    clientBundle: bundles.client,
    server: new ProvisionedServer(nodeBackend, bundles.worker, server),
  }
}

function taken(client: ProvisionedClient): Resumption {
  const resumption = client.take(ORIGIN)
  if (resumption === undefined) throw new Error('nothing to take')
  return resumption
}

function keysOf(worker: WorkerBundle, caller: Caller, instanceId = worker.instanceId) {
  const key = clientKey(nodeBackend, worker.key, caller)
  const parties = partiesOf(nodeBackend, key, caller, { instanceId, callee: worker.callee })
  return { parties, epsk: epskOf(nodeBackend, key) }
}

/** An identity with one thing in the context altered, and the secret that goes with it: made by whoever holds the key. */
function altered(worker: WorkerBundle, changes: object, clientId = 'gateway-1', instanceId = worker.instanceId) {
  const keys = keysOf(worker, { clientId, caller: '' }, instanceId)
  const context = { role: Role.Client, parties: keys.parties, epoch: 0, counter: 0, time: START, ...changes }
  return importPsk(nodeBackend, {
    externalIdentity: new IdentitySealer(nodeBackend, worker.key).seal({ clientId, caller: '' }),
    epsk: keys.epsk,
    context: writeContext(context),
    hash: 'sha256',
  })
}

describe('from taking to finding', () => {
  test('both sides arrive at the same secret, under the same terms', () => {
    const { client, server, clock } = world()
    const resumption = taken(client)
    const offered = offeredPsk(resumption, clock.time, true)
    const found = server.find(resumption.identity, 0, clock.time)
    expect(found?.secret).toEqual(offered?.secret)
    expect(found?.earlyData).toEqual(offered?.earlyData)
    expect(offered).toMatchObject({ kind: 'imported', obfuscatedAge: 0, hash: 'sha256' })
    expect(found).toMatchObject({ kind: 'imported', clientId: 'gateway-1', epoch: 0, counter: 0, time: START })
    expect(found?.appState).toEqual(bytesOf('settings'))
    expect(found && server.admit(attempt(found, clock.time))).toBe(true)
  })

  test('SHA-384 suites get a PSK of 48 bytes', () => {
    const { client, server, clock } = world({ cipherSuite: 0x1302 })
    const resumption = taken(client)
    expect(resumption.secret.length).toBe(48)
    expect(server.find(resumption.identity, 0, clock.time)?.secret).toEqual(resumption.secret)
  })

  test('every take is another PSK, and each is admitted', () => {
    const { client, server, clock } = world()
    const secrets = new Set<string>()
    for (let use = 0; use < 50; use++) {
      clock.time += 3
      const resumption = taken(client)
      secrets.add(toHex(resumption.secret))
      const found = server.find(resumption.identity, 0, clock.time)
      expect(found && server.admit(attempt(found, clock.time))).toBe(true)
    }
    expect(secrets.size).toBe(50)
    expect(client.uses).toBe(50)
  })

  test('a client that was made later needs no word to the worker', () => {
    const { worker, server, clock } = world()
    const half = clientBundle(nodeBackend, worker, { clientId: 'gateway-2', addresses: [ORIGIN] }, START)
    const resumption = taken(new ProvisionedClient(nodeBackend, half, () => clock.time))
    expect(server.find(resumption.identity, 0, clock.time)?.clientId).toBe('gateway-2')
  })

  test('neither name is readable in the identity', () => {
    const { client, worker } = world()
    const identity = toHex(taken(client).identity)
    expect(identity).not.toContain(toHex(bytesOf('gateway')))
    expect(identity).not.toContain(toHex(worker.instanceId))
  })
})

describe('the client', () => {
  test('hands out nothing for another origin', () => {
    expect(world().client.take('10.0.0.8:443')).toBeUndefined()
  })

  test('hands out nothing before and after the life of the bundle', () => {
    const { client, clock, clientBundle } = world()
    clock.time = clientBundle.notBefore - FRESHNESS - 1
    expect(client.take(ORIGIN)).toBeUndefined()
    // The clock of a client may be behind that of the Generator.
    clock.time = clientBundle.notBefore - FRESHNESS
    expect(client.take(ORIGIN)).toBeDefined()
    clock.time = clientBundle.expires - 1
    expect(isExpired(taken(client), clientBundle.expires)).toBe(true)
    clock.time = clientBundle.expires
    expect(client.take(ORIGIN)).toBeUndefined()
  })

  test('stops after maxUses', () => {
    const { client } = world({ maxUses: 2 })
    taken(client)
    taken(client)
    expect(client.take(ORIGIN)).toBeUndefined()
  })

  test('keeps no tickets', () => {
    const { client } = world({ maxUses: 1 })
    client.put(ORIGIN, taken(client))
    expect(client.take(ORIGIN)).toBeUndefined()
  })

  test('offers no early data when the bundle says never', () => {
    const { client, server, clock } = world({ earlyRequests: 'never' })
    const resumption = taken(client)
    expect(offeredPsk(resumption, clock.time, true)?.earlyData).toBeUndefined()
    const found = server.find(resumption.identity, 0, clock.time)
    expect(found?.earlyData).toBeUndefined()
    expect(found && server.admit(attempt(found, clock.time))).toBe(false)
  })
})

describe('RFC 8446 §8: early data is refused, the PSK still serves 1-RTT', () => {
  test('a replay', () => {
    const { client, server, clock } = world()
    const { identity } = taken(client)
    const first = server.find(identity, 0, clock.time)
    expect(first && server.admit(attempt(first, clock.time))).toBe(true)
    const again = server.find(identity, 0, clock.time + 1)
    expect(again?.secret).toEqual(first?.secret)
    expect(again && server.admit(attempt(again, clock.time + 1))).toBe(false)
  })

  test('a flight withheld for longer than the window of time, and a clock ahead', () => {
    const { client, server, clock } = world()
    const stale = server.find(taken(client).identity, 0, clock.time + FRESHNESS + 1)
    expect(stale).toBeDefined()
    expect(stale && server.admit(attempt(stale, clock.time + FRESHNESS + 1))).toBe(false)
    const early = server.find(taken(client).identity, 0, clock.time - FRESHNESS)
    expect(early && server.admit(attempt(early, clock.time - FRESHNESS - 1))).toBe(false)
    expect(early && server.admit(attempt(early, clock.time - FRESHNESS))).toBe(true)
  })

  test('a counter that fell out of the window', () => {
    const { client, server, clock } = world({}, { windowSize: 32 })
    const flights = Array.from({ length: 40 }, () => taken(client).identity)
    const admitted = (identity: Uint8Array | undefined) => {
      const found = server.find(identity as Uint8Array, 0, clock.time)
      return found && server.admit(attempt(found, clock.time))
    }
    expect(admitted(flights[39])).toBe(true)
    expect(admitted(flights[8])).toBe(true)
    expect(admitted(flights[7])).toBe(false)
  })

  test('a counter beyond maxUses', () => {
    const { worker, server, clock } = world({ maxUses: 2 })
    const found = server.find(altered(worker, { counter: 2 }).identity, 0, clock.time)
    expect(found && server.admit(attempt(found, clock.time))).toBe(false)
  })

  test('more clients than are tracked: none is forgotten for another', () => {
    const { worker, server, clock } = world({}, { maxClients: 2 })
    const admitted = ['a', 'b', 'c', 'a'].map((clientId, counter) => {
      const found = server.find(altered(worker, { counter }, clientId).identity, 0, clock.time)
      return found && server.admit(attempt(found, clock.time))
    })
    expect(admitted).toEqual([true, true, false, true])
  })

  test('a PSK that another source found', () => {
    const { client, server, worker, clock } = world()
    const twin = new ProvisionedServer(nodeBackend, worker)
    const found = twin.find(taken(client).identity, 0, clock.time)
    expect(found && server.admit(attempt(found, clock.time))).toBe(false)
    expect(server.admit(attempt({ ...(found as ProvisionedPsk), kind: 'imported' }, clock.time))).toBe(false)
  })
})

describe('unknown to the server', () => {
  const unknown = (worker: WorkerBundle, server: ProvisionedServer, changes: object) =>
    server.find(altered(worker, changes).identity, 0, START)

  test('the unaltered one is known', () => {
    const { worker, server } = world()
    expect(unknown(worker, server, {})).toBeInstanceOf(ProvisionedPsk)
  })

  test('RFC 9257 §4.1: our own role, reflected', () => {
    const { worker, server } = world()
    expect(unknown(worker, server, { role: Role.Server })).toBeUndefined()
  })

  test('other parties: another client, another instance', () => {
    const { worker, server } = world()
    expect(unknown(worker, server, { parties: new Uint8Array(16) })).toBeUndefined()
    const elsewhere = altered(worker, {}, 'gateway-1', bytesOf('another instance'))
    expect(server.find(elsewhere.identity, 0, START)).toBeUndefined()
    // The external identity of one client under the context of another.
    const other = readImportedIdentity(altered(worker, {}, 'gateway-2').identity)
    const mine = readImportedIdentity(altered(worker, {}).identity)
    const { identity } = importPsk(nodeBackend, {
      externalIdentity: other?.externalIdentity as Uint8Array,
      context: mine?.context as Uint8Array,
      epsk: new Uint8Array(32),
      hash: 'sha256',
    })
    expect(server.find(identity, 0, START)).toBeUndefined()
  })

  test('the key of another instance', () => {
    const { client } = world()
    const other = new ProvisionedServer(
      nodeBackend,
      workerBundle({
        backend: nodeBackend,
        unixTime: START,
        transportParameters: new Uint8Array(0),
        cipherSuite: 0x1301,
      }),
    )
    expect(other.find(taken(client).identity, 0, START)).toBeUndefined()
  })

  test('another epoch, another target', () => {
    const { worker, server } = world()
    expect(unknown(worker, server, { epoch: 1 })).toBeUndefined()
    const { epsk } = keysOf(worker, { clientId: 'gateway-1', caller: '' })
    const mine = readImportedIdentity(altered(worker, {}).identity)
    const sha384 = importPsk(nodeBackend, {
      externalIdentity: mine?.externalIdentity as Uint8Array,
      context: mine?.context as Uint8Array,
      epsk,
      hash: 'sha384',
    })
    expect(server.find(sha384.identity, 0, START)).toBeUndefined()
  })

  test('any bit flipped in the identity', () => {
    const { client, server } = world()
    const { identity, secret } = taken(client)
    for (let at = 0; at < identity.length; at++) {
      const flipped = identity.slice()
      flipped[at] = (flipped[at] as number) ^ 1
      // Counter and time may be altered, but then the secret is another and the binder wrong.
      expect(server.find(flipped, 0, START)?.secret).not.toEqual(secret)
    }
  })

  test('what is no ImportedIdentity, or has another context', () => {
    const { server } = world()
    expect(server.find(bytesOf('a ticket'), 0, START)).toBeUndefined()
    const { identity } = importPsk(nodeBackend, {
      externalIdentity: bytesOf('someone'),
      epsk: new Uint8Array(32),
      context: new Uint8Array(3),
      hash: 'sha256',
    })
    expect(server.find(identity, 0, START)).toBeUndefined()
  })

  test('a short external identity', () => {
    const { server, worker } = world()
    const mine = readImportedIdentity(altered(worker, {}).identity)
    for (const length of [1, 12, 43]) {
      const { identity } = importPsk(nodeBackend, {
        externalIdentity: new Uint8Array(length),
        epsk: new Uint8Array(32),
        context: mine?.context as Uint8Array,
        hash: 'sha256',
      })
      expect(server.find(identity, 0, START)).toBeUndefined()
    }
  })

  test('after the bundle expired', () => {
    const { client, server, worker } = world()
    expect(server.find(taken(client).identity, 0, worker.expires)).toBeUndefined()
  })

  test('once revoked, also between finding and admitting', () => {
    const { client, server, clock } = world()
    const found = server.find(taken(client).identity, 0, clock.time)
    server.revoke('gateway-1')
    expect(found && server.admit(attempt(found, clock.time))).toBe(false)
    expect(server.find(taken(client).identity, 0, clock.time)).toBeUndefined()
  })
})

describe('epochs', () => {
  test('the last one is still accepted, the one before no longer', () => {
    const { client, worker, server, clock } = world()
    const life = { notBefore: START, expires: START + 900_000 }
    const old = taken(client).identity
    server.advanceEpoch(life)
    expect(server.epoch).toBe(1)
    const found = server.find(old, 0, clock.time)
    expect(found && server.admit(attempt(found, clock.time))).toBe(true)

    const next = nextEpoch(nodeBackend, worker, life)
    const half = clientBundle(nodeBackend, next, { clientId: 'gateway-1', addresses: [ORIGIN] }, START)
    const renewed = taken(new ProvisionedClient(nodeBackend, half, () => clock.time))
    expect(server.find(renewed.identity, 0, clock.time)?.secret).toEqual(renewed.secret)

    const late = taken(client).identity
    const pending = server.find(late, 0, clock.time)
    server.advanceEpoch(life)
    expect(pending && server.admit(attempt(pending, clock.time))).toBe(false)
    expect(server.find(late, 0, clock.time)).toBeUndefined()
    expect(server.find(renewed.identity, 0, clock.time)).toBeDefined()
  })

  test('the key of one epoch says nothing about the one before', () => {
    const { worker } = world()
    const next = nextEpoch(nodeBackend, worker, worker)
    expect(next.key).not.toEqual(worker.key)
    expect(next.key.length).toBe(32)
    expect(next).toMatchObject({ epoch: 1, instanceId: worker.instanceId })
  })
})

describe('context', () => {
  test('read back', () => {
    const context = {
      role: 0,
      parties: new Uint8Array(16).fill(3),
      epoch: 0xffffffff,
      counter: 0xfffffffe,
      time: START,
    }
    const written = writeContext({ ...context, time: START + 0.75 })
    expect(written.length).toBe(CONTEXT_LENGTH)
    expect(readContext(written)).toEqual(context)
  })

  test('another format or length is none', () => {
    const written = writeContext({ role: 0, parties: new Uint8Array(16), epoch: 0, counter: 0, time: START })
    expect(readContext(written.subarray(1))).toBeUndefined()
    written[0] = 2
    expect(readContext(written)).toBeUndefined()
  })
})

describe('generator', () => {
  test('defaults: the backend suite, h3, safe methods, ten minutes', () => {
    const worker = workerBundle({ backend: nodeBackend, unixTime: START, transportParameters: new Uint8Array(0) })
    const suite = nodeBackend.cipherSuites[0] as CipherSuite
    expect(worker).toMatchObject({ cipherSuite: suite.id, alpn: 'h3', version: 1, earlyRequests: 'safe' })
    expect(worker.expires - worker.notBefore).toBe(600_000)
  })

  test('every launch has its own key, instance and token key', () => {
    const make = () => workerBundle({ backend: nodeBackend, unixTime: START, transportParameters: new Uint8Array(0) })
    const [one, two] = [make(), make()]
    for (const key of ['key', 'instanceId', 'tokenKey'] as const) expect(one[key]).not.toEqual(two[key])
  })

  test('the client half holds neither the instance key nor the token key', () => {
    const { worker, clientBundle } = world()
    const held = JSON.stringify(
      Object.values(clientBundle).map(value => (value instanceof Uint8Array ? toHex(value) : value)),
    )
    expect(held).not.toContain(toHex(worker.key))
    expect(held).not.toContain(toHex(worker.tokenKey))
  })

  test('the caller faults', () => {
    const options = { backend: nodeBackend, unixTime: START, transportParameters: new Uint8Array(0) }
    expect(() => workerBundle({ ...options, cipherSuite: 0x9999 })).toThrow(RangeError)
    expect(() => workerBundle({ ...options, lifetime: 0 })).toThrow(RangeError)
    for (const clientId of ['', 'x'.repeat(64)]) {
      expect(() => clientBundle(nodeBackend, workerBundle(options), { clientId, addresses: [] }, START)).toThrow(
        RangeError,
      )
    }
  })

  test('a bundle for an unknown suite is refused where it is used', () => {
    const { clientBundle, worker } = world()
    expect(() => new ProvisionedClient(nodeBackend, { ...clientBundle, cipherSuite: 1 }, () => START)).toThrow(
      RangeError,
    )
    expect(() => new ProvisionedServer(nodeBackend, { ...worker, cipherSuite: 1 })).toThrow(RangeError)
  })
})
