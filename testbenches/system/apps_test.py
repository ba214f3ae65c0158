"""Each application on each part, through the command line."""

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

    def test_quiet_is_quiet(self):
        result = sim("--quiet")
        self.assertEqual((result.stdout, result.stderr, result.returncode), ("", "", 0))


if __name__ == "__main__":
    support.main()
