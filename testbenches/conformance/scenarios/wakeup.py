"""Wake-up filters (manual 6.4, 13.6)."""

import reasons
from bench.bench import MILLISECOND
from bench.packets import *
from bench.parts import EVERY, ONE
from bench.registers import *
from bench.scenario import scenario

PARTS = EVERY
WAKE = reasons.WAKING
OTHER = bytes.fromhex("021122334455")
IP = [bytes((10, 0, 0, n)) for n in range(2, 6)]  # the first is where Packet goes to
IP6 = b"\xfe\x80" + b"\0" * 13 + b"\2"
ALL = 0xFFFFFFFF


def power(d, value):
    """Writes PMCSR: PME_EN, PME_STATUS (clears it), D3."""
    d.set_config(PMCSR, value, 2)
    d.pmcsr_written = value
    d.step(MILLISECOND)


def see_power(d, label, expected):
    """PMCSR, where QEMU has what was last written."""
    value = d.config(PMCSR, 2) & (PME_EN | PME_STATUS | D3)
    d.see(f"{label}: PMCSR", value, expected, None if expected == d.pmcsr_written else WAKE)


def arm(d, filters, control=RCTL_BAM):
    """Enables wake-up. Descriptors are there, too: a receiver without any is not sent frames by a
    host's link partner, unless it sleeps."""
    d.rx_ring(32, control=control)
    d.write(WUC, 0)  # no APM
    d.write(WUFC, filters)
    power(d, PME_STATUS | PME_EN)


def asleep(d, filters, control=RCTL_BAM):
    """As a driver suspends: no descriptors are lent, the receiver is on."""
    d.write(RCTL, control | RCTL_EN)
    d.write(WUC, 0)
    d.write(WUFC, filters)
    power(d, PME_STATUS | PME_EN | D3)


def awake(d):
    """Back to D0, as a system does it."""
    power(d, PME_EN)
    d.step(20 * MILLISECOND)
    d.enable()


def status(d, label, expected):
    """What has been found; clears it."""
    d.see(f"{label}: WUS", d.read(WUS), expected, WAKE if expected else None)
    see_power(d, label, PME_EN | (PME_STATUS if expected else 0))
    d.write(WUS, ALL)
    power(d, PME_STATUS | PME_EN)


def wakes(d, label, frame, expected):
    d.send(frame)
    d.step(100_000)
    status(d, label, expected)


def ipv4(address=IP[0], to=STATION):
    packet = Packet(pattern(40), to=to)
    packet.addresses = (b"\x0a\0\0\1", address)
    return packet.correct()


def ipv6(address=IP6, to=STATION):
    packet = Packet(pattern(40), ip=6, to=to)
    packet.addresses = (packet.addresses[0], address)
    return packet.correct()


def tables(d):
    """Multicast table and addresses for the filters that need them."""
    bit = multicast_hash(MULTICAST, 0)
    d.write(MTA + 4 * (bit >> 5), 1 << (bit & 31))
    for n, address in enumerate(IP):
        d.write(IP4AT + 8 * n, int.from_bytes(address, "little"))
    for n in range(4):
        d.write(IP6AT + 4 * n, int.from_bytes(IP6[4 * n : 4 * n + 4], "little"))
    d.write(IPAV, 1 << 16 | 15)


def flexible(d, filter, values, length=None, mask=None):
    """Programs a flexible filter. values: bytes by their offsets in the frame; length: FFLT, by
    default just those; mask: the offsets compared, by default all of values."""
    for offset, value in values.items():
        at = FFVT + 8 * offset
        d.write(at, d.read(at) & ~(0xFF << 8 * filter) | value << 8 * filter)
    for offset in values if mask is None else mask:
        d.set(FFMT + 8 * offset, 1 << filter)
    d.write(FFLT + 8 * filter, max(values) + 1 if length is None else length)


def no_flexible(d):
    """What the masks hold after power-on is not defined."""
    d.write_all((FFMT + 8 * n, 0) for n in range(128))


# name: bit, frame that wakes, frame that differs from it in what counts
FILTERS = dict(
    magic=(MAG, magic_packet(), magic_packet(OTHER)),
    exact=(EX, ethernet(STATION), ethernet(OTHER)),
    multicast=(MC, ethernet(MULTICAST), ethernet(b"\x01" + MULTICAST[1:5] + b"\x77")),
    broadcast=(BC, ethernet(BROADCAST), ethernet(BROADCAST[:5] + b"\xfe")),
    ARP=(WAKE_ARP, arp(IP[0]), arp(b"\x0a\0\0\x63")),
    IPv4=(WAKE_IPV4, ipv4(), ipv4(b"\x0a\0\0\x63")),
    IPv6=(WAKE_IPV6, ipv6(), ipv6(IP6[:15] + b"\3")),
)


@scenario("wake-up by {0}: in D0", "6.4.3, 13.6.2", each=FILTERS)
def _(d, name):
    bit, frame, other = FILTERS[name]
    known = not (d.part.old and bit == WAKE_IPV6)
    tables(d)
    arm(d, bit)
    wakes(d, "its frame", frame, bit if known else 0)
    wakes(d, "another frame", other, 0)
    arm(d, 0)
    wakes(d, "filter off", frame, 0)


