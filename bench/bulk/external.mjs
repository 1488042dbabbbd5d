// quinn, both ends, by the program of interop/peers: one file over HTTP/0.9. What its processes take to start and to shake
// hands is measured with a file of one byte, and left out.

import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCredentials } from '../../interop/lib/credentials.mjs'
import { quinn } from '../../interop/peers/quinn.mjs'

const cache = join(import.meta.dirname, '..', '..', '.cache')
/** ms until a server that was started answers. */
const PATIENCE = 15_000

/** `isQuick`: cargo takes minutes the first time, for which there is no time. */
export async function externalParties(mebibytes, isQuick) {
  if (isQuick && !existsSync(join(cache, 'cargo', 'release', 'quinn-peer'))) {
    return { parties: [], missing: { quinn: 'not built yet, which takes minutes: npm run bench -- bulk builds it' } }
  }
  try {
    const version = await quinn.install(cache)
    return { parties: [await Peer.start('quinn', quinn, version, mebibytes)], missing: {} }
  } catch (error) {
    return { parties: [], missing: { quinn: String(error?.message ?? error).split('\n')[0] } }
  }
}

class Peer {
  name
  #peer
  #directory = mkdtempSync(join(tmpdir(), 'zerotrip-bulk-'))
  #server
  #port
  #mebibytes
  #overhead

  static async start(name, peer, version, mebibytes) {
    const party = new Peer()
    party.name = name
    party.version = version
    party.#peer = peer
    party.#mebibytes = mebibytes
    await party.#serve()
    return party
  }

  async transfer() {
    this.#overhead ??= await this.#get('small')
    const seconds = (await this.#get('large')) - this.#overhead
    const bytes = this.#mebibytes * 2 ** 20
    return { mbps: (bytes * 8) / seconds / 1e6 }
  }

  async stop() {
    if (this.#server?.exitCode === null) {
      const gone = new Promise(resolve => this.#server.once('exit', resolve))
      this.#server.kill()
      await gone
    }
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #serve() {
    const www = join(this.#directory, 'www')
    const certs = join(this.#directory, 'certs')
    for (const directory of [www, certs]) mkdirSync(directory)
    writeFileSync(join(www, 'small'), 'x')
    const large = openSync(join(www, 'large'), 'w')
    ftruncateSync(large, this.#mebibytes * 2 ** 20)
    closeSync(large)
    makeCredentials(certs)
    this.#port = 30_000 + (process.pid % 2000)
    const command = this.#peer.server('transfer', {
      ...this.#context('server'),
      host: '127.0.0.1',
      port: this.#port,
      www,
    })
    this.#server = spawn(command.file, command.args, { env: { ...process.env, ...command.env }, stdio: 'ignore' })
    for (const end = performance.now() + PATIENCE; ; ) {
      try {
        return await this.#get('small')
      } catch (error) {
        if (performance.now() > end) throw error
        await new Promise(resolve => setTimeout(resolve, 200))
      }
    }
  }

  #context(role) {
    return { role, testcase: 'transfer', alpn: 'hq-interop', certs: join(this.#directory, 'certs') }
  }

  /** Seconds of a client's whole process. */
  async #get(file) {
    const downloads = join(this.#directory, 'downloads')
    mkdirSync(downloads, { recursive: true })
    const command = this.#peer.client('transfer', {
      ...this.#context('client'),
      host: '127.0.0.1',
      port: this.#port,
      downloads,
      requests: [`https://localhost:${this.#port}/${file}`],
    })
    const begun = performance.now()
    const client = spawn(command.file, command.args, { env: { ...process.env, ...command.env }, stdio: 'ignore' })
    const timer = setTimeout(() => client.kill(), 120_000)
    const code = await new Promise((resolve, reject) => client.once('exit', resolve).once('error', reject))
    clearTimeout(timer)
    const seconds = (performance.now() - begun) / 1000
    const got = join(downloads, file)
    const wanted = file === 'small' ? 1 : this.#mebibytes * 2 ** 20
    const size = existsSync(got) ? statSync(got).size : -1
    rmSync(downloads, { recursive: true, force: true })
    if (code !== 0 || size !== wanted) throw new Error(`${this.name}: client ended with ${code}, ${size} bytes`)
    return seconds
  }
}
