"""Help, version, and every way of getting the command line wrong."""

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
    (["--nic", "wings=2"], "wings"),
    (["--link", "teleport:"], "teleport"),
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
        self.assertRegex(result.stdout, r"^e1000-sim \S+\n$")

    def test_bad_input_is_refused_with_status_2_and_named(self):
        for arguments, names in BAD:
            with self.subTest(arguments=arguments):
                result = sim(*arguments, timeout=20)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertTrue(result.stderr.startswith("e1000-sim: "), result.stderr)
                self.assertIn(names, result.stderr)
                self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
                self.assertEqual(result.stdout, "")

    def test_capture_that_ends_in_the_middle_is_named(self):
        path = self.path("cut.pcap")
        with open(support.CAPTURE, "rb") as whole, open(path, "wb") as cut:
            cut.write(whole.read(1000))
        result = sim("--link", f"pcap:in={path}")
        self.assertEqual(result.returncode, 2)
        self.assertIn(path, result.stderr)

    def test_a_run_that_cannot_work_fails_with_status_1(self):
        # No link within the time: the driver gives up.
        result = sim("--nic", "aneg=30s", "--duration", "1s")
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertTrue(result.stderr.startswith("e1000-sim: "), result.stderr)


if __name__ == "__main__":
    support.main()
