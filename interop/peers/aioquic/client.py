"""A file client on aioquic's public API: HTTP/3 and HTTP/0.9 (hq-interop)."""

import asyncio
import os
import ssl
import sys
from urllib.parse import urlparse

from aioquic.asyncio import QuicConnectionProtocol, connect
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.events import ConnectionTerminated, StreamReset

from job import CASES, CERTS, TESTCASE, configure, http


class FileClient(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._http = http(self._quic)
        self._downloads = {}

    def get(self, url):
        """Queues a request, for the next transmit. Returns a future: the file is complete."""
        stream_id = self._quic.get_next_available_stream_id()
        headers = {":method": "GET", ":scheme": "https", ":authority": url.netloc, ":path": url.path}
        self._http.send_headers(stream_id, [(k.encode(), v.encode()) for k, v in headers.items()], end_stream=True)
        file = open(os.path.join(os.environ["DOWNLOADS"], os.path.basename(url.path)), "wb")
        done = asyncio.get_running_loop().create_future()
        self._downloads[stream_id] = (file, done)
        return done

    def put(self, url):
        """The same with a file that goes to the server."""
        stream_id = self._quic.get_next_available_stream_id()
        with open(os.path.join(os.environ["WWW"], os.path.basename(url.path)), "rb") as file:
            body = file.read()
        headers = {":method": "PUT", ":scheme": "https", ":authority": url.netloc, ":path": url.path}
        headers["content-length"] = str(len(body))
        self._http.send_headers(stream_id, [(k.encode(), v.encode()) for k, v in headers.items()])
        self._http.send_data(stream_id, body, end_stream=True)
        done = asyncio.get_running_loop().create_future()
        self._downloads[stream_id] = (open(os.devnull, "wb"), done)
        return done

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated):
            for _, done in self._downloads.values():
                fail(done, event.reason_phrase or hex(event.error_code))
        elif isinstance(event, StreamReset) and event.stream_id in self._downloads:
            fail(self._downloads[event.stream_id][1], "stream reset")
        for each in self._http.handle_event(event):
            if isinstance(each, (HeadersReceived, DataReceived)):
                self._on_response(each)

    def _on_response(self, event):
        file, done = self._downloads[event.stream_id]
        if isinstance(event, DataReceived):
            file.write(event.data)
        elif dict(event.headers).get(b":status", b"200")[:1] != b"2":
            fail(done, f"status {dict(event.headers)[b':status']}")
        if event.stream_ended:
            file.close()
            if not done.done():
                done.set_result(None)


def fail(done, reason):
    if not done.done():
        done.set_exception(ConnectionError(reason))


async def fetch(urls, configuration, on_ticket=None, early=False):
    """All of them at once, on a connection of their own."""
    url = urls[0]
    async with connect(
        url.hostname,
        url.port or 443,
        configuration=configuration,
        create_protocol=FileClient,
        session_ticket_handler=on_ticket,
        wait_connected=not early,
    ) as client:
        downloads = [client.put(url) if TESTCASE == "upload" else client.get(url) for url in urls]
        client.transmit()
        if TESTCASE == "keyupdate":
            # The handshake is confirmed when an answer is here (RFC 9001 6.1).
            await client.ping()
            client.request_key_update()
        await asyncio.gather(*downloads)
        if on_ticket:
            # A ticket may still be under way.
            await client.ping()


def settings(ticket=None):
    configuration = configure(is_client=True)
    configuration.verify_mode = ssl.CERT_REQUIRED
    configuration.load_verify_locations(os.path.join(CERTS, "ca.pem"))
    configuration.session_ticket = ticket
    return configuration


async def main():
    urls = [urlparse(url) for url in os.environ["REQUESTS"].split()]
    if TESTCASE == "multiconnect":
        for url in urls:
            await fetch([url], settings())
    elif TESTCASE in ("resumption", "zerortt"):
        tickets = []
        await fetch(urls[:1], settings(), tickets.append)
        await fetch(urls[1:], settings(tickets[-1]), early=TESTCASE == "zerortt")
    else:
        await fetch(urls, settings())


if TESTCASE not in CASES:
    sys.exit(127)
asyncio.run(main())
