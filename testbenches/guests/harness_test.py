#!/usr/bin/env python3
"""The harness of guests itself, without a guest: its judgement, its tables, and what signals do to it."""

import argparse
import contextlib
import io
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

sys.dont_write_bytecode = True  # the tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.append(str(pathlib.Path(__file__).resolve().parent / "uml"))

import checks  # noqa: E402
import document  # noqa: E402
import figures  # noqa: E402
import guests  # noqa: E402
import isolation  # noqa: E402
import machine  # noqa: E402
import matrix  # noqa: E402
import checks_uml  # noqa: E402
import checks_virtio_uml  # noqa: E402
import lab  # noqa: E402
import other_drivers  # noqa: E402
import scenario  # noqa: E402

MODEL, QEMU = ("model", "6.12", "82540em"), ("qemu", "6.12", "82540em")


def quietly(action, *arguments):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        result = action(*arguments)
    return result, said.getvalue()


class Preparation(unittest.TestCase):
    """What guests take comes from the network, and inside of the namespaces there is none."""

    def order(self, main, arguments):
        calls = []
        with mock.patch.object(isolation, "install", lambda *words: calls.append(words)), \
                mock.patch.object(isolation, "enter", side_effect=lambda: (calls.append("enter"), sys.exit(0))), \
                mock.patch.object(sys, "argv", ["program", *arguments]), self.assertRaises(SystemExit):
            main()
        return calls

    def test_what_guests_take_is_made_before_their_namespaces(self):
        self.assertEqual(self.order(guests.main, ["vm"]), [("install", "6.12"), "enter"])
        self.assertEqual(self.order(guests.main, ["test", "--kernel", "6.1", "--kernel", "newest"]),
                         [("install", "6.1", "newest"), "enter"])
        self.assertEqual(self.order(other_drivers.main, ["--program", "dpdk"]), [("install",), ("dpdk",), "enter"])


