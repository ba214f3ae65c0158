"""What registers store, how they are accessed, and the places where there is none."""

import reasons
from bench.bench import BAR
from bench.registers import *
from bench.parts import EVERY, ONE
from bench.scenario import scenario

PARTS = EVERY

PATTERNS = (0x5A5A5A5A, 0xA5A5A5A5, 0x00000000, 0xFFFFFFFF)
ALL = 0xFFFFFFFF
MISSING, RESERVED, STORAGE = reasons.MISSING, reasons.RESERVED_BITS, reasons.STORAGE_ONLY

# name: offset, bits that can be stored (ethtool -t relies on many of them), why QEMU differs
STORED = dict(
    FCAL=(FCAL, ALL, MISSING),
    FCAH=(FCAH, 0xFFFF, MISSING),
    FCT=(FCT, 0xFFFF, MISSING),
    VET=(VET, 0xFFFF, RESERVED),
    FCTTV=(FCTTV, 0xFFFF, MISSING),
    TXCW=(TXCW, 0xC000FFFF, MISSING),
    LEDCTL=(LEDCTL, 0xEFEFEFEF, RESERVED),
    ITR=(ITR, 0xFFFF, None),
    FCRTL=(FCRTL, 0x8000FFF8, RESERVED),
    FCRTH=(FCRTH, 0xFFF8, RESERVED),
    RDFH=(RDFH, 0x1FFF, MISSING),
    RDFT=(RDFT, 0x1FFF, MISSING),
    RDFHS=(RDFHS, 0x1FFF, MISSING),
    RDFTS=(RDFTS, 0x1FFF, MISSING),
    RDFPC=(RDFPC, 0x1FFF, MISSING),
    RDBAL=(RDBAL, 0xFFFFFFF0, RESERVED),
    RDBAH=(RDBAH, ALL, None),
    RDLEN=(RDLEN, 0xFFF80, None),
    RDH=(RDH, 0xFFFF, None),
    RDT=(RDT, 0xFFFF, None),
    RDTR=(RDTR, 0xFFFF, None),
    RXDCTL=(RXDCTL, 0x013F3F3F, MISSING),
    RADV=(RADV, 0xFFFF, None),
    RSRPD=(RSRPD, 0xFFF, MISSING),
    RXCSUM=(RXCSUM, 0x7FF, MISSING),
    TIPG=(TIPG, 0x3FFFFFFF, MISSING),
    AIT=(AIT, 0xFFFF, MISSING),
    TDFH=(TDFH, 0x1FFF, MISSING),
    TDFT=(TDFT, 0x1FFF, MISSING),
    TDFHS=(TDFHS, 0x1FFF, MISSING),
    TDFTS=(TDFTS, 0x1FFF, MISSING),
    TDFPC=(TDFPC, 0x1FFF, MISSING),
    TDBAL=(TDBAL, 0xFFFFFFF0, RESERVED),
    TDBAH=(TDBAH, ALL, None),
    TDLEN=(TDLEN, 0xFFF80, None),
    TDH=(TDH, 0xFFFF, None),
    TDT=(TDT, 0xFFFF, None),
    TIDV=(TIDV, 0xFFFF, MISSING),
    TXDCTL=(TXDCTL, 0xFF3F3F3F, RESERVED),
    TADV=(TADV, 0xFFFF, None),
    TSPMT=(TSPMT, ALL, MISSING),
    WUFC=(WUFC, 0x000F80FF, RESERVED),
    IPAV=(IPAV, 0x0001000F, RESERVED),
    RAL=(RAL + 8 * 7, ALL, None),
    RAH=(RAH + 8 * 7, 0x8003FFFF, RESERVED),
    CTRL_EXT=(CTRL_EXT, 0x00C3DFFF & ~CTRL_EXT_EE_RST, MISSING),
)
# Bits that the 82544 lacks: LWTHRESH, IPV6OFL, IPv6 wake-up.
FEWER_ON_82544 = dict(TXDCTL=0xFE000000, RXCSUM=1 << 10, WUFC=1 << 7)
NOT_ON_82544 = ("ITR", "LEDCTL", "RADV", "RSRPD", "TADV", "TSPMT")


