// Clients of node itself for HTTP/1.1 and HTTP/2, which answer in the shape of fetch and undo no compression.

import { connect, type IncomingHttpHeaders } from 'node:http2'
import { request } from 'node:https'
import { Readable } from 'node:stream'
import { closing } from '../endpoint/helpers.ts'

export interface AskInit {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal
}

export type Ask = (path: string, init?: AskInit) => Promise<Response>

export function http1(port: number, ca: string): Ask {
  return (path, { body, ...init } = {}) =>
    new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, ca, agent: false, ...init }, response => {
        response.on('error', () => {})
        resolve(responseOf(response.statusCode ?? 0, response.headers, response, init.method))
      })
      asked.on('error', reject)
      asked.end(body)
    })
}

export function http2(port: number, ca: string): Ask {
  const session = connect(`https://127.0.0.1:${port}`, { ca })
  closing({ close: async () => session.destroy() })
  return (path, { body, headers, method = 'GET', signal } = {}) =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ':path': path, ':method': method, ...headers }, signal ? { signal } : {})
      stream.once('response', head => resolve(responseOf(Number(head[':status']), head, stream, method)))
      stream.on('error', reject)
      stream.end(body)
    })
}

function responseOf(status: number, head: IncomingHttpHeaders, body: Readable, method: string | undefined): Response {
  const headers = new Headers()
  for (const [name, value] of Object.entries(head)) {
    if (!name.startsWith(':')) for (const each of [value].flat()) headers.append(name, String(each))
  }
  const bare = method === 'HEAD' || status === 204 || status === 304
  if (bare) body.resume()
  return new Response(bare ? null : (Readable.toWeb(body) as never), { status, headers })
}
