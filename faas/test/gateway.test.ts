// The gateway with workers that are processes: what OpenFaaS' does, and a key for each launch.

import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from 'zerotrip/http3'
import { readDeployment, scaleRules } from '../dist/gateway/deployment.js'
import { readStack } from '../dist/gateway/stack-file.js'
import { type Answer, type CallInit, GatewayWorld, later, node, until, zeroLabel } from './gateway-world.ts'

const world = new GatewayWorld()
const { provider, gateway } = world

beforeAll(async () => {
  await world.start(
    { service: 'witness', envProcess: 'witness.mjs' },
    { service: 'server', envProcess: `${node} server.mjs`, envVars: { mode: 'http' }, labels: {} },
    { service: 'filter', envProcess: `${node} filter.mjs`, envVars: { mode: 'streaming' } },
    { service: 'missing', envProcess: 'missing.mjs' },
  )
})

afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

function call(path: string, init?: CallInit): Promise<Answer> {
  return world.call(path, init)
}

function system(path: string, method?: string, body?: unknown): Promise<Answer> {
  return world.system(path, method, body)
}

describe('/function/NAME', () => {
  test('scale from zero: the first request finds a worker that was started for it, and is early', async () => {
    const { status, body, headers } = await call('/function/witness/first?q')
    expect([status, JSON.parse(body)]).toEqual([200, { path: '/first', method: 'GET', early: true }])
    expect(headers['x-served-by']).toBe('zerotrip-gateway')
  })

  test('many first requests at once start one worker', async () => {
    await provider.deploy(readDeployment({ service: 'single', envProcess: 'witness.mjs', labels: zeroLabel }))
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => call(`/function/single/${i}`)))
    expect(answers.map(each => each.status)).toEqual(Array(20).fill(200))
    expect(provider.find({ name: 'single', namespace: 'openfaas-fn' })?.availableReplicas).toBe(1)
  })

  test('path, query, body and headers reach a server behind its watchdog, but hop-by-hop ones', async () => {
    const hops = {
      connection: 'keep-alive, x-hop',
      'x-hop': 'mine',
      te: 'trailers',
      'proxy-authorization': 'Basic eA==',
    }
    const headers = { 'x-mine': 'yes', ...hops }
    const { body } = await call('/function/server/a/b?c=d', { method: 'POST', body: 'hello', headers })
    const seen = JSON.parse(body)
    expect(seen).toMatchObject({ url: '/a/b?c=d', method: 'POST', body: 'hello' })
    expect(seen.headers).toMatchObject({ 'x-mine': 'yes' })
    expect(['x-hop', 'te', 'proxy-authorization'].filter(name => name in seen.headers)).toEqual([])
  })

  test('X-Forwarded-Host and X-Forwarded-For, if there are none; X-Start-Time and X-Served-By', async () => {
    const first = await call('/function/server/')
    const { headers } = JSON.parse(first.body)
    expect(headers['x-forwarded-host']).toBe(`127.0.0.1:${world.ports.port}`)
    expect(headers['x-forwarded-for']).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(headers['x-start-time']).toMatch(/^\d{19}$/)
    expect(first.headers).toMatchObject({ 'x-start-time': headers['x-start-time'], 'x-served-by': 'zerotrip-gateway' })
    const given = { 'x-forwarded-host': 'example.test', 'x-forwarded-for': '192.0.2.1:1' }
    expect(JSON.parse((await call('/function/server/', { headers: given })).body).headers).toMatchObject(given)
  })

  test('NAME.NAMESPACE, and 404 for what is not there', async () => {
    expect((await call('/function/witness.openfaas-fn/')).status).toBe(200)
    expect((await call('/function/witness.elsewhere/')).status).toBe(404)
    expect((await call('/function/nobody')).status).toBe(404)
    expect((await call('/other')).status).toBe(404)
  })

  test('X-Call-Id: one is made and told, or the given one passed and not echoed', async () => {
    expect((await call('/function/witness/')).headers['x-call-id']).toMatch(/^[0-9a-f-]{36}$/)
    const headers = { 'x-call-id': 'mine' }
    const { body, headers: answer } = await call('/function/server/', { headers })
    expect([JSON.parse(body).headers['x-call-id'], answer['x-call-id']]).toEqual(['mine', undefined])
  })

  test('redirects are the caller’s', async () => {
    expect(await call('/function/server/redirect')).toMatchObject({ status: 302, headers: { location: '/elsewhere' } })
  })

  test('a function that cannot start is 503 with Retry-After, never an empty 200', async () => {
    const { status, headers, body } = await call('/function/missing/')
    expect([status, headers['retry-after']]).toEqual([503, '1'])
    expect(body).toContain('did not start')
  })

  test('the same over HTTP/3 and HTTP/2, with Alt-Svc by TCP', async () => {
    const session = connect(`https://127.0.0.1:${world.ports.securePort}`, { ca: gateway.certificate })
    const response = await session.fetch('/function/server/h3', { method: 'PUT', body: 'by QUIC' })
    expect(await response.json()).toMatchObject({ url: '/h3', body: 'by QUIC' })
    await session.close()
    const http2 = connectHttp2(`https://127.0.0.1:${world.ports.securePort}`, { ca: gateway.certificate })
    const stream = http2.request({ ':path': '/function/server/h2' })
    const headers = await new Promise<Record<string, unknown>>(resolve => stream.once('response', resolve as never))
    let text = ''
    for await (const chunk of stream.setEncoding('utf8')) text += chunk
    expect([headers['alt-svc'], JSON.parse(text).url]).toEqual([expect.stringContaining('h3='), '/h2'])
    http2.close()
  })

  test('workers that are killed: every request has an answer, and another worker comes', async () => {
    await provider.deploy(
      readDeployment({ service: 'fragile', envProcess: 'witness.mjs', labels: { 'com.openfaas.scale.min': '2' } }),
    )
    const of = { name: 'fragile', namespace: 'openfaas-fn' }
    await until(() => provider.instances(of).length === 2)
    const before = provider.instances(of).map(each => each.id)
    const load = Promise.all(
      Array.from({ length: 30 }, (_, i) => later(i * 10).then(() => call('/function/fragile/x'))),
    )
    await later(100)
    const pid = JSON.parse((await call('/function/fragile/pid')).body) as number
    process.kill(pid, 'SIGKILL')
    expect((await load).map(each => each.status)).toEqual(Array(30).fill(200))
    await until(() => {
      const now = provider.instances(of).map(each => each.id)
      return now.length === 2 && now.some(id => !before.includes(id))
    })
  })
})

