// What a function has without the chain client: node's own HTTP/1.1, over TCP or TLS, with a connection for each call.

import { request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { agentOf } from './systems.mjs'

export class PlainCaller {
  #send
  #options

  /** `gateway`: { host, port, securePort, certificate }. */
  constructor(system, { host, port, securePort, certificate }) {
    const isPlain = system.transport === 'tcp'
    this.#send = isPlain ? request : secureRequest
    this.#options = { host, port: isPlain ? port : securePort, agent: agentOf(system, certificate) }
  }

  /** Resolves with the body; rejects for another status than 200. */
  call(path, { method = 'GET', body } = {}) {
    const headers = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    return new Promise((resolve, reject) => {
      const outgoing = this.#send({ ...this.#options, path, method, headers }, response => {
        const chunks = []
        response.on('data', chunk => chunks.push(chunk))
        response.once('error', reject)
        response.once('end', () => {
          const answer = Buffer.concat(chunks)
          if (response.statusCode === 200) resolve(answer)
          else reject(new Error(`${method} ${path}: status ${response.statusCode}: ${answer}`))
        })
      })
      outgoing.once('error', reject)
      outgoing.end(body)
    })
  }
}
