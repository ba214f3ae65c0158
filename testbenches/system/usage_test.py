"""Help, version, and every way of getting the command line wrong."""

import os

import support
from support import Scenario, sim

# Arguments, and what the message must name.
BAD = (
    (["--bogus"], "--bogus"),
    (["stray"], "--help"),
    (["--app", "dance"], "dance"),
    (["--nic", "part=i210"], "i210"),
    (["--nic", "mac=zz"], "zz"),
    (["--nic", "eeprom=/no/such.bin"], "/no/such.bin"),
    (["--nic", "part=82545em,flash=/no/such.bin"], "/no/such.bin"),
    (["--nic", "part=82545em,flash=/dev/null"], "no regular file"),
    (["--nic", "leds=/no/such/dir/leds.vcd"], "/no/such/dir/leds.vcd"),
    (["--nic", "leds=b", "--json", "b"], "the same file"),
    (["--nic", "part=82545em,flash=b", "--nic", "part=82545em,flash=./b"], "the same file"),
    (["--nic", "eeprom=b", "--nic", "eeprom=./b"], "the same file"),
    (["--nic", "wings=2"], "wings"),
    (["--nic", "part=82540em"] * 31, "31 adapters"),
    (["--nic", "part=82540em,part=82545em"], "twice"),
    (["--link", "pcap:in=a.pcap,out=b", "--link", "pcap:out=b"], "the same file"),
    (["--link", "pcap:out=b", "--link", "pcap:in=./b"], "the same file"),
    (["--link", "pcap:out=b", "--json", "b"], "the same file"),
    (["--link", "pcap:in=built-in,pace=1kpigeons/s"], "kpigeons/s"),
    (["--quantum", "2s"], "--quantum"),
    (["--config", "/"], "--config"),
    (["--qtest", "tcp:localhost:70000"], "70000"),
    (["--link", "teleport:"], "teleport"),
    (["--link", "swich:lan"], "known are: dgram, hub, loopback, null, pcap, stream, switch, tap"),
    (["--link", "switch:lan", "--on-switch", "lan=swich:x"], "stream, switch, tap"),
    (["--link", "pcap:in=/no/such.pcap"], "/no/such.pcap"),
    (["--link", "pcap:out=/no/such/dir/x.pcapng"], "/no/such/dir/x.pcapng"),
    (["--link", "pcap:in=/dev/null"], "/dev/null"),
    (["--link", "loopback:warp=9"], "warp"),
    (["--link", "null:speed=7"], "speed"),
    (["--link", "tap:"], "ifname"),
    (["--link", "dgram:local=/x"], "remote"),
    (["--link", "null", "--link", "null", "--nic", "part=82540em"], "--link"),
    (["--pci", "12/34"], "12/34"),
    (["--pci", "64/133x"], "82540em"),
    (["--quantum", "5"], "--quantum"),
    (["--duration", "never"], "never"),
    (["--app", "generate", "--size", "10"], "--size"),
    (["--app", "generate", "--size", "64-"], "--size"),
    (["--app", "generate", "--rate", "quick"], "quick"),
    (["--app", "generate", "--frames", "many"], "many"),
    (["--seed", "-1"], "--seed"),
    (["--ram", "1"], "--ram"),
    (["--qtest", "carrier-pigeon"], "carrier-pigeon"),
    (["--config", "/no/such.ini"], "/no/such.ini"),
    (["--json", "/no/such/dir/out.json"], "/no/such/dir/out.json"),
)


