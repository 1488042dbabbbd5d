// What a gateway is told by its environment and its options.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readEnvironment } from '../src/gateway/environment.ts'
import { checkOpenness, type GatewayOptions } from '../src/gateway/options.ts'
import { GatewayWorld, node } from './gateway-world.ts'

describe('the environment of the gateway', () => {
  test('read_timeout, write_timeout, upstream_timeout, scale_from_zero', async () => {
    const environment = { read_timeout: '5', write_timeout: '1m', upstream_timeout: '500ms', scale_from_zero: 'false' }
    expect(await readEnvironment(environment)).toMatchObject({
      readTimeout: 5000,
      writeTimeout: 60_000,
      upstreamTimeout: 500,
      scaleFromZero: false,
    })
    expect(await readEnvironment({})).toMatchObject({ upstreamTimeout: undefined, scaleFromZero: true })
  })

  test('basic_auth: two files in secret_mount_path', async () => {
    const secret_mount_path = mkdtempSync(join(tmpdir(), 'secrets-'))
    const environment = { basic_auth: 'true', secret_mount_path }
    await expect(readEnvironment(environment)).rejects.toThrow('basic-auth-user')
    writeFileSync(join(secret_mount_path, 'basic-auth-user'), 'me\n')
    writeFileSync(join(secret_mount_path, 'basic-auth-password'), 'word\n')
    expect(await readEnvironment(environment)).toMatchObject({ credentials: { user: 'me', password: 'word' } })
    writeFileSync(join(secret_mount_path, 'basic-auth-password'), '')
    await expect(readEnvironment(environment)).rejects.toThrow('is empty')
    rmSync(secret_mount_path, { recursive: true })
    await expect(readEnvironment({ functions_provider_url: 'nowhere' })).rejects.toThrow('functions_provider_url')
  })

  test('function_namespace: that of functions which name none', () => {
    const script =
      "import { readDeployment as r } from './dist/gateway/deployment.js'; console.log(r({ service: 'a' }).namespace)"
    const cwd = fileURLToPath(new URL('..', import.meta.url))
    const env = { function_namespace: 'mine' }
    const { stdout } = spawnSync(node, ['--input-type=module', '-e', script], { cwd, env, encoding: 'utf8' })
    expect(stdout).toBe('mine\n')
  })
})

test('scale_from_zero=false: a function without instances is 503 with Retry-After', async () => {
  await using world = await new GatewayWorld({ scaleFromZero: false }).start({
    service: 'w',
    envProcess: 'witness.mjs',
  })
  const { status, headers, body } = await world.call('/function/w')
  expect([status, headers['retry-after'], body]).toEqual([503, '1', 'No endpoints available for: w.openfaas-fn.\n'])
})

test('functions_provider_url: what is not known here is passed on, behind the same password', async () => {
  const asked: string[] = []
  const elsewhere = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.end('from elsewhere')
  })
  await new Promise<void>(resolve => elsewhere.listen(0, '127.0.0.1', resolve))
  const providerUrl = new URL(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`)
  await using world = await new GatewayWorld({ providerUrl }).start()
  expect(await world.system('/system/secrets?namespace=a')).toMatchObject({ status: 200, body: 'from elsewhere' })
  expect((await world.call('/system/secrets')).status).toBe(401)
  expect(JSON.parse((await world.system('/system/functions')).body)).toEqual([])
  expect(asked).toEqual(['GET /system/secrets?namespace=a'])
  elsewhere.close()
  elsewhere.closeAllConnections()
  await expect.poll(async () => (await world.system('/system/logs')).status).toBe(502)
})

test('a gateway that others reach has a password', () => {
  const options = { provider: {}, onError: () => {} } as unknown as GatewayOptions
  const credentials = { user: 'me', password: 'word' }
  for (const host of ['127.0.0.1', '::1', 'localhost', '127.8.0.1'])
    checkOpenness({ ...options, host, plainHost: host })
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.evil.test']) {
    expect(() => checkOpenness({ ...options, host })).toThrow('basic_auth')
    expect(() => checkOpenness({ ...options, plainHost: host })).toThrow('basic_auth')
    checkOpenness({ ...options, host, credentials })
  }
})
