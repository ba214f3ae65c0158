"""Checksum insertion. Expected frames are computed in bench/packets.py."""

import reasons
from bench.descriptors import context
from bench.packets import TCP, UDP, Packet, checksum, ethernet, pattern, PEER, STATION
from bench.registers import *
from bench.parts import COMPARED
from bench.scenario import scenario

PARTS = COMPARED


def context_of(packet, command=0, **fields):
    """As drivers make it: IP header alone, transport to the packet's end."""
    start = packet.transport_start
    values = dict(
        ipcss=14,
        ipcso=24,
        ipcse=start - 1,
        tucss=start,
        tucso=packet.checksum_offset,
        tucse=0,
        command=command
        | (CONTEXT_TCP if packet.protocol == TCP else 0)
        | (CONTEXT_IP if packet.ip == 4 else 0),
    )
    values.update(fields)
    return context(**values)


def seeded(packet):
    """Pseudo-header sum in place, as stacks hand packets over."""
    return packet.bytes(0, packet.pseudo())


KINDS = [
    (name, ip, protocol, size)
    for name, ip, protocol in (
        ("TCP over IPv4", 4, TCP),
        ("UDP over IPv4", 4, UDP),
        ("TCP over IPv6", 6, TCP),
        ("UDP over IPv6", 6, UDP),
    )
    for size in (0, 1, 2, 101, 1400)
]


@scenario("checksums: {0}, {3} bytes of payload", "3.3.5", each=KINDS)
def _(d, name, ip, protocol, size):
    packet = Packet(pattern(size), ip, protocol)
    options = TXSM | (IXSM if ip == 4 else 0)
    d.tx_ring()
    frames = d.transmit(context_of(packet), d.data(seeded(packet), options=options))
    correct = packet.correct()
    d.see(
        "frame", frames, [correct.ljust(60, b"\0")], reasons.PADDING if len(correct) < 60 else None
    )


@scenario("checksums: {0} alone", "3.3.6", each=[("IP", IXSM), ("TCP", TXSM), ("none", 0)])
def _(d, name, options):
    packet = Packet(pattern(200))
    correct, given = packet.correct(), seeded(packet)
    expected = bytearray(given)
    if options & IXSM:
        expected[24:26] = correct[24:26]
    if options & TXSM:
        expected[50:52] = correct[50:52]
    d.tx_ring()
    d.see("frame", d.transmit(context_of(packet), d.data(given, options=options)), [expected])


@scenario("checksums: an IPv4 header with options, TCP with options", "3.3.5")
def _(d):
    packet = Packet(pattern(300), options=b"\1\1\10\12" + b"\0" * 8)
    d.tx_ring()
    frames = d.transmit(context_of(packet), d.data(seeded(packet), options=IXSM | TXSM))
    d.see("frame", frames, [packet.correct()])


@scenario("checksums: contexts last for further packets", "3.3.5")
def _(d):
    packets = [Packet(pattern(100 + n), sequence=n) for n in range(3)]
    d.tx_ring()
    frames = d.transmit(context_of(packets[0]))
    for packet in packets:
        frames += d.transmit(d.data(seeded(packet), options=IXSM | TXSM))
    d.see("frames", frames, [packet.correct() for packet in packets])


@scenario("checksums: a new context replaces the old", "3.3.5")
def _(d):
    first, second = Packet(pattern(100)), Packet(pattern(100), protocol=UDP)
    d.tx_ring()
    frames = d.transmit(
        context_of(first),
        d.data(seeded(first), options=IXSM | TXSM),
        context_of(second),
        d.data(seeded(second), options=IXSM | TXSM),
    )
    d.see("frames", frames, [first.correct(), second.correct()])


@scenario("checksums: a segmentation context leaves this one alone", "3.3.5")
def _(d):
    packet = Packet(pattern(150), protocol=UDP)
    d.tx_ring()
    frames = d.transmit(
        context_of(packet),
        context(14, 24, 33, 34, 50, 0, 1000, TSE | CONTEXT_TCP | CONTEXT_IP, 54, 100),
        d.data(seeded(packet), options=IXSM | TXSM),
    )
    d.see("frame", frames, [packet.correct()])


@scenario("checksums: the packet in several descriptors", "3.3.6")
def _(d):
    packet = Packet(pattern(500))
    given = seeded(packet)
    d.tx_ring()
    frames = d.transmit(
        context_of(packet),
        d.data(given[:14], IFCS, options=IXSM | TXSM),
        d.data(given[14:54], IFCS, options=IXSM | TXSM),
        d.data(given[54:], options=IXSM | TXSM),
    )
    d.see("frame", frames, [packet.correct()])


@scenario("checksums: options count in the first descriptor", "3.3.6")
def _(d):
    packet = Packet(pattern(500))
    given = seeded(packet)
    d.tx_ring()
    frames = d.transmit(
        context_of(packet),
        d.data(given[:54], IFCS, options=IXSM | TXSM),
        d.data(given[54:], options=0),
    )
    d.see("frame", frames, [packet.correct()])


@scenario("checksums: TUCSE ends the sum", "3.3.5")
def _(d):
    packet = Packet(pattern(400))
    given = seeded(packet)
    end = 200
    expected = bytearray(given)
    expected[50:52] = checksum(given[34 : end + 1]).to_bytes(2, "big")
    d.tx_ring()
    frames = d.transmit(context_of(packet, tucse=end), d.data(given, options=TXSM))
    d.see("frame", frames, [expected])


@scenario("checksums: TUCSE beyond the packet", "3.3.5")
def _(d):
    packet = Packet(pattern(100))
    d.tx_ring()
    frames = d.transmit(context_of(packet, tucse=5000), d.data(seeded(packet), options=TXSM))
    d.see("frame", [f[50:52] for f in frames], [packet.correct()[50:52]])


