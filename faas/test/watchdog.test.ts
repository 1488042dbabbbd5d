// What of-watchdog does, row by row, over HTTP/3 and HTTP/1.1 alike. Real processes.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readSettings } from '../src/watchdog/settings.ts'
import { freePort, functionAt, program, started, WatchdogProcess } from './watchdog-process.ts'

const node = process.execPath
const running: WatchdogProcess[] = []

/** By what they were started with: tests that only ask questions share one. */
const shared = new Map<string, Promise<WatchdogProcess>>()

afterAll(async () => {
  await Promise.all(running.map(each => each[Symbol.asyncDispose]()))
})

async function run(environment: Record<string, string>, parameters?: readonly string[]): Promise<WatchdogProcess> {
  const watchdog = await started(environment, parameters)
  running.push(watchdog)
  return watchdog
}

function sharedOf(key: string, start: () => Promise<WatchdogProcess>): Promise<WatchdogProcess> {
  const before = shared.get(key)
  if (before) return before
  const watchdog = start()
  shared.set(key, watchdog)
  return watchdog
}

/** One that does not end. */
function commonServer(): Promise<WatchdogProcess> {
  return sharedOf('server', () => server({ exec_timeout: '20s' }))
}

function commonFilter(): Promise<WatchdogProcess> {
  return sharedOf('filter', () => filter('streaming', { content_type: 'text/plain' }))
}

function filter(mode: 'streaming' | 'serializing', more: Record<string, string> = {}): Promise<WatchdogProcess> {
  return run({ mode, fprocess: `${node} ${functionAt('filter.mjs')}`, ...more })
}

async function server(more: Record<string, string> = {}): Promise<WatchdogProcess> {
  const port = await freePort()
  const fprocess = `${node} ${functionAt('server.mjs')}`
  return run({ mode: 'http', fprocess, upstream_url: `http://127.0.0.1:${port}`, PORT: port, ...more })
}

