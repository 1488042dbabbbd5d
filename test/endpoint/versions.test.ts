// QUIC versions over real sockets (RFC 9368, RFC 9369).

import { describe, expect, test } from 'vitest'
import { QUIC_V1, QUIC_V2 } from '../../src/packet/version.ts'
import { MemoryTickets } from '../../src/zero-rtt/ticket-store.ts'
import { client, echo, failure, pattern, server, Tap } from './helpers.ts'

async function roundTrip(session: ReturnType<typeof client>): Promise<Uint8Array> {
  const stream = await session.openStream()
  await stream.write(pattern(5000))
  await stream.end()
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe('versions of an endpoint', () => {
  test.each([
    ['version 2 from the start', [QUIC_V2], [QUIC_V2], QUIC_V2],
    ['RFC 9368 §2.3: a server goes over to version 2', [QUIC_V1, QUIC_V2], [QUIC_V2, QUIC_V1], QUIC_V2],
    [
      'RFC 9369 §5: without being told to, a server stays with what the client begins with',
      [QUIC_V1, QUIC_V2],
      undefined,
      QUIC_V1,
    ],
    ['RFC 9368 §2.1: a server that does not speak the first one', [QUIC_V2, QUIC_V1], [QUIC_V1], QUIC_V1],
  ])('%s', async (_, offered, taken, version) => {
    const { address } = await server(echo, { ...(taken && { versions: taken }) })
    const session = client(address, { versions: offered })
    expect((await session.opened).version).toBe(version)
    expect(Buffer.compare(await roundTrip(session), pattern(5000))).toBe(0)
  })

  test('RFC 9368 §2.1: none in common', async () => {
    const { address } = await server(echo, { versions: [QUIC_V2] })
    const error = await failure(client(address, { versions: [QUIC_V1] }).opened)
    expect(error.code).toBe('ERR_ZEROTRIP_VERSION_NEGOTIATION')
  })

  test('RFC 9369 §5: tickets and tokens are used in the version they came with', async () => {
    const { address } = await server(echo, {
      admit: ({ isAddressValidated }) => (isAddressValidated ? 'accept' : 'retry'),
    })
    const tap = await Tap.before(address)
    const tickets = new MemoryTickets(Date.now)
    const first = client(tap.address, { versions: [QUIC_V2], tickets })
    await roundTrip(first)
    await first.close()
    const before = tap.toClient.length
    const next = client(tap.address, { versions: [QUIC_V1, QUIC_V2], tickets })
    expect(await next.opened).toMatchObject({ version: QUIC_V2, isResumed: true })
    // No Retry (RFC 9369 §3.2: type 0): the token was good.
    expect((tap.toClient[before]?.[0] as number) & 0x30).not.toBe(0)
  })

  test('what cannot be used is said at once', () => {
    expect(() => client({ host: '127.0.0.1', port: 1 }, { versions: [7] })).toThrow(RangeError)
    expect(() => client({ host: '127.0.0.1', port: 1 }, { firstVersion: QUIC_V2 })).toThrow('one of versions')
  })
})
