// Certificates by the name they have in test/vectors/x509/scenarios.pem, and the table of chains made of them.

import type { CertificateErrorReason } from '../../src/x509/certificate-error.ts'
import { caDer, x509Vector } from '../support/certificates.ts'

/** A chain and what is to be said of it. */
export interface ChainCase {
  readonly name: string
  /** Names of certificates, leaf first, space between. */
  readonly chain: string
  /** The same. Default the one authority of test servers. */
  readonly roots?: string
  /** Default host.example.test. */
  readonly host?: string
  /** ISO 8601. Default the beginning of 2025. */
  readonly time?: string
  /** Judged as that of a TLS client. */
  readonly client?: boolean
  /** Undefined: the chain is good. */
  readonly reason?: CertificateErrorReason
  /** Why OpenSSL thinks otherwise, if it does. */
  readonly openssl?: string
}

export const chainCases: readonly ChainCase[] = JSON.parse(x509Vector('chains.json', 'utf8'))

const blocks = x509Vector('scenarios.pem').matchAll(/^(\S+)\n-----BEGIN CERTIFICATE-----([^-]+)-----END/gm)
const scenarios = new Map<string, Uint8Array>(
  Array.from(blocks, block => [block[1] as string, Uint8Array.from(Buffer.from(block[2] as string, 'base64'))]),
)
scenarios.set('ca', caDer)

export function scenario(name: string): Uint8Array {
  const der = scenarios.get(name)
  if (der === undefined) throw new Error(`no certificate ${name}`)
  return der
}

/** Names with space between. */
export function chainOf(names: string): Uint8Array[] {
  return names === '' ? [] : names.split(' ').map(scenario)
}
