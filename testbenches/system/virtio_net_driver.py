"""A driver for virtio-net of a few lines (virtio 1.2, 5.1), by whatever registers and memory are reached."""

import struct

COMMON, ISR, DEVICE, NOTIFY = 0x0000, 0x1000, 0x2000, 0x3000  # in BAR 4
MODERN, MSIX = 4, 1  # BARs
ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, NEEDS_RESET = 1, 2, 4, 8, 64
F_CSUM, F_MTU, F_MAC, F_MRG_RXBUF, F_STATUS, F_CTRL_VQ, F_CTRL_RX, F_MQ, F_VERSION_1 = (
    0, 3, 5, 15, 16, 17, 18, 22, 32)
PLAIN = (F_MAC, F_STATUS, F_VERSION_1)
RX, TX = 0, 1
SIZE, HEADER = 16, 12
TABLE, PENDING, ENABLE, MASK_ALL = 0, 0x800, 0x8000, 0x4000


class Queue:
    """At an address of the guest's memory; its buffers behind it."""

    def __init__(self, at):
        self.descriptors, self.available, self.used = at, at + 0x400, at + 0x800
        self.buffers, self.next, self.seen = at + 0x1000, 0, 0


class VirtioNetDriver:
    """`device` has read(region, offset, size), write(region, offset, value, size), config_read(offset, size),
    config_write(offset, value, size), and load(address, size), store(address, data) for memory."""

    def __init__(self, device, memory, pairs=1):
        self.device, self.memory = device, memory
        self.queues = {index: Queue(memory + 0x10000 * index) for index in range(2 * pairs)}

    def read(self, offset, size=4):
        return self.device.read(MODERN, offset, size)

    def write(self, offset, value, size=4):
        self.device.write(MODERN, offset, value, size)

    def status(self, value=None):
        if value is not None:
            self.write(COMMON + 20, value, 1)
        return self.read(COMMON + 20, 1)

    def capability(self, wanted):
        """Offset of the first capability of this ID."""
        at = self.device.config_read(0x34, 1)
        while at and self.device.config_read(at, 1) != wanted:
            at = self.device.config_read(at + 1, 1)
        return at

    def enable_messages(self, vectors, control=ENABLE):
        """`vectors`: address and data of each."""
        for i, (address, data) in enumerate(vectors):
            for dword, value in enumerate((address & 0xFFFFFFFF, address >> 32, data, 0)):
                self.device.write(MSIX, TABLE + 16 * i + 4 * dword, value, 4)
        self.device.config_write(self.capability(0x11) + 2, control, 2)

    def negotiate(self, features=PLAIN):
        """From reset to FEATURES_OK; what the device offers."""
        self.device.config_write(4, 6, 2)
        self.status(0)
        self.status(ACKNOWLEDGE | DRIVER)
        wanted, offered = sum(1 << bit for bit in features), 0
        for half in (0, 1):
            self.write(COMMON + 0, half)
            offered |= self.read(COMMON + 4) << 32 * half
            self.write(COMMON + 8, half)
            self.write(COMMON + 12, wanted >> 32 * half & 0xFFFFFFFF)
        self.status(ACKNOWLEDGE | DRIVER | FEATURES_OK)
        assert self.status() & FEATURES_OK, "the device does not want these features"
        return offered

    def start(self, vectors=(0xFFFF, 0xFFFF), config_vector=0xFFFF, features=PLAIN):
        self.negotiate(features)
        self.write(COMMON + 16, config_vector, 2)
        if F_CTRL_VQ in features:
            self.control = self.read(COMMON + 18, 2) - 1
            self.queues[self.control] = Queue(self.memory + 0x10000 * len(self.queues))
        for index, queue in self.queues.items():
            vector = vectors[index] if index < len(vectors) else 0xFFFF
            self.write(COMMON + 22, index, 2)
            self.write(COMMON + 24, SIZE, 2)
            self.write(COMMON + 26, vector, 2)
            assert self.read(COMMON + 26, 2) == vector, "there is no such vector"
            for offset, value in ((32, queue.descriptors), (40, queue.available), (48, queue.used)):
                self.write(COMMON + offset, value & 0xFFFFFFFF)
                self.write(COMMON + offset + 4, value >> 32)
            self.write(COMMON + 28, 1, 2)
        self.status(ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK)

    def link_up(self):
        return bool(self.read(DEVICE + 6, 2) & 1)

    def add(self, index, size, writable, data=b""):
        """A buffer; its used entry comes by reap()."""
        queue = self.queues[index]
        slot = queue.next % SIZE
        at = queue.buffers + 0x800 * slot
        if data:
            self.device.store(at, data)
        self.device.store(queue.descriptors + 16 * slot, struct.pack("<QIHH", at, size, 2 if writable else 0, 0))
        self.device.store(queue.available + 4 + 2 * slot, struct.pack("<H", slot))
        queue.next += 1
        self.device.store(queue.available + 2, struct.pack("<H", queue.next & 0xFFFF))
        self.write(NOTIFY + 4 * index, index, 2)

    def transmit(self, frame, index=TX):
        self.add(index, HEADER + len(frame), False, bytes(HEADER) + frame)

    def offer(self, index=RX, size=0x800):
        self.add(index, size, True)

    def command(self, kind, number, data):
        """By the control queue; answer() tells the answer once it is there."""
        queue, index = self.queues[self.control], self.control
        slot, size = 2 * queue.next % SIZE, 2 + len(data)
        self.device.store(queue.buffers, bytes([kind, number]) + data + b"\xff")
        self.device.store(queue.descriptors + 16 * slot,
                          struct.pack("<QIHH", queue.buffers, size, 1, slot + 1) +
                          struct.pack("<QIHH", queue.buffers + size, 1, 2, 0))
        self.device.store(queue.available + 4 + 2 * (queue.next % SIZE), struct.pack("<H", slot))
        queue.next += 1
        self.device.store(queue.available + 2, struct.pack("<H", queue.next & 0xFFFF))
        self.write(NOTIFY + 4 * index, index, 2)
        return lambda: self.device.load(queue.buffers + size, 1)[0]

    def reap(self, index):
        """What is in the next used buffer; None."""
        queue = self.queues[index]
        if struct.unpack("<H", self.device.load(queue.used + 2, 2))[0] == queue.seen & 0xFFFF:
            return None
        slot, size = struct.unpack("<II", self.device.load(queue.used + 4 + 8 * (queue.seen % SIZE), 8))
        queue.seen += 1
        return self.device.load(queue.buffers + 0x800 * slot, size)
