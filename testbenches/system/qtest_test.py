"""A client drives the board over qtest."""

import os
import subprocess
import sys
import time

import support
from support import SIM, Scenario, sim

HERE = os.path.dirname(os.path.abspath(__file__))


class QTest(Scenario):
    def start(self, *arguments):
        address = self.path("qtest.sock")
        process = subprocess.Popen([SIM, "--qtest", f"unix:{address}", *arguments],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + 20
        while not os.path.exists(address):
            self.assertIsNone(process.poll(), "the simulator has ended")
            self.assertLess(time.monotonic(), deadline, "no socket")
            time.sleep(0.01)
        return process, address

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
        import socket
        process, address = self.start("--nic", "part=82545em", "--link", "null")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(address)
            answers = client.makefile()

            def do(line):
                client.sendall(line.encode() + b"\n")
                return answers.readline().split()

            do("outl 0xcf8 0x80001000")
            self.assertEqual(do("inl 0xcfc"), ["OK", "0x100f8086"])
            do("outl 0xcf8 0x80000000")
            self.assertEqual(do("inl 0xcfc"), ["OK", "0x12378086"])
            self.assertEqual(do("write 0x1000 4 0x01020304"), ["OK"])
            self.assertEqual(do("readl 0x1000"), ["OK", "0x0000000004030201"])
            answers.close()
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
