// Two processes for first contacts: everything that answers in one, everything that asks in the other, over loopback
// or at the two ends of a link.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCredentials } from '../../interop/lib/credentials.mjs'
import { Child } from '../lib/children.mjs'
import { Link } from '../lib/link.mjs'

const LOOPBACK = { client: '127.0.0.1', server: '127.0.0.1' }

export class Ends {
  #client
  #server
  #link
  #certificates
  /** Contenders that could not be started or that failed, and why. */
  missing = {}

  /** `rivals`: versions by name of those installed; `hasLink`: over a link, whose delay is 0 at first. */
  static async start({ rivals = {}, hasLink = false } = {}) {
    const ends = new Ends()
    try {
      await ends.#start(rivals, hasLink)
      return ends
    } catch (error) {
      await ends.stop()
      throw error
    }
  }

  async #start(rivals, hasLink) {
    this.#link = hasLink ? await Link.start() : undefined
    const addresses = this.#link?.addresses ?? LOOPBACK
    const certificates = mkdtempSync(join(tmpdir(), 'zerotrip-ends-'))
    this.#certificates = certificates
    if (Object.keys(rivals).length > 0) makeCredentials(certificates)
    const start = side =>
      new Child(join(import.meta.dirname, `${side}.mjs`), [], {
        ...this.#link?.inside(side),
        serialization: 'advanced',
      })
    this.#server = start('server')
    this.#client = start('client')
    const there = await this.#server.ask({ verb: 'start', host: addresses.server, rivals, certificates })
    const here = { verb: 'start', host: addresses.client, server: there, rivals: there.rivals, certificates }
    const { missing } = await this.#client.ask(here)
    Object.assign(this.missing, there.missing, missing)
  }

  /** Of TCP over the link. */
  get congestionControl() {
    return this.#link?.congestionControl
  }

  /** What all of them have in common until it is changed: see Link. */
  set(conditions) {
    return this.#link?.set(conditions)
  }

  /**
   * Contacts in turns, `count` of each of `names`; `path` as first-request/variants.mjs has it. Resolves with a list of
   * contacts for each name that is still there.
   */
  async contacts({ names, count, path = '/' }) {
    const { contacts, missing } = await this.#client.ask({ verb: 'contacts', names, count, path })
    Object.assign(this.missing, missing)
    return contacts
  }

  async stop() {
    await this.#client?.stop()
    await this.#server?.stop()
    await this.#link?.stop()
    if (this.#certificates) rmSync(this.#certificates, { recursive: true, force: true })
  }
}
