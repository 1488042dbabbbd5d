// The other side of a handshake, made by hand of messages and key schedule, for what our own sides never do.

import { Reader } from '../../src/bytes/reader.ts'
import type { CryptoBackend, KeyExchange, NamedGroup, PrivateKey } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { type CipherSuite, TLS_AES_128_GCM_SHA256 } from '../../src/crypto/cipher-suite.ts'
import { Level } from '../../src/packet/level.ts'
import { ExtensionType, readKeyShare } from '../../src/tls13/extensions.ts'
import { EarlyStage } from '../../src/tls13/key-schedule.ts'
import { writeCertificate } from '../../src/tls13/messages/certificate.ts'
import { signatureContent, writeCertificateVerify } from '../../src/tls13/messages/certificate-verify.ts'
import { readClientHello } from '../../src/tls13/messages/client-hello.ts'
import { writeFinished } from '../../src/tls13/messages/finished.ts'
import { Message } from '../../src/tls13/messages/handshake.ts'
import { readServerHello, writeServerHello } from '../../src/tls13/messages/server-hello.ts'
import type { CertifiedKey } from '../../src/tls13/ports.ts'
import type { TlsOutput, TlsSession } from '../../src/tls13/session.ts'
import { HelloTranscript } from '../../src/tls13/transcript.ts'
import { testTime } from '../support/certificates.ts'
import { drain, type Output } from './support.ts'

/** A backend whose key exchanges can be repeated by whoever looks on. */
export function watchedBackend(): { backend: CryptoBackend; exchanges: KeyExchange[] } {
  const exchanges: KeyExchange[] = []
  const keyExchange = (group: NamedGroup): KeyExchange => {
    const exchange = nodeBackend.keyExchange(group)
    exchanges.push(exchange)
    return exchange
  }
  return { backend: { ...nodeBackend, keyExchange }, exchanges }
}

/** Completes a handshake with `server` from any ClientHello, whose share belongs to `exchange`. */
export function completeAsClient(server: TlsSession, hello: Uint8Array, exchange: KeyExchange): TlsOutput[] {
  server.receive(Level.Initial, hello, testTime)
  const outputs = drain(server)
  const [serverHello, ...rest] = outputs.filter(output => output.type === 'send').map(output => output.bytes)
  const read = readServerHello(new Message(serverHello as Uint8Array))
  const share = readKeyShare(new Reader(read.extensions.get(ExtensionType.KeyShare) as Uint8Array))
  const hellos = new HelloTranscript(nodeBackend)
  hellos.add(hello)
  hellos.add(serverHello as Uint8Array)
  const hash = read.cipherSuite === 0x1302 ? 'sha384' : 'sha256'
  const transcript = hellos.start(hash)
  const shared = exchange.agree(share.publicKey) as Uint8Array
  const keys = new EarlyStage(nodeBackend, hash, undefined).handshake(shared, transcript.digest())
  for (const message of rest) transcript.add(message)
  server.receive(Level.Handshake, writeFinished(keys.clientFinished(transcript.digest())), testTime)
  return [...outputs, ...drain(server)]
}

export interface HandMadeFlight {
  readonly suite?: CipherSuite
  readonly certified: CertifiedKey
  /** Signs with this instead of the best scheme of the key. */
  readonly scheme?: number
  readonly encryptedExtensions: Uint8Array
  /** Between EncryptedExtensions and Certificate. */
  readonly extra?: readonly Uint8Array[]
}

/** Answers the ClientHello of `client` with a flight of its own; returns what the client said to it. */
export function answerAsServer(client: TlsSession, flight: HandMadeFlight): TlsOutput[] {
  const { suite = TLS_AES_128_GCM_SHA256, certified } = flight
  const [sent] = drain(client) as [Output<'send'>]
  const hello = readClientHello(new Message(sent.bytes))
  const share = hello.keyShares?.[0] as { group: NamedGroup; publicKey: Uint8Array }
  const exchange = nodeBackend.keyExchange(share.group)
  const hellos = new HelloTranscript(nodeBackend)
  const serverHello = writeServerHello({
    random: nodeBackend.random(32),
    cipherSuite: suite.id,
    keyShare: exchange,
    selectedPsk: undefined,
  })
  hellos.add(sent.bytes)
  hellos.add(serverHello)
  client.receive(Level.Initial, serverHello, testTime)
  const transcript = hellos.start(suite.hash)
  const shared = exchange.agree(share.publicKey) as Uint8Array
  const keys = new EarlyStage(nodeBackend, suite.hash, undefined).handshake(shared, transcript.digest())
  const send = (message: Uint8Array): void => {
    transcript.add(message)
    client.receive(Level.Handshake, message, testTime)
  }
  send(flight.encryptedExtensions)
  for (const message of flight.extra ?? []) send(message)
  send(writeCertificate(certified.chain))
  const best = certified.key.schemes[0] as (typeof certified.key.schemes)[number]
  const signature = (certified.key as PrivateKey).sign(best, signatureContent('server', transcript.digest()))
  send(writeCertificateVerify({ scheme: flight.scheme ?? best, signature }))
  send(writeFinished(keys.serverFinished(transcript.digest())))
  return drain(client)
}
