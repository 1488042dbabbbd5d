import { describe, expect, test } from 'vitest'
import { Http3ErrorCode as Code } from '../../src/http3/error-codes.ts'
import type { Field } from '../../src/http3/field.ts'
import { readRequestHead } from '../../src/http3/fields.ts'
import type { RequestStream } from '../../src/http3/request-stream.ts'
import { limits } from '../../src/limits.ts'
import { bytes, concat, hex, join } from './helpers.ts'

const get: Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'a'],
  [':path', '/'],
]
const post: Field[] = [[':method', 'POST'], ...get.slice(1)]
const connect: Field[] = [[':method', 'CONNECT'], [':protocol', 'echo'], ...get.slice(1)]

/** A server whose requests a test answers by hand. */
function byHand(options: Parameters<typeof join>[1] = {}) {
  const streams: RequestStream[] = []
  const exchange = (_host: unknown, stream: RequestStream) => ({
    start: () => streams.push(stream),
    onContent: () => {},
    onWritable: () => {},
    abort: () => {},
  })
  const joined = join(() => ({}), { exchange, tunnels: { echo: exchange }, ...options })
  const interim: number[] = []
  return { ...joined, streams, interim }
}

describe('what is sent is checked before it leaves', () => {
  const cases: [string, (stream: RequestStream) => void, RegExp][] = [
    ['content before the head', s => s.write(bytes('61')), /before the header section/],
    ['101 (RFC 9114 §4.5)', s => s.writeHead([[':status', '101']]), /101/],
    ['an interim response that ends', s => s.writeHead([[':status', '103']], true), /interim/],
    ['an interim response with content', s => s.send([[':status', '103']], bytes('61'), false), /interim/],
    [
      'a content-length that is none',
      s =>
        s.writeHead([
          [':status', '200'],
          ['content-length', '1e3'],
        ]),
      /content-length/,
    ],
    [
      'more than content-length',
      s =>
        s.send(
          [
            [':status', '200'],
            ['content-length', '1'],
          ],
          bytes('6161'),
          true,
        ),
      /more/,
    ],
    [
      'less than content-length',
      s =>
        s.send(
          [
            [':status', '200'],
            ['content-length', '3'],
          ],
          bytes('6161'),
          true,
        ),
      /2 bytes/,
    ],
    [
      'nothing at all of content-length',
      s =>
        s.writeHead(
          [
            [':status', '200'],
            ['content-length', '3'],
          ],
          true,
        ),
      /0 bytes/,
    ],
  ]
  test.each(cases)('%s', async (_, send, message) => {
    const { client, pair, streams } = byHand()
    client.connection.openRequest(get, undefined, true)
    await pair.settle()
    const before = pair.server.flow(0).writes
    expect(() => send(streams[0] as RequestStream)).toThrow(message)
    expect(pair.server.flow(0).writes).toBe(before)
  })
  test.each([0, 41])(
    'RFC 9114 §4.2.2: an answer larger than the client takes (%d bytes) is a reset, and nothing throws',
    async limit => {
      const seen: unknown[] = []
      const { client, pair, server } = join(() => ({ body: 'ok' }), {
        client: { maxFieldSectionSize: limit },
        onError: error => seen.push(error),
      })
      await pair.settle()
      const request = client.connection.openRequest(get, undefined, true)
      await pair.settle()
      expect(request?.error).toMatchObject({ code: Code.InternalError })
      expect(server.activeCount).toBe(0)
      expect(pair.server.closedWith).toBeUndefined()
      expect(seen.length).toBe(1)
    },
  )
  test('RFC 9110 §5.5: whitespace around a value is left out', async () => {
    const { client, pair, streams } = byHand()
    client.connection.openRequest([...get, ['x', ' \ta b\t ']], undefined, true)
    await pair.settle()
    expect(streams[0]?.request?.field('x')).toBe('a b')
  })
  test('trailers are fields, and the end', async () => {
    const { client, pair, streams } = byHand()
    client.connection.openRequest(get, undefined, true)
    await pair.settle()
    const stream = streams[0] as RequestStream
    stream.writeHead([[':status', '200']])
    expect(() => stream.writeTrailers([[':status', '200']])).toThrow(/:status/)
    expect(() => stream.writeHead([['x-sum', '1']])).toThrow(/end/)
    stream.writeTrailers([['x-sum', '1']])
    expect(() => stream.end()).toThrow(/ended before/)
  })
  test('content-length over several writes, and over trailers', async () => {
    const { client, pair, streams } = byHand()
    client.connection.openRequest(get, undefined, true)
    await pair.settle()
    const stream = streams[0] as RequestStream
    stream.writeHead([
      [':status', '200'],
      ['content-length', '4'],
    ])
    stream.write(bytes('6161'))
    expect(() => stream.writeTrailers([['x-sum', '1']])).toThrow(/2 bytes/)
    expect(() => stream.write(bytes('616161'))).toThrow(/more/)
    stream.write(bytes('6161'), true)
  })
  test('RFC 9110 §9.3.2: an answer to HEAD says a length and has no content', async () => {
    const { client, pair, streams } = byHand()
    const request = client.connection.openRequest([[':method', 'HEAD'], ...get.slice(1)], undefined, true)
    await pair.settle()
    streams[0]?.send(
      [
        [':status', '200'],
        ['content-length', '3'],
      ],
      bytes('616161'),
      true,
    )
    await pair.settle()
    expect(request?.response?.contentLength).toBe(3)
    expect(request?.isEnded).toBe(true)
    expect(request?.error).toBeUndefined()
  })
  test('RFC 9110 §15.4.5: so does 304', async () => {
    const { client, pair, streams } = byHand()
    const request = client.connection.openRequest(get, undefined, true)
    await pair.settle()
    streams[0]?.writeHead(
      [
        [':status', '304'],
        ['content-length', '3'],
      ],
      true,
    )
    await pair.settle()
    expect(request?.isEnded).toBe(true)
  })
})

