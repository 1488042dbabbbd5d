// A budget for what is legal and of no use: unknown frames and streams, empty DATA, resets. There is no clock at this
// height, so it is paid back by what is of use, and not by time.

import { limits } from '../limits.ts'
import { Http3Error, Http3ErrorCode } from './error-codes.ts'

/** More useless things than useful ones by this many: H3_EXCESSIVE_LOAD. */
export const MAX_GLITCHES: number = limits.glitches

export class GlitchBudget {
  #left: number = MAX_GLITCHES

  spend(): void {
    if (--this.#left < 0) throw new Http3Error(Http3ErrorCode.ExcessiveLoad, 'too much that is of no use')
  }

  /** A DATA frame with content, or a complete message. */
  earn(): void {
    if (this.#left < MAX_GLITCHES) this.#left++
  }
}
