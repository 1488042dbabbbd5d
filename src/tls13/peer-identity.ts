// Is the peer who it should be? The signature over the handshake, then the chain (RFC 8446 §4.4.2.4, §4.4.3).

import type { CryptoBackend, SignatureScheme } from '../crypto/backend.ts'
import { parseCertificate } from '../x509/certificate.ts'
import { CertificateError } from '../x509/certificate-error.ts'
import { Alert, TlsAlert } from './alert.ts'
import type { TlsClientConfig } from './config.ts'
import { type CertificateVerify, signatureContent } from './messages/certificate-verify.ts'
import { illegalParameter } from './messages/handshake.ts'

/**
 * `transcriptHash` covers ClientHello to the server's Certificate. Returns until when the chain holds (Unix ms), if its
 * verifier says so.
 */
export function verifyServer(
  config: TlsClientConfig,
  chain: readonly Uint8Array[],
  verify: CertificateVerify,
  transcriptHash: Uint8Array,
  unixTime: number,
): number | undefined {
  verifyProof(config.backend, 'server', chain[0] as Uint8Array, verify, transcriptHash)
  const until = config.verifier.verify(chain, config.serverName, unixTime)
  // One that was not written in TypeScript may answer anything.
  return Number.isFinite(until) ? until : undefined
}

/** Has the signer the key of its `leaf`? The signature comes before the chain: it is one operation, the chain is many. */
export function verifyProof(
  backend: CryptoBackend,
  signer: 'client' | 'server',
  leaf: Uint8Array,
  verify: CertificateVerify,
  transcriptHash: Uint8Array,
): void {
  const scheme = backend.signatureSchemes.find(candidate => candidate === verify.scheme)
  if (scheme === undefined) throw illegalParameter(`signature scheme ${verify.scheme} was not offered`)
  if (isCertificateOnly(scheme)) throw illegalParameter('PKCS1 signatures are for certificates alone')
  if (!backend.verify(scheme, leafKey(leaf), verify.signature, signatureContent(signer, transcriptHash))) {
    throw new TlsAlert(Alert.DecryptError, 'the CertificateVerify signature is wrong')
  }
}

/** RFC 8446 §4.4.3: the 0x..01 schemes of RSA are RSASSA-PKCS1-v1_5 (and never in CertificateVerify). */
export function isCertificateOnly(scheme: SignatureScheme): boolean {
  return (scheme & 0xff) === 0x01
}

function leafKey(der: Uint8Array): Uint8Array {
  try {
    return parseCertificate(der).publicKey
  } catch (error) {
    if (error instanceof CertificateError) throw new TlsAlert(Alert.BadCertificate, error.message, error)
    throw error
  }
}
