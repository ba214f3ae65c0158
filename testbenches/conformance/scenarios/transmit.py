"""Transmit descriptors and the ring, without offloads."""

import reasons
from bench.bench import DATA, TX_RING
from bench.descriptors import context, data, legacy
from bench.packets import BROADCAST, PEER, STATION, ethernet
from bench.registers import *
from bench.parts import COMPARED
from bench.scenario import scenario

PARTS = COMPARED


def frame(size=60, **fields):
    return ethernet(PEER, STATION, size=size, **fields)


@scenario(
    "transmit: a legacy descriptor of {} bytes",
    "3.3.3",
    each=(60, 61, 64, 100, 255, 256, 511, 512, 1023, 1024, 1513, 1514),
)
def _(d, size):
    d.tx_ring()
    d.see("frame", d.transmit(d.legacy(frame(size))), [frame(size)])
    d.see("DD", d.tx_status(0), 1)
    d.see("head", d.read(TDH), 1)


@scenario("transmit: a data descriptor of {} bytes", "3.3.6", each=(60, 61, 64, 777, 1514))
def _(d, size):
    d.tx_ring()
    d.see("frame", d.transmit(d.data(frame(size))), [frame(size)])
    d.see("DD", d.tx_status(0), 1)


@scenario("transmit: a jumbo frame of {} bytes", "3.3.3", each=(1518, 4000, 9014, 16000))
def _(d, size):
    d.tx_ring()
    d.see("frame", d.transmit(d.legacy(frame(size))), [frame(size)])


@scenario("transmit: data at an address that ends in {}", "3.3.3", each=(1, 2, 3, 7))
def _(d, odd):
    d.tx_ring()
    content = frame(333)
    address = d.store(content, DATA + 0x1000 + odd)
    d.see("frame", d.transmit(legacy(address, 333, EOP | IFCS | RS)), [content])


@scenario("transmit: a frame in {} descriptors", "3.3", each=(2, 3, 5, 16))
def _(d, count):
    d.tx_ring()
    content = frame(800)
    cut = 800 // count
    pieces = [content[n * cut : (n + 1) * cut if n < count - 1 else None] for n in range(count)]
    entries = [
        d.legacy(piece, IFCS | (EOP | RS if n == count - 1 else 0))
        for n, piece in enumerate(pieces)
    ]
    d.see("frame", d.transmit(*entries), [content])
    d.see("head", d.read(TDH), count)
    d.see("DD", [d.tx_status(n) for n in range(count)], [0] * (count - 1) + [1])


@scenario("transmit: pieces of one byte", "3.3")
def _(d):
    d.tx_ring()
    content = frame(70)
    entries = [d.legacy(content[n : n + 1], IFCS) for n in range(20)]
    d.see("frame", d.transmit(*entries, d.legacy(content[20:])), [content])


@scenario("transmit: nothing before the end of the packet", "3.3.3")
def _(d):
    d.tx_ring()
    content = frame(200)
    d.see("first half", d.transmit(d.legacy(content[:100], IFCS | RS)), [])
    d.see("its DD", d.tx_status(0), 1)
    d.see("second half", d.transmit(d.legacy(content[100:])), [content])


@scenario("transmit: several frames with one tail write", "3.4")
def _(d):
    d.tx_ring()
    contents = [frame(60 + 17 * n) for n in range(20)]
    d.see("frames", d.transmit(*[d.legacy(content) for content in contents]), contents)
    d.see("head", d.read(TDH), 20)


@scenario("transmit: legacy and data descriptors in turn", "3.3")
def _(d):
    d.tx_ring()
    contents = [frame(100 + n) for n in range(6)]
    entries = [(d.legacy, d.data)[n % 2](content) for n, content in enumerate(contents)]
    d.see("frames", d.transmit(*entries), contents)


@scenario("transmit: status only where RS asks for it", "3.3.3.1")
def _(d):
    d.tx_ring()
    d.transmit(
        d.legacy(frame(), EOP | IFCS),
        d.legacy(frame()),
        d.data(frame(), EOP | IFCS),
        d.data(frame()),
    )
    d.see("DD", [d.tx_status(n) for n in range(4)], [0, 1, 0, 1])


