// Is this worker to be called: the lock file that health checks of a container look at, and `/_/health`.

import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { type FunctionResponse, plain } from '../http/handler.ts'

export class Readiness {
  readonly #lockFile: string | undefined
  readonly #writesLock: boolean
  #isAccepting = false

  /** Without a lock file a worker is healthy while it accepts: one of several on a machine has none. */
  constructor(lockFile?: string, suppressLock = false) {
    this.#lockFile = lockFile
    this.#writesLock = !suppressLock
  }

  get isAccepting(): boolean {
    return this.#isAccepting
  }

  accept(): void {
    if (this.#lockFile && this.#writesLock) writeFileSync(this.#lockFile, '', { mode: 0o660 })
    this.#isAccepting = true
  }

  /** Before the end: nobody shall send anything new here. */
  refuse(): void {
    this.#isAccepting = false
    if (this.#lockFile) rmSync(this.#lockFile, { force: true })
  }

  /** A worker whose lock file is missing, suppressed or not, does not count as healthy: upstream has it so. */
  health(method: string): FunctionResponse {
    if (method !== 'GET') return { status: 405, headers: [['allow', 'GET']] }
    return this.#isAccepting && (!this.#lockFile || isHealthy(this.#lockFile))
      ? { status: 200, body: 'OK' }
      : plain(503, '')
  }
}

/** What `-run-healthcheck` asks. */
export function isHealthy(lockFile: string): boolean {
  return existsSync(lockFile)
}
