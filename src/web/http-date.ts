// The `date` of answers (RFC 9110 §5.6.7), written once a second.

import { unixTime } from '../endpoint/clock.ts'

let second = 0
let text = ''

export function httpDate(): string {
  const now = Math.floor(unixTime() / 1000)
  if (now !== second) {
    second = now
    text = new Date(now * 1000).toUTCString()
  }
  return text
}
