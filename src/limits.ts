// Every bound on what a peer, or anybody on the path, can make us keep, count or compute. Rooms read their own here; no
// value can be changed at run time. SECURITY.md has the same as a table; a test keeps it so.

/**
 * Frozen. Each entry says what is counted and in which unit, what happens at the bound, what that is good against, and
 * where an RFC speaks of it.
 */
export const limits = {
  // Addresses and datagrams.

  /** Bytes sent to an address that is not validated, as a multiple of what came from it.
   * At the bound: nothing is sent until more comes. Against amplification. RFC 9000 §8.1. */
  amplificationFactor: 3,
  /** Bytes of UDP payload that every path carries; a client's Initial packets fill as many.
   * At the bound: nothing makes datagrams smaller. Against forged ICMP messages. RFC 9000 §14. */
  leastDatagramSize: 1200,
  /** Packets of one connection kept until their keys are there.
   * At the bound: further ones are dropped. Against memory filled with what nobody can check yet. RFC 9001 §5.7. */
  parkedPackets: 16,
  /** Bytes of those packets.
   * At the bound: further ones are dropped. Against memory filled with what nobody can check yet. RFC 9001 §5.7. */
  parkedBytes: 32_768,
  /** Handshakes under way at an endpoint.
   * At the bound: new clients get a Retry first. Against floods of Initial packets. RFC 9000 §8.1.2. */
  handshakesBeforeRetry: 256,
  /** Hosts whose rate of new clients `limitPerHost` remembers.
   * At the bound: the one known longest begins anew. Against memory filled by made-up addresses. RFC 9000 §8.1. */
  ratedHosts: 4096,
  /** Connections of one endpoint; default of `maxConnections`.
   * At the bound: CONNECTION_REFUSED. Against floods of handshakes. RFC 9000 §5.2.2. */
  connections: 20_000,
  /** Milliseconds a handshake may take; default of `handshakeTimeout`.
   * At the bound: the connection ends. Against handshakes that are begun and left. RFC 9000 §10.1. */
  handshakeTime: 10_000,
  /** Clients that wait for an `admit` that answers later; default of `maxPendingClients`.
   * At the bound: further ones are dropped. Against floods of Initial packets. RFC 9000 §5.2.2. */
  pendingClients: 256,
  /** Datagrams kept for each of them: a first flight with its early data.
   * At the bound: further ones are dropped. Against floods of 0-RTT packets. RFC 9000 §5.2.2. */
  pendingDatagrams: 16,
  /** Bytes kept for all of them together.
   * At the bound: further datagrams are dropped. Against floods of 0-RTT packets. RFC 9000 §5.2.2. */
  pendingBytes: 4_194_304,
  /**
   * Bytes of those that come from one host, or one IPv6 network of 64 bits.
   * At the bound: further datagrams from there are dropped. Against one client that takes the room of all.
   * RFC 9000 §5.2.2.
   */
  pendingBytesPerHost: 262_144,
  /** Stateless resets an endpoint sends in a second.
   * At the bound: none until the next second. Against loops and floods by reflection. RFC 9000 §10.3.3. */
  resetsPerSecond: 100,
  /** Sessions with one address whose reset tokens a stray datagram from there is compared with.
   * At the bound: further ones notice a reset later. Against garbage that costs comparisons. RFC 9000 §10.3.1. */
  neighbours: 1024,
  /** DATAGRAM frames received and not yet read by the application.
   * At the bound: the oldest is dropped. Against applications that read slowly. RFC 9221 §5.2. */
  receivedDatagrams: 256,
  /** DATAGRAM frames waiting until the peer lets them out.
   * At the bound: the oldest of the least urgent is dropped. Against peers that never acknowledge. RFC 9221 §5.2. */
  queuedDatagrams: 64,

  // Connection ids, paths, tokens.

  /** PATH_RESPONSE frames waiting on one path; none is ever sent again.
   * At the bound: the oldest is dropped. Against floods of PATH_CHALLENGE. RFC 9000 §8.2.2. */
  pathResponses: 8,
  /** Addresses that ask, or are asked, without being the peer's.
   * At the bound: the oldest is forgotten. Against floods of PATH_CHALLENGE. RFC 9000 §9.1. */
  probedAddresses: 4,
  /** Ids of ours a peer may use at once.
   * At the bound: a new one comes when one is retired. Against peers that allow millions. RFC 9000 §5.1.1. */
  localConnectionIds: 8,
  /** Ids of the peer kept: the active_connection_id_limit.
   * At the bound: CONNECTION_ID_LIMIT_ERROR. Against floods of NEW_CONNECTION_ID. RFC 9000 §5.1.1. */
  peerConnectionIds: 4,
  /** Retirements of the peer's ids that it has not acknowledged, for each id it may have.
   * At the bound: CONNECTION_ID_LIMIT_ERROR. Against a Retire Prior To that grows for ever. RFC 9000 §5.1.2. */
  retirementsPerId: 10,
  /** Sequence numbers left out between ids of the peer that are retired.
   * At the bound: PROTOCOL_VIOLATION. Against peers that count by twos. RFC 9000 §5.1.1. */
  sequenceGaps: 64,
  /** Bytes of a token, of a Retry or kept from NEW_TOKEN, that a client sends.
   * At the bound: it is not used. Against tokens that leave no room for the ClientHello. RFC 9000 §8.1.2. */
  tokenLength: 900,
  /** Bytes of a token that a server tries to open.
   * At the bound: it counts as unknown. Against decryption by the datagram. RFC 9000 §8.1.4. */
  openedTokenLength: 512,
  /** Milliseconds a Retry token is good for.
   * At the bound: INVALID_TOKEN. Against tokens collected for later. RFC 9000 §8.1.4. */
  retryTokenLifetime: 15_000,
  /** Milliseconds a NEW_TOKEN token is good for.
   * At the bound: it counts as absent. Against tokens collected for later. RFC 9000 §8.1.4. */
  newTokenLifetime: 86_400_000,

  // CRYPTO streams and TLS.

  /** Bytes of CRYPTO data a server takes ahead of what TLS has read, also after the handshake.
   * At the bound: CRYPTO_BUFFER_EXCEEDED. Against memory filled before anybody is authenticated. RFC 9000 §7.5. */
  serverCryptoBuffer: 16_384,
  /** The same for a client, to whom chains of certificates come.
   * At the bound: CRYPTO_BUFFER_EXCEEDED. Against memory filled before anybody is authenticated. RFC 9000 §7.5. */
  clientCryptoBuffer: 65_536,
  /** Bytes of one handshake message a server takes.
   * At the bound: CRYPTO_BUFFER_EXCEEDED. Against memory filled before anybody is authenticated. RFC 9000 §7.5. */
  serverMessage: 16_384,
  /** Bytes of one handshake message a client takes.
   * At the bound: CRYPTO_BUFFER_EXCEEDED. Against memory filled before anybody is authenticated. RFC 9000 §7.5. */
  clientMessage: 65_536,
  /** NewSessionTicket messages a client takes from one connection.
   * At the bound: further ones are dropped unread. Against floods after the handshake. RFC 8446 §4.6.1. */
  tickets: 16,
  /** Milliseconds a ticket is kept, whatever the server says: seven days.
   * At the bound: it is forgotten. Against old keys. RFC 8446 §4.6.1. */
  ticketLifetime: 604_800_000,
  /** PSK identities of a ClientHello that a server looks up.
   * At the bound: further ones are skipped. Against decryption by the identity. RFC 8446 §4.2.11. */
  pskIdentities: 8,
  /** Bytes of a cookie that a client repeats.
   * At the bound: illegal_parameter. Against ClientHellos no server reads. RFC 8446 §4.2.2. */
  cookieLength: 4096,

  // Certificates.

  /** Certificates in a chain.
   * At the bound: illegal_parameter. Against chains made to be slow. RFC 8446 §4.4.2. */
  chainLength: 16,
  /** Bytes of a certificate message that came compressed.
   * At the bound: bad_certificate. Against bombs. RFC 8879 §5. */
  decompressedCertificate: 65_532,
  /** Certificates in a path, leaf and root included.
   * At the bound: the path is given up. Against chains made to be slow. RFC 5280 §6.1. */
  pathLength: 12,
  /** Signatures checked for one chain.
   * At the bound: bad_certificate. Against mazes of cross-signed names. RFC 5280 §6.1. */
  signatureChecks: 32,
  /** Names compared with subtrees for one chain.
   * At the bound: bad_certificate. Against names times constraints. RFC 5280 §4.2.1.10. */
  nameComparisons: 100_000,
  /** Bytes of one certificate.
   * At the bound: bad_certificate. Against parsing without end. RFC 5280 §4.1. */
  certificateLength: 65_536,
  /** Levels of DER inside each other.
   * At the bound: bad_certificate. Against recursion without end. RFC 5280 §4.1. */
  derDepth: 16,
  /** Bytes of an object identifier.
   * At the bound: bad_certificate. Against arithmetic on long numbers. RFC 5280 §4.1. */
  objectIdentifierLength: 64,
  /** Extensions in one certificate.
   * At the bound: bad_certificate. Against parsing without end. RFC 5280 §4.2. */
  certificateExtensions: 64,
  /** Names in one certificate, and subtrees in one constraint.
   * At the bound: bad_certificate. Against names times constraints. RFC 5280 §4.2.1.6. */
  certificateNames: 1024,
  /** Bits of an RSA key, at least.
   * At the bound: unsupported_certificate. Against keys that can be broken. RFC 8446 §4.2.3. */
  leastRsaBits: 2048,
  /** Bits of an RSA key, at most.
   * At the bound: unsupported_certificate. Against keys that are slow to verify with. RFC 8446 §4.2.3. */
  mostRsaBits: 8192,
  /** Bits of the public exponent of an RSA key, at most.
   * At the bound: unsupported_certificate. Against keys that are slow to verify with. RFC 8446 §4.2.3. */
  mostRsaExponentBits: 32,

  // Streams.

  /** Bidirectional streams a peer may have open; default of `initialMaxStreamsBidi`. Raised when streams are closed.
   * At the bound: STREAM_LIMIT_ERROR. Against floods of streams. RFC 9000 §4.6. */
  bidirectionalStreams: 128,
  /** Unidirectional streams a peer may have open; default of `initialMaxStreamsUni`. Raised when streams are closed.
   * At the bound: STREAM_LIMIT_ERROR. Against floods of streams. RFC 9000 §4.6. */
  unidirectionalStreams: 16,
  /** Bytes a peer may be ahead of the reader of one stream; default of `maxStreamWindow`. Raised when data is read.
   * At the bound: FLOW_CONTROL_ERROR. Against readers that are slow. RFC 9000 §4.1. */
  streamWindow: 8_388_608,
  /** Bytes a peer may be ahead of the readers of all streams; default of `maxConnectionWindow`. Raised when data is read.
   * At the bound: FLOW_CONTROL_ERROR. Against readers that are slow. RFC 9000 §4.1. */
  connectionWindow: 16_777_216,
  /** Bytes written and not acknowledged, of all streams together, that a large congestion window invites to.
   * At the bound: writers wait. Against peers whose ACKs feign a wide path. RFC 9000 §21.4. */
  sendBuffer: 16_777_216,
  /** Ranges of one stream that wait for what is missing between them.
   * At the bound: INTERNAL_ERROR. Against every other byte in a frame of its own. RFC 9000 §2.2. */
  streamGaps: 1024,
  /** Bytes of memory held for each byte of received data.
   * At the bound: the data is copied. Against a byte that pins the whole datagram it came in. RFC 9000 §2.2. */
  pinnedPerByte: 2,
  /** Bytes of memory for received stream data that is not read, for each byte of `maxConnectionWindow`, objects counted.
   * At the bound: INTERNAL_ERROR. Against pieces so small that they weigh more than they hold. RFC 9000 §21.6. */
  receivedPerByte: 3,
  /** Bytes more than that, whatever the windows.
   * At the bound: INTERNAL_ERROR. Against pieces so small that they weigh more than they hold. RFC 9000 §21.6. */
  receivedOverhead: 1_048_576,
  /** The largest offset, stream id or count: above it a number in JavaScript is not exact.
   * At the bound: FRAME_ENCODING_ERROR. Against arithmetic that rounds. RFC 9000 §16. */
  exactInteger: 9_007_199_254_740_991,

  // Acknowledgment and loss.

  /**
   * Ranges of received packet numbers kept, and sent in one ACK frame.
   * At the bound: the lowest is dropped, and what comes below it counts as a duplicate. Against gaps without end.
   * RFC 9000 §13.2.3.
   */
  ackRanges: 32,
  /** Numbers skipped on purpose and remembered for each packet number space; to acknowledge one is PROTOCOL_VIOLATION.
   * At the bound: the oldest is forgotten. Against optimistic acknowledgment. RFC 9000 §21.4. */
  skippedNumbers: 16,
  /** Packets with nothing but ACK frames remembered until they are acknowledged.
   * At the bound: the oldest is forgotten. Against peers that never acknowledge. RFC 9000 §13.2.1. */
  ackOnlyPackets: 256,
  /** Numbers from the oldest packet in flight to the newest.
   * At the bound: the oldest counts as lost. Against peers that never acknowledge. RFC 9002 §6.2. */
  sentSpan: 65_536,
  /** Packets declared lost that a late ACK may still name.
   * At the bound: the oldest is forgotten. Against peers that never acknowledge. RFC 9002 §6.1. */
  lostPackets: 128,

  // HTTP/3.

  /** Bytes of a field section, decoded, 32 for each field; default of `maxFieldSectionSize`. Counted while decoding.
   * At the bound: 431 or H3_EXCESSIVE_LOAD. Against expansion by QPACK. RFC 9114 §4.2.2. */
  fieldSectionSize: 65_536,
  /** Fields of a section; default of `maxFields`.
   * At the bound: 431 or H3_EXCESSIVE_LOAD. Against expansion by QPACK. RFC 9114 §4.2.2. */
  fields: 256,
  /** Bytes of the dynamic table that a peer fills; default of `qpackTableCapacity`.
   * At the bound: QPACK_ENCODER_STREAM_ERROR. Against memory filled by a peer. RFC 9204 §3.2.3. */
  qpackTableCapacity: 4096,
  /** Streams whose field sections wait for the peer's encoder stream; default of `qpackBlockedStreams`.
   * At the bound: QPACK_DECOMPRESSION_FAILED. Against sections that wait for ever. RFC 9204 §2.1.2. */
  qpackBlockedStreams: 64,
  /** Bytes of those sections together.
   * At the bound: H3_EXCESSIVE_LOAD. Against memory filled by what waits. RFC 9204 §7.3. */
  qpackBlockedBytes: 262_144,
  /** Instructions on the peer's encoder stream above those that its field sections account for.
   * At the bound: H3_EXCESSIVE_LOAD. Against insertions that nobody refers to. RFC 9204 §7.3. */
  qpackInstructions: 4096,
  /** Bytes of the dynamic table that we fill at a peer, whatever it allows.
   * At the bound: what is oldest leaves. Against memory a peer makes us keep. RFC 9204 §3.2.3. */
  qpackEncoderCapacity: 4096,
  /** Streams that may wait at a peer for our encoder stream, whatever it allows.
   * At the bound: sections refer to nothing the peer has not acknowledged. Against lost packets that stop all requests.
   * RFC 9204 §2.1.2. */
  qpackRiskedStreams: 100,
  /** Field sections sent that refer to the dynamic table and were not acknowledged.
   * At the bound: further ones do without it. Against peers that never acknowledge. RFC 9204 §2.1.1. */
  qpackUnacknowledgedSections: 512,
  /** Bytes for our decoder stream that wait for a peer to let them out, beside what a stream may hold.
   * At the bound: H3_EXCESSIVE_LOAD. Against peers that give no credit. RFC 9204 §2.1.3. */
  qpackBacklog: 4096,
  /** Interim responses (1xx) to one request.
   * At the bound: H3_EXCESSIVE_LOAD for the stream. Against floods of 1xx. RFC 9114 §4.1. */
  interimResponses: 16,
  /** Useless things (unknown frames and streams, empty DATA, resets) above the useful ones of a connection.
   * At the bound: H3_EXCESSIVE_LOAD. Against rapid reset and its like. RFC 9114 §10.5. */
  glitches: 1000,
  /** Bytes of a SETTINGS frame.
   * At the bound: H3_EXCESSIVE_LOAD. Against memory filled by one frame. RFC 9114 §7.2.4. */
  settingsLength: 4096,
  /** Bytes of a PRIORITY_UPDATE frame.
   * At the bound: H3_EXCESSIVE_LOAD. Against memory filled by one frame. RFC 9218 §7. */
  priorityUpdateLength: 256,
  /** Priorities kept for requests that did not come yet.
   * At the bound: further ones are ignored. Against floods of PRIORITY_UPDATE. RFC 9218 §7. */
  earlyPriorities: 64,
  /** Datagrams kept for requests that did not come yet, or that nobody has looked at.
   * At the bound: the oldest is dropped. Against floods of datagrams. RFC 9297 §2.1. */
  earlyDatagrams: 32,
  /** Sessions of WebTransport on one connection at once.
   * At the bound: H3_REQUEST_REJECTED. Against floods of sessions. RFC 9220 §3. */
  webTransportSessions: 16,
  /** Streams of WebTransport kept for sessions that did not come yet.
   * At the bound: WT_BUFFERED_STREAM_REJECTED. Against floods of streams. RFC 9220 §3. */
  webTransportEarlyStreams: 16,
  /** Sessions of WebTransport remembered as ended.
   * At the bound: the oldest is forgotten. Against floods of sessions. RFC 9220 §3. */
  webTransportGone: 64,
  /** Bytes a peer may be ahead of the readers of all streams of a session, in the current draft of WebTransport; default of `limits.data`.
   * At the bound: WT_FLOW_CONTROL_ERROR. Against sessions that starve others. RFC 9220 §3. */
  webTransportData: 2_097_152,
  /** Streams of each direction a peer may have open in such a session; default of `limits.bidirectionalStreams` and `limits.unidirectionalStreams`.
   * At the bound: WT_FLOW_CONTROL_ERROR. Against sessions that starve others. RFC 9220 §3. */
  webTransportStreams: 64,
  /** Bytes of a request of HTTP/0.9.
   * At the bound: the stream is reset. Against requests without end. RFC 9114 §10.5. */
  hqRequestLength: 4096,

  /** Bytes of a streamed request body that an agent keeps, so that a request which was not processed can be sent again.
   * At the bound: it is not sent again. Against memory filled for servers that go away. RFC 9114 §4.1.1. */
  repeatableBody: 65_536,

  // Early data.

  /** Bytes of a streamed request body that a client keeps while the server may say that it was too early.
   * At the bound: nothing more is sent until the handshake is confirmed. Against memory filled for a server that hesitates. RFC 8470 §5.2. */
  replayableBody: 65_536,
  /** Milliseconds between the time in a PSK or a ticket and ours for early data to be taken.
   * At the bound: early data is refused. Against replay. RFC 8446 §8.3. */
  earlyDataAge: 10_000,
  /** Counters kept for one provisioned client, down from the highest.
   * At the bound: a lower one counts as used. Against replay. RFC 8446 §8.1. */
  replayWindow: 1024,
  /** Links of a provisioned client's ratchet that may be passed over, and keys of such links kept.
   * At the bound: the PSK counts as unknown. Against steps counted up by strangers. RFC 8446 §8.1. */
  ratchetSkip: 64,
  /** Provisioned clients whose counters are kept.
   * At the bound: further ones get no early data. Against replay after something was forgotten. RFC 8446 §8.1. */
  provisionedClients: 1024,
  /** Single-use keys remembered as used.
   * At the bound: early data is refused until some expire. Against replay after something was forgotten. RFC 8446 §8.2. */
  recordedKeys: 65_536,
  /** Provisioned tokens remembered as good.
   * At the bound: all are opened again. Against memory filled by tokens. RFC 9000 §8.1.3. */
  rememberedTokens: 1024,
  /** Bytes of a ticket that a server issues or opens.
   * At the bound: it is not issued, or counts as unknown. Against decryption by the identity. RFC 8446 §4.6.1. */
  ticketLength: 1024,
  /** Origins whose tickets a client keeps in memory.
   * At the bound: the one used longest ago is forgotten. Against stores that grow. RFC 8446 §4.6.1. */
  ticketOrigins: 256,
  /** Tickets a client keeps for one origin.
   * At the bound: the oldest is forgotten. Against stores that grow. RFC 8446 §4.6.1. */
  ticketsPerOrigin: 4,
} as const

Object.freeze(limits)
