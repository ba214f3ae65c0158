"""The door for User-Mode Linux: a guest of a few lines drives the adapter in simulated time."""

import json
import os
import signal
import struct
import time

import support
from support import Scenario, start_sim
from uml_client import (ALL_ONES, BASE, FOREVER, MESSAGE, READ, REQUEST, RUN, SET_MEM_TABLE, SET_PROTOCOL, SIZE,
                        VRING_KICK, WAIT, WRITE, Gone, UmlGuest)
from virtio_net_driver import ENABLE, HEADER, MSIX, PENDING, RX, TX, VirtioNetDriver

CTRL, CTRL_DUP, STATUS, ICR, ICS, IMS = 0x0, 0x4, 0x8, 0xC0, 0xC8, 0xD0
RCTL, TCTL, TDBAL, TDBAH, TDLEN, TDH, TDT = 0x100, 0x400, 0x3800, 0x3804, 0x3808, 0x3810, 0x3818
RESET, LSC, TXDW = 1 << 26, 4, 1
MS = 1_000_000
FRAME = b"\xff" * 6 + bytes.fromhex("525400123456 88b5") + b"in simulated time" * 8


class Door(Scenario):
    travels = True

    def start(self, *arguments, guests=1, links=("null",), nic="part=82545gm"):
        wall = "" if self.travels else ",time=wall"
        words = [word for i in range(guests) for word in ("--uml", f"unix:{self.path(f'nic{i}')},nic={i}{wall}")]
        if guests > 1:
            words += [word for _ in range(guests) for word in ("--nic", nic)]
        else:
            words += ["--nic", nic]
        for link in links:
            words += ["--link", link]
        self.process = start_sim(self, *words, "--json", "-", *arguments)
        self.sockets = [self.path(f"nic{i}") + end for i in range(guests)
                        for end in (["", ".time"] if self.travels else [""])]
        deadline = time.monotonic() + 30
        while not all(map(os.path.exists, self.sockets)):
            self.assertIsNone(self.process.poll(), "the simulator has ended")
            self.assertLess(time.monotonic(), deadline, "no socket")
            time.sleep(0.01)

    def guest(self, number=0):
        guest = UmlGuest(self.path(f"nic{number}"), self.travels)
        self.addCleanup(guest.close)
        return guest

    def ended(self, status=0):
        """The report, and what was said on standard error."""
        out, err = self.process.communicate(timeout=60)
        self.assertEqual(self.process.returncode, status, err)
        for path in self.sockets:
            self.assertFalse(os.path.exists(path), f"{path} is left over")
        return json.loads(out), err

    def enable(self, guest):
        guest.config_write(4, 6, 2)
        guest.write(CTRL, 1 << 6)
        if self.travels:
            for _ in range(300):
                if guest.read(STATUS) & 2:
                    return
                guest.go_to(guest.now + 10 * MS)
            self.fail("no link")
        deadline = time.monotonic() + 30
        while not guest.read(STATUS) & 2:
            self.assertLess(time.monotonic(), deadline, "no link")
            time.sleep(0.02)

    def transmit(self, guest, base=BASE):
        ring, buffer = base + 0x20000, base + 0x30000
        if base == BASE:
            guest.memory.write(buffer, FRAME)
            guest.memory.write(ring, struct.pack("<QHBBBBH", buffer, len(FRAME), 0, 0x0B, 0, 0, 0))
        for offset, value in ((TCTL, 0), (TDBAL, ring), (TDBAH, 0), (TDLEN, 128), (TDH, 0), (TDT, 0),
                              (TCTL, 0x10A), (TDT, 1)):
            guest.write(offset, value)
        return ring


