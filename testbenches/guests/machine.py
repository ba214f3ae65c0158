"""A guest machine: QEMU with one of two network cards, a tap device as the cable's other end, and an agent
in the guest that runs shell commands. All of it lives in namespaces that end with the harness."""

import base64
import contextlib
import fcntl
import functools
import json
import os
import pathlib
import re
import select
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import time

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parent.parent
HOST, GUEST = "10.9.0.1", "10.9.0.2"
HOST6, GUEST6 = "fd09::1", "fd09::2"
TAP = "tap0"
MAC = "52:54:00:12:34:56"
# Part: QEMU's name of the same device, None if it has none.
PARTS = {"82540em": "e1000", "82544gc": "e1000-82544gc", "82545em": "e1000-82545em", "82545em-pcix": None,
         "82545gm": None}
# virtio network devices with so many pairs of queues: not parts of the family, but served by the same doors.
VIRTIO = {"virtio-net": 1, "virtio-net-4": 4, "virtio-net-transitional": 1, "virtio-net-legacy": 1}
# With the registers of old drivers, too; on the second one Linux uses these.
TRANSITIONAL, LEGACY = "virtio-net-transitional", "virtio-net-legacy"
SLOTS = {"82545em-pcix": ("82545em", ["--pci", "64/133x"])}  # a part, in a slot that is not 32/33
KERNELS = ("6.1", "6.12", "newest")
RUN_VARIABLE = "E1000TLM_RUN"  # in the environment: to whom run folders belong


class Trouble(Exception):
    """What the guest, QEMU or the simulator did that it should not."""


@functools.lru_cache(maxsize=None)
def root_path():
    return pathlib.Path(subprocess.check_output([HERE / "root.sh", "path"], text=True).strip())


def share_devices():
    """QEMU in the root reaches /dev/kvm. Not before the root has been made."""
    if not os.path.ismount(root_path() / "dev"):
        call("mount", "--bind", "/dev", str(root_path() / "dev"))


def call(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise Trouble(f"{shlex.join(map(str, words))}: {done.stdout.strip()}")
    return done.stdout


def make_tap(name=TAP, address=HOST, address6=HOST6, mtu=1500, queues=1):
    """A tap device that stays when a card leaves it; the harness' end has addresses. One that is there gives way."""
    call("ip", "link", "set", "lo", "up")
    if os.path.exists(f"/sys/class/net/{name}"):
        call("ip", "link", "delete", name)
    call("ip", "tuntap", "add", "dev", name, "mode", "tap", *(["multi_queue"] if queues > 1 else []))
    for setting in ("disable_ipv6=0", "accept_dad=0", "router_solicitations=0"):
        key, value = setting.split("=")
        pathlib.Path(f"/proc/sys/net/ipv6/conf/{name}/{key}").write_text(value)
    call("ip", "link", "set", name, "mtu", str(mtu), "up")
    call("ip", "address", "add", f"{address}/24", "dev", name)
    call("ip", "address", "add", f"{address6}/64", "dev", name, "nodad")


def acceleration(wanted="auto"):
    """kvm where it can run unmodified kernels, otherwise tcg; and why."""
    if wanted != "auto":
        return wanted, "as told"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg", "no usable /dev/kvm"
    if not any(pathlib.Path(f"/sys/module/kvm_{kind}").exists() for kind in ("intel", "amd")):
        return "tcg", "/dev/kvm is not the processor's: unmodified kernels die on it"
    return "kvm", "/dev/kvm"


def waited(pids):
    """{thread: seconds} in which threads of these processes could have run and got no processor."""
    seconds = {}
    for pid in pids:
        for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError, IndexError, ValueError):
                seconds[path.parent.name] = int(path.read_text().split()[1]) / 1e9
    return seconds


class Patience:
    """A deadline that does not count the time in which a busy host lets one of these processes wait for a
    processor; it comes in any case, when MOST times as much has passed."""

    MOST = 5

    def __init__(self, seconds, pids=()):
        self.seconds, self.pids = seconds, [pid for pid in pids if pid]
        self.start, self.waited = time.monotonic(), waited(self.pids)

    def left(self):
        passed = time.monotonic() - self.start
        if passed < self.seconds or passed >= self.seconds * self.MOST:
            return self.seconds - passed
        now = waited(self.pids)
        late = max((now[thread] - self.waited.get(thread, 0.0) for thread in now), default=0.0)
        return min(self.seconds + late, self.seconds * self.MOST) - passed


