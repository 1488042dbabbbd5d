// A body read whole, up to a limit: whoever sends one does not say how long it will be.

/** Bytes that are read whole rather than passed on as they come: a stream costs more than they do. */
const SMALL = 65_536

/** By its `content-length`; a body that has none may be of any size. */
export function isSmall(contentLength: string | null | undefined): boolean {
  return Number(contentLength ?? Number.POSITIVE_INFINITY) <= SMALL
}

/** Undefined: it is longer than `limit` bytes. */
export async function wholeBody(
  pieces: AsyncIterable<Uint8Array> | null,
  limit: number,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of pieces ?? []) {
    length += chunk.length
    if (length > limit) return undefined
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
}
