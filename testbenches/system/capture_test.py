"""The built-in capture through the whole machine and back, byte by byte."""

import gzip
import lzma
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys

import support
from support import CAPTURE, SIM, Scenario, read_pcap, read_pcapng, sim, sim_json, start_sim

SEEDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fuzz", "corpus", "capture")
BROADCAST = b"\xff" * 6 + bytes(6) + b"\x88\xb5"


def pcap_header():
    return struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)


def pcap_record(seconds, data):
    return struct.pack("<IIII", seconds, 0, len(data), len(data)) + data


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


class Wild(Scenario):
    """Captures that are not as they should be."""

    def save(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def check(self, path, frames, *warnings, options="", arguments=(), status=0):
        """Replays it to a sink: so many frames arrive, and these texts stand each in one warning of
        the report, of the JSON summary and, if it is the replay's, on standard error."""
        command = ("--app", "sink", "--link", f"pcap:in={path}{options}", *arguments)
        summary = sim_json(*command, status=status)
        self.assertEqual(summary["nics"][0]["wire_in"]["frames"], frames)
        self.assertEqual(len(summary["warnings"]), len(warnings), summary["warnings"])
        result = sim(*command)
        for warning, expected in zip(summary["warnings"], warnings):
            self.assertIn(expected, warning)
            self.assertEqual(result.stdout.count(warning), 1)
        told = [line for line in result.stderr.splitlines() if "warning: capture" in line]
        self.assertLessEqual(len(told), max(len(warnings), 1))
        return result

    def test_a_capture_cut_off_is_replayed_as_far_as_it_is_whole(self):
        with open(CAPTURE, "rb") as file:
            content = file.read()
        cut = self.save("cut.pcap", content[:-10])
        result = self.check(cut, 339, "ends within record 340")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stderr.count("ends within record 340"), 1)
        packed = self.save("cut.pcap.gz", gzip.compress(content)[:-9])
        summary = sim_json("--app", "sink", "--link", f"pcap:in={packed}")
        self.assertGreater(summary["nics"][0]["wire_in"]["frames"], 300)
        self.assertIn("ends within record", summary["warnings"][0])

    def test_damage_within_a_capture_fails_the_run(self):
        record = pcap_record(1, BROADCAST + bytes(46))
        damaged = self.save("damaged.pcap",
                            pcap_header() + record + struct.pack("<IIII", 1, 0, 1 << 30, 60))
        result = sim("--app", "sink", "--link", f"pcap:in={damaged}")
        self.assertEqual(result.returncode, 1)
        self.assertIn("record 2, at byte 100: it is damaged", result.stderr)
        self.assertIn("1 frame", result.stdout)

    def test_packed_captures_are_unpacked(self):
        with open(CAPTURE, "rb") as file:
            content = file.read()
        for name, pack in (("a.gz", gzip.compress), ("a.xz", lzma.compress)):
            with self.subTest(name=name):
                path = self.save(name, pack(content))
                recording = self.path("out.pcapng")
                sim_json("--link", f"pcap:in={path},out={recording},loop=2")
                inward = [f.data for f in read_pcapng(recording) if f.direction == "in"]
                self.assertEqual(inward, 2 * [f.data for f in read_pcap(CAPTURE)])
        summary = sim_json("--app", "sink", "--link",
                           f"pcap:in={os.path.join(SEEDS, 'little.pcap.zst')}")
        self.assertEqual(summary["nics"][0]["wire_in"]["frames"], 8)

    def test_pcapng_of_several_interfaces_and_byte_orders(self):
        path = os.path.join(SEEDS, "sections.pcapng")
        self.assertEqual(self.check(path, 2).stderr, "")
        path = os.path.join(SEEDS, "interfaces.pcapng")
        self.check(path, 4, "1 frame was recorded incompletely", "1 time stamp goes back",
                   "1 packet is of an interface that is not Ethernet")

    def test_odd_records_are_told_once_with_their_first_place(self):
        frame = BROADCAST + bytes(46)
        content = pcap_header()
        for _ in range(100):
            content += struct.pack("<IIII", 5, 0, 60, 50) + frame  # more captured than there was
            content += struct.pack("<IIII", 4, 0, 7, 7) + frame[:7]
        path = self.save("odd.pcap", content)
        self.check(path, 200, "100 records hold more bytes than they say",
                   "100 records are shorter than an Ethernet header",
                   "100 time stamps go back; their frames follow those before at once (first "
                   "record 2, at byte 100)")

    def test_times_years_apart_matter_only_where_times_do(self):
        frame = BROADCAST + bytes(46)
        content = pcap_header() + pcap_record(1, frame) + pcap_record(3 * 365 * 86400, frame)
        path = self.save("years.pcap", content)
        for pace in ("line", "10kfps", "100Mbit/s"):
            self.check(path, 2, options=f",pace={pace}")
        result = sim("--app", "sink", "--link", f"pcap:in={path}")
        self.assertEqual(result.returncode, 1)
        self.assertIn("record 2 is due more than 100 days after the start", result.stderr)
        self.assertIn("pace=line", result.stderr)

    def test_a_jumbo_frame_lost_points_to_the_option_that_lets_it_in(self):
        path = self.save("jumbo.pcap", pcap_header() + pcap_record(1, BROADCAST + bytes(2000)))
        self.check(path, 1, "--max-frame")
        self.check(path, 1, arguments=("--max-frame", "9018"))

    def test_memory_does_not_grow_with_the_capture(self):
        block = b"".join(pcap_record(1, BROADCAST + bytes(1500)) for _ in range(1000))
        peaks = []
        for blocks in (1, 200):  # 1.5 and 306 MB
            path = self.path("big.pcap")
            with open(path, "wb") as file:
                file.write(pcap_header())
                for _ in range(blocks):
                    file.write(block)
            process = subprocess.Popen(
                [SIM, "--app", "sink", "--quantum", "100us", "--quiet", "--link",
                 f"pcap:in={path},pace=line"])
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(process.returncode, 0)
            peaks.append(usage.ru_maxrss / 1024)
            os.remove(path)
        print(f"peak of memory: {peaks[0]:.0f} MiB for 1.5 MB, {peaks[1]:.0f} MiB for 306 MB",
              file=sys.stderr)
        self.assertLess(peaks[1], peaks[0] + 16)


