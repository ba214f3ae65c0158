"""Split virtqueues as a network device uses them: chains, notices, broken rings."""

import reasons
from bench.packets import BROADCAST, PEER, STATION, ethernet
from bench.parts import BOTH
from bench.scenario import scenario
from bench.virtio import *

PARTS = BOTH
FRAME = ethernet(destination=PEER, source=STATION, size=120)
IN = ethernet(destination=STATION, source=PEER, size=200)


@scenario("transmit: header and data apart", "virtio 5.1.6.2")
def _(d):
    _, tx = d.start("MAC")
    d.see("frames", d.transmit(FRAME), [FRAME])
    d.see("used", [u.head for u in tx.take()], [0])


@scenario("transmit: header and data in one descriptor", "virtio 2.7.4.1, 6.4")
def _(d):
    _, tx = d.start("MAC")
    at = tx.buffer()
    d.qtest.write_bytes(at, d.header() + FRAME)
    tx.add((at, 12 + len(FRAME), False))
    d._settle()
    d.see("frames", d.endpoint.frames(), [FRAME])


@scenario("transmit: data in {} descriptors", "virtio 2.7.4", each=(2, 5, 17))
def _(d, pieces):
    _, tx = d.start("MAC")
    raw = d.header() + FRAME
    at, step, chain = tx.buffer(), -(-len(raw) // pieces), []
    for n in range(0, len(raw), step):
        d.qtest.write_bytes(at + 2 * n, raw[n : n + step])
        chain.append((at + 2 * n, len(raw[n : n + step]), False))
    tx.add(*chain)
    d._settle()
    d.see("frames", d.endpoint.frames(), [FRAME])


@scenario("transmit: an indirect table", "virtio 2.7.5.3")
def _(d):
    _, tx = d.start("MAC", "INDIRECT_DESC")
    table, head, data = tx.buffer(), tx.buffer(), tx.buffer()
    d.qtest.write_bytes(head, d.header())
    d.qtest.write_bytes(data, FRAME)
    d.qtest.write_bytes(
        table, struct.pack("<QIHH", head, 12, NEXT, 1) + struct.pack("<QIHH", data, len(FRAME), 0, 0)
    )
    tx.describe(0, table, 32, INDIRECT)
    tx.offer(0)
    tx.notify()
    d._settle()
    d.see("frames", d.endpoint.frames(), [FRAME])
    d.see("used", [u.head for u in tx.take()], [0])


@scenario("transmit: {} frames by one notice", "virtio 2.7.13", each=(3, 30))
def _(d, count):
    _, tx = d.start("MAC")
    heads, frames = [], []
    for n in range(count):
        frame = ethernet(destination=PEER, source=STATION, size=60 + n)
        at = tx.buffer()
        d.qtest.write_bytes(at, d.header() + frame)
        heads.append(tx.chain((at, 12 + len(frame), False)))
        frames.append(frame)
    tx.offer(*heads)
    tx.notify()
    d._settle()
    d.see("frames", d.endpoint.frames(), frames)
    d.see("used", [u.head for u in tx.take()], heads)


@scenario("transmit: around the end of the ring", "virtio 2.7.6")
def _(d):
    assert d.negotiate(bits("MAC")) & FEATURES_OK
    d.queue(RX, 8)
    tx = d.queue(TX, 8)
    d.ready()
    sent = []
    for n in range(20):
        frame = ethernet(destination=PEER, source=STATION, size=60 + n)
        sent += [frame] if d.transmit(frame) == [frame] else []
    d.see("frames", len(sent), 20)
    d.see("used index", tx.used_index(), 20)


@scenario("transmit before DRIVER_OK does nothing", "virtio 3.1.1")
def _(d):
    d.negotiate(bits("MAC"))
    d.queue(TX)
    d.see("frames", d.transmit(FRAME), [])
    d.see("used", d.queues[TX].used_index(), 0)


@scenario("receive: header, data and used length", "virtio 5.1.6.4")
def _(d):
    rx, _ = d.start("MAC")
    buffers = d.offer_buffers(2)
    d.send(IN)
    used = rx.take()
    d.see("written", [u.written for u in used], [12 + len(IN)])
    raw = d.qtest.read_bytes(buffers[used[0].head], 12 + len(IN) + 4)
    d.see("flags, segmentation", list(raw[:2]), [0, 0])
    d.see("buffers", raw[10] | raw[11] << 8, 1, reasons.VIRTIO_NUM_BUFFERS)
    d.see("data", raw[12 : 12 + len(IN)], IN)
    d.see("behind it", raw[12 + len(IN) :], b"\xee" * 4)


@scenario("receive: buffers of a header and data each", "virtio 5.1.6.3")
def _(d):
    rx, _ = d.start("MAC")
    head, data = rx.buffer(), rx.buffer()
    rx.add((head, 12, True), (data, 1600, True))
    d.step(200_000)
    d.send(IN)
    d.see("used", [tuple(u) for u in rx.take()], [(0, 12 + len(IN))])
    d.see("data", d.qtest.read_bytes(data, len(IN)), IN)


@scenario("receive: several buffers", "virtio 5.1.6.3, MRG_RXBUF")
def _(d):
    rx, _ = d.start("MAC", "MRG_RXBUF")
    buffers = d.offer_buffers(8, 128)
    frame = ethernet(destination=STATION, source=PEER, size=400)
    d.send(frame)
    used = rx.take()
    d.see("written", [u.written for u in used], [128, 128, 128, 28])
    raw = b"".join(d.qtest.read_bytes(buffers[u.head], u.written) for u in used)
    d.see("buffers", raw[10] | raw[11] << 8, 4)
    d.see("data", raw[12:], frame)


@scenario("receive: a frame that needs more buffers than there are", "virtio 5.1.6.3, MRG_RXBUF")
def _(d):
    rx, _ = d.start("MAC", "MRG_RXBUF")
    d.offer_buffers(2, 128)
    d.send(ethernet(destination=STATION, source=PEER, size=400))
    d.see("used", rx.used_index(), 0)


@scenario("receive: frames wait for buffers", "virtio 5.1.6.3")
def _(d):
    rx, _ = d.start("MAC")
    d.send(IN)
    d.see("used", rx.used_index(), 0)


@scenario("receive: order of frames", "virtio 5.1.6.4")
def _(d):
    d.start("MAC")
    buffers = d.offer_buffers(8)
    frames = [ethernet(destination=STATION, source=PEER, size=60 + n) for n in range(5)]
    d.see("data", [data for _, data in d.deliver(*frames, buffers=buffers)], frames)


@scenario("a driver that wants no interrupts", "virtio 2.7.7")
def _(d):
    rx, _ = d.start("MAC")
    rx.flags(NO_INTERRUPT)
    buffers = d.offer_buffers(4)
    d.deliver(IN, buffers=buffers)
    d.see("line", d.irq(), False)
    d.see("ISR", d.isr(), 0)
    rx.flags(0)
    d.deliver(IN, buffers=buffers)
    d.see("line then", d.irq(), True)
    d.see("ISR then", d.isr(), 1)


@scenario("interrupts by index", "virtio 2.7.10")
def _(d):
    rx, _ = d.start("MAC", "EVENT_IDX")
    rx.used_event(3)
    buffers = d.offer_buffers(8)
    d.deliver(IN, buffers=buffers)
    d.isr()  # a device may tell of the first one in any case
    for n in range(1, 5):
        d.deliver(IN, buffers=buffers)
        d.see(f"after {n + 1}", d.isr(), 1 if n == 3 else 0)


@scenario("the device tells which chain to tell of", "virtio 2.7.10")
def _(d):
    rx, tx = d.start("MAC", "EVENT_IDX")
    d.transmit(FRAME)
    d.transmit(FRAME)
    d.see("transmit", tx.available_event(), 2)


@scenario("the line goes down when ISR is read", "virtio 4.1.4.5")
def _(d):
    d.start("MAC")
    buffers = d.offer_buffers(4)
    d.deliver(IN, buffers=buffers)
    d.see("line", d.irq(), True)
    d.see("ISR", d.isr(), 1)
    d.see("line afterwards", d.irq(), False)
    d.see("ISR afterwards", d.isr(), 0)


@scenario("the line goes down with a reset", "virtio 4.1.4.5")
def _(d):
    d.start("MAC")
    buffers = d.offer_buffers(4)
    d.deliver(IN, buffers=buffers)
    d.put("status", 0)
    d.see("line", d.irq(), False)
    d.see("ISR", d.isr(), 0)


def broken(name, differs=None):
    """differs: QEMU takes it. A device whose transmit queue was broken by the scenario: it wants a reset, and works after."""

    def decorate(function):
        @scenario(name, "virtio 2.1.2, 2.7")
        def _(d):
            rx, tx = d.start("MAC")
            function(d, tx)
            d._settle()
            d.see("frames", d.endpoint.frames(), [], differs)
            d.see("NEEDS_RESET", d.get("status") & NEEDS_RESET, NEEDS_RESET, differs)
            d.see("used", tx.used_index(), 0, differs)
            d.see("told", d.isr() & 2, 2, differs)
            d.put("status", 0)
            d.start("MAC")
            d.see("after a reset", d.transmit(FRAME), [FRAME])

        return function

    return decorate


@broken("broken: the available index jumps")
def _(d, tx):
    d.qtest.write(tx.available + 2, 2, 1000)
    tx.notify()


@broken("broken: a head outside of the table")
def _(d, tx):
    d.qtest.write(tx.available + 4, 2, 64)
    d.qtest.write(tx.available + 2, 2, 1)
    tx.notify()


@broken("broken: a chain that goes on outside of the table")
def _(d, tx):
    tx.describe(0, tx.buffer(), 12, NEXT, 64)
    tx.offer(0)
    tx.notify()


@broken("broken: a chain in a circle")
def _(d, tx):
    tx.describe(0, tx.buffer(), 12, NEXT, 1)
    tx.describe(1, tx.buffer(), 12, NEXT, 0)
    tx.offer(0)
    tx.notify()


@broken("broken: a piece without bytes")
def _(d, tx):
    tx.describe(0, tx.buffer(), 12, NEXT, 1)
    tx.describe(1, tx.buffer(), 0, 0, 0)
    tx.offer(0)
    tx.notify()


@broken("broken: something to write, then something to read")
def _(d, tx):
    tx.describe(0, tx.buffer(), 12, NEXT | WRITE, 1)
    tx.describe(1, tx.buffer(), 60, 0, 0)
    tx.offer(0)
    tx.notify()


@broken("broken: a header that is too short")
def _(d, tx):
    tx.describe(0, tx.buffer(), 5, 0, 0)
    tx.offer(0)
    tx.notify()


@broken("broken: an indirect table of half a descriptor")
def _(d, tx):
    tx.describe(0, tx.buffer(), 24, INDIRECT)
    tx.offer(0)
    tx.notify()


@broken("broken: an indirect table in an indirect table", reasons.VIRTIO_NESTED)
def _(d, tx):
    table = tx.buffer()
    d.qtest.write_bytes(table, struct.pack("<QIHH", tx.buffer(), 16, INDIRECT, 0))
    tx.describe(0, table, 16, INDIRECT)
    tx.offer(0)
    tx.notify()


@scenario("notices for queues that are not there", "virtio 4.1.4.4")
def _(d):
    d.start("MAC")
    for index in (3, 100, 0xFFFF):
        d.qtest.write(d.at[NOTIFY_CFG] + 4 * min(index, 500), 2, index)
    d._settle()
    d.see("status", d.get("status"), 15)
    d.see("still sends", d.transmit(FRAME), [FRAME])


@scenario("notices before there are queues", "virtio 4.1.4.4", "enabled")
def _(d):
    for index in range(3):
        d.qtest.write(d.at[NOTIFY_CFG] + 4 * index, 2, index)
    d._settle()
    d.see("status", d.get("status"), 0)
