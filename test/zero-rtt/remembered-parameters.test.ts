import { describe, expect, test } from 'vitest'
import { ErrorCode, TransportError } from '../../src/packet/transport-error.ts'
import { type TransportParameters, writeTransportParameters } from '../../src/packet/transport-parameters.ts'
import {
  assertNotReduced,
  canHonour,
  readRemembered,
  rememberedLimits,
  writeRemembered,
} from '../../src/zero-rtt/remembered-parameters.ts'
import { parameters } from './support.ts'

const id = new Uint8Array(8).fill(1)
const full: TransportParameters = {
  ...parameters,
  activeConnectionIdLimit: 4,
  maxDatagramFrameSize: 1200,
  originalDestinationConnectionId: id,
  initialSourceConnectionId: id,
  retrySourceConnectionId: id,
  statelessResetToken: new Uint8Array(16).fill(2),
  ackDelayExponent: 5,
  maxAckDelay: 50,
  minAckDelay: 1000,
  greaseQuicBit: true,
}

const limits = [
  'activeConnectionIdLimit',
  'initialMaxData',
  'initialMaxStreamDataBidiLocal',
  'initialMaxStreamDataBidiRemote',
  'initialMaxStreamDataUni',
  'initialMaxStreamsBidi',
  'initialMaxStreamsUni',
  'maxDatagramFrameSize',
] as const

describe('RFC 9000 §7.4.1', () => {
  test('what must not be remembered is back at its default', () => {
    expect(rememberedLimits(full)).toEqual({ ...parameters, activeConnectionIdLimit: 4, maxDatagramFrameSize: 1200 })
  })

  test('the encoded form holds no id and no reset token', () => {
    expect(readRemembered(writeRemembered(full))).toEqual(rememberedLimits(full))
    expect(writeRemembered(full).length).toBeLessThan(writeTransportParameters(full).length)
  })

  test('a server can honour what it still grants, or more', () => {
    const remembered = writeTransportParameters(full)
    expect(canHonour(remembered, full)).toBe(true)
    for (const name of limits) expect(canHonour(remembered, { ...full, [name]: full[name] + 1 })).toBe(true)
  })

  test.each(limits)('less of %s: the server refuses, the client closes', name => {
    const reduced = { ...full, [name]: full[name] - 1 }
    expect(canHonour(writeTransportParameters(full), reduced)).toBe(false)
    try {
      assertNotReduced(rememberedLimits(full), reduced)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(TransportError)
      expect((error as TransportError).code).toBe(ErrorCode.ProtocolViolation)
      expect((error as TransportError).message).toContain(name)
    }
  })

  test('QUIC Stream Resets with Partial Delivery §3: a server that knew RESET_STREAM_AT still does', () => {
    const able = { ...full, resetStreamAt: true }
    const remembered = writeTransportParameters(able)
    expect(readRemembered(remembered).resetStreamAt).toBe(true)
    expect(canHonour(remembered, able)).toBe(true)
    expect(canHonour(remembered, full)).toBe(false)
    expect(() => assertNotReduced(readRemembered(remembered), full)).toThrow('resetStreamAt')
    expect(canHonour(writeTransportParameters(full), able)).toBe(true)
  })

  test('other parameters may become anything', () => {
    expect(canHonour(writeTransportParameters(full), { ...full, maxIdleTimeout: 1, maxAckDelay: 1 })).toBe(true)
    expect(() => assertNotReduced(rememberedLimits(full), full)).not.toThrow()
  })

  test('bytes that are no parameters cannot be honoured', () => {
    expect(canHonour(Uint8Array.of(4, 9, 1), full)).toBe(false)
    expect(() => readRemembered(Uint8Array.of(4, 9, 1))).toThrow(TransportError)
  })
})
