"""How received frames are stored: buffers, descriptors, the ring, frames too long or too short."""

import zlib

import reasons
from bench.bench import RX_RING, UNTOUCHED
from bench.descriptors import receive
from bench.packets import STATION, TCP, UDP, Packet, ethernet, ones_sum, pattern
from bench.registers import *
from bench.parts import COMPARED
from bench.scenario import scenario

PARTS = COMPARED


@scenario(
    "receive: a frame of {} bytes", "3.2", each=(60, 61, 64, 127, 128, 255, 256, 1023, 1513, 1514)
)
def _(d, size):
    d.rx_ring()
    packet = d.deliver(ethernet(size=size))[0]
    d.see("data", packet.data, ethernet(size=size))
    d.see("length, with FCS", packet.length, size + 4)
    d.see(
        "status, errors",
        [packet.status & (RX_DD | RX_EOP | RX_VP), packet.errors],
        [RX_DD | RX_EOP, 0],
    )
    d.see("head", d.read(RDH), 1)


@scenario("receive: the FCS is stored", "3.2.3")
def _(d):
    d.rx_ring()
    d.deliver(ethernet())
    fcs = zlib.crc32(ethernet()).to_bytes(4, "little")
    d.see("behind the data", d.rx_memory(0, 4, 60), fcs, reasons.FCS_STORED)


@scenario("receive: SECRC leaves the FCS out", "13.4.22")
def _(d):
    d.rx_ring(control=RCTL_SECRC)
    packet = d.deliver(ethernet())[0]
    d.see("length", packet.length, 60)
    d.see("behind the data", d.rx_memory(0, 4, 60), bytes([UNTOUCHED] * 4))


@scenario("receive: nothing is written behind the frame", "3.2.2")
def _(d):
    d.rx_ring()
    d.deliver(ethernet())
    d.see("behind the FCS", d.rx_memory(0, 64, 64), bytes([UNTOUCHED] * 64))


SIZES = (256, 512, 1024, 2048, 4096, 8192, 16384)


@scenario("receive: buffers of {} bytes", "13.4.22", each=SIZES)
def _(d, size):
    control = RCTL_LPE if size > 512 else 0
    frame = ethernet(
        size=min(2 * size + 100, 9000 if size < 16384 else 16000) if size > 512 else 2 * size + 100
    )
    d.rx_ring(size=size, control=control)
    d.send(frame)
    entries = d.received()
    d.see("lengths", [e.length for e in entries])
    d.see(
        "status",
        [e.status & (RX_DD | RX_EOP) for e in entries],
        [RX_DD] * (len(entries) - 1) + [RX_DD | RX_EOP],
    )
    whole = b"".join(d.qtest.read_bytes(e.address, e.length) for e in entries)
    d.see("data", whole[:-4], frame)


@scenario(
    "receive: a frame that fills {0} buffers exactly", "3.2.2", each=[(1, 252), (2, 508), (3, 764)]
)
def _(d, count, size):
    d.rx_ring(size=256)
    d.send(ethernet(size=size))
    d.see("lengths", [e.length for e in d.received()], [256] * count)


@scenario("receive: the FCS alone in the last buffer", "3.2.2")
def _(d):
    d.rx_ring(size=256)
    packet = d.deliver(ethernet(size=254))[0]
    d.see("data", packet.data, ethernet(size=254))
    d.see("lengths", [d.rx_descriptor(n).length for n in range(2)], [256, 2])


@scenario("receive: several frames", "3.2")
def _(d):
    d.rx_ring()
    frames = [ethernet(size=60 + 13 * n) for n in range(10)]
    d.see("data", [p.data for p in d.deliver(*frames)], frames)
    d.see("head", d.read(RDH), 10)


@scenario("receive: the ring wraps, {} descriptors", "3.2.6", each=(8, 32, 256))
def _(d, count):
    d.rx_ring(count=count, index=count - 2, tail=count - 3, size=256)
    frames = [ethernet(size=60 + n) for n in range(5)]
    d.see("data", [p.data for p in d.deliver(*frames)], frames)
    d.see("head", d.read(RDH), 3)


@scenario("receive: many turns of a small ring", "3.2.6")
def _(d):
    d.rx_ring(count=8)
    data = b""
    for n in range(24):
        for packet in d.deliver(ethernet(size=60 + n)):
            data += packet.data
        d.qtest.write_bytes(RX_RING + 16 * (n % 8), receive(d.rx_buffer(n % 8)))
        d.write(RDT, n % 8)
    d.see("data", data, b"".join(ethernet(size=60 + n) for n in range(24)))


@scenario("receive: the descriptor at the tail stays software's", "3.2.6")
def _(d):
    d.rx_ring(tail=2)
    d.deliver(ethernet(), ethernet(), ethernet())
    d.see("head", d.read(RDH), 2)
    d.see("descriptor 2", d.rx_descriptor(2).status, 0)


