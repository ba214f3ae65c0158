"""The door for virtual machines: a client that speaks vfio-user drives the adapter."""

import errno
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import time

import support
from support import Scenario, start_sim
from vfio_user_client import (CONFIG, DATA_EVENTFD, DATA_NONE, DMA_MAP, FAILED, INTX, MSI, MSIX, READABLE,
                              REGION_READ, REGION_WRITE, RESET, ROM, TRIGGER, UNMASK, WRITE_MULTI, Memory, Refused,
                              VfioUserClient)
from virtio_net_driver import HEADER, PENDING, RX, TX, VirtioNetDriver

CTRL, STATUS, ICR, ICS, IMS, RCTL, TCTL = 0x0, 0x8, 0xC0, 0xC8, 0xD0, 0x100, 0x400
WUC, WUFC, WUS = 0x5800, 0x5808, 0x5810
RDBAL, RDLEN, RDT, TDBAL, TDBAH, TDLEN, TDH, TDT, SWSM = (0x2800, 0x2808, 0x2818, 0x3800, 0x3804,
                                                         0x3808, 0x3810, 0x3818, 0x5B50)
FRAME = b"\xff" * 6 + bytes.fromhex("525400123456 88b5") + b"from a guest" * 8
RING, BUFFER = 0x1000, 0x8000


