// The ways node's servers may be asked to listen.

import { isIP } from 'node:net'

export interface ListenTarget {
  readonly port: number
  readonly host: string | undefined
}

/** `(port?, host?, backlog?, callback?)` or `(options, callback?)`. Throws a RangeError for what is no port. */
export function listenTarget(args: readonly unknown[]): ListenTarget & { callback: (() => void) | undefined } {
  const last = args.at(-1)
  const callback = typeof last === 'function' ? (last as () => void) : undefined
  const [first, second] = args
  const options =
    typeof first === 'object' && first !== null
      ? (first as { port?: unknown; host?: unknown })
      : { port: first, host: second }
  const port = typeof options.port === 'function' || options.port == null ? 0 : Number(options.port)
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new RangeError(`options.port should be >= 0 and < 65536. Received ${String(options.port)}.`)
  }
  return { port, host: typeof options.host === 'string' ? options.host : undefined, callback }
}

/** An address to bind to: by default all of them, as node's servers do. */
export async function bindAddress(host: string | undefined): Promise<string> {
  if (host === undefined || host === '') return '::'
  if (isIP(host) !== 0) return host
  const { lookup } = process.getBuiltinModule('node:dns/promises')
  return (await lookup(host)).address
}
