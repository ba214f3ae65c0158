"""Checks of what the driver and its tools do with the card: rings, speeds, sleep, LED, registers, EEPROM, self-test."""

import re
import time

from checks import (NotOffered, both_ways, check, eventually, expect, interrupts, offered, pci_folder, ping, register)
from machine import HOST, MAC
from wire import Traffic, Wire, sweep

CTRL, LEDCTL = 0x0, 0xE00
LINK_UP = 1 << 1  # of STATUS
WAKE_MAGIC = 1 << 1  # of WUFC and WUS
PME_ENABLED, PME_STATUS = 1 << 1, 1 << 2  # of WUC


@check("rings", "e1000")
def rings(g):
    try:
        for size in (80, 256, 1024, 4096):
            g.run(f"ethtool -G eth0 rx {size} tx {size}")
            g.wait_link()
            ping(g)
            both_ways(g)
    finally:
        g.run("ethtool -G eth0 rx 256 tx 256", check=False)
        g.wait_link()


@check("coalescing", "e1000")
def coalescing(g):
    original = re.search(r"rx-usecs:\s*(\d+)", offered(g, "ethtool -c eth0"))
    try:
        for value in (0, 1, 3, 20, 500):
            g.run(f"ethtool -C eth0 rx-usecs {value}")
            ping(g)
            both_ways(g)
    finally:
        g.run(f"ethtool -C eth0 rx-usecs {original[1] if original else 3}", check=False)


def speed_is(g, speed, duplex):
    output = g.run("ethtool eth0")
    return f"Speed: {speed}Mb/s" in output and f"Duplex: {duplex}" in output


@check("speeds", "e1000")
def speeds(g):
    try:
        for bits, speed, duplex in (("0x001", 10, "Half"), ("0x002", 10, "Full"), ("0x004", 100, "Half"),
                                    ("0x008", 100, "Full"), ("0x020", 1000, "Full")):
            g.run(f"ethtool -s eth0 autoneg on advertise {bits}")
            eventually(g, lambda: speed_is(g, speed, duplex), lambda: f"{speed} {duplex} was asked for, ethtool says "
                       + " ".join(re.findall(r"Speed: \S+|Duplex: \S+", g.run("ethtool eth0"))))
            ping(g)
    finally:
        g.run("ethtool -s eth0 autoneg on advertise 0x02f", check=False)
        eventually(g, lambda: speed_is(g, 1000, "Full"), "the link does not come back at 1000 Mbit/s")


@check("pause", "e1000")
def pause(g):
    try:
        for rx, tx in (("on", "on"), ("on", "off"), ("off", "on"), ("off", "off")):
            status, output = g.run(f"ethtool -A eth0 autoneg off rx {rx} tx {tx}", check=False)
            expect(status == 0 or "no pause parameters changed" in output, output)
            g.wait_link()
            state = g.run("ethtool -a eth0")
            expect(re.search(rf"RX:\s+{rx}", state) and re.search(rf"TX:\s+{tx}", state),
                   f"rx {rx} tx {tx} was asked for: " + " ".join(state.split()))
            ping(g)
    finally:
        g.run("ethtool -A eth0 autoneg on rx on tx on", check=False)
        g.wait_link()


@check("link flaps", "e1000")
def flaps(g):
    traffic = Traffic()
    try:
        for _ in range(5):
            g.run("ip link set eth0 down; sleep 0.2; ip link set eth0 up")
            g.wait_link()
            g.run("ethtool -r eth0")
            g.wait_link()
        g.run("ip address replace fd09::2/64 dev eth0 nodad")
    finally:
        traffic.stop()
    ping(g)
    both_ways(g)


@check("plug pulled")
def plug(g):
    """The cable is pulled and put back while both ends send; the guest sees both."""
    if g.card.name == "model":
        def plugged(up):
            g.card.control("set_link", link="0", up="on" if up else "off")
    else:
        def plugged(up):
            g.qmp("set_link", name="n", up=up)

    traffic = Traffic()
    g.run(f"(ping -f -q -c 1000000 {HOST} > /dev/null 2>&1 & echo $! > /tmp/flood)")
    try:
        for _ in range(5):
            plugged(False)
            eventually(g, lambda: g.run("cat /sys/class/net/eth0/carrier") == "0", "no plug, and the link stays up")
            plugged(True)
            g.wait_link()
    finally:
        plugged(True)
        traffic.stop()
        g.run("kill $(cat /tmp/flood)", check=False)
    g.wait_link()
    ping(g)
    both_ways(g)


@check("rmmod modprobe", "e1000")
def reload(g):
    for _ in range(3):
        g.run("rmmod e1000 && modprobe e1000")
        g.network_up()
        ping(g)


