// Certificates that come later and signatures made elsewhere: what a session asks for, and how it waits.

import { describe, expect, test } from 'vitest'
import type { PrivateKey } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { Level } from '../../src/packet/level.ts'
import { startServer, type TlsServerConfig } from '../../src/tls13/session.ts'
import { p256, testTime } from '../support/certificates.ts'
import { clientHello, neededExtensions } from './hello-parts.ts'
import { certified, drain, failure, message, Pipe, serverConfig } from './support.ts'

const identity = certified(p256)
const { schemes, publicKey } = identity.key
const elsewhere = { chain: identity.chain, key: { schemes, publicKey } }
const later = { certificates: { select: () => 'later' as const } }
const remote = { certificates: { select: () => elsewhere } }
const sign = (scheme: (typeof schemes)[number], content: Uint8Array): Uint8Array =>
  (identity.key as PrivateKey).sign(scheme, content)

const types = (pipe: Pipe): string[] => pipe.serverOutputs.map(output => output.type)

describe('a certificate that comes later', () => {
  test('nothing is said before it is there: no key, no parameters, no early data', () => {
    const pipe = new Pipe({}, later).run()
    expect(types(pipe)).toEqual(['certificateWanted'])
    expect(pipe.outputs('server', 'certificateWanted')[0]?.hello).toMatchObject({
      serverName: 'localhost',
      alpn: ['h3'],
    })
    pipe.server.provideCertificate(identity, testTime)
    expect(pipe.run().complete('client').certificates).toEqual(identity.chain)
  })

  test('none ends the handshake with handshake_failure', () => {
    const pipe = new Pipe({}, later).run()
    expect(failure(() => pipe.server.provideCertificate(undefined, testTime))).toBe('HandshakeFailure')
  })

  test('one that cannot sign for this client too', () => {
    const pipe = new Pipe({}, later).run()
    const other = { ...identity, key: { publicKey, schemes: [] } }
    expect(failure(() => pipe.server.provideCertificate(other, testTime))).toBe('HandshakeFailure')
  })

  test('whatever comes meanwhile is unexpected_message', () => {
    const hello = clientHello({ extensions: Object.values(neededExtensions(nodeBackend.keyExchange(0x1d).publicKey)) })
    const server = startServer(serverConfig(later))
    server.receive(Level.Initial, hello, testTime)
    expect(failure(() => server.receive(Level.Initial, message(1, []), testTime))).toBe('UnexpectedMessage')
  })

  test('half a message meanwhile is a violation, once it goes on (RFC 9001 §4.1.3)', () => {
    const pipe = new Pipe({}, later).run()
    pipe.server.receive(Level.Initial, Uint8Array.of(1), testTime)
    expect(failure(() => pipe.server.provideCertificate(identity, testTime))).toBe('transport 0xa')
  })
})

describe('a key that is elsewhere', () => {
  test('of a server: its flight ends with the signature', () => {
    const pipe = new Pipe({}, remote).run()
    expect(pipe.messages).toEqual(['c1', 's2', 's8', 's11'])
    expect(pipe.serverOutputs.filter(output => output.type === 'secret' && output.level === Level.OneRtt)).toEqual([])
    const [wanted] = pipe.outputs('server', 'signatureWanted')
    expect(wanted).toMatchObject({ key: elsewhere.key, scheme: schemes[0] })
    pipe.server.provideSignature(sign(wanted!.scheme, wanted!.content))
    expect(pipe.run().complete('server')).toMatchObject({ isResumed: false })
    expect(pipe.client.isComplete).toBe(true)
  })

  test('both later: certificate, then signature', () => {
    const pipe = new Pipe({}, later).run()
    pipe.server.provideCertificate(elsewhere, testTime)
    pipe.run()
    const [wanted] = pipe.outputs('server', 'signatureWanted')
    pipe.server.provideSignature(sign(wanted!.scheme, wanted!.content))
    expect(pipe.run().client.isComplete).toBe(true)
  })

  test('of a client: its Finished comes behind the signature', () => {
    const verifier = { verify() {} }
    const server: Partial<TlsServerConfig> = { clientAuthentication: { isRequired: true, verifier, authorities: [] } }
    const pipe = new Pipe({ certificate: { select: () => elsewhere } }, server).run()
    expect(pipe.messages.slice(-1)).toEqual(['c11'])
    expect(pipe.client.isComplete).toBe(false)
    const [wanted] = pipe.outputs('client', 'signatureWanted')
    pipe.client.provideSignature(sign(wanted!.scheme, wanted!.content))
    expect(pipe.run().complete('server').certificates).toEqual(identity.chain)
  })

  test('that does not sign: internal_error', () => {
    const pipe = new Pipe({}, remote).run()
    expect(failure(() => pipe.server.provideSignature(undefined))).toBe('InternalError')
  })

  test('that signs wrongly is caught by the client', () => {
    const pipe = new Pipe({}, remote).run()
    pipe.server.provideSignature(new Uint8Array(70))
    expect(failure(() => pipe.run())).toBe('DecryptError')
  })
})

test('answers that nobody asked for are TypeErrors', () => {
  const pipe = new Pipe()
  for (const session of [pipe.client, pipe.server]) {
    expect(() => session.provideCertificate(identity, testTime)).toThrow(TypeError)
    expect(() => session.provideSignature(undefined)).toThrow(TypeError)
  }
  expect(drain(pipe.server)).toEqual([])
})
