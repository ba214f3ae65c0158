"""LEDCTL: what the LEDs show, from the EEPROM and from drivers (manual 10.1, 13.4.7)."""

import reasons
from bench.bench import MILLISECOND
from bench.parts import COMPARED_NEWER, OLD
from bench.registers import *
from bench.scenario import scenario
from scenarios.eeprom import EWEN, WRITE, Microwire

PARTS = COMPARED_NEWER

VALUES = reasons.RESET_VALUES
DEFAULT = 0x07068302
ON, OFF = 0x0E, 0x0F


def program(d, words):
    """Changes EEPROM words, as a tool does, and leaves the EEPROM to the hardware."""
    bus = Microwire(d)
    bus.command(EWEN)
    for word, value in words.items():
        bus.program(WRITE << 6 | word, value)
    d.write(EECD, 0)
    d.step(MILLISECOND)


def reload(d, how):
    if how == "CTRL.RST":
        d.write(CTRL, CTRL_RST)
    else:
        d.write(CTRL_EXT, CTRL_EXT_EE_RST)
    d.step(20 * MILLISECOND)


RELOADS = "CTRL.RST", "CTRL_EXT.EE_RST"


@scenario("LEDCTL: {} loads EEPROM words 1Fh and 2Fh", "5.6, 13.4.7", "enabled", each=RELOADS)
def _(d, how):
    program(d, {0x1F: 0x8C4E, 0x2F: 0x0BC3})  # LED 2 and 0, LED 3 and 1
    before = d.read(LEDCTL)
    d.see("not yet", before, DEFAULT, VALUES)
    reload(d, how)
    d.see("LEDCTL", d.read(LEDCTL), 0x0B8CC34E, VALUES)
    d.write(LEDCTL, 0)
    d.see("software's", d.read(LEDCTL), 0)
    reload(d, how)
    d.see("loaded again", d.read(LEDCTL), 0x0B8CC34E, VALUES)


@scenario(
    "LEDCTL: word {0:#x} alone",
    "5.6",
    "enabled",
    each=[(0x1F, 0x2F, 0x07468341), (0x2F, 0x1F, 0x46064102)],
)
def _(d, word, other, expected):
    program(d, {other: 0xFFFF, word: 0x4641})  # nobody has programmed the other one
    reload(d, "CTRL.RST")
    d.see("LEDCTL", d.read(LEDCTL), expected, VALUES)


@scenario("LEDCTL: words that nobody has programmed leave the defaults", "5.6, 13.4.7", "enabled")
def _(d):
    program(d, {0x1F: 0xFFFF, 0x2F: 0xFFFF})
    d.write(LEDCTL, 0x0E0F0E0F)
    reload(d, "CTRL.RST")
    d.see("LEDCTL", d.read(LEDCTL), DEFAULT, VALUES)


@scenario("LEDCTL: without the signature the EEPROM does not count", "5.6.7, 13.4.7", "enabled")
def _(d):
    program(d, {0x1F: 0x4641, 0x2F: 0x4641, 0x0A: 0x0000})
    d.write(LEDCTL, 0x0E0F0E0F)
    reload(d, "CTRL_EXT.EE_RST")
    d.see("EE_RST", d.read(LEDCTL), 0x0E0F0E0F)
    reload(d, "CTRL.RST")
    d.see("CTRL.RST", d.read(LEDCTL), DEFAULT, VALUES)


@scenario("LEDCTL: a driver identifies the adapter", "13.4.7, 10.1", "enabled")
def _(d):
    before = d.see_register("before", LEDCTL, DEFAULT, VALUES)
    off = before & 0xFFFF | OFF << 16 | OFF << 24  # by EEPROM word 4: LED 2 off, LED 3 off or on
    on = before & 0xFFFF | OFF << 16 | ON << 24
    for n in range(4):
        for name, value in (("on", on), ("off", off)):
            d.write(LEDCTL, value)
            d.see(f"{name} {n}", d.read(LEDCTL) == value, True)
            d.step(250 * MILLISECOND)
    d.write(LEDCTL, before)
    d.see("afterwards", d.read(LEDCTL) == before, True)


@scenario("LEDCTL: blinking and inverted, bit by bit", "13.4.7")
def _(d):
    for led in range(4):
        for value in (0x80 | ON, 0x40 | OFF, 0xC3):
            d.write(LEDCTL, value << 8 * led)
            d.see(f"LED {led}: {value:02x}", d.read(LEDCTL), value << 8 * led)
    d.write(LEDCTL, 1 << 5)
    d.see("GLOBAL_BLINK_MODE", d.read(LEDCTL), 1 << 5)
    d.step(500 * MILLISECOND)
    d.see("link stays", d.read(STATUS) & STATUS_LU, STATUS_LU)


@scenario("LEDCTL: the 82544 has none, whatever its EEPROM says", "13.4.7", "enabled", parts=OLD)
def _(d):
    program(d, {0x1F: 0x4641, 0x2F: 0x4641})
    for how in RELOADS:
        reload(d, how)
        d.write(LEDCTL, 0x0E0F0E0F)
        d.see(how, d.read(LEDCTL), 0, reasons.OLD_PART)


@scenario("82544: drivers identify the adapter by software-definable pin 0", "13.4.1", parts=OLD)
def _(d):
    pin = CTRL_SDP0_OUTPUT | CTRL_SDP0_DATA
    control = d.read(CTRL) & ~pin
    for n in range(3):
        d.write(CTRL, control | CTRL_SDP0_OUTPUT)
        d.see(f"lit {n}", d.read(CTRL) & pin, CTRL_SDP0_OUTPUT)
        d.step(250 * MILLISECOND)
        d.write(CTRL, control | pin)
        d.see(f"dark {n}", d.read(CTRL) & pin, pin)
        d.step(250 * MILLISECOND)
    d.write(CTRL, control | CTRL_SDP0_DATA)
    d.see("an input that nothing drives", d.read(CTRL) & pin, 0, reasons.CTRL_BITS)
    d.see("link stays", d.read(STATUS) & STATUS_LU, STATUS_LU)
