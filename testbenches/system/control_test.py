"""The control socket and its client e1000-ctl."""

import json
import os
import socket
import subprocess
import time

import support
from support import SIM, Scenario, read_pcapng, sim, start_sim

CTL = os.path.join(os.path.dirname(SIM or ""), "e1000-ctl")
GENERATE = ("--app", "generate", "--frames", "3000", "--link", "loopback")
RATE = ("--rate", "50kfps")


class Client:
    """One connection."""

    def __init__(self, scenario, address):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        scenario.addCleanup(self.socket.close)
        deadline = time.monotonic() + 20
        while self.socket.connect_ex(address) != 0:
            scenario.assertLess(time.monotonic(), deadline, "nobody listens")
            time.sleep(0.01)
        self.file = self.socket.makefile("rb")
        scenario.addCleanup(self.file.close)

    def line(self, data):
        self.socket.sendall(data + b"\n")
        return json.loads(self.file.readline())

    def __call__(self, method, **params):
        answer = self.line(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method,
                                       "params": params}).encode())
        assert "result" in answer, answer
        return answer["result"]

    def error(self, method, **params):
        answer = self.line(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method,
                                       "params": params}).encode())
        return answer["error"]


class Control(Scenario):
    def start(self, *arguments):
        """A run that stands still at 0, and a client."""
        address = self.path("control")
        process = start_sim(self, *arguments, "--json", self.path("json"), "--control",
                            f"unix:{address},pause=on")
        return process, Client(self, address)

    def summary(self, process):
        output, errors = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, output + errors)
        self.assertNotIn("warning", errors)
        with open(self.path("json"), encoding="utf-8") as file:
            return json.load(file)

    def test_a_client_that_only_reads_changes_nothing(self):
        options = ("--app", "generate", "--frames", "100000", "--link", "loopback",
                   "--filter", "0:impair:loss=1%")
        plain = sim(*options, "--json", "-")
        process, client = self.start(*options)
        def look():
            for what in ("links", "nics", "switches"):
                client("info", what=what)
            for register in ("ICR", "STATUS", "GPRC", "TOTH"):
                client("read", nic=0, register=register)
            for method in ("stats", "phy", "eeprom", "registers", "methods", "time"):
                client(method)
        look()
        client("resume")
        looks = 0
        try:
            while True:
                look()
                looks += 1
        except (OSError, json.JSONDecodeError):  # the run has ended
            pass
        self.assertGreater(looks, 0)
        expected, got = json.loads(plain.stdout), self.summary(process)
        for key in ("wall_s", "wall_ns"):
            del expected[key], got[key]
        self.assertEqual(got, expected)

    def test_a_virtio_device_shows_its_registers_and_its_link_can_be_cut(self):
        process, client = self.start("--nic", "model=virtio-net,queues=2", "--nic", "part=82545em",
                                     "--app", "generate", "--frames", "2000", *RATE, "--link",
                                     "loopback", "--link", "loopback")
        client("step", time="550ms")
        nics = client("info", what="nics")
        self.assertEqual([nic["part"] for nic in nics], ["virtio-net", "82545em"])
        self.assertEqual((nics[0]["link_up"], nics[0]["mbit_per_s"]), (True, 1000))
        self.assertEqual(client("read", nic=0, register="device_status"), {"device_status": 0x0F})
        self.assertEqual(client("read", nic=0, register="NUM_QUEUES"), {"num_queues": 5})
        self.assertEqual(client("read", nic=0, register="status"), {"status": 1})
        self.assertIn("queue_desc_lo", client("registers", nic=0))
        self.assertNotIn("CTRL", client("registers", nic=0))
        self.assertIn("CTRL", client("registers", nic=1))
        for method, part in (("eeprom", "EEPROM"), ("phy", "PHY")):
            self.assertEqual(client.error(method, nic=0)["message"],
                             f"nic 0 is a virtio-net, which has no {part}")
            client(method, nic=1)
        self.assertIn("'STATUSES'", client.error("read", nic=0, register="STATUSES")["message"])
        client("set_link", link="0", up="off")
        client("step", time="1ms")
        self.assertFalse(client("info", what="nics")[0]["link_up"])
        self.assertEqual(client("read", nic=0, register="status"), {"status": 0})
        client("set_link", link="0", up="on")
        client("step", time="1ms")
        self.assertEqual(client("read", nic=0, register="status"), {"status": 1})
        self.assertGreater(client("stats")["nics"][0]["virtio"]["pairs"][0]["out"]["frames"], 0)
        client("stop")
        process.communicate(timeout=60)

    def test_time_is_held_and_stepped_exactly(self):
        process, client = self.start(*GENERATE, *RATE)
        self.assertEqual(client("time"), {"ps": 0, "time": "0 s", "paused": True})
        self.assertEqual(client("step", time="300ms")["ps"], 300 * 10**9)
        self.assertEqual(client("step", time="7ns")["ps"], 300 * 10**9 + 7000)
        time.sleep(0.2)
        self.assertEqual(client("time")["ps"], 300 * 10**9 + 7000)
        self.assertFalse(client("resume")["paused"])
        self.assertEqual(self.summary(process)["streams"][0]["received"], 3000)

    def test_commands_change_what_they_say(self):
        process, client = self.start(*GENERATE, *RATE, "--filter", "0:impair")
        client("step", time="550ms")
        self.assertTrue(client("info", what="links")[0]["up"])
        record = self.path("record.pcapng")
        client("capture_start", link="0", file=record)
        client("step", time="2ms")
        frames = client("capture_stop", link="0")["frames"]
        self.assertGreater(frames, 50)
        self.assertEqual(len(read_pcapng(record)), frames)
        client("impair", link="0", loss=1, dist="normal")
        client("step", time="2ms")
        client("impair", link="0", loss=0)
        loss = client("info", what="links")[0]["impair"][0]["out"]["lost"]["impair_loss"]
        self.assertAlmostEqual(loss, 100, delta=2)
        client("set_link", link="0", up="off")
        client("step", time="1ms")
        self.assertFalse(client("info", what="links")[0]["up"])
        client("plug", link="0")
        client("stop")
        summary = self.summary(process)
        self.assertEqual(summary["ended_by"], "control")
        self.assertEqual(summary["nics"][0]["lost"]["impair_loss"], loss)

    def test_mistakes_get_errors_with_remedies(self):
        _, client = self.start("--link", "switch:lan", "--on-switch", "lan=null")
        for named, method, params in (
                ("known are", "dance", {}), ("links, nics", "info", {"what": "cats"}),
                ("lan/0", "plug", {"link": "9"}), ("on or off", "set_link",
                                                  {"link": "0", "up": "maybe"}),
                ("--filter 0:impair", "impair", {"link": "0", "loss": 1}),
                ("registers lists", "read", {"register": "XYZZY"}),
                ("elements", "read", {"register": "MTA[128]"}),
                ("needs the parameter", "read", {}), ("unknown parameter", "stats", {"x": 1}),
                ("there are 0", "phy", {"nic": "5"}), ("not being recorded", "capture_stop",
                                                       {"link": "0"}),
                ("/nowhere/x", "capture_start", {"link": "0", "file": "/nowhere/x"}),
                ("regular file", "capture_start", {"link": "0", "file": "/dev/null"}),
                ("10us", "step", {"time": "0"}), ("step", "step", {"time": "soon"})):
            with self.subTest(method=method, params=params):
                self.assertIn(named, client.error(method, **params)["message"])
        self.assertEqual(client("info", what="switches")[0]["name"], "lan")
        client("stop")

    def test_hostile_clients_are_bounded(self):
        process, client = self.start(*GENERATE, *RATE)
        address = self.path("control")
        self.assertEqual(client.line(b"garbage")["error"]["code"], -32700)
        self.assertEqual(client.line(b"[" * 10000)["error"]["code"], -32700)
        endless = Client(self, address)
        try:
            endless.socket.sendall(b"x" * (1 << 22))
        except OSError:
            pass
        try:
            self.assertIn("longer than", endless.file.readline().decode())
        except OSError:
            pass  # cut off while it was still sending
        half = Client(self, address)
        half.socket.sendall(b'{"jsonrpc":"2.0",')
        half.socket.shutdown(socket.SHUT_RDWR)
        deaf = Client(self, address)  # never reads its answers
        deaf.socket.settimeout(0.5)
        request = b'{"jsonrpc":"2.0","id":1,"method":"stats"}\n'
        try:
            deaf.socket.sendall(request * 100_000)
        except OSError:
            pass
        crowd = [Client(self, address) for _ in range(12)]
        refused = 0
        for one in crowd:
            try:
                refused += one.line(b"x")["error"]["message"].startswith("there are 8")
            except (OSError, json.JSONDecodeError):
                refused += 1
        self.assertGreaterEqual(refused, 4)
        client("resume")
        self.assertEqual(self.summary(process)["streams"][0]["received"], 3000)

    def test_the_socket_is_its_owners(self):
        _, client = self.start(*GENERATE, *RATE)
        self.assertEqual(os.stat(self.path("control")).st_mode & 0o777, 0o600)
        client("stop")

    def test_interrupts_end_a_run_that_stands_still(self):
        process, _ = self.start(*GENERATE, *RATE)
        process.terminate()
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 143)

    def test_the_client_program(self):
        process, client = self.start(*GENERATE, "--rate", "1kfps", "--filter", "0:impair")
        environment = dict(os.environ, E1000_CONTROL=f"unix:{self.path('control')}")

        def ctl(*words, status=0):
            result = subprocess.run([CTL, *words], capture_output=True, text=True, timeout=60,
                                    env=environment, cwd=self.directory)
            self.assertEqual(result.returncode, status, result.stdout + result.stderr)
            return result.stdout + result.stderr
        self.assertIn("600 ms", ctl("step", "600ms"))
        self.assertIn("link 0  to loopback  up yes  mbit_per_s 1000", ctl("info", "links"))
        self.assertRegex(ctl("read", "status"), r"^STATUS = 0x[0-9a-f]{8}\n$")
        self.assertIn("checksum right", ctl("eeprom"))
        self.assertIn("register 08:", ctl("phy"))
        self.assertIn("paused: yes", ctl("time"))
        self.assertEqual(json.loads(ctl("--json", "time"))["result"]["paused"], True)
        self.assertEqual(json.loads(ctl("stats"))["app"], "generate")
        ctl("impair", "0", "loss=10%", "dist=normal")
        ctl("capture_start", "0", "relative.pcapng")
        ctl("step", "20ms")
        ctl("capture_stop", "0")
        self.assertGreater(len(read_pcapng(self.path("relative.pcapng"))), 0)
        self.assertIn("loss=x", ctl("impair", "0", "loss=x", status=1))
        self.assertIn("no word", ctl("teleport", status=2).replace("unknown command", "no word"))
        self.assertIn("needs link", ctl("plug", status=2))
        self.assertIn("too many", ctl("pause", "now", status=2))
        completion = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                                  "platform", "e1000-ctl.bash")

        def complete(*words):
            script = (f'. "{completion}"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                      'COMP_LINE="$*"; compopt() { :; }; _e1000_ctl; echo "${COMPREPLY[@]}"')
            path = os.path.dirname(CTL) + ":" + os.environ["PATH"]
            return subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True,
                                  text=True, timeout=60, env=dict(environment, PATH=path),
                                  check=True).stdout.split()
        self.assertEqual(complete("e1000-ctl", "capture_"), ["capture_start", "capture_stop"])
        self.assertEqual(complete("e1000-ctl", "info", "l"), ["links"])
        self.assertEqual(complete("e1000-ctl", "plug", ""), ["0"])
        self.assertIn("STATUS", complete("e1000-ctl", "read", "STA"))
        ctl("resume")
        process.communicate(timeout=60)
        self.assertIn("running with --control", ctl("time", status=1))

    def test_what_does_not_go_is_said(self):
        for arguments, named in (
                (("--control", "pigeon"), "unix:PATH"), (("--control", "stdio"), "unix:PATH"),
                (("--control", "unix:/nowhere/x"), "/nowhere/x"),
                (("--qtest", "unix:" + self.path("q"), "--control", "unix:" + self.path("c")),
                 "--qtest")):
            with self.subTest(arguments=arguments):
                result = sim(*arguments)
                self.assertEqual(result.returncode, 2, result.stdout)
                self.assertIn("--control", result.stderr)
                self.assertIn(named, result.stderr)


if __name__ == "__main__":
    support.main()
