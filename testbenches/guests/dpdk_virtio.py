"""DPDK's testpmd with its virtio driver on a virtio network device, with one pair of queues and with several."""

import re
import socket
import struct

import checks
import dpdk
from dpdk import Driver, forwarding
from machine import GUEST, HOST, MAC, VIRTIO
from programs import program
from wire import Wire, checksum, mac_bytes

NET = Driver("net_virtio", "librte_net_virtio.so.25", "virtio-pci", 0)
FLOWS, OF_EACH = 32, 8


@program("dpdk-virtio", parts=("virtio-net", "virtio-net-4"), more=("virtio-net-transitional",), needs=("dpdk",))
def dpdk_virtio(stage):
    """DPDK's testpmd with its virtio driver: as dpdk, and flows over several pairs of queues."""
    g, address = dpdk.lend(stage)
    pairs = VIRTIO[stage.part]
    words = f"--rxq={pairs} --txq={pairs}" if pairs > 1 else ""
    # What has been sent stays with each queue until its ring is nearly full: up to 256 packets of three pieces.
    pmd = dpdk.probe(stage, g, address, NET, "1 Gbps" if stage.model else "Unknown", words=words, mbufs=4096 * pairs)
    dpdk.checks_of_all(stage, pmd)
    if pairs > 1:
        spreads(stage, pmd, pairs)
    dpdk.checksums(stage, pmd, by_card=("udp",))
    pmd.quit()
    g.run("modprobe virtio_net")
    dpdk.linux_again(stage, g, address, NET)


def packet(flow, number):
    """A UDP datagram with the flow's ports and a content of its own."""
    size = 20 + (flow * 37 + number * 211) % 1400
    data = struct.pack(">II", flow, number) + bytes((flow + number + i * 5) & 0xFF for i in range(size))
    udp = struct.pack(">HHHH", 20000 + 97 * flow, 9, 8 + len(data), 0) + data
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, socket.inet_aton(HOST),
                         socket.inet_aton(GUEST))
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + udp


def of_queues(pmd, way):
    """Good packets of each queue."""
    answer = pmd.do("show port xstats 0")
    found = re.findall(rf"^{way}_q(\d+)_good_packets: (\d+)", answer, re.M)
    return [int(count) for _, count in sorted(found, key=lambda entry: int(entry[0]))]


def in_order(packets, wanted):
    """Whether each flow's packets came as they were sent; flows may overtake each other."""
    def by_flow(entries):
        flows = {}
        for entry in entries:
            flows.setdefault(entry[20:22], []).append(entry)
        return flows

    return by_flow(packets) == by_flow(wanted)


def spreads(stage, pmd, pairs):
    """Packets of many flows come back byte for byte, each flow in order, and every pair of queues has had some."""
    with stage.step("spreads flows", needed=False) as detail, Wire() as wire:
        head = mac_bytes(wire.own) + mac_bytes(MAC) + struct.pack(">H", 0x0800)
        wanted = [packet(flow, number) for number in range(OF_EACH) for flow in range(FLOWS)]
        pmd.do("clear port xstats 0")
        with forwarding(pmd, "macswap"):
            got = dpdk.answers(wire, 0x0800, wanted, lambda frame: frame[:14] == head)
        checks.expect(in_order(got, wanted), f"{len(got)} of {len(wanted)} packets came back, "
                                             f"{len(set(got) & set(wanted))} as they were")
        for way in ("rx", "tx"):
            counts = of_queues(pmd, way)
            checks.expect(len(counts) == pairs and all(counts) and sum(counts) == len(wanted),
                          f"{way}: packets of each queue: {counts}")
            detail.append(f"{way} {'+'.join(map(str, counts))}")
