"""A virtio network device: control queue, filters, offsets of headers (virtio 1.2, 5.1)."""

import reasons
from bench.packets import BROADCAST, MULTICAST, PEER, STATION, add_vlan, ethernet
from bench.parts import BOTH, TRANSITIONAL
from bench.scenario import scenario
from bench.virtio import *

PARTS = BOTH
OTHER = bytes.fromhex("525400665544")
OK, ERROR = 0, 1
CONTROL = ("MAC", "STATUS", "CTRL_VQ", "CTRL_RX", "CTRL_RX_EXTRA", "CTRL_VLAN", "CTRL_MAC_ADDR")


def controlled(d, *without):
    """A device with a control queue; rx buffers."""
    names = [name for name in CONTROL if name not in without]
    d.start(*names, queues=(RX, TX, CTRL))
    return d.offer_buffers(30)


def arrives(d, buffers, frame):
    return [data for _, data in d.deliver(frame, buffers=buffers)] == [frame]


@scenario("addresses: own, other, broadcast, multicast after reset", "virtio 5.1.6.5.1")
def _(d):
    buffers = controlled(d)
    d.see("own", arrives(d, buffers, ethernet(STATION)), True)
    d.see("broadcast", arrives(d, buffers, ethernet(BROADCAST)), True)
    for name, address in (("other", OTHER), ("multicast", MULTICAST)):
        d.see(name, arrives(d, buffers, ethernet(address)), True)


@scenario("promiscuous mode off", "virtio 5.1.6.5.1")
def _(d):
    buffers = controlled(d)
    d.see("answer", d.command(0, 0, b"\0"), OK)
    d.see("own", arrives(d, buffers, ethernet(STATION)), True)
    d.see("broadcast", arrives(d, buffers, ethernet(BROADCAST)), True)
    d.see("other", arrives(d, buffers, ethernet(OTHER)), False)
    d.see("multicast", arrives(d, buffers, ethernet(MULTICAST)), False)
    d.see("on again", d.command(0, 0, b"\1"), OK)
    d.see("other then", arrives(d, buffers, ethernet(OTHER)), True)


@scenario("all multicast", "virtio 5.1.6.5.1")
def _(d):
    buffers = controlled(d)
    d.command(0, 0, b"\0")
    d.see("answer", d.command(0, 1, b"\1"), OK)
    d.see("multicast", arrives(d, buffers, ethernet(MULTICAST)), True)
    d.see("other", arrives(d, buffers, ethernet(OTHER)), False)
    d.see("off", d.command(0, 1, b"\0"), OK)
    d.see("multicast then", arrives(d, buffers, ethernet(MULTICAST)), False)


@scenario("all unicast", "virtio 5.1.6.5.1")
def _(d):
    buffers = controlled(d)
    d.command(0, 0, b"\0")
    d.see("answer", d.command(0, 2, b"\1"), OK)
    d.see("other", arrives(d, buffers, ethernet(OTHER)), True)
    d.see("multicast", arrives(d, buffers, ethernet(MULTICAST)), False)


@scenario("no multicast, no unicast, no broadcast", "virtio 5.1.6.5.1")
def _(d):
    buffers = controlled(d)
    d.command(0, 0, b"\0")
    d.command(0, 1, b"\1")
    d.see("no multicast", d.command(0, 3, b"\1"), OK)
    d.see("multicast", arrives(d, buffers, ethernet(MULTICAST)), False)
    d.see("no unicast", d.command(0, 4, b"\1"), OK)
    d.see("own", arrives(d, buffers, ethernet(STATION)), False)
    d.see("no broadcast", d.command(0, 5, b"\1"), OK)
    d.see("broadcast", arrives(d, buffers, ethernet(BROADCAST)), False)


def tables(unicast, multicast):
    return b"".join(
        struct.pack("<I", len(addresses)) + b"".join(addresses) for addresses in (unicast, multicast)
    )


@scenario("tables of addresses", "virtio 5.1.6.5.2")
def _(d):
    buffers = controlled(d)
    d.command(0, 0, b"\0")
    d.see("answer", d.command(1, 0, tables([OTHER], [MULTICAST])), OK)
    d.see("other", arrives(d, buffers, ethernet(OTHER)), True)
    d.see("multicast", arrives(d, buffers, ethernet(MULTICAST)), True)
    d.see("another", arrives(d, buffers, ethernet(MULTICAST[:5] + b"\x09")), False)
    d.see("emptied", d.command(1, 0, tables([], [])), OK)
    d.see("other then", arrives(d, buffers, ethernet(OTHER)), False)
    d.see("own", arrives(d, buffers, ethernet(STATION)), True)


