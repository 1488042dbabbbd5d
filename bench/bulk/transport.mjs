// What both ends of a party agree on.

/** Bytes of UDP payload: the most that fits a path of 1,500 bytes over IPv6. */
export const DATAGRAM = 1452

/** With a fixed size of datagrams, or the one the path has. */
export function transportOf(party) {
  return party.includes(String(DATAGRAM)) ? { probeDatagramSize: DATAGRAM } : {}
}