class Judgement(unittest.TestCase):
    def test_what_fails_on_the_model_only_is_worse(self):
        worse, said = quietly(matrix.conclude, {MODEL: {"a": ["FAIL", "x"], "b": ["FAIL", "y"], "c": ["ok", ""]},
                                                QEMU: {"a": ["FAIL", ""], "b": ["ok", ""], "c": ["FAIL", ""]}})
        self.assertEqual(worse, ["b"])
        self.assertIn("FAILED: 82540em 6.12 b: y", said)
        self.assertIn("fails on QEMU's device, too: 82540em 6.12 a: x", said)

    def test_what_qemu_does_not_offer_is_no_excuse(self):
        cells = {MODEL: {"a": ["FAIL", "x"]}, QEMU: {"a": ["n/a", ""]}}
        self.assertEqual(quietly(matrix.conclude, cells)[0], ["a"])
        self.assertEqual(quietly(matrix.conclude, {MODEL: {"a": ["FAIL", "x"]}})[0], ["a"])

    def test_states_of_a_check(self):
        def raises(error):
            def function(_):
                raise error
            return function

        for function, state, detail in ((lambda g: "fine", "ok", "fine"), (lambda g: None, "ok", ""),
                                        (raises(checks.NotOffered("no such")), "n/a", "no such"),
                                        (raises(machine.Trouble("broken\n pipe")), "FAIL", "broken pipe"),
                                        (raises(KeyError("eth0")), "FAIL", "KeyError: 'eth0'")):
            self.assertEqual(matrix.one_check(function, None)[:2], (state, detail))

    def test_what_the_driver_refuses_is_not_offered(self):
        class Guest:
            def __init__(self, status, output):
                self.answer = status, output

            def run(self, command, seconds, check):
                return self.answer

        with self.assertRaises(checks.NotOffered):
            checks.offered(Guest(1, "netlink error: Operation not supported"), "ethtool -c eth0")
        with self.assertRaises(machine.Trouble):
            checks.offered(Guest(1, "Input/output error"), "ethtool -c eth0")
        self.assertEqual(checks.offered(Guest(0, "rx-usecs: 3"), "ethtool -c eth0"), "rx-usecs: 3")

    def test_what_is_wrong_in_a_log(self):
        for line in ("watchdog: BUG: soft lockup - CPU#0 stuck", "WARNING: CPU: 0 PID: 1 at net/sched",
                     "e1000 0000:00:02.0 eth0: Detected Tx Unit Hang", "e1000: probe failed", "irq 10: nobody cared",
                     "NETDEV WATCHDOG: eth0 (e1000): transmit queue 0 timed out"):
            self.assertTrue(checks.BAD_LOG.search(line), line)
        for line in ("PM: suspend debug: Waiting for 5 second(s).", "e1000 0000:00:02.0 eth0: Reset adapter",
                     "..MP-BIOS bug: 8254 timer not connected to IO-APIC", "e1000: eth0 NIC Link is Up",
                     "calibrate_delay_direct() failed to get a good estimate for loops_per_jiffy."):
            self.assertFalse(checks.BAD_LOG.search(line), line)

    def test_machines_of_a_run(self):
        def options(**given):
            return argparse.Namespace(**{**dict(kernel=None, part=None, card_name=None, all=False, ci=False), **given})

        self.assertEqual(matrix.columns_of(options()), [MODEL, QEMU])
        everything = matrix.columns_of(options(all=True))
        self.assertEqual(len(everything), 3 * (5 + 3 + 2 * len(machine.VIRTIO)))
        self.assertNotIn(("qemu", "6.1", "82545gm"), everything)
        self.assertEqual({card for card, _, _ in matrix.columns_of(options(ci=True))}, {"model"})
        self.assertEqual(matrix.columns_of(options(part=["82545gm"], card_name=["qemu"])), [])

    def test_continuous_integration_says_what_it_leaves_out(self):
        ran = {}

        class Column:
            def __init__(self, *key_and_options):
                self.key = key_and_options[:3]

            def run(self, names):
                ran[self.key] = names
                return self

            def record(self):
                return {"whole": False, "checks": {"boot": ["ok" if self.key[2] != "82545gm" else "FAIL", "why"]}}

            def keep(self):
                pass

        options = argparse.Namespace(kernel=None, part=None, card_name=None, all=False, ci=True, short=False,
                                     check=None, resume=False, kept=False, update_doc=False)
        with mock.patch.object(matrix, "Column", Column):
            status, said = quietly(matrix.run, options)
        self.assertEqual(status, 1)
        e1000 = checks.names_for("82540em")
        short = [name for name in e1000 if name in matrix.SHORT]
        self.assertEqual([(part, names) for (_, _, part), names in ran.items()],
                         [("82540em", e1000)] + [(part, short) for part in list(machine.PARTS)[1:]]
                         + [("virtio-net-4", checks.names_for("virtio-net-4"))])
        self.assertIn("FAILED: 82545gm 6.12 boot: why", said)
        self.assertIn("not covered by this run: cards qemu; kernels 6.1, newest; parts virtio-net, "
                      "virtio-net-transitional, virtio-net-legacy; on all parts but the first and virtio-net, checks other than probe", said)

    def test_the_short_list_is_of_checks_that_exist(self):
        self.assertLess(set(matrix.SHORT), set(matrix.NAMES))
        self.assertEqual(len(matrix.NAMES), len(set(matrix.NAMES)))

    def test_virtio_has_checks_of_its_own(self):
        e1000, virtio = set(checks.names_for("82545gm")), set(checks.names_for("virtio-net"))
        self.assertEqual(e1000 | virtio, set(matrix.NAMES))
        self.assertTrue({"eeprom", "ethtool -t", "registers"} <= e1000 - virtio)
        self.assertTrue({"virtio probe", "queues"} <= virtio - e1000)
        self.assertTrue({"ping sizes", "tcp sent", "kernel log"} <= virtio & e1000)

    def test_both_cards_are_of_the_same_kind(self):
        for part, model, qemu in (
                ("82545em", "part=82545em", "e1000-82545em"),
                ("virtio-net", "model=virtio-net,queues=1", "virtio-net-pci,disable-legacy=on"),
                ("virtio-net-4", "model=virtio-net,queues=4", "virtio-net-pci,disable-legacy=on,mq=on,vectors=10"),
                ("virtio-net-transitional", "model=virtio-net,queues=1,interface=transitional", "virtio-net-pci")):
            self.assertEqual((",".join(machine.nic_words(part)), machine.qemu_device(part)), (model, qemu))
        self.assertEqual(machine.qemu_device("virtio-net-legacy"), "virtio-net-pci")
        self.assertEqual([part for part in (*machine.PARTS, *machine.VIRTIO) if not machine.qemu_has(part)],
                         ["82545em-pcix", "82545gm"])

    def test_below_means_by_more_than_the_spread(self):
        said = []
        figures.compare({"model, tap": {"TCP sent, Mbit/s": [90, 95], "TCP sent, interrupts/MB": [10, 12],
                                        "round trip of ping -f, ms": [3, 5]},
                         "QEMU, tap": {"TCP sent, Mbit/s": [94, 99], "TCP sent, interrupts/MB": [20, 30],
                                       "round trip of ping -f, ms": [1, 2]}}, said.append)
        self.assertEqual(len(said), 1, said)
        self.assertIn("round trip", said[0])


