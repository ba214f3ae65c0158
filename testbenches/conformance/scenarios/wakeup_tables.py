"""Wake-up filters that compare what tables say: IP addresses, flexible filters (manual 6.4.3)."""

from bench.packets import *
from bench.parts import EVERY, NEWER
from bench.registers import *
from bench.scenario import scenario
from scenarios.wakeup import IP, IP6, arm, flexible, ipv4, ipv6, no_flexible, tables, wakes

PARTS = EVERY
OTHER = bytes.fromhex("021122334455")


@scenario("wake-up by {0}: any of the four addresses", "6.4.3.1.5", each=("ARP", "IPv4"))
def _(d, name):
    bit, frame = dict(ARP=(WAKE_ARP, arp), IPv4=(WAKE_IPV4, ipv4))[name]
    tables(d)
    arm(d, bit)
    for n, address in enumerate(IP):
        wakes(d, f"number {n}", frame(address), bit)
    d.write(IPAV, 0b0101)
    for n, address in enumerate(IP):
        wakes(d, f"IPAV 5, number {n}", frame(address), bit if n in (0, 2) else 0)


@scenario("wake-up by {0}: tagged, with LLC/SNAP, both", "6.4.3.1.5", each=("ARP", "IPv4"))
def _(d, name):
    bit, frame = dict(ARP=(WAKE_ARP, arp(IP[1])), IPv4=(WAKE_IPV4, ipv4(IP[1])))[name]
    snap = with_snap(frame)
    both = with_snap(frame)
    both = add_vlan(both, 7)
    tables(d)
    arm(d, bit)
    wakes(d, "tagged", add_vlan(frame, 7), bit)
    wakes(d, "SNAP", snap, bit)
    wakes(d, "both", both, bit)
    wakes(d, "another tag", add_vlan(frame, 7, 0x88A8), 0)
    d.write(VET, 0x88A8)
    wakes(d, "VET changed", add_vlan(frame, 7, 0x88A8), bit)


@scenario("wake-up: the VLAN filter comes first", "6.4.3")
def _(d):
    d.write(VFTA, 1 << 7)
    tables(d)
    arm(d, EX | WAKE_ARP, RCTL_BAM | RCTL_VFE)
    wakes(d, "in the table", add_vlan(ethernet(STATION), 7), EX)
    wakes(d, "not in it", add_vlan(ethernet(STATION), 8), 0)
    wakes(d, "ARP, in it", add_vlan(arp(IP[0]), 7), WAKE_ARP)
    wakes(d, "ARP, not in it", add_vlan(arp(IP[0]), 8), 0)


@scenario("wake-up by ARP: requests by broadcast alone", "6.4.3.1.5")
def _(d):
    tables(d)
    arm(d, WAKE_ARP)
    wakes(d, "an answer", arp(IP[0], operation=2), 0)
    wakes(d, "to the station", arp(IP[0], destination=STATION), 0)
    frame = bytearray(arp(IP[0]))
    for offset in (15, 16, 18, 19):
        changed = frame[:]
        changed[offset] ^= 0x10
        wakes(d, f"byte {offset} changed", bytes(changed), 0)
    changed = frame[:]
    changed[28] ^= 0x10
    wakes(d, "the sender does not matter", bytes(changed), WAKE_ARP)


@scenario("wake-up by IPv4: to the station's address alone", "6.4.3.1.6")
def _(d):
    tables(d)
    arm(d, WAKE_IPV4, RCTL_BAM | RCTL_UPE)
    wakes(d, "broadcast", ipv4(to=BROADCAST), 0)
    wakes(d, "another station", ipv4(to=OTHER), 0)
    frame = bytearray(ipv4())
    frame[14] = 0x65
    wakes(d, "version 6", bytes(frame), 0)
    frame = bytearray(ipv4())
    frame[26] ^= 1
    wakes(d, "the source does not matter", bytes(frame), WAKE_IPV4)


