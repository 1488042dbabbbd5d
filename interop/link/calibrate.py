#!/usr/bin/env python3
"""Prints what a link is set to and what is measured through it: the round-trip time of small datagrams, one at a time,
and the rate at which large ones arrive when more are sent than get through. Needs what link.py needs."""

import json
import os
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
#: Delay in ms each way, Mbit/s.
SETTINGS = [(15, 10), (750, 10), (5, 1), (15, 50), (15, 100), (5, 200)]
PORT = 5000
ECHOES = 20
SECONDS = 3
SMALL = 100
PAYLOAD = bytes(1252)
#: What IPv4 and UDP add to a datagram.
HEADERS = 28
END = b'end'


def main():
    print('| delay set, ms each way | round trip measured, ms, median | rate set, Mbit/s | rate measured, Mbit/s |')
    print('|---|---|---|---|')
    for delay, rate in SETTINGS:
        round_trip, measured = measure(delay, rate)
        print(f'| {delay} | {round_trip:.2f} | {rate} | {measured:.2f} |', flush=True)


def measure(delay, rate):
    command = [sys.executable, f'{HERE}/link.py', '--delay', str(delay), '--rate', str(rate), '--queue', '100']
    link = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        facts = json.loads(link.stdout.readline())
        server = inside(facts['server'], 'receive')
        server.stdout.readline()
        client = inside(facts['client'], 'send', facts['addresses']['server']['ipv4'], str(rate))
        round_trip = float(client.communicate()[0])
        return round_trip, float(server.communicate()[0])
    finally:
        link.stdin.close()
        link.wait()


def inside(pid, *args):
    command = ['nsenter', '--target', str(pid), '--net', '--mount', sys.executable, os.path.abspath(__file__), *args]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def receive():
    """Echoes small datagrams, and prints the rate of the large ones."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        udp.bind(('0.0.0.0', PORT))
        print('ready', flush=True)
        first, last, length = None, None, 0
        while True:
            data, sender = udp.recvfrom(2048)
            if data == END:
                break
            if len(data) <= SMALL:
                udp.sendto(data, sender)
            elif first is None:
                first = time.monotonic()
            else:
                last = time.monotonic()
                length += len(data) + HEADERS
        print(length * 8 / (last - first) / 1e6)


def send(host, rate):
    """Prints the median round-trip time in ms, then sends a fifth more than the rate."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.connect((host, PORT))
        print(statistics.median(round_trip(udp, number) for number in range(ECHOES)) * 1000, flush=True)
        interval = (len(PAYLOAD) + HEADERS) * 8 / (rate * 1.2e6)
        due = start = time.monotonic()
        while due < start + SECONDS:
            while due <= time.monotonic():
                udp.send(PAYLOAD)
                due += interval
            time.sleep(0.0005)
        time.sleep(2)
        udp.send(END)


def round_trip(udp, number):
    start = time.monotonic()
    udp.send(b'%d' % number)
    udp.recv(SMALL)
    return time.monotonic() - start


if __name__ == '__main__':
    if len(sys.argv) == 1:
        main()
    elif sys.argv[1] == 'receive':
        receive()
    else:
        send(sys.argv[2], float(sys.argv[3]))
