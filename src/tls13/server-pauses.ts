// What a server waits for that no message brings: a certificate, a word about early data, its turn to send.

import type { Message } from './messages/handshake.ts'
import type { CertifiedKey, EarlyDataRefusal } from './ports.ts'
import { expectType } from './wire.ts'

export interface ServerState {
  onMessage(message: Message, unixTime: number): ServerState
}

abstract class Pause implements ServerState {
  /** None may come meanwhile. */
  onMessage(message: Message): never {
    return expectType(message) as never
  }
}

/** Waits for the server's certificate. */
export class AwaitCertificate extends Pause {
  readonly goOn: (certified: CertifiedKey | undefined, unixTime: number) => ServerState

  constructor(goOn: AwaitCertificate['goOn']) {
    super()
    this.goOn = goOn
  }
}

/** Waits until somebody else knows whether early data is fresh. */
export class AwaitAdmission extends Pause {
  readonly goOn: (answer: true | EarlyDataRefusal) => ServerState

  constructor(goOn: AwaitAdmission['goOn']) {
    super()
    this.goOn = goOn
  }
}

/** Early data is let in, and nothing was sent: its keys need no key exchange, and requests come before that is computed. */
export class OweFlight extends Pause {
  #fly: (() => ServerState) | undefined

  constructor(fly: () => ServerState) {
    super()
    this.#fly = fly
  }

  get isDue(): boolean {
    return this.#fly !== undefined
  }

  /** Once: a share that was not a valid one does not become one. */
  goOn(): ServerState {
    const fly = this.#fly
    if (fly === undefined) throw new TypeError('no flight is due')
    this.#fly = undefined
    return fly()
  }
}
