"""The EEPROM: by the EERD register, and bit by bit (93C46)."""

import reasons
from bench.registers import *
from bench.parts import EVERY, OLD
from bench.scenario import scenario

PARTS = EVERY

REQ, CS, SK, DI = EECD_REQ, EECD_CS, EECD_SK, EECD_DI
READ, WRITE, ERASE = 0b110, 0b101, 0b111
EWEN, EWDS, ERAL, WRAL = 0b100_110000, 0b100_000000, 0b100_100000, 0b100_010000


class Microwire:
    """Drives the pins as Linux's driver does."""

    def __init__(self, d):
        self.d = d
        self._pins(REQ)

    def _pins(self, value):
        self.d.write(EECD, value)
        self.d.step(1000)

    def select(self):
        self._pins(REQ | CS)

    def deselect(self):
        self._pins(REQ)

    def clock_out(self, bits, count):
        for n in reversed(range(count)):
            level = REQ | CS | (DI if bits >> n & 1 else 0)
            self._pins(level)
            self._pins(level | SK)
            self._pins(level)

    def clock_in(self, count):
        value = 0
        for _ in range(count):
            self._pins(REQ | CS | SK)
            value = value << 1 | (self.d.read(EECD) & EECD_DO != 0)
            self._pins(REQ | CS)
        return value

    def command(self, bits, data=None):
        self.select()
        self.clock_out(bits, 9)
        if data is not None:
            self.clock_out(data, 16)
        self.deselect()

    def read(self, word):
        self.select()
        self.clock_out(READ << 6 | word, 9)
        value = self.clock_in(16)
        self.deselect()
        return value

    def program(self, bits, data=None):
        """A write or an erase; waits for its end."""
        self.command(bits, data)
        self.d.step(20_000_000)


@scenario(
    "EERD: word {0} is {1}",
    "13.4.4, 5.6",
    "enabled",
    each=[
        (0, "the address's first bytes", 0x5452),
        (1, "the next", 0x1200),
        (2, "the last", 0x5634),
        (0x0E, "the vendor", 0x8086),
        (0x0C, "the subsystem vendor", 0x8086),
    ],
)
def _(d, word, what, value):
    d.see("word", d.eerd(word), value)


@scenario("EERD: word 13 is the device", "13.4.4, 5.6", "enabled")
def _(d):
    d.see("word", d.eerd(0x0D), d.part.device)


@scenario("EERD: words 0 to 3Fh add up to BABAh", "5.6.35", "enabled")
def _(d):
    d.see("sum", sum(d.eerd(word) for word in range(64)) & 0xFFFF, 0xBABA)


@scenario("EERD: word 0Ah carries the signature", "5.6.7", "enabled")
def _(d):
    d.see("signature", d.eerd(0x0A) >> 14, 1)


@scenario("EERD: START clears itself, DONE is set, the address stays", "13.4.4", "enabled")
def _(d):
    d.eerd(1)
    value = d.read(EERD)
    d.see("DONE", value & EERD_DONE, EERD_DONE)
    d.see("address", value >> 8 & 0xFF, 1)


@scenario("EERD: nothing happens without START", "13.4.4", "enabled")
def _(d):
    d.eerd(0)
    d.write(EERD, 1 << 8)
    d.step(1_000_000)
    d.see("data", d.read(EERD) >> 16 in (0, 0x5452), True)


@scenario("EERD: beyond 64 words", "13.4.4", "enabled")
def _(d):
    d.see("word 40h is word 0", d.eerd(0x40), 0x5452, reasons.EERD_RANGE)


@scenario("EECD of the 82544: bits 31:6 are reserved", "13.4.3", "enabled", parts=OLD)
def _(d):
    d.write(EECD, 0xFFFFFFC0)
    d.see("EECD", d.read(EECD) & 0xFFFFFFC0, 0, reasons.OLD_PART)


@scenario("EECD written 0 ends a command: the write is carried out", "13.4.3, 93C46", "enabled")
def _(d):
    chip = Microwire(d)
    chip.command(EWEN)
    chip.select()
    chip.clock_out(WRITE << 6 | 0x10, 9)
    chip.clock_out(0x5AA5, 16)
    d.write(EECD, 0)
    d.step(20_000_000)
    d.see("word", Microwire(d).read(0x10), 0x5AA5, reasons.EEPROM_WRITE)


@scenario("EECD: the grant follows the request", "13.4.3", "enabled")
def _(d):
    d.see("no request", d.read(EECD) & EECD_GNT, 0, reasons.EECD_PINS)
    d.write(EECD, REQ)
    d.step(1_000_000)
    if d.part.old:  # needs no grant
        d.see("request", d.read(EECD) & EECD_GNT, 0, reasons.OLD_PART)
    else:
        d.see("request", d.read(EECD) & EECD_GNT, EECD_GNT)
    d.write(EECD, 0)
    d.step(1_000_000)
    d.see("released", d.read(EECD) & EECD_GNT, 0, reasons.EECD_PINS)


