"""Frames that come back (manual: PHY control register, RCTL.LBM)."""

import reasons
from bench.bench import MILLISECOND
from bench.packets import BROADCAST, PEER, STATION, ethernet
from bench.registers import *
from bench.parts import COMPARED
from bench.scenario import scenario

PARTS = COMPARED


def phy_loop(d):
    """As ethtool's test does it, then time for QEMU's hold after a write of RCTL."""
    d.phy_write(PSCR, 0x0808)
    d.phy_write(BMCR, 0x9140)
    d.phy_write(BMCR, 0x8140)
    d.phy_write(BMCR, BMCR_LOOPBACK | BMCR_FD | BMCR_1000)
    d.set(CTRL, CTRL_FRCSPD | CTRL_FRCDPX | CTRL_SPEED_1000 | CTRL_FD)
    d.tx_ring()
    d.rx_ring()


@scenario("PHY loopback: a frame comes back and stays off the wire", "13.4.8")
def _(d):
    phy_loop(d)
    frame = ethernet(BROADCAST, STATION, size=1024)
    d.see("wire", d.transmit(d.legacy(frame)), [])
    d.see("received", [p.data for p in d.deliver()], [frame])


@scenario("PHY loopback: filters apply", "10.1")
def _(d):
    phy_loop(d)
    d.transmit(d.legacy(ethernet(PEER, STATION)), d.legacy(ethernet(STATION, STATION)))
    d.see("received", [p.data for p in d.deliver()], [ethernet(STATION, STATION)])


@scenario("PHY loopback: 64 frames", "13.4.8")
def _(d):
    phy_loop(d)
    d.tx_ring(128)
    d.rx_ring(128)
    frames = [ethernet(BROADCAST, STATION, size=100 + n) for n in range(64)]
    d.transmit(*[d.legacy(frame) for frame in frames])
    d.step(MILLISECOND)
    d.see("received", [p.data for p in d.deliver()], frames)


@scenario("PHY loopback: transmitting goes on when receiving has no descriptors", "13.4.8")
def _(d):
    phy_loop(d)
    d.rx_ring(tail=2)
    d.transmit(*[d.legacy(ethernet(BROADCAST, STATION)) for _ in range(20)])
    d.step(MILLISECOND)
    d.see("head", d.read(TDH), 20)
    d.see("received", len(d.received()), 2)


@scenario("PHY loopback: statistics count both ways", "13.7")
def _(d):
    phy_loop(d)
    d.transmit(d.legacy(ethernet(BROADCAST, STATION)))
    d.see("GPTC", d.statistic("GPTC"), 1)
    d.see("GPRC", d.statistic("GPRC"), 1)
    d.see("BPRC", d.statistic("BPRC"), 1, reasons.COUNTERS)


@scenario("PHY loopback: tags are inserted and stripped", "9")
def _(d):
    phy_loop(d)
    d.set(CTRL, CTRL_VME)
    frame = ethernet(BROADCAST, STATION)
    d.transmit(d.legacy(frame, EOP | IFCS | RS | VLE, special=0x123))
    packet = d.deliver()[0]
    d.see("data", packet.data, frame)
    d.see("special", packet.special, 0x123)


@scenario("PHY loopback: ends with the bit", "13.4.8")
def _(d):
    phy_loop(d)
    d.phy_write(BMCR, BMCR_AUTONEG | BMCR_RESTART | BMCR_FD | BMCR_1000)
    d.step(1_000 * MILLISECOND)
    frame = ethernet(BROADCAST, STATION)
    d.see("wire", d.transmit(d.legacy(frame)), [frame])
    d.see("received", d.deliver(), [])


@scenario("RCTL.LBM 11: the wire is not heard", "13.4.22")
def _(d):
    d.rx_ring(control=RCTL_BAM | RCTL_LBM)
    d.see("received", len(d.deliver(ethernet(BROADCAST))), 0, reasons.MAC_LOOPBACK)
    d.see("TPR", d.statistic("TPR"), 0, reasons.MAC_LOOPBACK)


@scenario("RCTL.LBM 11: a frame comes back", "13.4.22")
def _(d):
    d.tx_ring()
    d.rx_ring(control=RCTL_BAM | RCTL_LBM)
    frame = ethernet(BROADCAST, STATION)
    d.see("wire", d.transmit(d.legacy(frame)), [], reasons.MAC_LOOPBACK)
    d.see("received", [p.data for p in d.deliver()], [frame], reasons.MAC_LOOPBACK)
