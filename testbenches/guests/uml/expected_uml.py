"""What TCP between two machines ought to carry, from the bus figures of doc/timing.md and what the driver does with its
rings; and what it carries. Counted is only what the operating system decides: acknowledgements and register accesses for
each frame."""

import json
import math
import pathlib
import re

from lab import TREE, Guest, Lab, Trouble

SENDER, RECEIVER = "10.9.0.1", "10.9.0.2"
AMOUNTS = (10, 40)  # MB of the two transfers whose difference is the steady state
WITHIN = 0.05
CHECKED = (("32/33", 576), ("32/33", 1500), ("64/66", 1500))
# Of a frame beside its payload: Ethernet, IP, TCP with time stamps; FCS; preamble and gap.
HEADERS, FCS, APART = 14 + 20 + 32, 4, 8 + 12
# Linux: descriptors of a TCP segment sent by the card are of at most so many bytes; of received frames 16 buffers are
# given back at once; above 2048 bytes each is a page.
MOST_SENT, GIVEN_BACK, PAGE = 4096, 16, 4096
DESCRIPTOR = 16
COLUMNS = (("read", 16), ("read", 64), ("write", 16), ("read", 60), ("read", 1514), ("write", 64), ("write", 1520))


class Bus:
    """Clocks of an access, from the row of doc/timing.md."""

    def __init__(self, name, host="typical"):
        bits, megahertz = name.split("/")
        self.bytes, self.clock = int(bits) // 8, {"33": 30e-9, "66": 15e-9}[megahertz]
        found = re.search(rf"^\| {name} {host} \|([^\n]*)\|$", (TREE / "doc/timing.md").read_text(), re.M)
        if not found:
            raise Trouble(f"doc/timing.md has no figures of the bus {name} with the host {host}")
        row = [int(cell) for cell in found[1].split("|")]
        self.lead = {}
        for clocks, (kind, size) in zip(row, COLUMNS):
            lead = clocks - self.beats(size)
            if self.lead.setdefault(kind, lead) != lead:
                raise Trouble(f"doc/timing.md, {name} {host}: {clocks} clocks for {size} bytes do not fit with the others")

    def beats(self, size):
        return math.ceil(size / self.bytes)

    def read(self, size):
        return self.lead["read"] + self.beats(size)

    def write(self, size):
        return self.lead["write"] + self.beats(size)

    def registers(self, reads, writes):
        """The device answers as the typical host's memory does: doc/pci_timing.md."""
        return reads * (self.lead["read"] + 1) + writes * (self.lead["write"] + 1)


def sent(bus, payload):
    """Clocks by what for, of a frame that the card cuts from a large segment: its headers come once a segment, its
    payload from buffers of MOST_SENT bytes, so that now and then it is in two of them."""
    largest = min(MOST_SENT, 4 * payload)
    pieces = 1 + payload / largest
    return {"data": bus.beats(payload) + pieces * bus.lead["read"],
            "descriptors": bus.read(64 * DESCRIPTOR) / 64 * payload / largest}


def received(bus, size):
    """The same of a frame (without FCS) that arrives, which is stored with its FCS in whole words of 8 bytes."""
    whole = size + FCS
    buffers = math.ceil(whole / PAGE) if whole > 2048 else 1
    return {"data": bus.beats(8 * math.ceil(whole / 8)) + buffers * bus.lead["write"],
            "descriptors": buffers * (bus.write(DESCRIPTOR) + bus.read(GIVEN_BACK * DESCRIPTOR) / GIVEN_BACK)}


def acknowledgement_sent(bus):
    """Its descriptors, one of them with what the card needs for the checksum, are fetched for it alone."""
    return bus.read(2 * DESCRIPTOR) + bus.read(HEADERS) + bus.write(DESCRIPTOR)