@check("pci rescan")
def rescan(g):
    folder = pci_folder(g)
    g.run(f"echo 1 > {folder}/remove; sleep 0.3; [ ! -e {folder} ] && echo 1 > /sys/bus/pci/rescan")
    g.network_up()
    ping(g)


@check("d3", "e1000")
def d3(g):
    """To D3hot and back by the card's Power Management registers, without its driver."""
    folder = pci_folder(g)
    name = folder.rsplit("/", 1)[1]
    g.run(f"echo {name} > /sys/bus/pci/drivers/e1000/unbind")
    try:
        output = g.run(f"""byte() {{ dd if={folder}/config bs=1 skip=$1 count=1 2>/dev/null | od -An -tu1 | tr -d ' '; }}
write() {{ printf "$2" | dd of={folder}/config bs=1 seek=$1 conv=notrunc 2>/dev/null; }}
at=$(byte 52)
while [ $at -ne 0 ] && [ $(byte $at) -ne 1 ]; do at=$(byte $((at+1))); done
[ $at -ne 0 ] || {{ echo none; exit 0; }}
write $((at+4)) '\\003'; sleep 0.1; echo state $(($(byte $((at+4))) & 3))
write $((at+4)) '\\000'; sleep 0.1; echo state $(($(byte $((at+4))) & 3))""")
        if output == "none":
            raise NotOffered("no Power Management capability")
        expect(output.split() == ["state", "3", "state", "0"], "PMCSR: " + output)
        # The configuration is lost on silicon: the kernel sets the function up anew.
        g.run(f"echo 1 > {folder}/remove; echo 1 > /sys/bus/pci/rescan")
        g.wait_file("/sys/class/net/eth0")
    finally:
        g.run(f"[ -e /sys/class/net/eth0 ] || echo {name} > /sys/bus/pci/drivers/e1000/bind", check=False)
    g.network_up()
    ping(g)


# The kernel does all but stop itself: the card is in D3hot for five seconds of the guest.
SUSPEND = ("echo platform > /sys/power/pm_test; echo mem > /sys/power/state; s=$?; "
           "echo none > /sys/power/pm_test; exit $s")


def can_suspend(g):
    if g.run("[ -e /sys/power/pm_test ] && grep -q mem /sys/power/state", check=False)[0]:
        raise NotOffered("the kernel has no pm_test, or no suspend to memory")


@check("suspend", "e1000")
def suspend(g):
    """The card is put to sleep for five seconds of the guest and woken."""
    can_suspend(g)
    g.run(SUSPEND, 120)
    g.wait_link()
    ping(g)
    both_ways(g)


def wake_letters(g):
    supports = re.search(r"Supports Wake-on: (\S+)", g.run("ethtool eth0"))
    if not supports or supports[1] == "d":
        raise NotOffered("the driver offers no Wake-on-LAN on this part")
    return supports[1]


@check("wake-on-lan", "e1000")
def wake_on_lan(g):
    supports = wake_letters(g)
    for letters in ("g", "umb", "d"):
        if all(letter in supports + "d" for letter in letters):
            g.run(f"ethtool -s eth0 wol {letters}")
            found = re.search(r"^\s*Wake-on: (\S+)", g.run("ethtool eth0"), re.M)
            expect(found and set(found[1]) == set(letters), f"wol {letters}: {found and found[1]}")
    return supports


def asleep(g):
    return g.card.register("WUC") & PME_ENABLED


def fall_asleep(g):
    """Suspends, and waits until the driver has prepared the card and the link is back."""
    look = g.card.register
    g.send(SUSPEND)
    eventually(g, lambda: asleep(g) and look("WUFC") & WAKE_MAGIC,
               lambda: f"suspended, WUC is {look('WUC'):#x}, WUFC {look('WUFC'):#x}: no magic packet wakes")
    eventually(g, lambda: look("STATUS") & LINK_UP or not asleep(g), "no link while asleep")


def wake(g):
    """Sends frames to a sleeping card: True if a magic packet woke it, None if the guest was back too soon."""
    look = g.card.register
    with Wire() as wire:
        wire.send(count=10, gap=0.002)
        wire.send(to="ff:ff:ff:ff:ff:ff", count=10, gap=0.002)
        time.sleep(0.2)
        woken, sleeping = look("WUC") & PME_STATUS, asleep(g)
        expect(not woken or not sleeping, f"other frames woke the guest: WUS {look('WUS'):#x}")
        for _ in range(20):
            wire.send(to="ff:ff:ff:ff:ff:ff", payload=b"\xff" * 6 + bytes.fromhex(MAC.replace(":", "")) * 16)
            time.sleep(0.05)
            control, status, sleeping = look("WUC"), look("WUS"), asleep(g)
            if control & PME_STATUS and status & WAKE_MAGIC:
                return True
            if not sleeping:
                return None
    expect(False, f"magic packets do not wake: WUC {control:#x}, WUS {status:#x}, WUFC {look('WUFC'):#x}, "
                  f"RCTL {look('RCTL'):#x}, STATUS {look('STATUS'):#x}")


