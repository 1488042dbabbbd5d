// Finished (RFC 8446 §4.4.4).

import { Writer } from '../../bytes/writer.ts'
import { beginMessage, decodeError, endMessage, HandshakeType, type Message } from './handshake.ts'

/** The verify_data. A length other than that of the hash is a fault of form (RFC 8446 §6.2). */
export function readFinished(message: Message, hashLength: number): Uint8Array {
  const verifyData = message.body().rest()
  if (verifyData.length !== hashLength) throw decodeError(`a Finished of ${verifyData.length} bytes`)
  return verifyData
}

export function writeFinished(verifyData: Uint8Array): Uint8Array {
  const w = Writer.allocate(4 + verifyData.length)
  const start = beginMessage(w, HandshakeType.Finished)
  w.put(verifyData)
  return endMessage(w, start)
}
