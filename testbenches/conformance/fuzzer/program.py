"""Random programs.

A program is a list of steps (name, arguments...), plain data that JSON can keep. It stays in
territory where QEMU does as the manual says; reasons.py lists what lies outside. So there are no
checksums but contexts', frames have 60 bytes and more, link is up, receive descriptors suffice, and
MSS does not divide the payload.
"""

import random

from bench.bench import MILLISECOND
from bench.packets import ACK, BROADCAST, FIN, MULTICAST, PEER, PSH, STATION, TCP, UDP
from bench.registers import *

OTHER = bytes.fromhex("021122334455")
GROUPS = [MULTICAST, bytes.fromhex("333300000001"), bytes.fromhex("0180c2000010")]
ADDRESSES = [STATION, STATION, OTHER, PEER, BROADCAST, *GROUPS]
# Registers that keep what is written, on both sides: offset and bits.
STORAGE = [
    (RDBAH, 0),
    (VFTA + 4 * 100, 0xFFFFFFFF),
    (MTA + 4 * 77, 0),
    (RADV, 0xFFFF),
    (TADV, 0xFFFF),
    (RAL + 8 * 9, 0xFFFFFFFF),
    (RAH + 8 * 9, 0x0000FFFF),
    (ITR, 0x0FFF),
    (RDTR, 0xFFFF),
]
TIMERS = 150 * MILLISECOND  # longer than all delay timers and ITR together
CAUSES = TXDW | LSC | RXT0 | MDAC | 1 << 5 | 1 << 8  # those that both raise alike
COUNTERS = ("GPRC", "GPTC", "TPT")


def generate(seed):
    r = random.Random(seed)
    program = [("setup", r.choice((8, 16, 32, 64, 256)), r.choice((32, 64, 128)), *receiver(r))]
    makers = (
        [step_transmit] * 6
        + [step_segments] * 3
        + [step_wild] * 3
        + [step_receive] * 6
        + [step_burst] * 2
        + [
            step_filter,
            step_filter,
            step_vlan,
            step_storage,
            step_interrupts,
            step_interrupts,
            step_receiver,
            step_phy,
            step_read,
            step_clock,
            step_thresholds,
            step_empty,
        ]
    )
    if r.random() < 0.1:
        program[0] = (
            "setup",
            program[0][1],
            256,
            *program[0][3:],
        )  # room for any packet's segments
        program.append(("loop",))
        makers = [step_transmit] * 3 + [step_segments, step_wild, step_vlan, step_filter, step_read]
    for _ in range(r.randint(3, 20)):
        program.append(r.choice(makers)(r))
    return program


def receiver(r):
    """Buffer size and control bits."""
    control = 0
    for bit in (RCTL_BAM, RCTL_UPE, RCTL_MPE, RCTL_VFE, RCTL_SECRC):
        if r.random() < 0.4:
            control |= bit
    if control & RCTL_MPE:  # MPE takes broadcasts, QEMU's does not
        control |= RCTL_BAM
    return r.choice((256, 512, 1024, 2048, 4096)), control | RCTL_MO(r.randrange(4))


def step_receiver(r):
    return ("receiver", *receiver(r))


def payload(r, most):
    return r.randrange(256), r.choice((r.randint(60, 100), r.randint(60, most), most))


def step_transmit(r):
    """Packets: each a list of pieces and how its descriptors look."""
    packets = []
    for _ in range(r.randint(1, 4)):
        salt, size = payload(r, 1514)
        kind = r.choice(("legacy", "data", "checksum"))
        packets.append(
            dict(
                kind=kind,
                salt=salt,
                size=size,
                ip=r.choice((4, 6)),
                protocol=r.choice((TCP, UDP)),
                options=r.choice((IXSM, TXSM, IXSM | TXSM)),
                vlan=r.choice((None, None, r.randrange(0x10000))),
                cuts=sorted(r.sample(range(1, 60), r.choice((0, 0, 1, 3)))),
                report=r.random() < 0.7,
                to=r.randrange(len(ADDRESSES)),
            )
        )
    return ("transmit", packets)


