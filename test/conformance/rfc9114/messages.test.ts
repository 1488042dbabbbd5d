// RFC 9114 §4: messages that a peer may not send.

import { describe, expect, test } from 'vitest'
import type { Field } from '../../../src/http3/field.ts'
import { type CodeName, data, get, Http3Peer, headers, type Role } from '../http3-peer.ts'

const ok: readonly Field[] = [[':status', '200']]
const without = (name: string): Field[] => get.filter(field => field[0] !== name)
const withField = (name: string, value: string): Field[] => [...get, [name, value]]
const trailers = headers([['x-sum', '1']])

/** Frames in an order that cannot be: the connection ends. */
const sequences: [title: string, role: Role, hex: string, fin: boolean, code: CodeName][] = [
  ['RFC 9114 §4.1: DATA before HEADERS', 'server', data('a'), false, 'FrameUnexpected'],
  ['RFC 9114 §4.1: DATA before HEADERS, in a response', 'client', data('a'), false, 'FrameUnexpected'],
  [
    'RFC 9114 §4.1: DATA behind an interim response',
    'client',
    headers([[':status', '103']]) + data('a'),
    false,
    'FrameUnexpected',
  ],
  ['RFC 9114 §4.1: DATA behind trailers', 'server', headers(get) + trailers + data('a'), false, 'FrameUnexpected'],
  ['RFC 9114 §4.1: HEADERS behind trailers', 'client', headers(ok) + trailers + trailers, false, 'FrameUnexpected'],
  ['RFC 9114 §7.1: a stream that ends within a frame', 'client', `${headers(ok)} 00 05 6161`, true, 'FrameError'],
  ['RFC 9114 §7.1: a stream that ends within a frame header', 'client', `${headers(ok)} 00`, true, 'FrameError'],
  [
    'RFC 9114 §4.4: HEADERS on the stream of a CONNECT',
    'server',
    headers([
      [':method', 'CONNECT'],
      [':authority', 'a:1'],
    ]) + trailers,
    false,
    'FrameUnexpected',
  ],
]

/** Messages that are malformed: the stream ends, the connection does not. */
const requests: [title: string, fields: readonly Field[]][] = [
  ['RFC 9114 §4.2: a field name in upper case', withField('X-Upper', '1')],
  ['RFC 9114 §10.3: a field name that is none', withField('x y', '1')],
  ['RFC 9114 §10.3: a line feed in a value', withField('x', 'a\nb')],
  ['RFC 9114 §10.3: a carriage return in a value', withField('x', 'a\rb')],
  ['RFC 9114 §10.3: a zero byte in a value', withField('x', 'a\0b')],
  ['RFC 9114 §4.2: connection', withField('connection', 'close')],
  ['RFC 9114 §4.2: keep-alive', withField('keep-alive', '1')],
  ['RFC 9114 §4.2: proxy-connection', withField('proxy-connection', 'close')],
  ['RFC 9114 §4.2: transfer-encoding', withField('transfer-encoding', 'chunked')],
  ['RFC 9114 §4.2: upgrade', withField('upgrade', 'h2c')],
  ['RFC 9114 §4.2: te that is not trailers', withField('te', 'gzip')],
  ['RFC 9114 §4.3: a pseudo-header field that is not defined', [...get.slice(0, 3), [':other', '1'], [':path', '/']]],
  ['RFC 9114 §4.3: a pseudo-header field of a response in a request', [[':status', '200'], ...get]],
  ['RFC 9114 §4.3: a pseudo-header field behind a field', [...get.slice(0, 3), ['x', '1'], [':path', '/']]],
  ['RFC 9114 §4.3.1: no :method', without(':method')],
  ['RFC 9114 §4.3.1: no :scheme', without(':scheme')],
  ['RFC 9114 §4.3.1: no :path', without(':path')],
  ['RFC 9114 §4.3.1: neither :authority nor Host', without(':authority')],
  [
    'RFC 9114 §4.3.1: :authority is empty',
    get.map(([name, value]): Field => [name, name === ':authority' ? '' : value]),
  ],
  ['RFC 9114 §4.3.1: Host is not :authority', withField('host', 'b')],
  ['RFC 9114 §4.3.1: :path is empty', get.map(([name, value]): Field => [name, name === ':path' ? '' : value])],
  ['RFC 9114 §4.3.1: a pseudo-header field twice', [[':method', 'GET'], ...get]],
  [
    'RFC 9114 §4.3.1: :authority with userinfo',
    get.map(([name, value]): Field => [name, name === ':authority' ? 'me@a' : value]),
  ],
  [
    'RFC 9114 §4.4: a CONNECT with :path',
    [
      [':method', 'CONNECT'],
      [':authority', 'a:1'],
      [':path', '/'],
    ],
  ],
  [
    'RFC 9114 §4.4: a CONNECT with :scheme',
    [
      [':method', 'CONNECT'],
      [':authority', 'a:1'],
      [':scheme', 'https'],
    ],
  ],
  ['RFC 9114 §4.4: a CONNECT without :authority', [[':method', 'CONNECT']]],
]