class Door(Scenario):
    def start(self, *arguments, option="", links=True):
        self.address = self.path("nic.sock")
        if links:
            self.host = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.addCleanup(self.host.close)
            self.host.bind(self.path("host"))
            self.host.settimeout(20)
            arguments += ("--link", f"dgram:local={self.path('nic')},remote={self.path('host')}")
        self.process = start_sim(self, "--vfio-user", f"unix:{self.address}{option}", "--json", "-",
                                 *arguments)
        return self.process

    def client(self, **options):
        return VfioUserClient(self, self.address, **options)

    def memory(self, size=1 << 20):
        memory = Memory(size)
        self.addCleanup(memory.close)
        return memory

    def eventfd(self):
        fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.addCleanup(os.close, fd)
        return fd

    def end(self, number=signal.SIGINT):
        """The report, and what was said on standard error."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        self.assertEqual(self.process.returncode, 0, err)
        self.assertFalse(os.path.exists(self.address), "the socket is left over")
        return json.loads(out), err

    def enable(self, client):
        client.write(CONFIG, 4, 6, 2)
        self.wait_for(lambda: client.read(0, STATUS) & 2, "no link")

    def wait_for(self, true, what):
        deadline = time.monotonic() + 20
        while not true():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.005)

    def transmit(self, client, write, read, base=0):
        """One frame, by a ring at RING of the memory that write() and read() reach."""
        write(BUFFER, FRAME)
        write(RING, struct.pack("<QHBBBBH", base + BUFFER, len(FRAME), 0, 0x0B, 0, 0, 0))
        client.write(0, TCTL, 0, 4)
        for offset, value in ((TDBAL, (base + RING) & 0xFFFFFFFF), (TDBAH, (base + RING) >> 32),
                              (TDLEN, 128), (TDH, 0), (TDT, 0), (TCTL, 0x10A)):
            client.write(0, offset, value)
        client.write(0, TDT, 1, posted=True)
        self.wait_for(lambda: self.look(client, read), "the descriptor is not done")
        self.assertEqual(self.host.recv(2048)[:len(FRAME)], FRAME)

    def look(self, client, read):
        client.serve_for(0.01)
        return read(RING + 12, 1)[0] & 1

    def shared(self, memory):
        def write(at, data):
            memory.bytes[at:at + len(data)] = data

        def read(at, size):
            return memory.bytes[at:at + size]
        return write, read

    def ready(self, base=0):
        """A client with a megabyte of shared memory, link up."""
        client = self.client()
        memory = self.memory()
        client.map(base, memory.size, memory)
        self.enable(client)
        return client, memory


class Identity(Door):
    def test_what_it_is(self):
        self.start()
        client = self.client()
        self.assertEqual(client.capabilities["max_msg_fds"], 8)
        _, flags, regions, irqs = client.info()
        self.assertEqual((flags, regions, irqs), (3, 9, 5))
        self.assertEqual([client.region(i)[1] for i in range(9)],
                         [0x20000, 0, 8, 0, 0, 0, 0, 256, 0])
        self.assertEqual(client.irq_info(INTX), (7, 1))
        self.assertEqual(client.irq_info(MSI)[1], 1)
        self.assertEqual([client.irq_info(i)[1] for i in (2, 3, 4)], [0, 1, 1])
        self.assertEqual(client.read(CONFIG, 0), 0x100E8086)
        self.assertEqual(client.read(CONFIG, 0, 256) & 0xFFFFFFFF, 0x100E8086)
        self.assertEqual(client.read(CONFIG, 0x3D, 1), 1)
        report, _ = self.end()
        self.assertEqual((report["app"], report["guests"][0]["clients"]), ("vfio-user", 1))

    def test_base_addresses_are_the_clients(self):
        self.start()
        client = self.client()
        client.write(CONFIG, 4, 7, 2)
        before = client.read(0, STATUS)
        self.assertNotEqual(before, 0xFFFFFFFF)
        client.write(CONFIG, 0x10, 0xFFFFFFFF)
        self.assertEqual(client.read(CONFIG, 0x10), 0xFFFE0000)
        client.write(CONFIG, 0x18, 0xFFFFFFFF)
        self.assertEqual(client.read(CONFIG, 0x18), 0xFFFFFFF9)
        client.write(CONFIG, 0x10, 0x12340000)
        self.assertEqual(client.read(CONFIG, 0x10), 0x12340000)
        self.assertEqual(client.read(0, STATUS), before, "the registers have moved")
        client.write(2, 0, CTRL)
        self.assertEqual(client.read(2, 4), client.read(0, CTRL))
        self.end()

    def test_registers_survive_sleep(self):
        """Leaving D3 clears the function's base addresses."""
        self.start()
        client = self.client()
        client.write(CONFIG, 4, 6, 2)
        pm = client.read(CONFIG, 0x34, 1)
        client.write(CONFIG, pm + 4, 3, 2)
        client.write(CONFIG, pm + 4, 0, 2)
        client.write(CONFIG, 4, 6, 2)
        self.assertNotEqual(client.read(0, STATUS), 0xFFFFFFFF)
        self.end()

    def test_a_magic_packet_wakes(self):
        """As Linux suspends: wake-up is enabled, bus mastering is given up, then comes D3hot."""
        self.start("--nic", "mac=52:54:00:12:34:56")
        magic = b"\xff" * 6 + bytes.fromhex("525400aabbcc 88b5") + b"\xff" * 6 + bytes.fromhex("525400123456") * 16
        client = self.client()
        pm = client.read(CONFIG, 0x34, 1)
        for state in (0, 3):
            with self.subTest(power_state=f"D{state}"):
                client.write(CONFIG, 4, 2, 2)
                self.wait_for(lambda: client.read(0, STATUS) & 2, "no link")
                client.write(0, RCTL, 0x8002)  # on, and takes broadcasts
                client.write(0, WUC, 2)  # PME_En
                client.write(0, WUFC, 2)  # MAG
                client.write(CONFIG, pm + 4, 0x100 | state, 2)
                self.host.sendto(FRAME, self.path("nic"))
                time.sleep(0.1)
                self.assertEqual(client.read(CONFIG, pm + 4, 2) & 0x8103, 0x100 | state, "any frame wakes")
                self.host.sendto(magic, self.path("nic"))
                self.wait_for(lambda: client.read(CONFIG, pm + 4, 2) & 0x8000, "a magic packet does not wake")
                client.write(CONFIG, pm + 4, 0x8000, 2)
                self.assertEqual(client.read(CONFIG, pm + 4, 2) & 0x8103, 0)
                client.write(CONFIG, 4, 2, 2)
                client.write(0, WUS, 0xFFFFFFFF)
        self.end()

    def test_without_decoding_nobody_answers(self):
        self.start()
        self.assertEqual(self.client().read(0, STATUS), 0xFFFFFFFF)
        self.end()

    def test_command_bit_10_is_stored_and_obeyed(self):
        self.start()
        client = self.client()
        trigger = self.eventfd()
        client.set_irqs(INTX, DATA_EVENTFD | TRIGGER, fds=(trigger,))
        client.write(CONFIG, 4, 0x406, 2)
        self.assertEqual(client.read(CONFIG, 4, 2), 0x406)
        client.write(0, IMS, 4)
        client.write(0, ICS, 4)
        client.read(0, STATUS)
        self.assertFalse(select.select([trigger], [], [], 0.05)[0], "disabled, but signalled")
        client.write(CONFIG, 4, 6, 2)
        self.assertTrue(select.select([trigger], [], [], 10)[0])
        client.call(RESET)
        self.assertEqual(client.read(CONFIG, 4, 2), 0)
        self.end()

    def test_semaphore_of_later_parts_is_stored(self):
        self.start()
        client = self.client()
        client.write(CONFIG, 4, 6, 2)
        client.write(0, SWSM, 0xFFFFFFFF)
        self.assertEqual(client.read(0, SWSM), 3)
        client.write(0, SWSM, 0)
        self.assertEqual(client.read(0, SWSM), 0)
        self.end()

    def test_expansion_rom_is_the_flash(self):
        image = bytes(random.Random(1).randrange(256) for _ in range(65536))
        with open(self.path("flash"), "wb") as file:
            file.write(image)
        self.start("--nic", f"part=82545em,flash={self.path('flash')}")
        client = self.client()
        flags, size = client.region(ROM)
        self.assertEqual((flags, size), (1, 65536))
        client.write(CONFIG, 0x30, 0xFFFFF800)
        self.assertEqual(client.read(CONFIG, 0x30), 0xFFFF0000)
        client.write(CONFIG, 4, 6, 2)
        self.assertEqual(client.read(ROM, 0, 4096), int.from_bytes(image[:4096], "little"))
        with self.assertRaises(Refused):
            client.write(ROM, 0, 0)
        self.end()

    def test_refusals(self):
        self.start()
        client = self.client()
        for body in (struct.pack("<QII", 0, 9, 4), struct.pack("<QII", 0x1FFFE, 0, 4),
                     struct.pack("<QII", (1 << 64) - 2, 0, 4), struct.pack("<QII", 0, 0, 0)):
            with self.assertRaises(Refused) as refused:
                client.call(REGION_READ, body)
            self.assertEqual(refused.exception.args, (errno.EINVAL,))
        with self.assertRaises(Refused):
            client.call(6, struct.pack("<IIII", 16, 0, 1, 0))
        with self.assertRaises(Refused) as refused:
            client.call(99)
        self.assertEqual(refused.exception.args, (errno.EINVAL,))
        self.assertEqual(client.read(CONFIG, 0), 0x100E8086, "it must go on")
        report, _ = self.end()
        self.assertEqual(report["guests"][0]["refused"], 6)


