import { describe, expect, test } from 'vitest'
import { fromHex } from '../../src/bytes/hex.ts'
import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { parseCertificate } from '../../src/x509/certificate.ts'
import { CertificateError, type CertificateErrorReason } from '../../src/x509/certificate-error.ts'
import { ChainVerifier, MAX_CHAIN_CERTIFICATES, MAX_SIGNATURE_CHECKS } from '../../src/x509/chain.ts'
import { Tag } from '../../src/x509/der.ts'
import { element, integerContents, oidContents } from '../../src/x509/der-writer.ts'
import { MAX_NAMES } from '../../src/x509/extensions.ts'
import { ComparisonBudget, checkNameConstraints, MAX_NAME_COMPARISONS } from '../../src/x509/name-constraints.ts'
import { keyType, MAX_RSA_BITS, signatureScheme } from '../../src/x509/signature-algorithm.ts'
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
  new ChainVerifier(backend, roots === '' ? [] : chainOf(roots)).verify(chainOf(chain), host, time)
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

  test.each([
    ['rsa-sha1', 'root-rsa'],
    ['pss-odd-salt', 'root-rsa'],
    ['pss-odd-mask', 'root-rsa'],
    ['p384-sha256', 'root-p384'],
    ['under-rsa1024', 'root-rsa1024'],
    ['rsa1024-leaf', 'ca'],
    ['p521-leaf', 'ca'],
  ])('unsupported: %s', (leaf, roots) => expectRefusal('unsupported', leaf, { roots }))

  test('what the backend does not verify is unsupported', () => {
    expectRefusal('unsupported', 'bare', { backend: { ...nodeBackend, signatureSchemes: [] } })
  })

  test('an algorithm never goes with the key of another', () => {
    const algorithm = (name: string) => parseCertificate(scenario(name)).signatureAlgorithm
    expect(signatureScheme(algorithm('rsa-sha256'), 'p256')).toBeUndefined()
    expect(signatureScheme(algorithm('pss-sha256'), 'p384')).toBeUndefined()
    expect(signatureScheme(algorithm('ed25519'), 'rsa')).toBeUndefined()
    expect(keyType(parseCertificate(scenario('ed25519')).publicKey)).toBe('ed25519')
  })

  test('a key of an unknown kind', () => {
    const key = (algorithm: string) =>
      element(Tag.Sequence, element(Tag.Sequence, element(Tag.Oid, oidContents(algorithm))), fromHex('03 02 00 04'))
    expect(keyType(key('1.2.840.10045.2.1'))).toBeUndefined()
    expect(keyType(key('1.2.840.10040.4.1'))).toBeUndefined()
    expect(keyType(key('1.3.101.112'))).toBe('ed25519')
  })

  test('an RSA key that takes long to verify with is refused', () => {
    const key = parseCertificate(scenario('root-rsa')).publicKey
    expect(keyType(key)).toBe('rsa')
    expect(keyType(rsaKey(MAX_RSA_BITS / 8, 0x80))).toBe('rsa')
    expect(keyType(rsaKey(MAX_RSA_BITS / 8 + 1, 0x01))).toBeUndefined()
    expect(keyType(rsaKey(256, 0x7f))).toBeUndefined()
    expect(keyType(rsaKey(1, 0))).toBeUndefined()
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

describe('paths, RFC 5280 §6 and RFC 4158', () => {
  test('intermediates in any order, unneeded ones among them, with the root or without', () => {
    verify('under-lower lower middle')
    verify('under-lower middle lower')
    verify('under-lower root-rsa middle maze-1 lower ca under-lower')
  })

  test('an intermediate that is missing', () => {
    expectRefusal('unknownCa', 'under-lower middle')
    expectRefusal('unknownCa', 'under-lower lower')
    expectRefusal('unknownCa', 'under-lower lower middle', { roots: 'root-rsa' })
    expectRefusal('unknownCa', 'bare', { roots: '' })
  })

  test('an intermediate may be the root that is trusted', () => verify('under-lower lower', { roots: 'middle' }))

  test('a way around an intermediate that is expired or crosses to a root that is not ours', () => {
    verify('under-lower lower middle-expired middle-cross middle')
    verify('under-lower lower middle middle-expired middle-cross', { roots: 'root-rsa' })
    expectRefusal('expired', 'under-lower lower middle-expired')
  })

  test('a circle ends', () => {
    expectRefusal('unknownCa', 'under-circle circle-b circle-a-by-b circle-a')
    verify('under-circle circle-b circle-a-by-b', { roots: 'circle-a' })
  })

  test('the name of a root without its key', () => {
    expectRefusal('bad', 'under-impostor')
    expectRefusal('bad', 'under-impostor impostor')
    verify('under-impostor', { roots: 'ca impostor' })
  })

  test('path length, RFC 5280 §4.2.1.9', () => {
    verify('under-lower lower middle')
    expectRefusal('bad', 'under-lowest lowest lower middle')
    // The authority that renewed itself does not count.
    verify('under-lower-renewed lower-renewed lower middle')
  })

  test.each([
    ['not-ca', 'bad'],
    ['no-basic', 'bad'],
    ['no-cert-sign', 'bad'],
    ['client-ca', 'unsupported'],
    ['odd-ca', 'unsupported'],
    ['strict-policy-ca', 'unsupported'],
    ['middle-v1', 'bad'],
  ] as const)('issued by %s: %s', (authority, reason) => expectRefusal(reason, `under-${authority} ${authority}`))

  test.each(['any-ca', 'policy-ca'])('issued by %s', authority => verify(`under-${authority} ${authority}`))

  test('a root of version 1 is one because it is trusted; one that says it is not is not', () => {
    verify('under-v1', { roots: 'root-v1' })
    expectRefusal('bad', 'under-not-ca', { roots: 'not-ca' })
  })

  test('a root that is expired', () => expectRefusal('expired', 'under-root-expired', { roots: 'root-expired' }))
})

describe('bounds on work', () => {
  test('certificates that are sent', () => {
    const names = Array.from({ length: MAX_CHAIN_CERTIFICATES }, () => 'bare')
    verify(names.join(' '))
    expectRefusal('tooComplex', [...names, 'bare'].join(' '))
  })

  test('the length of a path', () => {
    const down = (from: number) => Array.from({ length: from }, (_, i) => `long-${from - i}`).join(' ')
    verify(`under-long-6 ${down(6)}`, { roots: 'long-0' })
    expectRefusal('unknownCa', `under-long-7 ${down(7)}`, { roots: 'long-0' })
    verify(`under-long-7 ${down(7)}`, { roots: 'long-1' })
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
    expectRefusal('bad', `maze-leaf ${maze}`, { backend: counting })
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

describe('the leaf', () => {
  test('is valid from the first to the last second, RFC 5280 §4.1.2.5', () => {
    const [first, last] = [Date.UTC(2020, 0, 1), Date.UTC(2021, 0, 1)]
    verify('short-lived', { time: first })
    verify('short-lived', { time: last + 999 })
    expectRefusal('expired', 'short-lived', { time: first - 1 })
    expectRefusal('expired', 'short-lived', { time: last + 1000 })
    expectRefusal('expired', 'short-lived', { time: Number.NaN })
  })

  test.each([
    ['client', 'unsupported'],
    ['any-purpose', 'unsupported'],
    ['key-encipherment', 'unsupported'],
    ['odd-critical', 'unsupported'],
    ['only-common-name', 'hostMismatch'],
  ] as const)('%s: %s', (leaf, reason) => expectRefusal(reason, leaf))

  test.each(['bare', 'odd'])('%s is accepted', leaf => verify(leaf))

  test('names, RFC 9525', () => {
    for (const host of ['a.wild.test', 'EXACT.test', 'exact.test.', '192.0.2.1', '2001:db8::1', '[2001:DB8::1]']) {
      verify('names', { host })
    }
    const others = ['wild.test', 'a.b.wild.test', 'foo.part.test', 'a.b.twice.test', 'x.test', 'dot.test', '127.0.0.2']
    for (const host of [...others, 'names', 'directory.test', 'mail.test', '192.0.2.2', '2001:db8::2', '']) {
      expectRefusal('hostMismatch', 'names', { host })
    }
  })

  test('is trusted without a path when it is a root itself, dates and host still checked', () => {
    verify('self-signed', { roots: 'ca self-signed' })
    verify('bare', { roots: 'bare' })
    expectRefusal('unknownCa', 'self-signed')
    expectRefusal('hostMismatch', 'self-signed', { roots: 'self-signed', host: 'other.test' })
    expectRefusal('expired', 'self-signed', { roots: 'self-signed', time: Date.UTC(2100, 0, 1) })
    expectRefusal('unsupported', 'client', { roots: 'client' })
  })

  test('a self-signed one of the same name as a root is another', () => {
    expectRefusal('bad', 'self-signed-twin', { roots: 'self-signed' })
  })
})

describe('name constraints, RFC 5280 §4.2.1.10', () => {
  test.each([
    ['constrained-0', 'example.test'],
    ['constrained-0', 'a.b.example.test'],
    ['constrained-0', '10.1.2.3'],
    ['constrained-5', 'x.a.example.test'],
    ['constrained-10', 'example.test'],
  ])('%s is permitted %s', (leaf, host) => verify(`${leaf} for-example`, { host }))

  test.each([
    ['constrained-1', 'other.test', 'bad'],
    ['constrained-2', 'notexample.test', 'bad'],
    ['constrained-3', 'a.secret.example.test', 'bad'],
    // Its wildcard reaches secret.example.test.
    ['constrained-4', 'a.example.test', 'bad'],
    ['constrained-6', '11.0.0.1', 'bad'],
    ['constrained-7', '10.6.6.1', 'bad'],
    ['constrained-8', '2001:db9::1', 'bad'],
    // Mail is constrained, and how is not understood.
    ['constrained-9', 'example.test', 'unsupported'],
  ] as const)('%s is denied %s', (leaf, host, reason) => expectRefusal(reason, `${leaf} for-example`, { host }))

  test('hold further down, and for a root', () => {
    expectRefusal('bad', 'under-sub-example sub-example for-example', { host: 'other.test' })
    expectRefusal('bad', 'constrained-1', { roots: 'for-example', host: 'other.test' })
  })

  test('do not hold for an authority that renewed itself, RFC 5280 §6.1.3 (b)', () => {
    verify('under-for-example-renewed for-example-renewed for-example')
  })

  test('a dot in front means below', () => {
    verify('below-dot-leaf below-dot')
    expectRefusal('bad', 'at-dot below-dot', { host: 'example.test' })
  })

  test('an empty name is all of them', () => expectRefusal('bad', 'under-no-dns no-dns'))

  test('directory names', () => {
    verify('in-organization for-organization')
    expectRefusal('bad', 'out-of-organization for-organization')
    expectRefusal('bad', 'excluded-organization not-organization')
  })
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

/** The key of root-rsa with a modulus of another length. */
function rsaKey(bytes: number, first: number): Uint8Array {
  const modulus = element(Tag.Integer, integerContents(new Uint8Array(bytes).fill(first, 0, 1)))
  const key = element(Tag.Sequence, modulus, element(Tag.Integer, Uint8Array.of(3)))
  const algorithm = element(Tag.Sequence, element(Tag.Oid, oidContents('1.2.840.113549.1.1.1')), element(Tag.Null))
  return element(Tag.Sequence, algorithm, element(Tag.BitString, Uint8Array.of(0), key))
}
