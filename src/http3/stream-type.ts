// Types of unidirectional streams (RFC 9114 §6.2, RFC 9204 §4.2), and what a stream id says by itself.

export const StreamType = {
  Control: 0x00,
  Push: 0x01,
  QpackEncoder: 0x02,
  QpackDecoder: 0x03,
  /** WebTransport over HTTP/3, section 4.1. */
  WebTransport: 0x54,
} as const
export type StreamType = (typeof StreamType)[keyof typeof StreamType]

/** RFC 9000 §2.1. */
export function isClientInitiated(id: number): boolean {
  return id % 2 === 0
}

export function isUnidirectional(id: number): boolean {
  return id % 4 >= 2
}

/** RFC 9114 §6.1: requests are on the client's bidirectional streams. */
export function isRequestStream(id: number): boolean {
  return id % 4 === 0
}
