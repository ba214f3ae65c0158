"""Checks of what the card carries: sizes, protocols, offloads, tags, filters."""

import re
import socket
import time

from checks import (NotOffered, both_ways, check, eventually, expect, feature, iperf, offered, passes, ping,
                    receive, transmit)
from machine import GUEST, HOST, HOST6, MAC, SLOTS, TAP, call
from wire import Wire, sweep


@check("probe", "e1000")
def probe(g):
    log = g.run("dmesg | grep -i e1000")
    expect("Intel(R) PRO/1000 Network Connection" in log, "the driver did not find the card: " + log[-300:])
    bus = re.search(r"\((PCI.*?)\)", log)
    expect(bus, "the driver does not say on which bus: " + log[-300:])
    if g.card.name == "model":
        wanted = "PCI-X:133MHz:64-bit" if g.card.part in SLOTS else "PCI:33MHz:32-bit"
        expect(bus[1] == wanted, f"the driver says {bus[1]}, not {wanted}")
    return bus[1]


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
    output = g.run(f"ping -f -q -c 3000 -w 120 {HOST}", 180)
    expect(" 0% packet loss" in output, " ".join(output.split()))


@check("tcp sent")
def tcp_sent(g):
    transmit(g, 8)
    g.run("rm -f /tmp/data")


@check("tcp received")
def tcp_received(g):
    receive(g, 8)


@check("offloads", "e1000")
def offloads(g):
    """Each of these alone off, then all of them, then all on."""
    original = re.search(r"^tcp-segmentation-offload: (on|off)", g.run("ethtool -k eth0"), re.M)
    try:
        for name in ("tso", "sg", "tx", "rx", "gso", "gro"):
            feature(g, name, "off")
            both_ways(g)
        for name in ("tx", "sg", "tso", "rx", "gso", "gro"):
            feature(g, name, "on")
        both_ways(g)
    finally:
        g.run("ethtool -K eth0 rx on tx on sg on tso on gso on gro on", check=False)
    return f"TSO {original[1]} at start" if original else ""


def count_checksums(g, packet):
    """20 packets with a right checksum and 20 with a wrong one: what the driver counts of both."""
    names = "rx_csum_offload_good", "rx_csum_offload_errors"
    before = g.statistics(*names)
    with Wire() as wire:
        for bad in (False, True):
            wire.send(kind=0x0800, payload=packet(wire)(HOST, GUEST, bad=bad), count=20, gap=0.002)
    rise = [0, 0]

    def arrived():
        rise[:] = [now - b for now, b in zip(g.statistics(*names), before)]
        return rise[0] >= 20 and rise[1] >= 20

    eventually(g, arrived, lambda: f"{rise[0]} good and {rise[1]} bad checksums counted of 20 and 20")
    expect(rise[1] == 20, f"{rise[1]} bad checksums counted of 20")


@check("bad checksums", "e1000")
def bad_checksums(g):
    feature(g, "rx", "on")
    for packet in (lambda wire: wire.tcp, lambda wire: wire.udp):
        count_checksums(g, packet)
    return "TCP and UDP"


@check("fragments")
def fragments(g):
    missing = sweep([1473, 2000, 4000, 9000, 20000, 40000, 65000], patience=5)
    expect(not missing, f"no right answer to {missing} bytes in fragments")
    output = g.run(f"ping -c 3 -i 0.2 -s 30000 {HOST}")
    expect(" 0% packet loss" in output, "ping -s 30000: " + output[-200:])


@check("udp")
def udp(g):
    """Datagrams arrive at a rate that a slow guest on a busy host takes, 5 Mbit/s at least."""
    said = []
    for way, words in (("sent", ""), ("received", "-R")):
        for rate in (20, 10, 5):
            output = iperf(g, f"-u -b {rate}M -l 1400 -t 2 {words}")
            result = f"{output['bits_per_second'] / 1e6:.0f} Mbit/s {way}, {output['lost_percent']:.1f} % lost"
            if output["bits_per_second"] > 1e6 and output["lost_percent"] < 5:
                break
        else:
            expect(False, result)
        said.append(result)
    return "; ".join(said)


@check("ipv6")
def ipv6(g):
    """Neighbour discovery by multicast, fragments, TCP."""
    g.run("ip -6 neighbour flush dev eth0", check=False)
    for size in (56, 5000, 30000):
        status, output = g.run(f"ping -6 -c 3 -i 0.2 -W 3 -s {size} {HOST6}", check=False)
        expect(status == 0, f"{size} bytes: {output[-200:]}")
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
        missing = sweep([1472, 1473, 2020, 4070, 8166, 8972], patience=5)
        expect(not missing, f"no right answer to {missing} bytes")
        both_ways(g, 2)
    finally:
        call("ip", "link", "set", TAP, "mtu", "1500")
        g.run("ip link set eth0 mtu 1500")
        g.wait_link()


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
        g.wait_link()
        ping(g)
        call("ip", "neighbour", "flush", "dev", TAP)
        expect((count := passes(g, to=MAC)) < 10, f"{count} of 40 frames to the old address arrive")
    finally:
        g.run(f"ip link set eth0 address {MAC}")
        g.wait_link()
        call("ip", "neighbour", "flush", "dev", TAP)
    ping(g)


@check("statistics", "e1000")
def statistics(g):
    """ethtool -S against the counters of the cable's other end; the driver reads its own every two seconds."""
    def far(name):
        with open(f"/sys/class/net/{TAP}/statistics/{name}", encoding="ascii") as file:
            return int(file.read())

    names = "tx_packets", "rx_packets", "tx_bytes", "rx_bytes"
    faults = "rx_crc_errors", "rx_errors", "tx_errors", "rx_length_errors", "tx_timeout_count"

    def all_of_them():
        """Once nothing has changed for longer than that."""
        patience, last = g.patience(60), None
        while True:
            now = [far("rx_packets"), far("tx_packets"), *g.statistics(*names, *faults)]
            if now == last:
                return now
            expect(patience.left() > 0, "the counters come to no rest")
            last = now
            time.sleep(2.5)

    before = all_of_them()
    expect(not sweep([100] * 200), "echo requests were lost")
    far_got, far_sent, sent, got, sent_bytes, got_bytes, *wrong = (
        b - a for a, b in zip(before, all_of_them()))
    expect(sent == far_got and got == far_sent,
           f"the card counts {sent} sent and {got} received, the other end {far_got} and {far_sent}")
    # 100 bytes, ICMP, IP and Ethernet headers, frame check sequence; some more for ARP
    least = 200 * (100 + 8 + 20 + 14 + 4)
    expect(least <= sent_bytes <= least + 20 * 68 and least <= got_bytes <= least + 20 * 200,
           f"{sent_bytes} and {got_bytes} bytes, expected {least}")
    for name, rise in zip(faults, wrong):
        expect(rise == 0, f"{name} rose by {rise}")
