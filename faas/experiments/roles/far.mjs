// What functions reach out to: a host with a certificate, and one with a picture.

import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:tls'
import sharp from 'sharp'
import { selfSigned } from 'zerotrip'
import { serveParent } from '../../../bench/lib/children.mjs'

/** Resolves with the ports, and the bytes of the picture. */
async function listen({ host, width, height }) {
  const picture = await noise(width, height)
  const files = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'image/png', 'content-length': picture.length })
    response.end(picture)
  })
  const secure = createTlsServer(selfSigned({ hosts: [host] }), socket => socket.on('error', () => {}))
  return { filesPort: await port(files, host), tlsPort: await port(secure, host), bytes: picture.length }
}

/** Nothing that compresses. */
function noise(width, height) {
  const create = {
    width,
    height,
    channels: 3,
    background: '#808080',
    noise: { type: 'gaussian', mean: 128, sigma: 60 },
  }
  return sharp({ create }).png().toBuffer()
}

function port(server, host) {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, () => resolve(server.address().port))
  })
}

serveParent({ listen })
