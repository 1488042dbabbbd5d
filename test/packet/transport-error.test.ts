import { expect, test } from 'vitest'
import { ErrorCode, errorCodeName, TransportError } from '../../src/packet/transport-error.ts'

test('an error carries code, frame type and text', () => {
  const error = new TransportError(ErrorCode.FlowControlError, 'too much', 8)
  expect(error).toBeInstanceOf(Error)
  expect([error.name, error.code, error.frameType, error.message]).toEqual(['TransportError', 3, 8, 'too much'])
  expect(new TransportError(ErrorCode.NoError, '').frameType).toBe(0)
})

test('RFC 9000 §20.1: codes have names', () => {
  expect(errorCodeName(0x0a)).toBe('ProtocolViolation')
  expect(errorCodeName(0x100)).toBe('CryptoError(0)')
  expect(errorCodeName(0x178)).toBe('CryptoError(120)')
  expect(errorCodeName(0x1234)).toBe('0x1234')
})
