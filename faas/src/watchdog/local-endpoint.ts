// Where a function of any language calls others, on this machine and in plain HTTP/1.1: what it says goes to the gateway
// by HTTP/3.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { GatewayAddress } from '../chain/gateway-address.ts'
import { GatewayClient } from '../chain/gateway-client.ts'
import { callOf } from '../http/call.ts'
import { plain } from '../http/handler.ts'
import type { IncomingRequest } from '../http/incoming-request.ts'
import { passingListenerOf } from '../http/node-listener.ts'
import type { Answer } from '../http/passed.ts'

/** Nobody else has to get here. */
const LOOPBACK = '127.0.0.1'

export class LocalEndpoint {
  /** What functions are told: `http://127.0.0.1:PORT`. */
  readonly url: string
  readonly #server: Server
  readonly #client: GatewayClient

  private constructor(server: Server, client: GatewayClient) {
    this.url = `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`
    this.#server = server
    this.#client = client
  }

  static start(gateway: GatewayAddress, onError: (error: unknown) => void): Promise<LocalEndpoint> {
    const client = new GatewayClient(gateway)
    const server = createServer(passingListenerOf(request => pass(client, request, onError), onError))
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, LOOPBACK, () => resolve(new LocalEndpoint(server, client)))
    })
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await this.#client.close()
  }
}

async function pass(
  client: GatewayClient,
  request: IncomingRequest,
  onError: (error: unknown) => void,
): Promise<Answer> {
  const call = await callOf(request, false)
  if (!GatewayClient.isFunction(call.target)) return plain(404, 'functions are at /function/NAME\n')
  try {
    return await client.send(call, request.signal)
  } catch (error) {
    if (!request.signal.aborted) onError(error)
    return plain(502, 'no answer of the gateway\n')
  }
}
