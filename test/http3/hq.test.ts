import { describe, expect, test, vi } from 'vitest'
import { Hq09Client, type Hq09Handler, Hq09Server, MAX_HQ_REQUEST } from '../../src/http3/hq.ts'
import { FakePair } from '../support/fake-transport.ts'

function join(handler: Hq09Handler, prepare?: (pair: FakePair) => void) {
  const pair = new FakePair()
  prepare?.(pair)
  const client = new Hq09Client(pair.client)
  const server = new Hq09Server(pair.server, handler)
  pair.client.sink = client
  pair.server.sink = server
  return { pair, client }
}

async function read(stream: ReadableStream<Uint8Array>, pair: FakePair): Promise<string> {
  const promise = new Response(stream).text()
  promise.catch(() => {})
  for (let i = 0; i < 20; i++) await pair.settle()
  return promise
}

describe('HTTP/0.9 (hq-interop)', () => {
  test.each([1, 3, 1000])('a file in bytes, in pieces of %d', async size => {
    const { pair, client } = join(path => new TextEncoder().encode(`file ${path}`))
    pair.client.pieceSize = size
    expect(await read(client.get('/a/b'), pair)).toBe('file /a/b')
    expect(await read(client.get('/c'), pair)).toBe('file /c')
  })

  test('a file as a stream, with back-pressure', async () => {
    let produced = 0
    const { pair, client } = join(
      async () =>
        new ReadableStream<Uint8Array>({
          pull: controller => {
            produced += 10_000
            controller.enqueue(new Uint8Array(10_000).fill(0x61))
            if (produced === 500_000) controller.close()
          },
        }),
    )
    const stream = client.get('/')
    await pair.settle()
    expect(produced).toBeLessThan(200_000)
    expect((await read(stream, pair)).length).toBe(500_000)
  })

  test('what is not there, what is wrong, what is too long: a reset', async () => {
    const { pair, client } = join(path => {
      if (path === '/throws') throw new Error('oops')
      return undefined
    })
    for (const path of ['/none', '/throws', 'no slash', `/${'a'.repeat(MAX_HQ_REQUEST)}`]) {
      await expect(read(client.get(path), pair)).rejects.toThrow('reset')
    }
  })

  test('a stream that fails: a reset', async () => {
    const { pair, client } = join(() => new ReadableStream({ pull: c => c.error(new Error('disk')) }))
    await expect(read(client.get('/'), pair)).rejects.toThrow('reset')
  })

  test('requests wait for the handshake and for streams, early ones for streams only', async () => {
    const { pair, client } = join(
      path => new TextEncoder().encode(path),
      ({ client: end }) => {
        end.isHandshakeConfirmed = false
        end.streamLimit.bidi = 1
      },
    )
    const late = client.get('/late')
    expect(pair.client.flow(0).writes).toBe(0)
    const early = client.get('/early', { early: true })
    expect(pair.client.flow(0).writes).toBe(1)
    expect(await read(early, pair)).toBe('/early')
    pair.client.events.push({ type: 'handshakeComplete' })
    await pair.settle()
    pair.client.streamLimit.bidi = 2
    pair.client.events.push({ type: 'streamsAvailable', direction: 'bidi' })
    expect(await read(late, pair)).toBe('/late')
  })

  test('cancelling stops the server', async () => {
    const cancel = vi.fn()
    const { pair, client } = join(
      () => new ReadableStream<Uint8Array>({ pull: c => c.enqueue(new Uint8Array(10_000)), cancel }),
    )
    const reader = client.get('/').getReader()
    const first = reader.read()
    await pair.settle()
    await first
    await reader.cancel()
    await pair.settle()
    expect(pair.client.stops).toEqual([[0, 0]])
    expect(cancel).toHaveBeenCalled()
  })

  test('a connection that ends', async () => {
    const { pair, client } = join(() => new ReadableStream())
    const stream = client.get('/')
    await pair.settle()
    pair.client.close(0, '')
    await expect(read(stream, pair)).rejects.toThrow('closed')
    await expect(read(client.get('/'), pair)).rejects.toThrow('closed')
  })
  test('what arrived before the end can still be read', async () => {
    const { pair, client } = join(() => new TextEncoder().encode('whole'))
    pair.client.pieceSize = pair.server.pieceSize = 2
    const [whole, torn] = [client.get('/whole'), client.get('/torn')]
    await pair.settle()
    pair.client.peer.flow(4).fin = 'none'
    pair.server.close(0, '')
    await pair.settle()
    expect(await read(whole, pair)).toBe('whole')
    await expect(read(torn, pair)).rejects.toThrow('closed')
  })
})
