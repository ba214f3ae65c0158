"""Causes, masks and the interrupt line (manual 3.2.7, 3.4.3, 13.4.17 to 13.4.21)."""

import reasons
from bench.packets import PEER, STATION, ethernet
from bench.registers import *
from bench.parts import COMPARED
from bench.scenario import scenario

PARTS = COMPARED

CAUSES = dict(INT, reserved_5=5, reserved_8=8)


@scenario(
    "cause {}: ICS sets it, IMS lets it through, ICR shows and clears it",
    "13.4.17",
    "enabled",
    each=CAUSES,
)
def _(d, name):
    bit = 1 << CAUSES[name]
    known = not (d.part.old and bit & (TXD_LOW | SRPD))
    why = None if known else reasons.OLD_PART
    d.write(ICS, bit)
    d.see("masked", d.irq(), False)
    d.write(IMS, bit)
    d.see("unmasked", d.irq(), known, why)
    d.see("ICR", d.read(ICR) & 0x1FFFF, bit if known else 0, why)
    d.see("line after the read", d.irq(), False)
    d.see("ICR again", d.read(ICR), 0)


@scenario("causes: reserved bits", "13.4.17", "enabled")
def _(d):
    d.write(ICS, 0xFFFE0000)
    d.see("ICR", d.read(ICR), 0, reasons.ICR_RESERVED)


@scenario("causes: ICR while the line is asserted has no more bits", "13.4.17", "enabled")
def _(d):
    d.write(IMS, RXT0)
    d.write(ICS, RXT0)
    d.step(1_000_000)
    d.see("ICR", d.read(ICR), RXT0)


@scenario("causes: ICS sets several and adds to others", "13.4.19", "enabled")
def _(d):
    d.write(ICS, TXDW | LSC)
    d.write(ICS, RXT0)
    d.see("ICR", d.read(ICR), TXDW | LSC | RXT0)


@scenario("causes: ICS of 0 sets nothing", "13.4.19", "enabled")
def _(d):
    d.write(ICS, 0)
    d.see("ICR", d.read(ICR), 0)


@scenario("ICR: a one written clears its bit alone", "13.4.17", "enabled")
def _(d):
    d.write(ICS, TXDW | LSC | RXT0)
    d.write(ICR, LSC)
    d.see("ICR", d.read(ICR), TXDW | RXT0)


@scenario("ICR: a write drops the line when nothing is left", "13.4.17", "enabled")
def _(d):
    d.write(IMS, LSC | RXT0)
    d.write(ICS, LSC | RXT0)
    d.see("both", d.irq(), True)
    d.write(ICR, LSC)
    d.see("one", d.irq(), True)
    d.write(ICR, RXT0)
    d.see("none", d.irq(), False)


@scenario("ICR: a read clears with everything masked, too", "13.4.17", "enabled")
def _(d):
    d.write(ICS, TXDW | RXO)
    d.see("first", d.read(ICR), TXDW | RXO)
    d.see("second", d.read(ICR), 0)


@scenario("ICR: a read clears masked causes along with the others", "13.4.17", "enabled")
def _(d):
    d.write(IMS, RXT0)
    d.write(ICS, RXT0 | TXDW)
    d.see("ICR", d.read(ICR) & 0x1FFFF, RXT0 | TXDW)
    d.write(IMS, TXDW)
    d.see("line", d.irq(), False)


@scenario("IMS: ones set, zeros do nothing", "13.4.20", "enabled")
def _(d):
    d.write(IMS, TXDW)
    d.write(IMS, RXT0)
    d.see("both", d.read(IMS), TXDW | RXT0)
    d.write(IMS, 0)
    d.see("still", d.read(IMS), TXDW | RXT0)


@scenario("IMC: ones clear, zeros do nothing", "13.4.21", "enabled")
def _(d):
    d.write(IMS, TXDW | RXT0 | LSC)
    d.write(IMC, LSC)
    d.see("two left", d.read(IMS), TXDW | RXT0)
    d.write(IMC, 0)
    d.see("still", d.read(IMS), TXDW | RXT0)
    d.write(IMC, 0xFFFFFFFF)
    d.see("none", d.read(IMS), 0)


