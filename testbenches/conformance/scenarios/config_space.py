"""PCI configuration space, address decoding, bus mastering."""

import reasons
from bench.bench import BAR
from bench.packets import PEER, STATION, ethernet
from bench.registers import *
from bench.parts import EVERY
from bench.scenario import scenario

PARTS = EVERY


@scenario("configuration: vendor and device", "4.1", "power-on")
def _(d):
    d.see("vendor", d.config(0x00, 2), 0x8086)
    d.see("device", d.config(0x02, 2), d.part.device)


@scenario("configuration: class code and header type", "4.1", "power-on")
def _(d):
    d.see("class", d.config(0x09, 1) | d.config(0x0A, 2) << 8, 0x020000)
    d.see("header", d.config(0x0E, 1), 0)


@scenario("configuration: revision, subsystem, grant", "4.1", "power-on")
def _(d):
    d.see("revision", d.config(0x08, 1), d.part.revision, reasons.IDENTITY)
    d.see("subsystem vendor", d.config(0x2C, 2), 0x8086, reasons.IDENTITY)
    d.see("subsystem", d.config(0x2E, 2), d.part.subsystem, reasons.IDENTITY)
    d.see("minimum grant", d.config(0x3E, 1), 0xFF, reasons.IDENTITY)
    d.see("maximum latency", d.config(0x3F, 1), 0)


@scenario("configuration: command bits that can be set", "4.1", "power-on")
def _(d):
    d.see("after reset", d.config(0x04, 2), 0)
    for bit, name in enumerate(("I/O", "memory", "master")):
        d.set_config(0x04, 1 << bit, 2)
        d.see(name, d.config(0x04, 2), 1 << bit)
    d.set_config(0x04, 0xFFFF, 2)
    value = d.config(0x04, 2)
    d.see("special cycles, stepping, fast back to back", value & 0x0288, 0)
    d.see("system errors", value & 0x0100, 0x0100)
    d.see("parity errors", value & 0x0040, 0x0040, reasons.CONFIG_BITS)
    d.see("INTx disable", value & 0x0400, 0, reasons.INTX_DISABLE)


@scenario("configuration: status", "4.1", "power-on")
def _(d):
    d.see("status", d.config(0x06, 2), 0x0230, reasons.STATUS_BITS)
    d.set_config(0x06, 0xFFFF, 2)
    d.see("writing ones clears nothing that stands", d.config(0x06, 2), 0x0230, reasons.STATUS_BITS)


@scenario("configuration: cache line size and latency timer", "4.1", "power-on")
def _(d):
    d.set_config(0x0C, 0x10, 1)
    d.see("cache line", d.config(0x0C, 1), 0x10)
    d.set_config(0x0D, 0x40, 1)
    d.see("latency timer", d.config(0x0D, 1), 0x40, reasons.CONFIG_BITS)


@scenario("configuration: interrupt line and pin", "4.1", "power-on")
def _(d):
    d.see("pin", d.config(0x3D, 1), 1)
    for line in (0, 5, 0xFF):
        d.set_config(0x3C, line, 1)
        d.see(f"line {line}", d.config(0x3C, 1), line)
    d.set_config(0x3D, 3, 1)
    d.see("pin stays", d.config(0x3D, 1), 1)


@scenario("configuration: BAR 0 is 128 KiB of memory", "4.1", "power-on")
def _(d):
    kind = "memory, 64 bits" if d.part.wide else "memory"
    d.see("BAR 0", d.bars()[0], (0x10, kind, 0x20000), reasons.WIDE_BARS if d.part.wide else None)


@scenario("configuration: I/O BAR", "13.2.2", "power-on")
def _(d):
    place = 0x20 if d.part.wide else 0x18
    d.see("I/O BAR", d.bars()[1], (place, "io", 8), reasons.IO_WINDOW)
    d.see("other BARs", len(d.bars()), 2)


@scenario("configuration: no expansion ROM without flash", "4.1", "power-on")
def _(d):
    d.set_config(0x30, 0xFFFFFFFF)
    d.see("ROM BAR", d.config(0x30), 0)


@scenario("configuration: header registers that are read-only", "4.1", "power-on")
def _(d):
    for offset in (0x00, 0x08, 0x2C, 0x28):
        before = d.config(offset)
        d.set_config(offset, 0xFFFFFFFF if offset else 0x12345678)
        d.see(f"{offset:#x} unchanged", d.config(offset) == before, True)


@scenario("configuration: space between header and capabilities is reserved", "4.1", "power-on")
def _(d):
    for offset in (0x40, 0x80, 0xD8):
        d.set_config(offset, 0xFFFFFFFF)
        d.see(f"{offset:#x}", d.config(offset), 0, reasons.CONFIG_BITS)


