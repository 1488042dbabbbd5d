"""A file client on aioquic's public API: HTTP/3 and HTTP/0.9 (hq-interop), tickets, early data, Retry.

Fetches every URL, all at once, on each of --connections connections, one after the other, with the ticket of the one
before. Prints one JSON object a line: what was negotiated, and the length and SHA-256 of what came.
"""

import argparse
import asyncio
import hashlib
import json
import ssl
from urllib.parse import urlparse

from aioquic.asyncio import QuicConnectionProtocol, connect
from aioquic.h0.connection import H0_ALPN, H0Connection
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted, StreamReset
from aioquic.quic.logger import QuicFileLogger
from aioquic.tls import CipherSuite


def report(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


class FileClient(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        alpn = self._quic.configuration.alpn_protocols
        self._http = H3Connection(self._quic) if alpn == H3_ALPN else H0Connection(self._quic)
        self._downloads = {}

    async def fetch(self, url, body):
        """Sends the request in this tick; the caller transmits."""
        stream_id = self._quic.get_next_available_stream_id()
        done = asyncio.get_running_loop().create_future()
        self._downloads[stream_id] = {"status": None, "hash": hashlib.sha256(), "length": 0, "done": done}
        headers = [
            (b":method", b"GET" if body is None else b"POST"),
            (b":scheme", b"https"),
            (b":authority", url.netloc.encode()),
            (b":path", url.path.encode()),
        ]
        self._http.send_headers(stream_id, headers, end_stream=body is None)
        if body is not None:
            self._http.send_data(stream_id, body, end_stream=True)
        self.transmit()
        await done
        download = self._downloads.pop(stream_id)
        report(
            "response",
            path=url.path,
            status=download["status"],
            length=download["length"],
            sha256=download["hash"].hexdigest(),
        )

    def quic_event_received(self, event):
        if isinstance(event, HandshakeCompleted):
            report(
                "handshake",
                alpn=event.alpn_protocol,
                resumed=event.session_resumed,
                early=event.early_data_accepted,
            )
        elif isinstance(event, ConnectionTerminated):
            report("closed", code=event.error_code, reason=event.reason_phrase)
            for download in self._downloads.values():
                if not download["done"].done():
                    download["done"].set_exception(ConnectionError(event.reason_phrase or hex(event.error_code)))
        elif isinstance(event, StreamReset) and event.stream_id in self._downloads:
            self._downloads[event.stream_id]["done"].set_exception(ConnectionError("stream reset"))
        for http_event in self._http.handle_event(event):
            self._http_event_received(http_event)

    def _http_event_received(self, event):
        download = self._downloads.get(event.stream_id)
        if download is None:
            return
        if isinstance(event, HeadersReceived):
            download["status"] = dict(event.headers).get(b":status", b"").decode() or None
        elif isinstance(event, DataReceived):
            download["hash"].update(event.data)
            download["length"] += len(event.data)
        if event.stream_ended:
            download["done"].set_result(None)


async def run_once(options, configuration, urls, on_ticket):
    wait = not options.early or configuration.session_ticket is None
    async with connect(
        urls[0].hostname,
        urls[0].port,
        configuration=configuration,
        create_protocol=FileClient,
        session_ticket_handler=on_ticket,
        wait_connected=wait,
    ) as client:
        downloads = asyncio.gather(*[client.fetch(url, options.post) for url in urls])
        if options.key_update:
            # The handshake is confirmed when an answer is here (RFC 9001 6.1).
            await client.ping()
            client.request_key_update()
            # Sent and acknowledged under the new keys.
            await client.ping()
            report("keyUpdated", keyUpdated=not downloads.done())
        await downloads
        # A ticket may still be under way.
        await client.ping()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpn", choices=["h3", "hq-interop"], default="h3")
    parser.add_argument("--ca", help="verify the chain with this; otherwise no check")
    parser.add_argument("--server-name")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--early", action="store_true")
    parser.add_argument("--key-update", action="store_true", help="during the transfer")
    parser.add_argument("--cipher-suite")
    parser.add_argument("--post", type=lambda path: open(path, "rb").read(), help="a file to send")
    parser.add_argument("--qlog")
    parser.add_argument("--keylog")
    parser.add_argument("urls", nargs="+", type=urlparse)
    options = parser.parse_args()

    tickets = []
    for _ in range(options.connections):
        configuration = QuicConfiguration(
            is_client=True,
            alpn_protocols=H3_ALPN if options.alpn == "h3" else H0_ALPN,
            quic_logger=QuicFileLogger(options.qlog) if options.qlog else None,
            secrets_log_file=open(options.keylog, "a", buffering=1) if options.keylog else None,
            server_name=options.server_name,
            session_ticket=tickets.pop() if tickets else None,
            verify_mode=ssl.CERT_REQUIRED if options.ca else ssl.CERT_NONE,
        )
        if options.cipher_suite:
            configuration.cipher_suites = [CipherSuite[options.cipher_suite.removeprefix("TLS_")]]
        if options.ca:
            configuration.load_verify_locations(options.ca)
        await run_once(options, configuration, options.urls, tickets.append)


asyncio.run(main())
