// Cells that fail for a reason that lies with the peer: what the captures show, and where its source says so. They do not
// make a run fail.

/** Of quiche, in both rebinding cases. */
const quicheRebinding = {
  why:
    'after the NAT has changed the address both sides validate the new path, and the server goes on until the connection ' +
    'is out of credit; what was lost on the former path it does not repeat, so that our credit cannot grow. From then on ' +
    'its packets say DATA_BLOCKED, PING or ACK, until the idle timeout',
  source: 'https://github.com/cloudflare/quiche/blob/0.30.0/quiche/src/path.rs: each path has its own loss recovery',
}

/** Of nginx, in both rebinding cases. */
const nginxRebinding = {
  why:
    'its bursts overflow the queue of the link, so that the transfer outlasts four changes of the address. It takes an id ' +
    'of the client for every path and gives back that of a former one only later: "no available client ids for new path", ' +
    'after which it drops what comes from there. Quicker runs pass. Or it takes probes of the path MTU that were cut into ' +
    'fragments for a proof, goes on in datagrams of 9,600 bytes, and the NAT of our link does not translate fragments',
  source:
    'https://github.com/nginx/nginx/blob/release-1.26.3/src/event/quic/ngx_event_quic_migration.c: ngx_quic_set_path',
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
      'https://github.com/ngtcp2/ngtcp2, lib/ngtcp2_conn.c: conn_recv_path_challenge, conn_recv_non_probing_pkt_on_new_path',
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
    peers: ['ngtcp2'],
    role: 'server',
    test: 'rebind-addr',
    why:
      'version 0.12.1 begins on the new path with packets as small as three times the 44 bytes that came from there ' +
      '(RFC 9000 §8.1). When the full queue of the link drops them it may send nothing more, and a client that only ' +
      'receives has nothing to say either, until the idle timeout. 1.11 passes',
    source: 'https://github.com/ngtcp2/ngtcp2/blob/v0.12.1/lib/ngtcp2_conn.c: conn_recv_non_probing_pkt_on_new_path',
  },
  { peers: ['quiche'], role: 'server', test: 'rebind-port', ...quicheRebinding },
  { peers: ['quiche'], role: 'server', test: 'rebind-addr', ...quicheRebinding },
  { peers: ['nginx'], role: 'server', test: 'rebind-port', ...nginxRebinding },
  { peers: ['nginx'], role: 'server', test: 'rebind-addr', ...nginxRebinding },
]

/** What is known of this cell, if anything. */
export function knownFailure({ peer, role, test }) {
  return known.find(each => each.peers.includes(peer) && each.role === role && each.test === test)
}