describe('RFC 9110 §10.1.1: Expect: 100-continue', () => {
  test('the handler that reads the body says so, once, and first', async () => {
    const { client, pair } = join(async request => ({ body: await request.text() }))
    const request = client.connection.openRequest([...post, ['expect', '100-continue']], undefined, false)
    await pair.settle()
    expect(hex(concat(...pair.client.peer.flow(0).arrived))).toBe('')
    request?.write(bytes('61'), true)
    await pair.settle()
    expect(request?.response?.status).toBe(200)
    expect(pair.server.flow(0).writes).toBe(2)
  })
  test('one that does not read it, does not', async () => {
    const { client, pair } = join(() => ({ status: 413 }))
    const request = client.connection.openRequest([...post, ['expect', '100-continue']], undefined, false)
    await pair.settle()
    expect(request?.response?.status).toBe(413)
    expect(pair.server.flow(0).writes).toBe(1)
  })
})

describe('RFC 9114 §5.2: GOAWAY in two steps', () => {
  test('what was on its way is answered, what comes later is not', async () => {
    let callback = (): void => {}
    const { client, server, pair } = join(() => ({ body: 'ok' }), {
      prepare: ({ server: end }) => {
        Object.assign(end, {
          afterRoundTrip: (then: () => void) => {
            callback = then
          },
        })
      },
    })
    await pair.settle()
    const closed = server.close()
    const late = client.request({ url: '/' })
    pair.step()
    expect(hex(concat(...(pair.server.flow(3).queued as Uint8Array[])))).toBe('')
    await pair.settle()
    expect((await late).status).toBe(200)
    await expect(client.request({ url: '/' })).rejects.toMatchObject({ code: Code.RequestRejected })
    expect(pair.server.closedWith).toBeUndefined()
    callback()
    await pair.settle()
    await closed
    expect(pair.server.closedWith?.code).toBe(Code.NoError)
  })
})

