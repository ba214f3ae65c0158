"""Measures how many frames a second of wall time go through each kind of link, in e1000-sim and in QEMU
with its own e1000 and the same back-end.

Both machines are driven alike: a program of the far end (e1000-link-peer) sends frames as fast as the
link takes them, or counts those that come; the adapter is driven over qtest, with descriptors in batches.
Needs root; without the reference QEMU (testbenches/conformance/reference_qemu.sh install) only e1000-sim
is measured.
"""

import argparse
import fcntl
import os
import platform
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "conformance"))

from bench import descriptors  # noqa: E402
from bench.bench import Bench  # noqa: E402
from bench.qtest import QTest  # noqa: E402
from bench.registers import *  # noqa: E402,F403

REFERENCE = os.path.join(HERE, "..", "conformance", "reference_qemu.sh")
MAC = "52:54:00:12:34:56"
OUR_MAC = bytes.fromhex(MAC.replace(":", ""))
SIZES = (64, 1514)  # of frames without FCS: 60 is on the wire 64 with it
BATCH = 256  # descriptors at a time
RING = 32768
MEMORY = 0x100000  # of the rings
MILLISECOND = 10**6
IDLE = 1.0  # seconds without a frame after which no more are expected
BEGIN, END = "<!-- measured: ./run links --update-doc -->", "<!-- end of measured -->"


class Link:
    """What the three programs are told. {dir}: a folder that all see; {a}, {b}: ports; {fd}: a tap."""

    def __init__(self, name, model, qemu, peer, peer_first=False, needs=None):
        self.name, self.model, self.qemu, self.peer = name, model, qemu, peer
        self.peer_first, self.needs = peer_first, needs
        self.user = name == "user"


LINKS = (
    Link("stream (UNIX)", "stream:path={dir}/s", "stream,server=off,addr.type=unix,addr.path={dir}/s",
         "stream:path={dir}/s", peer_first=True),
    Link("socket (TCP)", "socket:connect=127.0.0.1:{a}", "socket,connect=127.0.0.1:{a}",
         "socket:listen=127.0.0.1:{a}", peer_first=True),
    Link("dgram (UNIX)", "dgram:local={dir}/n,remote={dir}/p",
         "dgram,local.type=unix,local.path={dir}/n,remote.type=unix,remote.path={dir}/p",
         "dgram:local={dir}/p,remote={dir}/n"),
    Link("dgram, socket (UDP)", "socket:udp=127.0.0.1:{a},localaddr=127.0.0.1:{b}",
         "socket,udp=127.0.0.1:{a},localaddr=127.0.0.1:{b}",
         "socket:udp=127.0.0.1:{b},localaddr=127.0.0.1:{a}"),
    Link("l2tpv3 (UDP)",
         "l2tpv3:src=127.0.0.1,dst=127.0.0.1,udp=on,srcport={a},dstport={b},txsession=1,rxsession=2",
         "l2tpv3,src=127.0.0.1,dst=127.0.0.1,udp=on,srcport={a},dstport={b},txsession=1,rxsession=2",
         "l2tpv3:src=127.0.0.1,dst=127.0.0.1,udp=on,srcport={b},dstport={a},txsession=2,rxsession=1"),
    Link("tap", "tap:ifname=tapb", "tap,fd={fd}", "packet:tapb",
         needs="/dev/net/tun"),
    Link("vde", "vde:sock={dir}/v", "vde,sock={dir}/v", "vde:sock={dir}/v", needs="vde_switch"),
    Link("user", "user:ipv6=off,hostfwd=udp:127.0.0.1:{a}-10.0.2.15:7",
         "user,ipv6=off,hostfwd=udp:127.0.0.1:{a}-10.0.2.15:7", "udp:{b}:{a}"),
)


def reference_root():
    result = subprocess.run([REFERENCE, "version"], capture_output=True, text=True)
    if result.returncode != 0 or not result.stdout.strip():
        return None, None
    root = subprocess.run([REFERENCE, "path"], capture_output=True, text=True, check=True).stdout
    return root.strip(), result.stdout.strip()


