// Whose turn it is to write. Only those with something due stand in a queue, so that idle streams cost nothing.

/** A place in at most one queue. Its owner keeps one for each kind of turn it takes. */
export class Turn<T> {
  readonly owner: T
  /** Its rank in queues that are kept in order. */
  readonly rank: number
  queue: TurnQueue<T> | undefined = undefined
  next: Turn<T> | undefined = undefined
  previous: Turn<T> | undefined = undefined

  constructor(owner: T, rank = 0) {
    this.owner = owner
    this.rank = rank
  }
}

/** Leaving from the middle is as cheap as from the front. */
export class TurnQueue<T> {
  first: Turn<T> | undefined = undefined
  #last: Turn<T> | undefined = undefined

  get isEmpty(): boolean {
    return this.first === undefined
  }

  /** To the end, out of whatever queue it stands in. */
  push(turn: Turn<T>): void {
    turn.queue?.remove(turn)
    this.#insertAfter(turn, this.#last)
  }

  /** Before those of higher rank. Ids grow: the place is most often at the end, and is looked for from there. */
  insert(turn: Turn<T>): void {
    let before = this.#last
    while (before !== undefined && before.rank > turn.rank) before = before.previous
    this.#insertAfter(turn, before)
  }

  remove(turn: Turn<T>): void {
    if (turn.queue !== this) return
    if (turn.previous === undefined) this.first = turn.next
    else turn.previous.next = turn.next
    if (turn.next === undefined) this.#last = turn.previous
    else turn.next.previous = turn.previous
    turn.queue = turn.next = turn.previous = undefined
  }

  #insertAfter(turn: Turn<T>, before: Turn<T> | undefined): void {
    const after = before === undefined ? this.first : before.next
    turn.queue = this
    turn.previous = before
    turn.next = after
    if (before === undefined) this.first = turn
    else before.next = turn
    if (after === undefined) this.#last = turn
    else after.previous = turn
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

/** Those of one urgency. */
class Urgency<T> {
  /** Lost bytes and FINs, first come, first served. */
  readonly free: TurnQueue<T> = new TurnQueue<T>()
  /** Not incremental, by stream id: the first keeps its turn until it has nothing left (RFC 9218 §10). */
  readonly ordered: TurnQueue<T> = new TurnQueue<T>()
  /** Incremental: they share, a frame each. */
  readonly shared: TurnQueue<T> = new TurnQueue<T>()
  /** Whose turn it is, when there are both. */
  isOrderedNext = true

  get isEmpty(): boolean {
    return this.free.first === undefined && this.shared.first === undefined && this.ordered.first === undefined
  }

  get fresh(): Turn<T> | undefined {
    const { ordered, shared } = this
    if (shared.first === undefined) return ordered.first
    return ordered.first === undefined || !this.isOrderedNext ? shared.first : ordered.first
  }
}

/**
 * By urgency, strictly: while a stream has something to send and the credit to send it, those of lower urgency get
 * nothing, retransmissions included (RFC 9000 §13.3, RFC 9218 §10). An application that wants no stream to starve gives
 * them the same urgency. There, retransmissions are first; then the incremental share one half, and the first of those
 * that are not has the other, so that neither kind starves the other (RFC 9218 §10).
 */
export class Scheduler<T> {
  readonly #levels: readonly Urgency<T>[] = Array.from({ length: URGENCIES }, () => new Urgency<T>())
  /** Nobody stands at any urgency before this one: asked several times a packet, most often nobody stands anywhere. */
  #first: number = URGENCIES

  get hasFresh(): boolean {
    for (let urgency = this.#first; urgency < URGENCIES; urgency++) {
      if ((this.#levels[urgency] as Urgency<T>).fresh !== undefined) return true
    }
    return false
  }

  /** Whose turn it is, `before` an urgency; fresh bytes are considered only when the connection has credit for them. */
  next(hasCredit: boolean, before: number = URGENCIES): T | undefined {
    while (this.#first < URGENCIES && (this.#levels[this.#first] as Urgency<T>).isEmpty) this.#first++
    for (let urgency = this.#first; urgency < before; urgency++) {
      const level = this.#levels[urgency] as Urgency<T>
      const turn = level.free.first ?? (hasCredit ? level.fresh : undefined)
      if (turn !== undefined) return turn.owner
    }
    return undefined
  }

  /** Puts the turn where it belongs; it keeps its place when it is there already. */
  place(turn: Turn<T>, due: Due, urgency: number, isIncremental: boolean): void {
    const level = this.#levels[urgency] as Urgency<T>
    const fresh = isIncremental ? level.shared : level.ordered
    const queue = due === Due.Free ? level.free : due === Due.Fresh ? fresh : undefined
    if (queue === turn.queue) return
    turn.queue?.remove(turn)
    if (queue !== undefined && urgency < this.#first) this.#first = urgency
    if (queue === level.ordered) queue.insert(turn)
    else queue?.push(turn)
  }

  /** It has written fresh bytes: the next one's turn. */
  rotate(turn: Turn<T>, urgency: number): void {
    const level = this.#levels[urgency] as Urgency<T>
    if (turn.queue === level.ordered) level.isOrderedNext = false
    else if (turn.queue === level.shared) {
      level.isOrderedNext = true
      level.shared.push(turn)
    }
  }
}
