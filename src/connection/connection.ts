// The waist: one QUIC connection without clock, chance, socket, timer, promise or callback. Bytes and time go in,
// bytes, deadlines and facts come out. The parts are in parts.ts, the four loops in receive, frame-dispatch, delivery
// and transmit.

import type { StreamDirection } from '../packet/frames/frame.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import type { StreamCount } from '../streams/stream-set.ts'
import type { Authorization } from '../tls13/ports.ts'
import { goOnWith, type HandshakeAnswer } from './answers.ts'
import { assembleClient, assembleServer } from './assemble.ts'
import { startAnew } from './client-start.ts'
import { CloseState } from './close.ts'
import type { Accepted, ClientConfig, Dependencies, ServerConfig } from './config.ts'
import { nextDeadline, onDeadline } from './deadlines.ts'
import { type Diagnostics, diagnose } from './diagnostics.ts'
import { drop } from './drop.ts'
import { end, fail } from './ending.ts'
import type { ConnectionEvent, PeerInfo } from './events.ts'
import { drainTls } from './handshake.ts'
import { depart, type MigrationRefusal } from './migration.ts'
import { isPatient, type Transmit, writeLastWords, writeNext } from './outgoing.ts'
import type { Parts } from './parts.ts'
import type { Address } from './path.ts'
import { refuseSize } from './path-mtu.ts'
import { receiveDatagram } from './receive.ts'
import { recordKeys, recordStart } from './record.ts'
import { type ConnectionStatistics, statisticsOf } from './statistics.ts'
import type { Stats } from './stats.ts'
import { datagramRoom, nextTransmitTime } from './transmit.ts'
import { Watch } from './watch.ts'

export type { Transmit } from './outgoing.ts'

export class Connection {
  readonly #parts: Parts
  readonly #transmit: Transmit
  /** The latest time seen: for verbs that are called without one. */
  #now: number
  /** Only while somebody logs. */
  readonly #watch: Watch | undefined
  /** `transmit` had nothing to write, and nothing has happened since. */
  #isDrained = false

  private constructor(parts: Parts, now: number) {
    this.#parts = parts
    this.#now = now
    this.#transmit = { length: 0, to: parts.path.remote }
    this.#watch = parts.recorder.enabled ? new Watch(parts) : undefined
  }

