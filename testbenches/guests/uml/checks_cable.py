"""Checks that compare what a guest says of its card with what the cable saw. Each boots two guests, whose commands are
known beforehand, and looks at captures and reports afterwards: exact numbers, in simulated time."""

import json
import re

import cable
import lab
from lab import Guest, Trouble
from checks_packets import BROADCAST, SECOND_MAC
from machine import MAC

FIRST, SECOND = "10.9.0.2", "10.9.0.1"
GROUP, STRANGE_GROUP = "01:00:5e:01:02:03", "01:00:5e:05:06:07"
PAUSE = "to=01:80:c2:00:00:01 type=8808 data=0001"
UP = """
echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6
{before}
ip link set eth0 {link} up
ip address add {address}/24 dev eth0
carrier() {{ until [ "$(cat /sys/class/net/eth0/carrier 2> /dev/null)" = 1 ]; do sleep 0.05; done; sleep 0.2; }}
meet() {{ echo > /host/$1.{name}; until [ -e /host/$1.first ] && [ -e /host/$1.second ]; do sleep 0.001; done; }}
carrier
{after}
meet begin
{do}
s=$?
meet end
sleep 3
ethtool -S eth0 > /host/statistics.{name}
meet read
ip link set eth0 down
exit $s
"""


def expect(condition, message):
    if not condition:
        raise Trouble(message)


class Run:
    """Two guests on a hub: what they counted, what the cables carried, what the simulator reports."""

    def __init__(self, options, first, second, words=()):
        guests = [Guest(name, UP.format(**{"name": name, "before": "", "link": "", "after": "", **given}))
                  for name, given in (("first", {"address": FIRST, **first}), ("second", {"address": SECOND, **second}))]
        dumps = [word for number in (0, 1) for word in ("--filter", f"{number}:dump:file={number}.pcapng")]
        with lab.Lab(guests, ["hub:lan", "hub:lan"], [*dumps, *words, *options.sim], options.part,
                     simulator=options.simulator) as it:
            try:
                it.run(options.limit)
            finally:
                if options.keep_log:
                    lab.keep(it, options.keep_log)
            self.report = json.loads((it.folder / "report.json").read_text())
            self.frames = [cable.read(it.folder / f"{number}.pcapng") for number in (0, 1)]
            self.statistics = [dict(re.findall(r"^\s*(\w+): (\d+)$", (it.folder / f"statistics.{name}").read_text(), re.M))
                               for name in ("first", "second")]
            self.said = [guest.text() for guest in guests]

    def count(self, number, name):
        if name not in self.statistics[number]:
            raise Trouble(f"ethtool -S has no {name}")
        return int(self.statistics[number][name])

    def lost(self, number, reason="rx_fifo_full"):
        return self.report["nics"][number]["lost"].get(reason, 0)

    def heard(self):
        """Frames of ours that the first guest's listener counted."""
        return sum(int(count) for count in re.findall(r"^[0-9a-f:]{17} \S+ (\d+) frames .* 0 altered$", self.said[0], re.M))


def same(wanted, counted, who):
    wrong = [f"{name} {counted[name]}, the cable saw {value}" for name, value in wanted.items() if counted[name] != value]
    expect(not wrong, f"the {who} guest counts " + "; ".join(wrong))


def sums(frames, prefix):
    """As the manual counts good frames (13.7): with FCS, and PAUSE is none of them."""
    return {f"{prefix}_packets": len(frames), f"{prefix}_bytes": sum(frame.bytes for frame in frames),
            f"{prefix}_broadcast": sum(frame.broadcast for frame in frames),
            f"{prefix}_multicast": sum(frame.multicast for frame in frames)}


