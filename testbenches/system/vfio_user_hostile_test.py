"""The door for virtual machines: clients that are wrong, slow, silent or hostile."""

import errno
import os
import resource
import select
import socket
import struct
import sys
import time

import support
from vfio_user_client import (CONFIG, DATA_BOOL, DATA_EVENTFD, DATA_NONE, DMA_MAP, DMA_READ, DMA_UNMAP, FAILED,
                              GET_INFO, GET_IRQ_INFO, GET_REGION_INFO, GET_REGION_IO_FDS, INTX, MASK, MSI, NO_REPLY,
                              REGION_READ, REGION_WRITE, REPLY, RESET, SET_IRQS, TRIGGER, UNMASK, VERSION, WRITE_MULTI,
                              Refused, VfioUserClient)
from vfio_user_test import (ICS, IMS, RING, STATUS, TCTL, TDBAL, TDLEN, TDT, Door)

IDENTITY = 0x100E8086
HELLO = struct.pack("<HHIIIHH", 1, VERSION, 23, 0, 0, 0, 1) + b"{}\0"
LIMIT = 5  # seconds that the door waits for an answer
MASTER_ABORT = 0x2000


class Hostile(Door):
    def refused(self, client, command, body=b"", fds=(), error=errno.EINVAL):
        """It is, and the connection lives on."""
        with self.assertRaises(Refused, msg=(command, body)) as refusal:
            client.call(command, body, fds)
        self.assertEqual(refusal.exception.args, (error,), (command, body))
        self.assertEqual(client.read(CONFIG, 0), IDENTITY)

    def dropped(self, data, fds=()):
        """Told why not, and hung up on."""
        client = self.client(negotiate=False)
        client.socket.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack(f"{len(fds)}i", *fds))]
                              if fds else [])
        try:
            _, _, flags, error, _ = client.receive()
            while not flags & FAILED:
                _, _, flags, error, _ = client.receive()
            self.assertEqual((flags, error), (REPLY | FAILED, errno.EINVAL), data)
            with self.assertRaises(ConnectionError, msg=data):
                client.receive()
        except ConnectionResetError:
            self.fail(f"no answer: {data}")
        client.close()


