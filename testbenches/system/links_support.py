"""What the scenarios of links to other programs share: a machine whose cable leads there, driven
frame by frame, and network namespaces."""

import contextlib
import os
import socket
import struct
import subprocess
import time

import support
from support import SIM

REFERENCE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                         "..", "conformance", "reference_qemu.sh")


def frame(number, size=60):
    """Of the local experimental EtherType, to everybody, with a number and a payload of its own."""
    payload = bytes((number * 7 + i) & 0xFF for i in range(size - 18))
    return b"\xff" * 6 + b"\x02\0\0\0\0\x01" + b"\x88\xb5" + struct.pack(">I", number) + payload


def is_ours(data):
    return data[12:14] == b"\x88\xb5"


def is_root():
    return os.geteuid() == 0


def have(*tools):
    return all(subprocess.run(["which", tool], stdout=subprocess.DEVNULL).returncode == 0
               for tool in tools)


def no_namespaces():
    """None, or why there are no network namespaces here."""
    if not is_root():
        return "needs root for network namespaces"
    if not have("ip", "unshare", "nsenter"):
        return "needs ip, unshare and nsenter"
    probe = subprocess.run(["unshare", "-n", "ip", "link", "add", "v0", "type", "veth", "peer",
                            "name", "v1"], capture_output=True, text=True)
    return None if probe.returncode == 0 else "no namespaces: " + probe.stderr.strip()


def no_taps():
    """None, or why there are no tap devices in network namespaces here."""
    reason = no_namespaces()
    if reason is None and not os.path.exists("/dev/net/tun"):
        reason = "no /dev/net/tun"
    return reason


