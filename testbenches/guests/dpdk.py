"""DPDK's testpmd with its own driver of the card, which polls, from a process of the guest: what programs of several
kinds of cards share, and that of the e1000."""

import collections
import contextlib
import re
import select
import socket
import struct
import time

import checks
from machine import GUEST, HOST, MAC, TAP, Machine, Trouble, call, inside, root_path
from programs import program
from wire import Wire, checksum, mac_bytes

KERNEL = "6.12"
STORE = f"var/lib/e1000-tlm/{KERNEL}"
OTHER = "52:54:00:99:99:99"
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
# name: DPDK's; library; linux: name of Linux' driver for the same card; fcs: bytes of a frame that its counters have in
# addition.
Driver = collections.namedtuple("Driver", "name library linux fcs")
EM = Driver("net_e1000_em", "librte_net_e1000.so.25", "e1000", 4)


class Testpmd:
    """testpmd in the guest: its commands go through a named pipe, what it says to the console, for it keeps back
    what goes to a file."""

    def __init__(self, g, address, driver=EM, words="", mbufs=4096):
        self.g, self.driver, self.read, self.asked = g, driver, len(g.console()), 0
        eal = f"--lcores 0@0,1@0 -n 1 -d {LIBRARIES}/librte_mempool_ring.so.25 -d {LIBRARIES}/{driver.library}"
        g.run("rm -f /tmp/in; mkfifo /tmp/in; sleep 100000 > /tmp/in & "
              f"dpdk-testpmd {eal} -a {address} -- -i --total-num-mbufs={mbufs} --rxd=256 --txd=256 {words} "
              "< /tmp/in > /dev/ttyS0 2>&1 & echo $! > /tmp/testpmd")
        self.started = self.until(r"Checking link statuses.*Done") + self.do("")

    def until(self, pattern, silence=240):
        """Waits for what it says; what it has said since the last time."""
        size, heard, asked = 0, time.monotonic(), time.monotonic()
        while True:
            text = self.g.console()[self.read:]
            if re.search(pattern, text, re.S):
                self.read += len(text)
                return text
            now = time.monotonic()
            if len(text) != size:
                size, heard = len(text), now
            if now - asked > 5 and self.g.run("kill -0 $(cat /tmp/testpmd)", check=False)[0]:
                raise Trouble(f"testpmd has ended: {' | '.join(text.splitlines()[-6:])}")
            asked = now if now - asked > 5 else asked
            if now - heard > silence:
                raise Trouble(f"testpmd does not say '{pattern}': {' | '.join(text.splitlines()[-6:])}")
            time.sleep(0.1)

    def do(self, command):
        """The answer to a command. It has been given when the next, which does not exist, is refused: prompts tell
        nothing, as messages come in between."""
        self.asked += 1
        self.g.run(f"printf '%s\\nmark{self.asked}\\n' '{command}' > /tmp/in")
        return self.until(rf"mark{self.asked}\b.*Command not found")

    def counters(self):
        answer = self.do("show port stats 0")
        counters = {name: int(value) for name, value in re.findall(r"([RT]X-\w+): +(\d+)", answer)}
        checks.expect("RX-packets" in counters and "TX-packets" in counters, f"no counters in {answer!r}")
        return counters

    def settled(self, name, wanted):
        """The counters, when one of them has what is wanted, or stands still for a while."""
        counters, still = self.counters(), 0
        while counters[name] < wanted and still < 6:
            time.sleep(0.5)
            before, counters = counters, self.counters()
            still = still + 1 if counters[name] == before[name] else 0
        return counters

    def quit(self):
        self.g.run("echo quit > /tmp/in; while kill -0 $(cat /tmp/testpmd) 2> /dev/null; do sleep 0.2; done", 120)


def bind(g, driver, address):
    """Gives the device to a driver, as driverctl does."""
    g.run(f"modprobe {driver}; cd /sys/bus/pci/devices/{address}; "
          f"[ ! -e driver ] || echo {address} > driver/unbind; echo {driver} > driver_override; "
          f"echo {address} > /sys/bus/pci/drivers_probe; [ \"$(basename $(readlink driver))\" = {driver} ] || "
          f"{{ dmesg | tail -n 3; exit 1; }}")


