// SSLKEYLOGFILE: the NSS key log, for tshark and the interop runner.

import { appendFileSync } from 'node:fs'
import { toHex } from '../bytes/hex.ts'
import type { KeyLog } from '../tls13/ports.ts'

/** Appends to the file the environment names; undefined when it names none. A file that cannot be written is no fault. */
export function environmentKeyLog(): KeyLog | undefined {
  const path = process.env['SSLKEYLOGFILE']
  if (path === undefined || path === '') return undefined
  return (label, clientRandom, secret) => {
    try {
      appendFileSync(path, `${label} ${toHex(clientRandom)} ${toHex(secret)}\n`)
    } catch (error) {
      warnOnce(path, error)
    }
  }
}

const warned = new Set<string>()

function warnOnce(path: string, error: unknown): void {
  if (warned.has(path)) return
  warned.add(path)
  process.emitWarning(`SSLKEYLOGFILE ${path} cannot be written: ${error}`, { code: 'ERR_ZEROTRIP_KEYLOG' })
}