class Messages(Hostile):
    def test_before_and_instead_of_version(self):
        self.start()
        for command, size in ((GET_INFO, 16), (DMA_MAP, 32), (REGION_READ, 16), (RESET, 0), (99, 0), (SET_IRQS, 3)):
            self.dropped(struct.pack("<HHIII", 1, command, 16 + size, 0, 0) + bytes(size))
        for text in (b"{", b"{}", b'"\0', b"[]\0", b'{"capabilities":"23"}\0', b'{"capabilities":{"max_msg_fds":-1}}\0',
                     b'{"capabilities":{"migration":{"pgsize":4095}}}\0'):
            self.dropped(struct.pack("<HHIIIHH", 1, VERSION, 20 + len(text), 0, 0, 0, 1) + text)
        self.dropped(struct.pack("<HHIIIHH", 1, VERSION, 20, 0, 0, 999, 1))
        self.dropped(struct.pack("<HHIII", 1, VERSION, 16, 0, 0))
        self.assertEqual(self.client().read(CONFIG, 0), IDENTITY)
        report, err = self.end()
        self.assertEqual(report["guests"][0]["dropped"], err.count("vfio-user client dropped"))

    def test_headers_that_cannot_be(self):
        self.start()
        for number, (size, flags) in enumerate(((15, 0), (0, 0), (1 << 31, 0), (16 + (1 << 20) + 100, 0), (16, 1),
                                                (16, 2), (16, 0x40))):
            self.dropped(HELLO + struct.pack("<HHIII", number, RESET, size, flags, 0))
        report, _ = self.end()
        self.assertEqual(report["guests"][0]["dropped"], 7)

    def test_bodies_that_cannot_be(self):
        self.start()
        client = self.client()
        words = struct.Struct("<4I").pack
        cases = [(command, bytes(size)) for command in (DMA_MAP, DMA_UNMAP, GET_INFO, GET_REGION_INFO, GET_IRQ_INFO,
                                                        SET_IRQS, REGION_READ, REGION_WRITE, WRITE_MULTI)
                 for size in (0, 1, 7)]
        cases += [(GET_INFO, words(0, 0, 0, 0)), (GET_INFO, words(8, 0, 0, 0)), (GET_IRQ_INFO, words(8, 0, 0, 0)),
                  (GET_IRQ_INFO, words(16, 0, 5, 0)), (GET_REGION_INFO, words(8, 0, 0, 0) + bytes(16)),
                  (GET_REGION_INFO, words(32, 0, 9, 0) + bytes(16)), (GET_REGION_IO_FDS, words(512, 1, 0, 0)),
                  (GET_REGION_IO_FDS, words(512, 0, 3, 0)), (GET_REGION_IO_FDS, words(512, 0, 512, 0)),
                  (DMA_UNMAP, struct.pack("<IIQQ", 8, 0, 0, 4096)), (DMA_UNMAP, struct.pack("<IIQQ", 24, 4, 0, 4096)),
                  (DMA_UNMAP, struct.pack("<IIQQ", 24, 2, 0, 4096)), (DMA_MAP, struct.pack("<IIQQQ", 8, 3, 0, 0, 4096)),
                  (DMA_MAP, struct.pack("<IIQQQ", 32, 7, 0, 0, 4096)), (RESET, b"x"), (99, b""), (DMA_READ, bytes(16)),
                  (REGION_WRITE, struct.pack("<QII", 0, 0, 8) + bytes(4)), (VERSION, struct.pack("<HH", 0, 1)),
                  (WRITE_MULTI, struct.pack("<Q", 1 << 61)), (WRITE_MULTI, struct.pack("<QQIIQ", 1, 0, 0, 9, 0)),
                  (WRITE_MULTI, struct.pack("<QQIIQ", 1, 0, 9, 4, 0))]
        for command, body in cases:
            self.refused(client, command, body)
        self.refused(client, 16, bytes(8), error=errno.ENOTSUP)
        self.refused(client, DMA_UNMAP, struct.pack("<IIQQ", 24, 0, 0x10000, 4096), error=errno.ENOENT)
        report, err = self.end()
        self.assertEqual((report["guests"][0]["refused"], report["guests"][0]["dropped"], err),
                         (len(cases) + 2, 0, ""))

    def test_more_room_than_needed_is_no_mistake(self):
        """As clients that are out there ask."""
        self.start()
        client, memory = self.ready()
        self.assertEqual(client.call(GET_INFO, struct.pack("<4I", 32, 0, 0, 0))[:4], struct.pack("<I", 16))
        answer = client.call(GET_REGION_INFO, struct.pack("<4I", 4064, 0, 0, 0) + bytes(4048))
        self.assertEqual((len(answer), answer[:4]), (32, struct.pack("<I", 32)))
        self.assertEqual(client.call(GET_REGION_IO_FDS, struct.pack("<4I", 512, 0, 0, 0)),
                         struct.pack("<4I", 16, 0, 0, 0))
        # SPDK's sends the descriptor with DMA_UNMAP as well.
        client.call(DMA_UNMAP, struct.pack("<IIQQ", 24, 0, 0, memory.size), (memory.fd,))
        self.end()

    def test_cut_off_at_every_byte(self):
        self.start()
        memory = self.memory()
        stream = HELLO + struct.pack("<HHIIIIIQQQ", 2, DMA_MAP, 48, 0, 0, 32, 3, 0, 0, memory.size)
        stream += struct.pack("<HHIIIQIIH", 3, REGION_WRITE, 34, 0, 0, 4, CONFIG, 2, 6)
        stream += struct.pack("<HHIIIQIII", 4, REGION_WRITE, 36, NO_REPLY, 0, TDT, 0, 4, 1)
        stream += struct.pack("<HHIII", 5, RESET, 16, 0, 0)
        for end in range(1, len(stream)):
            client = self.client(negotiate=False)
            client.socket.sendall(stream[:end])
            client.close()
        self.assertEqual(self.client().read(CONFIG, 0), IDENTITY)
        report, err = self.end()
        self.assertEqual((report["guests"][0]["dropped"], err), (0, ""))

    def test_byte_by_byte(self):
        self.start()
        client = self.client(negotiate=False)
        for byte in HELLO + struct.pack("<HHIIIQII", 2, REGION_READ, 32, 0, 0, 0, CONFIG, 4):
            client.socket.sendall(bytes((byte,)))
            time.sleep(0.001)
        client.receive()
        self.assertEqual(client.receive()[4][16:], struct.pack("<I", IDENTITY))
        self.end()


