"""Frames and packets that the harness sends to the guest through the tap device, and what comes back."""

import os
import select
import socket
import struct
import threading
import time

from machine import GUEST, MAC, TAP


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


class Wire:
    """Raw frames on the tap device."""

    def __init__(self, interface=TAP):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((interface, 0))
        self.own = open(f"/sys/class/net/{interface}/address", encoding="ascii").read().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, to=MAC, kind=0x88B5, payload=b"\x2a" * 60, vlan=None, count=1, gap=0.0):
        tag = struct.pack(">HH", 0x8100, vlan) if vlan is not None else b""
        frame = mac_bytes(to) + mac_bytes(self.own) + tag + struct.pack(">H", kind) + payload
        for _ in range(count):
            self.socket.send(frame)
            if gap:
                time.sleep(gap)

    def tagged_echo(self, vlan, source, destination, size, attempts=3):
        """An echo request in a VLAN; does the answer come, with the tag?"""
        body = struct.pack(">HH", 77, size) + bytes((size + i * 3) & 0xFF for i in range(size))
        message = struct.pack(">BBH", 8, 0, checksum(struct.pack(">BBH", 8, 0, 0) + body)) + body
        packet = ip_packet(source, destination, 1, message)
        self.socket.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA: the tag that the kernel takes off
        for _ in range(attempts):
            self.send(kind=0x0800, payload=packet, vlan=vlan)
            deadline = time.monotonic() + 2
            while (left := deadline - time.monotonic()) > 0 and select.select([self.socket], [], [], left)[0]:
                frame, ancillary, _, _ = self.socket.recvmsg(4096, 256)
                tags = [struct.unpack_from("H", data, 16)[0] for level, kind, data in ancillary
                        if (level, kind) == (263, 8)]
                if frame[14 + 20:14 + 21] == b"\0" and frame[14 + 24:14 + 24 + len(body)] == body:
                    return [tag & 0xFFF for tag in tags] == [vlan]
        return False

    @staticmethod
    def tcp(source, destination, bad):
        """A TCP segment to a closed port, with a right or a wrong checksum."""
        segment = struct.pack(">HHIIBBHHH", 4000, 9, 1, 1, 0x50, 0x10, 1000, 0, 0) + b"x" * 40
        pseudo = socket.inet_aton(source) + socket.inet_aton(destination) + struct.pack(">HH", 6, len(segment))
        right = checksum(pseudo + segment)
        value = right ^ 0x5555 if bad else right
        return ip_packet(source, destination, 6, segment[:16] + struct.pack(">H", value) + segment[18:])

    @staticmethod
    def udp(source, destination, bad):
        """A datagram to a closed port, with a right or a wrong checksum."""
        datagram = struct.pack(">HHHH", 4000, 9, 48, 0) + b"x" * 40
        pseudo = socket.inet_aton(source) + socket.inet_aton(destination) + struct.pack(">HH", 17, len(datagram))
        right = checksum(pseudo + datagram)
        value = right ^ 0x5555 if bad else right
        return ip_packet(source, destination, 17, datagram[:6] + struct.pack(">H", value) + datagram[8:])


def ip_packet(source, destination, protocol, content):
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(content), 1, 0, 64, protocol, 0,
                         socket.inet_aton(source), socket.inet_aton(destination))
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + content


def sweep(sizes, address=GUEST, attempts=3, patience=2.0):
    """Echo requests of these sizes, each with a pattern of its own; those not answered byte for byte."""
    echo = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    echo.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    echo.setblocking(False)
    mine = os.getpid() & 0xFFFF
    missing = []
    for size in sizes:
        payload = bytes((size + i * 7) & 0xFF for i in range(size))
        body = struct.pack(">HH", mine, size & 0xFFFF) + payload
        request = struct.pack(">BBH", 8, 0, checksum(struct.pack(">BBH", 8, 0, 0) + body)) + body
        if not any(_answered(echo, address, request, body, patience) for _ in range(attempts)):
            missing.append(size)
            if len(missing) >= 5:
                break
    echo.close()
    return missing


def _answered(echo, address, request, body, patience):
    echo.sendto(request, (address, 0))
    deadline = time.monotonic() + patience
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([echo], [], [], left)[0]:
            return False
        packet = echo.recv(70000)
        if packet[20] == 0 and packet[24:] == body:
            return True
    return False


class Receiver(threading.Thread):
    """Takes one TCP connection and keeps what it sends."""

    def __init__(self, port, family=socket.AF_INET):
        super().__init__(daemon=True)
        self.server = socket.create_server(("", port), family=family)
        self.server.settimeout(120)
        self.data, self.error = b"", None
        self.start()

    def run(self):
        try:
            connection, _ = self.server.accept()
            connection.settimeout(60)
            parts = []
            while part := connection.recv(1 << 16):
                parts.append(part)
            self.data = b"".join(parts)
        except OSError as error:
            self.error = error
        finally:
            self.server.close()


class Sender(threading.Thread):
    """Takes one TCP connection and sends data."""

    def __init__(self, port, data, family=socket.AF_INET):
        super().__init__(daemon=True)
        self.server = socket.create_server(("", port), family=family)
        self.server.settimeout(120)
        self.data, self.error = data, None
        self.start()

    def run(self):
        try:
            connection, _ = self.server.accept()
            connection.settimeout(120)
            connection.sendall(self.data)
            connection.close()
        except OSError as error:
            self.error = error
        finally:
            self.server.close()


class Traffic(threading.Thread):
    """UDP packets to the guest until stop()."""

    def __init__(self, size=800, gap=0.0005, address=GUEST):
        super().__init__(daemon=True)
        self.size, self.gap, self.address, self.ending = size, gap, address, False
        self.start()

    def run(self):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        while not self.ending:
            try:
                sender.sendto(bytes(self.size), (self.address, 9))
            except OSError:
                time.sleep(0.01)
            time.sleep(self.gap)
        sender.close()

    def stop(self):
        self.ending = True
        self.join()