describe('mode http', () => {
  test('passes requests on, headers, path and query as they are, by HTTP/3 and by TCP', async () => {
    const watchdog = await commonServer()
    const session = watchdog.session()
    const init = { method: 'POST', body: 'by QUIC', headers: { 'x-mine': 'yes' } }
    const response = await session.fetch('/a/b?c=d', init)
    const seen = (await response.json()) as { headers: Record<string, string> }
    expect(seen).toMatchObject({ url: '/a/b?c=d', method: 'POST', body: 'by QUIC' })
    expect(seen.headers).toMatchObject({ 'x-mine': 'yes', host: `127.0.0.1:${watchdog.port}` })
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    await session.close()
    const byTcp = await watchdog.call('/a?b', { method: 'PUT', body: 'by TCP', headers: { host: 'example.test' } })
    expect(JSON.parse(byTcp.body)).toMatchObject({ url: '/a?b', body: 'by TCP', headers: { host: 'example.test' } })
  })

  test('follows no redirect', async () => {
    const watchdog = await commonServer()
    expect(await watchdog.call('/redirect')).toMatchObject({ status: 302, headers: { location: '/elsewhere' } })
  })

  test('requests that come before the function listens wait for it', async () => {
    const watchdog = await server({ LATE: '700' })
    const session = watchdog.session()
    const [byQuic, byTcp] = await Promise.all([session.fetch('/early'), watchdog.call('/early')])
    expect([byQuic.status, byTcp.status]).toEqual([200, 200])
    await byQuic.text()
    await session.close()
  })

  test('exec_timeout: 504 when the function takes longer, X-Timeout asks for less', async () => {
    const watchdog = await commonServer()
    const { status, headers } = await watchdog.call('/slow', { headers: { 'x-timeout': '100ms' } })
    expect([status, headers['x-openfaas-internal']]).toEqual([504, 'of-watchdog'])
    const strict = await server({ exec_timeout: '100ms' })
    expect((await strict.call('/slow', { headers: { 'x-timeout': '50s' } })).status).toBe(504)
  })

  test.each([
    ['server-sent events', '/events', 'data: first\n\n'],
    ['NDJSON', '/lines', '{"first":1}\n'],
  ])('%s come as they are sent, and the function learns that the reader has gone', async (name, path, first) => {
    const watchdog = await commonServer()
    const session = watchdog.session()
    const response = await session.fetch(path)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe(first)
    await reader.cancel()
    await watchdog.said(new RegExp(`the reader of ${path} has gone`))
    expect(response.headers.get('content-type')).toBe(name === 'NDJSON' ? 'application/x-ndjson' : 'text/event-stream')
    await session.close()
  })

  test('buffer_http: a request without length gets one', async () => {
    const headers = { 'transfer-encoding': 'chunked' }
    const whole = await server({ buffer_http: 'true' })
    const seen = JSON.parse((await whole.call('/', { method: 'POST', body: 'abc', headers })).body)
    expect(seen.headers['content-length']).toBe('3')
    const streamed = await commonServer()
    const passed = JSON.parse((await streamed.call('/', { method: 'POST', body: 'abc', headers })).body)
    expect(passed.headers['transfer-encoding']).toBe('chunked')
  })

  test('WebSockets by TCP are passed on', async () => {
    const watchdog = await commonServer()
    await watchdog.call('/')
    const socket = connectTcp(watchdog.port, '127.0.0.1')
    socket.write('GET /chat HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
    let text = ''
    for await (const chunk of socket) {
      text += chunk
      if (text.endsWith('\r\n\r\n')) socket.write('echo')
      if (text.endsWith('echo')) break
    }
    expect(text).toMatch(/^HTTP\/1.1 101 /)
  })

  test('child exit: the watchdog ends with 1', async () => {
    const watchdog = await server()
    watchdog.call('/exit').catch(() => {})
    expect(await watchdog.exited).toBe(1)
    expect(watchdog.output).toContain('the function ended with 3')
  })

  test('prefix_logs: lines of the function begin with the date and the stream', async () => {
    const watchdog = await commonServer()
    await watchdog.said(/^\d{4}-\d\d-\d\dT[\d:.]+Z stdout: a line of stdout$/m)
    await watchdog.said(/^\d{4}-\d\d-\d\dT[\d:.]+Z stderr: a line of stderr$/m)
    const bare = await server({ prefix_logs: 'false' })
    await bare.said(/^a line of stdout$/m)
  })

  test('log_buffer_size: a longer line is cut', async () => {
    const watchdog = await server({ log_buffer_size: '6' })
    await watchdog.said(/stdout: a line$/m)
    await watchdog.said(/stdout: {2}of st$/m)
  })

  test('upstream_url is needed, and has to be one', async () => {
    const none = new WatchdogProcess({ mode: 'http', fprocess: 'true' })
    running.push(none)
    expect(await none.exited).toBe(1)
    expect(none.output).toContain('mode http needs upstream_url')
    expect(() => readSettings({ mode: 'http', fprocess: 'x', upstream_url: 'ftp://a' })).toThrow('upstream_url')
  })
})

describe('mode streaming', () => {
  test('a process for each request: stdin, stdout, content_type', async () => {
    const watchdog = await commonFilter()
    const session = watchdog.session()
    const response = await session.fetch('/', { method: 'POST', body: 'hello' })
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'text/plain',
      'HELLO',
    ])
    await session.close()
  })

  test('is 200 even if the process fails', async () => {
    const watchdog = await commonFilter()
    expect(await watchdog.call('/', { method: 'POST', body: 'fail' })).toMatchObject({ status: 200, body: '' })
  })

  test('exec_timeout ends the process, and the answer is seen to be cut off', async () => {
    const watchdog = await filter('streaming', { exec_timeout: '1' })
    const session = watchdog.session()
    const response = await session.fetch('/', { method: 'POST', body: 'sleep' })
    await expect(response.text()).rejects.toThrow()
    await session.close()
  })

  test('CGI-like variables, without httpoxy and without our own', async () => {
    const watchdog = await commonFilter()
    const headers = { 'x-mine': 'yes', proxy: 'http://evil.test', 'user-agent': 'me' }
    const { body } = await watchdog.call('/a/b?c=d', { method: 'POST', body: 'environment', headers })
    const seen = JSON.parse(body)
    expect(seen).toMatchObject({
      Http_Method: 'POST',
      Http_Path: '/a/b',
      Http_Query: 'c=d',
      Http_X_Mine: 'yes',
      Http_User_Agent: 'me',
    })
    expect(Object.keys(seen).filter(name => name === 'Http_Proxy' || name.startsWith('ZEROTRIP'))).toEqual([])
  })

  test('a program that is not there is an answer of 500', async () => {
    const watchdog = await run({ fprocess: '/nowhere/nothing' })
    expect((await watchdog.call('/', { method: 'POST', body: 'x' })).status).toBe(500)
  })
})

