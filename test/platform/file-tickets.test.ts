import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FileTickets } from '../../src/platform/file-tickets.ts'
import { writeResumption } from '../../src/zero-rtt/resumption.ts'
import { bytesOf, resumption } from '../zero-rtt/support.ts'
import { directory } from './support.ts'

const key = new Uint8Array(32).fill(4)
const ORIGIN = 'instance 00ff'
const ticket = (name: string, changes = {}) =>
  resumption({ identity: bytesOf(name), issued: Date.now(), lifetime: 60_000, ...changes })
const name = (taken: { identity: Uint8Array } | undefined) => taken && Buffer.from(taken.identity).toString()
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(file => file.includes('.'))

describe('tickets in files', () => {
  test('the newest comes first, each once, for its own origin', async () => {
    const store = new FileTickets({ directory: directory(), key })
    for (const each of ['one', 'two', 'three']) await store.put(ORIGIN, ticket(each))
    await store.put('other:443', ticket('theirs'))
    const taken = [1, 2, 3, 4].map(async () => name(await store.take(ORIGIN)))
    expect((await Promise.all(taken)).sort()).toEqual(['one', 'three', 'two', undefined])
    await store.put(ORIGIN, ticket('old'))
    await store.put(ORIGIN, ticket('new'))
    expect(name(await store.take(ORIGIN))).toBe('new')
    expect(name(await store.take('other:443'))).toBe('theirs')
    expect(await store.take('nobody:443')).toBeUndefined()
  })

  test('outlives its process', async () => {
    const folder = directory()
    await new FileTickets({ directory: join(folder, 'a', 'b'), key }).put(ORIGIN, ticket('kept'))
    const found = await new FileTickets({ directory: join(folder, 'a', 'b'), key }).take(ORIGIN)
    expect(found).toEqual(
      ticket('kept', { issued: found?.issued, authenticatedUntil: undefined, authorization: undefined }),
    )
  })

  test('of many who take at the same time, no two get the same', async () => {
    const folder = directory()
    const options = { directory: folder, key, maxPerOrigin: 40 }
    const stores = Array.from({ length: 4 }, () => new FileTickets(options))
    for (let i = 0; i < 40; i++) await (stores[i % 4] as FileTickets).put(ORIGIN, ticket(`ticket ${i}`))
    const takes = Array.from({ length: 60 }, async (_, i) => name(await (stores[i % 4] as FileTickets).take(ORIGIN)))
    const taken = (await Promise.all(takes)).filter(each => each !== undefined)
    expect(new Set(taken).size).toBe(taken.length)
    // Whoever lost each race may have gone home with nothing, but no ticket is lost.
    for (let left = await stores[0]?.take(ORIGIN); left !== undefined; left = await stores[0]?.take(ORIGIN))
      taken.push(name(left) as string)
    expect(new Set(taken).size).toBe(40)
    expect(filesIn(folder)).toEqual([])
  })

  test('what is on the disk is sealed, for its origin, and readable by nobody else', async () => {
    const folder = directory()
    const store = new FileTickets({ directory: folder, key })
    await store.put(ORIGIN, ticket('secret'))
    const [file] = filesIn(folder) as [string]
    const path = join(folder, file)
    const bytes = readFileSync(path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
    for (const text of ['secret', 'example.com', ORIGIN]) expect(bytes.includes(text)).toBe(false)
    expect(bytes.includes(Buffer.from(resumption().secret))).toBe(false)
    expect(await new FileTickets({ directory: folder, key: new Uint8Array(32) }).take(ORIGIN)).toBeUndefined()
  })

  test('what was damaged, cut short, or written by somebody else is no ticket', async () => {
    const folder = directory()
    const store = new FileTickets({ directory: folder, key, maxPerOrigin: 10 })
    await store.put(ORIGIN, ticket('good'))
    const [file] = filesIn(folder) as [string]
    const bytes = readFileSync(join(folder, file))
    for (const [i, wrong] of [bytes.subarray(0, 20), bytes.subarray(1), writeResumption(ticket('clear'))].entries()) {
      writeFileSync(join(folder, file.replace(/[^/]*$/, `9${i}.ticket`)), wrong)
    }
    const other = await store.take('other:443')
    expect(other).toBeUndefined()
    expect(name(await store.take(ORIGIN))).toBe('good')
  })

  test('an expired one is passed over', async () => {
    const store = new FileTickets({ directory: directory(), key })
    await store.put(ORIGIN, ticket('good'))
    await store.put(ORIGIN, ticket('old', { issued: Date.now() - 61_000 }))
    expect(name(await store.take(ORIGIN))).toBe('good')
  })

  test('is bounded in tickets and in origins', async () => {
    const folder = directory()
    const store = new FileTickets({ directory: folder, key, maxPerOrigin: 2, maxOrigins: 3 })
    for (const each of ['one', 'two', 'three']) await store.put(ORIGIN, ticket(each))
    expect(filesIn(folder).length).toBe(2)
    for (let i = 0; i < 6; i++) await store.put(`origin ${i}`, ticket(`${i}`))
    expect(readdirSync(folder).length).toBe(3)
    expect(await store.take(ORIGIN)).toBeUndefined()
    expect(name(await store.take('origin 5'))).toBe('5')
  })

  test('a key that is none', () => {
    expect(() => new FileTickets({ directory: directory(), key: new Uint8Array(16) })).toThrow(RangeError)
  })
})
