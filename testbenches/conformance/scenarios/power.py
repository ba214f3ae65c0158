"""Power states and the registers of wake-up (manual 6)."""

import reasons
from bench.bench import MILLISECOND, SECOND
from bench.packets import PEER, STATION, ethernet
from bench.registers import *
from bench.parts import EVERY
from bench.scenario import scenario
from scenarios.wakeup import arm

PARTS = EVERY

POWER, WAKE = reasons.POWER_STATES, reasons.WAKING
KEPT = PME_EN | D3


def power(d, state):
    d.set_config(PMCSR, d.config(PMCSR, 2) & ~3 | state, 2)
    d.step(20 * MILLISECOND)


def leave(d):
    """Back to D0, and decoding again."""
    power(d, 0)
    d.enable()


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
    leave(d)
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


@scenario("D3: decoding is off until the system turns it on again", "6.3.1.4")
def _(d):
    power(d, 3)
    d.see("I/O, memory", d.config(0x04, 2) & 3, 0, POWER)
    power(d, 0)
    d.see("in D0u", d.config(0x04, 2) & 3, 0, POWER)
    d.see("RDLEN does not answer", d.read(RDLEN) in (0, 0xFFFFFFFF), True)


@scenario("D3: nothing is sent, no interrupt", "6.3.1.4")
def _(d):
    d.tx_ring()
    d.write(IMS, LSC)
    d.write(ICS, LSC)
    d.see("interrupt in D0", d.irq(), True)
    power(d, 3)
    d.see("interrupt in D3", d.irq(), False, POWER)
    d.see("frames", d.transmit(d.legacy(ethernet(PEER, STATION))), [], POWER)
    leave(d)
    d.see("IMS", d.read(IMS), 0, POWER)
    d.see("TDLEN", d.read(TDLEN), 0, POWER)
    d.see("interrupt", d.irq(), False, POWER)


@scenario("D3: D1 and D2 are not there", "6.3.1")
def _(d):
    for state in (1, 2):
        power(d, state)
        d.see(f"D{state}", d.config(PMCSR, 2) & 3, 0, POWER)


@scenario("D3 to D0: works again as after power-on", "6.3.1.2")
def _(d):
    power(d, 3)
    leave(d)
    d.bring_up_link()
    d.tx_ring()
    frame = ethernet(PEER, STATION)
    d.see("sent", d.transmit(d.legacy(frame)), [frame])
    d.rx_ring()
    d.see("received", [p.data for p in d.deliver(ethernet())], [ethernet()])


RESET_BY_D3 = dict(
    WUFC=(WUFC, 0x1F, 0),
    IPAV=(IPAV, 3, 0),
    RCTL=(RCTL, RCTL_UPE, 0),
    VFTA=(VFTA + 12, 0x1234, 0x1234),
    MTA=(MTA + 12, 0x1234, 0x1234),
    IP4AT=(IP4AT, 0x0200000A, 0x0200000A),
    FFVT=(FFVT + 80, 0x01020304, 0x01020304),
    FFMT=(FFMT + 80, 5, 5),
)


@scenario("D3 to D0: {}", "6.3.1.2, 14.7", each=RESET_BY_D3)
def _(d, name):
    offset, value, expected = RESET_BY_D3[name]
    d.write(offset, value)
    power(d, 3)
    leave(d)
    why = (
        POWER
        if expected != value and name != "IPAV"
        else reasons.WAKE_UP
        if name == "IP4AT"
        else None
    )
    if name == "RCTL" and d.part.old:
        expected = RCTL_BAM  # the EEPROM's APM enable
    d.see("after", d.read(offset), expected, why)


@scenario("D3 to D0: the PHY is reset, negotiates, and STATUS has no link until then", "6.3.1.2")
def _(d):
    d.phy_write(GTCR, 0)
    power(d, 3)
    leave(d)
    d.see("GTCR", d.phy_read(GTCR), 0x0E00, POWER)
    d.set(CTRL, CTRL_SLU)
    d.step(MILLISECOND)
    d.see("LU", d.read(STATUS) & STATUS_LU, 0, POWER)
    d.step(SECOND)
    d.see("LU later", d.read(STATUS) & STATUS_LU, STATUS_LU)


@scenario("D3 to D0: APME is the EEPROM's again, PME_En stays", "6.3.1.2, 14.7")
def _(d):
    d.write(WUC, WUC_APMPME | (0 if d.part.wakes else WUC_APME))
    d.set_config(PMCSR, KEPT, 2)
    d.step(20 * MILLISECOND)
    d.set_config(PMCSR, PME_EN, 2)
    d.step(20 * MILLISECOND)
    d.enable()
    d.see("WUC", d.read(WUC), WUC_PME_EN | (WUC_APME if d.part.wakes else 0), WAKE)
    d.see("PMCSR", d.config(PMCSR, 2) & (PME_EN | D3), PME_EN)


@scenario("power data: select and scale", "6.3.3.6, 5.6.25", "power-on")
def _(d):
    for select, value in ((0, 15), (3, 4), (4, 15), (7, 4), (1, 0)):
        d.set_config(PMCSR, select << 9, 2)
        d.see(f"data {select}", d.config(PM_DATA, 1), value, POWER if value else None)
        d.see(f"select {select}", d.config(PMCSR, 2) >> 9 & 15, select)
    d.set_config(PMCSR, 0, 2)
    d.see("scale: 0.1 W", d.config(PMCSR, 2) >> 13 & 3, 1, POWER)