@scenario("a table that overflows takes everything", "virtio 5.1.6.5.2")
def _(d):
    buffers = controlled(d)
    d.command(0, 0, b"\0")
    many = [bytes.fromhex("0200000000") + bytes([n]) for n in range(70)]
    d.see("answer", d.command(1, 0, tables(many, [])), OK)
    d.see("other", arrives(d, buffers, ethernet(OTHER)), True)
    d.see("multicast", arrives(d, buffers, ethernet(MULTICAST)), False)


@scenario("the address by control queue", "virtio 5.1.6.5.2")
def _(d):
    buffers = controlled(d)
    d.command(0, 0, b"\0")
    d.see("answer", d.command(1, 1, OTHER), OK)
    d.see("configuration", [d.net_config(n, 1) for n in range(6)], list(OTHER))
    d.see("new", arrives(d, buffers, ethernet(OTHER)), True)
    d.see("old", arrives(d, buffers, ethernet(STATION)), False)


@scenario("the address after a reset", "virtio 5.1.6.5.2")
def _(d):
    controlled(d)
    d.command(1, 1, OTHER)
    d.put("status", 0)
    d.see("configuration", [d.net_config(n, 1) for n in range(6)], list(STATION))


@scenario("VLAN filter", "virtio 5.1.6.5.3")
def _(d):
    buffers = controlled(d)
    frame = ethernet(STATION)
    d.see("promiscuous", arrives(d, buffers, add_vlan(frame, 5)), True)
    d.command(0, 0, b"\0")
    d.see("before", arrives(d, buffers, add_vlan(frame, 5)), False)
    d.see("answer", d.command(2, 0, struct.pack("<H", 5)), OK)
    d.see("joined", arrives(d, buffers, add_vlan(frame, 5)), True)
    d.see("with priority", arrives(d, buffers, add_vlan(frame, 0xE005)), True)
    d.see("another", arrives(d, buffers, add_vlan(frame, 6)), False)
    d.see("untagged", arrives(d, buffers, frame), True)
    d.see("left", d.command(2, 1, struct.pack("<H", 5)), OK)
    d.see("afterwards", arrives(d, buffers, add_vlan(frame, 5)), False)


@scenario("no VLAN filter without the feature", "virtio 5.1.6.5.3")
def _(d):
    buffers = controlled(d, "CTRL_VLAN")
    d.command(0, 0, b"\0")
    d.see("tagged", arrives(d, buffers, add_vlan(ethernet(STATION), 5)), True)


GARBAGE = {
    "an unknown class": (99, 0, b"\0"),
    "an unknown receive mode": (0, 99, b"\1"),
    "a receive mode without data": (0, 0, b""),
    "a short address": (1, 1, b"\1\2\3"),
    "a long address": (1, 1, bytes(7)),
    "a table without an end": (1, 0, struct.pack("<I", 5) + bytes(6)),
    "a table with an absurd count": (1, 0, struct.pack("<I", 0xFFFFFFFF)),
    "half a VLAN": (2, 0, b"\5"),
    "a VLAN beyond 4095": (2, 0, struct.pack("<H", 4096)),
    "an unknown VLAN command": (2, 9, struct.pack("<H", 1)),
    "no pairs": (4, 0, struct.pack("<H", 0)),
    "two pairs of one": (4, 0, struct.pack("<H", 2)),
    "an unknown multi-queue command": (4, 9, struct.pack("<H", 1)),
    "an acknowledgement of nothing, unknown": (3, 9, b""),
}


@scenario("control garbage: {}", "virtio 5.1.6.5", each=GARBAGE)
def _(d, name):
    controlled(d)
    d.see("answer", d.command(*GARBAGE[name]), ERROR)
    d.see("status", d.get("status"), 15)
    d.see("and then", d.command(0, 0, b"\0"), OK)


@scenario("control: no room for an answer", "virtio 5.1.6.5, 2.1.2")
def _(d):
    controlled(d)
    q = d.queues[CTRL]
    at = q.buffer()
    d.qtest.write_bytes(at, b"\0\0\1")
    q.add((at, 3, False))
    d._settle()
    d.see("NEEDS_RESET", d.get("status") & NEEDS_RESET, NEEDS_RESET)


@scenario("control: nothing but room for an answer", "virtio 5.1.6.5, 2.1.2")
def _(d):
    controlled(d)
    q = d.queues[CTRL]
    q.add((q.buffer(), 1, True))
    d._settle()
    d.see("NEEDS_RESET", d.get("status") & NEEDS_RESET, NEEDS_RESET)