@scenario("{} stores what it may", "13", "enabled", each=STORED)
def _(d, name):
    offset, mask, why = STORED[name]
    if d.part.old and name in NOT_ON_82544:
        mask, why = 0, None if why is MISSING else reasons.OLD_PART
    if d.part.old:
        mask &= ~FEWER_ON_82544.get(name, 0)
    for pattern in PATTERNS:
        if name == "CTRL_EXT":
            pattern &= ~CTRL_EXT_EE_RST
        d.write(offset, pattern)
        differs = None
        if why is MISSING:
            differs = why if pattern & mask else None
        elif why is RESERVED:
            differs = why if pattern & ~mask else None
        elif why is reasons.OLD_PART:
            differs = why if pattern else None
        d.see(f"{pattern:08x}", d.read(offset), pattern & mask, differs)


@scenario("{} is the 82544's alone", "13.4.42", "enabled", each=("TBT", "TXDMAC"))
def _(d, name):
    offset, mask, reset = dict(TBT=(TBT, ALL, 0), TXDMAC=(TXDMAC, 1, 1))[name]
    here = d.part.old
    d.see("at first", d.read(offset), reset * here, MISSING if reset and here else None)
    for value in (ALL, 0, ALL):
        d.write(offset, value)
        d.see(
            f"{value:#x}", d.read(offset), value & mask * here, MISSING if value and here else None
        )


@scenario("SWSM stores two bits", "-", "enabled")
def _(d):
    d.see("at first", d.read(SWSM), 0)
    for value in (1, 2, 3, 0):
        d.write(SWSM, value)
        d.see(f"{value}", d.read(SWSM), value)
    d.write(SWSM, ALL)
    d.see("all", d.read(SWSM), 3, reasons.SEMAPHORE)


@scenario("RCTL stores the bits that ethtool wants", "13.4.22", "enabled")
def _(d):
    for value in (0, 0x06DFB3FE & ~RCTL_EN, 0):
        d.write(RCTL, value)
        d.see(f"{value:08x}", d.read(RCTL), value)


@scenario("TCTL: RTLC, COLD, CT, PSP; SWXOFF clears itself", "13.4.33", "enabled")
def _(d):
    d.write(TCTL, 0x013FFFF8)
    d.see("stored", d.read(TCTL), 0x013FFFF8)
    d.write(TCTL, TCTL_SWXOFF)
    d.step(1_000_000)
    d.see("SWXOFF", d.read(TCTL), 0, reasons.FLOW_CONTROL)


@scenario("PBA: transmit gets what receive leaves of 64 KiB", "13.4.16", "enabled")
def _(d):
    for receive in (0x28, 0x30, 0x38):
        d.write(PBA, receive)
        d.see(f"{receive:#x}", d.read(PBA), (64 - receive) << 16 | receive, STORAGE)


@scenario("CTRL stores what it may", "13.4.1", "enabled")
def _(d):
    d.write(CTRL, 0)
    d.see("0", d.read(CTRL), 0)
    value = (
        CTRL_FD | CTRL_ASDE | CTRL_SPEED_1000 | CTRL_FRCSPD | CTRL_FRCDPX | CTRL_RFCE | CTRL_TFCE
    )
    d.write(CTRL, value | CTRL_VME)
    d.see("some", d.read(CTRL), value | CTRL_VME)
    d.write(CTRL, 1 << 13 | 1 << 29)
    d.see("reserved bits", d.read(CTRL), 0, reasons.CTRL_BITS)


@scenario(
    "read-only {0}",
    "13",
    "enabled",
    each=[("STATUS", STATUS), ("RXCW", RXCW), ("WUPL", WUPL), ("WUPM", WUPM)],
)
def _(d, name, offset):
    before = d.read(offset)
    d.write(offset, ~before & ALL)
    d.see("unchanged", d.read(offset) == before, True)


@scenario("ICS shows ICR without clearing it", "13.4.19", "enabled")
def _(d):
    d.write(ICS, RXT0)
    d.see("first", d.read(ICS), RXT0)
    d.see("second", d.read(ICS), RXT0)


@scenario("IMC reads 0", "13.4.21", "enabled")
def _(d):
    d.write(IMS, RXT0)
    d.see("IMC", d.read(IMC), 0)


def array(d, name, offsets, mask, differs=None, salt=0):
    """Each element keeps its own value."""
    offsets = list(offsets)
    values = [(0x9E3779B1 * (n + 1 + salt)) & ALL for n in range(len(offsets))]
    d.write_all(zip(offsets, values))
    wrong = [n for n, value in enumerate(d.read_all(offsets)) if value != values[n] & mask]
    d.see(f"{name}: elements that do not hold their value", len(wrong), 0, differs)


