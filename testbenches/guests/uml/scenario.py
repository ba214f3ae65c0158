"""Experiments from one file: guests with commands, what lies between them, and what is expected in simulated time.

    [run]
    about = a line of 5 ms
    options = --filter 0:impair:delay=5ms     ; of e1000-sim; links are 0, 1 ... in the order of guests
    [guest first]
    address = 10.9.0.1
    do = ping -c 3 second
    [guest second]
    address = 10.9.0.2
    until = first                             ; serves until that guest has ended
    [expect]
    round trip in ms = first | time=([0-9.]+) ms | 10 .. 10.2

`do` is a shell script, of several lines if they are indented. Guests know each other by name. Of [run], `part` and
`links` (default: each guest's leads to the switch lan) may be given, too; of a guest, `memory` in MiB, and `part` if its
adapter is another one (virtio-net-N: a virtio network device with N pairs of queues). An expectation
names a guest, a regular expression with one group for what it says (the last match counts), and a range of numbers.
"""

import configparser
import pathlib
import re
import shlex

import lab
from lab import Guest, Trouble

KEYS = {"run": {"about", "options", "part", "links"}, "guest": {"address", "do", "until", "memory", "part"}}
PREPARE = """
{hosts}
ip link set eth0 up
ip address add {address}/24 dev eth0
until [ "$(cat /sys/class/net/eth0/carrier 2> /dev/null)" = 1 ]; do sleep 0.05; done
"""


class Expectation:
    def __init__(self, name, text, guests):
        parts = [part.strip() for part in text.split(" | ")]
        numbers = re.fullmatch(r"([-+.\deE]+) \.\. ([-+.\deE]+)", parts[-1]) if len(parts) == 3 else None
        if not numbers or parts[0] not in guests:
            raise Trouble(f"[expect] {name} = {text}: it is GUEST | REGULAR EXPRESSION | LEAST .. MOST")
        try:
            self.pattern = re.compile(parts[1], re.M)
            self.least, self.most = float(numbers[1]), float(numbers[2])
        except (re.error, ValueError) as error:
            raise Trouble(f"[expect] {name} = {text}: {error}") from None
        if self.pattern.groups != 1:
            raise Trouble(f"[expect] {name} = {text}: the expression needs one group")
        self.name, self.guest = name, parts[0]

    def check(self, said):
        """(line for the report, holds)"""
        found = self.pattern.findall(said[self.guest])
        if not found:
            return f"{self.name}: {self.guest} says nothing that matches {self.pattern.pattern}", False
        value = float(found[-1])
        holds = self.least <= value <= self.most
        return f"{self.name}: {value:g}, expected {self.least:g} to {self.most:g}" + ("" if holds else ": NOT SO"), holds


class Scenario:
    """A file, read and checked."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(" ;",), delimiters=("=",),
                                           default_section="")
        parser.optionxform = str
        try:
            parser.read_string(self.path.read_text(), str(path))
        except OSError as error:
            raise Trouble(f"{path}: {error.strerror}") from None
        except (configparser.Error, UnicodeDecodeError) as error:
            raise Trouble(f"{path}: {error}") from None
        try:
            self.take(parser)
        except Trouble as trouble:
            raise Trouble(f"{path}: {trouble}") from None

    def take(self, parser):
        self.guests = {}
        for section in parser.sections():
            kind, _, name = section.partition(" ")
            if section == "expect":
                continue
            if kind not in KEYS or (kind == "guest") != bool(re.fullmatch(r"[a-z][a-z0-9]*", name)):
                raise Trouble(f"[{section}]: it is [run], [expect], or [guest NAME] with a name of small letters and digits")
            unknown = set(parser[section]) - KEYS[kind]
            if unknown:
                raise Trouble(f"[{section}] {min(unknown)}: known are {', '.join(sorted(KEYS[kind]))}")
            if kind == "guest":
                self.guests[name] = parser[section]
        if not self.guests:
            raise Trouble("no [guest NAME]")
        run = parser["run"] if parser.has_section("run") else {}
        self.about = run.get("about", self.path.name)
        self.options = shlex.split(run.get("options", ""))
        self.part = run.get("part", lab.PART)
        self.links = shlex.split(run.get("links", "")) or ["switch:lan"] * len(self.guests)
        if len(self.links) != len(self.guests):
            raise Trouble(f"[run] links: {len(self.links)} for {len(self.guests)} guests")
        for name, section in self.guests.items():
            if "address" not in section:
                raise Trouble(f"[guest {name}]: it needs an address")
            if section.get("until", next(iter(self.guests))) not in self.guests:
                raise Trouble(f"[guest {name}] until = {section['until']}: there is no such guest")
            if not section.get("memory", "128").isdigit():
                raise Trouble(f"[guest {name}] memory = {section['memory']}: expected a number of MiB")
        expected = parser["expect"] if parser.has_section("expect") else {}
        self.expected = [Expectation(name, text, self.guests) for name, text in expected.items()]

    def machines(self):
        hosts = "\n".join(f"echo '{section['address']} {name}' >> /etc/hosts" for name, section in self.guests.items())
        made = []
        for name, section in self.guests.items():
            script = PREPARE.format(hosts=hosts, address=section["address"]) + section.get("do", "") + "\nstatus=$?\n"
            if "until" in section:
                script += f"while [ ! -e /host/{section['until']}.status ]; do sleep 0.1; done\n"
            script += "ip link set eth0 down\nexit $status\n"
            made.append(Guest(name, script, int(section.get("memory", "128")),
                              part=section.get("part")))
        return made

    def judge(self, said, say):
        """Prints what came of it; whether all of it is as expected."""
        results = [expectation.check(said) for expectation in self.expected]
        for text, _ in results:
            say(f"  {text}")
        return all(holds for _, holds in results)