class Device(Door):
    def test_configuration_and_registers(self):
        self.start()
        guest = self.guest().boot()
        self.assertEqual(guest.config_read(0), 0x10268086)
        self.assertEqual(guest.config_read(0x3D, 1), 1)
        guest.config_write(0x10, 0xFFFFFFFF)
        size = ~(guest.config_read(0x10) & ~15) + 1 & 0xFFFFFFFF
        self.assertEqual(size, 0x20000)
        guest.config_write(0x10, 0xF0000000)
        self.assertEqual(guest.config_read(0x10) & ~15, 0xF0000000)
        guest.config_write(0x3C, 64, 1)
        self.assertEqual(guest.config_read(0x3C, 1), 64)
        guest.config_write(4, 6, 2)
        guest.write(0x28, 0xC28001)
        self.assertEqual(guest.read(0x28), 0xC28001)
        self.assertEqual(int.from_bytes(guest.command(READ, 0, STATUS, 8, room=8)[:4], "little"),
                         guest.read(STATUS))
        self.assertEqual(guest.command(READ, 0, 0x20000, 4, room=4), b"\xff" * 4)
        guest.say_goodbye()
        report, err = self.ended()
        self.assertEqual((report["app"], report["ended_by"], err), ("uml", "client", ""))
        self.assertEqual(report["guests"][0]["clients"], 1)

    def test_reset_through_the_shadow_of_ctrl(self):
        self.start()
        guest = self.guest().boot()
        guest.config_write(4, 6, 2)
        guest.write(RCTL, 0x8002)
        guest.write(IMS, LSC)
        self.assertEqual((guest.read(RCTL), guest.read(IMS) & LSC), (0x8002, LSC))
        guest.write(CTRL_DUP, guest.read(CTRL) | RESET)
        guest.go_to(guest.now + 5 * MS)
        self.assertEqual((guest.read(RCTL), guest.read(IMS), guest.read(CTRL) & RESET), (0, 0, 0))
        guest.say_goodbye()
        self.ended()

    def test_dma_reaches_the_guests_memory_and_nothing_below(self):
        self.start()
        guest = self.guest().boot()
        self.enable(guest)
        ring = self.transmit(guest)
        guest.go_to(guest.now + MS)
        self.assertEqual(guest.memory.read(ring + 12, 1)[0] & 1, 1, "the descriptor is not done")
        self.assertEqual(guest.read(0x40D4), 1)
        self.transmit(guest, BASE - 0x100000)  # below the region: the kernel's own image
        guest.go_to(guest.now + MS)
        guest.say_goodbye()
        report, _ = self.ended()
        self.assertGreater(report["pci"]["master_aborts"], 0)
        self.assertEqual(report["nics"][0]["wire_out"]["frames"], 1)

    def test_commands_that_make_no_sense_are_refused_one_by_one(self):
        self.start()
        guest = self.guest().boot()
        self.assertEqual(guest.command(9, 0, 0, 4), b"")
        self.assertEqual(guest.command(READ, 6, 0, 4, room=4), b"")
        self.assertEqual(guest.command(READ, 0, 8, 4), b"")  # no room for an answer
        self.assertEqual(guest.config_read(0), 0x10268086)
        guest.say_goodbye()
        report, _ = self.ended()
        self.assertEqual(report["guests"][0]["refused"], 3)
        self.assertTrue(any("unknown kind 9" in text for text in report["warnings"]), report["warnings"])


