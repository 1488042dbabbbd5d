import { describe, expect, test, vi } from 'vitest'
import { Http3ErrorCode as Code } from '../../src/http3/error-codes.ts'
import type { FakePair } from '../support/fake-transport.ts'
import { bytes, hex, join, text } from './helpers.ts'

const url = 'https://example.com/'

/** A connection whose handshake is still to come; what the client sends first arrives early. */
function handshaking(pair: FakePair): void {
  pair.client.isHandshakeConfirmed = false
  pair.server.isHandshakeConfirmed = false
  for (let id = 0; id < 40; id += 4) pair.server.early.add(id)
}

function complete(pair: FakePair): void {
  pair.client.events.push({ type: 'handshakeComplete' })
}

function confirm(pair: FakePair): void {
  for (const end of [pair.client, pair.server]) {
    end.isHandshakeConfirmed = true
    end.events.push({ type: 'handshakeConfirmed' })
  }
  pair.server.early.clear()
}

describe('what is sent', () => {
  test('a path alone uses the authority of the client', async () => {
    const { client, pair } = join(request => ({ body: request.url }))
    const promise = client.request({ url: '/x?y' })
    await pair.settle()
    expect(await text(await promise, pair)).toBe('https://example.com/x?y')
    const other = join(() => ({}), { client: { authority: undefined } })
    await expect(other.client.request({ url: '/x' })).rejects.toThrow(TypeError)
  })

  test('Host is left out, content-length is put in, names are lowered', async () => {
    let seen: [string, string][] = []
    const { client, pair } = join(request => {
      seen = [...request.headers]
      return {}
    })
    const headers: [string, string][] = [
      ['Host', 'other'],
      ['X-A', 'b'],
      ['Connection', 'close'],
    ]
    void client.request({ url, method: 'POST', headers, body: 'abc' })
    await pair.settle()
    expect(seen).toEqual([
      ['content-length', '3'],
      ['x-a', 'b'],
    ])
  })

  test('a body that is known goes with its header section in one write', async () => {
    const { client, pair } = join(async request => ({ body: await request.text() }))
    const promise = client.request({ url, method: 'PUT', body: 'abc' })
    expect(pair.client.flow(0).writes).toBe(1)
    expect(pair.client.flow(0).fin).toBe('queued')
    await pair.settle()
    expect(await text(await promise, pair)).toBe('abc')
  })

  test('a large upload has back-pressure', async () => {
    let produced = 0
    const body = new ReadableStream<Uint8Array>({
      pull: controller => {
        produced += 10_000
        controller.enqueue(new Uint8Array(10_000))
        if (produced === 1_000_000) controller.close()
      },
    })
    let go = () => {}
    const { client, pair } = join(async request => {
      await new Promise<void>(resolve => {
        go = resolve
      })
      return { body: String((await request.arrayBuffer()).byteLength) }
    })
    const promise = client.request({ url, method: 'POST', body })
    await pair.settle()
    expect(produced).toBeLessThan(200_000)
    go()
    for (let i = 0; i < 60; i++) await pair.settle()
    expect(await text(await promise, pair)).toBe('1000000')
  })

  test.each(['not a url', 'data:text/plain,x', 'https://exa mple/'])('a URL that cannot be: %s', async bad => {
    const { client } = join(() => ({}))
    await expect(client.request({ url: bad })).rejects.toThrow(TypeError)
    await expect(client.request({ url, headers: [['a', 'b\n']] })).rejects.toThrow(TypeError)
    expect(client.activeCount).toBe(0)
  })
})

