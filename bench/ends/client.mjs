// The end that asks: all contacts of ours and of node's, the clients of others, and a bare datagram there and back.

import { createSocket } from 'node:dgram'
import { Variants } from '../first-request/variants.mjs'
import { serveParent } from '../lib/children.mjs'
import { inTurns } from '../lib/turns.mjs'
import { Contender } from '../rivals/contender.mjs'
import { commandOf } from '../rivals/index.mjs'

/** Name of the contact that is a datagram of this length and its return. */
const ECHO = 'datagram'
const ECHO_BYTES = 1200

/** Everything that can be asked for by a name: `datagram`, those of `Variants`, and `quic-go 0rtt` and the like. */
class Contacts {
  #variants
  #rivals = {}
  #socket = createSocket('udp4')
  #prepared
  missing = {}

  async start({ host, server, rivals, certificates }) {
    this.#variants = new Variants(server.worker, { host })
    await new Promise(resolve => this.#socket.connect(server.echo.port, server.echo.host, resolve))
    for (const [name, { version, address }] of Object.entries(rivals)) {
      try {
        this.#rivals[name] = await Contender.start(commandOf(name, version, 'client', address, certificates))
        // The first brings a ticket.
        await this.#rivals[name].contact('0rtt', '/')
      } catch (error) {
        await this.#drop(name, error)
      }
    }
  }

  prepare() {
    this.#prepared ??= this.#variants.prepare()
    return this.#prepared
  }

  async contact(name, path) {
    if (name === ECHO) return this.#echo()
    const [rival, variant] = name.split(' ')
    if (variant === undefined) return this.#variants.contact(name, path)
    if (this.#rivals[rival] === undefined) return undefined
    try {
      const { ms, isEarly } = await this.#rivals[rival].contact(variant, path)
      return { ms, isEarly, roundTrips: isEarly ? 0 : 1 }
    } catch (error) {
      await this.#drop(rival, error)
      return undefined
    }
  }

  async #echo() {
    const begun = performance.now()
    const back = new Promise(resolve => this.#socket.once('message', resolve))
    this.#socket.send(Buffer.alloc(ECHO_BYTES))
    await back
    return { ms: performance.now() - begun, roundTrips: 1, isEarly: false }
  }

  /** One that failed is asked no more, and the reason is part of the result. */
  async #drop(name, error) {
    this.missing[name] = error.message
    await this.#rivals[name]?.stop()
    delete this.#rivals[name]
  }
}

const contacts = new Contacts()

serveParent({
  async start(there) {
    await contacts.start(there)
    return { missing: contacts.missing }
  },
  async contacts({ names, count, path }) {
    await contacts.prepare()
    const turns = { samples: count, warmUp: 0 }
    const made = await inTurns(names, turns, name => contacts.contact(name, path))
    for (const name of names) made[name] = made[name].filter(contact => contact !== undefined)
    return { contacts: made, missing: contacts.missing }
  },
})
