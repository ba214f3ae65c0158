"""Programs that broke other models of virtio network devices: the device must survive each of them, and memory that no
descriptor names must stay as it is. Whether it wants a reset afterwards is its own business."""

import random

import pytest

from bench.bench import BAR
from bench.endpoint import MEMORY, MEMORY_BYTES
from bench.packets import BROADCAST, PEER, STATION, Packet, ethernet
from bench.parts import VIRTIO
from bench.virtio import *

CANARY = MEMORY + 0x380000  # this and what follows belongs to nobody
CANARY_BYTES = MEMORY_BYTES - 0x380000
STRIPE = bytes(range(251)) * 16
IN = ethernet(STATION, PEER, size=300)
OUT = ethernet(PEER, STATION, size=300)
REGISTERS = dict(
    common=BAR, status=BAR + 20, isr=BAR + 0x1000, net=BAR + 0x2000, notify=BAR + 0x3000, msix=MSIX_BAR
)


@pytest.fixture(params=VIRTIO)
def d(request, model):
    model.restart(VIRTIO[request.param])
    bench = VirtioBench(model, VIRTIO[request.param])
    bench.enable()
    bench.bring_up_link()
    canary = (STRIPE * (CANARY_BYTES // len(STRIPE) + 1))[:CANARY_BYTES]
    bench.qtest.write_bytes(CANARY, canary)
    yield bench
    survives(bench)
    assert bench.qtest.read_bytes(CANARY, CANARY_BYTES) == canary, "memory was overwritten"
    assert model.close() == 0, model.log()


def survives(d):
    """After a reset the device works as ever."""
    assert d.endpoint.alive(), d.endpoint.log()
    d.set_config(0x04, 7, 2)
    d.put("status", 0)
    d.step(10_000_000)
    d.set_config(d.msix() + 2, 0, 2)
    while d.endpoint.frames():  # what the socket had no room for follows
        d.step(1_000_000)
    d.header_bytes = 12
    d.start("MAC", "STATUS")
    assert d.transmit(OUT) == [OUT]
    frame = ethernet(STATION, PEER, size=123)
    buffers = d.offer_buffers(30)
    d.step(1_000_000)
    assert [data for _, data in d.deliver(frame, buffers=buffers)][-1:] == [frame]


def flood(d, count=8):
    d.send(*[IN] * count)
    d.step(1_000_000)


@pytest.mark.parametrize("where", REGISTERS)
def test_cve_2024_3446_received_into_the_own_registers(d, where):
    rx, _ = d.start("MAC")
    rx.add((REGISTERS[where], 1600, True))
    rx.add((rx.buffer(), 12, True), (REGISTERS[where], 1600, True))
    d.step(200_000)
    flood(d)


@pytest.mark.parametrize("where", REGISTERS)
def test_cve_2024_3446_sent_out_of_the_own_registers(d, where):
    _, tx = d.start("MAC")
    for _ in range(4):
        tx.add((tx.buffer(), 12, False), (REGISTERS[where], 100, False))
    tx.add((REGISTERS[where], 200, False))
    d.step(1_000_000)


@pytest.mark.parametrize("where", REGISTERS)
@pytest.mark.parametrize("part", ("queue_descriptors", "queue_available", "queue_used"))
def test_cve_2024_3446_rings_in_the_own_registers(d, where, part):
    d.negotiate(bits("MAC"))
    for index in (RX, TX):
        d.queue(index, enable=False)
        d.put(part, REGISTERS[where] & ~15)
        d.put("queue_enable", 1)
    d.ready()
    for _ in range(3):
        for index in (RX, TX):
            q = d.queues[index]
            q.add((q.buffer(), 1600, index == RX))
    d.step(1_000_000)
    flood(d)


@pytest.mark.parametrize("mergeable", (False, True))
@pytest.mark.parametrize("size", (1, 11, 12, 13, 20, 64))
def test_cve_2015_7295_frames_longer_than_buffers(d, size, mergeable):
    rx, _ = d.start("MAC", *(["MRG_RXBUF"] if mergeable else []))
    d.offer_buffers(8, size)
    flood(d, 20)


def test_cve_2022_26353_buffers_of_frames_that_are_given_up_come_back(d):
    rx, _ = d.start("MAC", "MRG_RXBUF")
    for _ in range(20):
        d.offer_buffers(2, 64)
        flood(d, 3)
        assert d.get("status") == 15
    assert rx.used_index() <= 40


def test_cve_2021_3748_the_header_of_a_packet_in_a_tiny_first_buffer(d):
    rx, _ = d.start("MAC", "MRG_RXBUF")
    head = rx.chain((rx.buffer(), 10, True))
    rest = [rx.chain((rx.buffer(), 2048, True)) for _ in range(3)]
    rx.offer(head, *rest)
    rx.notify()
    d.step(200_000)
    flood(d, 3)


@pytest.mark.parametrize("kind", (1, 3, 4, 5, 0x81, 0xFF))
@pytest.mark.parametrize("size", (0, 1, 1460, 0xFFFF))
def test_segmentation_that_makes_no_sense(d, kind, size):
    d.start("MAC", "CSUM", "HOST_TSO4", "HOST_TSO6")
    packet = ethernet(PEER, STATION, size=1000)
    for start, offset in ((34, 16), (0, 0), (0xFFFF, 0xFFFF), (999, 2), (14, 10)):
        d.transmit(packet, d.header(1, kind, 54, size, start, offset))
        d.transmit(packet[:14], d.header(1, kind, 0, size, start, offset))


def test_cve_2016_6490_chains_of_one_byte_each(d):
    assert d.negotiate(bits("MAC")) & FEATURES_OK
    d.queue(RX, 256)
    tx = d.queue(TX, 256)
    d.ready()
    at = tx.buffer()
    d.qtest.write_bytes(at, d.header() + bytes(200))
    tx.add(*[(at + n, 1, False) for n in range(200)])
    d.step(1_000_000)


def test_resets_in_the_middle_of_it(d):
    for _ in range(10):
        rx, tx = d.start("MAC")
        d.offer_buffers(8)
        d.endpoint.send(IN)
        at = tx.buffer()
        d.qtest.write_bytes(at, d.header() + OUT)
        tx.offer(*[tx.chain((at, 312, False)) for _ in range(8)])
        d.qtest.batch([f"writew {d.at[NOTIFY_CFG] + 4:#x} 1", f"writeb {d.at[COMMON_CFG] + 20:#x} 0"])


def test_memory_that_is_not_there(d):
    for address in (0xFFFF_FFFF_FFFF_F000, 0x1_0000_0000, 0xF000_0000):
        for index, written in ((RX, True), (TX, False)):
            d.start("MAC")
            d.queues[index].add((address, 1600, written))
            d.step(300_000)
            flood(d, 2)


def test_bus_mastering_taken_away_and_given_back(d):
    d.start("MAC")
    d.offer_buffers(8)
    for command in (3, 7, 2, 7, 0, 7):
        d.set_config(0x04, command, 2)
        flood(d, 2)
        d.queues[TX].notify() if command & 2 else None


@pytest.mark.parametrize("seed", range(8))
def test_random_control_commands(d, seed):
    chance = random.Random(seed)
    features = [name for name in F if name not in ("RING_RESET", "MQ") and d.offered() >> F[name] & 1]
    d.start(*features, queues=(RX, TX, CTRL))
    for _ in range(60):
        data = bytes(chance.randrange(256) for _ in range(chance.choice((0, 1, 2, 3, 6, 8, 40, 400))))
        d.command(chance.randrange(6), chance.randrange(6), data)


@pytest.mark.parametrize("seed", range(8))
def test_random_registers(d, seed):
    """Anything may be written anywhere, in any order, with queues in the air."""
    chance = random.Random(seed)
    rx, tx = d.start("MAC", "MRG_RXBUF")
    d.offer_buffers(8)
    for _ in range(300):
        size = chance.choice((1, 2, 4))
        part = chance.choice((COMMON_CFG, COMMON_CFG, NOTIFY_CFG, ISR_CFG, DEVICE_CFG))
        value = chance.choice((0, 1, 2, 15, 0xFF, 0xFFFF, chance.getrandbits(32))) & ((1 << 8 * size) - 1)
        at = d.at[part] + chance.randrange(0, 64, size)
        d.qtest.write(at, size, value)
        if chance.random() < 0.3:
            d.qtest.read(at, size)
    flood(d, 3)
