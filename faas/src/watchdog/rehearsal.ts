// A worker that nobody calls at once calls itself: what a contact compiles and makes for the first time is there when the
// first client comes. One that is waited for has no time for that, and loses none.

import { setTimeout as sleep } from 'node:timers/promises'
import { defaultBackend } from 'zerotrip'
import { connect } from 'zerotrip/http3'
import { type ClientBundle, clientBundle, originOf, type WorkerBundle } from 'zerotrip/zero-rtt'

/** ms without a request before it begins. */
const PATIENCE = 20

/** Contacts: the later ones find what the first one made. */
const CONTACTS = 5

/** ms for each. */
const DEADLINE = 1000

/** One half of the keys of a worker, for nobody but itself; undefined: it has none, or is told of each client. */
export function ownHalf(bundle: WorkerBundle | undefined): ClientBundle | undefined {
  if (bundle === undefined || bundle.isRatcheted) return undefined
  return clientBundle(defaultBackend, bundle, { clientId: 'rehearsal', addresses: [] }, Date.now())
}

/** Resolves when it is done, whatever came of it, or `isAwaited` says that there is a client. */
export async function rehearse(
  half: ClientBundle,
  { host, port }: { readonly host: string; readonly port: number },
  isAwaited: () => boolean,
): Promise<void> {
  const origin = originOf(host, port)
  const bundle = { ...half, addresses: [origin] }
  await sleep(PATIENCE, undefined, { ref: false })
  try {
    for (let i = 0; i < CONTACTS && !isAwaited(); i++) await contact(origin, bundle)
  } catch {
    // A client will find out, and say so.
  }
}

async function contact(origin: string, bundle: ClientBundle): Promise<void> {
  const session = connect(`https://${origin}`, { bundle })
  session.closed.catch(() => {})
  try {
    const response = await session.fetch('/_/health', { signal: AbortSignal.timeout(DEADLINE) })
    await response.arrayBuffer()
  } finally {
    await session.close()
  }
}
