// The server's side of the handshake (RFC 8446 §2, Appendix A.2), in the order in which it happens.

import { constantTimeEqual } from '../bytes/equal.ts'
import type { NamedGroup } from '../crypto/backend.ts'
import type { CipherSuite } from '../crypto/cipher-suite.ts'
import { Level } from '../packet/level.ts'
import { Alert, TlsAlert } from './alert.ts'
import type { TlsServerConfig } from './config.ts'
import { ExtensionType, PSK_DHE_KE } from './extensions.ts'
import { EarlyStage, type Exporter } from './key-schedule.ts'
import { readCertificate } from './messages/certificate.ts'
import { readCertificateVerify, signatureContent } from './messages/certificate-verify.ts'
import { type ClientHello, readClientHello } from './messages/client-hello.ts'
import { readFinished } from './messages/finished.ts'
import { HandshakeType, illegalParameter, type Message } from './messages/handshake.ts'
import { writeHelloRetryRequest } from './messages/server-hello.ts'
import { verifyProof } from './peer-identity.ts'
import type { CertifiedKey, ClientAuthentication, EarlyDataRefusal, EarlyDataTerms } from './ports.ts'
import { verifyBinder, verifyNothing, wrongBinder } from './psk.ts'
import {
  authorizationOf,
  type Choice,
  checkSecondHello,
  choose,
  chooseIdentity,
  type EarlyVerdict,
  earlyAttempt,
  helloInfo,
  type ServerIdentity,
  verdictOf,
} from './server-choice.ts'
import {
  authenticatedUntil,
  closeFlight,
  type Decision,
  exchangeKeys,
  type Flight,
  openFlight,
  sendTickets,
} from './server-flight.ts'
import { AwaitAdmission, AwaitCertificate, OweFlight, type ServerState } from './server-pauses.ts'
import { HelloTranscript } from './transcript.ts'
import { expectType, type Machine, signed, type Wire, withSignature } from './wire.ts'

export class ServerMachine implements Machine {
  #state: ServerState

  constructor(config: TlsServerConfig, wire: Wire) {
    this.#state = new ExpectClientHello(config, wire, new HelloTranscript(config.backend), undefined)
  }

  get isComplete(): boolean {
    return this.#state instanceof Connected
  }

  onMessage(message: Message, unixTime: number): void {
    this.#state = this.#state.onMessage(message, unixTime)
  }

