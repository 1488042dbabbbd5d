// Time that a request, an answer and a function may take, by HTTP/3 as by HTTP/1.1.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from 'zerotrip/http3'
import { GatewayWorld, node } from './gateway-world.ts'
import { freePort, functionAt, started, type WatchdogProcess } from './watchdog-process.ts'

/** A body that begins and goes no further. */
function unfinished(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: controller => controller.enqueue(new TextEncoder().encode('begun')) })
}

describe('watchdog', () => {
  const running: WatchdogProcess[] = []

  afterAll(() => Promise.all(running.map(each => each[Symbol.asyncDispose]())))

  async function run(environment: Record<string, string>, parameters?: readonly string[]): Promise<WatchdogProcess> {
    const watchdog = await started(environment, parameters)
    running.push(watchdog)
    return watchdog
  }

  async function server(more: Record<string, string>): Promise<WatchdogProcess> {
    const port = await freePort()
    const fprocess = `${node} ${functionAt('server.mjs')}`
    return run({ mode: 'http', fprocess, upstream_url: `http://127.0.0.1:${port}`, PORT: port, ...more })
  }

  test('read_timeout: 408 for a request that does not come to its end, on a QUIC stream as well', async () => {
    const watchdog = await server({ read_timeout: '200ms' })
    const session = watchdog.session()
    const byQuic = await session.fetch('/', { method: 'POST', body: unfinished() })
    expect([byQuic.status, await byQuic.text()]).toEqual([408, 'the request did not come within read_timeout\n'])
    session.session.abort(new Error('done'))
    const chunked = { 'content-length': '100' }
    const byTcp = await watchdog.call('/', { method: 'POST', headers: chunked, unfinished: 'begun' })
    expect(byTcp.status).toBe(408)
  })

  test('write_timeout: an answer that goes on and on is cut off, and seen to be', async () => {
    const watchdog = await server({ write_timeout: '300ms' })
    const session = watchdog.session()
    const response = await session.fetch('/events')
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow()
    await session.close()
  })

  test('exec_timeout in mode inproc: 504, though nothing stops the function', async () => {
    const watchdog = await run({ exec_timeout: '200ms' }, [functionAt('witness.mjs'), '--tcp'])
    expect((await watchdog.call('/hang')).status).toBe(504)
    expect((await watchdog.call('/hang', { headers: { 'x-timeout': '20ms' } })).status).toBe(504)
  })
})

describe('gateway', () => {
  const world = new GatewayWorld({ readTimeout: 60_000, writeTimeout: 300 })

  beforeAll(async () => {
    await world.start({ service: 'server', envProcess: `${node} server.mjs`, envVars: { mode: 'http' } })
  })

  afterAll(() => world[Symbol.asyncDispose]())

  test('gateway write_timeout: an answer is cut off', async () => {
    const session = connect(`https://127.0.0.1:${world.ports.securePort}`, { ca: world.gateway.certificate })
    const response = await session.fetch('/function/server/events')
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow()
    await session.close()
  })

  test('gateway read_timeout: 408 for a request that does not come to its end, by HTTP/3 as by TCP', async () => {
    const hasty = new GatewayWorld({ readTimeout: 300 })
    await using _ = await hasty.start({
      service: 'server',
      envProcess: `${node} server.mjs`,
      envVars: { mode: 'http' },
    })
    const session = connect(`https://127.0.0.1:${hasty.ports.securePort}`, { ca: hasty.gateway.certificate })
    const ask = async (headers: Record<string, string>): Promise<number> =>
      (await session.fetch('/function/server', { method: 'POST', body: unfinished(), headers })).status
    expect(await Promise.all([ask({}), ask({ 'content-length': '100' })])).toEqual([408, 408])
    session.session.abort(new Error('done'))
  })
})
