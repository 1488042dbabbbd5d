// The words of draft-ietf-quic-qlog-quic-events for what we hold as numbers.

import { Level, type Space } from '../packet/level.ts'
import { ErrorCode, errorCodeName } from '../packet/transport-error.ts'

/** By Level. */
export const packetTypes: readonly string[] = ['initial', '0RTT', 'handshake', '1RTT']

/** By Space. */
export const spaceNames: readonly string[] = ['initial', 'handshake', 'application_data']

/** KeyType of both directions; 0-RTT has one. */
export function keyTypes(level: Level): readonly string[] {
  if (level === Level.ZeroRtt) return ['client_0rtt_secret']
  const name = level === Level.Initial ? 'initial' : level === Level.Handshake ? 'handshake' : '1rtt'
  return [`client_${name}_secret`, `server_${name}_secret`]
}

export function spaceName(space: Space | undefined): string | undefined {
  return space === undefined ? undefined : spaceNames[space]
}

/** The error of a transport close: a known word, a TLS alert, or `unknown` with its number. */
export function transportError(code: number): { readonly error: string; readonly error_code: number | undefined } {
  if (code >= ErrorCode.CryptoError && code <= 0x1ff) {
    return { error: `crypto_error_0x${code.toString(16)}`, error_code: undefined }
  }
  if (code > ErrorCode.NoViablePath) return { error: 'unknown', error_code: code }
  return { error: snakeCase(errorCodeName(code)), error_code: undefined }
}

/** RFC 9000 §2.1. */
export function streamType(id: number): string {
  return Math.floor(id / 2) % 2 === 1 ? 'unidirectional' : 'bidirectional'
}

/** A version, as eight digits. */
export function versionText(version: number): string {
  return version.toString(16).padStart(8, '0')
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter, at: number) => (at === 0 ? '' : '_') + letter.toLowerCase())
}
