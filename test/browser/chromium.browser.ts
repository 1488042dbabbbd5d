// Chromium against our server, over HTTP/3 for certain: a page of many parts, an upload, server-sent events.

import { createHash } from 'node:crypto'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Browser, HOST } from './chromium.ts'
import { createServer, Http3Server, type HttpServer, QuicEndpoint, type QuicSession, selfSigned } from './package.ts'
import { EVENTS, echo, RESOURCES, site } from './site.ts'

let server: HttpServer
/** A second server, whose connections can be looked into. */
const endpoint = new QuicEndpoint({ host: '127.0.0.1' })
const connections: Http3Server[] = []
let browser: Browser
let page: Page
let hash: number[]

beforeAll(async () => {
  const { cert, key, pin, certificateHash } = selfSigned({ hosts: [HOST] })
  hash = Array.from(certificateHash)
  server = createServer({ cert, key, webtransport: echo }, site)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  endpoint.listen({ alpn: { h3: look }, cert, key }, () => {})
  browser = await Browser.start([port, (await endpoint.ready).port], pin)
  page = await browser.page()
  await page.goto(`https://${HOST}:${port}/`, { waitUntil: 'load' })
})

afterAll(async () => {
  await browser?.close()
  await endpoint.close({ deadline: 0 })
  server?.closeAllConnections()
  await server?.close()
})

function look({ transport }: QuicSession): Http3Server {
  const made = new Http3Server(transport, ({ url }) => ({
    headers: [
      ['content-type', 'text/html'],
      ['cache-control', 'no-store'],
      ['x-same', 'in every answer'],
    ],
    body: `<!doctype html><title>${url}</title>`,
  }))
  connections.push(made)
  return made
}

/** Runs in the page: no types of node's there. */
function inPage<T>(script: string): Promise<T> {
  return page.evaluate(`(async () => { ${script} })()`) as Promise<T>
}

test(`a page with ${RESOURCES} parts, each over h3`, async () => {
  const seen = await inPage<{ loaded: number; protocols: string[] }>(`
    const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    return { loaded: globalThis.loaded, protocols: entries.map(entry => entry.nextHopProtocol) }`)
  expect(seen.loaded).toBe(RESOURCES)
  expect(seen.protocols.length).toBeGreaterThanOrEqual(RESOURCES + 1)
  expect(new Set(seen.protocols)).toEqual(new Set(['h3']))
})

test('QPACK: the tables of both sides are filled, and used', async () => {
  const { port } = await endpoint.ready
  const own = await browser.page()
  await own.goto(`https://${HOST}:${port}/`)
  const seen = await own.evaluate<string[]>(`(async () => {
    for (let i = 0; i < 20; i++) {
      const response = await fetch('/' + i, { headers: { 'x-tenant': 'the same for all of them' } })
      await response.text()
    }
    return performance.getEntriesByType('resource').map(entry => entry.nextHopProtocol) })()`)
  expect(seen.length).toBeGreaterThanOrEqual(20)
  expect(new Set(seen)).toEqual(new Set(['h3']))
  const [{ connection }] = connections as [Http3Server]
  expect(connection.qpack.insertions.received).toBeGreaterThan(0)
  expect(connection.qpack.insertions.sent).toBeGreaterThan(0)
})

test('an upload of 10 MiB', async () => {
  const size = 10 * 1024 * 1024
  const answer = await inPage(`
    const content = new Uint8Array(${size}).map((_, i) => i % 251)
    const response = await fetch('/upload', { method: 'POST', body: content })
    const answer = await response.json()
    return { ...answer, protocol: performance.getEntriesByName(response.url)[0].nextHopProtocol }`)
  const content = Uint8Array.from({ length: size }, (_, i) => i % 251)
  const hash = createHash('sha256').update(content).digest('hex')
  expect(answer).toEqual({ length: size, hash, version: '3.0', protocol: 'h3' })
})

test('server-sent events, one by one', async () => {
  const seen = await inPage<{ data: string; at: number }[]>(`
    return new Promise((resolve, reject) => {
      const events = []
      const source = new EventSource('/events')
      source.onerror = () => reject(new Error('events ended'))
      source.onmessage = ({ data }) => {
        events.push({ data, at: performance.now() })
        if (events.length < ${EVENTS}) return
        source.close()
        resolve(events)
      }
    })`)
  expect(seen.map(({ data }) => data)).toEqual(Array.from({ length: EVENTS }, (_, i) => `event ${i}`))
  // They were sent 50 ms apart, and did not wait for each other.
  expect((seen.at(-1)?.at ?? 0) - (seen[0]?.at ?? 0)).toBeGreaterThan(100)
})

test('WebTransport: streams both ways, datagrams, and how a session is closed', async () => {
  const seen = await inPage(`
    const hash = { algorithm: 'sha-256', value: new Uint8Array(${JSON.stringify(hash)}) }
    const transport = new WebTransport(location.origin + '/echo', { serverCertificateHashes: [hash] })
    await transport.ready
    const text = async readable => new Response(readable).text()
    const send = async (writable, words) => {
      const writer = writable.getWriter()
      await writer.write(new TextEncoder().encode(words))
      await writer.close()
    }
    const both = await transport.createBidirectionalStream()
    await send(both.writable, 'both ways')
    const bidirectional = await text(both.readable)
    const incoming = transport.incomingUnidirectionalStreams.getReader()
    await send(await transport.createUnidirectionalStream(), 'one way')
    const unidirectional = await text((await incoming.read()).value)
    const datagrams = transport.datagrams.readable.getReader()
    const writer = transport.datagrams.writable.getWriter()
    // They may be lost: sent until one comes back.
    const timer = setInterval(() => writer.write(new TextEncoder().encode('a datagram')), 20)
    const datagram = new TextDecoder().decode((await datagrams.read()).value)
    clearInterval(timer)
    const last = await transport.createBidirectionalStream()
    await send(last.writable, 'close')
    return { bidirectional, unidirectional, datagram, closed: await transport.closed }`)
  expect(seen).toEqual({
    bidirectional: 'both ways',
    unidirectional: 'one way',
    datagram: 'a datagram',
    closed: { closeCode: 7, reason: 'enough' },
  })
})