@scenario(
    "all elements of {0}",
    "13.5",
    "enabled",
    each=[
        ("MTA", [MTA + 4 * n for n in range(128)], ALL, None),
        ("VFTA", [VFTA + 4 * n for n in range(128)], ALL, None),
        ("RAL", [RAL + 8 * n for n in range(16)], ALL, None),
        ("RAH", [RAH + 8 * n for n in range(16)], 0x8003FFFF, RESERVED),
        ("IP4AT", [IP4AT + 8 * n for n in range(4)], ALL, reasons.WAKE_UP),
        ("IP6AT", [IP6AT + 4 * n for n in range(4)], ALL, reasons.WAKE_UP),
        ("FFLT", [FFLT + 8 * n for n in range(4)], 0x7FF, reasons.WAKE_UP),
        ("FFMT", [FFMT + 8 * n for n in range(128)], 0xF, reasons.WAKE_UP),
        ("FFVT", [FFVT + 8 * n for n in range(128)], ALL, reasons.WAKE_UP),
    ],
)
def _(d, name, offsets, mask, why):
    if d.part.old and name == "IP6AT":
        mask, why = 0, reasons.OLD_PART
    array(d, name, offsets, mask, why)


@scenario("packet buffer memory can be written and read", "13.8.11", "enabled")
def _(d):
    array(
        d,
        "PBM",
        [PBM + 4 * n for n in (0, 1, 2, 0x1000, 0x2FFE, 0x3FFF)],
        ALL,
        reasons.PACKET_BUFFER,
    )
    array(d, "PBM, a stretch", [PBM + 0x8000 + 4 * n for n in range(128)], ALL, salt=7)


@scenario("all of the packet buffer memory can be read", "13.8.11", "enabled")
def _(d):
    d.write(PBM + 0x1230, 0x04030201)
    content = d.qtest.read_bytes(BAR + PBM, 0x10000)
    d.touched.update(range(PBM, PBM + 0x10000, 4))
    d.see("bytes", len(content), 0x10000)
    d.see("the dword written", content[0x1230:0x1234], b"\1\2\3\4")


@scenario("MANC: enables that software may set", "13.6.5", "enabled")
def _(d):
    d.write(MANC, 1 << 13)
    d.see("ARP_EN", d.read(MANC) & 1 << 13, 1 << 13)
    d.write(MANC, 0)
    d.see("cleared", d.read(MANC) & 0x3F7FFF00, 0, reasons.WAKE_UP)
    d.write(MANC, 3)
    d.see("SMBUS_EN, ASF_EN are read-only", d.read(MANC) & 3, 0)


@scenario("bytes and words of a register can be read", "13.2.1", "enabled")
def _(d):
    d.write(RDBAH, 0x44332211)
    for n in range(4):
        d.see(
            f"byte {n}", d.read(RDBAH + n, 1), 0x11 * (n + 1), reasons.SHORT_ACCESS if n else None
        )
    d.see("low word", d.read(RDBAH, 2), 0x2211)
    d.see("high word", d.read(RDBAH + 2, 2), 0x4433, reasons.SHORT_ACCESS)


@scenario("8 bytes at once are two registers", "13.2.1", "enabled")
def _(d):
    d.qtest.write(BAR + MTA, 8, 0x1111111122222222)
    d.see("low", d.read(MTA), 0x22222222)
    d.see("high", d.read(MTA + 4), 0x11111111)
    d.see("read", d.qtest.read(BAR + MTA, 8), 0x1111111122222222)


@scenario(
    "a byte written changes the other bytes of its dword to 0, or not at all", "13.2.1", "enabled"
)
def _(d):
    d.write(RDBAH, 0x44332211)
    d.write(RDBAH, 0x55, 1)
    d.see("lowest byte", d.read(RDBAH) & 0xFF, 0x55)


@scenario(
    "nothing at {}",
    "13.2",
    "enabled",
    each=["0xC", "0x34", "0x1C0", "0x1004", "0x4024", "0x4044", "0x409C", "0x6000", "0xFFFC"],
    parts=ONE,
)
def _(d, where):
    offset = int(where, 16)
    before = d.read(offset)
    d.write(offset, ALL)
    d.see("read before", before, 0)
    d.see("read after a write of ones", d.read(offset), 0)
