"""IOADDR and IODATA (manual 13.2.2)."""

import reasons
from bench.bench import IO_BAR
from bench.registers import *
from bench.parts import EVERY
from bench.scenario import scenario

PARTS = EVERY

WINDOW = reasons.IO_WINDOW
IOADDR, IODATA = IO_BAR, IO_BAR + 4


def select(d, offset):
    d.qtest.port_write(IOADDR, 4, offset)


@scenario("I/O window: IOADDR holds 20 bits", "13.2.2.1", "enabled")
def _(d):
    d.see("after reset", d.qtest.port_read(IOADDR, 4), 0)
    select(d, 0x5400)
    d.see("written", d.qtest.port_read(IOADDR, 4), 0x5400, WINDOW)
    select(d, 0xFFFFFFFF)
    d.see("ones", d.qtest.port_read(IOADDR, 4), 0xFFFFF, WINDOW)


@scenario("I/O window: reads a register", "13.2.2", "enabled")
def _(d):
    select(d, RAL)
    d.see("RAL", d.qtest.port_read(IODATA, 4), 0x12005452, WINDOW)
    select(d, PBA)
    d.see("PBA", d.qtest.port_read(IODATA, 4), 0x00100030, WINDOW)


@scenario("I/O window: writes a register", "13.2.2", "enabled")
def _(d):
    select(d, RDBAH)
    d.qtest.port_write(IODATA, 4, 0x12345678)
    d.see("RDBAH", d.read(RDBAH), 0x12345678, WINDOW)


@scenario("I/O window: reading ICR clears it", "13.2.2", "enabled")
def _(d):
    d.write(ICS, RXT0)
    select(d, ICR)
    d.see("ICR", d.qtest.port_read(IODATA, 4), RXT0, WINDOW)
    d.see("ICR again", d.qtest.port_read(IODATA, 4), 0)


@scenario("I/O window: IODATA takes dwords only", "13.2.2.1", "enabled")
def _(d):
    select(d, RDBAH)
    d.qtest.port_write(IODATA, 2, 0xFFFF)
    d.qtest.port_write(IODATA, 1, 0xFF)
    d.see("RDBAH", d.read(RDBAH), 0)


@scenario("I/O window: IOADDR takes dwords only", "13.2.2.1", "enabled")
def _(d):
    select(d, 0x100)
    d.qtest.port_write(IOADDR, 1, 0xFF)
    d.see("IOADDR", d.qtest.port_read(IOADDR, 4), 0x100, WINDOW)


@scenario("I/O window: the packet buffer", "13.2.2", "enabled")
def _(d):
    d.write(PBM + 0x100, 0xCAFEF00D)
    select(d, PBM + 0x100)
    d.see("PBM", d.qtest.port_read(IODATA, 4), 0xCAFEF00D, WINDOW)


@scenario("I/O window: nothing selected beyond the registers", "13.2.2", "enabled")
def _(d):
    select(d, 0x20000)
    d.qtest.port_write(IODATA, 4, 0xFFFFFFFF)
    d.see("reads", d.qtest.port_read(IODATA, 4), 0)


@scenario("I/O window: only with command bit 0", "4.1", "enabled")
def _(d):
    select(d, RAL)
    d.set_config(0x04, 6, 2)
    d.see("off", d.qtest.port_read(IODATA, 4) == 0x12005452, False)
    d.set_config(0x04, 7, 2)
    d.see("on", d.qtest.port_read(IODATA, 4), 0x12005452, WINDOW)
