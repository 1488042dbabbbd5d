// Connection ids the peer issued (RFC 9000 §5.1.2, §19.15).

import { equal } from '../bytes/equal.ts'
import { RangeSet } from '../bytes/range-set.ts'
import { limits } from '../limits.ts'
import { retireConnectionIdSize, writeRetireConnectionId } from '../packet/frames/connection-id.ts'
import { FrameType, type NewConnectionIdFrame } from '../packet/frames/frame.ts'
import type { FrameOwner, PacketWriter } from '../packet/packet-writer.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'
import { hasStatelessResetToken } from '../packet/stateless-reset.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import type { PreferredAddress } from '../packet/transport-parameters.ts'
import { type Address, isSameAddress } from './path.ts'

/** Retirements not yet acknowledged, as a multiple of the limit we announced: a peer that outruns our
 * RETIRE_CONNECTION_ID frames is cut off. */
export const MAX_UNACKED_RETIREMENTS_PER_ID: number = limits.retirementsPerId

/** Sequence numbers that were left out, and retired on both sides of: a peer that counts by twos is cut off (§5.1.1). */
export const MAX_SEQUENCE_GAPS: number = limits.sequenceGaps

class PeerId {
  readonly sequence: number
  id: Uint8Array
  resetToken: Uint8Array | undefined
  /** Another path it was shown on, and until when it is kept for it. */
  path: Address | undefined = undefined
  keptUntil: number = Number.POSITIVE_INFINITY

  constructor(sequence: number, id: Uint8Array, resetToken: Uint8Array | undefined) {
    this.sequence = sequence
    this.id = id
    this.resetToken = resetToken
  }
}

export class PeerIds implements FrameOwner {
  readonly #limit: number
  /** By sequence number. */
  #active: PeerId[]
  /** The one of the path in use. */
  #current: PeerId
  /** Everything below is retired, */
  #retirePriorTo = 0
  /** and some above. */
  readonly #retiredAbove = new RangeSet()
  /** Sequence numbers whose retirement is not acknowledged; true: to be sent (again). */
  readonly #retiring = new Map<number, boolean>()
  #due = 0

  /** `limit` is our active_connection_id_limit. `first` is where our packets go until the peer chooses an id. */
  constructor(first: Uint8Array, limit: number) {
    this.#limit = limit
    this.#current = new PeerId(0, first, undefined)
    this.#active = [this.#current]
  }

  get current(): Uint8Array {
    return this.#current.id
  }

  /** One that was on no path yet: for another one (RFC 9000 §9.5). */
  get spare(): Uint8Array | undefined {
    return this.#spare?.id
  }

  /**
   * The id for a path that is not the one in use: always the same, and that of no other path (RFC 9000 §9.5). Undefined
   * when the peer has given none. Kept until then, and given back if it was not used for moving.
   */
  idFor(path: Address, keptUntil: number): Uint8Array | undefined {
    if (this.current.length === 0) return this.current
    const peer = this.#shownOn(path) ?? this.#show(path)
    if (peer !== undefined) peer.keptUntil = keptUntil
    return peer?.id
  }

  /**
   * Packets go by way of `path` now, under its id; that of `former` is kept for what is still to be said there. False
   * when there is none to spare.
   */
  moveTo(path: Address, former: Address, keptUntil: number): boolean {
    if (this.current.length === 0) return true
    const next = this.#shownOn(path) ?? this.#spare
    if (next === undefined) return false
    this.#current.path = former
    this.#current.keptUntil = keptUntil
    next.path = undefined
    this.#current = next
    this.#boundOthers()
    return true
  }

  /** Back to the path of before, if it has an id of its own; that of the path left is not used again. */
  moveBack(path: Address): void {
    const former = this.#shownOn(path)
    if (former === undefined) return
    const left = this.#current
    former.path = undefined
    this.#current = former
    this.#retireOne(left)
  }

  /** A path is given up: its id was seen there, and is not used again. */
  release(path: Address): void {
    const peer = this.#shownOn(path)
    if (peer !== undefined) this.#retireOne(peer)
  }

