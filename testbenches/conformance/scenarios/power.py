"""Power states and the registers of wake-up (manual 6)."""

import reasons
from bench.bench import MILLISECOND
from bench.packets import ethernet
from bench.registers import *
from bench.parts import EVERY
from bench.scenario import scenario

PARTS = EVERY

PMCSR = 0xE0
POWER = reasons.POWER_STATES


def power(d, state):
    d.set_config(PMCSR, d.config(PMCSR, 2) & ~3 | state, 2)
    d.step(20 * MILLISECOND)


@scenario("D3: registers do not answer", "6.3")
def _(d):
    d.write(RDLEN, 0x100)
    power(d, 3)
    d.see("RDLEN", d.read(RDLEN) == 0x100, False, POWER)
    d.see("configuration space does", d.config(0, 4), d.part.device << 16 | 0x8086)


@scenario("D3: the state reads back", "6.3")
def _(d):
    power(d, 3)
    d.see("PMCSR", d.config(PMCSR, 2) & 3, 3)
    power(d, 0)
    d.see("D0", d.config(PMCSR, 2) & 3, 0)


@scenario("D3 to D0 resets the device", "6.3")
def _(d):
    d.write(RDLEN, 0x100)
    d.station(2, b"\2\0\0\0\0\1")
    power(d, 3)
    power(d, 0)
    d.set_config(0x04, 7, 2)
    d.place()
    d.see("RDLEN", d.read(RDLEN), 0, POWER)
    d.see("RAH 2 valid", d.read(RAH + 16) >> 31, 0, POWER)
    d.see("RAL 0 from the EEPROM", d.read(RAL), 0x12005452)


@scenario("D3: nothing is received", "6.3")
def _(d):
    d.rx_ring()
    power(d, 3)
    d.see(
        "DD", [e.status & RX_DD for e in (d.send(ethernet()), d.rx_descriptor(0))[1:]], [0], POWER
    )


@scenario("WUC: APME, APMPME, SPM, PME_EN are stored", "13.6.1", "enabled")
def _(d):
    d.write(WUC, 0x80000009)
    d.see("WUC", d.read(WUC) & 0x80000009, 0x80000009, reasons.WAKE_UP)
    d.write(WUC, 2)
    d.see("PME_EN", d.read(WUC) & 2, 2, reasons.WAKE_UP)


@scenario("WUC.PME_EN is PMCSR's", "13.6.1", "enabled")
def _(d):
    d.write(WUC, 0)
    d.set_config(PMCSR, 0x0100, 2)
    d.see("set there", d.read(WUC) & 2, 2, reasons.WAKE_UP)
    d.set_config(PMCSR, 0, 2)
    d.see("cleared there", d.read(WUC) & 2, 0)


@scenario("WUFC: filters are stored", "13.6.2", "enabled")
def _(d):
    for bit in (0, 1, 2, 3, 4, 5, 6, 7, 15, 16, 17, 18, 19):
        d.write(WUFC, 1 << bit)
        d.see(f"bit {bit}", d.read(WUFC), 1 << bit)


@scenario("WUS: nothing is pending, ones clear", "13.6.3", "enabled")
def _(d):
    d.see("WUS", d.read(WUS), 0)
    d.write(WUS, 0xFFFFFFFF)
    d.see("after ones", d.read(WUS), 0)


@scenario("wake-up packet memory is read-only", "13.6.9", "enabled")
def _(d):
    offsets = [WUPM + 4 * n for n in range(32)]
    before = d.read_all(offsets)
    d.write_all((offset, 0xFFFFFFFF) for offset in offsets)
    d.see("changed", sum(a != b for a, b in zip(before, d.read_all(offsets))), 0, reasons.WAKE_UP)
    d.see("WUPL", d.read(WUPL), 0)


@scenario("IPAV, IP4AT, IP6AT are stored", "13.6.4, 13.6.6", "enabled")
def _(d):
    d.write(IPAV, 0x0001000F)
    d.see("IPAV", d.read(IPAV), 0x0001000F, reasons.WAKE_UP)
    for n in range(1, 4):
        value = 0 if d.part.old else 0x01010101 * n
        d.write(IP6AT + 4 * n, 0x01010101 * n)
        d.see(f"IP6AT {n}", d.read(IP6AT + 4 * n), value, reasons.OLD_PART if d.part.old else None)
