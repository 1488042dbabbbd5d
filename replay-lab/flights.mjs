// First flights as somebody on the path records them: a hello, and a request as 0-RTT data.

import { insecureVerifier, nodeBackend } from 'zerotrip'
import { Connection } from 'zerotrip/core'
import { ALPN, deps } from './worker.mjs'

const address = { host: '10.0.0.7', port: 443 }
const datagram = new Uint8Array(1500)
/** Long enough for a second datagram in some of them. */
const LENGTHS = [64, 1500]
let made = 0

/** A flight under `resumption`, made at `now` (Unix ms): its datagrams, and the name of the request in it. */
export function record(resumption, now) {
  const client = Connection.client(
    {
      alpn: [ALPN],
      serverName: 'localhost',
      verifier: insecureVerifier,
      timeOrigin: 0,
      resumption,
      earlyData: true,
      cipherSuites: nodeBackend.cipherSuites.slice(0, 1),
    },
    deps,
    address,
    now,
  )
  const request = new Uint8Array(LENGTHS[made % LENGTHS.length])
  new DataView(request.buffer).setBigUint64(0, BigInt(++made))
  client.write(client.openStream('bidi'), request, true)
  const flight = []
  for (let sent = client.transmit(datagram, now); sent !== undefined; sent = client.transmit(datagram, now)) {
    flight.push(datagram.slice(0, sent.length))
  }
  return { flight, request: Buffer.from(request).toString('hex', 0, 8) }
}