class Accesses(Hostile):
    def test_sizes_and_ends(self):
        self.start()
        client, _ = self.ready()
        client.write(0, 0x5200, 0x11223344)
        client.write(0, 0x5204, 0x55667788)
        self.assertEqual(client.read(0, 0x5200, 8), 0x5566778811223344)
        client.write(0, 0x5200, 0x0102030405060708, 8)
        self.assertEqual([client.read(0, 0x5200), client.read(0, 0x5204)], [0x05060708, 0x01020304])
        self.assertEqual(client.read(0, 0x5202, 2), 0x0506)
        self.assertEqual(client.read(0, 0x5201, 1), 0x07)
        self.assertEqual(client.read(CONFIG, 1, 3) << 8 | 0x86, IDENTITY)
        self.assertEqual(client.read(0, 0x1FFFC), client.read(0, 0x1FFFC, 4))
        for region, offset, count in ((0, 0x1FFFC, 8), (0, 0x1FFFF, 2), (0, 0x20000, 4), (0, (1 << 64) - 4, 8),
                                      (2, 4, 8), (2, 8, 1), (CONFIG, 254, 4), (CONFIG, 0, 257), (1, 0, 4), (6, 0, 4),
                                      (8, 0, 4), (9, 0, 4), (1 << 31, 0, 4), (0, 0, 0), (0, 0, (1 << 20) + 1)):
            self.refused(client, REGION_READ, struct.pack("<QII", offset, region, count))
            if 0 < count < 1000:
                self.refused(client, REGION_WRITE, struct.pack("<QII", offset, region, count) + bytes(count))
        self.end()

    def test_ports(self):
        self.start()
        client = self.client()
        client.write(CONFIG, 4, 7, 2)
        client.write(2, 0, STATUS)
        status = client.read(0, STATUS)
        self.assertEqual(client.read(2, 0), STATUS)
        self.assertEqual(client.read(2, 4), status)
        self.assertEqual(client.read(2, 0, 8), status << 32 | STATUS)
        for offset in range(8):
            for count in range(1, 9 - offset):
                client.read(2, offset, count)
                client.write(2, offset, 0, count)
        self.end()

    def test_reset_in_traffic(self):
        self.start()
        client, memory = self.ready()
        for i in range(8):
            memory.bytes[RING + 16 * i:RING + 16 * i + 16] = struct.pack("<QHBBBBH", 0x8000, 1500, 0, 0x0B, 0, 0, 0)
        for _ in range(50):
            client.write(CONFIG, 4, 6, 2, posted=True)
            for offset, value in ((TDBAL, RING), (TDLEN, 128), (TCTL, 0x10A), (IMS, 0xFFFF), (TDT, 7)):
                client.write(0, offset, value, posted=True)
            client.call(RESET)
            self.assertEqual(client.read(CONFIG, 4, 2), 0)
        report, _ = self.end()
        self.assertEqual(report["guests"][0]["resets"], 50)