@scenario("EECD: present, 64 words", "13.4.3", "enabled")
def _(d):
    old = d.part.old
    d.see("PRES, SIZE", d.read(EECD) >> 8 & 3, 0 if old else 1, reasons.OLD_PART if old else None)


@scenario("EECD: pins read back", "13.4.3", "enabled")
def _(d):
    old = d.part.old
    for value in (REQ, REQ | CS, REQ | CS | DI, REQ | CS | DI | SK, REQ):
        d.write(EECD, value)
        shown = value & ~REQ if old else value
        d.see(
            f"{value:#x}",
            d.read(EECD) & (REQ | CS | DI | SK),
            shown,
            reasons.OLD_PART if old else None,
        )


@scenario("Microwire: READ of word {:#x}", "5.3.1", "enabled", each=(0, 1, 2, 0x0E, 0x2A, 0x15))
def _(d, word):
    bus = Microwire(d)
    d.see("same as EERD", bus.read(word) == d.eerd(word), True)
    if word < 3 or word == 0x0E:
        d.see("word", bus.read(word))


@scenario("Microwire: DO is 0 before the data", "5.3.1", "enabled")
def _(d):
    bus = Microwire(d)
    bus.select()
    bus.clock_out(READ << 6, 9)
    d.see("dummy bit", d.read(EECD) & EECD_DO, 0)
    d.see("word", bus.clock_in(16), 0x5452)


@scenario("Microwire: dropping CS ends a command", "5.3.1", "enabled")
def _(d):
    bus = Microwire(d)
    bus.select()
    bus.clock_out(READ << 6 | 5, 7)
    bus.deselect()
    d.see("the next command", bus.read(1), 0x1200)


@scenario("Microwire: a clock without CS does not count", "5.3.1", "enabled")
def _(d):
    bus = Microwire(d)
    d.write(EECD, REQ | DI)
    d.write(EECD, REQ | DI | SK)
    d.write(EECD, REQ)
    d.see("word", bus.read(2), 0x5634)


@scenario("Microwire: the whole EEPROM adds up to BABAh", "5.6.35", "enabled")
def _(d):
    bus = Microwire(d)
    d.see("sum", sum(bus.read(word) for word in range(64)) & 0xFFFF, 0xBABA)


WRITES = reasons.EEPROM_WRITE


@scenario("Microwire: WRITE after EWEN", "5.3.1", "enabled")
def _(d):
    bus = Microwire(d)
    bus.command(EWEN)
    bus.program(WRITE << 6 | 0x21, 0xBEEF)
    d.see("word", bus.read(0x21), 0xBEEF, WRITES)
    d.see("its neighbour", bus.read(0x20) == 0xBEEF, False)


@scenario("Microwire: WRITE without EWEN changes nothing", "5.3.1", "enabled")
def _(d):
    bus = Microwire(d)
    bus.program(WRITE << 6 | 0, 0xBEEF)
    d.see("word", bus.read(0), 0x5452)


@scenario("Microwire: EWDS ends writing", "5.3.1", "enabled")
def _(d):
    bus = Microwire(d)
    bus.command(EWEN)
    bus.command(EWDS)
    bus.program(WRITE << 6 | 0, 0xBEEF)
    d.see("word", bus.read(0), 0x5452)


@scenario("Microwire: DO shows busy, then ready", "5.3.1", "enabled")
def _(d):
    bus = Microwire(d)
    bus.command(EWEN)
    bus.command(WRITE << 6 | 0x21, 0xBEEF)
    bus.select()
    d.see("busy", d.read(EECD) & EECD_DO, 0, WRITES)
    d.step(20_000_000)
    d.see("ready", d.read(EECD) & EECD_DO, EECD_DO)


@scenario("Microwire: ERASE sets all bits of a word", "5.3.1", "enabled")
def _(d):
    bus = Microwire(d)
    bus.command(EWEN)
    bus.program(ERASE << 6 | 1)
    d.see("word", bus.read(1), 0xFFFF, WRITES)


@scenario(
    "Microwire: {0} changes every word",
    "5.3.1",
    "enabled",
    each=[("ERAL", ERAL, None, 0xFFFF), ("WRAL", WRAL, 0xA55A, 0xA55A)],
)
def _(d, name, bits, data, expected):
    bus = Microwire(d)
    bus.command(EWEN)
    bus.program(bits, data)
    for word in (0, 1, 0x3F):
        d.see(f"word {word:#x}", bus.read(word), expected, WRITES)


@scenario("Microwire: a word written is what EERD reads", "5.3.1", "enabled")
def _(d):
    bus = Microwire(d)
    bus.command(EWEN)
    bus.program(WRITE << 6 | 0x30, 0x1357)
    d.write(EECD, 0)
    d.step(1000)
    d.see("word", d.eerd(0x30), 0x1357, WRITES)
