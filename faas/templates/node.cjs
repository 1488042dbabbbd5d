// Runs what is written for OpenFaaS' templates node12 to node22: handler.js exports (event, context) => ...

'use strict'

const { createServer } = require('node:http')
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')

const PARSES = !/^(1|true)$/i.test(process.env.RAW_BODY ?? '')

class Context {
  #status = 200
  #headers = {}
  #settle

  constructor(settle) {
    this.#settle = settle
  }

  status(code) {
    if (code === undefined) return this.#status
    this.#status = code
    return this
  }

  headers(value) {
    if (value === undefined) return this.#headers
    this.#headers = value
    return this
  }

  succeed(value) {
    this.#settle(undefined, value)
    return this
  }

  fail(error) {
    this.#settle(error ?? new Error('the function failed'))
    return this
  }
}

async function main() {
  const imported = await import(pathToFileURL(join(process.cwd(), 'handler.js')).href)
  const handler = imported.default ?? imported.handle
  if (typeof handler !== 'function') throw new TypeError('handler.js must export a function (event, context) => ...')
  const server = createServer((request, response) => {
    answer(handler, request, response).catch(error => {
      console.error(error)
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' })
      response.end(String(error?.stack ?? error))
    })
  })
  server.listen(Number(process.env.PORT), '127.0.0.1')
  process.on('SIGTERM', () => server.close(() => process.exit(0)))
}

async function answer(handler, request, response) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const { pathname, searchParams } = new URL(request.url, 'http://function')
  const event = {
    body: bodyOf(Buffer.concat(chunks), request.headers['content-type'] ?? ''),
    headers: request.headers,
    method: request.method,
    query: Object.fromEntries(searchParams),
    path: pathname,
  }
  let context
  const value = await new Promise((resolve, reject) => {
    context = new Context((error, result) => (error === undefined ? resolve(result) : reject(error)))
    // What it returns is its answer, unless it calls `succeed`, which may return the context.
    Promise.resolve(handler(event, context)).then(result => result !== context && resolve(result), reject)
  })
  send(response, context, value)
}

function bodyOf(bytes, type) {
  if (!PARSES) return bytes
  if (bytes.length === 0) return {}
  if (/^application\/(.+\+)?json\b/i.test(type)) return JSON.parse(bytes)
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) return Object.fromEntries(new URLSearchParams(String(bytes)))
  return /^text\//i.test(type) ? String(bytes) : bytes
}

function send(response, context, value) {
  const isBytes = value instanceof Uint8Array
  const isJson = !isBytes && typeof value === 'object' && value !== null
  const type = isBytes
    ? 'application/octet-stream'
    : isJson
      ? 'application/json; charset=utf-8'
      : 'text/html; charset=utf-8'
  const body = isBytes ? value : Buffer.from(isJson ? JSON.stringify(value) : String(value ?? ''))
  response.setHeader('content-type', type)
  for (const [name, each] of Object.entries(context.headers())) response.setHeader(name, each)
  response.writeHead(context.status(), { 'content-length': body.length }).end(body)
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
