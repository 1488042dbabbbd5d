import { describe, expect, test } from 'vitest'
import { QuicError } from '../../src/endpoint/errors.ts'
import type { QuicSession } from '../../src/endpoint/quic-session.ts'
import type { QuicStream } from '../../src/endpoint/quic-stream.ts'
import { atRest, client, echo, eventually, failure, isSame, pattern, server, sleep, text } from './helpers.ts'

/** A connected pair. */
async function pair(
  onSession: (session: QuicSession) => void = echo,
  options: Parameters<typeof server>[1] = {},
): Promise<{ near: QuicSession; far: QuicSession }> {
  let far: QuicSession | undefined
  const { address } = await server(session => {
    far = session
    onSession(session)
  }, options)
  const near = client(address)
  await near.opened
  await eventually(() => far !== undefined)
  return { near, far: far as QuicSession }
}

/** One stream of the client, seen from both sides. */
async function streamPair(direction: 'bidi' | 'uni' = 'bidi'): Promise<{ ours: QuicStream; theirs: QuicStream }> {
  const { near, far } = await pair(() => {})
  const ours = await near.openStream({ direction })
  await ours.write('x')
  for await (const theirs of far.streams) {
    expect(text(await theirs.read())).toBe('x')
    return { ours, theirs }
  }
  throw new Error('no stream')
}

describe('echo', () => {
  test('bidirectional, with for await over sessions and streams', async () => {
    const { endpoint, address } = await server()
    const served = (async () => {
      for await (const session of endpoint.listener) echo(session)
    })()
    const near = client(address)
    const stream = await near.openStream()
    await stream.write('hello ')
    await stream.end('world')
    expect(text(await stream.bytes())).toBe('hello world')
    await stream.closed
    await stream.delivered
    await endpoint.close()
    await served
  })

  test('unidirectional, both ways', async () => {
    const { near } = await pair()
    const out = await near.openStream({ direction: 'uni' })
    await out.end(pattern(100_000))
    for await (const back of near.streams) {
      expect(back.direction).toBe('uni')
      expect(back.canWrite).toBe(false)
      expect(isSame(await back.bytes(), pattern(100_000))).toBe(true)
      break
    }
    await expect(out.read()).rejects.toThrow(TypeError)
    await out.closed
  })

  test('many streams at once, more than the peer allows', async () => {
    const { near } = await pair(echo, { transport: { initialMaxStreamsBidi: 4 } })
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const stream = await near.openStream()
        await stream.end(`number ${i}`)
        return text(await stream.bytes())
      }),
    )
    expect(answers).toEqual(Array.from({ length: 40 }, (_, i) => `number ${i}`))
  })

  test('a megabyte in small and large pieces arrives in order', async () => {
    const { near } = await pair()
    const stream = await near.openStream()
    const data = pattern(1_000_000)
    const sent = (async () => {
      for (let at = 0, size = 1; at < data.length; at += size, size = (size * 7) % 65_521) {
        await stream.write(data.subarray(at, Math.min(at + size, data.length)))
      }
      await stream.end()
    })()
    expect(isSame(await stream.bytes(), data)).toBe(true)
    await sent
  })

  test('datagrams, unreliable as they are', async () => {
    const { near, far } = await pair(() => {}, { transport: { maxDatagramFrameSize: 1200 } })
    expect(near.sendDatagram(pattern(100))).toBe(true)
    expect(near.sendDatagram(pattern(1300))).toBe(false)
    expect(far.sendDatagram(pattern(1))).toBe(false)
    for await (const datagram of far.datagrams) {
      expect(datagram).toEqual(pattern(100))
      break
    }
  })
})

describe('back-pressure', () => {
  test('a slow reader makes write() wait, and what is held is bounded', async () => {
    const { ours, theirs } = await streamPair()
    const piece = pattern(64 * 1024)
    let written = 0
    const writing = (async () => {
      for (; written < 60; written++) await ours.write(piece)
      await ours.end()
    })()
    // 256 KiB of stream credit, and a send buffer of 256 KiB or three congestion windows, which the credit keeps small.
    expect(await eventually(() => written >= 7)).toBe(true)
    expect(await atRest(() => written)).toBeLessThanOrEqual(30)
    expect((await theirs.bytes()).length).toBe(60 * piece.length)
    await writing
  })

  test('writes that nobody waits for do not get lost', async () => {
    const { ours, theirs } = await streamPair()
    for (let i = 0; i < 50; i++) ours.write(pattern(20_000, i))
    ours.end()
    const all = await theirs.bytes()
    for (let i = 0; i < 50; i++)
      expect(isSame(all.subarray(i * 20_000, (i + 1) * 20_000), pattern(20_000, i))).toBe(true)
  })

  test('a small send buffer is what write() goes by', async () => {
    const { address } = await server(() => {})
    const near = client(address, { transport: { sendBufferSize: 1024 } })
    const stream = await near.openStream()
    let isDone = false
    stream.write(pattern(2 * 1024 * 1024)).then(
      () => {
        isDone = true
      },
      () => {},
    )
    await sleep(50)
    expect(isDone).toBe(false)
  })
})

