// What a function writes to its own stdout and stderr, line by line, with the date and the stream's name in front.

import type { Readable } from 'node:stream'
import type { LogSettings } from '../settings.ts'

/** Passes on what comes, to the end. `name`: of the stream, as it stands in front of each line. */
export function passLines(from: Readable, name: string, to: NodeJS.WritableStream, settings: LogSettings): void {
  if (!settings.prefix || settings.bufferSize < 0) {
    from.pipe(to, { end: false })
    return
  }
  let rest = ''
  const print = (line: string): void => {
    to.write(`${new Date().toISOString()} ${name}: ${line}\n`)
  }
  /** Prints what is longer than a line may be; returns what is left of it. */
  const printLong = (line: string): string => {
    let at = 0
    for (; line.length - at > settings.bufferSize; at += settings.bufferSize) {
      print(line.slice(at, at + settings.bufferSize))
    }
    return line.slice(at)
  }
  from.setEncoding('utf8')
  from.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    const last = lines.pop() as string
    for (const line of lines) print(printLong(line))
    rest = printLong(last)
  })
  from.on('end', () => {
    if (rest !== '') print(rest)
  })
}