@check("magic packet", "e1000")
def magic_packet(g):
    """Asleep as the driver left it, the card asserts PME# for a magic packet, and for nothing else."""
    wake_letters(g)
    can_suspend(g)
    if g.card.name != "model":
        raise NotOffered("the harness cannot look into this card while the guest sleeps")
    g.run("ethtool -s eth0 wol g")
    woken = False
    for _ in range(3):  # the guest sleeps five seconds, of which a busy host may take most
        try:
            fall_asleep(g)
            woken = asleep(g) and wake(g)
        finally:
            g.answer(SUSPEND, 120)
            g.wait_link()
        if woken:
            break
    g.run("ethtool -s eth0 wol d", check=False)
    expect(woken, "the guest was back three times before it could be tried")
    ping(g)
    both_ways(g)


@check("led", "e1000")
def led(g):
    """ethtool -p drives the LEDs by LEDCTL (82544: by pins of CTRL): they change, and are as before at the end."""
    def look():
        return register(g, CTRL) & ~(1 << 26), register(g, LEDCTL)

    before = look()
    output = g.run("ethtool -p eth0 4 & p=$!; base=$(head -n 1 /sys/class/net/eth0/device/resource | cut -d ' ' -f 1); "
                   "while kill -0 $p 2>/dev/null; do "
                   f"echo seen $(devmem $((base + {CTRL})) 32)/$(devmem $((base + {LEDCTL})) 32); sleep 0.1; done; "
                   "wait $p")
    seen = set(re.findall(r"^seen (\S+/\S+)", output, re.M))
    expect(len(seen) > 1, f"the LEDs do not blink: CTRL/LEDCTL {', '.join(sorted(seen))}")
    after = look()
    expect(after == before, f"CTRL and LEDCTL were {before[0]:#x} {before[1]:#x}, are {after[0]:#x} {after[1]:#x}")


@check("registers", "e1000")
def registers(g):
    output = g.run("ethtool -d eth0")
    control = re.search(r"0x00000: CTRL.*?(0x[0-9A-Fa-f]{8})", output)
    status = re.search(r"0x00008: STATUS.*?(0x[0-9A-Fa-f]{8})", output)
    expect(control and status, "ethtool -d: " + output[:300])
    expect(int(status[1], 16) & 3 == 3, f"STATUS {status[1]}: no link at full duplex")


@check("eeprom", "e1000")
def eeprom(g):
    def read(offset, length):
        text = g.run(f"ethtool -e eth0 offset {offset} length {length} raw on | od -An -v -tx1 | tr -d ' \\n'")
        return bytes.fromhex(text)

    start = read(0, 6)
    expect(start.hex(":") == MAC, f"the EEPROM starts with {start.hex(':')}")
    words = read(0, 128)
    total = sum(int.from_bytes(words[i:i + 2], "little") for i in range(0, 128, 2)) & 0xFFFF
    expect(total == 0xBABA, f"the words' sum is {total:#x}, not 0xbaba")
    identity = g.run("cat /sys/class/net/eth0/device/device")[2:] + "8086"
    old = read(0x20, 2)
    for value in (0x5A, 0xA5, old[0]):
        g.run(f"ethtool -E eth0 magic 0x{identity} offset 0x20 length 1 value {value:#x}")
        expect(read(0x20, 2) == bytes([value, old[1]]), f"wrote {value:#x}, read {read(0x20, 2).hex()}")


@check("ethtool -t", "e1000")
def self_test(g):
    status, output = g.run("ethtool -t eth0 offline", 180, check=False)
    g.wait_link()
    results = re.findall(r"^(\w+) test\s+\([a-z/]+\)\s+(\d+)$", output, re.M)
    bad = [name for name, value in results if value != "0"]
    expect(len(results) == 5, f"{len(results)} sub-tests: " + output[-300:])
    expect(not bad and status == 0, f"{5 - len(bad)} of 5; failed: " + ", ".join(bad))
    ping(g)
    return "5 of 5"


@check("interrupts")
def interrupt_rate(g):
    before = interrupts(g)
    time.sleep(2)
    idle = interrupts(g) - before
    before = interrupts(g)
    expect(not sweep([56] * 200), "echo requests were lost")
    busy = interrupts(g) - before
    expect(idle < 50, f"{idle} interrupts in 2 s without traffic")
    expect(20 <= busy <= 1000, f"{busy} interrupts for 200 answered echo requests")
    return f"{idle} idle, {busy} for 200 pings"
