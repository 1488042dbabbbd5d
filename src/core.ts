// Entry point `zerotrip/core`: the sans-IO connection, for other event loops than node's.

export { MemoryBudget } from './bytes/memory-budget.ts'
export type { HandshakeAnswer } from './connection/answers.ts'
export type { Accepted, ClientConfig, Dependencies, ServerConfig, TransportOptions } from './connection/config.ts'
export { Connection, type Transmit } from './connection/connection.ts'
export type { ConnectionEvent, DatagramFate, PeerInfo, TicketFacts } from './connection/events.ts'
export type { ConnectionIdSource } from './connection/local-ids.ts'
export type { Address } from './connection/path.ts'
export type { ConnectionStatistics } from './connection/statistics.ts'
export { limits } from './limits.ts'
export { peekDestination, readHeader } from './packet/header.ts'
export { NoRecorder, type Recorder } from './qlog/recorder.ts'