def statistics(options):
    """All counters of both guests. Both send to each other, to all, to groups; the second one also to others, and too
    long. Both ways the line damages frames."""
    joined = f"ip maddress add {GROUP} dev eth0"
    exchange = f"""
packets send eth0 to={{other}},{BROADCAST},{GROUP},{STRANGE_GROUP},52:54:00:00:00:99 sizes=60-1514 gap=100 &
ping -q -c 50 -i 0.01 -s 1000 {{partner}}
{{more}}
wait $!
"""
    first = exchange.format(other=SECOND_MAC, partner=SECOND, more=f"iperf3 -c {SECOND} -n 1M; iperf3 -c {SECOND} -n 1M -R")
    second = exchange.format(other=MAC, partner=FIRST, more=f"packets send eth0 to={MAC} sizes=1515-1618")
    run = Run(options, {"do": "sleep 0.1" + first, "after": joined},
              {"do": "iperf3 -s -D" + second, "link": "mtu 1604", "after": joined},
              ["--filter", "0:impair:corrupt=0.5%,dir=in,seed=3", "--filter", "1:impair:corrupt=0.5%,dir=in,seed=4"])
    said = []
    for number, (name, mac) in enumerate((("first", MAC), ("second", SECOND_MAC))):
        longest = 1518 if number == 0 else 9018  # a tag's four bytes more are allowed
        seen = run.frames[number]
        mine = {bytes.fromhex(text.replace(":", "")) for text in (mac, BROADCAST, GROUP, "01:00:5e:00:00:01")}
        coming = [frame for frame in seen if frame.inbound]
        # Errors count in frames that pass the filter of addresses (13.7.1, 13.7.36).
        passing = [frame for frame in coming if frame.destination in mine]
        damaged = sum(frame.damaged for frame in passing)
        long = sum(not frame.damaged and frame.bytes > longest + 4 for frame in passing)
        taken = [frame for frame in passing if not frame.damaged and frame.bytes <= longest + 4]
        wanted = {**sums([frame for frame in seen if not frame.inbound], "tx"), **sums(taken, "rx"),
                  "rx_crc_errors": damaged, "rx_long_length_errors": long, "rx_length_errors": long,
                  "rx_missed_errors": run.lost(number), "rx_errors": 0, "tx_errors": 0, "rx_short_length_errors": 0,
                  "rx_align_errors": 0, "tx_timeout_count": 0, "collisions": 0, "rx_csum_offload_errors": 0,
                  "tx_flow_control_xoff": 0, "rx_flow_control_xoff": 0}
        same(wanted, {key: run.count(number, key) for key in wanted}, name)
        wire = run.report["nics"][number]
        cable_bytes = sum(len(frame.data) for frame in coming)
        expect((wire["wire_in"]["frames"], wire["wire_in"]["bytes"]) == (len(coming), cable_bytes),
               f"the report has {wire['wire_in']}, the capture {len(coming)} frames and {cable_bytes} bytes")
        said.append(f"{name}: {wanted['tx_packets']} out, {wanted['rx_packets']} in, {damaged} damaged, {long} too long")
        expect(damaged > 10 and (long > 0) == (number == 0) and len(coming) > len(passing), "the line is too good: " + said[-1])
    return "; ".join(said)


def test_frames(frames, inbound):
    """Ours, of packets send."""
    return [frame for frame in frames if frame.inbound == inbound and frame.kind == 0x88B5]


RING, ITR_MS, FRAMES = 80, 2, 600


def overload(options, flow_control):
    """Frames come at the wire's speed; the first guest's ring takes 80, and its driver gives new buffers every 2 ms."""
    run = Run(options, {"before": f"ethtool -G eth0 rx {RING}; ethtool -C eth0 rx-usecs {ITR_MS * 1000}",
                        "after": f"ethtool -A eth0 autoneg off rx off tx {'on' if flow_control else 'off'}",
                        "do": "packets listen eth0 until=/host/end.second"},
              {"after": "ethtool -A eth0 autoneg off rx on tx off",
               "do": f"sleep 0.05; packets send eth0 to={MAC} size=1500 count={FRAMES}; sleep 0.1"},
              ["--pci", "64/66"])
    arrived = test_frames(run.frames[0], True)
    lost = FRAMES - run.heard()
    expect(len(arrived) == FRAMES, f"{len(arrived)} of {FRAMES} frames are on the cable")
    pauses = [frame.pause for frame in run.frames[0] if frame.pause is not None and not frame.inbound]
    same({"rx_missed_errors": lost, "tx_flow_control_xoff": sum(pause > 0 for pause in pauses),
          "tx_flow_control_xon": pauses.count(0)},
         {name: run.count(0, name) for name in ("rx_missed_errors", "tx_flow_control_xoff", "tx_flow_control_xon")}, "first")
    expect(run.lost(0) == lost, f"the simulator reports {run.lost(0)} lost in the card, the guest misses {lost}")
    obeyed = run.count(1, "rx_flow_control_xoff"), run.count(1, "rx_flow_control_xon")
    took = (arrived[-1].time - arrived[0].time) / 1e6
    return run, lost, obeyed, took


