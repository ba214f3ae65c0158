"""The flash: its base address register, the expansion ROM and the I/O window (manual 4.1, 7, 13.2.2.2,
13.4.3). Its commands are those of JEDEC's standard, which the devices of the manual's examples have.

QEMU's adapters have none: only the scenarios that have none either are compared."""

import reasons
from bench.bench import FLASH_BAR, IO_BAR, MICROSECOND, MILLISECOND, ROM
from bench.parts import EVERY, WITH_FLASH
from bench.registers import *
from bench.scenario import scenario

PARTS = WITH_FLASH

FLASH_BYTES = 64 << 10
IMAGE = b"\x55\xaa" + bytes((n * 7 + (n >> 8) * 3) & 0xFF for n in range(2, FLASH_BYTES))
LARGEST = bytes(n >> 12 & 0xFF for n in range(512 << 10))
EXPANSION_ROM = 0x30
WRITES_ON, WRITES_OFF = 2 << 4, 1 << 4  # EECD.FWE
POLLED, TOGGLE = 0x80, 0x40
SECTOR = 4096


def flash_bar(d):
    """The register behind that of the registers' BAR."""
    return 0x18 if d.part.wide else 0x14


def sizing(d, offset, ones=0xFFFFFFFF):
    before = d.config(offset)
    d.set_config(offset, ones)
    value = d.config(offset)
    d.set_config(offset, before)
    return value


def peek(d, address, size=1):
    return d.qtest.read(FLASH_BAR + address, size)


def poke(d, *writes):
    for address, value in writes:
        d.qtest.write(FLASH_BAR + address, 1, value)


UNLOCK = (0x5555, 0xAA), (0x2AAA, 0x55)


def command(d, code):
    poke(d, *UNLOCK, (0x5555, code))


def program(d, address, value):
    command(d, 0xA0)
    poke(d, (address, value))


def erase_sector(d, address):
    command(d, 0x80)
    poke(d, *UNLOCK, (address, 0x30))


def enable_writes(d, code=WRITES_ON):
    d.write(EECD, d.read(EECD) & ~EECD_FWE | code)


# --- without one ---


@scenario("no flash: no base address register", "4.1, 7", "power-on")
def _(d):
    why = None if d.part.wide else reasons.IO_WINDOW
    d.see("BAR", sizing(d, flash_bar(d)), 0, why)


@scenario("no flash: no expansion ROM", "4.1, 7", "power-on", parts=EVERY)
def _(d):
    d.see("sizing", sizing(d, EXPANSION_ROM, 0xFFFFF800), 0)
    d.set_config(EXPANSION_ROM, ROM | 1)
    d.see("register", d.config(EXPANSION_ROM), 0)
    d.see("memory there", d.qtest.read(ROM, 4) in (0, 0xFFFFFFFF), True)


@scenario(
    "no flash: the I/O window reads 0 where it would be", "13.2.2.2, 7", "enabled", parts=EVERY
)
def _(d):
    for address in (0x80000, 0x85554, 0xFFFFC):
        d.qtest.port_write(IO_BAR, 4, address)
        d.qtest.port_write(IO_BAR + 4, 4, 0x12345678)
        d.see(f"{address:x}", d.qtest.port_read(IO_BAR + 4, 4), 0)


# --- with one ---


@scenario("flash: the BAR has its size", "4.1, 5.6.7", "power-on", flash=IMAGE)
def _(d):
    kind = 4 if d.part.wide else 0
    d.see("BAR", sizing(d, flash_bar(d)), 0x100000000 - FLASH_BYTES | kind)
    if d.part.wide:
        d.see("upper half", sizing(d, flash_bar(d) + 4), 0xFFFFFFFF)
    d.see("ROM", sizing(d, EXPANSION_ROM, 0xFFFFF800), 0x100000000 - FLASH_BYTES)
    d.see("ROM, enable bit", sizing(d, EXPANSION_ROM), 0x100000000 - FLASH_BYTES | 1)
    d.see("I/O BAR", sizing(d, 0x20 if d.part.wide else 0x18), 0xFFFFFFF9)


@scenario("flash: the BAR of the largest", "4.1, 5.6.7", "enabled", flash=LARGEST)
def _(d):
    kind = 4 if d.part.wide else 0
    d.see("BAR", sizing(d, flash_bar(d)), 0xFFF80000 | kind)
    for address in (0, 0x10000, 0x7FFFF):
        d.see(f"{address:x}", peek(d, address), LARGEST[address])


@scenario("flash: reads of {} bytes", "7", "enabled", each=(1, 2, 4, 8), flash=IMAGE)
def _(d, size):
    for address in (0, 8, 0x1238, FLASH_BYTES - size):
        expected = int.from_bytes(IMAGE[address : address + size], "little")
        d.see(f"{address:x}", peek(d, address, size), expected)
    if size < 4:
        for address in range(0x100, 0x104, size):
            expected = int.from_bytes(IMAGE[address : address + size], "little")
            d.see(f"lane of {address:x}", peek(d, address, size), expected)


