import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/hex.ts'
import { ErrorCode, TransportError } from '../../src/packet/transport-error.ts'
import {
  defaultTransportParameters,
  readTransportParameters,
  type TransportParameters,
  writeTransportParameters,
} from '../../src/packet/transport-parameters.ts'
import { integer, randomBytes, seededRandom } from '../reference/random.ts'
import { encodeVarint } from '../reference/varint.ts'

const full: TransportParameters = {
  originalDestinationConnectionId: fromHex('0102030405060708'),
  maxIdleTimeout: 30_000,
  statelessResetToken: new Uint8Array(16).fill(7),
  maxUdpPayloadSize: 1472,
  initialMaxData: 2 ** 40,
  initialMaxStreamDataBidiLocal: 1,
  initialMaxStreamDataBidiRemote: 100_000,
  initialMaxStreamDataUni: 64,
  initialMaxStreamsBidi: 100,
  initialMaxStreamsUni: 3,
  ackDelayExponent: 20,
  maxAckDelay: 16_383,
  disableActiveMigration: true,
  preferredAddress: {
    ipv4: fromHex('7f000001'),
    ipv4Port: 443,
    ipv6: new Uint8Array(16).fill(1),
    ipv6Port: 65_535,
    connectionId: fromHex('aabb'),
    statelessResetToken: new Uint8Array(16).fill(9),
  },
  activeConnectionIdLimit: 8,
  initialSourceConnectionId: new Uint8Array(20).fill(3),
  retrySourceConnectionId: new Uint8Array(0),
  maxDatagramFrameSize: 65_535,
  minAckDelay: 16_383_000,
  greaseQuicBit: true,
  resetStreamAt: true,
  versionInformation: { chosen: 1, available: [0x6b3343cf, 1] },
}

function fault(hex: string, from: 'client' | 'server' = 'server'): unknown {
  try {
    return readTransportParameters(fromHex(hex), from)
  } catch (error) {
    return error
  }
}

function expectMalformed(result: unknown): void {
  expect(result).toBeInstanceOf(TransportError)
  expect((result as TransportError).code).toBe(ErrorCode.TransportParameterError)
}

test('everything goes there and back', () => {
  expect(readTransportParameters(writeTransportParameters(full), 'server')).toEqual(full)
})

test('the largest of everything goes there and back', () => {
  const top = Number.MAX_SAFE_INTEGER
  const largest: TransportParameters = {
    ...full,
    originalDestinationConnectionId: new Uint8Array(20),
    retrySourceConnectionId: new Uint8Array(20),
    maxIdleTimeout: top,
    maxUdpPayloadSize: top,
    initialMaxData: top,
    initialMaxStreamDataBidiLocal: top,
    initialMaxStreamDataBidiRemote: top,
    initialMaxStreamDataUni: top,
    initialMaxStreamsBidi: top,
    initialMaxStreamsUni: top,
    activeConnectionIdLimit: top,
    maxDatagramFrameSize: top,
  }
  const bytes = writeTransportParameters(largest, { id: 31 * 1_000_000_007 + 27, value: new Uint8Array(16) })
  expect(readTransportParameters(bytes, 'server')).toEqual(largest)
})

test('RFC 9000 §18.2: defaults are not sent, and hold for what is absent', () => {
  expect(writeTransportParameters(defaultTransportParameters)).toEqual(new Uint8Array(0))
  expect(readTransportParameters(new Uint8Array(0), 'client')).toEqual(defaultTransportParameters)
  expect(defaultTransportParameters).toMatchObject({
    maxUdpPayloadSize: 65_527,
    ackDelayExponent: 3,
    maxAckDelay: 25,
    activeConnectionIdLimit: 2,
    maxDatagramFrameSize: 0,
    minAckDelay: undefined,
    greaseQuicBit: false,
    resetStreamAt: false,
  })
})

test('RFC 9000 §18: id, length, value', () => {
  const bytes = writeTransportParameters({ ...defaultTransportParameters, maxAckDelay: 100, initialMaxStreamsBidi: 3 })
  expect(toHex(bytes)).toBe('080103' + '0b024064')
})

test('RFC 9000 §18.1: reserved and unknown parameters are skipped, even twice', () => {
  const bytes = writeTransportParameters(full, { id: 31 * 5 + 27, value: fromHex('0102') })
  expect(readTransportParameters(bytes, 'server')).toEqual(full)
  expect(fault('4555 02 aabb  4555 00  c000000000ffffff 01 00')).toEqual(defaultTransportParameters)
})

test('byte fields are copies', () => {
  const bytes = writeTransportParameters(full)
  const parameters = readTransportParameters(bytes, 'server')
  bytes.fill(0)
  expect(parameters).toEqual(full)
})

test('RFC 9000 §7.4: a known parameter comes once', () => {
  expectMalformed(fault('040105 040105'))
  expectMalformed(fault('0c00 0c00'))
  expectMalformed(fault('0f00 0f00'))
})

describe('RFC 9000 §18.2: a client must not send', () => {
  test.each([
    ['original_destination_connection_id', { originalDestinationConnectionId: fromHex('01') }],
    ['stateless_reset_token', { statelessResetToken: new Uint8Array(16) }],
    ['preferred_address', { preferredAddress: full.preferredAddress }],
    ['retry_source_connection_id', { retrySourceConnectionId: fromHex('01') }],
  ])('%s', (_, some) => {
    const bytes = writeTransportParameters({ ...defaultTransportParameters, ...some })
    expectMalformed(fault(toHex(bytes), 'client'))
    expect(fault(toHex(bytes), 'server')).toMatchObject(some)
  })
})

