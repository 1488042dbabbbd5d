// quinn (crates.io), with rustls, by the program in quinn/. It speaks version 1 alone.

import { cratePeer } from './crates.mjs'

const BOTH = ['handshake', 'transfer', 'chacha20', 'retry', 'resumption', 'zerortt', 'http3', 'multiconnect', 'ecn']

export const quinn = cratePeer({
  name: 'quinn',
  alpn: ['hq-interop', 'h3'],
  client: [...BOTH, 'keyupdate'],
  // Its endpoint has one socket, so a preferred address would have to be the address it already has.
  server: BOTH,
})
