// What no part reports by itself: after each step the state of the parts is compared with what the log was told last.
// Exists only while somebody logs.

import { equal } from '../bytes/equal.ts'
import { Level, Space } from '../packet/level.ts'
import type { BlockedReason, Recorder, TimerName } from '../qlog/recorder.ts'
import type { ConnectionEvent } from './events.ts'
import type { Parts } from './parts.ts'
import type { Address } from './path.ts'
import { recordMetrics } from './record.ts'
import { isAmplificationLimited } from './transmit.ts'

export class Watch {
  readonly #parts: Parts
  readonly #recorder: Recorder
  #peerId: Uint8Array
  #remote: Address
  #departure: Address | undefined
  #former: Address | undefined
  #mtu: number
  #hasEarlyKeys = false
  /** While a recovery period lasts: the window it began with. */
  #reducedWindow = -1
  #congestionEvents = 0
  readonly #timers: Partial<Record<TimerName, number>> = {}

  constructor(parts: Parts) {
    this.#parts = parts
    this.#recorder = parts.recorder
    this.#peerId = parts.peerIds.current
    this.#remote = parts.path.remote
    this.#mtu = parts.mtu.current
  }

  /** Anything may have happened. */
  look(now: number): void {
    this.#lookAtPath(now)
    this.#lookAtKeys(now)
    this.#lookAtCongestion(now)
    const { recovery, spaces, path, departure, close } = this.#parts
    this.#timer('loss_timeout', undefined, close.isOpen ? recovery.nextTimeout() : Number.POSITIVE_INFINITY, now)
    this.#timer('ack', Space.Application, spaces[Space.Application].received.ackDeadline, now)
    this.#timer('path_validation', undefined, Math.min(path.deadline, departure.deadline), now)
  }

  /** Before the timers are served. */
  expire(now: number): void {
    for (const name of ['loss_timeout', 'path_validation'] as const) {
      const due = this.#timers[name]
      if (due === undefined || due > now) continue
      this.#recorder.timerExpired(name, undefined, now)
      delete this.#timers[name]
    }
  }

  /** A datagram left; or none did (0): why, if there was something to say. */
  onTransmit(size: number, now: number): void {
    if (size > 0) this.#recorder.datagramSent(size, now)
    const reason = size > 0 ? undefined : this.#whyBlocked(now)
    const { datagrams } = this.#parts
    this.#recorder.dataBlockedUpdated('connection', reason, now)
    this.#recorder.dataBlockedUpdated('datagram', datagrams.hasDue ? reason : undefined, now)
    this.look(now)
  }

  /** A datagram came when all was over. */
  onLate(size: number, now: number): void {
    this.#recorder.datagramReceived(size, now)
    this.#recorder.datagramDropped(size, now)
  }

  /** What the application is told of streams says how they stand. */
  onEvent(event: ConnectionEvent | undefined, now: number): void {
    switch (event?.type) {
      case 'streamOpened':
        return this.onOpened(event.id, now)
      case 'streamReset':
        return this.#recorder.streamStateUpdated(event.id, 'receiving', 'closed', now)
      case 'streamStopped':
      case 'streamFinished':
        return this.#recorder.streamStateUpdated(event.id, 'sending', 'closed', now)
      case 'datagram':
        return this.#recorder.datagramDataMoved(event.data.length, 'transport', 'application', now)
      default:
    }
  }

  /** RFC 9000 §2.1: whoever opened a unidirectional stream sends on it. */
  onOpened(id: number, now: number): void {
    const isOurs = (id % 2 === 0) === this.#parts.isClient
    const isUni = id % 4 >= 2
    if (isOurs || !isUni) this.#recorder.streamStateUpdated(id, 'sending', 'open', now)
    if (!isOurs || !isUni) this.#recorder.streamStateUpdated(id, 'receiving', 'open', now)
  }

  onWritten(id: number, length: number, fin: boolean, now: number): void {
    this.#recorder.streamDataMoved(id, length, fin, 'application', 'transport', now)
  }

  onDatagram(length: number, now: number): void {
    this.#recorder.datagramDataMoved(length, 'application', 'transport', now)
  }

  onRead(id: number, length: number, fin: boolean, now: number): void {
    this.#recorder.streamDataMoved(id, length, fin, 'transport', 'application', now)
    if (fin) this.#recorder.streamStateUpdated(id, 'receiving', 'closed', now)
  }

