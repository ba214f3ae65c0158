"""What User-Mode Linux says to the device and to simulated time, without Linux: a guest of a few lines."""

import array
import mmap
import os
import select
import socket
import struct
import tempfile
import time

# Simulated time
ACK, START, REQUEST, WAIT, GET, UPDATE, RUN, FREE_UNTIL, GET_TOD = range(9)
FOREVER = (1 << 63) - 1
ALL_ONES = (1 << 64) - 1
# vhost-user
GET_FEATURES, SET_FEATURES, SET_OWNER, SET_MEM_TABLE = 1, 2, 3, 5
VRING_NUM, VRING_ADDR, VRING_BASE, GET_PROTOCOL, SET_PROTOCOL = 8, 9, 10, 15, 16
VRING_ENABLE, SET_REQ_FD, VRING_KICK = 18, 21, 35
VERSION, REPLY, NEED_REPLY = 1, 4, 8
CALL = 4
PROTOCOL = 1 << 3 | 1 << 5 | 1 << 14
# PCI
CFG_READ, CFG_WRITE, READ, WRITE, FILL, INT, MESSAGE = range(1, 8)

BASE, SIZE, RING = 0x644000, 1 << 20, 256


class Gone(Exception):
    """The simulator has hung up."""


def receive(sock, size):
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise Gone
        data += part
    return data


def connect(path):
    """A socket's file is there a moment before anybody listens."""
    deadline = time.monotonic() + 30
    while True:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.settimeout(30)
            sock.connect(path)
            return sock
        except ConnectionRefusedError:
            sock.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.002)


class Queue:
    """A driver's virtqueue at an address of the guest's memory."""

    def __init__(self, memory, at):
        self.memory, self.descriptors = memory, at
        self.available, self.used = at + 16 * RING, at + 16 * RING + 6 + 2 * RING + 2
        self.next = self.seen = self.free = 0

    def add(self, pieces):
        """(address, length, device writes) ...; returns the head."""
        head = self.free
        for i, (address, length, writes) in enumerate(pieces):
            index = (head + i) % RING
            more = i + 1 < len(pieces)
            self.memory.write(self.descriptors + 16 * index, struct.pack(
                "<QIHH", address, length, more | writes << 1, (index + 1) % RING if more else 0))
        self.free = (head + len(pieces)) % RING
        self.memory.write(self.available + 4 + 2 * (self.next % RING), struct.pack("<H", head))
        self.next = (self.next + 1) & 0xFFFF
        self.memory.write(self.available + 2, struct.pack("<H", self.next))
        return head

    def reap(self):
        """(head, length) of the next buffer that came back; None."""
        index, = struct.unpack("<H", self.memory.read(self.used + 2, 2))
        if index == self.seen:
            return None
        entry = self.memory.read(self.used + 4 + 8 * (self.seen % RING), 8)
        self.seen = (self.seen + 1) & 0xFFFF
        return struct.unpack("<II", entry)


class GuestMemory:
    def __init__(self, size=SIZE):
        self.file = tempfile.TemporaryFile()
        self.file.truncate(BASE + size)

    def write(self, at, data):
        os.pwrite(self.file.fileno(), data, at)

    def read(self, at, size):
        return os.pread(self.file.fileno(), size, at)


