"""What the scenario scripts share: running e1000-sim, reading capture files."""

import json
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

SKIP = 77
CAPTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "..", "..", "traffic", "captures", "default.pcap")
SIM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else None


def sim(*arguments, timeout=120, **options):
    """Runs e1000-sim to its end; stdout and stderr as text."""
    return subprocess.run([SIM, *arguments], capture_output=True, text=True, timeout=timeout,
                          **options)


def sim_json(*arguments, status=0):
    """Runs it and returns its JSON summary; fails unless it ends with this status."""
    result = sim(*arguments, "--json", "-")
    assert result.returncode == status, f"status {result.returncode}: {result.stderr}"
    return json.loads(result.stdout)


class Frame:
    """One recorded frame. direction: "in" (to the NIC), "out", or None where the file has none."""

    def __init__(self, time_ns, data, direction=None):
        self.time_ns, self.data, self.direction = time_ns, data, direction


def read_pcap(path):
    """Classic pcap, micro- or nanoseconds, this machine's byte order."""
    with open(path, "rb") as file:
        content = file.read()
    magic, = struct.unpack_from("<I", content)
    unit = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}[magic]
    frames, offset = [], 24
    while offset < len(content):
        seconds, fraction, captured, _ = struct.unpack_from("<IIII", content, offset)
        offset += 16
        frames.append(Frame(seconds * 10**9 + fraction * unit, content[offset:offset + captured]))
        offset += captured
    return frames


def write_pcap(path, frames, nanoseconds=True):
    """frames: pairs of time in ns and data."""
    unit = 1 if nanoseconds else 1000
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0,
                               65535, 1))
        for time_ns, data in frames:
            seconds, rest = divmod(time_ns, 10**9)
            file.write(struct.pack("<IIII", seconds, rest // unit, len(data), len(data)) + data)


def read_pcapng(path):
    """Little-endian pcapng with nanosecond time stamps, as e1000-sim writes it."""
    with open(path, "rb") as file:
        content = file.read()
    frames, offset = [], 0
    while offset < len(content):
        kind, length = struct.unpack_from("<II", content, offset)
        if kind == 6:  # enhanced packet block
            _, high, low, captured, _ = struct.unpack_from("<IIIII", content, offset + 8)
            data = content[offset + 28:offset + 28 + captured]
            direction = _direction(content, offset + 28 + (captured + 3) // 4 * 4,
                                   offset + length - 4)
            frames.append(Frame((high << 32) | low, data, direction))
        offset += length
    return frames


def _direction(content, offset, end):
    while offset + 4 <= end:
        code, length = struct.unpack_from("<HH", content, offset)
        if code == 2:  # epb_flags
            flags, = struct.unpack_from("<I", content, offset + 4)
            return {1: "in", 2: "out"}.get(flags & 3)
        if code == 0:
            break
        offset += 4 + (length + 3) // 4 * 4
    return None


class Scenario(unittest.TestCase):
    """A test with a temporary directory of its own: self.path(name)."""

    def setUp(self):
        self._directory = tempfile.TemporaryDirectory()
        self.addCleanup(self._directory.cleanup)

    @property
    def directory(self):
        return self._directory.name

    def path(self, name):
        return os.path.join(self._directory.name, name)


def start_sim(scenario, *arguments, prefix=(), **options):
    """Starts e1000-sim with pipes; it ends with the scenario at the latest. prefix: a command that
    becomes it."""
    process = subprocess.Popen([*prefix, SIM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, **options)
    scenario.addCleanup(process.stdout.close)
    scenario.addCleanup(process.stderr.close)
    scenario.addCleanup(process.wait)
    scenario.addCleanup(process.kill)
    return process


def start_qtest(scenario, *arguments, keep=False):
    """Starts a qtest server and waits until it listens. Returns the process and its socket. Unless
    it is to be kept it ends with its first client."""
    address = scenario.path("qtest.sock")
    option = "" if keep else ",keep=off"
    process = start_sim(scenario, "--qtest", f"unix:{address}{option}", *arguments)
    deadline = time.monotonic() + 20
    while not os.path.exists(address):
        scenario.assertIsNone(process.poll(), "the simulator has ended")
        scenario.assertLess(time.monotonic(), deadline, "no socket")
        time.sleep(0.01)
    return process, address


def free_port():
    """A TCP port that was free a moment ago, and that no other program is given by chance."""
    while True:
        with socket.socket() as probe:
            port = random.randrange(10000, 30000)
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


class QTestClient:
    """address: path of a UNIX socket, or (host, port); or a connected socket."""

    def __init__(self, scenario, address):
        self.interrupts = []
        if isinstance(address, socket.socket):
            self._socket = address
        else:
            family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
            self._socket = socket.socket(family)
        scenario.addCleanup(self._socket.close)
        self._socket.settimeout(30)
        deadline = time.monotonic() + 20
        while self._socket is not address and self._socket.connect_ex(address) != 0:
            scenario.assertLess(time.monotonic(), deadline, "nobody listens")
            time.sleep(0.01)
        self._answers = self._socket.makefile("rb")
        scenario.addCleanup(self._answers.close)

    def send(self, data):
        self._socket.sendall(data)

    def answer(self):
        """The next line that is no interrupt's; those are kept."""
        while True:
            line = self._answers.readline().decode(errors="replace").rstrip("\n")
            if not line.startswith("IRQ "):
                return line
            self.interrupts.append(line)

    def do(self, line):
        self.send(line.encode("latin-1") + b"\n")
        return self.answer()

    def value(self, line):
        status, number = self.do(line).split()
        assert status == "OK", line
        return int(number, 16)

    def config(self, device, register, value=None):
        self.do(f"outl 0xcf8 {0x80000000 | device << 11 | register:#x}")
        if value is not None:
            return self.do(f"outl 0xcfc {value:#x}")
        return self.value("inl 0xcfc")

    def close(self):
        self._answers.close()
        self._socket.close()


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIP)


def main():
    if SIM is None or not os.access(SIM, os.X_OK):
        sys.exit(f"usage: {sys.argv[0]} PATH-OF-E1000-SIM")
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
