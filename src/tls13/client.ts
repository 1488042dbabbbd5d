// The client's side of the handshake (RFC 8446 §2, Appendix A.1), in the order in which it happens.

import { constantTimeEqual } from '../bytes/equal.ts'
import type { SignatureScheme } from '../crypto/backend.ts'
import type { CipherSuite } from '../crypto/cipher-suite.ts'
import { Level } from '../packet/level.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import { Alert, TlsAlert } from './alert.ts'
import { ClientOffer } from './client-offer.ts'
import { MAX_TICKETS, type TlsClientConfig } from './config.ts'
import { checkAnswer, ExtensionType, readBody, readCookie, readKeyShare } from './extensions.ts'
import {
  type ApplicationStage,
  EarlyStage,
  type Exporter,
  type HandshakeStage,
  type ResumptionStage,
} from './key-schedule.ts'
import { readServerCertificate, writeCertificate } from './messages/certificate.ts'
import { readCertificateRequest } from './messages/certificate-request.ts'
import { readCertificateVerify, signatureContent, writeCertificateVerify } from './messages/certificate-verify.ts'
import { readCompressedCertificate } from './messages/compressed-certificate.ts'
import { readEncryptedExtensions } from './messages/encrypted-extensions.ts'
import { readFinished, writeFinished } from './messages/finished.ts'
import { HandshakeType, illegalParameter, type Message } from './messages/handshake.ts'
import { readNewSessionTicket } from './messages/new-session-ticket.ts'
import { readServerHello, type ServerHello } from './messages/server-hello.ts'
import { verifyServer } from './peer-identity.ts'
import type { CertificateRequestInfo, CertifiedKey } from './ports.ts'
import { HelloTranscript, type Transcript } from './transcript.ts'
import { expectType, type Machine, signed, type Wire, withSignature } from './wire.ts'

export class ClientMachine implements Machine {
  #state: ClientState

  constructor(config: TlsClientConfig, wire: Wire, unixTime: number) {
    this.#state = sendFirstHello(new ClientOffer(config, unixTime), wire)
  }

  get isComplete(): boolean {
    return this.#state instanceof Connected
  }

  onMessage(message: Message, unixTime: number): void {
    this.#state = this.#state.onMessage(message, unixTime)
  }

  provideCertificate(): never {
    throw new TypeError('no certificate was asked for')
  }

