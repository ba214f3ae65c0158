"""What it costs to boot Linux on the model, beside Linux without a device: wall clock and processor time, and what does
not depend on how busy the machine is: how often processes wait for each other, and for how many register accesses."""

import json
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile
import time

import lab
from lab import Guest, Lab, Trouble

SCRIPT = "true\n"
BEGIN, END = "<!-- cost -->", "<!-- end of cost -->"


class Cost:
    """A context: of the processes that ended in it."""

    def __enter__(self):
        self.before, self.begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        return self

    def stop_clock(self):
        self.wall = time.monotonic() - self.begin

    def __exit__(self, *_):
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.processor = after.ru_utime + after.ru_stime - self.before.ru_utime - self.before.ru_stime
        self.waits = after.ru_nvcsw - self.before.ru_nvcsw


def alone(words):
    """The same kernel and script, and no device."""
    folder, store = pathlib.Path(tempfile.mkdtemp(prefix="e1000-tlm-uml-", dir=lab.executable_folder())), lab.kernel_folder()
    try:
        for name in ("linux", "initrd"):
            (folder / name).symlink_to(store / name)
        (folder / "alone").write_text(SCRIPT)
        command = ["setarch", "-R", "./linux", "mem=128M", "initrd=initrd", "root=/dev/ram0", "con=null", "con0=null,fd:1",
                   "panic=1", "norandmaps", "umid=alone.uml", "uml_dir=.", "guest.name=alone", "hostfs=/proc/self/cwd", *words]
        with open(folder / "console", "wb") as log, Cost() as cost:
            status = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False,
                                    env={"PATH": os.environ.get("PATH", ""), "TMPDIR": str(folder)}).returncode
            cost.stop_clock()
        if status or not (folder / "alone.status").exists():
            raise Trouble(f"Linux alone ended with status {status}: {lab.last_line(folder / 'console')}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return cost


def on_model(options):
    guest = Guest("alone", SCRIPT)
    with Cost() as cost:
        with Lab([guest], ["null"], options.sim, options.part, simulator=options.simulator) as it:
            it.start()
            guest.process.wait()
            cost.stop_clock()
            it.wait(options.limit)
            report = json.loads((it.folder / "report.json").read_text())["guests"][0]
            cost.accesses, cost.messages = report["reads"] + report["writes"], report["messages"]
    return cost


def command(options, say):
    """The least of many, one after the other in turn: what is more is other processes' doing."""
    kept = os.sched_getaffinity(0)
    rows = {"no device": [], "no device, infinitely fast (`time-travel=inf-cpu`)": [], "on the model": []}
    try:
        for _ in range(options.runs):
            os.sched_setaffinity(0, lab.one_processor())  # as the others
            for costs, words in zip(rows.values(), ([], ["time-travel=inf-cpu"])):
                costs.append(alone(words))
            os.sched_setaffinity(0, kept)
            rows["on the model"].append(on_model(options))
    finally:
        os.sched_setaffinity(0, kept)
    lines = []
    for name, costs in rows.items():
        least = [min(getattr(cost, what) for cost in costs) for what in ("wall", "processor", "waits")]
        accesses = str(costs[0].accesses) if hasattr(costs[0], "accesses") else ""
        lines.append(f"| {name} | {least[0]:.2f} | {least[1]:.2f} | {least[2]} | {accesses} |")
    ratio = min(c.wall for c in rows["on the model"]) / min(c.wall for c in rows["no device"])
    text = "\n".join(("| boot to power-off | s | s of processor time | waits for another process | register accesses |",
                      "|---|---:|---:|---:|---:|", *lines))
    say(f"{text}\n\non the model: {ratio:.2f} times as long")
    if options.update_doc:
        page = lab.TREE / "doc/linux.md"
        before, rest = page.read_text().split(BEGIN)
        page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}")
    return 0
