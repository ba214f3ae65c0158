"""What --waves writes, read back: signals of the PCI bus clock by clock against doc/pci_timing.md,
interrupts, link, frames on the wire and FIFOs against the run's own figures."""

import bisect
import json
import os

import support
from support import Scenario, sim, sim_json

CLOCK = 30_000  # ps: 33 MHz
READS = {0x2, 0x6, 0xA, 0xC, 0xE}
HOST = 0


class Dump:
    """A value change dump: "board0.pci.frame_n" -> changes, in the order of time."""

    def __init__(self, path):
        self.times, self.values, names, scope, now = {}, {}, {}, [], 0
        with open(path, encoding="ascii") as file:
            for line in file.read().splitlines():
                words = line.split()
                if words[0] == "$timescale":
                    assert words[1:3] == ["1", "ps"], line
                elif words[0] == "$scope":
                    scope.append(words[2])
                elif words[0] == "$upscope":
                    scope.pop()
                elif words[0] == "$var":
                    name = ".".join(scope + [words[4]])
                    assert words[3] not in names and name not in self.times, line
                    names[words[3]] = name
                    self.times[name], self.values[name] = [], []
                elif line[0] == "#":
                    assert int(line[1:]) >= now, "time goes back"
                    now = int(line[1:])
                elif line[0] in "01xzb":
                    value, code = (words if line[0] == "b" else (line[0], line[1:]))
                    value = value.lstrip("b")
                    number = value if value in ("x", "z") else int(value, 2)
                    name = names[code]
                    assert not self.values[name] or self.values[name][-1] != number, "no change"
                    self.times[name].append(now)
                    self.values[name].append(number)
        assert not scope
        self.end = now

    def at(self, name, time):
        """The level from this time on."""
        return self.values[name][bisect.bisect_right(self.times[name], time) - 1]

    def edges(self, name, level):
        return [t for t, v in list(zip(self.times[name], self.values[name]))[1:] if v == level]


class Transaction:
    """What one sees between FRAME# falling and the bus being idle again."""

    def __init__(self, dump, start, bus):
        signal = lambda name, clock: dump.at(bus + name, start + clock * CLOCK)
        self.start = start
        self.command, self.address = signal("cbe_n", 0) & 0xF, signal("ad", 0)
        self.master = signal("master", 0)
        self.clocks = 1
        while signal("frame_n", self.clocks) == 0 or signal("irdy_n", self.clocks) == 0:
            self.clocks += 1
        self.clocks += 1  # the idle one
        self.end = start + self.clocks * CLOCK
        low = lambda name: [c for c in range(self.clocks) if signal(name, c) == 0]
        self.frame, self.irdy, self.trdy = low("frame_n"), low("irdy_n"), low("trdy_n")
        self.devsel, self.stop = low("devsel_n"), low("stop_n")
        self.data = len(self.trdy)
        self.reads = self.command in READS
        self.next_address = self.address // 4 * 4 + 4 * self.data


def transactions(dump, bus="board0.pci."):
    return [Transaction(dump, start, bus) for start in dump.edges(bus + "frame_n", 0)]


