#!/usr/bin/env python3
"""Measures what a trace costs: processor time (user and system) and wall time of whole runs of e1000-sim
with --trace against the same run without, files written. Runs take turns, and medians count, so that
other work on the machine meets all of them alike.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

BEGIN = "<!-- measured: testbenches/bench/trace_cost.py --document doc/seeing.md -->"
END = "<!-- end of measured -->"
ENDS = "wire-in,wire-out,registers,rings,interrupt,drops"
GENERATE = ("--app", "generate", "--size", "64")
REFLECT = ("--app", "reflect", "--link", "pcap:in=built-in,pace=line,loop=294")
LOOSE = ("--quantum", "10us")
# Name, timing, options of all runs, options of those with a trace.
ROWS = (
    ("generate, 64 bytes", "approximately", GENERATE, ()),
    ("generate, 64 bytes", "loosely, 10 us", GENERATE + LOOSE, ()),
    ("the same, `--trace-filter " + ENDS + "`", "loosely, 10 us",
     GENERATE + LOOSE, ("--trace-filter", ENDS)),
    ("reflect", "approximately", REFLECT, ()),
    ("reflect", "loosely, 10 us", REFLECT + LOOSE, ()),
)
SUFFIXES = (".pftrace", ".json")


def run(command):
    """Processor and wall time in seconds."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall)


def measure(sim, options, traced, runs, folder):
    """Plain processor time, then for each format how many times processor and wall time, and bytes."""
    files = {suffix: os.path.join(folder, "trace" + suffix) for suffix in SUFFIXES}
    commands = {None: [sim, *options]}
    for suffix, path in files.items():
        commands[suffix] = [sim, *options, "--trace", path, *traced]
    times = {key: [] for key in commands}
    for _ in range(runs):
        for key, command in commands.items():
            times[key].append(run(command))
    median = {key: [statistics.median(column) for column in zip(*values)]
              for key, values in times.items()}
    plain = median[None]
    return plain[0], [(median[suffix][0] / plain[0], median[suffix][1] / plain[1],
                       os.path.getsize(path)) for suffix, path in files.items()]


def table(arguments):
    lines = ["| run | timed | without, ms | `.pftrace`: processor, wall, million bytes | "
             "`.json`: the same |", "|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        for name, timed, options, traced in ROWS:
            if options[1] == "generate":
                options += ("--frames", str(arguments.frames))
            plain, formats = measure(arguments.sim, options, traced, arguments.runs, folder)
            cells = [f"{cpu:.1f}, {wall:.1f} times, {size / 1e6:.0f}" for cpu, wall, size in formats]
            lines.append(f"| {name} | {timed} | {plain * 1000:.0f} | {' | '.join(cells)} |")
            print(lines[-1], file=sys.stderr)
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sim", default="build/bin/e1000-sim", help="the program")
    parser.add_argument("--frames", type=int, default=100000, help="of a run of generate")
    parser.add_argument("--runs", type=int, default=7, help="of which the median counts")
    parser.add_argument("--document", help="put the table into this file, too")
    arguments = parser.parse_args()
    measured = table(arguments)
    print(measured, end="")
    if not arguments.document:
        return
    with open(arguments.document, encoding="utf-8") as file:
        before, rest = file.read().split(BEGIN + "\n")
    with open(arguments.document, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + "\n" + measured + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
