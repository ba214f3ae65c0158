"""Two kernels' network stacks, in namespaces of their own, talk through two modelled adapters.

    namespace A  <-tap->  NIC 0 | driver: forward | NIC 1  <-tap->  namespace B
"""

import hashlib
import os
import signal
import subprocess
import sys

import support
from links_support import Namespace, hand_over, have, no_taps, wait_for, wait_until_held
from support import SIM, Scenario, skip

BYTES = 2_000_000
SERVER = """
import hashlib, socket
with socket.create_server(("10.77.0.2", 7777)) as server:
    print("ready", flush=True)
    connection, _ = server.accept()
    digest, total = hashlib.sha256(), 0
    while data := connection.recv(65536):
        digest.update(data)
        total += len(data)
    print(total, digest.hexdigest(), flush=True)
"""
CLIENT = """
import socket, sys
with socket.create_connection(("10.77.0.2", 7777), timeout=60) as connection:
    connection.sendall(sys.stdin.buffer.read())
"""


class Tap(Scenario):
    def setUp(self):
        super().setUp()
        self.switchboard, self.a, self.b = (Namespace(self) for _ in range(3))
        for tap in ("tapa", "tapb"):
            self.switchboard.run("ip", "tuntap", "add", "dev", tap, "mode", "tap")
            self.switchboard.run("sysctl", "-qw", f"net.ipv6.conf.{tap}.disable_ipv6=1")

    def start_simulator(self):
        process = self.switchboard.popen(SIM, "--app", "forward", "--nic", "aneg=50ms", "--nic",
                                         "aneg=50ms", "--link", "tap:ifname=tapa", "--link",
                                         "tap:ifname=tapb")

        def stop():
            if process.poll() is None:
                process.kill()
            process.communicate()

        self.addCleanup(stop)
        for tap, namespace, address in (("tapa", self.a, "10.77.0.1/24"),
                                        ("tapb", self.b, "10.77.0.2/24")):
            hand_over(self, process, tap, self.switchboard, namespace)
            namespace.run("ip", "addr", "add", address, "dev", tap)
            namespace.run("ip", "link", "set", tap, "up")
        return process

    def ping_answers(self):
        command = self.a.command("ping", "-c", "1", "-W", "1", "10.77.0.2")
        return subprocess.run(command, capture_output=True).returncode == 0

    def test_ping_and_tcp_pass_through_two_adapters(self):
        process = self.start_simulator()
        wait_for(self, self.ping_answers, "no answer to ping")
        ping = self.a.run("ping", "-c", "10", "-i", "0.05", "-s", "1400", "10.77.0.2")
        self.assertIn(" 0% packet loss", ping.stdout)
        self.transfer(self.a, self.b)
        process.send_signal(signal.SIGTERM)  # to nsenter, which has become the simulator
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, out + err)
        self.assertIn("ended by signal", out)

    def test_an_interface_that_goes_is_reported(self):
        process = self.start_simulator()
        wait_for(self, self.ping_answers, "no answer to ping")
        self.a.run("ip", "link", "del", "tapa")
        warning = process.stderr.readline()
        self.assertIn("tap:ifname=tapa", warning)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 1, out + err)
        self.assertIn("FAILED", out)

    def test_the_last_live_link_that_goes_ends_the_run(self):
        process = self.switchboard.popen(SIM, "--nic", "aneg=10ms", "--link", "tap:ifname=tapa")
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        wait_until_held(self, process, "tapa", self.switchboard)
        self.switchboard.run("ip", "link", "del", "tapa")
        self.assertEqual(process.wait(timeout=30), 1)
        self.assertIn("ended by link gone", process.stdout.read())
        self.assertIn("nic 0: tap:ifname=tapa: the tap interface has gone", process.stderr.read())

    def transfer(self, client_side, server_side):
        content = os.urandom(BYTES)
        server = server_side.popen(sys.executable, "-c", SERVER)
        self.assertEqual(server.stdout.readline(), "ready\n")
        client_side.run(sys.executable, "-c", CLIENT, input=content, text=False)
        out, err = server.communicate(timeout=60)
        self.assertEqual(out, f"{BYTES} {hashlib.sha256(content).hexdigest()}\n", err)


if __name__ == "__main__":
    reason = no_taps() or (None if have("ping", "sysctl") else "needs ping and sysctl")
    if reason:
        skip(reason)
    support.main()
