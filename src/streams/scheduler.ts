// Whose turn it is to write. Only those with something due stand in a queue, so that idle streams cost nothing.

/** A place in at most one queue. Its owner keeps one for each kind of turn it takes. */
export class Turn<T> {
  readonly owner: T
  queue: TurnQueue<T> | undefined = undefined
  next: Turn<T> | undefined = undefined
  previous: Turn<T> | undefined = undefined

  constructor(owner: T) {
    this.owner = owner
  }
}

/** First come, first served; leaving from the middle is as cheap as from the front. */
export class TurnQueue<T> {
  first: Turn<T> | undefined = undefined
  #last: Turn<T> | undefined = undefined

  get isEmpty(): boolean {
    return this.first === undefined
  }

  /** To the end, out of whatever queue it stands in. */
  push(turn: Turn<T>): void {
    turn.queue?.remove(turn)
    turn.queue = this
    turn.previous = this.#last
    if (this.#last === undefined) this.first = turn
    else this.#last.next = turn
    this.#last = turn
  }

  remove(turn: Turn<T>): void {
    if (turn.queue !== this) return
    if (turn.previous === undefined) this.first = turn.next
    else turn.previous.next = turn.next
    if (turn.next === undefined) this.#last = turn.previous
    else turn.next.previous = turn.previous
    turn.queue = turn.next = turn.previous = undefined
  }
}

/** What a stream would send if it were asked. */
export const Due = {
  Nothing: 0,
  /** Bytes sent for the first time: they need credit of the connection. */
  Fresh: 1,
  /** Lost bytes, or a FIN alone: they need none, and go before. */
  Free: 2,
} as const
export type Due = (typeof Due)[keyof typeof Due]

/** RFC 9218 §4.1: 0 is the most urgent. */
export const URGENCIES = 8
export const DEFAULT_URGENCY = 3

/**
 * Retransmissions first, then by urgency. Among equals the incremental take turns; a stream that is not incremental
 * keeps its turn until it has nothing left (RFC 9218 §10).
 */
export class Scheduler<T> {
  readonly #free = new TurnQueue<T>()
  readonly #fresh: readonly TurnQueue<T>[] = Array.from({ length: URGENCIES }, () => new TurnQueue<T>())

  get hasFresh(): boolean {
    for (let urgency = 0; urgency < URGENCIES; urgency++) {
      if ((this.#fresh[urgency] as TurnQueue<T>).first !== undefined) return true
    }
    return false
  }

  /** Whose turn it is; fresh bytes are considered only when the connection has credit for them. */
  next(hasCredit: boolean): T | undefined {
    if (this.#free.first !== undefined) return this.#free.first.owner
    if (!hasCredit) return undefined
    for (let urgency = 0; urgency < URGENCIES; urgency++) {
      const first = (this.#fresh[urgency] as TurnQueue<T>).first
      if (first !== undefined) return first.owner
    }
    return undefined
  }

  /** Puts the turn where it belongs; it keeps its place when it is there already. */
  place(turn: Turn<T>, due: Due, urgency: number): void {
    const queue = due === Due.Free ? this.#free : due === Due.Fresh ? this.#fresh[urgency] : undefined
    if (queue === turn.queue) return
    if (queue === undefined) turn.queue?.remove(turn)
    else queue.push(turn)
  }

  /** To the end of its queue, after it has written. */
  rotate(turn: Turn<T>): void {
    turn.queue?.push(turn)
  }
}
