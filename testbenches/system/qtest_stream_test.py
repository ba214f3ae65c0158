"""Adapters of two machines at the two ends of a stream; QEMU's machine is one of them if
E1000TLM_QEMU says how to start it, e.g. "chroot /srv/trixie qemu-system-x86_64", and E1000TLM_QEMU_ROOT
where its file system begins (default /)."""

import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

import support
from support import QTestClient, Scenario, free_port, start_sim

QEMU = os.environ.get("E1000TLM_QEMU")
QEMU_ROOT = os.environ.get("E1000TLM_QEMU_ROOT", "/")
BAR = 0xE0000000
TX_RING, RX_RING, TX_BUFFER, RX_BUFFERS = 0x10000, 0x11000, 0x20000, 0x100000
SLOTS = 64


class Machine:
    """A qtest client with an adapter in a slot, brought up to send and receive."""

    def __init__(self, client, device, mac):
        self.client, self.device, self.mac = client, device, mac
        self.sent = self.taken = 0
        client.config(device, 0x10, BAR)
        client.config(device, 0x04, 7)
        self.register(0x0, 0x40)
        client.do("clock_step 1000000000")
        for offset, value in ((0x3800, TX_RING), (0x3808, 16 * SLOTS), (0x400, 0x10A),
                              (0x2800, RX_RING), (0x2808, 16 * SLOTS), (0x2818, SLOTS - 1)):
            self.register(offset, value)
        for i in range(SLOTS):
            self.descriptor(RX_RING, i, RX_BUFFERS + 2048 * i, 0)
        self.register(0x100, 0x0400801A)  # EN, UPE, MPE, BAM, SECRC

    def register(self, offset, value):
        self.client.do(f"writel {BAR + offset:#x} {value:#x}")

    def descriptor(self, ring, slot, address, rest):
        self.client.do(f"writeq {ring + 16 * slot:#x} {address:#x}")
        self.client.do(f"writeq {ring + 16 * slot + 8:#x} {rest:#x}")

    def send(self, frame):
        slot = self.sent % SLOTS
        self.client.do(f"write {TX_BUFFER:#x} {len(frame)} 0x{frame.hex()}")
        self.descriptor(TX_RING, slot, TX_BUFFER, 0x0B000000 | len(frame))
        self.sent += 1
        self.register(0x3818, self.sent % SLOTS)
        if self.client.value(f"readb {TX_RING + 16 * slot + 12:#x}") & 1 == 0:
            raise AssertionError("not sent")

    def receive(self):
        """The next frame; waits for it as long as a host may take."""
        slot = self.taken % SLOTS
        deadline = time.monotonic() + 10
        while self.client.value(f"readb {RX_RING + 16 * slot + 12:#x}") & 1 == 0:
            assert time.monotonic() < deadline, "no frame"
            self.client.do("clock_step 100000")
        self.taken += 1
        length = self.client.value(f"readw {RX_RING + 16 * slot + 8:#x}")
        frame = bytes.fromhex(self.client.do(
            f"read {RX_BUFFERS + 2048 * slot:#x} {length}").split()[1][2:])
        self.descriptor(RX_RING, slot, RX_BUFFERS + 2048 * slot, 0)
        self.register(0x2818, (self.taken - 1) % SLOTS)
        return frame


def frame(number, size, source):
    return b"\xff" * 6 + source + b"\x88\xb5" + number.to_bytes(4, "big") + bytes(
        (number + i) & 0xFF for i in range(size - 18))