class Streams(Scenario):
    """Captures that come from a pipe and go to one."""

    def test_a_pipe_gives_the_same_run_as_the_file(self):
        from_file, from_pipe = self.path("file.pcapng"), self.path("pipe.pcapng")
        sim_json("--link", f"pcap:in={CAPTURE},out={from_file}")
        with open(CAPTURE, "rb") as file:
            reader = subprocess.run(["cat"], stdin=file, capture_output=True, check=True)
        result = subprocess.run([SIM, "--link", f"pcap:in=-,out={from_pipe}"], check=True,
                                capture_output=True, input=reader.stdout, timeout=60)
        self.assertEqual(result.stderr, b"")
        with open(from_file, "rb") as a, open(from_pipe, "rb") as b:
            self.assertEqual(a.read(), b.read())

    def test_frames_are_replayed_while_the_capture_is_written(self):
        """Through the model and out to a socket, before the pipe ends."""
        host = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(host.close)
        host.bind(self.path("host"))
        host.settimeout(100)
        process = start_sim(
            self, "--app", "forward", "--link", "pcap:in=-,pace=1kfps", "--link",
            f"dgram:local={self.path('nic')},remote={self.path('host')}", stdin=subprocess.PIPE)
        self.addCleanup(process.stdin.close)
        pipe = process.stdin.buffer
        pipe.write(pcap_header())
        for number in range(20):
            pipe.write(pcap_record(number, BROADCAST + bytes([number]) * 46))
            pipe.flush()
        # Time stands still when the last one has arrived; what came before it has been handled.
        for number in range(19):
            self.assertEqual(host.recv(2000)[14], number)
        # Waiting for more, it still listens to signals.
        process.send_signal(signal.SIGTERM)
        process.wait(100)

    def test_a_run_that_waits_for_a_pipe_ends_by_a_signal_with_its_report(self):
        process = start_sim(self, "--app", "sink", "--link", "pcap:in=-,pace=line",
                            stdin=subprocess.PIPE)
        self.addCleanup(process.stdin.close)
        # More than the pipe and the reader's buffer hold: the replay has begun when it is written.
        record = pcap_record(1, BROADCAST + bytes(1400))
        process.stdin.buffer.write(pcap_header() + 700 * record)
        process.stdin.buffer.flush()
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(0.2)
        process.send_signal(signal.SIGINT)
        process.wait(100)
        self.assertIn("ended by signal", process.stdout.read())
        self.assertIn("waiting for more was interrupted", process.stderr.read())

    def test_a_pipe_cannot_be_replayed_twice(self):
        result = subprocess.run([SIM, "--link", "pcap:in=-,loop=2"], capture_output=True,
                                input=pcap_header(), timeout=60)
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"loop=2: needs a file", result.stderr)

    def test_standard_output_holds_the_capture_alone(self):
        result = subprocess.run([SIM, "--link", "pcap:in=built-in,out=-"], capture_output=True,
                                timeout=60)
        self.assertEqual(result.returncode, 0)
        self.assertFalse(os.path.exists("-"))
        self.assertIn(b"340 frames", result.stderr, "the summary")
        expected = self.path("expected.pcapng")
        sim_json("--link", f"pcap:in=built-in,out={expected}")
        with open(expected, "rb") as file:
            self.assertEqual(result.stdout, file.read())

    def test_two_uses_of_a_standard_stream_are_refused(self):
        output, entry = "both write to standard output", "both read standard input"
        for arguments, text in (
                (("--link", "pcap:out=-", "--json", "-"), output),
                (("--link", "pcap:out=-", "--link", "pcap:out=-"), output),
                (("--link", "pcap:out=-", "--qtest", "stdio"), output),
                (("--link", "pcap:in=-", "--qtest", "stdio"), entry),
                (("--link", "pcap:in=-", "--link", "pcap:in=-"), entry)):
            with self.subTest(arguments=arguments):
                result = sim(*arguments, stdin=subprocess.DEVNULL)
                self.assertEqual(result.returncode, 2)
                self.assertIn(text, result.stderr)

    def test_standard_output_that_fails_fails_the_run(self):
        with open("/dev/full", "wb") as full:
            result = subprocess.run([SIM, "--link", "pcap:out=-,in=built-in"], stdout=full,
                                    stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"No space left", result.stderr)


if __name__ == "__main__":
    support.main()