describe('when it is sent', () => {
  test('requests wait for the handshake, early ones do not', async () => {
    const { client, pair } = join(request => ({ body: String(request.early) }), { prepare: handshaking })
    const late = client.request({ url })
    expect(pair.client.flow(0).writes).toBe(0)
    const early = client.request({ url }, { early: true })
    expect(pair.client.flow(0).writes).toBe(1)
    await pair.settle()
    expect(await text(await early, pair)).toBe('true')
    complete(pair)
    confirm(pair)
    await pair.settle()
    expect(await text(await late, pair)).toBe('false')
  })

  test('and for streams', async () => {
    const { client, pair } = join(() => ({}), {
      prepare: ({ client: end }) => {
        end.streamLimit.bidi = 1
      },
    })
    const promises = [1, 2, 3].map(() => client.request({ url }))
    await pair.settle()
    expect((await promises[0])?.status).toBe(200)
    expect(client.activeCount).toBe(2)
    pair.client.streamLimit.bidi = 3
    pair.client.events.push({ type: 'streamsAvailable', direction: 'bidi' })
    await pair.settle()
    expect((await Promise.all(promises)).length).toBe(3)
  })

  test('RFC 8470 §5.2: 425 is followed by a second try after the handshake, once', async () => {
    let count = 0
    const { client, pair } = join(
      request => {
        count++
        return { body: String(request.early) }
      },
      { prepare: handshaking, earlyData: 'too-early' },
    )
    const promise = client.request({ url, method: 'POST', body: 'x' }, { early: true })
    await pair.settle()
    expect(count).toBe(0)
    expect(client.activeCount).toBe(1)
    complete(pair)
    await pair.settle()
    expect(count).toBe(0)
    confirm(pair)
    await pair.settle()
    expect(await text(await promise, pair)).toBe('false')
    expect(count).toBe(1)
  })

  test('a 425 of the second try is the answer', async () => {
    const { client, pair } = join(() => ({ status: 425 }), { prepare: handshaking })
    const promise = client.request({ url }, { early: true })
    await pair.settle()
    confirm(pair)
    await pair.settle()
    expect((await promise).status).toBe(425)
    expect(client.activeCount).toBe(0)
  })

  /** `pieces` chunks of 10 bytes, one for each time it is asked. */
  function pieces(count: number): { body: ReadableStream<Uint8Array>; read: () => number; cancelled: unknown[] } {
    let read = 0
    const cancelled: unknown[] = []
    const body = new ReadableStream<Uint8Array>(
      {
        pull: controller => {
          if (read === count) controller.close()
          else controller.enqueue(new Uint8Array(10).fill(read++))
        },
        cancel: reason => void cancelled.push(reason),
      },
      { highWaterMark: 0 },
    )
    return { body, read: () => read, cancelled }
  }

  test('a streamed body is kept for the second try, which says it all again', async () => {
    const bodies: number[][] = []
    const { client, pair } = join(
      async request => {
        bodies.push([...new Uint8Array(await request.arrayBuffer())])
        return { status: 201 }
      },
      { prepare: handshaking, earlyData: 'too-early' },
    )
    const source = pieces(3)
    const promise = client.request({ url, method: 'POST', body: source.body }, { early: true })
    await pair.settle()
    expect(bodies).toEqual([])
    confirm(pair)
    await pair.settle()
    expect((await promise).status).toBe(201)
    expect(bodies).toEqual([[0, 1, 2].flatMap(piece => Array.from({ length: 10 }, () => piece))])
    expect(source.cancelled).toEqual([])
    expect(client.activeCount).toBe(0)
  })

  test('up to a limit, where it stops until the handshake is confirmed', async () => {
    const { client, pair } = join(async request => ({ body: String((await request.arrayBuffer()).byteLength) }), {
      prepare: handshaking,
    })
    const source = pieces(20)
    const options = { early: true, keepBody: 40 }
    const promise = client.request({ url, method: 'POST', body: source.body }, options)
    await pair.settle()
    expect(source.read()).toBe(4)
    confirm(pair)
    await pair.settle()
    expect(await text(await promise, pair)).toBe('200')
  })

  test('a body of which the beginning is gone cannot be sent again: 425 is the answer', async () => {
    let answer: (status: number) => void = () => {}
    const status = new Promise<number>(resolve => {
      answer = resolve
    })
    const { client, pair } = join(async () => ({ status: await status }), { prepare: handshaking, earlyData: 'all' })
    const source = pieces(20)
    const promise = client.request({ url, method: 'POST', body: source.body }, { early: true, keepBody: 40 })
    await pair.settle()
    confirm(pair)
    await pair.settle()
    answer(425)
    await pair.settle()
    expect((await promise).status).toBe(425)
  })

  test('425 that comes when the handshake is confirmed already', async () => {
    let answers = 0
    const { client, pair } = join(() => ({ status: answers++ === 0 ? 425 : 200 }), { prepare: handshaking })
    const promise = client.request({ url }, { early: true })
    pair.client.isHandshakeConfirmed = true
    complete(pair)
    await pair.settle()
    expect((await promise).status).toBe(200)
  })
})

