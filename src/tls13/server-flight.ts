// The server's flight: ServerHello to Finished (RFC 8446 §2), and the tickets at the end.

import { type CryptoBackend, type Encapsulation, NamedGroup } from '../crypto/backend.ts'
import type { CipherSuite } from '../crypto/cipher-suite.ts'
import { Level } from '../packet/level.ts'
import { endOf, parseCertificate } from '../x509/certificate.ts'
import { MAX_TICKETS, type TlsServerConfig } from './config.ts'
import type { ApplicationStage, EarlyStage, HandshakeStage, ResumptionStage } from './key-schedule.ts'
import { writeCertificate } from './messages/certificate.ts'
import { writeCertificateRequest } from './messages/certificate-request.ts'
import { writeCertificateVerify } from './messages/certificate-verify.ts'
import { type ClientHello, RANDOM_LENGTH } from './messages/client-hello.ts'
import { compressCertificate } from './messages/compressed-certificate.ts'
import { writeEncryptedExtensions } from './messages/encrypted-extensions.ts'
import { writeFinished } from './messages/finished.ts'
import { illegalParameter } from './messages/handshake.ts'
import { MAX_TICKET_LIFETIME_SECONDS, writeNewSessionTicket } from './messages/new-session-ticket.ts'
import { writeServerHello } from './messages/server-hello.ts'
import type { Authorization, EarlyDataTerms } from './ports.ts'
import type { Choice, ServerIdentity } from './server-choice.ts'
import type { HelloTranscript, Transcript } from './transcript.ts'
import type { Wire } from './wire.ts'

/** What a flight leaves behind. */
export interface Flight {
  readonly transcript: Transcript
  readonly handshake: HandshakeStage
  readonly application: ApplicationStage
}

/** What the ClientHello led to. */
export interface Decision {
  readonly hello: ClientHello
  readonly choice: Choice
  readonly early: EarlyStage
  /** Undefined with a PSK. */
  readonly identity: ServerIdentity | undefined
  readonly isEarlyDataAccepted: boolean
  /** What the holder of the PSK was granted. */
  readonly authorization: Authorization | undefined
  /** Ours, as they answer the client's. */
  readonly transportParameters: Uint8Array
}

/** The server's half of the key exchange. */
export function exchangeKeys({ backend }: TlsServerConfig, { group, share }: Choice): Encapsulation {
  const exchange = share && respond(backend, group, share.publicKey)
  if (exchange === undefined) throw illegalParameter('the key share is not a valid one')
  return exchange
}

function respond(backend: CryptoBackend, group: NamedGroup, clientShare: Uint8Array): Encapsulation | undefined {
  if (group === NamedGroup.X25519MlKem768) return backend.encapsulate(group, clientShare)
  const exchange = backend.keyExchange(group)
  const sharedSecret = exchange.agree(clientShare)
  return sharedSecret && { publicKey: exchange.publicKey, sharedSecret }
}

/** The flight up to the signature. */
export interface OpenFlight {
  readonly transcript: Transcript
  readonly handshake: HandshakeStage
}

/** ServerHello to Certificate. `hellos` holds everything up to the ClientHello. */
export function openFlight(
  config: TlsServerConfig,
  wire: Wire,
  hellos: HelloTranscript,
  decision: Decision,
  exchange: Encapsulation,
): OpenFlight {
  const { hello, choice, early } = decision
  const { suite } = choice
  const serverHello = writeServerHello({
    random: config.backend.random(RANDOM_LENGTH),
    cipherSuite: suite.id,
    keyShare: { group: choice.group, publicKey: exchange.publicKey },
    selectedPsk: choice.psk?.index,
  })
  wire.send(Level.Initial, serverHello)
  hellos.add(serverHello)
  const transcript = hellos.start(suite.hash)
  const handshake = early.handshake(exchange.sharedSecret, transcript.digest())
  wire.log('CLIENT_HANDSHAKE_TRAFFIC_SECRET', hello.random, handshake.clientSecret)
  wire.log('SERVER_HANDSHAKE_TRAFFIC_SECRET', hello.random, handshake.serverSecret)
  wire.secret(Level.Handshake, 'write', suite, handshake.serverSecret)
  wire.secret(Level.Handshake, 'read', suite, handshake.clientSecret)
  sendExtensions(wire, transcript, decision)
  if (decision.identity !== undefined) sendIdentity(config, wire, transcript, hello, decision.identity)
  return { transcript, handshake }
}

