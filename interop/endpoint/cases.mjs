// What a test case asks of either side, as options of the library. One that is not here is not supported: `ecn` is not,
// because node:dgram can neither set nor read the bits.

import { QUIC_V1, QUIC_V2, retryAlways } from 'zerotrip'
import { gateFrom, SingleUse } from 'zerotrip/zero-rtt'

/** ms: where much is lost a handshake takes its time. */
export const HANDSHAKE_TIMEOUT = 60_000
/** Under 30 % loss the time between probes grows long before one of them gets through. */
const patient = { transport: { maxIdleTimeout: 180_000 } }
const chacha20 = { cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256'] }
const aes128 = { cipherSuites: ['TLS_AES_128_GCM_SHA256'] }
const aes256 = { cipherSuites: ['TLS_AES_256_GCM_SHA384'] }

export const serverOptions = {
  handshake: () => ({}),
  transfer: () => ({}),
  chacha20: () => chacha20,
  retry: () => ({ admit: retryAlways }),
  resumption: () => ({}),
  zerortt: () => ({ earlyData: gateFrom(new SingleUse()) }),
  http3: () => ({}),
  multiconnect: () => patient,
  // Better than what clients begin with.
  v2: () => ({ versions: [QUIC_V2, QUIC_V1] }),
  // Named in `server.mjs`, which knows our addresses.
  connectionmigration: () => ({}),
  // From here on not of the runner.
  aes128: () => aes128,
  aes256: () => aes256,
  // Clients begin with a share of another one.
  helloretry: () => ({ groups: ['P-384'] }),
  upload: () => ({}),
}

/** `groups`: of requests, each for a connection of its own. `isUpload`: files go to the server. */
export const clientCases = {
  handshake: {},
  transfer: {},
  // Nothing else is to be offered, not even what nobody knows.
  chacha20: { options: { ...chacha20, grease: false } },
  retry: {},
  resumption: { groups: firstAndOthers, resumes: true },
  zerortt: { groups: firstAndOthers, resumes: true, isEarly: true },
  http3: {},
  multiconnect: { groups: requests => requests.map(each => [each]), options: patient },
  keyupdate: { updatesKeys: true },
  // Begins with version 1, but likes the other better.
  v2: { options: { versions: [QUIC_V2, QUIC_V1], firstVersion: QUIC_V1 } },
  // From here on not of the runner.
  aes128: { options: aes128 },
  aes256: { options: aes256 },
  upload: { isUpload: true },
}

function firstAndOthers([first, ...others]) {
  return [[first], others]
}