describe('RFC 9000 §18.2: ranges', () => {
  test.each([
    ['max_udp_payload_size below 1200', '03 02 44af', '03 02 44b0'],
    ['ack_delay_exponent above 20', '0a 01 15', '0a 01 14'],
    ['max_ack_delay of 2^14', '0b 04 80004000', '0b 02 7fff'],
    ['active_connection_id_limit below 2', '0e 01 01', '0e 01 02'],
    ['initial_max_streams_bidi above 2^60', '08 08 d000000000000001', '08 08 d000000000000000'],
    ['initial_max_streams_uni above 2^60', '09 08 ffffffffffffffff', '09 08 cfffffffffffffff'],
    ['stateless_reset_token of 15 bytes', `02 0f ${'00'.repeat(15)}`, `02 10 ${'00'.repeat(16)}`],
    ['stateless_reset_token of 17 bytes', `02 11 ${'00'.repeat(17)}`, `02 10 ${'00'.repeat(16)}`],
    ['a connection id of 21 bytes', `0f 15 ${'00'.repeat(21)}`, `0f 14 ${'00'.repeat(20)}`],
    ['disable_active_migration with a value', '0c 01 00', '0c 00'],
    ['reset_stream_at with a value', '1d 01 00', '1d 00'],
    ['grease_quic_bit with a value', '6ab2 01 00', '6ab2 00'],
    ['an integer with something behind', '04 02 0505', '04 02 4005'],
    ['an integer cut off', '04 01 40', '04 01 3f'],
    ['an integer of no bytes', '04 00', '04 01 00'],
    ['a value cut off', '0f 03 0102', '0f 02 0102'],
  ])('%s', (_, bad, good) => {
    expectMalformed(fault(bad))
    expect(fault(good)).not.toBeInstanceOf(Error)
  })

  test('limits beyond 2^53-1 become 2^53-1, and can be written again', () => {
    const parameters = readTransportParameters(fromHex('04 08 ffffffffffffffff 01 08 e000000000000001'), 'server')
    expect(parameters.initialMaxData).toBe(Number.MAX_SAFE_INTEGER)
    expect(readTransportParameters(writeTransportParameters(parameters), 'server')).toEqual(parameters)
  })

  test('an integer may be longer than needed', () => {
    expect(fault('04 08 c000000000000005')).toMatchObject({ initialMaxData: 5 })
  })
})

test('QUIC Acknowledgment Frequency §3: min_ack_delay is no more than max_ack_delay', () => {
  expect(fault('c0000000ff04de1b 01 00')).toMatchObject({ minAckDelay: 0 })
  // 25 ms, the default of max_ack_delay, and 1 µs more.
  expect(fault('c0000000ff04de1b 04 800061a8')).toMatchObject({ minAckDelay: 25_000 })
  expectMalformed(fault('c0000000ff04de1b 04 800061a9'))
  // Whichever comes first.
  expectMalformed(fault('c0000000ff04de1b 02 43e9  0b 01 01'))
  expectMalformed(fault('0b 01 01  c0000000ff04de1b 02 43e9'))
  expect(fault('0b 01 01  c0000000ff04de1b 02 43e8')).toMatchObject({ minAckDelay: 1000, maxAckDelay: 1 })
})

describe('RFC 9000 §18.2: preferred_address', () => {
  const address = `7f000001 01bb ${'01'.repeat(16)} ffff`
  test('has an id of 1 to 20 bytes', () => {
    expectMalformed(fault(`0d 29 ${address} 00 ${'09'.repeat(16)}`))
    expectMalformed(fault(`0d 3e ${address} 15 ${'00'.repeat(21)} ${'09'.repeat(16)}`))
    expect(fault(`0d 2b ${address} 02 aabb ${'09'.repeat(16)}`)).toMatchObject({
      preferredAddress: full.preferredAddress,
    })
  })
  test('has nothing behind its token', () => {
    expectMalformed(fault(`0d 2c ${address} 02 aabb ${'09'.repeat(16)} 00`))
  })
})

test('parameters cut off at any byte are malformed, or end between two', () => {
  const bytes = writeTransportParameters(full)
  let whole = 0
  for (let length = 0; length < bytes.length; length++) {
    const result = fault(toHex(bytes.subarray(0, length)))
    if (result instanceof Error) expectMalformed(result)
    else whole++
  }
  // One for each boundary between two of the 22, and the empty one.
  expect(whole).toBe(22)
})

test('random bytes are parameters or a TransportError', () => {
  const random = seededRandom(9)
  const valid = writeTransportParameters(full)
  for (let i = 0; i < 20_000; i++) {
    const bytes = random() < 0.5 ? randomBytes(random, integer(random, 40)) : valid.slice()
    bytes[integer(random, bytes.length)] = integer(random, 256)
    const result = fault(toHex(bytes), random() < 0.5 ? 'client' : 'server')
    if (result instanceof Error) expectMalformed(result)
  }
})

test('an unknown id near 2^62 does not count as known or as a duplicate', () => {
  const n = (2n ** 62n - 28n) / 31n
  const reserved = [0n, 1n].map(i => `${toHex(encodeVarint(31n * (n - i) + 27n, 8))}00`).join('')
  expect(fault(reserved)).toEqual(defaultTransportParameters)
})
