// The end that asks: all contacts of ours and of node's, the clients of others, and bare datagrams.

import { lengthOf } from '../first-request/function.mjs'
import { Variants } from '../first-request/variants.mjs'
import { serveParent } from '../lib/children.mjs'
import { inTurns } from '../lib/turns.mjs'
import { Contender } from '../rivals/contender.mjs'
import { commandOf } from '../rivals/index.mjs'
import { BareClient } from './bare.mjs'

/** Everything that can be asked for by a name: `datagram` (there and back), `datagrams` (as many as the answer has), those
 * of `Variants`, and `quic-go 0rtt` and the like. */
class Contacts {
  #variants
  #rivals = {}
  #bare = new BareClient()
  #prepared
  missing = {}

  async start({ host, server, rivals, certificates }) {
    this.#variants = new Variants(server.worker, { host })
    await this.#bare.connect(server.bare)
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
    if (name === 'datagram') return alone(await this.#bare.roundTrip())
    if (name === 'datagrams') return alone(await this.#bare.bytes(lengthOf(path)))
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

  /** One that failed is asked no more, and the reason is part of the result. */
  async #drop(name, error) {
    this.missing[name] = error.message
    await this.#rivals[name]?.stop()
    delete this.#rivals[name]
  }
}

function alone(ms) {
  return ms === undefined ? undefined : { ms, roundTrips: 1, isEarly: false }
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
