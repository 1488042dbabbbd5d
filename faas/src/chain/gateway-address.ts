// Where functions call each other: variables of the environment, none of them secret.

import type { ClientBundle } from 'zerotrip/zero-rtt'
import { readDuration } from '../http/duration.ts'

export interface GatewayAddress {
  /** `https://127.0.0.1:8443`: HTTP/3 on UDP, HTTP/1.1 over TLS on TCP. */
  readonly url: string
  /** PEM: whom to trust. Undefined: whom the system's roots vouch for. */
  readonly certificate: string | undefined
  /** Keys for this process alone, never in an environment: its first call is in its first packet. */
  readonly bundle?: ClientBundle | undefined
  /** ms without a call after which the connection is closed. Undefined: QUIC's idle timeout. */
  readonly idle?: number | undefined
}

const IDLE_NAME = 'quic_idle'
const URL_NAME = 'quic_gateway'
const CERTIFICATE_NAME = 'quic_gateway_ca'

export function gatewayEnvironment({ url, certificate }: GatewayAddress): NodeJS.ProcessEnv {
  return { [URL_NAME]: url, ...(certificate !== undefined && { [CERTIFICATE_NAME]: certificate }) }
}

/** Undefined: nobody said. Throws a TypeError for what is no https: URL. */
export function readGatewayAddress(environment: Readonly<NodeJS.ProcessEnv>): GatewayAddress | undefined {
  const url = environment[URL_NAME]
  if (!url) return undefined
  if (!URL.canParse(url) || new URL(url).protocol !== 'https:') {
    throw new TypeError(`${URL_NAME} must be an https:// URL, not '${url}'`)
  }
  return {
    url,
    certificate: environment[CERTIFICATE_NAME] || undefined,
    idle: readDuration(environment[IDLE_NAME] ?? ''),
  }
}

let keys: ClientBundle | undefined

/** What the chain client of this process will begin with. */
export function keepGatewayKeys(bundle: ClientBundle | undefined): void {
  keys = bundle
}

/** Once: what was used is nobody else's. */
export function takeGatewayKeys(): ClientBundle | undefined {
  const taken = keys
  keys = undefined
  return taken
}
