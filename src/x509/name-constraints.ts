// Name constraints (RFC 5280 §4.2.1.10): an authority that may speak for some names only.

import { equal } from '../bytes/equal.ts'
import { limits } from '../limits.ts'
import type { Certificate } from './certificate.ts'
import { CertificateError } from './certificate-error.ts'
import { contextTag, DerReader, Tag } from './der.ts'
import type { GeneralNames, NameConstraints } from './extensions.ts'

/** How many names may be compared with how many subtrees while one chain is judged. */
export const MAX_NAME_COMPARISONS: number = limits.nameComparisons

/** Counts comparisons down; shared by all certificates of a chain. */
export class ComparisonBudget {
  #left: number = MAX_NAME_COMPARISONS

  spend(count: number): void {
    this.#left -= count
    if (this.#left < 0) throw new CertificateError('tooComplex', 'too many names and name constraints')
  }
}

/** Throws a CertificateError when a name of `certificate` is outside of what the authority above it may speak for. */
export function checkNameConstraints(
  certificate: Certificate,
  constraints: NameConstraints,
  budget: ComparisonBudget,
): void {
  const { permitted, excluded } = constraints
  const { dnsNames, ipAddresses } = certificate
  budget.spend(dnsNames.length * (permitted.dns.length + excluded.dns.length))
  budget.spend(ipAddresses.length * (permitted.ip.length + excluded.ip.length))
  for (const name of dnsNames) {
    check(permitted.dns, name, isInDomain, excluded.dns, mayReachDomain)
  }
  for (const address of ipAddresses) check(permitted.ip, address, isInRange, excluded.ip, isInRange)
  checkDirectoryNames(certificate, permitted, excluded, budget)
  // RFC 5280 §4.2.1.10: a form that is constrained and present but not understood ends it.
  for (const tag of certificate.otherNames) refuseForm(tag, constraints)
  if (hasMailAddress(certificate.subject)) refuseForm(MAIL, constraints)
}

function refuseForm(tag: number, { permitted, excluded }: NameConstraints): void {
  if (permitted.others.includes(tag) || excluded.others.includes(tag)) {
    throw new CertificateError('nameConstraint', 'a name of a kind that is constrained, and how is not understood')
  }
}

type IsIn<T> = (name: T, subtree: T) => boolean

function check<T>(permitted: readonly T[], name: T, isPermitted: IsIn<T>, excluded: readonly T[], isExcluded: IsIn<T>) {
  if (permitted.length > 0 && !permitted.some(subtree => isPermitted(name, subtree))) {
    throw new CertificateError('nameConstraint', 'a name that its authority is not permitted')
  }
  if (excluded.some(subtree => isExcluded(name, subtree))) {
    throw new CertificateError('nameConstraint', 'a name that its authority is denied')
  }
}

/** `name` is `domain` or below it. A dot in front of the domain, although only other forms have it, means below. */
function isInDomain(name: string, domain: string): boolean {
  const low = name.toLowerCase()
  const base = domain.toLowerCase()
  if (base === '' || low === base) return true
  return low.endsWith(base.startsWith('.') ? base : `.${base}`)
}

/** The same for exclusions, where a wildcard must not reach a name below which all is denied. */
function mayReachDomain(name: string, domain: string): boolean {
  if (isInDomain(name, domain)) return true
  if (!name.startsWith('*.')) return false
  const dot = domain.indexOf('.', 1)
  return dot > 0 && domain.slice(dot).toLowerCase() === name.slice(1).toLowerCase()
}

/** `range` is an address and a mask of the same length. */
function isInRange(address: Uint8Array, range: Uint8Array): boolean {
  if (range.length !== address.length * 2) return false
  return address.every((byte, i) => {
    const mask = range[address.length + i] as number
    return (byte & mask) === ((range[i] as number) & mask)
  })
}

function checkDirectoryNames(
  certificate: Certificate,
  permitted: GeneralNames,
  excluded: GeneralNames,
  budget: ComparisonBudget,
): void {
  const subtrees = permitted.directory.length + excluded.directory.length
  if (subtrees === 0) return
  budget.spend((certificate.directoryNames.length + 1) * subtrees)
  const names = [certificate.subject, ...certificate.directoryNames].map(parts).filter(name => name.length > 0)
  // Bytes are compared, where RFC 5280 §7.1 would fold case and spaces. For permissions that only errs on the strict
  // side; for exclusions it would not, so there any directory name at all is refused.
  const bases = permitted.directory.map(parts)
  for (const name of names) check(bases, name, isBelow, excluded.directory.map(parts), () => true)
}

function isBelow(name: readonly Uint8Array[], base: readonly Uint8Array[]): boolean {
  return base.length <= name.length && base.every((part, i) => equal(part, name[i] as Uint8Array))
}

/** The relative distinguished names of a Name, outermost first. */
function parts(name: Uint8Array): Uint8Array[] {
  const list = new DerReader(name).enter(Tag.Sequence)
  const sets: Uint8Array[] = []
  while (!list.isDone) sets.push(list.element(Tag.Set))
  return sets
}

// RFC 5280 §4.2.1.10: mail addresses that stand in the subject, as they once did, are constrained like the others.
function hasMailAddress(name: Uint8Array): boolean {
  for (const part of parts(name)) {
    const set = new DerReader(part).enter(Tag.Set)
    while (!set.isDone) if (set.enter(Tag.Sequence).oid() === EMAIL_ADDRESS) return true
  }
  return false
}

const MAIL = contextTag(1, false)
const EMAIL_ADDRESS = '1.2.840.113549.1.9.1'