def frames(count):
    """Payloads from 46 to 1500 bytes, each with its number and a pattern of its own."""
    return [struct.pack(">I", i) + bytes((i + j * 7) & 0xFF for j in range(42 + 1454 * i // (count - 1)))
            for i in range(count)]


def quiet_tap():
    """Nothing but the harness' frames on the cable."""
    with open(f"/proc/sys/net/ipv6/conf/{TAP}/disable_ipv6", "w", encoding="ascii") as setting:
        setting.write("1")
    call("ip", "link", "set", TAP, "arp", "off")


def loud_tap():
    call("ip", "link", "set", TAP, "arp", "on")


def received_by_tap():
    folder = f"/sys/class/net/{TAP}/statistics"
    return tuple(int(open(f"{folder}/{name}", encoding="ascii").read()) for name in ("rx_packets", "rx_bytes"))


def receives(stage, pmd, name, to=MAC, counted=True, count=500):
    payloads, counters = frames(count) if counted else [], {}
    with stage.step(name, needed=False) as detail, Wire() as wire, forwarding(pmd, "rxonly"):
        for payload in frames(count):
            wire.send(to=to, payload=payload, gap=0.002)
        counters = pmd.settled("RX-packets", count)
        checks.expect(counters["RX-packets"] == len(payloads), f"{len(payloads)} frames should have come: {counters}")
        checks.expect(counters["RX-errors"] == 0 and counters["RX-missed"] == 0, str(counters))
        detail.append(f"{counters['RX-packets']} frames")
    with stage.step(f"{name}: bytes", needed=False) as detail:
        size = sum(14 + len(payload) + pmd.driver.fcs for payload in payloads)
        checks.expect(counters["RX-bytes"] == size, f"{counters['RX-bytes']} bytes counted, the cable carried {size}")
        detail.append(f"{size}{', with FCS' if pmd.driver.fcs else ''}")


def sends(stage, pmd, name, sizes, least):
    counters, packets, size = {}, 0, 0
    with stage.step(name, needed=False) as detail:
        before = received_by_tap()
        pmd.do(f"set txpkts {sizes}")
        with forwarding(pmd, "txonly"):
            start = time.monotonic()
            while pmd.counters()["TX-packets"] < least:
                checks.expect(time.monotonic() - start < 300, f"only {pmd.counters()} after 300 s")
                time.sleep(0.5)
        counters = pmd.counters()
        packets, size = [now - then for now, then in zip(received_by_tap(), before)]
        checks.expect(counters["TX-packets"] == packets and counters["TX-errors"] == 0,
                      f"the cable carried {packets} frames: {counters}")
        detail.append(f"{packets} frames")
    with stage.step(f"{name}: bytes", needed=False) as detail:
        size += pmd.driver.fcs * packets
        checks.expect(counters["TX-bytes"] == size, f"{counters['TX-bytes']} bytes counted, the cable carried {size}")
        detail.append(f"{size}{', with FCS' if pmd.driver.fcs else ''}")


@contextlib.contextmanager
def forwarding(pmd, mode):
    """testpmd does this with frames, its counters begin at 0."""
    for word in (f"set fwd {mode}", "clear port stats all", "start"):
        pmd.do(word)
    try:
        yield
    finally:
        pmd.do("stop")


def forwards(stage, pmd, count=300):
    with stage.step("forwards", needed=False) as detail, Wire() as wire, forwarding(pmd, "macswap"):
        wanted = frames(count)
        head = mac_bytes(wire.own) + mac_bytes(MAC) + struct.pack(">H", 0x88B5)
        got = answers(wire, 0x88B5, wanted, lambda frame: frame[:14] == head)
        checks.expect(got == wanted, f"{len(got)} of {count} frames came back, "
                                     f"{sum(a == b for a, b in zip(got, wanted))} as they were, in order")
        detail.append(f"{count} frames came back, byte for byte")


def answers(wire, kind, payloads, ours=lambda frame: True):
    """Sends these and returns the payloads that come back, until all have or nothing has come for a while."""
    got = []
    for payload in payloads:
        wire.send(kind=kind, payload=payload)
        got += taken(wire, kind, ours, 0.002)
    heard = time.monotonic()
    while len(got) < len(payloads) and time.monotonic() - heard < 30:
        new = taken(wire, kind, ours, 0.5)
        if new:
            got, heard = got + new, time.monotonic()
    return got


def taken(wire, kind, ours, seconds):
    """Payloads of the guest's frames, until none comes for so long."""
    payloads = []
    while select.select([wire.socket], [], [], seconds)[0]:
        frame, source = wire.socket.recvfrom(4096)
        if source[2] != socket.PACKET_OUTGOING and frame[12:14] == struct.pack(">H", kind) and ours(frame):
            payloads.append(frame[14:])
    return payloads


def udp_packet(right):
    data = b"checksum by the card" * 20
    udp = struct.pack(">HHHH", 7, 9, 8 + len(data), 0) + data
    pseudo = socket.inet_aton(HOST) + socket.inet_aton(GUEST) + struct.pack(">HH", 17, len(udp))
    value = checksum(pseudo + udp) if right else 0x1234
    udp = udp[:6] + struct.pack(">H", value) + udp[8:]
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, socket.inet_aton(HOST),
                         socket.inet_aton(GUEST))
    return header[:10] + struct.pack(">H", checksum(header) if right else 0) + header[12:] + udp


def checksums(stage, pmd, by_card=("ip", "udp")):
    """testpmd empties the checksums of packets and lets the card fill in these, the others it computes."""
    with stage.step("checksums", needed=False) as detail, Wire() as wire:
        places = [f"csum set {name} {'hw' if name in by_card else 'sw'} 0" for name in ("ip", "udp")]
        for word in ("port stop 0", *places, "port start 0"):
            answer = pmd.do(word)
            checks.expect("not supported" not in answer, answer)
        wait_link(pmd)
        with forwarding(pmd, "csum"):
            packets = answers(wire, 0x0800, [udp_packet(right=False)] * 20)
        checks.expect(len(packets) == 20, f"{len(packets)} of 20 packets came back")
        checks.expect(all(packet == udp_packet(right=True) for packet in packets),
                      f"wrong checksums: {packets[0][:28].hex()}, right are {udp_packet(right=True)[:28].hex()}")
        detail.append(f"{' and '.join(by_card)}, 20 packets")


def wait_link(pmd, attempts=60):
    for _ in range(attempts):
        info = pmd.do("show port info 0")
        if "Link status: up" in info:
            return info
        time.sleep(0.5)
    raise Trouble("no link: " + " ".join(re.findall(r"Link \w+: [^\n]*", info)))


@program("dpdk", parts=("82540em",), more=("82545em",), needs=("dpdk",))
def dpdk(stage):
    """DPDK's testpmd with its em driver: counters against the cable, filters, forwarding, checksums."""
    g, address = lend(stage)
    pmd = probe(stage, g, address, EM)
    checks_of_all(stage, pmd)
    checksums(stage, pmd)
    pmd.quit()
    linux_again(stage, g, address, EM)


def lend(stage):
    """A Linux that has given the card away: the machine, and the card's PCI address."""
    initrd = stage.folder / "initrd"
    initrd.write_bytes((root_path() / STORE / "initrd").read_bytes() + (root_path() / STORE / "../dpdk").read_bytes())
    stage.tap_card()
    quiet_tap()
    words = ("-kernel", f"/{STORE}/vmlinuz", "-initrd", inside(initrd), "-append",
             "console=ttyS0 panic=-1 net.ifnames=0 guest.agent guest.load=no")
    g = stage.start(Machine(stage.card, KERNEL, stage.folder, stage.options.accel, memory=768))
    g.boot_words, g.processors = lambda: words, 1
    with stage.step("Linux runs"):
        g.boot(600)
        address = g.run("grep -l 0x020000 /sys/bus/pci/devices/*/class").split("/")[5]
        g.run("echo 96 > /proc/sys/vm/nr_hugepages; mkdir -p /var/run /dev/hugepages; mount -t hugetlbfs none /dev/hugepages; "
              "grep -q 'HugePages_Total: *96' /proc/meminfo")
    with stage.step("uio_pci_generic"):
        bind(g, "uio_pci_generic", address)
    return g, address


def checks_of_all(stage, pmd):
    """What every card does."""
    receives(stage, pmd, "receives")
    pmd.do("set promisc all off")
    pmd.do("set allmulti all off")
    receives(stage, pmd, "filters", to=OTHER, counted=False, count=50)
    receives(stage, pmd, "receives its own", count=50)
    sends(stage, pmd, "sends", "64", least=20000)
    sends(stage, pmd, "sends long", "1514", least=3000)
    sends(stage, pmd, "sends in pieces", "64,200,300", least=3000)
    forwards(stage, pmd)
    with stage.step("stopped and started"):
        pmd.do("port stop 0")
        pmd.do("port start 0")
        wait_link(pmd)
    receives(stage, pmd, "receives again", count=50)


def probe(stage, g, address, driver, speed="1 Gbps", **options):
    """testpmd, started; it has found the card. speed: what it says of the link; options: of Testpmd."""
    with stage.step("probe") as detail:
        pmd = Testpmd(g, address, driver, **options)
        found = re.search(r"Port 0: ([0-9A-F:]{17})", pmd.started, re.I)
        checks.expect(found, "no port: " + " | ".join(pmd.started.splitlines()[-6:]))
        checks.expect(found[1].lower() == MAC, f"the MAC address is {found[1]}, not {MAC}")
        info = wait_link(pmd)
        name = re.search(r"Driver name: (\S+)", info)[1]
        checks.expect(name == driver.name, f"its driver is {name}")
        checks.expect(f"Link speed: {speed}" in info and "full-duplex" in info,
                      " ".join(re.findall(r"Link \w+: [^\n]*", info)))
        detail.append(f"{name}, {speed}")
        return pmd


def linux_again(stage, g, address, driver):
    with stage.step("back to Linux"):
        loud_tap()
        bind(g, driver.linux, address)
        g.run(f"ip link set eth0 up && ip address replace {GUEST}/24 dev eth0")
        g.wait_link()
        checks.ping(g)
