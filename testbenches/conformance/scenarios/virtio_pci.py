"""virtio on PCI: configuration space, common configuration, status, features, resets."""

import reasons
from bench.parts import BOTH, MODERN, TRANSITIONAL
from bench.scenario import scenario
from bench.virtio import *

PARTS = BOTH


@scenario("identity", "virtio 4.1.2", "power-on")
def _(d):
    d.see("vendor", d.config(0x00, 2), 0x1AF4)
    d.see("device", d.config(0x02, 2), d.part.device)
    d.see("revision", d.config(0x08, 1), 0 if d.part.transitional else 1)
    d.see("class", d.config(0x0A, 2), 0x0200)
    d.see("subsystem", d.config(0x2E, 2), 1 if d.part.transitional else 0x1100)
    d.see("subsystem vendor", d.config(0x2C, 2), 0x1AF4)


@scenario("base address registers", "virtio 4.1.4", "power-on")
def _(d):
    found = {offset: (kind, size) for offset, kind, size in d.bars()}
    d.see("which", sorted(found), [0x10, 0x14, 0x20] if d.part.transitional else [0x14, 0x20])
    d.see("modern", list(found[0x20]), ["memory, 64 bits", 0x4000])
    d.see("MSI-X", list(found[0x14]), ["memory", 0x1000])
    if d.part.transitional:
        d.see("legacy", found[0x10][0], "io")


@scenario("vendor capabilities", "virtio 4.1.4", "power-on")
def _(d):
    kinds = [d.config(o + 3, 1) for o, identity in d.capabilities() if identity == 9]
    d.see("kinds", sorted(kinds), [1, 2, 3, 4, 5])
    d.see("MSI-X", [i for _, i in d.capabilities()].count(0x11), 1)
    for kind in (COMMON_CFG, NOTIFY_CFG, ISR_CFG, DEVICE_CFG):
        _, bar, offset, length = d.vendor(kind)
        d.see(f"{kind}: bar", bar, 4)
        d.see(f"{kind}: offset", offset)
        d.see(f"{kind}: has room", length >= {1: 56, 2: 2, 3: 1, 4: 12}[kind], True)
    d.see("notify multiplier", d.config(d.vendor(NOTIFY_CFG)[0] + 16), 4)


@scenario("capability lengths", "virtio 4.1.4", "power-on")
def _(d):
    for kind in (COMMON_CFG, NOTIFY_CFG, ISR_CFG, DEVICE_CFG, PCI_CFG):
        offset = d.vendor(kind)[0]
        d.see(f"{kind}", d.config(offset + 2, 1), {NOTIFY_CFG: 20, PCI_CFG: 20}.get(kind, 16))


@scenario("the window in configuration space", "virtio 4.1.4.9", "enabled")
def _(d):
    offset = d.vendor(PCI_CFG)[0]
    common = d.vendor(COMMON_CFG)
    d.set_config(offset + 4, common[1], 1)
    d.set_config(offset + 8, common[2] + COMMON["status"][0])
    d.set_config(offset + 12, 1)
    d.set_config(offset + 16, ACKNOWLEDGE, 1)
    d.see("status by register", d.get("status"), ACKNOWLEDGE)
    d.put("status", ACKNOWLEDGE | DRIVER)
    d.see("status by the window", d.config(offset + 16, 1), ACKNOWLEDGE | DRIVER)
    d.set_config(offset + 8, common[2] + COMMON["queues"][0])
    d.set_config(offset + 12, 2)
    d.see("16 bits", d.config(offset + 16, 2), 3)


@scenario("common configuration after reset", "virtio 4.1.4.3", "enabled")
def _(d):
    for name, value in dict(
        device_feature_select=0,
        driver_feature_select=0,
        driver_feature=0,
        config_vector=NO_VECTOR,
        queues=3,
        status=0,
        queue_select=0,
        queue_size=256,
        queue_vector=NO_VECTOR,
        queue_enable=0,
        queue_notify_offset=0,
        queue_descriptors=0,
        queue_available=0,
        queue_used=0,
    ).items():
        d.see(name, d.get(name), value)


@scenario("queue sizes", "virtio 4.1.4.3", "enabled")
def _(d):
    for index in (RX, TX):
        d.put("queue_select", index)
        d.see(f"queue {index}", d.get("queue_size"), 256)
    d.put("queue_select", CTRL)
    d.see("there is a control queue", d.get("queue_size") > 0, True)


