import { describe, expect, test, vi } from 'vitest'
import { forwardEarlyData } from '../../src/http3/early-data.ts'
import { Http3ErrorCode as Code, Http3StreamError } from '../../src/http3/error-codes.ts'
import type { Http3Request } from '../../src/http3/server-request.ts'
import type { FakePair } from '../support/fake-transport.ts'
import { join, text } from './helpers.ts'

const url = 'https://example.com/'

/** Server side of a connection whose handshake is still to be confirmed; the first requests come early. */
function early(pair: FakePair): void {
  pair.server.isHandshakeConfirmed = false
  for (let id = 0; id < 40; id += 4) pair.server.early.add(id)
}

function confirm(pair: FakePair): void {
  pair.server.isHandshakeConfirmed = true
  pair.server.events.push({ type: 'handshakeConfirmed' })
}

describe('what a handler gets', () => {
  test('method, URL, headers, body', async () => {
    let seen: Http3Request | undefined
    const { client, pair } = join(async request => {
      seen = request
      return new Response(`got ${await request.text()}`)
    })
    const promise = client.request(
      new Request('https://example.com:444/a?b#c', { method: 'POST', body: 'some text', headers: { cookie: 'a=b' } }),
    )
    await pair.settle()
    expect(await text(await promise, pair)).toBe('got some text')
    expect(seen).toBeInstanceOf(Request)
    expect(seen?.url).toBe('https://example.com:444/a?b')
    expect(seen?.method).toBe('POST')
    expect(seen?.headers.get('cookie')).toBe('a=b')
    expect(seen?.early).toBe(false)
    await seen?.confirmed
    expect(seen?.signal.aborted).toBe(false)
  })

  test('RFC 9114 §4.2.1: cookies are joined', async () => {
    let cookie: string | null = null
    const { client, pair } = join(request => {
      cookie = request.headers.get('cookie')
      return { status: 204 }
    })
    const headers: [string, string][] = [
      ['cookie', 'a=1'],
      ['x', 'y'],
      ['cookie', 'b=2'],
    ]
    void client.request({ url: '/', headers })
    await pair.settle()
    expect(cookie).toBe('a=1; b=2')
  })

  test('OPTIONS *, and what fetch cannot say', async () => {
    const urls: string[] = []
    const { client, pair } = join(request => {
      urls.push(request.url)
      return { status: 200 }
    })
    const fields = (method: string, path: string, authority = 'a') =>
      [
        [':method', method],
        [':scheme', 'https'],
        [':authority', authority],
        [':path', path],
      ] as const
    const streams = [
      client.connection.openRequest(fields('OPTIONS', '*'), undefined, true),
      client.connection.openRequest(fields('TRACE', '/'), undefined, true),
      client.connection.openRequest(fields('GET', '/', 'a:99999'), undefined, true),
    ]
    await pair.settle()
    expect(urls).toEqual(['https://a/*'])
    expect(streams.map(stream => stream?.response?.status)).toEqual([200, 501, 400])
  })

  test('content of a GET stays unread', async () => {
    const { client, pair } = join(request => new Response(String(request.body)))
    const stream = client.connection.openRequest(
      [
        [':method', 'GET'],
        [':scheme', 'https'],
        [':authority', 'a'],
        [':path', '/'],
      ],
      new Uint8Array(3),
      false,
    )
    await pair.settle()
    expect(stream?.response?.status).toBe(200)
    expect(pair.server.stops).toEqual([[0, Code.NoError]])
  })
})

