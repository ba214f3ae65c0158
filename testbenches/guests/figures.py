"""Measures machines side by side: throughput, round trip, interrupts, and the host's processor time for it."""

import collections
import os
import re
import statistics
import time

import checks
import document
import machine
from machine import CARDS, TAP, Machine

SECONDS = 3
IDLE = 4
# Title, card, back-end: what is at the other end of the cable.
COLUMNS = (
    ("model, tap", "model", "tap"),
    ("QEMU, tap", "qemu", "tap"),
    ("model, tap, PAUSE", "model", "pause"),
    ("model, user", "model", "user"),
    ("QEMU, user", "qemu", "user"),
)
LINKS = {"tap": f"tap:ifname={TAP}", "pause": f"tap:ifname={TAP},pause=both", "user": "user"}
# Addresses of the guest and of the other end; those of libslirp are its defaults.
ADDRESSES = {"tap": (machine.GUEST, machine.HOST), "pause": (machine.GUEST, machine.HOST),
             "user": ("10.0.2.15", "10.0.2.2")}
# Figures of which less is better; of all others more is.
LESS = ("interrupts", "processor", "round trip", "retransmits")


def processor(g):
    """Seconds of the virtual machine and of the card's simulator."""
    return machine.processor_time(g.process.pid), g.card.processor_time()


def cost(g, action):
    """The result of an action, the interrupts it took, and processor seconds."""
    before, count = processor(g), checks.interrupts(g)
    result = action()
    count = checks.interrupts(g) - count
    return result, count, sum(processor(g)) - sum(before)


def tcp(g, far, title, words):
    sums, count, seconds = cost(g, lambda: checks.iperf(g, f"-t {SECONDS} {words}", address=far))
    gigabytes = sums["bytes"] / 1e9
    return {f"TCP {title}, Mbit/s": sums["bits_per_second"] / 1e6,
            f"TCP {title}, retransmits/s": sums["retransmits"] / SECONDS,
            f"TCP {title}, interrupts/megabyte": count / gigabytes / 1e3,
            f"TCP {title}, processor seconds/gigabyte": seconds / gigabytes}


def udp(g, far, title, words):
    sums, count, _ = cost(g, lambda: checks.iperf(g, f"-u -t {SECONDS} {words}", address=far))
    arrived = sums["packets"] - sums["lost_packets"]
    return {f"UDP {title}, packets/s that arrive": arrived / sums["seconds"],
            f"UDP {title}, interrupts/packet": count / max(1, arrived)}


def round_trip(g, far, words):
    output = g.run(f"ping -q {words} -w 60 {far}", 90)
    return float(re.search(r"rtt .*= [\d.]+/([\d.]+)", output)[1])


def measure(g, far):
    """{figure: value} of one machine."""
    figures = {**tcp(g, far, "sent", ""), **tcp(g, far, "received", "-R"),
               **udp(g, far, "sent (64 bytes)", "-b 0 -l 64"),
               **udp(g, far, "received (64 bytes)", "-b 20M -l 64 -R"),
               "round trip of ping -f, ms": round_trip(g, far, "-f -c 500"),
               "round trip of a ping every 20 ms, ms": round_trip(g, far, "-i 0.02 -c 200")}
    before = processor(g)
    time.sleep(IDLE)
    after = processor(g)
    figures["idle: processor load of QEMU, %"] = (after[0] - before[0]) / IDLE * 100
    figures["idle: processor load of the simulator, %"] = (after[1] - before[1]) / IDLE * 100
    return figures


def one_run(card_name, backend, kernel, part, options):
    card = CARDS[card_name](part, {**options.card, "link": LINKS[backend], "user": backend == "user"})
    with machine.run_folder() as folder:
        g = Machine(card, kernel, folder, options.accel)
        try:
            card.start(folder)
            g.boot(300)
            guest, far = ADDRESSES[backend]
            g.network_up(guest)
            return measure(g, far)
        finally:
            g.kill()
            card.stop()


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def run(options, say):
    """All columns in turn, several times: what the host does meanwhile hits all of them."""
    kernel, part = (options.kernel or ["6.12"])[0], (options.part or ["82540em"])[0]
    wanted = [c for c in COLUMNS if c[1] in (options.card_name or CARDS) and (c[1] != "qemu" or machine.qemu_has(part))]
    if machine.VIRTIO.get(part, 1) > 1:
        return f"guests.py: figures are of cards with one pair of queues, not of {part}"
    if not wanted:
        return f"guests.py: QEMU has no {part}: nothing would be measured"
    load = os.getloadavg()[1]  # of the last five minutes
    values = {title: collections.defaultdict(list) for title, _, _ in wanted}
    for turn in range(options.runs):
        for title, card_name, backend in wanted:
            for name, value in one_run(card_name, backend, kernel, part, options).items():
                values[title][name].append(value)
            say(f"FIGURES {turn + 1} of {options.runs} {title}: "
                + "; ".join(f"{name} {number(value[-1])}" for name, value in values[title].items()))
    heads = ["figure", *values]
    rows = [[name] + [cell(values[title][name]) for title in values] for name in next(iter(values.values()))]
    lines = document.table(heads, rows, right=True)
    say("\n" + "\n".join(lines) + "\n")
    compare(values, say)
    if options.update_doc:
        what = (f"{time.strftime('%Y-%m-%d')}, {part}, Linux {machine.kernel_version(kernel)}, QEMU "
                f"{machine.qemu_version()} ({options.accel}), {os.cpu_count()} processors with a load of {load:.0f} "
                "when it began; " + ("one run:" if options.runs == 1
                                     else f"median of {options.runs} runs (least to most):"))
        document.update(document.GUESTS, "figures of " + part if part in machine.VIRTIO else "figures", [what, "", *lines])
        say(f"renewed {document.GUESTS}")
    return 0


def cell(values):
    middle = number(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({number(min(values))} to {number(max(values))})"


def compare(values, say):
    """Where the model is below QEMU's card with the same back-end, by more than the spread of both."""
    for ours, theirs in (("model, tap", "QEMU, tap"), ("model, user", "QEMU, user")):
        if ours not in values or theirs not in values:
            continue
        for name, mine in values[ours].items():
            other = values[theirs][name]
            less = any(word in name for word in LESS)
            below = min(mine) > max(other) if less else max(mine) < min(other)
            if below:
                say(f"below QEMU: {name}: {ours} {cell(mine)}, {theirs} {cell(other)}")