  /** When an id is given back (RFC 9000 §5.1.2). */
  get deadline(): number {
    let next = Number.POSITIVE_INFINITY
    for (const { path, keptUntil } of this.#active) if (path !== undefined && keptUntil < next) next = keptUntil
    return next
  }

  onTimeout(now: number): void {
    for (const peer of [...this.#active]) if (peer.path !== undefined && peer.keptUntil <= now) this.#retireOne(peer)
  }

  get hasDue(): boolean {
    return this.#due > 0
  }

  /** RFC 9000 §7.2: the handshake replaces the id we made up by the peer's own, or by the one of a Retry. */
  setInitial(id: Uint8Array): void {
    this.#current.id = id.slice()
  }

  /** From the server's transport parameters. */
  setInitialResetToken(token: Uint8Array): void {
    const first = this.#active.find(peer => peer.sequence === 0)
    if (first) first.resetToken = token
  }

  /** RFC 9000 §5.1.1: its id has the sequence number 1. */
  onPreferredAddress({ connectionId, statelessResetToken }: PreferredAddress): void {
    this.onNew({
      type: FrameType.NewConnectionId,
      sequence: 1,
      retirePriorTo: 0,
      id: connectionId,
      statelessResetToken,
    })
  }

  /** RFC 9000 §10.3.1: compared with the tokens of ids that were used and not retired, each in constant time. */
  isStatelessReset(datagram: Uint8Array): boolean {
    for (const peer of this.#active) {
      if (peer !== this.#current && peer.path === undefined) continue
      if (peer.resetToken !== undefined && hasStatelessResetToken(datagram, peer.resetToken)) return true
    }
    return false
  }

  onNew(frame: NewConnectionIdFrame): void {
    if (this.current.length === 0) throw violation('a peer with a zero-length id issues another')
    if (frame.retirePriorTo > frame.sequence) {
      throw new TransportError(ErrorCode.FrameEncodingError, 'retires ids not yet issued', FrameType.NewConnectionId)
    }
    const known = this.#active.find(peer => peer.sequence === frame.sequence || equal(peer.id, frame.id))
    if (known !== undefined) {
      if (known.sequence !== frame.sequence || !equal(known.id, frame.id)) throw violation('an id is issued twice')
      return
    }
    // Late, after it was used up.
    if (this.#retiredAbove.contains(frame.sequence)) return
    if (frame.sequence < this.#retirePriorTo) this.#retire(frame.sequence)
    else {
      const { sequence } = frame
      const at = this.#active.findIndex(peer => peer.sequence > sequence)
      const added = new PeerId(sequence, frame.id.slice(), frame.statelessResetToken.slice())
      this.#active.splice(at < 0 ? this.#active.length : at, 0, added)
    }
    this.#advance(frame.retirePriorTo)
    if (this.#active.length > this.#limit) {
      throw new TransportError(ErrorCode.ConnectionIdLimitError, 'more ids than we keep', FrameType.NewConnectionId)
    }
  }

  write(packet: PacketWriter): void {
    if (this.#due === 0) return
    for (const [sequence, isDue] of this.#retiring) {
      if (!isDue) continue
      if (packet.remaining < retireConnectionIdSize(sequence)) return
      writeRetireConnectionId(packet, sequence)
      packet.record(new SentFrame(SentKind.RetireConnectionId, sequence))
      this.#retiring.set(sequence, false)
      this.#due--
    }
  }

  onAcked(frame: SentFrame): void {
    if (this.#retiring.get(frame.id)) this.#due--
    this.#retiring.delete(frame.id)
  }

  onLost(frame: SentFrame): void {
    if (this.#retiring.get(frame.id) !== false) return
    this.#retiring.set(frame.id, true)
    this.#due++
  }

  get #spare(): PeerId | undefined {
    return this.#active.find(peer => peer !== this.#current && peer.path === undefined)
  }

  #shownOn(path: Address): PeerId | undefined {
    return this.#active.find(peer => peer.path !== undefined && isSameAddress(peer.path, path))
  }

  /** A new path takes a spare id. None while the peer is slow to hear of those that came back. */
  #show(path: Address): PeerId | undefined {
    if (this.#retiring.size >= 2 * this.#limit) return undefined
    const peer = this.#spare
    if (peer === undefined) return undefined
    peer.path = path
    this.#boundOthers()
    return peer
  }

  /** One stays to spare, for the next path: the one that has waited longest makes room. */
  #boundOthers(): void {
    const others = this.#active.filter(peer => peer.path !== undefined)
    if (others.length <= Math.max(1, this.#limit - 2)) return
    this.#retireOne(others.reduce((first, peer) => (peer.keptUntil < first.keptUntil ? peer : first)))
  }

  #retireOne(peer: PeerId): void {
    const { sequence } = peer
    this.#retire(sequence)
    this.#active.splice(this.#active.indexOf(peer), 1)
    this.#retiredAbove.add(sequence, sequence + 1)
    const lowest = (this.#active[0] as PeerId).sequence
    if (lowest > this.#retirePriorTo) this.#advance(lowest)
    if (this.#retiredAbove.count <= MAX_SEQUENCE_GAPS) return
    throw violation('a peer leaves out sequence numbers')
  }

  #advance(retirePriorTo: number): void {
    if (retirePriorTo <= this.#retirePriorTo) return
    this.#retirePriorTo = retirePriorTo
    this.#retiredAbove.removeBelow(retirePriorTo)
    const kept: PeerId[] = []
    for (const peer of this.#active) {
      if (peer.sequence < retirePriorTo) this.#retire(peer.sequence)
      else kept.push(peer)
    }
    this.#active = kept
    if (kept.includes(this.#current)) return
    // The frame that says so brings one that stays.
    this.#current = this.#spare ?? (kept[0] as PeerId)
    this.#current.path = undefined
  }

  #retire(sequence: number): void {
    if (this.#retiring.has(sequence)) return
    if (this.#retiring.size >= this.#limit * MAX_UNACKED_RETIREMENTS_PER_ID) {
      throw new TransportError(ErrorCode.ConnectionIdLimitError, 'too many retirements', FrameType.NewConnectionId)
    }
    this.#retiring.set(sequence, true)
    this.#due++
  }
}

function violation(reason: string): TransportError {
  return new TransportError(ErrorCode.ProtocolViolation, reason, FrameType.NewConnectionId)
}
