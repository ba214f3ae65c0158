#!/usr/bin/env python3
"""Linux with its own e1000 driver, as a program, on the model, in simulated time.

  linux.py run             two guests and a gateway on a switch: what they say of boot, ping and iperf3
  linux.py run --scenario FILE   what this file describes, twice
  linux.py run --shell     one guest's prompt, with a gateway
  linux.py test            the checks of checks_uml.py, a line each
  linux.py figures         goodput, packet rate, round trip and interrupts, in simulated time
  linux.py cost            what a boot on the model costs, beside one without a device
  linux.py needs           what this machine lacks for all that; nothing: it can
"""

import argparse
import ctypes
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time

import checks_cable
import checks_host
import checks_packets  # noqa: F401  (fills the list of checks_uml)
import checks_uml
import checks_virtio_uml
import cost_uml
import expected_uml
import figures_uml
import lab
from lab import Commanded, Guest, Lab, Trouble
from scenario import Scenario

FIRST, SECOND, GATEWAY = "10.0.2.15", "10.0.2.16", "10.0.2.2"

UP = """
ip link set eth0 up
ip address add {address}/24 dev eth0
until [ "$(cat /sys/class/net/eth0/carrier 2> /dev/null)" = 1 ]; do sleep 0.05; done
echo "eth0 has link"
"""
SHOW = UP + """
say() {{ echo; echo "# $*"; "$@"; }}
echo; echo "# dmesg"; dmesg | grep -i -e e1000 -e virtio_net -e 'Linux version'
say ethtool -i eth0
echo; echo "# ethtool eth0"; ethtool eth0 | grep -E 'Speed|Duplex|Link'
say ping -c 4 -i 0.2 {gateway}
until ping -c 1 -W 1 {other} > /dev/null; do :; done
say ping -c 4 -i 0.2 {other}
say iperf3 -c {other} {amount}
sleep 1
say iperf3 -c {other} {amount} -R
echo; echo "# uptime: $(cut -d ' ' -f 1 /proc/uptime) s simulated"
ip link set eth0 down
"""
SERVE = UP + """
iperf3 -s -D
while [ ! -e /host/first.status ]; do sleep 0.1; done
ip link set eth0 down
"""


