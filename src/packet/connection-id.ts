// Connection IDs (RFC 9000 §5.1): plain bytes, and the key under which a Map finds them.

/** RFC 9000 §17.2, for versions 1 and 2. Other versions may use up to 255 bytes (RFC 8999 §5.3). */
export const MAX_CONNECTION_ID_LENGTH: number = 20

/** A Map key: one character for each byte, so different ids have different keys. Any length is fine. */
export function connectionIdKey(id: Uint8Array): string {
  let key = ''
  for (let i = 0; i < id.length; i++) key += String.fromCharCode(id[i] as number)
  return key
}
