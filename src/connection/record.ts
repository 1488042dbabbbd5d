// What a connection tells its log, beside the packets themselves (draft-ietf-quic-qlog-quic-events). Each function
// asks first whether anybody listens, so that the loops stay short.

import { Level, type Space } from '../packet/level.ts'
import type { TransportParameters } from '../packet/transport-parameters.ts'
import type { KeyTrigger, LossTrigger, RecordedState, Side } from '../qlog/recorder.ts'
import type { SentPacket } from '../recovery/sent-packets.ts'
import type { Parts } from './parts.ts'

export function recordStart(parts: Parts, now: number): void {
  const { recorder, transport, versions } = parts
  if (!recorder.enabled) return
  const local = { host: '', port: 0, connectionIds: [parts.localId] }
  recorder.connectionStarted(local, { ...parts.path.remote, connectionIds: [parts.peerIds.current] }, now)
  recorder.versionInformation({ chosen: versions.current }, now)
  recorder.parametersSet('local', transport.parameters, {}, now)
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

/** New keys from TLS, or by a key update of 1-RTT packets. */
export function recordKeys(parts: Parts, level: Level, trigger: KeyTrigger, now: number): void {
  if (!parts.recorder.enabled) return
  parts.recorder.keyUpdated(level, trigger, level === Level.OneRtt ? parts.keyring.generation : undefined, now)
}

interface Outcome {
  readonly acked: readonly SentPacket[]
  readonly lost: readonly SentPacket[]
}

/** What an ACK or the loss timer decided, and how the path looks now. */
export function recordOutcome(parts: Parts, space: Space, outcome: Outcome, trigger: LossTrigger, now: number): void {
  const { recorder } = parts
  if (!recorder.enabled) return
  if (outcome.acked.length > 0) {
    recorder.packetsAcked(
      space,
      outcome.acked.map(packet => packet.number),
      now,
    )
  }
  for (const packet of outcome.lost) recorder.packetLost(levelOf(packet), packet.number, trigger, now)
  recordMetrics(parts, now)
}

function recordMetrics(parts: Parts, now: number): void {
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
