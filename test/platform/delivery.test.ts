// A bundle on its way to the worker: by an inherited descriptor, by a file, by HTTPS.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { takeBundleFile, writeBundleFile } from '../../src/platform/bundle-file.ts'
import { bundleListener, PullError, pullBundle } from '../../src/platform/bundle-pull.ts'
import {
  BUNDLE_FD,
  giveBundle,
  MAX_BUNDLE,
  readAndClose,
  takeBundle,
  takeDescriptor,
} from '../../src/platform/inherited.ts'
import { selfSigned } from '../../src/web/self-signed.ts'
import { type WorkerBundle, writeWorkerBundle } from '../../src/zero-rtt/bundle.ts'
import { bundle, directory } from './support.ts'

describe('an inherited descriptor', () => {
  const child = fileURLToPath(new URL('child.mjs', import.meta.url))

  test('the child has the bundle, and no trace of it in its environment', async () => {
    const half = bundle()
    const process_ = spawn(process.execPath, [child], {
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
      env: { ...process.env, [BUNDLE_FD]: '3' },
    })
    await giveBundle(process_.stdio[3] as Writable, half)
    let said = ''
    process_.stdout?.on('data', data => {
      said += data
    })
    await once(process_, 'close')
    expect(JSON.parse(said)).toEqual({
      instanceId: Buffer.from(half.instanceId).toString('hex'),
      environment: [],
      again: 'none',
      isClosed: true,
    })
  })

  test('a child that is gone does not matter to its parent', async () => {
    const process_ = spawn(process.execPath, ['-e', '0'], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] })
    await once(process_, 'exit')
    await giveBundle(process_.stdio[3] as Writable, bundle())
  })

  test('a variable that names none', () => {
    for (const text of ['2', '-1', 'three', '3.5', '']) {
      const environment = { [BUNDLE_FD]: text }
      expect(() => takeBundle(environment)).toThrow('must name a descriptor')
      expect(environment).toEqual({})
    }
    expect(takeBundle({})).toBeUndefined()
    expect(takeDescriptor({ OTHER: '7' }, 'OTHER')).toBe(7)
  })

  test('more than a bundle can be', async () => {
    const path = join(directory(), 'long')
    writeFileSync(path, new Uint8Array(MAX_BUNDLE + 1))
    const { openSync } = await import('node:fs')
    expect(() => readAndClose(openSync(path, 'r'), MAX_BUNDLE)).toThrow(RangeError)
    writeFileSync(path, new Uint8Array(MAX_BUNDLE))
    expect(readAndClose(openSync(path, 'r'), MAX_BUNDLE).length).toBe(MAX_BUNDLE)
  })
})

describe('a file', () => {
  test('is the owner’s alone, is read once, and is gone', () => {
    const path = join(directory(), 'bundle')
    const half = bundle()
    writeBundleFile(path, half)
    expect(statSync(path).mode & 0o777).toBe(0o400)
    expect(takeBundleFile(path)).toEqual(half)
    expect(existsSync(path)).toBe(false)
    expect(() => takeBundleFile(path)).toThrow('ENOENT')
  })

  test('never takes the place of another, and never follows a link', () => {
    const folder = directory()
    const path = join(folder, 'bundle')
    writeFileSync(path, 'mine')
    expect(() => writeBundleFile(path, bundle())).toThrow('EEXIST')
    expect(readFileSync(path, 'utf8')).toBe('mine')
    symlinkSync(path, join(folder, 'link'))
    expect(() => takeBundleFile(join(folder, 'link'))).toThrow('ELOOP')
    expect(() => takeBundleFile(folder)).toThrow('is no file')
    expect(readdirSync(folder).sort()).toEqual(['bundle', 'link'])
  })

  test('that others may read is refused, and left where it is', () => {
    const path = join(directory(), 'bundle')
    writeBundleFile(path, bundle())
    chmodSync(path, 0o440)
    expect(() => takeBundleFile(path)).toThrow('its mode must be 0400')
    expect(existsSync(path)).toBe(true)
  })

  test('that is no bundle: a TypeError', () => {
    const path = join(directory(), 'bundle')
    writeFileSync(path, 'something else', { mode: 0o400 })
    expect(() => takeBundleFile(path)).toThrow(TypeError)
    writeFileSync(path, new Uint8Array(MAX_BUNDLE + 1), { mode: 0o400 })
    expect(() => takeBundleFile(path)).toThrow('more than any bundle')
  })
})