class SimulatedTime(unittest.TestCase):
    """Guests of User-Mode Linux, on an e1000 or a virtio network device."""

    def test_adapters(self):
        self.assertEqual([lab.pairs_of(part) for part in ("82545gm", "virtio-net", "virtio-net-2", "virtio-net-0")],
                         [0, 1, 2, 0])
        self.assertEqual(lab.nic_words("82545gm"), "part=82545gm")
        self.assertEqual(lab.nic_words("virtio-net-2"), "model=virtio-net,queues=2")

    def test_virtio_has_checks_of_its_own_and_shares_what_holds(self):
        names = [name for name, _ in checks_virtio_uml.all_checks()]
        self.assertEqual(len(names), len(set(names)))
        self.assertTrue({"tcp", "jumbo", "vectors", "queues", "reset"} <= set(names))
        self.assertFalse({"registers", "eeprom", "true reset", "ethtool -t offline"} & set(names))
        self.assertEqual(names[-1], "kernel log")
        with mock.patch.object(checks_uml, "CHECKS", [("tcp", None)]), self.assertRaisesRegex(lab.Trouble, "no check"):
            checks_virtio_uml.all_checks()

    def test_a_scenario_gives_each_guest_its_adapter(self):
        with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
            file.write("[guest a]\naddress = 1.2.3.4\npart = virtio-net-2\n[guest b]\naddress = 1.2.3.5\n")
            file.flush()
            self.assertEqual([guest.part for guest in scenario.Scenario(file.name).machines()], ["virtio-net-2", None])


class Tables(unittest.TestCase):
    RESULTS = {("model", "6.1", "82540em"): {"boot": ["ok", ""], "led": ["n/a", ""]},
               ("model", "6.12", "82540em"): {"boot": ["ok", ""], "led": ["ok", ""]},
               ("qemu", "6.12", "82540em"): {"boot": ["ok", ""]}}

    def test_kernels_are_merged_and_differences_named(self):
        lines = document.matrix(self.RESULTS, [{"date": "2026-01-02", "kernel": "6.1.0", "qemu": "11.1.0"}] * 3)
        self.assertEqual(lines[0], "2026-01-02, Linux 6.1.0, QEMU 11.1.0 (`-`: not run):")
        self.assertEqual([cell.strip() for cell in lines[2].split("|")[1:-1]],
                         ["check", "model, 82540em", "QEMU, 82540em (6.12)"])
        self.assertEqual([cell.strip() for cell in lines[5].split("|")[1:-1]], ["led", "6.1: n/a, 6.12: ok", "-"])
        self.assertEqual(len({len(line) for line in lines[2:]}), 1, "columns are aligned")

    def test_what_some_kernels_have_not_run(self):
        self.assertEqual(document.merged({"6.1": "-", "6.12": "ok"}), "ok (6.12)")
        self.assertEqual(document.merged({"6.1": "-", "6.12": "-"}), "-")
        self.assertEqual(document.merged({"6.1": "ok", "6.12": "ok"}), "ok")

    def test_a_document_is_renewed_between_its_marks(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "a.md"
            path.write_text("before\n<!-- t -->\n\nold\n\n<!-- end -->\nafter\n")
            document.update(path, "t", ["new"])
            self.assertEqual(path.read_text(), "before\n<!-- t -->\n\nnew\n\n<!-- end -->\nafter\n")
            with self.assertRaises(SystemExit):
                document.update(path, "u", ["new"])

    def test_the_document_has_the_blocks(self):
        text = document.GUESTS.read_text()
        for name in ("matrix", "matrix of virtio-net", "figures", "figures of virtio-net"):
            self.assertEqual(text.count(f"<!-- {name} -->\n"), 1)

    def test_virtio_has_a_table_of_its_own(self):
        renewed = {}
        record = {"checks": {"boot": ["ok", ""]}, "date": "2026-01-01", "kernel": "6.12", "qemu": "11"}
        with mock.patch.object(document, "update", lambda _, name, lines: renewed.update({name: lines[2]})):
            quietly(matrix.update_document, {("model", "6.12", "virtio-net-4"): record})
            self.assertEqual(list(renewed), ["matrix of virtio-net"])
            quietly(matrix.update_document, {MODEL: record, ("qemu", "6.12", "virtio-net"): record})
        self.assertEqual(renewed, {"matrix": "| check | model, 82540em |",
                                   "matrix of virtio-net": "| check | QEMU, virtio-net |"})


class Time(unittest.TestCase):
    def test_patience_ends(self):
        patience = machine.Patience(0.05, [os.getpid()])
        self.assertGreater(patience.left(), 0)
        time.sleep(0.1)
        while patience.left() > 0:  # this process may have waited for a processor
            time.sleep(0.05)

    def test_time_without_a_processor_does_not_count(self):
        patience = machine.Patience(0.5, [os.getpid()])
        for thread in patience.waited:
            patience.waited[thread] -= 1.5
        time.sleep(0.6)
        self.assertGreater(patience.left(), 0.0)

    def test_but_not_for_ever(self):
        patience = machine.Patience(0.02, [os.getpid()])
        for thread in patience.waited:
            patience.waited[thread] -= 1000
        time.sleep(0.02 * machine.Patience.MOST)
        self.assertLessEqual(patience.left(), 0.0)

    def test_processes_that_are_gone_have_not_waited(self):
        done = subprocess.Popen(["true"])
        done.wait()
        self.assertEqual(machine.waited([done.pid]), {})


INSIDE = """
import os, subprocess, sys, time
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import machine, pathlib
machine.root_path = lambda: pathlib.Path(sys.argv[2])
import isolation
isolation.enter()
with machine.run_folder() as folder:
    subprocess.Popen(["sleep", sys.argv[4]])
    try:
        print(folder, flush=True)
        time.sleep(600)
    finally:
        if sys.argv[3] == "stubborn":
            time.sleep(600)
        print("tidied", flush=True)
"""


def can_isolate():
    return os.geteuid() == 0 and subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"],
                                                capture_output=True, check=False).returncode == 0


