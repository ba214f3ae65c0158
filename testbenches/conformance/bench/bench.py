"""The bench that scenarios get: a machine with the adapter, a small driver for it, and `see`, which
notes what was observed."""

import collections
import hashlib

from bench import descriptors
from bench.endpoint import MEMORY, MEMORY_BYTES
from bench.parts import USUAL
from bench.registers import *  # noqa: F403

BAR, FLASH_BAR, ROM, IO_BAR = 0xE0000000, 0xE1000000, 0xE2000000, 0xC000
INTERRUPT_LINES = (10, 11)
TX_RING, RX_RING, RX_BUFFERS = MEMORY, MEMORY + 0x10000, MEMORY + 0x100000
RX_STRIDE = 0x4000
DATA = MEMORY + 0x280000  # where scenarios' transmit data goes
UNTOUCHED = 0xEE  # what buffers hold before the adapter writes them
SECOND, MILLISECOND, MICROSECOND = 10**9, 10**6, 10**3


def brief(value):
    """An observation as the records keep it."""
    if isinstance(value, (bytes, bytearray)):
        if len(value) <= 96:
            return value.hex()
        return f"{value[:48].hex()}.. {len(value)} bytes {hashlib.sha256(value).hexdigest()[:12]}"
    if isinstance(value, (list, tuple)):
        return [brief(item) for item in value]
    if isinstance(value, dict):
        return {key: brief(item) for key, item in value.items()}
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    return f"{value:#x}"


# A received packet: length counts the FCS if that is stored; the rest is its last descriptor's.
Stored = collections.namedtuple("Stored", "data length status errors special")


class Observation:
    """expected: the value of the manual, where the scenario says it. difference: why QEMU's is
    another one; None: it must be the same."""

    def __init__(self, label, value, expected, difference):
        self.label, self.value, self.expected, self.difference = label, value, expected, difference


UNSAID = object()


