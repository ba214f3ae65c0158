"""The two machines that scenarios run on: QEMU and e1000-sim, each with a qtest socket and the far
end of the network adapter's cable."""

import array
import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import termios
import time

from bench.parts import USUAL
from bench.qtest import QTest

HERE = os.path.dirname(os.path.abspath(__file__))
REFERENCE = os.path.join(HERE, "..", "reference_qemu.sh")
MAC = "52:54:00:12:34:56"
RAM_MIB = 64
# Memory that scenarios may use. It is cleared before each of them.
MEMORY, MEMORY_BYTES = 0x100000, 0x400000


class Endpoint:
    """A machine. `restart` gives it back in the state after power-on, with the part asked for and,
    if the endpoint is e1000-sim, a flash of these contents."""

    name = ""
    qtest = None
    _wire = None
    _sent = False  # frames, since the last restart

    def send(self, frame):
        """Puts a frame (without FCS) on the wire towards the adapter."""
        self._sent = True
        self._wire.send(frame)
        self.settle()

    def settle(self):
        """Waits until the machine has taken all frames, or does not want them now."""
        tries = 0
        left = self._unread()
        while tries < 3:
            self.qtest.do("endianness")  # one turn of the machine's main loop
            now = self._unread()
            if now == 0:
                break
            tries = tries + 1 if now == left else 0
            left = now

    def frames(self):
        """Frames that the adapter has sent since the last call."""
        result = []
        while True:
            try:
                result.append(self._wire.recv(1 << 17))
            except BlockingIOError:
                return result

    def nothing_waits(self):
        """The caller knows that the adapter has taken all frames that were sent."""
        self._sent = False

    def _unread(self):
        count = array.array("i", [0])
        fcntl.ioctl(self._wire, termios.TIOCOUTQ, count)
        return count[0]

    def pending(self):
        """True if frames wait on the wire."""
        return self._unread() != 0


def wire_options(wire):
    """A non-blocking wire whose buffers take any scenario's frames."""
    wire.setblocking(False)
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        wire.setsockopt(socket.SOL_SOCKET, option, 1 << 20)
    return wire


class Model(Endpoint):
    """e1000-sim. Every restart is a new process."""

    name = "e1000-sim"

    def __init__(self, program, *options):
        self._program, self._options = program, options
        self._process = None

    def restart(self, part=USUAL, flash=None):
        self.close()
        self._directory = tempfile.mkdtemp(prefix="e1000tlm-")
        path = lambda name: os.path.join(self._directory, name)
        self._wire = wire_options(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        self._wire.bind(path("host"))
        self._log = open(path("log"), "w+")
        nic = [] if part is USUAL else [getattr(part, "options", f"part={part.name}")]
        if flash is not None:
            with open(path("flash"), "wb") as file:
                file.write(flash)
            nic.append(f"flash={path('flash')}")
        self._process = subprocess.Popen(
            [
                self._program,
                "--quiet",
                "--ram",
                f"{RAM_MIB}MiB",
                "--qtest",
                f"unix:{path('qtest')},keep=off",
                "--link",
                f"dgram:local={path('nic')},remote={path('host')}",
                *(["--nic", ",".join(nic)] if nic else []),
                *self._options,
            ],
            stdout=self._log,
            stderr=self._log,
        )
        stream = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 30
        while stream.connect_ex(path("qtest")) != 0:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("e1000-sim does not start: " + self.log())
            time.sleep(0.001)
        self._wire.connect(path("nic"))
        self.qtest = QTest(stream)
        self.qtest.do("irq_intercept_in ioapic")

    def log(self):
        self._log.seek(0)
        return self._log.read()

    def alive(self):
        return self._process.poll() is None

    def close(self):
        """Ends the process. Returns its exit status; None if there was no process."""
        if self._process is None:
            return None
        self.qtest.close()
        try:
            status = self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._process = None
        self._wire.close()
        self._log.close()
        shutil.rmtree(self._directory)
        return status


class Reference(Endpoint):
    """QEMU. A restart is a reset of its machine, or a new process if frames were sent: those that
    the adapter did not want wait in QEMU beyond a reset."""

    name = "QEMU"

    def __init__(self):
        self._process = None
        self._start(USUAL)

    def _start(self, part):
        self.close()
        self._sent, self._part = False, part
        ours, theirs = socket.socketpair()
        self._wire, wire = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        wire_options(self._wire)
        self._process = subprocess.Popen(
            [
                REFERENCE,
                "run",
                "-machine",
                "pc,accel=qtest",
                "-m",
                str(RAM_MIB),
                "-nodefaults",
                "-display",
                "none",
                "-qtest-log",
                "/dev/null",
                "-chardev",
                f"socket,id=qtest,fd={theirs.fileno()}",
                "-qtest",
                "chardev:qtest",
                "-netdev",
                f"dgram,id=wire,local.type=fd,local.str={wire.fileno()}",
                "-device",
                f"{part.reference},netdev=wire,addr=2,mac={MAC},romfile=",
            ],
            pass_fds=[theirs.fileno(), wire.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        theirs.close()
        wire.close()
        self.qtest = QTest(ours)
        self.qtest.do("irq_intercept_in ioapic")

    @staticmethod
    def version():
        """Such as "QEMU 11.1.3"; None: no reference is installed."""
        result = subprocess.run([REFERENCE, "version"], capture_output=True, text=True)
        return result.stdout.strip() if result.returncode == 0 else None

    def restart(self, part=USUAL):
        if self._sent or part is not self._part:
            self._start(part)
        q = self.qtest
        self._config_write(2, 0x0C, 1, 0x55)  # a mark that goes with the reset
        q.port_write(0xCF9, 1, 6)
        deadline = time.monotonic() + 20
        while self._config_read(2, 0x0C, 1) == 0x55:
            if time.monotonic() > deadline:
                raise RuntimeError("QEMU's machine does not reset")
        for pirq, line in enumerate((10, 10, 11, 11)):  # what firmware would do
            self._config_write(1, 0x60 + pirq, 1, line)
        q.fill(MEMORY, MEMORY_BYTES)
        self.frames()
        q.levels.clear()
        q.edges.clear()

    def _config_read(self, device, offset, size):
        self.qtest.port_write(0xCF8, 4, 0x80000000 | device << 11 | offset & 0xFC)
        return self.qtest.port_read(0xCFC + offset % 4, size)

    def _config_write(self, device, offset, size, value):
        self.qtest.port_write(0xCF8, 4, 0x80000000 | device << 11 | offset & 0xFC)
        self.qtest.port_write(0xCFC + offset % 4, size, value)

    def alive(self):
        return self._process.poll() is None

    def close(self):
        if self._process is None:
            return
        self.qtest.close()
        self._wire.close()
        self._process.terminate()
        self._process.wait()
        self._process = None
