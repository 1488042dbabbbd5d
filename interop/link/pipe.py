"""One direction of the link: a queue, a transmitter of a given rate, and a delay."""

from collections import deque

UNLIMITED = float('inf')


class Pipe:
    def __init__(self, delay, rate, capacity):
        """Seconds; bits per second; packets that may wait while one is transmitted."""
        self.delay = delay
        self._rate = rate
        self._capacity = capacity
        self._free_at = 0.0
        self._starts = deque()
        self._under_way = deque()
        self.overflows = 0

    def offer(self, now, packet):
        """False: the queue is full, and the packet lost."""
        starts = self._starts
        while starts and starts[0] <= now:
            starts.popleft()
        if len(starts) >= self._capacity:
            self.overflows += 1
            return False
        start = max(now, self._free_at)
        self._free_at = start + len(packet) * 8 / self._rate
        if start > now:
            starts.append(start)
        self._under_way.append((self._free_at + self.delay, packet))
        return True

    @property
    def next_arrival(self):
        return self._under_way[0][0] if self._under_way else UNLIMITED

    def arrived(self, now):
        """(time, packet) of what is there by now."""
        under_way = self._under_way
        while under_way and under_way[0][0] <= now:
            yield under_way.popleft()
