"""Captures: packets as they pass one end of the link (pcap, nanoseconds, LINKTYPE_RAW)."""

import struct
import time

RAW_IP = 101


class Capture:
    def __init__(self, path):
        self._file = open(path, 'wb', buffering=1 << 18)
        self._file.write(struct.pack('<IHHiIII', 0xA1B23C4D, 2, 4, 0, 0, 65535, RAW_IP))
        # Times of packets are monotonic ones.
        self._origin = time.time_ns() - time.monotonic_ns()

    def add(self, now, packet):
        """`now`: monotonic seconds."""
        seconds, nanoseconds = divmod(self._origin + int(now * 1e9), 1_000_000_000)
        self._file.write(struct.pack('<IIII', seconds, nanoseconds, len(packet), len(packet)))
        self._file.write(packet)

    def close(self):
        self._file.close()


class NoCapture:
    def add(self, now, packet):
        pass

    def close(self):
        pass