def qemu_device(part):
    """QEMU's own card of the same kind, with its options."""
    if part not in VIRTIO:
        return PARTS[part]
    queues = VIRTIO[part]
    return ("virtio-net-pci" + ("" if part in (TRANSITIONAL, LEGACY) else ",disable-legacy=on")
            + (f",mq=on,vectors={2 * queues + 2}" if queues > 1 else ""))


def qemu_has(part):
    return part in VIRTIO or bool(PARTS[part])


def nic_words(part):
    """The same for e1000-sim's --nic."""
    if part not in VIRTIO:
        return [f"part={part}"]
    return [f"model=virtio-net,queues={VIRTIO[part]}", *(["interface=transitional"] if part in (TRANSITIONAL, LEGACY) else [])]


class QemuCard:
    """QEMU's own card."""

    name = "qemu"
    pid = None

    def __init__(self, part, options=None):
        self.part = part
        self.options = options or {}

    def start(self, folder):
        pass

    def stop(self):
        pass

    def arguments(self, files):
        device = f"{qemu_device(self.part)},netdev=n,mac={MAC}"
        if self.options.get("user"):
            return ["-netdev", "user,id=n", "-device", device]
        queues = VIRTIO.get(self.part, 1)
        taps = [os.open("/dev/net/tun", os.O_RDWR) for _ in range(queues)]
        flags = 0x1002 | (0x100 if queues > 1 else 0)  # TAP, NO_PI, MULTI_QUEUE
        for tap in taps:
            fcntl.ioctl(tap, 0x400454CA, struct.pack("16sH22x", TAP.encode(), flags))  # TUNSETIFF
        files += taps
        descriptors = "fd=" + str(taps[0]) if queues == 1 else "fds=" + ":".join(map(str, taps))
        return ["-netdev", f"tap,id=n,{descriptors}", "-device", device]

    def alive(self):
        return True

    def processor_time(self):
        return 0.0


