"""The packet buffer as diagnostics see it: FIFO pointers and the window to its memory (manual 13.8,
13.4.16)."""

import zlib

import reasons
from bench.bench import BAR, IO_BAR, MILLISECOND
from bench.packets import PEER, STATION, ethernet
from bench.parts import COMPARED
from bench.registers import *
from bench.scenario import scenario

POINTERS, MEMORY = reasons.FIFO_POINTERS, reasons.PACKET_BUFFER
RECEIVE, TRANSMIT = (RDFH, RDFT, RDFHS, RDFTS, RDFPC), (TDFH, TDFT, TDFHS, TDFTS, TDFPC)
NAMES = "head", "tail", "saved head", "saved tail", "packets"
TRANSMIT_BASE = 48 * 128  # the FIFO behind 48 KiB for receiving, in words of 8 bytes
ALL = 0xFFFFFFFF


def fcs(frame):
    return frame + zlib.crc32(frame).to_bytes(4, "little")


def words(size):
    """What so many bytes take in a FIFO."""
    return (size + 7) // 8


def see_fifo(d, label, registers, head, tail, packets):
    """All five registers of a FIFO. No packet is being taken out or put in."""
    expected = head, tail, head, tail, packets
    for name, value, wanted in zip(NAMES, d.read_all(registers), expected):
        d.see(f"{label}: {name}", value, wanted, POINTERS if wanted else None)


def window(d, word, count):
    """Bytes of the memory from a FIFO word on."""
    return d.qtest.read_bytes(BAR + PBM + 8 * word, count)


def hold(d, *frames):
    """Has frames wait in the receive FIFO behind one that has been stored."""
    d.rx_ring(tail=1)
    d.deliver(ethernet(), *frames)


def split(d, kibibytes):
    """Another share of the packet buffer for receiving. It counts from the next reset on."""
    d.write(PBA, kibibytes)
    d.write(CTRL, CTRL_RST)
    d.step(20 * MILLISECOND)
    d.station(0, STATION)  # the 82544 does not read its EEPROM again
    d.bring_up_link()


# --- receive ---


@scenario("FIFO: empty after power-on", "13.8, 13.4.16", "enabled", parts=COMPARED)
def _(d):
    see_fifo(d, "receive", RECEIVE, 0, 0, 0)
    see_fifo(d, "transmit", TRANSMIT, TRANSMIT_BASE, TRANSMIT_BASE, 0)


@scenario(
    "receive FIFO: {1} frames of {0} bytes wait for descriptors",
    "13.8.1 to 13.8.5",
    each=[(60, 1), (61, 3), (1514, 2), (300, 8)],
    parts=COMPARED,
)
def _(d, size, count):
    hold(d, *[ethernet(size=size)] * count)
    each = words(size + 4)
    see_fifo(d, "waiting", RECEIVE, 8, 8 + count * each, count)
    d.write(RDT, 12)
    d.step(MILLISECOND)
    d.see("then stored", [p.data for p in d.deliver()], [ethernet(size=size)] * count)
    see_fifo(d, "drained", RECEIVE, 8 + count * each, 8 + count * each, 0)


@scenario("receive FIFO: descriptors come one by one", "13.8.1")
def _(d):
    frames = [ethernet(size=100 + 50 * n) for n in range(3)]
    hold(d, *frames)
    head, end = 8, 8 + sum(words(len(f) + 4) for f in frames)
    for n, frame in enumerate(frames):
        d.write(RDT, 2 + n)
        d.step(MILLISECOND)
        d.see(f"frame {n}", [p.data for p in d.deliver()], [frame])
        head += words(len(frame) + 4)
        see_fifo(d, f"frame {n}", RECEIVE, head, end, 2 - n)


@scenario(
    "receive FIFO: the window shows waiting frames of {} bytes, with FCS",
    "13.8.11",
    each=(60, 61, 1514),
)
def _(d, size):
    first, second = ethernet(size=size), ethernet(size=size + 1)
    hold(d, first, second)
    d.see("first", window(d, 8, size + 4), fcs(first), MEMORY)
    d.see("second", window(d, 8 + words(size + 4), size + 5), fcs(second), MEMORY)


@scenario("receive FIFO: once looked at, the memory keeps frames that have left", "13.8.11")
def _(d):
    d.read(PBM)
    d.rx_ring()
    d.see("stored", [p.data for p in d.deliver(ethernet(size=99))], [ethernet(size=99)])
    d.see("still there", window(d, 0, 103), fcs(ethernet(size=99)), MEMORY)
    see_fifo(d, "behind it", RECEIVE, 13, 13, 0)


