// One of several processes that serve HTTP/3 at one address.

import { nodeBackend, workerConnectionIds } from 'zerotrip'
import { serve } from 'zerotrip/http3'
import { AddressTokens, TicketSealer } from 'zerotrip/zero-rtt'
import { Link } from './link.mjs'

/** Since Node 23.1 every process can have a socket of its own; before, node:cluster shares one among them. */
const [major, minor] = process.versions.node.split('.').map(Number)
const sharing = major > 23 || (major === 23 && minor >= 1) ? { reusePort: true } : { exclusive: false }

export async function work() {
  // Ctrl-C is for the first process, which then says stop.
  process.on('SIGINT', () => {})
  const link = new Link()
  let server
  const setup = message('setup')
  process.send({ type: 'link', port: await link.open((datagram, from) => server?.endpoint.inject(datagram, from)) })
  const { worker, links, host, port, identity, keys } = await setup
  const ids = workerConnectionIds({ worker, key: keys.connectionIds })
  link.join(links)

  server = serve({
    host,
    port,
    ...sharing,
    ...identity,
    connectionIds: ids,
    forward: (datagram, from, id) => {
      const owner = ids.ownerOf(id, links.length)
      return owner !== worker && link.send(owner, datagram, from)
    },
    // Whoever of us is asked: tokens and tickets of one are good with all, and anyone can say that a connection is lost.
    addressTokens: new AddressTokens(nodeBackend, { keys: [keys.addressTokens] }),
    tickets: new TicketSealer(nodeBackend, { keys: [keys.tickets] }),
    statelessResetKey: keys.statelessReset,
    fetch: request => answer(request, worker, link),
  })
  await server.ready
  process.send({ type: 'ready' })

  await message('stop')
  await server.close({ deadline: 5000 })
  link.close()
  process.disconnect()
}

/** `/bytes/N`: N bytes; who made them is in the headers. */
function answer(request, worker, link) {
  const length = Number(/\/bytes\/(\d+)$/.exec(request.url)?.[1] ?? 0)
  const headers = { 'x-worker': String(worker), 'x-handed-on': String(link.received), 'x-process': String(process.pid) }
  let left = length
  const body = new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close()
      const size = Math.min(left, 16_384)
      const chunk = new Uint8Array(size)
      for (let i = 0; i < size; i++) chunk[i] = (length - left + i) % 251
      left -= size
      controller.enqueue(chunk)
    },
  })
  return new Response(body, { headers })
}

/** The next message of that type. */
function message(type) {
  return new Promise(resolve => {
    const take = received => {
      if (received.type !== type) return
      process.off('message', take)
      resolve(received)
    }
    process.on('message', take)
  })
}
