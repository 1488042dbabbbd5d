// A client of ours against `openssl s_server`.

import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/bytes/hex.ts'
import { groupsByName, type NamedGroupName } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { insecureVerifier } from '../../src/tls13/certificate-policy.ts'
import type { TicketOutput } from '../../src/tls13/config.ts'
import type { OfferedPsk } from '../../src/tls13/ports.ts'
import type { TlsClientConfig } from '../../src/tls13/session.ts'
import { ByteStreamTls, PeerAlert } from '../tls13/byte-stream.ts'
import { clientConfig } from '../tls13/support.ts'
import { clientIdentity } from './identity.ts'
import { files, OpensslServer } from './programs.ts'

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))
const p256 = files.identity('x509/leaf-p256')

async function connected(
  server: OpensslServer,
  config: Partial<TlsClientConfig> = {},
  earlyData?: Uint8Array,
): Promise<ByteStreamTls> {
  const options = { role: 'client', config: clientConfig(config), ...(earlyData && { earlyData }) } as const
  const ours = new ByteStreamTls(await server.connect(), options)
  await ours.complete
  return ours
}

/** Text there and back. */
async function talk(server: OpensslServer, ours: ByteStreamTls): Promise<void> {
  ours.write(bytes('from here to there\n'))
  await server.printed(/from here to there/)
  server.type('from there to here')
  await ours.until(() => Buffer.from(ours.received).includes('from there to here'))
  ours.close()
}

function offered(ticket: TicketOutput): OfferedPsk {
  const { ticket: identity, secret, hash, cipherSuite, ageAdd, allowsEarlyData } = ticket
  const terms = { cipherSuite, alpn: 'h3', serverName: 'localhost', transportParameters: new Uint8Array(0) }
  const earlyData = allowsEarlyData ? terms : undefined
  return { kind: 'resumption', identity, secret, hash, obfuscatedAge: (ageAdd + 3) % 2 ** 32, earlyData }
}

async function ticketOf(server: OpensslServer, config: Partial<TlsClientConfig> = {}): Promise<TicketOutput> {
  const first = await connected(server, config)
  await first.until(() => first.tickets.length > 0)
  await talk(server, first)
  return first.tickets[0] as TicketOutput
}

describe('full handshakes', () => {
  test.each(['X25519', 'P-256', 'P-384'] as const)('by %s', async group => {
    await using server = new OpensslServer(...p256, '-groups', group)
    const ours = await connected(server, { groups: [groupsByName[group]] })
    await server.printed(/Shared groups: .*(x25519|secp\d+r1)/)
    await talk(server, ours)
  })

  test.each(['P-256', 'P-384'] as const)('a HelloRetryRequest for %s', async (group: NamedGroupName) => {
    await using server = new OpensslServer(...p256, '-groups', group)
    const ours = await connected(server, { groups: [groupsByName.X25519, groupsByName[group]] })
    expect((await ours.complete).group).toBe(groupsByName[group])
    await talk(server, ours)
  })

  test.each([
    ['x509/leaf-p256', 'ecdsa_secp256r1_sha256'],
    ['tls13/p384', 'ecdsa_secp384r1_sha384'],
    ['x509/leaf-ed25519', 'ed25519'],
    ['x509/leaf-rsa', 'rsa_pss_rsae_sha256'],
    ['x509/leaf-rsa', 'rsa_pss_rsae_sha384'],
    ['x509/leaf-rsa', 'rsa_pss_rsae_sha512'],
  ])('%s signs by %s', async (name, scheme) => {
    await using server = new OpensslServer(...files.identity(name), '-sigalgs', scheme)
    await talk(server, await connected(server, name === 'tls13/p384' ? { verifier: insecureVerifier } : {}))
  })

  test('keys are exported alike', async () => {
    await using server = new OpensslServer(...p256, '-keymatexport', 'EXPORTER-zerotrip', '-keymatexportlen', '40')
    const ours = await connected(server)
    const [, theirs] = await server.printed(/Keying material: ([0-9A-F]{80})/)
    expect(toHex(ours.session.exportKeyingMaterial('EXPORTER-zerotrip', new Uint8Array(0), 40))).toBe(
      (theirs as string).toLowerCase(),
    )
  })

  test('RFC 8446 §4.2.2: a cookie is sent back', async () => {
    await using server = new OpensslServer(...p256, '-stateless')
    await talk(server, await connected(server))
  })
})

describe('client certificates', () => {
  const asking = [...p256, '-Verify', '2', '-verify_return_error', '-CAfile', files.clientCa]

  test('one that is asked for is shown', async () => {
    await using server = new OpensslServer(...asking)
    const ours = await connected(server, { certificate: { select: () => clientIdentity } })
    await server.printed(/subject=CN = alice/)
    await talk(server, ours)
  })

  test('without one: certificate_required', async () => {
    await using server = new OpensslServer(...asking)
    const ours = await connected(server)
    await expect(ours.until(() => false)).rejects.toEqual(new PeerAlert(116))
  })
})

describe('pre-shared keys', () => {
  test.each(['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'])(
    'resumption with %s, and with a HelloRetryRequest',
    async suite => {
      await using server = new OpensslServer(...p256, '-ciphersuites', suite, '-groups', 'P-256')
      const psk = offered(await ticketOf(server, { groups: [groupsByName['P-256']] }))
      for (const groups of [['P-256'], ['X25519', 'P-256']] as const) {
        const ours = await connected(server, { psk, groups: groups.map(name => groupsByName[name]) })
        expect((await ours.complete).isResumed).toBe(true)
        await server.printed(/Reused session-id/)
        await talk(server, ours)
      }
    },
  )

  test('early data is taken once', async () => {
    await using server = new OpensslServer(...p256, '-early_data')
    const psk = offered(await ticketOf(server))
    const ours = await connected(server, { psk }, bytes('sent in the first flight\n'))
    await server.printed(/sent in the first flight/)
    expect(ours.isEarlyDataAccepted).toBe(true)
    await talk(server, ours)
    const again = await connected(server, { psk }, bytes('sent again\n'))
    expect(again.isEarlyDataAccepted).toBe(false)
    await talk(server, again)
  })

  test('early data is refused by a HelloRetryRequest', async () => {
    await using server = new OpensslServer(...p256, '-early_data', '-groups', 'P-256')
    const psk = offered(await ticketOf(server, { groups: [groupsByName['P-256']] }))
    const groups = [groupsByName.X25519, groupsByName['P-256']]
    const ours = await connected(server, { psk, groups }, bytes('too early\n'))
    expect(ours.isEarlyDataAccepted).toBe(false)
    await talk(server, ours)
  })

  test('an external one', async () => {
    const secret = nodeBackend.random(32)
    await using server = new OpensslServer('-nocert', '-psk', toHex(secret), '-psk_identity', 'worker-7')
    const psk: OfferedPsk = {
      kind: 'external',
      identity: bytes('worker-7'),
      secret,
      hash: 'sha256',
      obfuscatedAge: 0,
      earlyData: undefined,
    }
    const ours = await connected(server, { psk })
    expect((await ours.complete).isResumed).toBe(true)
    await talk(server, ours)
  })
})