@scenario("transmit: the write-back changes the status alone", "3.3.3.2")
def _(d):
    d.tx_ring()
    entry = d.legacy(frame(), css=14, cso=20, special=0x2345)
    d.transmit(entry)
    d.see("descriptor", d.tx_descriptor(0), entry[:12] + b"\1" + entry[13:])


@scenario("transmit: RPS is reserved but on the 82544", "3.3.3.1")
def _(d):
    d.tx_ring()
    d.see("frame", d.transmit(d.legacy(frame(), EOP | IFCS | RPS)), [frame()])
    if d.part.old:
        d.see("DD", d.tx_status(0), 1)
    else:
        d.see("DD", d.tx_status(0), 0, reasons.RPS)


@scenario("transmit: a descriptor of length 0 moves nothing", "3.3.3")
def _(d):
    d.tx_ring()
    content = frame(300)
    frames = d.transmit(
        d.legacy(content[:100], IFCS), legacy(DATA, 0, IFCS | RS), d.legacy(content[100:])
    )
    d.see("frame", frames, [content])
    d.see("its DD", d.tx_status(1), 1)


@scenario("transmit: a null descriptor alone", "3.3.3")
def _(d):
    d.tx_ring()
    d.see("frames", d.transmit(legacy(0, 0, RS)), [])
    d.see("DD", d.tx_status(0), 1)
    d.see("head", d.read(TDH), 1)


@scenario("transmit: the end of a packet in a descriptor of length 0", "3.3.3")
def _(d):
    d.tx_ring()
    d.see(
        "frame", d.transmit(d.legacy(frame(90), IFCS), legacy(0, 0, EOP | IFCS | RS)), [frame(90)]
    )


@scenario("transmit: a context descriptor takes a place and reports", "3.3.5")
def _(d):
    d.tx_ring()
    d.see("frames", d.transmit(context(command=RS)), [])
    d.see("DD", d.tx_status(0), 1)
    d.see("head", d.read(TDH), 1)


@scenario("transmit: a context descriptor without RS reports nothing", "3.3.5")
def _(d):
    d.tx_ring()
    d.transmit(context())
    d.see("DD", d.tx_status(0), 0)


@scenario("transmit: the ring wraps, {} descriptors", "3.4", each=(8, 16, 64, 256))
def _(d, count):
    d.tx_ring(count, index=count - 2)
    contents = [frame(60 + n) for n in range(5)]
    d.see("frames", d.transmit(*[d.legacy(content) for content in contents]), contents)
    d.see("head", d.read(TDH), 3)
    d.see("DD", [d.tx_status((count - 2 + n) % count) for n in range(6)], [1] * 5 + [0])


@scenario("transmit: many turns of a small ring", "3.4")
def _(d):
    d.tx_ring(8)
    frames = []
    for n in range(30):
        frames += d.transmit(d.legacy(frame(60 + n)))
    d.see("frames", len(frames), 30)
    d.see("contents", b"".join(frames), b"".join(frame(60 + n) for n in range(30)))
    d.see("head", d.read(TDH), 30 % 8)


@scenario("transmit: a full ring", "3.4")
def _(d):
    d.tx_ring(32)
    frames = d.transmit(*[d.legacy(frame(60 + n)) for n in range(31)])
    d.see("frames", len(frames), 31)
    d.see("head", d.read(TDH), 31)


@scenario("transmit: the ring may lie anywhere on 16 bytes", "13.4.36")
def _(d):
    d.tx_ring(8, base=TX_RING + 0x8010)
    d.see("frame", d.transmit(d.legacy(frame())), [frame()])


@scenario("transmit: tail equal to head starts nothing", "13.4.40")
def _(d):
    d.tx_ring(index=5)
    d.write(TDT, 5)
    d.see("frames", d.endpoint.frames(), [])
    d.see("head", d.read(TDH), 5)
    d.see("causes", d.read(ICR), 0, reasons.EMPTY_TAIL)


