import { describe, expect, test } from 'vitest'
import { Http3ErrorCode as Code } from '../../src/http3/error-codes.ts'
import { bytes, join } from './helpers.ts'

const patience = { headersTimeout: 100, requestTimeout: 1000 }
const late = expect.objectContaining({ code: Code.RequestIncomplete })

describe('requests that do not come', () => {
  test('a header section that does not come: H3_REQUEST_INCOMPLETE', async () => {
    const { pair, server } = join(() => ({ status: 200 }))
    await pair.settle()
    const id = pair.client.openStream('bidi') as number
    pair.client.write(id, bytes('01 40 64 00'), false)
    await pair.settle()
    server.look(5000, patience)
    server.look(5099, patience)
    expect(pair.server.resets).toEqual([])
    server.look(5100, patience)
    expect([pair.server.resets, pair.server.stops]).toEqual([
      [[id, Code.RequestIncomplete]],
      [[id, Code.RequestIncomplete]],
    ])
    expect(server.connection.requestCount).toBe(0)
  })
  test('a body that does not come: 408, and the handler hears of it', async () => {
    const seen: unknown[] = []
    const { pair, server, client } = join(async request => {
      request.signal.addEventListener('abort', () => seen.push(request.signal.reason))
      await request.text().catch(error => seen.push(error))
      return { status: 200 }
    })
    const body = new ReadableStream<Uint8Array>({ start: controller => controller.enqueue(new Uint8Array(10)) })
    const answer = client.request({ url: '/', method: 'POST', body })
    await pair.settle()
    server.look(0, patience)
    server.look(999, patience)
    expect(seen).toEqual([])
    server.look(1000, patience)
    await pair.settle()
    expect(seen).toEqual([late, late])
    expect((await answer).status).toBe(408)
    expect(pair.server.stops).toEqual([[0, Code.RequestIncomplete]])
    expect(server.activeCount).toBe(0)
  })
  test('what has arrived is not late when nobody reads it, and 0 is no limit', async () => {
    let answer = (_: { status: number }): void => {}
    const { pair, server, client } = join(() => new Promise(resolve => (answer = resolve)))
    const whole = client.request({ url: '/', method: 'POST', body: new Uint8Array(1000) })
    await pair.settle()
    for (const now of [0, 5000, 10_000]) server.look(now, patience)
    answer({ status: 204 })
    await pair.settle()
    expect((await whole).status).toBe(204)
    const id = pair.client.openStream('bidi') as number
    pair.client.write(id, bytes('01 40 64 00'), false)
    await pair.settle()
    for (const now of [0, 5000]) server.look(now, { headersTimeout: 0, requestTimeout: 0 })
    expect(pair.server.resets).toEqual([])
  })
  test('tunnels may take as long as they like', async () => {
    const { pair, server, client } = join(() => ({ status: 200 }), {
      enableConnectProtocol: true,
      tunnels: { any: () => ({ start() {}, onContent() {}, onWritable() {}, abort() {} }) },
    })
    await pair.settle()
    client.connection.openRequest(
      [
        [':method', 'CONNECT'],
        [':protocol', 'any'],
        [':scheme', 'https'],
        [':authority', 'a'],
        [':path', '/'],
      ],
      undefined,
      false,
    )
    await pair.settle()
    for (const now of [0, 5000]) server.look(now, patience)
    expect([server.activeCount, pair.server.resets]).toEqual([1, []])
  })
})
