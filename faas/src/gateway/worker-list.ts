// Workers on other machines, as somebody lists them (YAML or JSON):
//
//     functions:
//       hello:
//         annotations: { zerotrip.early-data: safe }
//         workers:
//           - address: 10.0.0.5:8080
//             token: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08

import { parse } from 'yaml'
import { type FunctionDeployment, readDeployment } from './deployment.ts'

export interface ListedWorker {
  /** HOST:PORT, QUIC on UDP. */
  readonly address: string
  /** HOST:PORT, HTTPS on TCP. Default: what the worker says, if it says anything. */
  readonly tls: string | undefined
  /** PEM: of whom its certificate is. Default: the worker says so, or the system's roots vouch for it. */
  readonly certificate: string | undefined
  /**
   * SHA-256, hex, of the token by which the worker has its keys from the gateway and says that it listens. Default: it is
   * there as long as it is listed, and has no keys.
   */
  readonly token: string | undefined
}

export interface ListedFunction {
  readonly deployment: FunctionDeployment
  readonly workers: readonly ListedWorker[]
}

/** Throws a TypeError that says what does not fit. */
export function readWorkerList(text: string): ListedFunction[] {
  const list = parse(text) as { functions?: Readonly<Record<string, Record<string, unknown>>> } | null
  const functions = list?.functions
  if (typeof functions !== 'object' || functions === null) throw new TypeError('there are no `functions`')
  return Object.entries(functions).map(([service, each]) => {
    const { workers = [], ...rest } = each ?? {}
    if (!Array.isArray(workers)) throw new TypeError(`workers of ${service} must be a list`)
    return { deployment: readDeployment({ ...rest, service }), workers: workers.map(readWorker) }
  })
}

function readWorker(value: unknown): ListedWorker {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const address = authority(fields, 'address')
  if (address === undefined) throw new TypeError('a worker has an `address`')
  const { certificate, token } = fields
  if (certificate !== undefined && typeof certificate !== 'string') throw new TypeError('certificate must be PEM')
  const digest = token === undefined ? undefined : /^sha256:([0-9a-f]{64})$/.exec(String(token))?.[1]
  if (token !== undefined && digest === undefined) throw new TypeError('token must be sha256: and 64 hex digits')
  return { address, tls: authority(fields, 'tls'), certificate, token: digest }
}

function authority(fields: Record<string, unknown>, name: string): string | undefined {
  const value = fields[name]
  if (value === undefined) return undefined
  const text = String(value)
  const url = URL.canParse(`https://${text}`) ? new URL(`https://${text}`) : undefined
  if (url === undefined || url.pathname !== '/' || url.search !== '' || !/:\d+$/.test(text)) {
    throw new TypeError(`${name} must be HOST:PORT, not '${text}'`)
  }
  return text
}
