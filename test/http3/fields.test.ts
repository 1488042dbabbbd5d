import { describe, expect, test } from 'vitest'
import { Http3ErrorCode, Http3StreamError } from '../../src/http3/error-codes.ts'
import { type Field, fieldSectionSize } from '../../src/http3/field.ts'
import { assertSendable, readRequestHead, readResponseHead, readTrailers } from '../../src/http3/fields.ts'
import { MessagePart, MessageState, nextMessageState } from '../../src/http3/request-state.ts'

const method: Field = [':method', 'GET']
const scheme: Field = [':scheme', 'https']
const authority: Field = [':authority', 'example.com']
const path: Field = [':path', '/']
const get: Field[] = [method, scheme, authority, path]

function expectMalformed(action: () => unknown): void {
  expect(action).toThrow(Http3StreamError)
  try {
    action()
  } catch (error) {
    expect((error as Http3StreamError).code).toBe(Http3ErrorCode.MessageError)
  }
}

describe('RFC 9114 §4.3.1: requests', () => {
  test('a request', () => {
    const head = readRequestHead([...get, ['a', 'b'], ['content-length', '12'], ['a', 'c']])
    expect(head).toMatchObject({ method: 'GET', scheme: 'https', authority: 'example.com', path: '/' })
    expect(head.fields.length).toBe(3)
    expect(head.contentLength).toBe(12)
    expect(head.field('a')).toBe('b')
    expect(head.field('z')).toBeUndefined()
  })
  test('Host may stand for :authority, or say the same', () => {
    expect(readRequestHead([method, scheme, path, ['host', 'h:1']]).authority).toBe('h:1')
    expect(readRequestHead([...get, ['host', 'example.com']]).authority).toBe('example.com')
  })
  test('OPTIONS *', () => {
    expect(readRequestHead([[':method', 'OPTIONS'], scheme, authority, [':path', '*']]).path).toBe('*')
  })
  test('§4.4: CONNECT', () => {
    expect(readRequestHead([[':method', 'CONNECT'], authority])).toMatchObject({ method: 'CONNECT', path: '' })
    expectMalformed(() => readRequestHead([[':method', 'CONNECT'], authority, path]))
    expectMalformed(() => readRequestHead([[':method', 'CONNECT']]))
    expectMalformed(() =>
      readRequestHead([
        [':method', 'CONNECT'],
        [':authority', ''],
      ]),
    )
  })
  test('another scheme needs no authority, and may have any path', () => {
    expect(readRequestHead([method, [':scheme', 'coap+tcp'], [':path', 'x']]).authority).toBe('')
  })
  test('te: trailers', () => {
    expect(readRequestHead([...get, ['te', 'trailers']]).fields.length).toBe(1)
  })

  const malformed: [string, Field[]][] = [
    ['nothing', []],
    ['no :method', [scheme, authority, path]],
    ['no :scheme', [method, authority, path]],
    ['no :path', [method, scheme, authority]],
    ['no :authority', [method, scheme, path]],
    ['empty :authority', [method, scheme, [':authority', ''], path]],
    ['empty host', [method, scheme, path, ['host', '']]],
    ['empty :path', [method, scheme, authority, [':path', '']]],
    [':path *', [method, scheme, authority, [':path', '*']]],
    ['relative :path', [method, scheme, authority, [':path', 'a']]],
    [':path with a fragment', [method, scheme, authority, [':path', '/#a']]],
    [':path with a blank', [method, scheme, authority, [':path', '/ a']]],
    ['userinfo', [method, scheme, [':authority', 'a@b'], path]],
    ['authority with a path', [method, scheme, [':authority', 'a/b'], path]],
    ['invalid :method', [[':method', 'G T'], scheme, authority, path]],
    ['invalid :scheme', [method, [':scheme', '1'], authority, path]],
    [':method twice', [method, ...get]],
    [':status', [...get, [':status', '200']]],
    [':protocol without agreement', [...get, [':protocol', 'websocket']]],
    ['unknown pseudo-header field', [...get, [':x', 'y']]],
    ['only a colon', [...get, [':', 'y']]],
    ['pseudo-header field after a field', [method, scheme, authority, ['a', 'b'], path]],
    ['host is not :authority', [...get, ['host', 'other']]],
    ['upper case', [...get, ['Accept', 'x']]],
    ['empty name', [...get, ['', 'x']]],
    ['blank in a name', [...get, ['a b', 'x']]],
    ['CR', [...get, ['a', 'x\ry']]],
    ['LF', [...get, ['a', 'x\ny']]],
    ['NUL', [...get, ['a', 'x\0']]],
    ['connection', [...get, ['connection', 'close']]],
    ['keep-alive', [...get, ['keep-alive', '1']]],
    ['proxy-connection', [...get, ['proxy-connection', 'x']]],
    ['transfer-encoding', [...get, ['transfer-encoding', 'chunked']]],
    ['upgrade', [...get, ['upgrade', 'h2c']]],
    ['te: gzip', [...get, ['te', 'gzip']]],
    ['content-length twice', [...get, ['content-length', '1'], ['content-length', '1']]],
    ['content-length, a list', [...get, ['content-length', '1, 1']]],
    ['content-length, a sign', [...get, ['content-length', '+1']]],
    ['content-length, too many digits', [...get, ['content-length', '1'.repeat(16)]]],
    ['content-length, empty', [...get, ['content-length', '']]],
  ]
  test.each(malformed)('malformed: %s', (_, fields) => expectMalformed(() => readRequestHead(fields)))
})

