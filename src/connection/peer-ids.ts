// Connection ids the peer issued (RFC 9000 §5.1.2, §19.15).

import { equal } from '../bytes/equal.ts'
import { limits } from '../limits.ts'
import { retireConnectionIdSize, writeRetireConnectionId } from '../packet/frames/connection-id.ts'
import { FrameType, type NewConnectionIdFrame } from '../packet/frames/frame.ts'
import type { FrameOwner, PacketWriter } from '../packet/packet-writer.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'
import { hasStatelessResetToken } from '../packet/stateless-reset.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import type { PreferredAddress } from '../packet/transport-parameters.ts'

/** Retirements not yet acknowledged, as a multiple of the limit we announced: a peer that outruns our
 * RETIRE_CONNECTION_ID frames is cut off. */
export const MAX_UNACKED_RETIREMENTS_PER_ID: number = limits.retirementsPerId

interface PeerId {
  readonly sequence: number
  readonly id: Uint8Array
  readonly resetToken: Uint8Array | undefined
}

export class PeerIds implements FrameOwner {
  readonly #limit: number
  /** By sequence number; the first is the one in use. */
  #active: PeerId[]
  /** Everything below is retired: because the peer asked for it, or because we used it up. */
  #retirePriorTo = 0
  /** Sequence numbers whose retirement is not acknowledged; true: to be sent (again). */
  readonly #retiring = new Map<number, boolean>()
  #due = 0
  /** Ids up to this one were seen on some path. */
  #shown = 0

  /** `limit` is our active_connection_id_limit. `first` is where our packets go until the peer chooses an id. */
  constructor(first: Uint8Array, limit: number) {
    this.#limit = limit
    this.#active = [{ sequence: 0, id: first, resetToken: undefined }]
  }

  get current(): Uint8Array {
    return (this.#active[0] as PeerId).id
  }

  /** One that was on no path yet: for another one (RFC 9000 §9.5). */
  get spare(): Uint8Array | undefined {
    return this.#spare?.id
  }

  get hasDue(): boolean {
    return this.#due > 0
  }

  /** RFC 9000 §7.2: the handshake replaces the id we made up by the peer's own, or by the one of a Retry. */
  setInitial(id: Uint8Array): void {
    this.#active[0] = { sequence: 0, id: id.slice(), resetToken: this.#active[0]?.resetToken }
  }

  /** From the server's transport parameters. */
  setInitialResetToken(token: Uint8Array): void {
    const at = this.#active.findIndex(peer => peer.sequence === 0)
    const first = this.#active[at]
    if (first) this.#active[at] = { sequence: 0, id: first.id, resetToken: token }
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

  /** RFC 9000 §10.3.1: compared with the token of the id in use alone, in constant time. */
  isStatelessReset(datagram: Uint8Array): boolean {
    const token = this.#active[0]?.resetToken
    return token !== undefined && hasStatelessResetToken(datagram, token)
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
    if (frame.sequence < this.#retirePriorTo) this.#retire(frame.sequence)
    else {
      const { sequence } = frame
      const at = this.#active.findIndex(peer => peer.sequence > sequence)
      const added = { sequence, id: frame.id.slice(), resetToken: frame.statelessResetToken.slice() }
      this.#active.splice(at < 0 ? this.#active.length : at, 0, added)
    }
    this.#advance(frame.retirePriorTo)
    if (this.#active.length > this.#limit) {
      throw new TransportError(ErrorCode.ConnectionIdLimitError, 'more ids than we keep', FrameType.NewConnectionId)
    }
  }

  /** Retires the id in use and goes on with another; false when there is none to spare (RFC 9000 §9.5). */
  rotate(): boolean {
    const next = this.#spare
    if (next === undefined) return false
    this.#advance(next.sequence)
    return true
  }

  /** The spare id was seen on a path that leads nowhere: it is not used again, and retired once there is another. */
  dropSpare(): void {
    this.#shown = this.#spare?.sequence ?? this.#shown
    this.rotate()
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
    return this.#active.find((peer, at) => at > 0 && peer.sequence > this.#shown)
  }

  #advance(retirePriorTo: number): void {
    if (retirePriorTo <= this.#retirePriorTo) return
    this.#retirePriorTo = retirePriorTo
    const kept: PeerId[] = []
    for (const peer of this.#active) {
      if (peer.sequence < retirePriorTo) this.#retire(peer.sequence)
      else kept.push(peer)
    }
    this.#active = kept
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
