// Path building and validation (RFC 5280 §6, RFC 4158): from the leaf of a server to a root, time passed in.
// Not done: revocation, and policies (every policy is accepted).

import { equal } from '../bytes/equal.ts'
import { toHex } from '../bytes/hex.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import { limits } from '../limits.ts'
import { type Certificate, isSelfIssued, parseCertificate } from './certificate.ts'
import { CertificateError } from './certificate-error.ts'
import { KeyUsage, Purpose } from './extensions.ts'
import { matchesHost } from './host-name.ts'
import { ComparisonBudget, checkNameConstraints } from './name-constraints.ts'
import { keyType, signatureScheme } from './signature-algorithm.ts'

/** Certificates that a peer may send. */
export const MAX_CHAIN_CERTIFICATES: number = limits.chainLength
/** Certificates in a path, leaf and root included. */
export const MAX_PATH_LENGTH: number = limits.pathLength
/** Signatures that are checked for one chain before it is given up: cross-signed names can be woven into a maze. */
export const MAX_SIGNATURE_CHECKS: number = limits.signatureChecks

/** Judges chains of servers and clients against a set of roots. */
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
   */
  verify(chain: readonly Uint8Array[], serverName: string, unixTime: number): void {
    const [leaf, ...others] = this.#parse(chain)
    checkLeaf(leaf, Purpose.serverAuth, unixTime)
    if (!matchesHost(leaf, serverName)) {
      throw new CertificateError('hostMismatch', `the certificate is not for ${serverName}`)
    }
    this.#findPath(leaf, others, Purpose.serverAuth, unixTime)
  }

  /** The same for a TLS client, whose name is whatever the certificate says. */
  verifyClient(chain: readonly Uint8Array[], unixTime: number): void {
    const [leaf, ...others] = this.#parse(chain)
    checkLeaf(leaf, Purpose.clientAuth, unixTime)
    this.#findPath(leaf, others, Purpose.clientAuth, unixTime)
  }

  /** Subjects of the roots in DER: what a CertificateRequest names. */
  get authorities(): readonly Uint8Array[] {
    return [...this.#roots.values()].map(([root]) => (root as Certificate).subject)
  }

  #parse(chain: readonly Uint8Array[]): [Certificate, ...Certificate[]] {
    if (chain.length === 0) throw new CertificateError('malformed', 'no certificate')
    if (chain.length > MAX_CHAIN_CERTIFICATES) throw new CertificateError('tooComplex', 'too many certificates')
    return chain.map(parseCertificate) as [Certificate, ...Certificate[]]
  }

  #findPath(leaf: Certificate, others: readonly Certificate[], purpose: string, unixTime: number): void {
    // A root that is itself the leaf needs no path: the self-signed certificate of a development machine.
    if (this.#rootsNamed(leaf.subject).some(root => equal(root.der, leaf.der))) return
    new PathSearch(this.#backend, name => this.#rootsNamed(name), others, purpose, unixTime).run(leaf)
  }

  #rootsNamed(name: Uint8Array): readonly Certificate[] {
    return this.#roots.get(toHex(name)) ?? []
  }
}

/** Depth first from the leaf upwards, roots before intermediates. */
class PathSearch {
  readonly #backend: CryptoBackend
  readonly #rootsNamed: (name: Uint8Array) => readonly Certificate[]
  readonly #intermediates: readonly Certificate[]
  readonly #purpose: string
  readonly #unixTime: number
  readonly #comparisons = new ComparisonBudget()
  #signatureChecks = 0
  /** The first thing that stood in the way of a path; tells more than that there is none. */
  #obstacle: CertificateError | undefined = undefined

  constructor(
    backend: CryptoBackend,
    rootsNamed: (name: Uint8Array) => readonly Certificate[],
    intermediates: readonly Certificate[],
    purpose: string,
    unixTime: number,
  ) {
    this.#backend = backend
    this.#rootsNamed = rootsNamed
    this.#intermediates = intermediates
    this.#purpose = purpose
    this.#unixTime = unixTime
  }