  #lookAtPath(now: number): void {
    const { path, peerIds, departure, mtu, isClient } = this.#parts
    const before = this.#departure
    if (!equal(peerIds.current, this.#peerId)) {
      this.#recorder.connectionIdUpdated('remote', this.#peerId, peerIds.current, now)
      this.#peerId = peerIds.current
    }
    const { remote } = path
    const hasMoved = remote !== this.#remote
    if (hasMoved) {
      this.#recorder.tupleAssigned({ ...remote, connectionIds: [peerIds.current] }, now)
      this.#remote = remote
    }
    if (departure.to !== this.#departure) this.#onDeparture(departure.to, hasMoved, now)
    if (path.former !== this.#former) this.#onFollowing(path.former, hasMoved, now)
    else if (hasMoved && !isClient && departure.to === before) this.#onKnownPath(now)
    if (mtu.current === this.#mtu) return
    this.#recorder.mtuUpdated(this.#mtu, mtu.current, mtu.deadline !== Number.POSITIVE_INFINITY, now)
    this.#mtu = mtu.current
  }

  /** RFC 9000 §9.2: a client asks first, and goes when there is an answer. */
  #onDeparture(to: Address | undefined, hasMoved: boolean, now: number): void {
    this.#departure = to
    if (to !== undefined) return this.#recorder.migrationStateUpdated('probing_started', now)
    if (!hasMoved) return this.#recorder.migrationStateUpdated('probing_abandoned', now)
    this.#recorder.migrationStateUpdated('probing_successful', now)
    this.#recorder.migrationStateUpdated('migration_complete', now)
  }

  /** RFC 9000 §9.3: a server follows, and turns back when nobody answers there. */
  #onFollowing(former: Address | undefined, hasMoved: boolean, now: number): void {
    this.#former = former
    if (former !== undefined) return this.#recorder.migrationStateUpdated('migration_started', now)
    this.#recorder.migrationStateUpdated(hasMoved ? 'migration_abandoned' : 'migration_complete', now)
  }

  /** A client went where it had asked, and been asked, before: nothing is left to be validated. */
  #onKnownPath(now: number): void {
    this.#recorder.migrationStateUpdated('migration_started', now)
    this.#recorder.migrationStateUpdated('migration_complete', now)
  }

  #lookAtKeys(now: number): void {
    const { keyring } = this.#parts
    const hasEarlyKeys = keyring.canOpen(Level.ZeroRtt) || keyring.canSeal(Level.ZeroRtt)
    if (this.#hasEarlyKeys && !hasEarlyKeys) this.#recorder.keyDiscarded(Level.ZeroRtt, now)
    this.#hasEarlyKeys = hasEarlyKeys
  }

  /** RFC 9002 §7.3: recovery lasts until the reduced window grows again. */
  #lookAtCongestion(now: number): void {
    recordMetrics(this.#parts, now)
    const { congestion, stats } = this.#parts.recovery
    if (stats.congestionEvents > this.#congestionEvents) {
      this.#congestionEvents = stats.congestionEvents
      this.#reducedWindow = congestion.window
      this.#recorder.congestionStateUpdated('recovery', 'packet_loss', now)
    } else if (this.#reducedWindow >= 0 && congestion.window <= this.#reducedWindow) return
    else {
      this.#reducedWindow = -1
      const state = congestion.isInSlowStart ? 'slow_start' : 'congestion_avoidance'
      this.#recorder.congestionStateUpdated(state, undefined, now)
    }
  }

  #timer(name: TimerName, space: Space | undefined, due: number, now: number): void {
    const before = this.#timers[name] ?? Number.POSITIVE_INFINITY
    if (due === before) return
    this.#timers[name] = due
    this.#recorder.timerUpdated(name, space, due, now)
  }

  #whyBlocked(now: number): BlockedReason | undefined {
    const { streams, datagrams, recovery, close } = this.#parts
    if (!close.isOpen || !(streams.hasDataToSend || datagrams.hasDue)) return undefined
    if (isAmplificationLimited(this.#parts)) return 'amplification_protection'
    const next = recovery.nextSendTime(now)
    if (next <= now) return undefined
    return next === Number.POSITIVE_INFINITY ? 'congestion_control' : 'pacing'
  }
}
