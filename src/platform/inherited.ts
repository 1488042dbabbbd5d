// A bundle over an inherited descriptor: neither environment nor arguments hold more than its number, and nothing is left
// on a disk.

import { closeSync, readSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { readWorkerBundle, type WorkerBundle, writeWorkerBundle } from '../zero-rtt/bundle.ts'

/** The variable that names the descriptor, unless another is agreed on. */
export const BUNDLE_FD: string = 'ZEROTRIP_BUNDLE_FD'

/** Bytes of a bundle, at most. */
export const MAX_BUNDLE: number = 65_536

/**
 * The parent's side: writes the worker's half to `pipe`, which is `child.stdio[3]` of a child that was spawned with
 * `stdio: ['ignore', 'inherit', 'inherit', 'pipe']` and `env: { ...process.env, [BUNDLE_FD]: '3' }`, and ends it. Resolves
 * when the bytes have left; a child that is gone by then is no error here.
 */
export function giveBundle(pipe: Writable, bundle: WorkerBundle): Promise<void> {
  const encoded = writeWorkerBundle(bundle)
  return new Promise(resolve => {
    const done = (): void => {
      encoded.fill(0)
      resolve()
    }
    pipe.once('error', done)
    pipe.end(encoded, done)
  })
}

/**
 * The child's side, before any code runs that is not to see the keys: reads to the end, once, closes the descriptor and
 * deletes the variable. Undefined when there is no such variable. Throws a TypeError for what is no bundle.
 */
export function takeBundle(
  environment: NodeJS.ProcessEnv = process.env,
  name: string = BUNDLE_FD,
): WorkerBundle | undefined {
  const descriptor = takeDescriptor(environment, name)
  if (descriptor === undefined) return undefined
  return readOnce(readAndClose(descriptor, MAX_BUNDLE))
}

/** The descriptor a variable names. The variable is deleted: what the process starts in its turn shall not see it. */
export function takeDescriptor(environment: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = environment[name]
  if (text === undefined) return undefined
  delete environment[name]
  const descriptor = Number(text)
  // 0 to 2 belong to everybody.
  if (!Number.isInteger(descriptor) || descriptor < 3) throw new TypeError(`${name} must name a descriptor: ${text}`)
  return descriptor
}

/** Reads to the end, once, and closes. Throws a RangeError for more than `limit` bytes. */
export function readAndClose(descriptor: number, limit: number): Uint8Array {
  // One more, to see the end or that there is none.
  const bytes = new Uint8Array(limit + 1)
  let length = 0
  try {
    for (let more = -1; more !== 0; length += more) {
      if (length > limit) throw new RangeError(`more than ${limit} bytes on descriptor ${descriptor}`)
      more = readSync(descriptor, bytes, length, limit + 1 - length, null)
    }
  } finally {
    closeSync(descriptor)
  }
  return bytes.subarray(0, length)
}

/** The bundle in these bytes, which are overwritten. */
export function readOnce(encoded: Uint8Array): WorkerBundle {
  try {
    return readWorkerBundle(encoded)
  } finally {
    encoded.fill(0)
  }
}
