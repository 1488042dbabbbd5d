// What the streams have to say to the application, oldest first.

import type { StreamDirection } from '../packet/frames/frame.ts'

export type StreamFact =
  /** The peer opened a stream. */
  | { readonly type: 'streamOpened'; readonly id: number }
  /** There is something to read, data or the end. Said again only after a `receive`. */
  | { readonly type: 'readable'; readonly id: number }
  /** The send buffer was full and has fallen below half of its high-water mark. */
  | { readonly type: 'writable'; readonly id: number }
  /** RESET_STREAM: what was not read is gone. */
  | { readonly type: 'streamReset'; readonly id: number; readonly errorCode: number }
  /** Of a stream that is counted: bytes received so far, whether they can be read or not; the last time for `isFinal`. */
  | { readonly type: 'streamCounted'; readonly id: number; readonly length: number; readonly isFinal: boolean }
  /** STOP_SENDING: what was not acknowledged is dropped, and what is written from now on is too. */
  | { readonly type: 'streamStopped'; readonly id: number; readonly errorCode: number }
  /** All that was written, FIN included, was acknowledged. */
  | { readonly type: 'streamFinished'; readonly id: number }
  /** `open` had failed, and would succeed now. */
  | { readonly type: 'streamsAvailable'; readonly direction: StreamDirection }

export interface StreamFacts {
  push(fact: StreamFact): void
}
