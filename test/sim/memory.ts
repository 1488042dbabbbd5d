// Memory of datagrams, used again: in a fast simulation making it would cost more than everything done with it.

/** Buffers kept for later. */
const MAX_FREE = 2048

export class Memory {
  readonly #free: Uint8Array[] = []

  /** `size` bytes of anything. */
  take(size: number): Uint8Array {
    const buffer = this.#free.pop()
    return buffer !== undefined && buffer.length === size ? buffer : new Uint8Array(size)
  }

  /**
   * Whoever read `bytes` has done with them, and so with the datagram they are a view of if they are most of it: of what
   * is less than a quarter of a buffer receivers keep copies, and no views (src/streams/receive-buffer.ts).
   */
  give(bytes: Uint8Array): void {
    const { buffer } = bytes
    if (4 * bytes.length <= 3 * buffer.byteLength || this.#free.length === MAX_FREE) return
    this.#free.push(new Uint8Array(buffer))
  }
}