@scenario("flash: a long read", "7", "enabled", flash=IMAGE)
def _(d):
    d.see("1003 bytes", d.qtest.read_bytes(FLASH_BAR + 0x4321, 1003), IMAGE[0x4321:][:1003])


@scenario("flash: only while the command register says memory", "4.1", "enabled", flash=IMAGE)
def _(d):
    d.see("on", peek(d, 0, 2), 0xAA55)
    d.set_config(0x04, 5, 2)
    d.see("off", peek(d, 0, 2) == 0xAA55, False)
    d.set_config(0x04, 7, 2)
    d.see("on again", peek(d, 0, 2), 0xAA55)


@scenario("flash: a byte is programmed, ones to zeros", "7, 13.4.3", "enabled", flash=IMAGE)
def _(d):
    enable_writes(d)
    address = 0x777
    program(d, address, 0x0F)
    d.step(20 * MICROSECOND)
    d.see("byte", peek(d, address), IMAGE[address] & 0x0F)
    d.see("its neighbour", peek(d, address + 1), IMAGE[address + 1])
    program(d, address, 0xFF)
    d.step(20 * MICROSECOND)
    d.see("zeros stay", peek(d, address), IMAGE[address] & 0x0F)


@scenario(
    "flash: EECD.FWE {0}: writes are not enabled", "13.4.3", "enabled", each=(0, 1, 3), flash=IMAGE
)
def _(d, code):
    enable_writes(d, code << 4)
    program(d, 0x777, 0)
    d.see("at once", peek(d, 0x777), IMAGE[0x777])
    erase_sector(d, 0)
    d.step(20 * MILLISECOND)
    d.see("later", peek(d, 0x777), IMAGE[0x777])
    enable_writes(d)
    poke(d, (0x777, 0))
    d.see("no command has begun", peek(d, 0x777), IMAGE[0x777])


@scenario("flash: writes are not enabled after power-on", "13.4.3", "enabled", flash=IMAGE)
def _(d):
    d.see("FWE", d.read(EECD) & EECD_FWE, WRITES_OFF)
    program(d, 0x777, 0)
    d.step(20 * MICROSECOND)
    d.see("byte", peek(d, 0x777), IMAGE[0x777])


@scenario("flash: a write without its commands changes nothing", "7", "enabled", flash=IMAGE)
def _(d):
    enable_writes(d)
    poke(d, (0x777, 0), (0x5555, 0xA0), (0x777, 0), (0x5555, 0xAA), (0x5555, 0xA0), (0x777, 0))
    d.see("byte", peek(d, 0x777), IMAGE[0x777])


@scenario(
    "flash: while it programs, reads show the complement and toggle", "7", "enabled", flash=IMAGE
)
def _(d):
    enable_writes(d)
    for value in (0x00, 0x80):
        address = 0x1000 + value
        program(d, address, value)
        first, second = peek(d, address), peek(d, address)
        d.see(f"{value:02x}: polled", first & POLLED, ~value & POLLED)
        d.see(f"{value:02x}: toggles", (first ^ second) & TOGGLE, TOGGLE)
        d.step(20 * MICROSECOND)
        d.see(f"{value:02x}: done", peek(d, address), IMAGE[address] & value)
        d.see(f"{value:02x}: no longer", peek(d, address), IMAGE[address] & value)


@scenario("flash: a sector is erased, software polls for the end", "7", "enabled", flash=IMAGE)
def _(d):
    enable_writes(d)
    erase_sector(d, 2 * SECTOR + 5)
    polls = 0
    while peek(d, 2 * SECTOR) != 0xFF and polls < 100:
        polls += 1
        d.step(MILLISECOND)
    d.see("milliseconds", 10 <= polls <= 25, True)
    for address in (2 * SECTOR, 3 * SECTOR - 1):
        d.see(f"{address:x}", peek(d, address), 0xFF)
    for address in (2 * SECTOR - 1, 3 * SECTOR):
        d.see(f"{address:x}", peek(d, address), IMAGE[address])
    program(d, 2 * SECTOR + 9, 0xA5)
    d.step(20 * MICROSECOND)
    d.see("a new byte", d.qtest.read_bytes(FLASH_BAR + 2 * SECTOR + 8, 3), b"\xff\xa5\xff")


@scenario("flash: all of it is erased", "7", "enabled", flash=IMAGE)
def _(d):
    enable_writes(d)
    command(d, 0x80)
    command(d, 0x10)
    d.step(MILLISECOND)
    d.see("busy", peek(d, 0) & POLLED, 0)
    d.step(100 * MILLISECOND)
    content = d.qtest.read_bytes(FLASH_BAR, FLASH_BYTES)
    d.see("all", content.count(0xFF), FLASH_BYTES)


