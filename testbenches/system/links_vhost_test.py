"""A cable that ends in a vhost-user back-end: DPDK's testpmd, which sends every frame back, and
Open vSwitch."""

import json
import os
import socket
import subprocess
import time

import support
from links_support import Board, datagrams, drain, frame, reflects
from support import SIM, Scenario, sim
from vhost_support import PATIENCE, VSWITCHD, OpenVSwitch, Testpmd, no_testpmd


class Traffic(Scenario):
    # As many frames as a ring has room for: however late we are, the back-end need not drop any.
    FRAMES = 500

    def check(self, text, frames):
        result = json.loads(text)
        nic = result["nics"][0]
        self.assertEqual(nic["wire_out"]["frames"], frames)
        self.assertEqual(nic["wire_in"]["frames"], frames)
        self.assertEqual(nic["wire_in"]["bytes"], nic["wire_out"]["bytes"])
        self.assertEqual(nic["lost"], {})
        self.assertEqual(result["streams"][0]["corrupt"], 0)
        self.assertEqual(result["streams"][0]["received"], frames)

    def generate(self, link, frames=FRAMES):
        """Sends frames of many sizes and wants all back, unchanged: the generator looks."""
        result = sim("--app", "generate", "--frames", str(frames), "--size", "imix", "--rate",
                     "20Mbit/s", "--nic", "aneg=10ms", "--link", link, "--json", "-",
                     timeout=PATIENCE)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.check(result.stdout, frames)

    def test_frames_come_back_with_all_options(self):
        path = self.path("vhost")
        Testpmd(self, path)
        log = self.path("messages")
        for options in ("", ",mrg_rxbuf=off", ",event_idx=off", ",mtu=1500", ",offload=on"):
            with self.subTest(options):
                self.generate(f"vhost-user:path={path},log={log},queue_size=1024{options}")
        self.generate(f"vhost-user:path={path},queue_size=64", frames=60)
        with open(log, encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertEqual(lines[:2], ["> SET_OWNER", "> GET_FEATURES"])
        names = [line.split()[1] for line in lines if line.startswith(">")]
        for name in ("SET_MEM_TABLE", "SET_VRING_KICK", "SET_VRING_ENABLE", "GET_VRING_BASE"):
            self.assertIn(name, names)

    def test_several_queues(self):
        path = self.path("vhost")
        Testpmd(self, path, queues=2)
        self.generate(f"vhost-user:path={path},queues=2,queue_size=1024")

    def test_as_a_server_that_waits(self):
        path = self.path("vhost")
        process = subprocess.Popen(
            # The back-end agrees some time before it forwards: the plug is negotiated for that long.
            [SIM, "--app", "generate", "--frames", str(self.FRAMES), "--rate", "20Mbit/s", "--nic",
             "aneg=5s", "--link", f"vhost-user:path={path},server,wait=on,queue_size=1024",
             "--json", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        while not os.path.exists(path):
            time.sleep(0.05)
        Testpmd(self, path, "client=1")
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, err)
        self.check(out, self.FRAMES)


class Restart(Scenario):
    """The script's frames go through a modelled hub to the back-end and come back."""

    def test_a_back_end_is_killed_and_comes_back(self):
        path, here, there = self.path("vhost"), self.path("here"), self.path("there")
        pmd = Testpmd(self, path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
            ours.bind(here)
            board = Board(self, "hub:h", arguments=(
                "--app", "sink", "--on-switch", f"h=vhost-user:path={path},reconnect-ms=100",
                "--on-switch", f"h=dgram:local={there},remote={here}",
                "--json", self.path("out.json")))
            while not os.path.exists(there):
                board.running()
                time.sleep(0.05)
            send, receive = datagrams(ours, there)
            reflects(self, board, send, receive)
            pmd.kill()
            for number in range(50):
                send(frame(number))
            self.assertFalse(drain(receive, None, 1.0), "somebody sends it back")
            pmd.start()
            reflects(self, board, send, receive)
            status, out, err = board.stop()
        self.assertEqual(status, 0, out + err)
        with open(self.path("out.json"), encoding="utf-8") as file:
            ports = json.load(file)["switches"][0]["ports"]
        lost = next(port["lost"] for port in ports if port["to"].startswith("vhost-user"))
        counted = lost.get("partner_no_peer", 0) + lost.get("partner_back_end_gone", 0)
        self.assertGreaterEqual(counted, 50, "what got lost meanwhile is counted")


class Switched(Scenario):
    def test_two_cables_meet_in_open_vswitch(self):
        if not os.path.exists(VSWITCHD):
            self.skipTest("needs package openvswitch-switch-dpdk")
        switch = OpenVSwitch(self)
        here, there = self.path("here"), self.path("there")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
            ours.bind(here)
            near = Board(self, "hub:h", arguments=(
                "--app", "sink", "--on-switch", f"h=vhost-user:path={switch.file('v0')},server",
                "--on-switch", f"h=dgram:local={there},remote={here}"))
            far = Board(self, f"vhost-user:path={switch.file('v1')},server")
            switch.wait_for(there)
            send, receive = datagrams(ours, there)
            reflects(self, near, send, receive)
            for board in (near, far):
                status, out, err = board.stop()
                self.assertEqual(status, 0, out + err)


if __name__ == "__main__":
    reason = no_testpmd()
    if reason:
        support.skip(reason)
    support.main()
