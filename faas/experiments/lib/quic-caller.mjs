// What the chain client is made of, for a function that is to speak to several gateways.

import { GatewayClient } from '../../dist/chain/gateway-client.js'
import { IDLE } from './chains.mjs'

const never = new AbortController().signal

export class QuicCaller {
  #client
  #host

  /** `gateway`: { host, securePort, certificate }. */
  constructor(_system, { host, securePort, certificate }) {
    this.#host = `${host}:${securePort}`
    this.#client = new GatewayClient({ url: `https://${this.#host}`, certificate, idle: IDLE })
  }

  /** Resolves with the body; rejects for another status than 200. */
  async call(path, { method = 'GET', body } = {}) {
    const bytes = body === undefined ? undefined : Buffer.from(body)
    const headers = new Headers(bytes ? { 'content-length': String(bytes.length) } : {})
    const response = await this.#client.send({ method, target: path, host: this.#host, headers, body: bytes }, never)
    const answer = await new Response(response.body).text()
    if (response.status !== 200) throw new Error(`${method} ${path}: status ${response.status}: ${answer}`)
    return answer
  }
}
