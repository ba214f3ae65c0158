"""What Linux is asked to do with its e1000 in simulated time. A check is a function of the first guest, which runs
commands one after the other; simulated time stands still between them. The second guest is its partner: it answers
on several ports all the time. Checks that need no partner on the host are those of ../checks.py."""

import pathlib
import re
import sys

import lab
from lab import Trouble

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import checks  # noqa: E402
import checks_driver  # noqa: E402,F401  (these two fill its list)
import checks_traffic  # noqa: E402,F401

HOST, GUEST = "10.9.0.1", "10.9.0.2"
VLAN_HOST, VLAN_GUEST = "10.9.7.1", "10.9.7.2"
SHARED = ("link", "mac", "registers", "eeprom")
HASH_PORT, DATA_PORT = 5001, 5002
CHECKS = []  # (name, function)

# An input without end: nc would close its half at once.
SILENCE = "mkfifo /tmp/silence; exec 3<> /tmp/silence; "
# The partner: tells the hash of what it is sent, and of what it sends, by files; iperf3; a VLAN.
PARTNER = f"""
ip link set eth0 mtu 9000 up
ip address add {HOST}/24 dev eth0
ip link add link eth0 name eth0.7 type vlan id 7
ip link set eth0.7 up
ip address add {VLAN_HOST}/24 dev eth0.7
echo 0 > /proc/sys/net/ipv4/icmp_echo_ignore_broadcasts
dd if=/dev/urandom of=/tmp/data bs=64k count=32 2> /dev/null
sha256sum < /tmp/data > /host/offered
{SILENCE}while :; do nc -l -p {HASH_PORT} <&3 | sha256sum > /host/part; mv /host/part /host/arrived; done &
while :; do nc -l -p {DATA_PORT} < /tmp/data > /dev/null; done &
iperf3 -s -D
packets serve until=/host/first.status &
while [ ! -e /host/first.status ]; do
  if [ -e /host/ask ]; then
    mv /host/ask /tmp/asked
    sh /tmp/asked > /host/said 2>&1
    echo $? > /tmp/answer
    mv /tmp/answer /host/answer
  fi
  sleep 0.05
done
ip link set eth0 down
"""
# Until the partner has told what arrived.
SEND = (f"rm -f /host/arrived; nc -w 30 {{address}} {HASH_PORT} < /tmp/data; i=0; "
        "until [ -e /host/arrived ]; do i=$((i+1)); [ $i -lt 600 ] || exit 1; sleep 0.1; done; cat /host/arrived")


def check(name):
    def register(function):
        CHECKS.append((name, function))
        return function

    return register


def expect(condition, message):
    if not condition:
        raise Trouble(message)


def ping(g, count=3, words="", address=HOST):
    status, output = g.run(f"ping -c {count} -i 0.2 -W 3 {words} {address}", check=False)
    expect(status == 0, "ping: " + " ".join(output.splitlines()[-3:]))
    return output


def first_word(text):
    return text.split()[0] if text.split() else "nothing"


def transmit(g, kilobytes=1024, address=HOST):
    """The first sends random bytes over TCP; the second tells the SHA-256 of what arrived."""
    g.run(f"dd if=/dev/urandom of=/tmp/data bs=1k count={kilobytes} 2> /dev/null")
    sent = first_word(g.run("sha256sum < /tmp/data"))
    arrived = first_word(g.run(SEND.format(address=address), 120))
    expect(sent == arrived, f"TCP to the second guest: sent {sent}, arrived {arrived}")


def receive(g, address=HOST):
    theirs = first_word(g.run("cat /host/offered"))
    ours = first_word(g.run(f"{SILENCE}sleep 0.1; nc -w 30 {address} {DATA_PORT} <&3 | sha256sum; rm /tmp/silence", 120))
    expect(ours == theirs, f"TCP from the second guest: sent {theirs}, arrived {ours}")


def both_ways(g, address=HOST):
    transmit(g, address=address)
    receive(g, address=address)


def ask(g, command):
    """Has the second guest run a command, as soon as time goes on; /host/answer is there when it is done."""
    for name in ("answer", "said", "enough"):
        (g.folder / name).unlink(missing_ok=True)
    (g.folder / "ask.part").write_text(command + "\n")
    (g.folder / "ask.part").rename(g.folder / "ask")


def answer(g):
    """What the command said."""
    g.run("i=0; until [ -e /host/answer ]; do i=$((i+1)); [ $i -lt 600 ] || exit 1; sleep 0.1; done", 120)
    said = (g.folder / "said").read_text(errors="replace").strip()
    status = (g.folder / "answer").read_text().strip()
    expect(status == "0", f"the second guest: status {status}: {said[-400:]}")
    return said


