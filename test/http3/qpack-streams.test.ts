import { describe, expect, test } from 'vitest'
import { Http3ErrorCode as Code } from '../../src/http3/error-codes.ts'
import type { Field } from '../../src/http3/field.ts'
import { Http3Server } from '../../src/http3/server.ts'
import { limits } from '../../src/limits.ts'
import { FakePair } from '../support/fake-transport.ts'
import { bytes, concat, hex, join, text } from './helpers.ts'

const headers: [string, string][] = [
  ['user-agent', 'a program of some kind'],
  ['x-tenant', 'the same for all requests'],
]

describe('RFC 9204 §4.2: QPACK streams of a connection', () => {
  test('both tables are used, and requests become shorter', async () => {
    const { client, server, pair } = join(() => ({ headers: [['x-server', 'the same for all answers']], body: 'ok' }))
    await pair.settle()
    const sizes: number[] = []
    for (let i = 0; i < 4; i++) {
      const promise = client.request({ url: '/', headers })
      const request = pair.client.flow(4 * i).queued[0] as Uint8Array
      sizes.push(request.length)
      await pair.settle()
      const response = await promise
      expect(response.headers.get('x-server')).toBe('the same for all answers')
      expect(await text(response, pair)).toBe('ok')
    }
    expect(sizes[3]).toBeLessThanOrEqual(12)
    expect(client.connection.qpack.insertions.sent).toBeGreaterThan(2)
    expect(client.connection.qpack.insertions.received).toBeGreaterThan(0)
    expect(server.connection.qpack.insertions.received).toBe(client.connection.qpack.insertions.sent)
  })

  test('§2.1.2: a request that comes before the insertions it needs waits for them', async () => {
    const seen: string[] = []
    const { client, pair } = join(request => {
      seen.push(request.headers.get('x-tenant') as string)
      return { body: 'ok' }
    })
    await pair.settle()
    const promise = client.request({ url: '/', headers })
    const encoderStream = pair.client.flow(6)
    const held = encoderStream.queued.splice(0)
    expect(held.length).toBe(1)
    await pair.settle()
    expect(seen).toEqual([])
    encoderStream.queued.push(...held)
    await pair.settle()
    expect(seen).toEqual(['the same for all requests'])
    expect((await promise).status).toBe(200)
  })

  test('§2.1.2: so do trailers', async () => {
    const { client, server, pair } = join(async request => ({ body: await request.text() }))
    await pair.settle()
    const stream = client.connection.openRequest(
      [
        [':method', 'POST'],
        [':scheme', 'https'],
        [':authority', 'a'],
        [':path', '/'],
      ],
      bytes('616263'),
      false,
    )
    await pair.settle()
    stream?.writeTrailers([['x-checksum', 'of something']])
    const held = pair.client.flow(6).queued.splice(0)
    expect(held.length).toBe(1)
    await pair.settle()
    expect(server.activeCount).toBe(1)
    pair.client.flow(6).queued.push(...held)
    await pair.settle()
    expect(server.activeCount).toBe(0)
  })

  test('§2.2.2.2: a request that is reset while it waits is cancelled on the decoder stream', async () => {
    const { client, server, pair } = join(() => ({ body: 'ok' }))
    await pair.settle()
    const promise = client.request({ url: '/', headers }).catch((error: unknown) => error)
    pair.client.flow(6).queued.splice(0)
    await pair.settle()
    pair.client.reset(0, Code.RequestCancelled)
    await pair.settle()
    expect(server.connection.requestCount).toBe(0)
    const answers = concat(...pair.server.flow(7).queued, ...pair.client.peer.flow(7).arrived)
    expect(hex(answers)).toBe('')
    expect(pair.client.closedWith).toBeUndefined()
    client.connection.close()
    await pair.settle()
    await promise
  })

  test('a peer that lets no decoder stream out: H3_EXCESSIVE_LOAD', async () => {
    const pair = new FakePair()
    // The server may open its control stream, and nothing else.
    pair.server.streamLimit.uni = 1
    pair.client.streamLimit.bidi = 10_000
    const server = new Http3Server(pair.server, () => ({ body: '' }))
    pair.server.sink = server
    pair.client.write(2, bytes('00 0400'), false)
    pair.client.write(6, bytes('02 3fe11f ff20 821c64'), false)
    let count = 0
    for (; count < limits.qpackBacklog && !server.connection.isClosed; count++) {
      // GET https / of "a" with the user-agent of the table.
      pair.client.write(4 * count, bytes('01 09 0200 d1 d7 5001 61 c1 80'), true)
      if (count % 100 === 0) while (pair.step());
    }
    while (pair.step());
    expect(count).toBeGreaterThan(1000)
    expect(pair.server.closedWith?.code).toBe(Code.ExcessiveLoad)
  })

  test('a section that could not be sent holds no entry', async () => {
    const { client, pair } = join(() => ({ body: '' }))
    await pair.settle()
    const fields: Field[] = [[':method', 'GET'], ...headers]
    const { qpack } = client.connection
    qpack.encode(fields, 0)
    qpack.onUnsent(0)
    // Its acknowledgment would be one of nothing.
    expect(() => qpack.onDecoderData(bytes('80'))).toThrow(/refers to nothing/)
  })

  test('§2.1.3: encoder, decoder and control stream go before requests', async () => {
    const { client, pair } = join(() => ({ body: '' }))
    await pair.settle()
    client.request({ url: '/', headers }).catch(() => {})
    await pair.settle()
    expect(pair.client.priorities.filter(([id]) => id % 4 === 2)).toEqual([
      [2, 0, true],
      [6, 0, true],
    ])
    expect(pair.server.priorities.filter(([id]) => id % 4 === 3)).toEqual([
      [3, 0, true],
      [7, 0, true],
      [11, 0, true],
    ])
  })
})
