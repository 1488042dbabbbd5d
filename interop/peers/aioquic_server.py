"""A file server on aioquic's public API: HTTP/3 and HTTP/0.9 (hq-interop), tickets, early data, Retry.

Prints one JSON object a line: {"event": "ready", "port": n}, then what happens on each connection.
"""

import argparse
import asyncio
import hashlib
import json
import os
import signal

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.h0.connection import H0_ALPN, H0Connection
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted, ProtocolNegotiated
from aioquic.quic.logger import QuicLogger


def report(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


class FileServer(QuicConnectionProtocol):
    root = "."

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._http = None
        self._is_complete = False
        # What was sent to us, by stream.
        self._uploads = {}

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            protocol = H3Connection if event.alpn_protocol in H3_ALPN else H0Connection
            self._http = protocol(self._quic)
        elif isinstance(event, HandshakeCompleted):
            self._is_complete = True
            report(
                "handshake",
                alpn=event.alpn_protocol,
                resumed=event.session_resumed,
                early=event.early_data_accepted,
            )
        elif isinstance(event, ConnectionTerminated):
            report("closed", code=event.error_code, reason=event.reason_phrase)
        if self._http is not None:
            for http_event in self._http.handle_event(event):
                if isinstance(http_event, HeadersReceived):
                    self._on_headers(http_event)
                if isinstance(http_event, (HeadersReceived, DataReceived)):
                    self._on_body(http_event)

    def _on_headers(self, event):
        headers = dict(event.headers)
        if headers.get(b":method") == b"POST":
            self._uploads[event.stream_id] = bytearray()
        elif b":path" in headers:
            self._send_file(event.stream_id, headers)

    def _on_body(self, event):
        upload = self._uploads.get(event.stream_id)
        if upload is None:
            return
        upload += getattr(event, "data", b"")
        if event.stream_ended:
            del self._uploads[event.stream_id]
            self._send(event.stream_id, b"200", f"{len(upload)} {hashlib.sha256(upload).hexdigest()}\n".encode())

    def _send_file(self, stream_id, headers):
        path = headers[b":path"].decode()
        # Before the handshake is complete there is nothing but 0-RTT data.
        report("request", path=path, early=not self._is_complete)
        try:
            with open(os.path.join(self.root, os.path.basename(path)), "rb") as file:
                body = file.read()
            status = b"200"
        except OSError:
            body, status = b"", b"404"
        self._send(stream_id, status, body)

    def _send(self, stream_id, status, body):
        self._http.send_headers(stream_id, [(b":status", status), (b"content-length", str(len(body)).encode())])
        self._http.send_data(stream_id, body, end_stream=True)
        self.transmit()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cert", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--root", required=True)
    parser.add_argument("--qlog")
    parser.add_argument("--keylog")
    parser.add_argument("--retry", action="store_true")
    options = parser.parse_args()
    FileServer.root = options.root

    configuration = QuicConfiguration(
        is_client=False,
        alpn_protocols=H3_ALPN + H0_ALPN,
        quic_logger=QuicLogger() if options.qlog else None,
        secrets_log_file=open(options.keylog, "a", buffering=1) if options.keylog else None,
    )
    configuration.load_cert_chain(options.cert, options.key)
    tickets = {}
    server = await serve(
        "127.0.0.1",
        options.port,
        configuration=configuration,
        create_protocol=FileServer,
        session_ticket_fetcher=lambda label: tickets.pop(label, None),
        session_ticket_handler=lambda ticket: tickets.__setitem__(ticket.ticket, ticket),
        retry=options.retry,
    )
    report("ready", port=options.port)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    server.close()
    if options.qlog:
        # All connections, those too that have not ended yet.
        with open(os.path.join(options.qlog, "server.qlog"), "w") as file:
            json.dump(configuration.quic_logger.to_dict(), file)


asyncio.run(main())
