"""Prints the median round-trip time, in ms, of ICMP echoes to a host: python3 ping.py HOST COUNT. The kernel of the
other side answers, so that this is the link alone."""

import socket
import statistics
import struct
import sys
import time

ECHO_REQUEST = 8
ECHO_REPLY = 0


def main():
    host, count = sys.argv[1], int(sys.argv[2])
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.connect((host, 0))
        raw.settimeout(5)
        print(statistics.median(round_trip(raw, number) for number in range(count)) * 1000)


def round_trip(raw, number):
    packet = echo(number)
    begun = time.monotonic()
    raw.send(packet)
    # Behind the header of IPv4; an address of this side would see its own requests, too.
    while raw.recv(2048)[20] != ECHO_REPLY:
        pass
    return time.monotonic() - begun


def echo(number):
    body = struct.pack('!HH', 1, number & 0xFFFF) + bytes(56)
    words = struct.unpack(f'!{len(body) // 2}H', body)
    total = (ECHO_REQUEST << 8) + sum(words)
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return struct.pack('!BBH', ECHO_REQUEST, 0, checksum) + body


main()