class Memories(Door):
    def test_transmits_from_shared_memory(self):
        self.start()
        client, memory = self.ready()
        self.transmit(client, *self.shared(memory))
        report, _ = self.end()
        self.assertEqual(report["guests"][0]["dma_messages"], 0)
        self.assertEqual(report["pci"]["master_aborts"], 0)

    def test_above_4_gib(self):
        self.start()
        base = 5 << 30
        client, memory = self.ready(base)
        self.transmit(client, *self.shared(memory), base=base)
        self.end()

    def test_pieces_of_one_file(self):
        """The ring in one piece, the data in another, elsewhere in the file."""
        self.start()
        client = self.client()
        memory = self.memory()
        client.map(0, 0x2000, memory, offset=0x40000)
        client.map(0x8000, 0x1000, memory, offset=0x20000, flags=READABLE)
        self.enable(client)
        places = {RING: 0x40000, BUFFER: 0x20000 - 0x8000}

        def at(address):
            return address + places[RING if address < 0x2000 else BUFFER]

        def write(address, data):
            memory.bytes[at(address):at(address) + len(data)] = data
        self.transmit(client, write, lambda a, n: memory.bytes[at(a):at(a) + n])
        self.end()

    def test_by_messages(self):
        self.start()
        client = self.client()
        client.private = bytearray(1 << 20)
        client.map(0, 1 << 20)
        self.enable(client)

        def write(at, data):
            client.private[at:at + len(data)] = data
        self.transmit(client, write, lambda a, n: client.private[a:a + n])
        self.assertGreaterEqual(client.asked, 3)
        report, _ = self.end()
        self.assertEqual(report["guests"][0]["dma_messages"], client.asked)

    def test_unmapped_memory_is_a_master_abort(self):
        self.start()
        client, memory = self.ready()
        client.unmap(0, memory.size)
        client.write(0, TDBAL, RING)
        client.write(0, TDLEN, 128)
        client.write(0, TCTL, 0x10A)
        client.write(0, TDT, 1)
        self.wait_for(lambda: client.read(CONFIG, 6, 2) & 0x2000, "no master abort")
        report, _ = self.end()
        self.assertGreater(report["pci"]["master_aborts"], 0)

    def test_read_only_memory_is_not_written(self):
        self.start()
        client = self.client()
        memory = self.memory()
        client.map(0, memory.size, memory, flags=READABLE)
        self.enable(client)
        memory.bytes[BUFFER:BUFFER + len(FRAME)] = FRAME
        descriptor = struct.pack("<QHBBBBH", BUFFER, len(FRAME), 0, 0x0B, 0, 0, 0)
        memory.bytes[RING:RING + 16] = descriptor
        for offset, value in ((TDBAL, RING), (TDLEN, 128), (TCTL, 0x10A), (TDT, 1)):
            client.write(0, offset, value)
        self.assertEqual(self.host.recv(2048)[:len(FRAME)], FRAME)
        self.wait_for(lambda: client.read(CONFIG, 6, 2) & 0x2000, "no master abort")
        self.assertEqual(memory.bytes[RING:RING + 16], descriptor)
        self.end()

    def test_maps_that_cannot_be(self):
        self.start()
        client = self.client()
        memory = self.memory()
        client.map(0, 0x10000, memory)
        pipe = os.pipe()
        for fd in pipe:
            self.addCleanup(os.close, fd)
        for arguments in ((0x8000, 0x1000, memory), (0x20000, 2 << 20, memory),
                          (0x20000, 0x1000, memory, 1 << 20), (0x20000, 0, memory),
                          ((1 << 64) - 0x1000, 0x2000, memory),
                          (0x20000, 0x1000, memory, 0, 0)):
            with self.assertRaises(Refused, msg=arguments):
                client.map(*arguments)
        with self.assertRaises(Refused):
            client.call(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, 0x20000, 0x1000), pipe[:1])
        with self.assertRaises(Refused):
            client.unmap(0x1000, 0x1000)
        with self.assertRaises(Refused):
            client.unmap(0x100000, 0x1000)
        client.unmap(0, 0x10000)
        client.map(0, 0x10000, memory)
        client.unmap(0, 0, flags=2)
        self.end()

    def test_a_file_cut_short_under_the_device(self):
        self.start()
        client, memory = self.ready()
        os.ftruncate(memory.fd, 0)
        with self.assertRaises((ConnectionError, OSError)):
            for offset, value in ((TDBAL, RING), (TDLEN, 128), (TCTL, 0x10A), (TDT, 1)):
                client.write(0, offset, value)
            for _ in range(1000):
                client.read(0, STATUS)
                time.sleep(0.005)
        self.assertEqual(self.client().read(CONFIG, 0), 0x100E8086)
        report, err = self.end()
        self.assertIn("cut its memory file short", err)
        self.assertEqual(report["guests"][0]["dropped"], 1)

    def test_maps_and_unmaps_under_dma(self):
        """A transmitter that runs through a ring for ever while its memory comes and goes."""
        self.start()
        client, memory = self.ready()
        write, _ = self.shared(memory)
        write(BUFFER, FRAME)
        for i in range(8):
            write(RING + 16 * i, struct.pack("<QHBBBBH", BUFFER, 64, 0, 0x0B, 0, 0, 0))
        for offset, value in ((TDBAL, RING), (TDLEN, 128), (TCTL, 0x10A)):
            client.write(0, offset, value)
        tail = 0
        for i in range(300):
            tail = (tail + 3) % 8
            client.write(0, TDT, tail, posted=True)
            client.unmap(0, memory.size)
            client.map(0, memory.size, memory)
        self.assertEqual(client.read(CONFIG, 0), 0x100E8086)
        self.end()


