// Fields of a message (RFC 9114 §4.2-4.3): what a section must and must not hold. What comes out of here is legal.

import { Http3ErrorCode, Http3StreamError } from './error-codes.ts'
import type { Field } from './field.ts'

/** The header section of a request. */
export class RequestHead {
  readonly method: string
  /** '' for CONNECT, unless it has a protocol. */
  readonly scheme: string
  readonly authority: string
  /** '' for CONNECT, unless it has a protocol. */
  readonly path: string
  /** Without pseudo-header fields, in the order they came. */
  readonly fields: readonly Field[]
  /** -1 when not given. */
  readonly contentLength: number
  /** `:protocol` of an extended CONNECT (RFC 9220 §3); '' otherwise. */
  readonly protocol: string

  constructor(
    method: string,
    scheme: string,
    authority: string,
    path: string,
    fields: readonly Field[],
    contentLength: number,
    protocol = '',
  ) {
    this.method = method
    this.scheme = scheme
    this.authority = authority
    this.path = path
    this.fields = fields
    this.contentLength = contentLength
    this.protocol = protocol
  }

  /** The value of the first field of that name. */
  field(name: string): string | undefined {
    return fieldValue(this.fields, name)
  }
}

/** The header section of a response, final or interim. */
export class ResponseHead {
  readonly status: number
  readonly fields: readonly Field[]
  readonly contentLength: number

  constructor(status: number, fields: readonly Field[], contentLength: number) {
    this.status = status
    this.fields = fields
    this.contentLength = contentLength
  }

  /** RFC 9110 §15.2. */
  get isInterim(): boolean {
    return this.status < 200
  }

  field(name: string): string | undefined {
    return fieldValue(this.fields, name)
  }
}

/**
 * Throws Http3StreamError H3_MESSAGE_ERROR for a malformed section. `isExtended`: we said that CONNECT may have a
 * protocol (RFC 9220 §3).
 */
export function readRequestHead(section: readonly Field[], isExtended = false): RequestHead {
  const pseudo = new PseudoFields()
  const fields = readFields(section, isExtended ? extendedPseudoFields : requestPseudoFields, pseudo)
  const { method, authority, protocol } = pseudo
  if (!tokenPattern.test(method)) throw malformed('no :method')
  const hasProtocol = (pseudo.has & PSEUDO_PROTOCOL) !== 0
  if (hasProtocol && (method !== 'CONNECT' || !tokenPattern.test(protocol))) throw malformed('invalid :protocol')
  if (method === 'CONNECT' && !hasProtocol) {
    // RFC 9114 §4.4: :scheme and :path are left out.
    if (pseudo.has !== (PSEUDO_METHOD | PSEUDO_AUTHORITY) || authority === '') throw malformed('malformed CONNECT')
  } else if ((pseudo.has & PSEUDO_ALWAYS) !== PSEUDO_ALWAYS) {
    throw malformed('a pseudo-header field is missing')
  } else if (isHttp(pseudo.scheme)) {
    checkPath(method, pseudo.path)
  } else if (!schemePattern.test(pseudo.scheme)) {
    throw malformed('invalid :scheme')
  }
  const named = checkAuthority(pseudo, fieldValue(fields, 'host'))
  return new RequestHead(method, pseudo.scheme, named, pseudo.path, fields, readContentLength(fields), protocol)
}

/** The same for a response. */
export function readResponseHead(section: readonly Field[]): ResponseHead {
  const pseudo = new PseudoFields()
  const fields = readFields(section, responsePseudoFields, pseudo)
  if (!/^[1-9][0-9]{2}$/.test(pseudo.status)) throw malformed('no :status')
  const status = Number(pseudo.status)
  // RFC 9114 §4.5: no Upgrade, so no 101.
  if (status === 101) throw malformed('101 does not exist in HTTP/3')
  return new ResponseHead(status, fields, readContentLength(fields))
}

/** RFC 9114 §4.3: trailers have no pseudo-header fields. */
export function readTrailers(section: readonly Field[]): readonly Field[] {
  return readFields(section, noPseudoFields, new PseudoFields())
}

/** For what is about to be sent: a TypeError for names and values no field can have. */
export function assertSendable(fields: readonly Field[]): void {
  for (const [name, value] of fields) {
    if (!namePattern.test(name) && !(name.startsWith(':') && namePattern.test(name.slice(1)))) {
      throw new TypeError(`not a field name in lower case: ${JSON.stringify(name)}`)
    }
    if (!valuePattern.test(value)) throw new TypeError(`not a value for the field ${name}`)
  }
}

/** RFC 9114 §4.2: these speak of one HTTP/1.1 connection. A sender leaves them out, a receiver refuses the message. */
export function isConnectionSpecific(name: string): boolean {
  return connectionSpecific.has(name)
}

export function fieldValue(fields: readonly Field[], name: string): string | undefined {
  for (const field of fields) if (field[0] === name) return field[1]
  return undefined
}

