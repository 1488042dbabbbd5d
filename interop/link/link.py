#!/usr/bin/env python3
"""Two network namespaces, client and server, and a link between them: delay, rate, queue, loss and the rest.

    python3 interop/link/link.py --delay 15 --rate 10 --queue 25 --loss 2 --pcap DIRECTORY

Prints a line of JSON when it is there: {"client": PID, "server": PID, ...}. Programs go in by

    nsenter --target PID --net --mount COMMAND...

Reads commands, a line each: `await PORT SECONDS` answers {"answered": true} as soon as a QUIC server there, asked
with a version that does not exist, answers; `await6` asks by IPv6. `delay MS` and `loss PERCENT` change both ways while
it runs, and answer {"set": "delay"}; that loss is of all packets, TCP's too. Ends with its input, and prints what it
counted.
Needs root, Linux, Python's standard library and `ip`.
"""

import argparse
import ctypes
import json
import os
import random
import select
import signal
import socket
import sys
import time

from netns import Side
from packet import Datagram, datagram, is_fragment
from pcap import Capture, NoCapture
from pipe import UNLIMITED, Pipe
from weather import Backwards, Blackhole, Corruption, DropList, Loss, Rebinding

# The addresses of the quic-interop-runner.
CLIENT = {'ipv4': '193.167.0.100', 'ipv6': 'fd00:cafe:cafe:0::100'}
SERVER = {'ipv4': '193.167.100.100', 'ipv6': 'fd00:cafe:cafe:100::100'}
#: Who asks the server whether it is there.
PROBE = {'ipv4': '193.167.100.2', 'ipv6': 'fd00:cafe:cafe:100::2'}
PROBE_ADDRESSES = socket.inet_pton(socket.AF_INET, PROBE['ipv4']), socket.inet_pton(socket.AF_INET6, PROBE['ipv6'])
PROBE_PORT = 57832
WAIT = b'\xc0WAIT\0\0' + bytes(1200)
PROBE_INTERVAL = 0.05
HOSTS = f"""127.0.0.1 localhost
::1 localhost
{CLIENT['ipv4']} client
{CLIENT['ipv6']} client
{SERVER['ipv4']} server server4 server46
{SERVER['ipv6']} server server6 server46
"""
#: Packets taken from one side before the other is looked at.
BATCH = 64
NO_LOSS = None
PR_SET_TIMERSLACK = 29
#: Nanoseconds that a wait may last too long.
TIMER_SLACK = 1000


class Direction:
    """From one side to the other; the captures are of the ends."""

    def __init__(self, pipe, source, sink, captures, weather):
        self.pipe = pipe
        self.source = source
        self._sink = sink
        self._captures = captures
        self._weather = weather
        #: Of all packets, whatever is in them.
        self.loss = NO_LOSS
        # A NAT that does not put them together cannot tell whose they are. QUIC has none (RFC 9000, section 14).
        self._loses_fragments = any(isinstance(each, (Rebinding, Backwards)) for each in weather)
        self.counts = {'packets': 0, 'bytes': 0, 'lost': 0}

    def take(self, now, packet):
        self._captures[0].add(now, packet)
        self.pipe.offer(now, packet)

    def deliver(self, now, seconds):
        for time_there, packet in self.pipe.arrived(now):
            if not self._gets_through(seconds, packet):
                self.counts['lost'] += 1
                continue
            self.counts['packets'] += 1
            self.counts['bytes'] += len(packet)
            self._captures[1].add(time_there, packet)
            try:
                os.write(self._sink, packet)
            except OSError:
                self.counts['lost'] += 1

    def _gets_through(self, seconds, packet):
        if self.loss is not NO_LOSS and self.loss.hits():
            return False
        if not self._weather:
            return True
        found = Datagram.of(packet)
        if found is None:
            return not (self._loses_fragments and is_fragment(packet))
        return all(each.lets_through(seconds, found) for each in self._weather)


class Probe:
    """Asks a server, from an address between the two sides, until it answers."""

    def __init__(self, tun, family, port, deadline):
        kind = socket.AF_INET if family == 'ipv4' else socket.AF_INET6
        source = (socket.inet_pton(kind, PROBE[family]), PROBE_PORT)
        self._packet = datagram(source, (socket.inet_pton(kind, SERVER[family]), port), WAIT)
        self._tun = tun
        self._deadline = deadline
        self.next = 0.0

    def ask(self, now):
        """False: it is too late."""
        self.next = now + PROBE_INTERVAL
        os.write(self._tun, self._packet)
        return now < self._deadline


