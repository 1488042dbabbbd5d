// Whole handshakes between two connections in memory, both ends: time, calls into cryptography, memory allocated.

import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { nodeBackend, selfSigned, wasmBackend } from 'zerotrip'
import { nobleBackend } from 'zerotrip/crypto/noble'
import { QuicHandshakes } from '../handshake-cpu/quic-handshakes.mjs'
import { counted } from './counted.mjs'

const kinds = ['full', 'resumed', 'provisioned']

export function subjects() {
  const all = []
  for (const backend of [nodeBackend, wasmBackend, nobleBackend]) {
    const quic = newHandshakes(backend)
    for (const kind of kinds) {
      all.push({
        name: `${kind} ${backend.name}`,
        run: () => quic[kind](),
        // Every one of them is checked anyway: a handshake of another kind throws.
        check: () => quic[kind](),
        facts: () => ({
          'calls into crypto': callsOf(backend, kind),
          'bytes allocated': allocatedBy(backend.name, kind),
        }),
      })
    }
  }
  return all
}

export function newHandshakes(backend) {
  const { cert, key } = selfSigned({ hosts: ['localhost'] })
  return new QuicHandshakes(backend, { certificate: new Uint8Array(new X509Certificate(cert).raw), key })
}

/** The first message that any transcript takes in. */
export function captureClientHello() {
  let captured
  const backend = {
    ...nodeBackend,
    hasher(hash) {
      const hasher = nodeBackend.hasher(hash)
      return {
        update(data) {
          captured ??= data.slice()
          hasher.update(data)
        },
        digest: () => hasher.digest(),
      }
    },
  }
  newHandshakes(backend).full()
  return captured
}

function callsOf(backend, kind) {
  const { backend: counting, calls } = counted(backend)
  const quic = newHandshakes(counting)
  quic[kind]()
  calls.count = 0
  quic[kind]()
  return calls.count
}

/** In a process of its own, whose young generation is never collected meanwhile. */
function allocatedBy(backend, kind) {
  const script = fileURLToPath(new URL('allocated.mjs', import.meta.url))
  const options = ['--expose-gc', '--max-semi-space-size=256', '--min-semi-space-size=256', script, backend, kind]
  return Number(execFileSync(process.execPath, options, { encoding: 'utf8' }))
}
