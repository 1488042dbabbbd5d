// The server's side of the handshake (RFC 8446 §2, Appendix A.2), in the order in which it happens.

import { constantTimeEqual } from '../bytes/equal.ts'
import type { NamedGroup } from '../crypto/backend.ts'
import type { CipherSuite } from '../crypto/cipher-suite.ts'
import { Level } from '../packet/level.ts'
import { Alert, TlsAlert } from './alert.ts'
import type { TlsServerConfig } from './config.ts'
import { PSK_DHE_KE } from './extensions.ts'
import { EarlyStage, type Exporter } from './key-schedule.ts'
import { type ClientHello, readClientHello } from './messages/client-hello.ts'
import { readFinished } from './messages/finished.ts'
import { HandshakeType, illegalParameter, type Message } from './messages/handshake.ts'
import { writeHelloRetryRequest } from './messages/server-hello.ts'
import type { EarlyDataTerms } from './ports.ts'
import { verifyBinder } from './psk.ts'
import { acceptsEarlyData, type Choice, checkSecondHello, choose, chooseIdentity } from './server-choice.ts'
import { type Decision, exchangeKeys, type Flight, sendFlight, sendTickets } from './server-flight.ts'
import { HelloTranscript } from './transcript.ts'
import { expectType, type Machine, type Wire } from './wire.ts'

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

  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array {
    if (!(this.#state instanceof Connected)) throw new TypeError('the handshake is not complete')
    return this.#state.exporter.exportKey(label, context, length)
  }
}

interface ServerState {
  onMessage(message: Message, unixTime: number): ServerState
}

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
    if (hello.hasEarlyData) this.#wire.emit({ type: 'earlyData', accepted: false })
    this.#transcript.add(message.bytes)
    this.#transcript.replaceByHash(suite.hash)
    const request = writeHelloRetryRequest(suite.id, group)
    this.#transcript.add(request)
    this.#wire.send(Level.Initial, request)
    const retry = { firstHello: hello, suite, group }
    return new ExpectClientHello(this.#config, this.#wire, this.#transcript, retry)
  }

  #answer(message: Message, hello: ClientHello, choice: Choice, unixTime: number): ServerState {
    const config = this.#config
    const wire = this.#wire
    const early = this.#earlyStage(message, hello, choice)
    const identity = choice.psk === undefined ? chooseIdentity(config, hello) : undefined
    const exchange = exchangeKeys(config, choice)
    wire.moveTo(Level.Handshake)
    this.#transcript.add(message.bytes)
    if (this.#retry === undefined) wire.emit({ type: 'peerParameters', bytes: hello.transportParameters })
    wire.emit({ type: 'protocol', alpn: choice.alpn })
    const isEarlyDataAccepted = acceptsEarlyData(config, hello, choice, unixTime)
    if (hello.hasEarlyData) wire.emit({ type: 'earlyData', accepted: isEarlyDataAccepted })
    if (isEarlyDataAccepted) this.#installEarlySecret(message, hello, choice, early)
    const transportParameters = ownParameters(config, hello)
    const decision = { hello, choice, early, identity, isEarlyDataAccepted, transportParameters }
    const flight = sendFlight(config, wire, this.#transcript, decision, exchange)
    return new ExpectFinished(config, wire, decision, flight)
  }

  /** With a PSK, only after its binder was verified (RFC 8446 §4.2.11). */
  #earlyStage(message: Message, hello: ClientHello, choice: Choice): EarlyStage {
    const { backend } = this.#config
    if (choice.psk === undefined || hello.psks === undefined)
      return new EarlyStage(backend, choice.suite.hash, undefined)
    const truncated = message.bytes.subarray(0, message.bytes.length - hello.psks.bindersLength)
    return verifyBinder(backend, choice.psk, this.#transcript, truncated)
  }

  /** Early data is accepted without a HelloRetryRequest alone, so the transcript is this one message. */
  #installEarlySecret(message: Message, hello: ClientHello, choice: Choice, early: EarlyStage): void {
    const { suite } = choice
    const secret = early.earlyTraffic(this.#config.backend.hash(suite.hash, message.bytes))
    this.#wire.log('CLIENT_EARLY_TRAFFIC_SECRET', hello.random, secret)
    this.#wire.secret(Level.ZeroRtt, 'read', suite, secret)
  }
}

class ExpectFinished implements ServerState {
  readonly #config: TlsServerConfig
  readonly #wire: Wire
  readonly #decision: Decision
  readonly #flight: Flight

  constructor(config: TlsServerConfig, wire: Wire, decision: Decision, flight: Flight) {
    this.#config = config
    this.#wire = wire
    this.#decision = decision
    this.#flight = flight
  }

  onMessage(message: Message, unixTime: number): ServerState {
    expectType(message, HandshakeType.Finished)
    const { transcript, handshake, application } = this.#flight
    const { suite, alpn, group, psk } = this.#decision.choice
    const expected = handshake.clientFinished(transcript.digest())
    if (!constantTimeEqual(expected, readFinished(message, suite.hashLength))) {
      throw new TlsAlert(Alert.DecryptError, 'the client Finished does not verify')
    }
    this.#wire.moveTo(Level.OneRtt)
    transcript.add(message.bytes)
    this.#wire.secret(Level.OneRtt, 'read', suite, application.clientSecret)
    this.#wire.emit({
      type: 'complete',
      alpn,
      serverName: this.#decision.hello.serverName,
      suite,
      group,
      isResumed: psk !== undefined,
      certificates: [],
      psk: psk?.psk,
    })
    this.#sendTickets(unixTime)
    return new Connected(application.exporter())
  }

  #sendTickets(unixTime: number): void {
    const { hello, choice } = this.#decision
    // RFC 8446 §4.2.9: no tickets for a client that could not use them.
    if (!hello.pskModes?.includes(PSK_DHE_KE)) return
    const { transcript, application } = this.#flight
    const resumption = application.resumption(transcript.digest())
    sendTickets(this.#config, this.#wire, resumption, choice.suite, this.#ticketTerms(), unixTime)
  }

  #ticketTerms(): EarlyDataTerms | undefined {
    if (!this.#config.ticketTerms) return undefined
    const { hello, choice, transportParameters } = this.#decision
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
