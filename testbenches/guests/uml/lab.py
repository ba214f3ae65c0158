"""Machines of User-Mode Linux on modelled network cards: e1000-sim owns their time, each guest is a process.
No root rights are needed, and nothing is left behind."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parent.parent.parent
# The part whose reset the driver does by a register: the guest has no I/O space.
PART = "82545gm"
DEVICE_ID = 1234  # as in the kernel's configuration


class Trouble(Exception):
    """What a guest or the simulator did that it should not."""


def kernel_folder():
    return pathlib.Path(subprocess.check_output([HERE / "uml.sh", "path"], text=True).strip())


def is_virtio(part):
    return pairs_of(part) > 0


def pairs_of(part):
    """Pairs of queues of virtio-net-N, a virtio network device; 0 of others."""
    found = re.fullmatch(r"virtio-net(?:-([1-9]\d*))?", part)
    return int(found[1] or 1) if found else 0


def nic_words(part):
    """What e1000-sim's --nic is told."""
    return f"model=virtio-net,queues={pairs_of(part)}" if is_virtio(part) else f"part={part}"


def executable_folder():
    """Where the guests' memory can be: a folder in memory if programs may be mapped from there."""
    shm = pathlib.Path("/dev/shm")
    usable = shm.is_dir() and os.access(shm, os.W_OK) and not os.statvfs(shm).f_flag & os.ST_NOEXEC
    return str(shm) if usable else None


def last_line(path):
    text = path.read_text(errors="replace").strip() if path.exists() else ""
    return text.splitlines()[-1] if text else "nothing"


def end(process, seconds=10, number=signal.SIGTERM):
    """Ends a process and all of its group."""
    if process is None:
        return
    with contextlib.suppress(ProcessLookupError):
        if process.poll() is None:
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def end_on_signals():
    """Whoever ends this program ends all that it has started."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))


class Guest:
    """One machine. `script`: shell commands that it runs, then it switches itself off; None: a prompt. `part`: its
    adapter; None: the lab's."""

    def __init__(self, name, script=None, memory=128, words=(), part=None):
        self.name, self.script, self.memory, self.words = name, script, memory, list(words)
        self.part = part
        self.process = None

    def start(self, lab, number):
        self.console = lab.folder / f"{self.name}.console"
        self.status_file = lab.folder / f"{self.name}.status"
        # The guest's random numbers depend on these words: they are the same in each run, so no path of this one.
        socket = f"nic{number}"
        words = ["setarch", "-R", "./linux", f"mem={self.memory}M", "initrd=initrd", "root=/dev/ram0",
                 "con=null", f"virtio_uml.device={socket}:{DEVICE_ID}", "panic=1", "norandmaps",
                 f"umid={self.name}.uml", "uml_dir=.", f"guest.name={self.name}"]
        if lab.travels:
            words.append(f"time-travel=ext:{socket}.time")
        if self.script is not None:
            (lab.folder / self.name).write_text(self.script)
            words += ["hostfs=/proc/self/cwd", "con0=null,fd:1"]
        else:
            words += ["con0=fd:0,fd:1", "quiet", "nohz=off"]
        words += self.words
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(lab.folder), "TMPDIR": str(lab.folder)}
        if self.script is None:
            self.process = subprocess.Popen(words, cwd=lab.folder, env=environment)
            return
        with open(self.console, "wb") as log:
            self.process = subprocess.Popen(words, cwd=lab.folder, env=environment, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)

    def text(self):
        return self.console.read_text(errors="replace").replace("\r", "")

    def status(self):
        """Of its script; None: it has not come to its end."""
        return int(self.status_file.read_text()) if self.status_file.exists() else None


