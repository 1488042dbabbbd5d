"""A file server on aioquic's public API: HTTP/3 and HTTP/0.9 (hq-interop), tickets, early data, Retry."""

import asyncio
import os
import signal
import sys

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.events import ProtocolNegotiated

from job import CASES, CERTS, TESTCASE, configure, http


class FileServer(QuicConnectionProtocol):
    _http = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._uploads = {}

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            self._http = http(self._quic)
        if self._http is not None:
            for each in self._http.handle_event(event):
                if isinstance(each, HeadersReceived):
                    self._on_request(each.stream_id, {k.decode(): v.decode() for k, v in each.headers})
                elif isinstance(each, DataReceived) and each.stream_id in self._uploads:
                    self._on_data(each)

    def _on_request(self, stream_id, headers):
        path = headers.get(":path", "")
        if headers.get(":method") == "PUT" and TESTCASE == "upload":
            place = os.path.join(os.environ["DOWNLOADS"], os.path.basename(path))
            self._uploads[stream_id] = open(place, "wb")
        else:
            self._answer(stream_id, path)

    def _on_data(self, event):
        file = self._uploads[event.stream_id]
        file.write(event.data)
        if event.stream_ended:
            file.close()
            self._http.send_headers(event.stream_id, [(b":status", b"201")], end_stream=True)
            self.transmit()

    def _answer(self, stream_id, path):
        try:
            with open(os.path.join(os.environ["WWW"], os.path.basename(path)), "rb") as file:
                status, body = b"200", file.read()
        except OSError:
            status, body = b"404", b""
        self._http.send_headers(stream_id, [(b":status", status), (b"content-length", str(len(body)).encode())])
        self._http.send_data(stream_id, body, end_stream=True)
        self.transmit()


async def main():
    configuration = configure(is_client=False)
    configuration.load_cert_chain(os.path.join(CERTS, "cert.pem"), os.path.join(CERTS, "priv.key"))
    tickets = {}
    server = await serve(
        os.environ["HOST"],
        int(os.environ["PORT"]),
        configuration=configuration,
        create_protocol=FileServer,
        session_ticket_fetcher=lambda label: tickets.pop(label, None),
        session_ticket_handler=lambda ticket: tickets.__setitem__(ticket.ticket, ticket),
        retry=TESTCASE == "retry",
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    server.close()


if TESTCASE not in CASES:
    sys.exit(127)
asyncio.run(main())
