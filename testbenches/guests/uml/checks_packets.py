"""What the card lets pass and what it does not, frame by frame, and what programs can do with it that speak to the
kernel's own interfaces. Both by our program in the guests, packets."""

import collections
import re

from checks_uml import HOST, answer, ask, check, expect, feature, ping
from machine import MAC

SECOND_MAC = "52:54:00:12:34:57"
BROADCAST = "ff:ff:ff:ff:ff:ff"
EXACT = 14  # groups in address registers: the driver uses 15, the first one for the own address
# What 300 UDP sockets of packets ask send after 300 connections.
UDP_BYTES = sum(8 + (number * 31 + which * 97) % 1464 for number in range(301, 601) for which in range(10))


def parse(output):
    """{(destination, tags): frames} of what packets listen says."""
    found = re.findall(r"^([0-9a-f:]{17}) (\S+) (\d+) frames \d+ bytes (\d+) altered$", output, re.M)
    expect(len(found) == len(output.splitlines()), "packets listen: " + output[-300:])
    altered = [f"{to} {tags}" for to, tags, _, bad in found if bad != "0"]
    expect(not altered, "altered on the way: " + ", ".join(altered[:5]))
    return {(to, tags): int(count) for to, tags, count, _ in found}


def heard(g, *sent, words=""):
    """The second guest sends; what reaches the first one's driver."""
    ask(g, " && ".join(f"packets send eth0 {one}" for one in sent))
    output = g.run(f"packets listen eth0 until=/host/answer {words}", 120)
    answer(g)
    return parse(output)


def told(g, command):
    """The first guest runs a command; what of it the second one's wire carries."""
    ask(g, "packets listen eth0 promisc=1 until=/host/enough")
    g.run(f"sleep 0.2; {command}; s=$?; sleep 0.1; echo > /host/enough; exit $s", 120)
    return parse(answer(g))


def differ(got, wanted, what):
    """Exactly these frames."""
    missing = {key: count for key, count in wanted.items() if got.get(key) != count}
    more = {key: count for key, count in got.items() if key not in wanted}
    show = [f"{' '.join(key)}: {got.get(key, 0)} of {count}" for key, count in list(missing.items())[:4]]
    show += [f"{' '.join(key)}: {count} of none" for key, count in list(more.items())[:4]]
    expect(not show, f"{what}: {', '.join(show)}")


def hash_of(address):
    """The bit of the multicast table (manual 13.5.1), with the offset that Linux uses (RCTL.MO = 0)."""
    octets = bytes.fromhex(address.replace(":", ""))
    return octets[4] >> 4 | octets[5] << 4


@check("promiscuous")
def promiscuous(g):
    """Unicast, multicast and broadcast, in each of the three ways to listen."""
    kinds = {"own": MAC, "other": "52:54:00:00:00:99", "group": "01:00:5e:01:02:03", "all": BROADCAST}
    sent = f"count=10 to={','.join(kinds.values())}"
    for name, command, passes in (("neither", "true", ("own", "all")),
                                  ("allmulticast", "ip link set eth0 allmulticast on", ("own", "group", "all")),
                                  ("both", "ip link set eth0 promisc on", tuple(kinds)),
                                  ("promiscuous", "ip link set eth0 allmulticast off", tuple(kinds)),
                                  ("neither again", "ip link set eth0 promisc off", ("own", "all"))):
        g.run(command)
        differ(heard(g, sent), {(kinds[kind], "-"): 10 for kind in passes}, name)
    differ(heard(g, sent, words="promisc=1"), {(address, "-"): 10 for address in kinds.values()}, "as a program asks for")
    differ(heard(g, sent), {(MAC, "-"): 10, (BROADCAST, "-"): 10}, "when it has ended")


