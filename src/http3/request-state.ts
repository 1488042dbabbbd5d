// In which order the parts of a message come (RFC 9114 §4.1).
//
//   ExpectHead --interim HEADERS--> ExpectHead
//   ExpectHead --final HEADERS----> ExpectContent --DATA--> ExpectContent --HEADERS--> ExpectEnd
//   ExpectContent or ExpectEnd --FIN--> Ended

import { Http3Error, Http3ErrorCode } from './error-codes.ts'

export const MessageState = { ExpectHead: 0, ExpectContent: 1, ExpectEnd: 2, Ended: 3 } as const
export type MessageState = (typeof MessageState)[keyof typeof MessageState]

export const MessagePart = { Interim: 0, Headers: 1, Data: 2, End: 3 } as const
export type MessagePart = (typeof MessagePart)[keyof typeof MessagePart]

/**
 * The state after `part`, or undefined where the part cannot come: for DATA and HEADERS that is H3_FRAME_UNEXPECTED,
 * an early end is a matter of the message alone.
 */
export function nextMessageState(state: MessageState, part: MessagePart): MessageState | undefined {
  return transitions[state]?.[part]
}

export function unexpectedFrame(name: string): Http3Error {
  return new Http3Error(Http3ErrorCode.FrameUnexpected, `${name} where it cannot be`)
}

// Rows: states. Columns: Interim, Headers, Data, End.
const transitions: readonly (readonly (MessageState | undefined)[])[] = [
  [MessageState.ExpectHead, MessageState.ExpectContent, undefined, undefined],
  [undefined, MessageState.ExpectEnd, MessageState.ExpectContent, MessageState.Ended],
  [undefined, undefined, undefined, MessageState.Ended],
  [undefined, undefined, undefined, undefined],
]
