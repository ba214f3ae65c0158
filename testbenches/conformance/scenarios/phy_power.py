"""The PHY while the MAC sleeps (manual 11.4.2 to 11.4.4), and what wakes without a driver (5.6.12)."""

import reasons
from bench.bench import MILLISECOND, SECOND
from bench.packets import *
from bench.parts import COMPARED, EVERY
from bench.registers import *
from bench.scenario import scenario
from scenarios.leds import program
from scenarios.wakeup import asleep, awake, power, see_power

WAKE, POWER = reasons.WAKING, reasons.POWER_STATES
AWAITED = PME_EN | D3
FOUND = AWAITED | PME_STATUS


def see_frame(d, label, expected):
    """Whether a frame comes, which shows in that it wakes the system."""
    d.send(ethernet(STATION))
    d.step(MILLISECOND)
    see_power(d, label, FOUND if expected else AWAITED)


def negotiate(d):
    d.phy_write(BMCR, BMCR_AUTONEG | BMCR_RESTART | BMCR_FD | BMCR_1000)
    d.step(SECOND)


def speed(d):
    return d.read(STATUS) & (STATUS_LU | 3 << 6)


@scenario("PHY in D3: with wake-up it stays as it is", "11.4.4", parts=EVERY)
def _(d):
    asleep(d, EX)
    see_frame(d, "at once", True)


@scenario("PHY in D3: with CTRL.EN_PHY_PWR_MGMT it negotiates a link anew", "11.4.3", parts=EVERY)
def _(d):
    d.set(CTRL, CTRL_EN_PHY_PWR_MGMT)
    asleep(d, EX)
    see_frame(d, "at once", False)
    d.step(SECOND)
    see_frame(d, "later", True)
    awake(d)
    d.set(CTRL, CTRL_SLU)
    d.step(SECOND)
    d.see("in D0", speed(d), STATUS_LU | 2 << 6)


@scenario(
    "PHY in D3: EN_PHY_PWR_MGMT {}: a link possible at 1000 Mbit/s only",
    "11.4.3, 11.4.4",
    each=("off", "on"),
)
def _(d, management):
    d.phy_write(ANAR, 1)
    negotiate(d)
    d.see("in D0", speed(d), STATUS_LU | 2 << 6)
    if management == "on":
        d.set(CTRL, CTRL_EN_PHY_PWR_MGMT)
    asleep(d, EX)
    d.step(3 * SECOND)
    see_frame(d, "frame", management == "off")
    awake(d)
    d.set(CTRL, CTRL_SLU)
    d.step(SECOND)
    d.see("in D0 again", speed(d), STATUS_LU | 2 << 6)


@scenario("PHY in D3: a link of 100 Mbit/s stays, whatever EN_PHY_PWR_MGMT says", "11.4.3")
def _(d):
    d.phy_write(GTCR, 0)
    negotiate(d)
    d.see("in D0", speed(d), STATUS_LU | 1 << 6, reasons.STATUS_REGISTER)
    d.set(CTRL, CTRL_EN_PHY_PWR_MGMT)
    asleep(d, EX)
    see_frame(d, "at once", True)


@scenario("PHY in D0: EN_PHY_PWR_MGMT changes nothing", "11.4.3")
def _(d):
    d.set(CTRL, CTRL_EN_PHY_PWR_MGMT)
    d.see("link", speed(d), STATUS_LU | 2 << 6)
    power(d, PME_EN)
    d.step(SECOND)
    d.see("with PME_En", speed(d), STATUS_LU | 2 << 6)
    d.see("LSC", d.read(ICR) & LSC, 0)


@scenario("PHY in D3: without wake-up it is off", "11.4.2", parts=COMPARED)
def _(d):
    d.write(WUC, 0)
    d.write(WUFC, LNKC)
    power(d, PME_STATUS | D3)
    d.step(3 * SECOND)
    see_power(d, "asleep", D3)
    power(d, AWAITED)
    see_power(d, "PME_En: no link yet", AWAITED)
    d.step(SECOND)
    see_power(d, "the link has come", FOUND)
    awake(d)
    d.see("WUS", d.read(WUS), LNKC, WAKE)


