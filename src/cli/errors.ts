// What can go wrong, in words that say what to do, and the exit code for each.

import { QuicError } from '../index.ts'

export const ExitCode = {
  Ok: 0,
  /** A request failed: HTTP status of 400 or above, or a transfer that is not complete. */
  RequestFailed: 1,
  /** The command line makes no sense. */
  Usage: 2,
  /** No connection, or a handshake that failed. */
  ConnectionFailed: 3,
  /** Something on this machine: a file, a directory, a port. */
  LocalFailed: 4,
  /** SIGINT, as shells report it. */
  Interrupted: 130,
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** Ends the program: its message is the one line that is printed. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.exitCode = exitCode
  }
}

export function usageError(message: string): CliError {
  return new CliError(ExitCode.Usage, `${message}; see zerotrip --help`)
}

/** Node's error for a file, after `what` was tried: "cannot read --cert x.pem: no such file". */
export function fileError(what: string, error: unknown): CliError {
  return new CliError(ExitCode.LocalFailed, `cannot ${what}: ${fileReason(error)}`, error)
}

export function isNodeError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}

/** The library did not take what a file holds (`what` names it), or cannot make the directory for its logs. */
export function setupError(what: string, qlog: string | undefined, error: unknown): CliError {
  if (error instanceof CliError) return error
  if (qlog !== undefined && isNodeError(error) && error.syscall !== undefined) {
    return fileError(`log to --qlog ${qlog}`, error)
  }
  return new CliError(ExitCode.LocalFailed, `${what}: ${messageOf(error)}`, error)
}

/** Why the port could not be had. */
export function portError(port: number, host: string | undefined, error: unknown): CliError {
  const cause = error instanceof QuicError ? error.cause : error
  const reason = portReason(port, host ?? 'any address', isNodeError(cause) ? cause.code : undefined, error)
  return new CliError(ExitCode.LocalFailed, reason, error)
}

/** Why there is no connection with `origin`. */
export function connectionError(origin: string, error: unknown): CliError {
  return new CliError(ExitCode.ConnectionFailed, connectionReason(origin, error), error)
}

export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  // One line, whatever a peer put into its reason phrase.
  return message.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim()
}

function fileReason(error: unknown): string {
  const code = isNodeError(error) ? error.code : ''
  return fileReasons.get(code ?? '') ?? messageOf(error)
}

function portReason(port: number, host: string, code: string | undefined, error: unknown): string {
  switch (code) {
    case 'EADDRINUSE':
      return `UDP port ${port} is in use: stop the program that has it or choose another with --port`
    case 'EACCES':
      return `UDP port ${port} needs privileges: choose one above 1023 with --port`
    case 'EADDRNOTAVAIL':
      return `${host} is no address of this machine: choose another with --host`
    default:
      return `cannot listen on ${host} port ${port}: ${messageOf(error)}`
  }
}

function connectionReason(origin: string, error: unknown): string {
  const message = messageOf(error)
  if (!(error instanceof QuicError)) return `${origin}: ${message}`
  switch (error.code) {
    case 'ERR_ZEROTRIP_LOOKUP':
      return message
    case 'ERR_ZEROTRIP_IDLE_TIMEOUT':
    case 'ERR_ZEROTRIP_HANDSHAKE_TIMEOUT':
      return `no answer from ${origin}: is a QUIC server there, and does UDP get through?`
    case 'ERR_ZEROTRIP_HANDSHAKE':
      return `handshake with ${origin} failed: ${handshakeAdvice(error.errorCode - CRYPTO_ERROR, message)}`
    case 'ERR_ZEROTRIP_CONNECTION_REFUSED':
      return `${origin} takes no more connections: try again later`
    default:
      return `connection with ${origin} failed: ${message}`
  }
}

function handshakeAdvice(alert: number, message: string): string {
  switch (alert) {
    case Alert.UnknownCa:
      return 'its certificate comes from an unknown authority; name that one with --ca FILE, or trust a key with --pin SHA256'
    case Alert.CertificateExpired:
      return `${message}; check the clocks, or renew the certificate`
    case Alert.BadCertificate:
      return `${message}; is it the right host, and the right --ca or --pin?`
    case Alert.NoApplicationProtocol:
      return 'the server does not speak this protocol; try another --alpn (h3, hq-interop)'
    case Alert.HandshakeFailure:
      return `${message}; nothing in common? try without --cipher-suites`
    default:
      return message
  }
}

/** RFC 9001 §4.8: alerts as transport error codes. */
const CRYPTO_ERROR = 0x100

/** RFC 8446 §6.2, those there is something to say about. */
const Alert = {
  HandshakeFailure: 40,
  BadCertificate: 42,
  CertificateExpired: 45,
  UnknownCa: 48,
  NoApplicationProtocol: 120,
} as const

const fileReasons: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file or directory'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EISDIR', 'it is a directory'],
  ['ENOTDIR', 'not a directory'],
  ['EEXIST', 'a file of that name is in the way'],
  ['ENOSPC', 'the disk is full'],
  ['EROFS', 'the file system is read-only'],
  ['EPIPE', 'nobody reads it any more'],
])
