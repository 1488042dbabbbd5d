// A client and a server over the fake pair, and what tests say often.

import { Http3Client, type Http3ClientOptions } from '../../src/http3/client.ts'
import { type Http3Handler, Http3Server, type Http3ServerOptions } from '../../src/http3/server.ts'
import { FakePair } from '../support/fake-transport.ts'

export interface Joined {
  readonly client: Http3Client
  readonly server: Http3Server
  readonly pair: FakePair
}

export interface JoinOptions extends Http3ServerOptions {
  readonly client?: Http3ClientOptions
  /** Called before either end is made. */
  readonly prepare?: (pair: FakePair) => void
}

export function join(handler: Http3Handler, options: JoinOptions = {}): Joined {
  const pair = new FakePair()
  options.prepare?.(pair)
  const { client: clientOptions, prepare, ...serverOptions } = options
  const client = new Http3Client(pair.client, { authority: 'example.com', ...clientOptions })
  const server = new Http3Server(pair.server, handler, serverOptions)
  pair.client.sink = client
  pair.server.sink = server
  return { client, server, pair }
}

/** The text of a body, while the pair runs. */
export async function text(message: Response | Request, pair: FakePair): Promise<string> {
  const promise = message.text()
  promise.catch(() => {})
  await pair.settle()
  return promise
}

export function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'))
}

export function hex(data: Uint8Array): string {
  return Buffer.from(data).toString('hex')
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts))
}
