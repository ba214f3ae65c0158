"""Links with a network behind them: user (libslirp) and passt. The native driver pings through them,
and a kernel's network stack fetches something:

    namespace "guest"  <-tap->  NIC 0 | driver: forward | NIC 1  <-user or passt->  namespace "host"
"""

import hashlib
import json
import os
import socket
import subprocess
import sys

import support
from links_support import Namespace, hand_over, have, no_taps, wait_for
from support import Scenario, read_pcapng, sim, start_sim

BYTES = 1_000_000
SERVER = """
import os, socket, sys
with socket.create_server((sys.argv[1], int(sys.argv[2]))) as server:
    print("ready", flush=True)
    for _ in range(int(sys.argv[4])):
        connection, _ = server.accept()
        with connection, open(sys.argv[3], "rb") as file:
            try:
                connection.settimeout(2)
                connection.sendfile(file)
            except OSError:
                pass
"""
CLIENT = """
import hashlib, socket, sys
digest, total = hashlib.sha256(), 0
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=60) as connection:
    while data := connection.recv(65536):
        digest.update(data)
        total += len(data)
print(total, digest.hexdigest())
"""
TFTP = """
import hashlib, socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.sendto(b"\\0\\1" + sys.argv[2].encode() + b"\\0octet\\0", (sys.argv[1], 69))
content = b""
while True:
    data, peer = s.recvfrom(2000)
    kind, block = struct.unpack(">HH", data[:4])
    assert kind == 3, data
    content += data[4:]
    s.sendto(struct.pack(">HH", 4, block), peer)
    if len(data) < 516:
        break
print(len(content), hashlib.sha256(content).hexdigest())
"""


class Ping(Scenario):
    """No root, no host: the same every time."""

    def ping(self, link, *arguments, status=0):
        return support.sim_json("--app", "ping", "--link", link, *arguments,
                                status=status)["nics"][0]["ping"]

    def test_dhcp_and_echo(self):
        ping = self.ping("user")
        self.assertEqual((ping["address"], ping["server"], ping["gateway"], ping["target"]),
                         ("10.0.2.15", "10.0.2.2", "10.0.2.2", "10.0.2.2"))
        self.assertEqual((ping["sent"], ping["received"], ping["failure"]), (4, 4, ""))

    def test_another_network(self):
        ping = self.ping("user:net=192.168.7.0/24,host=192.168.7.1,dhcpstart=192.168.7.40",
                         "--frames", "2")
        self.assertEqual((ping["address"], ping["gateway"], ping["received"]),
                         ("192.168.7.40", "192.168.7.1", 2))

    def test_the_name_server_answers_too(self):
        self.assertEqual(self.ping("user", "--to", "10.0.2.3")["received"], 4)

    def test_who_does_not_answer_fails_the_run(self):
        ping = self.ping("user:restrict=on", "--to", "10.0.2.77", status=1)
        self.assertIn("10.0.2.77", ping["failure"])

    def test_no_dhcp_server_fails_the_run(self):
        self.assertIn("DHCP", self.ping("null", status=1)["failure"])

    def test_two_runs_are_the_same_to_the_byte(self):
        captures, summaries = [], []
        for run in ("a", "b"):
            path = self.path(run + ".pcapng")
            # A table of one address floods what goes to the gateway: the capture sees it, too.
            result = sim("--app", "ping", "--link", "switch:lan", "--switch", "lan:table=1",
                         "--on-switch", "lan=user", "--on-switch", f"lan=pcap:out={path}",
                         "--json", "-")
            self.assertEqual(result.returncode, 0, result.stderr)
            summary = json.loads(result.stdout.replace(path, "capture"))
            for wall in ("wall_s", "wall_ns"):
                summary.pop(wall)
            summaries.append(summary)
            with open(path, "rb") as file:
                captures.append(file.read())
        self.assertEqual(captures[0], captures[1])
        self.assertEqual(summaries[0], summaries[1])
        self.assertFalse(summaries[0]["paced"])
        self.assertGreaterEqual(len(read_pcapng(self.path("a.pcapng"))), 8)

    def test_bad_options_name_kind_key_and_value(self):
        for link, texts in {
                "user:net=1.2.3": ("user", "net=1.2.3", "IPv4"),
                "user:host=10.9.9.9": ("user", "host=10.9.9.9", "10.0.2.0"),
                "user:dns=10.0.2.2": ("user", "dns=10.0.2.2"),
                "user:hostfwd=tcp:1-2": ("user", "hostfwd=tcp:1-2", "HOSTPORT"),
                "user:guestfwd=udp:10.0.2.9:1-cmd:x": ("user", "guestfwd", "tcp"),
                "user:tftp=/nowhere": ("user", "tftp=/nowhere", "directory"),
                "user:ipv6-prefixlen=200": ("user", "ipv6-prefixlen=200", "126"),
                "user:ipv4=off,ipv6=off": ("user", "ipv6=off")}.items():
            result = sim("--app", "ping", "--link", link)
            self.assertEqual(result.returncode, 2, link)
            for text in texts:
                self.assertIn(text, result.stderr)


