"""A client finds the card's flash, programs it, and the file has what was written."""

import support
from support import QTestClient, Scenario, start_qtest

REGISTERS, FLASH, ROM, PORT = 0xE0000000, 0xE0100000, 0xE0200000, 0xC000
EECD, WRITES_ENABLED = 0x10, 0x20
SIZE = 128 << 10


class Flash(Scenario):
    def start(self, part, content):
        self.image = self.path("flash.bin")
        with open(self.image, "wb") as file:
            file.write(content)
        self.process, address = start_qtest(self, "--link", "null", "--nic",
                                            f"part={part},flash={self.image}")
        self.client = QTestClient(self, address)

    def end(self):
        self.client.close()
        _, err = self.process.communicate(timeout=20)
        self.assertEqual(self.process.returncode, 0, err)
        with open(self.image, "rb") as file:
            return file.read()

    def size_of(self, register):
        """What a BIOS does."""
        self.client.config(2, register, 0xFFFFFFFF)
        mask = self.client.config(2, register) & 0xFFFFF800
        return (~mask & 0xFFFFFFFF) + 1

    def map(self, flash_bar, io_bar):
        for register, base in ((0x10, REGISTERS), (flash_bar, FLASH), (io_bar, PORT), (0x30, ROM | 1)):
            self.client.config(2, register, base)
        self.client.config(2, 4, 3)

    def write(self, address, value):
        self.assertEqual(self.client.do(f"writeb {FLASH + address:#x} {value:#x}"), "OK")

    def command(self, value):
        self.write(0x5555, 0xAA), self.write(0x2AAA, 0x55), self.write(0x5555, value)

    def wait(self, address, value, step_ns):
        """Polls bit 7, with time going on."""
        for _ in range(100):
            read = self.client.value(f"readb {FLASH + address:#x}")
            if read & 0x80 == value & 0x80:
                return
            self.client.do(f"clock_step {step_ns}")
        self.fail("the flash does not become ready")

    def program(self, address, data):
        for i, value in enumerate(data):
            self.command(0xA0)
            self.write(address + i, value)
            self.wait(address + i, value, 2000)

    def test_the_base_address_registers_have_its_size(self):
        for part, kib, flash_bar, io_bar, kind in (("82544gc", 64, 0x14, 0x18, 0),
                                                   ("82545em", 512, 0x18, 0x20, 4)):
            with self.subTest(part=part):
                self.start(part, bytes(kib << 10))
                self.assertEqual(self.size_of(flash_bar), kib << 10)
                self.assertEqual(self.client.config(2, flash_bar) & 0xF, kind)
                self.assertEqual(self.size_of(0x30), kib << 10)
                self.assertEqual(self.client.config(2, io_bar) & 1, 1)
                self.end()

    def test_what_is_programmed_is_in_the_file(self):
        content = bytearray(i * 7 & 0xFF for i in range(SIZE))
        self.start("82545em", content)
        self.map(0x18, 0x20)
        self.assertEqual(self.client.do(f"read {FLASH + 0x1F000:#x} 16"),
                         "OK 0x" + content[0x1F000:0x1F010].hex())
        self.client.do(f"writel {REGISTERS + EECD:#x} {WRITES_ENABLED:#x}")
        self.command(0x90)
        self.assertEqual(self.client.value(f"readw {FLASH:#x}"), 0xD5BF)
        self.command(0xF0)

        self.command(0x80), self.write(0x5555, 0xAA), self.write(0x2AAA, 0x55)
        self.write(0x1F123, 0x30)
        self.wait(0x1F000, 0xFF, 1000000)
        data = b"\x55\xaa a boot ROM, or so"
        self.program(0x1F000, data)
        content[0x1F000:0x20000] = data + b"\xff" * (4096 - len(data))
        self.assertEqual(self.client.do(f"read {ROM + 0x1F000:#x} {len(data)}"), "OK 0x" + data.hex())
        self.assertEqual(self.end(), content)

    def test_writes_do_nothing_until_they_are_enabled(self):
        content = b"\xff" * SIZE
        self.start("82545em", content)
        self.map(0x18, 0x20)
        self.command(0xA0)
        self.write(0, 0)
        self.client.do("clock_step 1000000")
        self.assertEqual(self.client.value(f"readl {FLASH:#x}"), 0xFFFFFFFF)
        self.assertEqual(self.end(), content)

    def test_the_io_window_reaches_it_before_memory_is_mapped(self):
        content = bytes(i & 0xFF for i in range(SIZE))
        self.start("82544gc", content)
        self.client.config(2, 0x18, PORT)
        self.client.config(2, 4, 1)
        for address in (0, 0x101, 0x1FFFF):
            self.client.do(f"outl {PORT:#x} {0x80000 + address:#x}")
            self.assertEqual(self.client.value(f"inb {PORT + 4 + address % 4:#x}"), address & 0xFF)
        self.client.do(f"outl {PORT:#x} 0x80104")
        self.assertEqual(self.client.value(f"inl {PORT + 4:#x}"), 0x07060504)
        self.assertEqual(self.end(), content)


if __name__ == "__main__":
    support.main()
