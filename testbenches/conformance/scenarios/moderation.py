"""Interrupt throttling and the delay timers (manual 3.2.7.1, 3.4.3, 13.4.18)."""

import reasons
from bench.bench import MICROSECOND, MILLISECOND
from bench.packets import PEER, STATION, ethernet
from bench.registers import *
from bench.parts import COMPARED_NEWER, EVERY, OLD
from bench.scenario import scenario

PARTS = COMPARED_NEWER

TIMERS = reasons.DELAY_TIMERS
UNIT = 1024  # ns, of the delay timers


@scenario("ITR 0: two interrupts within 20 us", "13.4.18", "enabled")
def _(d):
    d.write(IMS, RXT0)
    d.write(ICS, RXT0)
    d.step(10 * MICROSECOND)
    d.see("first", d.irq_now(), True)
    d.read(ICR)
    d.write(ICS, RXT0)
    d.step(10 * MICROSECOND)
    d.see("second", d.irq_now(), True, reasons.ITR_FLOOR)


@scenario(
    "ITR {0}: the second interrupt waits for {1} us",
    "13.4.18",
    "enabled",
    each=[(1000, 256), (2000, 512), (4000, 1024), (65535, 16776)],
)
def _(d, value, microseconds):
    d.write(ITR, value)
    d.write(IMS, RXT0)
    d.write(ICS, RXT0)
    d.step(10 * MICROSECOND)
    d.see("first", d.irq_now(), True)
    d.read(ICR)
    d.write(ICS, RXT0)
    d.step((microseconds - 20) * MICROSECOND)
    d.see("before", d.irq_now(), False)
    d.step(15 * MICROSECOND)
    d.see("after", d.irq_now(), True)


@scenario("ITR: 0 ends an interval that runs", "13.4.18", "enabled")
def _(d):
    d.write(ITR, 65535)
    d.write(IMS, RXT0)
    d.write(ICS, RXT0)
    d.step(10 * MICROSECOND)
    d.read(ICR)
    d.write(ICS, RXT0)
    d.step(10 * MICROSECOND)
    d.see("before", d.irq_now(), False)
    d.write(ITR, 0)
    d.step(10 * MICROSECOND)
    d.see("after", d.irq_now(), True, reasons.ITR_FLOOR)


@scenario("ITR: the first interrupt after a pause does not wait", "13.4.18", "enabled")
def _(d):
    d.write(ITR, 4000)
    d.write(IMS, RXT0)
    d.step(10 * MILLISECOND)
    d.write(ICS, RXT0)
    d.step(10 * MICROSECOND)
    d.see("at once", d.irq_now(), True)


@scenario("ITR: falling edges do not wait", "13.4.18", "enabled")
def _(d):
    d.write(ITR, 4000)
    d.write(IMS, RXT0)
    d.write(ICS, RXT0)
    d.step(2 * MILLISECOND)
    d.read(ICR)
    d.see("low", d.irq_now(), False)


@scenario("ITR: a cause that is cleared while it waits makes no interrupt", "13.4.18", "enabled")
def _(d):
    d.write(ITR, 4000)
    d.write(IMS, RXT0)
    d.write(ICS, RXT0)
    d.step(10 * MICROSECOND)
    d.read(ICR)
    d.write(ICS, RXT0)
    d.read(ICR)
    d.rising_edges()
    d.step(5 * MILLISECOND)
    d.see("edges", d.rising_edges(), 0)


@scenario("ITR: ten causes in a gap make one interrupt", "13.4.18", "enabled")
def _(d):
    d.write(ITR, 8000)
    d.write(IMS, RXT0)
    d.write(ICS, RXT0)
    d.step(10 * MICROSECOND)
    d.read(ICR)
    d.rising_edges()
    for _ in range(10):
        d.write(ICS, RXT0)
        d.step(20 * MICROSECOND)
    d.step(5 * MILLISECOND)
    d.see("edges", d.rising_edges(), 1)


@scenario("RDTR 0: an interrupt for each frame", "3.2.7.1", parts=EVERY)
def _(d):
    d.rx_ring()
    d.read(ICR)
    for n in range(3):
        d.deliver(ethernet())
        d.see(f"frame {n}", d.read(ICR) & RXT0, RXT0)


@scenario("RDTR {}: RXT0 comes that much later", "3.2.7.1", each=(100, 1000), parts=EVERY)
def _(d, value):
    d.rx_ring()
    d.write(RDTR, value)
    d.read(ICR)
    d.deliver(ethernet())
    d.see("at once", d.read(ICS) & RXT0, 0, TIMERS)
    d.step(value * UNIT - 20 * MICROSECOND)
    d.see("before", d.read(ICS) & RXT0, 0, TIMERS)
    d.step(25 * MICROSECOND)
    d.see("after", d.read(ICS) & RXT0, RXT0)


@scenario("RDTR: each frame starts the timer anew", "3.2.7.1")
def _(d):
    d.rx_ring()
    d.write(RDTR, 200)
    d.read(ICR)
    for n in range(3):
        d.deliver(ethernet())
        d.step(150 * MICROSECOND)
        d.see(f"frame {n}", d.read(ICS) & RXT0, 0, TIMERS)
    d.step(100 * MICROSECOND)
    d.see("after", d.read(ICS) & RXT0, RXT0)


