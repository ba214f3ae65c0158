"""Virtio-net adapters whose packets others carry: back-ends of vhost-user work on the driver's own
rings in the board's memory. DPDK's testpmd, which sends every frame back, and Open vSwitch."""

import json
import os
import re
import subprocess
import time

import support
from links_support import wait_for
from support import SIM, Scenario, sim
from vhost_support import PATIENCE, VSWITCHD, OpenVSwitch, Testpmd, no_testpmd


def names(lines, side=">"):
    """The requests in a log of messages, without what they say."""
    return [line.split()[1] for line in lines if line.startswith(side)]


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


class Refusals(Scenario):
    """What needs no back-end."""

    def refused(self, *arguments):
        result = sim(*arguments)
        self.assertEqual(result.returncode, 2, result.stdout)
        return result.stderr

    def test_what_does_not_go_together(self):
        virtio, path = ("--nic", "model=virtio-net"), f"vhost-user:path={self.path('no')}"
        self.assertIn("needs a virtio-net adapter",
                      self.refused("--link", path + ",guest_rings=on"))
        self.assertIn("needs a virtio-net adapter",
                      self.refused(*virtio, "--filter", "0:impair:loss=0.1", "--link",
                                   path + ",guest_rings=on"))
        self.assertIn("needs a virtio-net adapter",
                      self.refused(*virtio, "--link", "switch:s", "--on-switch",
                                   f"s={path},guest_rings=on"))
        for keys in ("queues=2", "queue_size=64", "mrg_rxbuf=off", "event_idx=off", "offload=on",
                     "mtu=1500"):
            self.assertIn("is the device's own affair with guest_rings=on",
                          self.refused(*virtio, "--link", f"{path},{keys}"))
        self.assertIn("goes with server=on", self.refused(*virtio, "--link", path + ",wait=off"))
        self.assertIn("No such file", self.refused(*virtio, "--link", path))


