"""Stateful fuzzing of the door for User-Mode Linux (--uml): guests that know no manners, each against an e1000-sim of its
own, best one with sanitizers.

    uml_door_fuzz.py PATH-OF-E1000-SIM [--seconds N | --minutes N] [--seed N]

Each begins as Linux does, up to some point, with its clock in shared memory or not; then it says anything in any order
on both sockets, writes anything into rings, descriptors and the shared clock, and hangs up at any moment. The simulator
has to end by itself, with a report, and neither crash nor have anything said by a sanitizer. What is sent follows from
the seed."""

import argparse
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
import uml_client as uml  # noqa: E402

PATIENCE = 60  # seconds, on a slow machine with sanitizers
BRIEF = 0.2  # that an answer which need not come is waited for
NUMBERS = (0, 1, 2, 3, 4, 8, 10, 16, 255, 256, 4096, 65535, 65536, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 40,
           1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
ENDS = (uml.Gone, OSError, AssertionError, struct.error)


class Session:
    def __init__(self, path, rng):
        self.rng, self.guest = rng, None
        shares = rng.random() < 0.5
        self.guest = uml.UmlGuest(path, True, shares)
        steps = (self.guest.introduce, self.guest.share, self.guest.start_rings)
        for step in steps[:rng.choice((0, 1, 2, 3, 3, 3, 3, 3))]:
            step()
        self.guest.time.settimeout(BRIEF)
        self.guest.device.settimeout(BRIEF)
        self.guest.patience = BRIEF

    def number(self, *likely):
        return self.rng.choice(likely) if likely and self.rng.random() < 0.7 else self.rng.choice(NUMBERS)

    def tell(self):
        """Something about time."""
        now = self.guest.now
        self.guest.tell(self.rng.randrange(11), self.number(now, now + 1000, now + 1_000_000), self.number(self.guest.number) & 0xFFFFFFFF)

    def manners(self):
        """What a guest does that knows how."""
        if not hasattr(self.guest, "buffer"):
            return  # it has no rings
        self.rng.choice((lambda: self.guest.write(self.rng.randrange(0x6000) & ~3, self.rng.getrandbits(32)),
                         lambda: self.guest.read(self.rng.randrange(0x6000) & ~3),
                         lambda: self.guest.config_write(self.rng.randrange(256) & ~3, self.rng.getrandbits(32)),
                         lambda: self.guest.config_write(4, 7, 2)))()

    def wait(self):
        self.guest.wish(self.guest.now + self.rng.choice((1, 1000, 1_000_000, 1_000_000_000)))
        self.guest.ask(uml.WAIT, uml.ALL_ONES)

    def request(self):
        """Something about the device."""
        body = b"".join(struct.pack("<Q", self.number(0, 1, 2, uml.BASE, 1 << 32)) for _ in range(self.rng.choice((0, 1, 1, 2, 5, 9))))
        fds = self.rng.choice(((), (), (), (0,), (self.guest.memory.file.fileno(),)))
        message = struct.pack("<III", self.rng.randrange(45), self.rng.choice((1, 9, 9, 5, 0)),
                              len(body) if self.rng.random() < 0.9 else self.number() & 0xFFFFFFFF) + body
        socket.send_fds(self.guest.device, [message], list(fds))

    def scribble(self):
        """Into memory: rings, buffers, commands."""
        self.guest.memory.write(uml.BASE + self.rng.choice((0x1000, 0x2000, 0x4000, 0x5000, 0x8000)) + self.rng.randrange(64),
                                self.rng.randbytes(self.rng.choice((1, 2, 4, 16, 64))))
        self.guest.request(uml.VRING_KICK, struct.pack("<II", self.rng.choice((0, 0, 1, 2)), 0))

    def scribble_clock(self):
        if self.guest.shares:
            at = self.rng.choice((0, 4, 8, 16, 16, 16, 24, 26, 4096, 4224, 4228, 4232, 4232))
            now = self.guest.shared(16)
            struct.pack_into("<Q", self.guest.clock, at, self.number(now, now + 1000, now - 1) & uml.ALL_ONES)

    def garbage(self):
        self.rng.choice((self.guest.time, self.guest.device)).sendall(self.rng.randbytes(self.rng.choice((1, 7, 16, 100))))

    def cut(self):
        if self.rng.random() < 0.1:
            self.guest.memory.file.truncate(self.rng.choice((0, 4096, uml.BASE + 4096)))

    ACTIONS = ((manners, 40), (tell, 3), (wait, 4), (request, 3), (scribble, 6), (scribble_clock, 6), (garbage, 0.5), (cut, 1))

    def run(self):
        actions, weights = zip(*self.ACTIONS)
        for action in self.rng.choices(actions, weights, k=self.rng.choice((3, 30, 100))):
            action(self)


def session(sim, folder, seed, number):
    """What is wrong; nothing: all is as it should be."""
    rng, path = random.Random(f"{seed} {number}"), os.path.join(folder, "nic")
    with open(os.path.join(folder, "errors"), "w+b") as errors:
        process = subprocess.Popen([sim, "--uml", f"unix:{path}", "--nic", "part=82545gm", "--link", "null", "--json", "-"],
                                   stdout=subprocess.PIPE, stderr=errors)
        deadline = time.monotonic() + PATIENCE
        while not os.path.exists(path + ".time"):
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                return "it does not begin"
            time.sleep(0.002)
        guest = None
        try:
            guest = Session(path, rng)
            guest.run()
        except ENDS:
            pass  # hung up, or no answer: by either
        if guest:
            guest.guest.close()
        try:
            out, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            process.communicate()
            return "it does not end when its guest is gone"
        errors.seek(0)
        said = errors.read().decode(errors="replace")
    if any(mark in said for mark in ("Sanitizer", "runtime error", "Assertion")):
        return said[-3000:]
    if process.returncode != 0:
        return f"status {process.returncode}: {said[-1000:]}"
    try:
        json.loads(out)
    except ValueError:
        return "no report"
    return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sim")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--number", type=int, help="only this session")
    options = parser.parse_args()
    end, number = time.monotonic() + (60 * options.minutes or options.seconds), 0
    sessions = 0
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < end:
            number = options.number or number + 1
            sessions += 1
            found = session(options.sim, folder, options.seed, number)
            if found:
                print(f"FOUND: --seed {options.seed} --number {number}: {found}")
                return 1
            if options.number:
                break
    print(f"seed {options.seed}: {sessions} sessions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
