import { expect, test } from 'vitest'
import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { defaultBackend, wasmBackend } from '../../src/crypto/backend-wasm.ts'
import { testCryptoBackend } from '../conformance/crypto-backend.ts'

// Every Node that this package runs on has WebAssembly with SIMD.
const backend = wasmBackend as CryptoBackend

testCryptoBackend(backend)

test('it is the default where it runs', () => {
  expect(defaultBackend).toBe(backend)
})
