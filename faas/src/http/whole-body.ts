// A body read whole, up to a limit: whoever sends one does not say how long it will be.

/** Undefined: it is longer than `limit` bytes. */
export async function wholeBody(
  { body }: { readonly body: ReadableStream<Uint8Array> | null },
  limit: number,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
    length += chunk.length
    if (length > limit) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