class UmlGuest:
    """Connects to both sockets; path + ".time" is that of simulated time (travels). `shares`: time is in shared memory
    as far as it can be, as with Linux from 6.12 on."""

    def __init__(self, path, travels=True, shares=False):
        self.travels, self.shares, self.number, self.asked, self.patience = travels, shares, 0, 0, 30
        self.now, self.free_until, self.running, self.interrupts = 0, 0, True, []
        if travels:
            self.time = connect(path + ".time")
            identity = self.ask(START, ALL_ONES, descriptors=True)
            if shares:
                self.share_clock(identity & 0xFFFF)
            self.calendar = self.ask(GET_TOD, ALL_ONES)
            self.get()
        self.device = connect(path)
        self.memory = GuestMemory()

    def close(self):
        for it in (getattr(self, name, None) for name in ("time", "device", "calls", "clock", "clock_file")):
            if it is not None:
                it.close()
        if hasattr(self, "memory"):
            self.memory.file.close()

    # --- time ---

    def tell(self, op, time=0, number=0):
        try:
            self.time.sendall(struct.pack("<IIQ", op, number, time))
        except OSError:
            raise Gone from None

    def hear(self):
        """One message of the controller's; its requests are obeyed."""
        op, number, time = struct.unpack("<IIQ", receive(self.time, 16))
        if op == RUN:
            assert time >= self.now, "time goes backwards"
            self.now, self.running = time, True
            if self.shares:
                struct.pack_into("<I", self.clock, self.client + 4, 0)
                self.free_until = self.shared(8)
                return op, number, time
        elif op == FREE_UNTIL:
            self.free_until = time
        if op != ACK:
            self.tell(ACK, 0, number)
        return op, number, time

    def share_clock(self, identity):
        version, size = struct.unpack_from("<II", self.clock, 0)
        self.shares = version != 0
        if not self.shares:
            return
        assert (version, identity) == (2, 1) and size >= 4096 + 128 * (identity + 1)
        self.client = 4096 + 128 * identity
        struct.pack_into("<I", self.clock, self.client, 1)

    def shared(self, at, form="<Q"):
        return struct.unpack_from(form, self.clock, at)[0]

    def propagate(self):
        """Tells what time it is here."""
        if self.shares:
            assert self.shared(24, "<H") == 1, "setting time while not running"
            struct.pack_into("<Q", self.clock, 16, self.now)
        else:
            self.ask(UPDATE, self.now)

    def wish(self, time):
        """It wants to run at that time."""
        if not self.shares:
            return self.ask(REQUEST, time)
        struct.pack_into("<IQ", self.clock, self.client + 4, 1, time)
        if time < self.shared(8):
            struct.pack_into("<Q", self.clock, 8, time)

    def ask(self, op, time=0, descriptors=False):
        if op == WAIT and self.shares:
            return self.tell(op, time)
        self.number += 1
        self.tell(op, time, self.number)
        if descriptors:
            data, beside, _, _ = socket.recv_fds(self.time, 16, 4)
            if self.shares:
                self.clock_file = os.fdopen(os.dup(beside[0]), "rb+")
                self.clock = mmap.mmap(beside[0], 0)
            for fd in beside:
                os.close(fd)
            reply = struct.unpack("<IIQ", data)
        else:
            reply = (None, None, None)
        while reply[0] != ACK:
            reply = self.hear()
        assert reply[1] == self.number, "an answer to something else"
        return reply[2]

    def get(self):
        now = self.shared(16) if self.shares else self.ask(GET, ALL_ONES)
        assert now >= self.now, "time goes backwards"
        self.now = now

    def wait_until(self, time):
        """Waits, and takes interrupts: each ends the waiting, as the guest wants to run then."""
        self.wish(time)
        self.running, self.free_until = False, 0
        self.ask(WAIT, ALL_ONES)
        while not self.running:
            ready = select.select([self.time, self.calls], [], [], self.patience)[0]
            assert ready, "nothing happens"
            if self.calls in ready:
                self.take_call()
            elif self.time in ready:
                self.hear()

    def go_to(self, time):
        """By itself if it may, otherwise it waits."""
        if time < self.free_until:
            self.now = time
            return
        self.wait_until(time)

    def take_call(self):
        request, flags, size = struct.unpack("<III", receive(self.calls, 12))
        queue, _ = struct.unpack("<II", receive(self.calls, size))
        assert (request, queue) == (CALL, 1)
        if self.travels:
            self.get()
            self.wish(self.now)
        self.interrupts.append(self.now)
        if flags & NEED_REPLY:
            self.calls.sendall(struct.pack("<IIIQ", request, VERSION | REPLY, 8, 0))

    def finish_interrupt(self):
        """The handler has run: the buffer goes back."""
        entry = self.irq.reap()
        assert entry and entry[1] == 16, entry
        assert self.memory.read(self.irq_buffers + 64 * entry[0], 1)[0] == INT
        self.irq.add([(self.irq_buffers + 64 * entry[0], 64, True)])
        if self.shares:
            self.propagate()
        self.request(VRING_KICK, struct.pack("<II", 1, 0))

    def take_interrupt(self):
        """What it says: kind, address, data. The handler has run: the buffer goes back."""
        entry = self.irq.reap()
        assert entry, "there is no interrupt"
        at = self.irq_buffers + 64 * entry[0]
        kind, _, _, size, address = struct.unpack("<BBHIQ", self.memory.read(at, 16))
        data = self.memory.read(at + 16, entry[1] - 16)
        assert len(data) == (size if kind == MESSAGE else 0), (kind, size, data)
        self.irq.add([(at, 64, True)])
        self.request(VRING_KICK, struct.pack("<II", 1, 0))
        return kind, address, int.from_bytes(data, "little")

    # --- the device ---

    def request(self, number, payload=b"", flags=NEED_REPLY, descriptors=()):
        """A message and its answer's number."""
        message = struct.pack("<III", number, VERSION | flags, len(payload)) + payload
        try:
            self.device.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                             array.array("i", descriptors))] if descriptors else [])
        except OSError:
            raise Gone from None
        if number not in (GET_FEATURES, GET_PROTOCOL) and not flags & NEED_REPLY:
            return None
        return self.answer(number)

    def answer(self, number):
        while self.travels:
            ready = select.select([self.device, self.time], [], [], self.patience)[0]
            assert ready, "no answer"
            if self.device in ready:
                break
            self.hear()
        reply, flags, size = struct.unpack("<III", receive(self.device, 12))
        assert (reply, flags, size) == (number, VERSION | REPLY, 8), (reply, flags, size)
        return struct.unpack("<Q", receive(self.device, 8))[0]

    def introduce(self):
        self.request(SET_OWNER, flags=0)
        self.features = self.request(GET_FEATURES, flags=0)
        self.protocol = self.request(GET_PROTOCOL, flags=0)
        assert self.request(SET_PROTOCOL, struct.pack("<Q", PROTOCOL)) == 0
        self.calls, theirs = socket.socketpair()
        self.calls.settimeout(30)
        assert self.request(SET_REQ_FD, descriptors=[theirs.fileno()]) == 0
        theirs.close()
        assert self.request(SET_FEATURES, struct.pack("<Q", self.features)) == 0

    def share(self):
        table = struct.pack("<II", 1, 0) + struct.pack("<QQQQ", BASE, SIZE, BASE, BASE) + bytes(32)
        assert self.request(SET_MEM_TABLE, table, descriptors=[self.memory.file.fileno()]) == 0

    def start_rings(self):
        self.commands, self.irq = Queue(self.memory, BASE + 0x1000), Queue(self.memory, BASE + 0x4000)
        self.buffer, self.irq_buffers = BASE + 0x8000, BASE + 0x9000
        for index, queue in enumerate((self.commands, self.irq)):
            assert self.request(VRING_NUM, struct.pack("<II", index, RING)) == 0
            assert self.request(VRING_BASE, struct.pack("<II", index, 0)) == 0
            assert self.request(VRING_ADDR, struct.pack("<IIQQQQ", index, 0, queue.descriptors, queue.used,
                                                        queue.available, ALL_ONES)) == 0
        for index in (0, 1):
            assert self.request(VRING_ENABLE, struct.pack("<II", index, 1)) == 0
        for i in range(10):
            self.irq.add([(self.irq_buffers + 64 * i, 64, True)])
        self.request(VRING_KICK, struct.pack("<II", 1, 0))

    def boot(self):
        self.introduce()
        self.share()
        self.start_rings()
        return self

    def command(self, op, region, address, size, data=b"", room=0):
        """What the device wrote."""
        if self.travels:
            self.propagate()
        out = struct.pack("<BBHIQ", op, region, 0, size, address) + data
        self.memory.write(self.buffer, out)
        pieces = [(self.buffer, len(out), False)]
        if room:
            pieces.append((self.buffer + 0x800, room, True))
        head = self.commands.add(pieces)
        self.request(VRING_KICK, struct.pack("<II", 0, 0))
        if self.shares:
            self.free_until = self.shared(8)
        used = self.commands.reap()
        assert used and used[0] == head, used
        return self.memory.read(self.buffer + 0x800, used[1])

    def read(self, address, size=4):
        return int.from_bytes(self.command(READ, 0, address, size, room=size), "little")

    def write(self, address, value, size=4):
        self.command(WRITE, 0, address, size, value.to_bytes(size, "little"))

    def config_read(self, address, size=4):
        return int.from_bytes(self.command(CFG_READ, 0, address, size, room=8)[:size], "little")

    def config_write(self, address, value, size=4):
        self.command(CFG_WRITE, 0, address, size, value.to_bytes(8, "little"))

    def say_goodbye(self):
        for index in (1, 0):
            self.request(VRING_ENABLE, struct.pack("<II", index, 0))
        self.request(GET_FEATURES, flags=0)
        self.close()
