// Plain counters of one connection.

export class Stats {
  datagramsReceived = 0
  datagramsSent = 0
  bytesReceived = 0
  bytesSent = 0
  packetsReceived = 0
  packetsSent = 0
  /** Undecryptable, duplicate, unexpected or malformed before authentication. */
  packetsDropped = 0
  packetsLost = 0
  packetsParked = 0
  /** 0-RTT packets received (server) or sent (client). */
  earlyPackets = 0
}
