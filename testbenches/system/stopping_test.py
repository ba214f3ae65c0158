"""How runs end: by signals, with their links, when their frames are back; and with which status."""

import json
import os
import signal
import socket
import threading
import time

import support
from support import QTestClient, Scenario, sim_json, start_qtest, start_sim

STATUS = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 143}
FRAME = b"\xff" * 6 + bytes.fromhex("020000000001 88b5") + bytes(46)


class Reflector(threading.Thread):
    """The far end of a dgram link. Sends everything back, or nothing."""

    def __init__(self, scenario, answers=True):
        super().__init__(daemon=True)
        self.here, self.there = scenario.path("far"), scenario.path("near")
        self.link = f"dgram:local={self.there},remote={self.here}"
        self.frames, self.answers = 0, answers
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.here)
        self.socket.settimeout(0.05)
        self.stop = threading.Event()
        scenario.addCleanup(self.end)
        self.start()

    def run(self):
        while not self.stop.is_set():
            try:
                frame = self.socket.recv(20000)
            except socket.timeout:
                continue
            self.frames += 1
            if self.answers:
                self.socket.sendto(frame, self.there)

    def has_taken(self, frames):
        """As many as were sent; the last ones may still be in the socket when the sender has ended."""
        deadline = time.monotonic() + 20
        while self.frames < frames and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.frames == frames

    def end(self):
        self.stop.set()
        self.join()
        self.socket.close()


