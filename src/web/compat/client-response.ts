// The response of `http3.request`: node's own IncomingMessage, fed by an agent.

import type { Socket } from 'node:net'
import { IncomingMessage } from '../node-http.ts'
import { StreamSocket } from './stream-socket.ts'

/** The feeding end. */
export interface ClientResponse {
  readonly message: IncomingMessage
  /** False: no more content now. */
  readonly isWanted: boolean
  push(chunk: Uint8Array): boolean
  complete(rawTrailers: string[]): void
  fail(error: Error): void
}

interface Insides {
  _addHeaderLines: (raw: string[], count: number) => void
  _read: () => void
  _destroy: (error: Error | null, callback: (error?: Error | null) => void) => void
}

/** `resume`: content is wanted again; `give`: nobody wants the rest. */
export function clientResponse(
  status: number,
  raw: string[],
  resume: () => void,
  give: (error: Error | undefined) => void,
): ClientResponse {
  const socket = new StreamSocket({ peer: unknownPeer, destroy: give })
  const message = new IncomingMessage(socket as unknown as Socket)
  const insides = message as unknown as Insides
  let isWanted = false
  message.httpVersionMajor = 3
  message.httpVersionMinor = 0
  message.httpVersion = '3.0'
  message.statusCode = status
  message.statusMessage = ''
  insides._addHeaderLines(raw, raw.length)
  insides._read = () => {
    isWanted = true
    resume()
  }
  insides._destroy = (error, callback) => {
    if (!message.complete) {
      message.aborted = true
      message.emit('aborted')
      give(error ?? undefined)
    }
    process.nextTick(() => callback(message.listenerCount('error') === 0 ? null : error))
  }
  return {
    message,
    get isWanted() {
      return isWanted
    },
    push(chunk) {
      isWanted = message.push(chunk)
      return isWanted
    },
    complete(trailers) {
      message.complete = true
      if (trailers.length > 0) insides._addHeaderLines(trailers, trailers.length)
      message.push(null)
    },
    fail(error) {
      message.destroy(error)
    },
  }
}

const unknownPeer = {
  remoteAddress: undefined,
  remotePort: undefined,
  localAddress: undefined,
  localPort: undefined,
  alpnProtocol: 'h3',
  servername: undefined,
  authorized: true,
  certificate: undefined,
}
