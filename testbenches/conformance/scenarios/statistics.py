"""What the counters count, and that reading clears them (manual 13.7)."""

import reasons
from bench.packets import BROADCAST, MULTICAST, PEER, STATION, ethernet, multicast_hash
from bench.registers import *
from bench.scenario import scenario


@scenario("statistics: all are 0 after power-on", "13.7", "enabled")
def _(d):
    d.see("not 0", sum(value != 0 for value in d.read_all(range(0x4000, 0x4100, 4))), 0)


@scenario("statistics: they are read-only", "13.7", "enabled")
def _(d):
    d.write_all((offset, 0x1234) for offset in STATISTICS.values())
    written = [name for name, offset in STATISTICS.items() if d.read(offset) != 0]
    d.see("changed", written, [])


BINS = (
    (60, "64"),
    (61, "127"),
    (123, "127"),
    (124, "255"),
    (251, "255"),
    (252, "511"),
    (507, "511"),
    (508, "1023"),
    (1019, "1023"),
    (1020, "1522"),
    (1514, "1522"),
)


@scenario("statistics: a received frame of {0} bytes counts in PRC{1}", "13.7.21", each=BINS)
def _(d, size, which):
    d.rx_ring()
    d.deliver(ethernet(size=size))
    for name in ("64", "127", "255", "511", "1023", "1522"):
        d.see(
            "PRC" + name,
            d.statistic("PRC" + name),
            int(name == which),
            reasons.COUNTERS if name == which else None,
        )
    d.see("read again", d.statistic("PRC" + which), 0)


@scenario("statistics: a sent frame of {0} bytes counts in PTC{1}", "13.7.49", each=BINS)
def _(d, size, which):
    d.tx_ring()
    d.transmit(d.legacy(ethernet(PEER, STATION, size=size)))
    for name in ("64", "127", "255", "511", "1023", "1522"):
        d.see(
            "PTC" + name,
            d.statistic("PTC" + name),
            int(name == which),
            reasons.COUNTERS if name == which else None,
        )
    d.see("read again", d.statistic("PTC" + which), 0)


@scenario("statistics: good frames and octets received", "13.7.27")
def _(d):
    d.rx_ring()
    d.deliver(ethernet(size=100), ethernet(size=200))
    d.see("GPRC", d.statistic("GPRC"), 2)
    d.see("GORCL", d.read(GORCL), 308, reasons.COUNTERS)
    d.see("GORCL is not cleared by itself", d.read(GORCL), 308, reasons.COUNTERS)
    d.see("GORCH", d.read(GORCH), 0)
    d.see("GORCL after GORCH", d.read(GORCL), 0)


@scenario("statistics: good frames and octets sent", "13.7.31")
def _(d):
    d.tx_ring()
    d.transmit(
        d.legacy(ethernet(PEER, STATION, size=100)), d.legacy(ethernet(PEER, STATION, size=200))
    )
    d.see("GPTC", d.statistic("GPTC"), 2)
    d.see("GOTCL", d.read(GOTCL), 308, reasons.COUNTERS)
    d.see("GOTCH", d.read(GOTCH), 0)
    d.see("GOTCL after GOTCH", d.read(GOTCL), 0)


@scenario("statistics: total octets", "13.7.44")
def _(d):
    d.rx_ring()
    d.tx_ring()
    d.deliver(ethernet(size=100))
    d.transmit(d.legacy(ethernet(PEER, STATION, size=150)))
    d.see("TORL", d.read(TORL), 104)
    d.see("TORH", d.read(TORH), 0)
    d.see("TORL after TORH", d.read(TORL), 0)
    d.see("TOTL", d.read(TOTL), 154)
    d.see("TOTH", d.read(TOTH), 0)
    d.see("TOTL after TOTH", d.read(TOTL), 0)


@scenario("statistics: an inserted tag counts in the octets", "13.7.45")
def _(d):
    d.set(CTRL, CTRL_VME)
    d.tx_ring()
    d.transmit(d.legacy(ethernet(PEER, STATION, size=100), EOP | IFCS | RS | VLE, special=5))
    d.see("TOTL", d.read(TOTL), 108, reasons.TAG_OCTETS)


