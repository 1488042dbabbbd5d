// Transport parameters that are stream limits, under the names the streams know.

import type { TransportParameters } from '../packet/transport-parameters.ts'
import type { StreamLimits } from '../streams/stream-set.ts'

export function streamLimits(parameters: TransportParameters): StreamLimits {
  return {
    maxData: parameters.initialMaxData,
    maxStreamDataBidiLocal: parameters.initialMaxStreamDataBidiLocal,
    maxStreamDataBidiRemote: parameters.initialMaxStreamDataBidiRemote,
    maxStreamDataUni: parameters.initialMaxStreamDataUni,
    maxStreamsBidi: parameters.initialMaxStreamsBidi,
    maxStreamsUni: parameters.initialMaxStreamsUni,
  }
}
