"""TCP segmentation (and UDP's), against frames that bench/packets.py cuts."""

import reasons
from bench.descriptors import context
from bench.packets import ACK, CWR, FIN, PSH, SYN, TCP, UDP, URG, Packet, pattern
from bench.registers import *
from bench.parts import COMPARED
from bench.scenario import scenario

PARTS = COMPARED


def tso_context(packet, mss, **fields):
    start = packet.transport_start
    command = TSE | (CONTEXT_TCP if packet.protocol == TCP else 0)
    command |= CONTEXT_IP if packet.ip == 4 else 0
    values = dict(
        ipcss=14,
        ipcso=24,
        ipcse=start - 1 if packet.ip == 4 else 0,
        tucss=start,
        tucso=packet.checksum_offset,
        tucse=0,
        payload=len(packet.payload),
        command=command,
        header=packet.header_bytes,
        mss=mss,
    )
    values.update(fields)
    return context(**values)


def options_of(packet):
    return TXSM | (IXSM if packet.ip == 4 else 0)


def send(d, packet, mss, cuts=(), command=0, special=0, **fields):
    """Context and data descriptors, the data cut at these places."""
    given = packet.prototype()
    edges = [0, *cuts, len(given)]
    entries = []
    for start, end in zip(edges, edges[1:]):
        last = end == len(given)
        entries.append(
            d.data(
                given[start:end],
                IFCS | TSE | command | (EOP | RS if last else 0),
                options=options_of(packet),
                special=special,
            )
        )
    return d.transmit(tso_context(packet, mss, **fields), *entries)


def kinds():
    for name, ip, protocol in (
        ("TCP over IPv4", 4, TCP),
        ("UDP over IPv4", 4, UDP),
        ("TCP over IPv6", 6, TCP),
        ("UDP over IPv6", 6, UDP),
    ):
        for payload, mss in (
            (4000, 1000),
            (4001, 1000),
            (999, 1000),
            (1000, 1000),
            (5000, 1460),
            (3, 1),
        ):
            yield name, payload, mss, ip, protocol


@scenario("segmentation: {0}, {1} bytes by {2}", "3.5", each=list(kinds()))
def _(d, name, payload, mss, ip, protocol):
    packet = Packet(pattern(payload), ip, protocol, flags=ACK | PSH | FIN)
    d.tx_ring()
    frames = send(d, packet, mss)
    segments = packet.segments(mss)
    empty = reasons.EMPTY_SEGMENT if payload % mss == 0 else None
    d.see("number of frames", len(frames), len(segments), empty)
    short = any(len(segment) < 60 for segment in segments)
    why = reasons.IPV6_LENGTH if ip == 6 else reasons.PADDING if short else empty
    d.see("frames", frames, [segment.ljust(60, b"\0") for segment in segments], why)


@scenario(
    "segmentation: descriptors end at {0}",
    "3.5.4",
    each=[
        ("54", (54,)),
        ("14", (14,)),
        ("34, 54", (34, 54)),
        ("14, 34, 54", (14, 34, 54)),
        ("30, 54, 1000", (30, 54, 1000)),
    ],
)
def _(d, name, cuts):
    packet = Packet(pattern(3500))
    d.tx_ring()
    d.see("frames", send(d, packet, 1200, cuts), packet.segments(1200))


@scenario("segmentation: data in descriptors that do not fit segments", "3.5.4")
def _(d):
    packet = Packet(pattern(6010))
    d.tx_ring()
    frames = send(d, packet, 1000, (54, 155, 156, 1055, 3000, 3001, 5990))
    d.see("frames", frames, packet.segments(1000))


@scenario("segmentation: header and data in one descriptor", "3.5.4")
def _(d):
    packet = Packet(pattern(2960))
    d.tx_ring()
    d.see("frames", send(d, packet, 1460), packet.segments(1460))
    d.see("DD", [d.tx_status(n) for n in range(2)], [0, 1])


@scenario(
    "segmentation: flags {0}: FIN and PSH in the last segment only",
    "3.5.9.2",
    each=[
        ("FIN", FIN),
        ("PSH", PSH),
        ("FIN, PSH", FIN | PSH),
        ("ACK", ACK),
        ("URG, SYN", URG | SYN),
        ("CWR", CWR | ACK),
    ],
)
def _(d, name, flags):
    packet = Packet(pattern(310), flags=flags)
    d.tx_ring()
    d.see("frames", send(d, packet, 100), packet.segments(100))


@scenario("segmentation: identification wraps", "3.5.9.1")
def _(d):
    packet = Packet(pattern(390), identification=0xFFFE)
    d.tx_ring()
    frames = send(d, packet, 100)
    d.see(
        "identification", [f[18:20] for f in frames], [b"\xff\xfe", b"\xff\xff", b"\0\0", b"\0\1"]
    )


@scenario("segmentation: sequence numbers wrap", "3.5.9.2")
def _(d):
    packet = Packet(pattern(390), sequence=0xFFFFFF80)
    d.tx_ring()
    frames = send(d, packet, 100)
    d.see("frames", frames, packet.segments(100))


@scenario("segmentation: TCP options are repeated", "3.5.4")
def _(d):
    packet = Packet(pattern(500), options=b"\1\1\10\12\0\0\0\1\0\0\0\2")
    d.tx_ring()
    d.see("frames", send(d, packet, 200), packet.segments(200))


