// A unidirectional stream of the peer (RFC 9114 §6.2): first its type, then what the type says.

import { Reader } from '../bytes/reader.ts'
import { varintLength } from './frames.ts'
import { StreamType } from './stream-type.ts'

export class UniStream {
  readonly id: number
  /** -1 until it was read. */
  type = -1
  readonly #partial: Uint8Array = new Uint8Array(8)
  #partialLength = 0

  constructor(id: number) {
    this.id = id
  }

  /** RFC 9114 §6.2.1, RFC 9204 §4.2: streams that must not end while the connection lives. */
  get isCritical(): boolean {
    return (
      this.type === StreamType.Control || this.type === StreamType.QpackEncoder || this.type === StreamType.QpackDecoder
    )
  }

  /** Reads the type, which may come in pieces; returns what follows it in `data`. */
  readType(data: Uint8Array): Uint8Array {
    for (let at = 0; at < data.length; at++) {
      this.#partial[this.#partialLength++] = data[at] as number
      if (this.#partialLength < varintLength(this.#partial[0] as number)) continue
      this.type = new Reader(this.#partial).varint()
      return data.subarray(at + 1)
    }
    return data.subarray(data.length)
  }
}
