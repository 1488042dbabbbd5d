// What belongs to one packet number space: its acknowledgements and its CRYPTO stream (RFC 9000 §12.3).

import type { Level, Space } from '../packet/level.ts'
import type { ReceivedPackets } from '../recovery/received-packets.ts'
import type { CryptoStream } from '../streams/crypto-stream.ts'

export class PacketSpace {
  readonly space: Space
  /** The level whose packets carry ACK and CRYPTO in this space. */
  readonly level: Level
  readonly received: ReceivedPackets
  readonly crypto: CryptoStream

  constructor(space: Space, level: Level, received: ReceivedPackets, crypto: CryptoStream) {
    this.space = space
    this.level = level
    this.received = received
    this.crypto = crypto
  }
}
