// Other implementations of QUIC, both ends, by the programs of bench/rivals: an answer over HTTP/3, or a body the other
// way. What a connection takes before its first byte is measured with an answer of one byte, and left out.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCredentials } from '../../interop/lib/credentials.mjs'
import { Contender } from '../rivals/contender.mjs'
import { commandOf, installRivals } from '../rivals/index.mjs'

/** By the name of the party: whose program, and what it is asked for. */
const parties = {
  'quic-go': ['quic-go', '1rtt'],
  'quic-go-up': ['quic-go', 'put'],
  ngtcp2: ['ngtcp2', '1rtt'],
  aioquic: ['aioquic', '1rtt'],
}

/** `smaller`: mebibytes of each transfer of those that would take too long. */
export async function contenders(mebibytes, smaller) {
  const { versions, missing } = installRivals()
  const started = []
  for (const [name, [rival, variant]] of Object.entries(parties)) {
    if (versions[rival] === undefined) continue
    try {
      started.push(
        await Party.start({ name, rival, variant, version: versions[rival], mebibytes: smaller[name] ?? mebibytes }),
      )
    } catch (error) {
      missing[name] = error.message
    }
  }
  return { parties: started, missing }
}

class Party {
  name
  #variant
  #bytes
  #certificates = mkdtempSync(join(tmpdir(), 'zerotrip-bulk-'))
  #server
  #client
  #overhead

  static async start({ name, rival, variant, version, mebibytes }) {
    const party = new Party()
    party.name = name
    party.#variant = variant
    party.#bytes = mebibytes * 2 ** 20
    makeCredentials(party.#certificates)
    // Not where a socket is given a port by itself.
    const address = `127.0.0.1:${20_000 + (process.pid % 9000) + Object.keys(parties).indexOf(name)}`
    const start = role => Contender.start(commandOf(rival, version, role, address, party.#certificates))
    try {
      party.#server = await start('server')
      party.#client = await start('client')
      return party
    } catch (error) {
      await party.stop()
      throw error
    }
  }

  async transfer() {
    this.#overhead ??= await this.#ms(1)
    const ms = (await this.#ms(this.#bytes)) - this.#overhead
    return { mbps: (this.#bytes * 8) / ms / 1000 }
  }

  async #ms(bytes) {
    return (await this.#client.contact(this.#variant, `/bytes/${bytes}`)).ms
  }

  async stop() {
    await this.#client?.stop()
    await this.#server?.stop()
    rmSync(this.#certificates, { recursive: true, force: true })
  }
}