@scenario("wake-up by {0}: in D3, seen after the return to D0", "6.3, 6.4", each=FILTERS)
def _(d, name):
    bit, frame, other = FILTERS[name]
    expected = 0 if d.part.old and bit == WAKE_IPV6 else bit
    why = WAKE if expected else None
    tables(d)
    asleep(d, bit)
    d.send(other)
    d.step(MILLISECOND)
    see_power(d, "another frame", PME_EN | D3)
    d.send(frame)
    d.step(MILLISECOND)
    see_power(d, "its frame", PME_EN | D3 | (PME_STATUS if expected else 0))
    awake(d)
    d.see("WUS", d.read(WUS), expected, why)
    d.see("WUPL", d.read(WUPL), len(frame) + 4 if expected else 0, why)


@scenario("wake-up by {0}: without PME_En nothing happens", "6.4.2", each=FILTERS, parts=ONE)
def _(d, name):
    bit, frame, _ = FILTERS[name]
    tables(d)
    arm(d, bit)
    power(d, 0)
    d.send(frame)
    d.step(MILLISECOND)
    d.see("WUS", d.read(WUS), 0)
    see_power(d, "after it", 0)


@scenario("wake-up: not with the receiver off", "6.4.2")
def _(d):
    d.write(WUC, 0)
    d.write(WUFC, EX)
    power(d, PME_STATUS | PME_EN | D3)
    d.send(ethernet(STATION))
    d.step(MILLISECOND)
    see_power(d, "off", PME_EN | D3)
    awake(d)
    d.bring_up_link()
    asleep(d, EX)
    d.send(ethernet(STATION))
    d.step(MILLISECOND)
    see_power(d, "on", PME_EN | PME_STATUS | D3)


@scenario("wake-up: a frame may match several filters", "6.4.2")
def _(d):
    tables(d)
    no_flexible(d)
    flexible(d, 2, {12: 0x08, 13: 0x00})
    arm(d, ALL_FILTERS & ~(FLX[0] | FLX[1] | FLX[3]))
    wakes(d, "IPv4", ipv4(), EX | WAKE_IPV4 | FLX[2])
    wakes(d, "ARP", arp(IP[3]), BC | WAKE_ARP)
    wakes(d, "magic", magic_packet(), BC | MAG)


@scenario("wake-up: further frames are ignored until WUS is cleared", "6.4.2")
def _(d):
    arm(d, EX | BC)
    first = ethernet(STATION, size=100)
    d.send(first)
    d.send(ethernet(BROADCAST, size=200))
    d.step(100_000)
    d.see("WUS", d.read(WUS), EX, WAKE)
    d.see("WUPL", d.read(WUPL), 104, WAKE)
    d.write(WUS, BC)
    d.see("another bit cleared", d.read(WUS), EX, WAKE)
    d.write(WUS, EX)
    d.see("cleared", d.read(WUS), 0)
    wakes(d, "the next", ethernet(BROADCAST), BC)


@scenario("wake-up: the packet of {} bytes is kept", "6.4.3.5, 13.6.7", each=(60, 100, 128, 1514))
def _(d, size):
    arm(d, EX)
    frame = ethernet(STATION, size=size)
    d.send(frame)
    d.step(100_000)
    kept = min(size, 128)
    content = b"".join(v.to_bytes(4, "little") for v in d.read_all(WUPM + 4 * n for n in range(32)))
    d.see("WUPM", content[:kept], frame[:kept], WAKE)
    d.see("WUPL", d.read(WUPL), size + 4, WAKE)
    d.write(WUS, ALL)
    d.see("after WUS is cleared", d.read(WUPL), size + 4, WAKE)


@scenario("wake-up: WUPL of jumbo frames is 2047", "13.6.7")
def _(d):
    arm(d, EX, RCTL_LPE)
    d.send(ethernet(STATION, size=5000))
    d.step(200_000)
    d.see("WUPL", d.read(WUPL), 2047, WAKE)
    d.see("WUS", d.read(WUS), EX, WAKE)


@scenario("wake-up: frames too long do not wake", "6.4.2")
def _(d):
    arm(d, EX)
    wakes(d, "1519 bytes", ethernet(STATION, size=1519), 0)
    wakes(d, "1518 bytes", ethernet(STATION, size=1518), EX)


@scenario("wake-up: in D0 the frame is received, too", "6.4.2")
def _(d):
    arm(d, EX)
    d.see("received", [p.data for p in d.deliver(ethernet())], [ethernet()])
    d.see("WUS", d.read(WUS), EX, WAKE)


@scenario("wake-up: all receive addresses count", "6.4.3.1.1")
def _(d):
    d.station(15, OTHER)
    d.station(7, MULTICAST)
    arm(d, EX | MC)
    wakes(d, "number 15", ethernet(OTHER), EX)
    wakes(d, "number 7, a group", ethernet(MULTICAST), EX)
    d.station(15, OTHER, flags=0)
    wakes(d, "not valid", ethernet(OTHER), 0)


