// The secrets of Initial packets, which anyone who sees the first packet can compute (RFC 9001 §5.2).

import type { CryptoBackend } from './backend.ts'
import { hkdfExpandLabel, hkdfExtract, noContext } from './hkdf.ts'
import { versionSecrets } from './version-secrets.ts'

export interface InitialSecrets {
  readonly client: Uint8Array
  readonly server: Uint8Array
}

/** `destination` is the Destination Connection ID of the client's first Initial packet, or of the first after a Retry. */
export function initialSecrets(backend: CryptoBackend, version: number, destination: Uint8Array): InitialSecrets {
  const initial = hkdfExtract(backend, 'sha256', versionSecrets(version).initialSalt, destination)
  return {
    client: hkdfExpandLabel(backend, 'sha256', initial, 'client in', noContext, 32),
    server: hkdfExpandLabel(backend, 'sha256', initial, 'server in', noContext, 32),
  }
}
