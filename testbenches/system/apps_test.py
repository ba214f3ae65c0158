"""Each application on each part, through the command line."""

import json
import os
import subprocess

import support
from support import CAPTURE, Scenario, read_pcap, read_pcapng, sim, sim_json

PARTS = ("82540em", "82544gc", "82545em", "82545gm")


class Apps(Scenario):
    def test_sink_takes_everything_and_sends_nothing(self):
        nic = sim_json("--app", "sink")["nics"][0]
        self.assertEqual(nic["driver_in"]["frames"], 340)
        self.assertEqual(nic["wire_out"]["frames"], 0)
        self.assertEqual(nic["lost"], {})

    def test_generate_gets_every_frame_back_intact_on_every_part(self):
        for part in PARTS:
            with self.subTest(part=part):
                summary = sim_json("--app", "generate", "--nic", f"part={part}", "--frames", "2000",
                                   "--seed", "7")
                stream, = summary["streams"]
                self.assertEqual(stream["received"], 2000)
                for fault in ("lost", "corrupt", "duplicates", "reordered"):
                    self.assertEqual(stream[fault], 0, fault)
                self.assertGreater(stream["latency"]["p50_ns"], 0)

    def test_generate_at_a_rate_fills_the_wire_as_asked(self):
        summary = sim_json("--app", "generate", "--rate", "100Mbit/s", "--size", "1518",
                           "--frames", "1000")
        # 1000 frames of 1538 byte times each at 100 Mbit/s take 123.04 ms.
        self.assertAlmostEqual(summary["active_s"], 0.12304, delta=0.001)

    def test_seed_decides_the_frames(self):
        def recording(name, seed):
            path = self.path(name)
            result = sim("--app", "generate", "--frames", "50", "--size", "64-1518", "--seed", seed,
                         "--link", f"pcap:out={path}")
            self.assertEqual(result.returncode, 0, result.stderr)
            return [f.data for f in read_pcapng(path) if f.direction == "out"]

        first = recording("a", "5")
        self.assertEqual(len(first), 50)
        self.assertEqual(first, recording("b", "5"))
        self.assertNotEqual(first, recording("c", "6"))

    def test_forward_carries_both_ways_between_two_adapters(self):
        left, right = self.path("left.pcapng"), self.path("right.pcapng")
        # Slowed down: one 32-bit bus does not carry four gigabit directions.
        result = sim("--app", "forward", "--link", f"pcap:in={CAPTURE},out={left},scale=0.1",
                     "--link", f"pcap:in={CAPTURE},out={right},scale=0.1")
        self.assertEqual(result.returncode, 0, result.stderr)
        sent = [f.data for f in read_pcap(CAPTURE)]
        for recording in (left, right):
            self.assertEqual([f.data for f in read_pcapng(recording) if f.direction == "out"], sent)

    def test_slow_links_negotiate_and_work(self):
        for speed in (10, 100):
            with self.subTest(speed=speed):
                summary = sim_json("--app", "generate", "--frames", "100", "--link",
                                   f"loopback:speed={speed}")
                nic, = summary["nics"]
                self.assertEqual(nic["link_mbit_per_s"], speed)
                self.assertEqual(summary["streams"][0]["received"], 100)

    def test_mac_address_is_the_one_asked_for(self):
        summary = sim_json("--nic", "mac=02:11:22:33:44:55")
        self.assertEqual(summary["nics"][0]["mac"], "02:11:22:33:44:55")

    def test_configuration_file(self):
        config = self.path("run.ini")
        with open(config, "w", encoding="ascii") as file:
            file.write("app=generate\nframes=10\nsize=64\nnic=part=82545gm\n")
        summary = sim_json("--config", config)
        self.assertEqual(summary["nics"][0]["part"], "82545gm")
        self.assertEqual(summary["streams"][0]["sent"], 10)

    def test_json_file_and_text_say_the_same(self):
        path = self.path("out.json")
        result = sim("--json", path)
        self.assertIn("340 frames", result.stdout)
        with open(path, encoding="utf-8") as file:
            self.assertIn('"frames": 340', file.read())

    def test_counts_add_up_also_when_frames_are_lost_or_time_is(self):
        replay = f"pcap:in={CAPTURE},pace=line,loop=20"
        for app in ("sink", "reflect"):
            for quantum in ("0", "100us"):
                for end in ((), ("--duration", "525ms"), ("--duration", "530ms")):
                    with self.subTest(app=app, quantum=quantum, end=end):
                        summary = sim_json("--app", app, "--link", replay, "--quantum", quantum,
                                           *end)
                        nic, = summary["nics"]
                        lost = sum(n for why, n in nic["lost"].items() if why.startswith("rx_"))
                        lost += sum(nic["filtered"].values())
                        self.assertGreater(nic["driver_in"]["frames"], 0)
                        self.assertEqual(nic["wire_in"]["frames"], nic["driver_in"]["frames"] +
                                         lost + nic["mac_control_in"] + nic["under_way"])
                        if not end:
                            self.assertEqual(nic["under_way"], 0)

    def test_overload_is_counted(self):
        nic, = sim_json("--link", f"pcap:in={CAPTURE},pace=line,loop=20")["nics"]
        # Reflecting line rate takes more than a 32-bit bus has.
        self.assertGreater(nic["lost"]["rx_fifo_full"], 0)

    def test_two_runs_are_identical_whatever_they_do(self):
        def outcome(arguments, name):
            path = self.path(name)
            summary = sim_json(*(a.replace("OUT", path) for a in arguments))
            for key in ("wall_s", "wall_ns"):
                del summary[key]
            for nic in summary["nics"]:
                del nic["link"]
            with open(path, "rb") as file:
                return summary, file.read()

        replay = f"pcap:in={CAPTURE},out=OUT,pace=line"
        for run in (["--app", "sink", "--link", replay],
                    ["--app", "forward", "--link", replay, "--link", "loopback"],
                    ["--app", "generate", "--frames", "300", "--link", "pcap:out=OUT"]):
            for quantum in ("0", "100us"):
                with self.subTest(run=run, quantum=quantum):
                    run_now = [*run, "--quantum", quantum]
                    self.assertEqual(outcome(run_now, "1"), outcome(run_now, "2"))

    def test_a_quantum_may_be_long(self):
        for quantum in ("5ms", "1s"):
            with self.subTest(quantum=quantum):
                summary = sim_json("--quantum", quantum)
                self.assertEqual(summary["nics"][0]["driver_out"]["frames"], 340)

    def test_long_pauses_of_a_recording_cost_nothing(self):
        path = self.path("pause.pcap")
        frames = [b"\xff" * 6 + bytes.fromhex("020000000001 88b5") + bytes(46)] * 3
        support.write_pcap(path, zip((0, 3600 * 10**9, 50 * 86400 * 10**9), frames))
        summary = sim_json("--link", f"pcap:in={path}")
        self.assertEqual(summary["nics"][0]["driver_out"]["frames"], 3)
        self.assertEqual(summary["simulated_ns"] // 10**9, 50 * 86400)

    def test_json_has_times_in_nanoseconds(self):
        summary = sim_json("--duration", "600ms")
        self.assertEqual(summary["simulated_ns"], 600_000_000)
        self.assertAlmostEqual(summary["wall_ns"] / 1e9, summary["wall_s"], places=6)

    def test_json_may_go_into_a_pipe(self):
        path = self.path("pipe")
        os.mkfifo(path)
        with subprocess.Popen(["cat", path], stdout=subprocess.PIPE, text=True) as reader:
            result = sim("--quiet", "--json", path)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(json.loads(reader.communicate(timeout=20)[0])["app"], "reflect")

    def test_quiet_is_quiet(self):
        result = sim("--quiet")
        self.assertEqual((result.stdout, result.stderr, result.returncode), ("", "", 0))


if __name__ == "__main__":
    support.main()
