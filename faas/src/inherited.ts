// What a worker inherits from its platform: two descriptors, whose numbers, and nothing else, are in the environment.

import { closeSync, readSync } from 'node:fs'

/** Names the descriptor the worker's half of the keys is read from. */
export const BUNDLE_FD = 'ZEROTRIP_BUNDLE_FD'

/** Names the descriptor on which the worker says that it listens, and whose other end closes when the platform is gone. */
export const PLATFORM_FD = 'ZEROTRIP_PLATFORM_FD'

/** Bytes of a bundle, at most. */
export const MAX_BUNDLE = 65_536

/** Limits of HTTP/3 that worker and keys have to agree about. Header sections are as large as of-watchdog takes them. */
export const WORKER_HTTP3: { readonly maxFieldSectionSize: number } = { maxFieldSectionSize: 1 << 20 }

/** What a worker says when it can be called: one line of JSON. */
export interface Announcement {
  readonly type: 'listening'
  readonly host: string
  /** QUIC on UDP and, if asked for, plain HTTP/1.1 on TCP. */
  readonly port: number
  /** HTTPS (HTTP/1.1) on TCP, if asked for. */
  readonly tlsPort: number | undefined
  /** Where Prometheus finds `/metrics`, if anywhere. */
  readonly metricsPort?: number
  /** PEM: what the worker shows to clients without a key of their own. It was made by the worker itself. */
  readonly certificate: string
  /** SHA-256 of its public key, hex. */
  readonly pin: string
}

/** The descriptor a variable names. The variable is deleted: what the worker starts in its turn shall not see it. */
export function takeDescriptor(environment: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = environment[name]
  if (text === undefined) return undefined
  delete environment[name]
  const descriptor = Number(text)
  // 0 to 2 belong to everybody.
  if (!Number.isInteger(descriptor) || descriptor < 3) throw new TypeError(`${name} must name a descriptor: ${text}`)
  return descriptor
}

/** Reads to the end, once, and closes. */
export function readAndClose(descriptor: number, limit: number): Uint8Array {
  const bytes = new Uint8Array(limit)
  let length = 0
  try {
    for (let more = -1; more !== 0; length += more) {
      if (length === limit) throw new RangeError(`more than ${limit} bytes on descriptor ${descriptor}`)
      more = readSync(descriptor, bytes, length, limit - length, null)
    }
  } finally {
    closeSync(descriptor)
  }
  return bytes.subarray(0, length)
}
