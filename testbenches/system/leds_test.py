"""An adapter's LEDs, as a driver and its user see them."""

import support
from support import QTestClient, Scenario, sim, sim_json, start_qtest

BAR, CTRL, STATUS, LEDCTL = 0xE0000000, 0x0, 0x8, 0xE00
MS = 10**6  # ns
ON, OFF = 0xE, 0xF


def waveforms(path):
    """A value change dump: name -> list of (time in ps, level); and when it ends."""
    names, changes, now = {}, {}, 0
    with open(path, encoding="ascii") as file:
        for line in file.read().splitlines():
            words = line.split()
            if line.startswith("$var"):
                names[words[3]] = words[4]
                changes[words[4]] = []
            elif line.startswith("#"):
                now = int(line[1:])
            elif line[:1] in ("0", "1"):
                changes[names[line[1:]]].append((now, int(line[0])))
    return changes, now


class Leds(Scenario):
    def test_ethtool_p_blinks_as_linux_does_it(self):
        path = self.path("leds.vcd")
        process, address = start_qtest(self, "--link", "null", "--nic", f"leds={path}")
        client = QTestClient(self, address)
        client.config(2, 0x10, BAR)
        client.config(2, 4, 7)
        client.do(f"writel {BAR + CTRL:#x} 0x40")          # SLU
        client.do(f"clock_step {1000 * MS}")                # autonegotiation
        self.assertTrue(client.value(f"readl {BAR + STATUS:#x}") & 2, "link")
        # The EEPROM's word 4 does not say anything else: LED 2 off, LED 3 on and off.
        default = client.value(f"readl {BAR + LEDCTL:#x}")
        self.assertEqual(default, 0x07068302)
        off = default & 0xFFFF | OFF << 16 | OFF << 24
        on = default & 0xFFFF | OFF << 16 | ON << 24
        start = 1000
        for _ in range(3):
            for value in (on, off):
                client.do(f"writel {BAR + LEDCTL:#x} {value:#x}")
                client.do(f"clock_step {250 * MS}")
        client.do(f"writel {BAR + LEDCTL:#x} {default:#x}")
        client.do(f"clock_step {100 * MS}")
        client.close()
        _, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0, err)

        leds, end = waveforms(path)
        self.assertEqual(end // 10**9, start + 6 * 250 + 100)
        link_up = leds["led3"][1]
        self.assertEqual(link_up[1], 1)
        self.assertLess(link_up[0], start * 10**9)
        edges = [(time // 10**9, level) for time, level in leds["led3"][2:]]
        self.assertEqual(edges, [(1250, 0), (1500, 1), (1750, 0), (2000, 1), (2250, 0), (2500, 1)])
        self.assertEqual([level for _, level in leds["led0"]], [0, 1], "link, all the time")

    def test_an_led_that_software_makes_blink_does_not_keep_a_client_from_ending(self):
        path = self.path("leds.vcd")
        process, address = start_qtest(self, "--link", "null", "--nic", f"leds={path}")
        client = QTestClient(self, address)
        client.config(2, 0x10, BAR)
        client.config(2, 4, 7)
        client.do(f"writel {BAR + LEDCTL:#x} {ON | 0x80:#x}")
        client.do(f"clock_step {1000 * MS}")
        client.close()
        _, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0, err)
        edges = [(time // 10**9, level) for time, level in waveforms(path)[0]["led0"][1:]]
        self.assertEqual(edges[:5], [(0, 1), (200, 0), (400, 1), (600, 0), (800, 1)])

    def test_the_report_says_what_they_show(self):
        leds = sim_json("--app", "sink")["nics"][0]["leds"]
        self.assertEqual([led["shows"] for led in leds],
                         ["link up", "activity", "link at 100 Mb/s", "link at 1000 Mb/s"])
        self.assertEqual([led["light"] for led in leds], ["on", "blinking", "off", "on"])
        self.assertIn("link up: on, activity: blinking", sim("--app", "sink").stdout)

    def test_recording_them_changes_nothing_else(self):
        path = self.path("leds.vcd")
        plain, traced = sim_json(), sim_json("--nic", f"leds={path}")
        for summary in (plain, traced):
            for key in ("wall_s", "wall_ns"):
                del summary[key]
        self.assertEqual(plain, traced)
        leds, end = waveforms(path)
        self.assertEqual(end // 1000, plain["simulated_ns"])
        self.assertEqual([level for _, level in leds["led1"]][:2], [0, 1], "activity")


if __name__ == "__main__":
    support.main()
