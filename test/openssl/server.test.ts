// A server of ours against `openssl s_client`.

import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/bytes/hex.ts'
import { groupsByName } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { verifyClients } from '../../src/tls13/certificate-policy.ts'
import type { TlsServerConfig } from '../../src/tls13/session.ts'
import { NoPsks } from '../../src/zero-rtt/psk-sources.ts'
import { TicketSealer } from '../../src/zero-rtt/ticket-sealer.ts'
import { UnsafeExternalPsks } from '../../src/zero-rtt/unsafe-external-psk.ts'
import { ed25519, p256, rsa } from '../support/certificates.ts'
import { ByteStreamTls } from '../tls13/byte-stream.ts'
import { certified, p384, serverConfig } from '../tls13/support.ts'
import { clientAuthority } from './identity.ts'
import { files, inFolder, opensslClient, type Program, write } from './programs.ts'

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))

async function connected(config: Partial<TlsServerConfig>, ...args: string[]): Promise<[Program, ByteStreamTls]> {
  const accept = (socket: Socket): ByteStreamTls =>
    new ByteStreamTls(socket, { role: 'server', config: serverConfig(config) })
  const [client, ours] = await opensslClient(accept, ...args)
  await ours.complete
  return [client, ours]
}

/** Text there and back; it ends the client. */
async function talk(client: Program, ours: ByteStreamTls): Promise<void> {
  ours.write(bytes('from here to there\n'))
  await client.printed(/from here to there/)
  client.type('from there to here')
  await ours.until(() => Buffer.from(ours.received).includes('from there to here'))
  ours.close()
  await client[Symbol.asyncDispose]()
}

describe('full handshakes', () => {
  test.each(['X25519', 'P-256', 'P-384'] as const)('by %s', async group => {
    const [client, ours] = await connected({}, '-groups', group)
    expect((await ours.complete).group).toBe(groupsByName[group])
    await talk(client, ours)
  })

  test.each(['P-256', 'P-384'] as const)('a HelloRetryRequest for %s', async group => {
    const [client, ours] = await connected({ groups: [groupsByName[group]] }, '-groups', `X25519:${group}`)
    expect((await ours.complete).group).toBe(groupsByName[group])
    await talk(client, ours)
  })

  test.each([
    ['P-256', certified(p256), 'ecdsa_secp256r1_sha256', 'ECDSA'],
    ['Ed25519', certified(ed25519), 'ed25519:ecdsa_secp256r1_sha256', 'ed25519'],
    ['RSA', certified(rsa), 'rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256', 'RSA-PSS'],
    ['RSA', certified(rsa), 'rsa_pss_rsae_sha384:ecdsa_secp256r1_sha256', 'RSA-PSS'],
    ['RSA', certified(rsa), 'rsa_pss_rsae_sha512:ecdsa_secp256r1_sha256', 'RSA-PSS'],
  ])('%s signs', async (_, certifiedKey, sigalgs, type) => {
    const [client, ours] = await connected({ certificates: { select: () => certifiedKey } }, '-sigalgs', sigalgs)
    await client.printed(new RegExp(`Peer signature type: ${type}`))
    await client.printed(/Verify return code: 0/)
    await talk(client, ours)
  })

  test('P-384 signs', async () => {
    const certificates = { select: () => p384() }
    const [client, ours] = await connected({ certificates }, '-CAfile', `${files.identity('tls13/p384')[1]}`)
    await client.printed(/Peer signing digest: SHA384/)
    await talk(client, ours)
  })

  test('keys are exported alike', async () => {
    const [client, ours] = await connected({}, '-keymatexport', 'EXPORTER-zerotrip', '-keymatexportlen', '40')
    const [, theirs] = await client.printed(/Keying material: ([0-9A-F]{80})/)
    expect(toHex(ours.session.exportKeyingMaterial('EXPORTER-zerotrip', new Uint8Array(0), 40))).toBe(
      (theirs as string).toLowerCase(),
    )
    await talk(client, ours)
  })

  test('a certificate of the client', async () => {
    const clientAuthentication = verifyClients(nodeBackend, [clientAuthority], true)
    const [client, ours] = await connected({ clientAuthentication }, ...files.client)
    expect((await ours.complete).certificates).toHaveLength(1)
    await talk(client, ours)
  })
})

describe('pre-shared keys', () => {
  const sealer = new TicketSealer(nodeBackend)
  const resuming = { tickets: sealer, psks: sealer, ticketTerms: true }

  /** A first connection leaves its session in a file, with which `act` goes on. */
  async function withSession(act: (path: (name: string) => string, args: string[]) => Promise<void>): Promise<void> {
    await inFolder(async path => {
      const [client, ours] = await connected(resuming, '-sess_out', path('session'))
      // Tickets come before what is said.
      await talk(client, ours)
      await act(path, ['-sess_in', path('session')])
    })
  }

  test('resumption, and with a HelloRetryRequest', () =>
    withSession(async (_, args) => {
      for (const groups of [{}, { groups: [groupsByName['P-384']] }]) {
        const [client, ours] = await connected({ ...resuming, ...groups }, ...args, '-groups', 'X25519:P-384')
        expect((await ours.complete).isResumed).toBe(true)
        await client.printed(/Reused, TLSv1\.3/)
        await talk(client, ours)
      }
    }))

  test.each([true, false])('early data (taken: %s)', isTaken =>
    withSession(async (path, args) => {
      const early = ['-early_data', write(path('early'), 'sent in the first flight')]
      const [client, ours] = await connected({ ...resuming, earlyData: { admit: () => isTaken } }, ...args, ...early)
      expect(Buffer.from(ours.earlyData).toString()).toBe(isTaken ? 'sent in the first flight' : '')
      expect((await ours.complete).isResumed).toBe(true)
      await client.printed(isTaken ? /Early data was accepted/ : /Early data was rejected/)
      await talk(client, ours)
    }),
  )

  test('early data is refused by a HelloRetryRequest, and by a certificate', () =>
    withSession(async (path, args) => {
      const early = ['-early_data', write(path('early'), 'too early'), '-groups', 'X25519:P-384']
      for (const changes of [{ groups: [groupsByName['P-384']] }, { psks: NoPsks }]) {
        const earlyData = { admit: () => true }
        const [client, ours] = await connected({ ...resuming, earlyData, ...changes }, ...args, ...early)
        await client.printed(/Early data was rejected/)
        expect(ours.earlyData).toHaveLength(0)
        await talk(client, ours)
      }
    }))

  test('an external one', async () => {
    const secret = nodeBackend.random(32)
    const psks = new UnsafeExternalPsks()
    const expires = Date.now() + 60_000
    psks.add({ identity: bytes('worker-7'), secret, cipherSuite: 0x1301, alpn: 'h3', expires })
    const [client, ours] = await connected({ psks }, '-psk', toHex(secret), '-psk_identity', 'worker-7')
    expect((await ours.complete).isResumed).toBe(true)
    await talk(client, ours)
  })
})
