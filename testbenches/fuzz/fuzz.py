"""Runs the fuzzers: each over its seeds, then for a while with what it makes of them.

What they have learned stays in BUILD/corpus, what they find goes to BUILD/findings.
"""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SHORT, USUAL = 3, 30  # seconds for each target
SLOW, MEMORY = 20, 2048  # seconds and MiB that one input may take


class Fuzzer:
    def __init__(self, name, build):
        self.name = name
        self.program = os.path.join(build, "bin", name + "_fuzz")
        self.seeds = os.path.join(HERE, "corpus", name)
        self.learned = os.path.join(build, "corpus", name)
        self.findings = os.path.join(build, "findings")
        for folder in (self.learned, self.findings):
            os.makedirs(folder, exist_ok=True)

    def call(self, *options):
        command = [self.program, f"-timeout={SLOW}", f"-rss_limit_mb={MEMORY}",
                   f"-artifact_prefix={self.findings}/{self.name}-", "-print_final_stats=1",
                   *options]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace")

    def run(self, seconds):
        """One line about it, and a text that says what was found; empty: nothing."""
        start = time.monotonic()
        files = [os.path.join(folder, file) for folder in (self.seeds, self.learned)
                 for file in sorted(os.listdir(folder))]
        result = self.call("-runs=1", *files)
        if result.returncode == 0 and seconds > 0:
            result = self.call(f"-max_total_time={seconds}", self.learned, self.seeds)
        log = result.stdout
        runs = re.search(r"number_of_executed_units: +(\d+)", log)
        covered = re.findall(r"cov: (\d+)", log)
        line = (f"{self.name:16} {len(files):5} files, {int(runs[1]) if runs else 0:9} inputs, "
                f"{covered[-1] if covered else '-':>6} branches, {time.monotonic() - start:4.0f} s")
        return line, "" if result.returncode == 0 else self.finding(log, files)

    def finding(self, log, files):
        made = re.search(r"Test unit written to (\S+)", log)
        at = re.findall(r"^Running: (\S+)", log, re.MULTILINE)
        file = made[1] if made else at[-1] if at else None
        shown = "\n".join(log.splitlines()[-60:])
        if file is None:
            return f"{shown}\n{self.name}: the fuzzer failed without a finding"
        return f"{shown}\n{self.name}: found {file}\n  repeat: {self.program} {file}"


def main():
    parser = argparse.ArgumentParser(prog="./test fuzz", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, metavar="N",
                        help=f"so long for each target (default: {USUAL} seconds)")
    parser.add_argument("--short", action="store_true", help=f"{SHORT} seconds for each, as CI does")
    parser.add_argument("--target", action="append", metavar="NAME", help="only this one")
    parser.add_argument("--list", action="store_true", help="name the targets")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N",
                        help="so many at a time (default: processors)")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.minutes is not None and (arguments.short or not arguments.minutes >= 0):
        parser.error("--minutes: a number from 0 on, without --short")
    with open(os.path.join(arguments.build, "fuzzers.txt"), encoding="utf-8") as file:
        names = file.read().split()
    if arguments.list:
        print("\n".join(names))
        return 0
    for name in arguments.target or ():
        if name not in names:
            parser.error(f"--target {name}: known are {', '.join(names)}")
    seconds = SHORT if arguments.short else USUAL
    if arguments.minutes is not None:
        seconds = int(60 * arguments.minutes)
    found = []
    with concurrent.futures.ThreadPoolExecutor(max(1, arguments.jobs)) as pool:
        fuzzers = [Fuzzer(name, arguments.build) for name in arguments.target or names]
        for line, finding in pool.map(lambda fuzzer: fuzzer.run(seconds), fuzzers):
            print(line + (", FOUND SOMETHING" if finding else ""), flush=True)
            if finding:
                found.append(finding)
    for finding in found:
        print("\n" + finding, file=sys.stderr)
    print(f"fuzz: {len(names) if not arguments.target else len(arguments.target)} targets, "
          f"{len(found)} with findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
