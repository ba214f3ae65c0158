"""Measures one machine: throughput, round trip, interrupts, and the host's processor time for it."""

import re
import time

import checks
import machine

SECONDS = 4


def interrupts(g):
    return int(re.search(r"^\s*\d+:\s+(\d+).*eth0", g.run("cat /proc/interrupts"), re.M)[1])


def cost(g, action):
    """The result of an action, the interrupts it took, and processor seconds of QEMU and the simulator."""
    pids = machine.processor_time(g.process.pid), g.card.processor_time()
    before, result = interrupts(g), action()
    after = interrupts(g)
    return (result, after - before, machine.processor_time(g.process.pid) - pids[0],
            g.card.processor_time() - pids[1])


def measure(g):
    """[(what, text)] of one card."""
    rows = []
    for title, words in (("TCP sent", f"-t {SECONDS}"), ("TCP received", f"-t {SECONDS} -R")):
        sums, count, qemu, simulator = cost(g, lambda words=words: checks.iperf(g, words))
        rows += [(f"{title}, Mbit/s", f"{sums['bits_per_second'] / 1e6:.0f}"),
                 (f"{title}: retransmits", str(sums["retransmits"])),
                 (f"{title}: interrupts/s", f"{count / SECONDS:.0f}"),
                 (f"{title}: processor seconds of QEMU + simulator", f"{qemu:.1f} + {simulator:.1f}")]
    for title, words in (("UDP sent", "-u -b 0 -l 64"), ("UDP received", "-u -b 40M -l 200 -R")):
        sums, count, _, _ = cost(g, lambda words=words: checks.iperf(g, f"{words} -t {SECONDS}"))
        arrived = (sums["packets"] - sums["lost_packets"]) / sums["seconds"]
        rows += [(f"{title}, packets/s that arrive", f"{arrived:.0f}"),
                 (f"{title}: interrupts/s", f"{count / SECONDS:.0f}")]
    output = g.run("ping -f -q -c 2000 -w 60 10.9.0.1", 90)
    rows.append(("ping -f: round trip, ms (mean)", re.search(r"rtt .*= [\d.]+/([\d.]+)", output)[1]))
    output = g.run("ping -q -i 0.02 -c 200 10.9.0.1", 90)
    rows.append(("ping every 20 ms: round trip, ms (mean)", re.search(r"rtt .*= [\d.]+/([\d.]+)", output)[1]))
    qemu, simulator = machine.processor_time(g.process.pid), g.card.processor_time()
    time.sleep(5)
    rows.append(("idle: processor load of QEMU + simulator, %",
                 f"{(machine.processor_time(g.process.pid) - qemu) * 20:.0f} + "
                 f"{(g.card.processor_time() - simulator) * 20:.0f}"))
    return rows


def table(columns, say):
    heads = list(columns)
    names = [name for name, _ in columns[heads[0]]]
    say("\n| " + "figure".ljust(46) + " | " + " | ".join(h.rjust(10) for h in heads) + " |")
    say("|" + "-" * 48 + "|" + "|".join("-" * 11 + ":" for _ in heads) + "|")
    for name in names:
        say("| " + name.ljust(46) + " | " + " | ".join(dict(columns[h])[name].rjust(10) for h in heads) + " |")
