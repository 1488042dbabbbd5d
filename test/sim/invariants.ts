// What must hold whatever the network does, looked at after every turn of a connection.

import type { MemoryBudget } from '../../src/bytes/memory-budget.ts'
import type { Connection } from '../../src/connection/connection.ts'
import { type Address, isSameAddress } from '../../src/connection/path.ts'
import { limits } from '../../src/limits.ts'
import { MAX_SEND_BUFFER } from '../../src/streams/high-water-mark.ts'
import { STREAM_COST } from '../../src/streams/stream-table.ts'
import type { Credit } from './credit.ts'
import type { Host, Observer } from './host.ts'

/** RFC 9000 §8.1. */
const AMPLIFICATION = 3
/** RFC 9002 §6.2.4: two probes in each of three spaces, whatever the window says. */
const PROBES = 6
/** Turns in a row that leave a timer in the past: then it is stuck there. */
const MAX_STUCK = 50
/** A connection's own limit on streams, and ours of each kind. */
const MAX_STREAMS = 3000

/** What a connection may hold besides: its receive windows, packets and CRYPTO frames before there are keys. */
const MAX_MEMORY: number = (1 + limits.receivedPerByte) * 64 * 1024 * 1024

interface Ledger {
  readonly address: Address
  received: number
  sent: number
  isValidated: boolean
}

/** Who keeps accounts besides. */
export interface Accounts {
  /** What this connection alone may use. */
  readonly budget?: MemoryBudget
  readonly credit?: Credit
}

/** Throws when something does not hold. One for each host. */
export class Invariants implements Observer {
  readonly #datagramSize: number
  readonly #accounts: Accounts
  /** Only servers answer to strangers. */
  readonly #isServer: boolean
  readonly #addresses = new Map<string, Ledger>()
  #last: Ledger | undefined
  #inFlightBefore = 0
  #windowBefore = 0
  #stuck = 0
  #stuckAt = -1
  #connection: Connection | undefined
  #forgotten = 0
  /** The most that was seen: streams in the table. */
  mostStreams = 0

  constructor(isServer: boolean, datagramSize: number, accounts: Accounts = {}) {
    this.#accounts = accounts
    this.#isServer = isServer
    this.#datagramSize = datagramSize
  }

  onReceived(host: Host, size: number, from: Address): void {
    this.#settle(host)
    this.#ledger(from).received += size
  }

  onSent(host: Host, size: number, to: Address): void {
    if (!this.#isServer) return
    const ledger = this.#ledger(to)
    ledger.sent += size
    if (ledger.isValidated || this.#isKnown(host, to)) return
    if (ledger.sent > AMPLIFICATION * ledger.received) {
      throw new Error(`${ledger.sent} bytes sent to an address that sent ${ledger.received}`)
    }
  }

  /** No endpoint does that: it is never given back to the budget. */
  onForgotten({ connection }: Host): void {
    this.#forgotten += connection.memoryUsed
  }

  beforeFlush(host: Host): void {
    if (this.#connection !== host.connection) {
      this.#connection = host.connection
      this.#stuck = 0
    }
    const { bytesInFlight, congestionWindow } = host.connection.diagnostics
    this.#inFlightBefore = bytesInFlight
    this.#windowBefore = congestionWindow
    this.#settle(host)
  }

  afterFlush(host: Host): void {
    const { connection } = host
    const { bytesInFlight, congestionWindow, openStreams } = connection.diagnostics
    const allowance = PROBES * this.#datagramSize
    const most = Math.max(congestionWindow, this.#windowBefore, this.#inFlightBefore) + allowance
    if (!(bytesInFlight >= 0 && bytesInFlight <= most)) {
      throw new Error(`${bytesInFlight} bytes in flight, ${this.#inFlightBefore} before, window ${congestionWindow}`)
    }
    if (!(congestionWindow >= 2 * 1200)) throw new Error(`a congestion window of ${congestionWindow} bytes`)
    if (openStreams > MAX_STREAMS) throw new Error(`${openStreams} streams in the table`)
    this.mostStreams = Math.max(this.mostStreams, openStreams)
    this.#checkMemory(connection.memoryUsed, openStreams)
    this.#checkTimer(host, connection)
    this.#accounts.credit?.check()
  }

  /** Counted by differences: what was counted twice or never stays for good. A closed connection has nothing. */
  #checkMemory(used: number, openStreams: number): void {
    const { budget } = this.#accounts
    if (budget !== undefined && budget.used !== used + this.#forgotten) {
      throw new Error(`${used} bytes counted as held, and ${budget.used} in the budget`)
    }
    const most = MAX_MEMORY + openStreams * (STREAM_COST + MAX_SEND_BUFFER)
    if (used === 0 || (used >= openStreams * STREAM_COST && used <= most)) return
    throw new Error(`${used} bytes counted as held by ${openStreams} streams`)
  }

  #checkTimer(host: Host, connection: Connection): void {
    const next = host.deadline
    const { now } = host.world
    if (Number.isNaN(next) || next === Number.NEGATIVE_INFINITY) throw new Error(`a timer at ${next}`)
    if (!connection.isTerminated && !Number.isFinite(next)) throw new Error('open, and no timer is set')
    if (next > now || now !== this.#stuckAt) this.#stuck = 0
    else if (++this.#stuck > MAX_STUCK) throw new Error(`a timer stuck at ${next}, it is ${now}`)
    this.#stuckAt = now
  }

  /** Where the peer is now has proven itself, or not. */
  #settle(host: Host): void {
    if (!this.#isServer || !host.hasConnection) return
    const { connection } = host
    if (connection.isAddressValidated) {
      this.#ledger(connection.remote).isValidated = true
      return
    }
    // RFC 9000 §8.2.3: the answer may come by way of the next address, in the datagram that makes the server follow.
    const { formerRemote } = connection.diagnostics
    if (formerRemote !== undefined) this.#ledger(formerRemote).isValidated = true
  }

  /** It may have been validated since the last turn, and have had a full window right after. */
  #isKnown(host: Host, to: Address): boolean {
    this.#settle(host)
    return this.#ledger(to).isValidated
  }

  #ledger(address: Address): Ledger {
    if (this.#last !== undefined && isSameAddress(address, this.#last.address)) return this.#last
    const key = `${address.host}:${address.port}`
    let ledger = this.#addresses.get(key)
    if (ledger === undefined) {
      ledger = { address, received: 0, sent: 0, isValidated: false }
      this.#addresses.set(key, ledger)
    }
    this.#last = ledger
    return ledger
  }
}
