// What every script checks.

import { ErrorCode } from '../../src/packet/transport-error.ts'

export function check(condition: boolean, message: string): void {
  if (!condition) throw new Error(message)
}

/** RFC 9000 §20.1: the codes a connection has for faults of its peer. */
export function isKnownCode(code: number): boolean {
  return (code >= ErrorCode.ConnectionRefused && code <= 0x11) || (code > 0x100 && code <= 0x1ff)
}
