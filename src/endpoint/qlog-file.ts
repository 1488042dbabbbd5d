// One qlog file for each connection, in a directory, and one for what a listening endpoint says outside of any.

import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { QlogWriter, qlogFileName } from '../qlog/qlog-writer.ts'
import { NoRecorder, type Recorder } from '../qlog/recorder.ts'
import { now, unixTime } from './clock.ts'

/** Makes the directory. Throws node's error when that cannot be done: at the call that asked for a log. */
export function prepareQlog(directory: string | undefined): void {
  if (directory !== undefined) mkdirSync(directory, { recursive: true })
}

/** The log of one connection; nothing without a directory, or when the file cannot be written. */
export class QlogFile {
  readonly #directory: string | undefined
  #file: number | undefined

  constructor(directory: string | undefined) {
    this.#directory = directory
  }

  /** What a connection asks for when it is made. */
  readonly open = (odcid: Uint8Array, vantagePoint: 'client' | 'server'): Recorder =>
    this.#open(qlogFileName({ odcid, vantagePoint }), odcid, vantagePoint)

  /** `id` tells one endpoint from another. */
  openEndpoint(id: Uint8Array): Recorder {
    return this.#open(`endpoint_${qlogFileName({ odcid: id, vantagePoint: 'server' })}`, id, 'server')
  }

  #open(name: string, odcid: Uint8Array, vantagePoint: 'client' | 'server'): Recorder {
    if (this.#directory === undefined) return NoRecorder
    try {
      this.#file = openSync(join(this.#directory, name), 'a')
    } catch (error) {
      process.emitWarning(`qlog: ${error}`, { code: 'ERR_ZEROTRIP_QLOG' })
      return NoRecorder
    }
    return new QlogWriter(line => this.#write(line), {
      odcid,
      vantagePoint,
      title: `zerotrip ${vantagePoint}`,
      referenceTime: now(),
      wallClock: new Date(unixTime()).toISOString(),
    })
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  /** Written at once: a log is wanted most when the process does not live to flush it. */
  #write(line: string): void {
    if (this.#file === undefined) return
    try {
      writeSync(this.#file, line)
    } catch {
      // A full disk ends the log, not the connection.
      this.close()
    }
  }
}