const responses: [title: string, fields: readonly Field[]][] = [
  ['RFC 9114 §4.3.2: no :status', [['x', '1']]],
  ['RFC 9114 §4.3.2: :status twice', [...ok, ...ok]],
  ['RFC 9114 §4.3.2: a :status that is none', [[':status', '20']]],
  ['RFC 9114 §4.3: a pseudo-header field of a request in a response', [...ok, [':path', '/']]],
  ['RFC 9114 §4.5: 101', [[':status', '101']]],
  ['RFC 9114 §4.2: transfer-encoding in a response', [...ok, ['transfer-encoding', 'chunked']]],
]

/** Content that is not as long as it says, at every way a message can end. */
const lengths: [title: string, role: Role, hex: string, fin: boolean][] = [
  [
    'RFC 9114 §4.1.2: more DATA than content-length',
    'server',
    headers(withField('content-length', '1')) + data('aa'),
    false,
  ],
  [
    'RFC 9114 §4.1.2: less DATA than content-length',
    'client',
    headers([...ok, ['content-length', '3']]) + data('aa'),
    true,
  ],
  [
    'RFC 9114 §4.1.2: less DATA than content-length, before trailers',
    'client',
    headers([...ok, ['content-length', '3']]) + data('aa') + trailers,
    true,
  ],
  ['RFC 9114 §4.1.2: no DATA at all', 'client', headers([...ok, ['content-length', '3']]), true],
  [
    'RFC 9114 §4.1.2: content-length twice',
    'server',
    headers([...withField('content-length', '1'), ['content-length', '1']]),
    false,
  ],
  ['RFC 9114 §4.1.2: a content-length that is none', 'server', headers(withField('content-length', '+1')), false],
]

describe('faults of a peer in its messages', () => {
  test.each(sequences)('%s', async (_, role, hex, fin, code) => {
    ;(await new Http3Peer(role).request(hex, fin).read()).expectClose(code)
  })
  test.each(requests)('%s', async (_, fields) => {
    ;(await new Http3Peer('server').request(headers(fields)).read()).expectAbort('MessageError')
  })
  test.each(responses)('%s', async (_, fields) => {
    ;(await new Http3Peer('client').request(headers(fields)).read()).expectAbort('MessageError')
  })
  test.each(lengths)('%s', async (_, role, hex, fin) => {
    ;(await new Http3Peer(role).request(hex, fin).read()).expectAbort('MessageError')
  })
  test('RFC 9114 §4.3: a pseudo-header field in trailers', async () => {
    const hex = headers(ok) + headers([[':status', '200']])
    ;(await new Http3Peer('client').request(hex).read()).expectAbort('MessageError')
  })
  test('RFC 9114 §4.1: an interim response behind the final one', async () => {
    const hex = headers(ok) + headers([[':status', '103']])
    ;(await new Http3Peer('client').request(hex).read()).expectAbort('MessageError')
  })
  test('RFC 9114 §4.1: a response that ends before it is complete', async () => {
    ;(await new Http3Peer('client').request(headers([[':status', '103']]), true).read()).expectAbort('MessageError')
  })
  test('RFC 9114 §4.1: a request that ends before it is complete', async () => {
    ;(await new Http3Peer('server').request('2100', true).read()).expectAbort('RequestIncomplete')
  })
  test('RFC 9114 §4.2.2: a field section that is too large is not taken', async () => {
    const peer = new Http3Peer('server', { maxFieldSectionSize: 200 })
    await peer.request(headers(withField('x', 'a'.repeat(200))), true).read()
    peer.expectNothing()
    const answer = Buffer.concat(peer.us.flow(0).arrived)
    // :status 431 as a literal.
    expect(answer.toString('latin1')).toContain('431')
  })
})

describe('what a peer may do in its messages', () => {
  test('RFC 9114 §4.2.1: cookies in several fields are one', async () => {
    const seen: (string | null)[] = []
    const peer = new Http3Peer('server')
    Object.defineProperty(peer.server, 'handler', {
      value: (request: Request) => {
        seen.push(request.headers.get('cookie'))
        return {}
      },
    })
    await peer.request(headers([...get, ['cookie', 'a=1'], ['cookie', 'b=2']]), true).read()
    expect(seen).toEqual(['a=1; b=2'])
  })
  test('RFC 9114 §4.1: the response to HEAD has a content-length, and no content', async () => {
    const peer = new Http3Peer('client', { method: 'HEAD' })
    await peer.request(headers([...ok, ['content-length', '3']]), true).read()
    expect(peer.requests[0]?.isEnded).toBe(true)
    peer.expectNothing()
  })
  test('RFC 9114 §4.1: te: trailers', async () => {
    ;(await new Http3Peer('server').request(headers(withField('te', 'trailers')), true).read()).expectNothing()
  })
})
