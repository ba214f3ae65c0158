"""The PHY through MDIC, and the link that it makes."""

import reasons
from bench.bench import MILLISECOND, SECOND
from bench.registers import *
from bench.parts import EVERY
from bench.scenario import scenario

PARTS = EVERY

PARTNER, VALUES, ABSENT = reasons.PARTNER, reasons.PHY_VALUES, reasons.PHY_MISSING

# After negotiation with a gigabit partner.
READINGS = dict(
    BMCR=(BMCR, 0x1140, None),
    BMSR=(BMSR, 0x796D, PARTNER),
    PHYID1=(PHYID1, 0x0141, None),
    ANAR=(ANAR, 0x01E1, VALUES),
    ANLPAR=(ANLPAR, 0xC1E1, PARTNER),
    ANER=(ANER, 0x000F, PARTNER),
    NPT=(NPT, 0x2001, ABSENT),
    LPN=(LPN, 0, None),
    GTCR=(GTCR, 0x0E00, None),
    GTSR=(GTSR, 0x7C00, PARTNER),
    ESTATUS=(ESTATUS, 0x3000, ABSENT),
    PSCR=(PSCR, 0x0068, VALUES),
    PSSR=(PSSR, 0xBC00, PARTNER),
    PHY_IER=(PHY_IER, 0, None),
    EPSCR=(EPSCR, 0x0D60, None),
    RXERR=(RXERR, 0, None),
    EPSCR2=(EPSCR2, 0x000C, ABSENT),
    PHY_PAGE=(PHY_PAGE, 0, None),
    PHY_WINDOW=(PHY_WINDOW, 0, None),
)


@scenario("PHY: {} once the link is up", "13.4.8", each=READINGS)
def _(d, name):
    register, value, why = READINGS[name]
    d.see(name, d.phy_read(register), value, why)


@scenario("PHY: PHYID2 once the link is up", "13.4.8")
def _(d):
    d.see("PHYID2", d.phy_read(PHYID2), d.part.phy_id2, VALUES)


# register: what it keeps of a written value
STORED = dict(
    ANAR=(ANAR, 0x0C01, 0x0C01, None),
    GTCR=(GTCR, 0x1E00, 0x1E00, None),
    PSCR=(PSCR, 0x0808, 0x0808, None),
    EPSCR=(EPSCR, 0x0C70, 0x0C70, None),
    PHY_IER=(PHY_IER, 0x1234, 0x1234, ABSENT),
    EPSCR2=(EPSCR2, 0x0005, 0x0005, ABSENT),
    PHY_PAGE=(PHY_PAGE, 0x001F, 0x001F, ABSENT),
    NPT=(NPT, 0x2123, 0x2123, ABSENT),
)


@scenario("PHY: {} stores", "13.4.8", each=STORED)
def _(d, name):
    register, written, value, why = STORED[name]
    d.phy_write(register, written)
    d.see(name, d.phy_read(register), value, why)


READ_ONLY = dict(BMSR=BMSR, PHYID1=PHYID1, PHYID2=PHYID2, ANLPAR=ANLPAR, GTSR=GTSR, PSSR=PSSR)


@scenario("PHY: {} is read-only", "13.4.8", each=READ_ONLY)
def _(d, name):
    register = READ_ONLY[name]
    d.phy_read(register)  # some bits are cleared by this
    before = d.phy_read(register)
    d.phy_write(register, ~before & 0xFFFF)
    d.see("unchanged", d.phy_read(register) == before, True)


@scenario("PHY: the window behind register 29 keeps a value for each page", "13.4.8")
def _(d):
    for page, value in ((0x1F, 0x8FFC), (0x1A, 0x8FF0)):
        d.phy_write(PHY_PAGE, page)
        d.phy_write(PHY_WINDOW, value)
    d.phy_write(PHY_PAGE, 0x1F)
    d.see("page 1Fh", d.phy_read(PHY_WINDOW), 0x8FFC, ABSENT)


@scenario("PHY: registers that do not exist read 0", "13.4.8")
def _(d):
    for register in (11, 14, 22, 25, 28, 31):
        value = d.mdio(MDIC_READ | 1 << 21 | register << 16)
        d.see(f"{register}: value", value & 0xFFFF, 0)
        d.see(f"{register}: error", value & MDIC_ERROR, 0, ABSENT)


