"""Machines of User-Mode Linux on modelled network cards: e1000-sim owns their time, each guest is a process.
No root rights are needed, and nothing is left behind."""

import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parent.parent.parent
# The part whose reset the driver does by a register: the guest has no I/O space.
PART = "82545gm"
DEVICE_ID = 1234  # as in the kernel's configuration
FOLDER = "e1000-tlm-uml-"  # a run's, followed by the number of the process
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PARENT_DEATH_SIGNAL = 1  # of prctl(2)
LIBC = ctypes.CDLL(None)


class Trouble(Exception):
    """What a guest or the simulator did that it should not."""


class NotHere(Exception):
    """What a check takes is not on this machine."""


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


def one_processor():
    """Of this machine's, for all processes of a run in simulated time: only one of them goes on at a time, and waking
    one up is much cheaper where the other one has run."""
    processors = sorted(os.sched_getaffinity(0))
    return {processors[os.getpid() % len(processors)]}


def processes_in(folder):
    """{process: its program's name} of those that run in this folder."""
    found = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(entry / "cwd") in (str(folder), f"{folder} (deleted)"):
                found[int(entry.name)] = (entry / "comm").read_text().strip()
    return found


def end_all_in(folder, seconds=5):
    """A guest is several processes, and not all of them end with the first one."""
    deadline = time.monotonic() + seconds
    while (left := processes_in(folder)) and time.monotonic() < deadline:
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.01)


def remove_old():
    """Folders of runs that were killed before they could do that themselves."""
    for path in pathlib.Path(executable_folder() or tempfile.gettempdir()).glob(f"{FOLDER}*"):
        found = re.fullmatch(FOLDER + r"(\d+)-\w+", path.name)
        with contextlib.suppress(OSError):
            if found and path.owner() and path.stat().st_uid == os.getuid() and not pathlib.Path("/proc", found[1]).exists():
                end_all_in(path)
                shutil.rmtree(path, ignore_errors=True)


def end_with_us():
    """In a child: it is killed if this program is."""
    LIBC.prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)


def install():
    """Makes what is missing of the guest; a signal ends that, too."""
    with subprocess.Popen([HERE / "uml.sh", "install"], start_new_session=True) as work:
        try:
            status = work.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(work.pid, signal.SIGTERM)
            raise
    if status:
        sys.exit(status)


@contextlib.contextmanager
def terminal_kept():
    """A guest that is killed leaves a terminal as it had set it up."""
    try:
        settings = termios.tcgetattr(0)
    except termios.error:
        settings = None
    try:
        yield
    finally:
        if settings:
            before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            with contextlib.suppress(termios.error):
                termios.tcsetattr(0, termios.TCSANOW, settings)
            signal.signal(signal.SIGTTOU, before)


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


def ignore_signals():
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def end_on_signals():
    """Whoever ends this program ends all that it has started. The first signal counts."""
    def end(number, _):
        ignore_signals()
        sys.exit(128 + number)

    for number in SIGNALS:
        signal.signal(number, end)


def keep(it, folder):
    """Copies all files of a run."""
    to = pathlib.Path(folder)
    to.mkdir(parents=True, exist_ok=True)
    for path in it.folder.iterdir():
        if path.is_file() and not path.is_symlink():
            (to / path.name).write_bytes(path.read_bytes())


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
            self.process = subprocess.Popen(words, cwd=lab.folder, env=environment, preexec_fn=lab.stay)
            return
        with open(self.console, "wb") as log:
            self.process = subprocess.Popen(words, cwd=lab.folder, env=environment, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True, preexec_fn=lab.stay)

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
        # A driver that has just been told to set the link up anew may not have seen yet that it is gone.
        self.run("sleep 0.3; i=0; until [ \"$(cat /sys/class/net/eth0/carrier 2>/dev/null)\" = 1 ]; do i=$((i+1)); "
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
        self.processor = one_processor() if travels else None
        self.store = kernel_folder()

    def __enter__(self):
        remove_old()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-", dir=executable_folder()))
        self.log = self.folder / "simulator.log"
        for name in ("linux", "initrd"):
            (self.folder / name).symlink_to(self.store / name)
        return self

    def __exit__(self, kind, *_):
        ignore_signals()  # it is being ended
        for guest in self.guests:
            end(guest.process, 0, signal.SIGKILL)
        end(self.process)
        end_all_in(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        if kind is not SystemExit:
            end_on_signals()

    def stay(self):
        """In each process before its program begins."""
        end_with_us()
        if self.processor:
            os.sched_setaffinity(0, self.processor)

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
                                            stderr=log, start_new_session=True, preexec_fn=self.stay)
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
