"""Figures of two Linux machines on one switch, in simulated time: goodput, packet rate, round trip, interrupts.
They are the same on every machine."""

import json
import pathlib
import re
import subprocess

import checks_uml
import expected_uml
from checks_uml import HOST
from lab import Commanded, Guest, Lab

BUSES = ("32/33", "64/66")
MTUS = (576, 1000, 1500, 3000, 6000, 9000)
SIZES = (18, 64, 128, 256, 512, 1024, 1472)  # of UDP payload
MODERATION = (0, 50, 125, 250, 500)  # microseconds between interrupts
ACCOUNTED = 1500  # MTU whose clocks are listed
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def iperf(g, words):
    output = g.run(f"timeout 30 iperf3 -J -c {HOST} {words}", 100)
    return json.loads(output[output.index("{"):])["end"]  # warnings come first


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
    """{name: [(x, y) ...]}; those of TCP: what compare() says."""
    result = {"tcp": [(mtu, expected_uml.compare(bus, mtu, options)) for mtu in MTUS], "udp": [], "rtt": []}
    first, second = Commanded("first", checks_uml.GUEST), Guest("second", checks_uml.PARTNER)
    with Lab([first, second], ["switch:lan", "switch:lan"], ["--pci", bus, *options.sim], options.part,
             simulator=options.simulator) as it:
        it.start()
        first.network_up()
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


def rows(results, name, text):
    return [[str(x), *(text(results[bus][name][i][1]) for bus in BUSES)]
            for i, (x, _) in enumerate(results[BUSES[0]][name])]


def goodput(results):
    heads, lines = ["MTU"], []
    for bus in BUSES:
        heads += [f"bus {bus}", "expected", "deviation", "limited by"]
    for i, mtu in enumerate(MTUS):
        line = [str(mtu)]
        for bus in BUSES:
            result = results[bus]["tcp"][i][1]
            line += [f"{result['measured']:.1f}", f"{result['expected']:.1f}", f"{100 * result['deviation']:+.1f} %",
                     result["limit"]]
        lines.append(line)
    return table(heads, lines)


def accounts(results, mtu):
    """Of what a frame costs on the buses."""
    lines, kinds = [], ("data", "descriptors", "acknowledgements", "registers")
    for bus in BUSES:
        result = results[bus]["tcp"][MTUS.index(mtu)][1]
        for who, parts in result["clocks"].items():
            lines.append([f"{who}, {bus}", *(f"{parts[kind]:.1f}" for kind in kinds), f"{sum(parts.values()):.1f}",
                          f"{result['rates'][who]:.1f}"])
        lines.append([f"wire, {bus}", *([""] * (len(kinds) + 1)), f"{result['rates']['wire']:.1f}"])
    return table(["clocks of a frame", *kinds, "all", "Mbit/s"], lines)


def document(results):
    heads = [f"bus {bus}" for bus in BUSES]
    return "\n\n".join((
        "TCP goodput in Mbit/s, by MTU, and what is expected from the bus:", goodput(results),
        f"How that is expected, for an MTU of {ACCOUNTED}:", accounts(results, ACCOUNTED),
        "Interrupts of the sender a second meanwhile:",
        table(["MTU", *heads], rows(results, "tcp", lambda r: f"{r['habits']['interrupts']:.0f}")),
        "UDP datagrams a second that arrive, by payload:", table(["bytes", *heads], rows(results, "udp", "{:.0f}".format)),
        "Round trip of ping in ms, by the time between interrupts (`ethtool -C eth0 rx-usecs`) of the one that asks:",
        table(["us", *heads], rows(results, "rtt", "{:.3f}".format))))


def columns(results, name, values):
    """Lines for gnuplot: x, then the values of each bus."""
    return "".join(f"{x} {' '.join(str(v) for bus in BUSES for v in values(results[bus][name][i][1]))}\n"
                   for i, (x, _) in enumerate(results[BUSES[0]][name]))


def command(options, say):
    results = {bus: measure(bus, options, say) for bus in BUSES}
    text = document(results)
    say(text)
    folder = pathlib.Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tcp.dat").write_text(columns(results, "tcp", lambda r: (r["measured"], r["expected"])))
    (folder / "interrupts.dat").write_text(columns(results, "tcp", lambda r: (r["habits"]["interrupts"],)))
    for name in ("udp", "rtt"):
        (folder / f"{name}.dat").write_text(columns(results, name, lambda value: (value,)))
    if options.update_doc:
        tree = pathlib.Path(__file__).resolve().parents[3]
        page = tree / "doc/linux.md"
        before, rest = page.read_text().split(BEGIN)
        page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}")
        images = tree / "doc/images/linux"
        images.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gnuplot", "-c", pathlib.Path(__file__).parent / "plots.gp", folder, images], check=True)
    return 0
