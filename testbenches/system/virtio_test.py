"""A virtio-net device on the board, driven over qtest: what options, reports, the control socket and
traces make of it."""

import json
import struct

import support
import virtio_net_driver as virtio
from support import QTestClient, Scenario, sim, start_qtest
from virtio_net_driver import (COMMON, DEVICE, F_CSUM, F_CTRL_RX, F_CTRL_VQ, F_MAC, F_MQ, F_MRG_RXBUF, F_MTU,
                               F_STATUS, F_VERSION_1, HEADER, ISR, NOTIFY, PLAIN, RX, TX, VirtioNetDriver)

ALL = b"\xff" * 6
SUFFIX = {1: "b", 2: "w", 4: "l"}


class Reach:
    """What a VirtioNetDriver needs, by a qtest client."""

    def __init__(self, client, slot):
        self.client, self.slot = client, slot
        self.config_write(0x10 + 4 * virtio.MODERN, self.bar(virtio.MODERN))
        self.config_write(0x14 + 4 * virtio.MODERN, 0)

    def bar(self, region):
        return 0xE0000000 + 0x100000 * self.slot + 0x10000 * region

    def config_read(self, offset, size=4):
        return self.client.config(self.slot, offset & ~3) >> 8 * (offset & 3) & (1 << 8 * size) - 1

    def config_write(self, offset, value, size=4):
        assert size == 4 or offset & 3 == 0
        self.client.config(self.slot, offset, value)

    def read(self, region, offset, size):
        return self.client.value(f"read{SUFFIX[size]} {self.bar(region) + offset:#x}")

    def write(self, region, offset, value, size):
        assert self.client.do(f"write{SUFFIX[size]} {self.bar(region) + offset:#x} {value:#x}") == "OK"

    def load(self, address, size):
        return b"" if size == 0 else bytes.fromhex(self.client.do(f"read {address:#x} {size}").split()[1][2:])

    def store(self, address, data):
        assert self.client.do(f"write {address:#x} {len(data)} 0x{data.hex()}") == "OK"


def driver_of(client, slot=2, **options):
    return VirtioNetDriver(Reach(client, slot), 0x100000, **options)


def reap_all(driver, index):
    return list(iter(lambda: driver.reap(index), None))


def frame(size=60, to=ALL, tail=b""):
    body = to + b"\x02\x00\x00\x00\x00\x01" + b"\x88\xb5" + tail
    return body + bytes(size - len(body))