@scenario("receive FIFO: goes round the end of its share", "13.8.1, 13.8.11")
def _(d):
    split(d, 8)
    frame = ethernet(size=996)  # 125 words with its FCS, of 1024
    d.rx_ring(tail=8)
    d.see("eight are stored", [p.data for p in d.deliver(*[frame] * 10)], [frame] * 8)
    see_fifo(d, "two wait", RECEIVE, 1000, 10 * 125 - 1024, 2)
    content = window(d, 1000, 24 * 8) + window(d, 0, 101 * 8)
    d.see("the first, in two pieces", content, fcs(frame), MEMORY)
    d.see("the second", window(d, 101, 1000), fcs(frame), MEMORY)
    d.write(RDT, 12)
    d.step(MILLISECOND)
    d.see("two more are stored", [p.data for p in d.deliver()], [frame] * 2)
    see_fifo(d, "drained", RECEIVE, 226, 226, 0)


@scenario("receive FIFO: a full one misses frames and does not move", "13.8.2")
def _(d):
    split(d, 8)
    hold(d, *[ethernet(size=1000)] * 12)
    see_fifo(d, "full", RECEIVE, 8, 8 + 8 * 126, 8)
    d.see("missed", d.statistic("MPC"), 4, reasons.NO_DESCRIPTORS)


@scenario("receive FIFO: CTRL.RST empties it", "14.7, 13.8")
def _(d):
    hold(d, ethernet(size=200))
    d.write(CTRL, CTRL_RST)
    d.step(20 * MILLISECOND)
    see_fifo(d, "after", RECEIVE, 0, 0, 0)


@scenario("receive FIFO: pointers can be written at rest, and count from there", "13.8.1")
def _(d):
    for offset in RECEIVE[:4]:
        d.write(offset, 0x123)
    d.write(RDFPC, 0x5)
    d.see("read back", d.read_all(RECEIVE), [0x123] * 4 + [5], POINTERS)
    hold(d, ethernet(size=200))
    see_fifo(d, "two frames later", RECEIVE, 0x12B, 0x12B + words(204), 1)
    d.see("PBM", window(d, 0x12B, 204), fcs(ethernet(size=200)), MEMORY)


@scenario("receive FIFO: a tail beyond its share is its start", "13.8.2, 13.4.16")
def _(d):
    for offset in RECEIVE[:4]:
        d.write(offset, 0x1FFF)
    d.see("read back", d.read_all(RECEIVE[:4]), [0x1FFF] * 4, POINTERS)
    hold(d, ethernet(size=200))
    see_fifo(d, "two frames later", RECEIVE, 8, 8 + words(204), 1)


@scenario("receive FIFO: writes are ignored while the receiver is on", "13.8.1")
def _(d):
    hold(d, ethernet(size=200))
    for offset in RECEIVE:
        d.write(offset, 0x321)
    see_fifo(d, "waiting", RECEIVE, 8, 8 + words(204), 1)
    d.write(RCTL, 0)
    d.write(RDFH, 0x100)
    d.see("off, but a frame waits: head", d.read(RDFH), 8, POINTERS)


# --- transmit ---


def see_transmit(d, label, head, tail, packets):
    see_fifo(d, label, TRANSMIT, TRANSMIT_BASE + head, TRANSMIT_BASE + tail, packets)


def quiet(d):
    """Without link for the MAC: frames wait. QEMU sends them."""
    d.clear(CTRL, CTRL_SLU)
    d.step(MILLISECOND)


@scenario("transmit FIFO: pointers move on with every frame", "13.8.6 to 13.8.10", parts=COMPARED)
def _(d):
    d.tx_ring()
    end = 0
    for size in (60, 61, 1514):
        frame = ethernet(PEER, STATION, size=size)
        d.see(f"{size} bytes", d.transmit(d.legacy(frame)), [frame])
        d.step(MILLISECOND)
        end += words(size)
        see_transmit(d, f"{size} bytes", end, end, 0)


@scenario("transmit FIFO: frames wait for the link", "13.8.6 to 13.8.10")
def _(d):
    d.tx_ring()
    quiet(d)
    frames = [ethernet(PEER, STATION, size=size) for size in (60, 333, 1000)]
    d.write(TDT, d.post(*map(d.legacy, frames)))
    d.step(MILLISECOND)
    end = sum(words(len(frame)) for frame in frames)
    see_transmit(d, "waiting", 0, end, 3)
    d.see("PBM", window(d, TRANSMIT_BASE + 8, 333), frames[1], MEMORY)
    d.set(CTRL, CTRL_SLU)
    d.step(MILLISECOND)
    d.see("sent", d.endpoint.frames(), frames)
    see_transmit(d, "sent", end, end, 0)


@scenario("transmit FIFO: starts behind the receive FIFO from the next reset on", "13.4.16, 13.8.6")
def _(d):
    for kibibytes in (40, 8, 63):
        before = d.read(TDFH)
        d.write(PBA, kibibytes)
        d.see(f"{kibibytes} KiB: not yet", d.read(TDFH) - before, 0)
        d.write(CTRL, CTRL_RST)
        d.step(20 * MILLISECOND)
        base = 128 * kibibytes
        see_fifo(d, f"{kibibytes} KiB", TRANSMIT, base, base, 0)