class Commanded(Guest):
    """Runs commands that are given one after the other, while it is running: its time stands still in between, as it
    looks for the next one without ever waiting."""

    AGENT = """
n=0
while :; do
  until [ -e /host/command.$n ]; do :; done
  [ ! -e /host/command.end ] || break
  sh /host/command.$n > /host/output.$n 2>&1 < /dev/null
  echo $? > /host/result.part
  mv /host/result.part /host/result.$n
  n=$((n + 1))
done
ip link set eth0 down
"""

    def __init__(self, name, address, **words):
        super().__init__(name, self.AGENT, **words)
        self.address, self.number = address, 0

    def start(self, lab, number):
        self.folder, self.simulator = lab.folder, lab
        super().start(lab, number)

    def run(self, command, seconds=60, check=True):
        """Output of a shell command; check: a status that is not 0 is trouble."""
        result = self.folder / f"result.{self.number}"
        self.hand_over(f"command.{self.number}", command)
        deadline = time.monotonic() + 2 * seconds
        while not result.exists():
            if self.process.poll() is not None:
                raise Trouble(f"the guest is gone; it said last: {last_line(self.console)}; the simulator: "
                              f"{last_line(self.simulator.log)}")
            if time.monotonic() > deadline:
                raise Trouble(f"'{command}' is not done after {2 * seconds} s of the wall clock")
            time.sleep(0.005)
        output = (self.folder / f"output.{self.number}").read_text(errors="replace").strip()
        status = int(result.read_text())
        self.number += 1
        if check and status:
            raise Trouble(f"'{command.strip().splitlines()[-1]}': status {status}: {output[-400:]}")
        return output if check else (status, output)

    def hand_over(self, name, text):
        part = self.folder / "command.part"
        part.write_text(text + "\n")
        part.rename(self.folder / name)

    def finish(self):
        (self.folder / "command.end").write_text("")
        self.hand_over(f"command.{self.number}", "")

    def network_up(self):
        self.run(f"ip link set eth0 up && ip address replace {self.address}/24 dev eth0")
        self.wait_link()

    def wait_link(self, seconds=20):
        self.run("i=0; until [ \"$(cat /sys/class/net/eth0/carrier 2>/dev/null)\" = 1 ]; do i=$((i+1)); "
                 f"[ $i -lt {seconds * 5} ] || {{ echo no link; exit 1; }}; sleep 0.2; done")

    def statistic(self, name):
        """A counter of ethtool -S."""
        found = re.search(rf"^\s*{name}: (\d+)$", self.run("ethtool -S eth0"), re.M)
        if not found:
            raise Trouble(f"ethtool -S has no {name}")
        return int(found[1])


class Lab:
    """e1000-sim and its guests, each on an adapter of its own. A context: at its end all of it is gone."""

    def __init__(self, guests, links, options=(), part=PART, travels=True, simulator=None, slow=None):
        self.guests, self.links, self.options = guests, links, list(options)
        self.part, self.travels = part, travels
        self.simulator = simulator or TREE / "build/bin/e1000-sim"
        self.slow = slow  # a command before the simulator's
        self.process = None
        self.store = kernel_folder()

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="e1000-tlm-uml-", dir=executable_folder()))
        self.log = self.folder / "simulator.log"
        for name in ("linux", "initrd"):
            (self.folder / name).symlink_to(self.store / name)
        return self

    def __exit__(self, *_):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # it is being ended
        for guest in self.guests:
            end(guest.process, 0, signal.SIGKILL)
        end(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)
        end_on_signals()

    def start(self):
        words = [*(self.slow or []), str(self.simulator), "--json", str(self.folder / "report.json")]
        for number, guest in enumerate(self.guests):
            wall = "" if self.travels else ",time=wall"
            words += ["--uml", f"unix:nic{number},nic={number}{wall}",
                      "--nic", f"{nic_words(guest.part or self.part)},mac=52:54:00:12:34:{0x56 + number:02x}"]
        for link in self.links:
            words += ["--link", link]
        words += self.options
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(words, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)
        last = self.folder / f"nic{len(self.guests) - 1}{'.time' if self.travels else ''}"
        deadline = time.monotonic() + 60
        while not last.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Trouble(f"e1000-sim does not serve {last}: {last_line(self.log)}")
            time.sleep(0.02)
        for number, guest in enumerate(self.guests):
            guest.start(self, number)

    def wait(self, seconds=300):
        """Until all guests have switched themselves off and the simulator has ended."""
        deadline = time.monotonic() + seconds
        for guest in self.guests:
            try:
                status = guest.process.wait(max(1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                raise Trouble(f"guest {guest.name} is not done after {seconds} s; it said last: "
                              f"{last_line(guest.console)}") from None
            if guest.script is not None and (status or guest.status() is None):
                raise Trouble(f"guest {guest.name} ended with status {status}; it said last: "
                              f"{last_line(guest.console)}; the simulator: {last_line(self.log)}")
            if guest.script is not None and guest.status():
                raise Trouble(f"the script of guest {guest.name} ended with status {guest.status()}; it said last: "
                              f"{last_line(guest.console)}")
        try:
            status = self.process.wait(max(1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Trouble("e1000-sim does not end after its guests") from None
        if status:
            raise Trouble(f"e1000-sim ended with status {status}: {last_line(self.log)}")

    def run(self, seconds=300):
        self.start()
        self.wait(seconds)