class Interrupts(Door):
    def test_a_level_is_signalled_once_until_it_is_unmasked(self):
        self.start()
        client, _ = self.ready()
        trigger = self.eventfd()
        client.set_irqs(INTX, DATA_EVENTFD | TRIGGER, fds=(trigger,))
        client.write(0, IMS, 4)
        client.write(0, ICS, 4)
        self.assertTrue(select.select([trigger], [], [], 10)[0])
        self.assertEqual(os.eventfd_read(trigger), 1)
        client.write(0, ICS, 4)
        client.read(0, STATUS)
        self.assertFalse(select.select([trigger], [], [], 0.05)[0], "masked, but signalled")
        client.set_irqs(INTX, DATA_NONE | UNMASK)
        self.assertTrue(select.select([trigger], [], [], 10)[0], "the level is still high")
        os.eventfd_read(trigger)
        client.read(0, ICR)
        client.set_irqs(INTX, DATA_NONE | UNMASK)
        self.assertFalse(select.select([trigger], [], [], 0.05)[0])
        report, _ = self.end()
        self.assertEqual(report["guests"][0]["intx_signals"], 2)

    def test_unmasked_by_an_eventfd(self):
        self.start()
        client, _ = self.ready()
        trigger, unmask = self.eventfd(), self.eventfd()
        client.set_irqs(INTX, DATA_EVENTFD | TRIGGER, fds=(trigger,))
        client.set_irqs(INTX, DATA_EVENTFD | UNMASK, fds=(unmask,))
        client.write(0, IMS, 4)
        client.write(0, ICS, 4)
        for _ in range(3):
            self.assertTrue(select.select([trigger], [], [], 10)[0])
            os.eventfd_read(trigger)
            os.eventfd_write(unmask, 1)
        self.end()

    def test_messages(self):
        self.start()
        client, _ = self.ready()
        capability = client.read(CONFIG, 0x34, 1)
        while client.read(CONFIG, capability, 1) != 5:
            capability = client.read(CONFIG, capability + 1, 1)
            self.assertNotEqual(capability, 0)
        trigger = self.eventfd()
        client.write(CONFIG, capability + 4, 0xFEE00000)
        client.write(CONFIG, capability + 8, 0)
        client.write(CONFIG, capability + 12, 0x4041, 2)
        client.write(CONFIG, capability + 2, 0x81, 2)
        client.set_irqs(MSI, DATA_EVENTFD | TRIGGER, fds=(trigger,))
        client.write(0, IMS, 4)
        client.write(0, ICS, 4)
        self.assertTrue(select.select([trigger], [], [], 10)[0])
        self.assertEqual(os.eventfd_read(trigger), 1)
        client.set_irqs(MSI, DATA_NONE | TRIGGER, count=0)
        report, _ = self.end()
        self.assertEqual(report["guests"][0]["msi_signals"], 1)

    def test_only_eventfds(self):
        self.start()
        client = self.client()
        pipe = os.pipe()
        for fd in pipe:
            self.addCleanup(os.close, fd)
        with self.assertRaises(Refused):
            client.set_irqs(INTX, DATA_EVENTFD | TRIGGER, fds=pipe[1:])
        self.end()


