import { describe, expect, test } from 'vitest'
import {
  isExpired,
  MAX_TICKET_LIFETIME,
  offeredPsk,
  readResumption,
  resumptionFromTicket,
  writeResumption,
} from '../../src/zero-rtt/resumption.ts'
import { bytesOf, resumption, START } from './support.ts'

describe('offering', () => {
  test('RFC 8446 §4.2.11.1: the age is obfuscated modulo 2^32', () => {
    expect(offeredPsk(resumption(), START + 15, false)?.obfuscatedAge).toBe(0xffffffff)
    expect(offeredPsk(resumption(), START + 16, false)?.obfuscatedAge).toBe(0)
    // A clock that was set back.
    expect(offeredPsk(resumption(), START - 5000, false)?.obfuscatedAge).toBe(0xfffffff0)
  })

  test('RFC 8446 §4.2.11: 0 for external PSKs', () => {
    for (const kind of ['provisioned', 'unsafeExternal'] as const) {
      expect(offeredPsk(resumption({ kind }), START + 15, false)?.obfuscatedAge).toBe(0)
    }
  })

  test('the kind decides the binder', () => {
    const kinds = (['ticket', 'provisioned', 'unsafeExternal'] as const).map(
      kind => offeredPsk(resumption({ kind }), START, false)?.kind,
    )
    expect(kinds).toEqual(['resumption', 'imported', 'external'])
  })

  test('early data only when wanted and allowed', () => {
    expect(offeredPsk(resumption(), START, true)?.earlyData).toEqual({
      cipherSuite: 0x1301,
      alpn: 'h3',
      serverName: 'example.com',
      transportParameters: Uint8Array.of(4, 1, 9),
    })
    expect(offeredPsk(resumption(), START, false)?.earlyData).toBeUndefined()
    expect(offeredPsk(resumption({ allowsEarlyData: false }), START, true)?.earlyData).toBeUndefined()
  })

  test('nothing once expired', () => {
    expect(isExpired(resumption(), START + 59_999)).toBe(false)
    expect(offeredPsk(resumption(), START + 60_000, true)).toBeUndefined()
  })
})

describe('from a NewSessionTicket', () => {
  const { issued, lifetime, identity, kind, version, appState, token, pins, initialRtt, ...rest } = resumption()
  const company = { version, appState, token, pins, initialRtt }

  test('takes over everything', () => {
    const made = resumptionFromTicket({ ...rest, ticket: identity, lifetimeSeconds: 60 }, company, START + 0.9)
    expect(made).toEqual(resumption())
  })

  test('a measured RTT becomes whole ms that can be stored', () => {
    const received = { ...rest, ticket: identity, lifetimeSeconds: 60 }
    for (const [measured, kept] of [
      [0.31, 1],
      [12.2, 13],
      [70_000.5, 60_000],
      [undefined, undefined],
    ]) {
      const made = resumptionFromTicket(received, { ...company, initialRtt: measured }, START)
      expect(made.initialRtt).toBe(kept)
      expect(readResumption(writeResumption(made))).toEqual(made)
    }
  })

  test('RFC 8446 §4.6.1: seven days at most', () => {
    const made = resumptionFromTicket({ ...rest, ticket: identity, lifetimeSeconds: 0xffffffff }, company, START)
    expect(made.lifetime).toBe(MAX_TICKET_LIFETIME)
  })
})

describe('stored form', () => {
  test('read back, every kind and every optional field', () => {
    const sparse = resumption({
      kind: 'unsafeExternal',
      hash: 'sha384',
      secret: new Uint8Array(48),
      serverName: undefined,
      initialRtt: undefined,
      pins: [],
      token: new Uint8Array(0),
      alpn: 'ü',
    })
    for (const each of [resumption(), resumption({ kind: 'provisioned' }), sparse]) {
      expect(readResumption(writeResumption(each))).toEqual(each)
    }
  })

  test('what is read does not pin the memory it came from', () => {
    const read = readResumption(writeResumption(resumption()))
    expect(read.secret.buffer.byteLength).toBe(32)
  })

  test('cut short at any byte, too long, of another version, or something else: refused', () => {
    const written = writeResumption(resumption())
    for (let length = 0; length < written.length; length++) {
      expect(() => readResumption(written.subarray(0, length))).toThrow(TypeError)
    }
    expect(() => readResumption(Buffer.concat([written, Uint8Array.of(0)]))).toThrow('1 bytes too many')
    const other = written.slice()
    other[4] = 4
    expect(() => readResumption(other)).toThrow('version 4')
    other[0] = 0
    expect(() => readResumption(other)).toThrow('something else')
  })

  test('illegal values are refused when written', () => {
    for (const wrong of [
      { identity: new Uint8Array(0) },
      { secret: new Uint8Array(15) },
      { secret: 'secret' as never },
      { alpn: '' },
      { alpn: 7 as never },
      { kind: 'other' as never },
      { issued: 0.5 },
      { issued: -1 },
      { cipherSuite: 0x10000 },
      { pins: [new Uint8Array(31)] },
      { pins: Array.from({ length: 9 }, () => new Uint8Array(32)) },
    ]) {
      expect(() => writeResumption(resumption(wrong))).toThrow(TypeError)
    }
  })

  test('no message quotes a key', () => {
    const secret = bytesOf('0123456789abcde')
    expect(() => writeResumption(resumption({ secret }))).toThrow('zerotrip resumption: secret: 15 is not in 16..64')
  })
})