def overload_without(options):
    """What the packet buffer cannot hold is lost, and counted."""
    run, lost, obeyed, took = overload(options, False)
    expect(lost > FRAMES // 3 and obeyed == (0, 0), f"{lost} lost, XOFF and XON {obeyed}")
    expect(run.count(0, "rx_no_buffer_count") > 0, "no frame has found the ring empty")
    wire = FRAMES * 1524 * 8 / 1e6
    expect(wire * 0.99 < took < wire * 1.2, f"the frames took {took:.3f} ms")
    return f"{lost} of {FRAMES} lost in {took:.3f} ms"


def overload_with(options):
    """Nothing is lost; the sender goes as fast as the ring is filled anew."""
    run, lost, obeyed, took = overload(options, True)
    sent = run.count(0, "tx_flow_control_xoff"), run.count(0, "tx_flow_control_xon")
    expect(lost == 0 and sent[0] > 3 and sent == obeyed, f"{lost} lost; XOFF and XON sent {sent}, obeyed {obeyed}")
    # The buffer holds some thirty, the first interrupt comes at once.
    least, most = ((FRAMES - 40) / (RING - 1) - 2) * ITR_MS, (FRAMES / (RING - 1) + 1) * ITR_MS
    expect(least < took < most, f"{FRAMES} frames took {took:.3f} ms, expected {least:.1f} to {most:.1f}")
    return f"none of {FRAMES} lost in {took:.3f} ms; XOFF, XON {sent}"


QUANTUM_NS = 512


def pause_obeyed(options):
    """The second guest sends PAUSE frames to the first, which sends without end: it stops for just their time, goes on
    when one says so, and does neither if it is told not to obey."""
    run = Run(options, {"after": "ethtool -A eth0 autoneg off rx on tx off",
                        "do": f"packets send eth0 to={SECOND_MAC} size=1000 count=7000; until [ -e /host/deaf.second ]; do "
                              "sleep 0.01; done; ethtool -A eth0 autoneg off rx off tx off; echo > /host/deaf.first; "
                              f"packets send eth0 to={SECOND_MAC} size=1000 count=3000"},
              {"do": f"sleep 0.01; packets send eth0 {PAUSE}4000; sleep 0.02; packets send eth0 {PAUSE}0040; sleep 0.005; "
                     f"packets send eth0 {PAUSE}ffff; sleep 0.003; packets send eth0 {PAUSE}0000; sleep 0.01; "
                     "echo > /host/deaf.second; until [ -e /host/deaf.first ]; do sleep 0.001; done; sleep 0.002; "
                     f"packets send eth0 {PAUSE}4000; sleep 0.02"}, ["--pci", "64/66"])
    starts = [frame.time for frame in test_frames(run.frames[0], False)]
    asked = [frame for frame in run.frames[0] if frame.inbound and frame.pause is not None]
    expect([frame.pause for frame in asked] == [0x4000, 0x40, 0xFFFF, 0, 0x4000], f"{len(asked)} PAUSE frames came")
    # From the end of the PAUSE frame (72 bytes with its preamble), when the frame that is under way has ended.
    after = [min(start for start in starts if start > frame.time + 8200 + 576) - frame.time - 576 for frame in asked[:2]]
    late = [time - frame.pause * QUANTUM_NS for time, frame in zip(after, asked)]
    resumed = min(start for start in starts if start > asked[2].time + 8200 + 576)
    late.append(resumed - asked[3].time - 576)
    expect(all(0 <= time <= 200 for time in late), f"it goes on {late} ns after its time")
    deaf = [start for start in starts if asked[4].time - 20_000 < start < asked[4].time + 0x4000 * QUANTUM_NS]
    longest = max(b - a for a, b in zip(deaf, deaf[1:]))
    expect(longest < 20_000, f"it is not to obey, and is silent for {longest} ns")
    counted = run.count(0, "rx_flow_control_xoff"), run.count(0, "rx_flow_control_xon")
    expect(counted == (3, 1), f"XOFF and XON counted: {counted}")
    return f"goes on {min(late)} to {max(late)} ns after the PAUSE frames' time"


CHECKS = [("statistics and the cable", statistics), ("overload without PAUSE", overload_without),
          ("overload with PAUSE", overload_with), ("PAUSE obeyed", pause_obeyed)]
