// A handshake that waited for a certificate or a signature from outside goes on.

import type { CertifiedKey } from '../tls13/ports.ts'
import { drainTls } from './handshake.ts'
import type { Parts } from './parts.ts'
import { takeUpParked } from './receive.ts'

/** To `certificateWanted`, and to `signatureWanted`. */
export type HandshakeAnswer =
  | { readonly certificate: CertifiedKey | undefined }
  | { readonly signature: Uint8Array | undefined }

export function goOnWith(parts: Parts, answer: HandshakeAnswer, now: number): void {
  // It may have ended while somebody thought about it.
  if (!parts.close.isOpen) return
  const { tls } = parts.handshake
  if ('signature' in answer) tls.provideSignature(answer.signature)
  else tls.provideCertificate(answer.certificate, now + parts.timeOrigin)
  drainTls(parts, now)
  takeUpParked(parts, now)
}