function sendExtensions(wire: Wire, transcript: Transcript, decision: Decision): void {
  const { hello, choice, identity } = decision
  const extensions = writeEncryptedExtensions({
    alpn: choice.alpn,
    transportParameters: decision.transportParameters,
    isEarlyDataAccepted: decision.isEarlyDataAccepted,
    // The name counts when a certificate is chosen by it (RFC 6066 §3).
    isNameAcknowledged: hello.serverName !== undefined && identity !== undefined,
  })
  sendHandshake(wire, transcript, extensions)
}

function sendIdentity(
  config: TlsServerConfig,
  wire: Wire,
  transcript: Transcript,
  { compressions }: ClientHello,
  identity: ServerIdentity,
): void {
  const { clientAuthentication: wanted, backend } = config
  if (wanted !== undefined) {
    const { signatureSchemes } = backend
    const request = writeCertificateRequest({ signatureSchemes, certificateAuthorities: wanted.authorities })
    sendHandshake(wire, transcript, request)
  }
  const certificate = writeCertificate(identity.certified.chain)
  sendHandshake(wire, transcript, compressCertificate(certificate, compressions, config.compression))
}

/** CertificateVerify, with a certificate, and Finished. */
export function closeFlight(
  wire: Wire,
  { transcript, handshake }: OpenFlight,
  { hello, choice, identity }: Decision,
  signature: Uint8Array | undefined,
): Flight {
  if (identity !== undefined && signature !== undefined) {
    sendHandshake(wire, transcript, writeCertificateVerify({ scheme: identity.scheme, signature }))
  }
  sendHandshake(wire, transcript, writeFinished(handshake.serverFinished(transcript.digest())))
  const application = handshake.application(transcript.digest())
  wire.log('CLIENT_TRAFFIC_SECRET_0', hello.random, application.clientSecret)
  wire.log('SERVER_TRAFFIC_SECRET_0', hello.random, application.serverSecret)
  wire.log('EXPORTER_SECRET', hello.random, application.exporterSecret)
  // RFC 9001 §4.1.4: writing may begin now, reading waits for the client's Finished.
  wire.secret(Level.OneRtt, 'write', choice.suite, application.serverSecret)
  return { transcript, handshake, application }
}

function sendHandshake(wire: Wire, transcript: Transcript, message: Uint8Array): void {
  transcript.add(message)
  wire.send(Level.Handshake, message)
}

/** Tickets, once the client has finished (RFC 8446 §4.6.1). */
export function sendTickets(
  config: TlsServerConfig,
  wire: Wire,
  resumption: ResumptionStage,
  suite: CipherSuite,
  terms: EarlyDataTerms | undefined,
  clientCertificate: Uint8Array | undefined,
  authenticatedUntil: number | undefined,
  authorization: Authorization | undefined,
  unixTime: number,
): void {
  const secondsLeft = Math.floor(((authenticatedUntil ?? Number.POSITIVE_INFINITY) - unixTime) / 1000)
  if (secondsLeft < 1) return
  const count = Math.min(config.ticketCount ?? DEFAULT_TICKET_COUNT, MAX_TICKETS)
  for (let index = 0; index < count; index++) {
    const nonce = Uint8Array.of(index)
    const issued = config.tickets?.issue({
      secret: resumption.ticketSecret(nonce),
      hash: suite.hash,
      issued: unixTime,
      terms,
      appState: config.appState ?? new Uint8Array(0),
      clientCertificate,
      authenticatedUntil,
      authorization,
    })
    if (issued === undefined) return
    const lifetimeSeconds = Math.min(issued.lifetimeSeconds, MAX_TICKET_LIFETIME_SECONDS, secondsLeft)
    const { ticket, ageAdd } = issued
    const fields = { lifetimeSeconds, ageAdd, nonce, ticket, allowsEarlyData: terms !== undefined }
    wire.send(Level.OneRtt, writeNewSessionTicket(fields))
  }
}

/**
 * When what proved us to this client expires (Unix ms): our certificate, or that of the connection whose ticket it came
 * with. Undefined for PSKs that were handed in from outside.
 */
export function authenticatedUntil({ identity, choice }: Decision): number | undefined {
  const leaf = identity?.certified.chain[0]
  if (leaf === undefined) return choice.psk?.psk.authenticatedUntil
  let end = certificateEnds.get(leaf)
  if (end === undefined) {
    end = endOf(parseCertificate(leaf))
    certificateEnds.set(leaf, end)
  }
  return end
}

/** A server shows the same certificates again and again. */
const certificateEnds = new WeakMap<Uint8Array, number>()

const DEFAULT_TICKET_COUNT = 2
