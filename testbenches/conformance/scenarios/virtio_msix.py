"""MSI-X of a virtio network device (PCI 3.0, 6.8.2; virtio 1.2, 4.1.5)."""

import reasons
from bench.bench import BAR
from bench.packets import PEER, STATION, ethernet
from bench.parts import BOTH
from bench.scenario import scenario
from bench.virtio import *

PARTS = BOTH
IN = ethernet(STATION, PEER, size=100)
OUT = ethernet(PEER, STATION, size=100)


@scenario("the capability", "PCI 3.0 6.8.2.3", "enabled")
def _(d):
    at = d.msix()
    d.see("table size", d.config(at + 2, 2) & 0x7FF, 3)
    d.see("enabled", d.config(at + 2, 2) >> 14, 0)
    d.see("table", d.config(at + 4), 1)
    d.see("pending bits", d.config(at + 8), 0x801)
    for value in (0x8000, 0xC000, 0x4000, 0):
        d.set_config(at + 2, value, 2)
        d.see(f"control {value:#x}", d.config(at + 2, 2) & 0xC000, value)
    d.set_config(at + 2, 0x3FFF, 2)
    d.see("read-only bits", d.config(at + 2, 2), 3)


@scenario("the table after reset", "PCI 3.0 6.8.2.9", "enabled")
def _(d):
    for vector in range(4):
        d.see(f"{vector}", [d.qtest.read(MSIX_BAR + 16 * vector + 4 * n, 4) for n in range(4)],
              [0, 0, 0, 1])
    d.see("pending", d.pending(), 0)


@scenario("the table keeps what is written", "PCI 3.0 6.8.2.7", "enabled")
def _(d):
    for vector in range(4):
        d.entry(vector, 0x1_2345_6780 + 16 * vector, 0xCAFE0000 + vector, True)
    for vector in range(4):
        d.see(
            f"{vector}",
            [d.qtest.read(MSIX_BAR + 16 * vector + 4 * n, 4) for n in range(4)],
            [0x23456780 + 16 * vector, 1, 0xCAFE0000 + vector, 1],
        )
    d.see("64 bits", d.qtest.read(MSIX_BAR + 16, 8), 0x1_2345_6790)


@scenario("pending bits cannot be written", "PCI 3.0 6.8.2.9", "enabled")
def _(d):
    d.qtest.write(MSIX_BAR + 0x800, 4, 0xFFFFFFFF)
    d.see("pending", d.pending(), 0)


def started(d, *features):
    """A device whose queues have vectors 1 (receive), 2 (transmit), and 0 for configuration."""
    d.enable_msix()
    assert d.negotiate(bits("MAC", "STATUS", *features)) & FEATURES_OK
    d.put("config_vector", 0)
    d.queue(RX, vector=1)
    d.queue(TX, vector=2)
    d.ready()
    return d.offer_buffers(8)


@scenario("a message for each queue", "virtio 4.1.5.1.2")
def _(d):
    buffers = started(d)
    d.deliver(IN, buffers=buffers)
    d.see("received", d.messages(), [0, 0xA1, 0])
    d.transmit(OUT)
    d.see("sent", d.messages(), [0, 0, 0xA2])
    d.see("line", d.irq(), False)


@scenario("queues may share a vector", "virtio 4.1.5.1.2")
def _(d):
    d.enable_msix()
    d.start("MAC", vector=2)
    buffers = d.offer_buffers(8)
    d.deliver(IN, buffers=buffers)
    d.see("received", d.messages(), [0, 0, 0xA2])
    d.transmit(OUT)
    d.see("sent", d.messages(), [0, 0, 0xA2])


@scenario("a queue without a vector is silent", "virtio 4.1.5.1.2")
def _(d):
    d.enable_msix()
    d.start("MAC", vector=NO_VECTOR)
    buffers = d.offer_buffers(8)
    d.see("stored", len(d.deliver(IN, buffers=buffers)), 1)
    d.see("messages", d.messages(), [0, 0, 0])
    d.see("line", d.irq(), False)


@scenario("a masked vector is pending", "PCI 3.0 6.8.2.8")
def _(d):
    buffers = started(d)
    d.mask(1, True)
    d.deliver(IN, buffers=buffers)
    d.see("messages", d.messages(), [0, 0, 0])
    d.see("pending", d.pending(), 2)
    d.mask(1, False)
    d.see("messages then", d.messages(), [0, 0xA1, 0])
    d.see("pending then", d.pending(), 0)


@scenario("a masked function is pending", "PCI 3.0 6.8.2.3")
def _(d):
    buffers = started(d)
    d.set_config(d.msix() + 2, 0xC000, 2)
    d.deliver(IN, buffers=buffers)
    d.transmit(OUT)
    d.see("messages", d.messages(), [0, 0, 0])
    d.see("pending", d.pending(), 6)
    d.set_config(d.msix() + 2, 0x8000, 2)
    d.see("messages then", d.messages(), [0, 0xA1, 0xA2])
    d.see("pending then", d.pending(), 0)


@scenario("many events while masked are one message", "PCI 3.0 6.8.2.8")
def _(d):
    buffers = started(d)
    d.mask(1, True)
    for _ in range(3):
        d.deliver(IN, buffers=buffers)
    d.see("pending", d.pending(), 2)
    d.mask(1, False)
    d.see("messages", d.messages(), [0, 0xA1, 0])
    d.see("and no more", d.messages(), [0, 0, 0])


@scenario("MSI-X off: the line", "PCI 3.0 6.8.2.3")
def _(d):
    buffers = started(d)
    d.set_config(d.msix() + 2, 0, 2)
    d.deliver(IN, buffers=buffers)
    d.see("messages", d.messages(), [0, 0, 0])
    d.see("line", d.irq(), True)
    d.see("ISR", d.isr(), 1)


@scenario("a driver that wants no interrupts gets no messages", "virtio 2.7.7")
def _(d):
    buffers = started(d)
    d.queues[RX].flags(NO_INTERRUPT)
    d.deliver(IN, buffers=buffers)
    d.see("messages", d.messages(), [0, 0, 0])


@scenario("no messages while bus mastering is off", "PCI 3.0 6.8.3")
def _(d):
    buffers = started(d)
    d.set_config(0x04, 3, 2)
    d.send(IN)
    d.see("messages", d.messages(), [0, 0, 0])


@scenario("a driver's reset leaves the table", "virtio 2.1.2", "link")
def _(d):
    started(d)
    d.put("status", 0)
    d.see("address", d.qtest.read(MSIX_BAR + 16, 4), MESSAGES + 4)
    d.see("enabled", d.config(d.msix() + 2, 2) & 0x8000, 0x8000)
    d.put("queue_select", RX)
    d.see("vector", d.get("queue_vector"), NO_VECTOR)
