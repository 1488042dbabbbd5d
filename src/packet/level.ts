// Encryption levels and packet number spaces (RFC 9000 §12.3, RFC 9001 §2.1).

/** The four kinds of keys. One name across all floors: what TLS calls an epoch and RFC 9001 an encryption level. */
export const Level = { Initial: 0, ZeroRtt: 1, Handshake: 2, OneRtt: 3 } as const
export type Level = (typeof Level)[keyof typeof Level]

/** Packet number spaces: 0-RTT and 1-RTT share one. */
export const Space = { Initial: 0, Handshake: 1, Application: 2 } as const
export type Space = (typeof Space)[keyof typeof Space]

export function spaceOf(level: Level): Space {
  if (level === Level.Initial) return Space.Initial
  return level === Level.Handshake ? Space.Handshake : Space.Application
}

export const levelNames: readonly string[] = ['Initial', '0-RTT', 'Handshake', '1-RTT']
