// A handshake that waited for a certificate or a signature from outside goes on.

import type { CertifiedKey, EarlyDataRefusal } from '../tls13/ports.ts'
import { drainTls } from './handshake.ts'
import type { Parts } from './parts.ts'
import { takeUpParked } from './receive.ts'

/** To `certificateWanted`, to `signatureWanted` and to `admissionWanted`. */
export type HandshakeAnswer =
  | { readonly certificate: CertifiedKey | undefined }
  | { readonly signature: Uint8Array | undefined }
  | { readonly admission: true | EarlyDataRefusal }

export function goOnWith(parts: Parts, answer: HandshakeAnswer, now: number): void {
  // It may have ended while somebody thought about it.
  if (!parts.close.isOpen) return
  const { tls } = parts.handshake
  if ('signature' in answer) tls.provideSignature(answer.signature)
  else if ('admission' in answer) tls.provideAdmission(answer.admission)
  else tls.provideCertificate(answer.certificate, now + parts.timeOrigin)
  drainTls(parts, now)
  takeUpParked(parts, now)
}
