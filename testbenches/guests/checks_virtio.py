"""Checks of a virtio network device: what its driver agrees on, its queues and their interrupts."""

import re

from checks import both_ways, check, eventually, expect, iperf, passes, ping, receive, transmit, vectors
from machine import HOST, LEGACY, VIRTIO
from wire import Traffic, sweep

# Numbers of features (virtio 1.2, 5.1.3 and 6) that Linux takes if it is offered them, and this card has to offer.
WANTED = {5: "MAC", 15: "MRG_RXBUF", 16: "STATUS", 17: "CTRL_VQ", 18: "CTRL_RX", 19: "CTRL_VLAN", 28: "INDIRECT_DESC",
          29: "EVENT_IDX", 32: "VERSION_1"}
FOLDER = "/sys/class/net/eth0/device"


@check("virtio probe", "virtio")
def probe(g):
    """The driver has the device, and the features that it wants."""
    driver = g.run(f"basename $(readlink {FOLDER}/driver)")
    expect(driver == "virtio_net", f"the driver is {driver}")
    agreed = g.run(f"cat {FOLDER}/features")
    missing = [name for number, name in WANTED.items() if agreed[number] != "1"]
    if g.card.part == LEGACY:  # the old registers know only the first 32
        expect(missing == ["VERSION_1"], "the driver does not use the old registers")
        missing = []
    expect(not missing, "not agreed on: " + ", ".join(missing))
    if VIRTIO[g.card.part] > 1:
        expect(agreed[22] == "1", "not agreed on: MQ")
    return f"{agreed.count('1')} features"


@check("virtio vectors", "virtio")
def message_vectors(g):
    """MSI-X: a vector for each queue, and one for the configuration."""
    names = set(vectors(g))
    wanted = {"virtio0-config"} | {f"virtio0-{way}.{n}" for way in ("input", "output")
                                   for n in range(VIRTIO[g.card.part])}
    expect(wanted <= names, f"in /proc/interrupts there are {', '.join(sorted(names))}")
    messages = g.run("grep virtio0 /proc/interrupts")
    expect("MSI" in messages, messages[:200])


@check("virtio offloads", "virtio")
def offloads(g):
    """What the device does for the driver, on and off."""
    said = g.run("ethtool -k eth0")
    on = re.findall(r"^\s*(tx-checksum-ip-generic|tx-tcp-segmentation|tx-tcp6-segmentation|rx-checksumming): on",
                    said, re.M)
    for names in (("tso",), ("tx",)):
        for value in ("off", "on"):
            for name in names:
                g.run(f"ethtool -K eth0 {name} {value}", check=False)
            both_ways(g)
    return ", ".join(on) or "none is offered"


def pairs(g):
    found = re.findall(r"^Combined:\s+(\d+)", g.run("ethtool -l eth0"), re.M)
    expect(len(found) == 2, "ethtool -l: " + " ".join(found))
    return [int(number) for number in found]


@check("queues", "virtio")
def queues(g):
    """ethtool -L: every number of pairs carries traffic, and with all of them all receive and transmit."""
    most, now = pairs(g)
    expect(most == VIRTIO[g.card.part], f"the driver knows of {most} pairs")
    try:
        for count in [*range(1, most + 1), most]:
            g.run(f"ethtool -L eth0 combined {count}")
            expect(pairs(g)[1] == count, f"{count} pairs were asked for")
            ping(g)
            both_ways(g)
        if most == 1:
            return "1"
        before = vectors(g)
        iperf(g, "-P 16 -t 3")
        iperf(g, "-P 16 -t 3 -R")
        rise = {name: count - before.get(name, 0) for name, count in vectors(g).items()}
        inputs = [rise.get(f"virtio0-input.{n}", 0) for n in range(most)]
        silent = [n for n, count in enumerate(inputs) if count == 0]
        expect(not silent, f"no interrupt of receive queues {silent}: {rise}")
        return "interrupts of receive queues: " + ", ".join(map(str, inputs))
    finally:
        g.run(f"ethtool -L eth0 combined {most}", check=False)


@check("virtio flaps", "virtio")
def flaps(g):
    traffic = Traffic()
    try:
        for _ in range(5):
            g.run("ip link set eth0 down; sleep 0.2; ip link set eth0 up")
            g.wait_link()
        g.run("ip address replace fd09::2/64 dev eth0 nodad")
    finally:
        traffic.stop()
    ping(g)
    both_ways(g)


@check("virtio unbind bind", "virtio")
def unbind(g):
    """The driver lets go of the device and takes it again; so do driver and module."""
    device = g.run(f"basename $(readlink -f {FOLDER})")
    for _ in range(3):
        g.run(f"echo {device} > /sys/bus/virtio/drivers/virtio_net/unbind; sleep 0.2; "
              f"echo {device} > /sys/bus/virtio/drivers/virtio_net/bind")
        g.network_up()
        ping(g)
    g.run("rmmod virtio_net && modprobe virtio_net")
    g.network_up()
    both_ways(g)


@check("virtio counters", "virtio")
def counters(g):
    """What the driver counts against what was sent."""
    def total(kind):
        return int(g.run(f"cat /sys/class/net/eth0/statistics/{kind}_packets"))

    before = total("rx"), total("tx")
    expect(not sweep([100] * 200), "echo requests were lost")
    rise = total("rx") - before[0], total("tx") - before[1]
    expect(all(200 <= count <= 260 for count in rise), f"{rise[0]} received, {rise[1]} sent of 200 echo requests")
