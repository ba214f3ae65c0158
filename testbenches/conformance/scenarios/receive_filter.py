"""Which frames are accepted (manual 10)."""

import reasons
from bench.packets import BROADCAST, MULTICAST, PEER, STATION, ethernet, multicast_hash
from bench.registers import *
from bench.scenario import scenario

OTHER = bytes.fromhex("021122334455")


def to(address, **fields):
    return ethernet(address, PEER, **fields)


@scenario("filter: receive address {} accepts its address", "13.5.2", each=range(16))
def _(d, index):
    address = bytes.fromhex("0211223344") + bytes([index])
    d.rx_ring(control=0)
    d.see("before", d.accepted(to(address)), False)
    d.station(index, address)
    d.see("after", d.accepted(to(address)), True)
    d.see("one bit off", d.accepted(to(address[:-1] + bytes([index ^ 0x80]))), False)
    d.station(index, address, flags=0)
    d.see("without AV", d.accepted(to(address)), False)


@scenario("filter: byte {} of the address counts", "13.5.2", each=range(6))
def _(d, byte):
    address = bytearray(STATION)
    address[byte] ^= 0x10
    d.rx_ring(control=0)
    d.see("own", d.accepted(to(STATION)), True)
    d.see("differs", d.accepted(to(bytes(address))), False)


@scenario("filter: a receive address may be a group's", "13.5.2")
def _(d):
    d.rx_ring(control=0)
    d.see("before", d.accepted(to(MULTICAST)), False)
    d.station(3, MULTICAST)
    d.see("after", d.accepted(to(MULTICAST)), True)


@scenario("filter: AS 01 compares the source", "13.5.3")
def _(d):
    d.rx_ring(control=0)
    d.station(4, PEER, RAH_AV | RAH_SOURCE)
    d.see("source", d.accepted(to(OTHER)), True, reasons.SOURCE_FILTER)
    d.see("destination", d.accepted(ethernet(PEER, OTHER)), False, reasons.SOURCE_FILTER)


@scenario("filter: broadcast by BAM", "13.4.22")
def _(d):
    d.rx_ring(control=0)
    d.see("without", d.accepted(to(BROADCAST)), False)
    d.rx_ring(control=RCTL_BAM)
    d.see("with", d.accepted(to(BROADCAST)), True)


@scenario("filter: without BAM a broadcast may match otherwise", "10.1")
def _(d):
    d.rx_ring(control=0)
    d.station(6, BROADCAST)
    d.see("a receive address", d.accepted(to(BROADCAST)), True)
    d.station(6, BROADCAST, flags=0)
    d.write(MTA + 4 * 127, 1 << 31)
    d.see("the hash table", d.accepted(to(BROADCAST)), True)


@scenario("filter: nothing but the station without switches", "10.1")
def _(d):
    d.rx_ring(control=0)
    for name, address, expected in (
        ("station", STATION, True),
        ("other", OTHER, False),
        ("group", MULTICAST, False),
        ("broadcast", BROADCAST, False),
    ):
        d.see(name, d.accepted(to(address)), expected)


@scenario("filter: UPE accepts every unicast address", "13.4.22")
def _(d):
    d.rx_ring(control=RCTL_UPE)
    for name, address, expected in (
        ("station", STATION, True),
        ("other", OTHER, True),
        ("group", MULTICAST, False),
        ("broadcast", BROADCAST, False),
    ):
        d.see(name, d.accepted(to(address)), expected)


@scenario("filter: MPE accepts every group", "13.4.22")
def _(d):
    d.rx_ring(control=RCTL_MPE)
    for name, address, expected in (
        ("station", STATION, True),
        ("other", OTHER, False),
        ("group", MULTICAST, True),
    ):
        d.see(name, d.accepted(to(address)), expected)


@scenario("filter: MPE accepts broadcasts, too", "10.1.1")
def _(d):
    d.rx_ring(control=RCTL_MPE)
    d.see("broadcast", d.accepted(to(BROADCAST)), True, reasons.BROADCAST_MPE)