def step_segments(r):
    mss = r.randint(100, 1460)
    count = r.randint(0, 8)
    rest = r.randint(20, mss - 1)
    cuts = r.choice(([], [54], [14, 54], sorted(r.sample(range(1, count * mss + 60), 3))))
    return (
        "segments",
        dict(
            mss=mss,
            size=count * mss + rest,
            protocol=r.choice((TCP, TCP, UDP)),
            cuts=cuts,
            flags=r.choice((ACK, ACK | PSH, ACK | FIN | PSH)),
            identification=r.randrange(0x10000),
            sequence=r.randrange(1 << 32),
            vlan=r.choice((None, None, r.randrange(0x10000))),
            tcp_options=r.choice((0, 0, 12)),
            salt=r.randrange(256),
        ),
    )


def step_wild(r):
    """A context with any offsets, as far as there is something to sum."""
    salt, size = payload(r, 1514)
    fields = []
    for _ in range(2):
        start = r.randrange(min(size, 256))
        end = r.choice((0, 0, r.randrange(start, size), r.randint(start, 2 * size)))
        # A field outside the sum is QEMU's reason to leave it alone.
        fields += [start, r.randrange(min(256, max(1, end - 1)) if end else 256), end]
    return (
        "wild",
        dict(
            salt=salt,
            size=size,
            context=fields,
            command=r.randrange(4),
            options=r.choice((0, IXSM, TXSM)),
            vlan=None,
            report=True,
            cuts=sorted(r.sample(range(1, 60), r.choice((0, 0, 2)))),
            to=r.randrange(4),
        ),
    )


def step_burst(r):
    return (
        "burst",
        r.randrange(len(ADDRESSES)),
        [payload(r, 1500) for _ in range(r.randint(2, 6))],
    )


def step_thresholds(r):
    return (
        "thresholds",
        r.choice((TXDCTL, RXDCTL)),
        1 << 24 | r.randrange(3) << 16 | r.randrange(8) << 8 | r.randrange(16),
    )


def step_empty(r):
    """Descriptors that move nothing."""
    return ("empty", [r.choice(("null", "context", "zero")) for _ in range(r.randint(1, 4))])


def step_receive(r):
    frames = []
    for _ in range(r.randint(1, 5)):
        salt, size = payload(r, 1500)
        frames.append(
            (
                r.randrange(len(ADDRESSES)),
                salt,
                size,
                r.choice((None, None, 5, 0x2064, r.randrange(0x1000))),
            )
        )
    return ("receive", frames)


def step_filter(r):
    what = r.choice(("station", "group", "table"))
    return (
        "filter",
        what,
        r.randrange(1, 9),
        r.randrange(len(GROUPS)),
        r.randrange(4),
        r.random() < 0.7,
    )


def step_vlan(r):
    return (
        "vlan",
        r.random() < 0.6,
        r.choice((0x8100, 0x8100, 0x88A8)),
        r.choice((5, 0x64, r.randrange(0x1000))),
        r.random() < 0.7,
    )


def step_storage(r):
    return ("store", r.randrange(len(STORAGE)), r.getrandbits(32))


def step_interrupts(r):
    return (
        "interrupts",
        r.choice(("IMS", "IMC", "ICS", "ICR", "read ICR", "line")),
        r.getrandbits(17) & CAUSES,
    )


def step_phy(r):
    return ("phy", r.choice((GTCR, EPSCR, PHYID1)), r.choice((None, 0x0E00, 0x0C70)))


def step_read(r):
    return ("read", r.choice(("counters", "octets", "receive address", "heads")))


def step_clock(r):
    return ("clock", r.choice((1000, 100_000, 10 * MILLISECOND, 1000 * MILLISECOND)))
