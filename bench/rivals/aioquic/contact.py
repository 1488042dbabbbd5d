"""aioquic with its HTTP/3, on its public API, for benchmarks of first requests: how it is started and asked is in
../contender.mjs."""

import asyncio
import json
import os
import ssl
import sys
import time

from aioquic.asyncio import QuicConnectionProtocol, connect, serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted, ProtocolNegotiated


class Server(QuicConnectionProtocol):
    _http = None

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            self._http = H3Connection(self._quic)
        if self._http is not None:
            for each in self._http.handle_event(event):
                if isinstance(each, HeadersReceived):
                    self._answer(each.stream_id, dict(each.headers)[b":path"].decode())

    def _answer(self, stream_id, path):
        body = bytes(length_of(path))
        headers = {":status": "200", "content-type": "text/plain", "content-length": str(len(body))}
        self._http.send_headers(stream_id, [(k.encode(), v.encode()) for k, v in headers.items()])
        self._http.send_data(stream_id, body, end_stream=True)
        self.transmit()


class Client(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._http = H3Connection(self._quic)
        self._length = 0
        self._done = asyncio.get_running_loop().create_future()
        # Its own wait_connected knows nothing of a handshake that was complete before.
        self.complete = asyncio.Event()

    def get(self, path):
        """A future: the length of the answer."""
        headers = {":method": "GET", ":scheme": "https", ":authority": "localhost", ":path": path}
        stream_id = self._quic.get_next_available_stream_id()
        self._http.send_headers(stream_id, [(k.encode(), v.encode()) for k, v in headers.items()], end_stream=True)
        self.transmit()
        return self._done

    @property
    def is_early(self):
        return self._quic.tls.early_data_accepted

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated) and not self._done.done():
            self._done.set_exception(ConnectionError(event.reason_phrase or hex(event.error_code)))
        if isinstance(event, HandshakeCompleted):
            self.complete.set()
        for each in self._http.handle_event(event):
            if isinstance(each, DataReceived):
                self._length += len(each.data)
            if isinstance(each, (DataReceived, HeadersReceived)) and each.stream_ended and not self._done.done():
                self._done.set_result(self._length)


class Contacts:
    """Each on a connection of its own."""

    def __init__(self, host, port, certificates):
        self._at = host, port
        self._ca = os.path.join(certificates, "ca.pem")
        self._ticket = None
        self._token = b""

    async def make(self, variant, path):
        """Milliseconds from before the connection to the last byte of the answer."""
        configuration = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name="localhost")
        configuration.verify_mode = ssl.CERT_REQUIRED
        is_resumable = variant == "0rtt"
        if is_resumable:
            configuration.session_ticket, self._ticket = self._ticket, None
            configuration.token = self._token
        begun = time.perf_counter()
        configuration.load_verify_locations(self._ca)
        async with connect(
            *self._at,
            configuration=configuration,
            create_protocol=Client,
            session_ticket_handler=self._keep if is_resumable else None,
            token_handler=self._keep_token,
            wait_connected=configuration.session_ticket is None,
        ) as client:
            length = await client.get(path)
            ms = (time.perf_counter() - begun) * 1000
            if length != length_of(path):
                raise ConnectionError(f"{length} bytes")
            await client.complete.wait()
            if is_resumable:
                # A ticket may still be under way.
                await client.ping()
            return {"ms": ms, "isEarly": client.is_early}

    def _keep(self, ticket):
        self._ticket = ticket

    def _keep_token(self, token):
        self._token = token


def length_of(path):
    """100 bytes, or as many as /bytes/N says."""
    return int(path.removeprefix("/bytes/")) if path.startswith("/bytes/") else 100


async def server(host, port, certificates):
    configuration = QuicConfiguration(alpn_protocols=H3_ALPN, is_client=False)
    configuration.load_cert_chain(os.path.join(certificates, "cert.pem"), os.path.join(certificates, "priv.key"))
    tickets = {}
    await serve(
        host,
        port,
        configuration=configuration,
        create_protocol=Server,
        session_ticket_fetcher=lambda label: tickets.pop(label, None),
        session_ticket_handler=lambda ticket: tickets.__setitem__(ticket.ticket, ticket),
    )
    print('{"ready": true}', flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def client(host, port, certificates):
    contacts = Contacts(host, port, certificates)
    print('{"ready": true}', flush=True)
    while line := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        print(json.dumps(await contacts.make(*line.split())), flush=True)


def main():
    role, address, certificates = sys.argv[1:]
    host, port = address.rsplit(":", 1)
    asyncio.run({"server": server, "client": client}[role](host, int(port), certificates))


main()