@scenario("queues that are not there", "virtio 4.1.4.3.1", "enabled")
def _(d):
    for index in (3, 7, 1000, 0xFFFF):
        d.put("queue_select", index)
        d.see(f"size of {index}", d.get("queue_size"), 0)


@scenario("every queue has a place to be notified at", "virtio 4.1.4.4", "enabled")
def _(d):
    for index in range(3):
        d.put("queue_select", index)
        d.see(f"{index}", d.get("queue_notify_offset"), index)


@scenario("feature windows", "virtio 4.1.4.3.1", "enabled")
def _(d):
    value = d.offered()
    d.see("VERSION_1", value >> 32 & 1, 1)
    for select in (2, 3, 0xFFFFFFFF):
        d.put("device_feature_select", select)
        d.see(f"device, {select:#x}", d.get("device_feature"), 0)


@scenario("{} is offered", "virtio 5.1.3, 6", "enabled", each=(
    "MAC STATUS MRG_RXBUF CTRL_VQ CTRL_RX CTRL_VLAN CTRL_RX_EXTRA CTRL_MAC_ADDR GUEST_ANNOUNCE "
    "INDIRECT_DESC EVENT_IDX VERSION_1".split()
))
def _(d, name):
    d.see(name, d.offered() >> F[name] & 1, 1)


@scenario("MQ is not offered with one pair", "virtio 5.1.3", "enabled")
def _(d):
    d.see("MQ", d.offered() >> F["MQ"] & 1, 0)


@scenario("the driver's features read back", "virtio 4.1.4.3", "enabled")
def _(d):
    d.put("status", ACKNOWLEDGE | DRIVER)
    d.accept(bits("MAC", "VERSION_1"))
    for half, value in ((0, 1 << 5), (1, 1)):
        d.put("driver_feature_select", half)
        d.see(f"half {half}", d.get("driver_feature"), value)


@scenario("status goes up", "virtio 3.1.1", "enabled")
def _(d):
    for value in (1, 3):
        d.put("status", value)
        d.see("early", d.get("status"), value)
    d.accept(bits("MAC", "VERSION_1"))
    d.put("status", 11)
    d.see("features", d.get("status"), 11)
    d.put("status", 15)
    d.see("ready", d.get("status"), 15)
    d.put("status", 0)
    d.see("reset", d.get("status"), 0)


@scenario("FAILED stays until reset", "virtio 2.1", "enabled")
def _(d):
    d.put("status", ACKNOWLEDGE | FAILED)
    d.see("failed", d.get("status"), ACKNOWLEDGE | FAILED)
    d.put("status", 0)
    d.see("reset", d.get("status"), 0)


@scenario("features that were not offered are refused", "virtio 2.2, 3.1.1", "enabled")
def _(d):
    missing = next(bit for bit in (50, 51, 52) if not d.offered() >> bit & 1)
    d.put("status", ACKNOWLEDGE | DRIVER)
    d.accept(1 << missing | bits("VERSION_1"))
    d.put("status", ACKNOWLEDGE | DRIVER | FEATURES_OK)
    d.see("FEATURES_OK", d.get("status") & FEATURES_OK, 0, reasons.VIRTIO_UNOFFERED)


@scenario("a modern device insists on VERSION_1", "virtio 6.1", "enabled", parts=MODERN)
def _(d):
    d.put("status", ACKNOWLEDGE | DRIVER)
    d.accept(bits("MAC"))
    d.put("status", ACKNOWLEDGE | DRIVER | FEATURES_OK)
    d.see("FEATURES_OK", d.get("status") & FEATURES_OK, 0, reasons.VIRTIO_LEGACY_REFUSED)


@scenario("reset forgets queues and vectors", "virtio 2.1.2, 4.1.4.3.1", "enabled")
def _(d):
    d.start("MAC")
    d.put("config_vector", 1)
    d.put("status", 0)
    d.see("config vector", d.get("config_vector"), NO_VECTOR)
    for index in (0, 1):
        d.put("queue_select", index)
        d.see(f"enable {index}", d.get("queue_enable"), 0)
        d.see(f"vector {index}", d.get("queue_vector"), NO_VECTOR)
        d.see(f"descriptors {index}", d.get("queue_descriptors"), 0)
        d.see(f"available {index}", d.get("queue_available"), 0)
        d.see(f"used {index}", d.get("queue_used"), 0)
        d.see(f"size {index}", d.get("queue_size"), 256)
    d.put("driver_feature_select", 0)
    d.see("features", d.get("driver_feature"), 0)


