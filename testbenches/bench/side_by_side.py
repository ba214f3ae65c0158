#!/usr/bin/env python3
"""e1000 and virtio-net side by side: the same software, bus, link and clock, with one card and with the other. Prints
tables in Markdown; --update-doc puts them into doc/virtio.md, too. All figures but the last column are of simulated
time, and the same on every machine.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

TREE = pathlib.Path(__file__).resolve().parent.parent.parent
DOCUMENT = TREE / "doc/virtio.md"
BEGIN, END = "<!-- side by side -->", "<!-- end of side by side -->"

# Bus: the e1000 for it.
BUSES = {"32/33": "82540em", "64/66": "82545gm"}
CARDS = {"e1000": lambda bus: f"part={BUSES[bus]}", "virtio-net": lambda bus: "model=virtio-net"}
ACCURACIES = {"approximately": (), "loosely": ("--quantum", "10us")}
# What is done, options, frames of each direction on the wire for each frame.
WORK = (
    ("send", ("--app", "blast", "--link", "null"), 60000),
    ("send and receive", ("--app", "generate", "--link", "loopback"), 30000),
    ("send back", ("--app", "reflect", "--link", "pcap:in=built-in,pace=line,loop=60"), None),
)
SIZES = (64, 512, 1518)
LATENCY_RATES = ("10kfps", "100kfps")


def run(sim, card, bus, options):
    """The summary of a run, which must have been a good one."""
    command = [sim, "--quiet", "--pci", bus, "--nic", CARDS[card](bus), *options, "--json", "-"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"side_by_side.py: {' '.join(command)}: status {done.returncode}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)


def figures(summary):
    """Of a run: frames a second, Mbit/s on the wire, then for each frame bytes and tenures of the bus and interrupts."""
    nic = summary["nics"][0]
    moved = [nic["wire_in"], nic["wire_out"]]
    frames = sum(way["frames"] for way in moved)
    longer = max(moved, key=lambda way: way["frames"])
    active = summary["active_s"]
    # Preamble, FCS and gap belong to the wire.
    bits = 8 * (longer["bytes"] + 24 * longer["frames"])
    pci = summary["pci"]
    return {
        "kfps": longer["frames"] / active / 1e3,
        "wire": 100 * bits / active / 1e9,
        "bus": 100 * pci["busy"],
        "bytes": pci["bytes"] / frames,
        "tenures": pci["accesses"] / frames,
        "interrupts": nic["interrupts_per_s"] * active / frames,
        "wall": frames / summary["wall_s"] / 1e3,
    }


def throughput(sim, accuracy):
    heads = ["traffic", "bytes", "bus", "card", "1000 frames/s", "% of the wire", "% of the bus", "bus bytes a frame",
             "tenures a frame", "interrupts a frame", "1000 frames in a second of the host"]
    rows = []
    for name, options, count in WORK:
        for size in SIZES if count else ("mix",):
            for bus in BUSES:
                for card in CARDS:
                    words = (*options, *ACCURACIES[accuracy])
                    if count:
                        words += ("--size", str(size), "--frames", str(count))
                    f = figures(run(sim, card, bus, words))
                    rows.append([name, str(size), bus, card, f"{f['kfps']:.1f}", f"{f['wire']:.1f}", f"{f['bus']:.1f}",
                                 f"{f['bytes']:.0f}", f"{f['tenures']:.2f}", f"{f['interrupts']:.3f}",
                                 f"{f['wall']:.0f}"])
    return heads, rows


def latency(sim):
    """From the driver of one card to the driver again, over a cable that ends in a loopback."""
    heads = ["bytes", "rate", "bus", "card", "least, us", "mean, us", "99 %, us", "interrupts a frame"]
    rows = []
    for size in (64, 1518):
        for rate in LATENCY_RATES:
            if size == 1518 and rate == "100kfps":
                continue  # more than the 32/33 bus carries twice
            for bus in BUSES:
                for card in CARDS:
                    summary = run(sim, card, bus, ("--app", "generate", "--link", "loopback", "--size", str(size),
                                                   "--rate", rate, "--frames", "5000"))
                    seen = summary["streams"][0]["latency"]
                    f = figures(summary)
                    rows.append([str(size), rate, bus, card, *(f"{seen[key] / 1e3:.1f}" for key in
                                                               ("min_ns", "mean_ns", "p99_ns")),
                                 f"{f['interrupts']:.3f}"])
    return heads, rows


def markdown(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "|".join("---:" if re.match(r"[-\d.]+$", cell) else "---"
                                                              for cell in rows[0]) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def update(lines):
    text = DOCUMENT.read_text(encoding="utf-8")
    before, found, rest = text.partition(BEGIN + "\n")
    _, end, after = rest.partition(END)
    if not found or not end:
        sys.exit(f"{DOCUMENT} has no block {BEGIN} ... {END}")
    DOCUMENT.write_text(before + BEGIN + "\n\n" + "\n".join(lines) + "\n\n" + END + after, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sim", default=str(TREE / "build/bin/e1000-sim"), help="e1000-sim (default: build/bin's)")
    parser.add_argument("--update-doc", action="store_true", help="renew the tables in doc/virtio.md")
    options = parser.parse_args()
    lines = []
    for accuracy in ACCURACIES:
        title = f"{accuracy.capitalize()} timed" + (" (quantum 10 us)" if accuracy == "loosely" else "")
        lines += [f"{title}:", "", *markdown(*throughput(options.sim, accuracy)), ""]
    lines += ["Latency, approximately timed, from driver to driver over a cable with a loopback:", "",
              *markdown(*latency(options.sim))]
    print("\n".join(lines))
    if options.update_doc:
        update(lines)


if __name__ == "__main__":
    main()
