"""Stateful fuzzing of the door for virtual machines (--vfio-user): random sessions of several clients
against a running e1000-sim, best one with sanitizers.

    door_fuzz.py PATH-OF-E1000-SIM [--seconds N | --minutes N] [--seed N]

Three adapters on a switch, one of virtio, are given over to clients that know no manners: messages of all kinds in any
order, right and wrong; memory that comes and goes under DMA; descriptors of every kind; answers that
are late, wrong or missing; connections that end at any byte. One more adapter belongs to a witness, a
client that behaves: it has to be served all the while, and frames from a host partner have to reach its
memory. In the end the simulator has to report, and neither crash nor have anything said by a sanitizer.
What is sent follows from the seed; when it arrives does not."""

import argparse
import array
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
import vfio_user_client as vfio  # noqa: E402

PATIENCE = 60  # seconds, on a slow machine with sanitizers
STATUS, ICS, IMS, RCTL, TCTL = 0x8, 0xC8, 0xD0, 0x100, 0x400
RDBAL, RDLEN, RDT, TDBAL, TDLEN, TDT = 0x2800, 0x2808, 0x2818, 0x3800, 0x3808, 0x3818
MEGABYTE = 1 << 20
NUMBERS = (0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 20, 24, 32, 63, 64, 255, 256, 4095, 4096, 65535, 65536, 1 << 17,
           (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
VERSIONS = (b"", b"\0", b"{}\0", b"{}", b'{"capabilities":{"max_msg_fds":8,"write_multiple":true}}\0',
            b'{"capabilities":{"max_data_xfer_size":1}}\0', b'{"capabilities":{"max_data_xfer_size":64}}\0',
            b'{"capabilities":[]}\0', b"[" * 2000 + b"\0", b"{" + b"\xff" * 100 + b"\0")
OUTSIDE = (ConnectionError, OSError)


class Session:
    """One client, from its connection to its end."""

    def __init__(self, path, rng):
        self.rng, self.maps, self.memories, self.fds, self.number = rng, [], [], [], 0
        self.inbox, self.answers = b"", rng.choice(("right", "right", "right", "wrong", "late", "never"))
        self.late = []
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)

    def close(self):
        self.socket.close()
        for memory in self.memories:
            memory.close()
        for fd in self.fds:
            os.close(fd)

    # --- bytes ---

    def raw(self, data, fds=()):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self.socket.settimeout(0.5)
        try:
            sent = self.socket.sendmsg([data], rights)
            while sent < len(data):
                sent += self.socket.send(data[sent:])
        except socket.timeout:
            raise ConnectionError("it takes nothing, as its answers are not taken") from None

    def send(self, command, body=b"", fds=(), size=None, flags=None):
        rng = self.rng
        self.number = (self.number + 1) & 0xFFFF
        if flags is None:
            flags = rng.choice((0, 0, 0, 0, vfio.NO_REPLY)) if command in (vfio.REGION_WRITE, vfio.WRITE_MULTI) \
                else rng.choice((0,) * 30 + (vfio.NO_REPLY,))
        message = struct.pack("<HHIII", self.number, command, 16 + len(body) if size is None else size, flags, 0)
        message += body
        fate = rng.random()
        if fate < 0.02:  # in two pieces
            cut = rng.randrange(len(message))
            self.raw(message[:cut] or message[:1], fds)
            time.sleep(0.001)
            self.raw(message[cut or 1:])
        elif fate < 0.025:  # and no more
            self.raw(message[:rng.randrange(1, len(message) + 1)], fds)
            raise ConnectionError("cut short")
        else:
            self.raw(message, fds)

    def drain(self, wait=0.0):
        """Takes what has come, and answers what the door asks, or does not."""
        self.socket.settimeout(wait or 0.0001)
        try:
            while True:
                data = self.socket.recv(1 << 16)
                if not data:
                    raise ConnectionError("the door has hung up")
                self.inbox += data
        except (socket.timeout, BlockingIOError):
            pass
        while len(self.inbox) >= 16:
            number, command, size, flags, _ = struct.unpack_from("<HHIII", self.inbox)
            assert 16 <= size <= MEGABYTE + 64, f"a message of {size} bytes from the door"
            if len(self.inbox) < size:
                break
            body, self.inbox = self.inbox[16:size], self.inbox[size:]
            if not flags & vfio.REPLY:
                self.asked(number, command, body)
            assert flags & vfio.FAILED == 0 or size == 16, "a refusal with a body"

    def asked(self, number, command, body):
        assert command in (vfio.DMA_READ, vfio.DMA_WRITE), f"the door asks for command {command}"
        address, count = struct.unpack_from("<QQ", body)
        assert 0 < count <= MEGABYTE, f"DMA of {count} bytes"
        data = body[:16] + (self.rng.randbytes(count) if command == vfio.DMA_READ else b"")
        flags, kind = vfio.REPLY, self.answers
        if kind == "never":
            return
        if kind == "wrong":
            data = self.rng.choice((b"", body[:8], data[:-1], data + b"\0", data,
                                    struct.pack("<QQ", address + 1, count) + data[16:]))
            flags |= self.rng.choice((0, 0, vfio.FAILED))
        answer = struct.pack("<HHIII", number, command, 16 + len(data), flags, 0) + data
        if kind == "late":
            self.late.append(answer)
            if len(self.late) > 3:
                self.raw(self.late.pop(self.rng.randrange(len(self.late))))
        else:
            self.raw(answer)

    # --- what it can do, by weight ---

    def descriptor(self, kinds=("memory", "memory", "event", "blocking", "full", "pipe", "socket", "null", "folder")):
        kind = self.rng.choice(kinds)
        if kind == "memory":
            return self.memory().fd
        if kind in ("event", "blocking", "full"):
            fd = os.eventfd(0, os.EFD_CLOEXEC | (os.EFD_NONBLOCK if kind == "event" else 0))
            if kind == "full":
                os.eventfd_write(fd, (1 << 64) - 2)
            self.fds.append(fd)
        elif kind == "pipe":
            self.fds.extend(os.pipe())
        elif kind == "socket":
            pair = socket.socketpair()
            self.fds.extend(end.detach() for end in pair)
        else:
            self.fds.append(os.open("/dev/null" if kind == "null" else "/", os.O_RDONLY))
        return self.fds[-1]

    def memory(self):
        if self.memories and self.rng.random() < 0.7:
            return self.rng.choice(self.memories)
        self.memories.append(vfio.Memory(MEGABYTE))
        return self.memories[-1]

    def number_of(self, *likely):
        return self.rng.choice(likely) if likely and self.rng.random() < 0.8 else self.rng.choice(NUMBERS)

    def map(self):
        rng = self.rng
        address = rng.choice((0, 0, 0x10000, MEGABYTE, 5 << 30, (1 << 64) - MEGABYTE, rng.randrange(1 << 20)))
        size = rng.choice((MEGABYTE, MEGABYTE, 0x10000, 0x8000, 1, 0, 1 << 40, (1 << 64) - 1))
        offset = rng.choice((0, 0, 0, 0x1000, 1, MEGABYTE, 1 << 62))
        flags = rng.choice((3, 3, 3, 3, 1, 2, 0, 7, 0x80))
        fds = () if rng.random() < 0.3 else (self.memory().fd,) if rng.random() < 0.8 \
            else tuple(self.descriptor() for _ in range(rng.choice((1, 2, 8))))
        self.maps.append((address, size))
        self.send(vfio.DMA_MAP, struct.pack("<IIQQQ", self.number_of(32), flags, offset, address, size), fds)

    def unmap(self):
        address, size = self.rng.choice(self.maps or [(0, MEGABYTE)])
        flags = self.rng.choice((0, 0, 0, 0, 2, 1, 4))
        if flags & 2 and self.rng.random() < 0.8:
            address = size = 0
        self.send(vfio.DMA_UNMAP, struct.pack("<IIQQ", self.number_of(24), flags, address, size),
                  (self.descriptor(),) if self.rng.random() < 0.05 else ())

    def ask(self):
        command = self.rng.choice((vfio.GET_INFO, vfio.GET_REGION_INFO, vfio.GET_REGION_IO_FDS, vfio.GET_IRQ_INFO))
        words = [self.number_of(32, 16), 0, self.number_of(0, 1, 2, 6, 7), 0]
        self.send(command, struct.pack("<4I", *words) + bytes(self.rng.choice((0, 16, 16, 100))))

    def interrupts(self):
        rng = self.rng
        flags = rng.choice((0x24, 0x24, 0x24, 0x21, 0x22, 0x11, 0x12, 0x14, 0x09, 0x0A, 0x0C, rng.randrange(64)))
        count = rng.choice((0, 1, 1, 1, 1, 2, 8, (1 << 32) - 1))
        data = rng.randbytes(rng.choice((0, 1, 1, 2))) if flags & vfio.DATA_BOOL else b""
        fds = tuple(self.descriptor() for _ in range(rng.choice((0, 1, 1, 1, 2, 8)))) if flags & 4 else ()
        body = struct.pack("<IIIII", self.number_of(20, 21), flags, rng.choice((0, 0, 1, 1, 2, 3, 4, 5, 1 << 31)),
                           rng.choice((0, 0, 0, 0, 1, (1 << 32) - 1)), count)
        self.send(vfio.SET_IRQS, body + data, fds)

    def place(self):
        rng = self.rng
        region = rng.choice((0, 0, 0, 0, 2, 6, 7, 7, 1, 1, 4, 4, 8, 9, 1 << 31))
        offset = rng.choice((rng.randrange(0x6000) & ~3, rng.randrange(256), rng.randrange(1 << 17),
                             0x1FFFC, 0x1FFFF, (1 << 64) - 1, 0, 4, 0x10, 0x30, 0x98, 0xDC, 0xE0))
        return offset, region

    def read(self):
        offset, region = self.place()
        count = self.rng.choice((4, 4, 4, 1, 2, 3, 8, 16, 256, 0, MEGABYTE, MEGABYTE + 1, (1 << 32) - 1))
        self.send(vfio.REGION_READ, struct.pack("<QII", offset, region, count))

    def write(self):
        offset, region = self.place()
        data = self.rng.randbytes(self.rng.choice((4, 4, 4, 1, 2, 3, 8, 16, 0, 1000)))
        count = len(data) if self.rng.random() < 0.95 else self.rng.choice(NUMBERS)
        self.send(vfio.REGION_WRITE, struct.pack("<QII", offset, region, count) + data)

    def poke(self, offset, value, region=0, count=4):
        self.send(vfio.REGION_WRITE, struct.pack("<QII", offset, region, count) + value.to_bytes(count, "little"))

    def write_several(self):
        writes = [(*self.place(), self.rng.choice((4, 4, 4, 8, 1, 0, 9)), self.rng.randrange(1 << 64))
                  for _ in range(self.rng.choice((1, 3, 30, 200, 201)))]
        count = len(writes) if self.rng.random() < 0.95 else self.rng.choice(NUMBERS)
        self.send(vfio.WRITE_MULTI, struct.pack("<Q", count) + b"".join(struct.pack("<QIIQ", *w) for w in writes))

    def traffic(self):
        """Rings of descriptors, some of them right, wherever memory may be."""
        rng, base = self.rng, self.rng.choice(self.maps or [(0, 0)])[0] & ((1 << 64) - 1)
        for memory in self.memories:
            for i in range(0 if hasattr(memory, "short") else 64):
                at = (base if rng.random() < 0.9 else rng.randrange(1 << 64)) + rng.randrange(0x8000)
                struct.pack_into("<QHBBBBH", memory.bytes, 0x1000 + 16 * i, at & ((1 << 64) - 1),
                                 rng.choice((60, 60, 1000, 1514, 0, 9000, 65535)), 0, rng.choice((0x0B, 0x09, 0x2B)),
                                 0, 0, 0)
        self.poke(4, 7, vfio.CONFIG, 2)
        for ring in (TDBAL, RDBAL):
            self.poke(ring, (base + 0x1000) & 0xFFFFFFFF)
            self.poke(ring + 4, ((base + 0x1000) >> 32) & 0xFFFFFFFF)
            self.poke(ring + 8, 1024)
        self.poke(TCTL, 0x10A)
        self.poke(RCTL, 0x801A)
        self.poke(IMS, 0xFFFF)
        self.ring()

    def virtio(self):
        """A driver of virtio with rings wherever memory may be, and MSI-X."""
        rng, base = self.rng, self.rng.choice(self.maps or [(0, 0)])[0] & ((1 << 64) - 1)
        for memory in self.memories:
            if not hasattr(memory, "short"):
                for i in range(64):
                    struct.pack_into("<QIHH", memory.bytes, 16 * i, base + rng.randrange(0x8000) & ((1 << 64) - 1),
                                     rng.choice((0, 12, 60, 1514, 70000)), rng.choice((0, 1, 2, 3)), rng.randrange(70))
                    struct.pack_into("<HH", memory.bytes, 0x402 + 4 * i, rng.randrange(300), rng.randrange(300))
        self.poke(4, 7, vfio.CONFIG, 2)
        self.poke(0x9A, rng.choice((0x8000, 0x8000, 0xC000, 0)), vfio.CONFIG, 2)
        self.poke(20, 0, 4, 1)
        self.poke(8, 1, 4)
        self.poke(12, 1, 4)
        self.poke(20, 11, 4, 1)
        for queue in (0, 1, rng.randrange(4)):
            for offset, value, count in ((22, queue, 2), (24, rng.choice((64, 64, 256, 3)), 2), (26, queue + 1, 2),
                                         (32, base & 0xFFFFFFFF, 4), (36, base >> 32 & 0xFFFFFFFF, 4),
                                         (40, base + 0x400 & 0xFFFFFFFF, 4), (48, base + 0x800 & 0xFFFFFFFF, 4),
                                         (44, base >> 32 & 0xFFFFFFFF, 4), (52, base >> 32 & 0xFFFFFFFF, 4),
                                         (28, 1, 2)):
                self.poke(offset, value, 4, count)
        self.poke(16, 0, 4, 2)
        self.poke(20, 15, 4, 1)
        events = tuple(self.descriptor(("event", "blocking", "full")) for _ in range(3))
        self.send(vfio.SET_IRQS, struct.pack("<IIIII", 20, 0x24, 2, 0, 3), events)
        for queue in (0, 1, 2):
            self.poke(0x3000 + 4 * queue, queue, 4, 2)

    def ring(self):
        self.poke(RDT, self.rng.randrange(64))
        self.poke(TDT, self.rng.randrange(64))
        self.poke(ICS, 4)

    def sleep(self):
        self.poke(0xE0, self.rng.choice((0, 3)), vfio.CONFIG, 2)
        self.poke(4, self.rng.choice((7, 6, 0, 0x407)), vfio.CONFIG, 2)

    def reset(self):
        self.send(vfio.RESET, self.rng.choice((b"", b"", b"", b"x")))

    def junk(self):
        rng = self.rng
        kind = rng.randrange(5)
        if kind == 0:
            self.raw(rng.randbytes(rng.choice((1, 15, 16, 17, 40, 5000))))
        elif kind == 1:
            self.send(rng.choice(NUMBERS) & 0xFFFF, rng.randbytes(rng.choice((0, 4, 16, 100))),
                      (self.descriptor(),) if rng.random() < 0.3 else ())
        elif kind == 2:
            self.send(vfio.REGION_READ, bytes(16), size=rng.choice(NUMBERS))
        elif kind == 3:
            self.send(rng.randrange(19), bytes(16), flags=rng.choice((1, 0x11, 0x20, 0x21, 2, 0x100, 1 << 31)))
        else:
            self.send(rng.randrange(1, 16), rng.randbytes(rng.choice((0, 1, 3, 8, 15, 17, 31))))

    def shorten(self):
        if self.memories and self.rng.random() < 0.1:
            memory = self.rng.choice(self.memories)
            memory.short = True  # not to be touched from here either
            os.ftruncate(memory.fd, self.rng.choice((0, 0x1000)))

    def pause(self):
        self.drain(self.rng.choice((0.001, 0.01, 0.05)))

    def flood(self):
        for _ in range(self.rng.choice((10, 500, 3000))):
            self.send(vfio.REGION_READ, struct.pack("<QII", STATUS, 0, 4), flags=0)

    def hello(self):
        if self.rng.random() < 0.9:
            self.send(vfio.VERSION, struct.pack("<HH", 0, 1) + VERSIONS[4], flags=0)
        else:
            self.send(vfio.VERSION, struct.pack("<HH", self.rng.choice((0, 0, 1, 9)), 1) + self.rng.choice(VERSIONS))

    ACTIONS = ((map, 8), (unmap, 6), (ask, 3), (interrupts, 6), (read, 8), (write, 8), (write_several, 2),
               (traffic, 5), (virtio, 5), (ring, 8), (sleep, 1), (reset, 1), (junk, 1), (shorten, 1), (pause, 5),
               (flood, 0.3))

    def run(self):
        if self.rng.random() < 0.95:
            self.hello()
        actions, weights = zip(*self.ACTIONS)
        for action in self.rng.choices(actions, weights, k=self.rng.choice((3, 30, 100, 300))):
            action(self)
            if self.rng.random() < 0.7:
                self.drain()


class Fuzz:
    def __init__(self, sim, seed, folder):
        self.seed, self.folder, self.sessions, self.problems = seed, folder, 0, []
        self.over = threading.Event()
        self.lock = threading.Lock()
        command = [sim, "--json", "-"]
        for i, (nic, link) in enumerate((("part=82540em", "switch:lan"), ("part=82545em", "switch:lan"),
                                         ("part=82544gc",
                                          f"dgram:local={self.path('nic')},remote={self.path('host')}"),
                                         ("model=virtio-net", "switch:lan"))):
            command += ["--nic", nic, "--link", link, "--vfio-user", f"unix:{self.path(str(i))},nic={i}"]
        self.host = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.host.bind(self.path("host"))
        self.host.setblocking(False)
        self.errors = open(self.path("errors"), "w+b")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors)

    def path(self, name):
        return os.path.join(self.folder, name)

    def addCleanup(self, *_):  # as the client wants it of a scenario
        pass

    def assertLess(self, left, right, what):
        if not left < right:
            raise AssertionError(what)

    def hooligan(self, door, which):
        number = 0
        while not self.over.is_set():
            number += 1
            session = None
            try:
                session = Session(self.path(str(door)), random.Random(f"{self.seed} {door} {which} {number}"))
                session.run()
            except OUTSIDE:
                pass  # hung up, by either
            except Exception as problem:  # pylint: disable=broad-except
                self.problems.append(f"session {self.seed} {door} {which} {number}: {problem!r}")
                self.over.set()
            finally:
                if session:
                    session.close()
            with self.lock:
                self.sessions += 1
            if self.process.poll() is not None:
                self.over.set()

    def witness(self):
        """Register accesses, and frames from the cable into memory, all the time."""
        try:
            client = vfio.VfioUserClient(self, self.path("2"))
            client.socket.settimeout(PATIENCE)
            memory = vfio.Memory(MEGABYTE)
            client.map(0, memory.size, memory)
            client.write(vfio.CONFIG, 4, 6, 2)
            for i in range(8):
                struct.pack_into("<QQ", memory.bytes, 0x1000 + 16 * i, 0x8000 + 2048 * i, 0)
            for offset, value in ((RDBAL, 0x1000), (RDLEN, 128), (RDT, 7), (RCTL, 0x801A)):
                client.write(0, offset, value)
            self.seen = self.frames = 0
            head = 0
            while not self.over.is_set():
                assert client.read(0, STATUS) != 0xFFFFFFFF, "the witness's adapter is gone"
                self.seen += 1
                try:
                    self.host.sendto(b"\xff" * 6 + b"fuzzed" + b"\x88\xb5" + struct.pack("<I", self.seen) + bytes(60),
                                     self.path("nic"))
                except OSError:
                    pass  # full, or no link yet
                while memory.bytes[0x1000 + 16 * head + 12] & 1:
                    memory.bytes[0x1000 + 16 * head + 12] = 0
                    client.write(0, RDT, head, posted=True)
                    head, self.frames = (head + 1) % 8, self.frames + 1
                time.sleep(0.005)
            client.close()
            memory.close()
        except Exception as problem:  # pylint: disable=broad-except
            self.problems.append(f"witness: {problem!r}")
            self.over.set()

    def run(self, seconds):
        threads = [threading.Thread(target=self.witness)]
        deadline = time.monotonic() + PATIENCE
        while not all(os.path.exists(self.path(str(i))) for i in range(4)):
            if self.process.poll() is not None or time.monotonic() > deadline:
                return self.finish([])
            time.sleep(0.05)
        threads += [threading.Thread(target=self.hooligan, args=(door, which)) for door in (0, 1, 3)
                    for which in (0, 1)]
        for thread in threads:
            thread.start()
        self.over.wait(seconds)
        self.over.set()
        return self.finish(threads)

    def finish(self, threads):
        # Clients that wait for their turn go on when the simulator has ended.
        for thread in threads[:1]:
            thread.join(2 * PATIENCE)
        self.process.send_signal(signal.SIGTERM)
        try:
            out, _ = self.process.communicate(timeout=2 * PATIENCE)
        except subprocess.TimeoutExpired:
            self.problems.append("it does not end when it is told to")
            self.process.kill()
            out, _ = self.process.communicate()
        for thread in threads:
            thread.join(2 * PATIENCE)
        self.errors.seek(0)
        text = self.errors.read().decode(errors="replace")
        if self.process.returncode != 0:
            self.problems.append(f"it ended with status {self.process.returncode}")
        for mark in ("Sanitizer", "runtime error", "Assertion"):
            if mark in text:
                self.problems.append(f"standard error speaks of {mark}")
        guests = []
        try:
            guests = json.loads(out)["guests"]
        except (ValueError, KeyError):
            self.problems.append("no report")
        if threads and not self.problems and self.frames == 0:
            self.problems.append("the witness has had no frame")
        for guest in guests:
            print("nic {nic}: {clients} clients, {dropped} dropped, {messages} messages, {refused} refused, "
                  "{dma_messages} DMA messages, {dma_unanswered} unanswered, {intx_signals} + {msi_signals} + "
                  "{msix_signals} interrupts".format(**guest))
        print(f"seed {self.seed}: {self.sessions} sessions; the witness was served {getattr(self, 'seen', 0)} times "
              f"and had {getattr(self, 'frames', 0)} frames")
        if self.problems:
            lines = [line for line in text.splitlines() if "client dropped" not in line]
            print("\n".join(lines[:200]))
        for problem in self.problems:
            print(f"FOUND: {problem}")
        return 1 if self.problems else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sim")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not hasattr(os, "eventfd"):
        print("this Python has no eventfd (3.10 has)")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        return Fuzz(options.sim, options.seed, folder).run(60 * options.minutes or options.seconds)


if __name__ == "__main__":
    sys.exit(main())