class Waves(Scenario):
    def waves(self, *arguments):
        path = self.path("waves.vcd")
        result = sim("--quiet", "--waves", path, *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return Dump(path)

    def check_shape(self, t, read_lead, write_lead):
        """Clocks of doc/pci_timing.md: lead, one clock a data phase, idle."""
        lead = read_lead if t.reads else write_lead
        self.assertEqual(t.clocks, lead + t.data + 1, vars(t))
        self.assertEqual(t.trdy, list(range(lead, lead + t.data)))
        self.assertEqual(t.irdy, list(range(1, t.clocks - 1)))
        self.assertEqual(t.devsel, t.irdy)
        last = lead + t.data - 1
        self.assertEqual(t.frame, list(range(last)) if t.data > 1 else [0])

    def test_every_transaction_takes_what_the_document_says(self):
        path = self.path("trace.json")
        dump = self.waves("--app", "generate", "--size", "300", "--frames", "40", "--trace", path)
        seen = transactions(dump)
        kinds = set()
        for t in seen:
            if not t.devsel:                                  # configuration of an empty slot
                self.assertEqual((t.clocks, t.irdy), (1 + 4 + 1, [1, 2, 3, 4]))
                self.assertIn(t.command, (0xA, 0xB))
                kinds.add("master abort")
                continue
            if t.data:
                self.check_shape(t, read_lead=1 + 1 + 8, write_lead=1 + 1)
                kinds.add((t.master, t.reads, "burst" if t.data > 1 else "single"))
            for before in (1, 2):
                name = "nic0" if t.master else "host"
                self.assertEqual(dump.at(f"board0.pci.req_n_{name}", t.start - before * CLOCK), 0)
            self.assertEqual(dump.at(f"board0.pci.gnt_n_{name}", t.start - CLOCK), 0)
        # Registers read and written, descriptors and frames read and written.
        self.assertLessEqual({"master abort", (HOST, True, "single"), (HOST, False, "single"),
                              (1, True, "burst"), (1, False, "burst")}, kinds)
        # The same times as the trace has, to the picosecond, for accesses of one tenure.
        with open(path, encoding="utf-8") as file:
            slices = [e for e in json.load(file)["traceEvents"]
                      if e["ph"] == "X" and "address" in e.get("args", {})]
        starts = {t.start: t for t in seen}
        self.assertGreater(len(slices), 500)
        for e in slices:
            t = starts[round(e["ts"] * 1e6)]
            if "Configuration" not in e["name"]:
                self.assertEqual(t.address, int(e["args"]["address"], 16))
        ends = {t.end for t in seen}
        self.assertFalse([e for e in slices if round((e["ts"] + e["dur"]) * 1e6) not in ends])

    def test_a_target_disconnects_with_its_last_data(self):
        seen = transactions(self.waves("--app", "generate", "--size", "300", "--frames", "20",
                                       "--host", "lines"))
        stopped = [t for t in seen if t.stop]
        self.assertGreater(len(stopped), 50)
        for t in stopped:
            self.assertEqual(t.stop, t.trdy[-1:])
            self.assertEqual(t.next_address % 64, 0)
            if t.master != HOST:
                self.check_shape(t, read_lead=1 + 1 + 16, write_lead=1 + 3)

    def test_retries_until_the_data_is_there(self):
        seen = transactions(self.waves("--app", "generate", "--size", "300", "--frames", "20",
                                       "--host", "delayed"))
        mine = [t for t in seen if t.master == 1]
        retried = 0
        for first, then in zip(mine, mine[1:]):
            if not first.stop or first.trdy:
                continue
            retried += 1
            self.assertEqual((first.clocks, first.stop, first.frame), (5, [2, 3], [0, 1, 2]))
            same = [t for t in mine if t.start > first.start and t.address == first.address]
            self.assertTrue(same, "asked again")
            if then.trdy and then.address == first.address and then.reads:
                self.check_shape(then, read_lead=1 + 1 + 1, write_lead=2)
        self.assertGreater(retried, 20)

    def test_the_latency_timer_preempts(self):
        nics = ["--nic", "part=82545em", "--nic", "part=82545em", "--link", "loopback", "--link",
                "loopback"]
        dump = self.waves("--app", "generate", "--size", "1518", "--frames", "30", *nics)
        seen = transactions(dump)
        preempted = 0
        for i, t in enumerate(seen):
            if t.stop or t.data < 50 or not t.reads:
                continue
            following = [o for o in seen[i + 1:i + 12] if o.master == t.master and o.reads]
            if t.next_address not in [o.address for o in following]:
                continue
            preempted += 1
            self.assertGreaterEqual(t.clocks, 64)
            self.assertNotEqual(seen[i + 1].master, t.master)
            others = [dump.at(f"board0.pci.req_n_{name}", t.end - CLOCK)
                      for number, name in enumerate(("host", "nic0", "nic1")) if number != t.master]
            self.assertIn(0, others, "somebody wanted the bus")
        self.assertGreater(preempted, 10)

    def test_the_adapter_agrees_with_the_summary(self):
        path, save = self.path("waves.vcd"), self.path("waves.gtkw")
        summary = sim_json("--app", "generate", "--frames", "100", "--quiet", "--waves", path)
        dump, nic = Dump(path), summary["nics"][0]
        self.assertEqual(len(dump.edges("board0.nic0.intx_n", 0)), nic["interrupts"])
        for name, flow in (("rx_valid", "wire_in"), ("tx_valid", "wire_out")):
            high = dump.edges(f"board0.nic0.{name}", 1)
            low = dump.edges(f"board0.nic0.{name}", 0)
            self.assertEqual(len(high), nic[flow]["frames"])
            time = sum(low) - sum(high)
            # Preamble and FCS are on the wire, too: 12 bytes a frame, 8 ns each.
            self.assertEqual(time, (nic[flow]["bytes"] + 12 * nic[flow]["frames"]) * 8000)
        for name in ("rx_fifo", "tx_fifo"):
            fill = dump.values[f"board0.nic0.{name}"]
            self.assertGreater(max(fill), 64)
            self.assertEqual(fill[-1], 0)
        self.assertEqual(dump.values["board0.nic0.link"], [0, 1])
        self.assertEqual(dump.values["board0.nic0.led0"], [0, 1], "link up")
        self.assertEqual(dump.values["board0.nic0.pme_n"], [1])
        with open(save, encoding="ascii") as file:
            shown = [line.split("[")[0] for line in file.read().splitlines()
                     if line.startswith("board0")]
        self.assertEqual(sorted(shown), sorted(dump.times))

    def test_a_save_file_that_gtkwave_wrote_stays(self):
        path, save = self.path("waves.vcd"), self.path("waves.gtkw")
        for text, kept in (("[*] GTKWave Analyzer v3.3\n", True), ("[*] e1000-sim old\n", False)):
            with open(save, "w", encoding="ascii") as file:
                file.write(text)
            sim("--quiet", "--waves", path)
            with open(save, encoding="ascii") as file:
                self.assertEqual(file.read() == text, kept)

    def test_window(self):
        whole = transactions(self.waves("--app", "generate", "--frames", "100"))
        begin, end = whole[len(whole) // 2].start, whole[len(whole) * 3 // 4].start
        dump = self.waves("--app", "generate", "--frames", "100", "--trace-window",
                          f"{begin / 1e6}us..{end / 1e6}us")
        inside = [t.start for t in whole if begin <= t.start < end]
        self.assertLessEqual(set(inside), {t.start for t in transactions(dump)} | {begin})

    def test_loosely_timed_there_is_no_bus(self):
        path = self.path("waves.vcd")
        result = sim("--app", "generate", "--frames", "100", "--quantum", "10us", "--waves", path)
        self.assertEqual(result.returncode, 0)
        self.assertIn("--waves leaves out the PCI bus", result.stdout)
        self.assertFalse([name for name in Dump(path).times if ".pci." in name])

    def test_watching_changes_nothing(self):
        arguments = ["--app", "generate", "--frames", "300"]
        plain = sim_json(*arguments)
        seen = sim_json(*arguments, "--waves", self.path("w.vcd"))
        for summary in (plain, seen):
            summary.pop("wall_s"), summary.pop("wall_ns")
        self.assertEqual(plain, seen)

    def test_wrong_use(self):
        path = self.path("w.vcd")
        for arguments, word in [(["--waves", "-"], "expected the name of a file"),
                                (["--waves", path, "--trace", path], "are the same file"),
                                (["--waves", path, "--trace-filter", "bus"], "only goes with"),
                                (["--waves", self.path("no/such")], "no/such")]:
            result = sim(*arguments)
            self.assertEqual((result.returncode, word in result.stderr), (2, True), result.stderr)
        self.assertEqual(sim("--quiet", "--waves", "/dev/full").returncode, 1)
        self.assertFalse(os.path.exists("/dev/full.gtkw"))


if __name__ == "__main__":
    support.main()
