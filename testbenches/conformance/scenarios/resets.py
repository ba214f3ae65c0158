"""What resets restore, and what survives them (manual 14)."""

import reasons
from bench.bench import IO_BAR
from bench.packets import BROADCAST, PEER, STATION, ethernet
from bench.registers import *
from bench.parts import EVERY, NEWER, OLD
from bench.scenario import scenario

PARTS = EVERY

RST = reasons.SOFTWARE_RESET


def software_reset(d):
    d.write(CTRL, CTRL_RST | CTRL_SLU)
    d.step(1_000_000)


@scenario("CTRL.RST clears itself", "14.3")
def _(d):
    software_reset(d)
    d.see("RST", d.read(CTRL) & CTRL_RST, 0)


RESTORED = dict(
    RCTL=(RCTL, RCTL_BAM),
    TCTL=(TCTL, TCTL_PSP),
    IMS=(IMS, RXT0),
    ITR=(ITR, 100),
    RDH=(RDH, 3),
    RDT=(RDT, 3),
    TDH=(TDH, 3),
    TDT=(TDT, 3),
    RDLEN=(RDLEN, 0x100),
    TDLEN=(TDLEN, 0x100),
    RADV=(RADV, 7),
    TADV=(TADV, 7),
    TXDCTL=(TXDCTL, 0x01010000),
)


@scenario("CTRL.RST clears {}", "14.3", each=RESTORED)
def _(d, name):
    offset, value = RESTORED[name]
    absent = d.part.old and name in ("ITR", "RADV", "TADV")
    d.write(offset, value)
    d.see("before", d.read(offset), 0 if absent else value, reasons.OLD_PART if absent else None)
    software_reset(d)
    d.see("after", d.read(offset), 0, RST)


KEPT = dict(
    MTA=MTA + 4, VFTA=VFTA + 8, RAL=RAL + 8, TDBAL=TDBAL, TDBAH=TDBAH, RDBAL=RDBAL, RDBAH=RDBAH
)


@scenario("CTRL.RST keeps {}", "14.3, 13.5", each=KEPT)
def _(d, name):
    d.write(KEPT[name], 0x12345670)
    software_reset(d)
    d.see(name, d.read(KEPT[name]), 0x12345670)


@scenario("CTRL.RST keeps configuration space", "14.3")
def _(d):
    d.set_config(0x0C, 8, 1)
    software_reset(d)
    d.see("command", d.config(0x04, 2), 7)
    d.see("cache line", d.config(0x0C, 1), 8)
    wide = d.part.wide
    d.see(
        "BAR 0",
        d.config(0x10),
        0xE0000004 if wide else 0xE0000000,
        reasons.WIDE_BARS if wide else None,
    )
    d.see("interrupt line", d.config(0x3C, 1), 10)


@scenario("CTRL.RST invalidates receive addresses", "13.5.3")
def _(d):
    d.station(5, PEER)
    software_reset(d)
    d.see("RAH 5 valid", d.read(RAH + 40) >> 31, 0, RST)


@scenario("CTRL.RST keeps all of a receive address but AV", "13.5.2, 13.5.3")
def _(d):
    d.station(5, PEER)
    software_reset(d)
    d.see("RAL 5", d.read(RAL + 40), int.from_bytes(PEER[:4], "little"))
    d.see("RAH 5", d.read(RAH + 40), int.from_bytes(PEER[4:], "little"), RST)


@scenario("CTRL.RST reloads the first receive address", "14.3, 13.5.3", parts=NEWER)
def _(d):
    d.station(0, PEER)
    software_reset(d)
    d.see("RAL 0", d.read(RAL), 0x12005452, RST)
    d.see("RAH 0", d.read(RAH), 0x80005634, RST)


@scenario("CTRL.RST reloads nothing, CTRL_EXT.EE_RST does", "14.3", parts=OLD)
def _(d):
    d.station(0, PEER)
    software_reset(d)
    d.see("RAL 0", d.read(RAL), int.from_bytes(PEER[:4], "little"))
    d.see("RAH 0 valid", d.read(RAH) >> 31, 0, RST)
    d.write(CTRL_EXT, CTRL_EXT_EE_RST)
    d.step(20_000_000)
    d.see("RAL 0 reloaded", d.read(RAL), 0x12005452, RST)
    d.see("RAH 0 reloaded", d.read(RAH), 0x80005634, RST)