class Reach:
    """What a VirtioNetDriver needs, by a client and its shared memory."""

    def __init__(self, client, memory):
        self.client, self.memory = client, memory
        self.read, self.write = client.read, client.write

    def config_read(self, offset, size):
        return self.client.read(CONFIG, offset, size)

    def config_write(self, offset, value, size):
        self.client.write(CONFIG, offset, value, size)

    def load(self, address, size):
        return self.memory.bytes[address:address + size]

    def store(self, address, data):
        self.memory.bytes[address:address + len(data)] = data


class MessagesOfVectors(Door):
    """MSI-X, as QEMU uses it: it keeps the guest's table, and the door hears of eventfds."""

    def ready_driver(self):
        self.start("--nic", "model=virtio-net")
        client = self.client()
        memory = self.memory()
        client.map(0, memory.size, memory)
        driver = VirtioNetDriver(Reach(client, memory), 0x10000)
        driver.start(vectors=(1, 2), config_vector=0)
        self.wait_for(driver.link_up, "no link")
        return client, driver

    def test_each_queue_has_its_eventfd(self):
        client, driver = self.ready_driver()
        flags, count = client.irq_info(MSIX)
        self.assertEqual((flags & 1, count >= 3), (1, True), (flags, count))
        events = [self.eventfd() for _ in range(3)]
        client.write(CONFIG, driver.capability(0x11) + 2, 0x8000, 2)
        client.set_irqs(MSIX, DATA_EVENTFD | TRIGGER, count=3, fds=events)
        driver.transmit(FRAME)
        self.assertEqual(self.host.recv(2048)[:len(FRAME)], FRAME)
        self.assertEqual(select.select(events, [], [], 20)[0], [events[2]])
        self.assertEqual(os.eventfd_read(events[2]), 1)
        self.assertIsNotNone(driver.reap(TX))
        driver.offer()
        self.host.sendto(FRAME, self.path("nic"))
        self.assertEqual(select.select(events, [], [], 20)[0], [events[1]])
        self.assertEqual(os.eventfd_read(events[1]), 1)
        self.assertEqual(driver.reap(RX)[HEADER:HEADER + len(FRAME)], FRAME)
        client.set_irqs(MSIX, DATA_NONE | TRIGGER, count=0)
        report, err = self.end()
        guest = report["guests"][0]
        self.assertEqual((guest["msix_signals"], guest["msi_signals"], guest["intx_signals"], err), (2, 0, 0, ""))

    def test_what_has_no_eventfd_is_pending(self):
        client, driver = self.ready_driver()
        client.write(CONFIG, driver.capability(0x11) + 2, 0x8000, 2)
        event = self.eventfd()
        client.set_irqs(MSIX, DATA_EVENTFD | TRIGGER, count=1)  # as QEMU has it enabled without any
        driver.transmit(FRAME)
        self.wait_for(lambda: client.read(1, PENDING) == 1 << 2, "it is not pending")
        client.set_irqs(MSIX, DATA_EVENTFD | TRIGGER, fds=[event], start=2)
        self.assertTrue(select.select([event], [], [], 20)[0])
        self.assertEqual((os.eventfd_read(event), client.read(1, PENDING)), (1, 0))
        self.end()

    def test_nonsense_is_refused(self):
        client, driver = self.ready_driver()
        count = client.irq_info(MSIX)[1]
        event = self.eventfd()
        for start, many, fds in ((count, 1, [event]), (0, count + 1, []), (1, 0xFFFFFFFF, []), (0, 2, [event])):
            with self.assertRaises(Refused):
                client.set_irqs(MSIX, DATA_EVENTFD | TRIGGER, count=many, fds=fds, start=start)
        self.assertEqual(client.read(CONFIG, 0), 0x10411AF4)
        report, _ = self.end()
        self.assertEqual(report["guests"][0]["refused"], 4)

    def test_a_reset_leaves_nothing_open(self):
        client, driver = self.ready_driver()
        event = self.eventfd()
        client.write(CONFIG, driver.capability(0x11) + 2, 0x8000, 2)
        client.set_irqs(MSIX, DATA_EVENTFD | TRIGGER, fds=[event], start=2)
        client.call(RESET)
        self.assertEqual(client.read(CONFIG, driver.capability(0x11) + 2, 2) & 0x8000, 0)
        driver = VirtioNetDriver(driver.device, 0x40000)
        driver.start(vectors=(1, 2))
        client.write(CONFIG, driver.capability(0x11) + 2, 0x8000, 2)
        self.wait_for(driver.link_up, "no link")
        driver.transmit(FRAME)  # the eventfd is still there: so is the vector
        self.assertTrue(select.select([event], [], [], 20)[0])
        self.end()


