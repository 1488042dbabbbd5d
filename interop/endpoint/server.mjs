// The files of a directory over HTTP/0.9 and HTTP/3, until SIGTERM.

import { createReadStream, readFileSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { Hq09Server, serve } from 'zerotrip/http3'
import { HANDSHAKE_TIMEOUT, serverOptions } from './cases.mjs'

/** Where clients are sent in `connectionmigration`: another port. */
const PREFERRED_PORT = 4443
/** Bytes of a file that is sent as a whole. */
const ONE_PIECE = 65_536

/** False: there is no such test case. */
export async function serveFiles(testcase, { www, downloads, certs, port, qlog }) {
  const options = serverOptions[testcase]
  if (options === undefined) return false
  const server = serve({
    port,
    cert: readFileSync(join(certs, 'cert.pem'), 'utf8'),
    key: readFileSync(join(certs, 'priv.key'), 'utf8'),
    // The runner wants to see the whole chain.
    certificateCompression: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT,
    fetch: async request => {
      const { pathname } = new URL(request.url)
      if (request.method === 'PUT' && testcase === 'upload') {
        await writeFile(join(downloads, basename(pathname)), Readable.fromWeb(request.body))
        return new Response(null, { status: 201 })
      }
      const body = await contentOf(www, pathname)
      return new Response(body, { status: body === undefined ? 404 : 200 })
    },
    protocols: { 'hq-interop': session => new Hq09Server(session.transport, path => contentOf(www, path)) },
    ...(qlog !== undefined && { qlog }),
    ...(testcase === 'connectionmigration' && { preferredAddress: preferredAddress() }),
    ...options(),
  })
  const address = await server.ready
  console.log(`${testcase}: serving ${www} on port ${address.port}`)
  process.once('SIGTERM', () => server.close({ deadline: 0 }))
  return true
}

/** Undefined: there is no such file. */
async function contentOf(www, path) {
  const file = join(www, basename(decodeURIComponent(path)))
  const found = await stat(file).catch(() => undefined)
  if (!found?.isFile()) return undefined
  // In one piece the end comes with the bytes.
  return found.size <= ONE_PIECE ? readFile(file) : Readable.toWeb(createReadStream(file))
}

function preferredAddress() {
  const ours = Object.values(networkInterfaces()).flat()
  const of = family => ours.find(each => each.family === family && !each.internal && !each.address.startsWith('fe80:'))
  const [ipv4, ipv6] = ['IPv4', 'IPv6'].map(of).map(found => found && { host: found.address, port: PREFERRED_PORT })
  return { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) }
}