@scenario("CTRL.RST drops pending causes and the interrupt", "14.3")
def _(d):
    d.write(IMS, TXDW)
    d.write(ICS, TXDW)
    d.see("before", d.irq(), True)
    software_reset(d)
    d.see("after", d.irq(), False, RST)
    d.see("ICR", d.read(ICR) & TXDW, 0, RST)


@scenario("CTRL.RST stops a receiver", "14.3")
def _(d):
    d.rx_ring()
    software_reset(d)
    d.see("received", len(d.deliver(ethernet(BROADCAST))), 0, RST)


@scenario("CTRL.RST leaves the PHY alone", "14.3")
def _(d):
    d.phy_write(ANAR, 0x0101)
    software_reset(d)
    d.see("ANAR", d.phy_read(ANAR), 0x0101)
    d.set(CTRL, CTRL_SLU)
    d.see("link", d.read(STATUS) & STATUS_LU, STATUS_LU)


@scenario("CTRL.RST keeps the statistics", "13.7")
def _(d):
    d.tx_ring()
    d.transmit(d.legacy(ethernet(PEER, STATION)))
    software_reset(d)
    d.see("GPTC", d.statistic("GPTC"), 1)


@scenario("CTRL.RST through CTRL_DUP", "13.4.1")
def _(d):
    d.write(RDLEN, 0x100)
    d.write(CTRL_DUP, CTRL_RST)
    d.step(1_000_000)
    d.see("RDLEN", d.read(RDLEN), 0, RST)


@scenario("CTRL.RST through the I/O window", "13.2.2, 14.3")
def _(d):
    d.write(RDLEN, 0x100)
    d.qtest.port_write(IO_BAR, 4, CTRL)
    d.qtest.port_write(IO_BAR + 4, 4, CTRL_RST)
    d.step(1_000_000)
    d.see("RDLEN", d.read(RDLEN), 0, RST)


@scenario("CTRL.RST takes PBA's new split", "13.4.16")
def _(d):
    d.write(PBA, 0x28)
    software_reset(d)
    d.see("PBA", d.read(PBA), 0x00180028, reasons.STORAGE_ONLY)


@scenario("CTRL_EXT.EE_RST reloads the first receive address", "13.4.6")
def _(d):
    d.station(0, PEER)
    d.write(CTRL_EXT, CTRL_EXT_EE_RST)
    d.step(20_000_000)
    d.see("RAL 0", d.read(RAL), 0x12005452, RST)
    d.see("EE_RST", d.read(CTRL_EXT) & CTRL_EXT_EE_RST, 0)


@scenario("CTRL.PHY_RST resets the PHY's registers", "13.4.1")
def _(d):
    d.phy_write(GTCR, 0)
    d.see("before", d.phy_read(GTCR), 0)
    d.set(CTRL, CTRL_PHY_RST)
    d.step(10_000_000)
    d.clear(CTRL, CTRL_PHY_RST)
    d.step(10_000_000)
    d.see("after", d.phy_read(GTCR), 0x0E00, reasons.PHY_HARD_RESET)


@scenario("CTRL.RST and PHY_RST at once reset both", "13.4.1, 14.3")
def _(d):
    d.phy_write(GTCR, 0)
    d.write(RDLEN, 0x100)
    d.write(CTRL, CTRL_RST | CTRL_PHY_RST)
    d.step(10_000_000)
    d.see("PHY", d.phy_read(GTCR), 0x0E00, reasons.PHY_HARD_RESET)
    d.see("MAC", d.read(RDLEN), 0, RST)


@scenario("CTRL.PHY_RST drops the link, which then comes back", "13.4.1")
def _(d):
    d.set(CTRL, CTRL_PHY_RST)
    d.step(10_000_000)
    d.see("during", d.read(STATUS) & STATUS_LU, 0, reasons.PHY_HARD_RESET)
    d.clear(CTRL, CTRL_PHY_RST)
    d.step(10_000_000)
    d.see("soon after", d.read(STATUS) & STATUS_LU, 0, reasons.PHY_HARD_RESET)
    d.step(1_000_000_000)
    d.see("later", d.read(STATUS) & STATUS_LU, STATUS_LU)


