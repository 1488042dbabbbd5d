// Certificates made smaller by node:zlib (RFC 8879), which is loaded when there is one to compress.

import type { CertificateCompression } from '../tls13/ports.ts'

const ZLIB = 1
const BROTLI = 2

export const nodeCompression: CertificateCompression = {
  algorithms: [BROTLI, ZLIB],
  compress,
  decompress(algorithm, compressed, length) {
    const { brotliDecompressSync, inflateSync } = zlib()
    const decompressSync = algorithm === BROTLI ? brotliDecompressSync : inflateSync
    try {
      return new Uint8Array(decompressSync(compressed, { maxOutputLength: Math.max(length, 1) }))
    } catch {
      return undefined
    }
  },
}

/** The newest messages: to make one small takes longer than the rest of the handshake, and a server has few. */
const remembered: { readonly algorithm: number; readonly bytes: Uint8Array; readonly compressed: Uint8Array }[] = []
const REMEMBERED = 16

function compress(algorithm: number, bytes: Uint8Array): Uint8Array {
  const known = remembered.find(entry => entry.algorithm === algorithm && Buffer.compare(entry.bytes, bytes) === 0)
  if (known !== undefined) return known.compressed
  const { brotliCompressSync, deflateSync } = zlib()
  const compressed = new Uint8Array(algorithm === BROTLI ? brotliCompressSync(bytes) : deflateSync(bytes))
  remembered.unshift({ algorithm, bytes: bytes.slice(), compressed })
  remembered.length = Math.min(remembered.length, REMEMBERED)
  return compressed
}

function zlib(): typeof import('node:zlib') {
  return process.getBuiltinModule('node:zlib')
}
