#!/usr/bin/env python3
"""Draws a piece of a run as SVG, from what e1000-sim wrote.

    draw_run.py waves run.vcd -o waves.svg --from 520.1us --to 520.9us [--signals REGEX]
    draw_run.py trace run.json -o trace.svg --from 520.1us --to 530us [--tracks REGEX]

Light and dark as the reader has it. Needs Python 3.9 and nothing else."""

import argparse
import bisect
import collections
import html
import json
import re
import sys

WIDTH, LEFT, ROW, TOP = 1000, 190, 26, 34
UNITS = {"ps": 1, "ns": 10**3, "us": 10**6, "ms": 10**9, "s": 10**12}
STYLE = """
text{font:12px system-ui,sans-serif;fill:#1b1f24}.dim{fill:#57606a}.grid{stroke:#d0d7de}
.wire{stroke:#0969da;fill:none;stroke-width:1.5}.bus{stroke:#0969da;fill:#ddf4ff}
.unknown{stroke:#57606a;fill:#d0d7de}.floating{stroke:#bc4c00;stroke-dasharray:3 3}
.area{fill:#ddf4ff;stroke:#0969da}.flow{stroke:#cf222e;fill:none;stroke-opacity:.6}
.back{fill:#fff}
.c0{fill:#a5d6ff}.c1{fill:#ffc680}.c2{fill:#aceebb}.c3{fill:#e2c5ff}.c4{fill:#ffbcdb}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#9198a1}.grid{stroke:#30363d}
.wire{stroke:#58a6ff}.bus,.area{stroke:#58a6ff;fill:#0c2d6b}.unknown{fill:#30363d;stroke:#9198a1}
.floating{stroke:#f0883e}.flow{stroke:#ff7b72}.back{fill:#0d1117}
.c0{fill:#1158a7}.c1{fill:#8a4600}.c2{fill:#196c2e}.c3{fill:#6639a6}.c4{fill:#99286e}}
"""


def picoseconds(text):
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ps|ns|us|ms|s)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text}: expected a time such as 520.25us")
    return round(float(match[1]) * UNITS[match[2]])