class ModelCard:
    """The model behind e1000-sim's vfio-user door; one simulator for as many boots as there are."""

    name = "model"

    def __init__(self, part, options=None):
        self.part = part
        self.options = options = options or {}
        self.simulator = options.get("simulator") or TREE / "build/bin/e1000-sim"
        self.extra = options.get("extra") or []
        self.nic = options.get("nic") or []
        queues = VIRTIO.get(part, 1)
        self.link = options.get("link") or f"tap:ifname={TAP}" + (f",queues={queues}" if queues > 1 else "")
        self.process = None

    @property
    def pid(self):
        return self.process.pid if self.process else None

    def words(self):
        part, slot = SLOTS.get(self.part, (self.part, []))
        nic = ",".join([*nic_words(part), f"mac={MAC}", *self.nic])
        return ["--vfio-user", "unix:nic.sock", "--nic", nic, "--link", self.link, "--control", "unix:control.sock",
                *slot]

    def start(self, folder, sockets=("nic.sock",)):
        self.folder = folder
        self.log = open(folder / "simulator.log", "ab")
        self.process = subprocess.Popen([str(self.simulator), *self.words(), *self.extra], cwd=folder,
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        patience = Patience(30, [self.pid])
        while not all((folder / name).exists() for name in sockets):
            if self.process.poll() is not None or patience.left() <= 0:
                raise Trouble(f"e1000-sim does not serve {' '.join(sockets)} in {folder}: {self.said()}")
            time.sleep(0.05)

    def control(self, method, **parameters):
        """The result of a request to the simulator's control socket."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            folder = os.open(self.folder, os.O_PATH)
            try:
                client.connect(f"/proc/self/fd/{folder}/control.sock")  # the whole path may be too long
            finally:
                os.close(folder)
            with client.makefile("rw") as stream:
                request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
                print(json.dumps(request), file=stream, flush=True)
                answer = json.loads(stream.readline())
        if "error" in answer:
            raise Trouble(f"e1000-sim's control socket, {method}: {answer['error']['message']}")
        return answer["result"]

    def register(self, name):
        return self.control("read", register=name)[name]

    def said(self):
        return (self.folder / "simulator.log").read_text(errors="replace")[-2000:].strip()

    def stop(self):
        """Ends the simulator as a user does; its report is in the log."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise Trouble("e1000-sim does not end on SIGTERM") from None
            finally:
                self.log.close()
        status, self.process = self.process.returncode, None
        if status not in (0, 1):
            raise Trouble(f"e1000-sim ended with status {status}: {self.said()}")

    @staticmethod
    def arguments_of(path):
        device = {"driver": "vfio-user-pci", "socket": {"type": "unix", "path": inside(path)}}
        return ["-device", json.dumps(device)]

    def arguments(self, files):
        return self.arguments_of(self.folder / "nic.sock")

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def processor_time(self):
        return processor_time(self.process.pid)


CARDS = {"qemu": QemuCard, "model": ModelCard}


def inside(path):
    """A path as a process in the root sees it."""
    return "/" + str(pathlib.Path(path).relative_to(root_path()))


def processor_time(pid):
    """Seconds of processor time of a process."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def run_folder():
    """A folder inside of the root, where QEMU finds sockets."""
    prefix = f"e1000-tlm-{os.environ.get(RUN_VARIABLE, os.getpid())}-"
    folder = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=root_path() / "tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def kernel_version(kernel):
    return (root_path() / f"var/lib/e1000-tlm/{kernel}/version").read_text().strip()


def qemu_version():
    said = subprocess.check_output(["chroot", str(root_path()), "/usr/bin/qemu-system-x86_64", "--version"], text=True)
    return re.search(r"version ([\d.]+)", said)[1]


def run_folders(owner):
    """Those that are there of one run."""
    return list((root_path() / "tmp").glob(f"e1000-tlm-{owner}-*"))


class Machine:
    """QEMU, booted. run() runs a shell command in the guest."""

    board = "pc"

    def __init__(self, card, kernel, folder, accel="tcg", memory=256, words=(), append=""):
        self.card, self.folder, self.kernel = card, folder, kernel
        self.memory, self.accel, self.words, self.append = memory, accel, list(words), append
        self.processors = VIRTIO.get(card.part, 1)
        self.process = None
        self.past = ""  # what the console said in earlier boots
        self.kills = 3

    def boot_words(self):
        store = f"/var/lib/e1000-tlm/{self.kernel}"
        old = "virtio_pci.force_legacy=1" if self.card.part == LEGACY else ""
        return ["-kernel", f"{store}/vmlinuz", "-initrd", f"{store}/initrd", "-append",
                f"console=ttyS0 panic=-1 net.ifnames=0 iomem=relaxed watchdog_thresh=60 guest.agent {old} {self.append}"]

    def start(self, boot=None):
        share_devices()
        files = []
        ours, theirs = socket.socketpair()
        monitor, its = socket.socketpair()
        cpu = "host" if self.accel == "kvm" else "max"
        words = ["chroot", str(root_path()), "/usr/bin/qemu-system-x86_64", "-accel", self.accel, "-cpu", cpu,
                 "-m", str(self.memory), "-smp", str(self.processors), "-object",
                 f"memory-backend-memfd,id=m,size={self.memory}M,share=on", "-machine",
                 f"{self.board},memory-backend=m", "-nodefaults", "-display", "none", *self.console_words(files),
                 "-chardev", f"socket,id=agent,fd={theirs.fileno()}", "-serial", "chardev:agent",
                 "-chardev", f"socket,id=qmp,fd={its.fileno()}", "-mon", "chardev=qmp,mode=control",
                 *self.card.arguments(files), *(boot or self.boot_words()), *self.words]
        self.errors = open(self.folder / "qemu.log", "ab")
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.errors, stderr=self.errors,
                                        pass_fds=[theirs.fileno(), its.fileno(), *files])
        for file in files:
            os.close(file)
        theirs.close(), its.close()
        self.agent, self.monitor = ours, monitor
        self.buffer = b""

    def console_words(self, files):
        """QEMU's options for the first serial port; descriptors that it is to inherit go into files."""
        return ["-serial", f"file:{inside(self.folder / 'console')}"]

    def console(self):
        path = self.folder / "console"
        return path.read_text(errors="replace") if path.exists() else ""

    def last_words(self):
        lines = [line for line in self.console().splitlines() if line.strip()]
        complaint = (self.folder / "qemu.log").read_text(errors="replace").strip()
        return " | ".join(lines[-3:] + complaint.splitlines()[-2:])

    def patience(self, seconds):
        return Patience(seconds, [self.process.pid, getattr(self.card, "pid", None)])

    def line(self, seconds):
        patience = self.patience(seconds)
        while b"\n" not in self.buffer:
            while (left := patience.left()) > 0 and not select.select([self.agent], [], [], left)[0]:
                pass
            if left <= 0:
                raise Trouble(f"the guest has said nothing for {seconds} s; its console: {self.last_words()}")
            data = self.agent.recv(65536)
            if not data:
                raise Trouble(f"QEMU is gone: {self.last_words()}")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode(errors="replace").strip("\r\0")

    def wait_ready(self, seconds=180):
        while "READY" not in self.line(seconds):
            pass

    def run(self, command, seconds=60, check=True):
        """Output of a command; check: a status that is not 0 is trouble."""
        self.send(command)
        return self.answer(command, seconds, check)

    def send(self, command):
        self.agent.sendall(base64.b64encode(command.encode()) + b"\n")

    def answer(self, command, seconds=60, check=True):
        words = self.line(seconds).split(" ")
        output = base64.b64decode(words[0]).decode(errors="replace").strip() if words[0] else ""
        status = int(words[-1])
        if check and status:
            raise Trouble(f"'{command.strip().splitlines()[-1]}': status {status}: {output[-400:]}")
        return output if check else (status, output)

    def qmp(self, command, **arguments):
        stream = self.monitor.makefile("rw")
        if not getattr(self, "greeted", False):
            self.greeted = True
            stream.readline()
            print(json.dumps({"execute": "qmp_capabilities"}), file=stream, flush=True)
            while "return" not in json.loads(stream.readline()):
                pass
        print(json.dumps({"execute": command, "arguments": arguments}), file=stream, flush=True)
        while True:
            answer = json.loads(stream.readline())
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise Trouble(f"QEMU's {command}: {answer['error']['desc']}")

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
            self.agent.close(), self.monitor.close(), self.errors.close()

    def boot(self, seconds=180):
        self.past += self.console()
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "console").unlink()
        self.greeted = False
        self.start()
        self.wait_ready(seconds)

    def network_up(self, address=GUEST, address6=GUEST6):
        self.wait_file("/sys/class/net/eth0")
        self.run(f"ip link set eth0 up && ip address replace {address}/24 dev eth0 && "
                 f"ip address replace {address6}/64 dev eth0 nodad")
        self.wait_link()

    def wait_file(self, path, seconds=30):
        self.run(f"i=0; until [ -e {path} ]; do i=$((i+1)); "
                 f"[ $i -lt {seconds * 10} ] || {{ echo no {path}; exit 1; }}; sleep 0.1; done", seconds + 60)

    def wait_link(self, seconds=60):
        self.run("i=0; until [ \"$(cat /sys/class/net/eth0/carrier 2>/dev/null)\" = 1 ]; do i=$((i+1)); "
                 f"[ $i -lt {seconds * 5} ] || {{ echo no link; exit 1; }}; sleep 0.2; done", seconds + 60)

    def statistics(self, *names):
        """Counters of ethtool -S."""
        output = self.run("ethtool -S eth0")
        found = {name: int(value) for name, value in re.findall(r"^\s*(\w+): (\d+)$", output, re.M)}
        missing = [name for name in names if name not in found]
        if missing:
            raise Trouble(f"ethtool -S has no {missing[0]}")
        return [found[name] for name in names]

    def shell(self):
        """The guest's console on this terminal, until it powers off or Ctrl-A x."""
        share_devices()
        store = f"/var/lib/e1000-tlm/{self.kernel}"
        files = []
        words = ["chroot", str(root_path()), "/usr/bin/qemu-system-x86_64", "-accel", self.accel, "-cpu",
                 "host" if self.accel == "kvm" else "max", "-m", str(self.memory), "-object",
                 f"memory-backend-memfd,id=m,size={self.memory}M,share=on", "-machine", "pc,memory-backend=m",
                 "-nodefaults", "-display", "none", "-no-reboot", "-serial", "mon:stdio",
                 *self.card.arguments(files), "-kernel", f"{store}/vmlinuz", "-initrd", f"{store}/initrd",
                 "-append", "console=ttyS0 panic=-1 net.ifnames=0 quiet guest.shell"]
        terminal = termios.tcgetattr(0) if os.isatty(0) else None
        try:
            return subprocess.run(words, pass_fds=files, check=False).returncode
        finally:
            if terminal is not None:  # a QEMU that was killed leaves it as QEMU likes it
                termios.tcsetattr(0, termios.TCSANOW, terminal)


def expect_alive(card):
    if not card.alive():
        raise Trouble(f"e1000-sim has ended: {card.said()}")
