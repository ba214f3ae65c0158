"""What a guest is asked to do with its network card. A check is a function of a booted machine; it raises
Trouble or returns a detail for the report. Order matters little: each leaves the card as it found it."""

import hashlib
import os
import re
import socket
import subprocess
import time

from machine import GUEST, HOST, HOST6, MAC, TAP, Trouble, call
from wire import Receiver, Sender, Traffic, Wire, sweep

CHECKS = []  # (name, function, in the default run)


class NotOffered(Exception):
    """The driver or the kernel offers no such thing on this card."""


def check(name, default=True):
    def register(function):
        CHECKS.append((name, function, default))
        return function

    return register


def expect(condition, message):
    if not condition:
        raise Trouble(message)


def ping(g, count=3, words=""):
    status, output = g.run(f"ping -c {count} -i 0.2 -W 3 {words} {HOST}", check=False)
    expect(status == 0, "ping: " + " ".join(output.splitlines()[-3:]))


def hash_of(data):
    return hashlib.sha256(data).hexdigest()


def transmit(g, megabytes=2, address=HOST, family=socket.AF_INET):
    """The guest sends random bytes over TCP; what arrives has their SHA-256."""
    receiver = Receiver(5001, family)
    g.run(f"[ $(wc -c < /tmp/data || echo 0) = {megabytes << 20} ] || "
          f"dd if=/dev/urandom of=/tmp/data bs=64k count={megabytes * 16} 2>/dev/null")
    theirs = g.run("sha256sum < /tmp/data").split()[0]
    g.run(f"nc -w 60 {address} 5001 < /tmp/data", 120)
    receiver.join(60)
    expect(receiver.error is None, f"TCP from the guest: {receiver.error}")
    expect(hash_of(receiver.data) == theirs, f"TCP from the guest: {len(receiver.data)} bytes arrived, altered")


def receive(g, megabytes=2, address=HOST, family=socket.AF_INET):
    data = os.urandom(megabytes << 20)
    sender = Sender(5002, data, family)
    theirs = g.run(f"nc -w 60 {address} 5002 < /dev/null | sha256sum", 180).split()[0]
    sender.join(60)
    expect(theirs == hash_of(data), f"TCP to the guest: what arrived is altered or incomplete ({sender.error})")


def both_ways(g, megabytes=1, **words):
    transmit(g, megabytes, **words)
    receive(g, megabytes, **words)


def feature(g, name, value):
    """Sets a feature of ethtool -K; NotOffered if it is fixed."""
    status, output = g.run(f"ethtool -K eth0 {name} {value}", check=False)
    if status:
        raise NotOffered(f"ethtool -K eth0 {name} {value}: {output.splitlines()[-1] if output else status}")


@check("probe")
def probe(g):
    log = g.run("dmesg | grep -i e1000")
    expect("Intel(R) PRO/1000 Network Connection" in log, "the driver did not find the card: " + log[-300:])
    return re.search(r"\(PCI.*?\)", log)[0] if re.search(r"\(PCI.*?\)", log) else ""


@check("link")
def link(g):
    output = g.run("ethtool eth0")
    expect("Speed: 1000Mb/s" in output and "Duplex: Full" in output and "Link detected: yes" in output,
           "ethtool: " + " ".join(output.split())[-300:])


@check("mac")
def mac(g):
    address = g.run("cat /sys/class/net/eth0/address")
    expect(address == MAC, f"the address is {address}, not {MAC}")


@check("ping sizes")
def ping_sizes(g):
    ping(g)
    missing = sweep(range(0, 1473))
    expect(not missing, f"no right answer to {missing[:5]} bytes")
    return "0 to 1472 bytes"


@check("flood")
def flood(g):
    output = g.run(f"ping -f -q -c 3000 -w 60 {HOST}", 90)
    expect(" 0% packet loss" in output, " ".join(output.split()))
    return re.search(r"rtt .*= ([\d./]+ ms)", output)[1]


