"""Client of QEMU's qtest protocol."""


class QTestError(Exception):
    """The other side refused a command, or has gone."""


class QTest:
    """Speaks over a connected stream socket. Times are nanoseconds of the virtual clock."""

    def __init__(self, stream, timeout=60):
        stream.settimeout(timeout)
        self._stream = stream
        self._received = b""
        self.clock = 0
        self.levels = {}  # interrupt number: level
        self.edges = []  # (number, level) in their order, until the caller clears it

    def do(self, command):
        """Sends one command; the words of its answer after OK."""
        return self.batch([command])[0]

    def batch(self, commands):
        """Sends commands at once; returns their answers in order."""
        answers = []
        for start in range(0, len(commands), 64):  # so that neither side's socket fills up
            part = commands[start : start + 64]
            self._stream.sendall("".join(line + "\n" for line in part).encode())
            answers += [self._answer(line) for line in part]
        return answers

    def _answer(self, command):
        while True:
            words = self._line().split()
            if words[0] == "IRQ":
                number, level = int(words[2]), words[1] == "raise"
                self.levels[number] = level
                self.edges.append((number, level))
            elif words[0] == "OK":
                return words[1:]
            else:
                raise QTestError(f"'{command[:80]}' gave '{' '.join(words)}'")

    def _line(self):
        while b"\n" not in self._received:
            data = self._stream.recv(1 << 20)
            if not data:
                raise QTestError("the connection has been closed")
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        return line.decode()

    def read(self, address, size):
        """size: 1, 2, 4 or 8 bytes."""
        return int(self.do(f"read{'_bw_l___q'[size]} {address:#x}")[0], 16)

    def write(self, address, size, value):
        self.do(f"write{'_bw_l___q'[size]} {address:#x} {value:#x}")

    def read_bytes(self, address, count):
        return bytes.fromhex(self.do(f"read {address:#x} {count}")[0][2:])

    def write_bytes(self, address, data):
        self.do(f"write {address:#x} {len(data)} 0x{data.hex()}")

    def fill(self, address, count, value=0):
        self.do(f"memset {address:#x} {count} {value:#x}")

    def port_read(self, port, size):
        return int(self.do(f"in{'_bw_l'[size]} {port:#x}")[0], 16)

    def port_write(self, port, size, value):
        self.do(f"out{'_bw_l'[size]} {port:#x} {value:#x}")

    def step(self, nanoseconds):
        """Lets that much virtual time pass."""
        self.clock = int(self.do(f"clock_step {nanoseconds}")[0])

    def close(self):
        self._stream.close()
