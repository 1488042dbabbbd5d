// Which requests are sent again, and which are not (RFC 9110 §9.2.2, RFC 9114 §4.1.1, §5.2): each server counts what it
// was asked, and by which connection.

import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Http3ErrorCode as Code } from '../../../src/http3/error-codes.ts'
import { type Http3Handler, Http3Server } from '../../../src/http3/server.ts'
import type { Http3Request } from '../../../src/http3/server-request.ts'
import { limits } from '../../../src/limits.ts'
import { Http3Agent } from '../../../src/web/client/agent.ts'
import { createServer } from '../../../src/web/server/http-server.ts'
import type { Http3ServerStream } from '../../../src/web/server/server-stream.ts'
import { closing, server as endpointServer, eventually } from '../../endpoint/helpers.ts'
import { caPem } from '../../support/certificates.ts'
import { identity } from '../helpers.ts'

type Answer = ReturnType<Http3Handler>

interface Asked {
  readonly url: string
  /** `connection method path body`, in order. */
  readonly log: string[]
  readonly connections: Http3Server[]
}

/** A server whose handler knows the connection, of which there was `index` before. */
async function site(answer: (request: Http3Request, index: number, server: Http3Server) => Answer): Promise<Asked> {
  const log: string[] = []
  const connections: Http3Server[] = []
  const { address } = await endpointServer(undefined, {
    ...identity,
    alpn: {
      h3(session) {
        const index = connections.length
        const made: Http3Server = new Http3Server(session.transport, async request => {
          const note = `${index} ${request.method} ${new URL(request.url).pathname}`
          const at = log.push(note) - 1
          const response = answer(request, index, made)
          log[at] = `${note} ${await request.text()}`.trim()
          return response
        })
        connections.push(made)
        return made
      },
    },
  })
  return { url: `https://127.0.0.1:${address.port}`, log, connections }
}

function agent(): Http3Agent {
  const made = new Http3Agent({ discovery: 'only', connect: { ca: caPem } })
  closing({ close: () => made.destroy() })
  return made
}

const post = (body: string): RequestInit => ({ method: 'POST', body })
const codeOf = (answer: Promise<Response>): Promise<unknown> =>
  answer.then(
    ({ status }) => status,
    error => error.cause?.code ?? error,
  )
const textOf = async (answer: Promise<Response>): Promise<string> => (await answer).text()

function held<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve = (_: T): void => {}
  const promise = new Promise<T>(done => (resolve = done))
  return { promise, resolve }
}

describe('RFC 9114 §5.2: after GOAWAY', () => {
  test('requests from its id on go again on a new connection, those below it do not, whatever the method', async () => {
    const first = held<Response>()
    const { url, log } = await site((_request, index, server) => {
      if (index > 0) return new Response('by the second')
      // Names the request that is being answered as the last one.
      server.goaway()
      return first.promise
    })
    const near = agent()
    const answers = ['a', 'b', 'c'].map(body => textOf(near.fetch(`${url}/x`, post(body))))
    expect(await Promise.all(answers.slice(1))).toEqual(['by the second', 'by the second'])
    first.resolve(new Response('by the first'))
    expect(await answers[0]).toBe('by the first')
    // No body was processed twice, and none left out.
    expect(log.sort()).toEqual(['0 POST /x a', '1 POST /x b', '1 POST /x c'])
  })
  test.each([
    ['POST', false],
    ['PATCH', false],
    ['PUT', true],
    ['GET', true],
    ['DELETE', true],
  ])('one below it, whose connection ends without an answer: %s again: %s', async (method, isAgain) => {
    const { url, log, connections } = await site((_request, index, server) => {
      if (index > 0) return new Response('again')
      server.goaway()
      return new Promise<Response>(() => {})
    })
    const answer = codeOf(agent().fetch(`${url}/x`, { method }))
    expect(await eventually(() => log.length === 1)).toBe(true)
    await turn()
    connections[0]?.connection.close(Code.NoError)
    expect(await answer).toBe(isAgain ? 200 : 'ERR_ZEROTRIP_HTTP3')
    expect(log).toEqual([`0 ${method} /x`, ...(isAgain ? [`1 ${method} /x`] : [])])
  })
})

