import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { connect, type Http3FetchInit } from '../../src/http3/index.ts'
import { eventually, sockets } from '../endpoint/helpers.ts'
import { session, site } from './helpers.ts'

test('options that do not fit throw, and leave no socket behind', async () => {
  const before = sockets()
  const ca = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
  expect(() => connect('https://127.0.0.1:4433/', { ca })).toThrow(TypeError)
  expect(() => connect('http://127.0.0.1:4433/')).toThrow(TypeError)
  expect(await eventually(() => sockets() === before)).toBe(true)
})

test('bodies of all kinds that fetch takes, and what they say of themselves', async () => {
  const { url } = await site(async request => {
    const type = request.headers.get('content-type')?.replace(/boundary=.*/, '') ?? ''
    const form = type.startsWith('multipart') ? await request.formData() : undefined
    const text = form === undefined ? await request.text() : Object.fromEntries(form)
    return Response.json([type, request.headers.get('content-length'), text])
  })
  const near = session(url)
  const form = new FormData()
  form.set('a', '1')
  const bodies: [NonNullable<Http3FetchInit['body']>, unknown][] = [
    ['text', ['text/plain;charset=UTF-8', '4', 'text']],
    [new Uint8Array([104, 105]), ['', '2', 'hi']],
    [new Uint8Array([104, 105]).buffer, ['', '2', 'hi']],
    [new DataView(new Uint8Array([104, 105]).buffer), ['', '2', 'hi']],
    [new URLSearchParams({ b: '2' }), ['application/x-www-form-urlencoded;charset=UTF-8', null, 'b=2']],
    [new Blob(['blob'], { type: 'text/css' }), ['text/css', '4', 'blob']],
    [form, ['multipart/form-data; ', null, { a: '1' }]],
    [Readable.from(['of ', 'node']), ['', null, 'of node']],
  ]
  for (const [body, expected] of bodies) {
    expect(await (await near.fetch('/', { method: 'POST', body })).json()).toEqual(expected)
  }
  const headers = { 'content-type': 'application/json' }
  expect(await (await near.fetch('/', { method: 'POST', headers, body: '{}' })).json()).toEqual([
    'application/json',
    '2',
    '{}',
  ])
  await expect(near.fetch('/', { method: 'POST', body: 5 as never })).rejects.toThrow(/a body is/)
})
