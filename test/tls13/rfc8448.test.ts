// RFC 8448, record by record: each opens with the keys of our key schedule, sealed by us it is the same bytes again, and
// both Finished are those we would have sent. Records, not QUIC packets, carried what the examples show.

import { createECDH, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type CryptoBackend, SignatureScheme } from '../../src/crypto/backend.ts'
import { nobleBackend } from '../../src/crypto/backend-noble.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { TLS_AES_128_GCM_SHA256 as suite } from '../../src/crypto/cipher-suite.ts'
import { ExtensionType, readBody, readKeyShare } from '../../src/tls13/extensions.ts'
import { type ApplicationStage, EarlyStage, type HandshakeStage } from '../../src/tls13/key-schedule.ts'
import { readCertificate } from '../../src/tls13/messages/certificate.ts'
import { readCertificateRequest } from '../../src/tls13/messages/certificate-request.ts'
import { readCertificateVerify, signatureContent } from '../../src/tls13/messages/certificate-verify.ts'
import { Message } from '../../src/tls13/messages/handshake.ts'
import { readServerHello } from '../../src/tls13/messages/server-hello.ts'
import { HelloTranscript, type Transcript } from '../../src/tls13/transcript.ts'
import { parseCertificate } from '../../src/x509/certificate.ts'
import * as rfc8448 from '../vectors/rfc8448-records.ts'
import { Content, RecordKey, writeRecords } from './records.ts'
import type { Side } from './support.ts'

/** One direction: a key to open with, and the same to seal with again. */
class Direction {
  readonly #open: RecordKey
  readonly #seal: RecordKey

  constructor(backend: CryptoBackend, secret: Uint8Array) {
    this.#open = new RecordKey(backend, suite, secret)
    this.#seal = new RecordKey(backend, suite, secret)
  }