@unittest.skipUnless(can_isolate(), "namespaces take root rights")
class Signals(unittest.TestCase):
    MARK = f"3600.{os.getpid()}"  # how long the process inside sleeps: nobody else's does

    def start(self, manner):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        (pathlib.Path(self.folder.name) / "tmp").mkdir()
        process = subprocess.Popen([sys.executable, "-c", INSIDE, str(document.GUESTS.parent.parent / "testbenches/guests"),
                                    self.folder.name, manner, self.MARK], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        self.run_folder = pathlib.Path(process.stdout.readline().strip())
        self.assertTrue(self.run_folder.is_dir())
        return process

    def assert_nothing_is_left(self):
        deadline = time.monotonic() + 30
        while self.sleepers():
            self.assertLess(time.monotonic(), deadline, "a process is left over")
            time.sleep(0.05)

    def sleepers(self):
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = path.read_bytes().split(b"\0")
                if words[:2] == [b"sleep", self.MARK.encode()]:
                    found.append(path)
        return found

    def test_it_ends_what_it_started(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number):
                process = self.start("willing")
                deadline = time.monotonic() + 30
                while not self.sleepers():  # a program that has just been started has no words yet
                    self.assertLess(time.monotonic(), deadline, "nothing sleeps")
                process.send_signal(number)
                self.assertEqual(process.wait(60), 128 + number)
                self.assertEqual(process.stdout.read(), "tidied\n")
                self.assertFalse(self.run_folder.exists())
                self.assert_nothing_is_left()

    def test_killed_it_leaves_no_process(self):
        process = self.start("willing")
        process.kill()
        process.wait(60)
        self.assert_nothing_is_left()

    def test_what_does_not_end_is_killed(self):
        process = self.start("stubborn")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(90), 128 + signal.SIGTERM)
        self.assertFalse(self.run_folder.exists())
        self.assert_nothing_is_left()


class LinuxAsAProgram(unittest.TestCase):
    """The list of ./test linux, of which the guests' checks are a part."""

    def listed(self, part="82545gm"):
        with mock.patch.object(sys, "path", [str(pathlib.Path(__file__).resolve().parent / "uml"), *sys.path]):
            return quietly(__import__("linux").command_test, argparse.Namespace(list=True, part=part))[1].splitlines()

    def test_all_checks_are_there_once(self):
        names = self.listed()
        self.assertEqual(len(names), len(set(names)))
        for name in ("link", "eeprom", "tcp", "vlan table", "packet rings", "statistics and the cable", "PAUSE obeyed",
                     "tap", "unprivileged", "shell ends"):
            self.assertIn(name, names)

    def test_a_virtio_device_is_not_asked_for_what_an_e1000_has(self):
        names = self.listed("virtio-net-2")
        self.assertEqual(len(names), len(set(names)))
        for name in ("vectors", "queues", "tcp", "tap", "unprivileged", "shell ends"):
            self.assertIn(name, names)
        for name in ("eeprom", "statistics and the cable", "PAUSE obeyed", "goodput follows from the bus"):
            self.assertNotIn(name, names)


if __name__ == "__main__":
    unittest.main()
