// Cryptography by a WebAssembly module of our own (wasm/, in AssemblyScript) where it is faster than node:crypto, whose
// calls cost more than the work they do: ChaCha20-Poly1305 for packets of ordinary size, AES-128-GCM for Initial packets,
// SHA-256 for short inputs. All else is the node backend's: other AES, large packets, SHA-384, public-key work.

import type { CryptoBackend, HeaderKey } from './backend.ts'
import { nodeBackend } from './backend-node.ts'
import {
  type CipherSuite,
  INITIAL_SUITE,
  TLS_AES_128_GCM_SHA256,
  TLS_AES_256_GCM_SHA384,
  TLS_CHACHA20_POLY1305_SHA256,
} from './cipher-suite.ts'
import { isHashedHere, WasmHashes } from './wasm-hash.ts'
import { KeySlot, WasmAead, WasmHeader, WasmPacketKey } from './wasm-keys.ts'
import { instantiate, type WasmExports, WasmMemory } from './wasm-memory.ts'

const exports = instantiate()

/** Undefined where WebAssembly with SIMD does not run. */
export const wasmBackend: CryptoBackend | undefined = exports && newBackend(exports)

/** The fastest that runs here. */
export const defaultBackend: CryptoBackend = wasmBackend ?? nodeBackend

function newBackend(exports: WasmExports): CryptoBackend {
  const memory = new WasmMemory(exports.memory.buffer)
  const hashes = new WasmHashes(exports, memory.bytes)
  const takeSlot = (): KeySlot | undefined => KeySlot.take(exports, memory)
  return {
    ...nodeBackend,
    name: 'wasm',
    cipherSuites: [TLS_CHACHA20_POLY1305_SHA256, TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384],
    packetBuffer: size => memory.takeBuffer(size),

    hash: (hash, data) => (isHashedHere(hash, data) ? hashes.hash(data) : nodeBackend.hash(hash, data)),
    hasher: hash => (hash === 'sha256' ? hashes.hasher() : nodeBackend.hasher(hash)),
    hmac: (hash, key, data) =>
      isHashedHere(hash, data, key) ? hashes.hmac(key, data) : nodeBackend.hmac(hash, key, data),

    headerKey: (suite, key) => {
      const slot = hasModule(suite) ? takeSlot() : undefined
      return slot === undefined ? nodeBackend.headerKey(suite, key) : new WasmHeader(slot.put(suite, none, key, none))
    },
    packetKey: (suite, key, iv, header) => {
      const slot = header instanceof WasmHeader ? takeSlot() : undefined
      if (slot === undefined) return nodeBackend.packetKey(suite, key, iv, header)
      return new WasmPacketKey(suite, slot.put(suite, key, headerKeyOf(header), iv), header as WasmHeader)
    },
    trafficKeys: (suite, labels, secret) => {
      const slot = hasModule(suite) ? takeSlot() : undefined
      if (slot === undefined) return undefined
      const header = new WasmHeader(slot.derive(suite, labels, secret))
      return { header, packet: new WasmPacketKey(suite, slot, header) }
    },
    aead: (name, key) => {
      const slot = name === 'chacha20-poly1305' ? takeSlot() : undefined
      return slot === undefined ? nodeBackend.aead(name, key) : new WasmAead(slot, key)
    },
  }
}

/** AES by a table takes a time that depends on its key: only where there is nothing to be kept from anybody. */
function hasModule(suite: CipherSuite): boolean {
  return suite.aead === 'chacha20-poly1305' || suite === INITIAL_SUITE
}

function headerKeyOf(header: HeaderKey): Uint8Array {
  return (header as WasmHeader).slot.headerKey
}

const none = new Uint8Array(0)