  run(leaf: Certificate): void {
    if (this.#extend([leaf])) return
    throw this.#obstacle ?? new CertificateError('unknownCa', 'no path to a trusted root')
  }

  /** `path` is leaf first and every certificate in it is signed by the next. True when it reaches a root. */
  #extend(path: readonly Certificate[]): boolean {
    if (path.length === MAX_PATH_LENGTH) return false
    const child = path[path.length - 1] as Certificate
    for (const root of this.#rootsNamed(child.issuer)) {
      if (this.#attempt(() => this.#checkIssuer(root, path, true)) && this.#attempt(() => this.#checkNames(path, root)))
        return true
    }
    for (const candidate of this.#intermediates) {
      if (!equal(candidate.subject, child.issuer) || path.some(other => isSameEntity(other, candidate))) continue
      if (this.#attempt(() => this.#checkIssuer(candidate, path, false)) && this.#extend([...path, candidate]))
        return true
    }
    return false
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
    checkValidity(issuer, this.#unixTime)
    checkAuthority(issuer, isRoot)
    checkPathLength(issuer, path)
    if (!isRoot) checkPurpose(issuer, this.#purpose, true)
    this.#checkSignature(path[path.length - 1] as Certificate, issuer)
  }

  #checkSignature(child: Certificate, issuer: Certificate): void {
    if (++this.#signatureChecks > MAX_SIGNATURE_CHECKS) throw new CertificateError('tooComplex', 'too many signatures')
    const type = keyType(issuer.publicKey)
    const scheme = type && signatureScheme(child.signatureAlgorithm, type)
    if (scheme === undefined || !this.#backend.signatureSchemes.includes(scheme)) {
      throw new CertificateError('unsupported', 'signed by an algorithm that is unknown, or by a key it is not for')
    }
    if (!this.#backend.verify(scheme, issuer.publicKey, child.signature, child.tbs)) {
      throw new CertificateError('bad', 'a signature that does not verify')
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
    throw new CertificateError('unsupported', 'a key that may not sign handshakes')
  }
  if (keyType(leaf.publicKey) === undefined) throw new CertificateError('unsupported', 'a key of an unknown kind')
}

// RFC 5280 §4.2
function checkUnderstood({ unknownCritical }: Certificate): void {
  if (unknownCritical !== undefined) throw new CertificateError('unsupported', `critical extension ${unknownCritical}`)
}

// RFC 5280 §6.1.3 (a)(2). A date has no parts of a second: the last one counts as a whole.
function checkValidity({ notBefore, notAfter }: Certificate, unixTime: number): void {
  if (unixTime < notBefore) throw new CertificateError('expired', 'not yet valid')
  if (!(unixTime < notAfter + 1000)) throw new CertificateError('expired', 'expired')
}

// RFC 5280 §6.1.4 (k) and (n). Roots from before version 3 cannot say that they are one and need not.
function checkAuthority(issuer: Certificate, isRoot: boolean): void {
  const mayOmit = isRoot && issuer.version < 3
  if (!mayOmit && !issuer.basicConstraints?.isCa) throw new CertificateError('bad', 'issued by one who is no authority')
  if (issuer.keyUsage !== undefined && !(issuer.keyUsage & KeyUsage.keyCertSign)) {
    throw new CertificateError('bad', 'issued with a key that may not sign certificates')
  }
}

// RFC 5280 §4.2.1.9: the leaf does not count, nor does an authority that renewed itself.
function checkPathLength(issuer: Certificate, path: readonly Certificate[]): void {
  const limit = issuer.basicConstraints?.pathLength
  if (limit === undefined) return
  let count = 0
  for (let i = 1; i < path.length; i++) if (!isSelfIssued(path[i] as Certificate)) count++
  if (count > limit) throw new CertificateError('bad', 'a path that is longer than its authority allows')
}

// RFC 5280 §4.2.1.12. In an authority the extension narrows what it may issue, as everybody but the RFC has it.
function checkPurpose({ extendedKeyUsage }: Certificate, purpose: string, isAuthority: boolean): void {
  if (extendedKeyUsage === undefined || extendedKeyUsage.includes(purpose)) return
  if (isAuthority && extendedKeyUsage.includes(Purpose.any)) return
  throw new CertificateError(
    'unsupported',
    `a certificate that is not for TLS ${purpose === Purpose.serverAuth ? 'servers' : 'clients'}`,
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