class Traffic(Scenario):
    FRAMES = 500

    def check(self, text, frames=FRAMES):
        result = json.loads(text)
        nic = result["nics"][0]
        self.assertEqual(nic["driver_out"]["frames"], frames)
        self.assertEqual(nic["driver_in"]["frames"], frames)
        self.assertEqual(nic["lost"], {})
        self.assertEqual(result["streams"][0]["corrupt"], 0)
        self.assertEqual(result["streams"][0]["received"], frames)
        # No frame has passed the cable.
        self.assertEqual((nic["wire_in"]["frames"], nic["wire_out"]["frames"]), (0, 0))
        return nic

    def generate(self, link, *arguments, nic="", frames=FRAMES, attempts=1):
        """attempts: testpmd drops what it is to send while its queues change, and where a busy host
        lets it run in bursts."""
        for _ in range(attempts):
            result = sim("--app", "generate", "--frames", str(frames), "--size", "imix", "--rate",
                         "10Mbit/s", "--nic", f"model=virtio-net{nic}", "--link", link, *arguments,
                         "--json", "-", timeout=PATIENCE)
            if result.returncode == 0 or "did not come back" not in result.stderr:
                break
        self.assertEqual(result.returncode, 0, result.stderr)
        return self.check(result.stdout, frames)

    def test_testpmd_works_on_the_drivers_rings(self):
        path, log = self.path("vhost"), self.path("messages")
        pmd = Testpmd(self, path)
        nic = self.generate(f"vhost-user:path={path},log={log}")
        self.assertIn("VERSION_1", nic["virtio"]["features"])
        self.assertGreater(nic["interrupts"], 0)
        lines = read_lines(log)
        asked = names(lines)
        # Before a driver is there: owner, features, calls.
        calls = asked.index("SET_FEATURES")
        self.assertEqual(asked[:2], ["SET_OWNER", "GET_FEATURES"])
        self.assertEqual([n for n in asked[:calls] if n == "SET_VRING_CALL"],
                         ["SET_VRING_CALL"] * 2)
        # When it is ready: features, memory, and each ring.
        started = [n for n in asked[calls:] if "STATUS" not in n]
        ring = ["SET_VRING_NUM", "SET_VRING_BASE", "SET_VRING_ADDR", "SET_VRING_KICK",
                "SET_VRING_CALL"]
        self.assertEqual(started[:14],
                         ["SET_FEATURES", "SET_MEM_TABLE", *ring, *ring] + ["SET_VRING_ENABLE"] * 2)
        # At the end: how far it has come.
        self.assertEqual(started[14:], ["SET_VRING_ENABLE"] * 2 + ["GET_VRING_BASE"] * 2)
        bases = dict(re.findall(r"< reply to GET_VRING_BASE index=(\d) num=(\d+)",
                                "\n".join(lines)))
        self.assertEqual(int(bases["1"]), self.FRAMES, lines)
        # The back-end says the same.
        self.assertIn("VHOST_USER_GET_VRING_BASE", pmd.words())
        for options in (",features=-MRG_RXBUF", ",features=-EVENT_IDX", ",features=-CSUM",
                        ",mtu=1500", ",queue-size=64"):
            with self.subTest(options):
                self.generate(f"vhost-user:path={path}", nic=options, frames=60)

    def test_several_pairs_and_both_accuracies(self):
        path, log = self.path("vhost"), self.path("messages")
        Testpmd(self, path, queues=2)
        for quantum in ("0", "100us"):
            with self.subTest(quantum=quantum):
                nic = self.generate(f"vhost-user:path={path},log={log}", "--driver",
                                    "queues=2,tx-ring=64", "--quantum", quantum, nic=",queues=2",
                                    attempts=3)
                self.assertEqual(nic["virtio"]["active_pairs"], 2)
                enabled = [line for line in read_lines(log)
                           if re.match(r"> SET_VRING_ENABLE index=[23] num=1", line)]
                self.assertEqual(len(enabled), 2, "when the driver uses the second pair")

    def test_rings_of_our_own_on_demand(self):
        path = self.path("vhost")
        Testpmd(self, path)
        result = sim("--app", "generate", "--frames", "100", "--rate", "10Mbit/s", "--nic",
                     "model=virtio-net", "--link", f"vhost-user:path={path},guest_rings=off",
                     "--json", "-", timeout=PATIENCE)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout)["nics"][0]["wire_out"]["frames"], 100)

    def test_as_a_server_it_waits_for_the_back_end(self):
        path = self.path("vhost")
        process = subprocess.Popen(
            [SIM, "--app", "generate", "--frames", str(self.FRAMES), "--rate", "10Mbit/s",
             "--nic", "model=virtio-net", "--link", f"vhost-user:path={path},server", "--json", "-"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        wait_for(self, lambda: os.path.exists(path), "nobody listens")
        Testpmd(self, path, "client=1")
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, err)
        self.check(out)


class Restart(Scenario):
    def test_a_back_end_is_killed_in_traffic_and_comes_back(self):
        path, log, out = self.path("vhost"), self.path("messages"), self.path("out.json")
        pmd = Testpmd(self, path)
        process = subprocess.Popen(
            [SIM, "--app", "generate", "--rate", "2Mbit/s", "--size", "200", "--nic",
             "model=virtio-net", "--link", f"vhost-user:path={path},reconnect-ms=100,log={log}",
             "--json", out, "--control", f"unix:{self.path('control')}"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (process.kill(), process.communicate()))

        def enabled():
            return os.path.exists(log) and names(read_lines(log)).count("SET_VRING_ENABLE")

        def used(since):
            """Frames go out and come back."""
            return self.received() - since
        wait_for(self, lambda: enabled() == 2, "the rings are not handed over", PATIENCE)
        wait_for(self, lambda: used(0) > 50, "nothing comes back", PATIENCE)
        for round_ in range(1, 3):
            pmd.kill()
            wait_for(self, lambda: read_lines(log)[-1].startswith("- the back-end"), "not noticed")
            time.sleep(0.3)
            before = self.received()
            pmd.start()
            wait_for(self, lambda: enabled() == 2 * (round_ + 1), "not handed over again", PATIENCE)
            wait_for(self, lambda: used(before) > 50, "nothing comes back", PATIENCE)
        lines = read_lines(log)
        bases = [int(n) for n in re.findall(r"> SET_VRING_BASE index=1 num=(\d+)",
                                            "\n".join(lines))]
        self.assertEqual((len(bases), bases[0]), (3, 0))
        self.assertLess(bases[0], bases[1])
        self.assertLess(bases[1], bases[2], "where the last one has stopped")
        process.terminate()
        _, err = process.communicate(timeout=30)
        with open(out, encoding="utf-8") as file:
            nic = json.load(file)["nics"][0]
        self.assertEqual(nic["virtio"]["fault"], "", err)
        self.assertIn("DRIVER_OK", nic["virtio"]["status"], "the driver has noticed nothing")
        self.assertEqual(read_lines(log)[-1].split()[-1], "0x0", "the status, at the end")

    def test_rings_come_back_while_the_cable_is_pulled(self):
        path, log = self.path("vhost"), self.path("messages")
        Testpmd(self, path)
        process = subprocess.Popen(
            [SIM, "--app", "generate", "--rate", "500fps", "--size", "200", "--nic",
             "model=virtio-net", "--link", f"vhost-user:path={path},log={log}",
             "--control", f"unix:{self.path('control')}"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        for round_ in range(1, 4):
            before = self.received()
            wait_for(self, lambda: self.received() > before + 20, "nothing comes back", PATIENCE)
            self.control("set_link", "0", "off")
            wait_for(self, lambda wanted=2 * round_: sum(
                "< reply to GET_VRING_BASE" in line for line in read_lines(log)) == wanted,
                     "the rings are not taken back", PATIENCE)
            self.assertEqual(names(read_lines(log)).count("SET_VRING_KICK"), 2 * round_)
            self.control("set_link", "0", "on")
        before = self.received()
        wait_for(self, lambda: self.received() > before + 20, "nothing comes back", PATIENCE)
        lines = "\n".join(read_lines(log))
        given = re.findall(r"> SET_VRING_BASE index=1 num=(\d+)", lines)
        taken = re.findall(r"< reply to GET_VRING_BASE index=1 num=(\d+)", lines)
        self.assertEqual(given[1:], taken, "from where it has stopped on")
        self.assertEqual(names(read_lines(log)).count("SET_MEM_TABLE"), 1, "one session")

    def control(self, *words):
        return subprocess.run([os.path.join(os.path.dirname(SIM), "e1000-ctl"), *words],
                              capture_output=True, text=True, timeout=60,
                              env=dict(os.environ, E1000_CONTROL=f"unix:{self.path('control')}"))

    def received(self):
        result = self.control("stats")
        if result.returncode != 0:
            return 0
        return json.loads(result.stdout)["nics"][0]["driver_in"]["frames"]


class Switched(Scenario):
    def test_two_adapters_meet_in_open_vswitch(self):
        if not os.path.exists(VSWITCHD):
            self.skipTest("needs package openvswitch-switch-dpdk")
        switch = OpenVSwitch(self)
        log = self.path("messages")
        result = sim("--app", "generate", "--frames", "2500", "--rate", "500fps", "--to", "pair",
                     *("--nic", "model=virtio-net") * 2,
                     "--link", f"vhost-user:path={switch.file('v0')},server,log={log}",
                     "--link", f"vhost-user:path={switch.file('v1')},server",
                     "--json", "-", timeout=PATIENCE)
        # It loses what comes before it has found both ports, which makes the run a failed one.
        for complaint in result.stderr.splitlines():
            self.assertRegex(complaint, "stream .: [0-9,]+ frames did not come back$")
        for stream in json.loads(result.stdout)["streams"]:
            self.assertGreater(stream["received"], 100)
            self.assertEqual(stream["corrupt"], 0)
        asked = names(read_lines(log))
        for name in ("SET_MEM_TABLE", "SET_VRING_KICK", "GET_VRING_BASE"):
            self.assertIn(name, asked)


if __name__ == "__main__":
    reason = no_testpmd()
    if reason:
        support.skip(reason)
    support.main()
