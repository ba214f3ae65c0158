#!/usr/bin/env python3
"""Runs drivers other than Linux' own on the modelled card and, as a baseline, on QEMU's own e1000.

  other_drivers.py --program NAME...   the table of what each has done; NAME: one of --list, or all

Needs root, and has namespaces of its own as guests.py. Exit status 1: something failed on the model that passes on
QEMU's device, or does not exist there.
"""

import argparse
import os
import sys

import dpdk  # noqa: F401 (its programs)
import dpdk_virtio  # noqa: F401 (its programs)
import firmware  # noqa: F401 (its programs)
import isolation
import machine
import programs


def main():
    parser = argparse.ArgumentParser(prog="other_drivers.py", description="boot programs and DPDK on the modelled card")
    parser.add_argument("--program", action="append", choices=(*programs.PROGRAMS, "all"), default=[])
    parser.add_argument("--list", action="store_true", help="names of the programs")
    parser.add_argument("--all", action="store_true", help="on every part that the program knows")
    parser.add_argument("--part", action="append", choices=(*machine.PARTS, *machine.VIRTIO))
    parser.add_argument("--card", action="append", dest="card_name", choices=tuple(machine.CARDS))
    parser.add_argument("--accel", default="auto", choices=("auto", "tcg", "kvm"))
    parser.add_argument("--sim", action="append", default=[], metavar="OPTION", help="another option of e1000-sim")
    parser.add_argument("--simulator", type=os.path.abspath, help="this e1000-sim instead of build/bin's")
    parser.add_argument("--keep-log", metavar="DIR", type=os.path.abspath,
                        help="keep consoles and reports of the simulator here")
    options = parser.parse_args()
    if options.list:
        for name, chosen in programs.PROGRAMS.items():
            print(f"--program {name}: {chosen.about}")
        return
    programs.install(options)
    isolation.enter()
    options.accel, _ = machine.acceleration(options.accel)
    options.card = {"simulator": options.simulator, "extra": options.sim}
    sys.exit(programs.command(options))


if __name__ == "__main__":
    main()