class Order(Door):
    def test_posted_writes_come_before_the_read(self):
        self.start()
        client, _ = self.ready()
        for value in range(200):
            client.write(0, 0x5200, value, posted=True)
        self.assertEqual(client.read(0, 0x5200), 199)
        self.end()

    def test_several_writes_in_a_message(self):
        self.start()
        client, _ = self.ready()
        body = struct.pack("<Q", 3)
        for i in range(3):
            body += struct.pack("<QIIQ", 0x5200 + 4 * i, 0, 4, 0x100 + i)
        self.assertEqual(client.call(WRITE_MULTI, body), struct.pack("<Q", 3))
        self.assertEqual([client.read(0, 0x5200 + 4 * i) for i in range(3)], [0x100, 0x101, 0x102])
        self.end()


class Clients(Door):
    def test_one_after_the_other(self):
        self.start()
        for _ in range(20):
            client, memory = self.ready_quickly()
            client.write(0, TDT, 1, posted=True)
            client.close()  # in the middle of it
        client = self.client()
        self.assertEqual(client.read(CONFIG, 4, 2), 0, "the device is not reset")
        client, memory = (client, self.memory())
        client.map(0, memory.size, memory)
        self.enable(client)
        self.transmit(client, *self.shared(memory))
        report, err = self.end()
        self.assertEqual((report["guests"][0]["clients"], err), (21, ""))

    def ready_quickly(self):
        client = self.client()
        memory = self.memory()
        client.map(0, memory.size, memory)
        client.write(CONFIG, 4, 6, 2)
        for offset, value in ((TDBAL, RING), (TDLEN, 128), (TCTL, 0x10A)):
            client.write(0, offset, value)
        return client, memory

    def test_that_dies_with_its_answers_outstanding(self):
        self.start()
        for _ in range(5):
            child = os.fork()
            if child == 0:
                try:
                    client, memory = self.ready_quickly()
                    client.map(1 << 30, 1 << 20)  # without a descriptor
                    client.write(0, TDBAL, 1 << 30)
                    client.socket.setblocking(False)
                    client.send(REGION_WRITE, struct.pack("<QIII", TDT, 0, 4, 2))
                    for i in range(1000):
                        client.send(REGION_READ, struct.pack("<QII", 8, 0, 4))
                finally:
                    os.kill(os.getpid(), signal.SIGKILL)
            os.waitpid(child, 0)
        self.assertEqual(self.client().read(CONFIG, 0), 0x100E8086)
        self.end()

    def test_ends_with_the_first(self):
        self.start(option=",keep=off")
        client = self.client()
        client.read(CONFIG, 0)
        client.close()
        out, err = self.process.communicate(timeout=30)
        self.assertEqual(self.process.returncode, 0, err)
        self.assertEqual(json.loads(out)["ended_by"], "client")

    def test_that_know_no_manners(self):
        self.start()
        hello = struct.pack("<HHIIIHH", 1, 1, 22, 0, 0, 0, 1) + b"{}"
        start = struct.pack("<HHIIIHH", 1, 1, 23, 0, 0, 0, 1) + b"{}\0"
        unmannerly = (b"GET / HTTP/1.1\r\n\r\n", b"\0" * 64, b"\xff" * 64, hello,
                      struct.pack("<HHIII", 1, 4, 16, 0, 0),
                      struct.pack("<HHIIIHH", 1, 1, 20, 0, 0, 1, 0),
                      start + struct.pack("<HHIII", 2, 13, 16, 1, 0),
                      start + struct.pack("<HHIII", 2, 13, 1 << 31, 0, 0))
        for data in unmannerly:
            client = self.client(negotiate=False)
            client.socket.sendall(data)
            with self.assertRaises((ConnectionError, OSError), msg=data):
                while True:
                    client.receive()
            client.close()
        self.assertEqual(self.client().read(CONFIG, 0), 0x100E8086)
        report, err = self.end()
        self.assertEqual(report["guests"][0]["dropped"], len(unmannerly))
        self.assertEqual(err.count("vfio-user client dropped"), len(unmannerly), err)

    def test_descriptors_are_bounded_and_closed(self):
        self.start()
        client = self.client()
        client.read(CONFIG, 0)
        before = self.descriptors()
        client.close()
        for _ in range(10):
            client = self.client()
            memory = self.memory()
            try:
                client.call(RESET, fds=(memory.fd,) * 8)
            except (ConnectionError, OSError):
                pass
            client.close()
        self.client().read(CONFIG, 0)
        self.wait_for(lambda: self.descriptors() <= before, "descriptors leak")
        self.end()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def test_random_messages(self):
        """Headers that are well formed, bodies that are not; the simulator must serve the next."""
        self.start()
        random_numbers = random.Random(7)
        for _ in range(60):
            client = self.client()
            try:
                for _ in range(20):
                    size = random_numbers.choice((0, 4, 16, 20, 24, 32, 40, 100))
                    body = bytes(random_numbers.choice((0, 1, 2, 4, 8, 0xFF)) for _ in range(size))
                    client.send(random_numbers.randrange(0, 18), body,
                                flags=random_numbers.choice((0, 0, 0, 0x10)))
                client.socket.shutdown(socket.SHUT_WR)
                while True:
                    client.receive()
            except (ConnectionError, OSError):
                pass
            client.close()
        self.assertEqual(self.client().read(CONFIG, 0), 0x100E8086)
        self.end()

    def test_two_guests_on_a_switch(self):
        other = self.path("other.sock")
        self.start("--link", "switch:lan", "--link", "switch:lan", "--vfio-user",
                   f"unix:{other},nic=1", "--on-switch",
                   f"lan=pcap:out={self.path('lan.pcapng')}", links=False)
        first, memory = self.ready()
        second = VfioUserClient(self, other)
        theirs = self.memory()
        second.map(0, theirs.size, theirs)
        self.enable(second)
        for i in range(8):
            theirs.bytes[RING + 16 * i:RING + 16 * i + 8] = struct.pack("<Q", BUFFER + 2048 * i)
        for offset, value in ((RDBAL, RING), (RDLEN, 128), (RDT, 7), (RCTL, 0x801A)):
            second.write(0, offset, value)
        memory.bytes[BUFFER:BUFFER + len(FRAME)] = FRAME
        memory.bytes[RING:RING + 16] = struct.pack("<QHBBBBH", BUFFER, len(FRAME), 0, 0x0B, 0, 0, 0)
        for offset, value in ((TDBAL, RING), (TDLEN, 128), (TCTL, 0x10A), (TDT, 1)):
            first.write(0, offset, value)
        self.wait_for(lambda: theirs.bytes[RING + 12] & 1, "nothing came")
        self.assertEqual(theirs.bytes[BUFFER:BUFFER + len(FRAME)], FRAME)
        self.end()


