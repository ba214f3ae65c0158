"""Tables of results: for the terminal, and as blocks of doc/guests.md."""

import checks
from machine import TREE

NOT_RUN = "-"
GUESTS = TREE / "doc/guests.md"


def ordered_names(results):
    """What was checked, in the order in which checks run; what is no check (boot, the simulator's end) around them."""
    order = [name for name, _ in checks.CHECKS]
    names = list(dict.fromkeys(name for cells in results.values() for name in cells))
    return sorted(names, key=lambda name: order.index(name) if name in order else -1 if name == "boot" else len(order))


def table(heads, rows, right=False):
    """Lines of a Markdown table, aligned; right: all columns but the first to the right."""
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]

    def line(cells):
        return "| " + " | ".join(c.rjust(w) if right and i else c.ljust(w)
                                 for i, (c, w) in enumerate(zip(cells, widths))) + " |"

    rule = "|" + "|".join("-" * (w + 1) + (":" if right and i else "-") for i, w in enumerate(widths)) + "|"
    return [line(heads), rule, *(line(row) for row in rows)]


def plain_table(results):
    heads = ["check"] + [" ".join((card, part, kernel)) for card, kernel, part in results]
    rows = [[name] + [cells.get(name, ["not run"])[0] for cells in results.values()]
            for name in ordered_names(results)]
    return ["", *table(heads, rows), ""]


def merged(states):
    """One cell for {kernel: state}: the state, or each kernel's; kernels that have not run it are not named."""
    ran = {kernel: state for kernel, state in states.items() if state != NOT_RUN}
    if len(set(ran.values())) > 1:
        return ", ".join(f"{kernel}: {state}" for kernel, state in ran.items())
    state = next(iter(ran.values()), NOT_RUN)
    return state if len(ran) in (0, len(states)) else f"{state} ({', '.join(ran)})"


def matrix(results, versions):
    """The block of the document: one column for each part of each card, kernels merged."""
    kernels = {kernel: None for _, kernel, _ in results}
    cards = dict.fromkeys((card, part) for card in ("model", "qemu") for card_, _, part in results if card_ == card)
    heads = ["check"]
    for card, part in cards:
        ran = [kernel for kernel in kernels if (card, kernel, part) in results]
        some = "" if len(ran) == len(kernels) else f" ({', '.join(ran)})"
        heads.append(f"{'model' if card == 'model' else 'QEMU'}, {part}{some}")
    rows = []
    for name in ordered_names(results):
        row = [name]
        for card, part in cards:
            row.append(merged({kernel: results[card, kernel, part].get(name, [NOT_RUN])[0].replace("FAIL", "fails")
                               for kernel in kernels if (card, kernel, part) in results}))
        rows.append(row)
    days = sorted({version["date"] for version in versions})
    linux = sorted({version["kernel"] for version in versions})
    qemu = sorted({version["qemu"] for version in versions})
    dates = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return [f"{dates}, Linux {', '.join(linux)}, QEMU {', '.join(qemu)} (`-`: not run):", "", *table(heads, rows)]


def update(path, name, lines):
    """Puts lines between `<!-- name -->` and `<!-- end -->`."""
    text = path.read_text(encoding="utf-8")
    start = f"<!-- {name} -->\n"
    before, found, rest = text.partition(start)
    _, end, after = rest.partition("<!-- end -->\n")
    if not found or not end:
        raise SystemExit(f"{path} has no block {start.strip()} ... <!-- end -->")
    path.write_text(before + start + "\n" + "\n".join(lines) + "\n\n" + end + after, encoding="utf-8")
