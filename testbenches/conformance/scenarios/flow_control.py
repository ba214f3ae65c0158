"""PAUSE, both ways (manual 8.7.3)."""

import reasons
from bench.bench import MILLISECOND
from bench.packets import PEER, STATION, ethernet, pause
from bench.registers import *
from bench.parts import COMPARED
from bench.scenario import scenario

PARTS = COMPARED

FLOW = reasons.FLOW_CONTROL
GROUP = bytes.fromhex("0180c2000001")


def setup(d, flags=CTRL_RFCE):
    d.write(FCAL, 0x00C28001)
    d.write(FCAH, 0x0100)
    d.write(FCT, 0x8808)
    d.set(CTRL, flags)
    d.tx_ring()
    d.rx_ring()


def frame():
    return ethernet(PEER, STATION)


@scenario("PAUSE: stops the transmitter for its time", "8.7.3")
def _(d):
    setup(d)
    d.send(pause(0xFFFF))
    d.see("TXOFF", d.read(STATUS) & STATUS_TXOFF, STATUS_TXOFF, FLOW)
    d.see("frames", d.transmit(d.legacy(frame())), [], FLOW)
    d.step(40 * MILLISECOND)
    d.see("TXOFF later", d.read(STATUS) & STATUS_TXOFF, 0)
    d.see("frames later", d.endpoint.frames(), [frame()], FLOW)


@scenario("PAUSE of 0 ends it", "8.7.3")
def _(d):
    setup(d)
    d.send(pause(0xFFFF))
    d.send(pause(0))
    d.see("TXOFF", d.read(STATUS) & STATUS_TXOFF, 0)
    d.see("frames", d.transmit(d.legacy(frame())), [frame()])
    d.see("XOFFRXC", d.statistic("XOFFRXC"), 1, FLOW)
    d.see("XONRXC", d.statistic("XONRXC"), 1, FLOW)


@scenario("PAUSE: without RFCE a frame like others", "8.7.3")
def _(d):
    setup(d, 0)
    d.send(pause(0xFFFF))
    d.see("TXOFF", d.read(STATUS) & STATUS_TXOFF, 0)
    d.see("frames", d.transmit(d.legacy(frame())), [frame()])
    d.see("XOFFRXC", d.statistic("XOFFRXC"), 0)


@scenario("PAUSE: to the station's address", "8.7.3")
def _(d):
    setup(d)
    d.send(pause(0xFFFF, STATION))
    d.see("TXOFF", d.read(STATUS) & STATUS_TXOFF, STATUS_TXOFF, FLOW)


@scenario("PAUSE: to another address it is none", "8.7.3")
def _(d):
    setup(d)
    d.send(pause(0xFFFF, bytes.fromhex("021122334455")))
    d.see("TXOFF", d.read(STATUS) & STATUS_TXOFF, 0)


@scenario("PAUSE: the type is FCT's", "13.4.11")
def _(d):
    setup(d)
    d.write(FCT, 0x8809)
    d.send(pause(0xFFFF))
    d.see("TXOFF", d.read(STATUS) & STATUS_TXOFF, 0)


@scenario("PAUSE: not handed to software", "8.7.3")
def _(d):
    setup(d)
    d.see("received", d.deliver(pause(1)), [])
    d.see("GPRC", d.statistic("GPRC"), 0)


@scenario("PAUSE: DPF 1 keeps those to the station back", "13.4.22")
def _(d):
    setup(d)
    d.set(RCTL, RCTL_DPF)
    d.step(1_200 * MILLISECOND)
    d.see("received", len(d.deliver(pause(1, STATION))), 0, FLOW)


@scenario("MAC control of another kind counts in FCRUC", "13.7.20")
def _(d):
    setup(d)
    d.see("received", d.deliver(pause(1, opcode=0x0101)), [])
    d.see("FCRUC", d.statistic("FCRUC"), 1, FLOW)


