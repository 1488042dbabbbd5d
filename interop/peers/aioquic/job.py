"""What the environment tells a peer to do (see ../environment.mjs), as a configuration of aioquic."""

import os

from aioquic.h0.connection import H0_ALPN, H0Connection
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.logger import QuicFileLogger
from aioquic.quic.packet import QuicProtocolVersion
from aioquic.tls import CipherSuite

TESTCASE = os.environ["TESTCASE"]
CERTS = os.environ["CERTS"]
CASES = {
    *("handshake", "transfer", "chacha20", "retry", "resumption", "zerortt"),
    *("http3", "multiconnect", "keyupdate", "v2", "upload"),
}


def configure(is_client):
    keylog = os.environ.get("SSLKEYLOGFILE")
    qlog = os.environ.get("QLOGDIR")
    configuration = QuicConfiguration(
        is_client=is_client,
        alpn_protocols=H3_ALPN if os.environ["ALPN"] == "h3" else H0_ALPN,
        quic_logger=QuicFileLogger(qlog) if qlog else None,
        secrets_log_file=open(keylog, "a", buffering=1) if keylog else None,
    )
    if TESTCASE == "chacha20":
        configuration.cipher_suites = [CipherSuite.CHACHA20_POLY1305_SHA256]
    if TESTCASE == "v2":
        # Preferred first; a client begins with the other (RFC 9368 2.3).
        configuration.supported_versions = [QuicProtocolVersion.VERSION_2, QuicProtocolVersion.VERSION_1]
        configuration.original_version = QuicProtocolVersion.VERSION_1
    return configuration


def http(quic):
    return (H3Connection if quic.configuration.alpn_protocols == H3_ALPN else H0Connection)(quic)
