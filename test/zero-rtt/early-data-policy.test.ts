import { describe, expect, test } from 'vitest'
import { writeTransportParameters } from '../../src/packet/transport-parameters.ts'
import type { EarlyDataGate, Psk } from '../../src/tls13/ports.ts'
import {
  EarlyDataPolicy,
  type EarlyDataPolicyOptions,
  isEarlyRequestAllowed,
} from '../../src/zero-rtt/early-data-policy.ts'
import { firstOf, gateByKind, NoPsks } from '../../src/zero-rtt/psk-sources.ts'
import { TicketPsk } from '../../src/zero-rtt/ticket-sealer.ts'
import { UnsafeExternalPsks, unsafeRawExternalPsk } from '../../src/zero-rtt/unsafe-external-psk.ts'
import { attempt, bytesOf, parameters, START } from './support.ts'

const terms = {
  cipherSuite: 0x1301,
  alpn: 'h3',
  serverName: undefined,
  transportParameters: writeTransportParameters(parameters),
}

function ticket(claimedAge = 0): TicketPsk {
  const state = { secret: new Uint8Array(32), hash: 'sha256', issued: START, terms, appState: bytesOf('v1') } as const
  return new TicketPsk(state, START + 60_000, claimedAge, { isKeyShared: false, isAnywhereGood: false })
}

function policy(options: Partial<EarlyDataPolicyOptions> = {}) {
  const gate = { asked: 0, admit: () => ++gate.asked > 0 }
  return { gate, policy: new EarlyDataPolicy({ gate, transportParameters: parameters, ...options }) }
}

describe('EarlyDataPolicy', () => {
  test('leaves the last word to the gate', () => {
    const { gate, policy: wants } = policy()
    expect(wants.admit(attempt(ticket(), START))).toBe(true)
    expect(gate.asked).toBe(1)
    expect(policy({ gate: { admit: () => false } }).policy.admit(attempt(ticket(), START))).toBe(false)
  })

  const refusals: [string, Partial<EarlyDataPolicyOptions>, Psk?, number?][] = [
    ['another protocol', { alpn: ['hq-interop'] }],
    ['an old ticket', { maxTicketAge: 1000 }, ticket(1001)],
    ['RFC 9000 §7.4.1: limits that are lower now', { transportParameters: { ...parameters, initialMaxData: 1 } }],
    ['application state that changed', { acceptsAppState: state => state.length === 0 }],
    ['a PSK without terms', {}, { ...ticket(), earlyData: undefined } as Psk],
    ['a PSK that expired meanwhile', {}, ticket(), START + 60_000],
  ]
  test.each(refusals)('refuses %s, and asks no gate', (_what, options, psk = ticket(), unixTime = START) => {
    const { gate, policy: wants } = policy(options)
    expect(wants.admit(attempt(psk, unixTime))).toBe(false)
    expect(gate.asked).toBe(0)
  })

  test('accepts what agrees with every wish', () => {
    const options = { alpn: ['h3'], maxTicketAge: 1000, acceptsAppState: () => true }
    expect(policy(options).policy.admit(attempt(ticket(1000), START))).toBe(true)
  })
})

test('RFC 8470: which requests may run early', () => {
  const allowed = (name: 'never' | 'safe' | 'all') =>
    ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'POST', 'get'].filter(method => isEarlyRequestAllowed(name, method))
  expect(allowed('never')).toEqual([])
  expect(allowed('safe')).toEqual(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
  expect(allowed('all').length).toBe(6)
})

describe('combinations', () => {
  const known = (secret: number): Psk => ({ ...ticket(), kind: 'resumption', secret: new Uint8Array(32).fill(secret) })

  test('the first source that knows the identity answers', () => {
    const one = { find: (identity: Uint8Array) => (identity[0] === 1 ? known(1) : undefined) }
    const two = { find: () => known(2) }
    expect(firstOf(NoPsks, one, two).find(Uint8Array.of(1), 0, START)?.secret[0]).toBe(1)
    expect(firstOf(NoPsks, one, two).find(Uint8Array.of(2), 0, START)?.secret[0]).toBe(2)
    expect(firstOf(NoPsks, one).find(Uint8Array.of(2), 0, START)).toBeUndefined()
  })

  test('a kind without a gate gets no early data', () => {
    const yes: EarlyDataGate = { admit: () => true }
    const gate = gateByKind({ imported: yes })
    expect(gate.admit(attempt({ ...ticket(), kind: 'imported' } as Psk, START))).toBe(true)
    expect(gate.admit(attempt(ticket(), START))).toBe(false)
    expect(gateByKind({}).admit(attempt(ticket(), START))).toBe(false)
  })
})

describe('raw external PSKs', () => {
  const psk = {
    identity: bytesOf('client'),
    secret: new Uint8Array(32).fill(6),
    cipherSuite: 0x1301,
    alpn: 'h3',
    expires: START + 1000,
  }

  test('the same on both sides; no early data unless asked for', () => {
    const server = new UnsafeExternalPsks()
    server.add(psk)
    const resumption = unsafeRawExternalPsk(psk, START)
    const found = server.find(resumption.identity, 0, START)
    expect(found).toMatchObject({ kind: 'external', hash: 'sha256', earlyData: undefined })
    expect(found?.secret).toEqual(resumption.secret)
    expect(resumption).toMatchObject({ kind: 'unsafeExternal', allowsEarlyData: false, ageAdd: 0, lifetime: 1000 })
  })

  test('with early data', () => {
    const server = new UnsafeExternalPsks()
    const early = { ...psk, allowsEarlyData: true, cipherSuite: 0x1302, transportParameters: Uint8Array.of(4, 1, 9) }
    server.add(early)
    expect(server.find(psk.identity, 0, START)?.earlyData).toMatchObject({ cipherSuite: 0x1302, alpn: 'h3' })
    expect(server.find(psk.identity, 0, START)?.hash).toBe('sha384')
    expect(unsafeRawExternalPsk(early, START).allowsEarlyData).toBe(true)
    server.add({ ...psk, allowsEarlyData: true })
    expect(server.find(psk.identity, 0, START)?.earlyData?.transportParameters.length).toBe(0)
  })

  test('unknown, expired and removed ones are not found', () => {
    const server = new UnsafeExternalPsks()
    server.add(psk)
    expect(server.find(bytesOf('other'), 0, START)).toBeUndefined()
    expect(server.find(psk.identity, 0, START + 1000)).toBeUndefined()
    server.remove(psk.identity)
    expect(server.find(psk.identity, 0, START)).toBeUndefined()
  })

  test('RFC 9257 §6: short keys and unknown suites are the caller fault', () => {
    expect(() => unsafeRawExternalPsk({ ...psk, secret: new Uint8Array(15) }, START)).toThrow(RangeError)
    expect(() => new UnsafeExternalPsks().add({ ...psk, cipherSuite: 9 })).toThrow(RangeError)
  })
})
