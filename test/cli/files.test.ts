import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CliError, ExitCode } from '../../src/cli/errors.ts'
import { contentOf, FileTree, type FoundFile, fileHandler } from '../../src/cli/files.ts'
import { directory } from './program.ts'

async function tree(): Promise<{ root: string; files: FileTree }> {
  const base = directory()
  const root = join(base, 'root')
  mkdirSync(join(root, 'sub', 'bare'), { recursive: true })
  writeFileSync(join(base, 'secret'), 'secret')
  writeFileSync(join(root, 'index.html'), '<p>home')
  writeFileSync(join(root, 'sub', 'index.html'), '<p>sub')
  writeFileSync(join(root, 'a b.txt'), 'spaced')
  writeFileSync(join(root, 'empty'), '')
  writeFileSync(join(root, 'big.bin'), Buffer.alloc(200_000, 7))
  symlinkSync(join(base, 'secret'), join(root, 'out'))
  symlinkSync(base, join(root, 'up'))
  symlinkSync(join(root, 'a b.txt'), join(root, 'in'))
  return { root, files: await FileTree.open(root) }
}

async function read(found: unknown): Promise<Buffer> {
  const content = await contentOf(found as FoundFile)
  return Buffer.from(await new Response(content as never).arrayBuffer())
}

describe('finding', () => {
  test('files, and the index of a directory', async () => {
    const { files } = await tree()
    expect((await read(await files.find('/'))).toString()).toBe('<p>home')
    expect((await read(await files.find('/sub/'))).toString()).toBe('<p>sub')
    expect((await read(await files.find('/a%20b.txt'))).toString()).toBe('spaced')
    expect((await read(await files.find('//sub//./index.html'))).toString()).toBe('<p>sub')
    expect((await read(await files.find('/empty'))).length).toBe(0)
    expect(await files.find('/sub')).toBe('directory')
  })

  test('links count as what they lead to, and lead nowhere outside', async () => {
    const { files } = await tree()
    expect((await read(await files.find('/in'))).toString()).toBe('spaced')
    expect(await files.find('/out')).toBeUndefined()
    expect(await files.find('/up/secret')).toBeUndefined()
    expect(await files.find('/up/')).toBeUndefined()
  })

  test.each([
    '/../secret',
    '/..%2fsecret',
    '/%2e%2e/secret',
    '/sub/../../secret',
    '/sub/%2e%2e%2f%2e%2e%2fsecret',
    '../secret',
    '/%2e%2e%5csecret',
    '/index.html%00.txt',
    '/%zz',
    '/nothing',
    '/index.html/',
    '/sub/bare/',
    '/sub/bare',
  ])('nothing at %s', async path => {
    const { files } = await tree()
    expect(await files.find(path)).toBeUndefined()
  })

  test('a root that is no directory is refused', async () => {
    const { root } = await tree()
    for (const path of [join(root, 'nothing'), join(root, 'index.html')]) {
      const error = await FileTree.open(path).catch(error => error)
      expect(error).toBeInstanceOf(CliError)
      expect(error.exitCode).toBe(ExitCode.LocalFailed)
      expect(error.message).toContain(path)
    }
  })
})

describe('content', () => {
  test('a large file streams, at the pace of its reader', async () => {
    const { files } = await tree()
    const content = await contentOf((await files.find('/big.bin')) as FoundFile)
    expect(content).toBeInstanceOf(ReadableStream)
    const reader = (content as ReadableStream<Uint8Array>).getReader()
    expect((await reader.read()).value?.length).toBe(65_536)
    await reader.cancel()
    expect((await read(await files.find('/big.bin'))).equals(Buffer.alloc(200_000, 7))).toBe(true)
  })

  test('a file that became shorter fails instead of lying about its length', async () => {
    const { root, files } = await tree()
    const found = await files.find('/big.bin')
    const small = await files.find('/index.html')
    truncateSync(join(root, 'big.bin'), 70_000)
    truncateSync(join(root, 'index.html'), 1)
    await expect(read(found)).rejects.toThrow('became shorter')
    await expect(read(small)).rejects.toThrow('became shorter')
  })
})

describe('HTTP', () => {
  async function answer(method: string, path: string) {
    const { files } = await tree()
    const url = `https://localhost${path}`
    const { status, headers, body } = await fileHandler(files)(new Request(url, { method }) as never)
    return { status, headers: Object.fromEntries(headers ?? []), body }
  }

  test('GET says what it is and how long', async () => {
    const { status, headers, body } = await answer('GET', '/a%20b.txt')
    expect(status).toBe(200)
    expect(headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8', 'content-length': '6' })
    expect(Date.parse(headers['last-modified'] as string)).toBeGreaterThan(0)
    expect(Buffer.from(body as Uint8Array).toString()).toBe('spaced')
  })

  test('RFC 9110 §9.3.2: HEAD says the same without content', async () => {
    const { status, headers, body } = await answer('HEAD', '/big.bin')
    expect(status).toBe(200)
    expect(headers).toMatchObject({ 'content-type': 'application/octet-stream', 'content-length': '200000' })
    expect(body).toBeNull()
    expect(await answer('HEAD', '/nothing')).toMatchObject({ status: 404, body: null })
  })

  test('404, 405, and a slash for directories', async () => {
    expect(await answer('GET', '/nothing')).toMatchObject({ status: 404, body: 'not found\n' })
    expect(await answer('POST', '/')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
    expect(await answer('GET', '/sub')).toMatchObject({ status: 301, headers: { location: '/sub/' } })
    // Never `//sub/`, which would be another host.
    expect(await answer('GET', '//sub')).toMatchObject({ status: 301, headers: { location: '/sub/' } })
  })
})
