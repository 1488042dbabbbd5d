// The version_information transport parameter (RFC 9368 §3): what was chosen, and what else there is.

import type { Reader } from '../bytes/reader.ts'
import { Writer } from '../bytes/writer.ts'

export interface VersionInformation {
  /** The version the sender has chosen for this connection. */
  readonly chosen: number
  /** Of a client: what its first flight is compatible with, best first. Of a server: all it speaks. */
  readonly available: readonly number[]
}

/** Undefined: not as RFC 9368 §4 wants it. A client's choice must be among what it offers. */
export function readVersionInformation(value: Reader, from: 'client' | 'server'): VersionInformation | undefined {
  if (value.remaining < 4 || value.remaining % 4 !== 0) return undefined
  const chosen = value.u32()
  const available: number[] = []
  while (!value.isDone) available.push(value.u32())
  if (chosen === 0 || available.includes(0)) return undefined
  return from === 'client' && !available.includes(chosen) ? undefined : { chosen, available }
}

export function versionInformationBytes({ chosen, available }: VersionInformation): Uint8Array {
  const w = Writer.allocate(4 + 4 * available.length)
  w.u32(chosen)
  for (const version of available) w.u32(version)
  return w.finish()
}