describe('RFC 9218: priorities of a client', () => {
  test('§7.2: a request that is under way can be moved', async () => {
    const { client, server, pair } = byHand()
    await pair.settle()
    const request = client.connection.openRequest([...get, ['priority', 'u=5']], undefined, true)
    await pair.settle()
    expect(pair.server.priorities.filter(([id]) => id === 0)).toEqual([[0, 5, false]])
    expect(pair.client.priorities.filter(([id]) => id === 0)).toEqual([[0, 5, false]])
    request?.setPriority({ urgency: 1, isIncremental: true })
    await pair.settle()
    expect(pair.server.priorities.filter(([id]) => id === 0)).toEqual([
      [0, 5, false],
      [0, 1, true],
    ])
    expect(server.connection.isClosed).toBe(false)
  })
  test('§8: the server knows better', async () => {
    const { client, pair, streams } = byHand()
    client.connection.openRequest([...get, ['priority', 'u=5, i']], undefined, true)
    await pair.settle()
    streams[0]?.writeHead(
      [
        [':status', '200'],
        ['priority', 'u=1'],
      ],
      true,
    )
    expect(pair.server.priorities.filter(([id]) => id === 0)).toEqual([
      [0, 5, true],
      [0, 1, true],
    ])
  })
})

describe('RFC 9220 §3: CONNECT with a protocol', () => {
  test('pseudo-header fields', () => {
    const head = readRequestHead(connect, true)
    expect(head).toMatchObject({ method: 'CONNECT', protocol: 'echo', scheme: 'https', path: '/', authority: 'a' })
  })
  const wrong: [string, Field[], boolean][] = [
    ['not announced', connect, false],
    ['another method', [[':method', 'GET'], ...connect.slice(1)], true],
    ['no :path', connect.slice(0, -1), true],
    ['no :scheme', connect.filter(([name]) => name !== ':scheme'), true],
    ['no :authority', connect.filter(([name]) => name !== ':authority'), true],
    ['an empty protocol', [[':method', 'CONNECT'], [':protocol', ''], ...get.slice(1)], true],
    ['twice', [...connect.slice(0, 2), [':protocol', 'echo'], ...get.slice(1)], true],
  ]
  test.each(wrong)('%s: H3_MESSAGE_ERROR', (_, fields, isAnnounced) => {
    expect(() => readRequestHead(fields, isAnnounced)).toThrow(expect.objectContaining({ code: Code.MessageError }))
  })
  test('bytes both ways', async () => {
    const { client, pair, streams } = byHand({ enableConnectProtocol: true })
    await pair.settle()
    const request = client.connection.openRequest(connect, undefined, false)
    await pair.settle()
    const stream = streams[0] as RequestStream
    // A content-length says nothing of a tunnel.
    stream.writeHead([
      [':status', '200'],
      ['content-length', '1'],
    ])
    stream.write(bytes('616263'))
    request?.write(bytes('646566'))
    await pair.settle()
    expect(hex(request?.read() as Uint8Array)).toBe('616263')
    expect(hex(stream.read() as Uint8Array)).toBe('646566')
  })
  test('a protocol nobody knows: 501', async () => {
    const { client, pair } = byHand({ enableConnectProtocol: true })
    await pair.settle()
    const other = connect.map(([name, value]): Field => [name, name === ':protocol' ? 'toString' : value])
    const request = client.connection.openRequest(other, undefined, false)
    await pair.settle()
    expect(request?.response?.status).toBe(501)
  })
  test('a server that takes none: TypeError', async () => {
    const { client, pair } = byHand()
    await pair.settle()
    expect(() => client.connection.openRequest(connect, undefined, false)).toThrow(TypeError)
  })
  test('RFC 9114 §4.4: trailers on the stream of a CONNECT: H3_FRAME_UNEXPECTED', async () => {
    const { client, pair, streams } = byHand()
    client.connection.openRequest(
      [
        [':method', 'CONNECT'],
        [':authority', 'a:1'],
      ],
      undefined,
      false,
    )
    await pair.settle()
    pair.client.write(0, bytes('0102 0000'), false)
    await pair.settle()
    streams[0]?.read()
    expect(pair.server.closedWith?.code).toBe(Code.FrameUnexpected)
  })
  test('a CONNECT that was refused has content as others do', async () => {
    const { client, pair, streams } = byHand()
    const request = client.connection.openRequest(
      [
        [':method', 'CONNECT'],
        [':authority', 'a:1'],
      ],
      undefined,
      false,
    )
    await pair.settle()
    streams[0]?.send(
      [
        [':status', '502'],
        ['content-length', '2'],
      ],
      bytes('6161'),
      true,
    )
    await pair.settle()
    expect(hex(request?.read() as Uint8Array)).toBe('6161')
  })
})

