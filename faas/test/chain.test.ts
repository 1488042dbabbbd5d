// Functions that call functions: by the chain client, and by an address on this machine that any language can use.

import { execFile } from 'node:child_process'
import { request } from 'node:http'
import { networkInterfaces } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { gatewayEnvironment, readGatewayAddress } from '../src/chain/gateway-address.ts'
import { GatewayWorld, node } from './gateway-world.ts'

const world = new GatewayWorld()
const all = { 'zerotrip.early-data': 'all' }

beforeAll(async () => {
  await world.start(
    { service: 'chain', envProcess: 'chain.mjs' },
    { service: 'server', envProcess: `${node} server.mjs`, envVars: { mode: 'http' } },
    { service: 'eager', envProcess: `${node} server.mjs`, envVars: { mode: 'http' }, annotations: all },
    { service: 'caller', envProcess: `${node} caller.mjs`, envVars: { mode: 'http', quic_idle: '0' } },
    { service: 'shell', envProcess: `${node} filter.mjs`, envVars: { mode: 'streaming' } },
  )
})

afterAll(() => world[Symbol.asyncDispose]())

interface Seen {
  readonly url: string
  readonly method: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

/** What the called function saw of each call. */
async function chain(query: string, method = 'GET'): Promise<Seen[]> {
  const { status, body } = await world.call(`/function/chain?${query}`, {
    method,
    headers: { 'x-call-id': 'of-the-user' },
    ...(method === 'POST' && { body: '' }),
  })
  expect([status, body]).toEqual([200, expect.stringContaining('zerotrip-gateway')])
  return JSON.parse(body).map((each: { body: string }) => JSON.parse(each.body))
}

describe('the chain client', () => {
  test('calls a function by its path, with the id of the call that is being answered', async () => {
    const [seen] = await chain('to=/function/server')
    expect(seen).toMatchObject({ url: '/a?b', method: 'GET' })
    expect(seen?.headers['x-call-id']).toBe('of-the-user')
    expect(seen?.headers['zerotrip-early-data']).toBe(undefined)
  })

  test('the first call of a new process is in its first packet', async () => {
    await world.deploy({ service: 'fresh', envProcess: 'chain.mjs' })
    const { body } = await world.call('/function/fresh?to=/function/server')
    const [{ body: seen }] = JSON.parse(body) as [{ body: string }]
    expect((JSON.parse(seen) as Seen).headers['early-data']).toBe('1')
    await world.deploy({ service: 'newcomer', envProcess: `${node} caller.mjs`, envVars: { mode: 'http' } })
    const local = await world.call('/function/newcomer?to=/function/server/x', { headers: { 'x-call-id': 'mine' } })
    expect((JSON.parse(local.body) as Seen).headers['early-data']).toBe('1')
  })

  test('a URL of the gateway will do, under the name OpenFaaS has for it', async () => {
    expect(await chain('to=http://gateway:8080/function/server')).toMatchObject([{ url: '/a?b' }])
  })

  test('a later session begins with a ticket: safe methods are early, others are not', async () => {
    const gets = await chain('to=/function/server&n=3')
    expect(gets.slice(1).map(each => each.headers['early-data'])).toEqual(['1', '1'])
    const posts = await chain('to=/function/server&n=3', 'POST')
    expect(posts.map(each => [each.body, each.headers['early-data']])).toEqual(Array(3).fill(['chained', undefined]))
  })

  test('all methods are early for a function that is deployed for it, once the gateway has said so', async () => {
    const posts = await chain('to=/function/eager&n=3', 'POST')
    expect(posts.slice(1).map(each => [each.body, each.headers['early-data']])).toEqual(Array(2).fill(['chained', '1']))
  })

  test('lets a process end, and says what is missing', async () => {
    const script =
      "import { fetch } from '@zerotrip/faas/chain'; console.log(await (await fetch('/function/shell')).text())"
    const run = promisify(execFile)
    const cwd = fileURLToPath(new URL('.', import.meta.url))
    const env = { PATH: process.env['PATH'], ...gatewayEnvironment(world.gateway.address) }
    const options = { cwd, timeout: 60_000 }
    const ended = await run(node, ['--input-type=module', '-e', script], { ...options, env })
    expect(ended.stdout).toBe('\n')
    await expect(run(node, ['--input-type=module', '-e', script], { ...options, env: {} })).rejects.toThrow(
      'quic_gateway',
    )
  })
})

describe('the local endpoint', () => {
  test('gateway_url: a function calls others by HTTP/1.1 on this machine, hop by hop, and redirects are its own', async () => {
    const headers = { 'x-call-id': 'mine' }
    const answers = []
    // The connection to the gateway is closed after each: the next begins with a ticket.
    for (let i = 0; i < 3; i++) answers.push(await world.call('/function/caller?to=/function/server/x', { headers }))
    const seen = answers.map(each => JSON.parse(each.body) as Seen)
    expect(seen.map(each => [each.url, each.headers['x-call-id'], each.headers['x-hop']])).toEqual(
      Array(3).fill(['/x', 'mine', undefined]),
    )
    expect(seen.slice(1).map(each => each.headers['early-data'])).toEqual(['1', '1'])
    const redirected = await world.call('/function/caller?to=/function/server/redirect', { headers })
    expect(redirected).toMatchObject({ status: 302, headers: { location: '/elsewhere' } })
  })

  test('is for functions alone, and for this machine', async () => {
    const where = new URL((await world.call('/function/caller?where')).body)
    const ask = (host: string, path: string): Promise<number | string> =>
      new Promise(resolve => {
        request({ host, port: where.port, path, agent: false }, response => resolve(response.statusCode as number))
          .once('error', (error: NodeJS.ErrnoException) => resolve(error.code as string))
          .end()
      })
    expect(await ask(where.hostname, '/system/functions')).toBe(404)
    expect(await ask(where.hostname, 'http://gateway:8080/function/nobody')).toBe(404)
    const others = Object.values(networkInterfaces()).flatMap(each => each ?? [])
    const outside = others.find(each => !each.internal && each.family === 'IPv4')
    if (outside) expect(await ask(outside.address, '/function/server')).toBe('ECONNREFUSED')
  })
})

test('where the gateway is has to be https', () => {
  expect(readGatewayAddress({})).toBe(undefined)
  expect(readGatewayAddress({ quic_gateway: 'https://g:1', quic_idle: '2' })).toMatchObject({
    url: 'https://g:1',
    idle: 2000,
  })
  expect(() => readGatewayAddress({ quic_gateway: 'http://g' })).toThrow('quic_gateway must be an https:// URL')
})