@scenario("receive: frames that wait are stored when the tail moves", "3.2.6")
def _(d):
    d.rx_ring(tail=1)
    first = d.deliver(ethernet(size=60), ethernet(size=61), ethernet(size=62))
    d.see("before", [p.data for p in first], [ethernet(size=60)])
    d.write(RDT, 5)
    d.step(1_000_000)
    d.see("after", [p.data for p in d.deliver()], [ethernet(size=61), ethernet(size=62)])


@scenario("receive: buffers at odd addresses", "3.2.3")
def _(d):
    d.rx_ring()
    d.qtest.write_bytes(RX_RING, receive(d.rx_buffer(0) + 3))
    packet = d.deliver(ethernet(size=200))[0]
    d.see("data", packet.data, ethernet(size=200))
    d.see("before it", d.rx_memory(0, 3), bytes([UNTOUCHED] * 3))


@scenario("receive: a ring anywhere on 16 bytes", "13.4.25")
def _(d):
    d.rx_ring(base=RX_RING + 0x1230, count=8)
    d.see("data", [p.data for p in d.deliver(ethernet())], [ethernet()])


@scenario("receive: the address in the descriptor stays", "3.2.3")
def _(d):
    d.rx_ring()
    d.deliver(ethernet())
    d.see("address", d.rx_descriptor(0).address, d.rx_buffer(0))


@scenario("receive: a null descriptor is completed without data", "3.2.3")
def _(d):
    d.rx_ring()
    d.qtest.write_bytes(RX_RING, receive(0))
    d.send(ethernet())
    d.see("length", d.rx_descriptor(0).length, 0)
    d.see("DD", d.rx_descriptor(0).status & RX_DD, RX_DD)
    d.see("next descriptor", d.rx_descriptor(1).length, 64)


@scenario("receive: descriptors without EOP say length and DD alone", "3.2.3")
def _(d):
    d.rx_ring(size=256)
    d.send(ethernet(size=600))
    d.see(
        "status",
        [d.rx_descriptor(n).status & ~RX_IXSM for n in range(3)],
        [RX_DD, RX_DD, RX_DD | RX_EOP],
    )
    d.see("errors", [d.rx_descriptor(n).errors for n in range(3)], [0, 0, 0])


@scenario(
    "receive: {0} bytes with LPE {1}",
    "13.4.22",
    each=[
        (1518, 0, True),
        (1519, 0, False),
        (2000, 0, False),
        (1519, 1, True),
        (9000, 1, True),
        (16000, 1, True),
    ],
)
def _(d, size, lpe, expected):
    d.rx_ring(size=16384 if size > 2000 else 2048, control=RCTL_LPE * lpe, count=8)
    d.see("accepted", d.accepted(ethernet(size=size)), expected)


@scenario("receive: a tagged frame of 1518 bytes without LPE", "13.4.22")
def _(d):
    d.rx_ring()
    d.see("accepted", d.accepted(ethernet(size=1518, vlan=5)), True)


@scenario("receive: SBP takes oversized frames", "13.4.22")
def _(d):
    d.rx_ring(control=RCTL_SBP)
    d.see("2000 bytes", d.accepted(ethernet(size=2000)), True)


@scenario("receive: the longest frame with LPE is 16384 bytes with FCS", "13.4.22")
def _(d):
    d.rx_ring(size=16384, control=RCTL_LPE, count=8)
    d.see("16380 without", d.accepted(ethernet(size=16380)), True)
    d.see("16381 without", d.accepted(ethernet(size=16381)), False)


@scenario("receive: oversized frames count in ROC", "13.7.39")
def _(d):
    d.rx_ring()
    d.send(ethernet(size=2000))
    d.see("ROC", d.statistic("ROC"), 1, reasons.COUNTERS)


@scenario("receive: a frame of {} bytes comes padded to 60", "10.1", each=(14, 42, 59))
def _(d, size):
    d.rx_ring()
    packet = d.deliver(ethernet(size=size))[0]
    d.see("data", packet.data, ethernet(size=size).ljust(60, b"\0"), reasons.SHORT_FRAMES)
    d.see("length", packet.length, 64, reasons.SHORT_FRAMES)


@scenario("receive: the buffer size changes between frames", "13.4.22")
def _(d):
    d.rx_ring(size=256)
    d.see("256", [p.length for p in d.deliver(ethernet(size=300))], [304])
    d.clear(RCTL, RCTL_EN)
    d.write(RCTL, RCTL_EN | RCTL_SIZE[1024])
    d.step(1_200_000_000)
    d.send(ethernet(size=300))
    d.see("1024", [e.length for e in d.received()], [304])