@scenario("checksums: an offset beyond the packet inserts nothing", "3.3.5")
def _(d):
    packet = Packet(pattern(100))
    given = seeded(packet)
    d.tx_ring()
    frames = d.transmit(context_of(packet, tucso=250), d.data(given, options=TXSM))
    d.see("frame", frames, [given])


@scenario("checksums: a start beyond the packet inserts nothing", "3.3.5")
def _(d):
    packet = Packet(pattern(40))
    given = seeded(packet)
    d.tx_ring()
    frames = d.transmit(context_of(packet, tucss=250), d.data(given, options=TXSM))
    d.see("frame", [len(f) for f in frames], [len(given)])


@scenario("checksums: the field may lie behind the sum", "3.3.5")
def _(d):
    given = ethernet(PEER, STATION, size=200)
    expected = bytearray(given)
    expected[120:122] = checksum(given[20:100]).to_bytes(2, "big")
    d.tx_ring()
    frames = d.transmit(context(14, 24, 33, 20, 120, 99), d.data(given, options=TXSM))
    d.see("frame", frames, [expected], reasons.SUM_RANGE)


@scenario("checksums: the field may lie before the sum", "3.3.5")
def _(d):
    given = ethernet(PEER, STATION, size=200)
    expected = bytearray(given)
    expected[16:18] = checksum(given[20:100]).to_bytes(2, "big")
    d.tx_ring()
    frames = d.transmit(context(14, 24, 33, 20, 16, 99), d.data(given, options=TXSM))
    d.see("frame", frames, [expected])


@scenario("checksums: a sum of nothing is not inserted", "3.3.5")
def _(d):
    given = ethernet(PEER, STATION, size=100)
    d.tx_ring()
    frames = d.transmit(context(14, 24, 33, 210, 50, 0), d.data(given, options=TXSM))
    d.see("frame", frames, [given], reasons.SUM_RANGE)


@scenario("checksums: two that overlap", "3.3.5")
def _(d):
    given = ethernet(PEER, STATION, size=200)
    expected = bytearray(given)
    expected[30:32] = checksum(given[20:100]).to_bytes(2, "big")
    expected[60:62] = checksum(bytes(expected[20:150])).to_bytes(2, "big")
    d.tx_ring()
    frames = d.transmit(context(20, 30, 99, 20, 60, 149), d.data(given, options=IXSM | TXSM))
    d.see("frame", frames, [expected], reasons.SUM_ORDER)


def sum_of_zero(protocol):
    """A packet whose transport checksum comes out as 0."""
    start = Packet(b"\0\0" + pattern(64), 4, protocol)
    value = int.from_bytes(
        start.correct()[start.checksum_offset : start.checksum_offset + 2], "big"
    )
    return Packet(value.to_bytes(2, "big") + pattern(64), 4, protocol)


@scenario("checksums: UDP never sends 0", "RFC 768")
def _(d):
    packet = sum_of_zero(UDP)
    d.tx_ring()
    frames = d.transmit(context_of(packet), d.data(seeded(packet), options=IXSM | TXSM))
    d.see("checksum", [f[40:42] for f in frames], [b"\xff\xff"])


@scenario("checksums: TCP may send 0", "RFC 9293")
def _(d):
    packet = sum_of_zero(TCP)
    d.tx_ring()
    frames = d.transmit(context_of(packet), d.data(seeded(packet), options=IXSM | TXSM))
    d.see("checksum", [f[50:52] for f in frames], [b"\0\0"], reasons.TCP_ZERO)


@scenario("legacy checksum from {0} to {1}", "3.3.3", each=[(14, 50), (34, 50), (14, 24), (20, 21)])
def _(d, css, cso):
    given = bytearray(Packet(pattern(150)).bytes(0, 0))
    given[cso : cso + 2] = b"\0\0"
    expected = bytearray(given)
    expected[cso : cso + 2] = checksum(given[css:]).to_bytes(2, "big")
    d.tx_ring()
    frames = d.transmit(d.legacy(bytes(given), EOP | IFCS | RS | IC, css=css, cso=cso))
    d.see("frame", frames, [expected], reasons.LEGACY_SUM)


@scenario("legacy checksum: offsets beyond the packet do nothing", "3.3.3")
def _(d):
    given = ethernet(PEER, STATION, size=100)
    d.tx_ring()
    frames = d.transmit(
        d.legacy(given, EOP | IFCS | RS | IC, css=14, cso=200),
        d.legacy(given, EOP | IFCS | RS | IC, css=200, cso=50),
    )
    d.see("frames", frames, [given, given])


@scenario("legacy checksum: nothing without IC", "3.3.3")
def _(d):
    given = ethernet(PEER, STATION, size=100)
    d.tx_ring()
    d.see("frame", d.transmit(d.legacy(given, css=14, cso=50)), [given])


@scenario("checksums: IPv4 header sum with bytes to IPCSE only", "3.3.5")
def _(d):
    packet = Packet(pattern(64))
    given = packet.bytes(0, 0)
    expected = bytearray(given)
    expected[24:26] = checksum(given[14:30]).to_bytes(2, "big")
    d.tx_ring()
    frames = d.transmit(context_of(packet, ipcse=29), d.data(given, options=IXSM))
    d.see("frame", frames, [expected])


@scenario("checksums: the word at the offset is part of the sum", "3.3.5")
def _(d):
    packet = Packet(pattern(64))
    given = packet.bytes(0x1111, 0)
    expected = bytearray(given)
    expected[24:26] = checksum(given[14:34]).to_bytes(2, "big")
    d.tx_ring()
    frames = d.transmit(context_of(packet), d.data(given, options=IXSM))
    d.see("frame", frames, [expected])
