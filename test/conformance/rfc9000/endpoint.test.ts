// RFC 9000 §5.2.2, §6.1, §8.1, §10.3 and §17.2: what a server's socket says to datagrams that belong to no connection.

import { describe, expect, test } from 'vitest'
import { Writer } from '../../../src/bytes/writer.ts'
import { nodeBackend } from '../../../src/crypto/backend-node.ts'
import { TLS_AES_128_GCM_SHA256 } from '../../../src/crypto/cipher-suite.ts'
import { initialSecrets } from '../../../src/crypto/initial-keys.ts'
import { directionKeys } from '../../../src/crypto/packet-protection.ts'
import { FrameType } from '../../../src/packet/frames/frame.ts'
import { PacketKind, readHeader, writeLongHeader } from '../../../src/packet/header.ts'
import { Level } from '../../../src/packet/level.ts'
import { isReservedVersion, QUIC_V1, QUIC_V2, readVersionNegotiation } from '../../../src/packet/version.ts'
import { AddressTokens } from '../../../src/zero-rtt/address-token.ts'
import { echo, eventually, Stranger, server } from '../../endpoint/helpers.ts'
import { bytes, concat, zeros } from '../bytes-by-hand.ts'

const destination = Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1)
const source = Uint8Array.of(1, 2, 3, 4, 5)
/** Where the question goes that ends the waiting for answers. */
const last = Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9, 9)
/** A long header of any version, filled up with zeros. */
function long(version: number, size: number, to: Uint8Array = destination, from: Uint8Array = source): Uint8Array {
  const writer = Writer.allocate(2000)
  writer.u8(0xc0)
  writer.u32(version)
  writer.u8(to.length)
  writer.put(to)
  writer.u8(from.length)
  writer.put(from)
  return writer.bytes.slice(0, size)
}

/** An Initial packet of 1,200 bytes with a PING. */
function initial(token: Uint8Array): Uint8Array {
  const writer = Writer.allocate(1200)
  const lengthAt = writeLongHeader(writer, Level.Initial, 1, destination, source, token, 4)
  const numberOffset = writer.pos
  writer.u32(0)
  writer.u8(FrameType.Ping)
  writer.zeros(1200 - 16 - writer.pos)
  writer.patchVarint2(lengthAt, 1200 - numberOffset)
  const secret = initialSecrets(nodeBackend, 1, destination).client
  const keys = directionKeys(nodeBackend, 1, TLS_AES_128_GCM_SHA256, secret)
  keys.packet.seal(writer.bytes, 0, numberOffset, 4, writer.pos, 0)
  return writer.bytes
}

/** All that a server says to a datagram: a second one, whose answer is known, ends the waiting. */
async function answers(datagram: Uint8Array, options: Parameters<typeof server>[1] = {}): Promise<Uint8Array[]> {
  const { address, endpoint } = await server(echo, options)
  const stranger = await Stranger.at()
  await stranger.send(datagram, address)
  expect(await eventually(() => endpoint.statistics().datagramsReceived === 1)).toBe(true)
  await stranger.send(long(0xff00001d, 1200, last), address)
  const isLast = ({ bytes: answer }: { bytes: Uint8Array }): boolean =>
    Buffer.compare(readHeader(answer, 0, 0)?.source ?? zeros(0), last) === 0
  expect(await eventually(() => stranger.received.some(isLast))).toBe(true)
  return stranger.received.filter(received => !isLast(received)).map(({ bytes: received }) => received)
}

describe('versions', () => {
  test('RFC 9000 §5.2.2: small packets of a version we do not speak are dropped', async () => {
    expect(await answers(long(0xff00001d, 1199))).toEqual([])
  })

  test('RFC 9000 §17.2.1: one Version Negotiation packet for one datagram, with the ids turned round', async () => {
    const packet = long(0xff00001d, 1200)
    const received = await answers(concat(packet, packet))
    expect(received.length).toBe(1)
    const versions = readVersionNegotiation(received[0] as Uint8Array) ?? []
    expect(versions.filter(version => !isReservedVersion(version))).toEqual([QUIC_V2, QUIC_V1])
    expect(readHeader(received[0] as Uint8Array, 0, 0)).toMatchObject({ destination: source, source: destination })
  })

  test('RFC 9000 §17.2.1: ids of a length that our version forbids do not matter', async () => {
    for (const length of [0, 1, 21, 255]) {
      const [answer] = await answers(long(0xff00001d, 1200, zeros(length), zeros(length)))
      expect(readHeader(answer as Uint8Array, 0, 0)?.source.length).toBe(length)
    }
  })

  test('RFC 9000 §6.1: Version Negotiation is not answered with Version Negotiation', async () => {
    expect(await answers(concat(long(0, 1196), bytes(Uint8Array.of(0, 0, 0, 9))))).toEqual([])
  })
})

describe('packets that begin nothing', () => {
  test.each([0xd0, 0xe0, 0xf0])(
    'RFC 9000 §5.2.2: a long header of type %d for no connection is dropped',
    async first => {
      const packet = long(1, 1200)
      packet[0] = first
      expect(await answers(packet)).toEqual([])
    },
  )

  test('RFC 9000 §7.2: an Initial to an id of less than 8 bytes is dropped', async () => {
    expect(await answers(long(1, 1200, zeros(7)))).toEqual([])
  })
})

describe('tokens', () => {
  test('RFC 9000 §17.2.5.1: one Retry for one datagram', async () => {
    const packet = initial(zeros(0))
    const received = await answers(concat(packet, packet), { admit: () => 'retry' })
    expect(received.map(answer => readHeader(answer, 0, 5)?.kind)).toEqual([PacketKind.Retry])
    expect(readHeader(received[0] as Uint8Array, 0, 5)?.source).not.toEqual(destination)
  })

  test('RFC 9000 §8.1.3: a token is looked at; one that was made up proves nothing, and is no fault', async () => {
    const asked: boolean[] = []
    await answers(initial(nodeBackend.random(64)), {
      admit: ({ isAddressValidated }) => {
        asked.push(isAddressValidated)
        return 'ignore'
      },
    })
    expect(asked).toEqual([false])
  })

  test('RFC 9000 §8.1.4: a token of NEW_TOKEN proves one host only, and not with a bit changed', () => {
    const tokens = new AddressTokens(nodeBackend)
    const token = tokens.newToken('192.0.2.1:1000', 0)
    expect(tokens.read(token, '192.0.2.1:2000', 0)?.kind).toBe('new')
    expect(tokens.read(token, '192.0.2.2:1000', 0)).toBe(undefined)
    for (let i = 1; i < token.length; i++) {
      const changed = token.slice()
      changed[i] = (changed[i] as number) ^ 1
      expect(tokens.read(changed, '192.0.2.1:1000', 0)?.kind).not.toBe('new')
    }
  })
})

describe('stateless resets', () => {
  test('RFC 9000 §10.3, §10.3.3: always smaller than what they answer, and nothing for the smallest', async () => {
    const { address } = await server(echo)
    const stranger = await Stranger.at()
    const ask = (size: number): Promise<void> =>
      stranger.send(concat(Uint8Array.of(0x41), nodeBackend.random(size - 1)), address)
    for (const size of [20, 21]) await ask(size)
    for (const size of [22, 30, 43, 200, 1200]) {
      await ask(size)
      const answer = (await stranger.answer()) as Uint8Array
      expect(answer.length).toBeLessThan(size)
      expect((answer[0] as number) & 0xc0).toBe(0x40)
    }
    expect(stranger.received).toEqual([])
  })
})