class VirtioNet(Scenario):
    def start(self, *arguments):
        """On a link that returns everything."""
        self.report = self.path("report.json")
        self.process, address = start_qtest(self, "--json", self.report, *arguments)
        return QTestClient(self, address)

    def finish(self, client, status=0):
        client.close()
        _, err = self.process.communicate(timeout=60)
        self.assertEqual(self.process.returncode, status, err)
        with open(self.report, encoding="utf-8") as file:
            return json.load(file)

    def test_it_sends_and_receives_and_the_report_says_what_was_agreed_on(self):
        client = self.start("--nic", "model=virtio-net", "--link", "loopback")
        self.assertEqual(hex(client.config(2, 0)), "0x10411af4")
        client.do("irq_intercept_in ioapic")
        driver = driver_of(client)
        driver.start()
        self.assertEqual(driver.status(), 15)
        for _ in range(4):
            driver.offer()
        client.do("clock_step 10000000")
        client.interrupts.clear()
        sent = [frame(tail=bytes([i])) for i in range(3)]
        for one in sent:
            driver.transmit(one)
        client.do("clock_step 1000000")
        self.assertEqual(len(reap_all(driver, TX)), 3)
        self.assertEqual([data[HEADER:] for data in reap_all(driver, RX)], sent)
        self.assertIn("IRQ raise 10", client.interrupts)
        self.assertEqual(driver.read(ISR, 1), 1)
        self.assertEqual(client.interrupts[-1], "IRQ lower 10")
        nic = self.finish(client)["nics"][0]
        self.assertEqual(nic["part"], "virtio-net")
        self.assertEqual(nic["mac"], "52:54:00:12:34:56")
        self.assertTrue(nic["link_up"])
        self.assertEqual((nic["link_mbit_per_s"], nic["full_duplex"]), (1000, True))
        self.assertEqual(nic["leds"], [])
        self.assertEqual(nic["wire_out"], {"frames": 3, "bytes": 180})
        self.assertEqual(nic["wire_in"], {"frames": 3, "bytes": 180})
        self.assertEqual(nic["lost"], {})
        self.assertGreaterEqual(nic["interrupts"], 1)
        report = nic["virtio"]
        self.assertEqual(report["interface"], "modern")
        self.assertEqual(report["status"], ["ACKNOWLEDGE", "DRIVER", "FEATURES_OK", "DRIVER_OK"])
        self.assertEqual(report["features"], ["MAC", "STATUS", "VERSION_1"])
        self.assertEqual(report["active_pairs"], 1)
        self.assertEqual(report["fault"], "")
        pair, = report["pairs"]
        self.assertEqual(pair["in"], {"frames": 3, "bytes": 180})
        self.assertEqual(pair["out"], {"frames": 3, "bytes": 180})
        self.assertGreaterEqual(pair["receive_interrupts"], 1)

    def test_its_options_are_what_its_driver_sees(self):
        client = self.start("--nic", "model=virtio-net,mac=02:00:00:00:00:05,queues=4,queue-size=64,"
                            "mtu=4000,features=-CSUM-MRG_RXBUF,addr=7,interface=transitional",
                            "--link", "null")
        self.assertEqual(hex(client.config(7, 0)), "0x10001af4")
        self.assertEqual(client.config(7, 0x10) & 1, 1, "a legacy BAR")
        driver = driver_of(client, slot=7)
        offered = driver.negotiate((F_MAC, F_VERSION_1))
        for bit in (F_CSUM, F_MRG_RXBUF):
            self.assertFalse(offered >> bit & 1)
        for bit in (F_MQ, F_CTRL_VQ, F_MTU):
            self.assertTrue(offered >> bit & 1)
        self.assertEqual(driver.read(COMMON + 18, 2), 9)
        driver.write(COMMON + 22, 8, 2)
        self.assertEqual(driver.read(COMMON + 24, 2), 64)
        self.assertEqual(bytes(driver.read(DEVICE + i, 1) for i in range(6)),
                         bytes.fromhex("020000000005"))
        self.assertEqual(driver.read(DEVICE + 8, 2), 4)
        self.assertEqual(driver.read(DEVICE + 10, 2), 4000)
        report = self.finish(client)["nics"][0]["virtio"]
        self.assertEqual(report["interface"], "transitional")
        self.assertEqual(len(report["pairs"]), 4)

    def test_pairs_that_the_driver_uses_have_their_own_counters(self):
        client = self.start("--nic", "model=virtio-net,queues=4", "--link", "loopback")
        driver = driver_of(client, pairs=4)
        driver.start(features=(*PLAIN, F_MQ, F_CTRL_VQ))
        answer = driver.command(4, 0, struct.pack("<H", 3))
        client.do("clock_step 1000000")
        self.assertEqual(answer(), 0)
        for pair in range(3):
            for _ in range(4):
                driver.offer(2 * pair)
        for pair, count in ((0, 1), (1, 2), (2, 3)):
            for i in range(count):
                driver.transmit(frame(tail=bytes([pair, i])), 2 * pair + 1)
        client.do("clock_step 2000000")
        report = self.finish(client)["nics"][0]["virtio"]
        self.assertEqual(report["active_pairs"], 3)
        self.assertEqual([p["out"]["frames"] for p in report["pairs"]], [1, 2, 3, 0])
        self.assertEqual(sum(p["in"]["frames"] for p in report["pairs"]), 6)

    def test_what_it_loses_is_reported_by_its_reason_and_strict_makes_that_a_failure(self):
        for strict in ((), ("--strict",)):
            with self.subTest(strict=strict):
                client = self.start("--nic", "model=virtio-net", "--link", "loopback", *strict)
                driver = driver_of(client)
                driver.start(features=(*PLAIN, F_CTRL_VQ, F_CTRL_RX))
                answer = driver.command(0, 0, b"\0")
                client.do("clock_step 1000000")
                self.assertEqual(answer(), 0, "no longer promiscuous")
                driver.transmit(frame(to=bytes.fromhex("020000000099")))  # nobody's
                driver.offer(size=20)  # too short, and there are no mergeable buffers
                client.do("clock_step 1000000")
                driver.transmit(frame())
                client.do("clock_step 100000000")
                summary = self.finish(client, 1 if strict else 0)
                nic = summary["nics"][0]
                self.assertEqual(nic["filtered"], {"rx_filtered": 1})
                self.assertEqual(nic["lost"], {"rx_too_long": 1})
                self.assertEqual(bool(summary["failures"]), bool(strict), summary["failures"])

    def test_a_guest_that_breaks_the_rules_is_named_in_the_report(self):
        client = self.start("--nic", "model=virtio-net", "--link", "null")
        driver = driver_of(client)
        driver.start()
        # More than the ring holds.
        driver.device.store(driver.queues[TX].available + 2, struct.pack("<H", 1000))
        driver.write(NOTIFY + 4, 1, 2)
        client.do("clock_step 1000000")
        self.assertTrue(driver.status() & virtio.NEEDS_RESET)
        summary = self.finish(client)
        report = summary["nics"][0]["virtio"]
        self.assertIn("NEEDS_RESET", report["status"])
        self.assertNotEqual(report["fault"], "")
        self.assertEqual(summary["warnings"], [f"nic 0: needs a reset: {report['fault']}"])

    def test_it_and_an_e1000_are_on_one_bus(self):
        client = self.start("--nic", "part=82545em", "--nic", "model=virtio-net", "--link", "null",
                            "--link", "loopback")
        self.assertEqual(hex(client.config(2, 0)), "0x100f8086")
        self.assertEqual(hex(client.config(3, 0)), "0x10411af4")
        driver = driver_of(client, slot=3)
        driver.start()
        driver.offer()
        driver.transmit(frame())
        client.do("clock_step 1000000")
        self.assertEqual(len(reap_all(driver, RX)), 1)
        nics = self.finish(client)["nics"]
        self.assertEqual([nic["part"] for nic in nics], ["82545em", "virtio-net"])
        self.assertEqual(nics[1]["mac"], "52:54:00:12:34:57")
        self.assertNotIn("virtio", nics[0])
        self.assertEqual(len(nics[0]["leds"]), 4)

    def test_traces_and_waves_show_its_wire_bus_queues_and_interrupts(self):
        trace, waves = self.path("run.json"), self.path("run.vcd")
        client = self.start("--nic", "model=virtio-net", "--link", "loopback", "--trace", trace,
                            "--waves", waves)
        driver = driver_of(client)
        driver.start()
        driver.offer()
        driver.transmit(frame())
        client.do("clock_step 1000000")
        driver.read(ISR, 1)
        self.finish(client)
        with open(trace, encoding="utf-8") as file:
            names = {event.get("name") for event in json.load(file)["traceEvents"]}
        for wanted in ("64 bytes", "stored", "queue 1, buffer 0", "queue 0, buffer 0", "queue 0",
                       "NIC 0: Memory Read", "write notify 1", "write device_status",
                       "receive descriptors read", "transmit descriptors written", "receive data",
                       "transmit data"):
            self.assertTrue(any(name and name.startswith(wanted) for name in names),
                            f"{wanted} not in {sorted(filter(None, names))}")
        with open(waves, encoding="utf-8") as file:
            text = file.read()
        for signal in ("intx_n", "link", "rx_valid", "tx_valid"):
            identifier = next(line.split()[3] for line in text.splitlines()
                              if line.startswith("$var") and line.split()[4] == signal)
            levels = {line[0] for line in text.splitlines()
                      if line[1:] == identifier and line[0] in "01"}
            self.assertEqual(levels, {"0", "1"}, signal)

    def test_the_same_run_gives_the_same_report(self):
        def once():
            client = self.start("--nic", "model=virtio-net", "--link", "loopback")
            driver = driver_of(client)
            driver.start()
            for _ in range(8):
                driver.offer()
            for i in range(8):
                driver.transmit(frame(60 + 100 * i))
            client.do("clock_step 1000000")
            summary = self.finish(client)
            for key in ("wall_s", "wall_ns"):
                del summary[key]
            return summary
        self.assertEqual(once(), once())