class Usage(Scenario):
    def test_help_teaches(self):
        result = sim("--help")
        self.assertEqual(result.returncode, 0)
        for word in ("Examples", "--link", "pcap", "tap", "dgram", "loopback", "Units",
                     "Exit status"):
            self.assertIn(word, result.stdout)
        self.assertEqual(result.stderr, "")

    def test_version(self):
        result = sim("--version")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"^e1000-sim \d+\.\d+\.\d+ (\(commit [0-9a-f]{10}(-dirty)?\), )?.*SystemC \S+\n$")

    def test_bad_input_is_refused_with_status_2_and_named(self):
        for arguments, names in BAD:
            with self.subTest(arguments=arguments):
                result = sim(*arguments, timeout=20, cwd=self.directory)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertTrue(result.stderr.startswith("e1000-sim: "), result.stderr)
                self.assertIn(names, result.stderr)
                self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
                self.assertEqual(result.stdout, "")

    def test_capture_cut_off_anywhere_is_replayed_as_far_as_it_is_whole(self):
        """Without its header it is refused."""
        path = self.path("cut.pcap")
        with open(support.CAPTURE, "rb") as whole:
            start = whole.read(400)
        first_frame = 24 + 16 + int.from_bytes(start[32:36], "little")
        for size in list(range(0, 60)) + [first_frame - 1, first_frame, first_frame + 1, 399]:
            with self.subTest(size=size), open(path, "wb") as cut:
                cut.write(start[:size])
                cut.flush()
                result = sim("--quiet", "--link", f"pcap:in={path}", timeout=20)
                whole_records = size in (24, first_frame)
                self.assertEqual(result.returncode, 0 if size >= 24 else 2, result.stderr)
                self.assertEqual(path in result.stderr, not whole_records)
                self.assertEqual("ends within record" in result.stderr,
                                 size >= 24 and not whole_records)

    def test_capture_of_another_medium_is_refused(self):
        path = self.path("raw.pcap")
        with open(support.CAPTURE, "rb") as file:
            content = bytearray(file.read())
        for link_type, name in ((101, "RAW"), (113, "LINUX_SLL")):
            content[20:24] = link_type.to_bytes(4, "little")
            with open(path, "wb") as file:
                file.write(content)
            result = sim("--link", f"pcap:in={path}")
            self.assertEqual(result.returncode, 2)
            self.assertIn(name, result.stderr)

    def test_what_only_the_command_line_can_say_is_refused_in_a_file(self):
        path = self.path("self.ini")
        for line in (f"config={path}", "help=1", "version=1", "app=sink\napp=sink", "nonsense"):
            with self.subTest(line=line), open(path, "w", encoding="ascii") as file:
                file.write(line + "\n")
                file.flush()
                result = sim("--config", path)
                self.assertEqual(result.returncode, 2)
                self.assertIn(path, result.stderr)

    def test_eeprom_must_be_a_file(self):
        path = self.path("pipe")
        os.mkfifo(path)
        for what in (path, self.directory):
            result = sim("--nic", f"eeprom={what}", timeout=20)
            self.assertEqual(result.returncode, 2)
            self.assertIn(what, result.stderr)

    def test_flash_must_have_a_size_that_the_adapter_can_address(self):
        path = self.path("flash.bin")
        for size in (0, 1000, 65537, 1 << 20):
            with open(path, "wb") as file:
                file.write(bytes(size))
            result = sim("--nic", f"part=82545em,flash={path}")
            self.assertEqual(result.returncode, 2)
            self.assertIn(path, result.stderr)
            self.assertIn("65536, 131072, 262144 or 524288", result.stderr)

    def test_flash_needs_a_part_that_has_an_interface_for_it(self):
        path = self.path("flash.bin")
        with open(path, "wb") as file:
            file.write(bytes(65536))
        result = sim("--nic", f"flash={path}")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--nic 0: 82540em has no interface for a flash", result.stderr)

    def test_eeprom_with_a_wrong_checksum_is_used_but_not_silently(self):
        path = self.path("eeprom.bin")
        with open(path, "wb") as file:
            file.write(bytes.fromhex("525400123456") + bytes(122))
        result = sim("--nic", f"eeprom={path}")
        self.assertIn(path, result.stderr)
        self.assertIn("checksum", result.stderr)

    def test_a_run_that_cannot_work_fails_with_status_1(self):
        # No link within the time: the driver gives up.
        result = sim("--nic", "aneg=30s", "--duration", "1s")
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertTrue(result.stderr.startswith("e1000-sim: "), result.stderr)


if __name__ == "__main__":
    support.main()