class Bench:
    def __init__(self, endpoint, part=USUAL):
        self.endpoint, self.qtest, self.part = endpoint, endpoint.qtest, part
        self.observations = []
        self.touched = set()  # register offsets
        self.device = None
        self._data = DATA
        self._tx_count = self._tx_tail = self._rx_count = self._rx_next = 0
        self.rx_size = 2048
        self._rx_begun = b""  # data of a packet whose last descriptor is not done

    # --- observations ---

    def see(self, label, value, expected=UNSAID, differs=None):
        """Notes a value. With `differs` (a Difference) it is `expected` by the manual and QEMU gives
        something else; without, QEMU must give the same, and `expected` if that is said."""
        assert differs is None or expected is not UNSAID, "a difference needs its expected value"
        self.observations.append(
            Observation(
                label, brief(value), None if expected is UNSAID else brief(expected), differs
            )
        )
        return value

    def see_register(self, name, offset, expected=UNSAID, differs=None):
        return self.see(name, self.read(offset), expected, differs)

    # --- configuration space ---

    def find(self):
        """Looks for an Intel Ethernet controller on bus 0."""
        for device in range(32):
            self.device = device
            if self.config(0x00, 2) == 0x8086 and self.config(0x0A, 2) == 0x0200:
                return
        raise AssertionError("no adapter on the bus")

    def config(self, offset, size=4):
        self._select(offset)
        return self.qtest.port_read(0xCFC + offset % 4, size)

    def set_config(self, offset, value, size=4):
        self._select(offset)
        self.qtest.port_write(0xCFC + offset % 4, size, value)
        self._frames_may_move()

    def _select(self, offset):
        self.qtest.port_write(0xCF8, 4, 0x80000000 | self.device << 11 | offset & 0xFC)

    def bars(self):
        """(offset, kind, size) of the implemented BARs."""
        result, upper_half = [], False
        for offset in range(0x10, 0x28, 4):
            before = self.config(offset)
            self.set_config(offset, 0xFFFFFFFF)
            mask = self.config(offset)
            self.set_config(offset, before)
            if mask != 0 and not upper_half:
                io = mask & 1 != 0
                upper_half = mask & 7 == 4
                kind = "io" if io else "memory, 64 bits" if upper_half else "memory"
                size = (~(mask & (0xFFFFFFFC if io else 0xFFFFFFF0)) & 0xFFFFFFFF) + 1
                result.append((offset, kind, size))
            else:
                upper_half = False
        return result

    def place(self):
        """Gives the BARs addresses; the first one of memory has the registers."""
        self.find()
        memory = iter((BAR, FLASH_BAR))
        for offset, kind, _ in self.bars():
            self.set_config(offset, IO_BAR if kind == "io" else next(memory))

    def enable(self, command=7):
        """I/O, memory, bus master."""
        self.place()
        self.set_config(0x3C, INTERRUPT_LINES[0], 1)
        self.set_config(0x04, command, 2)

    # --- registers ---

    def read(self, offset, size=4):
        self.touched.add(offset & ~3)
        return self.qtest.read(BAR + offset, size)

    def write(self, offset, value, size=4):
        self.touched.add(offset & ~3)
        self.qtest.write(BAR + offset, size, value)
        self._frames_may_move()

    def write_all(self, pairs):
        """Many writes in one go."""
        pairs = list(pairs)
        self.touched.update(offset & ~3 for offset, _ in pairs)
        self.qtest.batch([f"writel {BAR + offset:#x} {value:#x}" for offset, value in pairs])

    def read_all(self, offsets):
        offsets = list(offsets)
        self.touched.update(offset & ~3 for offset in offsets)
        answers = self.qtest.batch([f"readl {BAR + offset:#x}" for offset in offsets])
        return [int(answer[0], 16) for answer in answers]

    def set(self, offset, bits):
        self.write(offset, self.read(offset) | bits)

    def clear(self, offset, bits):
        self.write(offset, self.read(offset) & ~bits)

    def _frames_may_move(self):
        if self.endpoint.pending():
            self.endpoint.settle()

    # --- time and interrupts ---

    def step(self, nanoseconds):
        self.qtest.step(nanoseconds)
        self._frames_may_move()

    def irq(self):
        """Level of INTA# once everything has had its time: QEMU leaves 128 us between edges."""
        self.step(200 * MICROSECOND)
        return self.irq_now()

    def irq_now(self):
        return any(self.qtest.levels.get(line, False) for line in INTERRUPT_LINES)

    def wait_irq(self, limit, resolution):
        """Steps until INTA# is asserted. Time passed; None: it was not within the limit."""
        passed = 0
        while not self.irq_now():
            if passed >= limit:
                return None
            self.step(resolution)
            passed += resolution
        return passed

    def rising_edges(self):
        """Since the last call."""
        count = sum(level for line, level in self.qtest.edges if line in INTERRUPT_LINES)
        self.qtest.edges.clear()
        return count

    def bring_up_link(self):
        """CTRL.SLU and autonegotiation; leaves no cause behind."""
        self.write(CTRL, CTRL_SLU | CTRL_FD)
        self.step(SECOND)
        assert self.read(STATUS) & STATUS_LU, "no link"
        self.read(ICR)

    # --- PHY and EEPROM ---

    def mdio(self, command, timeout=MILLISECOND):
        """Writes MDIC and waits; MDIC's value."""
        self.write(MDIC, command)
        self.step(timeout)
        return self.read(MDIC)

    def phy_read(self, register, address=1):
        return self.mdio(MDIC_READ | address << 21 | register << 16) & 0xFFFF

    def phy_write(self, register, value, address=1):
        return self.mdio(MDIC_WRITE | address << 21 | register << 16 | value)

    def eerd(self, word):
        """A word by the EERD register."""
        self.write(EERD, word << 8 | EERD_START)
        self.step(MILLISECOND)
        return self.read(EERD) >> 16

    # --- transmit ---

    def tx_ring(self, count=64, base=TX_RING, control=TCTL_NORMAL, index=0):
        self._tx_base, self._tx_count, self._tx_tail = base, count, index
        for offset, value in (
            (TDBAL, base & 0xFFFFFFFF),
            (TDBAH, base >> 32),
            (TDLEN, 16 * count),
            (TDH, index),
            (TDT, index),
            (TCTL, control),
        ):
            self.write(offset, value)

    def store(self, data, address=None):
        """Puts data into memory for the adapter to read; where it stands."""
        if address is None:
            address = self._data
            self._data = (self._data + len(data) + 63) & ~63
            assert self._data <= MEMORY + MEMORY_BYTES, "out of memory"
        if data:
            self.qtest.write_bytes(address, data)
        return address

    def legacy(self, data, command=EOP | IFCS | RS, **fields):
        return descriptors.legacy(self.store(data), len(data), command, **fields)

    def data(self, data, command=EOP | IFCS | RS, **fields):
        return descriptors.data(self.store(data), len(data), command, **fields)

    def post(self, *ring_entries):
        """Writes descriptors behind the last ones, without telling the adapter. The new tail."""
        for raw in ring_entries:
            self.qtest.write_bytes(self._tx_base + 16 * self._tx_tail, raw)
            self._tx_tail = (self._tx_tail + 1) % self._tx_count
        return self._tx_tail

    def transmit(self, *ring_entries):
        """Has the descriptors carried out; the frames on the wire."""
        self.write(TDT, self.post(*ring_entries))
        return self.endpoint.frames()

    def tx_descriptor(self, index):
        return self.qtest.read_bytes(self._tx_base + 16 * index, 16)

    def tx_status(self, index):
        """DD and the like."""
        return self.tx_descriptor(index)[12] & 15

    # --- receive ---

    def rx_ring(self, count=16, size=2048, control=RCTL_BAM, tail=None, base=RX_RING, index=0):
        """Buffers, ring and RCTL.EN; QEMU holds frames back for a second of its clock after that.
        tail: by default all but one descriptor are the adapter's."""
        self.rx_size, self._rx_count, self._rx_next, self._rx_base = size, count, index, base
        self._rx_begun = b""
        self.qtest.fill(RX_BUFFERS, count * min(size, RX_STRIDE), UNTOUCHED)
        ring = b"".join(descriptors.receive(self.rx_buffer(i)) for i in range(count))
        self.qtest.write_bytes(base, ring)
        for offset, value in (
            (RDBAL, base & 0xFFFFFFFF),
            (RDBAH, base >> 32),
            (RDLEN, 16 * count),
            (RDH, index),
            (RDT, index),
            (RCTL, control | RCTL_EN | RCTL_SIZE[size]),
        ):
            self.write(offset, value)
        self.step(1_100 * MILLISECOND)
        self.write(RDT, (count - 1 if tail is None else tail) % count)
        self.step(100 * MICROSECOND)  # a host's link partner lets a driver finish its setup

    def rx_buffer(self, index):
        return RX_BUFFERS + index * min(self.rx_size, RX_STRIDE)

    def send(self, *frames):
        """Puts frames on the wire towards the adapter."""
        for frame in frames:
            self.endpoint.send(frame)

    def rx_descriptor(self, index):
        return descriptors.decode_received(self.qtest.read_bytes(self._rx_base + 16 * index, 16))

    def rx_memory(self, index, count, offset=0):
        return self.qtest.read_bytes(self.rx_buffer(index) + offset, count)

    def received(self):
        """Descriptors completed since the last call."""
        result = []
        while len(result) < self._rx_count:
            entry = self.rx_descriptor(self._rx_next)
            if not entry.status & RX_DD:
                break
            result.append(entry)
            self._rx_next = (self._rx_next + 1) % self._rx_count
        return result

    def deliver(self, *frames):
        """Sends frames; what the adapter stored of each packet that has ended. Of the data the FCS
        is left out, which QEMU counts and does not store."""
        self.send(*frames)
        packets = []
        for entry in self.received():
            self._rx_begun += self.qtest.read_bytes(entry.address, entry.length)
            if entry.status & RX_EOP:
                data, self._rx_begun = self._rx_begun, b""
                content = data if self.read(RCTL) & RCTL_SECRC else data[:-4]
                packets.append(
                    Stored(content, len(data), entry.status, entry.errors, entry.special)
                )
        return packets

    def accepted(self, frame):
        """Whether the adapter stores this frame, in one piece and unchanged."""
        packets = self.deliver(frame)
        return len(packets) == 1 and packets[0].data == frame

    def statistic(self, name):
        return self.read(STATISTICS[name])

    def station(self, index, address, flags=RAH_AV):
        """Writes a receive address."""
        self.write(RAL + 8 * index, int.from_bytes(address[:4], "little"))
        self.write(RAH + 8 * index, int.from_bytes(address[4:], "little") | flags)
