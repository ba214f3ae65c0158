#!/usr/bin/env python3
"""Boots Linux with its own e1000 driver on the modelled card and, as a baseline, on QEMU's own e1000.

  guests.py vm [--shell]    boot, show link, ping, iperf3 both ways, ethtool -t; --shell: a prompt
  guests.py test [--all]    the matrix of kernels, parts and checks, as a table
  guests.py figures         throughput, round trip, interrupts, processor time, side by side

Needs root: it works in namespaces of its own (network, mounts, processes), which end with it.
Exit status 1: something failed on the model that passes on QEMU's device, or does not exist there.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import time

import checks
import figures
import machine
from machine import CARDS, KERNELS, PARTS, Machine, Trouble, call

# What a default run covers: (kernel, part, all checks of the default). --all: every kernel and part.
DEFAULT = (("6.12", "82540em"),)
KILLS = {False: 3, True: 20}


def enter_namespaces():
    """Starts again in namespaces whose processes, mounts and interfaces end with this one."""
    if os.geteuid() != 0:
        sys.exit("guests.py: taps, chroot and namespaces take root rights: run as root")
    if os.environ.get("E1000TLM_GUESTS_INSIDE") is None:
        os.environ["E1000TLM_GUESTS_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                              sys.executable, *sys.argv])
    del os.environ["E1000TLM_GUESTS_INSIDE"]
    # This network's own settings are those of /sys of its namespace.
    call("mount", "-t", "sysfs", "sysfs", "/sys")
    call("mount", "--bind", "/dev", str(machine.root_path() / "dev"))


def one_check(function, g):
    """(state, detail, seconds)"""
    start = time.monotonic()
    try:
        detail = function(g) or ""
        state = "ok"
    except checks.NotOffered as reason:
        state, detail = "n/a", str(reason)
    except Trouble as trouble:
        state, detail = "FAIL", str(trouble)
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as error:
        state, detail = "FAIL", f"{type(error).__name__}: {error}"
    return state, detail, time.monotonic() - start


def say(*words):
    print(*words, flush=True)


def kill_in_traffic(g, times):
    """QEMU killed in traffic, again and again; then a clean boot on the same card."""
    traffic = checks.Traffic()
    try:
        for _ in range(times):
            g.send("ping -f -c 100000 -q 10.9.0.1")
            time.sleep(0.5)
            g.kill()
            machine.expect_alive(g.card)
            g.boot()
            g.network_up()
    finally:
        traffic.stop()
    checks.ping(g)
    checks.both_ways(g)
    return f"{times} times"


def column(card_name, kernel, part, selection, options):
    """All checks of one machine: {name: (state, detail)}."""
    results = {}
    card = CARDS[card_name](part, options.card)
    with machine.run_folder() as folder:
        g = Machine(card, kernel, folder, options.accel)

        def note(name, state, detail, seconds):
            results[name] = (state, detail)
            say(f"CHECK {card_name} {kernel} {part} {name!r} {state} {seconds:.1f}s {detail}".rstrip())

        def again():
            g.kill()
            if not card.alive():
                card.stop()
                card.start(folder)
            g.boot()
            g.network_up()

        start = time.monotonic()
        try:
            card.start(folder)
            g.boot()
            g.network_up()
            note("boot", "ok", "", time.monotonic() - start)
        except Trouble as trouble:
            note("boot", "FAIL", str(trouble), time.monotonic() - start)
            g.kill()
            card.stop()
            return results
        wanted = [(name, function) for name, function, _ in checks.CHECKS if name in selection]
        if "killed in traffic" in selection:
            wanted.append(("killed in traffic", lambda g: kill_in_traffic(g, KILLS[options.all])))
        for name, function in wanted:
            state, detail, seconds = one_check(function, g)
            note(name, state, detail, seconds)
            if state == "FAIL":
                for line in g.console().splitlines()[-6:]:
                    say(f"    console: {line}")
            if state == "FAIL" and name != wanted[-1][0]:
                try:
                    again()  # the next check starts from a fresh boot
                except Trouble as trouble:
                    note("boot again", "FAIL", str(trouble), 0)
                    break
        g.kill()
        try:
            card.stop()
        except Trouble as trouble:
            note("simulator's end", "FAIL", str(trouble), 0)
        if options.keep_log:
            for name in ("console", "simulator.log"):
                if (folder / name).exists():
                    (pathlib.Path(options.keep_log) / f"{card_name}-{kernel}-{part}-{name}").write_bytes(
                        (folder / name).read_bytes())
    return results


def table(results, columns):
    """Prints check by check what each machine did; returns what fails on the model only."""
    names = []
    for cells in results.values():
        names += [name for name in cells if name not in names]
    heads = [f"{card} {part} {kernel}" for card, kernel, part in columns]
    widths = [max(len(head), 4) for head in heads]
    say("")
    say("| " + "check".ljust(18) + " | " + " | ".join(h.ljust(w) for h, w in zip(heads, widths)) + " |")
    say("|" + "-" * 20 + "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    for name in names:
        cells = [results[key].get(name, ("not run", ""))[0] for key in columns]
        say("| " + name.ljust(18) + " | " + " | ".join(c.ljust(w) for c, w in zip(cells, widths)) + " |")
    say("")
    worse, same = [], []
    for key in columns:
        card, kernel, part = key
        if card != "model":
            continue
        for name, (state, detail) in results[key].items():
            if state == "FAIL":
                baseline = results.get(("qemu", kernel, part), {}).get(name, ("", ""))[0]
                (same if baseline == "FAIL" else worse).append(f"{part} {kernel} {name}: {detail}")
    for line in same:
        say(f"fails on QEMU's device, too: {line}")
    for line in worse:
        say(f"FAILED: {line}")
    passed = {c: sum(1 for k in columns if k[0] == c for s, _ in results[k].values() if s == "ok")
              for c in ("model", "qemu")}
    total = {c: sum(1 for k in columns if k[0] == c for s, _ in results[k].values() if s != "n/a")
             for c in ("model", "qemu")}
    for card in ("model", "qemu"):
        if total[card]:
            say(f"{card}: {passed[card]} of {total[card]} passed")
    return worse


def command_test(options):
    kernels = options.kernel or (KERNELS if options.all else [DEFAULT[0][0]])
    parts = options.part or (list(PARTS) if options.all else [DEFAULT[0][1]])
    cards = options.card_name or ["model", "qemu"]
    names = [name for name, _, default in checks.CHECKS if default or options.all] + ["killed in traffic"]
    if options.check:
        unknown = [name for name in options.check if name not in names]
        if unknown:
            sys.exit(f"guests.py: no check '{unknown[0]}'; there are: " + ", ".join(names))
        names = options.check
    if options.list:
        return say("\n".join(names))
    prepare(kernels)
    columns = [(card, kernel, part) for part in parts for kernel in kernels for card in cards
               if card != "qemu" or PARTS[part]]
    results = {key: column(*key, names, options) for key in columns}
    if not results:
        sys.exit("guests.py: QEMU has no such device: nothing was run")
    worse = table(results, columns)
    if not options.all and not (options.kernel or options.part or options.check):
        say("not run: other kernels and parts, and most of the kills; --all runs them")
    return 1 if worse or (cards == ["qemu"] and not any(results.values())) else 0


def prepare(kernels):
    machine.make_tap()
    done = subprocess.run([machine.HERE / "root.sh", "install", *kernels], check=False)
    if done.returncode:
        sys.exit(done.returncode)


SHOW = (
    ("the driver found", "dmesg | grep -i e1000"),
    ("ethtool eth0", "ethtool eth0 | grep -E 'Speed|Duplex|Link'"),
    ("ping -c 4 10.9.0.1", "ping -c 4 -i 0.3 10.9.0.1"),
)


def command_vm(options):
    kernel = (options.kernel or ["6.12"])[0]
    part = (options.part or ["82540em"])[0]
    prepare([kernel])
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
            say(f"\n# ethtool -t eth0 offline\n{g.run('ethtool -t eth0 offline', 120)}")
            checks.kernel_log(g)
            return 0
        except Trouble as trouble:
            say(f"guests.py: {trouble}")
            return 1
        finally:
            g.kill()
            card.stop()


def command_figures(options):
    kernel = (options.kernel or ["6.12"])[0]
    part = (options.part or ["82540em"])[0]
    prepare([kernel])
    columns = {}
    for name in options.card_name or ["model", "qemu"]:
        card = CARDS[name](part, options.card)
        with machine.run_folder() as folder:
            g = Machine(card, kernel, folder, options.accel)
            try:
                card.start(folder)
                g.boot()
                g.network_up()
                columns[name] = figures.measure(g)
            finally:
                g.kill()
                card.stop()
    figures.table(columns, say)
    return 0


def main():
    parser = argparse.ArgumentParser(prog="guests.py", description="guests on the modelled card",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("vm", "test", "figures"))
    parser.add_argument("--shell", action="store_true", help="vm: a prompt on the serial console")
    parser.add_argument("--all", action="store_true", help="test: every kernel and part, 20 kills")
    parser.add_argument("--figures", action="store_true", help="test: the figures instead of the matrix")
    parser.add_argument("--list", action="store_true", help="test: print the names of the checks")
    parser.add_argument("--kernel", action="append", choices=KERNELS)
    parser.add_argument("--part", action="append", choices=tuple(PARTS))
    parser.add_argument("--check", action="append", metavar="NAME")
    parser.add_argument("--card", action="append", dest="card_name", choices=tuple(CARDS))
    parser.add_argument("--accel", default="auto", choices=("auto", "tcg", "kvm"))
    parser.add_argument("--sim", action="append", default=[], metavar="OPTION", help="another option of e1000-sim")
    parser.add_argument("--simulator", type=os.path.abspath, help="this e1000-sim instead of build/bin's")
    parser.add_argument("--link", help="the model's --link (default: tap:ifname=tap0)")
    parser.add_argument("--keep-log", metavar="DIR", help="keep consoles and reports of the simulator here")
    options = parser.parse_args()
    if not options.list:
        enter_namespaces()
    options.accel, options.why = machine.acceleration(options.accel)
    options.card = {"simulator": options.simulator, "extra": options.sim, "link": options.link}
    command = "figures" if options.figures else options.command
    sys.exit({"vm": command_vm, "test": command_test, "figures": command_figures}[command](options))


if __name__ == "__main__":
    main()