describe('what a handler answers', () => {
  test('HEAD, 204 and 304 have no content', async () => {
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 204],
      ['GET', 304],
    ] as const) {
      const cancel = vi.fn()
      const body = new ReadableStream<Uint8Array>({ cancel })
      const { client, pair } = join(() => ({ status, body, headers: [['content-length', '7']] }))
      const promise = client.request(new Request(url, { method }))
      await pair.settle()
      const response = await promise
      expect(response.status).toBe(status)
      expect(response.body).toBeNull()
      expect(response.headers.get('content-length')).toBe('7')
      expect(cancel).toHaveBeenCalled()
      expect(client.activeCount).toBe(0)
    }
  })

  test('connection-specific fields are left out, date is put in', async () => {
    const { client, pair } = join(() => new Response('', { headers: { connection: 'close', 'keep-alive': '1' } }), {
      date: () => 'Thu, 01 Jan 1970 00:00:00 GMT',
    })
    const promise = client.request({ url })
    await pair.settle()
    const { headers } = await promise
    expect([...headers.keys()]).toEqual(['content-type', 'date'])
  })

  test('set-cookie stays apart', async () => {
    const headers = new Headers()
    headers.append('set-cookie', 'a=1')
    headers.append('set-cookie', 'b=2')
    const { client, pair } = join(() => new Response(null, { headers }))
    const promise = client.request({ url })
    await pair.settle()
    expect((await promise).headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  })

  test('a body that pauses is not held back', async () => {
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined
    const { client, pair } = join(
      () =>
        new Response(
          new ReadableStream({
            start: c => {
              controller = c
            },
          }),
        ),
    )
    const promise = client.request({ url })
    await pair.settle()
    const response = await promise
    const reader = response.body?.getReader()
    controller?.enqueue(new Uint8Array([1]))
    await pair.settle()
    expect((await reader?.read())?.value).toEqual(new Uint8Array([1]))
    controller?.enqueue(new Uint8Array(0))
    controller?.enqueue(new Uint8Array([2]))
    controller?.close()
    await pair.settle()
    expect((await reader?.read())?.value).toEqual(new Uint8Array([2]))
    await pair.settle()
    expect((await reader?.read())?.done).toBe(true)
    expect(client.activeCount).toBe(0)
  })

  test('a large body has back-pressure at both ends', async () => {
    let produced = 0
    const chunk = new Uint8Array(10_000)
    const body = new ReadableStream<Uint8Array>({
      pull: controller => {
        produced += chunk.length
        controller.enqueue(chunk)
        if (produced === 2_000_000) controller.close()
      },
    })
    const { client, pair } = join(() => new Response(body))
    const promise = client.request({ url })
    await pair.settle()
    // What fits the window and the send buffer, and little more.
    expect(produced).toBeLessThan(200_000)
    const promised = (await promise).arrayBuffer()
    let length = 0
    void promised.then(buffer => {
      length = buffer.byteLength
    })
    for (let i = 0; i < 100 && length === 0; i++) await pair.settle()
    expect(length).toBe(2_000_000)
  })

  test('large bytes are not copied, small ones are', async () => {
    const large = new Uint8Array(100_000)
    const { client, pair } = join(() => ({ body: large }))
    const promise = client.request({ url })
    pair.step()
    expect(pair.server.flow(0).queued[1]).toBe(large)
    await pair.settle()
    expect((await promise).headers.get('content-length')).toBe('100000')
  })
})

