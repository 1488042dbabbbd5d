// Workers that somebody else starts and lists: where they are, the keys they fetch, and lists that change.

import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { selfSigned } from 'zerotrip'
import { connect } from 'zerotrip/http3'
import { pullBundle } from 'zerotrip/platform'
import { StaticProvider } from '../dist/gateway/static-provider.js'
import { gatewayEnvironment } from '../src/chain/gateway-address.ts'
import { readWorkerList } from '../src/gateway/worker-list.ts'
import { GatewayWorld, until } from './gateway-world.ts'
import { freePort, functionAt, started, type WatchdogProcess } from './watchdog-process.ts'

const directory = mkdtempSync(join(tmpdir(), 'workers-'))
const source = join(directory, 'workers.json')
const tokenFile = join(directory, 'token')
const token = 'the-token-of-one-worker'
const of = { name: 'witness', namespace: 'openfaas-fn' }
const errors: unknown[] = []
const running: WatchdogProcess[] = []
let world: GatewayWorld

function write(workers: readonly object[]): void {
  writeFileSync(source, JSON.stringify({ functions: { witness: { workers } } }))
}

/** A worker as it is on a machine of its own: it knows its port, the gateway and its token. */
async function start(port: string, more: Record<string, string> = {}): Promise<WatchdogProcess> {
  const watchdog = await started({ port, ...more }, [functionAt('witness.mjs'), '--port', port, '--tls'])
  running.push(watchdog)
  return watchdog
}

beforeAll(async () => {
  writeFileSync(tokenFile, `${token}\n`)
  write([])
  const provider = new StaticProvider({ source, every: 20, onError: error => errors.push(error) })
  world = await new GatewayWorld({ provider }).start()
  await provider.start()
})

afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await Promise.all(running.map(each => each[Symbol.asyncDispose]()))
  rmSync(directory, { recursive: true })
})

describe('provider static', () => {
  test('a worker fetches its keys, says that it listens, and its first request is early; restarted, it is another', async () => {
    const port = await freePort()
    const environment = {
      ...(gatewayEnvironment(world.gateway.address) as Record<string, string>),
      quic_bundle_url: `${world.gateway.address.url}/credentials`,
      quic_bundle_token_file: tokenFile,
    }
    write([{ address: `127.0.0.1:${port}`, token: `sha256:${digest(token)}` }])
    await until(() => world.provider.find(of)?.replicas === 1)
    expect(world.provider.find(of)?.availableReplicas).toBe(0)
    const worker = await start(port, environment)
    const answer = await world.call('/function/witness/first')
    expect(JSON.parse(answer.body)).toMatchObject({ path: '/first', early: true })
    const [before] = world.provider.instances(of)
    expect(before?.bundle?.pins).toHaveLength(1)
    await worker[Symbol.asyncDispose]()
    await start(port, environment)
    await until(() => world.provider.instances(of)[0]?.id !== before?.id)
    expect(JSON.parse((await world.call('/function/witness/again')).body)).toMatchObject({ early: true })
    expect(world.provider.instances(of)[0]?.bundle?.key).not.toEqual(before?.bundle?.key)
  })

  test('one without a token is there as long as it is listed, by its certificate', async () => {
    const worker = await start(await freePort())
    const listed = { address: `127.0.0.1:${worker.port}`, certificate: worker.certificate }
    write([listed, { ...listed, address: '127.0.0.1:1', token: `sha256:${digest('another')}` }])
    await until(() => world.provider.instances(of)[0]?.origin === listed.address)
    expect(JSON.parse((await world.call('/function/witness/late')).body)).toMatchObject({ early: false })
    write([])
    await until(() => world.provider.instances(of).length === 0)
    writeFileSync(source, JSON.stringify({ functions: {} }))
    await until(() => world.provider.find(of) === undefined)
    expect((await world.call('/function/witness/')).status).toBe(404)
  })

  test('a list that is none changes nothing and is an error; functions are not deployed here', async () => {
    const before = errors.length
    writeFileSync(source, 'functions: [')
    await until(() => errors.length > before)
    expect((await world.system('/system/functions', 'POST', { service: 'x' })).status).toBe(501)
    expect(JSON.parse((await world.system('/system/info')).body)).toMatchObject({
      provider: { orchestration: 'static' },
    })
  })

  test('keys are for those who have the token, and over TLS alone', async () => {
    const { url, certificate: ca } = world.gateway.address
    const options = { token: 'not-it', ...(ca && { ca }) }
    await expect(pullBundle(`${url}/credentials`, options)).rejects.toMatchObject({ status: 401 })
    const say = async (authorization: string, body: string): Promise<number> => {
      const session = connect(url, ca === undefined ? {} : { ca })
      const response = await session.fetch('/credentials', { method: 'POST', body, headers: { authorization } })
      await response.text()
      await session.close()
      return response.status
    }
    expect(await say('Bearer x', '{}')).toBe(400)
    expect(await say('Basic x', '{}')).toBe(401)
    expect(await say('Bearer x', 'x'.repeat(70_000))).toBe(413)
    const announcement = { host: 'a', port: 1, certificate: '', pin: '0'.repeat(64) }
    expect(await say('Bearer x', JSON.stringify(announcement))).toBe(401)
    expect((await world.call('/credentials', { headers: { authorization: `Bearer ${token}` } })).status).toBe(404)
  })

  test('the list by HTTPS', async () => {
    const { cert, key } = selfSigned({ hosts: ['127.0.0.1'] })
    const server = createServer({ cert, key }, (_, response) => response.end(readFileSync(source)))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
    write([{ address: '127.0.0.1:1' }])
    await using provider = new StaticProvider({ source: url, ca: cert, every: 20, onError: () => {} })
    await provider.start()
    expect(provider.instances(of)).toMatchObject([{ origin: '127.0.0.1:1' }])
    write([{ address: '127.0.0.1:2' }])
    await until(() => provider.instances(of)[0]?.origin === '127.0.0.1:2')
    server.close()
    expect(() => new StaticProvider({ source: 'http://127.0.0.1/', onError: () => {} })).toThrow('by https')
  })

  test('a list by HTTPS without end is refused', async () => {
    const { cert, key } = selfSigned({ hosts: ['127.0.0.1'] })
    const server = createServer({ cert, key }, (_, response) => response.end(Buffer.alloc(2 << 20, ' ')))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const said: unknown[] = []
    await using provider = new StaticProvider({ source: url, ca: cert, onError: error => said.push(error) })
    await provider.start()
    expect(said).toEqual([expect.objectContaining({ name: 'RangeError' })])
    server.close()
  })

  test.each([
    ['functions', '{}'],
    ['address', '{functions: {a: {workers: [{}]}}}'],
    ['HOST:PORT', '{functions: {a: {workers: [{address: "10.0.0.1"}]}}}'],
    ['sha256', '{functions: {a: {workers: [{address: "10.0.0.1:1", token: secret}]}}}'],
    ['lower-case', '{functions: {A: {}}}'],
  ])('what does not fit is named: %s', (name, text) => {
    expect(() => readWorkerList(text)).toThrow(name)
  })
})

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