@scenario("wake-up by IPv6: every byte of the address counts", "6.4.3.2", parts=NEWER)
def _(d):
    tables(d)
    arm(d, WAKE_IPV6)
    for n in range(0, 16, 5):
        address = bytearray(IP6)
        address[n] ^= 1
        wakes(d, f"byte {n}", ipv6(bytes(address)), 0)
    wakes(d, "the address", ipv6(), WAKE_IPV6)
    d.write(IPAV, 15)
    wakes(d, "not valid", ipv6(), 0)


# --- flexible filters ---


def frame(size=128, **bytes_at):
    """A broadcast, with certain bytes in places: at20=5."""
    content = bytearray(ethernet(BROADCAST, size=size))
    for name, value in bytes_at.items():
        content[int(name[2:])] = value
    return bytes(content)


@scenario("flexible filter {}: compares the bytes that its mask names", "6.4.3.3", each=range(4))
def _(d, n):
    no_flexible(d)
    flexible(d, n, {12: 0x11, 40: 0x22, 127: 0x33}, mask=(12, 127))
    arm(d, FLX[n])
    wakes(d, "equal", frame(at12=0x11, at40=0x22, at127=0x33), FLX[n])
    wakes(d, "differs where nothing is compared", frame(at12=0x11, at40=0x99, at127=0x33), FLX[n])
    wakes(d, "differs at 12", frame(at12=0x10, at40=0x22, at127=0x33), 0)
    wakes(d, "differs at 127", frame(at12=0x11, at40=0x22, at127=0x32), 0)


@scenario("flexible filters: each has its own bytes, masks and length", "6.4.3.3")
def _(d):
    no_flexible(d)
    for n in range(4):
        flexible(d, n, {12: 0x40 + n, 20 + n: 0xA0 + n}, length=32 + n)
    arm(d, FLX[0] | FLX[1] | FLX[2] | FLX[3])
    for n in range(4):
        content = frame(**{"at12": 0x40 + n, f"at{20 + n}": 0xA0 + n})
        wakes(d, f"for {n}", content, FLX[n])
        other = frame(**{"at12": 0x40 + n, f"at{20 + (n + 1) % 4}": 0xA0 + n, f"at{20 + n}": 1})
        wakes(d, f"nearly {n}", other, 0)


@scenario("flexible filters: four at once", "6.4.3.3")
def _(d):
    no_flexible(d)
    for n in range(4):
        flexible(d, n, {12: 0x77})
    arm(d, FLX[0] | FLX[2] | FLX[3])
    wakes(d, "those enabled", frame(at12=0x77), FLX[0] | FLX[2] | FLX[3])


@scenario("flexible filter: FFLT {0}: frames of {1} bytes", "13.6.9", each=[(100, 100), (600, 600)])
def _(d, length, size):
    no_flexible(d)
    flexible(d, 1, {12: 0x55}, length=length)
    arm(d, FLX[1])
    wakes(d, "one byte less", frame(size - 1, at12=0x55), 0)
    wakes(d, "that long", frame(size, at12=0x55), FLX[1])
    wakes(d, "longer", frame(size + 1, at12=0x55), FLX[1])


@scenario("flexible filter: bytes from FFLT on are not compared", "13.6.9")
def _(d):
    no_flexible(d)
    flexible(d, 3, {12: 0x55, 50: 0x66}, length=50)
    arm(d, FLX[3])
    wakes(d, "byte 50 differs", frame(at12=0x55, at50=0x67), FLX[3])
    d.write(FFLT + 24, 51)
    wakes(d, "one more counts", frame(at12=0x55, at50=0x67), 0)


@scenario("flexible filter: without masks every frame that is taken wakes", "6.4.3.3")
def _(d):
    no_flexible(d)
    d.write(FFLT, 60)
    arm(d, FLX[0])
    wakes(d, "to the station", ethernet(STATION), FLX[0])
    wakes(d, "broadcast", ethernet(BROADCAST), FLX[0])
    wakes(d, "to another station", ethernet(OTHER), 0)