def feature(g, name, value):
    g.run(f"ethtool -K eth0 {name} {value}")
    g.wait_link()


def registers(g):
    """{name: value} of ethtool -d."""
    found = re.findall(r"^0x[0-9A-F]{5}: (\w+).*?0x([0-9A-Fa-f]{8})$", g.run("ethtool -d eth0"), re.M)
    return {name: int(value, 16) for name, value in found}


@check("probe")
def probe(g):
    log = g.run("dmesg | grep -i e1000")
    found = re.search(r"e1000 \S+ eth0: \((PCI\S*)\) ([0-9a-f:]{17})", log)
    expect(found and "Intel(R) PRO/1000 Network Connection" in log, "the driver did not find the card: " + log[-300:])
    return found[1]


@check("true reset")
def true_reset(g):
    """The driver resets the card when it goes down: what it had written to registers is gone."""
    before = registers(g)
    expect(before["RCTL"] & 2 and before["RDLEN"] and before["TDLEN"], f"not in use: {before}")
    g.run("ip link set eth0 down")
    after = registers(g)
    kept = [f"{name} {after[name]:#x}" for name in ("RCTL", "RDLEN", "RDH", "RDT", "TDLEN", "TDH", "TDT")
            if after[name]]
    expect(not kept, "after the reset these are not 0: " + ", ".join(kept))
    g.network_up()
    again = registers(g)
    expect(again["RCTL"] == before["RCTL"], f"RCTL was {before['RCTL']:#x}, is {again['RCTL']:#x}")
    return f"RDLEN {before['RDLEN']:#x} -> 0 -> {again['RDLEN']:#x}"


@check("ping sizes")
def ping_sizes(g):
    for size in (0, 1, 17, 18, 19, 46, 64, 500, 1000, 1471, 1472):
        ping(g, 2, f"-s {size} -p a5")
    return "0 to 1472 bytes"


@check("flood")
def flood(g):
    output = g.run(f"ping -f -q -c 500 {HOST}", 120)
    expect(" 0% packet loss" in output, " ".join(output.split()))
    return re.search(r"rtt .*= ([\d./]+ ms)", output)[1]


@check("tcp")
def tcp(g):
    both_ways(g)


@check("udp")
def udp(g):
    for words in ("", "-R"):
        output = g.run(f"timeout 20 iperf3 -u -c {HOST} -b 20M -l 1000 -n 500K {words}", 60)
        lost = re.findall(r"(\d+)/(\d+) \(", output)
        expect(lost and lost[-1][0] == "0" and int(lost[-1][1]) > 50, output[-400:])
    return f"{lost[-1][1]} datagrams, none lost"


@check("offloads")
def offloads(g):
    names = ("rx", "tx", "sg", "tso", "rxvlan", "txvlan")
    try:
        for name in names:
            feature(g, name, "off")
            both_ways(g)
    finally:
        for name in names:
            feature(g, name, "on")
    both_ways(g)
    return "each off, one after the other"


@check("vlan")
def vlan(g):
    g.run("ip link add link eth0 name eth0.7 type vlan id 7 && ip link set eth0.7 up && "
          f"ip address add {VLAN_GUEST}/24 dev eth0.7")
    try:
        for value in ("off", "on"):  # the driver has both directions alike
            feature(g, "rxvlan", value)
            ping(g, address=VLAN_HOST)
            both_ways(g, VLAN_HOST)
    finally:
        g.run("ip link del eth0.7", check=False)
    return "tags by card and by software"


@check("multicast")
def multicast(g):
    output = ping(g, 2, "-I eth0", "224.0.0.1")
    expect(f"from {HOST}" in output, output)


@check("jumbo")
def jumbo(g):
    g.run("ip link set eth0 mtu 9000")
    g.wait_link()
    try:
        ping(g, 2, "-M do -s 8972")
        both_ways(g)
    finally:
        g.run("ip link set eth0 mtu 1500")
        g.wait_link()


@check("rings")
def rings(g):
    try:
        for size in (80, 1024, 4096):
            g.run(f"ethtool -G eth0 rx {size} tx {size}")
            g.wait_link()
            both_ways(g)
    finally:
        g.run("ethtool -G eth0 rx 256 tx 256", check=False)
        g.wait_link()


@check("coalescing")
def coalescing(g):
    """Fewer interrupts a second: a longer way to the guest, by just that."""
    seen = {}
    try:
        for value in (0, 125, 500):
            g.run(f"ethtool -C eth0 rx-usecs {value}")
            output = ping(g, 20, "-i 0.01")
            seen[value] = float(re.search(r"rtt [^=]*= [\d.]+/([\d.]+)/", output)[1])
    finally:
        g.run("ethtool -C eth0 rx-usecs 3", check=False)
    expect(seen[0] < 0.1, f"without moderation a ping takes {seen[0]} ms")
    return ", ".join(f"{value} us: {rtt} ms" for value, rtt in seen.items())


