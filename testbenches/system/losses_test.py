"""What the report calls lost, and what --strict makes of it."""

import support
from support import CAPTURE, Scenario, sim, sim_json


class Losses(Scenario):
    def test_strict_makes_any_loss_a_failure(self):
        overload = ("--link", f"pcap:in={CAPTURE},pace=line,loop=20")
        lost = sim_json(*overload)["nics"][0]["lost"]["rx_fifo_full"]
        result = sim("--strict", *overload)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"nic 0: {lost:,} frames lost: rx_fifo_full (--strict)", result.stderr)
        self.assertIn("FAILED", result.stdout)

    def test_strict_says_nothing_where_nothing_is_lost(self):
        for arguments in ((), ("--app", "selftest"), ("--app", "generate", "--frames", "1000"),
                          ("--app", "generate", "--frames", "1000", "--link", "null"),
                          ("--app", "generate", "--duration", "600ms"),
                          ("--boards", "3", "--app", "generate", "--frames", "500", "--rate",
                           "10kfps", "--link", "switch:lan")):
            with self.subTest(arguments=arguments):
                result = sim("--strict", *arguments)
                self.assertEqual(result.returncode, 0, result.stderr)

    def test_strict_counts_what_hangs_on_a_switch(self):
        link = f"dgram:local={self.path('a')},remote={self.path('nobody')}"
        arguments = ("--app", "generate", "--frames", "50", "--to", "02:00:00:00:00:01", "--link",
                     "switch:lan", "--on-switch", f"lan={link}")
        summary = sim_json(*arguments)
        self.assertEqual(summary["switches"][0]["ports"][1]["lost"], {"partner_no_peer": 50})
        result = sim("--strict", *arguments)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("switch lan, port 1: 50 frames lost: partner_no_peer (--strict)",
                      result.stderr)

    def test_what_null_takes_is_not_lost(self):
        arguments = ("--app", "generate", "--frames", "1000", "--link", "null")
        out = sim(*arguments).stdout
        self.assertIn("lost          nothing", out)
        self.assertIn("0 intact, 0 lost", out)
        self.assertIn("swallowed     1,000 frames by null", out)
        stream, = sim_json(*arguments)["streams"]
        self.assertEqual((stream["sent"], stream["received"], stream["lost"], stream["swallowed"]),
                         (1000, 0, 0, 1000))

    def test_a_recorder_swallows_too(self):
        stream, = sim_json("--app", "generate", "--frames", "100", "--link",
                           f"pcap:out={self.path('a.pcapng')}")["streams"]
        self.assertEqual((stream["lost"], stream["swallowed"]), (0, 100))

    def test_a_self_test_that_passes_lost_nothing(self):
        out = sim("--app", "selftest").stdout
        self.assertIn("lost          nothing", out)
        self.assertIn("filtered      448 frames not addressed to it", out)
        nic, = sim_json("--app", "selftest")["nics"]
        self.assertEqual((nic["lost"], nic["filtered"]), ({}, {"rx_filtered": 448}))

    def test_frames_under_way_are_not_lost(self):
        for end in ("530.1ms", "530.2ms", "530.3ms"):
            summary = sim_json("--app", "generate", "--duration", end)
            stream, = summary["streams"]
            self.assertEqual(stream["sent"], stream["received"] + stream["under_way"])
            self.assertGreater(stream["under_way"], 0)


if __name__ == "__main__":
    support.main()