/** A body of so many pieces of 1,000 bytes. */
function numbered(pieces: number): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at === pieces) controller.close()
      else controller.enqueue(new Uint8Array(1000).fill(at++))
    },
  })
}

/** A server of the fast door. */
async function streams(answer: (stream: Http3ServerStream, path: string, count: number) => void): Promise<{
  readonly url: string
  readonly counts: Map<string, number>
}> {
  const counts = new Map<string, number>()
  const server = createServer(identity)
  server.on('stream', (stream: Http3ServerStream, headers: Record<string, string>) => {
    const path = headers[':path'] ?? ''
    const count = (counts.get(path) ?? 0) + 1
    counts.set(path, count)
    answer(stream, path, count)
  })
  closing({
    close() {
      server.closeAllConnections()
      return server.close()
    },
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { url: `https://127.0.0.1:${server.address()?.port}`, counts }
}

describe('RFC 9114 §4.1.1: after H3_REQUEST_REJECTED', () => {
  test('a request goes again, whatever its method, and three times at most', async () => {
    const { url, counts } = await streams((stream, path, count) => {
      if (path === '/never' || count === 1) stream.close(Code.RequestRejected)
      else stream.end('done')
    })
    const near = agent()
    expect(await textOf(near.fetch(`${url}/get`))).toBe('done')
    expect(await textOf(near.fetch(`${url}/post`, post('a body of bytes')))).toBe('done')
    expect(await codeOf(near.fetch(`${url}/never`, post('x')))).toBe('ERR_ZEROTRIP_REQUEST_REJECTED')
    expect(Object.fromEntries(counts)).toEqual({ '/get': 2, '/post': 2, '/never': 3 })
  })
  test('a body that is a stream goes again as long as all of it was kept', async () => {
    const { url, counts } = await streams((stream, path, count) => {
      let length = 0
      stream.on('data', (chunk: Uint8Array) => {
        length += chunk.length
        if (count === 1 && length > (path === '/gone' ? 2 * limits.repeatableBody : 10_000))
          stream.close(Code.RequestRejected)
      })
      stream.on('end', () => stream.end(`${length}`))
    })
    const near = agent()
    const send = (path: string, pieces: number): Promise<Response> =>
      near.fetch(url + path, { method: 'POST', body: numbered(pieces), duplex: 'half' } as RequestInit)
    expect(await textOf(send('/kept', 30))).toBe('30000')
    // The server waits for more than is kept before it says no.
    expect(await codeOf(send('/gone', 1000))).toBe('ERR_ZEROTRIP_REQUEST_REJECTED')
    expect(Object.fromEntries(counts)).toEqual({ '/kept': 2, '/gone': 1 })
  })
  test('nothing goes again whose answer has begun, even by an interim one', async () => {
    const { url, counts } = await streams((stream, path) => {
      if (path === '/interim') stream.additionalHeaders({ ':status': 103, link: '</style.css>' })
      else {
        stream.respond({ ':status': 200 })
        stream.write('a part')
      }
      // In another packet: a reset lets nothing arrive that is on its way.
      setTimeout(() => stream.close(Code.RequestRejected), 30)
    })
    const near = agent()
    const begun = await near.fetch(`${url}/head`)
    await expect(begun.text()).rejects.toThrow()
    expect(await codeOf(near.fetch(`${url}/interim`, post('x')))).toBe('ERR_ZEROTRIP_REQUEST_REJECTED')
    expect(Object.fromEntries(counts)).toEqual({ '/head': 1, '/interim': 1 })
  })
})

test.each([
  ['H3_REQUEST_CANCELLED', Code.RequestCancelled],
  ['H3_INTERNAL_ERROR', Code.InternalError],
  ['H3_REQUEST_INCOMPLETE', Code.RequestIncomplete],
])('%s: it may have been processed, and is not sent again', async (_, code) => {
  const { url, counts } = await streams(stream => stream.close(code))
  expect(await codeOf(agent().fetch(`${url}/x`))).toBe('ERR_ZEROTRIP_REQUEST_ABORTED')
  expect(counts.get('/x')).toBe(1)
})