describe('what goes wrong', () => {
  const failures: [string, () => never | Promise<never>][] = [
    [
      'throws',
      () => {
        throw new Error('oops')
      },
    ],
    ['rejects', () => Promise.reject(new Error('oops'))],
    ['answers an unknown status', () => ({ status: 99 }) as never],
    ['answers a field that cannot be', () => ({ headers: [['a b', 'c']] }) as never],
    ['answers Response.error()', () => Response.error() as never],
    ['answers a body that fails at once', () => new Response(failing(0)) as never],
    ['answers nothing', () => undefined as never],
  ]
  test.each(failures)('a handler that %s: 500', async (_, handler) => {
    const onError = vi.fn()
    const { client, pair } = join(handler, { onError })
    const promise = client.request({ url })
    await pair.settle()
    expect((await promise).status).toBe(500)
    expect(onError).toHaveBeenCalledOnce()
  })

  test('a policy that throws: 500', async () => {
    const onError = vi.fn()
    const { client, pair } = join(() => ({}), {
      onError,
      prepare: early,
      earlyData: () => {
        throw new Error('oops')
      },
    })
    const promise = client.request({ url })
    await pair.settle()
    expect((await promise).status).toBe(500)
    expect(onError).toHaveBeenCalledOnce()
  })

  test('a body that fails later: reset with H3_INTERNAL_ERROR', async () => {
    for (const body of [failing(3), new ReadableStream({ start: c => c.enqueue('no bytes') })]) {
      const { client, pair } = join(async () => {
        await new Promise(resolve => setImmediate(resolve))
        return new Response(body)
      })
      const promise = client.request({ url })
      promise.catch(() => {})
      await pair.settle()
      if (pair.server.resets.length === 0) {
        expect((await promise).status).toBe(500)
        continue
      }
      expect(pair.server.resets).toEqual([[0, Code.InternalError]])
      await expect((await promise).text()).rejects.toMatchObject({ code: Code.InternalError, isRemote: true })
    }
  })

  test('a head the client does not take is given up, and somebody is told', async () => {
    const errors: unknown[] = []
    const { client, pair } = join(() => new Response('x', { headers: { a: 'b'.repeat(2000) } }), {
      client: { maxFieldSectionSize: 500 },
      onError: error => errors.push(error),
    })
    await pair.settle()
    const promise = client.request({ url })
    promise.catch(() => {})
    await pair.settle()
    await expect(promise).rejects.toMatchObject({ code: Code.InternalError })
    expect(errors).toEqual([expect.objectContaining({ message: 'the peer takes field sections of 500 bytes' })])
  })

  test('RFC 9114 §4.2.2: a head we do not take: 431, without a handler', async () => {
    const handler = vi.fn(() => ({}))
    const { client, pair } = join(handler, { maxFieldSectionSize: 500 })
    // Before SETTINGS arrive the client does not know better.
    const promise = client.request({ url, headers: [['a', 'b'.repeat(1000)]] })
    const huge = client.request({ url, headers: [['a', '\xff'.repeat(1000)]], body: new ReadableStream() })
    await pair.settle()
    expect((await promise).status).toBe(431)
    expect((await huge).status).toBe(431)
    expect(handler).not.toHaveBeenCalled()
    expect(pair.server.stops).toContainEqual([4, Code.NoError])
    await expect(client.request({ url, headers: [['a', 'b'.repeat(1000)]] })).rejects.toThrow(RangeError)
  })

  test('security: a stream reset by the client counts until its handler is done', async () => {
    let finish = () => {}
    let aborted: unknown
    const { client, server, pair } = join(request => {
      request.signal.addEventListener('abort', () => {
        aborted = request.signal.reason
      })
      return new Promise(resolve => {
        finish = () => resolve(new Response('late'))
      })
    })
    const controller = new AbortController()
    const promise = client.request({ url, body: new ReadableStream(), method: 'POST' }, { signal: controller.signal })
    promise.catch(() => {})
    await pair.settle()
    controller.abort()
    await pair.settle()
    expect(pair.client.resets).toEqual([[0, Code.RequestCancelled]])
    expect(pair.client.stops).toEqual([[0, Code.RequestCancelled]])
    await expect(promise).rejects.toThrow('aborted')
    expect(aborted).toBeInstanceOf(Http3StreamError)
    expect(server.activeCount).toBe(1)
    expect(pair.server.resets).toEqual([])
    finish()
    await pair.settle()
    expect(server.activeCount).toBe(0)
    expect(pair.server.resets).toEqual([[0, Code.RequestCancelled]])
  })

  test('the body of the answer is cancelled when the client stops', async () => {
    const cancel = vi.fn()
    const { client, server, pair } = join(
      () => new Response(new ReadableStream({ pull: c => c.enqueue(new Uint8Array(1000)), cancel })),
    )
    const promise = client.request({ url })
    await pair.settle()
    const response = await promise
    await response.body?.cancel()
    await pair.settle()
    expect(cancel).toHaveBeenCalled()
    expect(server.activeCount).toBe(0)
    expect(pair.server.resets).toEqual([[0, Code.RequestCancelled]])
    expect(client.activeCount).toBe(0)
  })

  test('a signal asked for after the abort is aborted', async () => {
    let ask: () => void = () => {}
    const asked = new Promise<void>(resolve => {
      ask = resolve
    })
    let seen: AbortSignal | undefined
    const { client, pair } = join(async request => {
      await asked
      seen = request.signal
      return new Response('')
    })
    void client.request({ url }).catch(() => {})
    await pair.settle()
    pair.client.close(0x100, '')
    await pair.settle()
    ask()
    await pair.settle()
    expect(seen?.aborted).toBe(true)
  })

  test('a request body whose content is malformed fails at the handler', async () => {
    let failure: unknown
    const { client, pair } = join(async request => {
      await request.text().catch(error => {
        failure = error
      })
      return { status: 200 }
    })
    client.connection.openRequest(
      [
        [':method', 'POST'],
        [':scheme', 'https'],
        [':authority', 'a'],
        [':path', '/'],
        ['content-length', '5'],
      ],
      new Uint8Array(3),
      false,
    )
    await pair.settle()
    pair.client.write(0, new Uint8Array(0), true)
    await pair.settle()
    expect(failure).toMatchObject({ code: Code.MessageError })
    expect(pair.server.resets).toEqual([[0, Code.MessageError]])
  })

  test('a handler that cancels the body of the request: H3_NO_ERROR', async () => {
    const { client, pair } = join(async request => {
      await request.body?.cancel()
      return new Response('fine')
    })
    const cancel = vi.fn()
    const body = new ReadableStream<Uint8Array>({ pull: c => c.enqueue(new Uint8Array(100)), cancel })
    const promise = client.request({ url, method: 'POST', body })
    await pair.settle()
    expect(pair.server.stops).toEqual([[0, Code.NoError]])
    expect(await text(await promise, pair)).toBe('fine')
    expect(cancel).toHaveBeenCalled()
    expect(client.activeCount).toBe(0)
  })
})

