"""Checks of machines that come and go: reboot and kill in traffic, two machines on one switch, the kernels' log."""

import contextlib
import time

from checks import both_ways, check, eventually, expect, kernel_log, ping, random_file
from machine import HOST, MAC, Machine, expect_alive
from pair import PAIRS
from wire import Traffic

OTHER_MAC = MAC[:-2] + "57"
ADDRESSES = ("10.9.0.2", "10.9.0.3")


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


@check("killed in traffic")
def killed(g):
    """QEMU killed in traffic, again and again; then a clean boot on the same card."""
    traffic = Traffic()
    try:
        for _ in range(g.kills):
            g.send(f"ping -f -c 1000000 -q {HOST}")
            time.sleep(0.5)
            g.kill()
            expect_alive(g.card)
            g.boot()
            g.network_up()
    finally:
        traffic.stop()
    ping(g)
    both_ways(g)
    return f"{g.kills} times"


def tcp_between(sender, receiver, address, megabytes=4):
    """Random bytes from one guest to the other; both must have the same SHA-256."""
    theirs = random_file(sender, megabytes)
    # An nc whose input has ended closes its direction, and the other one ends with it.
    receiver.run("rm -f /tmp/got; tail -f /dev/null | nc -l -p 5003 > /tmp/got 2> /dev/null &")
    eventually(receiver, lambda: ":5003" in receiver.run("netstat -ltn"), "nobody listens in the guest")
    sender.run(f"nc -w 60 {address} 5003 < /tmp/data", 120)
    eventually(receiver, lambda: receiver.run("wc -c < /tmp/got") == str(megabytes << 20),
               lambda: f"{receiver.run('wc -c < /tmp/got')} bytes arrived of {megabytes << 20}")
    got = receiver.run("killall tail; sha256sum < /tmp/got").split()[0]
    expect(got == theirs, "TCP between guests: what arrived is altered")


@contextlib.contextmanager
def pair_of(g, parts):
    """Two guests with these adapters on one switch (QEMU's cards: on one cable), instead of the one that there is."""
    g.kill()
    with PAIRS[g.card.name](g.card, parts, g.folder, (MAC, OTHER_MAC)) as ends:
        guests = []
        try:
            for number, end in enumerate(ends):
                folder = g.folder / f"end{number}"
                folder.mkdir(exist_ok=True)
                guests.append(Machine(end, g.kernel, folder, g.accel, memory=192))
                guests[-1].start()
            for number, guest in enumerate(guests):
                guest.wait_ready(300)
                guest.network_up(ADDRESSES[number], f"fd09::{number + 2}")
            yield guests
        finally:
            for guest in guests:
                g.past += guest.past + guest.console()
                guest.kill()


def reach_each_other(a, b):
    for size in (56, 1472, 20000):
        ping(a, words=f"-s {size}", address=ADDRESSES[1])
    tcp_between(a, b, ADDRESSES[1])
    tcp_between(b, a, ADDRESSES[0])


@check("two machines")
def two_machines(g):
    """One of the two is killed and boots again, the other goes on."""
    with pair_of(g, (g.card.part, g.card.part)) as (a, b):
        reach_each_other(a, b)
        b.kill()
        expect(a.run(f"ping -c 2 -i 0.2 -W 1 {ADDRESSES[1]}", check=False)[0] != 0, "the killed guest answers")
        b.boot(300)
        b.network_up(ADDRESSES[1], "fd09::3")
        ping(a, address=ADDRESSES[1])
        tcp_between(b, a, ADDRESSES[0])


@check("beside an e1000", "virtio")
def beside_an_e1000(g):
    """The other one has an e1000, in the same simulator."""
    with pair_of(g, (g.card.part, "82545em")) as (a, b):
        found = [guest.run("ethtool -i eth0 | sed -n 's/^driver: //p'") for guest in (a, b)]
        expect(found == ["virtio_net", "e1000"], f"their drivers are {' and '.join(found)}")
        reach_each_other(a, b)


check("kernel log")(kernel_log)
