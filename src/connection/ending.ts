// Whatever ends a connection is told in one place: to the log, to whoever waits for a datagram, to the application.

import type { ConnectionClosed } from './events.ts'
import type { Parts } from './parts.ts'

export function tellClosed(parts: Parts, fact: ConnectionClosed, now: number): void {
  if (parts.recorder.enabled) parts.recorder.connectionClosed(fact, now)
  parts.datagrams.abandon()
  parts.memory.close()
  parts.events.push(fact)
}