  open(record: Uint8Array): { type: number; content: Uint8Array } {
    const opened = this.#open.open(record.subarray(0, 5), record.subarray(5))
    if (opened === undefined) throw new Error('a record does not open')
    expect(writeRecords(opened.type, opened.content, this.#seal)).toEqual(record)
    return opened
  }
}

class Replay {
  readonly seen: string[] = []
  readonly #trace: rfc8448.RecordTrace
  readonly #backend: CryptoBackend
  readonly #hellos: HelloTranscript
  readonly #keys: Record<Side, Direction | undefined> = { client: undefined, server: undefined }
  readonly #early: EarlyStage
  #transcript: Transcript | undefined
  #handshake: HandshakeStage | undefined
  #application: ApplicationStage | undefined
  #leaf: Uint8Array | undefined

  constructor(backend: CryptoBackend, trace: rfc8448.RecordTrace) {
    this.#backend = backend
    this.#trace = trace
    this.#hellos = new HelloTranscript(backend)
    this.#early = new EarlyStage(backend, suite.hash, trace.psk)
    for (const [side, record] of trace.records) this.#onRecord(side, record)
  }

  #onRecord(side: Side, record: Uint8Array): void {
    if (record[0] === Content.ChangeCipherSpec) return
    if (record[0] === Content.Handshake) {
      this.#onHello(record.slice(5))
      return
    }
    const { type, content } = (this.#keys[side] as Direction).open(record)
    if (type !== Content.Handshake) this.seen.push(`${side} ${type === Content.Alert ? 'alert' : 'data'}`)
    else for (const message of split(content)) this.#onMessage(side, message)
  }

  #onHello(bytes: Uint8Array): void {
    if (bytes[0] === 1) {
      this.#hellos.add(bytes)
      if (this.#trace.psk) this.#install('client', this.#early.earlyTraffic(this.#backend.hash(suite.hash, bytes)))
      return
    }
    // RFC 8446 §D.4: the compatibility mode alone has a session id, which QUIC forbids (RFC 9001 §8.4).
    const hello = readServerHello(new Message(withoutSessionId(bytes)))
    expect(hello.cipherSuite).toBe(suite.id)
    if (hello.isRetry) this.#hellos.replaceByHash(suite.hash)
    this.#hellos.add(bytes)
    if (hello.isRetry) return
    const share = readBody(hello.extensions.get(ExtensionType.KeyShare) as Uint8Array, readKeyShare)
    this.#transcript = this.#hellos.start(suite.hash)
    const shared = agree(this.#trace, share.publicKey)
    this.#handshake = this.#early.handshake(shared, this.#transcript.digest())
    this.#install('server', this.#handshake.serverSecret)
    if (!this.#trace.psk) this.#install('client', this.#handshake.clientSecret)
  }

  #onMessage(side: Side, bytes: Uint8Array): void {
    this.seen.push(`${side} ${bytes[0]}`)
    // NewSessionTicket is no part of the handshake.
    if (bytes[0] === 4) return
    const transcript = this.#transcript as Transcript
    const before = transcript.digest()
    transcript.add(bytes)
    const handshake = this.#handshake as HandshakeStage
    if (bytes[0] === 5) this.#install('client', handshake.clientSecret)
    else if (bytes[0] === 13) expect(readCertificateRequest(new Message(bytes)).signatureSchemes).toContain(0x0403)
    else if (bytes[0] === 11) this.#leaf = readCertificate(new Message(bytes), new Set())[0]
    else if (bytes[0] === 15) this.#onProof(side, bytes, before)
    else if (bytes[0] === 20) this.#onFinished(side, bytes, handshake, before)
  }

  /** Keys of RSA have 1024 bits here, too few for us. */
  #onProof(side: Side, bytes: Uint8Array, before: Uint8Array): void {
    const { scheme, signature } = readCertificateVerify(new Message(bytes))
    if (scheme !== SignatureScheme.EcdsaP256Sha256) return
    const { publicKey } = parseCertificate(this.#leaf as Uint8Array)
    expect(this.#backend.verify(scheme, publicKey, signature, signatureContent(side, before))).toBe(true)
  }

  #onFinished(side: Side, bytes: Uint8Array, handshake: HandshakeStage, before: Uint8Array): void {
    const expected = side === 'server' ? handshake.serverFinished(before) : handshake.clientFinished(before)
    expect(bytes.subarray(4)).toEqual(expected)
    const after = (this.#transcript as Transcript).digest()
    if (side === 'server') this.#application = handshake.application(after)
    const application = this.#application as ApplicationStage
    this.#install(side, side === 'server' ? application.serverSecret : application.clientSecret)
  }

  #install(side: Side, secret: Uint8Array): void {
    this.#keys[side] = new Direction(this.#backend, secret)
  }
}

function split(content: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = []
  for (let at = 0; at < content.length; ) {
    const length = 4 + (((content[at + 2] as number) << 8) | (content[at + 3] as number))
    messages.push(content.slice(at, at + length))
    at += length
  }
  return messages
}

function withoutSessionId(hello: Uint8Array): Uint8Array {
  const length = hello[38] as number
  const body = [...hello.slice(4, 38), 0, ...hello.slice(39 + length)]
  return Uint8Array.of(2, 0, body.length >>> 8, body.length, ...body)
}

function agree({ group, privateKey }: rfc8448.RecordTrace, share: Uint8Array): Uint8Array {
  if (group === 'P-256') {
    const ecdh = createECDH('prime256v1')
    ecdh.setPrivateKey(privateKey)
    return Uint8Array.from(ecdh.computeSecret(share))
  }
  const der = (prefix: string, key: Uint8Array): Buffer => Buffer.concat([Buffer.from(prefix, 'hex'), key])
  const own = createPrivateKey({
    key: der('302e020100300506032b656e04220420', privateKey),
    format: 'der',
    type: 'pkcs8',
  })
  const peer = createPublicKey({ key: der('302a300506032b656e032100', share), format: 'der', type: 'spki' })
  return Uint8Array.from(diffieHellman({ privateKey: own, publicKey: peer }))
}

const server = ['server 8', 'server 11', 'server 15', 'server 20']
const data = ['client data', 'server data']
const alerts = ['client alert', 'server alert']

describe.each([nodeBackend, nobleBackend])('RFC 8448 with $name', backend => {
  test.each([
    ['§3: simple 1-RTT', rfc8448.simple, [...server, 'client 20', 'server 4', ...data, ...alerts]],
    [
      '§4: resumed 0-RTT',
      rfc8448.resumed,
      ['client data', 'server 8', 'server 20', 'client 5', 'client 20', ...data, ...alerts],
    ],
    ['§5: HelloRetryRequest', rfc8448.retried, [...server, 'client 20', ...alerts]],
    [
      '§6: client authentication',
      rfc8448.authenticated,
      ['server 8', 'server 13', ...server.slice(1), 'client 11', 'client 15', 'client 20', ...alerts],
    ],
    ['§7: compatibility mode', rfc8448.compatible, [...server, 'client 20', ...alerts]],
  ])('%s', (_, trace, messages) => {
    expect(new Replay(backend, trace).seen).toEqual(messages)
  })
})
