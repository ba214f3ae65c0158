"""What a run writes is whole, or the run has failed and says so; and no other run spoils it."""

import json
import os
import resource
import signal
import subprocess
import time

import support
from support import CAPTURE, QTestClient, Scenario, read_pcap, read_pcapng, sim, start_qtest

FULL = "/dev/full"
NO_SPACE = "No space left on device"
REGISTERS, FLASH = 0xE0000000, 0xE0100000


def flash_client(scenario, address):
    """A client that may program the flash."""
    client = QTestClient(scenario, address)
    for register, base in ((0x10, REGISTERS), (0x18, FLASH), (4, 3)):
        client.config(2, register, base)
    client.do(f"writel {REGISTERS + 0x10:#x} 0x20")  # EECD: flash writes enabled
    return client


def program(client, address, value):
    for at, what in ((0x5555, 0xAA), (0x2AAA, 0x55), (0x5555, 0xA0), (address, value)):
        client.do(f"writeb {FLASH + at:#x} {what:#x}")
    client.do("clock_step 100000")


class FullDisk(Scenario):
    def fails(self, result, *names):
        self.assertEqual(result.returncode, 1, result.stderr)
        for name in (*names, NO_SPACE):
            self.assertIn(name, result.stderr)

    def test_standard_output(self):
        for arguments in ((), ("--json", "-", "--quiet"), ("--json", "-"), ("--help",),
                          ("--version",)):
            with self.subTest(arguments=arguments), open(FULL, "w") as full:
                result = subprocess.run([support.SIM, *arguments], stdout=full, text=True,
                                        stderr=subprocess.PIPE, timeout=60)
                self.fails(result, "standard output")

    def test_without_need_of_standard_output_nothing_fails(self):
        with open(FULL, "w") as full:
            self.assertEqual(subprocess.run([support.SIM, "--quiet"], stdout=full,
                                            timeout=60).returncode, 0)

    def test_any_file(self):
        for arguments in (("--link", f"pcap:in=built-in,out={FULL}"), ("--nic", f"leds={FULL}"),
                          ("--link", "switch:lan", "--on-switch", f"lan=pcap:out={FULL}")):
            with self.subTest(arguments=arguments):
                path = self.path("out.json")
                result = sim(*arguments, "--json", path)
                self.fails(result, FULL)
                self.assertIn("FAILED", result.stdout, "the report is there all the same")
                with open(path, encoding="utf-8") as file:
                    summary = json.load(file)
                self.assertFalse(summary["ok"])
                self.assertIn(FULL, "".join(summary["failures"]))

    def test_the_summary_itself(self):
        result = sim("--json", FULL)
        self.fails(result, "--json '/dev/full'")
        self.assertIn("340 frames", result.stdout)

    def test_a_file_that_fails_does_not_take_others_with_it(self):
        leds, out = self.path("leds.vcd"), self.path("out.pcapng")
        result = sim("--nic", f"leds={leds}", "--nic", "part=82540em", "--link",
                     f"pcap:in=built-in,out={FULL}", "--link", f"pcap:out={out}")
        self.fails(result, FULL)
        with open(leds, encoding="ascii") as file:
            self.assertIn("$enddefinitions", file.read())
        self.assertEqual(read_pcapng(out), [])
        self.assertGreater(os.path.getsize(out), 0)

    def test_images_of_eeprom_and_flash(self):
        image = self.path("flash.bin")
        content = b"\xff" * (64 << 10)
        with open(image, "wb") as file:
            file.write(content)
        address = self.path("qtest.sock")
        process = subprocess.Popen(
            [support.SIM, "--qtest", f"unix:{address},keep=off", "--link", "null", "--nic",
             f"part=82545em,flash={image}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
        self.addCleanup(process.kill)
        while not os.path.exists(address):
            self.assertIsNone(process.poll())
            time.sleep(0.01)
        client = flash_client(self, address)
        program(client, 0x8000, 0x55)
        client.close()
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 1, err)
        self.assertIn(f"nic 0: flash image '{image}': cannot be written: File too large", err)
        self.assertIn("FAILED", out)
        with open(image, "rb") as file:
            self.assertEqual(file.read(), content, "what it had is not given up")

    def test_closed_standard_output_is_not_mistaken_for_a_file(self):
        out = self.path("out.pcapng")
        result = subprocess.run([support.SIM, "--link", f"pcap:in=built-in,out={out}"],
                                stderr=subprocess.PIPE, text=True, timeout=60,
                                preexec_fn=lambda: os.close(1))
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("standard output", result.stderr)
        inward = [f.data for f in read_pcapng(out) if f.direction == "in"]
        self.assertEqual(inward, [f.data for f in read_pcap(CAPTURE)])


class Sharing(Scenario):
    """A first run holds files of all kinds; a second one must not touch any of them."""

    def setUp(self):
        super().setUp()
        self.files = {name: self.path(name) for name in ("eeprom", "flash", "leds", "out", "in",
                                                         "json")}
        eeprom = bytearray(b"\x52\x54\x00\x12\x34\x56" + bytes(122))
        for word, value in ((0x0A, 0x440B), (0x0D, 0x100F), (0x0E, 0x8086)):  # signature, ids
            eeprom[2 * word:2 * word + 2] = value.to_bytes(2, "little")
        with open(self.files["eeprom"], "wb") as file:
            file.write(eeprom)
        with open(self.files["flash"], "wb") as file:
            file.write(b"\xff" * (64 << 10))
        support.write_pcap(self.files["in"], [(0, bytes(60))])
        # What is left of an earlier run.
        for name in ("leds", "out", "json"):
            with open(self.files[name], "w", encoding="ascii") as file:
                file.write("precious")

    def start(self, **options):
        f = self.files
        return start_qtest(
            self, "--nic", f"part=82545em,eeprom={f['eeprom']},flash={f['flash']},leds={f['leds']}",
            "--link", f"pcap:in={f['in']},out={f['out']}", "--json", f["json"], **options)

    def content(self, name):
        with open(self.files[name], "rb") as file:
            return file.read()

    def seconds(self):
        """Second runs, and the file that they have in common with the first."""
        f = self.files
        return ((("--link", f"pcap:out={f['out']}"), "out"),
                (("--link", f"pcap:in={f['out']}"), "out"),
                (("--link", f"pcap:in=built-in,out={f['in']}"), "in"),
                (("--nic", f"leds={f['leds']}"), "leds"),
                (("--nic", f"leds={f['json']}"), "json"),
                (("--nic", f"eeprom={f['eeprom']}"), "eeprom"),
                (("--nic", f"part=82545em,flash={f['flash']}"), "flash"),
                (("--json", f["json"]), "json"))

    def test_a_second_run_is_refused_and_spoils_nothing(self):
        process, address = self.start()
        client = flash_client(self, address)
        program(client, 0, 0x55)
        before = {name: self.content(name) for name in self.files}
        for arguments, name in self.seconds():
            with self.subTest(arguments=arguments):
                result = sim("--app", "sink", *arguments, timeout=20)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertIn(self.files[name], result.stderr)
                self.assertIn("in use by another run", result.stderr)
        self.assertEqual({name: self.content(name) for name in self.files}, before)
        client.close()
        _, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0, err)
        self.assertEqual(self.content("flash")[:2], b"\x55\xff")
        self.assertIn(b"$enddefinitions", self.content("leds"))
        self.assertTrue(json.loads(self.content("json"))["ok"])
        read_pcapng(self.files["out"])

    def test_what_is_only_read_is_shared(self):
        self.start()
        result = sim("--app", "sink", "--link", f"pcap:in={self.files['in']}", timeout=20)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_files_are_free_again_however_a_run_ends(self):
        process, _ = self.start()
        process.send_signal(signal.SIGKILL)
        process.wait()
        result = sim("--link", f"pcap:in=built-in,out={self.files['out']}", timeout=60)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(read_pcapng(self.files["out"])), 680)

    def test_a_run_that_is_refused_leaves_files_as_they_were(self):
        f = self.files
        result = sim("--nic", f"leds={f['leds']}", "--link", f"pcap:out={f['out']}", "--json",
                     f["json"], "--nic", "part=82540em", "--link", "teleport:")
        self.assertEqual(result.returncode, 2)
        for name in ("leds", "out", "json"):
            self.assertEqual(self.content(name), b"precious", name)

    def test_one_run_does_not_use_an_image_twice_either(self):
        for key in ("eeprom", "flash"):
            nic = f"part=82545em,{key}={self.files[key]}"
            result = sim("--nic", nic, "--nic", nic)
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertIn("the same file", result.stderr)


if __name__ == "__main__":
    if not os.path.exists(FULL):
        support.skip("no /dev/full")
    support.main()