describe('/async-function/NAME', () => {
  test('202 at once, the result posted to X-Callback-Url', async () => {
    const posted = new Promise<{ headers: IncomingMessage['headers']; body: string }>(resolve => {
      const receiver = createServer(async (incoming, outgoing) => {
        let body = ''
        for await (const chunk of incoming) body += chunk
        outgoing.end()
        resolve({ headers: incoming.headers, body })
        receiver.close()
      })
      receiver.listen(0, '127.0.0.1', () => {
        const callback = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
        const headers = { 'x-callback-url': callback, 'x-call-id': 'later' }
        call('/async-function/filter', { method: 'POST', body: 'abc', headers }).then(({ status, body }) =>
          expect([status, body]).toEqual([202, '']),
        )
      })
    })
    const { headers, body } = await posted
    expect(body).toBe('ABC')
    expect(headers).toMatchObject({
      'x-function-name': 'filter.openfaas-fn',
      'x-function-status': '200',
      'x-call-id': 'later',
    })
  })

  test('POST only, a callback that is one, a function that is there', async () => {
    expect((await call('/async-function/filter')).status).toBe(405)
    const wrong = { method: 'POST', body: '', headers: { 'x-callback-url': 'nowhere' } }
    expect((await call('/async-function/filter', wrong)).status).toBe(400)
    expect((await call('/async-function/filter', { method: 'POST', body: 'a'.repeat(2 << 20) })).status).toBe(413)
    expect((await call('/async-function/nobody', { method: 'POST', body: '' })).status).toBe(404)
  })
})

describe('/system', () => {
  test('basic auth, for /system and not for functions', async () => {
    expect((await call('/system/functions')).status).toBe(401)
    const headers = { authorization: `Basic ${btoa('admin:wrong')}` }
    expect((await call('/system/functions', { headers })).status).toBe(401)
    expect((await system('/system/functions')).status).toBe(200)
    expect((await call('/function/witness/')).status).toBe(200)
  })

  test('/system/functions, /system/function/NAME, /system/scale-function/NAME: deploy, list, scale, delete', async () => {
    const deployment = { service: 'extra', image: '.', envProcess: 'witness.mjs', labels: zeroLabel }
    expect((await system('/system/functions', 'PUT', deployment)).status).toBe(404)
    expect((await system('/system/functions', 'POST', deployment)).status).toBe(202)
    const list = JSON.parse((await system('/system/functions')).body) as { name: string }[]
    expect(list.map(each => each.name)).toContain('extra')
    expect((await system('/system/scale-function/extra', 'POST', { replicas: 1 })).status).toBe(202)
    await until(async () => JSON.parse((await system('/system/function/extra')).body).availableReplicas === 1)
    expect((await call('/function/extra/')).status).toBe(200)
    expect(JSON.parse((await system('/system/function/extra')).body)).toMatchObject({ invocationCount: 1 })
    expect((await system('/system/functions', 'DELETE', { functionName: 'extra' })).status).toBe(202)
    expect((await call('/function/extra/')).status).toBe(404)
    expect((await system('/system/functions', 'DELETE', { functionName: 'extra' })).status).toBe(404)
  })

  test('/system/info, /system/namespaces; what does not fit is 400 and says why', async () => {
    expect(JSON.parse((await system('/system/info')).body)).toMatchObject({ provider: { provider: 'zerotrip' } })
    expect(JSON.parse((await system('/system/namespaces')).body)).toEqual(['openfaas-fn'])
    const answer = await system('/system/functions', 'POST', { service: 'Not A Name' })
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining('lower-case')])
    expect((await system('/system/scale-function/witness', 'POST', { replicas: 'many' })).status).toBe(400)
    const large = await system('/system/functions', 'POST', { service: 'a'.repeat(2 << 20) })
    expect([large.status, large.body]).toEqual([400, expect.stringContaining('more than 1048576 bytes')])
  })
})

