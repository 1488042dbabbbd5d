// What a peer that breaks a rule hears: error codes of QUIC, where an alert is 0x0100 and its number (RFC 9001 §4.8).

import { TransportError } from '../../src/packet/transport-error.ts'
import { Alert, TlsAlert } from '../../src/tls13/alert.ts'

export const illegalParameter: number = 0x100 + Alert.IllegalParameter
export const decodeError: number = 0x100 + Alert.DecodeError
export const decryptError: number = 0x100 + Alert.DecryptError
export const protocolVersion: number = 0x100 + Alert.ProtocolVersion
export const missingExtension: number = 0x100 + Alert.MissingExtension
export const unsupportedExtension: number = 0x100 + Alert.UnsupportedExtension
export const unexpectedMessage: number = 0x100 + Alert.UnexpectedMessage
export const handshakeFailure: number = 0x100 + Alert.HandshakeFailure
export const badCertificate: number = 0x100 + Alert.BadCertificate
export const unsupportedCertificate: number = 0x100 + Alert.UnsupportedCertificate
export const protocolViolation: number = 0x0a
export const none: number = -1

export function errorOf(act: () => unknown): number {
  try {
    act()
  } catch (error) {
    if (error instanceof TlsAlert) return 0x100 + error.alert
    if (error instanceof TransportError) return error.code
    throw error
  }
  return none
}
