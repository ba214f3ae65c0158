"""Traces and reports: what --trace, --report and the command report write."""

import collections
import html.parser
import json
import os
import shutil
import subprocess
import tempfile

import support
from support import QTestClient, Scenario, sim, sim_json, start_qtest

VOID = {"meta", "link"}


class Page(html.parser.HTMLParser):
    """Checks that elements are closed in order, and notes what the page refers to."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.links, self.loads, self.names = [], [], [], [], collections.Counter()
        self.unnamed = 0
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.names[tag] += 1
        if "id" in attributes:
            self.ids.append(attributes["id"])
        for name in ("src", "href", "xlink:href"):
            value = attributes.get(name)
            if value is None:
                continue
            (self.links if value.startswith("#") else self.loads).append(value)
        if tag == "svg" and not attributes.get("aria-label"):
            self.unnamed += 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.names[tag] += 1

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> in {self.open}"
        self.open.pop()


def load(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def check_trace(test, trace):
    """The Trace Event Format: phases with what they need; slices of a track nest; arrows touch
    slices. Returns events by phase."""
    tracks, phases, arrows = collections.defaultdict(list), collections.defaultdict(list), {}
    for event in trace["traceEvents"]:
        phases[event["ph"]].append(event)
        test.assertIn(event["ph"], "MXiCstf")
        test.assertIsInstance(event["pid"], int)
        test.assertTrue(event["name"])
        if event["ph"] == "M":
            continue
        test.assertGreaterEqual(event["ts"], 0)
        if event["ph"] == "X":
            test.assertGreaterEqual(event["dur"], 0)
            tracks[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    named = {(e["pid"], e["tid"]) for e in phases["M"] if e["name"] == "thread_name"}
    for track, slices in tracks.items():
        test.assertIn(track, named)
        free = 0
        for begin, end in sorted(slices):
            test.assertGreaterEqual(begin, free - 1e-6, f"overlap on track {track}")
            free = end
    for event in phases["s"] + phases["t"] + phases["f"]:
        arrows.setdefault(event["id"], []).append(event)
    for arrow in arrows.values():
        arrow.sort(key=lambda event: ("stf".index(event["ph"]), event["ts"]))
        test.assertEqual([arrow[0]["ph"], arrow[-1]["ph"]], ["s", "f"])
        times = [event["ts"] for event in arrow]
        test.assertEqual(times, sorted(times))
    return phases, tracks, arrows


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def message(data):
    """A protocol buffer message: field number -> values, numbers or bytes."""
    fields, at = collections.defaultdict(list), 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 1:
            value, at = int.from_bytes(data[at:at + 8], "little"), at + 8
        else:
            assert key & 7 == 2, f"wire type {key & 7}"
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
            assert len(value) == length
        fields[key >> 3].append(value)
    return fields


class Perfetto:
    """Perfetto's own format, by its .proto files: slices as (process, track, ns, ns, name), and
    instants, counters and flows."""
    BEGIN, END, INSTANT, COUNTER = 1, 2, 3, 4

    def __init__(self, test, data):
        trace = message(data)
        test.assertEqual(set(trace), {1})
        self.names, self.tracks, self.processes, counters = {}, {}, {}, set()
        argument_names, argument_texts = {}, {}
        self.slices, self.instants, self.values = [], [], collections.defaultdict(list)
        self.arguments = collections.defaultdict(list)
        self.flows, open_slices = collections.defaultdict(list), {}
        for number, packet in enumerate(map(message, trace[1])):
            test.assertEqual(packet[10], [1], "one sequence")
            test.assertEqual(packet[13] == [1], number == 0, "state is cleared at first")
            for interned in map(message, packet[12]):
                for field, known in (2, self.names), (3, argument_names), (29, argument_texts):
                    for name in map(message, interned[field]):
                        test.assertNotIn(name[1][0], known)
                        known[name[1][0]] = name[2][0].decode()
            for track in map(message, packet[60]):
                uuid, = track[1]
                if track[3]:
                    self.processes[uuid] = message(track[3][0])[6][0].decode()
                    continue
                test.assertIn(track[5][0], self.processes)
                self.tracks[uuid] = (self.processes[track[5][0]], track[2][0].decode())
                if 8 in track:
                    counters.add(uuid)
            for event in map(message, packet[11]):
                (time,), (kind,), (uuid,) = packet[8], event[9], event[11]
                test.assertEqual(uuid in counters, kind == self.COUNTER)
                where = self.tracks[uuid]
                for flow in event[47] + event[48]:
                    self.flows[flow].append((time, flow in event[48]))
                if kind == self.BEGIN:
                    test.assertNotIn(uuid, open_slices)
                    open_slices[uuid] = (*where, time, self.names[event[10][0]])
                    for argument in map(message, event[4]):
                        self.arguments[argument_names[argument[1][0]]].append(
                            argument_texts[argument[17][0]] if 17 in argument else
                            hex(argument[7][0]) if 7 in argument else argument[3][0])
                elif kind == self.END:
                    process, track, begin, name = open_slices.pop(uuid)
                    test.assertGreaterEqual(time, begin)
                    self.slices.append((process, track, begin, time, name))
                elif kind == self.INSTANT:
                    self.instants.append((*where, time, self.names[event[10][0]]))
                else:
                    self.values[where].append((time, event[30][0] if 30 in event else 0))
        test.assertFalse(open_slices)


class Traces(Scenario):
    def trace(self, *arguments):
        path = self.path("trace.json")
        result = sim("--quiet", "--trace", path, *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(load(path))

    def test_a_run_in_both_accuracies(self):
        for quantum in ("0", "10us"):
            with self.subTest(quantum=quantum):
                trace = self.trace("--app", "generate", "--frames", "200", "--quantum", quantum)
                phases, tracks, arrows = check_trace(self, trace)
                # 200 out, and 200 in of which the last few may never be asked for.
                self.assertGreaterEqual(len(arrows), 380)
                self.assertLessEqual(len(arrows), 400)
                names = {e["args"]["name"] for e in phases["M"] if e["name"] == "thread_name"}
                for name in ("PCI bus", "software: registers", "NIC 0: transmit engine",
                             "NIC 0: receive engine", "NIC 0: wire out", "NIC 0: wire in",
                             "NIC 0: interrupt line", "NIC 0: interrupt handling"):
                    self.assertIn(name, names)
                self.assertIn("NIC 0: receive FIFO, bytes", {e["name"] for e in phases["C"]})

    def test_arrows_touch_slices(self):
        _, tracks, arrows = check_trace(self, self.trace("--app", "generate", "--frames", "50"))
        for arrow in arrows.values():
            for end in (arrow[0], arrow[-1]):
                slices = tracks[end["pid"], end["tid"]]
                self.assertTrue(any(a - 1e-6 <= end["ts"] <= b + 1e-6 for a, b in slices), end)

    def test_the_same_run_gives_the_same_trace(self):
        self.assertEqual(self.trace("--app", "generate", "--frames", "50"),
                         self.trace("--app", "generate", "--frames", "50"))

    def test_observation_changes_nothing(self):
        arguments = ["--app", "generate", "--frames", "500"]
        plain = sim_json(*arguments)
        seen = sim_json(*arguments, "--trace", self.path("t.json"), "--report",
                        self.path("r.html"))
        for summary in (plain, seen):
            summary.pop("wall_s"), summary.pop("wall_ns")
        self.assertEqual(plain, seen)

    def test_window_filter_and_limit(self):
        whole = self.trace("--app", "generate", "--frames", "200")
        wires = [e["ts"] for e in whole["traceEvents"]
                 if e["ph"] == "X" and e["name"].endswith(" bytes")]
        begin, end = sorted(wires)[100], sorted(wires)[200]
        part = self.trace("--app", "generate", "--frames", "200", "--trace-filter",
                          "wire-in,wire-out", "--trace-window", f"{begin}us..{end}us")
        times = [e["ts"] for e in part["traceEvents"] if e["ph"] == "X"]
        self.assertGreaterEqual(len(times), 100)
        self.assertLess(max(times), end)
        self.assertFalse([e for e in part["traceEvents"] if e["ph"] == "C"])
        result = sim("--app", "generate", "--frames", "200", "--trace", self.path("t.json"),
                     "--trace-limit", "100")
        self.assertIn("found no room in the trace", result.stdout)
        last = self.trace("--app", "generate", "--frames", "200", "--trace-last", "100us")
        times = [e["ts"] for e in last["traceEvents"] if e["ph"] == "i"]
        self.assertLess(max(times) - min(times), 101)

    def test_perfettos_own_format_says_the_same(self):
        for quantum in ("0", "10us"):
            with self.subTest(quantum=quantum):
                options = ["--app", "generate", "--frames", "200", "--quantum", quantum]
                phases, _, _ = check_trace(self, self.trace(*options))
                path = self.path("trace.pftrace")
                self.assertEqual(sim("--quiet", "--trace", path, *options).returncode, 0)
                with open(path, "rb") as file:
                    content = file.read()
                own = Perfetto(self, content)
                self.assertLess(len(content) * 2, os.path.getsize(self.path("trace.json")))
                tracks = {(e["pid"], e["tid"]): e["args"]["name"] for e in phases["M"]
                          if e["name"] == "thread_name"}
                ns = lambda us: round(us * 1e6) // 1000
                self.assertEqual(
                    sorted(("board 0", tracks[e["pid"], e["tid"]], ns(e["ts"]),
                            ns(round((e["ts"] + e["dur"]) * 1e6) / 1e6), e["name"])
                           for e in phases["X"]), sorted(own.slices))
                arguments = collections.defaultdict(list)
                for event in phases["X"]:
                    for key, value in event.get("args", {}).items():
                        arguments[key].append(value)
                self.assertEqual(arguments, own.arguments)
                self.assertIn("transmit data", arguments["use"])
                self.assertEqual(len(phases["i"]), len(own.instants))
                self.assertEqual(len(phases["C"]), sum(map(len, own.values.values())))
                self.assertEqual(len(own.flows), len({e["id"] for e in phases["s"]}))
                if quantum != "0":        # slices that overlap are not all shown
                    continue
                for points in own.flows.values():
                    self.assertGreaterEqual(len(points), 3)
                    self.assertEqual([last for _, last in points].count(True), 1)

    def test_phy_eeprom_timers_and_flow_control(self):
        names = collections.Counter()
        trace = self.trace("--app", "generate", "--frames", "300", "--driver", "rdtr=32,interrupt-rate=5000",
                           "--trace-filter", "phy,eeprom,timers,tx-fifo")
        phases, _, _ = check_trace(self, trace)
        for event in phases["X"] + phases["i"]:
            names[event["name"]] += 1
        self.assertGreater(names["read register 1"], 0, "PHY status")
        self.assertGreater(sum(v for n, v in names.items() if n.startswith("read word")), 0)
        self.assertGreater(names["ITR interval"], 0)
        self.assertGreater(names["RDTR/RADV started"], 0)
        self.assertGreater(names["RDTR/RADV expired"], 0)
        fill = [e["args"]["value"] for e in phases["C"] if "transmit FIFO" in e["name"]]
        self.assertGreater(max(fill), 64)
        self.assertEqual(fill[-1], 0)

    def test_pause_frames_sent_and_obeyed(self):
        names = lambda trace: collections.Counter(
            e["name"] for e in trace["traceEvents"] if e["ph"] in "Xi")
        sent = names(self.trace("--app", "generate", "--size", "64", "--frames", "3000", "--link",
                                "loopback:pause=both", "--driver", "rx-ring=16",
                                "--trace-filter", "pause"))
        self.assertGreater(sent["PAUSE sent, 65535 quanta"], 0)
        self.assertEqual(sent["PAUSE sent, 0 quanta"], sent["PAUSE sent, 65535 quanta"])
        path = self.path("pause.pcap")
        pause = bytes.fromhex("0180c2000001" "020000000009" "8808" "0001" "0064") + bytes(42)
        support.write_pcap(path, [(0, pause), (1000000, pause)])
        trace = self.trace("--link", f"pcap:in={path},pause=both", "--trace-filter", "pause")
        self.assertEqual(names(trace)["PAUSE received, 100 quanta"], 2)
        silent = [e["dur"] for e in trace["traceEvents"] if e["name"] == "silent: PAUSE obeyed"]
        self.assertEqual(silent, [100 * 0.512] * 2)  # of 512 bit times

    def test_memory_is_bounded(self):
        def peak(frames, suffix):
            process = subprocess.Popen(
                [support.SIM, "--quiet", "--app", "generate", "--frames", str(frames), "--trace",
                 self.path("t" + suffix), "--waves", self.path("t.vcd"), "--trace-limit", "20000"],
                stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(process.returncode, 0)
            return usage.ru_maxrss
        for suffix in (".json", ".pftrace"):
            with self.subTest(suffix=suffix):
                self.assertLess(peak(30000, suffix), peak(6000, suffix) + 4096)

    def test_a_replay(self):
        check_trace(self, self.trace("--app", "reflect"))

    def test_a_client_of_qtest(self):
        path, page = self.path("qtest.json"), self.path("qtest.html")
        process, address = start_qtest(self, "--link", "null", "--trace", path, "--report", page)
        client = QTestClient(self, address)
        client.config(2, 0x10, 0xE0000000)
        client.config(2, 4, 7)
        client.value("readl 0xe0000008")
        for tail in (1, 0xFFFF, 7):                    # rings are not set up
            client.do(f"writel 0xe0003818 {tail}")
            client.do(f"writel 0xe0002818 {tail}")
        process.terminate()
        self.assertEqual(process.wait(60), 0)
        names = {event["name"] for event in check_trace(self, json.loads(load(path)))[0]["X"]}
        self.assertLessEqual({"read STATUS", "write TDT", "write RDT"}, names)
        Page(load(page))

    def test_wrong_options(self):
        path = self.path("t.json")
        for arguments, word in [
                (["--trace-filter", "bus"], "--trace-filter: only goes with --trace"),
                (["--trace", path, "--trace-filter", "bsu"], "'bsu': unknown kind"),
                (["--trace", path, "--trace-window", "5"], "expected FROM..TO"),
                (["--trace", path, "--trace-limit", "0"], "--trace-limit"),
                (["--trace", "-"], "expected the name of a file"),
                (["--trace", path, "--report", path], "are the same file"),
                (["--trace", path, "--json", path], "are the same file"),
                (["--report", self.path("no/such")], "no/such")]:
            with self.subTest(arguments=arguments):
                result = sim(*arguments)
                self.assertEqual(result.returncode, 2)
                self.assertIn(word, result.stderr)

    def test_what_cannot_be_written_fails_the_run(self):
        for option in ("--trace", "--report"):
            with self.subTest(option=option):
                result = sim("--quiet", option, "/dev/full")
                self.assertEqual(result.returncode, 1)
                self.assertIn("/dev/full", result.stderr)


class Reports(Scenario):
    def check_page(self, text):
        page = Page(text)
        self.assertEqual(page.loads, ["data:,"], "nothing from elsewhere")
        self.assertEqual(page.names["script"], 0)
        self.assertEqual(len(page.ids), len(set(page.ids)))
        for link in page.links:
            self.assertIn(link[1:], page.ids)
        self.assertEqual(page.unnamed, 0, "charts without a name")
        self.assertFalse(">nan" in text or "\"nan" in text)
        return page

    def report(self, *arguments):
        path = self.path("report.html")
        result = sim("--quiet", "--report", path, *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return load(path)

    def test_sections_and_figures(self):
        text = self.report("--app", "generate", "--size", "1518", "--frames", "500", "--nic",
                           "part=82545em", "--pci", "64/66")
        page = self.check_page(text)
        for section in ("throughput", "bus", "received", "sent", "latency", "use", "interrupts",
                        "fifo", "rings", "sizes", "drops", "links", "adapters", "repeat"):
            self.assertIn(section, page.ids)
        self.assertTrue("The wire bounds throughput" in text)
        self.assertTrue("--size 1518 --frames 500 --nic part=82545em --pci 64/66" in text)

    def test_a_full_bus_is_named(self):
        text = self.report("--app", "generate", "--size", "1518", "--frames", "500")
        self.assertTrue("The PCI bus bounds throughput" in text)

    def test_losses_and_switches(self):
        text = self.report("--boards", "3", "--app", "generate", "--to", "first", "--frames",
                           "300", "--link", "switch:lan", "--driver", "rx-ring=16")
        page = self.check_page(text)
        self.assertIn("switches", page.ids)

    def test_a_run_without_traffic(self):
        text = self.report("--link", "null", "--duration", "600ms")
        self.assertTrue("There was no traffic" in text)

    def test_names_from_outside_are_text(self):
        folder = tempfile.mkdtemp(prefix="<b>&'", dir=self.path("."))
        path = os.path.join(folder, "out.pcap")
        text = self.report("--link", f"pcap:in=built-in,out={path}")
        self.check_page(text)
        self.assertFalse("<b>&'" in text)

    def test_runs_compared(self):
        a, b, out = self.path("a.json"), self.path("b.json"), self.path("cmp.html")
        sim("--quiet", "--json", a)
        sim("--quiet", "--json", b, "--pci", "32/66")
        result = sim("report", a, b, "-o", out)
        self.assertEqual(result.returncode, 0, result.stderr)
        page = self.check_page(load(out))
        self.assertIn("figures", page.ids)
        self.assertGreaterEqual(page.names["svg"], 8)

    def test_comparison_says_what_is_wrong(self):
        good, bad = self.path("good.json"), self.path("bad.json")
        sim("--quiet", "--json", good)
        with open(bad, "w", encoding="ascii") as file:
            file.write('{"format": 2}')
        out = self.path("cmp.html")
        for arguments, word in [([good], "expected report"), (["-o", out], "expected report"),
                                ([bad, "-o", out], "bad.json: is no summary"),
                                ([self.path("none"), "-o", out], "cannot read"),
                                ([good, "-o", good], "are the same file"),
                                ([good, "--help"], "expected report")]:
            with self.subTest(arguments=arguments):
                result = sim("report", *arguments)
                self.assertEqual(result.returncode, 2)
                self.assertIn(word, result.stderr)
        self.assertEqual(sim("report", good, "-o", "/dev/full").returncode, 1)

    def test_in_a_browser(self):
        browser = shutil.which("chromium")
        if browser is None:
            self.skipTest("no chromium")
        self.report()
        path = self.path("report.html")
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            result = subprocess.run(
                [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
                 "--no-first-run", "--disable-background-networking", "--disable-component-update",
                 "--disable-sync", f"--user-data-dir={profile}", "--enable-logging=stderr",
                 "--dump-dom", "--window-size=500,900", "file://" + os.path.abspath(path)],
                capture_output=True, text=True, timeout=100, check=False)
        self.assertNotIn("CONSOLE", result.stderr)
        self.assertTrue("Throughput over time" in result.stdout)


if __name__ == "__main__":
    support.main()
