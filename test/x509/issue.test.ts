import { X509Certificate } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/bytes/hex.ts'
import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { parseCertificate } from '../../src/x509/certificate.ts'
import { ChainVerifier } from '../../src/x509/chain.ts'
import { KeyUsage, Purpose } from '../../src/x509/extensions.ts'
import { type IssueOptions, issueCertificate, MAX_ISSUED_HOSTS, newPrivateKey } from '../../src/x509/issue.ts'
import { pemBlocks, pemText } from '../../src/x509/pem.ts'
import { p256, rsa, testTime } from '../support/certificates.ts'

const DAY = 86_400_000
const key = nodeBackend.privateKey(p256.keyPem)
const hosts = ['localhost', '*.Dev.test', '127.0.0.1', '::1', '[2001:db8::1]']

function issue(options: Partial<IssueOptions> = {}) {
  return issueCertificate(nodeBackend, { key, hosts, notBefore: testTime, notAfter: testTime + 14 * DAY, ...options })
}

test('what is issued is read by others as it was meant', () => {
  const { certificate, pem, fingerprint } = issue()
  const theirs = new X509Certificate(certificate)
  expect(theirs.verify(theirs.publicKey)).toBe(true)
  expect(theirs.checkHost('localhost')).toBe('localhost')
  expect(theirs.checkHost('a.dev.test')).toBe('*.Dev.test')
  expect(theirs.checkIP('127.0.0.1')).toBe('127.0.0.1')
  expect(theirs.checkIP('::1')).toBe('::1')
  expect(theirs.checkIP('2001:db8::1')).toBe('2001:db8::1')
  expect(theirs.subject).toBe('CN=localhost')
  expect(theirs.ca).toBe(false)
  expect(theirs.keyUsage).toEqual([Purpose.serverAuth])
  expect(Date.parse(theirs.validFrom)).toBe(testTime)
  expect(Date.parse(theirs.validTo)).toBe(testTime + 14 * DAY)
  expect(theirs.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(toHex(fingerprint))
  expect(pemBlocks(pem, 'CERTIFICATE')).toEqual([certificate])
})

test('and by ourselves', () => {
  const { certificate } = issue()
  expect(parseCertificate(certificate)).toMatchObject({
    version: 3,
    dnsNames: ['localhost', '*.Dev.test'],
    keyUsage: KeyUsage.digitalSignature,
    basicConstraints: { isCa: false, pathLength: undefined },
  })
  const verifier = new ChainVerifier(nodeBackend, [certificate])
  for (const host of ['localhost', 'a.dev.test', '127.0.0.1', '::1', '2001:db8::1']) {
    verifier.verify([certificate], host, testTime)
  }
  expect(() => verifier.verify([certificate], 'localhost', testTime - 1)).toThrow(
    expect.objectContaining({ reason: 'notYetValid' }),
  )
  expect(() => verifier.verify([issue().certificate], 'localhost', testTime)).toThrow(/no authority/)
})

test('a TLS client elsewhere that has it as a root trusts a server that shows it', async () => {
  const der = newPrivateKey(nodeBackend)
  const now = Date.now()
  const { pem } = issue({ key: nodeBackend.privateKey(der), notBefore: now - DAY, notAfter: now + DAY })
  const server = createServer({ key: pemText('PRIVATE KEY', der), cert: pem }, socket => socket.end())
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const isTrusted = await new Promise((done, failed) => {
    const client = connect({ port, host: '127.0.0.1', ca: pem }, () => {
      done(client.authorized)
      client.destroy()
    }).on('error', failed)
  })
  server.close()
  expect(isTrusted).toBe(true)
})

test('two certificates of one key differ in their serial numbers, which are positive', () => {
  const serial = () => new X509Certificate(issue().certificate).serialNumber
  const serials = new Set(Array.from({ length: 50 }, serial))
  expect(serials.size).toBe(50)
  for (const text of serials) expect(text).toMatch(/^[4-7][0-9A-F]{31}$/)
})

test('dates on both sides of 2050 and many names', () => {
  const names = Array.from({ length: MAX_ISSUED_HOSTS }, (_, i) => `host-${i}.${'long-label.'.repeat(10)}test`)
  const far = issue({ notBefore: 0, notAfter: Date.UTC(9999, 11, 31, 23, 59, 59), hosts: names })
  const theirs = new X509Certificate(far.certificate)
  expect(theirs.validFrom).toBe('Jan  1 00:00:00 1970 GMT')
  expect(theirs.validTo).toBe('Dec 31 23:59:59 9999 GMT')
  expect(parseCertificate(far.certificate).dnsNames).toEqual(names)
  expect(theirs.subject.length).toBe(3 + 64)
})

describe('a new key', () => {
  test('is a P-256 key that signs for its certificate', () => {
    const fresh = nodeBackend.privateKey(newPrivateKey(nodeBackend))
    const { certificate } = issue({ key: fresh })
    const theirs = new X509Certificate(certificate)
    expect(theirs.verify(theirs.publicKey)).toBe(true)
    expect(theirs.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
    expect(fresh.publicKey).not.toEqual(key.publicKey)
  })

  test('can be kept as PEM', () => {
    const der = newPrivateKey(nodeBackend)
    const again = nodeBackend.privateKey(pemText('PRIVATE KEY', der))
    expect(again.publicKey).toEqual(nodeBackend.privateKey(der).publicKey)
  })

  test('RFC 5915 §3: has the public key in it, without which GnuTLS does not take it', () => {
    const der = newPrivateKey(nodeBackend)
    const point = nodeBackend.privateKey(der).publicKey.subarray(-65)
    expect(toHex(der)).toContain(toHex(point))
  })

  test('is drawn again when the number is not of the curve', () => {
    const draws = [new Uint8Array(32), new Uint8Array(32).fill(0xff), new Uint8Array(32).fill(1)]
    const backend: CryptoBackend = { ...nodeBackend, random: () => draws.shift() as Uint8Array }
    expect(toHex(newPrivateKey(backend))).toContain('01'.repeat(32))
    expect(draws).toHaveLength(0)
  })
})

describe('refused', () => {
  test.each([
    ['no host', { hosts: [] }],
    ['too many hosts', { hosts: Array.from({ length: MAX_ISSUED_HOSTS + 1 }, () => 'a.test') }],
    ['dates the wrong way round', { notAfter: testTime - 1 }],
    ['a date before 1970', { notBefore: -1 }],
    ['a date after 9999', { notAfter: Date.UTC(10000, 0, 1) }],
    ['a date that is none', { notBefore: Number.NaN }],
  ])('%s', (_, options) => expect(() => issue(options)).toThrow(RangeError))

  test.each(['', 'a b', 'bücher.test', 'a..b', '*', '*.*.test', 'a.*.test'])('host "%s"', host =>
    expect(() => issue({ hosts: [host] })).toThrow(TypeError),
  )

  test('a key of another kind', () =>
    expect(() => issue({ key: nodeBackend.privateKey(rsa.keyPem) })).toThrow(TypeError))
})
