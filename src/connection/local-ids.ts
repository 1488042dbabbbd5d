// Connection ids we issue (RFC 9000 §5.1.1).

import { equal } from '../bytes/equal.ts'
import { limits } from '../limits.ts'
import { newConnectionIdSize, writeNewConnectionId } from '../packet/frames/connection-id.ts'
import { FrameType, type RetireConnectionIdFrame } from '../packet/frames/frame.ts'
import type { FrameOwner, PacketWriter } from '../packet/packet-writer.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'

/** How many of our ids are alive at once, if the peer allows as many. */
export const MAX_LOCAL_IDS: number = limits.localConnectionIds

/** Where ids and their stateless reset tokens come from: the endpoint, which must be able to route them. */
export interface ConnectionIdSource {
  /** A fresh id; the endpoint has begun to route it to this connection when this returns. */
  create(): Uint8Array
  /** RFC 9000 §10.3: the token for an id. */
  resetToken(id: Uint8Array): Uint8Array
  /** The id is no longer used: stop routing it. */
  retire(id: Uint8Array): void
}

interface LocalId {
  readonly sequence: number
  readonly id: Uint8Array
  isDue: boolean
}

export class LocalIds implements FrameOwner {
  readonly #source: ConnectionIdSource
  readonly #alive: LocalId[] = []
  /** The id the peer uses. */
  #inUse: Uint8Array
  #nextSequence = 1
  #limit = 1
  #due = 0

  /** `first` has the sequence number 0 and came in the handshake. */
  constructor(first: Uint8Array, source: ConnectionIdSource) {
    this.#source = source
    this.#alive.push({ sequence: 0, id: first, isDue: false })
    this.#inUse = first
  }

  /** RFC 9000 §5.1.1: the id of our preferred_address has the sequence number 1. */
  addPreferred(id: Uint8Array): void {
    this.#alive.push({ sequence: this.#nextSequence++, id, isDue: false })
  }

  get hasDue(): boolean {
    return this.#due > 0
  }

  /** The id that the peer's newest packet went to, probes aside. */
  get inUse(): Uint8Array {
    return this.#inUse
  }

  use(id: Uint8Array): void {
    this.#inUse = id.slice()
  }

  isInUse(id: Uint8Array): boolean {
    return equal(id, this.#inUse)
  }

  /** The peer's active_connection_id_limit. A zero-length id can have no siblings. */
  setLimit(activeConnectionIdLimit: number): void {
    if (this.#alive[0]?.id.length === 0) return
    this.#limit = Math.min(activeConnectionIdLimit, MAX_LOCAL_IDS)
    this.#fill()
  }

  /** `packetDestination`: a RETIRE_CONNECTION_ID may not retire the id of the packet that carries it (§19.16). */
  onRetire(frame: RetireConnectionIdFrame, packetDestination: Uint8Array): void {
    if (frame.sequence >= this.#nextSequence) throw violation('retires an id never issued')
    const at = this.#alive.findIndex(local => local.sequence === frame.sequence)
    const local = this.#alive[at]
    if (local === undefined) return
    if (local.id.length === 0 || equal(local.id, packetDestination)) throw violation('retires the id in use')
    this.#alive.splice(at, 1)
    if (local.isDue) this.#due--
    this.#source.retire(local.id)
    this.#fill()
  }

  write(packet: PacketWriter): void {
    if (this.#due === 0) return
    for (const local of this.#alive) {
      if (!local.isDue) continue
      if (packet.remaining < newConnectionIdSize(local.sequence, 0, local.id)) return
      writeNewConnectionId(packet, local.sequence, 0, local.id, this.#source.resetToken(local.id))
      packet.record(new SentFrame(SentKind.NewConnectionId, local.sequence))
      local.isDue = false
      this.#due--
    }
  }

  onAcked(): void {}

  onLost(frame: SentFrame): void {
    const local = this.#alive.find(candidate => candidate.sequence === frame.id)
    if (local === undefined || local.isDue) return
    local.isDue = true
    this.#due++
  }

  /** The connection is over: nothing of it is to be routed. */
  retireAll(): void {
    for (const local of this.#alive) this.#source.retire(local.id)
    this.#alive.length = 0
    this.#due = 0
  }

  #fill(): void {
    while (this.#alive.length < this.#limit) {
      this.#alive.push({ sequence: this.#nextSequence++, id: this.#source.create(), isDue: true })
      this.#due++
    }
  }
}

function violation(reason: string): TransportError {
  return new TransportError(ErrorCode.ProtocolViolation, `peer ${reason}`, FrameType.RetireConnectionId)
}
