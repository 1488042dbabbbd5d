// States of the sending part of a stream (RFC 9000 §3.1).
//
//         o
//         | Create Stream (Sending)
//         | Peer Creates Bidirectional Stream
//         v
//     +-------+
//     | Ready | Send RESET_STREAM
//     |       |-----------------------.
//     +-------+                       |
//         |                           |
//         | Send STREAM /             |
//         |      STREAM_DATA_BLOCKED  |
//         v                           |
//     +-------+                       |
//     | Send  | Send RESET_STREAM     |
//     |       |---------------------->|
//     +-------+                       |
//         |                           |
//         | Send STREAM + FIN         |
//         v                           v
//     +-------+                   +-------+
//     | Data  | Send RESET_STREAM | Reset |
//     | Sent  |------------------>| Sent  |
//     +-------+                   +-------+
//         |                           |
//         | Recv All ACKs             | Recv ACK
//         v                           v
//     +-------+                   +-------+
//     | Data  |                   | Reset |
//     | Recvd |                   | Recvd |
//     +-------+                   +-------+
//
// "Send RESET_STREAM" happens when it is decided, not when the frame leaves: nothing else is sent in between.

export const SendState = { Ready: 0, Send: 1, DataSent: 2, DataRecvd: 3, ResetSent: 4, ResetRecvd: 5 } as const
export type SendState = (typeof SendState)[keyof typeof SendState]

export const SendEvent = { Stream: 0, Fin: 1, Reset: 2, AllAcked: 3, ResetAcked: 4 } as const
export type SendEvent = (typeof SendEvent)[keyof typeof SendEvent]

/** The next state. An event that has no edge from `state` is late or repeated, and changes nothing. */
export function nextSendState(state: SendState, event: SendEvent): SendState {
  return (table[state] as readonly SendState[])[event] as SendState
}

/** STREAM frames may be sent, for the first time or again. */
export function isSending(state: SendState): boolean {
  return state === SendState.Ready || state === SendState.Send || state === SendState.DataSent
}

/** Terminal: the peer knows how it ended. */
export function isSendDone(state: SendState): boolean {
  return state === SendState.DataRecvd || state === SendState.ResetRecvd
}

const { Ready, Send, DataSent, DataRecvd, ResetSent, ResetRecvd } = SendState

const table: readonly (readonly SendState[])[] = [
  //              Stream      Fin         Reset       AllAcked    ResetAcked
  /* Ready      */ [Send, DataSent, ResetSent, Ready, Ready],
  /* Send       */ [Send, DataSent, ResetSent, Send, Send],
  /* DataSent   */ [DataSent, DataSent, ResetSent, DataRecvd, DataSent],
  /* DataRecvd  */ [DataRecvd, DataRecvd, DataRecvd, DataRecvd, DataRecvd],
  /* ResetSent  */ [ResetSent, ResetSent, ResetSent, ResetSent, ResetRecvd],
  /* ResetRecvd */ [ResetRecvd, ResetRecvd, ResetRecvd, ResetRecvd, ResetRecvd],
]