def lacking():
    """Why this machine cannot run User-Mode Linux; empty: it can."""
    if platform.machine() != "x86_64":
        return f"User-Mode Linux is for x86-64, this machine is {platform.machine()}"
    if subprocess.run(["setarch", "-R", "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        return "programs may not switch off random addresses here (setarch -R); in a container that is its seccomp profile"
    child = os.fork()
    if child == 0:
        os._exit(0 if ctypes.CDLL(None).ptrace(0, 0, None, None) == 0 else 1)  # PTRACE_TRACEME
    if os.waitpid(child, 0)[1]:
        return "ptrace() is not allowed here; see /proc/sys/kernel/yama/ptrace_scope, or a container's seccomp profile"
    return ""


def say(*words):
    print(*words, flush=True)


def command_run(options):
    if options.scenario:
        return command_scenario(options)
    if options.shell:
        return shell(options)
    say(f"booting two machines of User-Mode Linux on the {options.part}, in simulated time")
    start = time.monotonic()
    first = Guest("first", SHOW.format(address=FIRST, other=SECOND, gateway=GATEWAY, amount=f"-n {options.bytes}" if options.bytes else f"-t {options.seconds}"))
    second = Guest("second", SERVE.format(address=SECOND))
    links = ["switch:lan", "switch:lan"]
    with Lab([first, second], links, ["--on-switch", "lan=user", *options.sim], options.part,
             simulator=options.simulator) as it:
        try:
            it.start()
            follow(it, first)
            it.wait(options.limit)
        finally:
            if options.keep_log:
                lab.keep(it, options.keep_log)
        say()
        say(it.log.read_text(errors="replace").strip())
    say(f"\nall of it took {time.monotonic() - start:.1f} s of the wall clock")
    return 0


def follow(it, guest):
    """Prints what the guest's script says, as it comes."""
    shown = 0
    while True:
        over = guest.process.poll() is not None
        text = guest.text()
        begin = text.find("\n# ")
        if begin >= 0 and len(text) > max(shown, begin):
            end = len(text) if over else text.rfind("\n") + 1
            part = text[max(shown, begin):end]
            shown = max(shown, begin) + len(part)
            print(part, end="", flush=True)
        if over:
            return
        if it.process.poll() is not None:
            time.sleep(1)
            if guest.process.poll() is None:
                raise Trouble(f"e1000-sim has ended: {lab.last_line(it.log)}")
        time.sleep(0.1)


def shell(options):
    guest = Guest("shell", words=[f"guest.address={FIRST}/24", f"guest.gateway={GATEWAY}"])
    with lab.terminal_kept(), Lab([guest], ["user"], ["--paced", *options.sim], options.part,
                                  simulator=options.simulator) as it:
        it.start()
        status = guest.process.wait()
        if status:
            died = it.process.poll() is not None
            raise Trouble(f"the guest ended with status {status}" +
                          (f"; e1000-sim ended before it: {lab.last_line(it.log)}" if died else ""))
    return 0


def command_test(options):
    alone = [("guest killed", lambda _: killed(options, "guest")),
             ("simulator killed", lambda _: killed(options, "simulator")),
             ("same again", lambda _: same_again(options))]
    cable = [] if lab.is_virtio(options.part) else checks_cable.CHECKS  # registers, counters and PAUSE of an e1000
    alone += [(name, lambda _, function=function: function(options)) for name, function in cable + checks_host.CHECKS]
    alone += [(f"scenario {path.stem}", lambda _, path=path: scenario(options, path))
              for path in sorted((lab.TREE / "traffic/linux").glob("*.ini"))]
    if not lab.is_virtio(options.part):  # the account is that of an e1000's descriptors
        alone.append(("goodput follows from the bus", lambda _: expected_uml.check(options)))
    wanted = [*(checks_virtio_uml if lab.is_virtio(options.part) else checks_uml).all_checks(), *alone]
    if options.list:
        return say("\n".join(name for name, _ in wanted))
    if options.check:
        unknown = [name for name in options.check if name not in [n for n, _ in wanted]]
        if unknown:
            raise Trouble(f"no check '{unknown[0]}'; --list prints all")
        wanted = [entry for entry in wanted if entry[0] in options.check]
    failed, skipped, count = [], [], 0
    start = time.monotonic()

    def note(name, state, detail="", seconds=None):
        nonlocal count
        count += 1
        took = "" if seconds is None else f" {seconds:.1f}s"
        say(f"CHECK {name!r} {state}{took} {detail}".rstrip())
        if state == "FAIL":
            failed.append(name)
        elif state == "skipped":
            skipped.append(name)

    in_guest = [entry for entry in wanted if entry not in alone]
    if in_guest:
        boot_and_check(options, in_guest, note)
    for name, function in alone:
        if (name, function) in wanted:
            one_check(name, function, None, note)
    say(f"{count - len(failed) - len(skipped)} of {count} passed in {time.monotonic() - start:.0f} s"
        + (f"; skipped: {', '.join(skipped)}" if skipped else "")
        + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


def boot_and_check(options, wanted, note):
    """Checks of one pair of machines."""
    start = time.monotonic()
    first, second = Commanded("first", checks_uml.GUEST), Guest("second", checks_uml.PARTNER)
    first.note = note
    with Lab([first, second], ["switch:lan", "switch:lan"], ["--switch", "lan:max-frame=9022", *options.sim],
             options.part, simulator=options.simulator) as it:
        try:
            it.start()
            first.network_up()
            first.run("until [ -e /host/offered ]; do sleep 0.1; done; sleep 1")
            note("boot", "ok", f"{first.run('cat /proc/uptime').split()[0]} s simulated", time.monotonic() - start)
            for name, function in wanted:
                one_check(name, function, first, note)
            first.finish()
            it.wait(options.limit)
            note("power off", "ok")
        except Trouble as trouble:
            note("the machines", "FAIL", str(trouble))
        finally:
            if options.keep_log:
                lab.keep(it, options.keep_log)


def killed(options, which):
    """One side is killed in traffic; the other ends, says why, and nothing is left."""
    first = Guest("first", UP.format(address=FIRST) + f"ping -f -q -c 100000000 {GATEWAY}\n")
    with Lab([first], ["user"], options.sim, options.part, simulator=options.simulator) as it:
        it.start()
        deadline = time.monotonic() + options.limit
        while "eth0 has link" not in first.text():
            if first.process.poll() is not None or time.monotonic() > deadline:
                raise Trouble(f"the guest does not come up: {lab.last_line(first.console)}")
            time.sleep(0.1)
        time.sleep(1)
        victim, other = (it.process, first.process) if which == "simulator" else (first.process, it.process)
        victim.kill()
        try:
            status = other.wait(60)
        except subprocess.TimeoutExpired:
            raise Trouble(f"the other one goes on without the {which}") from None
        victim.wait()
        time.sleep(0.2)
        if which == "simulator":
            said = lab.last_line(first.console)
            if "Kernel panic" not in said or "time-travel" not in said:
                raise Trouble(f"the guest says {said}")
        else:
            report = json.loads((it.folder / "report.json").read_text())
            if status or not any("without letting go" in text for text in report["warnings"]):
                raise Trouble(f"status {status}, warnings {report['warnings']}")
            left = [path.name for path in it.folder.glob("nic*")]
            if left:
                raise Trouble(f"e1000-sim has left {', '.join(left)}")
            said = report["warnings"][0]
        if left := lab.processes_in(it.folder):
            raise Trouble(f"left over: {', '.join(left.values())}")
    return said


def run_once(options, guests, links, words, part, slow=False):
    """Everything of a run that must not depend on the host: captures, the report, what guests said."""
    with Lab(guests, links, ["--filter", "0:dump:file=cable.pcapng", *words, *options.sim], part,
             simulator=options.simulator) as it:
        it.start()
        if slow:
            slow_down(it)
        it.wait(options.limit)
        report = json.loads((it.folder / "report.json").read_text())
        for key in ("wall_s", "wall_ns"):
            del report[key]
        seen = {"capture": (it.folder / "cable.pcapng").read_bytes(), "report": json.dumps(report, indent=1)}
        for guest in guests:
            seen[f"console of {guest.name}"] = guest.text().replace(str(it.folder), "")
        return seen


def slow_down(it):
    """Stops the simulator again and again, for as long as it runs."""
    while it.process.poll() is None and it.guests[0].process.poll() is None:
        it.process.send_signal(signal.SIGSTOP)
        time.sleep(0.02)
        it.process.send_signal(signal.SIGCONT)
        time.sleep(0.05)


def show_once(options, slow):
    guests = [Guest("first", SHOW.format(address=FIRST, other=SECOND, gateway=GATEWAY, amount="-n 2M")),
              Guest("second", SERVE.format(address=SECOND))]
    return run_once(options, guests, ["switch:lan", "switch:lan"], ["--on-switch", "lan=user"], options.part, slow)


def same_again(options):
    """Two runs, and one with a simulator that is stopped all the time, are the same byte for byte."""
    runs = {"first": show_once(options, False), "second": show_once(options, False), "slow": show_once(options, True)}
    compare(options, runs)
    return f"capture of {len(runs['first']['capture'])} bytes, report, consoles; also with a slow simulator"


def compare(options, runs):
    for name, run in runs.items():
        for what, value in run.items():
            if value != runs["first"][what]:
                if options.keep_log:
                    for other in ("first", name):
                        path = pathlib.Path(options.keep_log) / f"{what.replace(' ', '-')}.{other}"
                        path.parent.mkdir(parents=True, exist_ok=True)
                        value = runs[other][what]
                        path.write_bytes(value if isinstance(value, bytes) else value.encode())
                raise Trouble(f"the {name} run's {what} is not the first one's")


def scenario(options, path):
    """What a file describes, twice; the second run must be the same."""
    plan = Scenario(path)
    runs = {name: run_once(options, plan.machines(), plan.links, plan.options, plan.part)
            for name in ("first", "second")}
    said = {name: runs["first"][f"console of {name}"] for name in plan.guests}
    if options.verbose:
        for name, text in said.items():
            say(f"--- {name}\n{text}")
    lines = []
    if not plan.judge(said, lines.append):
        raise Trouble("; ".join(line.strip() for line in lines))
    compare(options, runs)
    return "; ".join(line.strip() for line in lines)


def command_scenario(options):
    """Each of the files."""
    failed = []
    for path in options.scenario:
        try:
            say(f"{path}: {Scenario(path).about}")
            say("  " + scenario(options, path).replace("; ", "\n  ") + "\n  the same again: yes")
        except Trouble as trouble:
            say(f"  {trouble}")
            failed.append(str(path))
    if failed:
        say("failed: " + ", ".join(failed))
    return 1 if failed else 0


def one_check(name, function, guest, note):
    start = time.monotonic()
    try:
        note(name, "ok", function(guest) or "", time.monotonic() - start)
    except lab.NotHere as reason:
        note(name, "skipped", str(reason))
    except Exception as trouble:  # pylint: disable=broad-except
        if guest is not None and guest.process.poll() is not None:
            raise
        note(name, "FAIL", f"{type(trouble).__name__}: {trouble}", time.monotonic() - start)


def main():
    parser = argparse.ArgumentParser(prog="linux.py", description="Linux as a program on the modelled card",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("run", "test", "figures", "cost", "needs"))
    parser.add_argument("--shell", action="store_true", help="a prompt instead")
    parser.add_argument("--list", action="store_true", help="test: print the names of the checks")
    parser.add_argument("--check", action="append", metavar="NAME", help="test: only this one")
    parser.add_argument("--part", default=lab.PART, help=f"the adapter (default {lab.PART}; virtio-net-N: a virtio network "
                        "device with N pairs of queues)")
    parser.add_argument("--scenario", action="append", metavar="FILE", help="run what this file describes, twice "
                        "(see scenario.py); may be given several times")
    parser.add_argument("--verbose", action="store_true", help="--scenario: show what the guests say")
    parser.add_argument("--seconds", type=int, default=1, help="of each iperf3 (default 1)")
    parser.add_argument("--bytes", metavar="N", help="of each iperf3 instead, such as 2M")
    parser.add_argument("--out", default=str(lab.TREE / "build/out/linux"), help="figures: data goes there")
    parser.add_argument("--update-doc", action="store_true", help="figures, cost: renew doc/linux.md and its picture")
    parser.add_argument("--runs", type=int, default=20, help="cost: how often each is measured (default 20)")
    parser.add_argument("--limit", type=float, default=600, help="seconds that all may take (default 600)")
    parser.add_argument("--sim", action="append", default=[], metavar="OPTION", help="another option of e1000-sim")
    parser.add_argument("--simulator", type=pathlib.Path, help="this e1000-sim instead of build/bin's")
    parser.add_argument("--keep-log", metavar="DIR", help="keep consoles and reports here")
    options = parser.parse_args()
    lacks = lacking()
    if options.command == "needs":
        return say(lacks) if lacks else None
    if lacks:
        sys.exit(f"linux.py: NOT RUN: {lacks}")
    lab.end_on_signals()
    try:
        lab.install()
        sys.exit({"run": command_run, "test": command_test,
                  "figures": lambda given: figures_uml.command(given, say),
                  "cost": lambda given: cost_uml.command(given, say)}[options.command](options))
    except Trouble as trouble:
        sys.exit(f"linux.py: {trouble}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
