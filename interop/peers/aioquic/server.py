"""A file server on aioquic's public API: HTTP/3 and HTTP/0.9 (hq-interop), tickets, early data, Retry."""

import asyncio
import os
import signal
import sys

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.h3.events import HeadersReceived
from aioquic.quic.events import ProtocolNegotiated

from job import CASES, CERTS, TESTCASE, configure, http


class FileServer(QuicConnectionProtocol):
    _http = None

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            self._http = http(self._quic)
        if self._http is not None:
            for each in self._http.handle_event(event):
                if isinstance(each, HeadersReceived):
                    self._answer(each.stream_id, dict(each.headers)[b":path"].decode())

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