@scenario("wake-up: promiscuous reception is no exact match", "6.4.3.1.1")
def _(d):
    arm(d, EX, RCTL_UPE)
    wakes(d, "another station", ethernet(OTHER), 0)
    wakes(d, "the station", ethernet(STATION), EX)


@scenario("wake-up by multicast: offset {} of the hash", "6.4.3.1.2", each=range(4))
def _(d, offset):
    bit = multicast_hash(MULTICAST, offset)
    d.write(MTA + 4 * (bit >> 5), 1 << (bit & 31))
    arm(d, MC, RCTL_MO(offset))
    wakes(d, "in the table", ethernet(MULTICAST), MC)
    wakes(d, "not in it", ethernet(b"\x01" + MULTICAST[1:5] + b"\x77"), 0)


@scenario("wake-up by broadcast needs BAM", "6.4.2")
def _(d):
    arm(d, BC, 0)
    wakes(d, "without", ethernet(BROADCAST), 0)
    arm(d, BC)
    wakes(d, "with", ethernet(BROADCAST), BC)


# --- magic packets ---

MAGIC = {
    "seven times FFh": (magic_packet(ones=7), True),
    "40 times FFh": (magic_packet(ones=40), True),
    "five times FFh": (magic_packet(before=b"\0", ones=5), False),
    "behind other data": (magic_packet(before=pattern(500)), True),
    "at an odd offset": (magic_packet(before=b"\1\2\3"), True),
    "15 copies": (magic_packet(copies=15) + b"\0" * 20, False),
    "17 copies": (magic_packet(copies=17), True),
    "a false start": (magic_packet(before=b"\xff" * 6 + STATION * 3), True),
    "to the station": (magic_packet(destination=STATION), True),
    "to another station": (magic_packet(destination=OTHER), False),
    "to a group": (magic_packet(destination=MULTICAST), False),
    "tagged": (add_vlan(magic_packet(), 5), True),
    "with a SNAP header": (with_snap(magic_packet()), True),
}


@scenario("wake-up by magic packet: {}", "6.4.3.1.4", each=MAGIC, parts=ONE)
def _(d, what):
    frame, expected = MAGIC[what]
    arm(d, MAG)
    wakes(d, "frame", frame, MAG if expected else 0)


@scenario("wake-up by magic packet: it holds receive address 0", "6.4.3.1.4")
def _(d):
    d.station(0, OTHER)
    d.station(1, STATION)
    arm(d, MAG)
    wakes(d, "address 1", magic_packet(STATION), 0)
    wakes(d, "address 0", magic_packet(OTHER), MAG)


@scenario("wake-up by magic packet: a broadcast needs no BAM but on the 82544", "6.4.3.1.4")
def _(d):
    arm(d, MAG, 0)
    wakes(d, "without", magic_packet(), 0 if d.part.old else MAG)
    arm(d, MAG)
    wakes(d, "with", magic_packet(), MAG)


@scenario("wake-up by magic packet: other frames that are taken", "6.4.3.1.4")
def _(d):
    arm(d, MAG, RCTL_UPE | RCTL_MPE)
    wakes(d, "another station's", magic_packet(destination=OTHER), MAG)
    wakes(d, "a group's", magic_packet(destination=MULTICAST), MAG)


# --- APM ---


def apm(d, *frames, control=WUC_APME):
    """Without a driver: in D3, receiver off."""
    d.write(WUC, control)
    power(d, PME_STATUS | D3)
    d.send(*frames)
    d.step(MILLISECOND)


@scenario("APM: finds magic packets without a driver", "6.4.1")
def _(d):
    apm(d, ethernet(STATION), magic_packet(destination=STATION))
    see_power(d, "no PME# without APMPME", D3)
    awake(d)
    d.see("WUS", d.read(WUS), MAG, WAKE)
    d.see("WUPL", d.read(WUPL), len(magic_packet()) + 4, WAKE)


@scenario("APM: APMPME asserts PME#", "6.4.1, 13.6.1")
def _(d):
    apm(d, ethernet(STATION), control=WUC_APME | WUC_APMPME)
    see_power(d, "another frame", D3)
    d.send(magic_packet(destination=STATION))
    d.step(MILLISECOND)
    see_power(d, "magic packet", PME_STATUS | D3)


@scenario("APM: off, nothing is looked for", "6.4.1")
def _(d):
    apm(d, magic_packet(destination=STATION), control=0)
    see_power(d, "magic packet", D3)
    awake(d)
    d.see("WUS", d.read(WUS), 0)


@scenario("APM: in D0", "6.4.1")
def _(d):
    d.rx_ring()
    d.write(WUC, WUC_APME | WUC_APMPME)
    power(d, PME_STATUS)
    d.send(ethernet(STATION))
    d.see("another frame", d.read(WUS), 0)
    d.send(magic_packet())
    d.see("WUS", d.read(WUS), MAG, WAKE)
    d.see("PME_Status", d.read(WUC) & WUC_PME_STATUS, WUC_PME_STATUS, WAKE)
