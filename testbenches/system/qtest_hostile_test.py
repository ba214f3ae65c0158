"""Clients that write for QEMU, that know no manners, and that come and go."""

import os
import random
import socket
import threading

import support
from support import QTestClient, Scenario, start_qtest

BAR = 0xE0000000
RING, BUFFERS = 0x10000, 0x100000


class Hostile(Scenario):
    def client(self, *arguments, links=1):
        self.hosts = []
        for i in range(links):
            arguments += ("--link", f"dgram:local={self.path(f'nic{i}')},"
                                    f"remote={self.path(f'host{i}')}")
            host = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.addCleanup(host.close)
            host.bind(self.path(f"host{i}"))
            host.setblocking(False)
            self.hosts.append(host)
        self.process, address = start_qtest(self, *arguments)
        return QTestClient(self, address)

    def end(self, client):
        client.close()
        _, err = self.process.communicate(timeout=30)
        self.assertEqual(self.process.returncode, 0, err)
        left = [f for f in os.listdir(self.directory) if not f.startswith("host")]
        self.assertEqual(left, [], "sockets are left over")

    def up(self, client, device=2):
        bar = BAR + (device - 2) * 0x20000
        client.config(device, 0x10, bar)
        client.config(device, 0x04, 7)
        client.do(f"writel {bar:#x} 0x40")
        client.do("clock_step 600000000")
        return bar

    def rings(self, client, bar):
        for i in range(64):
            address = (BUFFERS + 2048 * i).to_bytes(8, "little").hex()
            client.do(f"write {RING + 1024 + 16 * i:#x} 16 0x{address}{'00' * 8}")
        for offset, value in ((0x3800, RING), (0x3808, 1024), (0x400, 0x10A),
                              (0x2800, RING + 1024), (0x2808, 1024), (0x2818, 63), (0x100, 0x800A)):
            client.do(f"writel {bar + offset:#x} {value:#x}")

    def transmit(self, client, bar, number):
        slot = number % 64
        frame = b"\xff" * 6 + bytes.fromhex("525400123456 88b5") + number.to_bytes(4, "big") * 12
        client.do(f"write {BUFFERS:#x} {len(frame)} 0x{frame.hex()}")
        client.do(f"write {RING + 16 * slot:#x} 16 0x{BUFFERS.to_bytes(8, 'little').hex()}"
                  f"{len(frame):02x}00000b00000000")
        client.do(f"writel {bar + 0x3818:#x} {(slot + 1) % 64}")
        self.assertEqual(client.value(f"readb {RING + 16 * slot + 12:#x}") & 1, 1, "not done")
        return frame

    def test_everything_a_command_sets_off_is_done_before_its_answer(self):
        client = self.client()
        bar = self.up(client)
        self.rings(client, bar)
        self.assertEqual(client.do("irq_intercept_in ioapic"), "OK")
        client.do(f"writel {bar + 0xD0:#x} 0x83")
        client.value(f"readl {bar + 0xC0:#x}")
        client.interrupts.clear()
        frame = self.transmit(client, bar, 0)
        self.assertEqual(self.hosts[0].recv(2000), frame)
        line = client.config(2, 0x3C) & 0xFF
        self.assertEqual(client.interrupts, [f"IRQ raise {line}"])
        self.assertNotEqual(client.value(f"readl {bar + 0xC0:#x}") & 1, 0)
        self.assertEqual(client.interrupts, [f"IRQ raise {line}", f"IRQ lower {line}"])
        self.hosts[0].sendto(frame, self.path("nic0"))
        self.assertEqual(client.value(f"readb {RING + 1024 + 12:#x}") & 3, 3)
        self.assertEqual(client.do(f"read {BUFFERS:#x} {len(frame)}"), f"OK 0x{frame.hex()}")
        self.end(client)

    def test_a_frame_that_waits_is_received_with_the_first_descriptors(self):
        client = self.client()
        bar = self.up(client)
        frame = b"\xff" * 6 + bytes.fromhex("525400123456 88b5") + bytes(46)
        for _ in range(2):
            self.hosts[0].sendto(frame, self.path("nic0"))
        client.do("endianness")
        self.rings(client, bar)
        for slot in range(3):
            if slot == 2:
                self.hosts[0].sendto(frame, self.path("nic0"))
            status = client.value(f"readb {RING + 1024 + 16 * slot + 12:#x}")
            self.assertEqual(status & 3, 3, f"descriptor {slot}")
        self.end(client)

    def test_registers_work_without_the_clock(self):
        client = self.client()
        bar = self.up(client)
        client.do(f"writel {bar:#x} 0x04000000")
        self.assertEqual(client.value(f"readl {bar:#x}") & 0x04000000, 0, "reset is over")
        client.do(f"writel {bar + 0x14:#x} 0x1")
        self.assertEqual(client.value(f"readl {bar + 0x14:#x}"), 0x54520010)
        client.do(f"writel {bar + 0x20:#x} 0x08220000")
        self.assertEqual(client.value(f"readl {bar + 0x20:#x}") & 0x1000FFFF, 0x10000141)
        self.end(client)

    def test_the_clock_is_exact_whatever_work_is_done(self):
        client = self.client()
        bar = self.up(client)
        self.rings(client, bar)
        now = 600_000_000
        for number in range(50):
            self.transmit(client, bar, number)
            now += 1 + number
            self.assertEqual(client.do(f"clock_step {1 + number}"), f"OK {now}")
        self.assertTrue(client.do("clock_step 0").startswith("FAIL"))
        self.assertEqual(client.do(f"clock_set {now}"), f"OK {now}")
        self.end(client)

    def test_a_peer_that_does_not_read_loses_nothing(self):
        client = self.client()
        bar = self.up(client)
        self.rings(client, bar)
        sent = [self.transmit(client, bar, number) for number in range(200)]
        self.hosts[0].settimeout(5)
        self.assertEqual([self.hosts[0].recv(2000) for _ in sent], sent)
        self.end(client)

    def test_adapters_do_not_meet(self):
        client = self.client(links=2)
        bars = [self.up(client, device) for device in (2, 3)]
        self.rings(client, bars[1])
        frame = self.transmit(client, bars[1], 0)
        self.assertEqual(self.hosts[1].recv(2000), frame)
        self.assertRaises(BlockingIOError, self.hosts[0].recv, 2000)
        self.end(client)

    def test_nonsense_is_answered_and_survived(self):
        client = self.client()
        for line in ("", " ", "\0", "\xff" * 1000, "readl", "readl x", "readq 0xffffffffffffffff",
                     "read 0 0", "read 0 99999999999999999999", "read 0 0xffffffffffff",
                     "write 0 4 zzzz", "write 0 4", "inl 0x10000", "clock_step -1", "clock_set -1",
                     "clock_step 9223372036854775807", "irq_intercept_in", "irq_intercept_in toaster"):
            with self.subTest(line=line[:20]):
                self.assertRegex(client.do(line), "^(FAIL|ERR) ?")
        client.send(b"A" * (150 << 20) + b"\n")
        self.assertTrue(client.answer().startswith("FAIL"))
        self.assertEqual(client.do("endianness"), "OK little")
        self.end(client)

    def test_binary_garbage_is_survived(self):
        client = self.client()
        noise = random.Random(1)
        garbage = bytes(noise.randrange(256) for _ in range(300_000))
        sender = threading.Thread(target=client.send, args=(garbage + b"\nendianness\n",))
        sender.start()
        while client.answer() != "OK little":
            pass
        sender.join()
        self.end(client)

    def test_absurd_programming_is_survived(self):
        registers = (0, 0x10, 0x14, 0x18, 0x20, 0xC0, 0xC8, 0xD0, 0xD8, 0x100, 0x170, 0x400, 0x1000,
                     0x2800, 0x2804, 0x2808, 0x2810, 0x2818, 0x2820, 0x2828, 0x3800, 0x3804, 0x3808,
                     0x3810, 0x3818, 0x3820, 0x3828, 0x5000, 0x5400, 0x5404)
        for seed in range(8):
            with self.subTest(seed=seed):
                client = self.client()
                bar = self.up(client)
                noise = random.Random(seed)
                for _ in range(1000):
                    value = noise.choice((0, 1, 0xFFFFFFFF, noise.getrandbits(32),
                                          noise.getrandbits(12), noise.getrandbits(7)))
                    kind = noise.random()
                    if kind < 0.6:
                        line = f"writel {bar + noise.choice(registers):#x} {value:#x}"
                    elif kind < 0.8:
                        line = f"write {noise.randrange(64) * 16:#x} 16 0x{noise.getrandbits(128):032x}"
                    elif kind < 0.9:
                        line = f"writeb {bar + noise.randrange(0x20000):#x} {value:#x}"
                    else:
                        line = f"clock_step {noise.randrange(1, 100000)}"
                    client.do(line)
                    if noise.random() < 0.1:
                        try:
                            self.hosts[0].sendto(bytes(noise.randrange(1, 3000)), self.path("nic0"))
                        except BlockingIOError:
                            pass
                self.end(client)
                os.unlink(self.path("host0"))

    def test_a_client_may_leave_at_any_point(self):
        for last_words in (b"read", b"writel 0xe0000000 ", b"read 0 10000000\n",
                           b"clock_step 100000000000\n", b"write 0 60 0x1234"):
            with self.subTest(last_words=last_words):
                client = self.client()
                client.send(last_words)
                self.end(client)
                os.unlink(self.path("host0"))

    def test_the_simulator_outlives_every_client(self):
        process, address = start_qtest(self, "--link", "null", keep=True)
        last_words = (b"", b"read", b"writel 0xe0000000 ", b"read 0 10000000\n",
                      b"clock_step 1000000000\n", b"write 0 60 0x1234", b"\0\n\0\0\n",
                      b"write 0 0x8000000000000000 0x00\n", b"read 0 0xffffffffffffffff\n",
                      b"b64write 0 18446744073709551615 AAAA\n", b"memset 0 -1 0\n",
                      b"read 0xffffffff00000000 4096\nread 0xfffffffffffffff0 16\n",
                      b"x" * 100_000, bytes(range(256)) * 100,
                      b"read 0 0x100000\n" * 20)
        for words in last_words:
            with self.subTest(words=words[:40]):
                client = QTestClient(self, address)
                client.send(words)
                client.close()
        client = QTestClient(self, address)
        self.assertEqual(client.do("endianness"), "OK little")
        self.assertEqual(client.do("clock_step 1"), "OK 1000000001", "the machine was not kept")
        client.close()
        process.terminate()
        _, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0, err)

    def test_a_client_that_takes_no_answers_makes_room_for_the_next(self):
        process, address = start_qtest(self, "--link", "null", keep=True)
        stuck = QTestClient(self, address)
        stuck.send(b"read 0 0x100000\n" * 20)
        client = QTestClient(self, address)
        self.assertEqual(client.do("endianness"), "OK little")
        client.close()
        process.terminate()
        _, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("takes no answers", err)

    def test_memory_stays_bounded(self):
        process, address = start_qtest(self, "--link", "null", keep=True)

        def used():
            with open(f"/proc/{process.pid}/status") as status:
                return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))

        for _ in range(3):
            client = QTestClient(self, address)
            for _ in range(300):
                client.send(b"y" * (1 << 20))
            client.close()
        client = QTestClient(self, address)
        self.assertEqual(client.do("endianness"), "OK little")
        # The thread sanitizer keeps several bytes for each of the program's.
        factor = 4 if os.environ.get("E1000TLM_SANITIZE") == "thread" else 1
        self.assertLess(used(), factor * 700 << 10, "KiB")
        client.close()
        process.terminate()
        process.communicate(timeout=20)

    def test_somebody_who_only_looks_does_not_end_the_run(self):
        client = self.client()
        client.close()  # without a word
        client = QTestClient(self, self.path("qtest.sock"))
        self.assertEqual(client.do("endianness"), "OK little")
        self.end(client)


if __name__ == "__main__":
    support.main()
