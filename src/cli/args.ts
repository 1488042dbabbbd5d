// The command line, parsed and checked: what comes out can be carried out.

import { isIP } from 'node:net'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { CipherSuiteName } from '../index.ts'
import { type Command, getCommand, serveCommand } from './commands.ts'
import { messageOf, usageError } from './errors.ts'

export type Alpn = 'h3' | 'hq-interop'

export interface ServeArguments {
  readonly port: number
  readonly host: string | undefined
  readonly root: string
  /** Files; undefined: make a certificate. */
  readonly certificate: { readonly cert: string; readonly key: string } | undefined
  readonly alpn: readonly Alpn[]
  readonly retry: boolean
  readonly early: boolean
  readonly qlog: string | undefined
  readonly cipherSuites: readonly CipherSuiteName[] | undefined
}

/** Whom `get` trusts. */
export type Trust =
  | { readonly kind: 'system' | 'anybody' }
  | { readonly kind: 'ca'; readonly file: string }
  | { readonly kind: 'pin'; readonly pin: Uint8Array }

export interface GetArguments {
  readonly urls: readonly URL[]
  readonly output: string | undefined
  readonly trust: Trust
  readonly session: string | undefined
  readonly early: boolean
  readonly alpn: Alpn
  /** ms. */
  readonly timeout: number | undefined
  readonly json: boolean
  readonly qlog: string | undefined
  readonly cipherSuites: readonly CipherSuiteName[] | undefined
}

/** Undefined: help is wanted. Throws a CliError for a line that makes no sense. */
export function serveArguments(argv: readonly string[]): ServeArguments | undefined {
  const { text, is, positionals } = parse(serveCommand, argv)
  if (is('help')) return undefined
  if (positionals.length > 0) throw usageError(`serve takes no '${positionals[0]}'; a directory is named with --root`)
  const alpn = text('alpn')?.split(',').map(protocol)
  return {
    port: portOf(text('port') ?? '4433'),
    host: hostOf(text('host')),
    root: text('root') ?? '.',
    certificate: certificateOf(text('cert'), text('key'), is('self-signed')),
    alpn: [...new Set(alpn ?? (['h3', 'hq-interop'] as const))],
    retry: is('retry'),
    early: is('early'),
    qlog: text('qlog'),
    cipherSuites: cipherSuitesOf(text('cipher-suites')),
  }
}

/** Undefined: help is wanted. Throws a CliError for a line that makes no sense. */
export function getArguments(argv: readonly string[]): GetArguments | undefined {
  const { text, is, positionals } = parse(getCommand, argv)
  if (is('help')) return undefined
  if (positionals.length === 0) throw usageError('get needs a URL, such as https://localhost:4433/')
  if (is('early') && text('session') === undefined) throw usageError('--early needs --session FILE to resume from')
  return {
    urls: positionals.map(urlOf),
    output: text('output'),
    trust: trustOf(text('ca'), text('pin'), is('insecure')),
    session: text('session'),
    early: is('early'),
    alpn: protocol(text('alpn') ?? 'h3'),
    timeout: timeoutOf(text('timeout')),
    json: is('json'),
    qlog: text('qlog'),
    cipherSuites: cipherSuitesOf(text('cipher-suites')),
  }
}

interface Parsed {
  readonly positionals: readonly string[]
  text(name: string): string | undefined
  is(name: string): boolean
}

function parse(command: Command, argv: readonly string[]): Parsed {
  const options: NonNullable<ParseArgsConfig['options']> = {}
  for (const { name, short, value } of command.flags) {
    options[name] = { type: value === undefined ? 'boolean' : 'string', ...(short !== undefined && { short }) }
  }
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true })
    return {
      positionals,
      text: name => values[name] as string | undefined,
      is: name => values[name] === true,
    }
  } catch (error) {
    throw usageError(`${command.name}: ${messageOf(error).split('. ')[0]}`)
  }
}

function certificateOf(cert: string | undefined, key: string | undefined, isSelfSigned: boolean) {
  if (isSelfSigned) {
    if (cert !== undefined || key !== undefined) throw usageError('--self-signed goes without --cert and --key')
    return undefined
  }
  if (cert === undefined || key === undefined) {
    throw usageError('serve needs --cert FILE and --key FILE, or --self-signed for development')
  }
  return { cert, key }
}

function trustOf(ca: string | undefined, pin: string | undefined, isInsecure: boolean): Trust {
  if (Number(ca !== undefined) + Number(pin !== undefined) + Number(isInsecure) > 1) {
    throw usageError('--ca, --pin and --insecure exclude each other')
  }
  if (ca !== undefined) return { kind: 'ca', file: ca }
  if (pin !== undefined) return { kind: 'pin', pin: pinOf(pin) }
  return { kind: isInsecure ? 'anybody' : 'system' }
}

function pinOf(text: string): Uint8Array {
  const hex = text.replaceAll(':', '')
  if (/^[0-9a-f]{64}$/i.test(hex)) return Uint8Array.from(Buffer.from(hex, 'hex'))
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return Uint8Array.from(Buffer.from(text, 'base64'))
  throw usageError('--pin is the SHA-256 of a public key: 64 hex digits, or base64')
}

function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) throw usageError(`'${text}' is not a URL, such as https://localhost:4433/file`)
  if (url.protocol !== 'https:') throw usageError(`'${text}' is not an https: URL, and QUIC knows no other`)
  return url
}

function portOf(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw usageError(`--port is a number from 0 to 65535, not '${text}'`)
  return port
}

function hostOf(text: string | undefined): string | undefined {
  if (text !== undefined && isIP(text) === 0) throw usageError(`--host is an IP address of this machine, not '${text}'`)
  return text
}

function timeoutOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const seconds = Number(text)
  if (text.trim() === '' || !(seconds > 0 && seconds <= MAX_TIMEOUT)) {
    throw usageError(`--timeout is a number of seconds up to ${MAX_TIMEOUT}, not '${text}'`)
  }
  return seconds * 1000
}

function protocol(text: string): Alpn {
  if (text !== 'h3' && text !== 'hq-interop')
    throw usageError(`unknown protocol '${text}': h3 and hq-interop are known`)
  return text
}

function cipherSuitesOf(text: string | undefined): readonly CipherSuiteName[] | undefined {
  return text?.split(',').map(name => {
    const known = suiteNames.find(suite => suite === name.toUpperCase())
    if (known === undefined) throw usageError(`unknown cipher suite '${name}': known are ${suiteNames.join(', ')}`)
    return known
  })
}

const suiteNames = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'] as const

/** Seconds: a day. */
const MAX_TIMEOUT = 86_400
