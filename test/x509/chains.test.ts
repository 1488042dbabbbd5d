// Every chain of test/vectors/x509/chains.json, judged with both crypto backends. OpenSSL is asked about the same chains
// by scripts/check-certificates.mjs.

import { describe, expect, test } from 'vitest'
import { nobleBackend } from '../../src/crypto/backend-noble.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { CertificateError } from '../../src/x509/certificate-error.ts'
import { ChainVerifier } from '../../src/x509/chain.ts'
import { type ChainCase, chainCases, chainOf } from './scenarios.ts'

describe.each([nodeBackend, nobleBackend])('with $name', backend => {
  test.each(chainCases)('$name: $reason', row => {
    const { reason, error } = judge(row)
    expect(reason).toBe(row.reason)
    if (error !== undefined) expect(error.message).toMatch(/^[^;]+; [^;]+(;[^;]+)?$/)
  })

  function judge({ chain, roots = 'ca', host = 'host.example.test', time, client }: ChainCase) {
    const verifier = new ChainVerifier(backend, chainOf(roots))
    const unixTime = Date.parse(time ?? '2025-01-01T00:00:00Z')
    try {
      if (client) verifier.verifyClient(chainOf(chain), unixTime)
      else verifier.verify(chainOf(chain), host, unixTime)
    } catch (error) {
      if (error instanceof CertificateError) return { reason: error.reason, error }
      throw error
    }
    return { reason: undefined }
  }
})

test('the table has good and bad chains, each with a name of its own', () => {
  expect(new Set(chainCases.map(row => row.name)).size).toBe(chainCases.length)
  expect(chainCases.filter(row => row.reason === undefined).length).toBeGreaterThanOrEqual(50)
  expect(chainCases.filter(row => row.reason !== undefined).length).toBeGreaterThanOrEqual(80)
})
