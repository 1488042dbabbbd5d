// Streams of node:stream over a message stream, with back-pressure both ways.

import { Duplex, Readable } from 'node:stream'

/** What they need of it. */
export interface Messages {
  readonly writable: boolean
  readonly writableEnded: boolean
  readonly hasSeenEnd: boolean
  on(event: string, listener: (...args: never[]) => void): unknown
  resume(): unknown
  pause(): unknown
  write(chunk: Uint8Array): boolean
  end(): unknown
  stopReading(): void
  close(): unknown
}

/** One `Duplex`: ends with the other's message, and ends ours when it is ended. */
export function duplexOf(message: Messages): Duplex {
  let drained: (() => void) | undefined
  const duplex = new Duplex({
    read: () => void message.resume(),
    write(chunk: Buffer, _encoding, callback) {
      if (message.write(chunk)) callback()
      else if (message.writable) drained = callback
      else callback(aborted())
    },
    final(callback) {
      message.end()
      callback()
    },
    destroy(error, callback) {
      message.close()
      callback(error)
    },
  })
  feed(duplex, message)
  message.on('drain', () => {
    const callback = drained
    drained = undefined
    callback?.()
  })
  message.on('close', () => {
    if (!message.writableEnded) duplex.destroy(aborted())
  })
  return duplex
}

/** What comes in alone: to give it up says nothing of our own message. */
export function readableOf(message: Messages): Readable {
  const readable = new Readable({
    read: () => void message.resume(),
    destroy(error, callback) {
      message.stopReading()
      callback(error)
    },
  })
  feed(readable, message)
  return readable
}

function feed(readable: Readable, message: Messages): void {
  message.on('data', (chunk: Buffer) => {
    if (!readable.push(chunk)) message.pause()
  })
  message.on('end', () => readable.push(null))
  message.on('error', (error: Error) => readable.destroy(error))
  message.on('close', () => {
    if (!message.hasSeenEnd) readable.destroy(aborted())
  })
}

function aborted(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
}