describe('RFC 8470: early data', () => {
  const policies = [
    ['too-early', 'GET', 200],
    ['too-early', 'POST', 425],
    ['all', 'POST', 200],
    ['defer', 'GET', 200],
  ] as const
  test.each(policies)('policy %s: an early %s gets %d', async (earlyData, method, status) => {
    const seen: boolean[] = []
    const { client, pair } = join(
      request => {
        seen.push(request.early)
        return { status: 200 }
      },
      { earlyData, prepare: early },
    )
    const promise = client.request({ url, method })
    await pair.settle()
    expect((await promise).status).toBe(status)
    expect(seen).toEqual(status === 200 ? [true] : [])
  })

  test.each(['defer', undefined] as const)('policy %s: an early POST waits for the handshake', async policy => {
    const seen: boolean[] = []
    const { client, server, pair } = join(
      request => {
        seen.push(request.early)
        return { status: 200 }
      },
      { ...(policy && { earlyData: policy }), prepare: early },
    )
    const promise = client.request({ url, method: 'POST', body: 'x' })
    const cancelled = new AbortController()
    client.request({ url, method: 'POST' }, { signal: cancelled.signal }).catch(() => {})
    await pair.settle()
    expect(server.activeCount).toBe(2)
    cancelled.abort()
    await pair.settle()
    expect(server.activeCount).toBe(1)
    expect(pair.server.resets).toEqual([[4, Code.RequestRejected]])
    confirm(pair)
    await pair.settle()
    expect((await promise).status).toBe(200)
    expect(seen).toEqual([false])
  })

  test('§5.1: Early-Data: 1 of a hop before is not cured by waiting', async () => {
    const { client, pair } = join(() => ({ status: 200 }), { earlyData: 'defer' })
    const headers: [string, string][] = [['early-data', '1']]
    const post = client.request({ url, method: 'POST', headers })
    const get = client.request({ url, headers })
    await pair.settle()
    expect((await post).status).toBe(425)
    expect((await get).status).toBe(200)
  })

  test("a policy of one's own", async () => {
    const questions: unknown[] = []
    const { client, pair } = join(() => ({ status: 200 }), {
      prepare: early,
      earlyData: ({ request, isEarly, isForwarded }) => {
        questions.push([request.path, isEarly, isForwarded])
        return request.path === '/run' ? 'run' : 'too-early'
      },
    })
    const answers = [client.request({ url: '/run', method: 'POST' }), client.request({ url: '/other' })]
    await pair.settle()
    expect(await Promise.all(answers.map(async answer => (await answer).status))).toEqual([200, 425])
    expect(questions).toEqual([
      ['/run', true, false],
      ['/other', true, false],
    ])
  })

  test('confirmed resolves when the handshake is, and rejects when it never will be', async () => {
    for (const isConfirmed of [true, false]) {
      let outcome = ''
      const { client, pair } = join(
        async request => {
          outcome = await request.confirmed.then(
            () => 'confirmed',
            () => 'lost',
          )
          return { status: 200 }
        },
        { prepare: early },
      )
      client.request({ url }).catch(() => {})
      await pair.settle()
      expect(outcome).toBe('')
      if (isConfirmed) confirm(pair)
      else pair.client.close(0x100, '')
      await pair.settle()
      expect(outcome).toBe(isConfirmed ? 'confirmed' : 'lost')
    }
  })

  test('confirmed asked for after the connection was lost', async () => {
    const { server, pair } = join(() => ({}), { prepare: early })
    pair.server.events.push({ type: 'closed', error: undefined })
    await pair.settle()
    await expect(server.confirmed()).rejects.toThrow('closed')
  })

  test('a gateway hands it on', () => {
    const headers = new Headers()
    forwardEarlyData({ early: false }, headers)
    expect(headers.has('early-data')).toBe(false)
    forwardEarlyData({ early: true }, headers)
    expect(headers.get('early-data')).toBe('1')
  })
})