@scenario("transmit FIFO: goes round the end of its share", "13.8.6, 13.4.16")
def _(d):
    split(d, 62)  # 256 words from 7936 on
    d.tx_ring()
    d.read(PBM)  # the memory keeps frames from here on
    frame = ethernet(PEER, STATION, size=800)
    for n in range(1, 5):
        d.see(f"frame {n}", d.transmit(d.legacy(frame)), [frame])
        d.step(MILLISECOND)
        at = 7936 + 100 * n % 256
        see_fifo(d, f"frame {n}", TRANSMIT, at, at, 0)
    content = window(d, 7936 + 200, 56 * 8) + window(d, 7936, 44 * 8)
    d.see("frame 3, in two pieces", content, frame, MEMORY)


@scenario("transmit FIFO: the reset that drivers of the 82547 carry out", "13.8.6 to 13.8.9")
def _(d):
    d.tx_ring()
    frame = ethernet(PEER, STATION, size=1000)
    d.transmit(d.legacy(frame))
    d.step(MILLISECOND)
    see_transmit(d, "before", 125, 125, 0)
    control = d.read(TCTL)
    d.write(TCTL, control & ~TCTL_EN)
    for offset in (TDFT, TDFH, TDFTS, TDFHS):
        d.write(offset, TRANSMIT_BASE)
    d.write(TCTL, control)
    see_transmit(d, "reset", 0, 0, 0)
    d.see("a frame", d.transmit(d.legacy(frame)), [frame])
    d.step(MILLISECOND)
    see_transmit(d, "behind it", 125, 125, 0)


@scenario("transmit FIFO: pointers can be written at rest", "13.8.6")
def _(d):
    for n, offset in enumerate(TRANSMIT):
        d.write(offset, 0x210 + n)
    d.see("read back", d.read_all(TRANSMIT), [0x210 + n for n in range(5)], POINTERS)
    d.write(TDFT, 0x1FFF)
    d.see("13 bits", d.read(TDFT), 0x1FFF, POINTERS)


@scenario("transmit FIFO: writes are ignored while the transmitter is on", "13.8.6")
def _(d):
    d.tx_ring()
    for offset in TRANSMIT:
        d.write(offset, 0x123)
    see_transmit(d, "on", 0, 0, 0)


@scenario("transmit FIFO: writes are ignored while frames wait", "13.8.6")
def _(d):
    d.tx_ring()
    quiet(d)
    d.write(TDT, d.post(d.legacy(ethernet(PEER, STATION))))
    d.step(MILLISECOND)
    d.clear(TCTL, TCTL_EN)
    for offset in TRANSMIT:
        d.write(offset, 0x123)
    see_transmit(d, "waiting", 0, 8, 1)


# --- the window, the 82542's addresses ---


@scenario("packet buffer: what software writes stays beside frames", "13.8.11")
def _(d):
    d.write_all((PBM + 4 * n, 0x01010101 * n) for n in range(40))
    hold(d)
    d.see("the frame", window(d, 0, 64), fcs(ethernet()), MEMORY)
    d.see(
        "behind it",
        d.read_all(PBM + 4 * n for n in range(16, 40)),
        list(0x01010101 * n for n in range(16, 40)),
    )


@scenario("packet buffer: CTRL.RST keeps its memory", "14.7, 13.8.11")
def _(d):
    d.write(PBM + 0x4320, 0xCAFEF00D)
    d.write(CTRL, CTRL_RST)
    d.step(20 * MILLISECOND)
    d.see("PBM", d.read(PBM + 0x4320), 0xCAFEF00D)


@scenario("packet buffer: bytes written into a waiting frame are not the frame's", "13.8.11")
def _(d):
    frame = ethernet(size=200)
    hold(d, frame)
    d.write(PBM + 8 * 8 + 100, ALL)
    d.see(
        "window", window(d, 8 + 12, 12), fcs(frame)[96:100] + b"\xff" * 4 + frame[104:108], MEMORY
    )
    d.write(RDT, 8)
    d.step(MILLISECOND)
    d.see("stored", [p.data for p in d.deliver()], [frame])


@scenario("FIFO: the 82542's addresses and the I/O window agree", "13.2, 13.2.2, 13.8")
def _(d):
    hold(d, ethernet(size=200))
    tail = 8 + words(204)
    for name, alias, expected in (
        ("RDFH", 0x8000, 8),
        ("RDFT", 0x8008, tail),
        ("TDFH", 0x8010, TRANSMIT_BASE),
        ("TDFT", 0x8018, TRANSMIT_BASE),
    ):
        d.see(name, d.read(alias), expected, POINTERS)
    for name, offset, expected in (("RDFH", RDFH, 8), ("RDFPC", RDFPC, 1)):
        d.qtest.port_write(IO_BAR, 4, offset)
        d.see(f"I/O: {name}", d.qtest.port_read(IO_BAR + 4, 4), expected, reasons.IO_WINDOW)
    d.qtest.port_write(IO_BAR, 4, PBM + 64)
    first = int.from_bytes(STATION[:4], "little")
    d.see("I/O: the frame", d.qtest.port_read(IO_BAR + 4, 4), first, reasons.IO_WINDOW)