@scenario("receive: off and on again", "13.4.22")
def _(d):
    d.rx_ring()
    d.see("on", len(d.deliver(ethernet())), 1)
    d.clear(RCTL, RCTL_EN)
    d.step(1_000_000)
    d.set(RCTL, RCTL_EN)
    d.step(1_200_000_000)
    d.see("on again", [p.data for p in d.deliver(ethernet(size=99))], [ethernet(size=99)])
    d.see("head", d.read(RDH), 2)


@scenario("receive: DTYP, DPF, PMCF, reserved bits change nothing for data", "13.4.22")
def _(d):
    d.rx_ring(control=RCTL_BAM | RCTL_DPF | RCTL_PMCF)
    d.see("accepted", d.accepted(ethernet()), True)


@scenario("receive: descriptor thresholds change no frame", "3.2.4")
def _(d):
    d.write(RXDCTL, 1 << 24 | 1 << 16 | 4 << 8 | 8)
    d.rx_ring()
    frames = [ethernet(size=60 + n) for n in range(6)]
    d.see("data", [p.data for p in d.deliver(*frames)], frames)


# --- checksums ---


@scenario("packet checksum: from PCSS {}", "3.2.3.1", each=(0, 14, 34))
def _(d, start):
    d.write(RXCSUM, start)
    d.rx_ring(control=RCTL_SECRC)
    frame = ethernet(size=100)
    d.deliver(frame)
    expected = 0 if d.part.old else ones_sum(frame[start:])
    why = reasons.PACKET_SUM if expected else None
    d.see("checksum", d.rx_descriptor(0).checksum, expected, why)


CHECKED = RX_IPCS | RX_TCPCS


@scenario(
    "receive checksum: {0} is right",
    "3.2.9",
    each=[("TCP over IPv4", 4, TCP), ("UDP over IPv4", 4, UDP)],
)
def _(d, name, ip, protocol):
    d.write(RXCSUM, RXCSUM_IPOFLD | RXCSUM_TUOFLD)
    d.rx_ring()
    packet = d.deliver(Packet(pattern(100), ip, protocol, to=STATION).correct())[0]
    d.see("status", packet.status & (RX_IXSM | CHECKED), CHECKED, reasons.RECEIVE_SUM)
    d.see("errors", packet.errors, 0)


@scenario(
    "receive checksum: wrong {0}", "3.2.9", each=[("IP header", 24, RX_IPE), ("TCP", 50, RX_TCPE)]
)
def _(d, name, offset, error):
    d.write(RXCSUM, RXCSUM_IPOFLD | RXCSUM_TUOFLD)
    d.rx_ring()
    frame = bytearray(Packet(pattern(100), to=STATION).correct())
    frame[offset] ^= 1
    packet = d.deliver(bytes(frame))[0]
    d.see("errors", packet.errors, error, reasons.RECEIVE_SUM)
    d.see("delivered all the same", packet.data, bytes(frame))


@scenario("receive checksum: TCP over IPv6 with IPV6OFL", "3.2.9")
def _(d):
    d.write(RXCSUM, RXCSUM_TUOFLD | RXCSUM_IPV6OFL)
    d.rx_ring()
    packet = d.deliver(Packet(pattern(100), ip=6, to=STATION).correct())[0]
    if d.part.old:
        d.see("not checked", packet.status & (RX_IXSM | CHECKED), RX_IXSM)
    else:
        d.see("status", packet.status & (RX_IXSM | CHECKED), RX_TCPCS, reasons.RECEIVE_SUM)


@scenario("receive checksum: what is no IP is not checked", "3.2.9")
def _(d):
    d.write(RXCSUM, RXCSUM_IPOFLD | RXCSUM_TUOFLD)
    d.rx_ring()
    packet = d.deliver(ethernet())[0]
    d.see("checked", packet.status & CHECKED, 0)
    d.see("errors", packet.errors, 0)


@scenario("receive checksum: off, IXSM says so", "3.2.9")
def _(d):
    d.rx_ring()
    packet = d.deliver(Packet(pattern(100), to=STATION).correct())[0]
    d.see("status", packet.status & (RX_IXSM | CHECKED), RX_IXSM)


@scenario("receive checksum: fragments are not checked for TCP", "3.2.9")
def _(d):
    d.write(RXCSUM, RXCSUM_IPOFLD | RXCSUM_TUOFLD)
    d.rx_ring()
    frame = bytearray(Packet(pattern(100), to=STATION).bytes())
    frame[20] = 0x20  # more fragments
    frame[24:26] = b"\0\0"
    frame[24:26] = (~ones_sum(bytes(frame[14:34])) & 0xFFFF).to_bytes(2, "big")
    packet = d.deliver(bytes(frame))[0]
    d.see("status", packet.status & (RX_IXSM | CHECKED), RX_IPCS, reasons.RECEIVE_SUM)