class Namespace:
    """A network namespace that lives as long as the process that holds it."""

    def __init__(self, scenario):
        self.holder = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", "ip link set lo up; echo up; exec sleep 600"],
            stdout=subprocess.PIPE, text=True)
        self.holder.stdout.readline()
        scenario.addCleanup(self.close)

    def command(self, *words):
        return ["nsenter", "-t", str(self.holder.pid), "-n", *words]

    def run(self, *words, **options):
        return subprocess.run(self.command(*words), check=True, capture_output=True, timeout=60,
                              **{"text": True, **options})

    def popen(self, *words):
        return subprocess.Popen(self.command(*words), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


def wait_for(scenario, condition, what, seconds=20):
    """Until the condition holds; the scenario fails if that takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        scenario.assertLess(time.monotonic(), deadline, what)
        time.sleep(0.05)


def wait_until_held(scenario, process, tap, board):
    """Until e1000-sim, running in the namespace `board`, holds the tap: then it has carrier."""
    def held():
        if process.poll() is not None:
            scenario.fail("the simulator has ended: " + process.stderr.read())
        board.run("ip", "link", "set", tap, "up")
        return "LOWER_UP" in board.run("ip", "-o", "link", "show", tap).stdout
    wait_for(scenario, held, "the tap is not held")


def hand_over(scenario, process, tap, board, namespace):
    """Moves a tap that e1000-sim holds to another namespace: one that a program holds cannot be
    taken by another."""
    wait_until_held(scenario, process, tap, board)
    board.run("ip", "link", "set", tap, "netns", str(namespace.holder.pid))


class Board:
    """e1000-sim with a reflecting driver: what the far end sends comes back."""

    def __init__(self, scenario, link, prefix=(), pass_fds=(), arguments=(),
                 nic=("--nic", "aneg=10ms")):
        self.scenario = scenario
        self.process = subprocess.Popen(
            [*prefix, SIM, *nic, "--link", link, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, pass_fds=pass_fds)
        scenario.addCleanup(self.kill)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def stop(self):
        """Ends the run as a user does; returns its status and what it printed."""
        self.process.terminate()
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err

    def running(self):
        if self.process.poll() is not None:
            self.scenario.fail("the simulator has ended: " + self.process.stderr.read())


def reflects(scenario, board, send, receive, count=20, sizes=(60, 200, 1514)):
    """Sends frames to the board and wants each back, unchanged and in order. The first ones may be
    lost while the far ends find each other: they are sent until one comes back."""
    deadline = time.monotonic() + 30
    probe = frame(0xFFFF)
    while True:
        board.running()
        scenario.assertLess(time.monotonic(), deadline, "no frame comes back")
        send(probe)
        if drain(receive, probe, 0.3):
            break
    while drain(receive, None, 0.3):
        pass
    for number in range(count):
        data = frame(number, sizes[number % len(sizes)])
        send(data)
        scenario.assertTrue(drain(receive, data, 10), f"frame {number} does not come back")


def drain(receive, wanted, seconds):
    """Receives until the frame is there (None: any of ours) or the time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        got = receive(max(0.01, deadline - time.monotonic()))
        if got is None:
            return False
        if is_ours(got) and (wanted is None or got == wanted):
            return True
    return False


def datagrams(sock, to):
    """Functions that send and receive frames as datagrams."""
    def receive(seconds):
        sock.settimeout(seconds)
        try:
            return sock.recv(65536)
        except (TimeoutError, ConnectionError):
            return None
    return (lambda data: sock.sendto(data, to)), receive


def stream(sock):
    """The same on a stream, each frame after its length."""
    buffered = bytearray()

    def receive(seconds):
        sock.settimeout(seconds)
        try:
            while len(buffered) < 4 or len(buffered) < 4 + struct.unpack_from(">I", buffered)[0]:
                data = sock.recv(65536)
                if not data:
                    return None
                buffered.extend(data)
        except (TimeoutError, ConnectionError):
            return None
        size, = struct.unpack_from(">I", buffered)
        data = bytes(buffered[4:4 + size])
        del buffered[:4 + size]
        return data
    return (lambda data: sock.sendall(struct.pack(">I", len(data)) + data)), receive


def open_sockets(process):
    """The numbers by which the kernel lists a process's sockets."""
    folder = f"/proc/{process}/fd"
    try:
        targets = [os.readlink(os.path.join(folder, name)) for name in os.listdir(folder)]
    except OSError:  # it has ended
        return set()
    return {target[8:-1] for target in targets if target.startswith("socket:[")}


def bound(sockets):
    """Whether any of these sockets still holds an address of the internet protocols."""
    words = set()
    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        with contextlib.suppress(OSError), open("/proc/net/" + table, encoding="ascii") as file:
            words.update(line.split()[9] for line in file.readlines()[1:])
    return bool(sockets & words)


class Qemu:
    """The reference QEMU as a relay: what comes in at one back-end leaves at the other, a pair of
    UDP ports that this script holds."""

    def __init__(self, scenario, netdev, prefix=()):
        self.scenario = scenario
        self.netdev = netdev
        self.prefix = prefix
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        scenario.addCleanup(self.socket.close)
        self.socket.bind(("127.0.0.1", 0))
        self.port = support.free_port()
        self.process = None
        scenario.addCleanup(self.kill)
        self.start()

    def start(self):
        here = self.socket.getsockname()[1]
        relay = (f"dgram,id=b,local.type=inet,local.host=127.0.0.1,local.port={self.port},"
                 f"remote.type=inet,remote.host=127.0.0.1,remote.port={here}")
        self.process = subprocess.Popen(
            [*self.prefix, REFERENCE, "run", "-M", "none", "-display", "none", "-monitor", "none",
             "-serial", "none", "-netdev", self.netdev + ",id=a",
             "-netdev", "hubport,id=h1,hubid=0,netdev=a", "-netdev", relay,
             "-netdev", "hubport,id=h2,hubid=0,netdev=b"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def kill(self):
        """Its sockets outlive it for a moment: the kernel ends the io_uring that it watches them with
        in its own time. They are waited for, so that another QEMU can bind to the same ports."""
        if self.process is None:
            return
        sockets = open_sockets(self.process.pid)
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self.process = None
        deadline = time.monotonic() + 20
        while bound(sockets) and time.monotonic() < deadline:
            time.sleep(0.01)

    def functions(self):
        send, receive = datagrams(self.socket, ("127.0.0.1", self.port))

        def send_if_alive(data):
            if self.process.poll() is not None:
                self.scenario.fail("QEMU has ended: " + self.process.stderr.read())
            send(data)
        return send_if_alive, receive


def no_qemu():
    """None, or why the reference QEMU is not there."""
    if not is_root():
        return "needs root to run the reference QEMU"
    result = subprocess.run([REFERENCE, "version"], capture_output=True, text=True)
    if result.returncode == 0 and result.stdout:
        return None
    return "no reference QEMU (testbenches/conformance/reference_qemu.sh install)"


def main(reason):
    if reason:
        support.skip(reason)
    support.main()