describe('by HTTPS', () => {
  const identity = selfSigned({ hosts: ['localhost'] })

  async function generator(issue: (token: string) => Promise<WorkerBundle | undefined>) {
    const server = createServer({ cert: identity.cert, key: identity.key }, bundleListener(issue))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    return `https://localhost:${(server.address() as AddressInfo).port}/bundle`
  }

  const ca = identity.cert

  test('whoever has the token has the bundle', async () => {
    const half = bundle()
    const url = await generator(async token => (token === 'good.token' ? half : undefined))
    expect(await pullBundle(url, { token: 'good.token', ca })).toEqual(half)
    const file = join(directory(), 'token')
    writeFileSync(file, 'good.token\n')
    expect(await pullBundle(url, { tokenFile: file, ca })).toEqual(half)
    const refused = pullBundle(url, { token: 'bad', ca })
    await expect(refused).rejects.toThrow(PullError)
    await expect(refused).rejects.toMatchObject({ status: 401, code: 'ERR_ZEROTRIP_BUNDLE_PULL' })
  })

  test('what may pass is tried again until the deadline', async () => {
    const half = bundle()
    let asked = 0
    const url = await generator(async () => {
      if (++asked < 3) throw new Error('not yet')
      return half
    })
    const warnings: unknown[] = []
    const listen = (warning: Error): void => void warnings.push(warning)
    process.on('warning', listen)
    expect(await pullBundle(url, { token: 'a', ca })).toEqual(half)
    expect(asked).toBe(3)
    const never = await generator(() => Promise.reject(new Error('never')))
    await expect(pullBundle(never, { token: 'a', ca, deadline: 1000 })).rejects.toMatchObject({ status: 500 })
    process.off('warning', listen)
    expect(warnings.length).toBeGreaterThan(2)
  })

  test('a server that nobody vouches for, or that is not there', async () => {
    const url = await generator(async () => bundle())
    await expect(pullBundle(url, { token: 'a' })).rejects.toThrow(/self-signed/)
    await expect(pullBundle('https://localhost:1/', { token: 'a', deadline: 100 })).rejects.toThrow(
      'no bundle from localhost:1',
    )
    const hanging = await generator(() => new Promise(() => {}))
    await expect(pullBundle(hanging, { token: 'a', ca, deadline: 100 })).rejects.toThrow('no bundle from')
    const signal = AbortSignal.abort(new Error('not any more'))
    await expect(pullBundle(hanging, { token: 'a', ca, signal })).rejects.toThrow('not any more')
  })

  test('what the caller must not do', async () => {
    await expect(pullBundle('http://localhost/', { token: 'a' })).rejects.toThrow('by https only')
    await expect(pullBundle('https://localhost/', {})).rejects.toThrow('needs `token` or `tokenFile`')
    await expect(pullBundle('https://localhost/', { token: 'two words' })).rejects.toThrow('not a bearer token')
  })

  test('what a server must not send', async () => {
    const answers: [number, Record<string, string>, Uint8Array][] = [
      [200, { 'content-type': 'text/html' }, new Uint8Array(3)],
      [200, { 'content-type': 'application/vnd.zerotrip.bundle' }, new Uint8Array(MAX_BUNDLE + 1)],
      [200, { 'content-type': 'application/vnd.zerotrip.bundle' }, new Uint8Array(3)],
      [200, { 'content-type': 'application/vnd.zerotrip.bundle' }, writeWorkerBundle(bundle()).subarray(0, 50)],
      [302, { location: 'https://elsewhere/' }, new Uint8Array(0)],
    ]
    const server = createServer({ cert: identity.cert, key: identity.key }, (_, outgoing) => {
      const [status, headers, body] = answers.shift() as (typeof answers)[0]
      outgoing.writeHead(status, headers).end(body)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const url = `https://localhost:${(server.address() as AddressInfo).port}/`
    for (const message of ['it is text/html', 'it is too long', 'something else', 'cut short', 'status 302']) {
      await expect(pullBundle(url, { token: 'a', ca })).rejects.toThrow(message)
    }
  })

  test('the listener takes GET with a token and nothing else', async () => {
    const url = await generator(async () => bundle())
    const { request } = await import('node:https')
    const status = (options: object) =>
      new Promise(resolve =>
        request(url, { ca, agent: false, ...options }, response => {
          response.resume()
          resolve([response.statusCode, response.headers['www-authenticate'], response.headers['allow']])
        }).end(),
      )
    expect(await status({ method: 'POST' })).toEqual([405, undefined, 'GET'])
    expect(await status({})).toEqual([401, 'Bearer', undefined])
    expect(await status({ headers: { authorization: 'Basic abc' } })).toEqual([401, 'Bearer', undefined])
  })
})
