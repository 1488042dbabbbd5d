// What a server of this configuration promises early clients: HTTP/3 SETTINGS and transport parameters, as bytes to be
// remembered with tickets and bundles.

import { resolveTransport, type TransportOptions } from '../connection/config.ts'
import { type OwnSettings, writeSettings } from '../http3/settings.ts'
import { writeRemembered } from '../zero-rtt/remembered-parameters.ts'

/** The SETTINGS an HTTP/3 server with these options sends. */
export function serverSettings(options: OwnSettings = {}): Uint8Array {
  return writeSettings(options)
}

/** The transport parameters such a server sends, as far as they may be remembered (RFC 9000 §7.4.1). */
export function serverParameters(options: TransportOptions = {}): Uint8Array {
  return writeRemembered(resolveTransport(options).parameters)
}
