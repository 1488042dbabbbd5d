// The one loop around a connection: receive, drain events, flush, arm one timer.
//
// Flushing waits for `setImmediate`: by then every datagram of this turn is taken in and every promise that hangs on
// them has run, so that an answer leaves in the same datagram as the ACK, and a request written in the tick of its
// `connect` leaves with the ClientHello.

import { MAX_DELAY, now } from './clock.ts'
import type { QuicSession } from './quic-session.ts'
import type { UdpSocket } from './udp-socket.ts'

/** Datagrams a session may send before the loop looks at what came in: node:dgram starves its receiving side. */
const BURST = 32
/** ms that a timer may be late; beyond, this process stood still, and what came in meanwhile is looked at first. */
const LATE = 10
/** Turns given to the last words of all sessions when an endpoint closes; each turn lets some 64 datagrams out. */
const MAX_LAST_TURNS = 1024

export class Driver {
  readonly #socket: UdpSocket
  #due: QuicSession[] = []
  #isScheduled = false
  #isReady = false
  #isStopped = false

  constructor(socket: UdpSocket) {
    this.#socket = socket
  }

  /** The socket is bound: what was held back may leave. */
  start(): void {
    this.#isReady = true
    if (this.#due.length > 0) this.#arm()
  }

  /** This session may have something to send, or a new deadline. */
  schedule(session: QuicSession): void {
    if (session.isScheduled || this.#isStopped) return
    session.isScheduled = true
    this.#due.push(session)
    if (this.#isReady) this.#arm()
  }

  /** Sends what is due everywhere, then nothing any more: for an endpoint that is about to close its socket. */
  async stop(): Promise<void> {
    for (let turn = 0; this.#isReady && this.#due.length > 0 && turn < MAX_LAST_TURNS; turn++) {
      this.#run()
      await new Promise(setImmediate)
    }
    this.halt()
  }

  /** Nothing more is sent, from now on: not even what is due. */
  halt(): void {
    this.#isStopped = true
    this.#due = []
  }

  #arm(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#run()
    })
  }

  #run(): void {
    const due = this.#due
    this.#due = []
    const time = now()
    for (let i = 0; i < due.length; i++) {
      const session = due[i] as QuicSession
      // No buffers left in this turn: those who got none come first in the next.
      if (!this.#socket.hasBuffer) return this.#putFirst(due.slice(i))
      session.isScheduled = false
      if (session.holds > 0) continue
      session.hasWaited = !session.hasWaited && session.connection.isPatient
      if (session.hasWaited) {
        this.schedule(session)
        continue
      }
      if (this.#flush(session, time)) this.schedule(session)
      else if (!this.#isStopped) this.#armTimer(session, time)
      session.drain()
    }
  }

  #putFirst(sessions: QuicSession[]): void {
    this.#due = sessions.concat(this.#due)
    this.#arm()
  }

  /** True when the burst is over but there is more. */
  #flush(session: QuicSession, time: number): boolean {
    for (let sent = 0; sent < BURST; sent++) {
      const buffer = this.#socket.buffer()
      if (buffer === undefined) return true
      const transmit = session.connection.transmit(buffer, time)
      if (transmit === undefined) {
        this.#socket.release(buffer)
        return false
      }
      this.#socket.send(buffer, transmit.length, transmit.to, session)
    }
    return true
  }

  /** One timer for each session; a later deadline lets the old timer run out and look again. */
  #armTimer(session: QuicSession, time: number): void {
    const deadline = session.connection.nextTimeout()
    if (deadline >= session.timerAt || deadline === Number.POSITIVE_INFINITY) return
    clearTimeout(session.timer)
    session.timerAt = deadline
    // A deadline further away than a timer reaches is looked at again then.
    session.timer = setTimeout(onTimer, Math.min(MAX_DELAY, Math.max(1, Math.ceil(deadline - time))), this, session)
    session.timer.unref()
  }

  onTimer(session: QuicSession): void {
    const isLate = now() > session.timerAt + LATE
    session.timerAt = Number.POSITIVE_INFINITY
    if (isLate) setImmediate(onTimeout, this, session)
    else this.onTimeout(session)
  }

  onTimeout(session: QuicSession): void {
    const time = now()
    const deadline = session.connection.nextTimeout()
    if (deadline > time) return this.#armTimer(session, time)
    session.connection.onTimeout(time)
    session.drain()
    this.schedule(session)
  }
}

function onTimer(driver: Driver, session: QuicSession): void {
  driver.onTimer(session)
}

/** Timers run before sockets are read, `setImmediate` after: what the peer said in time is not too late for us. */
function onTimeout(driver: Driver, session: QuicSession): void {
  driver.onTimeout(session)
}
