"""Brings a NIC up over qtest and sends a frame. Start the simulator with
e1000-sim --qtest unix:/tmp/e1000.sock --link dgram:local=/tmp/nic.sock,remote=/tmp/host.sock"""

import socket
import sys

QTEST, HOST = sys.argv[1:] or ("/tmp/e1000.sock", "/tmp/host.sock")

# --- example ---
host = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
host.bind(HOST)                                      # the far end of the NIC's cable
qtest = socket.socket(socket.AF_UNIX)
qtest.connect(QTEST)
answers = qtest.makefile()
def do(line): qtest.sendall(line.encode() + b"\n"); return answers.readline().split()
do("outl 0xcf8 0x80001010"), do("outl 0xcfc 0xe0000000")      # BAR 0 of PCI device 2
do("outl 0xcf8 0x80001004"), do("outl 0xcfc 0x7")             # decode memory and ports, bus master
do("writel 0xe0000000 0x40"), do("clock_step 1000000000")     # CTRL.SLU, autonegotiation
do("write 0x2000 60 0x" + ("ff" * 6 + "525400123456" + "88b5" + "2a" * 46))     # a broadcast frame
do("write 0x1000 16 0x" + "0020000000000000" + "3c00000b" + "00000000")  # descriptor: EOP, IFCS, RS
do("writel 0xe0003800 0x1000"), do("writel 0xe0003808 128")   # TDBAL, TDLEN
do("writel 0xe0000400 0x10a"), do("writel 0xe0003818 1")      # TCTL: enable, pad; TDT
print("frame:", host.recv(2000).hex(), " descriptor done:", do("readb 0x100c")[1])
# --- example ---
