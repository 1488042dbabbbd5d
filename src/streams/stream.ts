// One stream: its sending part, its receiving part, and its places in the queues.

import type { ReceiveStream } from './receive-stream.ts'
import { DEFAULT_URGENCY, Due, Turn } from './scheduler.ts'
import type { SendStream } from './send-stream.ts'
import { initiatorOf, type Role } from './stream-id.ts'

export class Stream {
  readonly id: number
  /** Undefined for a unidirectional stream of the peer. */
  readonly send: SendStream | undefined
  /** Undefined for a unidirectional stream of ours. */
  readonly receive: ReceiveStream | undefined
  readonly isOurs: boolean
  urgency: number = DEFAULT_URGENCY
  isIncremental = true
  /** What the connection has counted: bytes written and not acknowledged, bytes received, memory altogether. */
  sent = 0
  received = 0
  memory = 0
  /** Its turn to write frames other than STREAM. */
  readonly control: Turn<Stream>
  /** Its turn to write STREAM frames. */
  readonly data: Turn<Stream>

  constructor(id: number, role: Role, send: SendStream | undefined, receive: ReceiveStream | undefined) {
    this.id = id
    this.send = send
    this.receive = receive
    this.isOurs = initiatorOf(id) === role
    this.control = new Turn<Stream>(this)
    this.data = new Turn<Stream>(this, id)
  }

  get isControlDue(): boolean {
    const { send, receive } = this
    return (
      (send !== undefined && (send.isResetDue || send.isBlockedDue)) ||
      (receive !== undefined && (receive.isStopDue || receive.isCreditDue))
    )
  }

  get due(): Due {
    return this.send === undefined ? Due.Nothing : this.send.due
  }

  /**
   * Nothing will happen any more (RFC 9000 §3.4, "closed"). A stream the peer opened stays until the application has
   * ended its part too, even when the peer has reset and stopped it: otherwise a peer could open streams and reset
   * them as fast as it can send, and each would start work here without counting against the limit.
   */
  get isDone(): boolean {
    const { send, receive } = this
    if (receive !== undefined && !receive.isDone) return false
    return send === undefined || (send.isDone && (this.isOurs || send.isEnded))
  }
}
