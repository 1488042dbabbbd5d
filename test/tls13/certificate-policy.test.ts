import { describe, expect, test } from 'vitest'
import { SignatureScheme } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { Alert, TlsAlert } from '../../src/tls13/alert.ts'
import {
  bySni,
  insecureVerifier,
  pinnedKeys,
  singleCertificate,
  verifyChain,
} from '../../src/tls13/certificate-policy.ts'
import type { CertifiedKey, ClientHelloInfo } from '../../src/tls13/ports.ts'
import { parseCertificate } from '../../src/x509/certificate.ts'
import { caDer, ed25519, p256, rsa, type TestIdentity, testTime } from '../support/certificates.ts'
import { chainOf, scenario } from '../x509/scenarios.ts'

function expectAlert(alert: Alert, work: () => unknown): void {
  expect(work).toThrow(TlsAlert)
  expect(work).toThrow(expect.objectContaining({ alert }))
}

describe('verifyChain: what is wrong becomes the alert of RFC 8446 §6.2', () => {
  const verifier = verifyChain(nodeBackend, [caDer])

  test('nothing', () => verifier.verify(p256.chain, 'localhost', testTime))

  test.each([
    ['bare', 'host.example.test', Date.UTC(2100, 0, 1), Alert.CertificateExpired],
    ['bare', 'other.test', testTime, Alert.BadCertificate],
    ['self-signed', 'host.example.test', testTime, Alert.UnknownCa],
    ['client', 'host.example.test', testTime, Alert.UnsupportedCertificate],
    ['under-impostor', 'host.example.test', testTime, Alert.BadCertificate],
    [Array(17).fill('bare').join(' '), 'host.example.test', testTime, Alert.BadCertificate],
  ])('%s', (names, host, time, alert) => expectAlert(alert, () => verifier.verify(chainOf(names), host, time)))

  test('no certificate, or none that can be read', () => {
    expectAlert(Alert.BadCertificate, () => verifier.verify([], 'localhost', testTime))
    expectAlert(Alert.BadCertificate, () => verifier.verify([new Uint8Array(9)], 'localhost', testTime))
  })

  test("the caller's faults stay the caller's", () => {
    expect(() => verifyChain(nodeBackend, [new Uint8Array(9)])).toThrow(TypeError)
    const broken = { ...nodeBackend, verify: () => fail('out of order') }
    expect(() => verifyChain(broken, [caDer]).verify(p256.chain, 'localhost', testTime)).toThrow('out of order')
  })
})

describe('pinnedKeys', () => {
  const pin = (identity: TestIdentity) =>
    nodeBackend.hash('sha256', parseCertificate(identity.chain[0] as Uint8Array).publicKey)

  test('the key decides, whatever the name and the date', () => {
    const verifier = pinnedKeys(nodeBackend, [pin(rsa), pin(p256)])
    verifier.verify(p256.chain, 'localhost', testTime)
    verifier.verify(rsa.chain, 'whoever.test', Date.UTC(2200, 0, 1))
    expectAlert(Alert.BadCertificate, () => verifier.verify(ed25519.chain, 'localhost', testTime))
  })

  test('the leaf counts and nothing above it', () => {
    const verifier = pinnedKeys(nodeBackend, [pin({ ...p256, chain: [caDer] })])
    expectAlert(Alert.BadCertificate, () => verifier.verify([...p256.chain, caDer], 'localhost', testTime))
  })

  test('what is no certificate', () => {
    const verifier = pinnedKeys(nodeBackend, [pin(p256)])
    expectAlert(Alert.BadCertificate, () => verifier.verify([], 'localhost', testTime))
    expectAlert(Alert.BadCertificate, () => verifier.verify([Uint8Array.of(0x30, 0x80)], 'localhost', testTime))
  })

  test('what is no pin', () => {
    expect(() => pinnedKeys(nodeBackend, [])).toThrow(TypeError)
    expect(() => pinnedKeys(nodeBackend, [new Uint8Array(31)])).toThrow(TypeError)
  })
})

test('insecureVerifier accepts what no other would', () => {
  insecureVerifier.verify([scenario('client')], '', Number.NaN)
})

describe('sources', () => {
  const certified = (identity: TestIdentity): CertifiedKey => ({
    chain: identity.chain,
    key: nodeBackend.privateKey(identity.keyPem),
  })
  const [first, second, third] = [certified(p256), certified(rsa), certified(ed25519)]
  const everything = Object.values(SignatureScheme)

  const hello = (
    serverName: string | undefined,
    signatureSchemes: SignatureScheme[] = everything,
  ): ClientHelloInfo => ({
    serverName,
    alpn: ['h3'],
    signatureSchemes,
    cipherSuites: [],
  })

  test('singleCertificate: for every name, but not for a client that cannot verify it', () => {
    const source = singleCertificate(first)
    expect(source.select(hello('a.test'))).toBe(first)
    expect(source.select(hello(undefined))).toBe(first)
    expect(source.select(hello('a.test', [SignatureScheme.RsaPssRsaeSha256]))).toBeUndefined()
  })

  test('bySni: exact names, then wildcards of one label, then all others', () => {
    const source = bySni(
      new Map([
        ['A.test', first],
        ['*.a.test', second],
        ['*', third],
      ]),
    )
    expect(source.select(hello('a.TEST'))).toBe(first)
    expect(source.select(hello('b.a.test'))).toBe(second)
    expect(source.select(hello('c.b.a.test'))).toBe(third)
    expect(source.select(hello('localhost'))).toBe(third)
    expect(source.select(hello(undefined))).toBe(third)
    expect(source.select(hello('a.test', [SignatureScheme.Ed25519]))).toBeUndefined()
  })

  test('bySni without a star refuses the others', () => {
    const source = bySni(new Map([['a.test', first]]))
    expect(source.select(hello('b.test'))).toBeUndefined()
    expect(source.select(hello(undefined))).toBeUndefined()
    expect(source.select(hello(''))).toBeUndefined()
  })

  test('a chain that is none and a key of another certificate are noticed at once', () => {
    expect(() => singleCertificate({ ...first, chain: [] })).toThrow(/at least one/)
    expect(() => singleCertificate({ ...first, chain: [new Uint8Array(9)] })).toThrow(/not one in DER/)
    expect(() => singleCertificate({ ...first, key: second.key })).toThrow(/does not belong/)
    expect(() => bySni(new Map([['a.test', { ...first, key: third.key }]]))).toThrow(TypeError)
  })
})

function fail(message: string): never {
  throw new Error(message)
}