def user_frame(size, port):
    """To the gateway of a user-mode network, which has it leave at 127.0.0.1."""
    udp = struct.pack(">HHHH", 7, port, size - 34, 0) + b"Z" * (size - 42)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, size - 14, 0, 0, 64, 17, 0) + bytes((10, 0, 2, 15, 10, 0, 2, 2))
    total = sum(struct.unpack(">10H", ip))
    total = (total & 0xFFFF) + (total >> 16)
    ip = ip[:10] + struct.pack(">H", ~total & 0xFFFF) + ip[12:]
    return bytes.fromhex("52550a000202") + OUR_MAC + b"\x08\x00" + ip + udp


def plain_frame(size):
    return b"\xff" * 6 + OUR_MAC + b"\x88\xb5" + b"Z" * (size - 14)


# Who has 10.0.2.2? It tells a user-mode network where 10.0.2.15 is.
ANNOUNCEMENT = (b"\xff" * 6 + OUR_MAC + bytes.fromhex("08060001080006040001") + OUR_MAC +
                bytes((10, 0, 2, 15)) + bytes(6) + bytes((10, 0, 2, 2))).ljust(60, b"\0")


class Machine:
    """A machine with one adapter, driven over qtest."""

    def __init__(self, process, stream):
        self.process, self.qtest = process, QTest(stream)
        self.bench = Bench(self)  # which sees nothing waiting on a wire of its own

    def pending(self):
        return False

    def set_up(self, content):
        """Both rings, all descriptors with one buffer each way."""
        bench, qtest = self.bench, self.qtest
        bench.enable()
        bench.bring_up_link()
        transmit, receive = MEMORY, MEMORY + 16 * RING
        self.buffers = receive + 16 * RING
        qtest.write_bytes(self.buffers, content)
        qtest.write_bytes(transmit, descriptors.legacy(self.buffers, len(content), EOP | IFCS) * RING)
        qtest.write_bytes(receive, descriptors.receive(self.buffers + 4096) * RING)
        bench.tx_ring(RING, transmit)
        bench.station(0, OUR_MAC)
        for offset, value in ((RDBAL, receive), (RDBAH, 0), (RDLEN, 16 * RING), (RDH, 0), (RDT, 0),
                              (RCTL, RCTL_EN | RCTL_BAM | RCTL_SIZE[2048])):
            bench.write(offset, value)
        qtest.step(1100 * MILLISECOND)  # QEMU holds frames back for a second of its clock
        qtest.step(MILLISECOND)
        bench.write(RDT, RING - 1)
        self._tail = 0

    def announce(self, content):
        self.qtest.write_bytes(self.buffers, ANNOUNCEMENT)
        self.transmit(1, MILLISECOND)
        self.qtest.step(100 * MILLISECOND)
        self.qtest.write_bytes(self.buffers, content)
        self.bench.statistic("TPR")

    def transmit(self, frames, wire_ns):
        """In batches. QEMU sends each at once, e1000-sim when its time has come."""
        sent = 0
        for begin in range(0, frames, BATCH):
            batch = min(BATCH, frames - begin)
            self._tail = (self._tail + batch) % RING
            self.bench.write(TDT, self._tail)
            self.qtest.step(batch * wire_ns)
        last = time.monotonic()
        while sent < frames and time.monotonic() - last < IDLE:
            new = self.bench.statistic("TPT")
            sent += new
            if new:
                last = time.monotonic()
            self.qtest.step(MILLISECOND)

    def receive(self, frames):
        """Until all have come or no more do: their number, and when the last was seen."""
        count, last = 0, time.monotonic()
        while count < frames and time.monotonic() - last < IDLE:
            self.qtest.step(MILLISECOND // 2)
            new = self.bench.statistic("TPR")
            if new:
                count, last = count + new, time.monotonic()
                self.bench.write(RDT, (count - 1) % RING)
        return count, last

    def close(self):
        self.qtest.close()
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


def start_model(program, link, folder):
    path = os.path.join(folder, "qtest")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        listener.settimeout(60)
        process = subprocess.Popen(
            [program, "--quiet", "--qtest", f"unix:{path},server=off", "--ram", "128MiB", "--link", link],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            stream, _ = listener.accept()
        except TimeoutError as late:
            process.kill()
            raise RuntimeError("e1000-sim does not start: " + process.communicate()[1]) from late
    return Machine(process, stream)


def start_qemu(netdev, descriptor=None):
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [REFERENCE, "run", "-machine", "pc,accel=qtest", "-m", "128", "-nodefaults", "-display", "none",
         "-qtest-log", "/dev/null", "-chardev", f"socket,id=qtest,fd={theirs.fileno()}",
         "-qtest", "chardev:qtest", "-netdev", netdev + ",id=wire",
         "-device", f"e1000,netdev=wire,addr=2,mac={MAC},romfile="],
        pass_fds=[fd for fd in (theirs.fileno(), descriptor) if fd is not None],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    theirs.close()
    return Machine(process, ours)


def open_tap(name):
    """A descriptor: QEMU's root has no /dev/net/tun."""
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x1002))  # TUNSETIFF: tap, plain
    return fd


