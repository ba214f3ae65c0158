"""Back-ends of vhost-user that others have written, for scenarios: DPDK's testpmd, which sends back
what comes in, and Open vSwitch."""

import os
import signal
import subprocess
import time

from links_support import have

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
