// What is between a client and a worker: it can hold packets back, keep them, and send them again.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

export class UdpRelay implements AsyncDisposable {
  /** Everything that came from clients, in order. */
  readonly seen: Buffer[] = []
  /** Nothing is passed on while it is true. */
  holds = false
  readonly #front: Socket = createSocket('udp4')
  readonly #backs = new Map<string, Socket>()
  readonly #to: { readonly host: string; readonly port: number }

  constructor(to: { readonly host: string; readonly port: number }) {
    this.#to = to
  }

  async start(): Promise<this> {
    this.#front.on('message', (data, from) => {
      this.seen.push(data)
      if (!this.holds) this.#backOf(from.port, from.address).send(data, this.#to.port, this.#to.host)
    })
    this.#front.bind(0, '127.0.0.1')
    await once(this.#front, 'listening')
    return this
  }

  get origin(): string {
    return `127.0.0.1:${(this.#front.address() as AddressInfo).port}`
  }

  /** As somebody else would, from a port of his own, until the worker takes it for the beginning of a handshake. */
  async replay(datagrams: readonly Buffer[]): Promise<void> {
    const socket = createSocket('udp4')
    const answered = new Promise<void>(resolve => {
      socket.on('message', data => data.length >= 1200 && resolve())
    })
    const send = (): void => {
      for (const datagram of datagrams) socket.send(datagram, this.#to.port, this.#to.host)
    }
    send()
    const again = setInterval(send, 50)
    await answered
    clearInterval(again)
    socket.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [this.#front, ...this.#backs.values()]) socket.close()
  }

  #backOf(port: number, address: string): Socket {
    const key = `${address} ${port}`
    const known = this.#backs.get(key)
    if (known) return known
    const back = createSocket('udp4')
    back.on('message', data => this.#front.send(data, port, address))
    this.#backs.set(key, back)
    return back
  }
}
