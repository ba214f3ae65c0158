"""A small vfio-user client: as much of the protocol as scenarios need, and nothing of a virtual machine."""

import array
import json
import mmap
import os
import select
import socket
import struct
import time

(VERSION, DMA_MAP, DMA_UNMAP, GET_INFO, GET_REGION_INFO, GET_REGION_IO_FDS, GET_IRQ_INFO, SET_IRQS,
 REGION_READ, REGION_WRITE, DMA_READ, DMA_WRITE, RESET) = range(1, 14)
WRITE_MULTI = 15
REPLY, NO_REPLY, FAILED = 1, 0x10, 0x20
CONFIG, ROM = 7, 6
INTX, MSI, MSIX = 0, 1, 2
DATA_NONE, DATA_BOOL, DATA_EVENTFD, MASK, UNMASK, TRIGGER = 1, 2, 4, 8, 16, 32
READABLE, WRITABLE = 1, 2


class Refused(Exception):
    """The server's answer is an error; args: its errno."""


class Memory:
    """A file of shared memory, mapped here as well."""

    def __init__(self, size, seals=False):
        self.size = size
        self.fd = os.memfd_create("guest", os.MFD_CLOEXEC)
        os.ftruncate(self.fd, size)
        self.bytes = mmap.mmap(self.fd, size)

    def close(self):
        self.bytes.close()
        os.close(self.fd)


class VfioUserClient:
    """Answers what it is asked for memory without a descriptor from `self.private`, a bytearray that
    is mapped at `self.private_base`."""

    def __init__(self, scenario, path, negotiate=True):
        self.socket = socket.socket(socket.AF_UNIX)
        scenario.addCleanup(self.socket.close)
        self.socket.settimeout(20)
        deadline = time.monotonic() + 20
        while self.socket.connect_ex(path) != 0:
            scenario.assertLess(time.monotonic(), deadline, "nobody listens")
            time.sleep(0.01)
        self.id = 0
        self.private, self.private_base, self.asked = bytearray(), 0, 0
        if negotiate:
            self.capabilities = self.negotiate()

    def close(self):
        self.socket.close()

    def send(self, command, body=b"", fds=(), flags=0, size=None):
        self.id = (self.id + 1) & 0xFFFF
        message = struct.pack("<HHIII", self.id, command, 16 + len(body) if size is None else size,
                              flags, 0) + body
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        sent = self.socket.sendmsg([message], rights)
        self.socket.sendall(message[sent:])
        return self.id

    def receive_bytes(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise ConnectionError("the server has hung up")
            data += part
        return data

    def receive(self):
        """The next message: id, command, flags, errno, body."""
        number, command, size, flags, error = struct.unpack("<HHIII", self.receive_bytes(16))
        return number, command, flags, error, self.receive_bytes(size - 16)

    def serve(self, number, command, body):
        self.asked += 1
        address, count = struct.unpack_from("<QQ", body)
        start = address - self.private_base
        if command == DMA_READ:
            answer = body[:16] + self.private[start:start + count]
        else:
            self.private[start:start + count] = body[16:]
            answer = body[:16]
        self.socket.sendall(struct.pack("<HHIII", number, command, 16 + len(answer), REPLY, 0) + answer)

    def serve_for(self, seconds):
        """Answers what the server asks, for so long."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return
            number, command, flags, _, body = self.receive()
            assert not flags & REPLY
            self.serve(number, command, body)

    def call(self, command, body=b"", fds=()):
        wanted = self.send(command, body, fds)
        while True:
            number, command_, flags, error, answer = self.receive()
            if not flags & REPLY:
                self.serve(number, command_, answer)
                continue
            assert (number, command_) == (wanted, command), (number, command_)
            if flags & FAILED:
                raise Refused(error)
            return answer

    def negotiate(self, text=b'{"capabilities":{"max_msg_fds":8}}\0', major=0):
        answer = self.call(VERSION, struct.pack("<HH", major, 1) + text)
        return json.loads(answer[4:].rstrip(b"\0"))["capabilities"]

    # --- regions ---

    def info(self):
        return struct.unpack("<IIII", self.call(GET_INFO, struct.pack("<IIII", 16, 0, 0, 0)))

    def region(self, index):
        """Flags and size."""
        answer = self.call(GET_REGION_INFO, struct.pack("<IIIIQQ", 32, 0, index, 0, 0, 0))
        _, flags, _, _, size, _ = struct.unpack("<IIIIQQ", answer)
        return flags, size

    def read(self, region, offset, count=4):
        answer = self.call(REGION_READ, struct.pack("<QII", offset, region, count))
        return int.from_bytes(answer[16:], "little")

    def write(self, region, offset, value, count=4, posted=False):
        body = struct.pack("<QII", offset, region, count) + value.to_bytes(count, "little")
        if posted:
            self.send(REGION_WRITE, body, flags=NO_REPLY)
        else:
            self.call(REGION_WRITE, body)

    def irq_info(self, index):
        answer = self.call(GET_IRQ_INFO, struct.pack("<IIII", 16, 0, index, 0))
        _, flags, _, count = struct.unpack("<IIII", answer)
        return flags, count

    def set_irqs(self, index, flags, count=1, fds=(), data=b"", start=0):
        self.call(SET_IRQS, struct.pack("<IIIII", 20, flags, index, start, count) + data, fds)

    # --- memory ---

    def map(self, address, size, memory=None, offset=0, flags=READABLE | WRITABLE):
        fds = (memory.fd,) if memory else ()
        self.call(DMA_MAP, struct.pack("<IIQQQ", 32, flags, offset, address, size), fds)

    def unmap(self, address, size, flags=0):
        self.call(DMA_UNMAP, struct.pack("<IIQQ", 24, flags, address, size))
