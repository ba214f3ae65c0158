"""What the cable saw: captures of the simulator (filter dump), frame by frame."""

import struct

PAUSE_ADDRESS = bytes.fromhex("0180c2000001")


class Frame:
    """`time` in ns of simulated time, of its first bit at that place; `data` without FCS."""

    def __init__(self, time, data, flags):
        self.time, self.data = time, data
        self.inbound = flags & 3 == 1
        self.damaged = bool(flags & (1 << 24 | 1 << 31))

    @property
    def destination(self):
        return self.data[:6]

    @property
    def broadcast(self):
        return self.destination == b"\xff" * 6

    @property
    def multicast(self):
        return bool(self.data[0] & 1) and not self.broadcast

    @property
    def kind(self):
        return int.from_bytes(self.data[12:14], "big")

    @property
    def pause(self):
        """Its time in units of 512 bit times; None: it is no PAUSE frame."""
        if self.kind != 0x8808 or self.destination != PAUSE_ADDRESS or self.data[14:16] != b"\0\1":
            return None
        return int.from_bytes(self.data[16:18], "big")

    @property
    def bytes(self):
        return len(self.data) + 4


def read(path):
    """All frames of a pcapng file as e1000-sim writes it."""
    content, frames, offset = path.read_bytes(), [], 0
    while offset < len(content):
        kind, length = struct.unpack_from("<II", content, offset)
        if kind == 6:
            _, high, low, captured, _ = struct.unpack_from("<IIIII", content, offset + 8)
            start = offset + 28
            at, flags = start + (captured + 3) // 4 * 4, 0
            while at < offset + length - 4:
                code, size = struct.unpack_from("<HH", content, at)
                if code == 2:
                    flags = struct.unpack_from("<I", content, at + 4)[0]
                at += 4 + (size + 3) // 4 * 4
            frames.append(Frame(high << 32 | low, content[start:start + captured], flags))
        offset += length
    return frames
