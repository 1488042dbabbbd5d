// Is the other side still there: what is sent and not acknowledged is sent again after one PTO, and after two more
// (RFC 9002 §6.2.1). Whoever has not said anything by then is not waited for.

import type { Http3Session } from 'zerotrip/http3'

/** Probe timeouts in a row: the second comes three PTO after what was not acknowledged. */
const PROBES = 2

/**
 * ms that somebody who has spoken before may be silent at least: a function that computes keeps its process from
 * acknowledging anything, and the PTO of a short way is a few dozen ms.
 */
const BUSY = 2000

/** ms between two looks. */
const LOOK_EVERY = 25

export class Silence {
  /** Whose probes go unanswered, and since when; Infinity: they do not. */
  #session: Http3Session['session'] | undefined = undefined
  #since = Number.POSITIVE_INFINITY

  /** Asks the session now. */
  isSilent({ session }: Http3Session): boolean {
    // What is known is known of the one before.
    if (session !== this.#session) this.#since = Number.POSITIVE_INFINITY
    this.#session = session
    if (session.statistics().ptoCount < PROBES) this.#since = Number.POSITIVE_INFINITY
    else if (this.#since === Number.POSITIVE_INFINITY) this.#since = performance.now()
    return performance.now() - this.#since >= (session.peer === undefined ? 0 : BUSY)
  }

  /** Calls back, once, when nothing is heard of the session. */
  watch(session: Http3Session, onSilent: () => void): { stop(): void } {
    const timer = setInterval(() => {
      if (!this.isSilent(session)) return
      clearInterval(timer)
      onSilent()
    }, LOOK_EVERY)
    return { stop: () => clearInterval(timer) }
  }
}