describe('RFC 9114 §4.3.2: responses', () => {
  test('a response', () => {
    const head = readResponseHead([
      [':status', '404'],
      ['content-length', '0'],
    ])
    expect(head).toMatchObject({ status: 404, contentLength: 0, isInterim: false })
    expect(head.field('content-length')).toBe('0')
    expect(readResponseHead([[':status', '103']]).isInterim).toBe(true)
  })
  const malformed: [string, Field[]][] = [
    ['no :status', [['a', 'b']]],
    ['two digits', [[':status', '20']]],
    ['not a number', [[':status', '2xx']]],
    ['000', [[':status', '000']]],
    ['§4.5: 101', [[':status', '101']]],
    [':path', [[':status', '200'], path]],
  ]
  test.each(malformed)('malformed: %s', (_, fields) => expectMalformed(() => readResponseHead(fields)))
})

test('RFC 9114 §4.3: trailers have no pseudo-header fields', () => {
  expect(readTrailers([['a', 'b']])).toEqual([['a', 'b']])
  expectMalformed(() => readTrailers([[':status', '200']]))
})

test('what is sent is checked, too', () => {
  assertSendable([...get, ['x', 'y\t\xff']])
  expect(() => assertSendable([['X', 'y']])).toThrow(TypeError)
  expect(() => assertSendable([['x', 'y\r\nz: a']])).toThrow(TypeError)
  expect(() => assertSendable([['x', '\u0100']])).toThrow(TypeError)
})

test('RFC 9114 §4.2.2: size of a field section', () => {
  expect(fieldSectionSize([path, ['ab', 'cde']])).toBe(5 + 1 + 32 + 5 + 32)
})

describe('RFC 9114 §4.1: every state and part', () => {
  const { ExpectHead, ExpectContent, ExpectEnd, Ended } = MessageState
  const { Interim, Headers, Data, End } = MessagePart
  const legal: [MessageState, MessagePart, MessageState][] = [
    [ExpectHead, Interim, ExpectHead],
    [ExpectHead, Headers, ExpectContent],
    [ExpectContent, Data, ExpectContent],
    [ExpectContent, Headers, ExpectEnd],
    [ExpectContent, End, Ended],
    [ExpectEnd, End, Ended],
  ]
  for (const state of Object.values(MessageState)) {
    for (const part of Object.values(MessagePart)) {
      const row = legal.find(([from, by]) => from === state && by === part)
      test(`${state} and ${part}: ${row?.[2] ?? 'not allowed'}`, () =>
        expect(nextMessageState(state, part)).toBe(row?.[2]))
    }
  }
})
