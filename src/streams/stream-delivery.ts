// What became of the frames of one stream (RFC 9000 §13.3).

import { type SentFrame, SentKind } from '../packet/sent-frame.ts'
import type { HighWaterMark } from './high-water-mark.ts'
import type { Stream } from './stream.ts'
import type { StreamFacts } from './stream-fact.ts'

/** It arrived. False: nothing changes by that. */
export function onStreamAcked(stream: Stream, frame: SentFrame, mark: HighWaterMark, facts: StreamFacts): boolean {
  const { send } = stream
  if (send === undefined) return false
  if (frame.kind === SentKind.ResetStream) {
    send.onResetAcked(frame.offset)
    return true
  }
  if (frame.kind !== SentKind.Stream) return false
  if (send.onAcked(frame.offset, frame.length, frame.flag)) {
    facts.push({ type: 'streamFinished', id: frame.id })
  } else if (send.isFull && send.buffered < mark.of(stream.sent) / 2) {
    send.isFull = false
    if (!send.isEnded) facts.push({ type: 'writable', id: frame.id })
  }
  return true
}

/** It did not: due again, if it is still of use. */
export function onStreamLost({ send, receive }: Stream, frame: SentFrame): void {
  switch (frame.kind) {
    case SentKind.Stream:
      send?.onLost(frame.offset, frame.length, frame.flag)
      break
    case SentKind.ResetStream:
      send?.onResetLost(frame.offset)
      break
    case SentKind.StopSending:
      receive?.onStopLost()
      break
    case SentKind.MaxStreamData:
      receive?.window.onLost(frame.offset)
      break
    case SentKind.StreamDataBlocked:
      send?.credit.onBlockedLost(frame.offset)
      break
  }
}