/** Splits off the pseudo-header fields into `pseudo`; checks order, names and values of all. */
function readFields(section: readonly Field[], allowed: ReadonlyMap<string, number>, pseudo: PseudoFields): Field[] {
  const fields: Field[] = []
  for (const field of section) {
    const [name, value] = field
    if (!valuePattern.test(value)) throw malformed('invalid character in a field value')
    if (name.startsWith(':')) {
      const bit = allowed.get(name)
      if (bit === undefined) throw malformed(`unexpected ${JSON.stringify(name)}`)
      if (fields.length > 0) throw malformed('pseudo-header field after a field')
      pseudo.set(bit, value)
    } else {
      if (!namePattern.test(name)) throw malformed('invalid field name')
      if (connectionSpecific.has(name)) throw malformed(`${name} is connection-specific`)
      if (name === 'te' && value !== 'trailers') throw malformed('te may only be trailers')
      fields.push(field)
    }
  }
  return fields
}

/** RFC 9110 §8.6: one number. Several are refused even when equal: they are of use to a smuggler only. */
function readContentLength(fields: readonly Field[]): number {
  let length = -1
  for (const [name, value] of fields) {
    if (name !== 'content-length') continue
    if (length !== -1) throw malformed('content-length twice')
    if (!/^[0-9]{1,15}$/.test(value)) throw malformed('invalid content-length')
    length = Number(value)
  }
  return length
}

/** RFC 9114 §4.3.1: a path is absolute; OPTIONS may ask about the server as a whole. */
function checkPath(method: string, path: string): void {
  if (path === '*' && method === 'OPTIONS') return
  if (!pathPattern.test(path)) throw malformed('invalid :path')
}

/** RFC 9114 §4.3.1: :authority or Host, the same where both are there, never empty for http and https. */
function checkAuthority(pseudo: PseudoFields, host: string | undefined): string {
  const hasAuthority = (pseudo.has & PSEUDO_AUTHORITY) !== 0
  if (hasAuthority && host !== undefined && host !== pseudo.authority) throw malformed('Host is not :authority')
  const named = hasAuthority ? pseudo.authority : (host ?? '')
  if (named === '' && (isHttp(pseudo.scheme) || hasAuthority)) throw malformed('no :authority')
  // No userinfo, and nothing that would make another URL of it.
  if (named !== '' && !authorityPattern.test(named)) throw malformed('invalid :authority')
  return named
}

function isHttp(scheme: string): boolean {
  return scheme === 'https' || scheme === 'http'
}

class PseudoFields {
  /** Which ones came: a sum of bits. */
  has = 0
  method = ''
  scheme = ''
  authority = ''
  path = ''
  status = ''
  protocol = ''

  set(bit: number, value: string): void {
    if ((this.has & bit) !== 0) throw malformed('a pseudo-header field twice')
    this.has |= bit
    if (bit === PSEUDO_METHOD) this.method = value
    else if (bit === PSEUDO_SCHEME) this.scheme = value
    else if (bit === PSEUDO_AUTHORITY) this.authority = value
    else if (bit === PSEUDO_PATH) this.path = value
    else if (bit === PSEUDO_PROTOCOL) this.protocol = value
    else this.status = value
  }
}

function malformed(reason: string): Http3StreamError {
  return new Http3StreamError(Http3ErrorCode.MessageError, reason)
}

const PSEUDO_METHOD = 1
const PSEUDO_SCHEME = 2
const PSEUDO_AUTHORITY = 4
const PSEUDO_PATH = 8
const PSEUDO_STATUS = 16
const PSEUDO_PROTOCOL = 32
const PSEUDO_ALWAYS = PSEUDO_METHOD | PSEUDO_SCHEME | PSEUDO_PATH

const requestPseudoFields: ReadonlyMap<string, number> = new Map([
  [':method', PSEUDO_METHOD],
  [':scheme', PSEUDO_SCHEME],
  [':authority', PSEUDO_AUTHORITY],
  [':path', PSEUDO_PATH],
])
const extendedPseudoFields: ReadonlyMap<string, number> = new Map([
  ...requestPseudoFields,
  [':protocol', PSEUDO_PROTOCOL],
])
const responsePseudoFields: ReadonlyMap<string, number> = new Map([[':status', PSEUDO_STATUS]])
const noPseudoFields: ReadonlyMap<string, number> = new Map()

const connectionSpecific: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

/** RFC 9110 §5.6.2, without upper case. */
const namePattern = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** RFC 9110 §5.5: visible characters, blank, tab and bytes above 0x7f; above all no CR, LF, NUL. */
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/
/** RFC 3986 §3.1, §3.2. */
const schemePattern = /^[a-zA-Z][a-zA-Z0-9+.-]*$/
const authorityPattern = /^[A-Za-z0-9\-._~!$&'()*+,;=:%[\]]+$/
const pathPattern = /^\/[\x21-\x22\x24-\x7e\x80-\xff]*$/
