"""Checks of what the guests' program does to its host: a tap device as partner, a user without rights, and signals,
after which nothing is left behind."""

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import pwd
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

import lab
from lab import Guest, NotHere, Trouble

HOST, GUEST = "10.9.3.1", "10.9.3.2"
SEND_PORT, RECEIVE_PORT = 5001, 5002
NOBODY = 65534


def expect(condition, message):
    if not condition:
        raise Trouble(message)


# --- A tap device ---------------------------------------------------------------------------------------------------

TAP_GUEST = f"""
ip link set eth0 up
ip address add {GUEST}/24 dev eth0
until [ "$(cat /sys/class/net/eth0/carrier 2> /dev/null)" = 1 ]; do sleep 0.05; done
ping -c 20 -i 0.05 -W 5 {HOST} || exit 1
echo > /host/up
until [ -e /host/pinged ]; do sleep 0.05; done
dd if=/dev/urandom of=/tmp/data bs=64k count=64 2> /dev/null
sha256sum < /tmp/data > /host/sent
nc -w 30 {HOST} {SEND_PORT} < /tmp/data || exit 1
mkfifo /tmp/silence; exec 3<> /tmp/silence
nc -w 30 {HOST} {RECEIVE_PORT} <&3 | sha256sum > /host/received
ip link set eth0 down
"""
# The other end: takes one connection, says what came; takes another one, sends as much.
TAP_HOST = f"""
import hashlib, os, socket
first = socket.create_server(("{HOST}", {SEND_PORT}))
second = socket.create_server(("{HOST}", {RECEIVE_PORT}))
print("ready", flush=True)
connection, _ = first.accept()
digest = hashlib.sha256()
while data := connection.recv(65536):
    digest.update(data)
connection.close()
print(digest.hexdigest(), flush=True)
connection, _ = second.accept()
data = os.urandom(4 << 20)
connection.sendall(data)
connection.close()
print(hashlib.sha256(data).hexdigest(), flush=True)
"""


