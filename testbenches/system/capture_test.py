"""The built-in capture through the whole machine and back, byte by byte."""

import shutil

import support
from support import CAPTURE, Scenario, read_pcap, read_pcapng, sim, sim_json


class Capture(Scenario):
    def reflect(self, name, *arguments):
        recording = self.path(name)
        summary = sim_json("--link", f"pcap:in=built-in,out={recording}", *arguments)
        return summary, recording

    def check_reflection(self, frames, sent):
        inward = [f.data for f in frames if f.direction == "in"]
        outward = [f.data for f in frames if f.direction == "out"]
        self.assertEqual(inward, sent)
        self.assertEqual(outward, sent, "every frame comes back, unchanged and in order")
        times = [f.time_ns for f in frames]
        self.assertEqual(times, sorted(times))

    def test_every_frame_comes_back_byte_for_byte(self):
        sent = [f.data for f in read_pcap(CAPTURE)]
        summary, recording = self.reflect("a.pcapng")
        self.check_reflection(read_pcapng(recording), sent)
        self.assertEqual(summary["nics"][0]["lost"], {})
        self.assertEqual(summary["nics"][0]["transit"]["samples"], len(sent))

    def test_loosely_timed_as_well(self):
        sent = [f.data for f in read_pcap(CAPTURE)]
        _, recording = self.reflect("a.pcapng", "--quantum", "100us")
        self.check_reflection(read_pcapng(recording), sent)

    def test_replay_keeps_the_recorded_times(self):
        _, recording = self.reflect("a.pcapng")
        sent = read_pcap(CAPTURE)
        replayed = [f for f in read_pcapng(recording) if f.direction == "in"]
        start = replayed[0].time_ns - sent[0].time_ns
        late = [r.time_ns - start - s.time_ns for r, s in zip(replayed, sent)]
        # A frame waits at most for those before it, which the recording had closer than the wire.
        self.assertGreaterEqual(min(late), 0)
        self.assertLess(max(late), 1_000_000)

    def test_two_runs_are_identical_with_their_time_stamps(self):
        for quantum in ("0", "50us"):
            with self.subTest(quantum=quantum):
                _, first = self.reflect("1.pcapng", "--quantum", quantum)
                _, second = self.reflect("2.pcapng", "--quantum", quantum)
                with open(first, "rb") as a, open(second, "rb") as b:
                    self.assertEqual(a.read(), b.read())

    def test_a_file_gives_what_the_built_in_capture_gives(self):
        copy = self.path("copy.pcap")
        shutil.copy(CAPTURE, copy)
        _, built_in = self.reflect("1.pcapng")
        result = sim("--link", f"pcap:in={copy},out={self.path('2.pcapng')}")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([(f.time_ns, f.data) for f in read_pcapng(built_in)],
                         [(f.time_ns, f.data) for f in read_pcapng(self.path("2.pcapng"))])

    def test_nothing_is_recorded_that_lies_beyond_the_end(self):
        recording = self.path("a.pcapng")
        for quantum in ("0", "100us"):
            with self.subTest(quantum=quantum):
                summary = sim_json("--link", f"pcap:in=built-in,out={recording},pace=1fps",
                                   "--duration", "2s", "--quantum", quantum)
                frames = read_pcapng(recording)
                self.assertEqual([f.direction for f in frames], ["in", "out"] * 2)
                self.assertLess(frames[-1].time_ns, 2_000_000_000)
                self.assertEqual(summary["nics"][0]["wire_in"]["frames"], 2)

    def test_micro_and_nanosecond_files_replay_alike(self):
        sent = read_pcap(CAPTURE)
        path = self.path("us.pcap")
        support.write_pcap(path, [(f.time_ns, f.data) for f in sent], nanoseconds=False)
        recording = self.path("a.pcapng")
        sim_json("--link", f"pcap:in={path},out={recording}")
        self.check_reflection(read_pcapng(recording), [f.data for f in sent])
        # What the model writes it can read.
        again = self.path("b.pcapng")
        sim_json("--app", "sink", "--link", f"pcap:in={recording},out={again}")
        self.assertEqual([f.data for f in read_pcapng(again)],
                         [f.data for f in read_pcapng(recording)])

    def test_works_from_any_directory(self):
        result = sim(cwd="/")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("340 frames", result.stdout)


if __name__ == "__main__":
    support.main()
