"""What a guest is asked to do with its network card: the list of checks, and what they share. A check is a function
of a booted machine; it raises Trouble or returns a detail for the report. Order matters little: each leaves the card
as it found it. The checks themselves are in checks_traffic.py, checks_driver.py and checks_life.py."""

import hashlib
import json
import os
import re
import socket
import subprocess
import time

import machine
from machine import GUEST, HOST, Patience, Trouble
from wire import Receiver, Sender, Wire, sweep

BAD_LOG = re.compile(r"Tx Unit Hang|(?-i:WARNING:|\bBUG:)|nobody cared|Call Trace|\bOops\b|transmit queue.*timed out|"
                     r"e1000.*(error|fail|invalid|not valid)", re.I)
CHECKS = []  # (name, function), in the order in which they run
FAMILY = {}  # name: "e1000" or "virtio", of checks that make sense on one family of cards only


class NotOffered(Exception):
    """The driver or the kernel offers no such thing on this card."""


def check(name, family=None):
    """family: the check makes no sense on other cards."""
    def register(function):
        CHECKS.append((name, function))
        if family:
            FAMILY[name] = family
        return function

    return register


def names_for(part):
    """Checks that make sense on a part, in their order."""
    family = "virtio" if part in machine.VIRTIO else "e1000"
    return [name for name, _ in CHECKS if FAMILY.get(name, family) == family]


def expect(condition, message):
    if not condition:
        raise Trouble(message)


def offered(g, command, seconds=60):
    """Output of a command; what the driver does not support is not offered."""
    status, output = g.run(command, seconds, check=False)
    if status and re.search(r"not supported|no such device or", output, re.I):
        raise NotOffered(f"{command}: {output.splitlines()[-1]}")
    expect(status == 0, f"{command}: status {status}: {output[-300:]}")
    return output


def eventually(g, true, what, seconds=20):
    """Waits until true() gives something; what(): the trouble if it does not."""
    patience = g.patience(seconds)
    while not (result := true()):
        expect(patience.left() > 0, what() if callable(what) else what)
        time.sleep(0.1)
    return result


def ping(g, count=3, words="", address=HOST):
    """Answers come; a slow guest in traffic may lose the first ones."""
    said = []

    def answered():
        status, output = g.run(f"ping -c {count} -i 0.2 -W 3 {words} {address}", check=False)
        said[:] = output.splitlines()[-3:]
        return status == 0

    eventually(g, answered, lambda: "ping: " + " ".join(said))


def hash_of(data):
    return hashlib.sha256(data).hexdigest()


def random_file(g, megabytes):
    """Makes /tmp/data in the guest, if it is not there; its hash."""
    g.run(f"[ $(wc -c < /tmp/data || echo 0) = {megabytes << 20} ] || "
          f"dd if=/dev/urandom of=/tmp/data bs=64k count={megabytes * 16} 2>/dev/null")
    return g.run("sha256sum < /tmp/data").split()[0]


def transmit(g, megabytes=2, address=HOST, family=socket.AF_INET):
    """The guest sends random bytes over TCP; what arrives has their SHA-256."""
    receiver = Receiver(5001, family)
    theirs = random_file(g, megabytes)
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


def received(g):
    return int(g.run("cat /sys/class/net/eth0/statistics/rx_packets"))


def settled(g):
    """All that was sent to the guest before is through the card: an echo request after it is answered."""
    expect(not sweep([32], patience=10), "no answer to an echo request")


def passes(g, count=40, **frame):
    """How many of these frames reach the guest's driver."""
    settled(g)
    before = received(g)
    with Wire() as wire:
        wire.send(count=count, gap=0.002, **frame)
    settled(g)
    return received(g) - before - 1


def interrupts(g):
    """Of all of the card's lines and messages, on all processors."""
    return sum(vectors(g).values())


def vectors(g):
    """{name: count} of the card's interrupts: its driver names them after eth0 or, of virtio, after the device."""
    name = r"(?:virtio0-\S+|eth0)" if g.card.part in machine.VIRTIO else "eth0"
    lines = re.findall(rf"^\s*\d+:((?:\s+\d+)+)\s.*?({name})$", g.run("cat /proc/interrupts"), re.M)
    return {which: sum(map(int, counts.split())) for counts, which in lines}


def pci_folder(g):
    """In /sys; between it and a virtio network interface is the virtio device."""
    return g.run("readlink -f /sys/class/net/eth0/device | sed 's,/virtio[0-9]*$,,'")


def register(g, offset):
    """A register of the card, as a program of the guest reads it."""
    base = int(g.run(f"head -n 1 {pci_folder(g)}/resource").split()[0], 16)
    return int(g.run(f"devmem {base + offset:#x} 32"), 16)


def listening(port):
    for name in ("tcp", "tcp6"):
        with open(f"/proc/net/{name}", encoding="ascii") as file:
            if f":{port:04X} " in file.read():
                return True
    return False


def iperf(g, words, seconds=60, address=HOST):
    """The guest's iperf3 against one on the other end; the sum of what was received."""
    server = subprocess.Popen(["chroot", str(machine.root_path()), "/usr/bin/iperf3", "-s", "-1", "-p", "5201"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        patience = Patience(20, [server.pid])
        while not listening(5201) and patience.left() > 0:
            time.sleep(0.05)
        status, output = g.run(f"iperf3 -J -c {address} -p 5201 {words} > /tmp/iperf; s=$?; "
                               "sed -n '/\"end\":[[:space:]]*{/,$p' /tmp/iperf | tr -d '\\t\\n '; exit $s",
                               seconds, check=False)
        expect(status == 0, f"iperf3 {words}: {output[-300:] or status}")
        end = json.JSONDecoder().raw_decode(output.split(":", 1)[1])[0]
        return end["sum"] if "-u" in words else dict(end["sum_received"],
                                                     retransmits=end["sum_sent"].get("retransmits", 0))
    finally:
        server.kill()
        server.wait()


def kernel_log(g):
    """Nothing is wrong in the kernels' log, of all boots."""
    bad = [line for line in (g.past + g.console()).splitlines() if BAD_LOG.search(line)]
    expect(not bad, " | ".join(dict.fromkeys(bad[:4])))