class Interrupts(Door):
    def test_each_rise_of_the_line_is_a_message(self):
        self.start()
        guest = self.guest().boot()
        guest.config_write(4, 6, 2)
        guest.write(IMS, LSC)
        guest.write(ICS, LSC)
        before = guest.now
        guest.wait_until(guest.now + 10 * MS)
        self.assertEqual(len(guest.interrupts), 1)
        self.assertLess(guest.interrupts[0], before + 10_000)
        guest.write(ICS, LSC)  # up already
        self.assertEqual(guest.read(ICR) & LSC, LSC)
        guest.finish_interrupt()
        guest.wait_until(guest.now + MS)
        self.assertEqual(len(guest.interrupts), 1)
        guest.write(ICS, LSC)
        guest.wait_until(guest.now + MS)
        self.assertEqual(len(guest.interrupts), 2)
        guest.read(ICR)
        guest.finish_interrupt()
        guest.say_goodbye()
        self.ended()

    def test_a_line_that_is_still_up_when_the_handler_has_looked_comes_again(self):
        self.start()
        guest = self.guest().boot()
        guest.config_write(4, 6, 2)
        guest.write(IMS, LSC)
        guest.write(ICS, LSC)
        guest.wait_until(guest.now + MS)
        guest.read(STATUS)  # looked, and did not clear the cause
        guest.finish_interrupt()
        guest.wait_until(guest.now + MS)
        self.assertEqual(len(guest.interrupts), 2)
        guest.finish_interrupt()  # looked at nothing: nobody is at home
        guest.wait_until(guest.now + MS)
        self.assertEqual(len(guest.interrupts), 2)
        guest.say_goodbye()
        self.ended()

    def test_a_line_that_went_down_again_is_no_interrupt(self):
        self.start()
        guest = self.guest().boot()
        guest.config_write(4, 6, 2)
        guest.write(IMS, LSC)
        guest.write(ICS, LSC)
        guest.read(ICR)
        guest.wait_until(guest.now + MS)
        self.assertEqual(guest.interrupts, [])
        guest.say_goodbye()
        self.ended()

    def test_an_interrupt_comes_at_its_time(self):
        self.start()
        guest = self.guest().boot()
        self.enable(guest)
        guest.read(ICR)
        guest.write(IMS, TXDW)
        self.transmit(guest)
        before = guest.now
        guest.wait_until(guest.now + 100 * MS)
        self.assertEqual(len(guest.interrupts), 1)
        self.assertTrue(before < guest.interrupts[0] < before + 100_000, guest.interrupts[0] - before)
        self.assertEqual(guest.now, guest.interrupts[0])
        guest.say_goodbye()
        self.ended()


    def test_msi_has_two_bytes_of_data(self):
        self.start()
        guest = self.guest().boot()
        guest.config_write(4, 6, 2)
        at = guest.config_read(0x34, 1)
        while guest.config_read(at, 1) != 5:
            at = guest.config_read(at + 1, 1)
        for offset, value, size in ((4, 0xA0000, 4), (8, 0, 4), (12, 0x4041, 2), (2, 0x81, 2)):
            guest.config_write(at + offset, value, size)
        guest.write(IMS, LSC)
        guest.write(ICS, LSC)
        guest.wait_until(guest.now + MS)
        self.assertEqual(len(guest.interrupts), 1)
        self.assertEqual(guest.irq.memory.read(guest.irq_buffers + 4, 1), b"\2")
        self.assertEqual(guest.take_interrupt(), (MESSAGE, 0xA0000, 0x4041))
        guest.say_goodbye()
        report, _ = self.ended()
        counters = report["guests"][0]
        self.assertEqual((counters["intx_signals"], counters["msi_signals"], counters["msix_signals"]), (0, 1, 0))


class Reach:
    """What a VirtioNetDriver needs, by a guest."""

    def __init__(self, guest):
        self.guest, self.load, self.store = guest, lambda at, size: guest.memory.read(at, size), guest.memory.write
        self.config_read, self.config_write = guest.config_read, guest.config_write

    def read(self, region, offset, size):
        return int.from_bytes(self.guest.command(READ, region, offset, size, room=size), "little")

    def write(self, region, offset, value, size):
        self.guest.command(WRITE, region, offset, size, value.to_bytes(size, "little"))


class VirtioLine(Door):
    def test_a_virtio_net_interrupts_by_its_line_without_messages(self):
        self.start(links=("loopback",), nic="model=virtio-net")
        guest = self.guest().boot()
        self.assertEqual(guest.config_read(0), 0x10411AF4)
        driver = VirtioNetDriver(Reach(guest), BASE + 0x20000)
        driver.start()
        driver.offer()
        driver.offer()
        self.wait(guest)
        driver.transmit(FRAME)
        self.wait(guest)
        self.assertIsNotNone(driver.reap(TX))
        self.assertEqual(driver.reap(RX)[HEADER:], FRAME)
        guest.say_goodbye()
        report, err = self.ended()
        nic, = report["nics"]
        self.assertEqual((nic["part"], err), ("virtio-net", ""))
        self.assertEqual(nic["virtio"]["pairs"][0]["in"]["frames"], 1)
        self.assertGreater(report["guests"][0]["intx_signals"], 0)

    def wait(self, guest):
        end = guest.now + MS
        while guest.now < end:  # interrupts end a wait
            guest.go_to(end)