AFTER_RESET = dict(
    CTRL_EXT=CTRL_EXT,
    EERD=EERD,
    ICR=ICR,
    IMS=IMS,
    TCTL=TCTL,
    RDH=RDH,
    RDT=RDT,
    TDH=TDH,
    TDT=TDT,
    RDLEN=RDLEN,
    TDLEN=TDLEN,
    FCRTL=FCRTL,
    FCRTH=FCRTH,
    AIT=AIT,
    RAH_1=RAH + 8,
    WUFC=WUFC,
    WUS=WUS,
    RXCSUM=RXCSUM,
    IPAV=IPAV,
)


@scenario("registers that are 0 after power-on", "13", "enabled")
def _(d):
    for name, offset in AFTER_RESET.items():
        d.see(name, d.read(offset), 0)


@scenario("RCTL after power-on: the 82544 has BAM for wake-up", "13.4.22, 6.4.3.1.4", "enabled")
def _(d):
    bam = d.part.old and d.part.wakes
    d.see("RCTL", d.read(RCTL), RCTL_BAM if bam else 0, reasons.RESET_VALUES if bam else None)


@scenario("WUC after power-on: APME from the EEPROM", "13.6.1, 5.6", "enabled")
def _(d):
    d.see("WUC", d.read(WUC), int(d.part.wakes), reasons.RESET_VALUES if d.part.wakes else None)


@scenario("receive address 0 is the EEPROM's after power-on", "13.5.3", "enabled")
def _(d):
    d.see("RAL 0", d.read(RAL), 0x12005452)
    d.see("RAH 0", d.read(RAH), 0x80005634)


@scenario("PBA after power-on", "13.4.16", "enabled")
def _(d):
    d.see("PBA", d.read(PBA), 0x00100030)


@scenario("VET after power-on", "13.4.12", "enabled")
def _(d):
    d.see("VET", d.read(VET), 0x8100)


@scenario("CTRL after power-on", "13.4.1", "enabled")
def _(d):
    slu = CTRL_SLU if d.part.wakes else 0
    d.see("CTRL: full duplex, 1000 Mb/s", d.read(CTRL), 0x00000201 | slu, reasons.RESET_VALUES)


@scenario("CTRL after CTRL.RST: as the EEPROM says", "13.4.1", "enabled", parts=NEWER)
def _(d):
    d.write(CTRL, 0)
    d.write(CTRL, CTRL_RST)
    d.step(1_000_000)
    slu = CTRL_SLU if d.part.wakes else 0
    d.see("SLU", d.read(CTRL) & CTRL_SLU, slu, RST if slu else None)
    d.step(1_000_000_000)
    d.see("LU", d.read(STATUS) & STATUS_LU, STATUS_LU if slu else 0, None if slu else reasons.SLU)


@scenario("TXCW after power-on: PAUSE and full duplex from the EEPROM", "5.6.7, 5.6.12", "enabled")
def _(d):
    d.see("TXCW", d.read(TXCW), 0x000001A0, reasons.MISSING)


@scenario("MANC after power-on: the EEPROM's", "13.6.5, 5.6", "enabled")
def _(d):
    d.see("MANC", d.read(MANC), 0, reasons.RESET_VALUES)


@scenario("STATUS without link", "13.4.2", "enabled")
def _(d):
    d.see("LU", d.read(STATUS) & STATUS_LU, 0, reasons.SLU)
    d.see("reserved bits", d.read(STATUS) >> 16, 0, reasons.STATUS_REGISTER)


@scenario("MDIC after power-on", "13.4.8", "enabled")
def _(d):
    d.see("MDIC", d.read(MDIC), MDIC_READY, reasons.RESET_VALUES)


@scenario("TIPG after power-on", "13.4.34", "enabled")
def _(d):
    d.see("TIPG", d.read(TIPG), 0x00602008, reasons.MISSING)


@scenario("LEDCTL after power-on", "13.4.7", "enabled")
def _(d):
    if d.part.old:
        d.see("LEDCTL", d.read(LEDCTL), 0, reasons.OLD_PART)
    else:
        d.see("LEDCTL", d.read(LEDCTL), 0x07068302, reasons.RESET_VALUES)
