// What a connection tells its log, beside the packets themselves (draft-ietf-quic-qlog-quic-events). Each function
// asks first whether anybody listens, so that the loops stay short.

import { Level, type Space } from '../packet/level.ts'
import type { TransportParameters } from '../packet/transport-parameters.ts'
import type { KeyTrigger, RecordedState, RecordedTls, Side, UnprotectedType } from '../qlog/recorder.ts'
import type { SentPacket } from '../recovery/sent-packets.ts'
import { readRemembered } from '../zero-rtt/remembered-parameters.ts'
import type { Parts } from './parts.ts'

/** `alpn` is what we offer or serve. */
export function recordStart(parts: Parts, alpn: readonly string[], now: number): void {
  const { recorder, transport, versions, handshake, isClient } = parts
  if (!recorder.enabled) return
  const local = { host: '', port: 0, connectionIds: [parts.localId] }
  const current = parts.peerIds.current
  const remote = current.length === 0 ? parts.path.remote : { ...parts.path.remote, connectionIds: [current] }
  recorder.connectionStarted(local, remote, now)
  recorder.connectionStateUpdated('attempted', now)
  recorder.versionInformation({ [isClient ? 'client' : 'server']: versions.own, chosen: versions.current }, now)
  recorder.alpnInformation({ [isClient ? 'client' : 'server']: alpn }, now)
  recorder.parametersSet('local', transport.parameters, {}, now)
  if (handshake.remembered !== undefined) recorder.parametersRestored(readRemembered(handshake.remembered), now)
  recordRecovery(parts, now)
  recorder.keyUpdated(Level.Initial, 'both', 'tls', undefined, now)
}

function recordRecovery({ recorder, recovery, transport }: Parts, now: number): void {
  const { maxDatagramSize } = transport
  recorder.recoveryParametersSet(
    {
      timerGranularity: 1,
      reorderingThreshold: 3,
      timeThreshold: 9 / 8,
      initialRtt: recovery.rtt.smoothed,
      maxDatagramSize,
      initialCongestionWindow: recovery.congestion.window,
      minimumCongestionWindow: 2 * maxDatagramSize,
      persistentCongestionThreshold: 3,
    },
    now,
  )
}

/** What a Version Negotiation packet offered, and what we make of it. */
export function recordOffer(parts: Parts, server: readonly number[], chosen: number | undefined, now: number): void {
  if (!parts.recorder.enabled) return
  const client = parts.versions.own
  parts.recorder.versionInformation(chosen === undefined ? { client, server } : { client, server, chosen }, now)
}

/** The version that was negotiated. */
export function recordVersion(parts: Parts, now: number): void {
  if (parts.recorder.enabled) parts.recorder.versionInformation({ chosen: parts.versions.current }, now)
}

export function recordParameters(parts: Parts, side: Side, parameters: TransportParameters, now: number): void {
  if (parts.recorder.enabled) parts.recorder.parametersSet(side, parameters, {}, now)
}

export function recordAlpn(parts: Parts, chosen: string, now: number): void {
  if (parts.recorder.enabled) parts.recorder.alpnInformation({ chosen }, now)
}

export function recordState(parts: Parts, state: RecordedState, now: number): void {
  if (parts.recorder.enabled) parts.recorder.connectionStateUpdated(state, now)
}

/** What TLS has settled. */
export function recordTls(parts: Parts, tls: RecordedTls, now: number): void {
  if (parts.recorder.enabled) parts.recorder.tlsSet(tls, now)
}

/** A key update of 1-RTT packets: both directions follow each other. */
export function recordKeys(parts: Parts, trigger: KeyTrigger, now: number): void {
  const { recorder, keyring } = parts
  if (recorder.enabled) recorder.keyUpdated(Level.OneRtt, 'both', trigger, keyring.generation, now)
}

/** A key from TLS, and the state it brings. */
export function recordSecret(parts: Parts, level: Level, isOurs: boolean, now: number): void {
  const { recorder, isClient } = parts
  if (!recorder.enabled) return
  const owner = isOurs === isClient ? 'client' : 'server'
  recorder.keyUpdated(level, owner, 'tls', level === Level.OneRtt ? 0 : undefined, now)
  if (level === Level.Handshake) recorder.connectionStateUpdated('handshake_started', now)
  // A server may write before it has heard the client's Finished.
  if (level === Level.OneRtt && isOurs && !isClient) recorder.connectionStateUpdated('early_write', now)
}

/** A packet that no key protects came in. */
export function recordUnprotected(
  parts: Parts,
  type: UnprotectedType,
  size: number,
  versions: readonly number[],
  now: number,
): void {
  if (parts.recorder.enabled) parts.recorder.unprotectedPacket('remote', type, size, versions, now)
}

interface Outcome {
  readonly acked: readonly SentPacket[]
  readonly lost: readonly SentPacket[]
}

/** What an ACK or the loss timer decided. */
export function recordOutcome(parts: Parts, space: Space, outcome: Outcome, now: number): void {
  const { recorder } = parts
  if (!recorder.enabled) return
  if (outcome.acked.length > 0) {
    recorder.packetsAcked(
      space,
      outcome.acked.map(packet => packet.number),
      now,
    )
  }
  for (const packet of outcome.lost) {
    recorder.packetLost(levelOf(packet), packet.number, packet.lostBy, packet.isMtuProbe, now)
    recorder.markedForRetransmit(packet.frames, now)
  }
}

/** Without a loss: a Retry, another version, refused early data. */
export function recordRepeated(parts: Parts, packets: readonly SentPacket[], now: number): void {
  if (!parts.recorder.enabled) return
  for (const packet of packets) parts.recorder.markedForRetransmit(packet.frames, now)
}

export function recordMetrics(parts: Parts, now: number): void {
  const { recovery } = parts
  const { rtt, congestion } = recovery
  parts.recorder.metricsUpdated(
    {
      minRtt: rtt.min,
      smoothedRtt: rtt.smoothed,
      latestRtt: rtt.latest,
      rttVariance: rtt.variance,
      ptoCount: recovery.ptoCount,
      congestionWindow: congestion.window,
      bytesInFlight: recovery.bytesInFlight,
      ssthresh: congestion.slowStartThreshold,
      // Bits per second.
      pacingRate: Math.round(recovery.pacingRate * 8000),
    },
    now,
  )
}

/** Packets of a space stand for its level; 0-RTT packets are marked. */
function levelOf(packet: SentPacket): Level {
  if (packet.isEarly) return Level.ZeroRtt
  return SPACE_LEVELS[packet.space] as Level
}

const SPACE_LEVELS: readonly Level[] = [Level.Initial, Level.Handshake, Level.OneRtt]
