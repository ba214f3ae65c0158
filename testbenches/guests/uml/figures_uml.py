"""Figures of two Linux machines on one switch, in simulated time: goodput, packet rate, round trip, interrupts.
They are the same on every machine."""

import json
import pathlib
import re
import subprocess

import checks_uml
from checks_uml import HOST
from lab import Commanded, Guest, Lab

BUSES = ("32/33", "64/66")
MTUS = (576, 1000, 1500, 3000, 6000, 9000)
SIZES = (18, 64, 128, 256, 512, 1024, 1472)  # of UDP payload
MODERATION = (0, 50, 125, 250, 500)  # microseconds between interrupts
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def interrupts(g):
    return sum(int(field) for line in g.run("grep eth0 /proc/interrupts").splitlines()
               for field in line.split()[1:2])


def uptime(g):
    return float(g.run("cat /proc/uptime").split()[0])


def iperf(g, words):
    output = g.run(f"timeout 30 iperf3 -J -c {HOST} {words}", 100)
    return json.loads(output[output.index("{"):])["end"]  # warnings come first


def tcp(g, mtu):
    """(Mbit/s, interrupts a second)"""
    g.run(f"ip link set eth0 mtu {mtu}")
    g.wait_link()
    g.run("sleep 1")
    before, since = interrupts(g), uptime(g)
    end = iperf(g, "-n 20M")
    rate = (interrupts(g) - before) / (uptime(g) - since)
    return end["sum_received"]["bits_per_second"] / 1e6, rate


def udp(g, size):
    """Datagrams a second that arrive when as many as possible are sent."""
    end = iperf(g, f"-u -b 0 -l {size} -n {2000 * size}")["sum"]
    arrived = end["packets"] - end["lost_packets"]
    return arrived / end["seconds"]


def round_trip(g, value):
    g.run(f"ethtool -C eth0 rx-usecs {value}")
    output = g.run(f"ping -c 50 -i 0.01 {HOST}")
    return float(re.search(r"rtt [^=]*= [\d.]+/([\d.]+)/", output)[1])


def measure(bus, options, say):
    """{name: [(x, y) ...]}"""
    first, second = Commanded("first", checks_uml.GUEST), Guest("second", checks_uml.PARTNER)
    result = {"tcp": [], "interrupts": [], "udp": [], "rtt": []}
    with Lab([first, second], ["switch:lan", "switch:lan"], ["--pci", bus, "--switch", "lan:max-frame=9022", *options.sim], options.part,
             simulator=options.simulator) as it:
        it.start()
        first.network_up()
        for mtu in MTUS:
            goodput, rate = tcp(first, mtu)
            result["tcp"].append((mtu, goodput))
            result["interrupts"].append((mtu, rate))
        first.run("ip link set eth0 mtu 1500")
        first.wait_link()
        for size in SIZES:
            result["udp"].append((size, udp(first, size)))
        for value in MODERATION:
            result["rtt"].append((value, round_trip(first, value)))
        first.finish()
        it.wait(options.limit)
    say(f"measured {bus}")
    return result


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def document(results):
    def rows(name, digits):
        return [[str(x)] + [f"{results[bus][name][i][1]:.{digits}f}" for bus in BUSES]
                for i, (x, _) in enumerate(results[BUSES[0]][name])]

    heads = [f"bus {bus}" for bus in BUSES]
    return "\n\n".join((
        "TCP goodput in Mbit/s, by MTU:", table(["MTU", *heads], rows("tcp", 1)),
        "Interrupts of the sender a second meanwhile:", table(["MTU", *heads], rows("interrupts", 0)),
        "UDP datagrams a second that arrive, by payload:", table(["bytes", *heads], rows("udp", 0)),
        "Round trip of ping in ms, by the time between interrupts (`ethtool -C eth0 rx-usecs`) of the one that asks:",
        table(["us", *heads], rows("rtt", 3))))


def command(options, say):
    results = {bus: measure(bus, options, say) for bus in BUSES}
    text = document(results)
    say(text)
    folder = pathlib.Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tcp", "interrupts", "udp", "rtt"):
        lines = [f"{x} {' '.join(str(results[bus][name][i][1]) for bus in BUSES)}"
                 for i, (x, _) in enumerate(results[BUSES[0]][name])]
        (folder / f"{name}.dat").write_text("\n".join(lines) + "\n")
    if options.update_doc:
        tree = pathlib.Path(__file__).resolve().parents[3]
        page = tree / "doc/linux.md"
        before, rest = page.read_text().split(BEGIN)
        page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}")
        images = tree / "doc/images/linux"
        images.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gnuplot", "-c", pathlib.Path(__file__).parent / "plots.gp", folder, images], check=True)
    return 0
