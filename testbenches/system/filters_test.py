"""Hubs, and filters on links: dump, impair, mirror, redirect."""

import os

import support
from support import Scenario, read_pcapng, sim, sim_json

GENERATE = ("--app", "generate", "--frames", "2000", "--link", "loopback")


def lost(summary, nic=0):
    return summary["nics"][nic]["lost"]


class Hub(Scenario):
    def test_everybody_hears_everything(self):
        for quantum in ("0", "50us"):
            with self.subTest(quantum=quantum):
                record = self.path("hub.pcapng")
                summary = sim_json("--boards", "3", "--app", "generate", "--frames", "200",
                                   "--link", "hub:lan", "--on-switch", f"lan=pcap:out={record}",
                                   "--rate", "10kfps", "--quantum", quantum)
                self.assertEqual([s["received"] for s in summary["streams"]], [200] * 3)
                hub, = summary["switches"]
                self.assertEqual((hub["name"], hub["kind"], hub["flooded"]), ("lan", "hub", 600))
                self.assertEqual(len(read_pcapng(record)), 600)

    def test_mistakes_are_named(self):
        for arguments, named in (
                (("--link", "hub"), "hub:NAME"),
                (("--link", "hub:lan", "--link", "switch:lan"), "different names"),
                (("--link", "hub:lan", "--hub", "lan:table=3"), "latency, queue"),
                (("--hub", "lan"), "hub:lan"),
                (("--link", "hub:lan", "--switch", "lan"), "hub")):
            with self.subTest(arguments=arguments):
                result = sim(*arguments)
                self.assertEqual(result.returncode, 2, result.stdout)
                self.assertIn(named, result.stderr)


class Filters(Scenario):
    def test_losses_are_exact_and_the_same_in_both_accuracies(self):
        def losses(quantum, *filters):
            options = [word for text in filters for word in ("--filter", text)]
            return sim_json(*GENERATE, "--quantum", quantum, "--rate", "20kfps", *options)
        for quantum in ("0", "20us"):
            summary = losses(quantum, "0:impair:lose=5/100-109,dir=out")
            self.assertEqual(lost(summary), {"impair_chosen": 11})
            self.assertEqual(summary["streams"][0]["received"], 1989)
            self.assertTrue(summary["ok"])
        first, second = (losses(q, "0:impair:loss=5%,burst=1%/30%,seed=9") for q in ("0", "20us"))
        self.assertEqual(lost(first), lost(second))
        self.assertEqual(sorted(lost(first)), ["impair_burst", "impair_loss"])
        self.assertEqual(first["streams"][0]["received"] + sum(lost(first).values()), 2000)

    def test_two_runs_are_identical(self):
        def capture():
            path = self.path("run.pcapng")
            sim_json(*GENERATE, "--filter", "0:impair:loss=3%,corrupt=1%,duplicate=2%,reorder=5%,"
                     "delay=200us,jitter=50us,dist=normal,overtake=on,rate=300Mbit/s",
                     "--filter", f"0:dump:file={path}")
            with open(path, "rb") as file:
                return file.read()
        self.assertEqual(capture(), capture())

    def test_damage_reaches_the_software_as_it_should(self):
        stream, = sim_json(*GENERATE, "--filter", "0:impair:duplicate=10%,dir=in")["streams"]
        self.assertGreater(stream["duplicates"], 100)
        stream, = sim_json(*GENERATE, "--filter", "0:impair:reorder=10%,dir=in")["streams"]
        self.assertGreater(stream["reordered"], 100)
        summary = sim_json(*GENERATE, "--filter", "0:impair:corrupt=10%,dir=in")
        self.assertEqual(sorted(lost(summary)), ["rx_bad_fcs"])
        slow = sim_json(*GENERATE, "--size", "1518", "--filter",
                        "0:impair:rate=100Mbit/s,queue=64MiB,dir=in")
        self.assertGreater(slow["active_s"], 2000 * 1538 * 8 / 100e6)

    def test_filters_stand_in_the_order_given_from_the_adapter_on(self):
        near, far = self.path("near.pcapng"), self.path("far.pcapng")
        sim_json(*GENERATE, "--filter", f"0:dump:file={near}", "--filter",
                 "0:impair:loss=20%,delay=1ms,dir=out", "--filter", f"0:dump:file={far}")
        count = {place: {way: [f for f in read_pcapng(path) if f.direction == way]
                         for way in ("in", "out")} for place, path in (("near", near), ("far", far))}
        self.assertEqual(len(count["near"]["out"]), 2000)
        self.assertLess(len(count["far"]["out"]), 1700)
        self.assertEqual(len(count["far"]["in"]), len(count["far"]["out"]))
        self.assertEqual(len(count["near"]["in"]), len(count["far"]["in"]))
        sent = {f.data: f.time_ns for f in count["near"]["out"]}
        for frame in count["far"]["out"]:
            self.assertEqual(frame.time_ns - sent[frame.data], 1_000_000)

    def test_mirror_and_redirect(self):
        copy = self.path("copy.pcapng")
        summary = sim_json(*GENERATE, "--filter", f"0:mirror:to=pcap:out={copy},dir=out")
        self.assertEqual(summary["streams"][0]["received"], 2000)
        self.assertEqual(len(read_pcapng(copy)), 2000)
        summary = sim_json("--app", "generate", "--frames", "100", "--link", "null",
                           "--filter", "0:redirect:to=loopback:speed=1000,,pause=none,dir=both")
        self.assertEqual(summary["streams"][0]["received"], 100)

    def test_filters_on_what_hangs_on_a_switch(self):
        path = self.path("out.pcapng")
        summary = sim_json("--app", "generate", "--frames", "100", "--to", "02:00:00:00:00:99",
                           "--link", "switch:lan", "--on-switch", "lan=null", "--on-switch",
                           f"lan=pcap:out={path}", "--filter", "lan/1:impair:lose=1-40,dir=out")
        self.assertEqual(len(read_pcapng(path)), 60)
        self.assertEqual(summary["switches"][0]["ports"][2]["lost"], {"impair_chosen": 40})

    def test_mistakes_are_named(self):
        for text, named in (
                ("impair:loss=1%", "LINK:KIND"), ("3:impair", "no such link"),
                ("0:teleport", "dump, impair, mirror, redirect"), ("0:dump", "file="),
                ("0:mirror:to=teleport", "teleport"), ("0:impair:loss=110%", "loss=110%"),
                ("0:impair:loss=nan", "loss=nan"), ("0:impair:burst=1%", "FAIL/RECOVER"),
                ("0:impair:lose=5/3", "ascending"), ("0:impair:delay=5", "delay=5"),
                ("0:impair:dir=up", "dir=up"), ("0:impair:colour=red", "colour"),
                ("0:impair:delay=1000s", "delay"), ("0:dump:file=/nowhere/x", "/nowhere/x")):
            with self.subTest(text=text):
                result = sim("--filter", text)
                self.assertEqual(result.returncode, 2, result.stdout)
                self.assertIn("--filter", result.stderr)
                self.assertIn(named, result.stderr)
        path = self.path("same")
        result = sim("--filter", f"0:dump:file={path}", "--filter", f"0:dump:file={path}")
        self.assertEqual(result.returncode, 2)
        self.assertIn("same file", result.stderr)
        self.assertFalse(os.path.exists(path))


if __name__ == "__main__":
    support.main()