class Usage(Door):
    def refused(self, *arguments):
        result = support.sim(*arguments)
        self.assertEqual(result.returncode, 2, result.stderr)
        return result.stderr

    def test_options(self):
        path = self.path("nic.sock")
        door = ("--vfio-user", f"unix:{path}")
        self.assertIn("unix:PATH", self.refused("--vfio-user", "tcp:1234"))
        self.assertIn("known are nic, keep, busy", self.refused("--vfio-user", f"unix:{path},a=b"))
        self.assertIn("no such adapter", self.refused("--vfio-user", f"unix:{path},nic=1"))
        self.assertIn("none leads to adapter 1", self.refused(*door, "--nic", "part=82540em",
                                                              "--nic", "part=82540em"))
        self.assertIn("--app", self.refused(*door, "--app", "sink"))
        self.assertIn("factor", self.refused("--pace", "fast"))
        self.assertFalse(os.path.exists(path))

    def test_socket_in_use(self):
        self.start(links=False)
        self.client()
        self.assertIn("in use", self.refused("--vfio-user", f"unix:{self.address}"))
        self.end()

    def test_stale_socket_is_replaced(self):
        stale = socket.socket(socket.AF_UNIX)
        stale.bind(self.path("nic.sock"))
        stale.close()
        self.start(links=False)
        self.wait_for(lambda: os.path.exists(self.address), "no socket")
        self.client().read(CONFIG, 0)
        self.end()

    def test_an_idle_door_sleeps(self):
        self.start(links=False)
        self.client().read(CONFIG, 0)
        time.sleep(2)
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        self.end()
        self.assertLess(used, 1, "seconds of processor time in two")

    def test_pace(self):
        self.start("--pace", "10", links=False)
        client = self.client()
        client.read(CONFIG, 0)
        time.sleep(0.5)
        report, _ = self.end()
        self.assertGreater(report["simulated_s"], 2 * report["wall_s"])


if __name__ == "__main__":
    if not hasattr(os, "eventfd"):
        print("this Python has no eventfd (3.10 has)")
        sys.exit(support.SKIP)
    support.main()
