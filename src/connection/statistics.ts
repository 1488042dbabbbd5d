// A connection in numbers, all at one moment. Made when asked for: the packet path only counts.

import type { StreamStats } from '../streams/stream-set.ts'
import type { DatagramStats } from './datagrams.ts'
import type { Parts } from './parts.ts'
import type { DropCounts } from './stats.ts'

/** Times are in ms, sizes in bytes. "Datagrams" are those of UDP; DATAGRAM frames have a place of their own. */
export interface ConnectionStatistics {
  /** Round-trip time, ms (RFC 9002 §5). `latest` and `min` are 0 before the first sample. */
  readonly rtt: { readonly latest: number; readonly smoothed: number; readonly variance: number; readonly min: number }

  /** Bytes that may be in flight (RFC 9002 §7). */
  readonly congestionWindow: number
  /** Bytes; Infinity before the first loss (RFC 9002 §7.3.1). */
  readonly slowStartThreshold: number
  /** Bytes sent, and neither acknowledged nor lost so far. */
  readonly bytesInFlight: number
  /** At what rate packets leave, bytes per second (RFC 9002 §7.7). */
  readonly pacingRate: number
  /** Recovery periods begun (RFC 9002 §7.3.2); those taken back, because everything had arrived after all. */
  readonly congestionEvents: number
  readonly undoneCongestionEvents: number
  /** RFC 9002 §7.6. */
  readonly persistentCongestions: number
  /** The largest UDP payload that is sent on this path, bytes (RFC 9000 §14). */
  readonly pathMtu: number

  /** UDP payloads, headers of UDP and IP not counted. */
  readonly datagramsSent: number
  readonly datagramsReceived: number
  readonly bytesSent: number
  readonly bytesReceived: number
  /** QUIC packets: several may share a datagram. Received are those that were authentic. */
  readonly packetsSent: number
  readonly packetsReceived: number

  readonly packetsAcked: number
  /** Packets in flight that were declared lost, and their bytes (RFC 9002 §6.1). */
  readonly packetsLost: number
  readonly bytesLost: number
  /** Of those lost, how many were acknowledged later. */
  readonly spuriousLosses: number
  /** Packets whose content was sent again, because they were lost or a probe repeated them (RFC 9000 §13.3) ... */
  readonly packetsRetransmitted: number
  /** ... and the bytes of STREAM and CRYPTO data in them. What is acknowledged meanwhile does not leave again. */
  readonly bytesRetransmitted: number

  /** How often the probe timer fired (RFC 9002 §6.2); how often since the last acknowledgment. */
  readonly probeTimeouts: number
  readonly ptoCount: number
  /** Probes for a larger datagram size (RFC 9000 §14.3). They are not among the packets lost. */
  readonly mtuProbesSent: number
  readonly mtuProbesLost: number

  /** Packets received that were of no use, and why. */
  readonly packetsDropped: number
  readonly dropped: Readonly<DropCounts>
  /** Packets that came before their keys, and were kept for them (RFC 9001 §5.7). */
  readonly packetsParked: number

  /** Key updates of 1-RTT packets, by either side (RFC 9001 §6). */
  readonly keyUpdates: number
  /** Bytes held for the peer, and promised beyond the initial windows; 0 once it is closed. */
  readonly memoryUsed: number
  /** Streams, and the data on them without retransmissions. `opened` by us, `accepted` from the peer. */
  readonly streams: StreamStats & { readonly open: number }
  /** RFC 9221. */
  readonly datagramFrames: Readonly<DatagramStats>

  /** From the first packet to the end of the handshake, ms; undefined before. */
  readonly handshakeTime: number | undefined
  /** 0-RTT packets sent (client) or received (server), and their bytes. */
  readonly earlyPackets: number
  readonly earlyBytes: number
  /** The same bytes if the server took them, 0 if not or not yet known (RFC 9001 §4.6). */
  readonly earlyBytesAccepted: number
}

/** One literal: with spreads, an object of this size costs ten times as much. */
export function statisticsOf(parts: Parts): ConnectionStatistics {
  const { stats, streams, keyring, handshake, mtu, datagrams, memory, recovery } = parts
  const { rtt, congestion, stats: recovered } = recovery
  return {
    rtt: { latest: rtt.latest, smoothed: rtt.smoothed, variance: rtt.variance, min: rtt.min },
    congestionWindow: congestion.window,
    slowStartThreshold: congestion.slowStartThreshold,
    bytesInFlight: recovery.bytesInFlight,
    pacingRate: recovery.pacingRate * 1000,
    congestionEvents: recovered.congestionEvents,
    undoneCongestionEvents: recovered.undoneCongestionEvents,
    persistentCongestions: recovered.persistentCongestions,
    pathMtu: mtu.current,
    datagramsSent: stats.datagramsSent,
    datagramsReceived: stats.datagramsReceived,
    bytesSent: stats.bytesSent,
    bytesReceived: stats.bytesReceived,
    packetsSent: stats.packetsSent,
    packetsReceived: stats.packetsReceived,
    packetsAcked: recovered.packetsAcked,
    packetsLost: recovered.packetsLost,
    bytesLost: recovered.bytesLost,
    spuriousLosses: recovered.spuriousLosses,
    packetsRetransmitted: stats.packetsRepeated,
    bytesRetransmitted: stats.bytesRepeated,
    probeTimeouts: recovered.probeTimeouts,
    ptoCount: recovery.ptoCount,
    mtuProbesSent: stats.mtuProbesSent,
    mtuProbesLost: recovered.mtuProbesLost,
    packetsDropped: stats.packetsDropped,
    dropped: { ...stats.dropped },
    packetsParked: stats.packetsParked,
    keyUpdates: keyring.generation,
    memoryUsed: memory.used,
    streams: { ...streams.stats, open: streams.openCount },
    datagramFrames: { ...datagrams.stats },
    handshakeTime: stats.handshakeTime,
    earlyPackets: stats.earlyPackets,
    earlyBytes: stats.earlyBytes,
    earlyBytesAccepted: handshake.earlyData === 'accepted' ? stats.earlyBytes : 0,
  }
}
