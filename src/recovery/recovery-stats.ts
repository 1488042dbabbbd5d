// What recovery counts, for logs and for people.

export class RecoveryStats {
  packetsSent = 0
  packetsAcked = 0
  /** Packets in flight that were declared lost. */
  packetsLost = 0
  bytesLost = 0
  /** How often the probe timer fired. */
  probeTimeouts = 0
  /** How many recovery periods began. */
  congestionEvents = 0
  persistentCongestions = 0
}
