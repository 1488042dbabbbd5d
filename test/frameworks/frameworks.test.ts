// Express, Fastify, Koa and Hono, unchanged, over HTTP/3; those made for node:http also beside it, over HTTP/2 and 1.1.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { closing, eventually } from '../endpoint/helpers.ts'
import { caPem } from '../support/certificates.ts'
import { identity, session } from '../web/helpers.ts'
import { frameworks, type Start, words } from './apps.ts'
import { type Ask, http1, http2 } from './tcp-clients.ts'

const folder = mkdtempSync(join(tmpdir(), 'frameworks-'))
const large = Array.from({ length: 200_000 }, (_, i) => String.fromCharCode(97 + (i % 26))).join('')
beforeAll(() => writeFileSync(join(folder, 'large.txt'), large))
afterAll(() => rmSync(folder, { recursive: true }))

function http3(port: number): Ask {
  const near = session(`https://127.0.0.1:${port}`)
  return (path, init) => near.fetch(path, init)
}

const ways: Readonly<Record<string, (port: number, ca: string) => Ask>> = {
  'HTTP/3': http3,
  'HTTP/2': http2,
  'HTTP/1.1': http1,
}

/** Enough to see that the same door is in use there. */
const onTcp = new Set(['Express 5, HTTP/2', 'Express 5, HTTP/1.1', 'Fastify 5, HTTP/2', 'Koa 3, HTTP/2'])

for (const [name, start] of Object.entries(frameworks)) {
  for (const [version, client] of Object.entries(ways)) {
    if (version === 'HTTP/3' || onTcp.has(`${name}, ${version}`))
      describe(`${name} over ${version}`, () => speaks(start, client))
  }
}

function speaks(start: Start, client: (port: number, ca: string) => Ask): void {
  let gone = 0
  async function site(): Promise<Ask> {
    const running = closing(await start({ folder, onGone: () => void gone++ }, { ...identity, tcp: client !== http3 }))
    return client(running.port, caPem)
  }

  test('routing, parameters, who asked and how', async () => {
    const ask = await site()
    const response = await ask('/hello/you?q=why')
    expect(response.status).toBe(200)
    expect(response.headers.get('x-framework')).not.toBeNull()
    expect(await response.json()).toEqual({
      hello: 'you',
      q: 'why',
      ip: '127.0.0.1',
      protocol: 'https',
      hostname: '127.0.0.1',
      secure: true,
    })
    expect((await ask('/nowhere')).status).toBe(404)
  })

  test('a JSON body', async () => {
    const ask = await site()
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"n":21}' }
    expect(await (await ask('/json', init)).json()).toEqual({ n: 42 })
  })

  test('a file, whole and in ranges; static files', async () => {
    const ask = await site()
    expect(await (await ask('/file')).text()).toBe(large)
    const part = await ask('/file', { headers: { range: 'bytes=26-77' } })
    expect(part.status).toBe(206)
    expect(part.headers.get('content-range')).toBe('bytes 26-77/200000')
    expect(await part.text()).toBe('abcdefghijklmnopqrstuvwxyz'.repeat(2))
    const fixed = await ask('/static/large.txt')
    expect(fixed.headers.get('content-type')).toContain('text/plain')
    expect(await fixed.text()).toBe(large)
    expect((await ask('/static/none.txt')).status).toBe(404)
    const head = await ask('/static/large.txt', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  test('an answer in pieces', async () => {
    const ask = await site()
    expect(await (await ask('/stream')).text()).toBe([0, 1, 2, 3, 4].map(i => `piece ${i}\n`).join(''))
  })

  test('the error handler', async () => {
    const ask = await site()
    const response = await ask('/fail')
    expect([response.status, await response.json()]).toEqual([500, { error: 'on purpose' }])
  })

  test('a client that goes away is noticed', async () => {
    const ask = await site()
    const controller = new AbortController()
    const response = await ask('/slow', { signal: controller.signal })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('begun')
    const before = gone
    controller.abort()
    await reader.closed.catch(() => {})
    expect(await eventually(() => gone > before)).toBe(true)
  })

  test('the compression middleware', async () => {
    const ask = await site()
    const response = await ask('/words', { headers: { 'accept-encoding': 'gzip' } })
    expect(response.headers.get('content-encoding')).toBe('gzip')
    const packed = Buffer.from(await response.arrayBuffer())
    expect(packed.length).toBeLessThan(words.length / 10)
    expect(gunzipSync(packed).toString()).toBe(words)
  })
}