describe('what comes back', () => {
  test('settings, for storing', async () => {
    const { client, pair } = join(() => ({}))
    expect(client.settings).toBeUndefined()
    await pair.settle()
    expect(hex(client.settings as Uint8Array)).toBe('01500006800100000740402100')
    expect(client.peerSettings.maxFieldSectionSize).toBe(65_536)
  })

  test('interim responses are passed over, trailers tolerated', async () => {
    const { client, pair } = join(() => ({}))
    const promise = client.request({ url })
    pair.server.sink = undefined
    pair.server.write(0, bytes('0103 0000 d8 0103 0000 d9 000161 0105 0000 21 78 00'), true)
    await pair.settle()
    expect(await text(await promise, pair)).toBe('a')
  })

  test('malformed responses are refused: H3_MESSAGE_ERROR', async () => {
    // 200 with content-length 5 and one byte; no status; a status fetch does not have.
    for (const data of [
      '0106 0000 d9 540135 000161',
      '0102 0000',
      '0106 0000 5f09 03 363939'.replace('0106', '0108'),
    ]) {
      const { client, pair } = join(() => ({}))
      const promise = client.request({ url }).then(response => response.text())
      promise.catch(() => {})
      pair.server.sink = undefined
      pair.server.write(0, bytes(data), true)
      await pair.settle()
      await expect(promise).rejects.toThrow()
      expect(client.activeCount).toBe(0)
    }
  })

  test('content of a response to HEAD is malformed', async () => {
    const { client, pair } = join(() => ({}))
    const promise = client.request({ url, method: 'HEAD' })
    promise.catch(() => {})
    pair.server.sink = undefined
    pair.server.write(0, bytes('0103 0000 d9 000161'), true)
    await pair.settle()
    await expect(promise).rejects.toMatchObject({ code: Code.MessageError })
  })

  test('the end of a bare response may come later', async () => {
    const { client, pair } = join(() => ({}))
    const promise = client.request({ url, method: 'HEAD' })
    pair.server.sink = undefined
    pair.server.write(0, bytes('0103 0000 d9'), false)
    await pair.settle()
    expect((await promise).body).toBeNull()
    expect(client.activeCount).toBe(1)
    pair.server.write(0, bytes(''), true)
    await pair.settle()
    expect(client.activeCount).toBe(0)
  })

  test('a reset says whether the request may go again', async () => {
    const { client, pair } = join(() => ({}))
    const promise = client.request({ url })
    promise.catch(() => {})
    pair.server.reset(0, Code.RequestRejected)
    await pair.settle()
    await expect(promise).rejects.toMatchObject({ code: Code.RequestRejected, isRemote: true, isRetryable: true })
  })

  test('content that breaks a rule of the connection closes it from within a read', async () => {
    const { client, pair } = join(() => ({}))
    const promise = client.request({ url })
    pair.server.sink = undefined
    pair.server.write(0, bytes('0103 0000 d9 000161'), false)
    await pair.settle()
    const response = await promise
    const reader = response.body?.getReader()
    expect((await reader?.read())?.value).toEqual(bytes('61'))
    const next = reader?.read()
    next?.catch(() => {})
    pair.server.write(0, bytes('0400'), false)
    await pair.settle()
    await expect(next).rejects.toMatchObject({ code: Code.FrameUnexpected })
    expect(pair.client.closedWith?.code).toBe(Code.FrameUnexpected)
    expect(client.activeCount).toBe(0)
  })
})