@scenario("reset takes back a smaller queue size", "virtio 4.1.4.3.1", "enabled")
def _(d):
    d.negotiate(bits("MAC"))
    d.put("queue_size", 16)
    d.see("smaller", d.get("queue_size"), 16)
    d.put("status", 0)
    d.see("after reset", d.get("queue_size"), 256)


@scenario("queue addresses by halves", "virtio 4.1.4.3", "enabled")
def _(d):
    d.negotiate(bits("MAC"))
    for name in ("queue_descriptors", "queue_available", "queue_used"):
        d.put(name, 0x1234_5678_9ABC_D000)
        d.see(name, d.get(name), 0x1234_5678_9ABC_D000)


@scenario("queue addresses of each queue", "virtio 4.1.4.3", "enabled")
def _(d):
    d.negotiate(bits("MAC"))
    for index in range(3):
        d.put("queue_select", index)
        d.put("queue_descriptors", 0x10000 * (index + 1))
    for index in range(3):
        d.put("queue_select", index)
        d.see(f"{index}", d.get("queue_descriptors"), 0x10000 * (index + 1))


@scenario("queue enable cannot be taken back", "virtio 4.1.4.3.2", "enabled")
def _(d):
    d.negotiate(bits("MAC"))
    d.queue(RX)
    d.see("enabled", d.get("queue_enable"), 1)


@scenario("MSI-X vectors of queues without MSI-X enabled", "virtio 4.1.5.1.2", "enabled")
def _(d):
    d.negotiate(bits("MAC"))
    for vector in (0, 2):
        d.put("config_vector", vector)
        d.see(f"config {vector}", d.get("config_vector"), vector)
        d.put("queue_vector", vector)
        d.see(f"queue {vector}", d.get("queue_vector"), vector)


@scenario("vectors that are not there", "virtio 4.1.5.1.2.1", "enabled")
def _(d):
    d.negotiate(bits("MAC"))
    for vector in (4, 100, 0x7FF):
        d.put("config_vector", vector)
        d.see(f"config {vector}", d.get("config_vector"), NO_VECTOR)
        d.put("queue_vector", vector)
        d.see(f"queue {vector}", d.get("queue_vector"), NO_VECTOR)


@scenario("device configuration: address and status", "virtio 5.1.4", "link")
def _(d):
    d.see("MAC", [d.net_config(n, 1) for n in range(6)], [0x52, 0x54, 0, 0x12, 0x34, 0x56])
    d.see("MAC, 16 bits", d.net_config(0, 2), 0x5452)
    d.see("MAC, 32 bits", d.net_config(0, 4), 0x12005452)
    d.see("status", d.net_config(6, 2), 1)


@scenario("device configuration cannot be written", "virtio 5.1.4", "link")
def _(d):
    d.negotiate(bits("MAC", "STATUS"))
    for n in range(8):
        d.qtest.write(d.at[DEVICE_CFG] + n, 1, 0x99)
    d.see("MAC", [d.net_config(n, 1) for n in range(6)], [0x52, 0x54, 0, 0x12, 0x34, 0x56])
    d.see("status", d.net_config(6, 2), 1)


@scenario("ISR is clear after reset", "virtio 4.1.4.5", "enabled")
def _(d):
    d.see("ISR", d.isr(), 0)
    d.see("line", d.irq(), False)


@scenario("nothing decodes before the command register says so", "PCI 3.0 6.2.2", "power-on")
def _(d):
    d.see("status", d.qtest.read(d.at[COMMON_CFG] + 20, 1), 0xFF, reasons.VIRTIO_UNCLAIMED)


@scenario("reset during use", "virtio 2.1.2", "link")
def _(d):
    rx, tx = d.start("MAC")
    d.offer_buffers(4)
    d.put("status", 0)
    d.send(b"\xff" * 6 + bytes(54))
    d.see("used", rx.used_index(), 0)
    d.see("line", d.irq(), False)
    rx, tx = d.start("MAC")
    buffers = d.offer_buffers(4)
    frame = b"\xff" * 6 + bytes(range(54))
    got = d.deliver(frame, buffers=buffers)
    d.see("after the next start", [data for _, data in got][-1:], [frame])