class Gateway(Scenario):
    """What a guest's kernel sees of the network behind the link."""

    def setUp(self):
        super().setUp()
        reason = no_taps()
        if reason:
            self.skipTest(reason)
        self.host, self.guest = Namespace(self), Namespace(self)
        for command in ("ip link add out type veth peer name far",
                        "ip addr add 10.9.0.5/24 dev out", "ip link set out up",
                        "ip link set far up", "ip route add default via 10.9.0.1",
                        "ip tuntap add dev tapg mode tap"):
            self.host.run(*command.split())
        with open(self.path("content"), "wb") as file:
            file.write(os.urandom(BYTES))
        with open(self.path("content"), "rb") as file:
            self.expected = f"{BYTES} {hashlib.sha256(file.read()).hexdigest()}\n"

    def start(self, link, address, gateway):
        process = start_sim(self, "--app", "forward", "--nic", "aneg=10ms", "--nic", "aneg=10ms",
                            "--link", "tap:ifname=tapg", "--link", link,
                            prefix=self.host.command())
        hand_over(self, process, "tapg", self.host, self.guest)
        for command in (f"ip addr add {address}/24 dev tapg", "ip link set tapg up",
                        f"ip route add default via {gateway}"):
            self.guest.run(*command.split())
        return process

    def serve(self, namespace, address, connections=1):
        server = subprocess.Popen(
            namespace.command(sys.executable, "-c", SERVER, address, "7777", self.path("content"),
                              str(connections)), stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.assertEqual(server.stdout.readline(), "ready\n")

    def fetch(self, namespace, address, port):
        return namespace.run(sys.executable, "-c", CLIENT, address, str(port)).stdout

    def fetch_through_passt(self):
        """The client ends when it has all bytes: passt of 2023 sends them all, but now and then keeps the
        server's FIN for itself, as its own --pcap shows."""
        client = CLIENT.replace("while data :=", f"while total < {BYTES} and (data :=").replace(
            "65536):", "65536)):")
        return self.guest.run(sys.executable, "-c", client, "10.9.0.1", "7777").stdout

    def finish(self, process):
        process.terminate()
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, out + err)

    def test_user_leads_to_the_host(self):
        process = self.start(f"user:tftp={self.directory}", "10.0.2.15", "10.0.2.2")
        self.serve(self.host, "127.0.0.1")
        self.assertEqual(self.fetch(self.guest, "10.0.2.2", 7777), self.expected)
        got = self.guest.run(sys.executable, "-c", TFTP, "10.0.2.2", "content").stdout
        self.assertEqual(got, self.expected)
        self.finish(process)

    def test_user_forwards_ports_of_the_host_and_of_the_guest(self):
        process = self.start("user:hostfwd=tcp:127.0.0.1:8888-:7777,"
                             f"guestfwd=tcp:10.0.2.100:99-cmd:cat {self.path('content')}",
                             "10.0.2.15", "10.0.2.2")
        self.serve(self.guest, "10.0.2.15", 2)
        for _ in range(2):
            self.assertEqual(self.fetch(self.host, "127.0.0.1", 8888), self.expected)
        self.assertEqual(self.fetch(self.guest, "10.0.2.100", 99), self.expected)
        self.finish(process)

    def test_restricted_leads_nowhere(self):
        process = self.start("user:restrict=on", "10.0.2.15", "10.0.2.2")
        self.serve(self.host, "127.0.0.1")
        result = subprocess.run(
            self.guest.command(sys.executable, "-c", CLIENT.replace("60", "2"), "10.0.2.2", "7777"),
            capture_output=True, text=True, timeout=60)
        self.assertNotEqual(result.returncode, 0)
        self.finish(process)

    def passt_or_skip(self):
        """It makes a user namespace for itself, which the kernel allows nobody in a chroot."""
        if not have("passt"):
            self.skipTest("needs passt")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        probe = subprocess.Popen(
            self.host.command("passt", "--foreground", "--ipv4-only", "--fd", str(theirs.fileno())),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            pass_fds=[theirs.fileno()])
        theirs.close()
        ours.settimeout(10)
        who_has = (b"\xff" * 6 + b"\2\0\0\0\0\1" + b"\x08\x06\0\1\x08\0\6\4\0\1" + b"\2\0\0\0\0\1" +
                   socket.inet_aton("10.9.0.5") + bytes(6) + socket.inet_aton("10.9.0.1"))
        with ours:
            try:
                ours.sendall(len(who_has).to_bytes(4, "big") + who_has)
                answers = len(ours.recv(2000)) > 0
            except OSError:
                answers = False
        messages = probe.communicate(timeout=30)[1]
        if not answers and "namespace" in messages:
            self.skipTest("passt does not run here: " + messages.strip().splitlines()[-1])
        self.assertTrue(answers, messages)

    def test_passt_leads_to_the_host(self):
        self.passt_or_skip()
        process = self.start("passt:ipv6=off,address=10.9.0.5,gateway=10.9.0.1", "10.9.0.5",
                             "10.9.0.1")
        self.serve(self.host, "127.0.0.1")
        self.assertEqual(self.fetch_through_passt(), self.expected)
        self.finish(process)

    def passt(self, path):
        passt = subprocess.Popen(
            self.host.command("passt", "--foreground", "--quiet", "--ipv4-only", "--socket", path,
                              "--address", "10.9.0.5", "--gateway", "10.9.0.1"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(passt.wait)
        self.addCleanup(passt.kill)
        wait_for(self, lambda: passt.poll() is not None or os.path.exists(path), "no socket")
        self.assertIsNone(passt.poll(), "passt has ended")
        return passt

    def test_passt_that_runs_already_and_is_started_again(self):
        self.passt_or_skip()
        os.chmod(self.directory, 0o777)  # passt gives root up
        path = self.path("passt.sock")
        passt = self.passt(path)
        process = self.start(f"passt:socket={path},reconnect-ms=50", "10.9.0.5", "10.9.0.1")
        self.serve(self.host, "127.0.0.1", 2)
        self.assertEqual(self.fetch_through_passt(), self.expected)
        passt.kill()
        passt.wait()
        if os.path.exists(path):
            os.unlink(path)
        self.passt(path)
        self.assertEqual(self.fetch_through_passt(), self.expected)
        self.finish(process)

    def test_a_passt_that_cannot_be_started_is_reported(self):
        result = sim("--link", "passt:path=/nowhere/passt")
        self.assertEqual(result.returncode, 2)
        self.assertIn("/nowhere/passt", result.stderr)


class Offloads(Scenario):
    """Two kernels that leave segmentation and checksums to the far end of their taps."""

    def test_what_the_kernel_leaves_to_the_hardware_is_done(self):
        reason = no_taps()
        if reason:
            self.skipTest(reason)
        board, a, b = Namespace(self), Namespace(self), Namespace(self)
        for tap in ("tapa", "tapb"):
            board.run("ip", "tuntap", "add", "dev", tap, "mode", "tap", "vnet_hdr")
        process = start_sim(self, "--app", "forward", "--nic", "aneg=10ms", "--nic", "aneg=10ms",
                            "--link", "tap:ifname=tapa,vnet_hdr=on", "--link",
                            "tap:ifname=tapb,vnet_hdr=on", "--json", self.path("out.json"),
                            prefix=board.command())
        for tap, namespace, number in (("tapa", a, 1), ("tapb", b, 2)):
            hand_over(self, process, tap, board, namespace)
            namespace.run("ip", "addr", "add", f"10.77.0.{number}/24", "dev", tap)
            namespace.run("ip", "addr", "add", f"fd77::{number}/64", "dev", tap, "nodad")
            namespace.run("ip", "link", "set", tap, "up")
        with open(self.path("content"), "wb") as file:
            content = os.urandom(BYTES)
            file.write(content)
        expected = f"{BYTES} {hashlib.sha256(content).hexdigest()}\n"
        for address in ("10.77.0.2", "fd77::2"):
            family = "socket.AF_INET6" if ":" in address else "socket.AF_INET"
            code = SERVER.replace("int(sys.argv[2]))", f"int(sys.argv[2])), family={family}")
            server = subprocess.Popen(b.command(sys.executable, "-c", code, address, "7777",
                                                self.path("content"), "1"),
                                      stdout=subprocess.PIPE, text=True)
            self.addCleanup(server.stdout.close)
            self.addCleanup(server.wait)
            self.addCleanup(server.kill)
            self.assertEqual(server.stdout.readline(), "ready\n")
            got = a.run(sys.executable, "-c", CLIENT, address, "7777").stdout
            self.assertEqual(got, expected)
        # The kernel has made long packets and half checksums, and has not been asked to make whole
        # ones: its own count of bad segments stays 0.
        for namespace in (a, b):
            stats = namespace.run("cat", "/proc/net/snmp").stdout
            names, values = [line.split() for line in stats.splitlines()
                             if line.startswith("Tcp:")]
            self.assertEqual(dict(zip(names, values))["InCsumErrors"], "0")
        process.terminate()
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, out + err)
        with open(self.path("out.json"), encoding="utf-8") as file:
            nics = json.load(file)["nics"]
        for nic in nics:
            self.assertNotIn("partner_offload", nic["lost"])
            self.assertNotIn("partner_too_long", nic["lost"])
            self.assertNotIn("rx_oversize", nic["lost"])


if __name__ == "__main__":
    support.main()
