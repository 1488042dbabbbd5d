// Whom a client trusts: what callers may say of it, and the verifier that becomes of it.

import { readFileSync } from 'node:fs'
import { domainToASCII } from 'node:url'
import type { CryptoBackend } from '../crypto/backend.ts'
import { insecureVerifier, pinnedCertificates, pinnedKeys, refusing, verifyChain } from '../tls13/certificate-policy.ts'
import type { CertificateVerifier } from '../tls13/ports.ts'
import { parseCertificate } from '../x509/certificate.ts'
import { pemBlocks } from '../x509/pem.ts'

/** The hash of a certificate, as browsers have it in `serverCertificateHashes`. */
export interface CertificateHash {
  /** `sha-256`; entries with another one are passed over. */
  readonly algorithm: string
  /** 32 bytes. */
  readonly value: Uint8Array
}

/** One of these, or none: then the roots decide that node:tls has by default. */
export interface TrustOptions {
  /**
   * Certificate authorities to trust, PEM (one or more in a text). Default: those of node:tls, with NODE_EXTRA_CA_CERTS,
   * and from Node 22.15 on with --use-system-ca and `tls.setDefaultCACertificates`; read at the first handshake.
   */
  readonly ca?: string | readonly string[]
  /** SHA-256 of public keys (SubjectPublicKeyInfo) to trust instead of a chain. Names and dates are not looked at. */
  readonly pins?: readonly Uint8Array[]
  /**
   * Certificates to trust instead of a chain, on the terms of browsers: SHA-256 of the leaf, a P-256 key, valid now and
   * for 14 days at most. Names are not looked at.
   */
  readonly serverCertificateHashes?: readonly CertificateHash[]
  /** Judges certificates itself: what it throws refuses (a CertificateError with its alert), returning trusts. */
  readonly verifier?: CertificateVerifier
  /** Trusts whoever answers. For tests; says so in its name. */
  readonly insecureNoCertificateCheck?: boolean
}

/** Throws a TypeError for more than one of the options, or for one that nobody can satisfy. */
export function verifierOf(options: TrustOptions, backend: CryptoBackend): CertificateVerifier {
  const { ca, pins, serverCertificateHashes, verifier, insecureNoCertificateCheck } = options
  const hasPins = pins !== undefined && pins.length > 0
  const given = [ca, hasPins || undefined, serverCertificateHashes, verifier, insecureNoCertificateCheck || undefined]
  if (given.filter(option => option !== undefined).length > 1) {
    throw new TypeError(`give one of ${NAMES}: each decides alone whom to trust`)
  }
  if (verifier) return refusing(verifier)
  if (insecureNoCertificateCheck) return insecureVerifier
  if (serverCertificateHashes) return pinnedCertificates(backend, sha256Of(serverCertificateHashes))
  if (hasPins) return pinnedKeys(backend, pins)
  if (ca === undefined) return defaultRoots(backend)
  return rootsVerifier(typeof ca === 'string' ? ca : ca.join('\n'), backend)
}

const NAMES = '`ca`, `pins`, `serverCertificateHashes`, `verifier` and `insecureNoCertificateCheck`'

/** True when the caller decided on trust in a way that pins of a bundle do not replace. */
export function isTrustGiven({ verifier, serverCertificateHashes, insecureNoCertificateCheck }: TrustOptions): boolean {
  return verifier !== undefined || serverCertificateHashes !== undefined || insecureNoCertificateCheck === true
}

/**
 * The name to ask for and to check (RFC 9525 §2): A-labels for what is written with other letters. Throws a TypeError for
 * what has no such form.
 */
export function asciiName(name: string): string {
  if (/^[\0-\x7f]*$/.test(name)) return name
  const ascii = domainToASCII(name)
  if (ascii === '') throw new TypeError(`'${name}' is not a host name: IDNA has no form of it`)
  return ascii
}

// W3C WebTransport: an algorithm that is not known is no error.
function sha256Of(hashes: readonly CertificateHash[]): Uint8Array[] {
  return hashes.filter(({ algorithm }) => algorithm.toLowerCase() === 'sha-256').map(({ value }) => value)
}

/** Who connects often names the same roots each time: they are parsed once. */
function rootsVerifier(ca: string, backend: CryptoBackend): CertificateVerifier {
  let known = verifiers.get(backend)
  if (known === undefined || known.ca !== ca) {
    const roots = pemBlocks(ca, 'CERTIFICATE')
    if (roots.length === 0) throw new TypeError('`ca` holds no PEM certificate (-----BEGIN CERTIFICATE-----)')
    known = { ca, verifier: verifyChain(backend, roots) }
    verifiers.set(backend, known)
  }
  return known.verifier
}

/** The newest of each backend. */
const verifiers = new WeakMap<CryptoBackend, { readonly ca: string; readonly verifier: CertificateVerifier }>()

/** Read when the first chain is to be judged: most short-lived workers never judge one. */
function defaultRoots(backend: CryptoBackend): CertificateVerifier {
  return {
    verify(chain, serverName, unixTime) {
      let known = defaults.get(backend)
      if (known === undefined) {
        known = verifyChain(backend, defaultAuthorities())
        defaults.set(backend, known)
      }
      return known.verify(chain, serverName, unixTime)
    },
  }
}

const defaults = new WeakMap<CryptoBackend, CertificateVerifier>()

/** In DER. A store may hold what is no certificate by today's rules: it is passed over, as it signed nothing we trust. */
function defaultAuthorities(): Uint8Array[] {
  return nodeAuthorities()
    .flatMap(text => pemBlocks(text, 'CERTIFICATE'))
    .filter(isReadable)
}

function isReadable(der: Uint8Array): boolean {
  try {
    parseCertificate(der)
    return true
  } catch {
    return false
  }
}

// Node 22.15 and later knows itself, options of the command line included.
function nodeAuthorities(): readonly string[] {
  // Loaded here: most processes are told whom to trust.
  const tls = process.getBuiltinModule('node:tls')
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default') => string[] }
  return getCACertificates?.('default') ?? [...tls.rootCertificates, ...extraAuthorities()]
}

/** NODE_EXTRA_CA_CERTS counts here as it does for node:tls; one that cannot be read is warned of, as there. */
function extraAuthorities(): string[] {
  const path = process.env['NODE_EXTRA_CA_CERTS']
  if (path === undefined || path === '') return []
  try {
    const text = readFileSync(path, 'latin1')
    pemBlocks(text, 'CERTIFICATE')
    return [text]
  } catch (error) {
    process.emitWarning(`NODE_EXTRA_CA_CERTS is passed over: ${(error as Error).message}`)
    return []
  }
}
