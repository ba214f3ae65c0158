"""Runs random programs on QEMU and on e1000-sim and reports where they differ.

  fuzz.py PROGRAMS [--seed FIRST] [--part PART] [--jobs N] [--bin FOLDER]
  fuzz.py --replay FILE [--part PART]

Program number n is made from seed FIRST + n, so that one of them can be run alone. A failing program
is shrunk and printed as JSON, which --replay runs."""

import argparse
import concurrent.futures
import json
import multiprocessing.util
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from bench.endpoint import Model, Reference  # noqa: E402
from bench.parts import COMPARED, PARTS, USUAL  # noqa: E402
from fuzzer.program import generate  # noqa: E402
from fuzzer.run import disagreement  # noqa: E402
from fuzzer.shrink import shrink  # noqa: E402

machines = part = None


def start(program, name):
    """In each worker."""
    global machines, part
    machines, part = (Model(program), Reference()), PARTS[name]
    for machine in machines:  # workers end without Python's own cleaning up
        multiprocessing.util.Finalize(None, machine.close, exitpriority=10)


def fails(program):
    return disagreement(program, machines, part)


def work(seeds):
    """(seed, shrunk program, difference) of those that fail."""
    result = []
    for seed in seeds:
        program = generate(seed)
        if fails(program):
            small = shrink(program, fails)
            result.append((seed, small, fails(small)))
    return len(seeds), result


def report(program, difference):
    print("  program:")
    print("   [" + ",\n    ".join(json.dumps(step) for step in program) + "]")
    print("  difference: " + difference)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("programs", type=int, nargs="?", default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", choices=COMPARED, default=USUAL.name)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--bin", default=os.path.join(HERE, "..", "..", "build", "bin"))
    parser.add_argument("--replay")
    options = parser.parse_args()
    simulator = os.path.join(os.path.abspath(options.bin), "e1000-sim")
    reference = Reference.version()
    if reference is None:
        print(
            "fuzzer skipped: no reference QEMU (testbenches/conformance/reference_qemu.sh install)"
        )
        return 0
    if options.replay:
        with open(options.replay) as file:
            program = json.load(file)
        start(simulator, options.part)
        difference = fails(program)
        print(difference or "no difference")
        return difference is not None
    begin = time.monotonic()
    seeds = range(options.seed, options.seed + options.programs)
    shares = [seeds[n : n + 20] for n in range(0, len(seeds), 20)]
    done, failures = 0, []
    with concurrent.futures.ProcessPoolExecutor(
        options.jobs, initializer=start, initargs=(simulator, options.part)
    ) as pool:
        for future in concurrent.futures.as_completed([pool.submit(work, s) for s in shares]):
            count, failed = future.result()
            done += count
            failures += failed
            for seed, program, difference in failed:
                print(f"seed {seed} differs")
                report(program, difference)
    print(
        f"fuzzer: {done} programs (seeds {options.seed} to {options.seed + options.programs - 1}) on "
        f"{reference} and e1000-sim, {options.part}, {len(failures)} with a difference, "
        f"{time.monotonic() - begin:.0f} s"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
