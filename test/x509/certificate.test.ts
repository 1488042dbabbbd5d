import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/hex.ts'
import { isSelfIssued, MAX_CERTIFICATE_LENGTH, parseCertificate } from '../../src/x509/certificate.ts'
import { CertificateError } from '../../src/x509/certificate-error.ts'
import { contextTag, DerReader, Tag } from '../../src/x509/der.ts'
import { asciiContents, element, oidContents } from '../../src/x509/der-writer.ts'
import { KeyUsage, MAX_EXTENSIONS, MAX_NAMES, Purpose, readExtensions } from '../../src/x509/extensions.ts'
import { pemBlocks } from '../../src/x509/pem.ts'
import { caDer, p256 } from '../support/certificates.ts'
import { scenario } from './scenarios.ts'

const leafDer = p256.chain[0] as Uint8Array

describe('fields', () => {
  test('of a leaf', () => {
    const leaf = parseCertificate(leafDer)
    expect(leaf).toMatchObject({
      version: 3,
      notBefore: Date.UTC(2020, 0, 1),
      notAfter: Date.UTC(2099, 11, 31, 23, 59, 59),
      dnsNames: ['localhost', 'zerotrip.test'],
      basicConstraints: { isCa: false, pathLength: undefined },
      keyUsage: KeyUsage.digitalSignature,
      extendedKeyUsage: [Purpose.serverAuth],
      nameConstraints: undefined,
      unknownCritical: undefined,
    })
    expect(leaf.ipAddresses.map(toHex)).toEqual(['7f000001', `${'00'.repeat(15)}01`])
    expect(isSelfIssued(leaf)).toBe(false)
  })

  test('of an authority', () => {
    const ca = parseCertificate(caDer)
    expect(isSelfIssued(ca)).toBe(true)
    expect(ca.basicConstraints).toEqual({ isCa: true, pathLength: undefined })
    expect((ca.keyUsage as number) & KeyUsage.keyCertSign).toBeTruthy()
    expect(ca.keyUsage).toBe(KeyUsage.keyCertSign | (1 << 6))
    expect(parseCertificate(scenario('middle')).basicConstraints?.pathLength).toBe(1)
  })

  test('every form of alternative name', () => {
    const names = parseCertificate(scenario('names'))
    expect(names.dnsNames).toContain('Exact.TEST')
    expect(names.otherNames).toEqual([contextTag(1, false), contextTag(6, false), contextTag(0, true)])
    expect(names.directoryNames).toHaveLength(1)
  })

  test('of version 1', () => {
    expect(parseCertificate(scenario('root-v1'))).toMatchObject({ version: 1, basicConstraints: undefined })
  })

  test('unknown extensions matter when they are critical, RFC 5280 §4.2', () => {
    expect(parseCertificate(scenario('odd')).unknownCritical).toBeUndefined()
    expect(parseCertificate(scenario('odd-critical')).unknownCritical).toBe('1.2.3.4')
    expect(parseCertificate(scenario('policy-ca')).unknownCritical).toBeUndefined()
    expect(parseCertificate(scenario('strict-policy-ca')).unknownCritical).toBe('2.5.29.36')
  })
})

test('the roots of the platform are read as it reads them itself', () => {
  expect(rootCertificates.length).toBeGreaterThan(100)
  for (const pem of rootCertificates) {
    const theirs = new X509Certificate(pem)
    const ours = parseCertificate(pemBlocks(pem, 'CERTIFICATE')[0] as Uint8Array)
    expect(ours.notBefore).toBe(Date.parse(theirs.validFrom))
    expect(ours.notAfter).toBe(Date.parse(theirs.validTo))
    expect(ours.basicConstraints?.isCa ?? false).toBe(theirs.ca)
    expect(toHex(ours.publicKey)).toBe(theirs.publicKey.export({ type: 'spki', format: 'der' }).toString('hex'))
    expect(ours.unknownCritical).toBeUndefined()
  }
})

describe('malformed', () => {
  test('every certificate cut short', () => {
    for (let length = 0; length < leafDer.length; length++) expectMalformed(leafDer.subarray(0, length))
  })

  test('something behind it', () => expectMalformed(Uint8Array.of(...leafDer, 0)))

  test('too long', () => expectMalformed(new Uint8Array(MAX_CERTIFICATE_LENGTH + 1)))

  test('any byte changed: read, or refused as malformed, and nothing else', () => {
    for (const name of ['names', 'for-example', 'pss-sha256']) {
      const der = scenario(name)
      for (let at = 0; at < der.length; at++) {
        for (const mask of [0x01, 0x20, 0x80, 0xff]) {
          const changed = der.slice()
          changed[at] = (changed[at] as number) ^ mask
          try {
            parseCertificate(changed)
          } catch (error) {
            expect(error).toBeInstanceOf(CertificateError)
            expect((error as CertificateError).reason).toBe('malformed')
          }
        }
      }
    }
  })

  test.each([
    ['version 4', { version: element(contextTag(0, true), fromHex('02 01 03')) }],
    ['extensions in version 2', { version: element(contextTag(0, true), fromHex('02 01 01')) }],
    ['extensions in version 1', { version: new Uint8Array(0) }],
    ['unique identifiers in version 1', { version: new Uint8Array(0), tail: element(contextTag(1, false)) }],
    ['another algorithm outside, RFC 5280 §4.1.1.2', { outerAlgorithm: element(Tag.Sequence, oid('1.3.101.112')) }],
    ['no extensions in the list of them', { tail: element(contextTag(3, true), element(Tag.Sequence)) }],
  ])('%s', (_, parts) => expectMalformed(assemble(parts)))

  test('as assembled here it is read otherwise, unique identifiers too', () => {
    expect(parseCertificate(assemble({})).version).toBe(3)
    const identifiers = Uint8Array.of(...element(contextTag(1, false), fromHex('00 01')), ...extensionList('2.5.29.14'))
    expect(parseCertificate(assemble({ tail: identifiers })).version).toBe(3)
  })
})

