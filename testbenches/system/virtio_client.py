"""A driver of virtio-net for tests, over any of the doors: what it does is written out."""

import struct
import time

MODERN_BAR = 4
COMMON, ISR, DEVICE, NOTIFY = 0x0000, 0x1000, 0x2000, 0x3000
ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, NEEDS_RESET = 1, 2, 4, 8, 64
MAC, STATUS, CTRL_VQ, MQ, VERSION_1 = 1 << 5, 1 << 16, 1 << 17, 1 << 22, 1 << 32
MRG_RXBUF, CSUM, CTRL_RX = 1 << 15, 1 << 0, 1 << 18
NEXT, WRITE = 1, 2
HEADER = 12
_SUFFIX = {1: "b", 2: "w", 4: "l"}


class Queue:
    def __init__(self, index, size, base):
        self.index, self.size = index, size
        self.descriptors, self.available, self.used = base, base + 0x2000, base + 0x3000
        self.next = self.seen = 0


class ByQTest:
    """Registers and memory by a qtest client; time goes on when it says so."""

    def __init__(self, client, slot=2, bar=0xE0000000):
        self.client, self.bar = client, bar
        client.config(slot, 0x10 + 4 * MODERN_BAR, bar)
        client.config(slot, 0x14 + 4 * MODERN_BAR, 0)
        client.config(slot, 4, 6)

    def read(self, offset, size):
        return self.client.value(f"read{_SUFFIX[size]} {self.bar + offset:#x}")

    def write(self, offset, size, value):
        assert self.client.do(f"write{_SUFFIX[size]} {self.bar + offset:#x} {value:#x}") == "OK"

    def poke(self, address, data):
        assert self.client.do(f"write {address:#x} {len(data)} 0x{data.hex()}") == "OK"

    def peek(self, address, size):
        return bytes.fromhex(self.client.do(f"read {address:#x} {size}").split()[1][2:])

    def settle(self):
        self.client.do("clock_step 1000000")


class ByVfioUser:
    """By a vfio-user client; `memory` is mapped at 0."""

    def __init__(self, client, memory):
        self.client, self.memory = client, memory.bytes
        client.write(7, 4, 6, 2)

    def read(self, offset, size):
        return self.client.read(MODERN_BAR, offset, size)

    def write(self, offset, size, value):
        self.client.write(MODERN_BAR, offset, value, size)

    def poke(self, address, data):
        self.memory[address:address + len(data)] = data

    def peek(self, address, size):
        return bytes(self.memory[address:address + size])

    def settle(self):
        time.sleep(0.02)


class ByUml:
    """By a guest of the door for User-Mode Linux."""

    def __init__(self, guest):
        self.guest = guest
        guest.config_write(4, 6, 2)

    def read(self, offset, size):
        return int.from_bytes(self.guest.command(3, MODERN_BAR, offset, size, room=size), "little")

    def write(self, offset, size, value):
        self.guest.command(4, MODERN_BAR, offset, size, value.to_bytes(size, "little"))

    def poke(self, address, data):
        self.guest.memory.write(address, data)

    def peek(self, address, size):
        return self.guest.memory.read(address, size)

    def settle(self):
        end = self.guest.now + 1_000_000
        while self.guest.now < end:  # interrupts end a wait
            self.guest.go_to(end)


class VirtioNet:
    """A driver; its queues and buffers are in memory from `memory` on."""

    def __init__(self, access, memory=0x100000):
        self.memory, self.queues = memory, {}
        self.read, self.write, self.settle = access.read, access.write, access.settle
        self.poke, self.peek = access.poke, access.peek

    def status(self):
        return self.read(COMMON + 20, 1)

    def set_status(self, value):
        self.write(COMMON + 20, 1, value)

    def features(self):
        low_high = []
        for half in (0, 1):
            self.write(COMMON + 0, 4, half)
            low_high.append(self.read(COMMON + 4, 4))
        return low_high[0] | low_high[1] << 32

    def negotiate(self, wanted):
        """Up to FEATURES_OK; returns what the device offers."""
        self.set_status(0)
        self.set_status(ACKNOWLEDGE)
        self.set_status(ACKNOWLEDGE | DRIVER)
        offered = self.features()
        for half in (0, 1):
            self.write(COMMON + 8, 4, half)
            self.write(COMMON + 12, 4, wanted >> 32 * half & 0xFFFFFFFF)
        self.set_status(ACKNOWLEDGE | DRIVER | FEATURES_OK)
        return offered

    def add_queue(self, index, size=16):
        queue = Queue(index, size, self.memory + index * 0x4000)
        self.write(COMMON + 22, 2, index)
        self.write(COMMON + 24, 2, size)
        for offset, address in ((32, queue.descriptors), (40, queue.available), (48, queue.used)):
            self.write(COMMON + offset, 4, address)
            self.write(COMMON + offset + 4, 4, 0)
        self.write(COMMON + 28, 2, 1)
        self.queues[index] = queue
        return queue

    def start(self, wanted=VERSION_1 | MAC | STATUS, pairs=1):
        offered = self.negotiate(wanted)
        for index in range(2 * pairs):
            self.add_queue(index)
        if wanted & CTRL_VQ:
            self.add_queue(self.read(COMMON + 18, 2) - 1)
        self.set_status(ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK)
        return offered

    def buffer(self, index):
        """Where the buffers of a queue are, 4 KiB for each."""
        return self.memory + 0x40000 + index * 0x10000

    def add(self, index, pieces):
        """A chain of (address, length, written by the device)."""
        queue = self.queues[index]
        first = queue.next * len(pieces) % queue.size
        for i, (address, length, written) in enumerate(pieces):
            place = (first + i) % queue.size
            flags = (NEXT if i + 1 < len(pieces) else 0) | (WRITE if written else 0)
            self.poke(queue.descriptors + 16 * place,
                      struct.pack("<QIHH", address, length, flags, (place + 1) % queue.size))
        self.poke(queue.available + 4 + 2 * (queue.next % queue.size), struct.pack("<H", first))
        queue.next += 1
        self.poke(queue.available + 2, struct.pack("<H", queue.next & 0xFFFF))
        self.write(NOTIFY + 4 * index, 2, index)

    def offer(self, index, size=2048):
        """A buffer to receive into."""
        queue = self.queues[index]
        self.add(index, [(self.buffer(index) + 4096 * (queue.next % queue.size), size, True)])

    def send(self, index, frame):
        queue = self.queues[index]
        address = self.buffer(index) + 4096 * (queue.next % queue.size)
        self.poke(address, bytes(HEADER) + frame)
        self.add(index, [(address, HEADER + len(frame), False)])

    def command(self, index, kind, number, data):
        """By the control queue; returns the answer."""
        address = self.buffer(index)
        self.poke(address, bytes([kind, number]) + data + b"\xff")
        self.add(index, [(address, 2 + len(data), False), (address + 2 + len(data), 1, True)])
        self.settle()
        return self.peek(address + 2 + len(data), 1)[0]

    def taken(self, index):
        """Buffers used since the last time: (where, bytes written)."""
        queue = self.queues[index]
        now = struct.unpack("<H", self.peek(queue.used + 2, 2))[0]
        found = []
        while queue.seen & 0xFFFF != now:
            head, length = struct.unpack(
                "<II", self.peek(queue.used + 4 + 8 * (queue.seen % queue.size), 8))
            where = struct.unpack("<Q", self.peek(queue.descriptors + 16 * head, 8))[0]
            found.append((where, length))
            queue.seen += 1
        return found
