// One qlog file for each connection, in a directory.

import { mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { QlogWriter, qlogFileName } from '../qlog/qlog-writer.ts'
import { NoRecorder, type Recorder } from '../qlog/recorder.ts'
import { now } from './clock.ts'

type RecorderFactory = (originalDestination: Uint8Array, vantagePoint: 'client' | 'server') => Recorder

/** Records into `directory`, which is made if need be; records nothing without one. */
export function recorderFactory(directory: string | undefined): RecorderFactory {
  if (directory === undefined) return () => NoRecorder
  return (odcid, vantagePoint) => {
    mkdirSync(directory, { recursive: true })
    const file = openSync(join(directory, qlogFileName({ odcid, vantagePoint })), 'a')
    const referenceTime = now()
    // Written at once: a log is wanted most when the process does not live to flush it.
    return new QlogWriter(line => writeSync(file, line), {
      odcid,
      vantagePoint,
      title: `zerotrip ${vantagePoint}`,
      referenceTime,
      wallClock: new Date().toISOString(),
    })
  }
}