describe('cancelling', () => {
  test('a signal that is aborted already', async () => {
    const { client, pair } = join(() => ({}))
    await expect(client.request({ url }, { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
    expect(pair.client.flow(0).writes).toBe(0)
  })

  test('while waiting for a stream', async () => {
    const { client, pair } = join(() => ({}), { prepare: handshaking })
    const controller = new AbortController()
    const promise = client.request(new Request(url, { signal: controller.signal }))
    promise.catch(() => {})
    controller.abort(new Error('enough'))
    await expect(promise).rejects.toThrow('enough')
    complete(pair)
    await pair.settle()
    expect(client.activeCount).toBe(0)
    expect(pair.client.flow(0).writes).toBe(0)
  })

  test('the body of the response, by the signal', async () => {
    const { client, pair } = join(() => ({ body: new ReadableStream({ pull: c => c.enqueue(new Uint8Array(10)) }) }))
    const controller = new AbortController()
    const promise = client.request({ url }, { signal: controller.signal })
    await pair.settle()
    const reader = (await promise).body?.getReader()
    await reader?.read()
    controller.abort(new Error('enough'))
    await expect(reader?.read()).rejects.toThrow('enough')
    await pair.settle()
    expect(pair.client.stops).toEqual([[0, Code.RequestCancelled]])
  })

  test('a request body that fails cancels the request', async () => {
    const { client, pair } = join(async request => ({ body: await request.text() }))
    const body = new ReadableStream<Uint8Array>({
      pull: () => {
        throw new Error('broken')
      },
    })
    const promise = client.request({ url, method: 'POST', body })
    promise.catch(() => {})
    await pair.settle()
    await expect(promise).rejects.toThrow('broken')
    expect(pair.client.resets).toEqual([[0, Code.RequestCancelled]])
  })
})

describe('RFC 9114 §5: the end of a connection', () => {
  test('close waits for what was begun', async () => {
    const { client, pair } = join(() => new Response('last'))
    const promise = client.request({ url })
    const closed = vi.fn()
    void client.close().then(closed)
    void client.close()
    await expect(client.request({ url })).rejects.toMatchObject({ isRetryable: true })
    await pair.settle()
    expect(closed).not.toHaveBeenCalled()
    expect(await text(await promise, pair)).toBe('last')
    await pair.settle()
    expect(closed).toHaveBeenCalled()
    expect(pair.client.closedWith?.code).toBe(Code.NoError)
    await client.close()
    await expect(client.request({ url })).rejects.toThrow('closed')
  })

  test('an idle client closes at once; one that is closed is closed', async () => {
    const { client } = join(() => ({}))
    await client.close()
    const other = join(() => ({}))
    other.client.onEvent({ type: 'closed', error: new Error('gone') })
    await other.client.close()
    await expect(other.client.request({ url })).rejects.toThrow('gone')
    expect(other.client.isOpen).toBe(false)
  })

  test('GOAWAY fails what waits, and what the server will not do', async () => {
    const { client, pair } = join(() => ({}), {
      prepare: ({ client: end }) => {
        end.streamLimit.bidi = 2
      },
    })
    pair.server.sink = undefined
    const promises = [1, 2, 3].map(() => client.request({ url }))
    for (const promise of promises) promise.catch(() => {})
    pair.server.write(3, bytes('070104'), false)
    await pair.settle()
    await expect(promises[1]).rejects.toMatchObject({ isRetryable: true })
    await expect(promises[2]).rejects.toMatchObject({ isRetryable: true })
    expect(client.activeCount).toBe(1)
  })

  test('a connection that is lost fails what is open, with its reason', async () => {
    const { client, pair } = join(() => new Promise(() => {}))
    const open = client.request({ url })
    open.catch(() => {})
    await pair.settle()
    pair.client.events.push({ type: 'closed', error: new Error('timeout') })
    await pair.settle()
    await expect(open).rejects.toThrow('timeout')
  })

  test('what had arrived before can be read, what had not is an error', async () => {
    const { client, pair } = join(() => ({}))
    pair.server.sink = undefined
    const whole = client.request({ url })
    const part = client.request({ url, method: 'POST', body: new ReadableStream() })
    pair.server.write(0, bytes('0103 0000 d9 0002 6162'), false)
    pair.server.write(4, bytes('0103 0000 d9 0002 6162'), false)
    await pair.settle()
    pair.server.write(0, bytes('0001 63'), true)
    pair.client.deliver()
    pair.server.deliver()
    pair.client.events.push({ type: 'closed', error: new Error('gone') })
    await pair.settle()
    expect(await text(await whole, pair)).toBe('abc')
    await expect((await part).text()).rejects.toThrow('gone')
    expect(client.activeCount).toBe(0)
  })
})
