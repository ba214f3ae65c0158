"""The bench for virtio network devices: registers by their vendor capabilities, split queues."""

import collections
import struct

from bench.bench import BAR, FLASH_BAR, IO_BAR, Bench, INTERRUPT_LINES
from bench.endpoint import MEMORY

# Device status (virtio 1.2, 2.1)
ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, NEEDS_RESET, FAILED = 1, 2, 4, 8, 64, 128
# Common configuration (4.1.4.3): offset and size
COMMON = dict(
    device_feature_select=(0, 4),
    device_feature=(4, 4),
    driver_feature_select=(8, 4),
    driver_feature=(12, 4),
    config_vector=(16, 2),
    queues=(18, 2),
    status=(20, 1),
    generation=(21, 1),
    queue_select=(22, 2),
    queue_size=(24, 2),
    queue_vector=(26, 2),
    queue_enable=(28, 2),
    queue_notify_offset=(30, 2),
    queue_descriptors=(32, 8),
    queue_available=(40, 8),
    queue_used=(48, 8),
    queue_notify_data=(56, 2),
    queue_reset=(58, 2),
)
# Legacy registers (4.1.4.10)
LEGACY = dict(
    device_feature=(0, 4),
    driver_feature=(4, 4),
    queue_address=(8, 4),
    queue_size=(12, 2),
    queue_select=(14, 2),
    queue_notify=(16, 2),
    status=(18, 1),
    isr=(19, 1),
)
COMMON_CFG, NOTIFY_CFG, ISR_CFG, DEVICE_CFG, PCI_CFG = 1, 2, 3, 4, 5
# Features (5.1.3, 6)
F = dict(
    CSUM=0,
    GUEST_CSUM=1,
    MTU=3,
    MAC=5,
    GUEST_TSO4=7,
    GUEST_TSO6=8,
    GUEST_ECN=9,
    HOST_TSO4=11,
    HOST_TSO6=12,
    HOST_ECN=13,
    MRG_RXBUF=15,
    STATUS=16,
    CTRL_VQ=17,
    CTRL_RX=18,
    CTRL_VLAN=19,
    CTRL_RX_EXTRA=20,
    GUEST_ANNOUNCE=21,
    MQ=22,
    CTRL_MAC_ADDR=23,
    ANY_LAYOUT=27,
    INDIRECT_DESC=28,
    EVENT_IDX=29,
    VERSION_1=32,
    RING_RESET=40,
)
NEXT, WRITE, INDIRECT = 1, 2, 4
NO_INTERRUPT, NO_NOTIFY = 1, 1
NO_VECTOR = 0xFFFF
MSIX_BAR = FLASH_BAR
RX, TX, CTRL = 0, 1, 2  # queues of a device with one pair
QUEUES, QUEUE_STRIDE = MEMORY, 0x10000
BUFFERS, BUFFER_STRIDE = MEMORY + 0x100000, 0x4000
MESSAGES = MEMORY + 0x300000  # where MSI-X messages go


def bits(*names):
    return sum(1 << F[name] for name in names)


Used = collections.namedtuple("Used", "head written")


