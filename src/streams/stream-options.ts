// What the streams of a connection are told beside the limits they announce.

import type { MemoryAccount } from '../bytes/memory-budget.ts'

export interface StreamSetOptions {
  /** High-water mark of each stream's send buffer, in bytes. Default: it follows the congestion window. */
  readonly sendBufferSize?: number | undefined
  /** How far the receive windows of a stream and of the connection may grow, bytes. Default: not at all. */
  readonly maxStreamWindow?: number
  readonly maxConnectionWindow?: number
  /** Where the memory held is counted. Default: nowhere. */
  readonly memory?: MemoryAccount
}
