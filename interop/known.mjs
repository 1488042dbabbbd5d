// Cells that fail for a reason that lies with the peer: what the captures show, and where its source says so. They do not
// make a run fail.

/** Of quiche, in both rebinding cases. */
const quicheRebinding = {
  why:
    'after the NAT has changed the address both sides validate the new path, and the server goes on until the connection ' +
    'is out of credit; what was lost on the former path it does not repeat, so that our credit cannot grow. From then on ' +
    'its packets say DATA_BLOCKED, PING or ACK, until the idle timeout',
  source:
    'https://github.com/cloudflare/quiche/issues/2452, open: what was under way on the old path is never lost nor sent again; ' +
    'https://github.com/cloudflare/quiche/pull/2454 mends it',
}

export const known = [
  ...['handshakeloss', 'handshakecorruption'].map(test => ({
    peers: ['curl'],
    role: 'client',
    test,
    why:
      "OpenSSL's probes are PING frames: its ClientHello, which with a share of ML-KEM takes two packets, is sent again " +
      'only when an acknowledgement of a later packet comes, and not by time after that. Its timeout doubles from one ' +
      'second, and after 30 seconds it gives up: five probes, whose answers 30 % loss often eats. The qlog of ours shows ' +
      'an Initial packet with half a ClientHello, and PING frames that are acknowledged; 47 to 49 of 50 handshakes succeed',
    source:
      'https://github.com/openssl/openssl/blob/openssl-3.5/ssl/quic/quic_ackm.c: ackm_get_loss_time_and_space takes the ' +
      'loss time of a space that has none, 0, for the earliest, so that no timer is set for that of Initial packets',
  })),
  {
    peers: ['ngtcp2', 'ngtcp2-1.11'],
    role: 'server',
    test: 'connectionmigration',
    why:
      'the server answers our PATH_CHALLENGE at its preferred address by a PATH_RESPONSE alone, and asks back with a ' +
      'PATH_CHALLENGE only when a packet comes there that is more than a probe, as RFC 9000 §9.3 allows; the runner wants ' +
      'it in the first one. The file arrives',
    source:
      "https://github.com/quic-interop/quic-interop-runner/issues/424 and 500, open: ngtcp2's author on why the runner's " +
      'condition is not in the RFC; the code is in ngtcp2, lib/ngtcp2_conn.c: conn_recv_path_challenge',
  },
  {
    peers: ['ngtcp2'],
    role: 'server',
    test: 'rebind-port',
    why:
      'version 0.12.1 acknowledges, at the new port, what came before the NAT changed it, and asks there with a ' +
      'PATH_CHALLENGE some packets later; the runner wants it in the first one. 1.11 asks first, and passes',
    source: 'https://github.com/ngtcp2/ngtcp2/blob/v0.12.1/lib/ngtcp2_conn.c: conn_recv_non_probing_pkt_on_new_path',
  },
  {
    peers: ['quinn'],
    role: 'server',
    test: 'handshakecorruption',
    why:
      'not in every run: a byte changed on the way makes a long header one of a Retry, which nothing protects, and the ' +
      'server closes the connection by PROTOCOL_VIOLATION, "client sent Retry", as our qlog shows. RFC 9000 §5.2 lets ' +
      'such a packet be dropped',
    source:
      'https://github.com/quinn-rs/quinn/blob/quinn-proto-0.11.19/quinn-proto/src/connection/mod.rs: Header::Retry in handle_packet',
  },
  {
    peers: ['quiche'],
    role: 'client',
    test: 'handshakeloss',
    why:
      'not in every run: when HANDSHAKE_DONE is lost and what comes after it arrives, the client sends packets of the ' +
      'Handshake space that hold nothing but an ACK, without end: 325,000 in our capture. They fill the queue of the link',
    source:
      'https://github.com/cloudflare/quiche/blob/0.30.0/quiche/src/lib.rs: write_pkt_type goes on with the Handshake space ' +
      'as long as frames lost or probes due are left there, and an ACK alone takes none of them away',
  },
  { peers: ['quiche'], role: 'server', test: 'rebind-port', ...quicheRebinding },
  { peers: ['quiche'], role: 'server', test: 'rebind-addr', ...quicheRebinding },
]

/** What is known of this cell, if anything. */
export function knownFailure({ peer, role, test }) {
  return known.find(each => each.peers.includes(peer) && each.role === role && each.test === test)
}