@check("tcp sent")
def tcp_sent(g):
    transmit(g, 8)
    g.run("rm -f /tmp/data")


@check("tcp received")
def tcp_received(g):
    receive(g, 8)


@check("offloads")
def offloads(g):
    """Each of these alone off, then all of them, then all on."""
    names = ["tso", "sg", "tx", "rx", "gso", "gro"]
    original = {}
    for line in g.run("ethtool -k eth0").splitlines():
        found = re.match(r"(tcp-segmentation-offload|scatter-gather|tx-checksumming|rx-checksumming|"
                         r"generic-segmentation-offload|generic-receive-offload): (on|off)", line)
        if found:
            original[found[1]] = found[2]
    try:
        for name in names:
            feature(g, name, "off")
            both_ways(g)
        for name in ("tx", "sg", "tso", "rx", "gso", "gro"):
            feature(g, name, "on")
        both_ways(g)
    finally:
        g.run("ethtool -K eth0 rx on tx on sg on tso on gso on gro on", check=False)
    tso = original.get("tcp-segmentation-offload")
    return f"TSO {tso} at start"


@check("bad checksums")
def bad_checksums(g):
    feature(g, "rx", "on")
    before = g.statistic("rx_csum_offload_errors"), g.statistic("rx_csum_offload_good")
    with Wire() as wire:
        wire.send(kind=0x0800, payload=wire.tcp(HOST, GUEST, bad=False), count=20, gap=0.002)
        wire.send(kind=0x0800, payload=wire.tcp(HOST, GUEST, bad=True), count=20, gap=0.002)
    time.sleep(0.5)
    after = g.statistic("rx_csum_offload_errors"), g.statistic("rx_csum_offload_good")
    expect(after[0] - before[0] == 20, f"{after[0] - before[0]} bad checksums counted of 20")
    expect(after[1] - before[1] >= 20, f"{after[1] - before[1]} good checksums counted of 20")


@check("fragments")
def fragments(g):
    missing = sweep([1473, 2000, 4000, 9000, 20000, 40000, 65000], patience=5)
    expect(not missing, f"no right answer to {missing} bytes in fragments")
    output = g.run(f"ping -c 3 -i 0.2 -s 30000 {HOST}")
    expect(" 0% packet loss" in output, "ping -s 30000: " + output[-200:])


@check("udp")
def udp(g):
    rates = []
    for words in ("", "-R"):
        output = iperf(g, f"-u -b 20M -l 1400 -t 2 {words}")
        rates.append(f"{output['bits_per_second'] / 1e6:.0f} Mbit/s, {output['lost_percent']:.1f} % lost")
        expect(output["bits_per_second"] > 1e6 and output["lost_percent"] < 5, "; ".join(rates))
    return "; ".join(rates)


