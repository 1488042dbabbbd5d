// A connection's beginning, end and numbers as qlog shows them (draft-ietf-quic-qlog-quic-events).

import { ErrorCode } from '../packet/transport-error.ts'
import type { QlogObject } from './qlog-frames.ts'
import { transportError } from './qlog-names.ts'
import type { RecordedClose, RecordedMetrics } from './recorder.ts'

export function renderClosed(close: RecordedClose): QlogObject {
  const { by, reason } = close
  if (by === 'idle') return { trigger: 'idle_timeout', reason }
  const initiator = by === 'local' ? 'local' : 'remote'
  if (by === 'reset') return { initiator, trigger: 'stateless_reset', reason }
  if (close.isApplication) {
    const error = { application_error: 'unknown', error_code: close.errorCode }
    return { initiator, ...error, reason, trigger: 'application' }
  }
  const { error, error_code } = transportError(close.errorCode)
  return { initiator, connection_error: error, error_code, reason, trigger: closeTrigger(close.errorCode) }
}

function closeTrigger(code: number): string {
  if (code === ErrorCode.NoError) return 'unspecified'
  return code === ErrorCode.VersionNegotiationError ? 'version_mismatch' : 'error'
}

/** Unlimited (an initial ssthresh) is not a number in JSON: left out. */
export function renderMetrics(metrics: RecordedMetrics): QlogObject {
  const named: QlogObject = {
    min_rtt: metrics.minRtt,
    smoothed_rtt: metrics.smoothedRtt,
    latest_rtt: metrics.latestRtt,
    rtt_variance: metrics.rttVariance,
    pto_count: metrics.ptoCount,
    congestion_window: metrics.congestionWindow,
    bytes_in_flight: metrics.bytesInFlight,
    ssthresh: metrics.ssthresh,
    packets_in_flight: metrics.packetsInFlight,
    pacing_rate: metrics.pacingRate,
  }
  return Object.fromEntries(Object.entries(named).filter(([, value]) => Number.isFinite(value)))
}