  /** A connection to `remote`; its first datagram is ready for `transmit`. Throws a RangeError for options that do not fit. */
  static client(config: ClientConfig, deps: Dependencies, remote: Address, now: number): Connection {
    const connection = new Connection(assembleClient(config, deps, remote, now), now)
    recordStart(connection.#parts, config.alpn, now)
    drainTls(connection.#parts, now)
    return connection
  }

  /** A connection for a client whose first Initial was `accepted`; that datagram is to be given to `receive` next. */
  static server(config: ServerConfig, deps: Dependencies, accepted: Accepted, now: number): Connection {
    const connection = new Connection(assembleServer(config, deps, accepted, now), now)
    recordStart(connection.#parts, config.alpn, now)
    return connection
  }

  /** A datagram came in. It is changed in place and not kept. */
  receive(datagram: Uint8Array, from: Address, now: number): void {
    const { close } = this.#parts
    this.#now = now
    this.#isDrained = false
    if (!close.isOpen) {
      this.#watch?.onLate(datagram.length, now)
      return close.onDatagram()
    }
    try {
      receiveDatagram(this.#parts, datagram, from, now)
    } catch (error) {
      this.#fail(error)
    }
    this.#watch?.look(now)
  }

  /**
   * A datagram from the peer's address whose id leads nowhere: true when it was a stateless reset for this connection,
   * which is over then (RFC 9000 §10.3.1).
   */
  receiveStray(datagram: Uint8Array, now: number): boolean {
    if (!this.#parts.close.isOpen || !this.#parts.peerIds.isStatelessReset(datagram)) return false
    this.#now = now
    drop(this.#parts, datagram, 'connection_unknown', true, now)
    return true
  }

  /** Writes the next datagram into `into`; undefined when nothing is due or allowed. Call it until then. */
  transmit(into: Uint8Array, now: number): Transmit | undefined {
    this.#now = now
    let hasMore = false
    try {
      hasMore = writeNext(this.#parts, this.#transmit, into, now)
    } catch (error) {
      this.#fail(error)
      hasMore = writeLastWords(this.#parts, this.#transmit, into, now)
    }
    this.#isDrained = !hasMore
    this.#watch?.onTransmit(hasMore ? this.#transmit.length : 0, now)
    return hasMore ? this.#transmit : undefined
  }

  /** What is due can wait for a turn of those who have more to say. */
  get isPatient(): boolean {
    return isPatient(this.#parts)
  }

  /** When `onTimeout` and `transmit` are to be called next, if nothing else happens; Infinity: never. */
  nextTimeout(): number {
    const next = nextDeadline(this.#parts)
    if (!this.#parts.close.isOpen) return next
    const transmit = nextTransmitTime(this.#parts, this.#now)
    // What `transmit` has just not written waits for something to happen, and not for time.
    return this.#isDrained && transmit <= this.#now ? next : Math.min(next, transmit)
  }

  /** Time has passed: probes, losses, idle timeout, keys and states that end. */
  onTimeout(now: number): void {
    this.#now = now
    this.#isDrained = false
    const { isOpen } = this.#parts.close
    if (isOpen) this.#watch?.expire(now)
    try {
      onDeadline(this.#parts, now)
    } catch (error) {
      this.#fail(error)
    }
    if (isOpen && !this.isTerminated) this.#watch?.look(now)
  }

  /** The system did not take a datagram of that size for `to` (EMSGSIZE); that it is lost is found out as ever. */
  onDatagramTooLarge(size: number, to: Address, now: number): void {
    this.#isDrained = false
    refuseSize(this.#parts, size, to)
    this.#watch?.look(now)
  }

  /** The oldest fact not yet told. */
  poll(): ConnectionEvent | undefined {
    const event = this.#parts.events.shift()
    this.#watch?.onEvent(event, this.#now)
    return event
  }

  /** Answers a `certificateWanted` or a `signatureWanted` event. Undefined: there is none, and the handshake fails. */
  provide(answer: HandshakeAnswer, now: number): void {
    this.#now = now
    this.#isDrained = false
    try {
      goOnWith(this.#parts, answer, now)
    } catch (error) {
      this.#fail(error)
    }
  }

  /**
   * Client, before anything was sent: a PSK was found after all, and `config` is what `client` would have been given.
   * Throws a TypeError when it is too late.
   */
  beginWith(config: ClientConfig, now: number): void {
    this.#now = now
    this.#isDrained = false
    startAnew(this.#parts, config, now)
  }

  /** Opens a stream; undefined while the peer's limit is reached, until a `streamsAvailable` event (RFC 9000 §4.6). */
  openStream(direction: StreamDirection): number | undefined {
    const id = this.#parts.close.isOpen ? this.#parts.streams.open(direction) : undefined
    if (id !== undefined) this.#watch?.onOpened(id, this.#now)
    return id
  }

  /**
   * Queues bytes, which must not change afterwards. Returns the room left; zero or less: wait for `writable`. Throws a
   * RangeError when the stream is not open for sending, a TypeError when it was ended; 0 when the connection was.
   */
  write(id: number, bytes: Uint8Array, fin: boolean): number {
    this.#isDrained = false
    if (!this.#parts.close.isOpen) return 0
    this.#watch?.onWritten(id, bytes.length, fin, this.#now)
    return this.#parts.streams.send(id, bytes, fin)
  }

  /** The next bytes in order, or undefined. Reading is what gives the peer new credit. */
  read(id: number): { readonly data: Uint8Array; readonly fin: boolean } | undefined {
    this.#isDrained = false
    const chunk = this.#parts.streams.receive(id)
    if (chunk !== undefined) this.#watch?.onRead(id, chunk.data.length, chunk.fin, this.#now)
    return chunk
  }

  /**
   * Abandons sending on a stream (RFC 9000 §19.4). Throws a RangeError when it was never opened, a TypeError when it is
   * one that only the peer sends on.
   */
  reset(id: number, errorCode: number): void {
    this.#isDrained = false
    if (this.#parts.close.isOpen) this.#parts.streams.reset(id, errorCode)
  }

  /** The same, but the first bytes arrive (QUIC Stream Resets with Partial Delivery). False: the peer cannot do that. */
  resetAt(id: number, errorCode: number, reliableSize: number): boolean {
    const { close, handshake, streams } = this.#parts
    if (!close.isOpen || !handshake.peerParameters?.resetStreamAt) return false
    this.#isDrained = false
    streams.reset(id, errorCode, reliableSize)
    return true
  }

  /**
   * Asks the peer to abandon sending on a stream (RFC 9000 §19.5). Throws a RangeError when it was never opened, a
   * TypeError when it is one that only we send on.
   */
  stop(id: number, errorCode: number): void {
    this.#isDrained = false
    if (this.#parts.close.isOpen) this.#parts.streams.stop(id, errorCode)
  }

  /** What a stream has taken of the limits on data (RFC 9000 §4), and from now on `streamCounted` with what comes. */
  count(id: number): StreamCount | undefined {
    return this.#parts.streams.count(id)
  }

  /** In which order streams are sent (RFC 9218): urgency 0 (first) to 7, or a RangeError; incremental ones share. */
  setPriority(id: number, urgency: number, isIncremental: boolean): void {
    this.#parts.streams.setPriority(id, urgency, isIncremental)
  }

  /**
   * Queues an unreliable datagram; false when the peer takes none that large (RFC 9221). When 64 wait already, the oldest
   * of the least urgent is dropped. With an `id`, a positive number, a `datagramSettled` event will tell what became of it.
   * By `urgency`, from 0, the first, to 7, it goes before other datagrams, and before the data of streams that are no more
   * urgent (RFC 9221 §5.1); default 0, before them all. Throws a RangeError for another.
   */
  sendDatagram(data: Uint8Array, id = 0, urgency = 0): boolean {
    const { close, datagrams } = this.#parts
    this.#isDrained = false
    const isQueued = close.isOpen && datagrams.send(data, id, datagramRoom(this.#parts), urgency)
    if (isQueued) this.#watch?.onDatagram(data.length, this.#now)
    return isQueued
  }

  /** Datagrams: the largest that can be sent now, 0 for none, and how many more fit into the queue. */
  get datagramLimits(): { readonly size: number; readonly room: number } {
    const { datagrams } = this.#parts
    return { size: datagrams.maxSize(datagramRoom(this.#parts)), room: datagrams.room }
  }

  /** Who polled for datagrams keeps so many bytes of them, or fewer when negative: memory that the peer can fill. */
  holdDatagrams(bytes: number): void {
    this.#parts.memory.add(bytes)
  }

  /**
   * Goes on to the next keys of 1-RTT packets (RFC 9001 §6.1). False: not now, because the handshake is not confirmed,
   * the last update is not acknowledged yet, or is too recent. Happens by itself before keys are used up.
   */
  updateKeys(now: number = this.#now): boolean {
    const { keyring, handshake, close } = this.#parts
    if (!close.isOpen || !handshake.isConfirmed || !keyring.oneRtt?.initiateUpdate(now)) return false
    recordKeys(this.#parts, 'local_update', now)
    return true
  }

  /**
   * A client goes on by way of `to`: the same server through another of our sockets, once it has answered there. An
   * event says how it went. Returns why not, if it cannot.
   */
  migrate(to: Address, now: number = this.#now): MigrationRefusal | undefined {
    this.#isDrained = false
    return depart(this.#parts, to, now)
  }

  /** Ends the connection with an application's error code (RFC 9000 §10.2). Without effect when it has ended. */
  close(errorCode: number, reason: string, now: number = this.#now): void {
    if (!this.#parts.close.isOpen) return
    this.#isDrained = false
    end(this.#parts, { type: 'closed', error: undefined, errorCode, isApplication: true, reason, by: 'local' }, 0, now)
  }

  /** Ends the connection to have its memory for others: what was received and not read is gone. */
  shed(now: number): void {
    this.#now = now
    this.#fail(new TransportError(ErrorCode.InternalError, 'out of memory'))
    this.#parts.streams.discard()
  }

  /** RFC 8446 §7.5. Throws before the handshake is complete. */
  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array {
    return this.#parts.handshake.tls.exportKeyingMaterial(label, context, length)
  }

  get isClient(): boolean {
    return this.#parts.isClient
  }

  get isHandshakeComplete(): boolean {
    return this.#parts.handshake.isComplete
  }

  /** RFC 9001 §4.1.2: from here on nothing that arrives can be a replay. */
  get isHandshakeConfirmed(): boolean {
    return this.#parts.handshake.isConfirmed
  }

  /** Did bytes of this stream come as 0-RTT data? */
  isEarly(id: number): boolean {
    return this.#parts.streams.isEarly(id)
  }

  /** The application protocol, once it is chosen. */
  get alpn(): string | undefined {
    return this.#parts.handshake.alpn
  }

  get peer(): PeerInfo | undefined {
    return this.#parts.handshake.peer
  }

  /** Whom the peer is taken for, by its PSK or ticket; at a server before the handshake is complete, when early requests may run already. */
  get authorization(): Authorization | undefined {
    const { peer, granted, offered } = this.#parts.handshake
    if (peer !== undefined) return peer.authorization
    return this.#parts.isClient ? offered : granted
  }

  /** Client: early data was offered. */
  get hasOfferedEarlyData(): boolean {
    return this.#parts.handshake.remembered !== undefined
  }

  /** The QUIC version, as far as it is negotiated. */
  get version(): number {
    return this.#parts.versions.current
  }

  get remote(): Address {
    return this.#parts.path.remote
  }

  /**
   * Where the server may be, when that was not known at the start: before anything was sent. Of several addresses the
   * next one is tried at each probe timeout, until one answers; a client that sends early data stays with the first.
   */
  setRemotes(candidates: readonly Address[]): void {
    this.#parts.path.setRemotes(candidates)
  }

  get isAddressValidated(): boolean {
    return this.#parts.path.isValidated
  }

  /** Nothing can come or go any more: forget it. */
  get isTerminated(): boolean {
    return this.#parts.close.state === CloseState.Terminated
  }

  /** What it holds for its peer, and has promised to hold, bytes; 0 once it is closed. */
  get memoryUsed(): number {
    return this.#parts.memory.used
  }

  /** Counters as they run, without a copy. */
  get stats(): Readonly<Stats> {
    return this.#parts.stats
  }

  /** All that can be counted and measured, at this moment. */
  statistics(): ConnectionStatistics {
    return statisticsOf(this.#parts)
  }

  /** Round-trip time, ms: smoothed, and the smallest seen (RFC 9002 §5). */
  get rtt(): { readonly smoothed: number; readonly min: number } {
    const { rtt } = this.#parts.recovery
    return { smoothed: rtt.smoothed, min: rtt.min }
  }

  /** Window, bytes in flight, budget, tables: as they are now. */
  get diagnostics(): Diagnostics {
    return diagnose(this.#parts)
  }

  /** The one place where a fault of the peer, or of ours, ends the connection. */
  #fail(error: unknown): void {
    this.#isDrained = false
    fail(this.#parts, error, this.#now)
  }
}