class MessagesOfVectors(Door):
    """MSI-X, as Linux has it: all messages go to one address, and say which interrupt it is."""
    ADDRESS = 0xA0000
    DATA = (0x40, 0x41, 0x01020342)

    def ready_driver(self, control=ENABLE):
        self.start(nic="model=virtio-net")
        guest = self.guest().boot()
        guest.config_write(4, 6, 2)
        driver = VirtioNetDriver(Reach(guest), BASE + 0x20000)
        driver.enable_messages([(self.ADDRESS, data) for data in self.DATA], control)
        driver.start(vectors=(1, 2), config_vector=0)
        for _ in range(300):
            if driver.link_up():
                break
            guest.go_to(guest.now + 10 * MS)
        else:
            self.fail("no link")
        # The change of the link is a message of the configuration's vector.
        for _ in guest.interrupts:
            self.assertEqual(guest.take_interrupt(), (MESSAGE, self.ADDRESS, self.DATA[0]))
        guest.interrupts.clear()
        return guest, driver

    def test_a_message_comes_at_its_time_and_says_which(self):
        guest, driver = self.ready_driver()
        before = guest.now
        driver.transmit(FRAME)
        guest.wait_until(guest.now + 100 * MS)
        self.assertEqual(len(guest.interrupts), 1)
        self.assertTrue(before < guest.interrupts[0] < before + 100_000, guest.interrupts[0] - before)
        self.assertEqual(guest.take_interrupt(), (MESSAGE, self.ADDRESS, self.DATA[2]))
        self.assertIsNotNone(driver.reap(TX))
        guest.say_goodbye()
        report, err = self.ended()
        counters = report["guests"][0]
        self.assertEqual((counters["intx_signals"], counters["msi_signals"], err), (0, 0, ""))
        self.assertGreaterEqual(counters["msix_signals"], 1)
        self.assertEqual(report["pci"]["master_aborts"], 0)

    def test_masked_messages_are_pending(self):
        guest, driver = self.ready_driver()
        driver.device.write(MSIX, 16 * 2 + 12, 1, 4)
        driver.transmit(FRAME)
        guest.wait_until(guest.now + MS)
        self.assertEqual(guest.interrupts, [])
        self.assertEqual(driver.device.read(MSIX, PENDING, 8), 1 << 2)
        driver.device.write(MSIX, 16 * 2 + 12, 0, 4)
        guest.wait_until(guest.now + MS)
        self.assertEqual(guest.take_interrupt(), (MESSAGE, self.ADDRESS, self.DATA[2]))
        self.assertEqual(driver.device.read(MSIX, PENDING, 8), 0)
        guest.say_goodbye()
        self.ended()

    def test_nothing_is_lost_while_the_guest_gives_no_buffers(self):
        guest, driver = self.ready_driver()
        taken = 0
        for _ in range(30):  # more than there are buffers; none goes back
            driver.transmit(FRAME)
            guest.wait_until(guest.now + MS)
            while driver.reap(TX) is not None:
                taken += 1
        self.assertEqual(taken, 30)
        self.assertLessEqual(len(guest.interrupts), 10)
        guest.interrupts.clear()
        self.assertEqual(guest.take_interrupt()[0], MESSAGE)
        guest.wait_until(guest.now + MS)
        self.assertEqual(len(guest.interrupts), 1, "what waited comes with the next buffer")
        guest.say_goodbye()
        self.ended()