class Setting:
    """One machine and the far end of its link, in a folder of their own."""

    def __init__(self, arguments, link, machine, root):
        self.link, self.machine_name, self.root, self.arguments = link, machine, root, arguments
        self.helpers, self.fd = [], None

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="links-", dir=os.path.join(self.root, "tmp"))
        if self.link.name == "vde":
            switch = subprocess.Popen(["vde_switch", "-s", os.path.join(self.folder, "v")],
                                      stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            self.helpers.append(switch)
            while not os.path.exists(os.path.join(self.folder, "v", "ctl")):
                time.sleep(0.01)
        if self.link.name == "tap":
            subprocess.run("ip tuntap add dev tapb mode tap && sysctl -qw net.ipv6.conf.tapb.disable_ipv6=1"
                           " && ip link set tapb up", shell=True, check=True)
        return self

    def text(self, template, folder=None):
        a, b = 20001, 20002  # the network namespace is our own
        return template.format(dir=folder or self.folder, a=a, b=b, fd=self.fd)

    def start_peer(self, *words):
        peer = subprocess.Popen([self.arguments.peer, self.text(self.link.peer), *map(str, words)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.helpers.append(peer)
        if peer.stdout.readline() != "ready\n":
            raise RuntimeError(f"{self.link.name}: the far end does not start")
        return peer

    def start_machine(self):
        if self.machine_name == "QEMU":
            if self.link.name == "tap":
                self.fd = open_tap("tapb")
            inside = self.folder[len(self.root):]
            self.machine = start_qemu(self.text(self.link.qemu, inside), self.fd)
        else:
            self.machine = start_model(self.arguments.sim, self.text(self.link.model), self.folder)
        return self.machine

    def __exit__(self, *_):
        if hasattr(self, "machine"):
            self.machine.close()
        for helper in self.helpers:
            helper.kill()
            helper.wait()
            for stream in (helper.stdin, helper.stdout):
                if stream is not None:
                    stream.close()
        if self.fd is not None:
            os.close(self.fd)
        if self.link.name == "tap":
            subprocess.run(["ip", "link", "del", "tapb"], check=True)
        shutil.rmtree(self.folder)


def measure(arguments, link, machine, root, size, to_host):
    """Frames a second of wall time that arrived, and how many of a hundred did not."""
    frames = arguments.frames if size < 1000 else arguments.frames // 2
    content = user_frame(size, 20002) if link.user else plain_frame(size)
    with Setting(arguments, link, machine, root) as setting:
        words = ("receive", frames) if to_host else ("send", frames, size)
        # A far end that binds for a machine that connects; the others come when it is there.
        peer = setting.start_peer(*words) if link.peer_first else None
        board = setting.start_machine()
        try:
            board.set_up(content)
        except OSError as gone:
            board.process.kill()
            raise RuntimeError(f"{machine} has ended: {board.process.stderr.read().strip()}") from gone
        if link.user:
            board.announce(content)
        if peer is None:
            peer = setting.start_peer(*words)
        if to_host:
            board.transmit(frames, (max(size, 60) + 24) * 8)
            count, seconds = peer.communicate(timeout=60)[0].split()
            return (int(count) - 1) / float(seconds), 100 * (1 - int(count) / frames)
        start = time.monotonic()
        peer.stdin.write("\n")
        peer.stdin.flush()
        count, last = board.receive(frames)
        return count / (last - start), 100 * (1 - count / frames)


def cell(values):
    """Median of the rates in thousands, and of the losses where frames were lost."""
    if not values:
        return "-"
    rate, lost = (statistics.median(column) for column in zip(*values))
    return f"{rate / 1000:.0f}" + (f" ({lost:.0f} % lost)" if lost >= 0.5 else "")


def table(results, machines):
    columns = [(size, to_host, machine) for size in SIZES for to_host in (True, False)
               for machine in machines]
    head = [f"{size} B {'to the host' if to_host else 'from the host'}: {machine}"
            for size, to_host, machine in columns]
    lines = ["| link | " + " | ".join(head) + " |", "|---|" + "---:|" * len(columns)]
    for link in results:
        lines.append(f"| {link} | " + " | ".join(cell(results[link].get(c, ())) for c in columns) + " |")
    return "\n".join(lines)


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    return f"{os.cpu_count()} x {model[1].strip() if model else platform.machine()}"


def update(document, text):
    with open(document, encoding="utf-8") as file:
        old = file.read()
    begin, end = old.index(BEGIN) + len(BEGIN), old.index(END)
    with open(document, "w", encoding="utf-8") as file:
        file.write(old[:begin] + "\n\n" + text + "\n\n" + old[end:])


def main():
    parser = argparse.ArgumentParser(prog="./run links", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, metavar="N",
                        help="of which the median counts (default 5)")
    parser.add_argument("--frames", type=int, default=60000, metavar="N",
                        help="of a run; half as many long ones (default 60000)")
    parser.add_argument("--only", action="append", metavar="LINK", help="only this one")
    parser.add_argument("--document", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--note", default="", metavar="TEXT", help="a remark on the machine, for the document")
    parser.add_argument("--sim", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--peer", required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("./run links: needs root for a network namespace of its own")
    if "E1000TLM_LINKS_INSIDE" not in os.environ:
        os.environ["E1000TLM_LINKS_INSIDE"] = "yes"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    root, version = reference_root()
    machines = ["e1000-sim"] + (["QEMU"] if root else [])
    names = [link.name for link in LINKS]
    for name in arguments.only or ():
        if name not in names:
            parser.error(f"--only {name}: known are {', '.join(names)}")
    results, refused = {}, set()
    for link in LINKS:
        if arguments.only and link.name not in arguments.only:
            continue
        if link.needs and not (os.path.exists(link.needs) or shutil.which(link.needs)):
            print(f"{link.name}: not measured, {link.needs} is missing")
            continue
        cells = results.setdefault(link.name, {})
        # In turns, so that what else the machine does meets all alike.
        for _ in range(arguments.runs):
            for size in SIZES:
                for to_host in (True, False):
                    for machine in machines:
                        if (link.name, machine) in refused:
                            continue
                        try:
                            value = measure(arguments, link, machine, root or "/", size, to_host)
                        except RuntimeError as why:  # such as a QEMU without this back-end
                            print(f"{link.name}: {why}", file=sys.stderr)
                            refused.add((link.name, machine))
                            continue
                        cells.setdefault((size, to_host, machine), []).append(value)
        for (size, to_host, machine), values in cells.items():
            print(f"{link.name:20} {size:5} B {'to' if to_host else 'from':4} the host  {machine:9} "
                  f"{cell(values):>18} thousand frames/s", flush=True)
    text = (table(results, machines) + "\n\nThousand frames a second of wall time, median of "
            f"{arguments.runs} runs of {arguments.frames} frames (long ones: half as many). "
            f"{processor()}, Linux {'.'.join(platform.release().split('.')[:2])}, {version or 'no QEMU'}."
            + (" " + arguments.note if arguments.note else ""))
    print("\n" + text)
    if arguments.document:
        update(arguments.document, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