describe('extensions', () => {
  test('one twice, RFC 5280 §4.2', () => expectBadExtensions([extension('1.2.3'), extension('1.2.3')]))

  test('too many', () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => extension(`1.2.${i}`))
    expect(read(many(MAX_EXTENSIONS)).unknownCritical).toBeUndefined()
    expectBadExtensions(many(MAX_EXTENSIONS + 1))
  })

  test('too many names', () => {
    const names = (count: number) =>
      extension('2.5.29.17', element(Tag.Sequence, ...Array.from({ length: count }, () => dnsName('a.test'))))
    expect(read([names(MAX_NAMES)]).alternativeNames?.dns).toHaveLength(MAX_NAMES)
    expectBadExtensions([names(MAX_NAMES + 1)])
  })

  test('too many purposes', () => {
    const purposes = Array.from({ length: MAX_NAMES + 1 }, () => oid('1.2.3'))
    expectBadExtensions([extension('2.5.29.37', element(Tag.Sequence, ...purposes))])
  })

  test.each([
    ['alternative names: none', '2.5.29.17', '30 00'],
    ['alternative names: not ASCII', '2.5.29.17', '30 03 82 01 e9'],
    ['alternative names: an address of five bytes', '2.5.29.17', '30 07 87 05 01 02 03 04 05'],
    ['alternative names: not a name', '2.5.29.17', '30 02 05 00'],
    ['alternative names: more behind', '2.5.29.17', '30 03 82 01 61 00'],
    ['basic constraints: a negative length', '2.5.29.19', '30 06 01 01 ff 02 01 ff'],
    ['basic constraints: more inside', '2.5.29.19', '30 02 05 00'],
    ['purposes: none', '2.5.29.37', '30 00'],
    ['name constraints: none', '2.5.29.30', '30 00'],
    ['name constraints: no subtree', '2.5.29.30', '30 02 a0 00'],
    ['name constraints: a mask of another length', '2.5.29.30', '30 0b a0 09 30 07 87 05 01 02 03 04 05'],
    [
      'name constraints: a mask with gaps, RFC 4632 §5.1',
      '2.5.29.30',
      '30 0e a0 0c 30 0a 87 08 0a 00 00 00 ff 00 ff 00',
    ],
    ['name constraints: a wildcard', '2.5.29.30', '30 09 a1 07 30 05 82 03 2a 2e 61'],
    ['name constraints: a dot behind', '2.5.29.30', '30 08 a1 06 30 04 82 02 61 2e'],
    ['name constraints: a minimum, RFC 5280 §4.2.1.10', '2.5.29.30', '30 0a a0 08 30 06 82 01 61 80 01 01'],
  ])('%s', (_, id, value) => expectBadExtensions([extension(id, fromHex(value))]))
})

function expectMalformed(der: Uint8Array): void {
  expect(() => parseCertificate(der)).toThrow(expect.objectContaining({ reason: 'malformed' }))
}

function oid(dotted: string): Uint8Array {
  return element(Tag.Oid, oidContents(dotted))
}

function extension(id: string, value: Uint8Array = new Uint8Array(0)): Uint8Array {
  return element(Tag.Sequence, oid(id), element(Tag.OctetString, value))
}

function extensionList(id: string): Uint8Array {
  return element(contextTag(3, true), element(Tag.Sequence, extension(id)))
}

function dnsName(name: string): Uint8Array {
  return element(contextTag(2, false), asciiContents(name))
}

function read(list: Uint8Array[]) {
  return readExtensions(new DerReader(element(Tag.Sequence, ...list)).enter(Tag.Sequence))
}

function expectBadExtensions(list: Uint8Array[]): void {
  expect(() => read(list)).toThrow(expect.objectContaining({ reason: 'malformed' }))
}

/** A certificate whose signature means nothing, of the usual parts. */
function assemble(parts: { version?: Uint8Array; tail?: Uint8Array; outerAlgorithm?: Uint8Array }): Uint8Array {
  const algorithm = element(Tag.Sequence, oid('1.2.840.10045.4.3.2'))
  const time = element(Tag.UtcTime, asciiContents('250101000000Z'))
  const name = element(Tag.Sequence)
  const tbs = element(
    Tag.Sequence,
    parts.version ?? element(contextTag(0, true), fromHex('02 01 02')),
    fromHex('02 01 01'),
    algorithm,
    name,
    element(Tag.Sequence, time, time),
    name,
    parseCertificate(leafDer).publicKey,
    parts.tail ?? extensionList('2.5.29.14'),
  )
  return element(Tag.Sequence, tbs, parts.outerAlgorithm ?? algorithm, element(Tag.BitString, fromHex('00 00')))
}