  provideSignature(signature: Uint8Array | undefined): void {
    this.#state = withSignature(this.#state, signature)
  }

  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array {
    if (!(this.#state instanceof Connected)) throw new TypeError('the handshake is not complete')
    return this.#state.exporter.exportKey(label, context, length)
  }
}

interface ClientState {
  onMessage(message: Message, unixTime: number): ClientState
}

function sendFirstHello(offer: ClientOffer, wire: Wire): ClientState {
  const { backend } = offer.config
  const transcript = new HelloTranscript(backend)
  const hello = offer.write(transcript)
  transcript.add(hello)
  wire.send(Level.Initial, hello)
  const { earlySuite: suite, earlyStage } = offer
  if (suite !== undefined && earlyStage !== undefined) {
    const secret = earlyStage.earlyTraffic(transcript.digest(suite.hash))
    wire.log('CLIENT_EARLY_TRAFFIC_SECRET', offer.random, secret)
    wire.secret(Level.ZeroRtt, 'write', suite, secret)
  }
  return new ExpectServerHello(offer, wire, transcript, undefined)
}

class ExpectServerHello implements ClientState {
  readonly #offer: ClientOffer
  readonly #wire: Wire
  readonly #transcript: HelloTranscript
  /** The suite of the HelloRetryRequest, when there was one. */
  readonly #retrySuite: CipherSuite | undefined

  constructor(offer: ClientOffer, wire: Wire, transcript: HelloTranscript, retrySuite: CipherSuite | undefined) {
    this.#offer = offer
    this.#wire = wire
    this.#transcript = transcript
    this.#retrySuite = retrySuite
  }

  onMessage(message: Message, unixTime: number): ClientState {
    expectType(message, HandshakeType.ServerHello)
    const hello = readServerHello(message)
    const suite = this.#offer.suites.find(candidate => candidate.id === hello.cipherSuite)
    if (suite === undefined) throw illegalParameter(`suite ${hello.cipherSuite} was not offered`)
    if (hello.isRetry) return this.#onRetry(message, hello, suite, unixTime)
    return this.#onHello(message, hello, suite)
  }

  #onHello(message: Message, hello: ServerHello, suite: CipherSuite): ClientState {
    const offer = this.#offer
    checkAnswer(hello.extensions, offer.extensionTypes, HELLO_EXTENSIONS)
    if (this.#retrySuite !== undefined && this.#retrySuite !== suite) throw illegalParameter('the suite has changed')
    const isResumed = isPskSelected(hello, offer, suite)
    const shared = sharedSecret(hello, offer)
    this.#wire.moveTo(Level.Handshake)
    this.#transcript.add(message.bytes)
    const transcript = this.#transcript.start(suite.hash)
    const offered = isResumed ? offer.earlyStage : undefined
    const early = offered ?? new EarlyStage(offer.config.backend, suite.hash, undefined)
    const keys = early.handshake(shared, transcript.digest())
    const wire = this.#wire
    wire.log('CLIENT_HANDSHAKE_TRAFFIC_SECRET', offer.random, keys.clientSecret)
    wire.log('SERVER_HANDSHAKE_TRAFFIC_SECRET', offer.random, keys.serverSecret)
    wire.secret(Level.Handshake, 'read', suite, keys.serverSecret)
    wire.secret(Level.Handshake, 'write', suite, keys.clientSecret)
    const authenticatedUntil = isResumed ? offer.psk?.authenticatedUntil : undefined
    return new ExpectEncryptedExtensions({ offer, wire, transcript, keys, suite, isResumed, authenticatedUntil })
  }

  /** RFC 8446 §4.1.4. */
  #onRetry(message: Message, hello: ServerHello, suite: CipherSuite, unixTime: number): ClientState {
    if (this.#retrySuite !== undefined) throw new TlsAlert(Alert.UnexpectedMessage, 'a second HelloRetryRequest')
    const offer = this.#offer
    // The one thing a server may send without being asked.
    const offered = new Set(offer.extensionTypes).add(ExtensionType.Cookie)
    checkAnswer(hello.extensions, offered, RETRY_EXTENSIONS)
    const share = hello.extensions.get(ExtensionType.KeyShare)
    const group = share && readBody(share, reader => reader.u16())
    const cookie = hello.extensions.get(ExtensionType.Cookie)
    const hadEarlyData = offer.earlySuite !== undefined
    offer.retry(suite, group, cookie && readBody(cookie, readCookie), unixTime)
    if (hadEarlyData) this.#wire.emit({ type: 'earlyData', accepted: false })
    this.#transcript.replaceByHash(suite.hash)
    this.#transcript.add(message.bytes)
    const second = offer.write(this.#transcript)
    this.#transcript.add(second)
    this.#wire.send(Level.Initial, second)
    return new ExpectServerHello(offer, this.#wire, this.#transcript, suite)
  }
}

const HELLO_EXTENSIONS: readonly number[] = [
  ExtensionType.SupportedVersions,
  ExtensionType.KeyShare,
  ExtensionType.PreSharedKey,
]

const RETRY_EXTENSIONS: readonly number[] = [
  ExtensionType.SupportedVersions,
  ExtensionType.KeyShare,
  ExtensionType.Cookie,
]

/** RFC 8446 §4.2.11: the one identity we sent, with a suite of its hash. */
function isPskSelected(hello: ServerHello, offer: ClientOffer, suite: CipherSuite): boolean {
  const body = hello.extensions.get(ExtensionType.PreSharedKey)
  if (body === undefined) return false
  if (readBody(body, reader => reader.u16()) !== 0) throw illegalParameter('a PSK that was not offered')
  if (suite.hash !== offer.psk?.hash) throw illegalParameter('the suite does not fit the PSK')
  return true
}

function sharedSecret(hello: ServerHello, offer: ClientOffer): Uint8Array {
  const body = hello.extensions.get(ExtensionType.KeyShare)
  if (body === undefined) {
    // RFC 8446 §4.2.11: we offer psk_dhe_ke alone.
    if (hello.extensions.has(ExtensionType.PreSharedKey)) throw illegalParameter('a PSK without a key share')
    throw new TlsAlert(Alert.MissingExtension, 'no key share')
  }
  const share = readBody(body, readKeyShare)
  return offer.agree(share.group, share.publicKey)
}

/** Everything that is settled once there are handshake keys. */
interface Agreed {
  readonly offer: ClientOffer
  readonly wire: Wire
  readonly transcript: Transcript
  readonly keys: HandshakeStage
  readonly suite: CipherSuite
  readonly isResumed: boolean
  readonly authenticatedUntil: number | undefined
}

class ExpectEncryptedExtensions implements ClientState {
  readonly #agreed: Agreed

  constructor(agreed: Agreed) {
    this.#agreed = agreed
  }

  onMessage(message: Message): ClientState {
    expectType(message, HandshakeType.EncryptedExtensions)
    const { offer, wire, transcript, isResumed } = this.#agreed
    const extensions = readEncryptedExtensions(message, offer.extensionTypes)
    const { alpn, isEarlyDataAccepted } = extensions
    // RFC 9001 §8.1.
    if (!offer.config.alpn.includes(alpn)) throw new TlsAlert(Alert.NoApplicationProtocol, `protocol ${alpn} chosen`)
    if (isEarlyDataAccepted) this.#checkEarlyData(alpn)
    transcript.add(message.bytes)
    if (offer.earlySuite !== undefined) wire.emit({ type: 'earlyData', accepted: isEarlyDataAccepted })
    wire.emit({ type: 'protocol', alpn })
    wire.emit({ type: 'peerParameters', bytes: extensions.transportParameters })
    if (isResumed) return new ExpectFinished(this.#agreed, alpn, [], undefined)
    return new ExpectCertificate(this.#agreed, alpn, undefined)
  }

  /** RFC 8446 §4.2.10: what was accepted is what it was sealed under. */
  #checkEarlyData(alpn: string): void {
    const { offer, suite, isResumed } = this.#agreed
    if (!isResumed) throw illegalParameter('early data accepted without its PSK')
    if (offer.earlySuite !== suite) throw illegalParameter('early data accepted with another suite')
    if (offer.psk?.earlyData?.alpn !== alpn) throw illegalParameter('early data accepted with another protocol')
  }
}

/** Certificate, compressed or not, or a CertificateRequest before it. */
class ExpectCertificate implements ClientState {
  readonly #agreed: Agreed
  readonly #alpn: string
  readonly #request: CertificateRequestInfo | undefined

  constructor(agreed: Agreed, alpn: string, request: CertificateRequestInfo | undefined) {
    this.#agreed = agreed
    this.#alpn = alpn
    this.#request = request
  }

  onMessage(message: Message): ClientState {
    if (this.#request === undefined && message.type === HandshakeType.CertificateRequest) {
      const request = readCertificateRequest(message)
      this.#agreed.transcript.add(message.bytes)
      return new ExpectCertificate(this.#agreed, this.#alpn, request)
    }
    const chain = readServerCertificate(this.#certificate(message), this.#agreed.offer.extensionTypes)
    this.#agreed.transcript.add(message.bytes)
    return new ExpectCertificateVerify(this.#agreed, this.#alpn, chain, this.#request)
  }

  #certificate(message: Message): Message {
    const { compression } = this.#agreed.offer.config
    if (compression === undefined) expectType(message, HandshakeType.Certificate)
    else expectType(message, HandshakeType.Certificate, HandshakeType.CompressedCertificate)
    const isCompressed = message.type === HandshakeType.CompressedCertificate
    return isCompressed && compression ? readCompressedCertificate(message, compression) : message
  }
}

class ExpectCertificateVerify implements ClientState {
  readonly #agreed: Agreed
  readonly #alpn: string
  readonly #chain: readonly Uint8Array[]
  readonly #request: CertificateRequestInfo | undefined

  constructor(agreed: Agreed, alpn: string, chain: readonly Uint8Array[], request: CertificateRequestInfo | undefined) {
    this.#agreed = agreed
    this.#alpn = alpn
    this.#chain = chain
    this.#request = request
  }

  onMessage(message: Message, unixTime: number): ClientState {
    expectType(message, HandshakeType.CertificateVerify)
    const { offer, transcript } = this.#agreed
    const verify = readCertificateVerify(message)
    const authenticatedUntil = verifyServer(offer.config, this.#chain, verify, transcript.digest(), unixTime)
    transcript.add(message.bytes)
    return new ExpectFinished({ ...this.#agreed, authenticatedUntil }, this.#alpn, this.#chain, this.#request)
  }
}

class ExpectFinished implements ClientState {
  readonly #agreed: Agreed
  readonly #alpn: string
  readonly #chain: readonly Uint8Array[]
  readonly #request: CertificateRequestInfo | undefined

  constructor(agreed: Agreed, alpn: string, chain: readonly Uint8Array[], request: CertificateRequestInfo | undefined) {
    this.#agreed = agreed
    this.#alpn = alpn
    this.#chain = chain
    this.#request = request
  }

  onMessage(message: Message): ClientState {
    expectType(message, HandshakeType.Finished)
    const { wire, transcript, keys, suite } = this.#agreed
    const expected = keys.serverFinished(transcript.digest())
    if (!constantTimeEqual(expected, readFinished(message, suite.hashLength))) {
      throw new TlsAlert(Alert.DecryptError, 'the server Finished does not verify')
    }
    wire.moveTo(Level.OneRtt)
    transcript.add(message.bytes)
    return this.#authenticate(keys.application(transcript.digest()))
  }

  /** RFC 8446 §4.4.2: who is asked answers in any case; with an empty chain if there is nothing to show. */
  #authenticate(application: ApplicationStage): ClientState {
    if (this.#request === undefined) return this.#conclude(application)
    const { wire, transcript, offer } = this.#agreed
    const identity = clientIdentity(offer.config, this.#request)
    this.#send(writeCertificate(identity?.certified.chain ?? []))
    if (identity === undefined) return this.#conclude(application)
    const { certified, scheme } = identity
    const content = signatureContent('client', transcript.digest())
    return signed(wire, { key: certified.key, scheme }, content, signature => {
      this.#send(writeCertificateVerify({ scheme, signature }))
      return this.#conclude(application)
    })
  }

  #conclude(application: ApplicationStage): ClientState {
    const { wire, transcript, keys, suite } = this.#agreed
    this.#send(writeFinished(keys.clientFinished(transcript.digest())))
    this.#report(application)
    const resumption = application.resumption(transcript.digest())
    return new Connected(wire, suite, application.exporter(), resumption, this.#agreed.authenticatedUntil)
  }

  #send(message: Uint8Array): void {
    this.#agreed.transcript.add(message)
    this.#agreed.wire.send(Level.Handshake, message)
  }

  #report(application: ApplicationStage): void {
    const { offer, wire, suite, isResumed } = this.#agreed
    wire.log('CLIENT_TRAFFIC_SECRET_0', offer.random, application.clientSecret)
    wire.log('SERVER_TRAFFIC_SECRET_0', offer.random, application.serverSecret)
    wire.log('EXPORTER_SECRET', offer.random, application.exporterSecret)
    wire.secret(Level.OneRtt, 'write', suite, application.clientSecret)
    wire.secret(Level.OneRtt, 'read', suite, application.serverSecret)
    wire.emit({
      type: 'complete',
      alpn: this.#alpn,
      serverName: offer.serverName,
      suite,
      group: offer.group,
      isResumed,
      certificates: this.#chain,
      psk: undefined,
    })
  }
}

/** RFC 8446 §4.4.2.3: what is shown must sign by a scheme the server named. */
function clientIdentity(
  config: TlsClientConfig,
  request: CertificateRequestInfo,
): { certified: CertifiedKey; scheme: SignatureScheme } | undefined {
  const certified = config.certificate?.select(request)
  const scheme = certified?.key.schemes.find(candidate => request.signatureSchemes.includes(candidate))
  return certified && scheme && { certified, scheme }
}

class Connected implements ClientState {
  readonly exporter: Exporter
  readonly #wire: Wire
  readonly #suite: CipherSuite
  readonly #resumption: ResumptionStage
  readonly #authenticatedUntil: number | undefined
  #tickets: number

  constructor(
    wire: Wire,
    suite: CipherSuite,
    exporter: Exporter,
    resumption: ResumptionStage,
    authenticatedUntil: number | undefined,
  ) {
    this.exporter = exporter
    this.#wire = wire
    this.#suite = suite
    this.#resumption = resumption
    this.#authenticatedUntil = authenticatedUntil
    this.#tickets = 0
  }

  /** RFC 9001 §6: no KeyUpdate. */
  onMessage(message: Message): ClientState {
    // RFC 9001 §4.4: no authentication of the client after the handshake.
    if (message.type === HandshakeType.CertificateRequest) {
      throw new TransportError(ErrorCode.ProtocolViolation, 'a CertificateRequest after the handshake')
    }
    expectType(message, HandshakeType.NewSessionTicket)
    const { nonce, ...ticket } = readNewSessionTicket(message)
    // RFC 8446 §4.6.1: a lifetime of zero is a ticket to throw away.
    if (ticket.lifetimeSeconds === 0 || this.#tickets === MAX_TICKETS) return this
    this.#tickets++
    const secret = this.#resumption.ticketSecret(nonce)
    const { hash, id: cipherSuite } = this.#suite
    const authenticatedUntil = this.#authenticatedUntil
    this.#wire.emit({ type: 'ticket', ...ticket, secret, hash, cipherSuite, authenticatedUntil })
    return this
  }
}
