// How a peer's own program, one of those beside this file, is told what to do. All of them read the same variables.

export function environment(context) {
  const {
    role,
    testcase,
    test,
    alpn,
    host,
    port,
    requests = [],
    protocols = [],
    www,
    downloads,
    certs,
    keylog,
    qlog,
  } = context
  return {
    ROLE: role,
    TESTCASE: testcase,
    // A client is told to migrate by nothing else.
    TEST: test ?? testcase,
    ALPN: alpn,
    // Where a server listens.
    HOST: host ?? '::',
    PORT: String(port ?? 443),
    // With spaces between: of a client URLs, of a server paths.
    REQUESTS: requests.join(' '),
    WWW: www ?? '',
    DOWNLOADS: downloads ?? '',
    CERTS: certs,
    SSLKEYLOGFILE: keylog ?? '',
    QLOGDIR: qlog ?? '',
    // Of WebTransport.
    PROTOCOLS: protocols.join(' '),
  }
}