describe('RFC 9000 §3.5: abandoning', () => {
  test('resetAt: the first bytes arrive, then the reset; only what was written can be promised', async () => {
    const { ours, theirs } = await streamPair('uni')
    const writing = failure(ours.write(pattern(3_000_000)))
    expect(() => ours.resetAt(7, 4_000_000)).toThrow(RangeError)
    expect(ours.resetAt(7, 500_001)).toBe(true)
    expect(await writing).toMatchObject({ code: 'ERR_ZEROTRIP_STREAM_ABORTED', errorCode: 7 })
    const expected = pattern(3_000_000)
    let got = 0
    const reading = async (): Promise<void> => {
      for (let chunk = await theirs.read(); chunk; chunk = await theirs.read()) {
        expect(isSame(chunk, expected.subarray(got, got + chunk.length))).toBe(true)
        got += chunk.length
      }
    }
    expect(await failure(reading())).toMatchObject({ code: 'ERR_ZEROTRIP_STREAM_ABORTED', errorCode: 7 })
    // One byte was written before.
    expect(got).toBeGreaterThanOrEqual(500_000)
    expect(got).toBeLessThan(3_000_000)
    expect(ours.resetAt(7, 1)).toBe(false)
  })

  test('reset() reaches the reader with its code', async () => {
    const { ours, theirs } = await streamPair()
    ours.reset(77)
    const error = await failure(theirs.read())
    expect(error).toBeInstanceOf(QuicError)
    expect(error).toMatchObject({ code: 'ERR_ZEROTRIP_STREAM_ABORTED', errorCode: 77, type: 'application' })
    // It stays so.
    expect(await failure(theirs.read())).toBe(error)
    // The other direction lives.
    await theirs.end('still here')
    expect(text(await ours.bytes())).toBe('still here')
    await Promise.all([ours.closed, theirs.closed])
    expect((await failure(ours.write('y'))).code).toBe('ERR_ZEROTRIP_STREAM_ABORTED')
    expect((await failure(ours.delivered)).code).toBe('ERR_ZEROTRIP_STREAM_ABORTED')
  })

  test('a reader that waits already learns of a reset', async () => {
    const { ours, theirs } = await streamPair()
    const waiting = failure(theirs.read())
    ours.reset(5)
    expect((await waiting).errorCode).toBe(5)
  })

  test('stopSending() reaches the writer with its code', async () => {
    const { ours, theirs } = await streamPair()
    const waiting = failure(
      (async () => {
        for (;;) await ours.write(pattern(100_000))
      })(),
    )
    theirs.stopSending(99)
    expect(await waiting).toMatchObject({ code: 'ERR_ZEROTRIP_STREAM_ABORTED', errorCode: 99 })
    expect(await theirs.read()).toBe(undefined)
    // The other direction lives.
    await theirs.end('bye')
    expect(text(await ours.bytes())).toBe('bye')
    await Promise.all([ours.closed, theirs.closed])
  })

  test('leaving a for await loop stops the sender', async () => {
    const { ours, theirs } = await streamPair()
    const writing = failure(
      (async () => {
        for (;;) await ours.write(pattern(50_000))
      })(),
    )
    for await (const _ of theirs) break
    expect((await writing).errorCode).toBe(0)
  })

  test('a read that waits gets what comes: bytes, the end, a reset, our own stop', async () => {
    const { ours, theirs } = await streamPair()
    const first = theirs.read()
    await expect(theirs.read()).rejects.toThrow('a read is under way already')
    await ours.write('more')
    expect(text(await first)).toBe('more')
    const last = theirs.read()
    await ours.end('end')
    expect(text(await last)).toBe('end')
    expect(await theirs.read()).toBe(undefined)
    const reset = failure(ours.read())
    theirs.reset(6)
    expect(await reset).toMatchObject({ code: 'ERR_ZEROTRIP_STREAM_ABORTED', errorCode: 6 })
    expect((await failure(ours.read())).errorCode).toBe(6)
  })

  test('an iterator that is left while it waits is over', async () => {
    const { ours, theirs } = await streamPair()
    const chunks = theirs[Symbol.asyncIterator]()
    const waiting = chunks.next()
    expect(await chunks.return?.()).toEqual({ value: undefined, done: true })
    expect(await waiting).toEqual({ value: undefined, done: true })
    expect(await chunks.next()).toEqual({ value: undefined, done: true })
    expect((await failure(ours.delivered)).errorCode).toBe(0)
  })

  test('bytes() gives up above its limit', async () => {
    const { ours, theirs } = await streamPair()
    ours.write(pattern(5000))
    await expect(theirs.bytes(4999)).rejects.toThrow(RangeError)
    expect((await failure(ours.delivered)).code).toBe('ERR_ZEROTRIP_STREAM_ABORTED')
  })

  test('reset() here rejects writes that wait', async () => {
    const { ours } = await streamPair()
    const waiting = failure(
      (async () => {
        for (;;) await ours.write(pattern(500_000))
      })(),
    )
    await sleep(10)
    ours.reset(3)
    expect(await waiting).toMatchObject({ code: 'ERR_ZEROTRIP_STREAM_ABORTED', errorCode: 3 })
  })

  test('streams that are reset before anybody takes them leave nothing behind', async () => {
    const { near, far } = await pair(() => {}, { transport: { initialMaxStreamsUni: 4, initialMaxStreamsBidi: 4 } })
    for (let i = 0; i < 40; i++) {
      const stream = await near.openStream({ direction: i % 2 === 0 ? 'uni' : 'bidi' })
      stream.write('x')
      stream.reset(1)
      stream.stopSending(1)
    }
    const last = await near.openStream({ direction: 'uni' })
    await last.end('taken')
    const isLastAlone = (): boolean => {
      const { accepted, open } = far.statistics().streams
      return accepted === 41 && open === 1
    }
    expect(await eventually(isLastAlone)).toBe(true)
    for await (const stream of far.streams) {
      expect(text(await stream.bytes())).toBe('taken')
      break
    }
  })
})

