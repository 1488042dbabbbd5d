// The end of an AEAD decryption by node:crypto.

import type { DecipherGCM } from 'node:crypto'

/** False for a wrong tag, for which Node throws; without a trace that takes hardly longer than a right one. */
export function isFinished(decipher: DecipherGCM): boolean {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    decipher.final()
    return true
  } catch {
    return false
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
