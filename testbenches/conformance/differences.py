"""Makes doc/differences.md from the scenarios' annotations."""

import collections
import os

HERE = os.path.dirname(os.path.abspath(__file__))
PATH = os.path.join(HERE, "..", "..", "doc", "differences.md")
HEAD = """# Where the model follows the manual and QEMU does not

Made by `./test conformance --record` from the annotations of the scenarios in `testbenches/conformance`, each
of which runs on QEMU (11.1; `e1000`, `e1000-82544gc`, `e1000-82545em` or `virtio-net-pci`) and on this model; a test
keeps it true. Section numbers are those of Intel's *PCI/PCI-X Family of Gigabit Ethernet Controllers Software
Developer's Manual* (317453) or, after the word "virtio", of *Virtual I/O Device*, version 1.2. The last column is the
number of scenarios, of all parts, that show the difference and hold the model to the manual's value; everything else
that the scenarios see is the same on both. Rules are defined in [rules.md](rules.md), abbreviations in the
[glossary](glossary.md).

"How sure" is about silicon. *Certain*: the manual says it in so many words. *Likely*: the manual leaves a gap or
contradicts itself, and drivers, contents of real cards or the manuals of sister parts fill it. *Judgement*: none of
them tells; the model does what harms drivers least.

| subject | manual | QEMU | this model | how sure | rule | shown by |
|---|---|---|---|---|---|---|
"""


def count(compared):
    """How many scenarios meet each difference."""
    return collections.Counter(d for met in compared for d in met)


def render(met):
    rows = [
        f"| {d.subject} | {d.manual} | {d.qemu} | {d.ours} | {d.sure} | {d.rule} | {met[d]} |\n"
        for d in sorted(met, key=lambda d: d.subject.lower())
    ]
    return HEAD + "".join(rows)


def read():
    with open(PATH) as file:
        return file.read()


def write(text):
    with open(PATH, "w") as file:
        file.write(text)
