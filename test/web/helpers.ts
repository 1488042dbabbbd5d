// An HTTP/3 server and clients over real sockets on loopback; everything opened in a test is closed when it ends.

import { createHash } from 'node:crypto'
import { type Http3Endpoint, type ServeOptions, serve } from '../../src/web/serve.ts'
import { connect, type Http3ConnectOptions, type Http3Session } from '../../src/web/session.ts'
import { closing, pattern } from '../endpoint/helpers.ts'
import { caPem, p256 } from '../support/certificates.ts'

export const identity = { cert: p256.chainPem, key: p256.keyPem }

/** A server on 127.0.0.1, and its URL. */
export async function site(
  fetch: ServeOptions['fetch'],
  options: Partial<ServeOptions> = {},
): Promise<{ server: Http3Endpoint; url: string; port: number }> {
  const server = closing(serve({ host: '127.0.0.1', ...identity, fetch, ...options }))
  const { port } = await server.ready
  // What a test leaves open shall not make it wait.
  closing({ close: () => server.close({ deadline: 0 }) })
  return { server, url: `https://127.0.0.1:${port}`, port }
}

export function session(url: string, options: Http3ConnectOptions = {}): Http3Session {
  const made = connect(url, { ca: caPem, ...options })
  closing({ close: () => made.session.close() })
  return made
}

/** `pieces` chunks of 64 KiB, made as they are pulled. */
export function source(pieces: number): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (at === pieces) controller.close()
        else controller.enqueue(pattern(65_536, at++))
      },
    },
    { highWaterMark: 0 },
  )
}

export async function digest(body: ReadableStream<Uint8Array> | null): Promise<{ length: number; hash: string }> {
  const hash = createHash('sha256')
  let length = 0
  for await (const chunk of body ?? []) {
    hash.update(chunk)
    length += chunk.length
  }
  return { length, hash: hash.digest('hex') }
}
