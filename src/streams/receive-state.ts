// States of the receiving part of a stream (RFC 9000 §3.2).
//
//         o
//         | Recv STREAM / STREAM_DATA_BLOCKED / RESET_STREAM
//         | Create Bidirectional Stream (Sending)
//         | Recv MAX_STREAM_DATA / STOP_SENDING (Bidirectional)
//         | Create Higher-Numbered Stream
//         v
//     +-------+
//     | Recv  | Recv RESET_STREAM
//     |       |-----------------------.
//     +-------+                       |
//         |                           |
//         | Recv STREAM + FIN         |
//         v                           |
//     +-------+                       |
//     | Size  | Recv RESET_STREAM     |
//     | Known |---------------------->|
//     +-------+                       |
//         |                           |
//         | Recv All Data             |
//         v                           v
//     +-------+ Recv RESET_STREAM +-------+
//     | Data  |--- (optional) --->| Reset |
//     | Recvd |  Recv All Data    | Recvd |
//     +-------+<-- (optional) ----+-------+
//         |                           |
//         | App Read All Data         | App Read Reset
//         v                           v
//     +-------+                   +-------+
//     | Data  |                   | Reset |
//     | Read  |                   | Read  |
//     +-------+                   +-------+
//
// Neither optional edge is taken: what arrived whole is delivered, what was reset is not.

export const ReceiveState = { Recv: 0, SizeKnown: 1, DataRecvd: 2, DataRead: 3, ResetRecvd: 4, ResetRead: 5 } as const
export type ReceiveState = (typeof ReceiveState)[keyof typeof ReceiveState]

export const ReceiveEvent = { Fin: 0, AllData: 1, Reset: 2, AppReadAll: 3, AppReadReset: 4 } as const
export type ReceiveEvent = (typeof ReceiveEvent)[keyof typeof ReceiveEvent]

/** The next state. An event that has no edge from `state` is late or repeated, and changes nothing. */
export function nextReceiveState(state: ReceiveState, event: ReceiveEvent): ReceiveState {
  return (table[state] as readonly ReceiveState[])[event] as ReceiveState
}

/** Stream data is still expected. */
export function isReceiving(state: ReceiveState): boolean {
  return state === ReceiveState.Recv || state === ReceiveState.SizeKnown
}

/** Terminal: the application knows how it ended. */
export function isReceiveDone(state: ReceiveState): boolean {
  return state === ReceiveState.DataRead || state === ReceiveState.ResetRead
}

const { Recv, SizeKnown, DataRecvd, DataRead, ResetRecvd, ResetRead } = ReceiveState

const table: readonly (readonly ReceiveState[])[] = [
  //              Fin         AllData     Reset       AppReadAll  AppReadReset
  /* Recv       */ [SizeKnown, Recv, ResetRecvd, Recv, Recv],
  /* SizeKnown  */ [SizeKnown, DataRecvd, ResetRecvd, SizeKnown, SizeKnown],
  /* DataRecvd  */ [DataRecvd, DataRecvd, DataRecvd, DataRead, DataRecvd],
  /* DataRead   */ [DataRead, DataRead, DataRead, DataRead, DataRead],
  /* ResetRecvd */ [ResetRecvd, ResetRecvd, ResetRecvd, ResetRecvd, ResetRead],
  /* ResetRead  */ [ResetRead, ResetRead, ResetRead, ResetRead, ResetRead],
]
