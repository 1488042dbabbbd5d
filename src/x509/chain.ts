// Path building and validation (RFC 5280 §6, RFC 4158): from a leaf to a root, time passed in.
// Not done: revocation, and policies (every policy is accepted).

import { equal } from '../bytes/equal.ts'
import { toHex } from '../bytes/hex.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import { limits } from '../limits.ts'
import { type Certificate, checkValidity, endOf, isSelfIssued, parseCertificate } from './certificate.ts'
import { CertificateError } from './certificate-error.ts'
import { KeyUsage, Purpose } from './extensions.ts'
import { matchesHost } from './host-name.ts'
import { ComparisonBudget, checkNameConstraints } from './name-constraints.ts'
import { isBroken, keyType, signatureScheme } from './signature-algorithm.ts'

/** Certificates that a peer may send. */
export const MAX_CHAIN_CERTIFICATES: number = limits.chainLength
/** Certificates in a path, leaf and root included. */
export const MAX_PATH_LENGTH: number = limits.pathLength
/** Signatures that are checked for one chain before it is given up: cross-signed names can be woven into a maze. */
export const MAX_SIGNATURE_CHECKS: number = limits.signatureChecks

/** Judges chains of servers, and of clients, against a set of roots. */
export class ChainVerifier {
  readonly #backend: CryptoBackend
  /** By subject. Roots may share one. */
  readonly #roots: ReadonlyMap<string, readonly Certificate[]>

  /** `roots` in DER; throws a TypeError for one that is not a certificate. */
  constructor(backend: CryptoBackend, roots: readonly Uint8Array[]) {
    this.#backend = backend
    this.#roots = bySubject(roots.map(parseRoot))
  }

  /**
   * Returns when `chain` (DER, leaf first, the rest in any order) leads to a root, every certificate of the path is
   * valid at `unixTime` (ms), and the leaf is a TLS server's and `serverName`'s. Throws a CertificateError otherwise.
   * What it returns is the Unix ms at which the first certificate of that path expires.
   */
  verify(chain: readonly Uint8Array[], serverName: string, unixTime: number): number {
    const certificates = parseChain(chain)
    checkLeaf(certificates[0], Purpose.serverAuth, unixTime)
    if (!matchesHost(certificates[0], serverName)) {
      throw new CertificateError('hostMismatch', `the certificate is not for ${serverName}`)
    }
    return this.#findPath(certificates, Purpose.serverAuth, unixTime)
  }

  /** The same for the chain of a TLS client. Its names are not looked at: who may do what is the server's to know. */
  verifyClient(chain: readonly Uint8Array[], unixTime: number): void {
    const certificates = parseChain(chain)
    checkLeaf(certificates[0], Purpose.clientAuth, unixTime)
    this.#findPath(certificates, Purpose.clientAuth, unixTime)
  }

  /** Subjects of the roots in DER: what a CertificateRequest names. */
  get authorities(): readonly Uint8Array[] {
    return [...this.#roots.values()].map(([root]) => (root as Certificate).subject)
  }

  #findPath([leaf, ...others]: ParsedChain, purpose: string, unixTime: number): number {
    // A root that is itself the leaf needs no path: the self-signed certificate of a development machine.
    if (this.#rootsNamed(leaf.subject).some(root => equal(root.der, leaf.der))) return endOf(leaf)
    return new PathSearch(this.#backend, name => this.#rootsNamed(name), others, { purpose, unixTime }).run(leaf)
  }

  #rootsNamed(name: Uint8Array): readonly Certificate[] {
    return this.#roots.get(toHex(name)) ?? []
  }
}

type ParsedChain = readonly [Certificate, ...Certificate[]]

function parseChain(chain: readonly Uint8Array[]): ParsedChain {
  if (chain.length === 0) throw new CertificateError('malformed', 'no certificate')
  if (chain.length > MAX_CHAIN_CERTIFICATES) throw new CertificateError('tooComplex', 'too many certificates')
  return chain.map(parseCertificate) as [Certificate, ...Certificate[]]
}

/** What a path is wanted for. */
interface Wanted {
  readonly purpose: string
  readonly unixTime: number
}

/** Depth first from the leaf upwards, roots before intermediates. */
class PathSearch {
  readonly #backend: CryptoBackend
  readonly #rootsNamed: (name: Uint8Array) => readonly Certificate[]
  readonly #intermediates: readonly Certificate[]
  readonly #wanted: Wanted
  readonly #comparisons = new ComparisonBudget()
  #signatureChecks = 0
  /** The first thing that stood in the way of a path; tells more than that there is none. */
  #obstacle: CertificateError | undefined = undefined

