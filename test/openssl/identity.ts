// A client with a certificate that s_server can be asked to take.

import { readFileSync } from 'node:fs'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import type { CertifiedKey } from '../../src/tls13/ports.ts'

const read = (name: string): string => readFileSync(new URL(`../vectors/tls13/${name}`, import.meta.url), 'latin1')
const der = (name: string): Uint8Array =>
  Uint8Array.from(Buffer.from(read(name).replace(/-----.*-----/g, ''), 'base64'))

export const clientAuthority: Uint8Array = der('client-ca.pem')
export const clientIdentity: CertifiedKey = {
  chain: [der('client.pem')],
  key: nodeBackend.privateKey(read('client.key')),
}
