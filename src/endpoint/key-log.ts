// SSLKEYLOGFILE: the NSS key log, for tshark and the interop runner.

import { appendFileSync } from 'node:fs'
import { toHex } from '../bytes/hex.ts'
import type { KeyLog } from '../tls13/ports.ts'

/** Appends to the file the environment names; undefined when it names none. */
export function environmentKeyLog(): KeyLog | undefined {
  const path = process.env['SSLKEYLOGFILE']
  if (path === undefined || path === '') return undefined
  return (label, clientRandom, secret) => appendFileSync(path, `${label} ${toHex(clientRandom)} ${toHex(secret)}\n`)
}
