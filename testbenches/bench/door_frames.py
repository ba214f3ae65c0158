"""How long a frame of a host partner takes until it is in the memory of a --vfio-user client.

    door_frames.py PATH-OF-E1000-SIM [FRAMES] [OPTION-OF-VFIO-USER]

The adapter is idle in between, so that the simulation sleeps when a frame comes."""

import os
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
import vfio_user_client as vfio  # noqa: E402

RDBAL, RDLEN, RDT, RCTL, STATUS = 0x2800, 0x2808, 0x2818, 0x100, 8
FRAME = b"\xff" * 6 + b"bench!" + b"\x88\xb5" + bytes(50)


class Nothing:
    """What the client wants of a scenario."""

    def addCleanup(self, *_):
        pass

    def assertLess(self, left, right, what):
        assert left < right, what


def measure(folder, client, frames):
    nic, host = os.path.join(folder, "nic"), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    host.bind(os.path.join(folder, "host"))
    memory = vfio.Memory(1 << 20)
    client.map(0, memory.size, memory)
    client.write(vfio.CONFIG, 4, 6, 2)
    while not client.read(0, STATUS) & 2:
        time.sleep(0.01)
    for i in range(8):
        struct.pack_into("<QQ", memory.bytes, 0x1000 + 16 * i, 0x8000 + 2048 * i, 0)
    for offset, value in ((RDBAL, 0x1000), (RDLEN, 128), (RDT, 7), (RCTL, 0x801A)):
        client.write(0, offset, value)
    times = []
    for i in range(frames):
        head, at = i % 8, 0x1000 + 16 * (i % 8) + 12
        time.sleep(0.003 + 0.0001 * (i % 17))
        start = time.perf_counter()
        host.sendto(FRAME, nic)
        while not memory.bytes[at] & 1:
            assert time.perf_counter() - start < 10, "no frame"
            time.sleep(0)
        times.append(1e6 * (time.perf_counter() - start))
        memory.bytes[at] = 0
        client.write(0, RDT, head)
    host.close()
    memory.close()
    return times


def main():
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} PATH-OF-E1000-SIM [FRAMES] [OPTION-OF-VFIO-USER]")
    frames = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    option = "," + sys.argv[3] if len(sys.argv) > 3 else ""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "door")
        sim = subprocess.Popen([sys.argv[1], "--quiet", "--vfio-user", f"unix:{path}{option}", "--link",
                                f"dgram:local={folder}/nic,remote={folder}/host"])
        try:
            times = sorted(measure(folder, vfio.VfioUserClient(Nothing(), path), frames))
        finally:
            sim.terminate()
            sim.wait()
    tenth = len(times) // 10
    print(f"a frame to the guest's memory, {len(times)} frames: 10 % {times[tenth]:.0f} us, "
          f"median {statistics.median(times):.0f} us, 90 % {times[-1 - tenth]:.0f} us")


if __name__ == "__main__":
    main()
