"""VLAN tags: inserted, stripped, filtered."""

import reasons
from bench.packets import PEER, STATION, Packet, add_vlan, ethernet, pattern
from bench.registers import *
from bench.parts import COMPARED
from bench.scenario import scenario

PARTS = COMPARED


def frame(size=60):
    return ethernet(PEER, STATION, size=size)


@scenario(
    "VLAN: a tag is inserted into a {0} descriptor's frame",
    "9.4",
    each=[("legacy", False), ("data", True)],
)
def _(d, name, extended):
    d.set(CTRL, CTRL_VME)
    d.tx_ring()
    make = d.data if extended else d.legacy
    frames = d.transmit(make(frame(), EOP | IFCS | RS | VLE, special=0x6ABC))
    d.see("frame", frames, [add_vlan(frame(), 0x6ABC)])


@scenario("VLAN: no tag without VLE", "9.4")
def _(d):
    d.set(CTRL, CTRL_VME)
    d.tx_ring()
    d.see("frame", d.transmit(d.legacy(frame(), special=0x6ABC)), [frame()])


@scenario("VLAN: no tag without CTRL.VME", "9.4")
def _(d):
    d.tx_ring()
    d.see("frame", d.transmit(d.legacy(frame(), EOP | IFCS | RS | VLE, special=0x6ABC)), [frame()])


@scenario("VLAN: the tag's type is VET's", "13.4.12")
def _(d):
    d.set(CTRL, CTRL_VME)
    d.write(VET, 0x88A8)
    d.tx_ring()
    frames = d.transmit(d.legacy(frame(100), EOP | IFCS | RS | VLE, special=5))
    d.see("frame", frames, [add_vlan(frame(100), 5, 0x88A8)])


@scenario("VLAN: command and tag of the packet's last descriptor", "3.3.3")
def _(d):
    d.set(CTRL, CTRL_VME)
    content = frame(200)
    d.tx_ring()
    frames = d.transmit(
        d.legacy(content[:100], IFCS, special=1),
        d.legacy(content[100:], EOP | IFCS | RS | VLE, special=2),
    )
    d.see("frame", frames, [add_vlan(content, 2)])


@scenario("VLAN: checksums do not count the tag", "3.3.3")
def _(d):
    from scenarios.offload import context_of, seeded

    d.set(CTRL, CTRL_VME)
    packet = Packet(pattern(200))
    d.tx_ring()
    frames = d.transmit(
        context_of(packet),
        d.data(seeded(packet), EOP | IFCS | RS | VLE, options=IXSM | TXSM, special=77),
    )
    packet.vlan = 77
    d.see("frame", frames, [packet.correct()])


@scenario("VLAN: a tagged frame of {} bytes in the buffer is sent as it is", "9.4", each=(64, 1518))
def _(d, size):
    d.set(CTRL, CTRL_VME)
    content = add_vlan(frame(size - 4), 9)
    d.tx_ring()
    d.see("frame", d.transmit(d.legacy(content)), [content])


def tagged(tag, size=80, kind=0x8100):
    return add_vlan(ethernet(size=size - 4), tag, kind)


@scenario("VLAN: the tag of a received frame is stripped", "9.5")
def _(d):
    d.set(CTRL, CTRL_VME)
    d.rx_ring()
    packet = d.deliver(tagged(0x6ABC))[0]
    d.see("data", packet.data, ethernet(size=76))
    d.see("length", packet.length, 76 + 4)
    d.see("VP", packet.status & RX_VP, RX_VP)
    d.see("special", packet.special, 0x6ABC)


@scenario("VLAN: an untagged frame says so", "9.5")
def _(d):
    d.set(CTRL, CTRL_VME)
    d.rx_ring()
    packet = d.deliver(ethernet())[0]
    d.see("data", packet.data, ethernet())
    d.see("VP", packet.status & RX_VP, 0)
    d.see("special", packet.special, 0)