@scenario("PHY in D3: with wake-up the link does not change", "11.4.4")
def _(d):
    d.write(WUC, 0)
    d.write(WUFC, LNKC)
    power(d, PME_STATUS | AWAITED)
    d.step(3 * SECOND)
    see_power(d, "asleep", AWAITED)


@scenario("PHY in D3: off, frames do not come; on again, they do", "11.4.2")
def _(d):
    d.write(RCTL, RCTL_BAM | RCTL_EN)
    d.write(WUC, 0)
    d.write(WUFC, EX)
    power(d, PME_STATUS | D3)
    d.send(ethernet(STATION))
    d.step(MILLISECOND)
    power(d, AWAITED)
    see_frame(d, "before the link is there", False)
    d.step(SECOND)
    see_frame(d, "with link", True)


@scenario("PHY in D3: wake-up turned off there turns it off", "11.4.2")
def _(d):
    d.write(WUC, 0)
    d.write(WUFC, LNKC)
    power(d, PME_STATUS | AWAITED)
    power(d, D3)
    d.step(SECOND)
    power(d, AWAITED)
    see_power(d, "on again: no link yet", AWAITED)
    d.step(SECOND)
    see_power(d, "the link has come", FOUND)


@scenario("PHY in D3: APM alone keeps it on", "11.4.4, 6.4.1", parts=EVERY)
def _(d):
    d.write(WUC, WUC_APME | WUC_APMPME)
    power(d, PME_STATUS | D3)
    d.step(SECOND)
    d.send(magic_packet(destination=STATION))
    d.step(MILLISECOND)
    see_power(d, "magic packet", PME_STATUS | D3)


@scenario("PHY after D3 without wake-up: no link until negotiated", "11.4.2", parts=COMPARED)
def _(d):
    d.write(WUC, 0)
    power(d, D3)
    d.step(SECOND)
    power(d, 0)
    d.enable()
    d.write(CTRL, CTRL_SLU | CTRL_FD)
    d.see("at once", d.read(STATUS) & STATUS_LU, 0, POWER)
    d.step(SECOND)
    d.see("later", speed(d), STATUS_LU | 2 << 6)
    d.rx_ring()
    d.see("received", [p.data for p in d.deliver(ethernet())], [ethernet()])


# --- EEPROM ---


def reset(d):
    """Through D3, which is a reset of the bus for the EEPROM's words, too."""
    power(d, D3)
    power(d, 0)
    d.step(20 * MILLISECOND)
    d.enable()


@scenario("APMPME: Initialization Control 2 bit 15", "5.6.12, 13.6.1", "enabled", parts=EVERY)
def _(d):
    apme = WUC_APME if d.part.wakes else 0
    program(d, {0x0F: d.eerd(0x0F) | 0x8000})
    d.write(CTRL, CTRL_RST)
    d.step(20 * MILLISECOND)
    d.see("CTRL.RST is not enough", d.read(WUC), apme, reasons.RESET_VALUES if apme else None)
    reset(d)
    d.see("WUC", d.read(WUC), apme | WUC_APMPME, reasons.RESET_VALUES)
    program(d, {0x0F: d.eerd(0x0F) & 0x7FFF})
    reset(d)
    d.see("bit off", d.read(WUC), apme, reasons.RESET_VALUES if apme else None)


@scenario("APMPME from the EEPROM: a magic packet asserts PME#", "5.6.12, 6.4.1", "enabled")
def _(d):
    program(d, {0x0F: d.eerd(0x0F) | 0x8000})
    reset(d)
    d.step(SECOND)
    power(d, D3)
    d.send(ethernet(STATION))
    d.step(MILLISECOND)
    see_power(d, "another frame", D3)
    d.send(magic_packet(destination=STATION))
    d.step(MILLISECOND)
    see_power(d, "magic packet", PME_STATUS | D3)
