// Certificate extensions (RFC 5280 §4.2): those that decide whether a TLS server is who it says.

import { limits } from '../limits.ts'
import { contextTag, DerReader, malformed, Tag } from './der.ts'
import { isHostName } from './host-name.ts'

/** Bits of the key usage extension (RFC 5280 §4.2.1.3). */
export const KeyUsage = { digitalSignature: 0x01, keyCertSign: 0x20 } as const

/** Purposes of the extended key usage extension (RFC 5280 §4.2.1.12). */
export const Purpose = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2', any: '2.5.29.37.0' } as const

/** Names in one certificate, and subtrees in one name constraint, that are read; more is malformed. */
export const MAX_NAMES: number = limits.certificateNames
/** Extensions in one certificate. */
export const MAX_EXTENSIONS: number = limits.certificateExtensions

export interface BasicConstraints {
  readonly isCa: boolean
  /** How many authorities may follow below; undefined is any number. */
  readonly pathLength: number | undefined
}

/** A list of GeneralName (RFC 5280 §4.2.1.6), by form. */
export interface GeneralNames {
  readonly dns: readonly string[]
  /** 4 or 16 bytes; in a name constraint 8 or 32, the mask behind the address. */
  readonly ip: readonly Uint8Array[]
  /** DER of the Name. */
  readonly directory: readonly Uint8Array[]
  /** Some name has another form: mail, URI, ... The tags are listed. */
  readonly others: readonly number[]
}

export interface NameConstraints {
  readonly permitted: GeneralNames
  readonly excluded: GeneralNames
}

/** All that was read; undefined is absent. */
export class Extensions {
  basicConstraints: BasicConstraints | undefined = undefined
  keyUsage: number | undefined = undefined
  extendedKeyUsage: readonly string[] | undefined = undefined
  alternativeNames: GeneralNames | undefined = undefined
  nameConstraints: NameConstraints | undefined = undefined
  /** The first critical extension that is not understood. */
  unknownCritical: string | undefined = undefined
}

/** Reads the SEQUENCE OF Extension. */
export function readExtensions(list: DerReader): Extensions {
  const extensions = new Extensions()
  const seen = new Set<string>()
  if (list.isDone) throw malformed('an empty list of extensions')
  while (!list.isDone) {
    const extension = list.enter(Tag.Sequence)
    const id = extension.oid()
    // DER leaves out what is the default, here and in basic constraints, and some authorities do not: read all the same.
    const isCritical = extension.has(Tag.Boolean) && extension.boolean()
    const value = extension.value(Tag.OctetString)
    extension.finish()
    // RFC 5280 §4.2: no extension twice.
    if (seen.has(id)) throw malformed(`extension ${id} twice`)
    if (seen.size >= MAX_EXTENSIONS) throw malformed('too many extensions')
    seen.add(id)
    if (!readExtension(extensions, id, value) && isCritical) extensions.unknownCritical ??= id
  }
  return extensions
}

function readExtension(into: Extensions, id: string, value: Uint8Array): boolean {
  switch (id) {
    case '2.5.29.15':
      into.keyUsage = only(value, reader => reader.namedBits())
      return true
    case '2.5.29.17':
      into.alternativeNames = only(value, reader => readGeneralNames(reader.enter(Tag.Sequence), false))
      return true
    case '2.5.29.19':
      into.basicConstraints = only(value, readBasicConstraints)
      return true
    case '2.5.29.30':
      into.nameConstraints = only(value, readNameConstraints)
      return true
    case '2.5.29.37':
      into.extendedKeyUsage = only(value, readPurposes)
      return true
    // Policies matter only once some certificate requires one (policy constraints, which stay unknown here), so these
    // three are understood by accepting every policy: certificate policies, policy mappings, inhibit any-policy.
    case '2.5.29.32':
    case '2.5.29.33':
    case '2.5.29.54':
      return true
    default:
      return false
  }
}

function only<T>(value: Uint8Array, read: (reader: DerReader) => T): T {
  const reader = new DerReader(value)
  const result = read(reader)
  reader.finish()
  return result
}