@scenario("MAC control: PMCF passes it, whatever the filters say", "8.7.4")
def _(d):
    setup(d)
    d.set(RCTL, RCTL_PMCF)
    d.step(1_200 * MILLISECOND)
    d.see("received", len(d.deliver(pause(1, opcode=0x0101))), 1, FLOW)


@scenario("PAUSE that software gets is no good frame", "13.7.22 to 13.7.33")
def _(d):
    setup(d)
    d.set(RCTL, RCTL_MPE)
    d.step(1_200 * MILLISECOND)
    d.see("received", len(d.deliver(pause(1))), 1)
    d.see("GPRC", d.statistic("GPRC"), 0, FLOW)
    d.see("MPRC, PRC64", [d.statistic("MPRC"), d.statistic("PRC64")], [0, 0])
    d.see("TPR", d.statistic("TPR"), 1)


@scenario("SWXOFF without link: one request, however often it is made", "8.7.6")
def _(d):
    setup(d, 0)
    d.write(FCTTV, 0x1234)
    d.clear(CTRL, CTRL_SLU)
    d.step(MILLISECOND)
    for _ in range(20):
        d.set(TCTL, TCTL_SWXOFF)
    d.see("without link", len(d.endpoint.frames()), 0)
    d.set(CTRL, CTRL_SLU)
    d.step(MILLISECOND)
    d.see("with link", len(d.endpoint.frames()), 1, FLOW)
    d.see("XOFFTXC", d.statistic("XOFFTXC"), 1, FLOW)


@scenario("SWXOFF sends a PAUSE frame", "13.4.33")
def _(d):
    setup(d, 0)
    d.write(FCTTV, 0x1234)
    d.set(TCTL, TCTL_SWXOFF)
    d.step(MILLISECOND)
    d.see("frame", d.endpoint.frames(), [pause(0x1234)[:6] + STATION + pause(0x1234)[12:]], FLOW)
    d.see("SWXOFF", d.read(TCTL) & TCTL_SWXOFF, 0, FLOW)
    d.see("XOFFTXC", d.statistic("XOFFTXC"), 1, FLOW)


@scenario("XOFF when the packet buffer fills, XON when it empties", "8.7.3, 13.4.23")
def _(d):
    setup(d, CTRL_TFCE)
    d.write(FCTTV, 0xFFFF)
    d.write(FCRTH, 4000)
    d.write(FCRTL, 2000 | 1 << 31)
    d.write(RDT, 0)
    d.send(*[ethernet(size=1000)] * 3)
    d.see("below the threshold", d.endpoint.frames(), [])
    d.send(*[ethernet(size=1000)] * 2)
    d.see("reached", [f[12:18] for f in d.endpoint.frames()], [b"\x88\x08\0\1\xff\xff"], FLOW)
    d.write(RDT, 15)
    d.step(MILLISECOND)
    d.see("empty again", [f[12:18] for f in d.endpoint.frames()], [b"\x88\x08\0\1\0\0"], FLOW)
    d.see("XOFFTXC, XONTXC", [d.statistic("XOFFTXC"), d.statistic("XONTXC")], [1, 1], FLOW)


@scenario("no XON without XONE", "13.4.23")
def _(d):
    setup(d, CTRL_TFCE)
    d.write(FCTTV, 0xFFFF)
    d.write(FCRTH, 2000)
    d.write(FCRTL, 1000)
    d.write(RDT, 0)
    d.send(*[ethernet(size=1000)] * 3)
    d.see("XOFF", len(d.endpoint.frames()), 1, FLOW)
    d.write(RDT, 15)
    d.step(MILLISECOND)
    d.see("XON", d.endpoint.frames(), [])


@scenario("thresholds do nothing without TFCE", "8.7.3")
def _(d):
    setup(d, 0)
    d.write(FCRTH, 1000)
    d.write(RDT, 0)
    d.send(*[ethernet(size=1000)] * 3)
    d.see("frames", d.endpoint.frames(), [])
