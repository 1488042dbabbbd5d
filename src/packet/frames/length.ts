// How much data fits behind a length field (RFC 9000 §16).

/**
 * The most bytes of data that fit, together with their varint length, into `room` bytes; -1 when not even a length of
 * zero does.
 */
export function lengthPrefixedRoom(room: number): number {
  if (room <= 0) return -1
  // One byte of length reaches to 63, two to 16383. Where one more byte of room only pays for a longer length, the data
  // stays as it was, and a byte or two of room are left unused.
  if (room <= 0x40) return room - 1
  if (room <= 0x4001) return room - 2
  return Math.max(0x3fff, room - 4)
}
