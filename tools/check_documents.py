#!/usr/bin/env python3
"""Fails when README, CONTRIBUTING, CHANGELOG or a document in doc/
- uses an abbreviation that doc/glossary.md does not explain. What stands in code (blocks and `spans`)
  does not count, nor do registers of doc/registers.md, nor what follows a register and a dot (RCTL.LBM);
- links to a file, or to a heading of a document, that is not there;
- names a header `e1000tlm/...` that is not there.
"""

import pathlib
import re
import sys

# The tree to look at may be given as an argument.
ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
GLOSSARY, REGISTERS = ROOT / "doc/glossary.md", ROOT / "doc/registers.md"
# Derived from tables with subjects of their own.
SKIPPED = {GLOSSARY, REGISTERS}
WORD = re.compile(r"(?<![\w.-])[A-Z][A-Z0-9_]*[A-Z0-9](?![A-Za-z0-9_]|-\d|\.md)")
HEX = re.compile(r"[0-9A-F]+h\b")
# Words, numerals, names of products, and what stands for a value in tables of commands.
ORDINARY = {
    *("OK", "MISS", "II", "III", "README", "CONTRIBUTING", "CHANGELOG"),
    *("LE", "HP", "AB545A", "PWLA8490", "PWLA8490SX", "NS", "SIZE"),
}


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


def abbreviations(text, known):
    reported = set()
    for line, content in enumerate(prose(text).splitlines(), 1):
        for word in set(WORD.findall(content)) - known - reported:
            reported.add(word)
            yield line, f"{word} is not in doc/glossary.md"


def anchors(path):
    """GitHub's names of a document's headings."""
    headings = re.findall(r"^#+ +(.*)$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(path, text):
    for line, content in enumerate(text.splitlines(), 1):
        for target in re.findall(r"\]\(([^)]+)\)", content):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            file = (path.parent / name).resolve() if name else path
            if not file.exists():
                yield line, f"{target}: there is no such file"
            elif anchor and anchor not in anchors(file):
                yield line, f"{target}: there is no such heading"
        for header in re.findall(r"e1000tlm/[\w/]+\.h\b", content):
            if not (ROOT / "include" / header).exists():
                yield line, f"{header}: there is no such header"


def main():
    known, faults = known_words(), 0
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    headers = ROOT / "doc/public_headers.txt"
    for path in [*top, *sorted((ROOT / "doc").glob("*.md")), headers]:
        text = path.read_text(encoding="utf-8")
        found = list(links(path, text))
        if path not in SKIPPED and path != headers:
            found += abbreviations(text, known)
        for line, fault in found:
            print(f"{path.relative_to(ROOT)}:{line}: {fault}", file=sys.stderr)
        faults += len(found)
    print(f"documents: {len(known)} abbreviations and registers known, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
