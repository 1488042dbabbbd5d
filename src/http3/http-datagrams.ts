// HTTP datagrams (RFC 9297 §2): which request a QUIC datagram belongs to.

import { Reader } from '../bytes/reader.ts'
import { varintSize } from '../bytes/varint.ts'
import { Writer } from '../bytes/writer.ts'
import { limits } from '../limits.ts'
import { Http3Error, Http3ErrorCode } from './error-codes.ts'
import { varintLength } from './frames.ts'
import type { Http3Transport } from './transport.ts'

export interface HttpDatagram {
  /** The id of the request stream. */
  readonly id: number
  readonly payload: Uint8Array
}

/** Throws H3_DATAGRAM_ERROR for what has no id, or one that no stream can have. */
export function readHttpDatagram(data: Uint8Array): HttpDatagram {
  const reader = new Reader(data)
  if (reader.isDone || reader.remaining < varintLength(reader.peek())) throw wrong('a datagram without a stream id')
  const quarter = reader.varint()
  if (quarter >= 2 ** 60) throw wrong('a datagram of a stream that cannot be')
  return { id: 4 * quarter, payload: reader.rest() }
}

/** False: the peer takes none, or none so large. */
export function sendHttpDatagram(transport: Http3Transport, id: number, payload: Uint8Array): boolean {
  if (transport.sendDatagram === undefined) return false
  const writer = Writer.allocate(varintSize(id / 4) + payload.length)
  writer.varint(id / 4)
  writer.put(payload)
  return transport.sendDatagram(writer.bytes, 0, 0)
}

/** Bytes of the largest payload that can be sent now; 0: none can. */
export function maxHttpDatagramSize(transport: Http3Transport, id: number): number {
  return Math.max(0, (transport.datagramLimits?.size ?? 0) - varintSize(id / 4))
}

/** Datagrams that came before the request they belong to, or before somebody wanted them. */
export class EarlyDatagrams {
  readonly #kept: HttpDatagram[] = []

  /** At the bound the oldest is dropped. */
  keep(id: number, payload: Uint8Array): void {
    if (this.#kept.length === limits.earlyDatagrams) this.#kept.shift()
    this.#kept.push({ id, payload: payload.slice() })
  }

  /** Those of one request, oldest first; they are not kept any longer. */
  take(id: number): Uint8Array[] {
    const taken: Uint8Array[] = []
    for (let i = 0; i < this.#kept.length; ) {
      const datagram = this.#kept[i] as HttpDatagram
      if (datagram.id === id) {
        taken.push(datagram.payload)
        this.#kept.splice(i, 1)
      } else i++
    }
    return taken
  }
}

function wrong(reason: string): Http3Error {
  return new Http3Error(Http3ErrorCode.DatagramError, reason)
}
