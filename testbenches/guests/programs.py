"""Drivers other than Linux' own: boot programs and DPDK, unmodified, on the model and on QEMU's e1000.

A program is a function of a Stage: it takes steps, each of which is a row of the table. A step that fails ends
the program on this card if the next ones build on it."""

import contextlib
import os
import pathlib
import subprocess
import time

import isolation
import machine
from machine import CARDS, MAC, VIRTIO, ModelCard, QemuCard, Trouble, inside, qemu_device, qemu_has

PROGRAMS = {}  # name: Program
END = "simulator's end"  # a step of the model only


class Program:
    def __init__(self, function, parts, more, needs):
        self.function, self.parts, self.more, self.needs = function, parts, more, needs
        self.about = (function.__doc__ or "").splitlines()[0]


def program(name, parts=("82540em",), more=(), needs=()):
    """parts: those of a default run; more: those that --all adds; needs: what root.sh makes for it."""

    def register(function):
        PROGRAMS[name] = Program(function, parts, more, needs)
        return function

    return register


class UserQemuCard(QemuCard):
    """QEMU's own e1000 on a network in user space, with a folder served by TFTP."""

    def __init__(self, part, options=None, tftp=None, bootfile=None, rom=None):
        super().__init__(part, options)
        self.network = f"user,id=n,tftp={inside(tftp)}" + (f",bootfile={bootfile}" if bootfile else "")
        self.rom = rom

    def arguments(self, files):
        rom = f",romfile={self.rom}" if self.rom is not None else ""
        return ["-netdev", self.network, "-device", f"{qemu_device(self.part)},netdev=n,mac={MAC}{rom}"]


class UserModelCard(ModelCard):
    """The model, likewise. The rom is a file that QEMU shows the guest, or comes out of the card's flash."""

    def __init__(self, part, options=None, tftp=None, bootfile=None, rom=None, flash=None):
        options = dict(options or {})
        options["link"] = f"user:tftp={tftp}" + (f",bootfile={bootfile}" if bootfile else "")
        options["nic"] = [*(options.get("nic") or []), *([f"flash={flash}"] if flash else [])]
        super().__init__(part, options)
        self.rom = rom

    def arguments(self, files):
        words = super().arguments(files)
        if self.rom is None:
            return words
        return [word.replace('{"driver"', f'{{"romfile": "{self.rom}", "driver"') for word in words]


class Stopped(Exception):
    """A step has failed; it is in the report."""


class Stage:
    """One program on one card: what it needs, and what it has done."""

    def __init__(self, program_name, card_name, part, options, folder):
        self.name, self.card_name, self.part, self.options, self.folder = (program_name, card_name, part, options,
                                                                           folder)
        self.results, self.card, self.guest = {}, None, None
        self.model = card_name == "model"

    def user_card(self, tftp, bootfile=None, rom=None, flash=None):
        """The card, on a network in user space. flash: image with the card's expansion ROM; QEMU's card has a file
        instead of it."""
        if self.model:
            self.card = UserModelCard(self.part, self.options.card, tftp, bootfile, rom, flash)
        else:
            self.card = UserQemuCard(self.part, self.options.card, tftp, bootfile, rom)
        return self.card

    def tap_card(self):
        machine.make_tap(queues=VIRTIO.get(self.part, 1))
        self.card = CARDS[self.card_name](self.part, self.options.card)
        return self.card

    def start(self, guest):
        self.guest = guest
        self.card.start(self.folder)
        return guest

    @contextlib.contextmanager
    def step(self, name, needed=True):
        """A row of the table; what the block appends to the list is its detail. needed: if it fails the program
        ends."""
        detail, start, state = [], time.monotonic(), "ok"
        try:
            yield detail
        except (Trouble, OSError, ValueError, KeyError, IndexError, TypeError,
                subprocess.SubprocessError) as error:
            state = "FAIL"
            detail = [str(error) if isinstance(error, Trouble) else f"{type(error).__name__}: {error}"]
            if needed:
                raise Stopped from error
        finally:
            words = " ".join(map(str, detail))
            self.results[name] = (state, words)
            print(f"CHECK {self.card_name} {self.name} {self.part} {name!r} {state} "
                  f"{time.monotonic() - start:.1f}s {words}".rstrip(), flush=True)

    def end(self):
        if self.guest is not None:
            self.guest.kill()
        if self.model and self.card is not None:
            with contextlib.suppress(Stopped), self.step(END):
                self.card.stop()


def run_one(name, card_name, part, options):
    with machine.run_folder() as folder:
        stage = Stage(name, card_name, part, options, folder)
        try:
            PROGRAMS[name].function(stage)
        except Stopped:
            if stage.guest is not None:
                for line in stage.guest.console().splitlines()[-8:]:
                    print(f"    console: {line}", flush=True)
        finally:
            stage.end()
            keep_logs(stage)
        return stage.results


def keep_logs(stage):
    if not stage.options.keep_log:
        return
    for file in ("console", "simulator.log", "qemu.log"):
        if (stage.folder / file).exists():
            to = pathlib.Path(stage.options.keep_log) / f"{stage.name}-{stage.card_name}-{stage.part}-{file}"
            to.write_bytes((stage.folder / file).read_bytes())


def table(results):
    """What each card did, step by step; returns what fails on the model only."""
    worse = []
    rows = []
    for (name, part), cards in results.items():
        steps = dict.fromkeys(step for cells in cards.values() for step in cells)
        for step in steps:
            states = [cards[c].get(step, ("not run", ""))[0] if c in cards and (c, step) != ("qemu", END) else "-"
                      for c in ("model", "qemu")]
            rows.append((name, part, step, *states))
            if "model" in cards and states[0] != "ok" and states[1] != "FAIL":
                worse.append(f"{name} {part} {step}: {cards['model'].get(step, ('', 'not run'))[1]}")
    heads = ("program", "part", "step", "model", "qemu")
    widths = [max(len(str(row[i])) for row in [heads, *rows]) for i in range(len(heads))]

    def line(cells):
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + " |"

    print("\n" + line(heads) + "\n|" + "|".join("-" * (width + 2) for width in widths) + "|")
    for row in rows:
        print(line(row))
    print()
    for words in worse:
        print(f"FAILED: {words}")
    return worse


def names_of(options):
    """The programs that are asked for."""
    return list(PROGRAMS) if "all" in options.program else list(dict.fromkeys(options.program))


def install(options):
    """Makes what they need in the root."""
    for word in ["install", *sorted({word for name in names_of(options) for word in PROGRAMS[name].needs})]:
        isolation.install(word)


def command(options):
    names = names_of(options)
    machine.make_tap()
    cards = options.card_name or ["model", "qemu"]
    results = {}
    for name in names:
        chosen = PROGRAMS[name]
        parts = options.part or list(chosen.parts) + (list(chosen.more) if options.all else [])
        for part in parts:
            for card in cards:
                if card == "model" or qemu_has(part):
                    results.setdefault((name, part), {})[card] = run_one(name, card, part, options)
    if not results:
        raise SystemExit("other_drivers.py: QEMU has no such device: nothing was run")
    return 1 if table(results) else 0
