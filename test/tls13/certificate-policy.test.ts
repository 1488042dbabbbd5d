import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { SignatureScheme } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { Alert, alertName, TlsAlert } from '../../src/tls13/alert.ts'
import {
  bySni,
  insecureVerifier,
  pinnedCertificates,
  pinnedKeys,
  refusing,
  singleCertificate,
  verifyChain,
} from '../../src/tls13/certificate-policy.ts'
import type { CertificateVerifier, ClientHelloInfo } from '../../src/tls13/ports.ts'
import { parseCertificate } from '../../src/x509/certificate.ts'
import { CertificateError, type CertificateErrorReason } from '../../src/x509/certificate-error.ts'
import { issueCertificate } from '../../src/x509/issue.ts'
import { caDer, ed25519, p256, rsa, type TestIdentity, testTime } from '../support/certificates.ts'
import { chainCases, chainOf, scenario } from '../x509/scenarios.ts'
import { certified } from './support.ts'

const security = readFileSync(new URL('../../SECURITY.md', import.meta.url), 'utf8')

function expectAlert(alert: Alert, work: () => unknown): void {
  expect(work).toThrow(TlsAlert)
  expect(work).toThrow(expect.objectContaining({ alert }))
}

describe('verifyChain: what is wrong becomes the alert of RFC 8446 §6.2', () => {
  const verifier = verifyChain(nodeBackend, [caDer])

  test('nothing', () => verifier.verify(p256.chain, 'localhost', testTime))

  test.each(chainCases.filter(row => row.roots === undefined && row.reason !== undefined && !row.client))(
    '$reason: $name',
    ({ chain, host = 'host.example.test', time, reason }) => {
      const unixTime = time === undefined ? testTime : Date.parse(time)
      const alert = alerts[reason as CertificateErrorReason]
      expect(() => verifier.verify(chainOf(chain), host, unixTime)).toThrow(
        expect.objectContaining({ name: 'TlsAlert', alert, cause: expect.objectContaining({ reason }) }),
      )
    },
  )

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

// By reason, as SECURITY.md has them.
const alerts: Partial<Record<CertificateErrorReason, Alert>> = Object.fromEntries(
  Array.from(security.matchAll(/^\| `(\w+)` \|.*\| (\w+) \((\d+)\) \|$/gm), row => [row[1], Number(row[3])]),
)

test('SECURITY.md has every reason, its code and its alert', () => {
  for (const [reason, alert] of Object.entries(alerts)) {
    const { code } = new CertificateError(reason as CertificateErrorReason, 'x')
    const name = alertName(alert as number)
      .replace(/(?<=.)[A-Z]/g, capital => `_${capital}`)
      .toLowerCase()
    expect(security).toContain(`| \`${reason}\` | \`${code}\` |`)
    expect(security).toContain(`| ${name} (${alert}) |`)
  }
  const source = readFileSync(new URL('../../src/x509/certificate-error.ts', import.meta.url), 'utf8')
  const reasons = Array.from(source.matchAll(/^ {2}\| '(\w+)'$/gm), match => match[1])
  expect(Object.keys(alerts)).toEqual(reasons)
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

describe('pinnedCertificates, on the terms of W3C WebTransport', () => {
  const DAY = 86_400_000
  const key = nodeBackend.privateKey(p256.keyPem)
  const issued = (days: number) =>
    issueCertificate(nodeBackend, { key, hosts: ['a.test'], notBefore: testTime, notAfter: testTime + days * DAY })
  const { certificate, fingerprint } = issued(14)

  test('trusted by its hash, whatever its name and its issuer', () => {
    const verifier = pinnedCertificates(nodeBackend, [new Uint8Array(32), fingerprint])
    verifier.verify([certificate], 'whoever.test', testTime)
    verifier.verify([certificate], 'whoever.test', testTime + 14 * DAY)
    verifier.verify([certificate, new Uint8Array(3)], '', testTime)
  })

  test.each([
    ['notYetValid', certificate, testTime - 1],
    ['expired', certificate, testTime + 14 * DAY + 1000],
    ['expired', certificate, Number.NaN],
    ['notPinned', issued(14).certificate, testTime],
    ['validityTooLong', issued(14 + 1 / 86_400).certificate, testTime],
    ['unsupportedKey', rsa.chain[0] as Uint8Array, testTime],
    ['unsupportedKey', ed25519.chain[0] as Uint8Array, testTime],
    ['malformed', new Uint8Array(3), testTime],
  ] as const)('%s', (reason, der, time) => {
    const own = reason === 'notPinned' ? fingerprint : nodeBackend.hash('sha256', der)
    expect(() => pinnedCertificates(nodeBackend, [own]).verify([der], 'a.test', time)).toThrow(
      expect.objectContaining({ alert: alerts[reason], cause: expect.objectContaining({ reason }) }),
    )
  })

  test('what is no hash, and no certificate', () => {
    expect(() => pinnedCertificates(nodeBackend, [])).toThrow(TypeError)
    expect(() => pinnedCertificates(nodeBackend, [new Uint8Array(20)])).toThrow(TypeError)
    expectAlert(Alert.BadCertificate, () => pinnedCertificates(nodeBackend, [fingerprint]).verify([], '', testTime))
  })
})

describe("refusing: a verifier of the caller's", () => {
  const verify = (answer: CertificateVerifier['verify']) => () =>
    refusing({ verify: answer }).verify(p256.chain, 'localhost', testTime)

  test('what returns trusts', () => expect(verify(() => {})).not.toThrow())

  test.each([
    ['a TlsAlert', new TlsAlert(Alert.AccessDenied, 'no'), Alert.AccessDenied],
    ['a CertificateError', new CertificateError('expired', 'no'), Alert.CertificateExpired],
    ['another error', new Error('no'), Alert.CertificateUnknown],
    ['no error at all', 'no', Alert.CertificateUnknown],
  ])('%s refuses', (_, thrown, alert) => {
    expectAlert(
      alert,
      verify(() => {
        throw thrown
      }),
    )
  })

  test('a promise refuses: an async function would trust everybody', () => {
    expectAlert(Alert.CertificateUnknown, verify((async () => {}) as unknown as () => undefined))
  })
})

test('insecureVerifier accepts what no other would', () => {
  insecureVerifier.verify([scenario('client')], '', Number.NaN)
})

describe('sources', () => {
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
