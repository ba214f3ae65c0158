"""The addresses that registers had on the 82542 (manual 13.2, 13.3)."""

import reasons
from bench.packets import PEER, STATION, ethernet
from bench.registers import *
from bench.scenario import scenario

ALL = 0xFFFFFFFF
# name: its address on the 82542, its address, bits that it stores
SINGLE = dict(
    RDTR=(0x108, RDTR, 0xFFFF),
    RDBAL=(0x110, RDBAL, 0xFFFFFFF0),
    RDBAH=(0x114, RDBAH, ALL),
    RDLEN=(0x118, RDLEN, 0xFFF80),
    RDH=(0x120, RDH, 0xFFFF),
    RDT=(0x128, RDT, 0xFFFF),
    FCRTH=(0x160, FCRTH, 0xFFF8),
    FCRTL=(0x168, FCRTL, 0x8000FFF8),
    TDBAL=(0x420, TDBAL, 0xFFFFFFF0),
    TDBAH=(0x424, TDBAH, ALL),
    TDLEN=(0x428, TDLEN, 0xFFF80),
    TDH=(0x430, TDH, 0xFFFF),
    TDT=(0x438, TDT, 0xFFFF),
    TIDV=(0x440, TIDV, 0xFFFF),
    RDFH=(0x8000, RDFH, 0x1FFF),
    RDFT=(0x8008, RDFT, 0x1FFF),
    TDFH=(0x8010, TDFH, 0x7FF),
    TDFT=(0x8018, TDFT, 0x7FF),
)
# The same with the number of dwords. Every other one of the receive addresses is a RAH.
TABLES = dict(
    RA=(0x40, RAL, 32, (ALL, 0x8003FFFF)),
    MTA=(0x200, MTA, 128, (ALL, ALL)),
    VFTA=(0x600, VFTA, 128, (ALL, ALL)),
)


@scenario("82542's address of {}", "13.2", "enabled", each=SINGLE)
def _(d, name):
    alias, offset, mask = SINGLE[name]
    for there, here in ((0x5A5A5A5A, 0x33CC33CC), (0xA5A5A5A5, 0xCC33CC33)):
        d.write(alias, there & mask)
        d.see(f"{there:08x} written there", d.read(offset), there & mask, reasons.ALIASES)
        d.write(offset, here & mask)
        d.see(f"{here:08x} read there", d.read(alias), here & mask, reasons.ALIASES)


@scenario("82542's addresses of all {}", "13.2", "enabled", each=TABLES)
def _(d, name):
    alias, offset, count, masks = TABLES[name]
    values = [0x9E3779B1 * (n + 1) & ALL & masks[n % 2] for n in range(count)]
    here = [offset + 4 * n for n in range(count)]
    there = [alias + 4 * n for n in range(count)]
    d.write_all(zip(there, values))
    wrong = sum(a != b for a, b in zip(d.read_all(here), values))
    d.see("written there, wrong", wrong, 0, reasons.ALIASES)
    values.reverse()
    values = [value & masks[n % 2] for n, value in enumerate(values)]
    d.write_all(zip(here, values))
    wrong = sum(a != b for a, b in zip(d.read_all(there), values))
    d.see("read there, wrong", wrong, 0, reasons.ALIASES)


@scenario("82542's address of TDT starts the transmitter", "13.2, 13.4.40")
def _(d):
    frame = ethernet(PEER, STATION, size=99)
    d.tx_ring()
    tail = d.post(d.legacy(frame))
    d.write(0x438, tail)
    d.see("frame", d.endpoint.frames(), [frame], reasons.ALIASES)
    d.see("head", d.read(0x430), tail, reasons.ALIASES)


@scenario("82542's second receive ring is not there", "13.2", "enabled")
def _(d):
    for offset in (0x130, 0x138, 0x13C, 0x140, 0x148, 0x150):
        d.write(offset, ALL)
        d.see(f"{offset:#x}", d.read(offset), 0)
