import { PassThrough, Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip, gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { Inbox } from '../../src/endpoint/inbox.ts'
import type { QuicSession } from '../../src/endpoint/quic-session.ts'
import type { QuicStream } from '../../src/endpoint/quic-stream.ts'
import { atRest, client, echo, eventually, failure, isSame, pattern, server, sleep, text } from './helpers.ts'

/** One stream of the client, seen from both sides. */
async function streamPair(direction: 'bidi' | 'uni' = 'bidi'): Promise<{ ours: QuicStream; theirs: QuicStream }> {
  let far: QuicSession | undefined
  const { address } = await server(session => {
    far = session
  })
  const near = client(address)
  const ours = await near.openStream({ direction })
  await ours.write('x')
  await eventually(() => far !== undefined)
  for await (const theirs of (far as QuicSession).streams) {
    expect(text(await theirs.read())).toBe('x')
    return { ours, theirs }
  }
  throw new Error('no stream')
}

async function echoing(): Promise<QuicStream> {
  const { address } = await server(echo)
  return client(address).openStream()
}

async function collect(readable: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of readable) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The same without destroying it at the end, as `for await` over a node stream does. */
function received(readable: Readable): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  return new Promise((resolve, reject) => {
    readable.on('data', chunk => chunks.push(chunk))
    readable.on('end', () => resolve(Buffer.concat(chunks)))
    readable.on('error', reject)
  })
}

describe('WHATWG', () => {
  test('pipeThrough a stream and back', async () => {
    const stream = await echoing()
    expect(stream.readable).toBe(stream.readable)
    expect(stream.writable).toBe(stream.writable)
    const words = new Blob([pattern(300_000) as never]).stream() as ReadableStream<Uint8Array>
    const back = words.pipeThrough(stream)
    expect(isSame(await collect(back as never), pattern(300_000))).toBe(true)
    await stream.closed
  })

  test('cancel stops the sender, abort resets', async () => {
    const { ours, theirs } = await streamPair()
    const writing = failure(
      (async () => {
        for (;;) await ours.write(pattern(50_000))
      })(),
    )
    await theirs.readable.cancel()
    expect(await writing).toMatchObject({ code: 'ERR_ZEROTRIP_STREAM_ABORTED', errorCode: 0 })
    await theirs.writable.abort()
    expect((await failure(ours.read())).code).toBe('ERR_ZEROTRIP_STREAM_ABORTED')
  })

  test('a reset errors the readable, a stop the writable, before the next write', async () => {
    const { ours, theirs } = await streamPair()
    const writer = ours.writable.getWriter()
    const reader = ours.readable.getReader()
    const reading = failure(reader.read())
    const closed = failure(writer.closed)
    theirs.stopSending(8)
    expect((await closed).errorCode).toBe(8)
    expect((await failure(writer.write(new Uint8Array(1)))).errorCode).toBe(8)
    theirs.reset(9)
    expect((await reading).errorCode).toBe(9)
  })

  test('back-pressure', async () => {
    const { ours, theirs } = await streamPair('uni')
    const writer = ours.writable.getWriter()
    let written = 0
    const writing = (async () => {
      for (; written < 40; written++) {
        await writer.ready
        await writer.write(pattern(65_536))
      }
      await writer.close()
    })()
    expect(await eventually(() => written >= 4)).toBe(true)
    expect(await atRest(() => written)).toBeLessThan(24)
    expect((await collect(theirs.readable as never)).length).toBe(40 * 65_536)
    await writing
  })
})

describe('node:stream', () => {
  test('pipeline through a transform, out and back', async () => {
    const stream = await echoing()
    const duplex = stream.toDuplex()
    const data = pattern(200_000)
    const sent = pipeline(Readable.from([Buffer.from(data)]), createGzip(), duplex)
    const zipped = await collect(duplex)
    await sent
    expect(isSame(gunzipSync(zipped), data)).toBe(true)
    await stream.closed
  })

  test('strings with encodings, and both ends of a bidirectional stream', async () => {
    const { ours, theirs } = await streamPair()
    const [a, b] = [ours.toDuplex(), theirs.toDuplex()]
    a.setDefaultEncoding('hex')
    a.end('68656c6c6f')
    expect(text(await received(b))).toBe('hello')
    b.end('world')
    expect(text(await received(a))).toBe('world')
    await Promise.all([ours.closed, theirs.closed])
  })

  test('one direction has one side', async () => {
    const { ours, theirs } = await streamPair('uni')
    const [out, into] = [ours.toDuplex(), theirs.toDuplex()]
    expect([out.readable, out.writable, into.readable, into.writable]).toEqual([false, true, true, false])
    out.end(pattern(10_000))
    expect(isSame(await collect(into), pattern(10_000))).toBe(true)
    await Promise.all([ours.closed, theirs.closed])
  })

  test('destroy resets and stops', async () => {
    const { ours, theirs } = await streamPair()
    const duplex = ours.toDuplex()
    duplex.on('error', () => {})
    duplex.write('some')
    duplex.destroy()
    expect((await failure(theirs.bytes())).code).toBe('ERR_ZEROTRIP_STREAM_ABORTED')
    expect(await eventually(() => true)).toBe(true)
    await failure(
      (async () => {
        for (;;) await theirs.write(pattern(100_000))
      })(),
    )
    await Promise.all([ours.closed, theirs.closed])
  })

  test('a pipeline fails with the reset of the peer', async () => {
    const { ours, theirs } = await streamPair()
    const result = failure(pipeline(theirs.toDuplex(), new PassThrough()))
    ours.reset(21)
    expect((await result).errorCode).toBe(21)
  })

  test('an error in a pipeline resets the stream', async () => {
    const { ours, theirs } = await streamPair()
    const broken = new Transform({
      transform(_chunk, _encoding, callback) {
        callback(new Error('broken'))
      },
    })
    const result = failure(pipeline(Readable.from(['x']), broken, ours.toDuplex()))
    expect((await result).message).toBe('broken')
    expect((await failure(theirs.bytes())).code).toBe('ERR_ZEROTRIP_STREAM_ABORTED')
  })

  test('what was ended arrives, although the duplex is destroyed after it', async () => {
    const { ours, theirs } = await streamPair()
    const duplex = ours.toDuplex()
    duplex.end(pattern(500_000))
    duplex.on('finish', () => duplex.destroy())
    expect(isSame(await theirs.bytes(), pattern(500_000))).toBe(true)
  })
})

describe('Inbox', () => {
  test('drops the oldest beyond its limit, gives what is inside after close', async () => {
    const inbox = new Inbox<number>(3)
    for (const item of [1, 2, 3, 4, 5]) inbox.push(item)
    inbox.remove(4)
    expect(inbox.size).toBe(2)
    inbox.close()
    inbox.push(6)
    const seen: number[] = []
    for await (const item of inbox) seen.push(item)
    expect(seen).toEqual([3, 5])
  })

  test('several readers share', async () => {
    const inbox = new Inbox<number>(10)
    const read = async (): Promise<number[]> => {
      const seen: number[] = []
      for await (const item of inbox) seen.push(item)
      return seen
    }
    const readers = [read(), read()]
    await sleep(1)
    for (const item of [1, 2, 3, 4]) inbox.push(item)
    await sleep(1)
    inbox.close()
    expect((await Promise.all(readers)).flat().sort()).toEqual([1, 2, 3, 4])
  })
})
