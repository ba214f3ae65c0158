"""Frames, and what offloads must make of them: computed here from the RFCs, not from a model."""

import struct

STATION = bytes.fromhex("525400123456")  # the adapter's address
PEER = bytes.fromhex("525400aabbcc")
BROADCAST = b"\xff" * 6
MULTICAST = bytes.fromhex("01005e010203")
TCP, UDP = 6, 17
FIN, SYN, PSH, ACK, URG, CWR = 0x01, 0x02, 0x08, 0x10, 0x20, 0x80


def pattern(count, start=0):
    """Bytes that are not the same at any two places near each other."""
    return bytes((start + i * 7 + (i >> 8) * 3) & 0xFF for i in range(count))


def ethernet(destination=STATION, source=PEER, kind=0x88B5, size=60, payload=None, vlan=None):
    """A frame without FCS of `size` bytes; vlan: tag control, inserted with type 8100h."""
    header = destination + source
    if vlan is not None:
        header += struct.pack(">HH", 0x8100, vlan)
    header += struct.pack(">H", kind)
    return header + (pattern(size - len(header)) if payload is None else payload)


def add_vlan(frame, tag, kind=0x8100):
    return frame[:12] + struct.pack(">HH", kind, tag) + frame[12:]


def ones_sum(data, start=0):
    """16-bit ones' complement sum."""
    total = start
    for (word,) in struct.iter_unpack(">H", data + b"\0" * (len(data) % 2)):
        total += word
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def checksum(data, start=0):
    """RFC 1071."""
    return ~ones_sum(data, start) & 0xFFFF


def pseudo_header(source, destination, protocol, length):
    """For IPv4 and IPv6, by the addresses' size. Its sum."""
    return ones_sum(source + destination + struct.pack(">HH", protocol, 0)) + length


class Packet:
    """An Ethernet frame with IP and TCP or UDP, from which the expected bytes are computed."""

    def __init__(
        self,
        payload,
        ip=4,
        protocol=TCP,
        identification=0x1234,
        sequence=0x10000000,
        flags=ACK,
        options=b"",
        vlan=None,
        to=PEER,
    ):
        self.to = to
        self.payload, self.ip, self.protocol = payload, ip, protocol
        self.identification, self.sequence, self.flags = identification, sequence, flags
        self.options, self.vlan = options, vlan
        self.addresses = (
            (b"\x0a\0\0\1", b"\x0a\0\0\2")
            if ip == 4
            else (b"\xfe\x80" + b"\0" * 13 + b"\1", b"\xfe\x80" + b"\0" * 13 + b"\2")
        )

    ip_start = 14

    @property
    def transport_start(self):
        return 14 + (20 if self.ip == 4 else 40)

    @property
    def checksum_offset(self):
        return self.transport_start + (16 if self.protocol == TCP else 6)

    @property
    def header_bytes(self):
        return self.transport_start + (20 + len(self.options) if self.protocol == TCP else 8)

    def _transport(self, seed):
        if self.protocol == UDP:
            return struct.pack(">HHHH", 1000, 2000, 8 + len(self.payload), seed)
        return (
            struct.pack(
                ">HHIIBBHHH",
                1000,
                2000,
                self.sequence,
                0x20000000,
                (20 + len(self.options)) // 4 << 4,
                self.flags,
                8192,
                seed,
                0,
            )
            + self.options
        )

    def _ip(self, transport_bytes, ip_sum):
        if self.ip == 6:
            return struct.pack(">IHBB", 6 << 28, transport_bytes, self.protocol, 64) + b"".join(
                self.addresses
            )
        return struct.pack(
            ">BBHHHBBH",
            0x45,
            0,
            20 + transport_bytes,
            self.identification,
            0,
            64,
            self.protocol,
            ip_sum,
        ) + b"".join(self.addresses)

    def bytes(self, ip_sum=0, transport_sum=0):
        """With these values in the checksum fields."""
        transport = self._transport(transport_sum) + self.payload
        frame = (
            self.to
            + (STATION if self.to == PEER else PEER)
            + (b"\x08\0" if self.ip == 4 else b"\x86\xdd")
        )
        frame += self._ip(len(transport), ip_sum) + transport
        return frame if self.vlan is None else add_vlan(frame, self.vlan)

    def pseudo(self, with_length=True):
        length = len(self._transport(0)) + len(self.payload) if with_length else 0
        return ones_sum(b"", pseudo_header(*self.addresses, self.protocol, length))

    def correct(self):
        """As it must be on the wire: all checksums right."""
        transport = self._transport(0) + self.payload
        value = checksum(transport, pseudo_header(*self.addresses, self.protocol, len(transport)))
        if self.protocol == UDP and value == 0:
            value = 0xFFFF
        return self.bytes(checksum(self._ip(len(transport), 0)) if self.ip == 4 else 0, value)

    def prototype(self):
        """What software gives to segmentation: pseudo-header sum without the length (3.5.7)."""
        frame = self.bytes(0, self.pseudo(with_length=False))
        if self.ip == 4:  # total length 0, the hardware fills it in
            frame = frame[:16] + b"\0\0" + frame[18:]
        return frame

    def segments(self, mss):
        """The frames that segmentation must make of it."""
        result = []
        pieces = [self.payload[at : at + mss] for at in range(0, len(self.payload), mss)]
        for index, piece in enumerate(pieces):
            last = index == len(pieces) - 1
            part = Packet(
                piece,
                self.ip,
                self.protocol,
                self.identification + index & 0xFFFF,
                self.sequence + index * mss & 0xFFFFFFFF,
                self.flags if last else self.flags & ~(FIN | PSH),
                self.options,
                self.vlan,
            )
            result.append(part.correct())
        return result


def magic_packet(address=STATION, destination=BROADCAST, before=b"", ones=6, copies=16):
    """ones: bytes of FFh ahead of the copies of the address."""
    frame = ethernet(destination, payload=before + b"\xff" * ones + address * copies)
    return frame + b"\0" * (60 - len(frame))


def arp(target, operation=1, destination=BROADCAST):
    """Asks for an IPv4 address, or answers."""
    body = struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation) + PEER + b"\x0a\0\0\1"
    frame = ethernet(destination, kind=0x0806, payload=body + b"\0" * 6 + target)
    return frame + b"\0" * (60 - len(frame))


def with_snap(frame):
    """The same with a length and an LLC/SNAP header ahead of its type."""
    return frame[:12] + struct.pack(">H", len(frame) - 6) + b"\xaa\xaa\3\0\0\0" + frame[12:]


def pause(quanta, destination=bytes.fromhex("0180c2000001"), opcode=1):
    frame = ethernet(destination, kind=0x8808, payload=struct.pack(">HH", opcode, quanta))
    return frame + b"\0" * (60 - len(frame))


def multicast_hash(address, offset):
    """Bit number in the table; offset: RCTL.MO (13.4.22)."""
    return (address[4] | address[5] << 8) >> (4, 3, 2, 0)[offset] & 0xFFF