class NativeDriver(Scenario):
    """The board's own driver, as a user runs it."""

    def test_the_summary_for_people_names_features_and_pairs(self):
        result = sim("--nic", "model=virtio-net,queues=2", "--app", "generate", "--frames", "100",
                     "--link", "loopback")
        self.assertEqual(result.returncode, 0, result.stderr)
        for line in ("nic 0  virtio-net  52:54:00:12:34:56  1000 Mbit/s full duplex",
                     "  status        ACKNOWLEDGE DRIVER FEATURES_OK DRIVER_OK",
                     "  features      ", "  queue pairs   ", "    pair 0      "):
            self.assertIn(line, result.stdout)


class Options(Scenario):
    def test_keys_of_another_model_are_refused(self):
        for arguments, message in (
                (("--nic", "model=virtio-net,eeprom=/x"), "'eeprom' goes with model=e1000"),
                (("--nic", "queues=2"), "'queues' goes with model=virtio-net"),
                (("--nic", "model=virtio"), "known are e1000, virtio-net"),
                (("--nic", "model=virtio-net", "--pci", "64/133x"), "a virtio-net has no PCI-X")):
            result = sim(*arguments)
            self.assertEqual(result.returncode, 2)
            self.assertIn(message, result.stderr)


if __name__ == "__main__":
    support.main()
