// A CONNECT on its way: what is the same for all tunnels of a client.

import type { OutgoingRequest } from './client-exchange.ts'
import type { Field } from './field.ts'
import type { RequestStream } from './request-stream.ts'

export abstract class TunnelRequest implements OutgoingRequest {
  readonly bytes = undefined
  readonly hasStream = true
  /** RFC 9110 §9.2.1: CONNECT is not safe. */
  readonly mayBeEarly = false
  readonly isStreaming = false
  readonly isTooEarly = false
  isDone = false
  onDone: () => void = () => {}
  abstract readonly fields: readonly Field[]
  protected stream: RequestStream | undefined = undefined

  get streamId(): number {
    return this.stream === undefined ? -1 : this.stream.id
  }

  onOpened(stream: RequestStream): void {
    this.stream = stream
  }

  onWritable(): void {}

  onStopped(): void {}

  rewind(): void {}

  abstract listen(): boolean

  abstract onResponse(): void

  abstract onContent(): void

  abstract fail(error: unknown): void

  /** Both directions have ended, or it was given up. */
  protected done(): void {
    if (this.isDone) return
    this.isDone = true
    this.onDone()
  }
}