@scenario("MDIC: ready after a read", "13.4.8")
def _(d):
    value = d.mdio(MDIC_READ | 1 << 21 | PHYID1 << 16)
    d.see("MDIC", value & (MDIC_READY | MDIC_ERROR | 0xFFFF), MDIC_READY | 0x0141)


@scenario("MDIC: ready after a write", "13.4.8")
def _(d):
    value = d.mdio(MDIC_WRITE | 1 << 21 | GTCR << 16 | 0x0E00)
    d.see("MDIC", value & (MDIC_READY | MDIC_ERROR), MDIC_READY)


@scenario("MDIC: register and PHY address read back", "13.4.8")
def _(d):
    value = d.mdio(MDIC_READ | 1 << 21 | PHYID2 << 16)
    d.see("REGADD, PHYADD", value >> 16 & 0x3FF, 1 << 5 | PHYID2)


@scenario("MDIC: PHY address {} gets no answer", "13.4.8", each=(0, 2, 31))
def _(d, address):
    value = d.mdio(MDIC_READ | address << 21 | PHYID1 << 16)
    d.see("ready, error", value & (MDIC_READY | MDIC_ERROR), MDIC_READY | MDIC_ERROR)


@scenario("MDIC: interrupt when done, if asked for", "13.4.8, 13.4.17")
def _(d):
    d.write(IMS, MDAC)
    d.mdio(MDIC_READ | 1 << 21 | PHYID1 << 16)
    d.see("not asked for", d.irq(), False)
    d.mdio(MDIC_READ | MDIC_INTERRUPT | 1 << 21 | PHYID1 << 16)
    d.see("asked for", d.irq(), True)
    d.see("cause", d.read(ICR) & MDAC, MDAC)


@scenario("MDIC: an access takes the time of an MDIO frame", "13.4.8")
def _(d):
    d.write(MDIC, MDIC_READ | 1 << 21 | PHYID1 << 16)
    d.step(100_000)
    d.see("ready within 100 us", d.read(MDIC) & MDIC_READY, MDIC_READY)


@scenario("BMCR: reset clears itself and starts negotiation anew", "13.4.8")
def _(d):
    d.phy_write(BMCR, 0x1140 | BMCR_RESET)
    d.see("BMCR", d.phy_read(BMCR), 0x1140)
    d.step(SECOND)
    d.phy_read(BMSR)
    d.see("link", d.phy_read(BMSR) & BMSR_LINK, BMSR_LINK)
    d.see("negotiated", d.phy_read(BMSR) & BMSR_AN_DONE, BMSR_AN_DONE, reasons.SOFT_RESET)


@scenario("BMCR: restart clears itself", "13.4.8")
def _(d):
    d.phy_write(BMCR, BMCR_AUTONEG | BMCR_RESTART | BMCR_FD | BMCR_1000)
    d.see("BMCR", d.phy_read(BMCR), 0x1140)


@scenario("BMCR: bits 5 to 0 are reserved", "13.4.8")
def _(d):
    d.phy_write(BMCR, 0x1140 | 0x3F)
    d.see("BMCR", d.phy_read(BMCR), 0x1140)


def restart(d):
    d.phy_write(BMCR, BMCR_AUTONEG | BMCR_RESTART | BMCR_FD | BMCR_1000)


@scenario("negotiation: link and completion are gone meanwhile", "13.4.8")
def _(d):
    restart(d)
    d.see("LU", d.read(STATUS) & STATUS_LU, 0)
    d.see("BMSR", d.phy_read(BMSR) & (BMSR_LINK | BMSR_AN_DONE), 0)
    d.see("partner", d.phy_read(ANLPAR) & 0x4000, 0)


@scenario("negotiation: takes 500 ms", "13.4.8")
def _(d):
    restart(d)
    d.step(495 * MILLISECOND)
    d.see("LU before", d.read(STATUS) & STATUS_LU, 0)
    d.step(10 * MILLISECOND)
    d.see("LU after", d.read(STATUS) & STATUS_LU, STATUS_LU)


@scenario("negotiation: LSC when link comes", "13.4.17")
def _(d):
    restart(d)
    d.step(MILLISECOND)
    d.read(ICR)
    d.write(IMS, LSC)
    d.see("before", d.irq(), False)
    d.step(600 * MILLISECOND)
    d.see("after", d.irq(), True)
    d.see("cause", d.read(ICR), LSC)


@scenario("negotiation: LSC when link goes", "13.4.17")
def _(d):
    restart(d)
    d.step(MILLISECOND)
    d.see("cause", d.read(ICR), LSC, reasons.LSC_AT_LOSS)