  provideCertificate(certified: CertifiedKey | undefined, unixTime: number): void {
    if (!(this.#state instanceof AwaitCertificate)) throw new TypeError('no certificate was asked for')
    this.#state = this.#state.goOn(certified, unixTime)
  }

  provideSignature(signature: Uint8Array | undefined): void {
    this.#state = withSignature(this.#state, signature)
  }

  provideAdmission(answer: true | EarlyDataRefusal): void {
    if (!(this.#state instanceof AwaitAdmission)) throw new TypeError('no admission was asked for')
    this.#state = this.#state.goOn(answer)
  }

  get isFlightDue(): boolean {
    return this.#state instanceof OweFlight && this.#state.isDue
  }

  makeFlight(): void {
    if (!(this.#state instanceof OweFlight)) throw new TypeError('no flight is due')
    this.#state = this.#state.goOn()
  }

  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array {
    if (!(this.#state instanceof Connected)) throw new TypeError('the handshake is not complete')
    return this.#state.exporter.exportKey(label, context, length)
  }
}

type Settled = Pick<Decision, 'hello' | 'choice' | 'early' | 'identity' | 'authorization'>

/** What a HelloRetryRequest has settled. */
interface Retry {
  readonly firstHello: ClientHello
  readonly suite: CipherSuite
  readonly group: NamedGroup
}

/** The first ClientHello, or the second one. */
class ExpectClientHello implements ServerState {
  readonly #config: TlsServerConfig
  readonly #wire: Wire
  readonly #transcript: HelloTranscript
  readonly #retry: Retry | undefined

  constructor(config: TlsServerConfig, wire: Wire, transcript: HelloTranscript, retry: Retry | undefined) {
    this.#config = config
    this.#wire = wire
    this.#transcript = transcript
    this.#retry = retry
  }

  onMessage(message: Message, unixTime: number): ServerState {
    expectType(message, HandshakeType.ClientHello)
    const hello = readClientHello(message)
    const retry = this.#retry
    if (retry !== undefined) checkSecondHello(retry.firstHello, hello, retry.group)
    const choice = choose(this.#config, hello, retry?.suite, unixTime)
    if (choice.share === undefined) return this.#askAgain(message, hello, choice)
    return this.#answer(message, hello, choice, unixTime)
  }

  /** RFC 8446 §4.1.4. */
  #askAgain(message: Message, hello: ClientHello, choice: Choice): ServerState {
    if (this.#retry !== undefined) throw illegalParameter('no share of the group that was asked for')
    const { suite, group } = choice
    this.#wire.emit({ type: 'peerParameters', bytes: hello.transportParameters })
    // RFC 9001 §4.6.2: a HelloRetryRequest refuses early data.
    if (hello.hasEarlyData) this.#wire.emit({ type: 'earlyData', accepted: false, refusal: 'retry' })
    this.#transcript.add(message.bytes)
    this.#transcript.replaceByHash(suite.hash)
    const request = writeHelloRetryRequest(suite.id, group)
    this.#transcript.add(request)
    this.#wire.send(Level.Initial, request)
    const retry = { firstHello: hello, suite, group }
    return new ExpectClientHello(this.#config, this.#wire, this.#transcript, retry)
  }

  #answer(message: Message, hello: ClientHello, choice: Choice, unixTime: number): ServerState {
    const early = this.#earlyStage(message, hello, choice)
    if (choice.psk !== undefined) {
      const authorization = authorizationOf(this.#config, choice.psk, choice, hello, unixTime)
      return this.#judge(message, { hello, choice, early, identity: undefined, authorization }, unixTime)
    }
    const proceed = (identity: ServerIdentity, time: number): ServerState =>
      this.#judge(message, { hello, choice, early, identity, authorization: undefined }, time)
    const info = helloInfo(hello)
    const certified = this.#config.certificates.select(info)
    if (certified !== 'later') return proceed(chooseIdentity(hello, certified), unixTime)
    this.#wire.emit({ type: 'certificateWanted', hello: info })
    return new AwaitCertificate((answer, time) => proceed(chooseIdentity(hello, answer), time))
  }

  /** Asks about early data, at once or with an answer to come. */
  #judge(message: Message, settled: Settled, unixTime: number): ServerState {
    const attempt = settled.hello.hasEarlyData ? earlyAttempt(settled.hello, settled.choice, unixTime) : 'unwanted'
    if (typeof attempt === 'string') return this.#proceed(message, settled, { accepted: false, refusal: attempt })
    const gate = this.#config.earlyData
    const question = gate.later?.(attempt)
    if (question === undefined) return this.#proceed(message, settled, verdictOf(attempt, gate.admit(attempt)))
    this.#wire.emit({ type: 'admissionWanted', question })
    return new AwaitAdmission(answer => {
      if (answer !== true) attempt.refusal = answer
      return this.#proceed(message, settled, verdictOf(attempt, answer === true))
    })
  }

  #proceed(message: Message, settled: Settled, verdict: EarlyVerdict): ServerState {
    const { hello, choice, authorization } = settled
    const wire = this.#wire
    wire.moveTo(Level.Handshake)
    this.#transcript.add(message.bytes)
    if (this.#retry === undefined) wire.emit({ type: 'peerParameters', bytes: hello.transportParameters })
    wire.emit({ type: 'protocol', alpn: choice.alpn, ...(authorization && { authorization }) })
    const isEarlyDataAccepted = verdict.accepted
    if (hello.hasEarlyData) wire.emit({ type: 'earlyData', ...verdict, authorization })
    if (isEarlyDataAccepted) this.#installEarlySecret(settled)
    const decision = { ...settled, isEarlyDataAccepted, transportParameters: ownParameters(this.#config, hello) }
    return isEarlyDataAccepted ? new OweFlight(() => this.#fly(decision)) : this.#fly(decision)
  }

  #fly(decision: Decision): ServerState {
    const config = this.#config
    const wire = this.#wire
    const { choice, identity } = decision
    const open = openFlight(config, wire, this.#transcript, decision, exchangeKeys(config, choice))
    const close = (signature: Uint8Array | undefined): ServerState =>
      expectClient(config, wire, decision, closeFlight(wire, open, decision, signature))
    if (identity === undefined) return close(undefined)
    const content = signatureContent('server', open.transcript.digest())
    return signed(wire, { key: identity.certified.key, scheme: identity.scheme }, content, close)
  }

  /** With a PSK, only after its binder was verified (RFC 8446 §4.2.11). */
  #earlyStage(message: Message, hello: ClientHello, choice: Choice): EarlyStage {
    const { backend } = this.#config
    const { hash } = choice.suite
    if (hello.psks === undefined) return new EarlyStage(backend, hash, undefined)
    const truncated = message.bytes.subarray(0, message.bytes.length - hello.psks.bindersLength)
    const verified = choice.psk && verifyBinder(backend, choice.psk, this.#transcript, truncated)
    if (verified !== undefined) return verified
    if (choice.psk === undefined) {
      verifyNothing(backend, hash, hello.psks.binders[0] as Uint8Array, this.#transcript, truncated)
    }
    // One place for both: where an error is made takes its time, too. Without schemes the hello counts on its PSK alone.
    if (choice.psk !== undefined || hello.signatureSchemes === undefined) throw wrongBinder()
    return new EarlyStage(backend, hash, undefined)
  }

  /** Early data is accepted without a HelloRetryRequest alone, so the transcript is the one ClientHello. */
  #installEarlySecret({ hello, choice, early }: Settled): void {
    const { suite } = choice
    const secret = early.earlyTraffic(this.#transcript.digest(suite.hash))
    this.#wire.log('CLIENT_EARLY_TRAFFIC_SECRET', hello.random, secret)
    this.#wire.secret(Level.ZeroRtt, 'read', suite, secret)
  }
}

/** What the states after the server's flight share. */
interface Sent {
  readonly config: TlsServerConfig
  readonly wire: Wire
  readonly decision: Decision
  readonly flight: Flight
}

function expectClient(config: TlsServerConfig, wire: Wire, decision: Decision, flight: Flight): ServerState {
  const sent = { config, wire, decision, flight }
  if (decision.identity !== undefined && config.clientAuthentication !== undefined) {
    return new ExpectClientCertificate(sent, config.clientAuthentication)
  }
  const known = decision.choice.psk?.psk.clientCertificate
  return new ExpectFinished(sent, known === undefined ? [] : [known])
}

/** RFC 8446 §4.4.2: an answer to the request comes in any case. */
class ExpectClientCertificate implements ServerState {
  readonly #sent: Sent
  readonly #wanted: ClientAuthentication

  constructor(sent: Sent, wanted: ClientAuthentication) {
    this.#sent = sent
    this.#wanted = wanted
  }

  onMessage(message: Message): ServerState {
    expectType(message, HandshakeType.Certificate)
    const chain = readCertificate(message, REQUESTED)
    this.#sent.flight.transcript.add(message.bytes)
    if (chain.length > 0) return new ExpectClientProof(this.#sent, this.#wanted, chain)
    // RFC 8446 §4.4.2.4.
    if (this.#wanted.isRequired) throw new TlsAlert(Alert.CertificateRequired, 'the client has no certificate')
    return new ExpectFinished(this.#sent, [])
  }
}

/** What our CertificateRequest holds: none of it is answered within a certificate. */
const REQUESTED: ReadonlySet<number> = new Set([
  ExtensionType.SignatureAlgorithms,
  ExtensionType.CertificateAuthorities,
])

class ExpectClientProof implements ServerState {
  readonly #sent: Sent
  readonly #wanted: ClientAuthentication
  readonly #chain: readonly Uint8Array[]

  constructor(sent: Sent, wanted: ClientAuthentication, chain: readonly Uint8Array[]) {
    this.#sent = sent
    this.#wanted = wanted
    this.#chain = chain
  }

  onMessage(message: Message, unixTime: number): ServerState {
    expectType(message, HandshakeType.CertificateVerify)
    const { config, flight } = this.#sent
    const proof = readCertificateVerify(message)
    verifyProof(config.backend, 'client', this.#chain[0] as Uint8Array, proof, flight.transcript.digest())
    this.#wanted.verifier.verify(this.#chain, unixTime)
    flight.transcript.add(message.bytes)
    return new ExpectFinished(this.#sent, this.#chain)
  }
}

class ExpectFinished implements ServerState {
  readonly #sent: Sent
  /** Of the client. */
  readonly #certificates: readonly Uint8Array[]

  constructor(sent: Sent, certificates: readonly Uint8Array[]) {
    this.#sent = sent
    this.#certificates = certificates
  }

  onMessage(message: Message, unixTime: number): ServerState {
    expectType(message, HandshakeType.Finished)
    const { wire, decision, flight } = this.#sent
    const { transcript, handshake, application } = flight
    const { suite, alpn, group, psk } = decision.choice
    const expected = handshake.clientFinished(transcript.digest())
    if (!constantTimeEqual(expected, readFinished(message, suite.hashLength))) {
      throw new TlsAlert(Alert.DecryptError, 'the client Finished does not verify')
    }
    wire.moveTo(Level.OneRtt)
    transcript.add(message.bytes)
    wire.secret(Level.OneRtt, 'read', suite, application.clientSecret)
    wire.emit({
      type: 'complete',
      alpn,
      serverName: decision.hello.serverName,
      suite,
      group,
      isResumed: psk !== undefined,
      certificates: this.#certificates,
      psk: psk?.psk,
      authorization: decision.authorization,
    })
    this.#sendTickets(unixTime)
    return new Connected(application.exporter())
  }

  #sendTickets(unixTime: number): void {
    const { config, wire, decision, flight } = this.#sent
    const { hello, choice } = decision
    // RFC 8446 §4.2.9: no tickets for a client that could not use them.
    if (!hello.pskModes?.includes(PSK_DHE_KE)) return
    const resumption = flight.application.resumption(flight.transcript.digest())
    const until = authenticatedUntil(decision)
    sendTickets(
      config,
      wire,
      resumption,
      choice.suite,
      this.#ticketTerms(),
      this.#certificates[0],
      until,
      decision.authorization,
      unixTime,
    )
  }

  #ticketTerms(): EarlyDataTerms | undefined {
    const { config, decision } = this.#sent
    if (!config.ticketTerms) return undefined
    const { hello, choice, transportParameters } = decision
    return {
      cipherSuite: choice.suite.id,
      alpn: choice.alpn,
      serverName: hello.serverName,
      transportParameters,
    }
  }
}

function ownParameters({ transportParameters }: TlsServerConfig, hello: ClientHello): Uint8Array {
  return typeof transportParameters === 'function'
    ? transportParameters(hello.transportParameters)
    : transportParameters
}

/** A client has nothing to say after its Finished: no KeyUpdate in QUIC (RFC 9001 §6). */
class Connected implements ServerState {
  readonly exporter: Exporter

  constructor(exporter: Exporter) {
    this.exporter = exporter
  }

  onMessage(message: Message): ServerState {
    expectType(message)
    return this
  }
}
