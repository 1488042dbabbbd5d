// UDP helpers: a free port, a server that answers, and a relay that loses datagrams or changes its port like a NAT.

import { createSocket } from 'node:dgram'
import { setTimeout as sleep } from 'node:timers/promises'

const HOST = '127.0.0.1'

function bound(port = 0) {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 })
    socket.once('error', reject)
    socket.bind(port, HOST, () => {
      socket.off('error', reject)
      // ICMP says that the other side is gone: the case will notice by itself.
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}

export async function freePort() {
  const socket = await bound()
  const { port } = socket.address()
  await new Promise(resolve => socket.close(resolve))
  return port
}

/** A datagram of a version nobody speaks (RFC 9000 §6.1): every QUIC server answers it with Version Negotiation. */
function unknownVersion() {
  const datagram = Buffer.alloc(1200)
  datagram.set([0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 7, 6, 5, 4, 3, 2, 1])
  return datagram
}

/** Resolves with the versions a server offers as soon as it answers; rejects when `gone` does. */
export async function answering(port, gone) {
  const socket = await bound()
  const versions = new Promise(resolve => {
    socket.on('message', message => {
      if (message.length < 23 || message.readUInt32BE(1) !== 0) return
      const list = []
      for (let at = 23; at + 4 <= message.length; at += 4) list.push(message.readUInt32BE(at))
      resolve(list)
    })
  })
  try {
    for (;;) {
      socket.send(unknownVersion(), port, HOST)
      const answer = await Promise.race([versions, sleep(50), gone])
      if (Array.isArray(answer)) return answer
    }
  } finally {
    socket.close()
  }
}

/**
 * Passes datagrams between one client and the server on `port`. `loss`: the share that is lost, both ways.
 * `rebindEvery`: bytes to the client after each of which the server sees another port; what it still sends to former
 * ones gets through.
 */
export class Relay {
  static async start(port, { loss = 0, rebindEvery = 0, seed = 1 } = {}) {
    const relay = new Relay()
    relay.dropped = 0
    relay.ports = 0
    relay.loss = loss
    relay.random = generator(seed)
    relay.inside = await bound()
    relay.port = relay.inside.address().port
    relay.outside = []
    await relay.rebind()
    relay.inside.on('message', (message, { port: from }) => {
      relay.client = from
      if (relay.passes()) relay.outside.at(-1).send(message, port, HOST)
    })
    relay.rebindEvery = rebindEvery
    relay.delivered = 0
    return relay
  }

  passes() {
    if (this.random() >= this.loss) return true
    this.dropped++
    return false
  }

  async rebind() {
    const socket = await bound()
    this.ports++
    this.outside.push(socket)
    socket.on('message', message => {
      if (this.client === undefined || !this.passes()) return
      this.inside.send(message, this.client, HOST)
      this.delivered += message.length
      if (this.rebindEvery === 0 || this.delivered < this.rebindEvery) return
      this.delivered = 0
      this.rebind()
    })
  }

  stop() {
    for (const socket of [this.inside, ...this.outside]) socket.close()
  }
}

/** Always the same losses for the same seed (mulberry32). */
function generator(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
