"""HTTP/3 of aioquic, whose QPACK is ls-qpack: a server, a client, and the bare codec.

    h3.py server CERTIFICATE KEY        prints its port; echoes content and x-echo, answers every method
    h3.py client PORT CA                reads requests as JSON from stdin, prints the answers as JSON
    h3.py qpack                         reads {"lists", "sections", "instructions"…} as JSON, see `qpack`
"""

import asyncio
import json
import ssl
import sys

from aioquic.asyncio import QuicConnectionProtocol, connect, serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated


class Protocol(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = None
        self.streams = {}

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated) and self.http is None:
            self.http = H3Connection(self._quic)
        if self.http is None:
            return
        for each in self.http.handle_event(event):
            stream = self.streams.setdefault(each.stream_id, {"heads": [], "data": b""})
            if isinstance(each, HeadersReceived):
                stream["heads"].append([[n.decode("latin1"), v.decode("latin1")] for n, v in each.headers])
            elif isinstance(each, DataReceived):
                stream["data"] += each.data
            if getattr(each, "stream_ended", False):
                self.ended(each.stream_id, stream)

    def ended(self, stream_id, stream):
        raise NotImplementedError


class Server(Protocol):
    def ended(self, stream_id, stream):
        head = dict(stream["heads"][0])
        method = head[":method"]
        body = b"" if method == "HEAD" else stream["data"] or method.encode()
        answer = [(":status", "200"), ("server", "aioquic, as it comes"), ("x-method", method)]
        answer += [("x-echo", head[name]) for name in ["x-echo"] if name in head]
        answer += [("x-trailers", str(len(stream["heads"]) - 1)), ("x-same", "the same in every answer there is")]
        self.http.send_headers(stream_id, [(n.encode(), v.encode()) for n, v in answer], end_stream=not body)
        if body:
            self.http.send_data(stream_id, body, end_stream=False)
            self.http.send_headers(stream_id, [(b"x-sum", str(len(body)).encode())], end_stream=True)
        self.transmit()


class Client(Protocol):
    waiting = {}

    def ended(self, stream_id, stream):
        self.waiting[stream_id].set_result(stream)

    async def request(self, fields, body, trailers):
        stream_id = self._quic.get_next_available_stream_id()
        self.waiting[stream_id] = asyncio.get_running_loop().create_future()
        has_more = bool(body) or bool(trailers)
        self.http.send_headers(stream_id, [(n.encode(), v.encode()) for n, v in fields], end_stream=not has_more)
        if body:
            self.http.send_data(stream_id, body.encode(), end_stream=not trailers)
        if trailers:
            self.http.send_headers(stream_id, [(n.encode(), v.encode()) for n, v in trailers], end_stream=True)
        self.transmit()
        stream = await asyncio.wait_for(self.waiting[stream_id], 20)
        return {"heads": stream["heads"], "data": stream["data"].decode("latin1")}


async def server(certificate, key):
    configuration = QuicConfiguration(alpn_protocols=H3_ALPN, is_client=False)
    configuration.load_cert_chain(certificate, key)
    running = await serve("127.0.0.1", 0, configuration=configuration, create_protocol=Server)
    print(running._transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def client(port, ca):
    configuration = QuicConfiguration(alpn_protocols=H3_ALPN, is_client=True, server_name="localhost")
    configuration.verify_mode = ssl.CERT_REQUIRED
    configuration.load_verify_locations(ca)
    requests = json.load(sys.stdin)
    async with connect("127.0.0.1", int(port), configuration=configuration, create_protocol=Client) as protocol:
        answers = []
        for fields, body, trailers in requests:
            answers.append(await protocol.request(fields, body, trailers))
        print(json.dumps(answers))


def qpack():
    """Decodes what another encoder made, then encodes for another decoder; everything in hexadecimal."""
    import pylsqpack

    job = json.load(sys.stdin)
    capacity, blocked = job["capacity"], job["blocked"]
    decoder = pylsqpack.Decoder(capacity, blocked)
    decoded = []
    answers = b""
    for stream_id, instructions, section in job["encoded"]:
        decoder.feed_encoder(bytes.fromhex(instructions))
        control, fields = decoder.feed_header(stream_id, bytes.fromhex(section))
        answers += control
        decoded.append([[n.decode("latin1"), v.decode("latin1")] for n, v in fields])
    encoder = pylsqpack.Encoder()
    first = encoder.apply_settings(capacity, blocked)
    encoded = []
    for stream_id, fields in job["lists"]:
        instructions, section = encoder.encode(stream_id, [(n.encode("latin1"), v.encode("latin1")) for n, v in fields])
        encoded.append([stream_id, (first + instructions).hex(), section.hex()])
        first = b""
    print(json.dumps({"decoded": decoded, "answers": answers.hex(), "encoded": encoded}))


if sys.argv[1] == "server":
    asyncio.run(server(*sys.argv[2:]))
elif sys.argv[1] == "client":
    asyncio.run(client(*sys.argv[2:]))
else:
    qpack()