@scenario("configuration: bytes and words of a register", "4.1", "power-on")
def _(d):
    d.see("bytes", [d.config(n, 1) for n in range(4)], [0x86, 0x80, d.part.device & 0xFF, 0x10])
    d.set_config(0x10, 0xE0000000)
    kind = 4 if d.part.wide else 0
    wide = reasons.WIDE_BARS if d.part.wide else None
    d.see("words", [d.config(0x10, 2), d.config(0x12, 2)], [kind, 0xE000], wide)
    d.set_config(0x13, 0xD0, 1)
    d.see("a byte written", d.config(0x10), 0xD0000000 | kind, wide)


@scenario("configuration: list of capabilities", "4.1", "power-on")
def _(d):
    found, at = [], d.config(0x34, 1)
    while at:
        found.append((at, d.config(at, 1)))
        at = d.config(at + 1, 1)
    known = [(0xDC, 1), (0xE4, 7), (0xF0, 5)] if d.part.pcix else [(0xDC, 1), (0xF0, 5)]
    d.see("offset and id", found, known, reasons.CAPABILITIES)


@scenario("configuration: power management registers", "6.3.3", "power-on")
def _(d):
    d.see("PMC: version 2, PME from D0 and D3hot", d.config(0xDE, 2), 0x4802, reasons.CAPABILITIES)
    d.set_config(0xE0, 0x0100, 2)
    d.see("PME enable", d.config(0xE0, 2) & 0x0100, 0x0100)
    d.set_config(0xE0, 0, 2)
    d.see("PME disable", d.config(0xE0, 2) & 0x0103, 0)


@scenario("configuration: PCI-X registers, where there is such a bus", "4.1.2", "power-on")
def _(d):
    why = reasons.CAPABILITIES if d.part.pcix else None
    d.see("id, next", d.config(0xE4, 2), 0xF007 if d.part.pcix else 0, why)
    d.see("status: 64 bits, 133 MHz", d.config(0xE8) >> 16 & 3, 3 if d.part.pcix else 0, why)
    d.see("relaxed ordering", d.config(0xE6, 2) & 2, 2 if d.part.pcix else 0, why)
    for value in (0xFFFF, 0):
        d.set_config(0xE6, value, 2)
        expected = value & 0x7F if d.part.pcix else 0
        differs = reasons.CAPABILITIES if value else None
        d.see(f"command {value:#x}", d.config(0xE6, 2), expected, differs)


@scenario("configuration: MSI registers", "4.1.3", "power-on")
def _(d):
    d.see("control: 64-bit, one message", d.config(0xF2, 2), 0x0080, reasons.CAPABILITIES)
    for name, offset, mask in (
        ("address", 0xF4, 0xFFFFFFFC),
        ("upper", 0xF8, 0xFFFFFFFF),
        ("data", 0xFC, 0xFFFF),
    ):
        d.set_config(offset, 0xFFFFFFFF)
        d.see(name, d.config(offset), mask, None if name == "upper" else reasons.CAPABILITIES)


def answers(d, address=BAR):
    return d.qtest.read(address + TIPG, 4) == 0x602008 or d.qtest.read(address + PBA, 4) == 0x100030


@scenario("decoding: memory BAR only with command bit 1", "4.1", "power-on")
def _(d):
    for command, expected in ((0, False), (2, True), (5, False), (6, True)):
        d.set_config(0x04, command, 2)
        d.see(f"command {command}", answers(d), expected)


@scenario("decoding: BAR 0 moves", "4.1", "power-on")
def _(d):
    d.set_config(0x04, 2, 2)
    d.set_config(0x10, BAR + 0x100000)
    d.see("old place", answers(d), False)
    d.see("new place", answers(d, BAR + 0x100000), True)
    d.set_config(0x10, BAR)
    d.see("back", answers(d), True)


@scenario("decoding: registers keep their values while decoding is off", "4.1")
def _(d):
    d.write(RDLEN, 0x1000)
    d.set_config(0x04, 0, 2)
    d.set_config(0x04, 7, 2)
    d.see("RDLEN", d.read(RDLEN), 0x1000)


@scenario("bus master: receiving waits for it", "4.1")
def _(d):
    d.rx_ring()
    d.set_config(0x04, 3, 2)
    d.see("off", d.deliver(ethernet()), [])
    d.set_config(0x04, 7, 2)
    d.step(1_000_000)
    d.see("on again", [p.data for p in d.deliver()], [ethernet()])


@scenario("bus master: transmitting waits for it", "4.1")
def _(d):
    frame = ethernet(PEER, STATION)
    d.tx_ring()
    d.set_config(0x04, 3, 2)
    d.see("off: frames", d.transmit(d.legacy(frame)), [])
    d.see("off: head", d.read(TDH), 0, reasons.MASTER_OFF)
    d.set_config(0x04, 7, 2)
    d.step(1_000_000)
    d.see("on again: frames", d.endpoint.frames(), [frame], reasons.MASTER_OFF)
    d.see("on again: head", d.read(TDH), 1)
