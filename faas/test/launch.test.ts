// Real processes: what is launched here was never contacted before.

import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { fileURLToPath } from 'node:url'
import { type LaunchedWorker, type LaunchOptions, launch } from '@zerotrip/faas/generator'
import { afterEach, describe, expect, test } from 'vitest'
import { connect } from 'zerotrip/http3'

const witness = functionAt('witness.mjs')
const workers: LaunchedWorker[] = []

afterEach(async () => {
  await Promise.all(workers.splice(0).map(worker => worker.stop()))
})

async function launched(options: Partial<LaunchOptions> = {}): Promise<LaunchedWorker> {
  const worker = await launch({ handler: witness, clientId: 'gateway-1', startDeadline: 60_000, ...options })
  workers.push(worker)
  return worker
}

describe('a worker that nobody has contacted', () => {
  test('answers an early request in its first packet', async () => {
    const worker = await launched()
    const session = connect(`https://${worker.origin}`, { bundle: worker.client, earlyData: true })
    const response = await session.fetch('/hello')
    expect(await response.json()).toEqual({ path: '/hello', method: 'GET', early: true })
    expect((await session.opened).earlyData).toBe('accepted')
    await session.close()
  })

  test('knows more clients than the first without being told', async () => {
    const worker = await launched()
    const bundle = worker.clientFor('gateway-2')
    const session = connect(`https://${worker.origin}`, { bundle, earlyData: true })
    expect(await (await session.fetch('/second')).json()).toMatchObject({ early: true })
    await session.close()
  })

  test('is a stranger to the clients of another', async () => {
    const [worker, other] = await Promise.all([launched(), launched()])
    const bundle = { ...other.client, addresses: worker.client.addresses, pins: worker.client.pins }
    const session = connect(`https://${worker.origin}`, { bundle, earlyData: true })
    expect(await (await session.fetch('/strange')).json()).toMatchObject({ early: false })
    expect((await session.opened).earlyData).toBe('rejected')
    await session.close()
  })

  test('shows a certificate of its own to clients without keys', async () => {
    const worker = await launched({ names: ['worker.test'] })
    const options = { ca: worker.announcement.certificate, serverName: 'worker.test' }
    const session = connect(`https://${worker.origin}`, options)
    expect(await (await session.fetch('/late')).json()).toMatchObject({ early: false })
    await session.close()
  })

  test('runs unsafe methods only when the handshake is confirmed', async () => {
    const worker = await launched()
    const session = connect(`https://${worker.origin}`, { bundle: worker.client, earlyData: true })
    const response = await session.fetch('/body', { method: 'POST', body: 'once', early: true })
    expect([response.status, await response.text()]).toEqual([201, 'once'])
    await session.close()
  })
})

describe('keys', () => {
  test('come over a descriptor: the function finds no trace in its environment', async () => {
    const worker = await launched()
    const session = connect(`https://${worker.origin}`, { bundle: worker.client, earlyData: true })
    expect(await (await session.fetch('/environment')).json()).toEqual([])
    await session.close()
  })

  test('differ from launch to launch', async () => {
    const [one, two] = await Promise.all([launched(), launched()])
    expect(one.client.key).not.toEqual(two.client.key)
    expect(one.client.instanceId).not.toEqual(two.client.instanceId)
    expect(one.announcement.pin).not.toBe(two.announcement.pin)
  })
})

describe('by TCP', () => {
  test('the same function answers HTTP/1.1 on the same port', async () => {
    const worker = await launched({ tcp: true })
    const { host, port } = worker.announcement
    const answer = await call(httpRequest({ host, port, path: '/body', method: 'POST', agent: false }), 'by TCP')
    expect(answer).toEqual({ status: 201, body: 'by TCP', seen: 'yes' })
    const hello = await call(httpRequest({ host, port, path: '/hello', agent: false }))
    expect(JSON.parse(hello.body)).toEqual({ path: '/hello', method: 'GET', early: false })
  })

  test('and HTTPS with the certificate of HTTP/3', async () => {
    const worker = await launched({ tls: true })
    const { host, tlsPort, certificate } = worker.announcement
    const answer = await call(httpsRequest({ host, port: tlsPort, path: '/hello', agent: false, ca: certificate }))
    expect(JSON.parse(answer.body)).toMatchObject({ path: '/hello', early: false })
  })

  test('a function that fails answers 500', async () => {
    const worker = await launched({ tcp: true })
    const { host, port } = worker.announcement
    expect(await call(httpRequest({ host, port, path: '/fail', agent: false }))).toMatchObject({ status: 500 })
  })
})

describe('a launch that fails', () => {
  test('says that there is no such function', async () => {
    await expect(launched({ handler: functionAt('missing.mjs') })).rejects.toThrow('the worker did not start')
  })

  test('says that a module is no function', async () => {
    await expect(launched({ handler: functionAt('nothing.mjs') })).rejects.toThrow('it ended with 1')
  })

  test('a function that speaks in the place of its watchdog fails its own start, and nothing else', async () => {
    await expect(launched({ handler: functionAt('babbling.mjs') })).rejects.toThrow('no announcement')
  })

  test('says that a worker took too long', async () => {
    await expect(launched({ startDeadline: 1 })).rejects.toThrow('within 1 ms')
  })
})

test('a worker ends when its platform is gone', async () => {
  const worker = await launched()
  const exited = new Promise<number | null>(resolve => worker.process.once('exit', code => resolve(code)))
  worker.process.stdio[4]?.destroy()
  expect(await exited).toBe(0)
})

function functionAt(name: string): string {
  return fileURLToPath(new URL(`functions/${name}`, import.meta.url))
}

function call(
  request: ReturnType<typeof httpRequest>,
  body?: string,
): Promise<{ status: number | undefined; body: string; seen: string | undefined }> {
  return new Promise((resolve, reject) => {
    request.once('error', reject)
    request.once('response', response => {
      let text = ''
      response.setEncoding('utf8').on('data', data => {
        text += data
      })
      response.once('end', () =>
        resolve({ status: response.statusCode, body: text, seen: response.headers['x-seen'] as string | undefined }),
      )
    })
    request.end(body)
  })
}
