// What a handshake asks of the world outside: a certificate that is still to be had, a signature made elsewhere.

import type { HandshakeAnswer } from '../connection/answers.ts'
import type { ConnectionEvent } from '../connection/events.ts'
import { promisedCertificate, remoteSignature } from './certificates.ts'

type Asking = Extract<ConnectionEvent, { type: 'certificateWanted' | 'signatureWanted' }>

/** Calls `provide` with the answer. What fails is shown as a warning, and answered with nothing: the handshake ends. */
export async function answer(event: Asking, provide: (answer: HandshakeAnswer) => void): Promise<void> {
  if (event.type === 'certificateWanted') {
    provide({ certificate: await orNothing(promisedCertificate(event.hello)) })
  } else {
    provide({ signature: await orNothing(remoteSignature(event.key, event.scheme, event.content)) })
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
