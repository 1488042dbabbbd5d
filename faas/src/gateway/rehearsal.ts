// A worker that has just started and that nobody calls at once is called by its gateway a few times: what a contact compiles
// and makes for the first time is there when the first client comes. One that is waited for has no time for that, and loses
// none. It does not call itself, because code that has been client and server is slower at either.

import { setTimeout as sleep } from 'node:timers/promises'

/** ms without a request before it begins. */
const PATIENCE = 20

/** Contacts: each of the first ones is faster than the one before. */
const CONTACTS = 10

/** Whom a rehearsal is for. */
export interface Rehearsing {
  /** Somebody has called it, or it is gone. */
  isTaken(): boolean
  /** A session of its own, with one request that is not the function's. */
  contact(): Promise<void>
}

/** Resolves when it is done, whatever came of it, or somebody calls. */
export async function rehearse(worker: Rehearsing): Promise<void> {
  await sleep(PATIENCE, undefined, { ref: false })
  try {
    for (let i = 0; i < CONTACTS && !worker.isTaken(); i++) await worker.contact()
  } catch {
    // Who calls it will find out, and say so.
  }
}