class Queue:
    """The driver's side of a split queue (2.7). Heads count up through the table of descriptors."""

    def __init__(self, bench, index, size, base):
        self.bench, self.index, self.size = bench, index, size
        self.descriptors = base
        self.available = base + 16 * size
        self.used = base + ((18 * size + 6 + 4095) & ~4095)  # as the legacy layout has it
        bench.qtest.fill(base, QUEUE_STRIDE)
        self._next = self._added = self._seen = 0
        self._buffer = 0
        self._vector = 0

    def buffer(self):
        """The address of a buffer that no other call gives."""
        self._buffer += 1
        return BUFFERS + self.index * 0x80000 + (self._buffer - 1) % 32 * BUFFER_STRIDE

    def describe(self, entry, address, length, flags=0, following=0):
        self.bench.qtest.write_bytes(
            self.descriptors + 16 * entry, struct.pack("<QIHH", address, length, flags, following)
        )

    def chain(self, *pieces):
        """Descriptors for (address, length, device writes); the head's index."""
        head = self._next
        for n, (address, length, written) in enumerate(pieces):
            more = n + 1 < len(pieces)
            self.describe(
                self._next,
                address,
                length,
                (WRITE if written else 0) | (NEXT if more else 0),
                (self._next + 1) % self.size if more else 0,
            )
            self._next = (self._next + 1) % self.size
        return head

    def offer(self, *heads):
        """Names chains in the available ring and moves its index."""
        for head in heads:
            at = self.available + 4 + 2 * (self._added % self.size)
            self.bench.qtest.write(at, 2, head)
            self._added = (self._added + 1) & 0xFFFF
        self.bench.qtest.write(self.available + 2, 2, self._added)

    def notify(self):
        self.bench.notify(self.index)

    def add(self, *pieces):
        """A chain, offered and told of."""
        head = self.chain(*pieces)
        self.offer(head)
        self.notify()
        return head

    def flags(self, value):
        """Of the available ring: NO_INTERRUPT."""
        self.bench.qtest.write(self.available, 2, value)

    def used_event(self, index):
        self.bench.qtest.write(self.available + 4 + 2 * self.size, 2, index)

    def available_event(self):
        return self.bench.qtest.read(self.used + 4 + 8 * self.size, 2)

    def used_flags(self):
        return self.bench.qtest.read(self.used, 2)

    def used_index(self):
        return self.bench.qtest.read(self.used + 2, 2)

    def take(self):
        """What has been used since the last call."""
        result = []
        while self._seen != self.used_index():
            at = self.used + 4 + 8 * (self._seen % self.size)
            result.append(Used(*struct.unpack("<II", self.bench.qtest.read_bytes(at, 8))))
            self._seen = (self._seen + 1) & 0xFFFF
        return result