@scenario("control: a command in one piece", "virtio 5.1.6.5")
def _(d):
    controlled(d)
    q = d.queues[CTRL]
    at, answer = q.buffer(), q.buffer()
    d.qtest.write_bytes(at, b"\0\0\1")
    d.qtest.write_bytes(answer, b"\xee")
    q.add((at, 3, False), (answer, 1, True))
    d._settle()
    d.see("answer", d.qtest.read_bytes(answer, 1)[0], OK)
    d.see("written", [u.written for u in q.take()], [1])


@scenario("frames of {} bytes", "virtio 5.1.6", each=(14, 59, 60, 1514))
def _(d, size):
    d.start("MAC")
    buffers = d.offer_buffers(4)
    out = ethernet(PEER, STATION, size=size)
    padded = out + bytes(max(0, 60 - size))
    d.see("sent", d.transmit(out), [padded], reasons.VIRTIO_PADDING if size < 60 else None)
    if size >= 60:
        d.see("stored", arrives(d, buffers, ethernet(STATION, PEER, size=size)), True)


@scenario("a legacy driver", "virtio 4.1.4.10, 5.1.6.1", parts=TRANSITIONAL)
def _(d):
    rx, tx = d.start_legacy("MAC")
    d.see("sizes", [rx.size, tx.size], [256, 256])
    frame = ethernet(PEER, STATION, size=90)
    d.see("sent", d.transmit(frame), [frame])
    buffers = d.offer_buffers(4)
    incoming = ethernet(STATION, PEER, size=90)
    d.see("stored", d.deliver(incoming, buffers=buffers), [(bytes(10), incoming)])
    d.see("line", d.irq(), True)
    d.see("ISR", d.get_legacy("isr"), 1)
    d.see("line afterwards", d.irq(), False)


@scenario("a legacy driver with mergeable buffers", "virtio 5.1.6.1", parts=TRANSITIONAL)
def _(d):
    d.start_legacy("MAC", "MRG_RXBUF")
    buffers = d.offer_buffers(4)
    incoming = ethernet(STATION, PEER, size=90)
    d.see("stored", d.deliver(incoming, buffers=buffers), [(bytes(10) + b"\1\0", incoming)])


@scenario("legacy registers", "virtio 4.1.4.10", "enabled", parts=TRANSITIONAL)
def _(d):
    d.see("status", d.get_legacy("status"), 0)
    d.see("size", d.get_legacy("queue_size"), 256)
    d.put_legacy("queue_select", 2)
    d.see("there is a control queue", d.get_legacy("queue_size") > 0, True)
    d.put_legacy("queue_select", 3)
    d.see("size of none", d.get_legacy("queue_size"), 0)
    d.put_legacy("queue_select", 0)
    d.put_legacy("queue_address", 0x123)
    d.see("address", d.get_legacy("queue_address"), 0x123)
    d.put_legacy("driver_feature", bits("MAC"))
    d.see("features", d.get_legacy("driver_feature"), bits("MAC"))
    d.see("MAC", [d.qtest.port_read(0xC000 + 20 + n, 1) for n in range(6)], list(STATION))
    d.put_legacy("status", 0)
    d.see("address after reset", d.get_legacy("queue_address"), 0)


@scenario("a legacy driver is offered no VERSION_1", "virtio 6.1", "enabled", parts=TRANSITIONAL)
def _(d):
    value = d.get_legacy("device_feature")
    d.see("MAC", value >> 5 & 1, 1)
    d.see("ANY_LAYOUT", value >> 27 & 1, 1)


@scenario("legacy device configuration with MSI-X", "virtio 4.1.4.10", parts=TRANSITIONAL)
def _(d):
    d.enable_msix()
    d.see("MAC", [d.qtest.port_read(0xC000 + 24 + n, 1) for n in range(6)], list(STATION))
    d.qtest.port_write(0xC000 + 20, 2, 1)
    d.see("config vector", d.qtest.port_read(0xC000 + 20, 2), 1)
    d.qtest.port_write(0xC000 + 22, 2, 2)
    d.see("queue vector", d.qtest.port_read(0xC000 + 22, 2), 2)


@scenario("a legacy driver sets the address by configuration", "virtio 5.1.4", parts=TRANSITIONAL)
def _(d):
    d.start_legacy("MAC")
    for n, byte in enumerate(OTHER):
        d.qtest.port_write(0xC000 + 20 + n, 1, byte)
    d.see("MAC", [d.qtest.port_read(0xC000 + 20 + n, 1) for n in range(6)], list(OTHER))
