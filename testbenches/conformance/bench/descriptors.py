"""Descriptors' bytes (manual 3.2.3, 3.3.3, 3.3.5, 3.3.6)."""

import collections
import struct

from bench.registers import DEXT


def legacy(address, length, command, cso=0, css=0, special=0):
    return struct.pack("<QHBBBBH", address, length, cso, command, 0, css, special)


def context(
    ipcss=0, ipcso=0, ipcse=0, tucss=0, tucso=0, tucse=0, payload=0, command=0, header=0, mss=0
):
    """command: TUCMD without DEXT."""
    return struct.pack(
        "<BBHBBHIBBH",
        ipcss,
        ipcso,
        ipcse,
        tucss,
        tucso,
        tucse,
        payload | (command | DEXT) << 24,
        0,
        header,
        mss,
    )


def data(address, length, command, options=0, special=0):
    """command: DCMD without DEXT; options: POPTS."""
    return struct.pack(
        "<QIBBH", address, length | 1 << 20 | (command | DEXT) << 24, 0, options, special
    )


def receive(address):
    return struct.pack("<QQ", address, 0)


Received = collections.namedtuple("Received", "address length checksum status errors special")


def decode_received(raw):
    return Received(*struct.unpack("<QHHBBH", raw))