class Stopping(Scenario):
    def end(self, process, timeout=30):
        out, err = process.communicate(timeout=timeout)
        return process.returncode, out, err

    def started(self, *arguments, **options):
        """A run under way: its signals are handled once the old summary is gone."""
        path = self.path("run.json")
        with open(path, "w", encoding="ascii") as file:
            file.write("old")
        process = start_sim(self, *arguments, "--json", path, **options)
        deadline = time.monotonic() + 20
        while os.path.getsize(path) != 0:
            self.assertIsNone(process.poll(), process.stderr.read() if process.poll() else "")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        return process

    def summary(self):
        with open(self.path("run.json"), encoding="utf-8") as file:
            return json.load(file)

    # --- signals ---

    def test_a_run_that_is_interrupted_reports_and_says_so(self):
        recording = self.path("out.pcapng")
        for number, status in STATUS.items():
            with self.subTest(signal=number):
                process = self.started("--paced", "--app", "generate", "--rate", "1kfps", "--nic",
                                       "aneg=10ms", "--link", f"pcap:out={recording}")
                time.sleep(0.3)
                process.send_signal(number)
                code, out, err = self.end(process)
                self.assertEqual(code, status, err)
                self.assertIn(f"ended by signal ({number.name})", out)
                self.assertEqual(self.summary()["signal"], number.name)
                self.assertGreater(len(support.read_pcapng(recording)), 10)

    def test_nohup_is_respected(self):
        process = self.started("--paced", "--app", "generate", "--rate", "1kfps",
                               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        self.assertIsNone(process.poll())
        process.terminate()
        self.assertEqual(self.end(process)[0], 143)

    def test_a_live_run_is_meant_to_be_stopped_unless_it_has_an_end(self):
        far = Reflector(self, answers=False)
        for arguments, status in ((("--app", "reflect"), 0), (("--duration", "1000s"), 130),
                                  (("--app", "generate", "--rate", "100fps"), 130)):
            with self.subTest(arguments=arguments):
                process = self.started("--nic", "aneg=10ms", "--link", far.link, *arguments)
                before = far.frames
                deadline = time.monotonic() + 20
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mouth:
                    while far.frames == before and time.monotonic() < deadline:
                        mouth.sendto(FRAME, far.there)
                        time.sleep(0.02)
                process.send_signal(signal.SIGINT)
                code, out, err = self.end(process)
                self.assertEqual(code, status, out + err)
                self.assertIn("ended by signal", out)

    def test_a_server_is_meant_to_be_stopped(self):
        for number in STATUS:
            process, address = start_qtest(self, "--link", "null", keep=True)
            client = QTestClient(self, address)
            self.assertEqual(client.do("endianness"), "OK little")
            process.send_signal(number)
            code, _, err = self.end(process)
            self.assertEqual(code, 0, err)
            client.close()

    # --- links that go ---

    def listener(self):
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        server.bind(self.path("wire"))
        server.listen()
        server.settimeout(20)
        return server

    def test_a_peer_that_goes_for_good_ends_the_run_with_a_failure(self):
        server = self.listener()
        link = f"stream:path={self.path('wire')}"
        process = start_sim(self, "--nic", "aneg=10ms", "--link", link)
        peer, _ = server.accept()
        peer.sendall(len(FRAME).to_bytes(4, "big") + FRAME)
        self.assertEqual(peer.recv(4), len(FRAME).to_bytes(4, "big"))
        peer.close()
        code, out, err = self.end(process)
        self.assertEqual(code, 1, out + err)
        self.assertIn(f"nic 0: {link}: the peer has gone", err)
        self.assertIn("reconnect=", err)
        self.assertIn("ended by link gone", out)

    def test_a_peer_that_may_come_back_is_waited_for(self):
        server = self.listener()
        process = start_sim(self, "--nic", "aneg=10ms", "--link",
                            f"stream:path={self.path('wire')},reconnect-ms=20")
        for _ in range(2):
            peer, _ = server.accept()
            peer.sendall(len(FRAME).to_bytes(4, "big") + FRAME)
            self.assertEqual(peer.recv(4), len(FRAME).to_bytes(4, "big"))
            peer.close()
        process.send_signal(signal.SIGINT)
        code, out, err = self.end(process)
        self.assertEqual(code, 0, out + err)

    def test_a_client_is_told_at_the_end_too(self):
        server = self.listener()
        process, address = start_qtest(self, "--link", f"stream:path={self.path('wire')}")
        server.accept()[0].close()
        client = QTestClient(self, address)
        client.do("endianness")
        client.close()
        code, _, err = self.end(process)
        self.assertEqual(code, 1, err)
        self.assertIn("the peer has gone", err)

    # --- frames that come back from the live world ---

    def test_a_generator_ends_when_all_frames_have_come_back(self):
        far = Reflector(self)
        summary = sim_json("--app", "generate", "--frames", "200", "--rate", "2kfps", "--nic",
                           "aneg=10ms", "--strict", "--link", far.link)
        self.assertEqual(summary["ended_by"], "traffic handled")
        self.assertEqual(summary["streams"][0]["received"], 200)

    def test_it_ends_when_none_come_back_any_more(self):
        far = Reflector(self, answers=False)
        arguments = ("--app", "generate", "--frames", "20", "--rate", "1kfps", "--nic", "aneg=10ms",
                     "--link", far.link)
        summary = sim_json(*arguments)
        self.assertEqual(summary["streams"][0]["lost"], 20)
        self.assertTrue(far.has_taken(20), far.frames)
        sim_json(*arguments, "--strict", status=1)

    def test_other_tasks_end_on_live_links_too(self):
        far = Reflector(self, answers=False)
        sim_json("--app", "blast", "--frames", "20", "--nic", "aneg=10ms", "--link", far.link)
        self.assertTrue(far.has_taken(20), far.frames)
        summary = sim_json("--app", "selftest", "--link", far.link)
        self.assertEqual(summary["nics"][0]["self_test"]["loopback"], 0)

    def test_a_peer_may_go_when_all_is_done(self):
        server = self.listener()
        process = start_sim(self, "--app", "generate", "--frames", "5", "--rate", "1kfps", "--size",
                            "64", "--nic", "aneg=10ms", "--link",
                            f"stream:path={self.path('wire')}")
        peer, _ = server.accept()
        with peer, peer.makefile("rb") as stream:
            for _ in range(5):
                peer.sendall(stream.read(64))  # a length, and 60 bytes
        code, out, err = self.end(process)
        self.assertEqual(code, 0, out + err)


if __name__ == "__main__":
    support.main()
