// The same small site in each framework, written as its users would write it. Packages unchanged, from npm.

import { createReadStream, statSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono } from 'hono'
import { compress } from 'hono/compress'
import { streamText } from 'hono/streaming'
import { type Http3Endpoint, serve } from '../../src/web/serve.ts'
import type { HttpServer, HttpServerOptions } from '../../src/web/server/http-server.ts'
import { createServer } from '../../src/web/server/http-server.ts'

const require = createRequire(import.meta.url)

export interface Site {
  /** A folder with `large.txt`. */
  readonly folder: string
  /** Told when the client of `/slow` went away. */
  onGone(): void
}

/** What answers for the tests, listening on a free port of 127.0.0.1. */
export interface Running {
  readonly port: number
  close(): Promise<unknown>
}

export type Start = (site: Site, options: HttpServerOptions) => Promise<Running>

export const words = 'words and more words, '.repeat(500)

async function listening(server: HttpServer): Promise<Running> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return { port: server.address()?.port ?? 0, close: () => closed(server) }
}

function closed(server: HttpServer): Promise<void> {
  const done = server.close()
  server.closeAllConnections()
  return done
}

function* pieces(): Generator<string> {
  for (let i = 0; i < 5; i++) yield `piece ${i}\n`
}

/** Versions 4 and 5 are written the same way. */
function express(name: string): Start {
  return (site, options) => {
    const express = require(name)
    const app = express()
    app.use(require('compression')({ threshold: 0 }))
    app.use(express.json())
    app.use('/static', express.static(site.folder))
    app.get('/hello/:name', (req: never, res: never) => hello(req, res))
    app.post('/json', (req: { body: { n: number } }, res: { json(v: unknown): void }) =>
      res.json({ n: req.body.n * 2 }),
    )
    app.get('/file', (_req: never, res: { sendFile(name: string, o: object): void }) =>
      res.sendFile('large.txt', { root: site.folder }),
    )
    app.get('/words', (_req: never, res: { type(t: string): { send(v: string): void } }) =>
      res.type('text/plain').send(words),
    )
    app.get('/stream', (_req: never, res: NodeJS.WritableStream) => void Readable.from(pieces()).pipe(res))
    app.get('/fail', () => {
      throw new Error('on purpose')
    })
    app.get('/slow', (_req: never, res: NodeJS.WritableStream) => {
      res.on('close', () => site.onGone())
      res.write('begun')
    })
    app.use((error: Error, _req: never, res: { status(n: number): { json(v: unknown): void } }, _next: never) =>
      res.status(500).json({ error: error.message }),
    )
    return listening(createServer(options, app as RequestListener))
  }
}

function hello(
  req: {
    params: { name: string }
    query: { q?: string }
    ip: string
    protocol: string
    hostname: string
    secure: boolean
  },
  res: { set(name: string, value: string): unknown; json(v: unknown): void },
): void {
  res.set('x-framework', 'express')
  const { ip, protocol, hostname, secure } = req
  res.json({ hello: req.params.name, q: req.query.q, ip, protocol, hostname, secure })
}

