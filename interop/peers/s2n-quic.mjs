// s2n-quic (crates.io), with s2n-tls, by the program in s2n-quic/. hq-interop alone: its HTTP/3 is not published.

import { cratePeer } from './crates.mjs'

const BOTH = ['handshake', 'transfer', 'retry', 'resumption', 'multiconnect', 'ecn']

export const s2nQuic = cratePeer({
  name: 's2n-quic',
  alpn: ['hq-interop'],
  migrates: false,
  // s2n-tls has no policy of ChaCha20-Poly1305 alone, which a client would have to offer.
  client: BOTH,
  server: [...BOTH, 'chacha20'],
})
