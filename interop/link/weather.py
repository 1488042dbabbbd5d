"""What happens to UDP datagrams at the end of one direction. Each is asked with the seconds since the first one, and
says whether the datagram gets through; it may change it. The rules are those of the quic-network-simulator."""

#: Of the UDP payload, where corruption hits: headers more often than not.
CORRUPTED_BYTES = 51


class Loss:
    """`percent` of all datagrams are lost, never more than `burst` in a row."""

    def __init__(self, percent, burst, random):
        self._percent = percent
        self._burst = burst
        self._random = random
        self._in_a_row = 0

    def hits(self):
        if self._in_a_row >= self._burst or self._random.random() * 100 >= self._percent:
            self._in_a_row = 0
            return False
        self._in_a_row += 1
        return True

    def lets_through(self, _seconds, _datagram):
        return not self.hits()


class Corruption(Loss):
    """The same share has one byte near its beginning changed. Version Negotiation is spared: it answers corruption."""

    def lets_through(self, _seconds, datagram):
        packet, at = datagram.packet, datagram.payload_at
        is_negotiation = packet[at : at + 1] >= b'\x80' and packet[at + 1 : at + 5] == b'\0\0\0\0'
        if is_negotiation or len(packet) <= at or not self.hits():
            return True
        position = at + self._random.randrange(min(CORRUPTED_BYTES, len(packet) - at))
        packet[position] ^= self._random.randrange(1, 256)
        datagram.finish()
        return True


class DropList:
    """Those with these numbers are lost; the first one has the number 1."""

    def __init__(self, numbers):
        self._numbers = numbers
        self._count = 0

    def lets_through(self, _seconds, _datagram):
        self._count += 1
        return self._count not in self._numbers


class Blackhole:
    """Seconds in which everything gets through, then seconds in which nothing does, and again."""

    def __init__(self, on, off):
        self._on = on
        self._period = on + off

    def lets_through(self, seconds, _datagram):
        return seconds % self._period < self._on


class Rebinding:
    """A NAT that forgets: after `first` seconds, then every `every`, the client has another port, and with `address`
    another address in its network. What comes for those it had before is lost."""

    def __init__(self, first, every, address, random):
        self._next = first
        self._every = every
        self._changes_address = address
        self._random = random
        #: Both ways between what a client has and what the server sees.
        self._outside = {}
        self._inside = {}
        self.count = 0

    def lets_through(self, seconds, datagram):
        """Towards the server."""
        if seconds >= self._next:
            self._next += self._every
            self._rebind()
        source = datagram.source
        outside = self._outside.get(source)
        if outside is None:
            outside = self._outside[source] = source
            self._inside[source] = source
        if outside != source:
            datagram.source = outside
            datagram.finish()
        return True

    def back(self, datagram):
        """Towards the client."""
        inside = self._inside.get(datagram.destination)
        if inside is None:
            return False
        if inside != datagram.destination:
            datagram.destination = inside
            datagram.finish()
        return True

    def _rebind(self):
        self.count += 1
        host = self._random.randrange(1, 100)
        for inside, old in list(self._outside.items()):
            address = inside[0]
            if self._changes_address:
                address = address[:-1] + bytes([host])
            new = old
            while new in self._inside or new == old:
                new = (address, self._random.randrange(1024, 65536))
            del self._inside[old]
            self._outside[inside] = new
            self._inside[new] = inside


class Backwards:
    """The other direction of a rebinding."""

    def __init__(self, rebinding):
        self._rebinding = rebinding

    def lets_through(self, _seconds, datagram):
        return self._rebinding.back(datagram)
