"""What Linux is asked to do with a virtio network device in simulated time. The first guest runs commands, the second
answers, as in checks_uml.py, whose checks are taken where they ask for nothing that only an e1000 has."""

import re

import checks_uml
import lab
from checks_uml import HOST, VLAN_GUEST, VLAN_HOST, both_ways, expect, ping

TAKEN = ("ping sizes", "flood", "tcp", "udp", "multicast", "jumbo", "down and up")
LAST = ("kernel log",)
MAC = "52:54:00:12:34:56"
DEVICE = "/sys/class/net/eth0/device"
# Numbers of features (virtio 1.2, 5.1.3 and 6) that Linux takes if it is offered them.
WANTED = {0: "CSUM", 5: "MAC", 11: "HOST_TSO4", 15: "MRG_RXBUF", 16: "STATUS", 17: "CTRL_VQ", 18: "CTRL_RX",
          28: "INDIRECT_DESC", 29: "EVENT_IDX", 32: "VERSION_1"}
DRIVEN, RESET = 0xF, 0x1  # the device's status: all steps taken; reset, and seen by the bus since
CHECKS = []  # (name, function)


def check(name):
    def register(function):
        CHECKS.append((name, function))
        return function

    return register


def interrupts(g):
    """{name: count} of the device's vectors."""
    found = re.findall(r"^\s*\d+:\s+(\d+).*\b(virtio\d+-\S+)$", g.run("cat /proc/interrupts"), re.M)
    return {re.sub(r"virtio\d+-", "", name): int(count) for count, name in found}


def status(g, device):
    """What the device's status register reads; `device`: its name on the virtio bus."""
    return int(g.run(f"cat /sys/bus/virtio/devices/{device}/status"), 16)


def name_of(g):
    return g.run(f"basename $(readlink -f {DEVICE})")


@check("probe")
def probe(g):
    driver = g.run(f"basename $(readlink {DEVICE}/driver)")
    expect(driver == "virtio_net", f"the driver is {driver}")
    agreed = g.run(f"cat {DEVICE}/features")
    missing = [name for number, name in WANTED.items() if agreed[number] != "1"]
    expect(not missing, "not agreed on: " + ", ".join(missing))
    address = g.run("cat /sys/class/net/eth0/address")
    expect(address == MAC, f"the address is {address}, not {MAC}")
    return f"{agreed.count('1')} features"


@check("link")
def link(g):
    output = g.run("ethtool eth0")
    expect("Speed: 1000Mb/s" in output and "Duplex: Full" in output and "Link detected: yes" in output,
           " ".join(output.split())[-300:])


@check("reset")
def reset(g):
    """The driver resets the device when it lets go of it: its status register is as at power on."""
    name = name_of(g)
    expect(status(g, name) == DRIVEN, f"in use its status is {status(g, name):#x}")
    g.run(f"echo {name} > /sys/bus/virtio/drivers/virtio_net/unbind")
    after = status(g, name)
    vectors = interrupts(g)
    g.run(f"echo {name} > /sys/bus/virtio/drivers/virtio_net/bind")
    g.network_up()
    expect(after == RESET, f"after the driver has gone the status is {after:#x}, not {RESET:#x}")
    expect(not vectors, f"vectors are left: {vectors}")
    expect(status(g, name) == DRIVEN, f"back in use its status is {status(g, name):#x}")
    both_ways(g)
    return f"status {DRIVEN:#x} -> {after:#x} -> {DRIVEN:#x}"


@check("vectors")
def vectors(g):
    """MSI-X: a vector for each queue and one for the configuration; those in use count."""
    pairs = lab.pairs_of(g.simulator.part)
    wanted = {"config"} | {f"{way}.{n}" for way in ("input", "output") for n in range(pairs)}
    before = interrupts(g)
    expect(wanted == set(before), f"in /proc/interrupts there are {', '.join(sorted(before))}")
    ping(g, 20, "-i 0.01")
    after = interrupts(g)
    rise = sum(count - before[name] for name, count in after.items() if name.startswith("input"))
    expect(20 <= rise <= 40, f"20 answers caused {rise} interrupts of the receive queues")
    return f"{len(wanted)} vectors; {rise} interrupts for 20 answers"


@check("queues")
def queues(g):
    most = lab.pairs_of(g.simulator.part)
    try:
        for count in [*range(1, most + 1), 1]:
            g.run(f"ethtool -L eth0 combined {count}")
            now = re.findall(r"^Combined:\s+(\d+)", g.run("ethtool -l eth0"), re.M)
            expect(now == [str(most), str(count)], f"{count} of {most} pairs were asked for, there are {now}")
            both_ways(g)
        refused, _ = g.run(f"ethtool -L eth0 combined {most + 1}", check=False)
        expect(refused != 0, f"{most + 1} pairs were not refused")
    finally:
        g.run("ethtool -L eth0 combined 1", check=False)
    return f"1 to {most}"


@check("offloads")
def offloads(g):
    said = g.run("ethtool -k eth0")
    for name in ("tx-checksum-ip-generic", "tx-tcp-segmentation", "rx-checksumming"):
        expect(re.search(rf"^\s*{name}: on", said, re.M), f"{name} is not on")
    names = ("gso", "tso", "tx", "gro", "sg")
    try:
        for name in names:
            g.run(f"ethtool -K eth0 {name} off")
            both_ways(g)
    finally:
        for name in reversed(names):
            g.run(f"ethtool -K eth0 {name} on", check=False)
    said = g.run("ethtool -k eth0")
    expect(re.search(r"^\s*tx-tcp-segmentation: on", said, re.M), "segmentation does not come on again")
    both_ways(g)
    return ", ".join(names) + " off, and on again"


@check("vlan")
def vlan(g):
    g.run("ip link add link eth0 name eth0.7 type vlan id 7 && ip link set eth0.7 up && "
          f"ip address add {VLAN_GUEST}/24 dev eth0.7")
    try:
        ping(g, address=VLAN_HOST)
        both_ways(g, VLAN_HOST)
    finally:
        g.run("ip link del eth0.7", check=False)


@check("unbind, bind")
def unbind(g):
    """The PCI device, too: without a driver it masters the bus no more."""
    command = g.run("ip link set eth0 down; cd /sys/bus/pci/drivers/virtio-pci && d=$(echo 0000:*) && echo $d > unbind && "
                    "! [ -e /sys/class/net/eth0 ] && od -An -tu1 -j4 -N1 /sys/bus/pci/devices/$d/config && echo $d > bind")
    expect(int(command) & 4 == 0, f"PCI command register {command} without a driver")
    g.network_up()
    both_ways(g)


@check("counters")
def counters(g):
    def total():
        return [int(g.run(f"cat /sys/class/net/eth0/statistics/{way}_packets")) for way in ("rx", "tx")]

    before = total()
    ping(g, 100, "-i 0.01")
    grown = [b - a for a, b in zip(before, total())]
    expect(all(100 <= count <= 106 for count in grown), f"they grew by {grown}")
    output = g.run(f"ping -c 20 -i 0.01 {HOST}")
    return f"{grown[0]} in, {grown[1]} out; round trip {re.search(r'rtt [^=]*= [0-9.]+/([0-9.]+)/', output)[1]} ms"


def all_checks():
    """Those of an e1000 that hold here, then ours; the kernel's log last."""
    shared = dict(checks_uml.CHECKS)
    missing = [name for name in (*TAKEN, *LAST) if name not in shared]
    if missing:
        raise lab.Trouble(f"checks_uml.py has no check {missing[0]}")
    return [(name, shared[name]) for name in TAKEN] + CHECKS + [(name, shared[name]) for name in LAST]
