"""A cable that ends in a vhost-user back-end: DPDK's testpmd, which sends every frame back, and
Open vSwitch."""

import json
import os
import signal
import socket
import subprocess
import time

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
        # It would throw away what has come before it begins to forward.
        self.command = ["dpdk-testpmd", *ENVIRONMENT, "--vdev", device, "--", "--no-flush-rx",
                        "--forward-mode=io", "--auto-start", "--total-num-mbufs=8192",
                        f"--rxq={queues}", f"--txq={queues}", "--max-pkt-len=9018",
                        "--stats-period=60"]
        self.process = None
        scenario.addCleanup(self.kill)
        self.start()

    def start(self):
        listens = not any("client=1" in word for word in self.command)
        if listens and os.path.exists(self.iface):
            os.remove(self.iface)  # it does not replace what a killed one has left
        before = len(self.words())
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, start_new_session=True)
        deadline = time.monotonic() + PATIENCE
        # Its socket is there long before it moves frames.
        while "io packet forwarding" not in self.words()[before:]:
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


# Where Open vSwitch is installed; anywhere else if it is not installed but unpacked.
OVS_ROOT = os.environ.get("E1000TLM_OVS_ROOT", "/")
VSWITCHD = os.path.join(OVS_ROOT, "usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk")


class OpenVSwitch:
    """A switch of its own with two ports that connect to us, with database and sockets in the
    scenario's directory."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.run_directory = scenario.path("ovs")
        os.mkdir(self.run_directory)
        self.database = "unix:" + self.file("db.sock")
        self.environment = dict(
            os.environ, PATH=":".join([os.path.join(OVS_ROOT, "usr/bin"),
                                       os.path.join(OVS_ROOT, "usr/sbin"), os.environ["PATH"]]),
            **{name: self.run_directory for name in
               ("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR", "OVS_SYSCONFDIR")})
        schema = os.path.join(OVS_ROOT, "usr/share/openvswitch/vswitch.ovsschema")
        self.run("ovsdb-tool", "create", self.file("conf.db"), schema)
        self.start("ovsdb-server", self.file("conf.db"), "--remote=p" + self.database,
                   "--unixctl=" + self.file("db.ctl"))
        self.wait_for(self.file("db.sock"))
        self.configure("init", wait=False)
        # Open vSwitch asks for memory in a way that does not go without huge pages, and for a lot
        # of it, unless told.
        self.configure("set", "Open_vSwitch", ".", "other_config:dpdk-init=true",
                       "other_config:per-port-memory=true", "other_config:vhost-sock-dir=.",
                       "other_config:dpdk-extra=--no-huge "
                       "--legacy-mem -m 512 --no-pci --no-telemetry --no-shconf", wait=False)
        self.start(VSWITCHD, self.database, "--unixctl=" + self.file("vswitchd.ctl"))
        self.configure("add-br", "br", "--", "set", "bridge", "br", "datapath_type=netdev")
        for port in ("v0", "v1"):
            self.configure("add-port", "br", port, "--", "set", "Interface", port,
                           "type=dpdkvhostuserclient",
                           "options:vhost-server-path=" + self.file(port))

    def file(self, name):
        return os.path.join(self.run_directory, name)

    def run(self, *command):
        result = subprocess.run(command, env=self.environment, capture_output=True, text=True,
                                timeout=PATIENCE)
        if result.returncode != 0:
            with open(self.file("log"), encoding="utf-8", errors="replace") as log:
                self.scenario.fail(f"{command}: {result.stderr} {log.read()}")

    def configure(self, *words, wait=True):
        self.run("ovs-vsctl", "--db=" + self.database, "--timeout=60",
                 *(() if wait else ("--no-wait",)), *words)

    def start(self, *command):
        log = open(self.file("log"), "a", encoding="utf-8")
        process = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log, cwd=self.run_directory)
        log.close()
        self.scenario.addCleanup(lambda: (process.kill(), process.wait()))

    def wait_for(self, path):
        deadline = time.monotonic() + PATIENCE
        while not os.path.exists(path):
            self.scenario.assertLess(time.monotonic(), deadline, path)
            time.sleep(0.05)


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
