// What the pages are served: many small resources, a place to upload to, events.

import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WebTransportSession } from './package.ts'

export const RESOURCES = 100
export const EVENTS = 10

const html = `<!doctype html><title>zerotrip</title>
${Array.from({ length: RESOURCES }, (_, i) => `<script src="/resource/${i}.js"></script>`).join('\n')}`

/** The listener of a server; runs on node:http as well. */
export function site(req: IncomingMessage, res: ServerResponse): void {
  const path = req.url ?? '/'
  if (path === '/') res.writeHead(200, { 'content-type': 'text/html' }).end(html)
  else if (path.startsWith('/resource/')) {
    res.writeHead(200, { 'content-type': 'text/javascript', 'cache-control': 'no-store' })
    res.end(`globalThis.loaded = (globalThis.loaded ?? 0) + 1 // ${'x'.repeat(2000)}`)
  } else if (path === '/upload') upload(req, res)
  else if (path === '/events') events(res)
  else res.writeHead(404).end()
}

function upload(req: IncomingMessage, res: ServerResponse): void {
  const hash = createHash('sha256')
  let length = 0
  req.on('data', (chunk: Buffer) => {
    length += chunk.length
    hash.update(chunk)
  })
  req.on('end', () => res.end(JSON.stringify({ length, hash: hash.digest('hex'), version: req.httpVersion })))
}

/** Server-sent events, each with some time before it: they must arrive one by one. */
function events(res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  let sent = 0
  const timer = setInterval(() => {
    res.write(`id: ${sent}\ndata: event ${sent}\n\n`)
    if (++sent === EVENTS) clearInterval(timer)
  }, 50)
  res.on('close', () => clearInterval(timer))
}

/** Sends everything back: streams of both kinds, datagrams. Told `close`, it closes the session. */
export function echo(session: WebTransportSession): void {
  void session.datagrams.readable.pipeTo(session.datagrams.writable).catch(() => {})
  void echoStreams(session).catch(() => {})
  void echoOneWay(session).catch(() => {})
}

async function echoStreams(session: WebTransportSession): Promise<void> {
  for await (const { readable, writable } of session.incomingBidirectionalStreams) {
    const bytes = new Uint8Array(await new Response(readable as never).arrayBuffer())
    if (new TextDecoder().decode(bytes) === 'close') return session.close({ closeCode: 7, reason: 'enough' })
    const writer = writable.getWriter()
    await writer.write(bytes)
    await writer.close()
  }
}

async function echoOneWay(session: WebTransportSession): Promise<void> {
  for await (const readable of session.incomingUnidirectionalStreams) {
    await readable.pipeTo(await session.createUnidirectionalStream())
  }
}
