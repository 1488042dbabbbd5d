// Cells that fail for a reason that lies with the peer: what the captures show, and where its source says so. They do not
// make a run fail.

export const known = [
  {
    peers: ['ngtcp2', 'ngtcp2-1.11'],
    role: 'server',
    test: 'connectionmigration',
    why:
      'the server answers our PATH_CHALLENGE at its preferred address by a PATH_RESPONSE alone, and asks back with a ' +
      'PATH_CHALLENGE only when a packet comes there that is more than a probe, as RFC 9000 §9.3 allows; the runner wants ' +
      'it in the first one. The file arrives',
    source:
      'https://github.com/ngtcp2/ngtcp2, lib/ngtcp2_conn.c: conn_recv_path_challenge, conn_recv_non_probing_pkt_on_new_path',
  },
]

/** What is known of this cell, if anything. */
export function knownFailure({ peer, role, test }) {
  return known.find(each => each.peers.includes(peer) && each.role === role && each.test === test)
}