class Picture:
    """A time axis, rows with names to the left of it."""

    def __init__(self, begin, end, title):
        self.begin, self.end, self.title, self.parts, self.y = begin, end, title, [], TOP

    def x(self, time):
        share = (time - self.begin) / (self.end - self.begin)
        return LEFT + (WIDTH - LEFT - 10) * min(max(share, 0), 1)

    def row(self, name, height=ROW):
        self.add(f'<text x="{LEFT - 8}" y="{self.y + height / 2 + 4:.1f}" text-anchor="end">'
                 f"{html.escape(name)}</text>")
        self.y += height
        return self.y - height

    def add(self, part):
        self.parts.append(part)

    def label(self, x, y, room, text):
        if room > 7 * len(text):
            self.add(f'<text x="{x + room / 2:.1f}" y="{y:.1f}" text-anchor="middle">'
                     f"{html.escape(text)}</text>")

    def axis(self):
        steps = (base * 10**power for power in range(15) for base in (1, 2, 5))
        step = next(s for s in steps if (self.end - self.begin) / s <= 9)
        unit = "us" if step < UNITS["us"] * 10 else "ms"
        lines = []
        for tick in range(-(-self.begin // step) * step, self.end + 1, step):
            x = self.x(tick)
            number = tick / UNITS[unit]
            lines.append(f'<path class="grid" d="M{x:.1f} {TOP - 6}V{self.y}"/><text class="dim" '
                         f'x="{x:.1f}" y="{TOP - 12}" text-anchor="middle">{number:.9g} {unit}</text>')
        return "".join(lines)

    def svg(self):
        height = self.y + 10
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
                f'width="{WIDTH}" height="{height}" role="img" aria-label="{html.escape(self.title)}">'
                f'<style>{STYLE}</style><rect class="back" width="{WIDTH}" height="{height}"/>'
                + self.axis() + "".join(self.parts) + "</svg>\n")


def read_vcd(path):
    """name -> (width, times, values)"""
    signals, codes, scope, now = {}, {}, [], 0
    with open(path, encoding="ascii") as file:
        for line in file:
            words = line.split()
            if words[0] == "$scope":
                scope.append(words[2])
            elif words[0] == "$upscope":
                scope.pop()
            elif words[0] == "$var":
                codes[words[3]] = signals[".".join(scope + [words[4]])] = (int(words[2]), [], [])
            elif words[0][0] == "#":
                now = int(words[0][1:])
            elif words[0][0] in "01xzb":
                value, code = words if len(words) == 2 else (line[0], words[0][1:])
                codes[code][1].append(now)
                codes[code][2].append(value.lstrip("b"))
    return signals


def draw_signal(picture, name, width, times, values):
    first = max(bisect.bisect_right(times, picture.begin) - 1, 0)
    height = ROW * 2 if "fifo" in name else ROW
    y = picture.row(name.split(".", 1)[-1], height)
    high, low = y + 5, y + height - 5
    pieces = [(t, times[i + 1] if i + 1 < len(times) else picture.end, values[i])
              for i, t in enumerate(times) if i >= first and t < picture.end]
    if "fifo" in name:
        most = max([int(v, 2) for _, _, v in pieces] + [1])
        path = f"M{picture.x(picture.begin):.1f} {low}"
        for begin, end, value in pieces:
            level = low - (low - high) * int(value, 2) / most
            path += f"L{picture.x(begin):.1f} {level:.1f}L{picture.x(end):.1f} {level:.1f}"
        picture.add(f'<path class="area" d="{path}V{low}Z"/>')
        picture.add(f'<text class="dim" x="{WIDTH - 12}" y="{high + 12}" text-anchor="end">'
                    f"up to {most} bytes</text>")
        return
    path, before = "", None
    for begin, end, value in pieces:
        x, to = picture.x(begin), picture.x(end)
        if value in ("x", "z"):
            before = None
            if value == "z":
                picture.add(f'<path class="floating" d="M{x:.1f} {(high + low) / 2}H{to:.1f}"/>')
            else:
                picture.add(f'<rect class="unknown" x="{x:.1f}" y="{high}" width="{to - x:.1f}" '
                            f'height="{low - high}"/>')
        elif width > 1:
            picture.add(f'<rect class="bus" x="{x:.1f}" y="{high}" width="{to - x:.1f}" '
                        f'height="{low - high}"/>')
            picture.label(x, low - 4, to - x, f"{int(value, 2):x}")
        else:
            level = high if value == "1" else low
            path += f"{'M' if before is None else 'L'}{x:.1f} {level}L{to:.1f} {level}"
            before = level
    picture.add(f'<path class="wire" d="{path}"/>')


def draw_waves(arguments):
    signals = read_vcd(arguments.file)
    chosen = [n for n in signals if re.search(arguments.signals, n)]
    if not chosen:
        sys.exit(f"{arguments.file}: no signal matches {arguments.signals!r}; there are "
                 + ", ".join(signals))
    picture = Picture(arguments.begin, arguments.end, "Signals over time: " + ", ".join(chosen))
    for name in chosen:
        draw_signal(picture, name, *signals[name])
    return picture.svg()


def draw_trace(arguments):
    with open(arguments.file, encoding="utf-8") as file:
        events = json.load(file)["traceEvents"]
    names = {(e["pid"], e["tid"]): e["args"]["name"] for e in events
             if e["ph"] == "M" and e["name"] == "thread_name"}
    ps = lambda us: round(us * 10**6)
    slices = collections.defaultdict(list)
    for e in events:
        if e["ph"] == "X" and ps(e["ts"]) < arguments.end and \
                ps(e["ts"] + e["dur"]) > arguments.begin:
            slices[e["pid"], e["tid"]].append(e)
    chosen = [t for t in sorted(names) if t in slices and re.search(arguments.tracks, names[t])]
    picture = Picture(arguments.begin, arguments.end,
                      "Trace: " + ", ".join(names[t] for t in chosen))
    middle, colours = {}, {}
    for track in chosen:
        y = picture.row(names[track])
        middle[track] = y + ROW / 2
        for e in slices[track]:
            x, to = picture.x(ps(e["ts"])), picture.x(ps(e["ts"] + e["dur"]))
            colour = colours.setdefault(e["name"], len(colours) % 5)
            picture.add(f'<rect class="c{colour}" x="{x:.1f}" y="{y + 3}" '
                        f'width="{max(to - x, 0.8):.1f}" height="{ROW - 6}" rx="2"><title>'
                        f'{html.escape(e["name"])}</title></rect>')
            picture.label(x, y + ROW / 2 + 4, to - x, e["name"])
    flows = collections.defaultdict(list)
    for e in events:
        if e["ph"] in "stf" and (e["pid"], e["tid"]) in middle:
            flows[e["id"]].append((ps(e["ts"]), middle[e["pid"], e["tid"]]))
    for points in flows.values():
        points.sort()
        if points[0][0] < arguments.begin or points[-1][0] > arguments.end:
            continue
        path = "".join(f"{'L' if i else 'M'}{picture.x(t):.1f} {y:.1f}"
                       for i, (t, y) in enumerate(points))
        picture.add(f'<path class="flow" d="{path}"/>')
    return picture.svg()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("waves", "trace"))
    parser.add_argument("file", help="what --waves or --trace (JSON) wrote")
    parser.add_argument("-o", dest="output", required=True, help="the SVG file")
    parser.add_argument("--from", dest="begin", type=picoseconds, required=True)
    parser.add_argument("--to", dest="end", type=picoseconds, required=True)
    parser.add_argument("--signals", default=r"\.pci\.", help="names of signals")
    parser.add_argument("--tracks", default="", help="names of tracks")
    arguments = parser.parse_args()
    if arguments.begin >= arguments.end:
        parser.error("--to is not after --from")
    picture = draw_waves(arguments) if arguments.what == "waves" else draw_trace(arguments)
    with open(arguments.output, "w", encoding="utf-8") as file:
        file.write(picture)


if __name__ == "__main__":
    main()
