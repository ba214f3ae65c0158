#!/usr/bin/env python3
"""Compares the rule numbers used in the tree with their definitions in doc/rules.md.

  tools/check_rules.py             status 1 if a number is not defined, if the last column names a
                                   file that does not use the rule, or if nobody uses it
  tools/check_rules.py --update    renews the last column of doc/rules.md
  tools/check_rules.py --root DIR  looks at another tree
"""

import argparse
import pathlib
import re
import sys

DEFINITIONS = "doc/rules.md"
# Not searched: the definitions, what is made from other files, and what only explains this script.
SKIPPED = {DEFINITIONS, "doc/differences.md", "tools/check_rules.py", "tools/checks_test.py"}
SUFFIXES = {".h", ".cpp", ".py", ".md", ".txt", ".cmake", ".sh", ".gp", ".in", ".yml", ""}
ROW = re.compile(r"^\| ([A-Z]+-\d+) \| (.+?) \| (.+?) \| (.*?) ?\|$")
NUMBER = r"[A-Z]{1,4}-\d+"
RANGE = re.compile(rf"\b({NUMBER}) to ({NUMBER})\b")
# What looks like a reference to a rule but cannot be looked up.
VAGUE = re.compile(r"\b[Rr]ules? \d|\bsection \d+'s|\bthe mission\b")
NAMED = re.compile(r"\b[Rr]ules? ([A-Z]+)-\d")


def files_of(root):
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        hidden = any(p.startswith((".git", "build")) or p == "__pycache__" for p in name.split("/")[:-1])
        if hidden or name in SKIPPED or path.suffix not in SUFFIXES or not path.is_file():
            continue
        if "include/" in name and root.joinpath("include") in path.parents:
            continue  # links to the folders of the models
        try:
            yield name, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def split(number):
    letters, digits = number.rsplit("-", 1)
    return letters, int(digits)


def uses_in(text, letters):
    """Rule numbers of the known kinds in a text, ranges included, with their lines."""
    known = re.compile(rf"\b(?:{'|'.join(sorted(letters))})-\d+\b")
    for line, content in enumerate(text.splitlines(), 1):
        for number in known.findall(content):
            yield number, line
    for match in RANGE.finditer(re.sub(r"\n(\s*(///?|#|\*))?\s*", " ", text)):
        (first_letters, first), (last_letters, last) = map(split, match.groups())
        if first_letters == last_letters and first_letters in letters:
            for n in range(first, last + 1):
                yield f"{first_letters}-{n}", text[: text.find(match[1])].count("\n") + 1


def collect(root, rules):
    letters = {split(number)[0] for number in rules}
    used, errors = {}, []
    for name, text in files_of(root):
        for number, line in uses_in(text, letters):
            used.setdefault(number, set()).add(name)
            if number not in rules:
                errors.append(f"{name}:{line}: rule {number} is not defined in {DEFINITIONS}")
        for line, content in enumerate(text.splitlines(), 1):
            unknown = any(kind not in letters for kind in NAMED.findall(content))
            if unknown or VAGUE.search(content):
                errors.append(f"{name}:{line}: names a rule by something that {DEFINITIONS} does not define")
    return used, errors


def short(names):
    return ", ".join(sorted({pathlib.PurePosixPath(name).name for name in names}))


def main():
    parser = argparse.ArgumentParser(description="checks rule numbers against doc/rules.md")
    parser.add_argument("--update", action="store_true", help="renew the last column")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent)
    arguments = parser.parse_args()
    document = arguments.root / DEFINITIONS
    lines = document.read_text(encoding="utf-8").splitlines()
    rows = {match[1]: match for match in map(ROW.match, lines) if match}
    used, errors = collect(arguments.root, rows)
    errors += [f"{DEFINITIONS}: nobody uses rule {number}" for number in rows if number not in used]
    if arguments.update:
        for i, line in enumerate(lines):
            if match := ROW.match(line):
                lines[i] = f"| {match[1]} | {match[2]} | {match[3]} | {short(used.get(match[1], []))} |"
        document.write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        for number, match in rows.items():
            gone = set(filter(None, match[4].split(", "))) - set(short(used.get(number, [])).split(", "))
            if gone:
                errors.append(
                    f"{DEFINITIONS}: {number} is not used in {', '.join(sorted(gone))}"
                    " (tools/check_rules.py --update renews the column)"
                )
    for error in errors:
        print(error, file=sys.stderr)
    print(f"rules: {len(rows)} defined, {len(used)} used, {len(errors)} faults")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