describe('mode serializing', () => {
  test('request and answer are whole', async () => {
    const watchdog = await filter('serializing')
    expect(await watchdog.call('/', { method: 'POST', body: 'whole' })).toMatchObject({ status: 200, body: 'WHOLE' })
  })

  test('500 and what happened when the process fails, 504 when it takes too long', async () => {
    const watchdog = await filter('serializing', { exec_timeout: '2' })
    const failed = await watchdog.call('/', { method: 'POST', body: 'fail' })
    expect(failed).toMatchObject({ status: 500, body: 'the function ended with 2\n' })
    expect((await watchdog.call('/', { method: 'POST', body: 'sleep' })).status).toBe(504)
  })
})

describe('mode static', () => {
  async function files(): Promise<WatchdogProcess> {
    const root = mkdtempSync(join(tmpdir(), 'static-'))
    mkdirSync(join(root, 'sub'))
    writeFileSync(join(root, 'index.html'), '<p>index')
    writeFileSync(join(root, 'digits.txt'), '0123456789')
    return run({ mode: 'static', static_path: root })
  }

  test('index.html, types, 404, nothing outside', async () => {
    const watchdog = await files()
    expect(await watchdog.call('/')).toMatchObject({ body: '<p>index', headers: { 'content-type': /html/ } })
    expect((await watchdog.call('/missing')).status).toBe(404)
    expect((await watchdog.call('/sub/')).status).toBe(404)
    expect((await watchdog.call('/%2e%2e/%2e%2e/etc/passwd')).status).toBe(404)
    expect((await watchdog.call('/', { method: 'POST', body: 'x' })).status).toBe(405)
  })

  test('ranges and If-Modified-Since, by HTTP/3', async () => {
    const watchdog = await files()
    const session = watchdog.session()
    const part = await session.fetch('/digits.txt', { headers: { range: 'bytes=2-4' } })
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([206, 'bytes 2-4/10', '234'])
    const beyond = await session.fetch('/digits.txt', { headers: { range: 'bytes=20-' } })
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */10'])
    const since = part.headers.get('last-modified') as string
    expect((await session.fetch('/digits.txt', { headers: { 'if-modified-since': since } })).status).toBe(304)
    const head = await session.fetch('/digits.txt', { method: 'HEAD' })
    expect([head.headers.get('content-length'), await head.text()]).toEqual(['10', ''])
    await session.close()
  })

  test('static_path must be a directory', async () => {
    const watchdog = new WatchdogProcess({ mode: 'static', static_path: '/etc/passwd' })
    running.push(watchdog)
    expect(await watchdog.exited).toBe(1)
    expect(watchdog.output).toContain('static_path must be a directory')
  })
})

