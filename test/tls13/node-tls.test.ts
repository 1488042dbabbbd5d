// Against node:tls, which is OpenSSL, over streams in memory: whole handshakes of TLS 1.3, each end by the other's rules.

import { readFileSync } from 'node:fs'
import { duplexPair } from 'node:stream'
import * as tls from 'node:tls'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/bytes/hex.ts'
import { groupsByName, type NamedGroupName } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { verifyClients } from '../../src/tls13/certificate-policy.ts'
import type { OfferedPsk } from '../../src/tls13/ports.ts'
import type { TlsClientConfig, TlsServerConfig } from '../../src/tls13/session.ts'
import { TicketSealer } from '../../src/zero-rtt/ticket-sealer.ts'
import { caPem, ed25519, p256, rsa, type TestIdentity } from '../support/certificates.ts'
import { openssl } from '../support/openssl.ts'
import { ByteStreamTls, PeerAlert } from './byte-stream.ts'
import { clientConfig, p384, serverConfig } from './support.ts'

const vector = (name: string): string => readFileSync(new URL(`../vectors/tls13/${name}`, import.meta.url), 'latin1')
const der = (pem: string): Uint8Array => Uint8Array.from(Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64'))

/** OpenSSL has ML-KEM from 3.5 on: in Node 24, but not in Node 20. */
const [major = 0, minor = 0] = process.versions.openssl.split('.').map(Number)
const hasMlKem = major > 3 || (major === 3 && minor >= 5)
const groups = (['X25519', 'P-256', 'P-384', 'X25519MLKEM768'] as const).filter(
  name => hasMlKem || name !== 'X25519MLKEM768',
)
const suites = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']
const version = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const LABEL = 'EXPORTER-zerotrip'

interface Meeting {
  readonly ours: ByteStreamTls
  readonly theirs: tls.TLSSocket
  /** Sessions that a client of theirs was given. */
  readonly sessions: Buffer[]
  /** Of the key log, both sorted. */
  readonly secrets: { readonly ours: string[]; readonly theirs: string[] }
}

class KeyLog {
  readonly lines: string[] = []
  readonly add = (label: string, random: Uint8Array, secret: Uint8Array): void => {
    this.lines.push(`${label} ${toHex(random)} ${toHex(secret)}`)
  }
}

/** Ours is the client. */
async function asClient(config: Partial<TlsClientConfig>, options: tls.TlsOptions): Promise<Meeting> {
  const [near, far] = duplexPair()
  const log = new KeyLog()
  const theirLines: string[] = []
  const server = tls.createServer({
    ...version,
    cert: p256.chainPem,
    key: p256.keyPem,
    ALPNProtocols: ['h3'],
    ...options,
  })
  server.on('keylog', line => theirLines.push(line.toString().trim()))
  const accepted = new Promise<tls.TLSSocket>((resolve, reject) => {
    server.once('secureConnection', resolve)
    server.once('tlsClientError', reject)
  })
  accepted.catch(() => undefined)
  server.emit('connection', far)
  const ours = new ByteStreamTls(near, { role: 'client', config: clientConfig({ keyLog: log.add, ...config }) })
  await ours.complete
  const theirs = await accepted
  theirs.pipe(theirs)
  return { ours, theirs, sessions: [], secrets: { ours: log.lines, theirs: theirLines } }
}

/** Ours is the server. */
async function asServer(config: Partial<TlsServerConfig>, options: tls.ConnectionOptions): Promise<Meeting> {
  const [near, far] = duplexPair()
  const log = new KeyLog()
  const theirLines: string[] = []
  const ours = new ByteStreamTls(near, { role: 'server', config: serverConfig({ keyLog: log.add, ...config }) })
  const theirs = tls.connect({
    ...version,
    socket: far,
    servername: 'localhost',
    ca: caPem,
    ALPNProtocols: ['h3'],
    ...options,
  })
  theirs.on('keylog', (line: Buffer) => theirLines.push(line.toString().trim()))
  const sessions: Buffer[] = []
  theirs.on('session', session => sessions.push(session))
  const connected = new Promise<void>((resolve, reject) => {
    theirs.once('secureConnect', resolve)
    theirs.once('error', reject)
  })
  connected.catch(() => undefined)
  await ours.complete
  await connected
  theirs.pipe(theirs)
  return { ours, theirs, sessions, secrets: { ours: log.lines, theirs: theirLines } }
}

/** Data there and back, the same protocol, exported keys and secrets at both ends. */
async function check({ ours, theirs, secrets }: Meeting): Promise<void> {
  ours.write(Buffer.from('there and back'))
  await ours.until(() => ours.received.length === 14)
  expect(text(ours.received)).toBe('there and back')
  expect(theirs.alpnProtocol).toBe('h3')
  const context = Buffer.from('of both')
  const exported = ours.session.exportKeyingMaterial(LABEL, context, 42)
  expect(toHex(exported)).toBe(toHex(theirs.exportKeyingMaterial(42, LABEL, context)))
  expect(secrets.ours.toSorted()).toEqual(secrets.theirs.toSorted())
  theirs.destroy()
}

function groupOf(name: NamedGroupName): Partial<TlsClientConfig & TlsServerConfig> {
  return { groups: [groupsByName[name]] }
}

describe('a client of ours and a server of node:tls', () => {
  test.each(groups)('key exchange by %s', async name => {
    const meeting = await asClient(groupOf(name), { ecdhCurve: name })
    expect((await meeting.ours.complete).group).toBe(groupsByName[name])
    await check(meeting)
  })

  test.each(groups.filter(name => name !== 'X25519'))('a HelloRetryRequest for %s', async name => {
    const meeting = await asClient({ groups: [groupsByName.X25519, groupsByName[name]] }, { ecdhCurve: name })
    expect((await meeting.ours.complete).group).toBe(groupsByName[name])
    await check(meeting)
  })

  test.each(suites)('%s', async name => {
    const meeting = await asClient({}, { ciphers: name })
    expect((await meeting.ours.complete).suite.name).toBe(name)
    await check(meeting)
  })

  test.each(identities())('a certificate with %s', async (_, { certPem, keyPem, chain }, sigalgs) => {
    const shown: unknown[] = []
    const verifier = { verify: (received: readonly Uint8Array[]) => void shown.push(received) }
    await check(await asClient({ verifier }, { cert: certPem, key: keyPem, sigalgs }))
    expect(shown).toEqual([chain])
  })

  test.each(suites)('resumption with %s', async ciphers => {
    const ticketKeys = Buffer.alloc(48, 7)
    const first = await asClient({}, { ciphers, ticketKeys })
    await first.ours.until(() => first.ours.tickets.length === 2)
    await check(first)
    const [ticket] = first.ours.tickets as [(typeof first.ours.tickets)[number]]
    const psk: OfferedPsk = {
      kind: 'resumption',
      identity: ticket.ticket,
      secret: ticket.secret,
      hash: ticket.hash,
      obfuscatedAge: (ticket.ageAdd + 5) % 2 ** 32,
      earlyData: undefined,
    }
    const second = await asClient({ psk }, { ciphers, ticketKeys })
    expect((await second.ours.complete).isResumed).toBe(true)
    expect(second.theirs.isSessionReused()).toBe(true)
    await check(second)
    const retried = await asClient(
      { psk, groups: [groupsByName.X25519, groupsByName['P-256']] },
      { ciphers, ticketKeys, ecdhCurve: 'P-256' },
    )
    expect(retried.theirs.isSessionReused()).toBe(true)
    await check(retried)
  })

  test('shows a certificate that it is asked for', async () => {
    const alice = { chain: [der(vector('client.pem'))], key: nodeBackend.privateKey(vector('client.key')) }
    const options = { requestCert: true, ca: vector('client-ca.pem') }
    const meeting = await asClient({ certificate: { select: () => alice } }, options)
    expect(meeting.theirs.authorized).toBe(true)
    expect(meeting.theirs.getPeerCertificate().subject.CN).toBe('alice')
    await check(meeting)
  })

  test('has none to show, and is refused', async () => {
    const refused = asClient({}, { requestCert: true, ca: vector('client-ca.pem') })
    await expect(refused).rejects.toMatchObject({ code: 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' })
  })

  test('no protocol in common: no_application_protocol', async () => {
    const failure = asClient({ alpn: ['other'] }, {})
    await expect(failure).rejects.toEqual(new PeerAlert(120))
  })
})

describe('a server of ours and a client of node:tls', () => {
  test.each(groups)('key exchange by %s', async name => {
    const meeting = await asServer(groupOf(name), { ecdhCurve: name })
    expect((await meeting.ours.complete).group).toBe(groupsByName[name])
    await check(meeting)
  })

  test.each(groups.filter(name => name !== 'X25519'))('a HelloRetryRequest for %s', async name => {
    const meeting = await asServer(groupOf(name), { ecdhCurve: `X25519:${name}` })
    expect((await meeting.ours.complete).group).toBe(groupsByName[name])
    await check(meeting)
  })

  test.each(suites)('%s', async name => {
    const meeting = await asServer({}, { ciphers: name })
    expect(meeting.theirs.getCipher().standardName).toBe(name)
    await check(meeting)
  })

  test.each(identities())('a certificate with %s', async (_, { certPem, keyPem, chain }, sigalgs) => {
    // RSA signs by node:crypto alone.
    const { privateKey } = sigalgs.startsWith('rsa') ? openssl : nodeBackend
    const certificates = { select: () => ({ chain, key: privateKey(keyPem) }) }
    // That of P-384 is signed by itself.
    const meeting = await asServer({ certificates }, { ca: [caPem, certPem], sigalgs })
    expect(meeting.theirs.authorized).toBe(true)
    await check(meeting)
  })

  test.each(suites)('resumption with %s', async ciphers => {
    const sealer = new TicketSealer(nodeBackend)
    const config = { tickets: sealer, psks: sealer }
    const first = await asServer(config, { ciphers })
    await check(first)
    const session = first.sessions[0] as Buffer
    const second = await asServer(config, { ciphers, session })
    expect((await second.ours.complete).isResumed).toBe(true)
    expect(second.theirs.isSessionReused()).toBe(true)
    await check(second)
    const retried = await asServer({ ...config, ...groupOf('P-384') }, { ciphers, session, ecdhCurve: 'X25519:P-384' })
    expect(retried.theirs.isSessionReused()).toBe(true)
    await check(retried)
  })

  test.each([true, false])('asks for a certificate (required: %s)', async isRequired => {
    const clientAuthentication = verifyClients(nodeBackend, [der(vector('client-ca.pem'))], isRequired)
    const meeting = await asServer({ clientAuthentication }, { cert: vector('client.pem'), key: vector('client.key') })
    expect((await meeting.ours.complete).certificates).toEqual([der(vector('client.pem'))])
    await check(meeting)
    const without = asServer({ clientAuthentication }, {})
    if (isRequired) await expect(without).rejects.toThrow('no certificate')
    else expect((await (await without).ours.complete).certificates).toEqual([])
  })
})

interface Shown {
  readonly certPem: string
  readonly keyPem: string
  readonly chain: readonly Uint8Array[]
}

/** Every kind of key, and every scheme it signs by. */
function identities(): [string, Shown, string][] {
  const of = ({ chainPem: certPem, keyPem, chain }: TestIdentity): Shown => ({ certPem, keyPem, chain })
  const ofP384 = { certPem: vector('p384.pem'), keyPem: vector('p384.key'), chain: p384().chain }
  return [
    ['ECDSA P-256', of(p256), 'ecdsa_secp256r1_sha256'],
    ['ECDSA P-384', ofP384, 'ecdsa_secp384r1_sha384'],
    ['Ed25519', of(ed25519), 'ed25519:ecdsa_secp256r1_sha256'],
    ['RSA-PSS, SHA-256', of(rsa), 'rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256'],
    ['RSA-PSS, SHA-384', of(rsa), 'rsa_pss_rsae_sha384:ecdsa_secp256r1_sha256'],
    ['RSA-PSS, SHA-512', of(rsa), 'rsa_pss_rsae_sha512:ecdsa_secp256r1_sha256'],
  ]
}