@scenario("segmentation: 64 KiB of payload", "3.5")
def _(d):
    packet = Packet(pattern(60000))
    d.tx_ring()
    frames = send(d, packet, 1448, range(10000, 60000, 10000))
    d.see("frames", frames, packet.segments(1448))


@scenario("segmentation: a tag in every segment", "3.5, 9.4")
def _(d):
    d.set(CTRL, CTRL_VME)
    packet = Packet(pattern(1000), flags=ACK | PSH)
    d.tx_ring()
    frames = send(d, packet, 400, command=VLE, special=0x2123)
    packet.vlan = 0x2123
    d.see("frames", frames, packet.segments(400))


@scenario("segmentation: the tag stands in the first data descriptor", "3.5, 3.3.7")
def _(d):
    d.set(CTRL, CTRL_VME)
    packet = Packet(pattern(1000))
    given = packet.prototype()
    d.tx_ring()
    frames = d.transmit(
        tso_context(packet, 400),
        d.data(given[:54], IFCS | TSE | VLE, options=IXSM | TXSM, special=0x0123),
        d.data(given[54:], IFCS | TSE | VLE | EOP | RS, options=IXSM | TXSM, special=0x0123),
    )
    packet.vlan = 0x0123
    d.see("frames", frames, packet.segments(400))


@scenario("segmentation: two packets, each with its context", "3.5")
def _(d):
    first = Packet(pattern(700), sequence=1)
    second = Packet(pattern(940, 50), sequence=0x777, identification=0x4000)
    d.tx_ring()
    frames = send(d, first, 300) + send(d, second, 450)
    d.see("frames", frames, first.segments(300) + second.segments(450))


@scenario("segmentation: two packets with one context", "3.5")
def _(d):
    first = Packet(pattern(700), sequence=1)
    second = Packet(pattern(700, 50), sequence=0x777, identification=0x4000)
    d.tx_ring()
    frames = send(d, first, 300)
    frames += d.transmit(d.data(second.prototype(), IFCS | TSE | EOP | RS, options=IXSM | TXSM))
    d.see("first", frames[:3], first.segments(300))
    d.see("second", frames[3:], second.segments(300))


@scenario("segmentation: a plain frame between", "3.3.5")
def _(d):
    packet = Packet(pattern(700))
    plain = Packet(pattern(60)).bytes(0, 0)
    d.tx_ring()
    frames = send(d, packet, 300) + d.transmit(d.legacy(plain)) + send(d, packet, 300)
    d.see("frames", frames, packet.segments(300) + [plain] + packet.segments(300))


@scenario("segmentation: without checksum options none is inserted", "3.5.7")
def _(d):
    packet = Packet(pattern(500))
    given = packet.prototype()
    d.tx_ring()
    frames = d.transmit(tso_context(packet, 200), d.data(given, IFCS | TSE | EOP | RS))
    d.see("IP sums", [f[24:26] for f in frames], [b"\0\0"] * 3)
    d.see("TCP sums", [f[50:52] for f in frames], [given[50:52]] * 3)
    d.see(
        "lengths",
        [f[16:18] for f in frames],
        [(40 + n).to_bytes(2, "big") for n in (200, 200, 100)],
    )


@scenario(
    "segmentation: TSCTC counts contexts of {0} frames", "13.7.56", each=[("two", 2), ("one", 1)]
)
def _(d, name, count):
    packet = Packet(pattern(100 * count))
    d.tx_ring()
    send(d, packet, 100)
    d.see("TSCTC", d.statistic("TSCTC"), 1, reasons.TSO_COUNT)
    d.see("read again", d.statistic("TSCTC"), 0)


@scenario("segmentation: TSCTFC when payload was left", "13.7.57")
def _(d):
    packet = Packet(pattern(500))
    d.tx_ring()
    send(d, packet, 200, payload=600)
    d.see("TSCTFC", d.statistic("TSCTFC"), 1, reasons.TSO_COUNT)


@scenario("segmentation: every segment is a frame to the statistics", "13.7")
def _(d):
    packet = Packet(pattern(1000))
    d.tx_ring()
    send(d, packet, 300)
    d.see("GPTC", d.statistic("GPTC"), 4)
    d.see("TPT", d.statistic("TPT"), 4)
    d.see("PTC511", d.statistic("PTC511"), 3, reasons.COUNTERS)
    d.see("PTC255", d.statistic("PTC255"), 1, reasons.COUNTERS)
    d.see("GOTCL", d.read(GOTCL), 1000 + 4 * (54 + 4), reasons.COUNTERS)


@scenario("segmentation: one cause for all frames", "3.4.3")
def _(d):
    d.tx_ring()
    d.read(ICR)
    send(d, Packet(pattern(1000)), 300)
    d.see("causes", d.read(ICR) & (TXDW | TXQE), TXDW | TXQE)


@scenario("segmentation: padding of a short last segment", "13.4.33")
def _(d):
    packet = Packet(pattern(101), protocol=UDP)
    d.tx_ring()
    frames = send(d, packet, 100)
    d.see("last", frames[-1], packet.segments(100)[-1].ljust(60, b"\0"), reasons.PADDING)


@scenario("segmentation: {0} segments of {1}, header apart", "3.5.4", each=[(4, 1000), (1, 500)])
def _(d, count, mss):
    packet = Packet(pattern(count * mss), flags=ACK | PSH)
    d.tx_ring()
    d.see("frames", send(d, packet, mss, (54,)), packet.segments(mss), reasons.EMPTY_SEGMENT)
