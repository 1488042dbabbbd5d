// The stream verbs of a connection, as HTTP/3 and the raw streams use them: each lets the driver know.

import type { Connection } from '../connection/connection.ts'
import type { ConnectionStatistics } from '../connection/statistics.ts'

/** What a session lends to the verbs. */
export interface TransportHost {
  /** Something may be due. */
  onChanged(): void
  /** The connection is to end with an error code of the application. */
  onClose(errorCode: number, reason: string): void
}

/** `Connection` says what each verb does. */
export class SessionTransport {
  readonly #connection: Connection
  readonly #host: TransportHost

  constructor(connection: Connection, host: TransportHost) {
    this.#connection = connection
    this.#host = host
  }

  get isClient(): boolean {
    return this.#connection.isClient
  }

  get isHandshakeConfirmed(): boolean {
    return this.#connection.isHandshakeConfirmed
  }

  openStream(direction: 'bidi' | 'uni'): number | undefined {
    return this.#connection.openStream(direction)
  }

  write(id: number, bytes: Uint8Array, fin: boolean): number {
    this.#host.onChanged()
    return this.#connection.write(id, bytes, fin)
  }

  read(id: number): { readonly data: Uint8Array; readonly fin: boolean } | undefined {
    // Reading gives credit, which may be worth a frame.
    this.#host.onChanged()
    return this.#connection.read(id)
  }

  reset(id: number, errorCode: number): void {
    this.#host.onChanged()
    this.#connection.reset(id, errorCode)
  }

  resetAt(id: number, errorCode: number, reliableSize: number): boolean {
    this.#host.onChanged()
    return this.#connection.resetAt(id, errorCode, reliableSize)
  }

  stop(id: number, errorCode: number): void {
    this.#host.onChanged()
    this.#connection.stop(id, errorCode)
  }

  count(id: number): ReturnType<Connection['count']> {
    return this.#connection.count(id)
  }

  close(errorCode: number, reason: string): void {
    this.#host.onClose(errorCode, reason)
  }

  sendDatagram(data: Uint8Array, id: number, urgency: number): boolean {
    this.#host.onChanged()
    return this.#connection.sendDatagram(data, id, urgency)
  }

  get datagramLimits(): { readonly size: number; readonly room: number } {
    return this.#connection.datagramLimits
  }

  holdDatagrams(bytes: number): void {
    this.#connection.holdDatagrams(bytes)
  }

  statistics(): ConnectionStatistics {
    return this.#connection.statistics()
  }

  /** Everything that was on its way from the peer when this was called has come, or is lost: a round trip later. */
  afterRoundTrip(callback: () => void): void {
    setTimeout(callback, Math.ceil(this.statistics().rtt.smoothed))
  }

  isEarly(id: number): boolean {
    return this.#connection.isEarly(id)
  }

  setPriority(id: number, urgency: number, isIncremental: boolean): void {
    this.#connection.setPriority(id, urgency, isIncremental)
  }
}