class Interrupts(Hostile):
    def test_what_cannot_be_set(self):
        self.start()
        client = self.client()
        one, two = self.eventfd(), self.eventfd()

        def body(index, flags, start=0, count=1, data=b"", argsz=20):
            return struct.pack("<5I", argsz, flags, index, start, count) + data
        for arguments, fds in (
                (body(INTX, DATA_EVENTFD | TRIGGER, count=2), (one,)), (body(INTX, DATA_EVENTFD | TRIGGER), (one, two)),
                (body(INTX, DATA_EVENTFD | TRIGGER, count=2), (one, two)), (body(INTX, DATA_NONE | TRIGGER), (one,)),
                (body(INTX, DATA_BOOL | TRIGGER, data=b"\1"), (one,)), (body(INTX, DATA_BOOL | TRIGGER), ()),
                (body(INTX, DATA_BOOL | TRIGGER, data=b"\1\1"), ()), (body(INTX, DATA_NONE | TRIGGER, start=1), ()),
                (body(INTX, DATA_NONE | TRIGGER, start=1, count=0), ()), (body(INTX, DATA_NONE | MASK, count=0), ()),
                (body(INTX, DATA_BOOL | TRIGGER, count=0), ()), (body(INTX, DATA_NONE | DATA_BOOL | MASK), ()),
                (body(INTX, DATA_NONE | MASK | UNMASK), ()), (body(INTX, DATA_NONE), ()), (body(INTX, MASK), ()),
                (body(INTX, DATA_NONE | TRIGGER | 0x40), ()), (body(INTX, DATA_NONE | TRIGGER, argsz=3), ()),
                (body(INTX, DATA_EVENTFD | TRIGGER, start=284, count=0xFFFFFFFF), ()),
                (body(MSI, DATA_NONE | MASK), ()), (body(2, DATA_EVENTFD | TRIGGER), (one,)),
                (body(3, DATA_NONE | MASK), ()), (body(4, DATA_NONE | TRIGGER, count=2), ()),
                (body(5, DATA_NONE | TRIGGER, count=0), ())):
            self.refused(client, SET_IRQS, arguments, fds)
        for index in (INTX, MSI, 3, 4):
            client.set_irqs(index, DATA_EVENTFD | TRIGGER, fds=(one,))
            client.set_irqs(index, DATA_NONE | TRIGGER)
            self.assertEqual(os.eventfd_read(one), 1, index)
            client.set_irqs(index, DATA_BOOL | TRIGGER, data=b"\1")
            self.assertEqual(os.eventfd_read(one), 1, index)
            client.set_irqs(index, DATA_BOOL | TRIGGER, data=b"\0")
            client.set_irqs(index, DATA_EVENTFD | TRIGGER)  # none: not signalled any more
            client.set_irqs(index, DATA_NONE | TRIGGER)
            self.assertFalse(select.select([one], [], [], 0)[0], index)
            client.set_irqs(index, DATA_NONE | TRIGGER, count=0)
        self.end()

    def test_messages_are_interrupts_wherever_memory_is(self):
        self.start()
        client = self.client()
        client.map(0, 1 << 32)
        self.enable(client)
        capability = client.read(CONFIG, 0x34, 1)
        while client.read(CONFIG, capability, 1) != 5:
            capability = client.read(CONFIG, capability + 1, 1)
            self.assertNotEqual(capability, 0)
        for offset, value, size in ((4, 0xFEE00000, 4), (8, 0, 4), (12, 0x4041, 2), (2, 0x81, 2)):
            client.write(CONFIG, capability + offset, value, size)
        trigger = self.eventfd()
        client.set_irqs(MSI, DATA_EVENTFD | TRIGGER, fds=(trigger,))
        client.write(0, IMS, 4)
        client.write(0, ICS, 4)
        self.assertTrue(select.select([trigger], [], [], 10)[0])
        report, _ = self.end()
        self.assertEqual((report["guests"][0]["msi_signals"], report["guests"][0]["dma_messages"]), (1, 0))

    def test_eventfds_that_would_block(self):
        self.start()
        client, _ = self.ready()
        trigger, unmask = os.eventfd(0, os.EFD_CLOEXEC), os.eventfd(0, os.EFD_CLOEXEC)
        for fd in (trigger, unmask):
            self.addCleanup(os.close, fd)
        os.eventfd_write(trigger, (1 << 64) - 2)  # one more write would wait
        client.set_irqs(INTX, DATA_EVENTFD | TRIGGER, fds=(trigger,))
        client.set_irqs(INTX, DATA_EVENTFD | UNMASK, fds=(unmask,))
        client.write(0, IMS, 4)
        client.write(0, ICS, 4)
        for _ in range(20):
            os.eventfd_write(unmask, 1)
            self.assertNotEqual(client.read(0, STATUS), 0xFFFFFFFF)
            time.sleep(0.002)
        os.eventfd_read(trigger)
        os.eventfd_write(unmask, 1)
        self.assertTrue(select.select([trigger], [], [], 10)[0])
        self.end()


