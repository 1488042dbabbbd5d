// WebSockets by TCP: an upgraded connection is bytes in both directions, and none of our business.

import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'

/** For the `upgrade` event of a server in front of `upstream`. */
export function passUpgrade(upstream: URL): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  return (request, socket, head) => {
    const onward = connect({ host: upstream.hostname, port: Number(upstream.port || 80) })
    onward.once('error', () => socket.destroy())
    socket.once('error', () => onward.destroy())
    onward.once('connect', () => {
      onward.write(headOf(request))
      onward.write(head)
      onward.pipe(socket).pipe(onward)
    })
  }
}

function headOf({ method, url, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/1.1`]
  for (let i = 0; i < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}