class Time(Door):
    def test_stands_still_while_the_guest_runs_and_jumps_while_it_waits(self):
        self.start()
        guest = self.guest().boot()
        self.assertEqual(guest.calendar, 1_767_225_600 * 10**9)
        guest.wait_until(3600 * 1000 * MS)
        self.assertEqual(guest.now, 3600 * 1000 * MS)
        guest.say_goodbye()
        report, _ = self.ended()
        self.assertGreaterEqual(report["simulated_s"], 3600)
        self.assertLess(report["wall_s"], 60)

    def test_a_guest_goes_alone_up_to_the_next_event(self):
        self.start()
        guest = self.guest().boot()
        self.enable(guest)
        guest.wait_until(guest.now + MS)
        self.assertGreater(guest.free_until, guest.now + MS)  # nothing is planned
        self.transmit(guest)
        self.assertLess(guest.free_until, guest.now + MS)  # now something is
        guest.say_goodbye()
        self.ended()

    def test_guests_run_one_after_the_other_and_never_far_apart(self):
        self.start("--on-switch", "lan=null", guests=2, links=("switch:lan", "switch:lan"))
        first = self.guest(0).boot()
        first.ask(REQUEST, 5 * MS)
        first.running = False
        first.ask(WAIT, ALL_ONES)
        second = self.guest(1).boot()
        second.wait_until(2 * MS)
        self.assertEqual((second.now, first.running), (2 * MS, False))
        self.assertLessEqual(second.free_until, 5 * MS)
        second.ask(REQUEST, 9 * MS)
        second.running = False
        second.ask(WAIT, ALL_ONES)
        while not first.running:
            first.hear()
        self.assertEqual(first.now, 5 * MS)
        first.say_goodbye()
        while not second.running:
            second.hear()
        self.assertEqual(second.now, 9 * MS)
        second.say_goodbye()
        report, _ = self.ended()
        self.assertEqual([guest["clients"] for guest in report["guests"]], [1, 1])

    def test_a_duration_ends_the_run(self):
        self.start("--duration", "20ms")
        guest = self.guest().boot()
        guest.wait_until(10 * MS)
        self.assertLessEqual(guest.free_until, 20 * MS)
        with self.assertRaises((Gone, OSError)):
            guest.wait_until(30 * MS)
        report, _ = self.ended()
        self.assertEqual(report["ended_by"], "duration")

    def trace(self, slow=False):
        """What a run of the same guest is like: times and registers."""
        self.start()
        guest = self.guest().boot()
        seen = []
        self.enable(guest)
        seen.append(guest.now)
        guest.write(IMS, TXDW)
        for _ in range(5):
            self.transmit(guest)
            guest.wait_until(guest.now + MS)
            seen += [guest.now, guest.free_until, guest.read(ICR), guest.read(0x40D4)]
            if slow:
                time.sleep(0.02)
            if guest.irq.reap() is not None:
                guest.irq.seen -= 1
                guest.finish_interrupt()
        guest.say_goodbye()
        report, _ = self.ended()
        return seen, report["simulated_s"]

    def test_does_not_depend_on_how_fast_anything_runs(self):
        self.assertEqual(self.trace(), self.trace(slow=True))


class Trouble(Door):
    def refuse(self, act, why):
        self.start()
        guest = self.guest()
        with self.assertRaises((Gone, OSError)):
            act(guest)
            guest.wait_until(FOREVER - 1)
        report, err = self.ended()
        self.assertIn(why, err)
        self.assertEqual(report["guests"][0]["dropped"], 1)

    def test_a_guest_that_breaks_the_protocol_is_dropped(self):
        def kick_too_early(guest):
            guest.introduce()
            guest.request(VRING_KICK, struct.pack("<II", 0, 0))

        def too_few_features(guest):
            guest.introduce()
            guest.request(SET_PROTOCOL, struct.pack("<Q", 8))

        def ring_outside(guest):
            guest.introduce()
            guest.share()
            guest.commands = None
            guest.request(9, struct.pack("<IIQQQQ", 0, 0, 0x1000, 0x2000, 0x3000, 0))

        def no_such_ring(guest):
            guest.introduce()
            guest.request(VRING_KICK, struct.pack("<II", 2, 0))

        def memory_that_is_too_short(guest):
            guest.introduce()
            table = struct.pack("<II", 1, 0) + struct.pack("<QQQQ", BASE, SIZE + 4096, BASE, BASE) + bytes(32)
            guest.request(SET_MEM_TABLE, table, descriptors=[guest.memory.file.fileno()])

        def impossible_size(guest):
            guest.introduce()
            guest.device.sendall(struct.pack("<III", 1, 1, 1 << 30))
            guest.answer(1)

        def loop(guest):
            guest.boot()
            at = guest.commands.descriptors
            guest.memory.write(at, struct.pack("<QIHH", guest.buffer, 16, 1, 0))
            guest.memory.write(guest.commands.available, struct.pack("<HHH", 0, 1, 0))
            guest.request(VRING_KICK, struct.pack("<II", 0, 0))

        def runs_by_itself(guest):
            guest.boot()
            guest.tell(RUN, 5, 1)

        def goes_back(guest):
            guest.boot()
            guest.wait_until(MS)
            guest.ask(REQUEST, 1)

        for act, why in ((kick_too_early, "ring 0 is not enabled"), (too_few_features, "needs all of"),
                         (ring_outside, "ring 0 is not in memory"), (no_such_ring, "there is no ring 2"),
                         (memory_that_is_too_short, "SET_MEM_TABLE"), (impossible_size, ""),
                         (loop, "longer than its table"), (runs_by_itself, "only a controller"),
                         (goes_back, "that time is over")):
            with self.subTest(act.__name__):
                self.refuse(act, why)

    def test_a_guest_that_dies_ends_the_run_and_the_report_says_so(self):
        self.start()
        guest = self.guest().boot()
        guest.config_write(4, 6, 2)
        guest.close()
        report, _ = self.ended()
        self.assertEqual(report["ended_by"], "client")
        self.assertTrue(any("without letting go" in text for text in report["warnings"]), report["warnings"])

    def test_one_guest_dies_and_the_other_goes_on(self):
        self.start(guests=2, links=("switch:lan", "switch:lan"))
        first = self.guest(0).boot()
        first.ask(REQUEST, 5 * MS)
        first.ask(WAIT, ALL_ONES)
        second = self.guest(1).boot()
        first.close()
        second.wait_until(20 * MS)
        self.assertEqual(second.now, 20 * MS)
        second.say_goodbye()
        self.ended()

    def test_a_signal_ends_it_whatever_the_guest_does(self):
        for act in (lambda guest: None, lambda guest: guest.boot()):
            self.start()
            guest = self.guest()
            act(guest)
            self.process.send_signal(signal.SIGTERM)
            report, _ = self.ended()
            self.assertEqual(report["ended_by"], "signal")

    def test_a_signal_ends_it_before_anybody_has_come(self):
        self.start()
        self.process.send_signal(signal.SIGINT)
        report, _ = self.ended()
        self.assertEqual(report["ended_by"], "signal")