@scenario("VLAN: without CTRL.VME the tag stays", "9.5")
def _(d):
    d.rx_ring()
    packet = d.deliver(tagged(0x6ABC))[0]
    d.see("data", packet.data, tagged(0x6ABC))
    d.see("VP", packet.status & RX_VP, 0)


@scenario("VLAN: another type is no tag", "13.4.12")
def _(d):
    d.set(CTRL, CTRL_VME)
    d.rx_ring()
    packet = d.deliver(tagged(5, kind=0x88A8))[0]
    d.see("data", packet.data, tagged(5, kind=0x88A8))
    d.write(VET, 0x88A8)
    packet = d.deliver(tagged(5, kind=0x88A8))[0]
    d.see("VET changed", packet.data, ethernet(size=76))


@scenario("VLAN: a stripped frame over several buffers", "9.5")
def _(d):
    d.set(CTRL, CTRL_VME)
    d.rx_ring(size=256)
    packet = d.deliver(tagged(3, 700))[0]
    d.see("data", packet.data, ethernet(size=696))
    d.see("special", packet.special, 3)


@scenario("VLAN: the shortest tagged frame", "9.5")
def _(d):
    d.set(CTRL, CTRL_VME)
    d.rx_ring()
    packet = d.deliver(tagged(3, 64))[0]
    d.see("data", packet.data, ethernet(size=60))


@scenario("VLAN filter: id {} by its bit in VFTA", "9.6", each=(0, 1, 31, 32, 100, 2047, 4095))
def _(d, vid):
    d.rx_ring(control=RCTL_BAM | RCTL_VFE)
    d.see("before", d.accepted(tagged(vid)), False)
    d.write(VFTA + 4 * (vid >> 5), 1 << (vid & 31))
    d.see("after", d.accepted(tagged(vid)), True)
    d.see("priority does not matter", d.accepted(tagged(0xE000 | vid)), True)
    d.see("another id", d.accepted(tagged(vid ^ 1)), False)


@scenario("VLAN filter: all bits but one", "9.6")
def _(d):
    d.write_all((VFTA + 4 * n, 0xFFFFFFFF) for n in range(128))
    d.write(VFTA + 4 * (1234 >> 5), ~(1 << (1234 & 31)) & 0xFFFFFFFF)
    d.rx_ring(control=RCTL_BAM | RCTL_VFE)
    d.see("that one", d.accepted(tagged(1234)), False)
    d.see("others", [d.accepted(tagged(vid)) for vid in (0, 1233, 1235, 4095)], [True] * 4)


@scenario("VLAN filter: untagged frames pass", "9.6")
def _(d):
    d.rx_ring(control=RCTL_BAM | RCTL_VFE)
    d.see("untagged", d.accepted(ethernet()), True)


@scenario("VLAN filter: off, all pass", "9.6")
def _(d):
    d.rx_ring()
    d.see("tagged", d.accepted(tagged(99)), True)


@scenario("VLAN filter: works without CTRL.VME, and with it strips", "9.6")
def _(d):
    d.write(VFTA, 1 << 7)
    d.set(CTRL, CTRL_VME)
    d.rx_ring(control=RCTL_BAM | RCTL_VFE)
    d.see("in the table", d.deliver(tagged(7))[0].special, 7)
    d.see("not in it", d.deliver(tagged(8)), [])


@scenario("VLAN filter: counts for promiscuous reception too", "9.6")
def _(d):
    d.rx_ring(control=RCTL_BAM | RCTL_VFE | RCTL_UPE | RCTL_MPE)
    d.see("not in the table", d.accepted(tagged(8)), False)


@scenario("VLAN filter: CFIEN wants CFI {0}", "13.4.22", each=[(0, 0), (1, RCTL_CFI)])
def _(d, cfi, bit):
    d.write(VFTA, 1 << 7)
    d.rx_ring(control=RCTL_BAM | RCTL_VFE | RCTL_CFIEN | bit)
    for sent in (0, 1):
        wanted = sent == cfi
        d.see(
            f"CFI {sent}",
            d.accepted(tagged(sent << 12 | 7)),
            wanted,
            None if wanted else reasons.CFI_FILTER,
        )