@check("many groups")
def many_groups(g):
    """More groups than exact filters: the others by the table of hashes (MTA), which lets strangers of the same hash
    pass, and no more."""
    names = [f"01:00:5e:{i:02x}:10:{255 - i:02x}" for i in range(40)]
    strangers = [f"01:00:5e:7f:{i * 5 % 256:02x}:{i:02x}" for i in range(200)]
    strangers += [f"{name[:9]}7e:{name[12:]}" for name in names]  # each of a member's hash
    g.run("; ".join(f"ip maddress add {name} dev eth0" for name in names))
    try:
        differ(heard(g, f"to={','.join(names)} count=3"), {(name, "-"): 3 for name in names}, "groups that it has joined")
        members = [":".join(re.findall("..", line.split()[4]))
                   for line in g.run("grep eth0 /proc/net/dev_mcast").splitlines()]
        expect(set(names) <= set(members), f"the kernel's list: {members}")
        got = {to for to, _ in heard(g, f"to={','.join(strangers)}")}
        hashes = {hash_of(to) for to in got}
        foreign = hashes - {hash_of(member) for member in members}
        expect(not foreign, f"strangers of hashes that no member has pass: {foreign}")
        expect(got == {to for to in strangers if hash_of(to) in hashes}, "of strangers of one hash some pass, some do not")
        # Which members are exact, and so let no stranger pass, is the driver's choice; how many is not.
        expect(len(hashes) == len(members) - EXACT, f"{len(members)} joined, {len(hashes)} of them by the table, "
                                                    f"expected all but {EXACT}")
        g.run("; ".join(f"ip maddress del {name} dev eth0" for name in names[:20]))
        missing = set(names[20:]) - {to for to, _ in heard(g, f"to={','.join(names)}")}
        expect(not missing, f"members that were not left: {missing}")
    finally:
        g.run("; ".join(f"ip maddress del {name} dev eth0" for name in names), check=False)
    differ(heard(g, f"to={','.join(names + strangers)}"), {}, "after it has left all groups")
    return f"{len(members)} joined, {len(hashes)} of them by the table; {len(got)} strangers of the same hashes pass"


@check("set address")
def set_address(g):
    new = "52:54:00:77:88:99"
    for up in (True, False):  # as it is, and while the interface is down
        down = "" if up else "ip link set eth0 down; "
        try:
            g.run(f"{down}ip link set eth0 address {new}; ip link set eth0 up")
            g.network_up()
            differ(heard(g, f"count=10 to={MAC},{new},{BROADCAST}"), {(new, "-"): 10, (BROADCAST, "-"): 10}, "new address")
            ping(g)
        finally:
            g.run(f"{down}ip link set eth0 address {MAC}; ip link set eth0 up")
            g.network_up()
        differ(heard(g, f"count=10 to={MAC},{new}"), {(MAC, "-"): 10}, "old address again")
    ping(g)


def with_vlans(g, vids):
    g.run("\n".join(f"ip link add link eth0 name eth0.{vid} type vlan id {vid} && ip link set eth0.{vid} up || exit 1"
                    for vid in vids))


def without_vlans(g, vids):
    g.run("\n".join(f"ip link del eth0.{vid}" for vid in vids), check=False)


@check("vlan filter")
def vlan_filter(g):
    """Frames of VLANs that were joined arrive with their tags, others do not, whoever takes the tags off. VLAN 0, which
    is a priority and no VLAN, always passes, and so does what has another kind of tag."""
    vids = (8, 1024, 4094)
    with_vlans(g, vids)
    tags = ["-", "8100:8", "8100:8.5", "8100:1024", "8100:4094", "8100:9", "8100:1", "8100:2048", "8100:0.3", "88a8:9"]
    foreign = ("8100:9", "8100:1", "8100:2048")

    def expected(passing, stripped):
        """Of a tag that the card takes off the driver keeps the VLAN's number, and not the priority."""
        counts = collections.Counter()
        for tag in passing:
            seen = tag.split(".", maxsplit=1)[0] if stripped and tag.startswith("8100") else tag
            counts.update({(MAC, seen): 5, (BROADCAST, seen): 5})
        return counts

    try:
        for value in ("off", "on"):
            feature(g, "rxvlan", value)
            frames = [f"to={MAC},{BROADCAST} count=5 tags={tag}" for tag in tags]
            wanted = expected([tag for tag in tags if tag not in foreign], value == "on")
            everything = expected(tags, value == "on")
            differ(heard(g, *frames), wanted, f"rxvlan {value}")
            differ(heard(g, *frames, words="promisc=1"), everything, f"rxvlan {value}, promiscuous")
            differ(heard(g, *frames), wanted, f"rxvlan {value}, promiscuous no more")
    finally:
        without_vlans(g, vids)
    differ(heard(g, f"to={MAC} tags=8100:8", f"to={MAC} tags=8100:0.3"), {(MAC, "8100:0"): 1}, "after it has left them")


