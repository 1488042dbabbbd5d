import { describe, expect, test } from 'vitest'
import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { parseCertificate } from '../../src/x509/certificate.ts'
import { CertificateError, type CertificateErrorReason } from '../../src/x509/certificate-error.ts'
import { ChainVerifier, MAX_CHAIN_CERTIFICATES, MAX_SIGNATURE_CHECKS } from '../../src/x509/chain.ts'
import { MAX_NAMES } from '../../src/x509/extensions.ts'
import { ComparisonBudget, checkNameConstraints, MAX_NAME_COMPARISONS } from '../../src/x509/name-constraints.ts'
import { caDer, ed25519, p256, rsa, testHosts, testTime } from '../support/certificates.ts'
import { chainOf, scenario } from './scenarios.ts'

const HOST = 'host.example.test'

interface Case {
  roots?: string
  host?: string
  time?: number
  backend?: CryptoBackend
}

function verify(chain: string, { roots = 'ca', host = HOST, time = testTime, backend = nodeBackend }: Case = {}): void {
  new ChainVerifier(backend, chainOf(roots)).verify(chainOf(chain), host, time)
}

function expectRefusal(reason: CertificateErrorReason, chain: string, options: Case = {}): void {
  expect(() => verify(chain, options)).toThrow(expect.objectContaining({ name: 'CertificateError', reason }))
}

test('the certificates of test servers are good for all of their hosts', () => {
  const verifier = new ChainVerifier(nodeBackend, [caDer])
  for (const identity of [p256, rsa, ed25519]) {
    for (const host of testHosts) verifier.verify(identity.chain, host, testTime)
    expect(() => verifier.verify(identity.chain, 'other.test', testTime)).toThrow(/not for other\.test/)
  }
})

describe('signature algorithms', () => {
  test.each([
    ['rsa-sha256', 'root-rsa'],
    ['rsa-sha384', 'root-rsa'],
    ['rsa-sha512', 'root-rsa'],
    ['pss-sha256', 'root-rsa'],
    ['pss-sha384', 'root-rsa'],
    ['pss-sha512', 'root-rsa'],
    ['p384-sha384', 'root-p384'],
    ['ed25519', 'root-ed25519'],
  ])('%s', (leaf, roots) => {
    verify(leaf, { roots })
    const der = scenario(leaf).slice()
    der[der.length - 10] = (der[der.length - 10] as number) ^ 1
    const verifier = new ChainVerifier(nodeBackend, chainOf(roots))
    expect(() => verifier.verify([der], HOST, testTime)).toThrow(/does not verify/)
  })

  test('what the backend does not verify is unsupported', () => {
    expectRefusal('unsupportedSignature', 'bare', { backend: { ...nodeBackend, signatureSchemes: [] } })
  })
})

test('no byte of a certificate can be changed', () => {
  for (const [name, roots] of [
    ['bare', 'ca'],
    ['pss-sha256', 'root-rsa'],
  ] as const) {
    const der = scenario(name)
    const verifier = new ChainVerifier(nodeBackend, chainOf(roots))
    for (let at = 0; at < der.length; at++) {
      const changed = der.slice()
      changed[at] = (changed[at] as number) ^ (1 << (at & 7))
      expect(() => verifier.verify([changed], HOST, testTime)).toThrow(CertificateError)
    }
  }
})

describe('bounds on work', () => {
  test('certificates that are sent', () => {
    const names = Array.from({ length: MAX_CHAIN_CERTIFICATES }, () => 'bare')
    verify(names.join(' '))
    expectRefusal('tooComplex', [...names, 'bare'].join(' '))
  })

  test('the length of a path', () => {
    const down = (from: number) => Array.from({ length: from }, (_, i) => `long-${from - i}`).join(' ')
    verify(`under-long-10 ${down(10)}`, { roots: 'long-0' })
    expectRefusal('unknownCa', `under-long-11 ${down(11)}`, { roots: 'long-0' })
    verify(`under-long-11 ${down(11)}`, { roots: 'long-1' })
  })

  test('signatures, when every authority could have issued every other', () => {
    const maze = Array.from({ length: 15 }, (_, i) => `maze-${i + 1}`).join(' ')
    let checks = 0
    const credulous: CryptoBackend = {
      ...nodeBackend,
      verify() {
        checks++
        return true
      },
    }
    expectRefusal('tooComplex', `maze-leaf ${maze}`, { backend: credulous })
    expect(checks).toBe(MAX_SIGNATURE_CHECKS)
  })

  test('signatures that fail are counted as well', () => {
    const maze = Array.from({ length: 15 }, (_, i) => `maze-${i + 1}`).join(' ')
    let checks = 0
    const counting: CryptoBackend = {
      ...nodeBackend,
      verify(...parameters) {
        checks++
        return nodeBackend.verify(...parameters)
      },
    }
    expectRefusal('badSignature', `maze-leaf ${maze}`, { backend: counting })
    expect(checks).toBeLessThanOrEqual(MAX_SIGNATURE_CHECKS)
  })
})

test('comparisons of names with constraints are bounded', () => {
  const leaf = parseCertificate(scenario('bare'))
  const many = (count: number) => Array.from({ length: count }, (_, i) => `name-${i}.test`)
  const none = { dns: [], ip: [], directory: [], others: [] }
  const constraints = { permitted: none, excluded: { ...none, dns: many(MAX_NAMES) } }
  const judge = (names: number) =>
    checkNameConstraints(
      { ...leaf, dnsNames: many(names).map(name => `x${name}`) },
      constraints,
      new ComparisonBudget(),
    )
  judge(Math.floor(MAX_NAME_COMPARISONS / MAX_NAMES))
  expect(() => judge(MAX_NAMES)).toThrow(expect.objectContaining({ reason: 'tooComplex' }))
})

test('RFC 5280 §4.1.2.5: the last second is good to its end, and no time at all is good for nothing', () => {
  const last = Date.UTC(2021, 0, 1)
  verify('short-lived', { time: last + 999 })
  expectRefusal('expired', 'short-lived', { time: last + 1000 })
  expectRefusal('expired', 'short-lived', { time: Number.NaN })
})

test('a root that is the leaf needs no path: dates, purpose and host still count', () => {
  expectRefusal('hostMismatch', 'self-signed', { roots: 'self-signed', host: 'other.test' })
  expectRefusal('expired', 'self-signed', { roots: 'self-signed', time: Date.UTC(2100, 0, 1) })
  expectRefusal('wrongPurpose', 'client', { roots: 'client' })
})

describe('what is no chain', () => {
  test('from the peer', () => {
    const verifier = new ChainVerifier(nodeBackend, [caDer])
    const malformed = expect.objectContaining({ reason: 'malformed' })
    expect(() => verifier.verify([], HOST, testTime)).toThrow(malformed)
    expect(() => verifier.verify([new Uint8Array(3)], HOST, testTime)).toThrow(malformed)
    expect(() => verifier.verify([scenario('bare'), new Uint8Array(3)], HOST, testTime)).toThrow(malformed)
  })

  test('from the caller', () => {
    expect(() => new ChainVerifier(nodeBackend, [caDer, new Uint8Array(3)])).toThrow(TypeError)
  })
})