class Stream(Scenario):
    def ours(self, name, link):
        path = self.path(name)
        process = start_sim(self, "--qtest", f"unix:{path},keep=off", "--link", link,
                            "--nic", f"mac=52:54:00:00:00:{name[-1] * 2}")
        while not os.path.exists(path):
            self.assertIsNone(process.poll(), "ended")
            time.sleep(0.01)
        return process, Machine(QTestClient(self, path), 2, bytes.fromhex("52540000000" + name[-1]))

    def exchange(self, one, two):
        for number in range(2 * SLOTS + 5):
            size = 60 + 29 * number % 1455
            for sender, receiver in ((one, two), (two, one)):
                expected = frame(number, size, sender.mac)
                sender.send(expected)
                received = receiver.receive()
                # QEMU counts a CRC that it does not store.
                self.assertEqual(received[:size], expected)
                self.assertIn(len(received), (size, size + 4))

    def test_two_simulators_meet_on_a_unix_socket(self):
        _, one = self.ours("sim1", f"stream:path={self.path('wire')},server")
        _, two = self.ours("sim2", f"stream:path={self.path('wire')}")
        self.exchange(one, two)

    def test_two_simulators_meet_by_tcp_and_find_each_other_again(self):
        port = free_port()
        _, one = self.ours("sim1", f"stream:port={port},reconnect-ms=20")
        for name in ("sim2", "sim3"):
            process, two = self.ours(name, f"stream:host=127.0.0.1,port={port},server=on")
            for _ in range(2):  # sees its peer gone, if it had one; connects
                one.client.do("endianness")
                time.sleep(0.1)
            one.client.do("endianness")
            self.exchange(one, two)
            two.client.close()
            _, err = process.communicate(timeout=20)
            self.assertEqual(process.returncode, 0, err)

    def test_a_hostile_peer_is_dropped_and_counted(self):
        process, machine = self.ours("sim1", f"stream:path={self.path('wire')},server")
        for rubbish in (b"\xff" * 100, b"\0\0\0\x3c123", b"\0\0\0\0" * 10, b"\0\0\x60\0" + b"x" * 0x6000):
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect(self.path("wire"))
                peer.sendall(rubbish)
            machine.client.do("endianness")
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(self.path("wire"))
            peer.sendall(b"\0\0\0\x3c" + frame(1, 60, machine.mac))
            self.assertEqual(machine.receive(), frame(1, 60, machine.mac))
        machine.client.close()
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0, err)
        for loss in ("1 partner_bad_length", "1 partner_cut_off", "10 partner_too_short",
                     "1 partner_too_long"):
            self.assertIn(loss, out)

    @unittest.skipUnless(QEMU, "E1000TLM_QEMU is not set")
    def test_qemu_at_the_other_end(self):
        directory = tempfile.mkdtemp(dir=os.path.join(QEMU_ROOT, "tmp"))
        self.addCleanup(shutil.rmtree, directory)
        inside = "/" + os.path.relpath(directory, QEMU_ROOT)
        port = free_port()
        for netdev, link in (
                (f"stream,server=on,addr.type=unix,addr.path={inside}/wire1",
                 f"stream:path={directory}/wire1"),
                (f"stream,addr.type=unix,addr.path={inside}/wire2,reconnect-ms=50",
                 f"stream:path={directory}/wire2,server"),
                (f"stream,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port={port}",
                 f"stream:port={port},reconnect-ms=20"),
                (f"socket,listen=127.0.0.1:{port + 1}", f"stream:port={port + 1}"),
                (f"socket,connect=127.0.0.1:{port + 2}", f"stream:port={port + 2},server")):
            with self.subTest(netdev=netdev):
                ours = link.endswith("server") and self.ours("sim1", link)
                qtest = os.path.join(directory, "qtest")
                process = subprocess.Popen(
                    [*shlex.split(QEMU), "-machine", "pc,accel=qtest", "-nodefaults", "-display", "none",
                     "-netdev", f"{netdev},id=wire", "-device", "e1000,netdev=wire,addr=2",
                     "-qtest", f"unix:{inside}/qtest,server=on,wait=off", "-qtest-log", "none"])
                try:
                    deadline = time.monotonic() + 20
                    while not os.path.exists(qtest):
                        self.assertLess(time.monotonic(), deadline, "QEMU does not start")
                        time.sleep(0.01)
                    client = QTestClient(self, qtest)
                    qemu = Machine(client, 2, bytes.fromhex("525400999999"))
                    sim, machine = ours or self.ours("sim1", link)
                    time.sleep(0.2)
                    machine.client.do("endianness")
                    self.exchange(machine, qemu)
                    client.close()
                    machine.client.close()
                    out, err = sim.communicate(timeout=20)
                    self.assertEqual(sim.returncode, 0, err)
                    self.assertIn("lost          nothing", out)
                finally:
                    process.kill()
                    process.wait()
                    os.path.exists(qtest) and os.unlink(qtest)


if __name__ == "__main__":
    support.main()
