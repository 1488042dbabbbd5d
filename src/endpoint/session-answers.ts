// What a handshake asks of the world outside: a certificate that is still to be had, a signature made elsewhere, whether
// early data was seen before.

import type { HandshakeAnswer } from '../connection/answers.ts'
import type { ConnectionEvent } from '../connection/events.ts'
import type { EarlyDataRefusal } from '../tls13/ports.ts'
import { promisedCertificate, remoteSignature } from './certificates.ts'

type Asking = Extract<ConnectionEvent, { type: 'certificateWanted' | 'signatureWanted' | 'admissionWanted' }>

/** Calls `provide` with the answer. What fails is shown as a warning, and answered with nothing: the handshake ends. */
export async function answer(event: Asking, provide: (answer: HandshakeAnswer) => void): Promise<void> {
  if (event.type === 'certificateWanted') {
    provide({ certificate: await orNothing(promisedCertificate(event.hello)) })
  } else if (event.type === 'admissionWanted') {
    provide({ admission: await orUndecided(event.question) })
  } else {
    provide({ signature: await orNothing(remoteSignature(event.key, event.scheme, event.content)) })
  }
}

/** Who cannot say whether it is fresh has said no. */
async function orUndecided(question: unknown): Promise<true | EarlyDataRefusal> {
  try {
    return (await question) as true | EarlyDataRefusal
  } catch {
    return 'undecided'
  }
}

async function orNothing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : new Error(String(error)), { code: 'ERR_ZEROTRIP_CERTIFICATE' })
    return undefined
  }
}