def expectation(bus, mtu, habits):
    """({who limits: Mbit/s}, {who: {what for: clocks of a frame}})"""
    payload = mtu - 52
    frame = HEADERS + payload
    clocks = {
        "sender's bus": {**sent(bus, payload),
                         "acknowledgements": habits["acknowledgements"] * sum(received(bus, HEADERS).values()),
                         "registers": bus.registers(*habits["sender"])},
        "receiver's bus": {**received(bus, frame),
                           "acknowledgements": habits["acknowledgements"] * acknowledgement_sent(bus),
                           "registers": bus.registers(*habits["receiver"])}}
    seconds = {who: sum(parts.values()) * bus.clock for who, parts in clocks.items()}
    seconds["wire"] = (frame + FCS + APART) * 8e-9
    return {who: payload * 8e-6 / time for who, time in seconds.items()}, clocks


def transfer(bus, mtu, megabytes, options):
    """The report of a run in which so much went over TCP, and what iperf3 says of it."""
    up = ("ip link set eth0 mtu {mtu} up\nip address add {address}/24 dev eth0\n"
          "until [ \"$(cat /sys/class/net/eth0/carrier 2> /dev/null)\" = 1 ]; do sleep 0.05; done\n")
    first = Guest("first", up.format(mtu=mtu, address=SENDER)
                  + f"sleep 1\niperf3 -J -c {RECEIVER} -n {megabytes}M > /host/iperf || exit 1\nip link set eth0 down\n")
    second = Guest("second", up.format(mtu=mtu, address=RECEIVER)
                   + "iperf3 -s -D\nwhile [ ! -e /host/first.status ]; do sleep 0.1; done\nip link set eth0 down\n")
    words = ["--pci", bus, "--switch", "lan:max-frame=9022", *options.sim]
    with Lab([first, second], ["switch:lan", "switch:lan"], words, options.part, simulator=options.simulator) as it:
        it.run(options.limit)
        said = (it.folder / "iperf").read_text()
        return json.loads((it.folder / "report.json").read_text()), json.loads(said[said.index("{"):])["end"]


def measure(bus, mtu, options):
    """(Mbit/s as iperf3 says, habits of the operating system in the steady state)"""
    (before, begin), (after, end) = (transfer(bus, mtu, amount, options) for amount in AMOUNTS)

    def grown(*path):
        values = []
        for report in (before, after):
            for key in path:
                report = report[key]
            values.append(report)
        return values[1] - values[0]

    frames = grown("nics", 1, "wire_in", "frames")
    habits = {"acknowledgements": grown("nics", 1, "wire_out", "frames") / frames}
    for number, who in enumerate(("sender", "receiver")):
        habits[who] = tuple(grown("guests", number, kind) / frames for kind in ("reads", "writes"))
    seconds = end["sum_sent"]["seconds"] - begin["sum_sent"]["seconds"]
    habits["interrupts"] = grown("nics", 0, "interrupts") / seconds  # of the sender, a second
    return end["sum_received"]["bits_per_second"] / 1e6, habits


def compare(bus, mtu, options):
    """{measured, expected, limit, clocks, habits}; the deviation is of the measured from the expected."""
    measured, habits = measure(bus, mtu, options)
    rates, clocks = expectation(Bus(bus), mtu, habits)
    limit = min(rates, key=rates.get)
    return {"measured": measured, "expected": rates[limit], "limit": limit, "rates": rates, "clocks": clocks,
            "habits": habits, "deviation": measured / rates[limit] - 1}


def describe(result):
    return (f"{result['measured']:.1f} Mbit/s, expected {result['expected']:.1f} ({result['limit']}): "
            f"{100 * result['deviation']:+.1f} %")


def check(options):
    """Raises if goodput does not follow from the bus."""
    said = []
    for bus, mtu in CHECKED:
        result = compare(bus, mtu, options)
        said.append(f"{bus}, MTU {mtu}: {describe(result)}")
        if abs(result["deviation"]) > WITHIN:
            raise Trouble(f"{said[-1]}, more than {100 * WITHIN:.0f} %; clocks of a frame: {result['clocks']}")
    return "; ".join(said)