@check("vlan table")
def vlan_table(g):
    """Each of the table's 4096 bits: one frame of each VLAN comes, those of joined ones arrive."""
    vids = sorted({1, 31, 32, 33, 4063, 4064, 4094} | set(range(7, 4094, 127)))
    with_vlans(g, vids)
    try:
        got = heard(g, f"to={MAC} vids=0-4095")
    finally:
        without_vlans(g, vids)
    differ(got, {(MAC, f"8100:{vid}"): 1 for vid in [0, *vids]}, f"{len(vids)} VLANs joined")
    return f"{len(vids)} of 4096 joined"


@check("vlan tags sent")
def tags_sent(g):
    """Tags that the card puts on, or the kernel, and those that a program has put on itself: one, two, three."""
    vids = (8, 4094)
    with_vlans(g, vids)
    raw = ["8100:9", "8100:7.6", "88a8:300/8100:7", "88a8:4094.7/8100:1", "8100:5/8100:6", "88a8:1/88a8:2/8100:3"]
    ask(g, "ethtool -K eth0 rxvlan off")  # or its driver loses priorities
    answer(g)
    try:
        for value in ("off", "on"):
            feature(g, "rxvlan", value)
            for size in (60, 61, 64, 1000, 1500):
                commands = [f"packets send eth0.{vid} to={SECOND_MAC} count=4 size={size}" for vid in vids]
                commands += [f"packets send eth0 to={SECOND_MAC} count=4 size={size} tags={tags}" for tags in raw]
                wanted = {(SECOND_MAC, tags): 4 for tags in [f"8100:{vid}" for vid in vids] + raw}
                differ(told(g, " && ".join(commands)), wanted, f"txvlan {value}, {size} bytes")
    finally:
        ask(g, "ethtool -K eth0 rxvlan on")
        answer(g)
        without_vlans(g, vids)
    return f"{len(raw) + len(vids)} kinds, 60 to 1500 bytes"


@check("packet rings")
def packet_rings(g):
    """AF_PACKET with TPACKET_V3, mapped, both ways; the second guest sends all frames back."""
    said = []
    for words in ("count=4000", "count=1000 bypass=1", "count=500 tags=8100:7", "count=500 tags=88a8:300/8100:9"):
        ask(g, "packets echo eth0 until=/host/enough")
        said.append(g.run(f"sleep 0.2; packets rings eth0 to={SECOND_MAC} {words}; s=$?; echo > /host/enough; exit $s", 120))
        count = re.search(r"count=(\d+)", words)[1]
        expect(answer(g) == f"echoed {count}", "the second guest has " + (g.folder / "said").read_text())
        expect(said[-1].startswith(f"{count} frames out and back"), said[-1])
    return said[0]


@check("time stamps")
def time_stamps(g):
    """The one way of a small packet in simulated time: at least its time on two wires and in the switch."""
    output = g.run(f"packets stamps {HOST} interface=eth0")
    found = re.search(r"one way (\d+) to (\d+) ns", output)
    expect(found, output)
    least = 2 * (64 + 28 + 14 + 4 + 20) * 8 + 2000
    expect(least < int(found[1]) <= int(found[2]) < 1_000_000, f"at least {least} ns were expected: {output}")
    return found[0]


@check("many sockets")
def many_sockets(g):
    output = g.run(f"packets ask {HOST} tcp=300 udp=300 bytes=15000", 120)
    expect(output.startswith(f"300 connections, 300 UDP sockets, 600 at once, {300 * 15000 + UDP_BYTES} bytes back"), output)
    return output