describe('RFC 9297 §2: datagrams of requests', () => {
  async function tunnel() {
    const joined = byHand({ enableConnectProtocol: true, h3Datagram: true, client: { h3Datagram: true } })
    await joined.pair.settle()
    const request = joined.client.connection.openRequest(connect, undefined, false) as RequestStream
    return { ...joined, request }
  }
  test('they find their request, both ways, early ones as well', async () => {
    const { pair, request, streams } = await tunnel()
    const seen: string[] = []
    request.takeDatagrams(payload => seen.push(hex(payload)))
    expect(request.sendDatagram(bytes('01'))).toBe(true)
    // Before the request itself.
    pair.deliverDatagrams()
    await pair.settle()
    const stream = streams[0] as RequestStream
    stream.takeDatagrams(payload => seen.push(`server ${hex(payload)}`))
    expect(seen).toEqual(['server 01'])
    stream.sendDatagram(bytes('0203'))
    pair.deliverDatagrams()
    await pair.settle()
    expect(seen).toEqual(['server 01', '0203'])
  })
  test('§2: of a request that knows none: H3_DATAGRAM_ERROR', async () => {
    const { client, pair, streams } = await tunnel()
    client.connection.openRequest(post, undefined, false)
    await pair.settle()
    expect(streams.length).toBe(2)
    pair.client.sendDatagram(bytes('01 61'))
    pair.deliverDatagrams()
    await pair.settle()
    expect(pair.server.resets).toContainEqual([4, Code.DatagramError])
    expect(pair.server.closedWith).toBeUndefined()
  })
  test.each([
    ['without an id', ''],
    ['cut in its id', '40'],
    ['of a stream that cannot be', 'ffffffffffffffff'],
    ['of the first stream that cannot be', 'd000000000000000'],
  ])('§2.1: %s: H3_DATAGRAM_ERROR', async (_, data) => {
    const { pair } = await tunnel()
    pair.client.sendDatagram(bytes(data))
    pair.deliverDatagrams()
    await pair.settle()
    expect(pair.server.closedWith?.code).toBe(Code.DatagramError)
  })
  test('§2.1: after the end they are dropped', async () => {
    const { pair, request, streams } = await tunnel()
    await pair.settle()
    streams[0]?.takeDatagrams(() => {
      throw new Error('it should be dropped')
    })
    request.cancel(Code.RequestCancelled)
    await pair.settle()
    pair.client.sendDatagram(bytes('00 61'))
    pair.deliverDatagrams()
    await pair.settle()
    expect(pair.server.closedWith).toBeUndefined()
    expect(request.sendDatagram(bytes('61'))).toBe(false)
  })
  test('§2.1.1: without both SETTINGS none is sent', async () => {
    const { client, pair } = byHand({ enableConnectProtocol: true, client: { h3Datagram: true } })
    await pair.settle()
    const request = client.connection.openRequest(connect, undefined, false) as RequestStream
    expect(request.sendDatagram(bytes('61'))).toBe(false)
    expect(request.maxDatagramSize).toBe(0)
  })
  test('those that come early are bounded', async () => {
    const { pair, streams } = await tunnel()
    for (let i = 0; i < 2 * limits.earlyDatagrams; i++) pair.client.sendDatagram(Uint8Array.of(0, i))
    pair.deliverDatagrams()
    await pair.settle()
    const seen: number[] = []
    streams[0]?.takeDatagrams(payload => seen.push(payload[0] as number))
    expect(seen.length).toBe(limits.earlyDatagrams)
    expect(seen[0]).toBe(limits.earlyDatagrams)
  })
})
