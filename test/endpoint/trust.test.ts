// Whom a client trusts: from the options of connect to what happens to a handshake.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tls from 'node:tls'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { asciiName, type TrustOptions, verifierOf } from '../../src/endpoint/trust.ts'
import { selfSigned } from '../../src/web/self-signed.ts'
import { CertificateError } from '../../src/x509/certificate-error.ts'
import { issueCertificate, newPrivateKey } from '../../src/x509/issue.ts'
import { caPem, p256, testTime } from '../support/certificates.ts'
import { client, echo, failure, server } from './helpers.ts'

const DAY = 86_400_000

/** Everything as a backend of its own, so that what was read for others is not used. */
const fresh = () => ({ ...nodeBackend })

describe('options', () => {
  const one = { algorithm: 'sha-256', value: new Uint8Array(32) }
  const verifier = { verify: () => undefined }

  test.each<TrustOptions>([
    { ca: caPem, pins: [new Uint8Array(32)] },
    { ca: caPem, insecureNoCertificateCheck: true },
    { verifier, serverCertificateHashes: [one] },
    { pins: [new Uint8Array(32)], verifier },
  ])('two that would decide are one too many: %o', options => {
    expect(() => verifierOf(options, nodeBackend)).toThrow(/give one of/)
  })

  test('what says nothing does not count', () => {
    verifierOf({ ca: caPem, pins: [], insecureNoCertificateCheck: false }, nodeBackend)
  })

  test.each<TrustOptions>([
    { ca: 'nothing' },
    { ca: [] },
    { pins: [new Uint8Array(31)] },
    { serverCertificateHashes: [] },
    { serverCertificateHashes: [{ algorithm: 'sha-512', value: new Uint8Array(64) }] },
    { serverCertificateHashes: [{ algorithm: 'sha-256', value: new Uint8Array(20) }] },
  ])('what nobody could satisfy is refused at once: %o', options => {
    expect(() => verifierOf(options, nodeBackend)).toThrow(TypeError)
  })

  test('W3C WebTransport: algorithms are compared without case, unknown ones passed over', () => {
    const now = Date.now()
    const { certificate, fingerprint } = issued(now)
    const hashes = [
      { algorithm: 'sha-512', value: new Uint8Array(64) },
      { algorithm: 'SHA-256', value: fingerprint },
    ]
    verifierOf({ serverCertificateHashes: hashes }, nodeBackend).verify([certificate], 'a.test', now)
  })
})

describe('RFC 9525 §2: names beyond ASCII', () => {
  test.each([
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example', 'xn--bcher-kva.example'],
    ['例え。テスト', 'xn--r8jz45g.xn--zckzah'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['127.1', '127.1'],
    ['::1', '::1'],
    ['', ''],
  ])('%s is %s', (name, ascii) => expect(asciiName(name)).toBe(ascii))

  test.each(['bü cher.example', 'a\u00ad\u2024.ü\u0000', '\ufffd.example'])('%j is nobody', name =>
    expect(() => asciiName(name)).toThrow(TypeError),
  )

  test('are asked for and checked in A-labels', async () => {
    const names: unknown[] = []
    const { address } = await server(echo, {
      certificates: {
        select(hello) {
          names.push(hello.serverName)
          return { chain: p256.chain, key: nodeBackend.privateKey(p256.keyPem) }
        },
      },
      cert: undefined as never,
    })
    const error = await failure(client(address, { serverName: 'bücher.test' }).opened)
    expect(error).toMatchObject({ code: 'ERR_ZEROTRIP_HANDSHAKE' })
    expect(error.message).toContain('not for xn--bcher-kva.test')
    expect(names).toEqual(['xn--bcher-kva.test'])
  })
})

describe('a certificate that is refused', () => {
  test('the error says what to do, and its cause has the reason and a stable code', async () => {
    const { address } = await server(echo)
    const error = await failure(client(address, { serverName: 'other.test' }).opened)
    expect(error).toMatchObject({ code: 'ERR_ZEROTRIP_HANDSHAKE', errorCode: 0x100 + 42 })
    expect(error.message).toMatch(/not for other\.test; connect by a name it has/)
    const cause = (error.cause as Error).cause
    expect(cause).toBeInstanceOf(CertificateError)
    expect(cause).toMatchObject({ reason: 'hostMismatch', code: 'ERR_ZEROTRIP_CERTIFICATE_HOST_MISMATCH' })
  })

  test('nobody is trusted by default who has no public root', async () => {
    const { address } = await server(echo)
    const error = await failure(client(address, { ca: undefined as never }).opened)
    expect((error.cause as Error).cause).toMatchObject({ code: 'ERR_ZEROTRIP_CERTIFICATE_UNKNOWN_CA' })
  })
})

test('serverCertificateHashes: a certificate made on the spot is enough', async () => {
  const { cert, key, certificateHash } = selfSigned({ hosts: ['a.test'] })
  const { address } = await server(echo, { cert, key })
  const trust = (value: Uint8Array) => ({
    serverName: 'whoever.test',
    serverCertificateHashes: [{ algorithm: 'sha-256', value }],
  })
  await client(address, trust(certificateHash)).opened
  const error = await failure(client(address, trust(new Uint8Array(32))).opened)
  expect((error.cause as Error).cause).toMatchObject({ reason: 'notPinned' })
})

describe('the roots of node', () => {
  afterEach(() => vi.unstubAllEnvs())

  const judge = () => verifierOf({}, fresh()).verify(p256.chain, 'localhost', testTime)

  test.runIf(!('getCACertificates' in tls))('NODE_EXTRA_CA_CERTS counts', () => {
    const directory = mkdtempSync(join(tmpdir(), 'zerotrip-roots-'))
    writeFileSync(join(directory, 'extra.pem'), caPem)
    expect(judge).toThrow(/no trusted root/)
    vi.stubEnv('NODE_EXTRA_CA_CERTS', join(directory, 'extra.pem'))
    judge()
    rmSync(directory, { recursive: true })
  })

  test.runIf(!('getCACertificates' in tls))(
    'NODE_EXTRA_CA_CERTS that is not there warns, and takes nothing away',
    () => {
      const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
      vi.stubEnv('NODE_EXTRA_CA_CERTS', '/nowhere/extra.pem')
      expect(judge).toThrow(/no trusted root/)
      expect(warn).toHaveBeenCalledWith(expect.stringContaining('/nowhere/extra.pem'))
      warn.mockRestore()
    },
  )

  test.runIf('setDefaultCACertificates' in tls)('what node is told to trust is trusted', () => {
    const { getCACertificates, setDefaultCACertificates } = tls as unknown as {
      getCACertificates(): string[]
      setDefaultCACertificates(list: string[]): void
    }
    const before = getCACertificates()
    setDefaultCACertificates([...before, caPem])
    judge()
    setDefaultCACertificates(before)
  })

  test('are read once for each backend', () => {
    const backend = fresh()
    const verify = () => verifierOf({}, backend).verify(p256.chain, 'localhost', testTime)
    expect(verify).toThrow(/no trusted root/)
    vi.stubEnv('NODE_EXTRA_CA_CERTS', '/nowhere/extra.pem')
    expect(verify).toThrow(/no trusted root/)
  })
})

function issued(notBefore: number) {
  const key = nodeBackend.privateKey(newPrivateKey(nodeBackend))
  return issueCertificate(nodeBackend, { key, hosts: ['a.test'], notBefore, notAfter: notBefore + 14 * DAY })
}
