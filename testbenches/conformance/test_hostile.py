"""Programs that broke other models of this controller family: the device must survive each of them,
and memory that no descriptor names must stay as it is."""


import pytest

from bench.bench import BAR, Bench, RX_RING, TX_RING
from bench.descriptors import context, data, legacy, receive
from bench.endpoint import MEMORY, MEMORY_BYTES
from bench.packets import BROADCAST, PEER, STATION, Packet, ethernet, pattern
from bench.registers import *

CANARY = MEMORY + 0x300000  # this and what follows belongs to nobody
CANARY_BYTES = MEMORY_BYTES - 0x300000
STRIPE = bytes(range(251)) * 16
LOOP = BMCR_LOOPBACK | BMCR_FD | BMCR_1000


@pytest.fixture
def d(model):
    model.restart()
    bench = Bench(model)
    bench.enable()
    bench.bring_up_link()
    canary = (STRIPE * (CANARY_BYTES // len(STRIPE) + 1))[:CANARY_BYTES]
    bench.qtest.write_bytes(CANARY, canary)
    yield bench
    survives(bench)
    assert bench.qtest.read_bytes(CANARY, CANARY_BYTES) == canary, "memory was overwritten"
    assert model.close() == 0, model.log()


def survives(d):
    """After a reset the device works as ever."""
    assert d.endpoint.alive()
    d.write(CTRL, CTRL_RST)
    d.step(10_000_000)
    d.set_config(0x04, 7, 2)
    d.phy_write(BMCR, 0x9140)
    d.bring_up_link()
    while d.endpoint.frames():  # what the socket had no room for follows
        d.step(1_000_000)
    d.write(RXCSUM, 0)
    frame = ethernet(PEER, STATION, size=321)
    d.tx_ring()
    assert d.transmit(d.legacy(frame)) == [frame]
    d.rx_ring(control=0)  # frames of before, which may still come, are broadcasts
    assert [p.data for p in d.deliver(ethernet(size=123))] == [ethernet(size=123)]


def test_cve_2012_6075_oversized_frame_without_lpe(d):
    d.rx_ring(size=2048)
    for size in (1519, 2049, 4000, 9000, 16000):
        d.send(ethernet(BROADCAST, size=size))
    assert d.received() == []
    assert d.rx_memory(0, 16 * 2048) == b"\xee" * (16 * 2048)


def test_cve_2012_6075_oversized_frame_with_sbp_stays_in_its_buffers(d):
    d.rx_ring(size=2048, count=8, control=RCTL_BAM | RCTL_SBP)
    d.send(ethernet(BROADCAST, size=16000))
    for entry in d.received():
        assert entry.length <= 2048


def test_cve_2015_6815_segmentation_that_makes_no_progress(d):
    d.tx_ring()
    given = Packet(pattern(100)).prototype()
    for mss in (0, 1):
        for header in (0, 1, 54, 200, 255):
            d.transmit(
                context(14, 24, 33, 34, 50, 0, 100, TSE | CONTEXT_TCP | CONTEXT_IP, header, mss),
                d.data(given, IFCS | TSE | EOP | RS, options=IXSM | TXSM),
            )
    assert d.read(TDH) == d.read(TDT)


@pytest.mark.parametrize(
    "head, tail", [(64, 3), (0xFFFF, 0), (0xFFFF, 0xFFFF), (65, 64), (3, 64), (0, 0xFFFF)]
)
def test_cve_2016_1981_head_or_tail_outside_the_transmit_ring(d, head, tail):
    d.tx_ring(64)
    d.write(TDH, head)
    d.write(TDT, tail)
    d.step(10_000_000)
    assert d.endpoint.alive()


@pytest.mark.parametrize(
    "head, tail", [(16, 3), (0xFFFF, 0), (0xFFFF, 0xFFFE), (3, 16), (0, 0xFFFF)]
)
def test_cve_2017_9310_head_or_tail_outside_the_receive_ring(d, head, tail):
    d.rx_ring(16)
    d.write(RDH, head)
    d.write(RDT, tail)
    d.send(*[ethernet(BROADCAST)] * 20)
    d.step(10_000_000)
    assert d.endpoint.alive()


@pytest.mark.parametrize("size", (14, 15, 20, 33, 40))
def test_cve_2016_2857_checksum_beyond_a_short_packet(d, size):
    d.tx_ring(control=TCTL_EN)
    given = ethernet(PEER, STATION, size=size)
    for start, offset, end in (
        (14, 24, 33),
        (34, 50, 0),
        (255, 255, 65535),
        (0, 255, 1),
        (size, size, 0),
        (size - 1, size - 1, 0),
        (20, 10, 5),
    ):
        d.transmit(
            context(start, offset, end, start, offset, end, 0, CONTEXT_TCP | CONTEXT_IP),
            d.data(given, options=IXSM | TXSM),
            d.legacy(given, EOP | IFCS | RS | IC, css=start, cso=offset),
        )
    assert d.read(TDH) == d.read(TDT)


def loop(d):
    d.phy_write(BMCR, LOOP)
    d.set(CTRL, CTRL_FRCSPD | CTRL_FRCDPX | CTRL_SPEED_1000 | CTRL_FD)


def test_cve_2020_15859_received_into_the_transmit_ring(d):
    """Each looped frame writes descriptors that send it again."""
    loop(d)
    d.tx_ring(64)
    d.rx_ring(16)
    d.qtest.write_bytes(RX_RING, b"".join(receive(TX_RING) for _ in range(16)))
    entry = legacy(0x300000, 60, EOP | IFCS | RS)
    body = STATION + STATION + b"\x08\x00" + entry * 60
    d.transmit(*[d.legacy(body[:900]) for _ in range(30)])
    d.step(10_000_000)


@pytest.mark.parametrize("protocol", (0, 1, 6, 17, 132, 255))
def test_cve_2020_16092_segmenting_a_raw_fragment(d, protocol):
    d.tx_ring()
    given = bytearray(Packet(pattern(3000)).prototype())
    given[20:22] = b"\x3f\xff"  # a fragment
    given[23] = protocol
    for command in (TSE, TSE | CONTEXT_IP, TSE | CONTEXT_TCP, TSE | CONTEXT_IP | CONTEXT_TCP):
        d.transmit(
            context(14, 24, 33, 34, 50, 0, 3000, command, 54, 1000),
            d.data(bytes(given), IFCS | TSE | EOP | RS, options=IXSM | TXSM),
        )
    assert d.read(TDH) == d.read(TDT)


def test_cve_2020_28916_receive_ring_of_null_buffers(d):
    d.rx_ring(16)
    d.qtest.write_bytes(RX_RING, receive(0) * 16)
    d.send(*[ethernet(BROADCAST, size=1000)] * 5)
    d.step(10_000_000)
    assert d.endpoint.alive()
    assert d.qtest.read_bytes(0, 2048) == bytes(2048)


def test_cve_2021_20257_size_beyond_header_and_segment(d):
    """A context that shrinks header and MSS once data has been gathered."""
    d.tx_ring()
    given = Packet(pattern(4000)).prototype()
    d.transmit(
        context(14, 24, 33, 34, 50, 0, 4000, TSE | CONTEXT_TCP | CONTEXT_IP, 54, 4000),
        d.data(given[:2000], IFCS | TSE, options=IXSM | TXSM),
        context(14, 24, 33, 34, 50, 0, 4000, TSE | CONTEXT_TCP | CONTEXT_IP, 54, 10),
        d.data(given[2000:], IFCS | TSE | EOP | RS, options=IXSM | TXSM),
    )
    assert d.read(TDH) == d.read(TDT)


def test_cve_2021_3416_loopback_and_receive_feed_each_other(d):
    loop(d)
    d.tx_ring(256)
    d.rx_ring(64)
    d.transmit(*[d.legacy(ethernet(BROADCAST, STATION, size=1000)) for _ in range(200)])
    d.send(*[ethernet(BROADCAST)] * 50)
    d.step(10_000_000)
    assert d.read(TDH) == d.read(TDT)


@pytest.mark.parametrize("register", (TDT, RDT, CTRL, ICS, PBM))
def test_cve_2021_3416_received_into_the_own_registers(d, register):
    loop(d)
    d.tx_ring(64)
    d.rx_ring(16)
    d.qtest.write_bytes(RX_RING, receive(BAR + register) * 16)
    d.transmit(*[d.legacy(ethernet(BROADCAST, STATION)) for _ in range(20)])
    d.step(10_000_000)


@pytest.mark.parametrize("register", (TDT, RDT, CTRL, ICR, PBM))
def test_cve_2023_3019_sent_out_of_the_own_registers(d, register):
    d.tx_ring(64)
    d.transmit(*[legacy(BAR + register, 60, EOP | IFCS | RS)] * 10)
    d.transmit(data(BAR + register, 60, EOP | IFCS | RS, IXSM | TXSM))
    assert d.read(TDH) == d.read(TDT)


def test_cve_2023_3019_rings_in_the_own_registers(d):
    d.tx_ring(64, base=BAR + PBM)
    d.write(TDT, 60)
    d.rx_ring(16)
    d.write(RCTL, 0)
    d.write(RDBAL, BAR + 0x3800)
    d.write(RCTL, RCTL_EN | RCTL_BAM)
    d.send(ethernet(BROADCAST))
    d.step(1_200_000_000)


@pytest.mark.parametrize("size", (34, 36, 40, 45))
def test_cve_2024_3567_checksum_of_a_short_sctp_packet(d, size):
    d.tx_ring(control=TCTL_EN)
    given = bytearray(Packet(pattern(64)).bytes()[:size])
    given[23] = 132
    for command in (0, CONTEXT_IP):
        d.transmit(
            context(14, 24, 33, 34, 42, 0, 0, command), d.data(bytes(given), options=IXSM | TXSM)
        )
    assert d.read(TDH) == d.read(TDT)


@pytest.mark.parametrize("header", (0, 43, 44, 51, 60, 135))
def test_lp1879531_truncated_ipv6_extension_headers(d, header):
    d.write(RXCSUM, RXCSUM_IPOFLD | RXCSUM_TUOFLD | RXCSUM_IPV6OFL)
    d.rx_ring(64)
    for length in (0, 1, 7, 255):
        for size in (54, 55, 56, 60, 61, 62, 80):
            payload = bytes([0x60, 0, 0, 0, 0xFF, 0xFF, header, 64]) + bytes(32)
            payload += bytes([header, length, 0, 0xFF, 0, 0, 0, 0]) * 4
            d.send(ethernet(STATION, kind=0x86DD, payload=payload[: size - 14]))
    d.step(1_000_000)
    assert d.received()


def test_virtualbox_2018_context_between_the_data_of_one_packet(d):
    """HDRLEN and MSS change under way, so that differences of them underflow."""
    d.tx_ring()
    given = Packet(pattern(8000)).prototype()
    for header, mss in ((255, 1), (54, 0), (1, 16383), (254, 16000), (60, 60)):
        d.transmit(
            context(14, 24, 33, 34, 50, 0, 8000, TSE | CONTEXT_TCP | CONTEXT_IP, 54, 1000),
            d.data(given[:10], IFCS | TSE, options=IXSM | TXSM),
            context(14, 24, 33, 34, 50, 0, 0xFFFFF, TSE | CONTEXT_TCP | CONTEXT_IP, header, mss),
            d.data(given[10:4010], IFCS | TSE, options=IXSM | TXSM),
            context(14, 24, 33, 34, 50, 0, 20, TSE | CONTEXT_IP, header, mss),
            d.data(given[4010:], IFCS | TSE | EOP | RS, options=IXSM | TXSM),
        )
    assert d.read(TDH) == d.read(TDT)


def test_cve_2019_5515_packets_longer_than_any_buffer(d):
    d.tx_ring(256)
    d.transmit(*[data(TX_RING, 0xFFFFF, IFCS)] * 40, data(TX_RING, 0xFFFFF, EOP | IFCS | RS))
    d.transmit(*[legacy(TX_RING, 0xFFFF, IFCS)] * 100, legacy(TX_RING, 0xFFFF, EOP | IFCS | RS))
    assert d.read(TDH) == d.read(TDT)


def test_cve_2019_5524_tags_in_packets_of_the_largest_size(d):
    d.set(CTRL, CTRL_VME)
    d.tx_ring(64)
    for size in (16284, 16288, 16200, 16383, 16384):
        d.transmit(
            legacy(TX_RING, size, EOP | IFCS | RS | VLE, special=0xFFFF),
            data(TX_RING, size, EOP | IFCS | RS | VLE, special=0xFFFF),
        )
    assert d.read(TDH) == d.read(TDT)


# --- lessons that have no number ---


@pytest.mark.parametrize("length", (0, 0x80))
def test_rings_of_no_or_smallest_length(d, length):
    d.tx_ring(8)
    d.rx_ring(8)
    d.write(TDLEN, length)
    d.write(RDLEN, length)
    d.write(TDT, 5)
    d.write(RDT, 5)
    d.send(*[ethernet(BROADCAST)] * 10)
    d.step(10_000_000)


def test_rings_at_the_top_of_memory_and_beyond(d):
    for base in ((64 << 20) - 128, (64 << 20) - 16, 64 << 20, (1 << 64) - 256, 0xFFFFFFF0):
        d.tx_ring(64, base=base, control=0)
        d.write(TDT, 40)
        d.write(TCTL, TCTL_NORMAL)
        d.step(1_000_000)
        d.write(CTRL, CTRL_RST | CTRL_SLU)
        d.step(1_000_000)
        d.bring_up_link()


def test_a_packet_that_never_ends(d):
    d.tx_ring(64)
    for _ in range(20):
        d.transmit(*[d.legacy(pattern(60), IFCS | RS) for _ in range(40)])
    assert d.endpoint.frames() == []


def test_payload_length_zero_and_header_longer_than_the_data(d):
    d.tx_ring()
    given = Packet(pattern(20)).prototype()
    for payload, header, mss in (
        (0, 54, 100),
        (0, 255, 1),
        (10, 255, 10),
        (0xFFFFF, 54, 100),
        (1, 54, 65535),
    ):
        d.transmit(
            context(14, 24, 33, 34, 50, 0, payload, TSE | CONTEXT_TCP | CONTEXT_IP, header, mss),
            d.data(given, IFCS | TSE | EOP | RS, options=IXSM | TXSM),
        )
    assert d.read(TDH) == d.read(TDT)


def test_head_and_tail_written_under_way(d):
    d.tx_ring(64)
    d.rx_ring(32)
    for n in range(40):
        d.post(d.legacy(ethernet(BROADCAST, STATION)))
        d.write(TDT, n * 7 % 64)
        d.write(TDH, n * 13 % 64)
        d.write(RDH, n * 5 % 32)
        d.write(RDT, n * 11 % 32)
        d.send(ethernet(BROADCAST))


@pytest.mark.parametrize("gate", ("bus master", "decoding", "reset", "D3"))
def test_stopped_in_the_middle_of_it(d, gate):
    d.tx_ring(64)
    d.rx_ring(32)
    for n in range(10):
        d.post(*[d.legacy(ethernet(BROADCAST, STATION, size=1400)) for _ in range(5)])
        d.qtest.batch([f"writel {BAR + TDT:#x} {d._tx_tail}"])
        if gate == "reset":
            d.write(CTRL, CTRL_RST)
        elif gate == "D3":
            d.set_config(0xE0, 3, 2)
        else:
            d.set_config(0x04, {"bus master": 3, "decoding": 5}[gate], 2)
        d.send(ethernet(BROADCAST))
        d.set_config(0xE0, 0, 2)
        d.step(20_000_000)
        d.place()
        d.set_config(0x04, 7, 2)


def test_a_storm_of_interrupt_causes(d):
    d.write(IMS, 0xFFFFFFFF)
    d.write(ITR, 0xFFFF)
    d.write_all([(ICS, 0xFFFFFFFF), (ICR, 0xFFFFFFFF), (ITR, 0), (ITR, 1)] * 500)
    d.step(100_000_000)


def test_frames_of_every_kind_of_nonsense(d):
    d.set(CTRL, CTRL_VME | CTRL_RFCE)
    d.write(RXCSUM, 0x7FF)
    d.rx_ring(64, control=RCTL_BAM | RCTL_UPE | RCTL_MPE | RCTL_SBP | RCTL_LPE | RCTL_VFE)
    for size in (14, 15, 16, 17, 18, 19, 20, 60):
        for kind in (0x8100, 0x0800, 0x86DD, 0x8808, 0xFFFF):
            d.send((BROADCAST + PEER + kind.to_bytes(2, "big") + b"\xff" * 60)[:size])
    d.step(1_000_000)