class Wall(Door):
    """Without simulated time in the guest: both keep to the wall clock."""

    travels = False

    def test_registers_dma_and_interrupts(self):
        self.start()
        guest = self.guest().boot()
        self.enable(guest)
        guest.read(ICR)
        guest.write(IMS, TXDW)
        ring = self.transmit(guest)
        guest.take_call()
        self.assertEqual(guest.memory.read(ring + 12, 1)[0] & 1, 1)
        self.assertTrue(guest.read(ICR) & TXDW)
        guest.finish_interrupt()
        guest.say_goodbye()
        report, err = self.ended()
        self.assertEqual((report["ended_by"], err), ("client", ""))
        self.assertEqual(report["guests"][0]["intx_signals"], 1)


    def test_messages_of_vectors(self):
        self.start(nic="model=virtio-net")
        guest = self.guest().boot()
        guest.config_write(4, 6, 2)
        driver = VirtioNetDriver(Reach(guest), BASE + 0x20000)
        driver.enable_messages([(0xA0000, data) for data in (0x40, 0x41, 0x42)])
        driver.start(vectors=(1, 2))
        deadline = time.monotonic() + 30
        while not driver.link_up():
            self.assertLess(time.monotonic(), deadline, "no link")
            time.sleep(0.02)
        driver.transmit(FRAME)
        guest.take_call()
        self.assertEqual(guest.take_interrupt(), (MESSAGE, 0xA0000, 0x42))
        self.assertIsNotNone(driver.reap(TX))
        guest.say_goodbye()
        report, err = self.ended()
        self.assertEqual((report["guests"][0]["msix_signals"], err), (1, ""))


class Options(Door):
    def test_what_does_not_go_together(self):
        for words, why in ((["--uml", "nic"], "expected unix:PATH"),
                           (["--uml", "unix:a,nic=1"], "there is no such adapter"),
                           (["--uml", "unix:a,time=slow"], "expected travel or wall"),
                           (["--uml", "unix:a,speed=1"], "unknown key 'speed'"),
                           (["--uml", "unix:a", "--app", "sink"], "has its own"),
                           (["--uml", "unix:a", "--control", "unix:b"], "own the time"),
                           (["--uml", "unix:a", "--nic", "part=82545gm", "--nic", "part=82545gm"],
                            "none leads to adapter 1"),
                           (["--uml", "unix:a", "--uml", "unix:b,nic=1,time=wall", "--nic", "part=82545gm",
                             "--nic", "part=82545gm"], "for all guests or for none"),
                           (["--uml", "unix:/no/such/folder/a"], "/no/such/folder/a")):
            result = support.sim(*words)
            self.assertEqual(result.returncode, 2, words)
            self.assertIn(why, result.stderr)


if __name__ == "__main__":
    support.main()
