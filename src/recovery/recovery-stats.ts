// What recovery counts, for logs and for people.

export class RecoveryStats {
  packetsSent = 0
  packetsAcked = 0
  /** Packets in flight that were declared lost. */
  packetsLost = 0
  bytesLost = 0
  /** Of those lost, how many were acknowledged later. */
  spuriousLosses = 0
  /** Probes for a larger datagram size that were lost. They are not among the packets lost. */
  mtuProbesLost = 0
  /** How often the probe timer fired. */
  probeTimeouts = 0
  /** How many recovery periods began. */
  congestionEvents = 0
  persistentCongestions = 0
  /** How many of the recovery periods were taken back, because everything had arrived. */
  undoneCongestionEvents = 0
}
