// RFC 8446 Appendix A: every handshake message in every state of both sides, each of them well formed.

import { describe, expect, test } from 'vitest'
import { Level } from '../../src/packet/level.ts'
import type { TlsSession } from '../../src/tls13/session.ts'
import { testTime } from '../support/certificates.ts'
import { drain, failure, message, type Output, Pipe } from './support.ts'

const messages = [
  'HelloRequest 0',
  'ClientHello 1',
  'ServerHello 2',
  'NewSessionTicket 4',
  'EndOfEarlyData 5',
  'EncryptedExtensions 8',
  'Certificate 11',
  'CertificateRequest 13',
  'CertificateVerify 15',
  'Finished 20',
  'KeyUpdate 24',
  'CompressedCertificate 25',
  'unknown 99',
  'message_hash 254',
] as const

/** What either side of one handshake says, by type. */
class Handshake {
  readonly pipe: Pipe = new Pipe()
  readonly client: Uint8Array[]
  readonly server: Uint8Array[]

  constructor() {
    this.client = sentBy(this.pipe.client)
    this.pipe.server.receive(Level.Initial, this.client[0] as Uint8Array, testTime)
    this.server = sentBy(this.pipe.server)
  }

  /** The server's messages before those of `state` are given to the client. */
  reachClient(state: number): void {
    for (let i = 0; i < state; i++) this.toClient(i, this.server[i] as Uint8Array)
    this.client.push(...sentBy(this.pipe.client))
  }

  toClient(state: number, bytes: Uint8Array): void {
    this.pipe.client.receive(
      state === 0 ? Level.Initial : state === CONNECTED ? Level.OneRtt : Level.Handshake,
      bytes,
      testTime,
    )
  }

  /** Well formed: of this handshake, where it has one, that of the sender first. */
  message(type: number, sent: readonly Uint8Array[]): Uint8Array {
    const own = [...sent, ...this.server, ...this.client].find(bytes => bytes[0] === type)
    return own ?? message(type, bodies[type] ?? [])
  }
}

function sentBy(session: TlsSession): Uint8Array[] {
  return drain(session)
    .filter((output): output is Output<'send'> => output.type === 'send')
    .flatMap(({ bytes }) => split(bytes))
}

/** A flight may hold several messages. */
function split(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const end =
      at + 4 + (((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number))
    parts.push(bytes.slice(at, end))
    at = end
  }
  return parts
}

const bodies: Record<number, readonly number[]> = {
  // Lifetime, age_add, nonce, ticket, extensions.
  4: [0, 0, 14, 16, 1, 2, 3, 4, 1, 9, 0, 2, 7, 7, 0, 0],
  // Context, signature_algorithms with ecdsa_secp256r1_sha256.
  13: [0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3],
  24: [0],
}

const clientStates = ['ServerHello', 'EncryptedExtensions', 'Certificate', 'CertificateVerify', 'Finished', 'connected']
const CONNECTED = 5

function clientOutcome(state: number, type: number): string {
  const handshake = new Handshake()
  handshake.reachClient(state)
  return failure(() => handshake.toClient(state, handshake.message(type, handshake.server)))
}

const serverStates = ['ClientHello', 'Finished', 'connected']

function serverOutcome(state: number, type: number): string {
  const handshake = new Handshake()
  handshake.reachClient(CONNECTED)
  const { server } = state === 0 ? new Pipe() : handshake.pipe
  const sent = (what: number): Uint8Array => handshake.message(what, handshake.client)
  if (state === 2) server.receive(Level.Handshake, sent(20), testTime)
  return failure(() =>
    server.receive([Level.Initial, Level.Handshake, Level.OneRtt][state] as Level, sent(type), testTime),
  )
}

/** The edges of Appendix A; RFC 9001 §4.4 has a code of its own for a CertificateRequest that comes late. */
const clientEdges: Record<string, Partial<Record<(typeof messages)[number], string>>> = {
  ServerHello: { 'ServerHello 2': 'none' },
  EncryptedExtensions: { 'EncryptedExtensions 8': 'none' },
  Certificate: { 'Certificate 11': 'none', 'CertificateRequest 13': 'none' },
  CertificateVerify: { 'CertificateVerify 15': 'none' },
  Finished: { 'Finished 20': 'none' },
  connected: { 'NewSessionTicket 4': 'none', 'CertificateRequest 13': 'transport 0xa' },
}
const serverEdges: typeof clientEdges = {
  ClientHello: { 'ClientHello 1': 'none' },
  Finished: { 'Finished 20': 'none' },
  connected: {},
}

function typeOf(name: string): number {
  return Number(name.split(' ')[1])
}

describe.each(messages)('RFC 8446 §A: %s', name => {
  test.each([...clientStates.entries()])('(%i) a client that waits for %s', (state, waitsFor) => {
    expect(clientOutcome(state, typeOf(name))).toBe(clientEdges[waitsFor]?.[name] ?? 'UnexpectedMessage')
  })

  test.each([...serverStates.entries()])('(%i) a server that waits for %s', (state, waitsFor) => {
    expect(serverOutcome(state, typeOf(name))).toBe(serverEdges[waitsFor]?.[name] ?? 'UnexpectedMessage')
  })
})
