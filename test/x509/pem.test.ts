import { expect, test } from 'vitest'
import { pemBlocks, pemText } from '../../src/x509/pem.ts'
import { caDer, caPem, p256, x509Vector } from '../support/certificates.ts'

test('the blocks of one label, in order, text between them skipped', () => {
  const text = `a chain\n${p256.chainPem}and its key\n${p256.keyPem}${caPem.replace(/\n/g, '\r\n')}`
  expect(pemBlocks(text, 'CERTIFICATE')).toEqual([p256.chain[0], caDer])
  expect(pemBlocks(text, 'PRIVATE KEY')).toHaveLength(1)
  expect(pemBlocks(text, 'X509 CRL')).toEqual([])
  expect(pemBlocks(x509Vector('scenarios.pem'), 'CERTIFICATE').length).toBeGreaterThan(100)
})

test('there and back', () => {
  expect(pemText('CERTIFICATE', caDer)).toBe(caPem)
  expect(pemBlocks(pemText('X', new Uint8Array(0)), 'X')).toEqual([new Uint8Array(0)])
})

test('a block that does not end, or holds no base64', () => {
  expect(() => pemBlocks('-----BEGIN X-----\nAAAA', 'X')).toThrow(TypeError)
  expect(() => pemBlocks('-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END X-----', 'X')).toThrow(TypeError)
})