describe('RFC 9114 §5.2: shutdown', () => {
  test('GOAWAY: later requests are rejected and may go elsewhere', async () => {
    let finish = () => {}
    const { client, server, pair } = join(
      () =>
        new Promise(resolve => {
          finish = () => resolve(new Response('done'))
        }),
    )
    const first = client.request({ url })
    await pair.settle()
    // On its way while GOAWAY is written.
    server.goaway()
    server.goaway()
    const second = client.request({ url })
    second.catch(() => {})
    await pair.settle()
    await expect(second).rejects.toMatchObject({ code: Code.RequestRejected, isRetryable: true })
    expect(client.isOpen).toBe(false)
    await expect(client.request({ url })).rejects.toMatchObject({ isRetryable: true })
    finish()
    await pair.settle()
    expect((await first).status).toBe(200)
  })

  test('close waits for answers to arrive, and closes with H3_NO_ERROR', async () => {
    let finish = () => {}
    const { client, server, pair } = join(
      () =>
        new Promise(resolve => {
          finish = () => resolve(new Response('done'))
        }),
    )
    const first = client.request({ url })
    await pair.settle()
    const closed = vi.fn()
    void server.close().then(closed)
    void server.close()
    await pair.settle()
    expect(closed).not.toHaveBeenCalled()
    finish()
    await pair.settle()
    expect(await text(await first, pair)).toBe('done')
    expect(closed).toHaveBeenCalled()
    expect(pair.server.closedWith).toEqual({ code: Code.NoError, reason: '' })
    await server.close()
  })

  test('an idle server closes at once', async () => {
    const { server, pair } = join(() => ({}))
    await pair.settle()
    await server.close()
    expect(pair.server.closedWith?.code).toBe(Code.NoError)
  })

  test('a request that comes after GOAWAY, though it was said', async () => {
    const { client, server, pair } = join(() => ({}))
    server.goaway()
    client.connection.openRequest([[':method', 'GET']], undefined, true)
    while (pair.step());
    expect(pair.server.resets).toEqual([[0, Code.RequestRejected]])
  })
})

function failing(after: number): ReadableStream<Uint8Array> {
  let count = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (count++ === after) throw new Error('broken body')
        await new Promise(resolve => setImmediate(resolve))
        controller.enqueue(new Uint8Array(100))
      },
    },
    { highWaterMark: 0 },
  )
}
