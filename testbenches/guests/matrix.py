"""Runs checks on machines: a column is one card of one part with one kernel. Results are kept, and made a table."""

import json
import pathlib
import subprocess
import time

import checks
import checks_traffic  # noqa: F401  registers its checks; so do the next three, in this order
import checks_driver  # noqa: F401
import checks_virtio  # noqa: F401
import checks_life  # noqa: F401
import document
import machine
from machine import CARDS, PARTS, TREE, VIRTIO, Machine, Trouble

RESULTS = TREE / "build/out/guests"
NAMES = [name for name, _ in checks.CHECKS]
# What --short runs on each machine; --ci runs all checks on the first part, these on the others.
SHORT = ["probe", "link", "mac", "ping sizes", "tcp sent", "tcp received", "bad checksums", "vlan", "coalescing",
         "registers", "eeprom", "ethtool -t", "reboot in traffic", "kernel log"]


def say(*words):
    print(*words, flush=True)


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
    except (OSError, ValueError, KeyError, TypeError, IndexError, subprocess.SubprocessError) as error:
        state, detail = "FAIL", f"{type(error).__name__}: {error}"
    return state, " ".join(detail.split()), time.monotonic() - start


class Column:
    """One machine and what it did: results is {check: [state, detail]}."""

    def __init__(self, card_name, kernel, part, options):
        self.key = (card_name, kernel, part)
        self.options, self.results = options, {}
        self.card = CARDS[card_name](part, options.card)

    def file(self):
        return RESULTS / ("-".join(self.key) + ".json")

    def note(self, name, state, detail, seconds):
        self.results[name] = [state, detail]
        say(f"CHECK {' '.join(self.key)} {name!r} {state} {seconds:.1f}s {detail}".rstrip())

    def run(self, names):
        machine.make_tap(queues=VIRTIO.get(self.key[2], 1))
        with machine.run_folder() as self.folder:
            self.guest = Machine(self.card, self.key[1], self.folder, self.options.accel)
            self.guest.kills = self.options.kills
            try:
                if self.boot("boot"):
                    self.run_checks([(name, function) for name, function in checks.CHECKS if name in names])
            finally:
                self.guest.kill()
                self.stop_card()
                self.keep_logs()
        return self

    def boot(self, name):
        """Boots, on the card as it is; a simulator that has ended is started again."""
        start = time.monotonic()
        try:
            self.guest.kill()
            if self.key[0] == "model" and not self.card.alive():
                self.card.stop()
                self.card.start(self.folder)
            self.guest.boot(300)
            self.guest.network_up()
        except (Trouble, OSError) as trouble:
            self.note(name, "FAIL", str(trouble), time.monotonic() - start)
            return False
        if name == "boot":
            self.note(name, "ok", "", time.monotonic() - start)
        return True

    def run_checks(self, wanted):
        for name, function in wanted:
            state, detail, seconds = one_check(function, self.guest)
            self.note(name, state, detail, seconds)
            if state != "FAIL":
                continue
            for line in self.guest.console().splitlines()[-6:]:
                say(f"    console: {line}")
            if name != wanted[-1][0] and not self.boot("boot again"):  # the next check starts from a fresh boot
                return

    def stop_card(self):
        try:
            self.card.stop()
        except Trouble as trouble:
            self.note("simulator's end", "FAIL", str(trouble), 0)

    def keep_logs(self):
        if self.options.keep_log:
            start = pathlib.Path(self.options.keep_log) / "-".join(self.key)
            pathlib.Path(f"{start}-console").write_text(self.guest.past + self.guest.console())
            if (self.folder / "simulator.log").exists():
                pathlib.Path(f"{start}-simulator.log").write_bytes((self.folder / "simulator.log").read_bytes())

    def record(self):
        return {"whole": set(checks.names_for(self.key[2])) <= set(self.results), "date": time.strftime("%Y-%m-%d"), "kernel": machine.kernel_version(self.key[1]),
                "qemu": machine.qemu_version(), "kills": self.options.kills, "checks": self.results}

    def keep(self):
        """Unless there is more of an earlier run."""
        if not self.record()["whole"] and kept().get(self.key, {}).get("whole"):
            return
        RESULTS.mkdir(parents=True, exist_ok=True)
        self.file().write_text(json.dumps(self.record(), indent=1) + "\n")