class Patience(Hostile):
    def questions(self, client):
        """Makes the adapter read a descriptor from memory without a descriptor; the question."""
        client.map(0, 1 << 20)
        self.enable(client)
        for offset, value in ((TDBAL, RING), (TDLEN, 128), (TCTL, 0x10A)):
            client.write(0, offset, value)
        client.send(REGION_WRITE, struct.pack("<QIII", TDT, 0, 4, 1), flags=NO_REPLY)
        number, command, flags, _, body = client.receive()
        self.assertEqual((command, flags), (DMA_READ, 0))
        return number, body

    def answer(self, client, command, body=b""):
        """Of the door to the client, which answers nothing meanwhile."""
        wanted = client.send(command, body)
        while True:
            number, _, flags, error, answer = client.receive()
            if flags & REPLY:
                self.assertEqual((number, error), (wanted, 0))
                return answer

    def test_no_answer_is_a_master_abort(self):
        self.start()
        client = self.client()
        start = time.monotonic()
        number, body = self.questions(client)
        # It is served all the while.
        for _ in range(10):
            read = self.answer(client, REGION_READ, struct.pack("<QII", 0, CONFIG, 4))
            self.assertEqual(read[16:], struct.pack("<I", IDENTITY))
        status = struct.pack("<QII", 6, CONFIG, 2)
        self.wait_for(lambda: struct.unpack("<H", self.answer(client, REGION_READ, status)[16:])[0] & MASTER_ABORT,
                      "no master abort")
        self.assertGreaterEqual(time.monotonic() - start, LIMIT)
        # Too late, and no mistake.
        client.socket.sendall(struct.pack("<HHIII", number, DMA_READ, 32 + 16, REPLY, 0) + body + bytes(16))
        self.assertEqual(self.answer(client, REGION_READ, struct.pack("<QII", 0, CONFIG, 4))[16:],
                         struct.pack("<I", IDENTITY))
        report, _ = self.end()
        self.assertGreater(report["guests"][0]["dma_unanswered"], 0)
        self.assertGreater(report["pci"]["master_aborts"], 0)
        self.assertEqual(report["guests"][0]["dropped"], 0)
        self.assertTrue(any("did not answer" in text for text in report["warnings"]), report["warnings"])

    def test_unmapping_does_not_wait_for_an_answer(self):
        self.start()
        client = self.client()
        number, body = self.questions(client)
        start = time.monotonic()
        self.answer(client, DMA_UNMAP, struct.pack("<IIQQ", 24, 0, 0, 1 << 20))
        self.assertLess(time.monotonic() - start, LIMIT)
        status = struct.pack("<QII", 6, CONFIG, 2)
        self.wait_for(lambda: struct.unpack("<H", self.answer(client, REGION_READ, status)[16:])[0] & MASTER_ABORT,
                      "no master abort")
        client.socket.sendall(struct.pack("<HHIII", number, DMA_READ, 32, REPLY, 0) + body)
        self.assertEqual(client.read(CONFIG, 0), IDENTITY)
        report, _ = self.end()
        self.assertEqual((report["guests"][0]["dma_unanswered"], report["guests"][0]["dropped"]), (0, 0))

    def test_reset_and_end_while_an_answer_is_owed(self):
        self.start()
        client = self.client()
        self.questions(client)
        self.answer(client, RESET)
        client.close()
        client = self.client()
        self.questions(client)
        self.end()

    def test_a_second_client_waits(self):
        self.start()
        first = self.client()
        second = self.client(negotiate=False)
        wanted = second.send(VERSION, struct.pack("<HH", 0, 1))
        self.assertFalse(select.select([second.socket], [], [], 0.2)[0])
        self.assertEqual(first.read(CONFIG, 0), IDENTITY)
        first.close()
        self.assertEqual(second.receive()[0], wanted)
        self.assertEqual(second.read(CONFIG, 0), IDENTITY)
        self.end()

    def test_who_says_nothing_goes_when_another_comes(self):
        self.start()
        silent = self.client(negotiate=False)
        time.sleep(0.1)
        self.assertEqual(self.client().read(CONFIG, 0), IDENTITY)
        with self.assertRaises(ConnectionError):
            silent.receive()
        report, err = self.end()
        self.assertIn("does not say who it is", err)

    def test_without_descriptors_for_a_client(self):
        self.start()
        self.client().close()
        self.wait_for(lambda: os.path.exists(self.address), "no socket")
        time.sleep(0.2)
        used = max(int(fd) for fd in os.listdir(f"/proc/{self.process.pid}/fd")) + 1
        limits = resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        self.assertGreater(used, 3)
        client = self.client(negotiate=False)
        before, start = self.processor_time(), time.monotonic()
        time.sleep(1.5)
        share = (self.processor_time() - before) / (time.monotonic() - start)
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, limits)
        client.negotiate()
        self.assertEqual(client.read(CONFIG, 0), IDENTITY)
        report, _ = self.end()
        self.assertLess(share, 0.5, "it spins")
        self.assertTrue(any("no descriptors left" in text for text in report["warnings"]), report["warnings"])

    def processor_time(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_answers_that_nobody_takes(self):
        """Others are served, and it is served again when it takes them."""
        other = self.path("other.sock")
        self.start("--link", "null", "--link", "null", "--vfio-user", f"unix:{other},nic=1", links=False)
        first, second = self.client(), VfioUserClient(self, other)
        message = struct.pack("<HHIIIQII", 7, REGION_READ, 32, 0, 0, 0, CONFIG, 256)
        first.socket.setblocking(False)
        sent = 0
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                sent += first.socket.send(message[sent % 32:])
            except BlockingIOError:
                time.sleep(0.01)
                if not select.select([], [first.socket], [], 0.3)[1]:
                    break
        for _ in range(100):
            self.assertEqual(second.read(CONFIG, 0), IDENTITY)
        first.socket.settimeout(20)
        for _ in range(sent // 32):
            self.assertEqual(first.receive()[0], 7)
        self.end()

    def test_many_questions_before_an_answer_is_read(self):
        self.start()
        client = self.client()
        memory = self.memory()
        for i in range(3000):
            client.send(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 4096 * (i % 16), 8192 * i, 4096), (memory.fd,))
        for _ in range(3000):
            self.assertEqual(client.receive()[3], 0)
        client.unmap(0, 0, flags=2)
        self.assertEqual(client.read(CONFIG, 0), IDENTITY)
        self.end()


if __name__ == "__main__":
    if not hasattr(os, "eventfd"):
        print("this Python has no eventfd (3.10 has)")
        sys.exit(support.SKIP)
    support.main()
