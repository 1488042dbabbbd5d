// A bundle in a file: for platforms that mount one. Best on a tmpfs; read once, and gone.

import { closeSync, constants, fstatSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { type WorkerBundle, writeWorkerBundle } from '../zero-rtt/bundle.ts'
import { MAX_BUNDLE, readAndClose, readOnce } from './inherited.ts'

/** Only the owner may read it, and nobody write. */
const MODE = 0o400

/** Throws node's error: EEXIST when there is something at `path` already, a symbolic link for one. */
export function writeBundleFile(path: string, bundle: WorkerBundle): void {
  const encoded = writeWorkerBundle(bundle)
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, MODE)
  try {
    for (let at = 0; at < encoded.length; ) at += writeSync(descriptor, encoded, at)
    fsyncSync(descriptor)
  } finally {
    encoded.fill(0)
    closeSync(descriptor)
  }
}

/**
 * Reads the worker's half and removes the file; of several who try, one succeeds. Throws a TypeError for a file that
 * others may read or write, or that is no bundle; node's error otherwise: ENOENT when somebody was faster, EROFS where the
 * file cannot be removed, and so might be read twice.
 */
export function takeBundleFile(path: string): WorkerBundle {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const { mode, size } = fstatSync(descriptor)
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw new TypeError(`${path} is no file`)
    if ((mode & 0o077) !== 0) throw new TypeError(`${path} can be read by others: its mode must be 0400`)
    if (size > MAX_BUNDLE) throw new TypeError(`${path} has ${size} bytes, more than any bundle`)
    // Before it is read: whoever cannot remove it is not the one that it is for.
    unlinkSync(path)
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
  return readOnce(readAndClose(descriptor, MAX_BUNDLE))
}
