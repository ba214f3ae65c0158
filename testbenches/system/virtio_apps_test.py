"""The native driver's applications on virtio-net adapters, through the command line."""

import support
from support import CAPTURE, Scenario, read_pcap, read_pcapng, sim, sim_json

VIRTIO = "model=virtio-net"
QUANTA = ("0", "100us")
FAULTS = ("lost", "corrupt", "duplicates", "reordered")


def nic(keys=""):
    """--nic with a virtio-net adapter."""
    return ("--nic", f"{VIRTIO},{keys}" if keys else VIRTIO)


class Virtio(Scenario):
    def assert_intact(self, summary, frames):
        for stream in summary["streams"]:
            self.assertEqual(stream["received"], frames)
            for fault in FAULTS:
                self.assertEqual(stream[fault], 0, fault)

    def test_sink_takes_everything_and_sends_nothing(self):
        for quantum in QUANTA:
            with self.subTest(quantum=quantum):
                found, = sim_json("--app", "sink", *nic(), "--quantum", quantum)["nics"]
                self.assertEqual(found["driver_in"]["frames"], 340)
                self.assertEqual(found["wire_out"]["frames"], 0)
                self.assertEqual(found["lost"], {})

    def test_reflect_sends_back_what_came_unchanged_and_in_order(self):
        sent = [f.data for f in read_pcap(CAPTURE)]
        for quantum in QUANTA:
            with self.subTest(quantum=quantum):
                path = self.path(f"reflected-{quantum}")
                found, = sim_json("--app", "reflect", *nic(), "--quantum", quantum, "--link",
                                  f"pcap:in={CAPTURE},out={path}")["nics"]
                self.assertEqual([f.data for f in read_pcapng(path) if f.direction == "out"], sent)
                self.assertEqual(found["driver_out"]["frames"], 340)
                self.assertEqual(found["lost"], {})

    def test_generate_gets_every_frame_back_intact(self):
        ways = [((), keys) for keys in ("", "queues=4", "interface=transitional",
                                        "queue-size=2", "features=-EVENT_IDX",
                                        "features=-MRG_RXBUF-CTRL_VQ-STATUS-MAC")]
        ways += [(("--driver", keys), "") for keys in ("event-idx=0", "mergeable=0,indirect=1",
                                                       "rx-ring=16,tx-ring=16")]
        ways += [(("--driver", "queues=2"), "queues=4"), (("--driver", "queues=1"), "queues=4")]
        for driver, keys in ways:
            for quantum in QUANTA:
                with self.subTest(driver=driver, nic=keys, quantum=quantum):
                    summary = sim_json("--app", "generate", *nic(keys), *driver, "--frames", "1000",
                                       "--seed", "7", "--quantum", quantum)
                    self.assert_intact(summary, 1000)
                    self.assertGreater(summary["streams"][0]["latency"]["p50_ns"], 0)

    def test_long_frames_come_in_one_buffer_or_in_several(self):
        for driver in ("mergeable=1", "mergeable=0"):
            for quantum in QUANTA:
                with self.subTest(driver=driver, quantum=quantum):
                    summary = sim_json("--app", "generate", *nic("queues=2"), "--driver", driver,
                                       "--size", "64-9018", "--frames", "300", "--rate",
                                       "200Mbit/s", "--quantum", quantum)
                    self.assert_intact(summary, 300)

    def test_blast_fills_the_wire(self):
        for quantum in QUANTA:
            with self.subTest(quantum=quantum):
                found, = sim_json("--app", "blast", *nic("queues=4"), "--frames", "2000", "--size",
                                  "1518", "--link", "null", "--quantum", quantum)["nics"]
                self.assertEqual(found["driver_out"]["frames"], 2000)
                self.assertEqual(found["wire_out"]["frames"], 2000)
                self.assertEqual(found["lost"], {})

    def test_forward_carries_both_ways_between_adapters_of_either_kind(self):
        sent = [f.data for f in read_pcap(CAPTURE)]
        e1000 = ("--nic", "part=82545em")
        for name, nics in (("virtio to virtio", (*nic(), *nic())),
                           ("virtio to e1000", (*nic(), *e1000)),
                           ("e1000 to virtio", (*e1000, *nic()))):
            for indirect in ("0", "1"):
                for quantum in QUANTA:
                    with self.subTest(nics=name, indirect=indirect, quantum=quantum):
                        left, right = self.path("left"), self.path("right")
                        result = sim("--app", "forward", *nics, "--quantum", quantum,
                                     "--driver", f"indirect={indirect}",
                                     "--link", f"pcap:in={CAPTURE},out={left},scale=0.1",
                                     "--link", f"pcap:in={CAPTURE},out={right},scale=0.1")
                        self.assertEqual(result.returncode, 0, result.stderr)
                        for recording in (left, right):
                            frames = read_pcapng(recording)
                            self.assertEqual([f.data for f in frames if f.direction == "out"], sent)

    def test_forward_to_a_slow_link_waits_for_it(self):
        replay = ("--link", f"pcap:in={CAPTURE},pace=line,loop=10")
        slow = ("--link", "null:speed=10")
        for nics in ((*nic(), "--nic", "part=82540em"), (*nic("queues=4"), *nic()),
                     ("--nic", "part=82540em", *nic())):
            for quantum in QUANTA:
                with self.subTest(nics=nics, quantum=quantum):
                    first, second = sim_json("--app", "forward", *nics, *replay, *slow, "--quantum",
                                             quantum)["nics"]
                    self.assertGreater(first["driver_in"]["frames"], 500)
                    self.assertEqual(second["driver_out"]["frames"], first["driver_in"]["frames"])
                    lost = sum(n for why, n in first["lost"].items() if why.startswith("rx_"))
                    self.assertEqual(first["wire_in"]["frames"], first["driver_in"]["frames"] + lost)

    def test_generated_streams_cross_between_the_kinds(self):
        for quantum in QUANTA:
            with self.subTest(quantum=quantum):
                summary = sim_json("--app", "generate", *nic("queues=2"), "--nic", "part=82540em",
                                   "--switch", "lan", "--link", "switch:lan", "--link",
                                   "switch:lan", "--frames", "500", "--rate", "100Mbit/s",
                                   "--quantum", quantum)
                self.assert_intact(summary, 500)

    def test_boards_with_a_switch_between_them(self):
        summary = sim_json("--boards", "3", "--app", "generate", *nic("queues=2"), "--switch",
                           "lan", "--link", "switch:lan", "--frames", "200", "--rate",
                           "50Mbit/s")
        self.assertEqual(len(summary["streams"]), 3)
        self.assert_intact(summary, 200)

    def test_ping_gets_an_address_and_answers(self):
        found, = sim_json("--app", "ping", *nic("queues=2"), "--link", "user", "--frames",
                          "3")["nics"]
        self.assertEqual(found["ping"]["received"], 3)

    def test_several_pairs_are_used_and_flows_stay_in_order(self):
        path, reflected = self.path("flows.pcap"), self.path("reflected")
        frames = [udp_frame(number % 16, number) for number in range(800)]
        support.write_pcap(path, [(i * 20_000, data) for i, data in enumerate(frames)])
        for quantum in QUANTA:
            with self.subTest(quantum=quantum):
                found, = sim_json("--app", "reflect", *nic("queues=4"), "--quantum", quantum,
                                  "--link", f"pcap:in={path},out={reflected}")["nics"]
                out = [f.data for f in read_pcapng(reflected) if f.direction == "out"]
                for flow in range(16):
                    self.assertEqual([f for f in out if port(f) == 1000 + flow],
                                     [f for f in frames if port(f) == 1000 + flow])
                pairs = found["virtio"]["pairs"]
                self.assertEqual(len(pairs), 4)
                for pair in pairs:
                    self.assertGreater(pair["out"]["frames"], 0)
                    self.assertGreater(pair["in"]["frames"], 0)

    def test_counts_add_up_when_time_ends(self):
        replay = f"pcap:in={CAPTURE},pace=line,loop=20"
        for app in ("sink", "reflect"):
            for quantum in QUANTA:
                for end in ((), ("--duration", "5ms"), ("--duration", "11ms")):
                    with self.subTest(app=app, quantum=quantum, end=end):
                        found, = sim_json("--app", app, *nic("queues=2"), "--link", replay,
                                          "--quantum", quantum, *end)["nics"]
                        lost = sum(n for why, n in found["lost"].items() if why.startswith("rx_"))
                        lost += sum(found["filtered"].values())
                        self.assertGreater(found["driver_in"]["frames"], 0)
                        self.assertEqual(found["wire_in"]["frames"], found["driver_in"]["frames"] +
                                         lost + found["under_way"])
                        if not end:
                            self.assertEqual(found["under_way"], 0)

    def test_two_runs_are_identical(self):
        def outcome(arguments, name):
            path = self.path(name)
            summary = sim_json(*(a.replace("OUT", path) for a in arguments))
            for key in ("wall_s", "wall_ns"):
                del summary[key]
            for found in summary["nics"]:
                del found["link"]
            with open(path, "rb") as file:
                return summary, file.read()

        replay = f"pcap:in={CAPTURE},out=OUT,pace=line"
        for run in (["--app", "sink", *nic("queues=4"), "--link", replay],
                    ["--app", "forward", *nic(), "--nic", "part=82540em", "--link", replay,
                     "--link", "loopback"],
                    ["--app", "generate", *nic("queues=4"), "--frames", "300", "--link",
                     "pcap:out=OUT"]):
            for quantum in QUANTA:
                with self.subTest(run=run, quantum=quantum):
                    run_now = [*run, "--quantum", quantum]
                    self.assertEqual(outcome(run_now, "1"), outcome(run_now, "2"))

    def test_frames_that_the_mtu_forbids_are_counted(self):
        summary = sim_json("--app", "generate", *nic("mtu=1000"), "--size", "1518", "--frames",
                           "10", status=1)
        self.assertEqual(summary["nics"][0]["lost"]["driver_mtu"], 10)
        self.assertEqual(summary["streams"][0]["lost"], 10)

    def test_what_it_cannot_do_it_says(self):
        for arguments, text in (
                (("--app", "selftest", *nic()), "the self-test is one of e1000 cards"),
                ((*nic(), "--driver", "tidv=3"), "--driver tidv: only e1000 adapters have this"),
                (("--driver", "queues=2"), "--driver queues: only virtio-net adapters have this"),
                ((*nic("queues=2"), "--driver", "queues=3"), "has 2 pairs of queues"),
                ((*nic("queue-size=64"), "--driver", "rx-ring=128"), "at most 64 descriptors"),
                ((*nic(), "--driver", "rx-ring=24"), "expected a power of two"),
                ((*nic("interface=transitional,features=-VERSION_1"),), "a legacy device")):
            with self.subTest(arguments=arguments):
                result = sim(*arguments)
                self.assertNotEqual(result.returncode, 0)
                self.assertIn(text, result.stderr)


def udp_frame(flow, number):
    """One of a flow's frames: IPv4 and UDP, ports 1000 + flow to 9, numbered."""
    header = bytes.fromhex("525400123456 020000000001 0800"
                           "4500 0032 0000 4000 4011 0000 0a000001 0a000002")
    udp = (1000 + flow).to_bytes(2, "big") + (9).to_bytes(2, "big") + (30).to_bytes(2, "big")
    return header + udp + bytes(2) + number.to_bytes(4, "big") + bytes(18)


def port(frame):
    """The UDP source port."""
    return int.from_bytes(frame[34:36], "big")


if __name__ == "__main__":
    support.main()
