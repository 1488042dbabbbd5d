// Certificates for servers in tests: one P-256 authority and a leaf for each kind of key, all good from 2020 to 2099.
// test/vectors/x509/make.sh makes them.

import { readFileSync } from 'node:fs'

export interface TestIdentity {
  /** The chain as a server would be configured with it: the leaf alone, the authority being a root. */
  readonly chainPem: string
  /** PKCS#8. */
  readonly keyPem: string
  /** The same chain in DER, leaf first. */
  readonly chain: readonly Uint8Array[]
}

/** What every leaf is good for. */
export const testHosts: readonly string[] = ['localhost', 'zerotrip.test', '127.0.0.1', '::1']

/** A wall clock (unix ms) at which everything here is valid: 2025-01-01. */
export const testTime: number = Date.UTC(2025, 0, 1)

/** The text of a file of test/vectors/x509. */
export function x509Vector(name: string, encoding: 'latin1' | 'utf8' = 'latin1'): string {
  return readFileSync(new URL(`../vectors/x509/${name}`, import.meta.url), encoding)
}

/** The certificates of a PEM file there, in DER. */
export function x509Chain(name: string): Uint8Array[] {
  const blocks = x509Vector(name).matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g)
  return Array.from(blocks, block => Uint8Array.from(Buffer.from(block[1] as string, 'base64')))
}

export const caPem: string = x509Vector('ca.pem')
/** The root to trust. */
export const caDer: Uint8Array = x509Chain('ca.pem')[0] as Uint8Array

export const p256: TestIdentity = identity('leaf-p256')
export const rsa: TestIdentity = identity('leaf-rsa')
export const ed25519: TestIdentity = identity('leaf-ed25519')

function identity(name: string): TestIdentity {
  return { chainPem: x509Vector(`${name}.pem`), keyPem: x509Vector(`${name}.key`), chain: x509Chain(`${name}.pem`) }
}
