// What a process draws on after it was restored from a snapshot.

import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import type { CryptoBackend } from '../crypto/backend.ts'
import { freshNodeBackend } from '../crypto/fresh-node.ts'
import type { WorkerBundle } from '../zero-rtt/bundle.ts'

/**
 * A backend whose randomness no copy of this process shares: it begins with the keys of the bundle, which was made for
 * this copy alone, and with what the kernel has to give. For `backend` of whatever is made after a restore; a worker that
 * was listening before has `injectAfterRestore`.
 */
export function restoredBackend(bundle: WorkerBundle): CryptoBackend {
  return freshNodeBackend(
    Buffer.concat([bundle.key, bundle.tokenKey, bundle.instanceId, systemRandom(), randomBytes(32)]),
  )
}

/** Straight from the kernel, which notices a restore (VMGENID); where there is no such file, the bundle must do. */
function systemRandom(): Uint8Array {
  const bytes = new Uint8Array(32)
  let descriptor: number
  try {
    descriptor = openSync('/dev/urandom', 'r')
  } catch {
    return bytes
  }
  try {
    readSync(descriptor, bytes)
    return bytes
  } finally {
    closeSync(descriptor)
  }
}