@scenario("transmit: waits for TCTL.EN", "13.4.33")
def _(d):
    d.tx_ring(control=TCTL_PSP)
    d.see("off", d.transmit(d.legacy(frame())), [])
    d.see("head", d.read(TDH), 0)
    d.write(TCTL, TCTL_NORMAL)
    d.see("on", d.endpoint.frames(), [frame()])
    d.see("head after", d.read(TDH), 1)


@scenario("transmit: frame after frame, on and off", "13.4.33")
def _(d):
    d.tx_ring()
    d.see("on", d.transmit(d.legacy(frame(61))), [frame(61)])
    d.write(TCTL, 0)
    d.see("off", d.transmit(d.legacy(frame(62))), [])
    d.write(TCTL, TCTL_NORMAL)
    d.see("on again", d.endpoint.frames(), [frame(62)])


@scenario("transmit: two frames per tail write, the first without status", "3.3.3")
def _(d):
    d.tx_ring()
    d.see(
        "frames",
        d.transmit(d.legacy(frame(60), EOP | IFCS), d.legacy(frame(61))),
        [frame(60), frame(61)],
    )
    d.see("DD", [d.tx_status(0), d.tx_status(1)], [0, 1])


@scenario("transmit: destination does not matter ({})", "3.3", each=("broadcast", "own address"))
def _(d, which):
    d.tx_ring()
    content = ethernet(BROADCAST if which == "broadcast" else STATION, STATION)
    d.see("frame", d.transmit(d.legacy(content)), [content])


@scenario("transmit: TXDW with the write-back", "3.4.3")
def _(d):
    d.tx_ring()
    d.transmit(d.legacy(frame(), EOP | IFCS))
    d.see("without RS", d.read(ICR) & TXDW, 0)
    d.transmit(d.legacy(frame()))
    d.see("with RS", d.read(ICR) & TXDW, TXDW)


@scenario("transmit: TXQE when the ring is empty", "3.4.3")
def _(d):
    d.tx_ring()
    d.transmit(d.legacy(frame(), EOP | IFCS))
    d.see("cause", d.read(ICR) & TXQE, TXQE)


@scenario("transmit: PSP pads {} bytes to 60", "13.4.33", each=(20, 42, 59))
def _(d, size):
    d.tx_ring()
    content = frame(size)
    d.see("frame", d.transmit(d.legacy(content)), [content.ljust(60, b"\0")], reasons.PADDING)


@scenario("transmit: without PSP a frame of {} bytes stays short", "13.4.33", each=(40, 59))
def _(d, size):
    d.tx_ring(control=TCTL_EN)
    content = frame(size)
    d.see("frame", [f[:size] for f in d.transmit(d.legacy(content))], [content])


@scenario("transmit: without IFCS the buffer carries the FCS", "3.3.3.1")
def _(d):
    import zlib

    d.tx_ring()
    content = frame(100)
    fcs = zlib.crc32(content).to_bytes(4, "little")
    d.see("frame", d.transmit(d.legacy(content + fcs, EOP | RS)), [content], reasons.IFCS_OFF)


@scenario("transmit: DTALEN above 64 KiB is no packet", "3.3.6")
def _(d):
    d.tx_ring()
    d.see("frames", d.transmit(data(DATA, 0x10064, EOP | IFCS | RS)), [], reasons.TX_LONG)
    d.see("DD", d.tx_status(0), 1)
    d.see("the next", d.transmit(d.legacy(frame(77))), [frame(77)])


@scenario("transmit: descriptor type {0} is reserved", "3.3.5", each=[(2, "even"), (3, "odd")])
def _(d, kind, name):
    d.tx_ring()
    entry = bytearray(d.data(frame(100)))
    entry[10] = entry[10] & 0x0F | kind << 4
    d.see("frames", d.transmit(bytes(entry)), [], reasons.RESERVED_TYPE if kind & 1 else None)
    d.see("head", d.read(TDH), 1)
    d.see("the next", d.transmit(d.legacy(frame(77))), [frame(77)])