def columns_of(options):
    """The machines that are asked for: [(card, kernel, part)]."""
    kernels = options.kernel or (list(machine.KERNELS) if options.all else ["6.12"])
    parts = options.part or ([*PARTS, *VIRTIO] if options.all else [*PARTS, "virtio-net-4"] if options.ci else ["82540em"])
    cards = options.card_name or (["model"] if options.ci else ["model", "qemu"])
    return [(card, kernel, part) for part in parts for kernel in kernels for card in cards
            if card != "qemu" or machine.qemu_has(part)]


def kept():
    """What earlier runs left, in the order of a whole run: {key: record}."""
    keys = [(card, kernel, part) for part in [*PARTS, *VIRTIO] for kernel in machine.KERNELS
            for card in ("model", "qemu")]
    files = {key: RESULTS / ("-".join(key) + ".json") for key in keys}
    return {key: json.loads(file.read_text()) for key, file in files.items() if file.exists()}


def run(options):
    """The matrix; exit status."""
    records, earlier = {}, kept() if options.resume or options.kept else {}
    columns = list(earlier) if options.kept else columns_of(options)
    if not columns:
        return (f"guests.py: there are no results in {RESULTS}" if options.kept
                else f"guests.py: QEMU has no {' or '.join(options.part)}: nothing would be run")
    for number, key in enumerate(columns):
        names = options.check or names_of(key[2], options, number)
        if key in earlier and (options.kept or earlier[key]["whole"]):
            records[key] = earlier[key]
            say(f"{' '.join(key)}: not run again, as it was on {records[key]['date']}")
            continue
        column = Column(*key, options).run(names)
        records[key] = column.record()
        if not options.check:
            column.keep()
    results = {key: record["checks"] for key, record in records.items()}
    worse = conclude(results)
    say_what_is_left(columns, options)
    if options.update_doc:
        update_document(records)
    if all(card == "qemu" for card, _, _ in columns):
        return 0 if all(state != "FAIL" for cells in results.values() for state, _ in cells.values()) else 1
    return 1 if worse else 0


def update_document(records):
    """The tables of e1000s and of virtio network devices, whose checks differ; a table of which nothing is there stays."""
    for block, virtio in (("matrix", False), ("matrix of virtio-net", True)):
        some = {key: record for key, record in records.items() if (key[2] in VIRTIO) == virtio}
        if some:
            results = {key: record["checks"] for key, record in some.items()}
            document.update(document.GUESTS, block, document.matrix(results, list(some.values())))
            say(f"renewed the {block} in {document.GUESTS}")


def conclude(results):
    """Prints the table, and what fails; returns what fails on the model only."""
    for line in document.plain_table(results):
        say(line)
    worse = []
    for (card, kernel, part), cells in results.items():
        for name, (state, detail) in cells.items():
            if card != "model" or state != "FAIL":
                continue
            if results.get(("qemu", kernel, part), {}).get(name, [""])[0] == "FAIL":
                say(f"fails on QEMU's device, too: {part} {kernel} {name}: {detail}")
            else:
                worse.append(name)
                say(f"FAILED: {part} {kernel} {name}: {detail}")
    for wanted in ("model", "qemu"):
        states = [state for (card, _, _), cells in results.items() if card == wanted for state, _ in cells.values()]
        if states:
            say(f"{wanted}: {states.count('ok')} passed, {states.count('FAIL')} failed, "
                f"{states.count('n/a')} not offered by the driver")
    return worse


def names_of(part, options, number):
    """What runs on a part, the one of that number."""
    short = options.short or options.ci and number and part not in VIRTIO
    return [name for name in checks.names_for(part) if not short or name in SHORT]


def say_what_is_left(columns, options):
    """What this run did not cover, so that nobody takes it for the whole."""
    left = []
    for what, all_of_them, position in (("cards", CARDS, 0), ("kernels", machine.KERNELS, 1), ("parts", [*PARTS, *VIRTIO], 2)):
        missing = [name for name in all_of_them if name not in {key[position] for key in columns}]
        if missing:
            left.append(f"{what} {', '.join(missing)}")
    if options.check:
        left.append("checks other than " + ", ".join(options.check))
    elif options.short or options.ci:
        left.append(("" if options.short else "on all parts but the first and virtio-net, ") + "checks other than " + ", ".join(SHORT))
    if left:
        say("not covered by this run: " + "; ".join(left))
