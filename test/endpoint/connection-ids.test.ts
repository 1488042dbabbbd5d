// Connection ids of one's own making (RFC 9000 §5.1): what a load balancer routes by.

import { afterEach, describe, expect, test } from 'vitest'
import { QuicEndpoint } from '../../src/endpoint/endpoint.ts'
import type { ConnectionIdGenerator } from '../../src/endpoint/router.ts'
import { peekDestination } from '../../src/packet/header.ts'
import { client, echo, eventually, pattern, server, Tap } from './helpers.ts'

/** Ids that name the process behind the balancer in their second byte. */
function tagged(length: number, tag: number): ConnectionIdGenerator & { readonly made: Uint8Array[] } {
  const made: Uint8Array[] = []
  const generate = (): Uint8Array => {
    const id = crypto.getRandomValues(new Uint8Array(length))
    id[1] = tag
    made.push(id)
    return id
  }
  return { length, generate, made }
}

const uncaught: unknown[] = []
const note = (error: unknown): void => void uncaught.push(error)

afterEach(() => {
  process.off('uncaughtException', note)
  uncaught.length = 0
})

describe('connectionIds', () => {
  test.each([8, 13, 20])(
    'of %i bytes: everything a client sends once it knows them can be routed by them',
    async length => {
      const connectionIds = tagged(length, 0x77)
      const { address, endpoint } = await server(echo, { connectionIds })
      const tap = await Tap.before(address)
      const session = client(tap.address)
      const stream = await session.openStream()
      await stream.end(pattern(20_000))
      expect((await stream.bytes()).length).toBe(20_000)
      await session.migrate()
      const short = tap.toServer.filter(datagram => ((datagram[0] as number) & 0x80) === 0)
      expect(short.length).toBeGreaterThan(5)
      expect(short.every(datagram => peekDestination(datagram, length)?.[1] === 0x77)).toBe(true)
      await session.close()
      expect(connectionIds.made.length).toBeGreaterThanOrEqual(4)
      expect(endpoint.sessions.size).toBeLessThanOrEqual(1)
    },
  )

  test('a Retry carries one as well (§17.2.5.1)', async () => {
    const connectionIds = tagged(8, 0x55)
    const admit = ({ isAddressValidated }: { isAddressValidated: boolean }) => (isAddressValidated ? 'accept' : 'retry')
    const { address } = await server(echo, { connectionIds, admit })
    const tap = await Tap.before(address)
    await client(tap.address).opened
    expect(tap.toServer.slice(1).every(datagram => peekDestination(datagram, 8)?.[1] === 0x55)).toBe(true)
  })

  test('of a client too', async () => {
    const { address } = await server(echo)
    const tap = await Tap.before(address)
    const session = client(tap.address, { connectionIds: tagged(16, 0x33) })
    await session.confirmed
    expect(tap.toClient.every(datagram => peekDestination(datagram, 16)?.[1] === 0x33)).toBe(true)
  })

  test.each([0, 4, 7, 21, 8.5])('a length of %d is refused', length => {
    expect(() => new QuicEndpoint({ connectionIds: tagged(length, 0) })).toThrow(RangeError)
  })

  test.each([
    ['another length than it says', { length: 8, generate: () => new Uint8Array(9) }],
    ['ids that are in use', { length: 8, generate: () => new Uint8Array(8) }],
  ])('a generator that makes %s is told so', async (_, connectionIds) => {
    const { address } = await server(echo)
    expect(() => {
      client(address, { connectionIds })
      const endpoint = new QuicEndpoint({ connectionIds })
      const connect = () => endpoint.connect(address, { alpn: ['echo'] })
      try {
        connect()
        connect()
      } finally {
        endpoint.close()
      }
    }).toThrow(TypeError)
  })

  test('one that fails in a server lets nobody in, and the server lives on', async () => {
    const good = tagged(8, 1)
    let fails = true
    const generate = (): Uint8Array => {
      if (fails) throw new Error('no ids today')
      return good.generate()
    }
    process.on('uncaughtException', note)
    const { address, endpoint } = await server(echo, { connectionIds: { length: 8, generate } })
    const session = client(address)
    expect(await eventually(() => uncaught.length > 0)).toBe(true)
    expect(endpoint.sessions.size).toBe(0)
    fails = false
    await session.opened
  })
})