@scenario("statistics: totals of packets", "13.7.46")
def _(d):
    d.rx_ring()
    d.tx_ring()
    d.deliver(ethernet(), ethernet())
    d.transmit(d.legacy(ethernet(PEER, STATION)))
    d.see("TPR", d.statistic("TPR"), 2)
    d.see("TPT", d.statistic("TPT"), 1)
    d.see("read again", [d.statistic("TPR"), d.statistic("TPT")], [0, 0])


@scenario("statistics: frames filtered out count in TPR and TOR alone", "13.7.46")
def _(d):
    d.rx_ring(control=0)
    d.deliver(ethernet(PEER))
    d.see("GPRC", d.statistic("GPRC"), 0)
    d.see("PRC64", d.statistic("PRC64"), 0)
    d.see("TPR", d.statistic("TPR"), 1, reasons.TOTALS)
    d.see("TORL", d.read(TORL), 64, reasons.TOTALS)


@scenario("statistics: broadcast and multicast received", "13.7.28")
def _(d):
    bit = multicast_hash(MULTICAST, 0)
    d.write(MTA + 4 * (bit >> 5), 1 << (bit & 31))
    d.rx_ring()
    d.deliver(ethernet(BROADCAST), ethernet(MULTICAST), ethernet(MULTICAST), ethernet())
    d.see("BPRC", d.statistic("BPRC"), 1, reasons.COUNTERS)
    d.see("MPRC", d.statistic("MPRC"), 2, reasons.COUNTERS)
    d.see("GPRC", d.statistic("GPRC"), 4)


@scenario("statistics: broadcast and multicast sent", "13.7.54")
def _(d):
    d.tx_ring()
    for address in (BROADCAST, MULTICAST, MULTICAST, PEER):
        d.transmit(d.legacy(ethernet(address, STATION)))
    d.see("BPTC", d.statistic("BPTC"), 1, reasons.COUNTERS)
    d.see("MPTC", d.statistic("MPTC"), 2, reasons.COUNTERS)
    d.see("GPTC", d.statistic("GPTC"), 4)


@scenario(
    "statistics: {} clears on read", "13.7", each=("GPRC", "GPTC", "TPR", "TPT", "BPRC", "MPRC")
)
def _(d, name):
    d.rx_ring(control=RCTL_BAM | RCTL_MPE)
    d.tx_ring()
    for _ in range(3):
        d.deliver(ethernet(BROADCAST), ethernet(MULTICAST))
        d.transmit(d.legacy(ethernet(PEER, STATION)))
    d.see(
        "first",
        d.statistic(name),
        6 if name in ("GPRC", "TPR") else 3,
        reasons.COUNTERS if name in ("BPRC", "MPRC") else None,
    )
    d.see("second", d.statistic(name), 0)


@scenario("statistics: frames received while nobody listens do not count", "13.7")
def _(d):
    d.rx_ring()
    d.clear(RCTL, RCTL_EN)
    d.send(ethernet())
    d.see("GPRC", d.statistic("GPRC"), 0)
    d.see("TPR", d.statistic("TPR"), 0)


@scenario("statistics: error counters stay 0 on a clean wire", "13.7")
def _(d):
    d.rx_ring()
    d.tx_ring()
    d.deliver(ethernet(), ethernet(BROADCAST, size=1514))
    d.transmit(d.legacy(ethernet(PEER, STATION)))
    for name in (
        "CRCERRS",
        "ALGNERRC",
        "SYMERRS",
        "RXERRC",
        "MPC",
        "SCC",
        "ECOL",
        "MCC",
        "LATECOL",
        "COLC",
        "DC",
        "TNCRS",
        "SEC",
        "CEXTERR",
        "RLEC",
        "RUC",
        "RFC",
        "ROC",
        "RJC",
    ):
        d.see(name, d.statistic(name), 0)


@scenario("statistics: management counters stay 0", "13.7")
def _(d):
    for name in ("MGTPRC", "MGTPDC", "MGTPTC", "XONRXC", "XONTXC", "XOFFRXC", "XOFFTXC", "FCRUC"):
        d.see(name, d.statistic(name), 0)


@scenario("statistics: the holes between them read 0", "13.7")
def _(d):
    for offset in (0x4024, 0x402C, 0x4044, 0x4084, 0x4098, 0x409C):
        d.see(f"{offset:#x}", d.read(offset), 0)
