#!/usr/bin/env python3
"""What programs of other drivers are judged by, without a guest: the table, steps, and waiting for a console."""

import argparse
import contextlib
import io
import pathlib
import socket
import sys
import unittest

sys.dont_write_bytecode = True  # the tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import dpdk  # noqa: E402
import dpdk_virtio  # noqa: E402
import programs  # noqa: E402
from machine import Trouble  # noqa: E402
from terminal import Console  # noqa: E402
from wire import checksum  # noqa: E402


def quietly(action, *arguments):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        result = action(*arguments)
    return result, said.getvalue()


class Judgement(unittest.TestCase):
    def test_what_fails_on_the_model_only_is_worse(self):
        worse, said = quietly(programs.table, {("p", "82540em"): {
            "model": {"a": ("FAIL", "x"), "b": ("FAIL", "y"), "c": ("ok", "")},
            "qemu": {"a": ("FAIL", ""), "b": ("ok", ""), "c": ("FAIL", "")}}})
        self.assertEqual(worse, ["p 82540em b: y"])
        self.assertIn("FAILED: p 82540em b: y", said)

    def test_what_the_model_did_not_come_to_is_worse(self):
        worse, said = quietly(programs.table, {("p", "82540em"): {
            "model": {"a": ("FAIL", "x")}, "qemu": {"a": ("FAIL", ""), "b": ("ok", "")}}})
        self.assertEqual(worse, ["p 82540em b: not run"])
        self.assertRegex(said, r"\| b +\| not run \| ok ")

    def test_only_the_model_has_a_simulator_that_ends(self):
        worse, said = quietly(programs.table, {("p", "82540em"): {
            "model": {"a": ("ok", ""), programs.END: ("FAIL", "status 139")}, "qemu": {"a": ("ok", "")}}})
        self.assertEqual(worse, ["p 82540em simulator's end: status 139"])
        self.assertRegex(said, r"\| simulator's end +\| FAIL +\| - ")

    def test_a_card_that_qemu_lacks_has_to_pass(self):
        worse, _ = quietly(programs.table, {("p", "82545gm"): {"model": {"a": ("FAIL", "x"), "b": ("ok", "")}}})
        self.assertEqual(worse, ["p 82545gm a: x"])


class Steps(unittest.TestCase):
    def setUp(self):
        self.stage = programs.Stage("p", "model", "82540em", argparse.Namespace(card={}), None)

    def take(self, needed, error=None):
        with self.stage.step("a", needed) as detail:
            if error:
                raise error
            detail.append("well")

    def test_a_step_that_fails_ends_the_program(self):
        with self.assertRaises(programs.Stopped):
            quietly(self.take, True, Trouble("no link"))
        self.assertEqual(self.stage.results, {"a": ("FAIL", "no link")})

    def test_a_step_that_no_other_needs_does_not(self):
        quietly(self.take, False, KeyError("RX-packets"))
        self.assertEqual(self.stage.results["a"][0], "FAIL")
        self.assertIn("KeyError", self.stage.results["a"][1])

    def test_a_step_has_a_detail(self):
        _, said = quietly(self.take, True)
        self.assertEqual(self.stage.results, {"a": ("ok", "well")})
        self.assertRegex(said, r"^CHECK model p 82540em 'a' ok [\d.]+s well\n$")


class Waiting(unittest.TestCase):
    def setUp(self):
        self.guest, ours = socket.socketpair()
        self.console = Console(ours)
        self.addCleanup(ours.close)
        self.addCleanup(self.console.join)
        self.addCleanup(self.guest.close)

    def test_control_sequences_are_no_text(self):
        self.guest.sendall(b"\x1b[1;37mnet0: 10.0.\x1b[2")
        self.guest.sendall(b"J2.15\x1b[0m/24\r\n")
        self.assertEqual(self.console.expect(r"^net0: ([\d.]+)/", silence=20)[1], "10.0.2.15")

    def test_what_was_expected_is_behind(self):
        self.guest.sendall(b"=> one\n=> ")
        self.console.expect("^=> ", silence=20)
        self.console.expect("one\n=> ", silence=20)
        with self.assertRaisesRegex(Trouble, "does not come"):
            self.console.expect("=>", silence=0.3)

    def test_a_complaint_ends_waiting(self):
        self.guest.sendall(b"No bootable device\n")
        with self.assertRaisesRegex(Trouble, "the console says 'No bootable': No bootable device"):
            self.console.expect("iPXE", silence=60, reject="No bootable")

    def test_a_complaint_after_the_answer_is_for_the_next(self):
        self.guest.sendall(b"iPXE\nNo bootable device\n")
        self.console.expect("iPXE", silence=20, reject="No bootable")
        with self.assertRaisesRegex(Trouble, "No bootable"):
            self.console.expect("net0", silence=20, reject="No bootable")

    def test_the_end_of_qemu_ends_waiting(self):
        self.guest.sendall(b"SeaBIOS\n")
        self.guest.close()
        with self.assertRaisesRegex(Trouble, "QEMU is gone before 'iPXE': SeaBIOS"):
            self.console.expect("iPXE", silence=60)


class Frames(unittest.TestCase):
    def test_frames_are_of_all_sizes_and_differ(self):
        payloads = dpdk.frames(500)
        self.assertEqual((min(map(len, payloads)), max(map(len, payloads)), len(set(payloads))), (46, 1500, 500))

    def test_the_right_packet_has_right_checksums(self):
        packet = dpdk.udp_packet(right=True)
        pseudo = packet[12:20] + bytes((0, 17)) + packet[24:26]
        self.assertEqual((checksum(packet[:20]), checksum(pseudo + packet[20:])), (0, 0))
        self.assertNotEqual(packet, dpdk.udp_packet(right=False))

    def test_flows_may_overtake_each_other_but_not_themselves(self):
        sent = [dpdk_virtio.packet(flow, number) for number in range(3) for flow in range(4)]
        self.assertEqual(len(set(sent)), len(sent))
        self.assertTrue(dpdk_virtio.in_order(sorted(sent, key=lambda packet: packet[20:22]), sent))
        self.assertFalse(dpdk_virtio.in_order(sent[4:] + sent[:4], sent))
        self.assertFalse(dpdk_virtio.in_order(sent[:-1], sent))
        self.assertFalse(dpdk_virtio.in_order(sent[:-1] + [sent[-1][:-1] + b"\0"], sent))


if __name__ == "__main__":
    unittest.main()