describe('/ui/', () => {
  test('behind the same password; from here alone', async () => {
    expect(await call('/')).toMatchObject({ status: 307, headers: { location: '/ui/' } })
    expect((await call('/ui/')).status).toBe(401)
    expect((await call('/ui/state.json')).status).toBe(401)
    const { status, headers, body } = await system('/ui/')
    expect([status, headers['content-security-policy']]).toEqual([200, expect.stringContaining("default-src 'none'")])
    expect(body).not.toMatch(/https?:|<script>|style=/)
    expect((await system('/ui/../package.json')).status).toBe(404)
    expect((await system('/ui/nothing')).status).toBe(404)
    expect((await system('/ui/', 'POST')).status).toBe(405)
  })

  test('state.json: instances, sessions by their early data, latency', async () => {
    await call('/function/witness/')
    const { functions } = JSON.parse((await system('/ui/state.json')).body) as { functions: { name: string }[] }
    expect(functions.find(each => each.name === 'witness')).toMatchObject({
      availableReplicas: 1,
      earlyData: 'safe',
      sessions: { accepted: expect.any(Number) },
      latency: { p50: expect.any(Number), p95: expect.any(Number) },
    })
  })
})

test.runIf(existsSync('/proc/self/stat'))(
  'usage: memory and processor of instances and what they started',
  async () => {
    const usageOf = async (name: string): Promise<{ cpu: number; totalMemoryBytes: number }> =>
      JSON.parse((await system(`/system/function/${name}`)).body).usage
    await call('/function/witness/')
    const alone = await usageOf('witness')
    // A watchdog and a server, both of them node.
    const both = await usageOf('server')
    expect(alone.totalMemoryBytes).toBeGreaterThan(20e6)
    expect(both.totalMemoryBytes).toBeGreaterThan(1.4 * alone.totalMemoryBytes)
    expect([alone.cpu, both.cpu].every(each => each >= 0)).toBe(true)
  },
)

test('/healthz, and metrics of the gateway under the names dashboards know, on ports of their own', async () => {
  expect(await call('/healthz')).toMatchObject({ status: 200, body: 'OK' })
  const { body } = await call('/metrics', { port: world.ports.metricsPort })
  expect(body).toMatch(/gateway_function_invocation_total\{function_name="witness.openfaas-fn",code="200"\} \d/)
  expect(body).toMatch(/gateway_service_count\{function_name="witness.openfaas-fn"\} 1/)
  expect(body).toMatch(
    /gateway_functions_seconds_bucket\{le="[\d.]+",function_name="witness.openfaas-fn",code="200"\} \d/,
  )
  expect(body).toMatch(/gateway_function_invocation_started\{function_name="witness.openfaas-fn"\} \d/)
  expect(body).toMatch(/http_requests_total\{code="200",method="get"\} \d/)
  expect(body).toMatch(/http_request_duration_seconds_count\{code="200",method="get"\} \d/)
  expect((await call('/healthz', { port: world.ports.metricsPort })).body).toBe('OK')
  expect(body).toMatch(/zerotrip_gateway_sessions_total\{function_name="witness.openfaas-fn",result="accepted"\} \d/)
})

describe('what is asked for', () => {
  test('a stack file of OpenFaaS', () => {
    const text = 'functions:\n  a:\n    handler: ./a\n    fprocess: cat\n    environment: {mode: streaming, n: 1}\n'
    expect(readStack(text)).toMatchObject([
      { service: 'a', image: './a', envProcess: 'cat', envVars: { mode: 'streaming', n: '1' } },
    ])
    expect(() => readStack('provider: {}')).toThrow('functions')
  })

  test('labels com.openfaas.scale.min, max, zero', () => {
    const labels = { 'com.openfaas.scale.min': '2', 'com.openfaas.scale.zero-duration': '5m' }
    expect(scaleRules({ labels })).toEqual({ min: 2, max: 20, zero: false, target: 50, zeroDuration: 300_000 })
    expect(scaleRules({ labels: { 'com.openfaas.scale.zero': 'true', 'com.openfaas.scale.max': '3' } })).toMatchObject({
      max: 3,
      zero: true,
    })
    expect(() => scaleRules({ labels: { 'com.openfaas.scale.max': 'x' } })).toThrow('com.openfaas.scale.max')
  })
})