@scenario("negotiation: a second restart begins anew", "13.4.8")
def _(d):
    restart(d)
    d.step(400 * MILLISECOND)
    restart(d)
    d.step(400 * MILLISECOND)
    d.see("LU at 800 ms", d.read(STATUS) & STATUS_LU, 0)
    d.step(150 * MILLISECOND)
    d.see("LU at 950 ms", d.read(STATUS) & STATUS_LU, STATUS_LU)


@scenario("BMSR: the loss of link is latched until read", "13.4.8")
def _(d):
    d.phy_read(BMSR)
    restart(d)
    d.step(SECOND)
    d.see("first read", d.phy_read(BMSR) & BMSR_LINK, 0, reasons.LINK_LATCH)
    d.see("second read", d.phy_read(BMSR) & BMSR_LINK, BMSR_LINK)


@scenario("PSSR: link and mode are those of the moment", "13.4.8")
def _(d):
    restart(d)
    d.see("without link", d.phy_read(PSSR) & 0xEC00, 0, reasons.PARTNER)
    d.step(SECOND)
    d.see("with link", d.phy_read(PSSR) & 0xEC00, 0xAC00)


@scenario("PHY power-down: link drops, registers answer", "13.4.8")
def _(d):
    d.phy_write(BMCR, 0x1140 | BMCR_POWER_DOWN)
    d.see("BMCR", d.phy_read(BMCR), 0x1940)
    d.see("LU", d.read(STATUS) & STATUS_LU, 0, reasons.PHY_POWER_DOWN)
    d.see("identity", d.phy_read(PHYID1), 0x0141)
    d.phy_write(BMCR, 0x1140)
    d.see("LU at once", d.read(STATUS) & STATUS_LU, 0, reasons.PHY_POWER_DOWN)
    d.step(SECOND)
    d.see("LU later", d.read(STATUS) & STATUS_LU, STATUS_LU)


@scenario("PHY: advertising only 100 Mb/s gives it", "13.4.8")
def _(d):
    d.phy_write(GTCR, 0)
    d.phy_write(ANAR, 0x0101)
    restart(d)
    d.step(SECOND)
    d.see("STATUS speed", d.read(STATUS) >> 6 & 3, 1, reasons.FORCED_MODE)
    d.see("full duplex", d.read(STATUS) & STATUS_FD, STATUS_FD)


@scenario("CTRL.SLU: link only while it is set", "13.4.1")
def _(d):
    d.clear(CTRL, CTRL_SLU)
    d.step(MILLISECOND)
    d.see("cleared", d.read(STATUS) & STATUS_LU, 0, reasons.SLU)
    d.see("LSC", d.read(ICR), LSC, reasons.SLU)
    d.set(CTRL, CTRL_SLU)
    d.step(MILLISECOND)
    d.see("set", d.read(STATUS) & STATUS_LU, STATUS_LU)
    d.see("LSC again", d.read(ICR), LSC, reasons.SLU)


@scenario(
    "CTRL: forced speed {0} Mb/s shows in STATUS", "13.4.1", each=[(10, 0), (100, 1), (1000, 2)]
)
def _(d, name, code):
    d.write(CTRL, CTRL_SLU | CTRL_FD | CTRL_FRCSPD | code << 8)
    d.see("speed", d.read(STATUS) >> 6 & 3, code, reasons.FORCED_MODE if code != 2 else None)


@scenario("CTRL: forced duplex shows in STATUS", "13.4.1")
def _(d):
    d.write(CTRL, CTRL_SLU | CTRL_FRCDPX)
    d.see("half", d.read(STATUS) & STATUS_FD, 0, reasons.FORCED_MODE)
    d.write(CTRL, CTRL_SLU | CTRL_FRCDPX | CTRL_FD)
    d.see("full", d.read(STATUS) & STATUS_FD, STATUS_FD)


@scenario("STATUS: 1000 Mb/s, full duplex, on a 32-bit bus of 33 MHz", "13.4.2")
def _(d):
    d.see("FD, LU, TXOFF, speed, bus", d.read(STATUS) & 0xF8D3, 0x0083)
    clock = 1 << 10 if d.part.old else 0  # MTXCKOK
    d.see("ASDV, others", d.read(STATUS) & 0xFFFF0700, clock | 0x0200, reasons.STATUS_REGISTER)
