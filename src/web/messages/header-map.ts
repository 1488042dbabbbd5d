// Between the field lists of HTTP/3 and the header objects of node: names in lower case, several values as an array.

import type { Field } from '../../http3/field.ts'
import { isConnectionSpecific } from '../../http3/fields.ts'

/** As node:http2 has it: pseudo-header fields by their names, `:status` a number. */
export type HeaderMap = Record<string, string | string[] | number | undefined>

/** A header object; one that came has strings only, and arrays where a field of that name came more than once. */
export type OutgoingHeaders = Readonly<Record<string, string | number | readonly string[] | undefined>>

/** Fields in a null-prototype object. `set-cookie` is always an array; cookies are joined (RFC 9114 §4.2.1). */
export function headersOf(fields: readonly Field[]): HeaderMap {
  const headers: HeaderMap = Object.create(null)
  addHeaders(headers, fields)
  return headers
}

export function addHeaders(headers: HeaderMap, fields: readonly Field[]): void {
  for (const [name, value] of fields) {
    const before = headers[name]
    if (before === undefined) headers[name] = name === 'set-cookie' ? [value] : value
    else if (Array.isArray(before)) before.push(value)
    else headers[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`
  }
}

/**
 * Fields of an object, those that speak of one HTTP/1.1 connection left out (RFC 9114 §4.2). Pseudo-header fields must
 * be `pseudo`, which go first.
 */
export function fieldsOf(headers: OutgoingHeaders, pseudo: readonly Field[]): Field[] {
  const fields: Field[] = pseudo.slice()
  for (const key in headers) {
    const value = headers[key]
    if (value === undefined || key.charCodeAt(0) === COLON) continue
    const name = key.toLowerCase()
    if (isConnectionSpecific(name)) continue
    if (typeof value === 'string') fields.push([name, value])
    else if (Array.isArray(value)) for (const each of value) fields.push([name, String(each)])
    else fields.push([name, String(value)])
  }
  return fields
}

/** Trailers, in the same shape. */
export function trailerFields(headers: OutgoingHeaders): Field[] {
  return fieldsOf(headers, none)
}

/** Names and values in turns, as `rawHeaders` has them. */
export function rawHeadersOf(fields: readonly Field[]): string[] {
  const raw: string[] = []
  for (const [name, value] of fields) raw.push(name, value)
  return raw
}

const COLON = 58
const none: readonly Field[] = []