// RFC 5280 §4.2.1.9
function readBasicConstraints(reader: DerReader): BasicConstraints {
  const fields = reader.enter(Tag.Sequence)
  const isCa = fields.has(Tag.Boolean) && fields.boolean()
  const pathLength = fields.has(Tag.Integer) ? fields.unsigned() : undefined
  fields.finish()
  return { isCa, pathLength }
}

// RFC 5280 §4.2.1.12
function readPurposes(reader: DerReader): string[] {
  const list = reader.enter(Tag.Sequence)
  const purposes: string[] = []
  do {
    if (purposes.length === MAX_NAMES) throw malformed('too many purposes')
    purposes.push(list.oid())
  } while (!list.isDone)
  return purposes
}

// RFC 5280 §4.2.1.10
function readNameConstraints(reader: DerReader): NameConstraints {
  const fields = reader.enter(Tag.Sequence)
  if (fields.isDone) throw malformed('empty name constraints')
  const permitted = fields.enterIf(contextTag(0, true))
  const excluded = fields.enterIf(contextTag(1, true))
  fields.finish()
  return { permitted: readSubtrees(permitted), excluded: readSubtrees(excluded) }
}

function readSubtrees(list: DerReader | undefined): GeneralNames {
  if (list === undefined) return noNames
  const names = new NameList(true)
  do {
    const subtree = list.enter(Tag.Sequence)
    names.read(subtree)
    // RFC 5280 §4.2.1.10: minimum is 0, which DER leaves out, and maximum is absent.
    subtree.finish()
  } while (!list.isDone)
  return names
}

function readGeneralNames(list: DerReader, areSubtrees: boolean): GeneralNames {
  const names = new NameList(areSubtrees)
  do names.read(list)
  while (!list.isDone)
  return names
}

const noNames: GeneralNames = { dns: [], ip: [], directory: [], others: [] }

class NameList implements GeneralNames {
  readonly dns: string[] = []
  readonly ip: Uint8Array[] = []
  readonly directory: Uint8Array[] = []
  readonly others: number[] = []
  readonly #areSubtrees: boolean
  #count = 0

  constructor(areSubtrees: boolean) {
    this.#areSubtrees = areSubtrees
  }

  read(reader: DerReader): void {
    if (++this.#count > MAX_NAMES) throw malformed('too many names')
    const tag = reader.peek()
    switch (tag) {
      case contextTag(2, false):
        this.dns.push(this.#dnsName(ascii(reader.value(tag))))
        return
      case contextTag(7, false):
        this.ip.push(this.#address(reader.value(tag)))
        return
      case contextTag(4, true): {
        const name = reader.enter(tag)
        this.directory.push(name.element(Tag.Sequence))
        name.finish()
        return
      }
      default:
        if ((tag & 0xc0) !== 0x80) throw malformed('a name of no known form')
        reader.any()
        if (!this.others.includes(tag)) this.others.push(tag)
    }
  }

  // A constraint that is no domain would deny nothing: a wildcard, an address, a name with a dot at its end.
  #dnsName(name: string): string {
    if (this.#areSubtrees && name !== '' && !isHostName(name.replace(/^\./, ''))) throw malformed('a domain')
    return name
  }

  #address(value: Uint8Array): Uint8Array {
    const length = this.#areSubtrees ? value.length / 2 : value.length
    if (length !== 4 && length !== 16) throw malformed('an IP address of a wrong length')
    if (this.#areSubtrees && !isPrefixMask(value.subarray(length))) throw malformed('an IP mask with gaps')
    return value
  }
}

// RFC 5280 §4.2.1.10, RFC 4632 §5.1: ones, then zeros.
function isPrefixMask(mask: Uint8Array): boolean {
  let isEnded = false
  for (const byte of mask) {
    for (let bit = 0x80; bit > 0; bit >>= 1) {
      if (!(byte & bit)) isEnded = true
      else if (isEnded) return false
    }
  }
  return true
}

function ascii(value: Uint8Array): string {
  let text = ''
  for (const byte of value) {
    if (byte >= 0x80) throw malformed('a DNS name that is not ASCII')
    text += String.fromCharCode(byte)
  }
  return text
}
