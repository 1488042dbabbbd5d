// Certificates at the endpoint: of clients, chosen late, signed elsewhere, renewed.

import { readFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import type { AsyncCertificateSource, RemoteKey } from '../../src/endpoint/certificates.ts'
import type { QuicSession } from '../../src/endpoint/quic-session.ts'
import { ed25519, p256, rsa } from '../support/certificates.ts'
import { client, echo, eventually, failure, server, text } from './helpers.ts'

const read = (name: string): string => readFileSync(new URL(`../vectors/tls13/${name}`, import.meta.url), 'latin1')
const clientCa = read('client-ca.pem')
const alice = { cert: read('client.pem'), key: read('client.key') }

describe('certificates of clients', () => {
  async function met(options: Parameters<typeof server>[1], shown: object): Promise<[QuicSession, QuicSession]> {
    const met: QuicSession[] = []
    const { address } = await server(session => void met.push(session), options)
    const session = client(address, shown)
    await session.confirmed
    return [session, met[0] as QuicSession]
  }

  test('a server that requires one knows who is there', async () => {
    const [, there] = await met({ clientCertificates: 'require', clientCa }, alice)
    expect(there.peer?.certificates).toHaveLength(1)
  })

  test('a server that requests one lets in who has none', async () => {
    const [, there] = await met({ clientCertificates: 'request', clientCa }, {})
    expect(there.peer?.certificates).toEqual([])
  })

  test('who has none, or a wrong one, hears the alert: certificate_required, unknown_ca (RFC 8446 §6.2)', async () => {
    const { address } = await server(undefined, { clientCertificates: 'require', clientCa })
    expect((await failure(client(address).confirmed)).code).toBe('ERR_ZEROTRIP_HANDSHAKE')
    expect(await failure(client(address).closed)).toMatchObject({ errorCode: 0x100 + 116 })
    const clientVerifier = {
      verify(): void {
        throw new Error('nobody knows you')
      },
    }
    const other = await server(undefined, { clientCertificates: 'request', clientVerifier })
    expect(await failure(client(other.address, alice).closed)).toMatchObject({ errorCode: 0x100 + 46 })
    // One that answers later would let everybody in now.
    const later = await server(undefined, { clientCertificates: 'request', clientVerifier: { async verify() {} } })
    expect(await failure(client(later.address, alice).closed)).toMatchObject({ errorCode: 0x100 + 46 })
  })

  test('options that do not fit say so', async () => {
    await expect(server(undefined, { clientCertificates: 'require' })).rejects.toThrow('needs `clientCa`')
    await expect(server(undefined, { clientCa })).rejects.toThrow("set `clientCertificates` to 'request'")
    await expect(server(undefined, { clientCertificates: 'maybe' as never, clientCa })).rejects.toThrow(TypeError)
    const { address } = await server()
    expect(() => client(address, { cert: alice.cert })).toThrow('go together')
  })
})

describe('certificates chosen by the hello', () => {
  const chain = p256.chain
  const key = nodeBackend.privateKey(p256.keyPem)
  const wait = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

  test('later, and with a key that is elsewhere', async () => {
    const signed: number[] = []
    const remote: RemoteKey = {
      schemes: key.schemes,
      publicKey: key.publicKey,
      async signLater(scheme, data) {
        await wait(5)
        signed.push(scheme)
        return key.sign(scheme, data)
      },
    }
    const certificates: AsyncCertificateSource = {
      async select({ serverName }) {
        await wait(5)
        return serverName === 'localhost' ? { chain, key: remote } : undefined
      },
    }
    const { address } = await server(session => void echo(session), {
      cert: undefined,
      key: undefined,
      certificates,
    } as never)
    const session = client(address, { serverName: 'localhost' })
    const stream = await session.openStream()
    await stream.write(new TextEncoder().encode('late'))
    await stream.end()
    let answer = ''
    for await (const chunk of stream) answer += text(chunk)
    expect(answer).toBe('late')
    expect(signed).toEqual([0x0403])
    expect(await failure(client(address, { serverName: 'other.test' }).opened)).toMatchObject({ errorCode: 0x128 })
  })

  test('a source or a key that fails: a warning here, an alert there', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const certificates = { select: () => Promise.reject(new Error('the store is closed')) }
    const { address } = await server(undefined, { certificates })
    expect(await failure(client(address).opened)).toMatchObject({ errorCode: 0x128 })
    const locked = {
      select: () => ({ chain, key: { ...remoteOf(), signLater: () => Promise.reject(new Error('locked')) } }),
    }
    const other = await server(undefined, { certificates: locked })
    expect(await failure(client(other.address).opened)).toMatchObject({ errorCode: 0x150 })
    expect(warned.mock.calls.map(([error]) => (error as Error).message)).toEqual(['the store is closed', 'locked'])
    warned.mockRestore()
  })

  function remoteOf(): Pick<RemoteKey, 'schemes' | 'publicKey'> {
    return { schemes: key.schemes, publicKey: key.publicKey }
  }

  test('a client that leaves while the source thinks: nothing is left', async () => {
    const gone = later<undefined>()
    const { endpoint, address } = await server(undefined, { certificates: { select: () => gone.promise } })
    const session = client(address, { handshakeTimeout: 50 })
    await failure(session.opened)
    gone.resolve(undefined)
    expect(await eventually(() => endpoint.listener.handshakes === 0)).toBe(true)
  })

  function later<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
    let resolve: (value: T) => void = () => {}
    const promise = new Promise<T>(done => {
      resolve = done
    })
    return { promise, resolve }
  }
})

test.each([
  [undefined, 2],
  [false, 1],
])('RFC 8701: with `grease` %s a client that names one cipher suite offers %i', async (grease, count) => {
  let offered: readonly number[] = []
  const { address } = await server(echo, {
    protocolsFor: ({ cipherSuites }) => {
      offered = cipherSuites
      return ['echo']
    },
  })
  const session = client(address, {
    cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256'],
    ...(grease === false && { grease }),
  })
  await session.opened
  expect(offered).toHaveLength(count)
  expect(offered.at(-1)).toBe(0x1303)
})

test('setCertificates: new clients see the new one, the connection that is there goes on', async () => {
  const { endpoint, address } = await server(session => void echo(session))
  const first = client(address)
  expect((await first.opened).certificates).toEqual(p256.chain)
  endpoint.setCertificates({ cert: ed25519.chainPem, key: ed25519.keyPem })
  expect((await client(address).opened).certificates).toEqual(ed25519.chain)
  expect(() => endpoint.setCertificates({ cert: rsa.chainPem, key: p256.keyPem })).toThrow(TypeError)
  expect(() => endpoint.setCertificates({})).toThrow(TypeError)
  expect((await client(address).opened).certificates).toEqual(ed25519.chain)
  const stream = await first.openStream()
  await stream.end()
  expect((await first.opened).certificates).toEqual(p256.chain)
})