@check("speeds")
def speeds(g):
    try:
        for bits, text in (("0x002", "10Mb/s"), ("0x008", "100Mb/s"), ("0x020", "1000Mb/s")):
            g.run(f"ethtool -s eth0 autoneg on advertise {bits}")
            g.run("sleep 5")
            g.wait_link()
            output = g.run("ethtool eth0")
            expect(f"Speed: {text}" in output, f"{text} was asked for: " + " ".join(output.split())[-300:])
            ping(g)
    finally:
        g.run("ethtool -s eth0 autoneg on advertise 0x02f; sleep 5", check=False)
        g.wait_link()


@check("link flaps")
def flaps(g):
    g.run("dd if=/dev/urandom of=/tmp/data bs=64k count=64 2> /dev/null")
    sent = first_word(g.run("sha256sum < /tmp/data"))
    output = g.run("(for i in 1 2 3; do sleep 0.01; ethtool -r eth0; sleep 4; done) & " + SEND.format(address=HOST), 180)
    expect(first_word(output) == sent, f"TCP over a link that comes and goes: sent {sent}, arrived {output}")
    g.wait_link()


@check("down and up")
def down_up(g):
    for _ in range(5):
        g.run("ip link set eth0 down; ip link set eth0 up")
        g.wait_link()
    g.network_up()
    ping(g)
    return "5 times"


@check("unbind, bind")
def unbind(g):
    g.run("ip link set eth0 down; cd /sys/bus/pci/drivers/e1000 && d=$(echo 0000:*) && echo $d > unbind && "
          "! [ -e /sys/class/net/eth0 ] && echo $d > bind")
    g.network_up()
    both_ways(g)


@check("wake-on-lan")
def wake_on_lan(g):
    output = g.run("ethtool eth0")
    supports = re.search(r"Supports Wake-on: (\w+)", output)
    expect(supports and "g" in supports[1], "ethtool: " + " ".join(output.split())[-300:])
    g.run("ethtool -s eth0 wol g")
    expect("Wake-on: g" in g.run("ethtool eth0"), "the setting is not kept")
    g.run("ethtool -s eth0 wol d")
    return supports[1]


@check("statistics")
def statistics(g):
    """ethtool -S before and after 100 echo requests; the driver reads its counters every two seconds."""
    g.run("sleep 3")
    before = [g.statistic(name) for name in ("tx_packets", "rx_packets", "rx_crc_errors", "rx_missed_errors")]
    ping(g, 100, "-i 0.01")
    g.run("sleep 3")
    after = [g.statistic(name) for name in ("tx_packets", "rx_packets", "rx_crc_errors", "rx_missed_errors")]
    grown = [b - a for a, b in zip(before, after)]
    expect(100 <= grown[0] <= 106 and 100 <= grown[1] <= 106 and grown[2:] == [0, 0], f"they grew by {grown}")
    return f"{grown[0]} out, {grown[1]} in"


def self_test(g, words, wanted):
    status, output = g.run(f"ethtool -t eth0 {words}", 180, check=False)
    g.wait_link()
    results = re.findall(r"^(\w+) test\s+\([a-z/]+\)\s+(\d+)$", output, re.M)
    for name, value in results:
        g.note(f"ethtool -t {words}: {name}", "ok" if value == "0" else "FAIL", "" if value == "0" else f"value {value}")
    bad = [name for name, value in results if value != "0"]
    expect(len(results) == wanted, f"{len(results)} sub-tests: {output[-300:]}")
    expect(not bad and status == 0, "failed: " + ", ".join(bad))
    return f"{wanted} of {wanted}"


@check("ethtool -t online")
def self_test_online(g):
    return self_test(g, "online", 5)


@check("ethtool -t offline")
def self_test_offline(g):
    return self_test(g, "offline", 5)


@check("kernel log")
def kernel_log(g):
    log = g.run("dmesg")
    bad = re.findall(r"^.*(?:Tx Unit Hang|WARNING:|BUG:|nobody cared|Call Trace|Oops|transmit queue.*timed out|"
                     r"virt-pci delay).*$", log, re.M)
    expect(not bad, bad[0] if bad else "")


def all_checks():
    """The shared ones, then ours; what looks back at all of it last."""
    shared = {entry[0]: entry[1] for entry in checks.CHECKS}
    missing = [name for name in SHARED if name not in shared]
    if missing:
        raise lab.Trouble(f"../checks.py has no check {missing[0]}")
    return [(name, shared[name]) for name in SHARED] + sorted(CHECKS, key=lambda entry: entry[0] == "kernel log")
