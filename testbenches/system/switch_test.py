"""Adapters, boards and other links that meet on a switch, through the command line."""

import support
from support import CAPTURE, Scenario, read_pcap, read_pcapng, sim, sim_json

LAN = ("--link", "switch:lan")


class Switch(Scenario):
    def test_boards_reach_each_other_and_the_report_says_how(self):
        for quantum in ("0", "100us"):
            with self.subTest(quantum=quantum):
                summary = sim_json("--boards", "4", "--app", "generate", "--frames", "500", *LAN,
                                   "--quantum", quantum)
                self.assertEqual([s["received"] for s in summary["streams"]], [500] * 4)
                hub, = summary["switches"]
                self.assertEqual((hub["name"], hub["stations"]), ("lan", 4))
                self.assertEqual(hub["forwarded"] + hub["flooded"], 2000)
                self.assertEqual([p["to"] for p in hub["ports"]],
                                 ["nic 0", "nic 1", "nic 2", "nic 3"])
                for nic, port in zip(summary["nics"], hub["ports"]):
                    self.assertEqual(nic["wire_out"], port["in"])
                    self.assertEqual(nic["wire_in"], port["out"])

    def test_a_recorder_on_a_port_sees_only_what_is_flooded(self):
        path = self.path("lan.pcapng")
        summary = sim_json("--boards", "2", "--app", "generate", "--frames", "300", *LAN,
                           "--on-switch", f"lan=pcap:out={path}")
        hub, = summary["switches"]
        self.assertGreater(hub["flooded"], 0)
        self.assertEqual(len(read_pcapng(path)), hub["flooded"])

    def test_a_replay_on_a_port_reaches_the_adapters(self):
        frames = [b"\xff" * 6 + bytes.fromhex("020000000001 88b5") + bytes([n]) * 46
                  for n in range(20)]
        replay = self.path("in.pcap")
        support.write_pcap(replay, [(n * 10_000, frame) for n, frame in enumerate(frames)])
        outs = [self.path(f"out{n}.pcapng") for n in range(2)]
        summary = sim_json("--app", "sink", *LAN, *LAN, "--on-switch", f"lan=pcap:in={replay}")
        self.assertEqual([n["driver_in"]["frames"] for n in summary["nics"]], [20, 20])
        # The other way round: the adapter is on a wire of its own and forwards into the switch.
        result = sim("--app", "forward", "--link", f"pcap:in={replay}", *LAN,
                     *(a for out in outs for a in ("--on-switch", f"lan=pcap:out={out}")))
        self.assertEqual(result.returncode, 0, result.stderr)
        for out in outs:
            self.assertEqual([f.data for f in read_pcapng(out)], frames)

    def test_two_runs_are_identical(self):
        def outcome():
            summary = sim_json("--boards", "3", "--app", "generate", "--frames", "400", "--to",
                               "first", *LAN, "--quantum", quantum, "--switch", "lan:queue=20k",
                               "--on-switch", f"lan=pcap:in={CAPTURE},pace=line")
            for key in ("wall_s", "wall_ns"):
                del summary[key]
            return summary
        for quantum in ("0", "50us"):
            with self.subTest(quantum=quantum):
                self.assertEqual(outcome(), outcome())

    def test_options_of_the_switch_change_what_it_does(self):
        replay = self.path("in.pcap")
        support.write_pcap(replay, [(0, b"\xff" * 6 + bytes.fromhex("020000000001 88b5") +
                                     bytes(86))])

        def transit(*options):
            sent, got = self.path("sent.pcapng"), self.path("got.pcapng")
            summary = sim_json("--app", "sink", *LAN, "--on-switch",
                               f"lan=pcap:in={replay},out={sent}", "--on-switch",
                               f"lan=pcap:out={got}", *options)
            self.assertEqual(summary["nics"][0]["driver_in"]["frames"], 1)
            return read_pcapng(got)[0].time_ns - read_pcapng(sent)[0].time_ns
        # 8 + 104 byte times, 50 ns of cable, and the switch.
        self.assertEqual(transit(), 112 * 8 + 50 + 2_000)
        self.assertEqual(transit("--switch", "lan:latency=12us"), 112 * 8 + 50 + 12_000)
        hub, = sim_json("--boards", "3", "--app", "generate", "--frames", "100", *LAN, "--switch",
                        "lan:table=1")["switches"]
        self.assertEqual(hub["stations"], 1)
        self.assertGreater(hub["refused"], 0)
        hub, = sim_json("--boards", "2", "--app", "generate", "--frames", "10", "--size", "1519",
                        "--max-frame", "9018", *LAN, "--switch", "lan:max-frame=1518")["switches"]
        self.assertEqual(hub["ports"][0]["lost"], {"too_long": 10})

    def test_mistakes_are_named(self):
        for arguments, named in (
                (("--link", "switch"), "switch:NAME"),
                (("--link", "switch:lan,colour=red"), "colour"),
                (("--switch", "lan"), "--switch lan"),
                ((*LAN, "--on-switch", "wan=null"), "--on-switch wan=null"),
                ((*LAN, "--on-switch", "lan=teleport"), "teleport"),
                ((*LAN, "--on-switch", "lan=switch:lan"), "ring"),
                (("--boards", "2", "--link", f"pcap:out={self.path('x')}"), "same file"),
                ((*LAN, "--on-switch", f"lan=pcap:in={CAPTURE},out={CAPTURE}"), CAPTURE)):
            with self.subTest(arguments=arguments):
                result = sim(*arguments)
                self.assertEqual(result.returncode, 2, result.stdout)
                self.assertIn(named, result.stderr)
        self.assertEqual(len(read_pcap(CAPTURE)), 340)


if __name__ == "__main__":
    support.main()
