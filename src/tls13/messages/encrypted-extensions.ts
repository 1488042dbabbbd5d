// EncryptedExtensions (RFC 8446 §4.3.1).

import { Writer } from '../../bytes/writer.ts'
import { Alert, TlsAlert } from '../alert.ts'
import {
  checkAnswer,
  ExtensionType,
  readAlpn,
  readBody,
  readEmpty,
  readExtensions,
  writeAlpn,
  writeEmpty,
  writeTransportParameters,
} from '../extensions.ts'
import { beginMessage, endMessage, expectDone, HandshakeType, illegalParameter, type Message } from './handshake.ts'

export interface EncryptedExtensions {
  readonly alpn: string
  readonly transportParameters: Uint8Array
  readonly isEarlyDataAccepted: boolean
  /** The server used the name it was given (RFC 6066 §3). */
  readonly isNameAcknowledged: boolean
}

/** `offered` are the types of the ClientHello. */
export function readEncryptedExtensions(message: Message, offered: ReadonlySet<number>): EncryptedExtensions {
  const reader = message.body()
  const extensions = readExtensions(reader)
  expectDone(reader, 'EncryptedExtensions')
  checkAnswer(extensions, offered, ALLOWED)
  const isEmpty = (type: ExtensionType): boolean => {
    const body = extensions.get(type)
    return body !== undefined && readBody(body, readEmpty)
  }
  const protocol = extensions.get(ExtensionType.Alpn)
  // RFC 9001 §8.1 and §8.2.
  if (protocol === undefined) throw new TlsAlert(Alert.NoApplicationProtocol, 'the server chose no protocol')
  const transportParameters = extensions.get(ExtensionType.QuicTransportParameters)
  if (transportParameters === undefined) throw new TlsAlert(Alert.MissingExtension, 'no transport parameters')
  return {
    alpn: oneProtocol(protocol),
    transportParameters,
    isEarlyDataAccepted: isEmpty(ExtensionType.EarlyData),
    isNameAcknowledged: isEmpty(ExtensionType.ServerName),
  }
}

const ALLOWED: readonly number[] = [
  ExtensionType.ServerName,
  ExtensionType.SupportedGroups,
  ExtensionType.Alpn,
  ExtensionType.EarlyData,
  ExtensionType.QuicTransportParameters,
]

/** RFC 7301 §3.1: the answer holds exactly one name. */
function oneProtocol(body: Uint8Array): string {
  const protocols = readBody(body, readAlpn)
  if (protocols.length !== 1) throw illegalParameter(`${protocols.length} protocols chosen`)
  return protocols[0] as string
}

export function writeEncryptedExtensions(fields: EncryptedExtensions): Uint8Array {
  const w = Writer.allocate(64 + fields.alpn.length + fields.transportParameters.length)
  const start = beginMessage(w, HandshakeType.EncryptedExtensions)
  const extensions = w.beginVector(2)
  if (fields.isNameAcknowledged) writeEmpty(w, ExtensionType.ServerName)
  writeAlpn(w, [fields.alpn])
  writeTransportParameters(w, fields.transportParameters)
  if (fields.isEarlyDataAccepted) writeEmpty(w, ExtensionType.EarlyData)
  w.endVector(extensions, 2)
  return endMessage(w, start)
}
