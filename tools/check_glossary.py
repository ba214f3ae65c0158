#!/usr/bin/env python3
"""Fails when README or a document in doc/ uses an abbreviation that doc/glossary.md does not explain.

What stands in code (blocks and `spans`) does not count, nor do registers of doc/registers.md, nor what
follows a register and a dot (RCTL.LBM).
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parent.parent
GLOSSARY, REGISTERS = ROOT / "doc/glossary.md", ROOT / "doc/registers.md"
# Derived from tables with subjects of their own.
SKIPPED = {GLOSSARY, REGISTERS}
WORD = re.compile(r"(?<![\w.-])[A-Z][A-Z0-9_]*[A-Z0-9](?![A-Za-z0-9_]|-\d)")
HEX = re.compile(r"[0-9A-F]+h\b")
# Words, numerals, names of products, and what stands for a value in tables of commands.
ORDINARY = {"OK", "MISS", "II", "III", "LE", "HP", "AB545A", "PWLA8490", "PWLA8490SX", "NS", "SIZE"}


def first_cells(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("| "):
            yield line.split("|")[1:-1]


def known_words():
    known = set(ORDINARY)
    for cells in first_cells(GLOSSARY):
        known |= set(re.findall(r"[A-Z][A-Z0-9_]*[A-Z0-9]", cells[0]))
    for cells in first_cells(REGISTERS):
        known |= {re.sub(r"[\[(].*", "", name) for cell in cells[:2] for name in re.split(r"[ ,]+", cell)}
    return known


def prose(text):
    text = re.sub(r"```.*?```|^    .*?$", lambda m: "\n" * m[0].count("\n"), text, flags=re.S | re.M)
    text = re.sub(r"`[^`]*`|\]\([^)]*\)|<!--.*?-->", " ", text)
    return HEX.sub(" ", text)


def main():
    known, faults = known_words(), 0
    for path in [ROOT / "README.md", *sorted((ROOT / "doc").glob("*.md"))]:
        if path in SKIPPED:
            continue
        reported = set()
        for line, content in enumerate(prose(path.read_text(encoding="utf-8")).splitlines(), 1):
            for word in set(WORD.findall(content)) - known - reported:
                reported.add(word)
                faults += 1
                print(f"{path.relative_to(ROOT)}:{line}: {word} is not in doc/glossary.md", file=sys.stderr)
    print(f"glossary: {len(known)} abbreviations and registers known, {faults} missing")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
