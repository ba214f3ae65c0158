"""A client drives the board over qtest."""

import os
import subprocess
import sys

import support
from support import QTestClient, Scenario, sim, start_qtest

HERE = os.path.dirname(os.path.abspath(__file__))


class QTest(Scenario):
    def start(self, *arguments):
        return start_qtest(self, *arguments)

    def test_the_example_of_the_readme_sends_its_frame(self):
        nic, host = self.path("nic.sock"), self.path("host.sock")
        process, address = self.start("--link", f"dgram:local={nic},remote={host}")
        client = subprocess.run([sys.executable, os.path.join(HERE, "qtest_readme.py"), address, host],
                                capture_output=True, text=True, timeout=30)
        self.assertEqual(client.returncode, 0, client.stderr)
        self.assertEqual(client.stdout, "frame: " + "ff" * 6 + "525400123456" + "88b5" + "2a" * 46 +
                         "  descriptor done: 0x0000000000000001\n")
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("ended by client", out)

    def test_the_readme_shows_that_example(self):
        with open(os.path.join(HERE, "qtest_readme.py")) as script:
            example = script.read().split("# --- example ---\n")[1]
        with open(os.path.join(HERE, "..", "..", "README.md")) as readme:
            self.assertIn(example.rstrip(), readme.read())

    def test_what_software_writes_into_the_eeprom_goes_to_its_file(self):
        image = self.path("eeprom.bin")
        words = bytearray(b"\x52\x54\x00\x12\x34\x56" + b"\xff" * 122)
        with open(image, "wb") as file:
            file.write(words)
        process, address = self.start("--link", "null", "--nic", f"eeprom={image}")
        client = QTestClient(self, address)
        client.config(2, 0x10, 0xE0000000)
        client.config(2, 4, 7)

        def pins(value):
            self.assertEqual(client.do(f"writel 0xe0000010 {value}"), "OK")

        def clock(bits, count):
            for i in reversed(range(count)):
                data = 0x40 | 0x02 | (0x04 if bits >> i & 1 else 0)  # REQ, CS, DI
                pins(data), pins(data | 1), pins(data)               # SK up and down

        client.do("clock_step 1000000")           # hardware has read the EEPROM
        pins(0x40)                                # request it
        self.assertTrue(client.value("readl 0xe0000010") & 0x80, "granted")
        pins(0x42), clock(0b10011 << 4, 9), pins(0x40)                # write enable
        pins(0x42), clock(0b101 << 6 | 0x21, 9), clock(0xBEEF, 16), pins(0x40)
        client.do("clock_step 10000000")          # the device's write cycle
        client.close()
        _, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0, err)
        words[0x42:0x44] = b"\xef\xbe"
        with open(image, "rb") as file:
            self.assertEqual(file.read(), bytes(words))

    def test_registers_and_configuration_space_are_those_of_the_part(self):
        process, address = self.start("--nic", "part=82545em", "--link", "null")
        client = QTestClient(self, address)
        self.assertEqual(hex(client.config(2, 0)), "0x100f8086")
        self.assertEqual(hex(client.config(0, 0)), "0x12378086")
        self.assertEqual(client.do("write 0x1000 4 0x01020304"), "OK")
        self.assertEqual(client.value("readl 0x1000"), 0x04030201)
        client.close()
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0)

    def test_a_signal_ends_a_server_that_nobody_uses(self):
        process, _ = self.start("--link", "null")
        process.terminate()
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0)

    def test_an_address_in_use_is_refused(self):
        _, address = self.start("--link", "null")
        result = sim("--qtest", f"unix:{address}", timeout=20)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn(address, result.stderr)


if __name__ == "__main__":
    support.main()
