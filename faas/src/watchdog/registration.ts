// A worker that somebody else starts fetches its half of the keys from the gateway while its function starts, and says
// there when it listens. What proves who it is, is in a file.

import { readFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { pullBundle } from 'zerotrip/platform'
import type { WorkerBundle } from 'zerotrip/zero-rtt'
import { Forwarder } from '../http/forwarder.ts'
import type { Announcement } from '../inherited.ts'

export interface RegistrationOptions {
  /** Of the gateway: https://HOST:PORT/credentials. */
  readonly url: string
  /** Read anew each time: tokens are renewed there. */
  readonly tokenFile: string
  /** PEM: whom to trust. Default: the system's roots. */
  readonly ca: string | undefined
}

/** ms: a gateway that does not answer is asked again after the first, then after twice as long, up to the last. */
const FIRST_PAUSE = 100
const LAST_PAUSE = 10_000

/** ms for one answer. */
const PATIENCE = 5000

export class Registration {
  readonly #options: RegistrationOptions
  readonly #onError: (error: unknown) => void

  constructor(options: RegistrationOptions, onError: (error: unknown) => void) {
    this.#options = options
    this.#onError = onError
  }

  /** Without keys the worker is a stranger to everybody, which is better than none. */
  async pull(): Promise<WorkerBundle | undefined> {
    const { url, tokenFile, ca } = this.#options
    try {
      return await pullBundle(url, { tokenFile, ...(ca !== undefined && { ca }) })
    } catch (error) {
      this.#onError(error)
      return undefined
    }
  }

  /** Until the gateway has taken note. Resolves then, or when it wants nothing to do with this worker. */
  async announce(announcement: Announcement): Promise<void> {
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LAST_PAUSE)) {
      try {
        const status = await this.#post(JSON.stringify(announcement))
        if (status === 204) return
        this.#onError(new Error(`${this.#options.url}: status ${status}`))
        if (status < 500 && status !== 401) return
      } catch (error) {
        this.#onError(error)
      }
      await sleep(pause, undefined, { ref: false })
    }
  }

  async #post(body: string): Promise<number> {
    const { url, tokenFile, ca } = this.#options
    const { origin, host, pathname } = new URL(url)
    const token = (await readFile(tokenFile, 'utf8')).trim()
    const forwarder = new Forwarder(new URL(origin), new Agent({ keepAlive: false, ...(ca !== undefined && { ca }) }))
    const headers = new Headers({ authorization: `Bearer ${token}`, 'content-type': 'application/json' })
    const call = { method: 'POST', target: pathname, host, headers, body: new TextEncoder().encode(body) }
    return (await forwarder.forward(call, AbortSignal.timeout(PATIENCE))).status ?? 0
  }
}