@scenario("IMS: a cause that is pending interrupts at once", "13.4.20", "enabled")
def _(d):
    d.write(ICS, RXDMT0)
    d.write(IMS, TXDW)
    d.see("another's mask", d.irq(), False)
    d.write(IMS, RXDMT0)
    d.see("its own", d.irq(), True)


@scenario("IMC: masks a pending interrupt, IMS brings it back", "13.4.21", "enabled")
def _(d):
    d.write(IMS, RXT0)
    d.write(ICS, RXT0)
    d.see("asserted", d.irq(), True)
    d.write(IMC, RXT0)
    d.see("masked", d.irq(), False)
    d.see("ICS still shows it", d.read(ICS) & 0x1FFFF, RXT0)
    d.write(IMS, RXT0)
    d.see("back", d.irq(), True)


@scenario("IMC: the line stays for another cause", "13.4.21", "enabled")
def _(d):
    d.write(IMS, RXT0 | TXDW)
    d.write(ICS, RXT0 | TXDW)
    d.write(IMC, RXT0)
    d.see("TXDW is left", d.irq(), True)


@scenario("the line falls at once", "13.4.17", "enabled")
def _(d):
    d.write(IMS, RXT0)
    d.write(ICS, RXT0)
    d.step(1_000_000)
    d.see("before", d.irq_now(), True)
    d.read(ICR)
    d.see("after the read", d.irq_now(), False)


@scenario("a level, not an edge: more causes add no edges", "13.4.17", "enabled")
def _(d):
    d.write(IMS, RXT0 | TXDW | LSC)
    for cause in (RXT0, TXDW, LSC):
        d.write(ICS, cause)
        d.step(1_000_000)
    d.see("edges", d.rising_edges(), 1)


@scenario("each cause after a read makes an edge", "13.4.17", "enabled")
def _(d):
    d.write(IMS, RXT0)
    for _ in range(5):
        d.write(ICS, RXT0)
        d.step(1_000_000)
        d.read(ICR)
    d.see("edges", d.rising_edges(), 5)


@scenario("interrupt for a received frame", "3.2.7")
def _(d):
    d.rx_ring()
    d.read(ICR)
    d.write(IMS, RXT0)
    d.see("before", d.irq(), False)
    d.deliver(ethernet())
    d.see("after", d.irq(), True)
    d.see("cause", d.read(ICR) & (RXT0 | RXDMT0 | RXO), RXT0)


@scenario("no interrupt for a frame that is filtered out", "3.2.7")
def _(d):
    d.rx_ring(control=0)
    d.read(ICR)
    d.write(IMS, RXT0)
    d.deliver(ethernet(PEER))
    d.see("line", d.irq(), False)
    d.see("ICR", d.read(ICR), 0)


@scenario("interrupt for a sent frame", "3.4.3")
def _(d):
    d.tx_ring()
    d.read(ICR)
    d.write(IMS, TXDW)
    d.transmit(d.legacy(ethernet(PEER, STATION)))
    d.see("line", d.irq(), True)
    d.see("causes", d.read(ICR) & (TXDW | TXQE), TXDW | TXQE)


@scenario("TXQE alone, for descriptors without RS", "3.4.3")
def _(d):
    d.tx_ring()
    d.read(ICR)
    d.write(IMS, TXQE)
    d.transmit(d.legacy(ethernet(PEER, STATION), EOP | IFCS))
    d.see("line", d.irq(), True)
    d.see("causes", d.read(ICR) & (TXDW | TXQE), TXQE)


@scenario("ethtool's interrupt test, bit {}", "13.4.17", "enabled", each=range(10))
def _(d, bit):
    mask = 1 << bit
    d.write(IMC, mask)
    d.write(ICS, mask)
    d.see("masked", d.irq(), False)
    d.write(IMS, mask)
    d.write(ICS, mask)
    d.see("unmasked", d.irq(), True)
    d.see("ICR", d.read(ICR) & mask, mask)
    d.write(IMC, ~mask & 0x7FFF)
    d.write(ICS, ~mask & 0x7FFF)
    d.see("all others masked", d.irq(), False)