const fastify: Start = async (site, options) => {
  const { default: fastify } = await import('fastify')
  const app = fastify({ serverFactory: handler => createServer(options, handler as RequestListener) as never })
  await app.register((await import('@fastify/compress')).default as never, { threshold: 0 })
  await app.register((await import('@fastify/static')).default as never, { root: site.folder, prefix: '/static/' })
  app.get('/hello/:name', (request, reply) => {
    const { ip, protocol, hostname } = request
    const { name } = request.params as { name: string }
    reply.header('x-framework', 'fastify')
    return { hello: name, q: (request.query as { q?: string }).q, ip, protocol, hostname, secure: protocol === 'https' }
  })
  app.post('/json', request => ({ n: (request.body as { n: number }).n * 2 }))
  app.get('/file', (_request, reply) => (reply as unknown as { sendFile(n: string): unknown }).sendFile('large.txt'))
  app.get('/words', (_request, reply) => reply.type('text/plain').send(words))
  app.get('/stream', (_request, reply) => reply.send(Readable.from(pieces())))
  app.get('/fail', () => {
    throw new Error('on purpose')
  })
  app.get('/slow', (_request, reply) => {
    reply.hijack()
    reply.raw.on('close', () => site.onGone())
    reply.raw.write('begun')
  })
  app.setErrorHandler((error, _request, reply) => reply.status(500).send({ error: (error as Error).message }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return {
    port: (app.server.address() as { port: number }).port,
    close: () => {
      app.server.closeAllConnections()
      return app.close()
    },
  }
}

interface KoaContext {
  path: string
  method: string
  query: { q?: string }
  ip: string
  protocol: string
  hostname: string
  secure: boolean
  body: unknown
  type: string
  length: number
  status: number
  req: import('node:http').IncomingMessage
  res: import('node:http').ServerResponse
  respond: boolean
  set(name: string, value: string): void
}

const koa: Start = (site, options) => {
  const Koa = require('koa')
  const app = new (Koa.default ?? Koa)()
  app.use(async (ctx: KoaContext, next: () => Promise<void>) => {
    try {
      await next()
    } catch (error) {
      ctx.status = (error as { status?: number }).status ?? 500
      ctx.body = { error: (error as Error).message }
    }
  })
  app.use(require('koa-compress')({ threshold: 0, br: false }))
  app.use(require('koa-range'))
  app.use(async (ctx: KoaContext) => {
    const { path, ip, protocol, hostname, secure } = ctx
    if (path.startsWith('/hello/')) {
      ctx.set('x-framework', 'koa')
      ctx.body = { hello: path.slice(7), q: ctx.query.q, ip, protocol, hostname, secure }
    } else if (path === '/json') ctx.body = { n: (JSON.parse(await textOf(ctx.req)) as { n: number }).n * 2 }
    else if (path === '/file') {
      ctx.type = 'text/plain'
      ctx.body = createReadStream(`${site.folder}/large.txt`)
      ctx.length = statSync(`${site.folder}/large.txt`).size
    } else if (path.startsWith('/static/')) await require('koa-send')(ctx, path.slice(7), { root: site.folder })
    else if (path === '/words') {
      ctx.type = 'text/plain'
      ctx.body = words
    } else if (path === '/stream') ctx.body = Readable.from(pieces())
    else if (path === '/fail') throw new Error('on purpose')
    else if (path === '/slow') {
      ctx.respond = false
      ctx.res.on('close', () => site.onGone())
      ctx.res.write('begun')
    }
  })
  return listening(createServer(options, app.callback()))
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += chunk
  return text
}

/** By the door of WHATWG requests, as on Bun and Deno. */
const hono: Start = async (site, options) => {
  const server = serve({ ...options, host: '127.0.0.1', fetch: honoApp(site).fetch } as never) as Http3Endpoint
  const { port } = await server.ready
  return { port, close: () => server.close({ deadline: 0 }) }
}

/** By its adapter for node:http servers. */
const honoNode: Start = async (site, options) => {
  const { createAdaptorServer } = await import('@hono/node-server')
  const server = createAdaptorServer({
    fetch: honoApp(site).fetch,
    createServer: createServer as never,
    serverOptions: options as never,
  })
  return listening(server as unknown as HttpServer)
}

function honoApp(site: Site): Hono {
  const app = new Hono()
  app.use(compress({ threshold: 0 }))
  app.use('/static/*', serveStatic({ root: site.folder, rewriteRequestPath: path => path.slice(7) }))
  app.get('/hello/:name', context => {
    const { protocol, hostname } = new URL(context.req.url)
    context.header('x-framework', 'hono')
    const { name } = context.req.param()
    const secure = protocol === 'https:'
    return context.json({
      hello: name,
      q: context.req.query('q'),
      ip: '127.0.0.1',
      protocol: 'https',
      hostname,
      secure,
    })
  })
  app.post('/json', async context => context.json({ n: ((await context.req.json()) as { n: number }).n * 2 }))
  app.get('/file', serveStatic({ root: site.folder, path: 'large.txt' }))
  app.get('/words', context => context.text(words))
  app.get('/stream', context =>
    streamText(context, async stream => {
      for (const piece of pieces()) await stream.write(piece)
    }),
  )
  app.get('/fail', () => {
    throw new Error('on purpose')
  })
  app.get('/slow', context =>
    streamText(context, async stream => {
      stream.onAbort(() => site.onGone())
      await stream.write('begun')
      while (!stream.aborted) await sleep(10)
    }),
  )
  app.onError((error, context) => context.json({ error: error.message }, 500))
  return app
}

export const frameworks: Readonly<Record<string, Start>> = {
  'Express 5': express('express'),
  'Express 4': express('express4'),
  'Fastify 5': fastify,
  'Koa 3': koa,
  Hono: hono,
  'Hono, its adapter for node': honoNode,
}
