"""A client drives the board over qtest."""

import os
import socket
import subprocess
import sys

import qtest_readme
import support
from support import SIM, QTestClient, Scenario, free_port, sim, start_qtest, start_sim

HERE = os.path.dirname(os.path.abspath(__file__))


class QTest(Scenario):
    def start(self, *arguments):
        return start_qtest(self, *arguments)

    def test_the_lines_of_the_readme_send_their_frame(self):
        self.assertEqual(qtest_readme.paste(self, SIM), qtest_readme.PRINTED)

    def test_the_lines_of_the_readme_can_be_pasted_into_an_interpreter(self):
        self.assertIn(qtest_readme.PRINTED, qtest_readme.paste(self, SIM, "-i"))

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

    def test_it_listens_and_connects_by_tcp_and_by_unix_sockets(self):
        port, path = free_port(), self.path("listener")
        for family, address, option in ((socket.AF_INET, ("127.0.0.1", port), f"tcp::{port}"),
                                        (socket.AF_UNIX, path, f"unix:{path}")):
            with self.subTest(option=option, side="listens"):
                process = start_sim(self, "--qtest", f"{option},server,wait=off,keep=off",
                                    "--link", "null")
                client = QTestClient(self, address)
                self.assertEqual(client.do("endianness"), "OK little")
                client.close()
                _, err = process.communicate(timeout=20)
                self.assertEqual(process.returncode, 0, err)
            with self.subTest(option=option, side="connects"), socket.socket(family) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(address)
                listener.listen()
                listener.settimeout(20)
                process = start_sim(self, "--qtest", f"{option},server=off", "--link", "null")
                client = QTestClient(self, listener.accept()[0])
                self.assertEqual(client.do("endianness"), "OK little")
                client.close()
                _, err = process.communicate(timeout=20)
                self.assertEqual(process.returncode, 0, err)

    def test_standard_input_and_output_are_a_client_too(self):
        process = start_sim(self, "--qtest", "stdio", "--link", "null", stdin=subprocess.PIPE)
        out, err = process.communicate("outl 0xcf8 0x80001000\ninl 0xcfc\nclock_step 5\nread 0 9000\n",
                                       timeout=20)
        self.assertEqual(out, "OK\nOK 0x100e8086\nOK 5\nOK 0x" + "00" * 9000 + "\n")
        self.assertEqual(process.returncode, 0)
        self.assertIn("ended by client", err)
        result = sim("--qtest", "stdio", "--json", "-", timeout=20)
        self.assertEqual(result.returncode, 2)
        self.assertIn("--json: - does not go with --qtest stdio", result.stderr)

    def test_several_clients_one_after_the_other(self):
        process, address = start_qtest(self, "--link", "null", keep=True)
        for number in range(3):
            client = QTestClient(self, address)
            self.assertEqual(client.do("clock_step 5"), f"OK {5 * (number + 1)}")
            client.close()
        process.terminate()
        out, _ = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0)
        self.assertIn("ended by signal", out)

    def test_memory_is_that_of_qemus_machine_unless_it_is_given(self):
        for arguments, size in (((), 128 << 20), (("--ram", "16MiB"), 16 << 20)):
            process, address = self.start("--link", "null", *arguments)
            client = QTestClient(self, address)
            client.do(f"writel {size - 4:#x} 0x12345678")
            client.do(f"writel {size:#x} 0x12345678")
            self.assertEqual(client.value(f"readl {size - 4:#x}"), 0x12345678)
            self.assertEqual(client.value(f"readl {size:#x}"), 0xFFFFFFFF)
            client.close()
            process.communicate(timeout=20)

    def test_adapters_stand_in_the_slots_that_are_wanted(self):
        process, address = self.start("--nic", "addr=4", "--nic", "addr=1f", "--nic", "part=82544gc",
                                      "--link", "null", "--link", "null")
        client = QTestClient(self, address)
        present = {device: client.config(device, 0) >> 16 for device in range(32)
                   if client.config(device, 0) != 0xFFFFFFFF}
        self.assertEqual(present, {0: 0x1237, 2: 0x100C, 4: 0x100E, 0x1F: 0x100E})
        client.do("irq_intercept_in ioapic")
        for device, line in ((4, 11), (2, 10), (0x1F, 11)):
            bar = 0xE0000000 + device * 0x100000
            client.config(device, 0x10, bar)
            client.config(device, 4, 7)
            self.assertEqual(client.config(device, 0x3C) & 0xFF, line)
            client.do(f"writel {bar + 0xD0:#x} 4")
            client.interrupts.clear()
            client.do(f"writel {bar + 0xC8:#x} 4")
            self.assertEqual(client.interrupts, [f"IRQ raise {line}"])
            client.value(f"readl {bar + 0xC0:#x}")
            self.assertEqual(client.interrupts[1:], [f"IRQ lower {line}"])
        self.assertEqual(client.do("irq_intercept_in /machine/peripheral-anon/device[2]"),
                         "FAIL IRQ intercept already enabled")
        client.close()
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0)

    def test_slots_that_cannot_be_are_refused(self):
        for arguments, reason in ((("--nic", "addr=4", "--nic", "addr=4"), "no device number 4"),
                                  (("--nic", "addr=5", "--nic", "addr=4"), "must ascend")):
            result = sim(*arguments, timeout=20)
            self.assertEqual(result.returncode, 2)
            self.assertIn(f"--nic 1: addr: ", result.stderr)
            self.assertIn(reason, result.stderr)
        result = sim("--nic", "addr=5", "--nic", "addr=9", "--link", "loopback", "--link", "loopback",
                     "--app", "generate", "--frames", "100", timeout=60)
        self.assertEqual(result.returncode, 0, result.stderr)

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