describe('mistakes of the caller', () => {
  test('are TypeErrors and RangeErrors', async () => {
    const { ours, theirs } = await streamPair('uni')
    await expect(ours.read()).rejects.toThrow(TypeError)
    await expect(theirs.write('x')).rejects.toThrow(TypeError)
    await expect(theirs.delivered).rejects.toThrow(TypeError)
    await expect(ours.write(5 as never)).rejects.toThrow(TypeError)
    expect(() => ours.reset(-1)).toThrow(RangeError)
    expect(() => theirs.stopSending(0.5)).toThrow(RangeError)
    const reading = theirs.read()
    await expect(theirs.read()).rejects.toThrow(/under way/)
    await ours.end('y')
    expect(text(await reading)).toBe('y')
    await expect(ours.write('z')).rejects.toThrow(/ended/)
    await expect(ours.end()).rejects.toThrow(/ended/)
  })
})

describe('openStream', () => {
  test('waits for the peer, or for the signal', async () => {
    const { near } = await pair(() => {}, { transport: { initialMaxStreamsBidi: 1 } })
    const first = await near.openStream()
    expect(near.openStreamNow()).toBe(undefined)
    const abort = new AbortController()
    const waiting = failure(near.openStream({ signal: abort.signal }))
    const other = near.openStream()
    abort.abort(new Error('enough'))
    expect((await waiting).message).toBe('enough')
    expect((await failure(near.openStream({ signal: AbortSignal.abort(new Error('before')) }))).message).toBe('before')
    first.reset(0)
    first.stopSending(0)
    // The server does not take the stream: it leaves by itself, and makes room.
    expect((await other).id).toBe(4)
    abort.abort()
  })

  test('rejects when the connection ends', async () => {
    const { near, far } = await pair(() => {}, { transport: { initialMaxStreamsBidi: 0 } })
    const waiting = failure(near.openStream())
    await far.close(9, 'no more')
    expect(await waiting).toMatchObject({ code: 'ERR_ZEROTRIP_CONNECTION_CLOSED', errorCode: 9 })
    expect((await failure(near.openStream())).errorCode).toBe(9)
    expect(() => near.openStreamNow()).toThrow(QuicError)
  })
})

describe('the end of the connection', () => {
  test('what had arrived before is still read, to the end', async () => {
    const { ours, theirs } = await streamPair()
    await ours.end(pattern(5000))
    await ours.delivered
    const { near } = await pair()
    void near
    // Close from the sender's side: all of it was delivered.
    expect(isSame(await theirs.bytes(), pattern(5000))).toBe(true)
    expect(await theirs.read()).toBe(undefined)
  })

  test('data that arrived with its end can be read after the close; streams without one reject', async () => {
    const { near, far } = await pair(() => {})
    const whole = await near.openStream()
    const half = await near.openStream()
    await whole.end('all of it')
    await half.write('some of it')
    await whole.delivered
    expect(await eventually(() => far.statistics().streams.bytesReceived === 19)).toBe(true)
    await near.close(4, 'enough')
    const info = await far.closed
    expect(info).toEqual({ errorCode: 4, reason: 'enough', by: 'peer' })
    const seen: string[] = []
    for await (const stream of far.streams) {
      const answer = await stream.bytes().then(text, (error: QuicError) => error.code)
      seen.push(answer)
      expect(await stream.closed).toBe(undefined)
    }
    expect(seen).toEqual(['all of it', 'ERR_ZEROTRIP_CONNECTION_CLOSED'])
  })

  test('writes that wait reject', async () => {
    const { near, far } = await pair(() => {})
    const stream = await near.openStream()
    const waiting = failure(
      (async () => {
        for (;;) await stream.write(pattern(300_000))
      })(),
    )
    await sleep(10)
    await far.close(1)
    expect((await waiting).errorCode).toBe(1)
    await stream.closed
  })
})