class VirtioBench(Bench):
    """As Bench; `see`, configuration space and interrupts are the same."""

    def __init__(self, endpoint, part):
        super().__init__(endpoint, part)
        self.queues = {}
        self.header_bytes = 12

    # --- PCI ---

    def find(self):
        for device in range(32):
            self.device = device
            if self.config(0x00, 2) == 0x1AF4:
                return
        raise AssertionError("no virtio device on the bus")

    def capabilities(self):
        """(offset, ID) in the order of the list."""
        result, offset = [], self.config(0x34, 1)
        while offset:
            result.append((offset, self.config(offset, 1)))
            offset = self.config(offset + 1, 1)
        return result

    def vendor(self, kind):
        """(offset in configuration space, BAR, offset there, length) of a vendor capability."""
        for offset, identity in self.capabilities():
            if identity == 9 and self.config(offset + 3, 1) == kind:
                return (
                    offset,
                    self.config(offset + 4, 1),
                    self.config(offset + 8),
                    self.config(offset + 12),
                )
        return None

    def place(self):
        self.find()
        self.where = {}
        for offset, kind, _ in self.bars():
            number = (offset - 0x10) // 4
            address = IO_BAR if kind == "io" else {1: MSIX_BAR}.get(number, BAR)
            self.set_config(offset, address)
            if "64" in kind:
                self.set_config(offset + 4, 0)
            self.where[number] = address
        self.at = {}
        for kind in (COMMON_CFG, NOTIFY_CFG, ISR_CFG, DEVICE_CFG):
            found = self.vendor(kind)
            self.at[kind] = self.where[found[1]] + found[2]
        self.notify_step = self.config(self.vendor(NOTIFY_CFG)[0] + 16)

    def bring_up_link(self):
        """Virtio has no link to bring up; the far end signals all the time."""
        self.step(10_000_000)

    # --- registers ---

    def get(self, name):
        offset, size = COMMON[name]
        if size == 8:
            low = self.qtest.read(self.at[COMMON_CFG] + offset, 4)
            return low | self.qtest.read(self.at[COMMON_CFG] + offset + 4, 4) << 32
        return self.qtest.read(self.at[COMMON_CFG] + offset, size)

    def put(self, name, value):
        offset, size = COMMON[name]
        if size == 8:
            self.qtest.write(self.at[COMMON_CFG] + offset, 4, value & 0xFFFFFFFF)
            self.qtest.write(self.at[COMMON_CFG] + offset + 4, 4, value >> 32)
        else:
            self.qtest.write(self.at[COMMON_CFG] + offset, size, value)
        self._settle()

    def get_legacy(self, name):
        offset, size = LEGACY[name]
        return self.qtest.port_read(IO_BAR + offset, size)

    def put_legacy(self, name, value):
        offset, size = LEGACY[name]
        self.qtest.port_write(IO_BAR + offset, size, value)
        self._settle()

    def isr(self):
        return self.qtest.read(self.at[ISR_CFG], 1)

    def net_config(self, offset, size):
        return self.qtest.read(self.at[DEVICE_CFG] + offset, size)

    def notify(self, queue):
        self.put("queue_select", queue)
        at = self.at[NOTIFY_CFG] + self.notify_step * self.get("queue_notify_offset")
        self.qtest.write(at, 2, queue)
        self._settle()

    def _settle(self):
        """QEMU transmits in its main loop; the model has done it all."""
        for _ in range(3):
            self.qtest.do("endianness")
        self._frames_may_move()

    # --- driver ---

    def offered(self):
        value = 0
        for half in (0, 1):
            self.put("device_feature_select", half)
            value |= self.get("device_feature") << 32 * half
        return value

    def accept(self, features):
        for half in (0, 1):
            self.put("driver_feature_select", half)
            self.put("driver_feature", features >> 32 * half & 0xFFFFFFFF)

    def negotiate(self, features):
        """Up to FEATURES_OK; the status afterwards."""
        self.put("status", 0)
        self.put("status", ACKNOWLEDGE)
        self.put("status", ACKNOWLEDGE | DRIVER)
        self.accept(features | bits("VERSION_1"))
        self.put("status", ACKNOWLEDGE | DRIVER | FEATURES_OK)
        return self.get("status")

    def ready(self):
        self.put("status", ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK)

    def queue(self, index, size=64, vector=None, enable=True):
        """Makes a queue and tells the device of it."""
        queue = Queue(self, index, size, QUEUES + QUEUE_STRIDE * index)
        self.queues[index] = queue
        self.put("queue_select", index)
        self.put("queue_size", size)
        if vector is not None:
            self.put("queue_vector", vector)
        self.put("queue_descriptors", queue.descriptors)
        self.put("queue_available", queue.available)
        self.put("queue_used", queue.used)
        if enable:
            self.put("queue_enable", 1)
        return queue

    def start(self, *features, queues=(RX, TX), vector=None):
        """A device that is ready, with these features and queues."""
        assert self.negotiate(bits(*features)) & FEATURES_OK
        result = [self.queue(index, vector=vector) for index in queues]
        self.ready()
        return result

    def start_legacy(self, *features, queues=(RX, TX), size=None):
        """The same for a legacy driver (4.1.4.10): queues are as large as the device says."""
        self.header_bytes = 12 if "MRG_RXBUF" in features else 10
        self.put_legacy("status", 0)
        self.put_legacy("status", ACKNOWLEDGE)
        self.put_legacy("status", ACKNOWLEDGE | DRIVER)
        self.put_legacy("driver_feature", bits(*features))
        result = []
        for index in queues:
            self.put_legacy("queue_select", index)
            queue = Queue(
                self, index, self.get_legacy("queue_size"), QUEUES + QUEUE_STRIDE * index
            )
            self.put_legacy("queue_address", queue.descriptors >> 12)
            self.queues[index] = queue
            result.append(queue)
        self.put_legacy("status", ACKNOWLEDGE | DRIVER | DRIVER_OK)
        return result

    # --- frames ---

    def header(
        self, flags=0, gso=0, header_length=0, gso_size=0, csum_start=0, csum_offset=0, buffers=0
    ):
        raw = struct.pack(
            "<BBHHHHH", flags, gso, header_length, gso_size, csum_start, csum_offset, buffers
        )
        return raw[: self.header_bytes]

    def transmit(self, frame, header=None, queue=TX):
        """Has a frame sent, header and data in descriptors of their own; the frames on the wire."""
        q = self.queues[queue]
        head, data = q.buffer(), q.buffer()
        raw = self.header() if header is None else header
        self.qtest.write_bytes(head, raw)
        self.qtest.write_bytes(data, frame)
        q.add((head, len(raw), False), (data, len(frame), False))
        self._settle()
        return self.endpoint.frames()

    def offer_buffers(self, count=8, size=2048, queue=RX):
        """Buffers of one piece to receive into; their addresses, by head."""
        q = self.queues[queue]
        result = {}
        for _ in range(count):
            address = q.buffer()
            self.qtest.fill(address, size, 0xEE)
            result[q.chain((address, size, True))] = address
        q.offer(*result)
        q.notify()
        self.step(200_000)  # a host's link partner lets a driver finish its setup
        return result

    def deliver(self, *frames, buffers, queue=RX):
        """Sends frames; (header, data) of each that the device stored, in buffers of offer_buffers."""
        self.send(*frames)
        self._settle()
        result = []
        for used in self.queues[queue].take():
            raw = self.qtest.read_bytes(buffers[used.head], used.written)
            result.append((raw[: self.header_bytes], raw[self.header_bytes :]))
        return result

    def command(self, kind, code, data=b""):
        """A control command; the device's answer, 0xEE if it wrote none."""
        q = self.queues[CTRL]
        head, body, answer = q.buffer(), q.buffer(), q.buffer()
        self.qtest.write_bytes(head, bytes((kind, code)))
        self.qtest.write_bytes(answer, b"\xee")
        pieces = [(head, 2, False)]
        if data:
            self.qtest.write_bytes(body, data)
            pieces.append((body, len(data), False))
        q.add(*pieces, (answer, 1, True))
        self._settle()
        return self.qtest.read_bytes(answer, 1)[0]

    # --- MSI-X (PCI 3.0, 6.8.2) ---

    def msix(self):
        """Offset of the capability."""
        return next(offset for offset, identity in self.capabilities() if identity == 0x11)

    def enable_msix(self, vectors=3, masked=False):
        """Messages go to MESSAGES, one word for each vector; numbers are A0h + vector."""
        for vector in range(vectors):
            self.entry(vector, MESSAGES + 4 * vector, 0xA0 + vector, masked)
        self.set_config(self.msix() + 2, 0x8000, 2)

    def entry(self, vector, address, data, masked=False):
        for n, value in enumerate((address & 0xFFFFFFFF, address >> 32, data, int(masked))):
            self.qtest.write(MSIX_BAR + 16 * vector + 4 * n, 4, value)
        self._settle()

    def mask(self, vector, masked):
        self.qtest.write(MSIX_BAR + 16 * vector + 12, 4, int(masked))
        self._settle()

    def pending(self):
        pba = self.config(self.msix() + 8)
        return self.qtest.read(MSIX_BAR + (pba & ~7), 8)

    def messages(self, vectors=3):
        """Those that came since the last call; they take their time on the bus."""
        self._settle()
        self.step(50_000)
        raw = self.qtest.read_bytes(MESSAGES, 4 * vectors)
        self.qtest.fill(MESSAGES, 4 * vectors)
        return list(struct.unpack(f"<{vectors}I", raw))

    def irq(self):
        self._settle()
        return any(self.qtest.levels.get(line, False) for line in INTERRUPT_LINES)
