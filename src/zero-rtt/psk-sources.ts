// Several sources of PSKs as one, and the gate that belongs to each (RFC 8446 §4.2.11).

import type { EarlyDataGate, PskKind, PskSource } from '../tls13/ports.ts'

/** The null object: no PSK is known, every handshake uses a certificate. */
export const NoPsks: PskSource = { find: () => undefined }

/** Asked in order; the first that knows the identity answers. */
export function firstOf(...sources: readonly PskSource[]): PskSource {
  return {
    find: (identity, obfuscatedAge, unixTime) => {
      for (const source of sources) {
        const psk = source.find(identity, obfuscatedAge, unixTime)
        if (psk !== undefined) return psk
      }
      return undefined
    },
  }
}

/** Early data is judged by the kind of its PSK; a kind without a gate gets none. */
export function gateByKind(gates: { readonly [kind in PskKind]?: EarlyDataGate }): EarlyDataGate {
  return {
    later: attempt => gates[attempt.psk.kind]?.later?.(attempt),
    admit: attempt => gates[attempt.psk.kind]?.admit(attempt) ?? false,
  }
}
