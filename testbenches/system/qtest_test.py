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
