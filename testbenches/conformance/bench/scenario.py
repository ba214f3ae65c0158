"""Scenarios: functions that drive a bench and note what they see. Their record on QEMU is compared
with their record on e1000-sim."""

import collections
import glob
import importlib
import json
import os
import pkgutil

from bench.bench import MILLISECOND, Bench
from bench.parts import ALL, ONE, USUAL, VIRTIO
from bench.virtio import VirtioBench

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDS = os.path.join(HERE, "..", "records")


class Difference:
    """Why QEMU may differ from the manual. All differences make doc/differences.md.

    rule: number in the notes on the device's behaviour; manual: section and what it says; sure: how
    sure it is that the model does what silicon does."""

    all = []

    def __init__(self, subject, rule, manual, qemu, ours="as the manual", sure="certain"):
        assert sure in ("certain", "likely", "judgement")
        self.subject, self.rule, self.manual = subject, rule, manual
        self.qemu, self.ours, self.sure = qemu, ours, sure
        Difference.all.append(self)


class Scenario:
    def __init__(self, function, name, manual, start, argument, part, flash):
        self.function, self.name, self.manual = function, name, manual
        self.start, self.argument, self.part, self.flash = start, argument, part, flash
        self.group = function.__module__.rpartition(".")[2]

    @property
    def title(self):
        """Group and name; the part's, too, unless it is the usual one."""
        words = [self.group, self.name]
        return ": ".join(words if self.part is USUAL else [self.part.name, *words])

    @property
    def compared(self):
        """Whether there is a reference. QEMU's adapters have no flash."""
        return self.part.reference is not None and self.flash is None

    @property
    def is_virtio(self):
        return self.part.name in VIRTIO

    def run(self, endpoint):
        """Runs it on a freshly started machine. The bench, with its observations."""
        if self.flash is None:
            endpoint.restart(self.part)
        else:
            endpoint.restart(self.part, self.flash)
        bench = (VirtioBench if self.is_virtio else Bench)(endpoint, self.part)
        if self.start == "power-on":
            bench.place()
        else:
            bench.enable()
        if self.start == "link":
            bench.bring_up_link()
        bench.step(20 * MILLISECOND)  # both have read their EEPROM and agree on the time
        bench.qtest.edges.clear()
        if self.argument is None:
            self.function(bench)
        elif isinstance(self.argument, tuple):
            self.function(bench, *self.argument)
        else:
            self.function(bench, self.argument)
        return bench


scenarios = []


def scenario(name, manual, start="link", each=(None,), parts=None, flash=None):
    """Makes scenarios of a function.

    name: may have {} for the argument, or {0}, {1} for its items; manual: section of Intel's manual
    (317453), or of virtio 1.2; start: "power-on" (addresses given, nothing else), "enabled" (decoding and bus
    mastering) or "link" (and the link is up); each: arguments, one scenario for each; parts: names
    of the parts it runs on, by default those of PARTS in its module, or the 82540EM alone; flash:
    contents of the adapter's flash, None if it has none."""

    def decorate(function):
        on = parts or function.__globals__.get("PARTS", ONE)
        for argument in each:
            words = argument if isinstance(argument, tuple) else (argument,)
            text = name.format(*words)
            for part in on:
                scenarios.append(
                    Scenario(function, text, manual, start, argument, ALL[part], flash)
                )
        return function

    return decorate


def load():
    """Imports all scenarios; the list."""
    import scenarios as package

    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        importlib.import_module("scenarios." + module.name)
    names = collections.Counter((s.part, s.name) for s in scenarios)
    twice = [name for name, count in names.items() if count > 1]
    assert not twice, f"scenarios of the same name: {twice}"
    scenarios.sort(key=lambda s: list(ALL).index(s.part.name))  # QEMU restarts for another part
    return scenarios


# --- records of the reference ---


class Records:
    """What the reference showed: records/PART/GROUP.json, a line for each scenario."""

    def __init__(self):
        self._groups = {}  # (part, group): content

    def _path(self, part, group):
        return os.path.join(RECORDS, part, group + ".json")

    def _group(self, which):
        key = (which.part.name, which.group)
        if key not in self._groups:
            content = {"reference": None, "scenarios": {}}
            if os.path.exists(self._path(*key)):
                with open(self._path(*key)) as file:
                    content = json.load(file)
            self._groups[key] = content
        return self._groups[key]

    def get(self, which):
        """[label, value] pairs; None: there is no record of this scenario."""
        return self._group(which)["scenarios"].get(which.name)

    def put(self, which, version, pairs):
        group = self._group(which)
        group["reference"] = version
        group["scenarios"][which.name] = pairs

    def save(self, known):
        """Writes all groups; records of scenarios that are no more go."""
        keys = {(s.part.name, s.group) for s in known}
        for path in glob.glob(self._path("*", "*")):
            group = os.path.basename(path)[: -len(".json")]
            if (os.path.basename(os.path.dirname(path)), group) not in keys:
                os.remove(path)
        for key, group in self._groups.items():
            here = [s.name for s in known if (s.part.name, s.group) == key]
            lines = [
                f"{json.dumps(n)}:{json.dumps(group['scenarios'][n], separators=(',', ':'))}"
                for n in here
                if n in group["scenarios"]
            ]
            if lines:
                path = self._path(*key)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w") as file:
                    file.write(
                        '{"reference":%s,"scenarios":{\n%s\n}}\n'
                        % (json.dumps(group["reference"]), ",\n".join(lines))
                    )


def pairs(observations):
    """As the records keep them."""
    return [[o.label, o.value] for o in observations]


def against_the_manual(ours):
    """Problems of observations for which there is no reference, as text."""
    if all(o.expected is None for o in ours):
        return ["neither a reference nor the manual says what is right"]
    return [
        f"{o.label}: is {o.value}, the manual wants {o.expected}"
        for o in ours
        if o.expected is not None and o.value != o.expected
    ]


def compare(ours, reference):
    """ours: observations; reference: pairs. Problems, as text; empty: all is as it should be."""
    problems = []
    if [o.label for o in ours] != [label for label, _ in reference]:
        return ["the record is of another scenario: record it again (--record)"]
    for observation, (label, theirs) in zip(ours, reference):
        wanted = observation.expected
        if wanted is not None and observation.value != wanted:
            problems.append(
                f"{label}: is {observation.value}, the manual wants {wanted}, " f"QEMU has {theirs}"
            )
        elif observation.difference is None and observation.value != theirs:
            problems.append(f"{label}: is {observation.value}, QEMU has {theirs}")
        elif observation.difference is not None and observation.value == theirs:
            problems.append(
                f"{label}: QEMU agrees ({theirs}): the annotation "
                f"'{observation.difference.subject}' is no longer needed"
            )
    return problems