def iperf(g, words, seconds=60):
    """The guest's iperf3 against one on the other end; the sum of what was received."""
    import json

    from machine import root_path

    server = subprocess.Popen(["chroot", str(root_path()), "/usr/bin/iperf3", "-s", "-1", "-p", "5201"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(50):
            with open("/proc/net/tcp6", encoding="ascii") as v6, open("/proc/net/tcp", encoding="ascii") as v4:
                if ":1451 " in v6.read() + v4.read():
                    break
            time.sleep(0.05)
        status, output = g.run(f"iperf3 -J -c {HOST} -p 5201 {words} > /tmp/iperf; s=$?; "
                               "sed -n '/\"end\":[[:space:]]*{/,$p' /tmp/iperf | tr -d '\\t\\n '; exit $s",
                               seconds, check=False)
        expect(status == 0, f"iperf3 {words}: {output[-300:] or status}")
        end = json.JSONDecoder().raw_decode(output.split(":", 1)[1])[0]
        return end["sum"] if "-u" in words else dict(end["sum_received"],
                                                     retransmits=end["sum_sent"].get("retransmits", 0))
    finally:
        server.kill()
        server.wait()


@check("ipv6")
def ipv6(g):
    status, output = g.run(f"ping -6 -c 3 -i 0.2 {HOST6}", check=False)
    expect(status == 0, output[-200:])
    both_ways(g, address=HOST6, family=socket.AF_INET6)


@check("vlan")
def vlan(g):
    """Tags put on and taken off by the card and by software, in all combinations."""
    g.run("modprobe 8021q && ip link add link eth0 name eth0.5 type vlan id 5 && "
          "ip address add 10.9.5.2/24 dev eth0.5 && ip link set eth0.5 up")
    try:
        with Wire() as wire:
            g.run(f"ip neighbour replace 10.9.5.1 lladdr {wire.own} dev eth0.5")
            for rx, tx in (("on", "on"), ("off", "on"), ("on", "off"), ("off", "off")):
                g.run(f"ethtool -K eth0 rxvlan {rx} txvlan {tx}", check=False)
                g.wait_link()
                missing = [size for size in (0, 18, 56, 1000, 1471, 1472)
                           if not wire.tagged_echo(5, "10.9.5.1", "10.9.5.2", size)]
                expect(not missing, f"rxvlan {rx} txvlan {tx}: no right answer with tag to {missing} bytes")
    finally:
        g.run("ip link delete eth0.5; ethtool -K eth0 rxvlan on txvlan on", check=False)


def received(g):
    return int(g.run("cat /sys/class/net/eth0/statistics/rx_packets"))


def passes(g, count=40, **frame):
    """How many of these frames reach the guest's driver."""
    time.sleep(0.3)
    before = received(g)
    with Wire() as wire:
        wire.send(count=count, gap=0.002, **frame)
    time.sleep(0.5)
    return received(g) - before


@check("vlan filter")
def vlan_filter(g):
    g.run("modprobe 8021q && ip link add link eth0 name eth0.5 type vlan id 5 && ip link set eth0.5 up")
    try:
        if "rx-vlan-filter: on" not in g.run("ethtool -k eth0"):
            raise NotOffered("rx-vlan-filter is off")
        wanted, other = passes(g, vlan=5), passes(g, vlan=6)
        expect(wanted >= 40, f"{wanted} of 40 frames of the guest's VLAN arrive")
        expect(other < 10, f"{other} of 40 frames of another VLAN arrive")
    finally:
        g.run("ip link delete eth0.5", check=False)


@check("jumbo")
def jumbo(g):
    g.run("ip link set eth0 mtu 9000")
    call("ip", "link", "set", TAP, "mtu", "9000")
    try:
        g.wait_link()
        missing = sweep([1472, 1473, 2020, 4070, 8166, 8972], patience=3)
        expect(not missing, f"no right answer to {missing} bytes")
        both_ways(g, 2)
    finally:
        call("ip", "link", "set", TAP, "mtu", "1500")
        g.run("ip link set eth0 mtu 1500")
        g.wait_link()


@check("rings")
def rings(g):
    try:
        for size in (80, 256, 1024, 4096):
            g.run(f"ethtool -G eth0 rx {size} tx {size}")
            g.wait_link()
            ping(g)
            both_ways(g)
    finally:
        g.run("ethtool -G eth0 rx 256 tx 256", check=False)
        g.wait_link()


@check("coalescing")
def coalescing(g):
    original = re.search(r"rx-usecs:\s*(\d+)", g.run("ethtool -c eth0"))
    try:
        for value in (0, 1, 3, 20, 500):
            g.run(f"ethtool -C eth0 rx-usecs {value}")
            ping(g)
            both_ways(g)
    finally:
        g.run(f"ethtool -C eth0 rx-usecs {original[1] if original else 3}", check=False)


@check("speeds")
def speeds(g):
    try:
        for bits, speed, duplex in (("0x001", 10, "Half"), ("0x002", 10, "Full"), ("0x004", 100, "Half"),
                                    ("0x008", 100, "Full"), ("0x020", 1000, "Full")):
            g.run(f"ethtool -s eth0 autoneg on advertise {bits}")
            time.sleep(0.5)
            g.wait_link()
            output = g.run("ethtool eth0")
            expect(f"Speed: {speed}Mb/s" in output and f"Duplex: {duplex}" in output,
                   f"{speed} {duplex} was asked for, ethtool says "
                   + " ".join(re.findall(r"Speed: \S+|Duplex: \S+", output)))
            ping(g)
    finally:
        g.run("ethtool -s eth0 autoneg on advertise 0x02f", check=False)
        time.sleep(0.5)
        g.wait_link()


@check("pause")
def pause(g):
    try:
        for rx, tx in (("on", "on"), ("on", "off"), ("off", "on"), ("off", "off")):
            status, output = g.run(f"ethtool -A eth0 autoneg off rx {rx} tx {tx}", check=False)
            expect(status == 0 or "no pause parameters changed" in output, output)
            g.wait_link()
            state = g.run("ethtool -a eth0")
            expect(re.search(rf"RX:\s+{rx}", state) and re.search(rf"TX:\s+{tx}", state),
                   f"rx {rx} tx {tx} was asked for: " + " ".join(state.split()))
            ping(g)
    finally:
        g.run("ethtool -A eth0 autoneg on rx on tx on", check=False)
        g.wait_link()


@check("link flaps")
def flaps(g):
    traffic = Traffic()
    try:
        for _ in range(5):
            g.run("ip link set eth0 down; sleep 0.2; ip link set eth0 up")
            g.wait_link()
            g.run("ethtool -r eth0")
            g.wait_link()
        g.run("ip address replace fd09::2/64 dev eth0 nodad")
    finally:
        traffic.stop()
    ping(g)
    both_ways(g)


@check("rmmod modprobe")
def reload(g):
    for _ in range(3):
        g.run("rmmod e1000 && modprobe e1000")
        g.network_up()
        ping(g)


def pci_folder(g):
    return g.run("readlink -f /sys/class/net/eth0/device")


@check("pci rescan")
def rescan(g):
    folder = pci_folder(g)
    g.run(f"echo 1 > {folder}/remove; sleep 0.3; [ ! -e {folder} ] && echo 1 > /sys/bus/pci/rescan; sleep 0.5")
    g.network_up()
    ping(g)


@check("d3")
def d3(g):
    """To D3hot and back by the card's Power Management registers, without its driver."""
    folder = pci_folder(g)
    name = folder.rsplit("/", 1)[1]
    g.run(f"echo {name} > /sys/bus/pci/drivers/e1000/unbind")
    try:
        output = g.run(f"""byte() {{ dd if={folder}/config bs=1 skip=$1 count=1 2>/dev/null | od -An -tu1 | tr -d ' '; }}
write() {{ printf "$2" | dd of={folder}/config bs=1 seek=$1 conv=notrunc 2>/dev/null; }}
at=$(byte 52)
while [ $at -ne 0 ] && [ $(byte $at) -ne 1 ]; do at=$(byte $((at+1))); done
[ $at -ne 0 ] || {{ echo none; exit 0; }}
write $((at+4)) '\\003'; sleep 0.1; echo state $(($(byte $((at+4))) & 3))
write $((at+4)) '\\000'; sleep 0.1; echo state $(($(byte $((at+4))) & 3))""")
        if output == "none":
            raise NotOffered("no Power Management capability")
        expect(output.split() == ["state", "3", "state", "0"], "PMCSR: " + output)
        # The configuration is lost on silicon: the kernel sets the function up anew.
        g.run(f"echo 1 > {folder}/remove; echo 1 > /sys/bus/pci/rescan; sleep 0.5")
    finally:
        g.run(f"[ -e /sys/class/net/eth0 ] || echo {name} > /sys/bus/pci/drivers/e1000/bind", check=False)
    g.network_up()
    ping(g)


@check("suspend")
def suspend(g):
    status, _ = g.run("[ -e /sys/power/pm_test ]", check=False)
    if status:
        raise NotOffered("the kernel has no pm_test")
    g.run("echo devices > /sys/power/pm_test; echo mem > /sys/power/state; s=$?; "
          "echo none > /sys/power/pm_test; exit $s", 120)
    g.wait_link()
    ping(g)


@check("promiscuous")
def promiscuous(g):
    other = "52:54:00:00:00:99"
    expect((count := passes(g, to=other)) < 10, f"{count} of 40 frames to another address arrive")
    g.run("ip link set eth0 promisc on")
    try:
        expect((count := passes(g, to=other)) >= 40, f"promiscuous, {count} of 40 frames arrive")
    finally:
        g.run("ip link set eth0 promisc off")
    expect((count := passes(g, to=other)) < 10, f"promiscuous no more, {count} of 40 frames arrive")


@check("multicast")
def multicast(g):
    group = "01:00:5e:01:02:03"
    expect((count := passes(g, to=group)) < 10, f"{count} of 40 frames to a foreign group arrive")
    g.run(f"ip maddress add {group} dev eth0")
    try:
        expect((count := passes(g, to=group)) >= 40, f"{count} of 40 frames to its group arrive")
        g.run("ip link set eth0 allmulticast on")
        expect((count := passes(g, to="01:00:5e:55:66:77")) >= 40, f"allmulticast, {count} of 40 frames arrive")
    finally:
        g.run(f"ip link set eth0 allmulticast off; ip maddress del {group} dev eth0", check=False)


@check("many groups")
def many_groups(g):
    """More groups than exact filters: the multicast table."""
    names = [f"01:00:5e:{i:02x}:10:{255 - i:02x}" for i in range(40)]
    g.run("; ".join(f"ip maddress add {name} dev eth0" for name in names))
    try:
        for name in names[::7]:
            expect((count := passes(g, 10, to=name)) >= 10, f"{count} of 10 frames to group {name} arrive")
    finally:
        g.run("; ".join(f"ip maddress del {name} dev eth0" for name in names), check=False)


@check("set address")
def set_address(g):
    try:
        g.run("ip link set eth0 address 52:54:00:77:88:99")
        time.sleep(0.3)
        g.wait_link()
        ping(g)
        expect((count := passes(g, to=MAC)) < 10, f"{count} of 40 frames to the old address arrive")
    finally:
        g.run(f"ip link set eth0 address {MAC}")
        g.wait_link()
    ping(g)


@check("wake-on-lan")
def wake_on_lan(g):
    supports = re.search(r"Supports Wake-on: (\S+)", g.run("ethtool eth0"))
    if not supports or supports[1] == "d":
        raise NotOffered("the driver offers no Wake-on-LAN on this part")
    for letters in ("g", "umb", "d"):
        if all(letter in supports[1] + "d" for letter in letters):
            g.run(f"ethtool -s eth0 wol {letters}")
            found = re.search(r"^\s*Wake-on: (\S+)", g.run("ethtool eth0"), re.M)
            expect(found and set(found[1]) == set(letters), f"wol {letters}: {found and found[1]}")
    return supports[1]


@check("led")
def led(g):
    g.run("ethtool -p eth0 2")


@check("registers")
def registers(g):
    output = g.run("ethtool -d eth0")
    control = re.search(r"0x00000: CTRL.*?(0x[0-9A-Fa-f]{8})", output)
    status = re.search(r"0x00008: STATUS.*?(0x[0-9A-Fa-f]{8})", output)
    expect(control and status, "ethtool -d: " + output[:300])
    expect(int(status[1], 16) & 3 == 3, f"STATUS {status[1]}: no link at full duplex")


@check("eeprom")
def eeprom(g):
    def read(offset, length):
        text = g.run(f"ethtool -e eth0 offset {offset} length {length} raw on | od -An -v -tx1 | tr -d ' \\n'")
        return bytes.fromhex(text)

    start = read(0, 6)
    expect(start.hex(":") == MAC, f"the EEPROM starts with {start.hex(':')}")
    identity = g.run("cat /sys/class/net/eth0/device/device")[2:] + "8086"
    old = read(0x20, 2)
    for value in (0x5A, 0xA5, old[0]):
        g.run(f"ethtool -E eth0 magic 0x{identity} offset 0x20 length 1 value {value:#x}")
        expect(read(0x20, 2) == bytes([value, old[1]]), f"wrote {value:#x}, read {read(0x20, 2).hex()}")


@check("statistics")
def statistics(g):
    """ethtool -S against the counters of the cable's other end."""
    def far(name):
        with open(f"/sys/class/net/{TAP}/statistics/{name}", encoding="ascii") as file:
            return int(file.read())

    def all_of_them():
        time.sleep(2.5)  # the driver reads its counters every two seconds
        return [g.statistic("tx_packets"), g.statistic("rx_packets"), g.statistic("tx_bytes"),
                g.statistic("rx_bytes"), far("rx_packets"), far("tx_packets")]

    before = all_of_them()
    expect(not sweep([100] * 200), "echo requests were lost")
    after = all_of_them()
    sent, got, sent_bytes, got_bytes, far_got, far_sent = (b - a for a, b in zip(before, after))
    expect(sent == far_got and got == far_sent,
           f"the card counts {sent} sent and {got} received, the other end {far_got} and {far_sent}")
    # 100 bytes, ICMP, IP and Ethernet headers, frame check sequence; some more for ARP
    least = 200 * (100 + 8 + 20 + 14 + 4)
    expect(least <= sent_bytes <= least + 20 * 68 and least <= got_bytes <= least + 20 * 200,
           f"{sent_bytes} and {got_bytes} bytes, expected {least}")
    for name in ("rx_crc_errors", "rx_errors", "tx_errors", "rx_length_errors", "tx_timeout_count"):
        expect(g.statistic(name) == 0, f"{name} is {g.statistic(name)}")


@check("ethtool -t")
def self_test(g):
    status, output = g.run("ethtool -t eth0 offline", 120, check=False)
    g.wait_link()
    results = re.findall(r"^(\w+) test\s+\([a-z/]+\)\s+(\d+)$", output, re.M)
    bad = [name for name, value in results if value != "0"]
    expect(len(results) == 5, f"{len(results)} sub-tests: " + output[-300:])
    expect(not bad and status == 0, f"{5 - len(bad)} of 5; failed: " + ", ".join(bad))
    ping(g)
    return "5 of 5"


@check("interrupts")
def interrupts(g):
    def count():
        return int(re.search(r"^\s*\d+:\s+(\d+).*eth0", g.run("cat /proc/interrupts"), re.M)[1])

    before = count()
    time.sleep(2)
    idle = count() - before
    before = count()
    expect(not sweep([56] * 200), "echo requests were lost")
    busy = count() - before
    expect(idle < 50, f"{idle} interrupts in 2 s without traffic")
    expect(20 <= busy <= 1000, f"{busy} interrupts for 200 answered echo requests")
    return f"{idle} idle, {busy} for 200 pings"


@check("reboot in traffic")
def reboot(g):
    traffic = Traffic()
    try:
        g.send("reboot -f")
        g.wait_ready()
        g.network_up()
        ping(g)
    finally:
        traffic.stop()


BAD_LOG = re.compile(r"Tx Unit Hang|WARNING:|BUG:|nobody cared|Call Trace|Oops|transmit queue.*timed out|"
                     r"e1000.*(error|fail|invalid|Invalid)", re.I)


@check("kernel log")
def kernel_log(g):
    bad = [line for line in g.run("dmesg").splitlines() if BAD_LOG.search(line)]
    expect(not bad, " | ".join(bad[:4]))