class Link:
    def __init__(self, options):
        addresses = lambda side: [f"{side['ipv4']}/24", f"{side['ipv6']}/64"]
        self._sides = [Side(addresses(side), HOSTS) for side in (CLIENT, SERVER)]
        client, server = self._sides
        chance = random.Random(options.seed)
        self._chance, self._burst = chance, options.burst
        pipe = lambda: Pipe(options.delay / 1000, options.rate * 1e6, options.queue)
        self._captures = captures(options.pcap)
        to_server, to_client = weather(options, chance)
        left, right = self._captures
        self._directions = [
            Direction(pipe(), client.tun, server.tun, (left, right), to_server),
            Direction(pipe(), server.tun, client.tun, (right, left), to_client),
        ]
        self._start = None
        self._probe = None
        self._input = b''

    def say_ready(self):
        client, server = self._sides
        say({'client': client.pid, 'server': server.pid, 'addresses': {'client': CLIENT, 'server': SERVER}})

    def run(self):
        """Until there is no more input."""
        sources = [direction.source for direction in self._directions]
        while True:
            now = time.monotonic()
            wait = max(0.0, min(self._next() - now, 1.0))
            readable, _, _ = select.select([*sources, 0], [], [], wait)
            for direction in self._directions:
                if direction.source in readable:
                    self._read(direction)
            if 0 in readable and not self._command():
                return
            now = time.monotonic()
            for direction in self._directions:
                direction.deliver(now, now - (self._start or now))
            if self._probe is not None and self._probe.next <= now and not self._probe.ask(now):
                self._answer(False)

    def close(self):
        for each in (*self._captures, *self._sides):
            each.close()
        names = ('to_server', 'to_client')
        say({name: {**d.counts, 'overflows': d.pipe.overflows} for name, d in zip(names, self._directions)})

    def _next(self):
        probe = UNLIMITED if self._probe is None else self._probe.next
        return min(probe, *(direction.pipe.next_arrival for direction in self._directions))

    def _read(self, direction):
        for _ in range(BATCH):
            try:
                packet = bytearray(os.read(direction.source, 65536))
            except BlockingIOError:
                return
            now = time.monotonic()
            if is_for_probe(packet):
                if self._probe is not None and Datagram.of(packet) is not None:
                    self._answer(True)
            elif not is_multicast(packet):
                if self._start is None and Datagram.of(packet) is not None:
                    self._start = now
                direction.take(now, packet)

    def _command(self):
        chunk = os.read(0, 4096)
        *lines, self._input = (self._input + chunk).split(b'\n')
        for line in lines:
            name, *values = line.decode().split()
            if name in ('delay', 'loss'):
                self._set(name, float(values[0]))
            else:
                self._ask({'await': 'ipv4', 'await6': 'ipv6'}[name], int(values[0]), float(values[1]))
        return chunk != b''

    def _ask(self, family, port, seconds):
        self._probe = Probe(self._sides[1].tun, family, port, time.monotonic() + seconds)

    def _set(self, name, value):
        for direction in self._directions:
            if name == 'delay':
                direction.pipe.delay = value / 1000
            else:
                direction.loss = Loss(value, self._burst, self._chance) if value else NO_LOSS
        say({'set': name})

    def _answer(self, answered):
        self._probe = None
        say({'answered': answered})


def is_for_probe(packet):
    """Also the news that nobody listens yet."""
    return packet[16:20] == PROBE_ADDRESSES[0] if packet[0] >> 4 == 4 else packet[24:40] == PROBE_ADDRESSES[1]


def is_multicast(packet):
    """What a system says to its neighbours."""
    return packet[0] >> 4 == 6 and packet[24] == 0xFF


def captures(directory):
    if directory is None:
        return [NoCapture(), NoCapture()]
    return [Capture(os.path.join(directory, name)) for name in ('left.pcap', 'right.pcap')]


def weather(options, chance):
    """Towards the server, and towards the client."""
    both = []
    if options.blackhole:
        both.append(Blackhole(*options.blackhole))
    ways = [list(both), list(both)]
    for way in ways:
        if options.loss:
            way.append(Loss(options.loss, options.burst, chance))
        if options.corruption:
            way.append(Corruption(options.corruption, options.burst, chance))
    if options.drop_to_server:
        ways[0].append(DropList({int(number) for number in options.drop_to_server.split(',')}))
    if options.rebind:
        rebinding = Rebinding(*options.rebind, options.rebind_address, chance)
        ways[0].append(rebinding)
        ways[1].append(Backwards(rebinding))
    return ways


def say(message):
    print(json.dumps(message), flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--delay', type=float, default=15, help='ms, each way (15)')
    parser.add_argument('--rate', type=float, default=10, help='Mbit/s of IP packets, each way (10)')
    parser.add_argument('--queue', type=int, default=25, help='packets that may wait (25)')
    parser.add_argument('--loss', type=float, default=0, help='percent of UDP datagrams, each way')
    parser.add_argument('--corruption', type=float, default=0, help='percent of UDP datagrams, each way')
    parser.add_argument('--burst', type=int, default=3, help='most that are lost or corrupted in a row (3)')
    parser.add_argument('--drop-to-server', metavar='N,N...', help='datagrams to the server that are lost, by number')
    parser.add_argument('--blackhole', type=float, nargs=2, metavar=('ON', 'OFF'), help='seconds')
    parser.add_argument('--rebind', type=float, nargs=2, metavar=('FIRST', 'EVERY'), help='seconds')
    parser.add_argument('--rebind-address', action='store_true', help='the address changes, too')
    parser.add_argument('--pcap', metavar='DIRECTORY', help='for left.pcap (at the client) and right.pcap')
    parser.add_argument('--seed', type=int, help='of all chance; default: another each time')
    return parser.parse_args()


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, TIMER_SLACK, 0, 0, 0)
    try:
        link = Link(options)
    except OSError as error:
        sys.exit(f'link: {error}')
    try:
        link.say_ready()
        link.run()
    except BrokenPipeError:
        pass
    finally:
        link.close()


if __name__ == '__main__':
    main()
