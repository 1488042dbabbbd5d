// Which transport parameters survive into 0-RTT (RFC 9000 §7.4.1).

import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import {
  defaultTransportParameters,
  readTransportParameters,
  type TransportParameters,
  writeTransportParameters,
} from '../packet/transport-parameters.ts'

/** What a client may go by before the handshake: the rest is of one connection only, or back at its default. */
export function rememberedLimits(parameters: TransportParameters): TransportParameters {
  const fresh = defaultTransportParameters
  return {
    ...parameters,
    originalDestinationConnectionId: undefined,
    initialSourceConnectionId: undefined,
    retrySourceConnectionId: undefined,
    statelessResetToken: undefined,
    preferredAddress: undefined,
    versionInformation: undefined,
    ackDelayExponent: fresh.ackDelayExponent,
    maxAckDelay: fresh.maxAckDelay,
    // QUIC Acknowledgment Frequency §3.
    minAckDelay: undefined,
    // RFC 9287 §3.1: good with a token of NEW_TOKEN alone; we wait until the server says it again.
    greaseQuicBit: false,
  }
}

/** Encoded, without what may not be remembered: for bundles and tickets. */
export function writeRemembered(parameters: TransportParameters): Uint8Array {
  return writeTransportParameters(rememberedLimits(parameters))
}

/** Throws a TransportError when the stored bytes, which must not change, are not a server's parameters. */
export function readRemembered(encoded: Uint8Array): TransportParameters {
  let limits = known.get(encoded)
  if (limits === undefined) {
    limits = rememberedLimits(readTransportParameters(encoded, 'server'))
    known.set(encoded, limits)
  }
  return limits
}

/** A bundle's are asked for by every connection under it, a ticket's twice by one. */
const known = new WeakMap<Uint8Array, TransportParameters>()

/**
 * Server: whether all that the client remembers is still granted. If not, early data MUST be refused. Bytes that cannot
 * be read cannot be honoured either.
 */
export function canHonour(remembered: Uint8Array, current: TransportParameters): boolean {
  try {
    return reducedLimit(readRemembered(remembered), current) === undefined
  } catch (error) {
    if (error instanceof TransportError) return false
    throw error
  }
}

/** Client: a server that accepted early data and now offers less than what it was sent under broke the protocol. */
export function assertNotReduced(remembered: TransportParameters, actual: TransportParameters): void {
  const name = reducedLimit(remembered, actual)
  if (name === undefined) return
  throw new TransportError(
    ErrorCode.ProtocolViolation,
    `${name} fell from ${remembered[name]} to ${actual[name]} although early data was accepted`,
  )
}

function reducedLimit(remembered: TransportParameters, current: TransportParameters): Limit | undefined {
  return limits.find(name => Number(current[name]) < Number(remembered[name]))
}

/** RFC 9000 §7.4.1; RFC 9221 §3 and QUIC Stream Resets with Partial Delivery §3 for the last two. */
const limits = [
  'activeConnectionIdLimit',
  'initialMaxData',
  'initialMaxStreamDataBidiLocal',
  'initialMaxStreamDataBidiRemote',
  'initialMaxStreamDataUni',
  'initialMaxStreamsBidi',
  'initialMaxStreamsUni',
  'maxDatagramFrameSize',
  'resetStreamAt',
] as const satisfies readonly (keyof TransportParameters)[]
type Limit = (typeof limits)[number]
