"""The adapters that are modelled, and what tells them apart: parts of the 8254x family (manual 1.3, 4.1,
5.6, 13), and virtio network devices (virtio 1.2, 4.1.2)."""

import collections

# reference: the device of QEMU, None if it has no such part; subsystem: of the board whose EEPROM the
# model makes; phy_id2: PHY register 3; old: 82544GC/EI, which lacks some registers and causes; pcix:
# on a 64-bit PCI-X bus; wide: 64-bit memory BAR, I/O BAR in its place; wakes: by magic packets from
# power-on.
Part = collections.namedtuple(
    "Part", "name reference device revision subsystem phy_id2 old pcix wide wakes"
)

PARTS = {
    part.name: part
    for part in (
        Part("82540em", "e1000", 0x100E, 2, 0x001E, 0x0C24, False, False, False, True),
        Part("82544gc", "e1000-82544gc", 0x100C, 2, 0x1112, 0x0C34, True, True, False, True),
        Part("82545em", "e1000-82545em", 0x100F, 1, 0x1001, 0x0C24, False, True, True, False),
        Part("82545gm", None, 0x1026, 4, 0x1001, 0x0C24, False, True, True, False),
    )
}
USUAL = PARTS["82540em"]  # what scenarios run on unless they say more

# For `parts` of scenarios.
ONE = (USUAL.name,)
EVERY = tuple(PARTS)
COMPARED = tuple(part.name for part in PARTS.values() if part.reference)
NEWER = tuple(part.name for part in PARTS.values() if not part.old)
WITH_FLASH = tuple(name for name in EVERY if name != USUAL.name)  # 4.1: can have one
COMPARED_NEWER = tuple(name for name in COMPARED if name in NEWER)
OLD = tuple(part.name for part in PARTS.values() if part.old)


# reference: the device of QEMU with its options; device: PCI device ID; transitional: with legacy
# registers; options: of e1000-sim's --nic.
VirtioPart = collections.namedtuple("VirtioPart", "name reference device transitional options")

VIRTIO = {
    part.name: part
    for part in (
        VirtioPart(
            "virtio-net",
            "virtio-net-pci,disable-legacy=on,disable-modern=off",
            0x1041,
            False,
            "model=virtio-net",
        ),
        VirtioPart(
            "virtio-net-transitional",
            "virtio-net-pci,disable-legacy=off,disable-modern=off",
            0x1000,
            True,
            "model=virtio-net,interface=transitional",
        ),
    )
}
MODERN, TRANSITIONAL = (tuple(VIRTIO)[:1], tuple(VIRTIO)[1:])
BOTH = tuple(VIRTIO)

ALL = {**PARTS, **VIRTIO}
