// quiche (crates.io), with BoringSSL, by the program in quiche/. It speaks version 1 alone.

import { cratePeer } from './crates.mjs'

const BOTH = ['handshake', 'transfer', 'retry', 'resumption', 'zerortt', 'http3', 'multiconnect']

export const quiche = cratePeer({
  name: 'quiche',
  alpn: ['hq-interop', 'h3'],
  // BoringSSL does not let a client choose cipher suites of TLS 1.3.
  client: BOTH,
  server: [...BOTH, 'chacha20'],
})