class Network:
    """A network namespace with a tap device. A user without rights makes it in a user namespace of their own."""

    def __init__(self, stack):
        if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
            raise NotHere("there is no /dev/net/tun that may be opened")
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        self.holder = subprocess.Popen(["unshare", "--net", *user, "sh", "-c", "echo here; exec sleep 1000000"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                       preexec_fn=lab.end_with_us)
        stack.callback(self.end)
        if self.holder.stdout.readline() != "here\n":
            raise NotHere("no network namespace may be made: " + self.holder.stderr.read().strip())
        self.enter = ["nsenter", "--target", str(self.holder.pid), "--net", *(["--user", "--preserve-credentials"] if user else [])]
        ip = shutil.which("ip", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        for words in ("tuntap add dev tap0 mode tap", f"address add {HOST}/24 dev tap0", "link set tap0 up", "link set lo up"):
            done = subprocess.run([*self.enter, ip, *words.split()], capture_output=True, text=True, check=False)
            if done.returncode:
                raise NotHere(f"no tap device may be made: ip {words}: {done.stderr.strip()}")

    def end(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
        self.holder.stderr.close()


def tap(options):
    """The kernel of this machine and the guest's talk over a tap device, in real time: ping and TCP, both ways."""
    with contextlib.ExitStack() as stack:
        network = Network(stack)
        guest = Guest("first", TAP_GUEST)
        peer = subprocess.Popen([*network.enter, sys.executable, "-c", TAP_HOST], stdout=subprocess.PIPE, text=True,
                                preexec_fn=lab.end_with_us)
        stack.callback(peer.stdout.close)
        stack.callback(peer.wait)
        stack.callback(peer.kill)
        expect(peer.stdout.readline() == "ready\n", "the other end does not come up")
        it = stack.enter_context(lab.Lab([guest], ["tap:ifname=tap0"], ["--paced", *options.sim], options.part,
                                         simulator=options.simulator, slow=network.enter))
        if options.keep_log:
            stack.callback(lab.keep, it, options.keep_log)
        it.start()
        deadline = time.monotonic() + options.limit
        while not (it.folder / "up").exists():
            expect(guest.process.poll() is None and time.monotonic() < deadline,
                   f"the guest's echo requests are not answered: {lab.last_line(guest.console)}")
            time.sleep(0.05)
        ping = subprocess.run([*network.enter, "ping", "-c", "20", "-i", "0.05", "-W", "5", GUEST], capture_output=True,
                              text=True, check=False)
        expect(ping.returncode == 0 and " 0% packet loss" in ping.stdout, f"ping from the host: {ping.stdout}{ping.stderr}")
        (it.folder / "pinged").write_text("")
        it.wait(options.limit)
        hashes = [peer.stdout.readline().strip(), peer.stdout.readline().strip()]
        ours = [(it.folder / name).read_text().split()[0] for name in ("sent", "received")]
        expect(hashes == ours, f"TCP: the guest has {ours}, the host {hashes}")
        report = json.loads((it.folder / "report.json").read_text())
        expect(report["paced"] and report["simulated_s"] < report["wall_s"] + 0.1,
               f"{report['simulated_s']} s of simulated time in {report['wall_s']} s")
        times = re.search(r"rtt .*= ([\d./]+ ms)", ping.stdout)
        return f"4 MiB each way, {report['simulated_s']:.1f} s simulated, ping from the host {times[1]}"


# --- A user without rights ------------------------------------------------------------------------------------------


@contextlib.contextmanager
def home_of_a_user():
    """A copy of this tree and a home with nothing but the kernel in its cache, both of a user without rights."""
    with tempfile.TemporaryDirectory(prefix="e1000-tlm-user-") as name:
        folder = pathlib.Path(name)
        listed = subprocess.run(["git", "-C", lab.TREE, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                capture_output=True, check=False)
        if listed.returncode:
            raise NotHere("this tree is not a clone of the repository")
        for path in filter(None, listed.stdout.decode().split("\0")):
            if os.path.lexists(lab.TREE / path):
                (folder / "tree" / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(lab.TREE / path, folder / "tree" / path, follow_symlinks=False)
        cache = folder / "home/.cache/e1000-tlm/uml"
        cache.mkdir(parents=True)
        for file in ("linux", "linux.key"):
            shutil.copy2(lab.kernel_folder() / file, cache / file)
        if os.geteuid() == 0:
            for path in [folder, *folder.rglob("*")]:
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
        yield folder


def unprivileged(options):
    """./run linux's program from a fresh clone, by a user without any rights, who makes the guest's file system, too."""
    with home_of_a_user() as folder:
        simulator = folder / "e1000-sim"
        shutil.copy2(options.simulator or lab.TREE / "build/bin/e1000-sim", simulator)
        become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs"]
        words = [*(become if os.geteuid() == 0 else []), "/usr/bin/python3", "testbenches/guests/uml/linux.py", "run",
                 "--bytes", "1M", "--part", options.part, "--simulator", str(simulator)]
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder / "home")}
        done = subprocess.run(words, cwd=folder / "tree", env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=options.limit, check=False, preexec_fn=lab.end_with_us)
        said = done.stdout + done.stderr
        expect(done.returncode == 0, f"status {done.returncode}: {said[-500:]}")
        words = [] if lab.is_virtio(options.part) else ["e1000: eth0 NIC Link is Up", "driver: e1000"]
        for wanted in ("making the guest's initial file system", *words,
                       "4 packets transmitted, 4 received, 0% packet loss", "receiver", "s simulated"):
            expect(wanted in said, f"it does not say '{wanted}': {said[-500:]}")
        expect((folder / "home/.cache/e1000-tlm/uml/initrd").exists(), "the guest's file system is elsewhere")
        user = pwd.getpwuid(NOBODY).pw_name if os.geteuid() == 0 else "this user"
        return f"as {user}, in a copy of the tree"


# --- Signals --------------------------------------------------------------------------------------------------------


PROMPT = rb"# \x1b\[6n"  # BusyBox asks where the cursor is
CURSOR = b"\x1b[1;5R"  # what a terminal answers
CTRL_C, CTRL_D = b"\x03", b"\x04"


class Shell:
    """./run linux --shell's program on a terminal of its own."""

    def __init__(self, options, stack):
        self.master, self.slave = pty.openpty()
        stack.callback(self.close)
        self.said = b""
        words = [sys.executable, str(lab.HERE / "linux.py"), "run", "--shell", "--part", options.part]
        words += ["--simulator", str(options.simulator)] if options.simulator else []
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(words, stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                        start_new_session=True, preexec_fn=self.own_terminal)
        stack.callback(self.give_up)
        self.limit = options.limit

    def own_terminal(self):
        lab.end_with_us()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def give_up(self):
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        self.process.kill()
        self.process.wait()

    def close(self):
        for name in ("master", "slave"):
            if (descriptor := getattr(self, name)) is not None:
                os.close(descriptor)
                setattr(self, name, None)

    def type(self, keys, pattern):
        """BusyBox loses keys that come together with the terminal's answer: they are typed again then."""
        for _ in range(10):
            os.write(self.master, CURSOR)
            time.sleep(0.5)
            os.write(self.master, keys)
            if self.read_until(pattern, 15, check=False):
                return
            os.write(self.master, CTRL_C)
            self.read_until(PROMPT)
        raise Trouble(f"the prompt does not take {keys}: {self.said[-300:]}")

    def read_until(self, pattern, seconds=None, check=True):
        deadline = time.monotonic() + (seconds or self.limit)
        while not (found := re.search(pattern, self.said)):
            if select.select([self.master], [], [], 0.2)[0]:
                self.said += os.read(self.master, 65536)
            elif self.process.poll() is not None:
                deadline = 0
            if time.monotonic() > deadline:
                expect(not check, f"the terminal does not show {pattern.decode()}: {self.said[-300:]}")
                return False
        self.said = self.said[found.end():]
        return True

    def folders(self):
        place = pathlib.Path(lab.executable_folder() or tempfile.gettempdir())
        return list(place.glob(f"{lab.FOLDER}{self.process.pid}-*"))

    def boot(self):
        self.read_until(rb"Ctrl-D ends")
        self.read_until(PROMPT)
        found = self.folders()
        expect(len(found) == 1, f"folders of the run: {found}")
        expect(len(lab.processes_in(found[0])) >= 2, f"processes of the run: {lab.processes_in(found[0])}")
        return found[0]

    def ended(self, folder, status, what, settings=True):
        """It has ended with this status, and nothing is left."""
        deadline = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < deadline:
            if self.master is not None and select.select([self.master], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    os.read(self.master, 65536)
            elif self.master is None:
                time.sleep(0.05)
        expect(self.process.poll() == status, f"{what}: status {self.process.poll()}, expected {status}")
        deadline = time.monotonic() + 10
        while (left := lab.processes_in(folder)) and time.monotonic() < deadline:
            time.sleep(0.05)
        expect(not left, f"{what}: left over: {', '.join(left.values())}")
        expect(not folder.exists() or not settings, f"{what}: {folder} is left over")
        if settings and self.slave is not None:
            expect(termios.tcgetattr(self.slave) == self.before, f"{what}: the terminal is not as it was")


def by_keys(shell, _):
    """Ctrl-C is the guest's, Ctrl-D ends."""
    shell.type(b"ping 10.0.2.2\n", rb"seq=\d+ ttl")  # the first may come before there is link
    os.write(shell.master, CTRL_C)
    shell.read_until(rb"ping statistics")
    shell.read_until(PROMPT)
    os.write(shell.master, CTRL_D)
    return 0


def by_signals(*numbers):
    def end(shell, _):
        for number in numbers:
            shell.process.send_signal(number)
            time.sleep(0.02)
        return 130 if numbers[0] == signal.SIGINT else 128 + numbers[0]

    return end


def by_hanging_up(shell, _):
    shell.close()
    return 128 + signal.SIGHUP


def by_killing(shell, _):
    shell.process.kill()
    return -signal.SIGKILL


def by_the_simulator(shell, folder):
    """It dies; the guest stops, and the prompt is the user's again."""
    for process, name in lab.processes_in(folder).items():
        if name != "linux":
            os.kill(process, signal.SIGKILL)
    return 1


WAYS = (("Ctrl-D", by_keys), ("SIGINT", by_signals(signal.SIGINT)), ("SIGTERM", by_signals(signal.SIGTERM)),
        ("two signals", by_signals(signal.SIGTERM, signal.SIGINT, signal.SIGTERM)), ("terminal gone", by_hanging_up),
        ("simulator killed", by_the_simulator), ("SIGKILL", by_killing))


def shell_ends(options):
    """However --shell ends, there is nothing left: no process, no folder with sockets and memory; the terminal is as
    it was. Only a program that is killed leaves its folder; the next one removes it."""
    for name, way in WAYS:
        with contextlib.ExitStack() as stack:
            shell = Shell(options, stack)
            folder = shell.boot()
            status = way(shell, folder)
            shell.ended(folder, status, name, settings=way is not by_killing)
    expect(folder.exists(), "a folder of a program that was killed was expected")
    lab.remove_old()
    expect(not folder.exists(), f"{folder} is left over")
    return ", ".join(name for name, _ in WAYS)


CHECKS = [("tap", tap), ("unprivileged", unprivileged), ("shell ends", shell_ends)]
