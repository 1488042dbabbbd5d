// Which call is being answered: so that a function in this process that calls another passes its id on.

import { AsyncLocalStorage } from 'node:async_hooks'

const calls = new AsyncLocalStorage<string>()
let isAsked = false

/** Somebody will ask. Until then no call is followed: before Node 24 that costs every promise of the process something. */
export function followCalls(): void {
  isAsked = true
}

/** Runs what answers the call. */
export function inCall<T>(callId: string, run: () => T): T {
  return isAsked ? calls.run(callId, run) : run()
}

/** Undefined: none, or one that came before `followCalls`. */
export function currentCallId(): string | undefined {
  return calls.getStore()
}
