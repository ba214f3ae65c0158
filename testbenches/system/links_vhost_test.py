"""A cable that ends in a vhost-user back-end: DPDK's testpmd, which sends every frame back."""

import json
import os
import signal
import socket
import subprocess
import time
import unittest

import support
from links_support import Board, datagrams, drain, frame, have, reflects
from support import SIM, Scenario, sim

# Threads of testpmd poll without rest: two of them and the simulator share few processors.
PATIENCE = 120


def no_testpmd():
    """None, or why there is no back-end here."""
    if not have("dpdk-testpmd"):
        return "needs dpdk-testpmd (packages dpdk-dev, librte-net-vhost23 or later)"
    probe = subprocess.run(["dpdk-testpmd", *ENVIRONMENT, "--vdev", "net_vhost0,iface=/dev/null/x",
                            "--", "--help"], capture_output=True, text=True, timeout=PATIENCE)
    words = probe.stdout + probe.stderr
    for trouble in ("failed to parse device", "Cannot get hugepage", "Cannot init EAL"):
        if trouble in words:
            return "dpdk-testpmd cannot run here: " + words.strip().splitlines()[-1]
    return None


# In memory of its own, without huge pages, devices of the host and files that two could share.
ENVIRONMENT = ["--no-huge", "-m", "256", "--no-pci", "--no-telemetry", "--no-shconf", "-l", "0,1"]


class Testpmd:
    """Sends back what comes in at its only port."""

    def __init__(self, scenario, iface, *options, queues=1):
        self.scenario = scenario
        self.iface = iface
        self.log = open(scenario.path("testpmd.log"), "a+", encoding="utf-8")
        scenario.addCleanup(self.log.close)
        device = ",".join([f"net_vhost0,iface={iface}", f"queues={queues}", *options])
        self.command = ["dpdk-testpmd", *ENVIRONMENT, "--vdev", device, "--",
                        "--forward-mode=io", "--auto-start", "--total-num-mbufs=8192",
                        f"--rxq={queues}", f"--txq={queues}", "--max-pkt-len=9018",
                        "--stats-period=60"]
        self.process = None
        scenario.addCleanup(self.kill)
        self.start()

    def start(self):
        if os.path.exists(self.iface) and "client=1" not in self.command[-1]:
            if not any("client=1" in word for word in self.command):
                os.remove(self.iface)  # it does not replace what a killed one has left
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, start_new_session=True)
        deadline = time.monotonic() + PATIENCE
        while "Port 0: link state change" not in self.words() and not os.path.exists(self.iface):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.scenario.fail("testpmd does not start: " + self.words())
            time.sleep(0.1)

    def words(self):
        self.log.flush()
        with open(self.log.name, encoding="utf-8", errors="replace") as file:
            return file.read()

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Traffic(Scenario):
    def generate(self, link, *more, frames=1500):
        """Sends frames of many sizes and wants all back, unchanged: the generator looks."""
        result = sim("--app", "generate", "--frames", str(frames), "--size", "imix", "--rate",
                     "20Mbit/s", "--nic", "aneg=10ms", "--link", link, "--json", "-", *more,
                     timeout=PATIENCE)
        self.assertEqual(result.returncode, 0, result.stderr + self.pmd.words())
        nic = json.loads(result.stdout)["nics"][0]
        self.assertEqual(nic["partner"]["frames_from_nic"], frames)
        self.assertEqual(nic["partner"]["frames_to_nic"], frames)
        self.assertEqual(nic["lost"], {})
        return nic

    def test_frames_come_back_with_all_options(self):
        path = self.path("vhost")
        self.pmd = Testpmd(self, path)
        log = self.path("messages")
        for options in ("", ",mrg_rxbuf=off", ",event_idx=off", ",queue_size=64", ",mtu=1500"):
            with self.subTest(options):
                self.generate(f"vhost-user:path={path},log={log}{options}")
        with open(log, encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertEqual(lines[:2], ["> SET_OWNER", "> GET_FEATURES"])
        names = [line.split()[1] for line in lines if line.startswith(">")]
        for name in ("SET_MEM_TABLE", "SET_VRING_KICK", "SET_VRING_ENABLE", "GET_VRING_BASE"):
            self.assertIn(name, names)

    def test_several_queues(self):
        path = self.path("vhost")
        self.pmd = Testpmd(self, path, queues=2)
        self.generate(f"vhost-user:path={path},queues=2")

    def test_more_queues_than_the_back_end_has_are_refused(self):
        path = self.path("vhost")
        self.pmd = Testpmd(self, path)
        result = sim("--link", f"vhost-user:path={path},queues=64")
        # DPDK offers as many as its device was made with, or a large number.
        if result.returncode != 0:
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertIn("pairs of queues, not 64", result.stderr)

    def test_as_a_server_that_waits(self):
        path = self.path("vhost")
        process = subprocess.Popen(
            [SIM, "--app", "generate", "--frames", "500", "--rate", "20Mbit/s", "--nic",
             "aneg=10ms", "--link", f"vhost-user:path={path},server,wait=on", "--json", "-"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        while not os.path.exists(path):
            time.sleep(0.05)
        self.pmd = Testpmd(self, path, "client=1")
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, err + self.pmd.words())
        self.assertEqual(json.loads(out)["nics"][0]["partner"]["frames_to_nic"], 500)


class Restart(Scenario):
    """The script's frames go through a modelled hub to the back-end and come back."""

    def test_a_back_end_is_killed_and_comes_back(self):
        path, here, there = self.path("vhost"), self.path("here"), self.path("there")
        pmd = Testpmd(self, path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
            ours.bind(here)
            board = Board(self, "null", arguments=(
                "--hub", "h", "--on-switch", f"h=vhost-user:path={path},reconnect-ms=100",
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
            self.assertFalse(drain(receive, None, 1.0), "nobody sends it back")
            pmd.start()
            reflects(self, board, send, receive)
            status, out, err = board.stop()
        self.assertEqual(status, 0, out + err)
        with open(self.path("out.json"), encoding="utf-8") as file:
            text = file.read()
        ports = json.loads(text)["switches"][0]["ports"]
        port = next(p for p in ports if "vhost-user" in json.dumps(p))
        lost = json.dumps(port)
        self.assertTrue("no_peer" in lost or "back_end_gone" in lost, text)


if __name__ == "__main__":
    reason = no_testpmd()
    if reason:
        support.skip(reason)
    support.main()