@scenario("PME_Status: set by an event, cleared by a one in PMCSR or WUC", "6.3.3.4, 13.6.1")
def _(d):
    arm(d, EX)
    d.send(ethernet())
    d.step(MILLISECOND)
    both = WUC_PME_EN | WUC_PME_STATUS
    d.see("WUC", d.read(WUC) & both, both, WAKE)
    d.set_config(PMCSR, PME_EN, 2)
    d.see("a zero in PMCSR", d.read(WUC) & both, both, WAKE)
    d.write(WUC, WUC_PME_EN)
    d.see("a zero in WUC", d.read(WUC) & both, both, WAKE)
    d.write(WUC, both)
    d.see("a one in WUC", d.read(WUC) & both, WUC_PME_EN, WAKE)
    d.see("PMCSR then", d.config(PMCSR, 2) & (PME_EN | PME_STATUS), PME_EN)
    d.write(WUS, 0xFFFFFFFF)
    d.send(ethernet())
    d.step(MILLISECOND)
    d.see("again", d.read(WUC) & both, both, WAKE)
    d.set_config(PMCSR, PME_EN | PME_STATUS, 2)
    d.see("a one in PMCSR", d.read(WUC) & both, WUC_PME_EN, WAKE)


@scenario("PME_En: a zero written to WUC takes it from PMCSR", "13.6.1", "enabled")
def _(d):
    d.set_config(PMCSR, PME_EN, 2)
    d.see("set", d.config(PMCSR, 2) & PME_EN, PME_EN)
    d.write(WUC, 0)
    d.see("cleared", d.config(PMCSR, 2) & PME_EN, 0, WAKE)
    d.write(WUC, WUC_PME_EN)
    d.see("set in WUC", d.config(PMCSR, 2) & PME_EN, PME_EN)


def lose_link(d):
    d.phy_write(BMCR, BMCR_AUTONEG | BMCR_RESTART | BMCR_FD | BMCR_1000)


@scenario("link change wakes", "6.4.2")
def _(d):
    d.write(WUFC, LNKC)
    d.set_config(PMCSR, PME_EN, 2)
    d.see("before", d.read(WUS), 0)
    lose_link(d)
    d.see("link gone", d.read(WUS), LNKC, WAKE)
    d.see("PME_Status", d.config(PMCSR, 2) & PME_STATUS, PME_STATUS, WAKE)
    d.set_config(PMCSR, PME_EN | PME_STATUS, 2)
    d.step(SECOND)
    d.see("ignored until cleared", d.config(PMCSR, 2) & PME_STATUS, 0, WAKE)
    d.write(WUS, LNKC)
    lose_link(d)
    d.see("another change", d.read(WUS), LNKC, WAKE)


@scenario("link change does not wake without {}", "6.4.2", each=("LNKC", "PME_En"))
def _(d, missing):
    d.write(WUFC, ALL_FILTERS if missing == "LNKC" else LNKC)
    d.set_config(PMCSR, 0 if missing == "PME_En" else PME_EN, 2)
    lose_link(d)
    d.step(SECOND)
    d.see("WUS", d.read(WUS), 0)
    d.see("PME_Status", d.config(PMCSR, 2) & PME_STATUS, 0)


@scenario("link change wakes from D3", "6.4.2")
def _(d):
    lose_link(d)
    d.write(WUFC, LNKC)
    d.set_config(PMCSR, KEPT, 2)
    d.step(SECOND)
    d.see("PMCSR", d.config(PMCSR, 2) & (KEPT | PME_STATUS), KEPT | PME_STATUS, WAKE)
    d.set_config(PMCSR, PME_EN, 2)
    d.step(20 * MILLISECOND)
    d.enable()
    d.see("WUS", d.read(WUS) & LNKC, LNKC, WAKE)


@scenario("CTRL.RST keeps what wake-up has been told and has found", "14.7, 13.6")
def _(d):
    arm(d, EX)
    d.write(IPAV, 3)
    d.send(ethernet())
    d.step(MILLISECOND)
    d.write(CTRL, CTRL_RST)
    d.step(20 * MILLISECOND)
    d.see("WUS", d.read(WUS), EX, WAKE)
    d.see("WUPL", d.read(WUPL), 64, WAKE)
    d.see("WUPM", d.read(WUPM), int.from_bytes(STATION[:4], "little"), WAKE)
    d.see("WUFC", d.read(WUFC), EX)
    d.see("IPAV", d.read(IPAV), 3, reasons.WAKE_UP)
    both = WUC_PME_EN | WUC_PME_STATUS
    d.see("WUC", d.read(WUC) & both, both, WAKE)
    d.see("PMCSR", d.config(PMCSR, 2) & PME_EN, PME_EN)


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
        lacks = d.part.old and bit == 7
        d.see(
            f"bit {bit}", d.read(WUFC), 0 if lacks else 1 << bit, reasons.OLD_PART if lacks else None
        )


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
