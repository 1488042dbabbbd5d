// Who calls functions: one request at a time, over one connection to the gateway that is kept.

import { Agent, request } from 'node:http'
import { serveParent } from '../../../bench/lib/children.mjs'

const agent = new Agent({ keepAlive: true, maxSockets: 1 })

/** From before the request until all of the answer is here. */
function call({ host = '127.0.0.1', port, path, method = 'GET', body }) {
  return new Promise((resolve, reject) => {
    const begun = performance.now()
    const headers = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    const outgoing = request({ host, port, path, method, headers, agent }, response => {
      const chunks = []
      response.on('data', chunk => chunks.push(chunk))
      response.once('end', () => {
        const ms = performance.now() - begun
        const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
        const text = bytes <= 100 ? Buffer.concat(chunks).toString() : ''
        if (response.statusCode === 200) resolve({ ms, bytes, text })
        else reject(new Error(`${method} ${path}: status ${response.statusCode}: ${Buffer.concat(chunks)}`))
      })
    })
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

serveParent({ call })
