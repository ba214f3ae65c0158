"""Causes that tell of rings running empty, and the packet buffer's part in it (manual 3.2.6, 3.2.7, 3.4.3,
13.4.32, 13.4.43, 13.7)."""

import reasons
from bench.bench import MILLISECOND, TX_RING
from bench.descriptors import context, legacy
from bench.packets import PEER, STATION, add_vlan, ethernet
from bench.parts import COMPARED, COMPARED_NEWER
from bench.registers import *
from bench.scenario import scenario

PARTS = COMPARED
SHORT, ONCE = reasons.NO_DESCRIPTORS, reasons.RXDMT0_ONCE
RING = 32  # descriptors
FREE = {0: RING // 2, 1: RING // 4, 2: RING // 8}  # RDMTS: free descriptors at which RXDMT0 comes


def rxdmt0(d, label, frames, expected, why=None):
    """Whether that many frames, one after the other, raise RXDMT0."""
    for _ in range(frames):
        d.deliver(ethernet())
    d.step(MILLISECOND)
    d.see(label, d.read(ICR) & RXDMT0, RXDMT0 if expected else 0, why)


def refill(d, tail):
    d.write(RDT, tail % RING)
    d.step(MILLISECOND)


@scenario("RDMTS {}: on the way down, once at each crossing", "3.2.7.3, 13.4.22", each=FREE)
def _(d, code):
    edge = FREE[code]
    d.rx_ring(RING, 256, RCTL_BAM | RCTL_RDMTS(code), tail=edge + 2)
    d.read(ICR)
    rxdmt0(d, "one above", 1, False)
    rxdmt0(d, "reached", 1, True)
    rxdmt0(d, "below", 1, False, ONCE)
    rxdmt0(d, "further below", 1, False, ONCE)


@scenario("RDMTS {}: RDT moves up across it and frames come down again", "3.2.7.3", each=FREE)
def _(d, code):
    edge = FREE[code]
    d.rx_ring(RING, 256, RCTL_BAM | RCTL_RDMTS(code), tail=edge + 1)
    d.read(ICR)
    rxdmt0(d, "down", 1, True)
    refill(d, edge + 3)  # head is at 1: two above
    d.see("up: no cause", d.read(ICR) & RXDMT0, 0)
    rxdmt0(d, "one above", 1, False)
    rxdmt0(d, "down again", 1, True)


@scenario("RDMTS {}: RDT moves up below it", "3.2.7.3", each=FREE)
def _(d, code):
    edge = FREE[code]
    d.rx_ring(RING, 256, RCTL_BAM | RCTL_RDMTS(code), tail=edge + 1)
    rxdmt0(d, "down", 2, True)
    refill(d, edge + 2)  # head is at 2: at the threshold, from one below
    d.see("up to the threshold: no cause", d.read(ICR) & RXDMT0, 0)
    rxdmt0(d, "below without having been above", 1, False, ONCE)


@scenario("RDMTS {}: RDT first written below it", "3.2.7.3", each=FREE)
def _(d, code):
    d.rx_ring(RING, 256, RCTL_BAM | RCTL_RDMTS(code), tail=FREE[code] - 1)
    d.see("no frame, no cause", d.read(ICR) & RXDMT0, 0)
    rxdmt0(d, "a frame", 1, False, ONCE)


@scenario("RDMTS: changed between frames", "13.4.22")
def _(d):
    d.rx_ring(RING, 256, RCTL_BAM | RCTL_RDMTS(2), tail=17)
    d.read(ICR)
    rxdmt0(d, "1/8: 15 are free", 2, False)
    refill(d, 19)
    d.write(RCTL, d.read(RCTL) & ~RCTL_RDMTS(3))
    d.step(1_200 * MILLISECOND)
    rxdmt0(d, "1/2: 16 are free", 1, True)


@scenario("RXDMT0: a frame over several descriptors crosses in one step", "3.2.7.3")
def _(d):
    d.rx_ring(RING, 256, tail=18)
    d.read(ICR)
    d.deliver(ethernet(size=1000))
    d.see("18, then 14 are free", d.read(ICR) & RXDMT0, RXDMT0)
    d.see("head", d.read(RDH), 4)


# --- RNBC, MPC, RXO ---


@scenario("RNBC, MPC: a frame that waits is not lost", "13.7.5, 13.7.33")
def _(d):
    d.rx_ring(tail=2)
    frames = [ethernet(size=60 + n) for n in range(6)]
    d.see("stored", [p.data for p in d.deliver(*frames)], frames[:2])
    d.see("RXO", d.read(ICR) & RXO, 0)
    d.see("GPRC before", d.statistic("GPRC"), 6, SHORT)
    d.write(RDT, 8)
    d.step(MILLISECOND)
    d.see("stored later", [p.data for p in d.deliver()], frames[2:])
    d.see("RNBC", d.statistic("RNBC"), 4, SHORT)
    d.see("MPC", d.statistic("MPC"), 0)
    d.see("RXO after", d.read(ICR) & RXO, 0)
    d.see("errors", [d.rx_descriptor(n).errors for n in range(6)], [0] * 6)


@scenario("RNBC: not for frames that find descriptors", "13.7.33")
def _(d):
    d.rx_ring(tail=4)
    d.deliver(*[ethernet()] * 4)
    d.see("all used: RNBC", d.statistic("RNBC"), 0)
    d.deliver(ethernet())
    d.see("one more: RNBC", d.statistic("RNBC"), 1, SHORT)
    d.see("read clears it", d.statistic("RNBC"), 0)


@scenario("RNBC: not for frames that are filtered out", "13.7.33")
def _(d):
    d.rx_ring(tail=0, control=0)
    d.write(RDT, 1)
    d.deliver(ethernet())
    d.deliver(ethernet(PEER), ethernet(PEER))
    d.see("RNBC", d.statistic("RNBC"), 0)
    d.see("MPC", d.statistic("MPC"), 0)


def full_buffer(d, kib=8):
    """A receive packet buffer of that size, and no descriptor left."""
    d.write(PBA, kib)
    d.write(CTRL, CTRL_RST)
    d.step(20 * MILLISECOND)
    d.station(0, STATION)
    d.bring_up_link()
    d.rx_ring(tail=1, control=RCTL_BAM)
    d.deliver(ethernet(size=60))
    d.read(ICR)


@scenario("MPC: frames lost count in TPR and TOR, not in GPRC", "13.7.5")
def _(d):
    full_buffer(d)
    d.step(MILLISECOND)
    d.read_all(STATISTICS.values())
    d.send(*[ethernet(size=1000)] * 12)
    d.step(MILLISECOND)
    lost = d.statistic("MPC")
    d.see("MPC", lost, 12 - 8, SHORT)
    d.see("RNBC", d.statistic("RNBC"), 12, SHORT)
    d.see("RXO", d.read(ICR) & RXO, RXO, SHORT)
    d.see("TPR", d.statistic("TPR"), 12, SHORT)
    d.see("TORL", d.read(TORL), 12 * 1004, SHORT)
    d.see("TORH", d.read(TORH), 0)


@scenario("MPC: room again, frames are taken again", "13.7.5")
def _(d):
    full_buffer(d)
    d.send(*[ethernet(size=1000)] * 12)
    d.step(MILLISECOND)
    d.write(RDT, 15)
    d.step(MILLISECOND)
    d.see("stored", len(d.deliver()), 8, SHORT)
    d.see("RXO", d.read(ICR) & RXO, RXO, SHORT)
    d.statistic("MPC")
    d.send(ethernet(size=77))
    d.see("the next", [p.data for p in d.deliver()][-1:], [ethernet(size=77)])
    d.see("MPC", d.statistic("MPC"), 0)
    d.see("no RXO", d.read(ICR) & RXO, 0)


@scenario("RXO: interrupts", "13.4.17")
def _(d):
    full_buffer(d)
    d.write(IMS, RXO)
    d.send(*[ethernet(size=1000)] * 8)
    d.see("all fit", d.irq(), False)
    d.send(*[ethernet(size=1000)] * 2)
    d.see("two do not", d.irq(), True, SHORT)


# --- small packets ---


@scenario("RSRPD: the size counts the FCS, up to and with {} bytes", "13.4.32", each=(64, 100))
def _(d, size):
    why = None if d.part.old else reasons.SMALL_PACKET
    d.rx_ring()
    d.write(RSRPD, size)
    d.read(ICR)
    d.deliver(ethernet(size=size - 4 + 1))
    d.see("one more", d.read(ICR) & (SRPD | RXT0), RXT0)
    d.deliver(ethernet(size=size - 4))
    causes = RXT0 if d.part.old else SRPD | RXT0
    d.see("that long", d.read(ICR) & (SRPD | RXT0), causes, why)


@scenario("RSRPD: 0 turns it off", "13.4.32")
def _(d):
    d.rx_ring()
    d.write(RSRPD, 0)
    d.read(ICR)
    d.deliver(ethernet())
    d.see("causes", d.read(ICR) & (SRPD | RXT0), RXT0)


@scenario("RSRPD: a stripped tag does not count", "13.4.32", parts=COMPARED_NEWER)
def _(d):
    d.set(CTRL, CTRL_VME)
    d.rx_ring()
    d.write(RSRPD, 64)
    d.read(ICR)
    d.deliver(add_vlan(ethernet(), 5))
    d.see("64 without it", d.read(ICR) & SRPD, SRPD, reasons.SMALL_PACKET)


@scenario("SRPD: interrupts at once though RDTR delays", "13.4.32", parts=COMPARED_NEWER)
def _(d):
    d.rx_ring()
    d.write(RDTR, 2000)
    d.write(RSRPD, 64)
    d.read(ICR)
    d.write(IMS, SRPD)
    d.deliver(ethernet(size=61))
    d.see("larger", d.irq(), False)
    d.deliver(ethernet(size=60))
    d.see("small", d.irq(), True, reasons.SMALL_PACKET)
    d.see("both written back", [d.rx_descriptor(n).status & RX_DD for n in (0, 1)], [1, 1])


# --- transmit ---


def frame(size=60):
    return ethernet(PEER, STATION, size=size)


def send(d, count, command=EOP | IFCS):
    d.transmit(*[d.legacy(frame(), command) for _ in range(count)])
    d.step(MILLISECOND)
    return d.read(ICR)


@scenario("TXD_LOW: LWTHRESH {0}: when {1} descriptors are left", "13.4.43", each=[(1, 8), (2, 16)])
def _(d, code, edge):
    known = not d.part.old
    cause, why = (TXD_LOW, reasons.TXD_LOW_CAUSE) if known else (0, None)
    d.write(TXDCTL, code << 25)
    d.tx_ring(64)
    d.read(ICR)
    d.see("never above", send(d, edge) & TXD_LOW, 0)
    d.see("one above, then down", send(d, edge + 1) & TXD_LOW, cause, why)
    d.see("never above again", send(d, edge) & TXD_LOW, 0)
    d.see("above again, and down", send(d, 2 * edge) & TXD_LOW, cause, why)


@scenario("TXD_LOW: LWTHRESH 0: when none is left", "13.4.43")
def _(d):
    cause, why = (0, None) if d.part.old else (TXD_LOW, reasons.TXD_LOW_CAUSE)
    d.write(TXDCTL, 0)
    d.tx_ring(64)
    d.read(ICR)
    d.see("20 descriptors", send(d, 20) & TXD_LOW, cause, why)
    d.see("one", send(d, 1) & TXD_LOW, cause, why)


@scenario("TXD_LOW: interrupts", "13.4.43", parts=COMPARED_NEWER)
def _(d):
    d.write(TXDCTL, 1 << 25)
    d.tx_ring(64)
    d.read(ICR)
    d.write(IMS, TXD_LOW)
    d.transmit(*[d.legacy(frame()) for _ in range(20)])
    d.see("line", d.irq(), True, reasons.TXD_LOW_CAUSE)


# name: commands of a packet's two descriptors
REPORTS = {
    "RS nowhere": (IFCS, EOP | IFCS),
    "RS in the last": (IFCS, EOP | IFCS | RS),
    "RS in the first": (IFCS | RS, EOP | IFCS),
    "RS in both": (IFCS | RS, EOP | IFCS | RS),
}


@scenario("TXDW, TXQE: {}", "3.4.3, 13.4.17", each=REPORTS)
def _(d, name):
    commands, content = REPORTS[name], frame(200)
    d.tx_ring()
    d.read(ICR)
    sent = d.transmit(d.legacy(content[:90], commands[0]), d.legacy(content[90:], commands[1]))
    asked = any(command & RS for command in commands)
    d.see("frame", sent, [content])
    d.see("causes", d.read(ICR) & (TXDW | TXQE), TXQE | (TXDW if asked else 0))
    d.see("DD", [d.tx_status(n) for n in (0, 1)], [int(c & RS != 0) for c in commands])


@scenario("TXDW: {0} with RS", "3.4.3", each=[("a context", 0), ("a null descriptor", 1)])
def _(d, name, which):
    d.tx_ring()
    d.read(ICR)
    d.transmit((context(14, 24, 33, 34, 50, command=RS), legacy(0, 0, RS))[which])
    d.see("causes", d.read(ICR) & (TXDW | TXQE), TXDW | TXQE)
    d.see("DD", d.tx_status(0), 1)


@scenario("TXDW: IDE without RS reports nothing, sooner or later", "3.4.3")
def _(d):
    d.tx_ring()
    d.write(TIDV, 100)
    d.read(ICR)
    d.transmit(d.legacy(frame(), EOP | IFCS | IDE))
    d.step(2 * MILLISECOND)
    d.see("causes", d.read(ICR) & (TXDW | TXQE), TXQE)
    d.see("DD", d.tx_status(0), 0)


GATHER = 1 << 24 | 4 << 16  # GRAN, WTHRESH 4


@scenario("WTHRESH: TIDV's end writes back what has been gathered", "3.4.2, 3.4.3")
def _(d):
    d.write(TXDCTL, GATHER)
    d.write(TIDV, 1000)
    d.tx_ring()
    d.read(ICR)
    command = EOP | IFCS | RS | IDE
    sent = d.transmit(d.legacy(frame(61), command), d.legacy(frame(62), command))
    d.see("frames", sent, [frame(61), frame(62)])
    d.see("gathered", [d.tx_status(n) for n in (0, 1)], [0, 0], reasons.GATHERED)
    d.see("no cause yet", d.read(ICR) & TXDW, 0, reasons.DELAY_TIMERS)
    d.step(2 * MILLISECOND)
    d.see("written back", [d.tx_status(n) for n in (0, 1)], [1, 1])
    d.see("cause", d.read(ICR) & TXDW, TXDW, reasons.DELAY_TIMERS)


@scenario("WTHRESH: TIDV's end writes back without IDE, too", "3.4.2, 13.4.41")
def _(d):
    d.write(TXDCTL, GATHER)
    d.write(TIDV, 1000)
    d.tx_ring()
    d.read(ICR)
    d.transmit(d.legacy(frame(61)), d.legacy(frame(62)))
    d.see("gathered", [d.tx_status(n) for n in (0, 1)], [0, 0], reasons.GATHERED)
    d.step(2 * MILLISECOND)
    d.see("written back", [d.tx_status(n) for n in (0, 1)], [1, 1])
    d.see("cause", d.read(ICR) & TXDW, TXDW)


@scenario("WTHRESH: so many with RS are written back together", "3.4.2")
def _(d):
    d.write(TXDCTL, GATHER)
    d.tx_ring()
    d.read(ICR)
    d.transmit(*[d.legacy(frame(60 + n), EOP | IFCS | RS | IDE) for n in range(3)])
    d.see("three", [d.tx_status(n) for n in range(3)], [0] * 3, reasons.GATHERED)
    d.transmit(d.legacy(frame()))
    d.see("four", [d.tx_status(n) for n in range(4)], [1] * 4)
    d.see("cause", d.read(ICR) & TXDW, TXDW)


@scenario("RXDCTL.WTHRESH: received descriptors are gathered while RDTR runs", "3.2.5, 3.2.7.1")
def _(d):
    d.write(RXDCTL, GATHER)
    d.rx_ring()
    d.write(RDTR, 1000)
    d.read(ICR)
    frames = [ethernet(size=60 + n) for n in range(6)]
    d.see("two", [p.data for p in d.deliver(*frames[:2])], [], reasons.GATHERED)
    d.see("four", [p.data for p in d.deliver(*frames[2:4])], frames[:4], reasons.GATHERED)
    d.see("two more", [p.data for p in d.deliver(*frames[4:])], [], reasons.GATHERED)
    d.step(2 * MILLISECOND)
    d.see("after RDTR", [p.data for p in d.deliver()], frames[4:], reasons.GATHERED)
    d.see("cause", d.read(ICR) & RXT0, RXT0)


@scenario("RDTR.FPD writes back what has been gathered", "13.4.30")
def _(d):
    d.write(RXDCTL, GATHER)
    d.rx_ring()
    d.write(RDTR, 10000)
    d.read(ICR)
    d.see("gathered", d.deliver(ethernet()), [], reasons.GATHERED)
    d.write(RDTR, 10000 | 1 << 31)
    d.step(100_000)
    d.see("flushed", [p.data for p in d.deliver()], [ethernet()], reasons.GATHERED)
    d.see("cause", d.read(ICR) & RXT0, RXT0)


@scenario("TXQE: when the head has come to the tail, each time", "3.4.3")
def _(d):
    d.tx_ring()
    d.read(ICR)
    for n in range(3):
        d.see(f"burst {n}", send(d, n + 1) & (TXQE | TXDW), TXQE)
    d.see("nothing more", d.read(ICR), 0)


@scenario("TXQE: not with the transmitter off", "3.4.3")
def _(d):
    d.tx_ring(control=TCTL_PSP)
    d.read(ICR)
    d.transmit(d.legacy(frame()))
    d.see("off", d.read(ICR) & (TXQE | TXDW), 0)
    d.write(TCTL, TCTL_NORMAL)
    d.step(MILLISECOND)
    d.see("on", d.read(ICR) & (TXQE | TXDW), TXQE | TXDW)


@scenario("TXQE: a ring that wraps", "3.4.3")
def _(d):
    d.tx_ring(8, index=6)
    d.read(ICR)
    d.see("causes", send(d, 5, EOP | IFCS | RS) & (TXQE | TXDW), TXQE | TXDW)
    d.see("head", d.read(TDH), 3)
    d.see("DD", [d.qtest.read_bytes(TX_RING + 16 * n + 12, 1)[0] for n in (6, 7, 0, 1, 2)], [1] * 5)


@scenario("RXSEQ: nothing on copper sets it, neither traffic nor link changes", "13.4.17")
def _(d):
    d.rx_ring()
    d.deliver(ethernet(), ethernet(size=1514))
    d.phy_write(BMCR, BMCR_AUTONEG | BMCR_RESTART | BMCR_FD | BMCR_1000)
    d.step(1_000 * MILLISECOND)
    d.see("cause", d.read(ICR) & RXSEQ, 0)
    d.see("SEC", d.statistic("SEC"), 0)
