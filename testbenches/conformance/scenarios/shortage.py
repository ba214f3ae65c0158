"""When receive descriptors or the packet buffer run out."""

import reasons
from bench.packets import STATION, ethernet
from bench.registers import *
from bench.parts import COMPARED
from bench.scenario import scenario

PARTS = COMPARED

NO_DESCRIPTORS = reasons.NO_DESCRIPTORS


@scenario("shortage: RNBC counts frames that find no descriptor", "13.7.36")
def _(d):
    d.rx_ring(tail=1)
    d.deliver(ethernet(), ethernet(), ethernet())
    d.see("RNBC", d.statistic("RNBC"), 2, NO_DESCRIPTORS)
    d.see("MPC: none is lost", d.statistic("MPC"), 0)


@scenario("shortage: a full packet buffer loses frames", "13.7.5")
def _(d):
    d.write(PBA, 8)
    d.write(CTRL, CTRL_RST)
    d.step(1_000_000)
    d.station(0, STATION)  # the 82544 does not read its EEPROM again
    d.bring_up_link()
    d.rx_ring(tail=1)
    d.deliver(*[ethernet(size=1000)] * 20)
    lost = d.statistic("MPC")
    d.see("MPC", lost, 20 - 1 - 8, NO_DESCRIPTORS)
    d.see("RXO", d.read(ICR) & RXO, RXO, NO_DESCRIPTORS)


@scenario("shortage: received frames in the buffer survive until descriptors come", "13.7.36")
def _(d):
    d.rx_ring(tail=1)
    frames = [ethernet(size=60 + n) for n in range(8)]
    d.deliver(*frames)
    d.write(RDT, 12)
    d.step(1_000_000)
    d.see("data", [p.data for p in d.deliver()], frames[1:])


@scenario(
    "shortage: RDMTS {0}: RXDMT0 at {1} of 16 descriptors", "3.2.6", each=[(0, 8), (1, 4), (2, 2)]
)
def _(d, code, threshold):
    d.rx_ring(count=16, control=RCTL_BAM | RCTL_RDMTS(code), tail=15)
    d.read(ICR)
    d.deliver(*[ethernet()] * (15 - threshold - 1))
    d.see("one more is free", d.read(ICR) & RXDMT0, 0)
    d.deliver(ethernet())
    d.see("reached", d.read(ICR) & RXDMT0, RXDMT0)


@scenario("shortage: RXDMT0 once at each crossing", "3.2.6")
def _(d):
    d.rx_ring(count=16, tail=15)
    d.deliver(*[ethernet()] * 8)
    d.read(ICR)
    d.deliver(ethernet())
    d.see("below", d.read(ICR) & RXDMT0, 0, reasons.RXDMT0_ONCE)
    d.write(RDT, 7)
    d.read(ICR)
    d.deliver(*[ethernet()] * 7)
    d.see("crossed again", d.read(ICR) & RXDMT0, RXDMT0)


@scenario("shortage: an empty ring at first", "3.2.6")
def _(d):
    d.rx_ring(tail=0)
    d.see("nothing", d.deliver(ethernet()), [])
    d.write(RDT, 8)
    d.step(1_000_000)
    d.see("then the frame", [p.data for p in d.deliver()], [ethernet()])


@scenario("shortage: a frame for three buffers, two of them free", "3.2.6")
def _(d):
    d.rx_ring(size=256, tail=2)
    d.see("incomplete", d.deliver(ethernet(size=600)), [])
    d.see("EOP nowhere", [d.rx_descriptor(n).status & RX_EOP for n in range(3)], [0, 0, 0])
    d.see("RDH: the frame has begun", d.read(RDH), 2, NO_DESCRIPTORS)
    d.write(RDT, 6)
    d.step(1_000_000)
    d.see("whole", [p.data for p in d.deliver()], [ethernet(size=600)], NO_DESCRIPTORS)