@scenario("transmit: a context inside a packet", "3.3.5")
def _(d):
    d.tx_ring()
    content = frame(200)
    frames = d.transmit(
        d.data(content[:100], IFCS), context(14, 24, 33, 34, 50), d.data(content[100:])
    )
    d.see("frames", frames, [], reasons.CONTEXT_IN_PACKET)
    d.see("head", d.read(TDH), 3)
    d.see("the next", d.transmit(d.legacy(frame(77))), [frame(77)])


@scenario("transmit: waits for link", "13.4.2")
def _(d):
    d.tx_ring()
    d.phy_write(BMCR, BMCR_AUTONEG | BMCR_RESTART | BMCR_FD | BMCR_1000)
    d.see("without link", d.transmit(d.legacy(frame())), [], reasons.LINK_DOWN_TX)
    d.step(1_000_000_000)
    d.see("with link", d.endpoint.frames(), [frame()], reasons.LINK_DOWN_TX)


@scenario("transmit: TXD_LOW when few descriptors are left", "13.4.43")
def _(d):
    d.write(TXDCTL, 1 << 25)  # LWTHRESH: 8 descriptors
    d.tx_ring(64)
    d.read(ICR)
    d.transmit(*[d.legacy(frame()) for _ in range(4)])
    d.see("never more than 8", d.read(ICR) & TXD_LOW, 0)
    d.transmit(*[d.legacy(frame()) for _ in range(12)])
    if d.part.old:
        d.see("no such cause", d.read(ICR) & TXD_LOW, 0)
    else:
        d.see("12, then 8", d.read(ICR) & TXD_LOW, TXD_LOW, reasons.TXD_LOW_CAUSE)


@scenario("transmit: a write-back threshold gathers descriptors", "3.4.2")
def _(d):
    d.write(TXDCTL, 1 << 24 | 4 << 16)  # GRAN, WTHRESH 4
    d.tx_ring()
    d.transmit(*[d.legacy(frame(60 + n)) for n in range(4)])
    d.see("four", [d.tx_status(n) for n in range(4)], [1] * 4)


@scenario("transmit: descriptor thresholds change no frame", "3.4.1")
def _(d):
    d.write(TXDCTL, 1 << 24 | 1 << 16 | 4 << 8 | 8)
    d.tx_ring()
    contents = [frame(60 + n) for n in range(10)]
    d.see("frames", d.transmit(*[d.legacy(content) for content in contents]), contents)


@scenario("transmit: TIPG, AIT, COLD change no frame", "13.4.33 to 13.4.35")
def _(d):
    d.tx_ring(control=TCTL_EN | TCTL_PSP | 3 << 4 | 0x200 << 12)
    d.write(TIPG, 0x00A0280A)
    d.write(AIT, 0x20)
    d.see("frame", d.transmit(d.legacy(frame(500))), [frame(500)])


@scenario("transmit: what the ring's memory holds beyond the tail is left alone", "3.4")
def _(d):
    d.tx_ring()
    d.qtest.fill(TX_RING + 16, 64, 0xAA)
    d.transmit(d.legacy(frame()))
    d.see("behind the tail", d.qtest.read_bytes(TX_RING + 16, 64), b"\xaa" * 64)


@scenario("transmit: data is not written", "3.3")
def _(d):
    d.tx_ring()
    entry = d.legacy(frame(128))
    d.transmit(entry)
    d.see("buffer", d.qtest.read_bytes(int.from_bytes(entry[:8], "little"), 128), frame(128))


@scenario("transmit: the head can be set while the transmitter is off", "13.4.39")
def _(d):
    d.tx_ring(control=0)
    d.write(TDH, 3)
    d.write(TDT, 3)
    d._tx_tail = 3
    d.write(TCTL, TCTL_NORMAL)
    d.see("frame", d.transmit(d.legacy(frame(99))), [frame(99)])
    d.see("DD", [d.tx_status(2), d.tx_status(3)], [0, 1])