@scenario("flash: busy, it takes no command", "7", "enabled", flash=IMAGE)
def _(d):
    enable_writes(d)
    erase_sector(d, 0)
    program(d, 0x8000, 0)
    d.step(20 * MILLISECOND)
    d.see("byte", peek(d, 0x8000), IMAGE[0x8000])


@scenario("flash: identification", "7", "enabled", flash=IMAGE)
def _(d):
    enable_writes(d)
    command(d, 0x90)
    d.see("maker, device", (peek(d, 0), peek(d, 1)), (0xBF, 0xD4))
    poke(d, (0, 0xF0))
    d.see("contents again", peek(d, 0, 2), 0xAA55)


@scenario("flash: CTRL.RST leaves it alone", "14.7, 7", "enabled", flash=IMAGE)
def _(d):
    enable_writes(d)
    erase_sector(d, 0)
    d.write(CTRL, CTRL_RST)
    d.step(25 * MILLISECOND)
    d.see("erased", peek(d, 0, 4), 0xFFFFFFFF)
    d.see("the next sector", peek(d, SECTOR), IMAGE[SECTOR])


# --- expansion ROM ---


@scenario("expansion ROM: with its enable bit", "4.1, 7", "enabled", flash=IMAGE)
def _(d):
    first = int.from_bytes(IMAGE[:4], "little")
    d.set_config(EXPANSION_ROM, ROM)
    d.see("off", d.qtest.read(ROM, 4) == first, False)
    d.set_config(EXPANSION_ROM, ROM | 1)
    d.see("on", d.qtest.read(ROM, 4), first)
    d.see("the end", d.qtest.read(ROM + FLASH_BYTES - 1, 1), IMAGE[-1])
    d.set_config(0x04, 5, 2)
    d.see("no memory decoding", d.qtest.read(ROM, 4) == first, False)
    d.set_config(0x04, 7, 2)
    d.set_config(EXPANSION_ROM, ROM)
    d.see("off again", d.qtest.read(ROM, 4) == first, False)
    d.see("the BAR does not mind", peek(d, 0, 4), first)


@scenario("expansion ROM: cannot be written", "7", "enabled", flash=IMAGE)
def _(d):
    d.set_config(EXPANSION_ROM, ROM | 1)
    enable_writes(d)
    for address, value in (*UNLOCK, (0x5555, 0xA0), (0x777, 0)):
        d.qtest.write(ROM + address, 1, value)
    d.step(20 * MICROSECOND)
    d.see("byte", d.qtest.read(ROM + 0x777, 1), IMAGE[0x777])


@scenario("expansion ROM: shows what was programmed", "7", "enabled", flash=IMAGE)
def _(d):
    d.set_config(EXPANSION_ROM, ROM | 1)
    enable_writes(d)
    program(d, 0x777, 0)
    d.see("busy", d.qtest.read(ROM + 0x777, 1) & POLLED, POLLED)
    d.step(20 * MICROSECOND)
    d.see("byte", d.qtest.read(ROM + 0x777, 1), 0)


# --- I/O window ---


def io_access(d, address, size=4, value=None):
    """A byte's place in IODATA is that in its dword."""
    d.qtest.port_write(IO_BAR, 4, 0x80000 + address)
    port = IO_BAR + 4 + (address & 3)
    if value is None:
        return d.qtest.port_read(port, size)
    d.qtest.port_write(port, size, value)
    return None


@scenario(
    "flash through the I/O window: reads of {} bytes",
    "13.2.2.2",
    "enabled",
    each=(1, 2, 4),
    flash=IMAGE,
)
def _(d, size):
    for address in (0, 0x1238, FLASH_BYTES - size, *range(0x100, 0x104, size)):
        expected = int.from_bytes(IMAGE[address : address + size], "little")
        d.see(f"{address:x}", io_access(d, address, size), expected)


@scenario("flash through the I/O window: programming", "13.2.2.2, 13.4.3", "enabled", flash=IMAGE)
def _(d):
    for how, expected in ((WRITES_OFF, IMAGE[0x776]), (WRITES_ON, 0)):
        enable_writes(d, how)
        for address, value in (*UNLOCK, (0x5555, 0xA0), (0x776, 0)):
            io_access(d, address, 1, value)
        d.step(20 * MICROSECOND)
        d.see(f"FWE {how >> 4}", io_access(d, 0x776, 1), expected)
    d.see("the BAR agrees", peek(d, 0x776), 0)
    d.see("neighbours", (peek(d, 0x775), peek(d, 0x777)), (IMAGE[0x775], IMAGE[0x777]))