  constructor(
    backend: CryptoBackend,
    rootsNamed: (name: Uint8Array) => readonly Certificate[],
    intermediates: readonly Certificate[],
    wanted: Wanted,
  ) {
    this.#backend = backend
    this.#rootsNamed = rootsNamed
    this.#intermediates = intermediates
    this.#wanted = wanted
  }

  /** When the path expires (Unix ms). */
  run(leaf: Certificate): number {
    const path = this.#extend([leaf])
    if (path !== undefined) return Math.min(...path.map(endOf))
    throw this.#obstacle ?? new CertificateError('unknownCa', 'the certificate leads to no trusted root')
  }

  /** `path` is leaf first and every certificate in it is signed by the next. Returns it with the root it reaches. */
  #extend(path: readonly Certificate[]): readonly Certificate[] | undefined {
    if (path.length === MAX_PATH_LENGTH) return undefined
    const child = path[path.length - 1] as Certificate
    for (const root of this.#rootsNamed(child.issuer)) {
      if (this.#attempt(() => this.#checkIssuer(root, path, true)) && this.#attempt(() => this.#checkNames(path, root)))
        return [...path, root]
    }
    for (const candidate of this.#intermediates) {
      if (!equal(candidate.subject, child.issuer) || path.some(other => isSameEntity(other, candidate))) continue
      if (!this.#attempt(() => this.#checkIssuer(candidate, path, false))) continue
      const found = this.#extend([...path, candidate])
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Work beyond the bounds ends the search; every other fault only this branch of it. */
  #attempt(check: () => void): boolean {
    try {
      check()
      return true
    } catch (error) {
      if (!(error instanceof CertificateError) || error.reason === 'tooComplex') throw error
      this.#obstacle ??= error
      return false
    }
  }

  /** May `issuer` have issued the last certificate of `path`, and did it? The signature, being dear, comes last. */
  #checkIssuer(issuer: Certificate, path: readonly Certificate[], isRoot: boolean): void {
    checkUnderstood(issuer)
    checkValidity(issuer, this.#wanted.unixTime)
    checkAuthority(issuer, isRoot)
    checkPathLength(issuer, path)
    if (!isRoot) checkPurpose(issuer, this.#wanted.purpose, true)
    this.#checkSignature(path[path.length - 1] as Certificate, issuer)
  }

  #checkSignature(child: Certificate, issuer: Certificate): void {
    if (++this.#signatureChecks > MAX_SIGNATURE_CHECKS) throw new CertificateError('tooComplex', 'too many signatures')
    const type = keyType(issuer.publicKey)
    if (type === undefined) throw new CertificateError('unsupportedKey', 'an issuer with a key that cannot be used')
    // RFC 8446 §4.4.2.4
    if (isBroken(child.signatureAlgorithm)) throw new CertificateError('weakSignature', 'signed with SHA-1 or MD5')
    const scheme = signatureScheme(child.signatureAlgorithm, type)
    if (scheme === undefined || !this.#backend.signatureSchemes.includes(scheme)) {
      throw new CertificateError('unsupportedSignature', 'signed with an unknown algorithm, or by a key it is not for')
    }
    if (!this.#backend.verify(scheme, issuer.publicKey, child.signature, child.tbs)) {
      throw new CertificateError('badSignature', 'a signature in the chain does not verify')
    }
  }

  /** RFC 5280 §6.1.4 (g): what an authority may speak for holds for all below it, its own other certificates aside. */
  #checkNames(path: readonly Certificate[], root: Certificate): void {
    const all = [...path, root]
    for (const [height, authority] of all.entries()) {
      if (authority.nameConstraints === undefined) continue
      for (const [below, certificate] of all.slice(0, height).entries()) {
        if (below > 0 && isSelfIssued(certificate)) continue
        checkNameConstraints(certificate, authority.nameConstraints, this.#comparisons)
      }
    }
  }
}

function checkLeaf(leaf: Certificate, purpose: string, unixTime: number): void {
  checkUnderstood(leaf)
  checkValidity(leaf, unixTime)
  checkPurpose(leaf, purpose, false)
  // RFC 8446 §4.4.2.2
  if (leaf.keyUsage !== undefined && !(leaf.keyUsage & KeyUsage.digitalSignature)) {
    throw new CertificateError('wrongPurpose', 'the key of the certificate may not sign handshakes')
  }
  if (keyType(leaf.publicKey) === undefined) {
    throw new CertificateError('unsupportedKey', 'the certificate has a key that cannot be used')
  }
}

// RFC 5280 §4.2
function checkUnderstood({ unknownCritical }: Certificate): void {
  if (unknownCritical === undefined) return
  throw new CertificateError('unknownCritical', `a critical extension that is not understood, ${unknownCritical}`)
}

// RFC 5280 §4.2.1.3, §6.1.4 (k) and (n). Roots from before version 3 cannot say that they are one and need not.
function checkAuthority(issuer: Certificate, isRoot: boolean): void {
  const mayOmit = isRoot && issuer.version < 3
  if (!mayOmit && !issuer.basicConstraints?.isCa) throw new CertificateError('notAuthority', 'issued by no authority')
  if (issuer.keyUsage !== undefined && !(issuer.keyUsage & KeyUsage.keyCertSign)) {
    throw new CertificateError('notAuthority', 'issued with a key that may not sign certificates')
  }
}

// RFC 5280 §4.2.1.9: the leaf does not count, nor does an authority that renewed itself.
function checkPathLength(issuer: Certificate, path: readonly Certificate[]): void {
  const limit = issuer.basicConstraints?.pathLength
  if (limit === undefined) return
  let count = 0
  for (let i = 1; i < path.length; i++) if (!isSelfIssued(path[i] as Certificate)) count++
  if (count > limit) throw new CertificateError('pathTooLong', 'more authorities in a row than one of them allows')
}

// RFC 5280 §4.2.1.12. In an authority the extension narrows what it may issue, as everybody but the RFC has it.
function checkPurpose({ extendedKeyUsage }: Certificate, purpose: string, isAuthority: boolean): void {
  if (extendedKeyUsage === undefined || extendedKeyUsage.includes(purpose)) return
  if (isAuthority && extendedKeyUsage.includes(Purpose.any)) return
  const who = purpose === Purpose.serverAuth ? 'servers' : 'clients'
  throw new CertificateError(
    'wrongPurpose',
    `${isAuthority ? 'an authority' : 'the certificate'} is not for TLS ${who}`,
  )
}

/** The same name with the same key twice in a path is a circle (RFC 4158 §2.4.2). */
function isSameEntity(a: Certificate, b: Certificate): boolean {
  return equal(a.subject, b.subject) && equal(a.publicKey, b.publicKey)
}

function parseRoot(der: Uint8Array, index: number): Certificate {
  try {
    return parseCertificate(der)
  } catch (error) {
    throw new TypeError(`root ${index} is not a certificate in DER`, { cause: error })
  }
}

function bySubject(certificates: readonly Certificate[]): Map<string, Certificate[]> {
  const map = new Map<string, Certificate[]>()
  for (const certificate of certificates) {
    const key = toHex(certificate.subject)
    const same = map.get(key)
    if (same === undefined) map.set(key, [certificate])
    else same.push(certificate)
  }
  return map
}