describe('around the function', () => {
  test('mode inproc: a module, in this process', async () => {
    const watchdog = await run({}, [functionAt('witness.mjs'), '--tcp'])
    expect(JSON.parse((await watchdog.call('/hello')).body)).toMatchObject({ path: '/hello', early: false })
  })

  test('X-Duration-Seconds, and X-OpenFaaS-Internal where the watchdog answers', async () => {
    const watchdog = await commonFilter()
    const { headers } = await watchdog.call('/', { method: 'POST', body: 'x' })
    expect(headers['x-duration-seconds']).toMatch(/^\d+\.\d{6}$/)
  })

  test('max_inflight: 429 above it; ready says so, health does not', async () => {
    const watchdog = await filter('streaming', { max_inflight: '1' })
    const session = watchdog.session()
    const busy = await session.fetch('/', { method: 'POST', body: 'sleep' })
    const refused = await watchdog.call('/', { method: 'POST', body: 'x' })
    expect(refused).toMatchObject({
      status: 429,
      body: 'Concurrent request limit exceeded. Max concurrent requests: 1\n',
      headers: { 'x-openfaas-internal': 'faas-middleware' },
    })
    expect((await watchdog.call('/_/ready')).status).toBe(429)
    expect((await watchdog.call('/_/health')).status).toBe(200)
    await busy.body?.cancel()
    await session.close()
  })

  test('/_/health: 200 OK by TCP and HTTP/3, 405 for other methods', async () => {
    const watchdog = await commonFilter()
    expect(await watchdog.call('/_/health')).toMatchObject({ status: 200, body: 'OK' })
    expect((await watchdog.call('/_/health', { method: 'POST' })).status).toBe(405)
    const session = watchdog.session()
    expect(await (await session.fetch('/_/health')).text()).toBe('OK')
    await session.close()
  })

  test('/_/ready asks the function at ready_path', async () => {
    const watchdog = await server({ ready_path: '/are-you' })
    expect(JSON.parse((await watchdog.call('/_/ready')).body)).toMatchObject({ url: '/are-you' })
  })

  test('the lock file is there while it is ready; suppress_lock: it is not, and health says 503', async () => {
    const watchdog = await filter('streaming', { healthcheck_interval: '1ms' })
    const lock = join(watchdog.directory, '.lock')
    await until(() => existsSync(lock))
    expect(statSync(lock).size).toBe(0)
    watchdog.child.kill('SIGTERM')
    await watchdog.exited
    expect(existsSync(lock)).toBe(false)
    const bare = await filter('streaming', { suppress_lock: 'true' })
    expect((await bare.call('/_/health')).status).toBe(503)
    expect((await bare.call('/', { method: 'POST', body: 'runs' })).body).toBe('RUNS')
  })

  test('-run-healthcheck ends with 0 or 1 by the lock file', () => {
    const directory = mkdtempSync(join(tmpdir(), 'watchdog-'))
    const check = (): number | null =>
      spawnSync(node, [program, '-run-healthcheck'], { env: { TMPDIR: directory } }).status
    expect(check()).toBe(1)
    writeFileSync(join(directory, '.lock'), '')
    expect(check()).toBe(0)
  })

  test('graceful shutdown after healthcheck_interval: what was begun finishes, health says 503 meanwhile, exit code 0', async () => {
    const watchdog = await filter('streaming', { healthcheck_interval: '300ms' })
    const session = watchdog.session()
    await session.opened
    watchdog.child.kill('SIGTERM')
    await until(async () => (await watchdog.call('/_/health')).status === 503)
    const response = await session.fetch('/', { method: 'POST', body: 'last' })
    expect(await response.text()).toBe('LAST')
    expect(await watchdog.exited).toBe(0)
  })

  test('the access log; log_callid (or log_call_id): with call ids; not for kube-probe', async () => {
    const watchdog = await filter('streaming', { log_call_id: 'true' })
    const post = { method: 'POST', body: 'x' }
    await watchdog.call('/quiet', { ...post, headers: { 'user-agent': 'kube-probe/1.30' } })
    await watchdog.call('/loud?a', { ...post, headers: { 'x-call-id': 'abc' } })
    await watchdog.said(/POST \/loud\?a - 200 - ContentLength: 1B \(\d+\.\d{4}s\) \[abc\]$/m)
    expect(watchdog.output).not.toContain('/quiet')
  })

  test('metrics of the watchdog, under the names dashboards know', async () => {
    const watchdog = await filter('streaming')
    await watchdog.call('/', { method: 'POST', body: 'x' })
    const { body } = await watchdog.call('/metrics', { port: watchdog.metricsPort })
    expect(body).toContain('http_requests_total{code="200",method="post"} 1')
    expect(body).toContain('http_request_duration_seconds_count{code="200",method="post"} 1')
    expect(body).toContain('http_requests_in_flight 0')
  })

  test('maximum header size: a header section of 900 kB is taken, by HTTP/3 and by TCP', async () => {
    const watchdog = await commonServer()
    const headers = { 'x-large': 'a'.repeat(900_000) }
    expect((await watchdog.call('/', { headers })).status).toBeOneOf([200, 431])
    const session = watchdog.session()
    const health = await session.fetch('/_/health', { headers })
    expect([health.status, await health.text()]).toEqual([200, 'OK'])
    await session.close()
  })

  test('port: one number for UDP and TCP, which the environment says', async () => {
    const port = await freePort()
    const watchdog = await filter('streaming', { port })
    expect(watchdog.port).toBe(Number(port))
    const session = watchdog.session()
    const both = await Promise.all([watchdog.call('/_/health'), session.fetch('/_/health').then(each => each.text())])
    expect([both[0].body, both[1]]).toEqual(['OK', 'OK'])
    await session.close()
  })

  test('-version', () => {
    const { stdout, status } = spawnSync(node, [program, '-version'], { encoding: 'utf8' })
    expect([stdout, status]).toEqual([expect.stringMatching(/^zerotrip-watchdog \d+\.\d+\.\d+\n$/), 0])
  })

  test('quic=off listens by TCP alone, quic=only by UDP alone', async () => {
    const off = await filter('streaming', { quic: 'off' })
    expect((await off.call('/_/health')).status).toBe(200)
    const only = await filter('streaming', { quic: 'only' })
    await expect(only.call('/_/health')).rejects.toThrow('ECONNREFUSED')
    const session = only.session()
    expect(await (await session.fetch('/_/health')).text()).toBe('OK')
    await session.close()
  })
})

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(resolve => setTimeout(resolve, 10))
}
