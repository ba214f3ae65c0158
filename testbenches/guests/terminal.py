"""A guest without an agent: what its console says is waited for, and commands are typed."""

import os
import re
import socket
import threading
import time

from machine import Machine, Trouble, inside

CONTROL = re.compile(rb"\x1b\[[0-9;?=]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>78cM]|[\0\r\x07\x0f]")


class Console(threading.Thread):
    """Takes what a serial port says, as it comes; control sequences of terminals are left out."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream, self.raw, self.seen, self.ended = stream, b"", 0, False
        self.news = threading.Condition()
        self.start()

    def run(self):
        while data := self._receive():
            with self.news:
                self.raw += data
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def _receive(self):
        try:
            return self.stream.recv(65536)
        except OSError:
            return b""

    def text(self):
        with self.news:
            return CONTROL.sub(b"", self.raw).decode(errors="replace")

    def type(self, text):
        self.stream.sendall(text.encode())

    def expect(self, pattern, silence=240, limit=1800, reject=None):
        """Waits for a regular expression behind what was expected last; gives up when nothing has been said for
        `silence` seconds, nothing fits within `limit`, or what `reject` describes is said first."""
        end, size, heard = time.monotonic() + limit, -1, time.monotonic()
        while True:
            with self.news:
                ended = self.ended
            text = self.text()
            found = re.compile(pattern, re.S | re.M).search(text, self.seen)
            bad = reject and re.compile(reject, re.M).search(text, self.seen)
            if bad and not (found and found.start() <= bad.start()):
                raise Trouble(f"the console says '{bad[0]}': {self.tail()}")
            if found:
                self.seen = found.end()
                return found
            now = time.monotonic()
            if len(text) != size:
                size, heard = len(text), now
            if ended:
                raise Trouble(f"QEMU is gone before '{pattern}': {self.tail()}")
            if now - heard > silence or now > end:
                raise Trouble(f"'{pattern}' does not come on the console: {self.tail()}")
            with self.news:
                self.news.wait(0.2)

    def tail(self, lines=6):
        said = [line.strip() for line in self.text().splitlines() if line.strip()]
        return " | ".join(said[-lines:])


class Terminal(Machine):
    """A machine whose first serial port is a terminal of ours; with a boot menu or firmware instead of a kernel."""

    def __init__(self, card, folder, firmware, accel="tcg", memory=512, board="pc,graphics=off", kernel=""):
        super().__init__(card, kernel, folder, accel, memory)
        self.firmware, self.board = list(firmware), board
        self.terminal = None

    def boot_words(self):
        return self.firmware

    def console_words(self, files):
        ours, theirs = socket.socketpair()
        files.append(os.dup(theirs.fileno()))
        theirs.close()
        self.terminal = Console(ours)
        return ["-chardev", f"socket,id=terminal,fd={files[-1]},logfile={inside(self.folder / 'console')},logappend=on",
                "-serial", "chardev:terminal"]

    def expect(self, pattern, **limits):
        return self.terminal.expect(pattern, **limits)

    def kill(self):
        super().kill()
        if self.terminal is not None:
            self.terminal.join(10)
            self.terminal.stream.close()
