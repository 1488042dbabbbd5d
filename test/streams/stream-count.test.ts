import { describe, expect, test } from 'vitest'
import { flush, pair, readAll } from './link.ts'

/** A stream of the client, of which the server has 10 bytes. */
function counted() {
  const ends = pair()
  const id = ends.client.set.open('uni') as number
  ends.client.set.send(id, new Uint8Array(10), false)
  flush(ends.client.set, ends.server.set)
  expect(ends.server.set.count(id)).toEqual({ sent: 0, received: 10, read: 0, isFinal: false })
  const facts = (): unknown[] => ends.server.take('streamCounted')
  facts()
  return { ...ends, id, facts }
}

describe('a stream that is counted', () => {
  test('tells of all that comes, read or not, and of the end', () => {
    const { client, server, id, facts } = counted()
    client.set.send(id, new Uint8Array(5), false)
    flush(client.set, server.set)
    client.set.send(id, new Uint8Array(5), false)
    flush(client.set, server.set)
    expect(facts()).toEqual([
      { type: 'streamCounted', id, length: 15, isFinal: false },
      { type: 'streamCounted', id, length: 20, isFinal: false },
    ])
    client.set.send(id, new Uint8Array(0), true)
    flush(client.set, server.set)
    expect(facts()).toEqual([{ type: 'streamCounted', id, length: 20, isFinal: true }])
    readAll(server.set, id)
    expect(server.set.count(id)).toBeUndefined()
  })
  test('RFC 9000 §4.5: tells its final size when it was stopped, and then reset', () => {
    const { client, server, id, facts } = counted()
    server.set.stop(id, 1)
    client.set.send(id, new Uint8Array(7), false)
    flush(client.set, server.set)
    client.set.send(id, new Uint8Array(100), false)
    client.set.reset(id, 2)
    expect(client.set.count(id)?.sent).toBe(17)
    flush(client.set, server.set)
    expect(facts()).toEqual([
      { type: 'streamCounted', id, length: 17, isFinal: false },
      { type: 'streamCounted', id, length: 17, isFinal: true },
    ])
  })
  test('of one that is reset behind a part that arrives, the part was sent', () => {
    const { client, id } = counted()
    client.set.send(id, new Uint8Array(100), false)
    client.set.reset(id, 2, 50)
    expect(client.set.count(id)?.sent).toBe(50)
  })
  test('others say nothing', () => {
    const { client, server } = pair()
    const id = client.set.open('uni') as number
    client.set.send(id, new Uint8Array(10), true)
    flush(client.set, server.set)
    expect(server.facts.map(({ type }) => type)).not.toContain('streamCounted')
  })
})
