"""IP packets as the link sees them: who sends UDP to whom, and how to change that and keep the checksum right."""

import struct

UDP = 17
IPV6_FRAGMENT = 44


class Datagram:
    """A UDP datagram in an unfragmented IP packet, which is a bytearray and changed in place."""

    __slots__ = ('packet', 'udp', 'address_length', 'source_at', 'destination_at')

    @staticmethod
    def of(packet):
        """None for anything else."""
        version = packet[0] >> 4
        if version == 4 and packet[9] == UDP and not int.from_bytes(packet[6:8], 'big') & 0x3FFF:
            return Datagram(packet, (packet[0] & 15) * 4, 4, 12)
        if version == 6 and packet[6] == UDP:
            return Datagram(packet, 40, 16, 8)
        return None

    def __init__(self, packet, udp, address_length, source_at):
        self.packet = packet
        self.udp = udp
        self.address_length = address_length
        self.source_at = source_at
        self.destination_at = source_at + address_length

    @property
    def source(self):
        return self._address(self.source_at), self._port(0)

    @source.setter
    def source(self, address_and_port):
        self._set(self.source_at, 0, address_and_port)

    @property
    def destination(self):
        return self._address(self.destination_at), self._port(2)

    @destination.setter
    def destination(self, address_and_port):
        self._set(self.destination_at, 2, address_and_port)

    @property
    def payload_at(self):
        return self.udp + 8

    def finish(self):
        """Checksums, after something was changed."""
        packet, udp = self.packet, self.udp
        if self.address_length == 4:
            packet[10:12] = b'\0\0'
            packet[10:12] = checksum(packet[:udp])
        length = len(packet) - udp
        packet[udp + 6 : udp + 8] = b'\0\0'
        addresses = packet[self.source_at : self.source_at + 2 * self.address_length]
        packet[udp + 6 : udp + 8] = checksum(addresses + struct.pack('!HH', UDP, length) + packet[udp:])

    def _address(self, at):
        return bytes(self.packet[at : at + self.address_length])

    def _port(self, at):
        return int.from_bytes(self.packet[self.udp + at : self.udp + at + 2], 'big')

    def _set(self, address_at, port_at, address_and_port):
        address, port = address_and_port
        self.packet[address_at : address_at + self.address_length] = address
        self.packet[self.udp + port_at : self.udp + port_at + 2] = port.to_bytes(2, 'big')


def is_fragment(packet):
    if packet[0] >> 4 == 4:
        return int.from_bytes(packet[6:8], 'big') & 0x3FFF != 0
    return packet[6] == IPV6_FRAGMENT


def datagram(source, destination, payload):
    """A packet with a UDP datagram inside; addresses are (bytes, port)."""
    udp_length = 8 + len(payload)
    addresses = source[0] + destination[0]
    if len(source[0]) == 4:
        head = struct.pack('!BBHHHBBH', 0x45, 0, 20 + udp_length, 0, 0x4000, 64, UDP, 0) + addresses
    else:
        head = struct.pack('!IHBB', 6 << 28, udp_length, UDP, 64) + addresses
    packet = bytearray(head + struct.pack('!HHHH', source[1], destination[1], udp_length, 0) + payload)
    Datagram.of(packet).finish()
    return packet


def checksum(data):
    """The Internet checksum (RFC 1071): the sum of all 16-bit words is the number they form, modulo 2^16 - 1."""
    if len(data) & 1:
        data = data + b'\0'
    return (0xFFFF - int.from_bytes(data, 'big') % 0xFFFF or 0xFFFF).to_bytes(2, 'big')
