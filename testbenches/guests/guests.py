#!/usr/bin/env python3
"""Boots Linux with its own drivers on the modelled cards (e1000, virtio-net) and, as a baseline, on QEMU's own.

  guests.py vm [--shell]       boot, show link, ping, iperf3 both ways, ethtool -t; --shell: a prompt
  guests.py test [--all|--ci]  the matrix of kernels, parts and checks, as a table
  guests.py test --figures     throughput, round trip, interrupts, processor time, side by side

Needs root: it works in namespaces of its own (network, mounts, processes), which end with it.
Exit status 1: something failed on the model that passes on QEMU's device, or does not exist there.
128 and a signal's number: ended by that signal.
"""

import argparse
import os
import sys

import checks
import figures
import isolation
import machine
import matrix
from machine import CARDS, KERNELS, PARTS, VIRTIO, Machine, Trouble
from matrix import say

SHOW = (
    ("the driver found", "dmesg | grep -i -E 'e1000|virtio'"),
    ("ethtool eth0", "ethtool eth0 | grep -E 'Speed|Duplex|Link'"),
    ("ping -c 4 10.9.0.1", "ping -c 4 -i 0.3 10.9.0.1"),
)


def kernels_of(options):
    """What has to be there before anything can boot."""
    if options.command == "vm":
        return [(options.kernel or ["6.12"])[0]]
    return list(dict.fromkeys(kernel for _, kernel, _ in matrix.columns_of(options))) or ["6.12"]


def command_vm(options):
    kernel = (options.kernel or ["6.12"])[0]
    part = (options.part or ["82540em"])[0]
    machine.make_tap(queues=VIRTIO.get(part, 1))
    card = CARDS[(options.card_name or ["model"])[0]](part, options.card)
    with machine.run_folder() as folder:
        g = Machine(card, kernel, folder, options.accel)
        try:
            card.start(folder)
            if options.shell:
                return g.shell()
            say(f"booting Linux {kernel} on the {part} ({options.accel}: {options.why})")
            g.boot()
            g.network_up()
            for title, command in SHOW:
                say(f"\n# {title}\n{g.run(command)}")
            for title, words in (("iperf3, the guest sends", "-t 3"), ("iperf3, the guest receives", "-t 3 -R")):
                sums = checks.iperf(g, words)
                say(f"\n# {title}\n{sums['bits_per_second'] / 1e6:.0f} Mbit/s, {sums['retransmits']} retransmits")
            if part not in VIRTIO:
                say(f"\n# ethtool -t eth0 offline\n{g.run('ethtool -t eth0 offline', 180)}")
            checks.kernel_log(g)
            return 0
        except Trouble as trouble:
            say(f"guests.py: {trouble}")
            return 1
        finally:
            g.kill()
            card.stop()


def command_test(options):
    if options.figures:
        machine.make_tap()
        return figures.run(options, say)
    return matrix.run(options)


def parse():
    parser = argparse.ArgumentParser(prog="guests.py", description="guests on the modelled card",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("vm", "test"))
    parser.add_argument("--shell", action="store_true", help="vm: a prompt on the serial console")
    parser.add_argument("--all", action="store_true", help="test: every kernel and part")
    parser.add_argument("--ci", action="store_true",
                        help="test: Linux 6.12 on the model, all checks on the first part, a few on the others")
    parser.add_argument("--short", action="store_true", help="test: a few checks on each machine")
    parser.add_argument("--figures", action="store_true", help="test: the figures instead of the matrix")
    parser.add_argument("--list", action="store_true", help="test: print the names of the checks")
    parser.add_argument("--kernel", action="append", choices=KERNELS)
    parser.add_argument("--part", action="append", choices=(*PARTS, *VIRTIO))
    parser.add_argument("--check", action="append", metavar="NAME")
    parser.add_argument("--card", action="append", dest="card_name", choices=tuple(CARDS))
    parser.add_argument("--kills", type=int, default=3, metavar="N", help="how often 'killed in traffic' kills QEMU")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="figures: how often each is measured")
    parser.add_argument("--resume", action="store_true",
                        help="test: take machines from build/out/guests that an earlier run has brought to an end")
    parser.add_argument("--kept", action="store_true", help="test: the table of all that is there, without a run")
    parser.add_argument("--update-doc", action="store_true", help="renew the table in doc/guests.md, too")
    parser.add_argument("--accel", default="auto", choices=("auto", "tcg", "kvm"))
    parser.add_argument("--sim", action="append", default=[], metavar="OPTION", help="another option of e1000-sim")
    parser.add_argument("--simulator", type=os.path.abspath, help="this e1000-sim instead of build/bin's")
    parser.add_argument("--link", help="the model's --link (default: tap:ifname=tap0)")
    parser.add_argument("--keep-log", metavar="DIR", type=os.path.abspath,
                        help="keep consoles and reports of the simulator here")
    options = parser.parse_args()
    if options.check and (options.resume or options.update_doc and not options.figures):
        parser.error("results of single checks are not kept: --check goes with neither --resume nor --update-doc")
    if options.kills < 1 or options.runs < 1:
        parser.error("--kills and --runs take a number from 1 on")
    if options.keep_log and not os.path.isdir(options.keep_log):
        parser.error(f"--keep-log: {options.keep_log} is no folder")
    return options


def main():
    options = parse()
    if options.list:
        return say("\n".join(matrix.NAMES))
    if options.command == "test" and options.kept:
        return matrix.run(options)
    unknown = [name for name in options.check or [] if name not in matrix.NAMES]
    if unknown:
        return f"guests.py: no check '{unknown[0]}'; there are: " + ", ".join(matrix.NAMES)
    isolation.install("install", *kernels_of(options))
    isolation.enter()
    options.accel, options.why = machine.acceleration(options.accel)
    options.card = {"simulator": options.simulator, "extra": options.sim, "link": options.link}
    try:
        return {"vm": command_vm, "test": command_test}[options.command](options)
    except Trouble as trouble:
        return f"guests.py: {trouble}"


if __name__ == "__main__":
    sys.exit(main())