@scenario("filter: UPE and MPE accept everything", "13.4.22")
def _(d):
    d.rx_ring(control=RCTL_UPE | RCTL_MPE | RCTL_BAM)
    for name, address in (
        ("station", STATION),
        ("other", OTHER),
        ("group", MULTICAST),
        ("broadcast", BROADCAST),
    ):
        d.see(name, d.accepted(to(address)), True)


@scenario("filter: hash table, offset {}", "13.4.22, 13.5.1", each=range(4))
def _(d, offset):
    address = bytes.fromhex("01005e37c5a9")
    bit = multicast_hash(address, offset)
    d.rx_ring(control=RCTL_MO(offset))
    d.see("before", d.accepted(to(address)), False)
    d.write(MTA + 4 * (bit >> 5), 1 << (bit & 31))
    d.see("after", d.accepted(to(address)), True)
    d.see("first bytes do not count", d.accepted(to(b"\x03" + address[1:])), True)
    d.see("another hash", d.accepted(to(address[:-1] + b"\x00")), False)


@scenario("filter: all bits of the hash table but one", "13.5.1")
def _(d):
    bit = multicast_hash(MULTICAST, 0)
    d.write_all((MTA + 4 * n, 0xFFFFFFFF) for n in range(128))
    d.write(MTA + 4 * (bit >> 5), ~(1 << (bit & 31)) & 0xFFFFFFFF)
    d.rx_ring(control=0)
    d.see("that one", d.accepted(to(MULTICAST)), False)
    d.see(
        "others",
        [d.accepted(to(bytes([1, 0, 0x5E, 0, n, 7 * n]))) for n in range(1, 6)],
        [True] * 5,
    )


@scenario("filter: the hash table is for groups", "13.5.1")
def _(d):
    bit = multicast_hash(OTHER, 0)
    d.write(MTA + 4 * (bit >> 5), 1 << (bit & 31))
    d.rx_ring(control=0)
    d.see("unicast", d.accepted(to(OTHER)), False, reasons.UNICAST_HASH)


@scenario("filter: PIF tells what passed inexactly", "3.2.3.2")
def _(d):
    bit = multicast_hash(MULTICAST, 0)
    d.write(MTA + 4 * (bit >> 5), 1 << (bit & 31))
    d.rx_ring(control=RCTL_UPE | RCTL_BAM)
    for name, address, expected in (
        ("station", STATION, 0),
        ("broadcast", BROADCAST, 0),
        ("unknown unicast", OTHER, RX_PIF),
        ("hash", MULTICAST, RX_PIF),
    ):
        status = d.deliver(to(address))[0].status
        d.see(name, status & RX_PIF, expected, reasons.PASSED_INEXACT if expected else None)


@scenario("filter: receiver off", "13.4.22")
def _(d):
    d.rx_ring()
    d.clear(RCTL, RCTL_EN)
    d.see("received", d.deliver(to(STATION)), [])


@scenario("filter: an all-zero receive address 1 does not match by chance", "13.5.3")
def _(d):
    d.write(RAL + 8, 0)
    d.write(RAH + 8, 0)
    d.rx_ring(control=0)
    d.see("zero address", d.accepted(to(b"\0" * 6)), False)
    d.write(RAH + 8, RAH_AV)
    d.see("made valid", d.accepted(to(b"\0" * 6)), True)


@scenario("filter: the station's address changes at run time", "13.5.2")
def _(d):
    d.rx_ring(control=0)
    d.see("old", d.accepted(to(STATION)), True)
    d.station(0, OTHER)
    d.see("old, after", d.accepted(to(STATION)), False)
    d.see("new", d.accepted(to(OTHER)), True)


@scenario("filter: any type and payload ({})", "10.1", each=("length field", "zero", "all ones"))
def _(d, what):
    kind = {"length field": 46, "zero": 0, "all ones": 0xFFFF}[what]
    d.rx_ring(control=0)
    d.see("accepted", d.accepted(to(STATION, kind=kind)), True)