@scenario("RADV ends the delay that frames prolong", "3.2.7.1")
def _(d):
    d.rx_ring()
    d.write(RDTR, 200)
    d.write(RADV, 400)
    d.read(ICR)
    for n in range(2):
        d.deliver(ethernet())
        d.step(150 * MICROSECOND)
        d.see(f"frame {n}", d.read(ICS) & RXT0, 0, TIMERS)
    d.deliver(ethernet())
    d.step(130 * MICROSECOND)
    d.see("at 430 us", d.read(ICS) & RXT0, RXT0)


@scenario("RADV without RDTR does nothing", "13.4.31")
def _(d):
    d.rx_ring()
    d.write(RADV, 400)
    d.read(ICR)
    d.deliver(ethernet())
    d.see("at once", d.read(ICR) & RXT0, RXT0)


@scenario("RDTR.FPD ends the delay", "13.4.30", parts=EVERY)
def _(d):
    d.rx_ring()
    d.write(RDTR, 1000)
    d.read(ICR)
    d.deliver(ethernet())
    d.see("before", d.read(ICS) & RXT0, 0, TIMERS)
    d.write(RDTR, 1000 | 1 << 31)
    d.step(10 * MICROSECOND)
    d.see("after", d.read(ICS) & RXT0, RXT0)
    d.see("reads 0", d.read(RDTR), 1000)


@scenario("RSRPD: small frames interrupt at once", "13.4.32")
def _(d):
    d.rx_ring()
    d.write(RDTR, 1000)
    d.write(RSRPD, 100)
    d.read(ICR)
    d.deliver(ethernet(size=200))
    d.see("large", d.read(ICS) & (SRPD | RXT0), 0, reasons.SMALL_PACKET)
    d.deliver(ethernet(size=80))
    d.see("small", d.read(ICS) & (SRPD | RXT0), SRPD | RXT0, reasons.SMALL_PACKET)


def frame():
    return ethernet(PEER, STATION)


@scenario("IDE with TIDV {}: TXDW comes that much later", "3.4.3", each=(100, 1000), parts=EVERY)
def _(d, value):
    d.tx_ring()
    d.write(TIDV, value)
    d.read(ICR)
    d.transmit(d.legacy(frame(), EOP | IFCS | RS | IDE))
    d.see("at once", d.read(ICS) & TXDW, 0, TIMERS)
    d.step(value * UNIT - 20 * MICROSECOND)
    d.see("before", d.read(ICS) & TXDW, 0, TIMERS)
    d.step(25 * MICROSECOND)
    d.see("after", d.read(ICS) & TXDW, TXDW)
    d.see("DD", d.tx_status(0), 1)


@scenario("IDE: a descriptor without it interrupts at once", "3.4.3", parts=EVERY)
def _(d):
    d.tx_ring()
    d.write(TIDV, 1000)
    d.read(ICR)
    d.transmit(d.legacy(frame(), EOP | IFCS | RS | IDE))
    d.transmit(d.legacy(frame()))
    d.see("TXDW", d.read(ICR) & TXDW, TXDW)
    d.step(2 * MILLISECOND)
    d.see("once", d.read(ICR) & TXDW, 0)


@scenario("TADV ends the delay that descriptors prolong", "3.4.3, 13.4.44")
def _(d):
    d.tx_ring()
    d.write(TIDV, 200)
    d.write(TADV, 400)
    d.read(ICR)
    for n in range(2):
        d.transmit(d.legacy(frame(), EOP | IFCS | RS | IDE))
        d.step(150 * MICROSECOND)
        d.see(f"descriptor {n}", d.read(ICS) & TXDW, 0, TIMERS)
    d.transmit(d.legacy(frame(), EOP | IFCS | RS | IDE))
    d.step(130 * MICROSECOND)
    d.see("at 430 us", d.read(ICS) & TXDW, TXDW)


@scenario("82544: no throttling, whatever ITR is told", "13.4.18", "enabled", parts=OLD)
def _(d):
    d.write(ITR, 4000)
    d.see("ITR", d.read(ITR), 0, reasons.OLD_PART)
    d.write(IMS, RXT0)
    for n in range(3):
        d.write(ICS, RXT0)
        d.step(10 * MICROSECOND)
        d.see(f"interrupt {n}", d.irq_now(), True, reasons.ITR_FLOOR if n else None)
        d.read(ICR)


@scenario("82544: RDTR counts from the first frame", "3.2.8", parts=OLD)
def _(d):
    d.rx_ring()
    d.write(RDTR, 200)
    d.write(RADV, 1)  # there is none
    d.read(ICR)
    d.deliver(ethernet())
    d.step(150 * MICROSECOND)
    d.see("frame 0", d.read(ICS) & RXT0, 0, TIMERS)
    d.deliver(ethernet())
    d.step(60 * MICROSECOND)
    d.see("210 us after the first", d.read(ICS) & RXT0, RXT0)
