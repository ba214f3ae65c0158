"""Carries programs out and compares what two machines made of them."""

import os

from bench.bench import MILLISECOND, RX_RING, Bench
from bench.descriptors import context, legacy
from bench.descriptors import receive as receive_descriptor
from bench.packets import PEER, STATION, TCP, Packet, add_vlan, ethernet, multicast_hash, pattern
from bench.registers import *
from fuzzer.program import ADDRESSES, CAUSES, COUNTERS, GROUPS, OTHER, STORAGE, TIMERS

FCS_BYTES = 4


class Run:
    """One program on one machine. Observations: (index of the step, what, value)."""

    def __init__(self, endpoint, program, part):
        self.seen, self.tagged, self.looped = [], False, False
        endpoint.restart(part)
        self.d = Bench(endpoint, part)
        self.d.enable()
        self.d.step(20 * MILLISECOND)
        self.d.bring_up_link()
        for self.index, (name, *arguments) in enumerate(program):
            getattr(self, name.replace(" ", "_"))(*arguments)
        endpoint.nothing_waits()

    def see(self, what, value):
        self.seen.append((self.index, what, value))

    def setup(self, tx_count, rx_count, size, control):
        self.rx_count = rx_count
        self.d.tx_ring(tx_count)
        self.tx_count = tx_count
        self.receiver(size, control)

    def receiver(self, size, control):
        self.d.write(RCTL, 0)
        self.d.rx_ring(self.rx_count, size, control)
        self.buffer_size = size
        self.control = control

    def _post(self, entries):
        """In pieces that fit the ring."""
        frames, most = [], self.tx_count - 1
        for start in range(0, len(entries), most):
            first = self.d._tx_tail
            part = entries[start : start + most]
            frames += self.d.transmit(*part)
            self.see(
                "DD", [self.d.tx_status((first + n) % self.tx_count) for n in range(len(part))]
            )
        self.see("frames", [frame.hex() for frame in frames])
        if self.looped:
            self.d.step(TIMERS)
            self.see("looped", [(p.data.hex(), p.length, p.special) for p in self.d.deliver()])
            self._refill()

    def transmit(self, packets):
        entries = []
        for p in packets:
            entries += getattr(self, "_" + p["kind"])(p)
        self._post(entries)

    def _pieces(self, content, p, make, **fields):
        edges = [0, *[cut for cut in p["cuts"] if cut < len(content)], len(content)]
        command = IFCS | (VLE if p["vlan"] is not None else 0)
        fields["special"] = p["vlan"] or 0
        return [
            make(
                content[a:b],
                command | (RS if p.get("report", True) else 0) | (EOP if b == len(content) else 0),
                **fields,
            )
            for a, b in zip(edges, edges[1:])
        ]

    def _frame(self, p):
        return ethernet(ADDRESSES[p["to"]], STATION, payload=pattern(p["size"] - 14, p["salt"]))

    def _legacy(self, p):
        return self._pieces(self._frame(p), p, self.d.legacy)

    def _data(self, p):
        return self._pieces(self._frame(p), p, self.d.data)

    def _checksum(self, p):
        packet = Packet(pattern(p["size"], p["salt"]), p["ip"], p["protocol"])
        start = packet.transport_start
        given = packet.bytes(0, packet.pseudo())[:1514]
        options = p["options"] if p["ip"] == 4 else p["options"] & TXSM
        return [
            context(
                14,
                24,
                33,
                start,
                packet.checksum_offset,
                0,
                0,
                (CONTEXT_TCP if p["protocol"] == TCP else 0) | (CONTEXT_IP if p["ip"] == 4 else 0),
            ),
            *self._pieces(given, p, self.d.data, options=options),
        ]

    def segments(self, p):
        packet = Packet(
            pattern(p["size"], p["salt"]),
            4,
            p["protocol"],
            p["identification"],
            p["sequence"],
            p["flags"],
            b"\1" * p["tcp_options"],
        )
        command = TSE | CONTEXT_IP | (CONTEXT_TCP if p["protocol"] == TCP else 0)
        entries = [
            context(
                14,
                24,
                33,
                34,
                packet.checksum_offset,
                0,
                p["size"],
                command,
                packet.header_bytes,
                p["mss"],
            )
        ]
        given = packet.prototype()
        edges = [0, *p["cuts"], len(given)]
        for a, b in zip(edges, edges[1:]):
            last = b == len(given)
            entries.append(
                self.d.data(
                    given[a:b],
                    IFCS | TSE | (VLE if p["vlan"] is not None else 0) | (EOP | RS if last else 0),
                    options=IXSM | TXSM,
                    special=p["vlan"] or 0,
                )
            )
        if len(entries) < self.tx_count:
            self._post(entries)

    def wild(self, p):
        packet = self._frame(p)
        fields = dict(zip(("ipcss", "ipcso", "ipcse", "tucss", "tucso", "tucse"), p["context"]))
        self._post(
            [
                context(command=p["command"], **fields),
                *self._pieces(packet, p, self.d.data, options=p["options"]),
            ]
        )

    def empty(self, kinds):
        self._post(
            [
                dict(
                    null=legacy(0, 0, RS),
                    context=context(command=RS),
                    zero=legacy(RX_RING, 0, RS | IFCS),
                )[kind]
                for kind in kinds
            ]
        )

    def thresholds(self, register, value):
        """Gathered transmit descriptors are written back by the last one's status or a timer."""
        self.d.write(register, value & (0xFF00FFFF if register == TXDCTL else 0xFFFFFFFF))

    def loop(self):
        self.d.phy_write(BMCR, BMCR_LOOPBACK | BMCR_FD | BMCR_1000)
        self.d.set(CTRL, CTRL_FRCSPD | CTRL_FRCDPX | CTRL_SPEED_1000 | CTRL_FD)
        self.looped = True

    def burst(self, address, frames):
        """As many as there are descriptors for: what happens beyond is "shortage"'s, where QEMU
        does not begin a frame that it cannot finish."""
        self.d.step(TIMERS)
        self._refill()
        left = self.rx_count - 1
        for n, (_, size) in enumerate(frames):
            left -= -(-(size + FCS_BYTES) // self.buffer_size)
            if left < 0:
                frames = frames[:n]
                break
        packets = self.d.deliver(
            *[
                ethernet(ADDRESSES[address], PEER, payload=pattern(size - 14, salt))
                for salt, size in frames
            ]
        )
        self.d.step(TIMERS)
        packets += self.d.deliver()
        self.see("packets", [(p.data.hex(), p.length) for p in packets])
        self._refill()

    def receive(self, frames):
        """One after the other, each with all descriptors at the adapter's disposal."""
        for address, salt, size, vlan in frames:
            frame = ethernet(ADDRESSES[address], PEER, payload=pattern(size - 14, salt))
            if vlan is not None:
                frame = add_vlan(frame, vlan)
            packets = self.d.deliver(frame)
            self.d.step(TIMERS)  # RDTR gathers write-backs
            packets += self.d.deliver()
            self.see(
                "packets",
                [
                    (p.data.hex(), p.length, p.status & ~(RX_PIF | RX_IXSM), p.errors, p.special)
                    for p in packets
                ],
            )
            self._refill()

    def _refill(self):
        d = self.d
        head = d.read(RDH)
        self.see("head", head)
        d.qtest.write_bytes(
            RX_RING, b"".join(receive_descriptor(d.rx_buffer(n)) for n in range(self.rx_count))
        )
        d.write(RDT, (head - 1) % self.rx_count)
        d._rx_next = head

    def filter(self, what, index, group, offset, on):
        if what == "station":
            self.d.station(index, OTHER, RAH_AV if on else 0)
        elif what == "group":
            self.d.station(index, GROUPS[group], RAH_AV if on else 0)
        else:
            bit = multicast_hash(GROUPS[group], offset)
            if bit >> 5 != 77:  # the storage test's row
                self.d.write(MTA + 4 * (bit >> 5), (1 << (bit & 31)) if on else 0)

    def vlan(self, strip, kind, vid, on):
        self.tagged = self.tagged or strip
        (self.d.set if strip else self.d.clear)(CTRL, CTRL_VME)
        self.d.write(VET, kind)
        if vid >> 5 != 100:
            self.d.write(VFTA + 4 * (vid >> 5), (1 << (vid & 31)) if on else 0)

    def store(self, which, value):
        offset, mask = STORAGE[which]
        if self.d.part.old and offset in (ITR, RADV, TADV):
            return  # the 82544 has none, QEMU's has
        self.d.write(offset, value & mask)
        self.see(f"register {offset:#x}", self.d.read(offset))

    def interrupts(self, what, bits):
        self.d.step(TIMERS)
        if what == "line":
            self.see("line", self.d.irq())
        elif what == "read ICR":
            self.see("ICR", self.d.read(ICR) & CAUSES)
        else:
            self.d.write({"IMS": IMS, "IMC": IMC, "ICS": ICS, "ICR": ICR}[what], bits)
            self.see("IMS", self.d.read(IMS))

    def phy(self, register, value):
        if value is not None and register != PHYID1:
            self.d.phy_write(register, value)
        self.see(
            "PHY",
            self.d.phy_read(register) if register != GTCR else self.d.phy_read(register) & 0x0E00,
        )

    def read(self, what):
        if what == "octets" and self.tagged:
            return  # QEMU leaves inserted tags out
        if what == "counters":
            self.see(what, [self.d.statistic(name) for name in COUNTERS])
        elif what == "octets":
            self.see(what, [self.d.read(TOTL), self.d.read(TOTH)])
        elif what == "heads":
            self.see(what, [self.d.read(TDH), self.d.read(TDT), self.d.read(RDH), self.d.read(RDT)])
        else:
            self.see(what, [self.d.read(RAL), self.d.read(RAH)])

    def clock(self, nanoseconds):
        self.d.step(nanoseconds)


def same_frame(mine, theirs):
    """As hexadecimal digits. QEMU sends every sum of 0 as FFFFh (reasons.TCP_ZERO), which no program
    can avoid."""
    differing = {n // 4 * 4 for n, (x, y) in enumerate(zip(mine, theirs)) if x != y}
    return len(mine) == len(theirs) and all(
        (mine[n : n + 4], theirs[n : n + 4]) == ("0000", "ffff") for n in differing
    )


def same(mine, theirs):
    """Whether two machines saw the same, but for what same_frame allows."""
    if mine == theirs:
        return True
    (*mine_what, a), (*theirs_what, b) = mine, theirs
    if mine_what != theirs_what or mine[1] not in ("frames", "looped") or len(a) != len(b):
        return False
    if mine[1] == "frames":
        return all(map(same_frame, a, b))
    return all(x[1:] == y[1:] and same_frame(x[0], y[0]) for x, y in zip(a, b))


def disagreement(program, machines, part):
    """The first difference between two machines, as text; None: there is none."""
    one, other = (Run(machine, program, part).seen for machine in machines)
    for mine, theirs in zip(one, other):
        if not same(mine, theirs):
            a, b = str(mine[1:]), str(theirs[1:])
            at = max(0, len(os.path.commonprefix((a, b))) - 40)
            return (
                f"step {mine[0]}, {mine[1]}, from character {at}:\n"
                f"    {machines[0].name}: {a[at:at + 160]}\n    {machines[1].name}: {b[at:at + 160]}"
            )
    return None if len(one) == len(other) else "one of them saw more"
