"""Where QEMU's e1000 differs from Intel's manual, or leaves out what real parts do."""

from bench.scenario import Difference

# --- PCI ---
IDENTITY = Difference(
    "revision, subsystem, minimum grant",
    "-",
    "5.6, 4.1: subsystem from the EEPROM, MIN_GNT FFh",
    "revision 3, subsystem 1AF4:1100, MIN_GNT 0",
)
STATUS_BITS = Difference(
    "PCI status", "-", "4.1: capabilities, 66 MHz, medium decode", "no capabilities"
)
INTX_DISABLE = Difference(
    "INTx disable (command bit 10)", "PCI-3", "4.1: reserved, reads 0", "implemented"
)
CAPABILITIES = Difference(
    "PCI capabilities", "-", "4.1: PM, MSI, PCI-X where the part has it", "none"
)
IO_WINDOW = Difference(
    "I/O window",
    "RST-13",
    "13.2.2: IOADDR, IODATA; BAR 2, 8 bytes",
    "BAR 1, 64 bytes, reads 0",
    sure="likely",
)
WIDE_BARS = Difference(
    "64-bit BAR of the 82545",
    "-",
    "4.1: memory BAR of 64 bits unless the EEPROM says 32; I/O BAR 4",
    "32 bits",
)
CONFIG_BITS = Difference(
    "configuration bits",
    "-",
    "4.1: latency timer and parity response writable, 40h to DBh reserved",
    "first two read-only, 40h to FFh plain storage",
)
MASTER_OFF = Difference(
    "bus mastering off",
    "PCI-2",
    "4.1: no DMA, goes on when it is on again",
    "transmit DMA fails silently",
)
POWER_STATES = Difference(
    "power states", "PM-1", "6.3: D3 decodes nothing, leaving it resets", "none"
)
# --- Reset ---
SOFTWARE_RESET = Difference(
    "CTRL.RST",
    "RST-2, RST-13",
    "14.3: resets the MAC, keeps configuration space, reloads the EEPROM",
    "the bit is dropped, nothing happens",
    "as the manual; also through CTRL_DUP and the I/O window",
)
PHY_HARD_RESET = Difference(
    "CTRL.PHY_RST", "RST-16", "13.4.1: resets the PHY while it is 1; with RST, too", "ignored"
)
RESET_VALUES = Difference(
    "values after reset",
    "-",
    "13: reset values, EEPROM words 0Ah, 0Fh, 1Fh, 20h, 23h, 24h, 2Fh",
    "others, fixed",
)
# --- Registers ---
MISSING = Difference(
    "registers that QEMU leaves out",
    "-",
    "13: FCAL, FCAH, FCT, FCTTV, TXCW, TIPG, TIDV, RXDCTL, TSPMT, RXCSUM, RSRPD, CTRL_EXT ...",
    "read 0, writes are ignored",
)
ALIASES = Difference(
    "addresses of the 82542",
    "-",
    "13.2: registers answer at their old addresses, too",
    "nothing there",
)
OLD_PART = Difference(
    "82544GC/EI",
    "-",
    "13: has no ITR, RADV, TADV, IPv6 wake-up, TXD_LOW, SRPD, EEPROM grant",
    "every part has all that it knows",
)
RESERVED_BITS = Difference(
    "reserved register bits", "-", "13: read 0", "stored (RAH, VET, RDBAL, TDBAL, CTRL, PBA ...)"
)
SEMAPHORE = Difference(
    "SWSM (5B50h)",
    "-",
    "13: no such register; later parts have two bits of a semaphore there",
    "plain storage of 32 bits",
    "the two bits, which U-Boot takes on every part",
    sure="judgement",
)
STORAGE_ONLY = Difference(
    "registers with a function",
    "-",
    "13: read-only or computed fields (PBA, LEDCTL, WUS, MANC ...)",
    "plain storage",
)
SHORT_ACCESS = Difference(
    "accesses of fewer than 4 bytes",
    "-",
    "13.2: registers are dwords, to be accessed as such; of others it says nothing",
    "widened to dwords",
    "only the bytes asked for, of reads and of writes; other bytes keep their value",
    sure="judgement",
)
PACKET_BUFFER = Difference(
    "packet buffer memory",
    "-",
    "13.8.11: the window shows the memory",
    "other contents",
    sure="likely",
)
FIFO_POINTERS = Difference(
    "FIFO pointers",
    "RST-6",
    "13.8.1 to 13.8.10: where the FIFOs stand, in 64-bit words; TDFH starts at 600h, with 11 bits",
    "read 0, writes are ignored",
    "the transmit FIFO starts at PBA.RXA * 128, to which Linux and FreeBSD send it back on the "
    "82547; 600h lies in the receive FIFO",
    sure="likely",
)
CTRL_BITS = Difference(
    "CTRL after a write",
    "-",
    "13.4.1: storable bits, ADVD3WUC and others",
    "other bits stick",
    sure="likely",
)
STATUS_REGISTER = Difference(
    "STATUS", "-", "13.4.2: ASDV, bits 31:16 reserved", "bits 31 and 19 set, fixed at 1000 Mb/s"
)
# --- EEPROM, PHY, link ---
EECD_PINS = Difference("EECD", "EE-6, EE-18", "13.4.3: FWE, GNT follows REQ", "GNT always 1, FWE 0")
EEPROM_WRITE = Difference(
    "EEPROM writing", "EE-10, EE-18", "93C46: EWEN, WRITE, ERASE, WRAL, ERAL, EWDS", "not possible"
)
EERD_RANGE = Difference(
    "EERD beyond the EEPROM",
    "EE-4",
    "13.4.4: not said; an EEPROM of 64 words takes six address bits",
    "DONE without data",
    "the further address bits are not used",
    sure="likely",
)
PHY_VALUES = Difference(
    "PHY reset values",
    "-",
    "13.4.8, tables of PHY registers",
    "others",
    sure="likely",
)
PHY_MISSING = Difference(
    "PHY registers that QEMU leaves out", "MD-5", "7, 8, 15, 18, 19, 26, 29, 30 ...", "MDIC.E"
)
SOFT_RESET = Difference(
    "PHY soft reset", "LNK-1, LNK-17", "BMCR 15: negotiation starts anew", "it does not"
)
PHY_POWER_DOWN = Difference(
    "PHY power-down", "LNK-9, LNK-17", "BMCR 11: link drops, negotiates again afterwards", "ignored"
)
SLU = Difference(
    "CTRL.SLU",
    "LNK-3, LNK-18",
    "13.4.1: without it no link; starts as 1 where the EEPROM arms wake-up",
    "ignored; link is up at reset",
)
LINK_LATCH = Difference("BMSR link bit", "LNK-6, LNK-18", "latched low until read", "not latched")
LSC_AT_LOSS = Difference(
    "LSC when negotiation starts",
    "LNK-5, LNK-17",
    "13.4.17: at every change of link",
    "only when link comes back",
)
PARTNER = Difference(
    "link partner's abilities",
    "LNK-17",
    "ANLPAR, 1000BASE-T status show what the partner has",
    "a fixed partner without pause",
)
FORCED_MODE = Difference(
    "forced speed and duplex",
    "LNK-4, LNK-18",
    "13.4.1: STATUS shows CTRL's speed and duplex",
    "always 1000 full duplex",
)
LINK_DOWN_TX = Difference(
    "transmitting without link", "TX-7, TX-10", "frames wait in the packet buffer", "frames go out"
)
# --- Transmit ---
PADDING = Difference(
    "TCTL.PSP", "TX-15, TX-17", "13.4.33: pads to 64 bytes", "never pads; the host's side does"
)
IFCS_OFF = Difference(
    "descriptor without IFCS",
    "TX-14, TX-17",
    "3.3.3.1: the buffer carries the FCS",
    "sent whole, the FCS as data",
)
LEGACY_SUM = Difference("legacy checksum (IC, CSS, CSO)", "TX-18, TX-23", "3.3.3", "ignored")
RPS = Difference(
    "RPS on the 82540", "TX-3, TX-9", "3.3.3.1: reserved except on the 82544", "reports status"
)
RESERVED_TYPE = Difference(
    "reserved descriptor types",
    "-",
    "3.3.5, 3.3.6: DTYP 0 and 1 only",
    "bit 20 alone decides",
    "the packet is dropped",
    sure="judgement",
)
TX_LONG = Difference(
    "data descriptor length",
    "TX-6, TX-17",
    "3.3.6: 20 bits",
    "16 bits",
    "a packet longer than the part can send is dropped",
    sure="likely",
)
TXD_LOW_CAUSE = Difference(
    "TXD_LOW", "TX-8", "13.4.43: the descriptors left fall to LWTHRESH", "never"
)
TCP_ZERO = Difference(
    "TCP checksum of zero",
    "TX-21, TX-23",
    "RFC 9293: sent as 0; only UDP uses FFFFh",
    "FFFFh",
    sure="likely",
)
SUM_RANGE = Difference(
    "checksum field outside the sum, sum of nothing",
    "TX-19",
    "3.3.5: IPCSO, TUCSO say where the sum goes",
    "no sum for a field behind the end; FFFFh for an empty range",
    "the sum goes where it is told; nothing for an empty range",
    sure="judgement",
)
SUM_ORDER = Difference(
    "overlapping checksums",
    "-",
    "3.3.5: not said",
    "TCP/UDP first",
    "IP first",
    sure="judgement",
)
CONTEXT_IN_PACKET = Difference(
    "context inside a packet",
    "TX-32",
    "3.3.5: between packets only",
    "takes effect at once",
    "the packet is dropped",
    sure="judgement",
)
IPV6_LENGTH = Difference(
    "segmentation over IPv6",
    "TX-27",
    "3.5.9: payload length MSS + HDRLEN - IPCSS",
    "that number, 40 too many",
    "40 subtracted: a correct packet",
    sure="likely",
)
TSO_COUNT = Difference(
    "TSCTC, TSCTFC",
    "TX-30, TX-32",
    "13.7.56: every context; TSCTFC when payload was left",
    "neither is counted",
)
EMPTY_SEGMENT = Difference(
    "segmentation, MSS divides the payload", "TX-25", "3.5: payload / MSS frames", "one more, empty"
)
GATHERED = Difference(
    "write-back thresholds",
    "TX-8, TX-11, RX-18",
    "3.2.5, 3.4.2, 13.4.41: WTHRESH descriptors together, or when the delay timer ends",
    "each at once",
)
EMPTY_TAIL = Difference(
    "TXQE", "TX-38", "3.4.3: when the last descriptor has been worked on", "with every write of TDT"
)

# --- Receive ---
FCS_STORED = Difference(
    "received FCS", "RX-14, RX-23", "3.2.3: stored unless RCTL.SECRC", "counted, not stored"
)
PACKET_SUM = Difference("packet checksum", "RX-27, RX-29", "3.2.3.1: sum from RXCSUM.PCSS", "0")
RECEIVE_SUM = Difference(
    "receive checksum offload", "RX-25, RX-29", "3.2.9: RXCSUM", "none (IXSM always)"
)
BROADCAST_MPE = Difference(
    "broadcast with MPE, without BAM",
    "RX-9",
    "6.3.5, 10.1.1: a broadcast is a group's frame, too; the I210's data sheet (7.1.1.1) has "
    "BAM decide",
    "BAM alone decides, unless hash table or a receive address match",
    sure="judgement",
)
UNICAST_HASH = Difference(
    "hash table and unicast",
    "RX-9",
    "10.5.1: for multicast",
    "for unicast too",
    sure="likely",
)
SOURCE_FILTER = Difference(
    "RAH.AS, RAH.AV bits", "RX-9", "13.5.3: AS 01 compares the source", "ignored"
)
PASSED_INEXACT = Difference(
    "PIF",
    "RX-3, RX-9",
    "3.2.3.2: set for what passed by the hash or UPE only",
    "always 0",
    sure="likely",
)
CFI_FILTER = Difference(
    "RCTL.CFIEN", "RX-5, RX-9", "13.4.22: CFI is compared with RCTL.CFI", "ignored"
)
SHORT_FRAMES = Difference(
    "short frames from the host",
    "RX-7",
    "a wire has no frames below 64 bytes",
    "stored as they come",
    "the host's side pads them",
)
NO_DESCRIPTORS = Difference(
    "no receive descriptors",
    "RX-30, RX-24",
    "RNBC; frames wait in the packet buffer; MPC and RXO " "when that is full",
    "frames wait in the host's queue",
)
RXDMT0_ONCE = Difference(
    "RXDMT0",
    "RX-31, RX-32",
    "3.2.6: once, when the free count falls to the threshold",
    "with every frame below it",
)
# --- Interrupts ---
ICR_RESERVED = Difference(
    "reserved causes", "INT-8", "13.4.17: bits 31:17 read 0", "stored; bit 31 says asserted"
)
ITR_FLOOR = Difference(
    "ITR = 0", "INT-4, INT-7", "13.4.18: no throttling", "at least 128 us between interrupts"
)
DELAY_TIMERS = Difference(
    "RDTR, RADV, TIDV, TADV",
    "RX-34, TX-37",
    "3.2.7, 3.4.3: delay timers",
    "only lengthen the throttling interval",
)
SMALL_PACKET = Difference(
    "RSRPD", "RX-36", "13.4.32: SRPD and RXT0 at once for small packets", "no such cause"
)
# --- MAC control, loopback, statistics, wake-up ---
FLOW_CONTROL = Difference(
    "flow control",
    "FC-1 to FC-8",
    "8.7.3, 8.7.4: PAUSE obeyed and sent, DPF, PMCF, counters",
    "none",
)
MAC_LOOPBACK = Difference(
    "RCTL.LBM", "LB-2, LB-4", "13.4.22: 11 loops frames back; the wire is not heard", "ignored"
)
COUNTERS = Difference(
    "statistics counters",
    "ST-4, ST-7",
    "13.7: sizes, octets, broadcast, multicast, errors",
    "counts GPRC, GPTC, TPR, TPT, TOR, TOT alone",
)
TAG_OCTETS = Difference(
    "octets of inserted tags",
    "ST-3",
    "13.7: octets from the destination to the FCS",
    "tags left out",
)
TOTALS = Difference("TPR, TOR", "ST-3, ST-7", "13.7: every frame seen", "accepted frames")
WAKE_UP = Difference("wake-up registers", "PM-7", "13.6: PME, filters", "plain storage, or missing")
WAKING = Difference(
    "wake-up",
    "PM-2 to PM-5, PM-7",
    "6.4: by packets, magic packets, link changes; WUS, WUPL, WUPM, PME_Status",
    "none",
)
# --- virtio ---
VIRTIO_UNOFFERED = Difference(
    "virtio: features that were not offered",
    "-",
    "virtio 2.2.2, 3.1.1: the device does not accept them, FEATURES_OK stays 0",
    "drops them and sets FEATURES_OK",
)
VIRTIO_UNCLAIMED = Difference(
    "virtio: memory that nobody claims", "-", "PCI 3.0 3.3.3.1: all ones", "0"
)
VIRTIO_NUM_BUFFERS = Difference(
    "virtio: number of buffers without MRG_RXBUF",
    "-",
    "virtio 5.1.6.4: num_buffers is 1",
    "0",
)
VIRTIO_LEGACY_REFUSED = Difference(
    "virtio: a modern device whose driver does not accept VERSION_1",
    "-",
    "virtio 6.1.2: the device may fail to operate further",
    "sets FEATURES_OK",
    "FEATURES_OK stays 0",
    sure="likely",
)
VIRTIO_NESTED = Difference(
    "virtio: an indirect table in an indirect table",
    "-",
    "virtio 2.7.5.3.1: the driver must not",
    "ignores the flag and sends the table as a packet",
    "NEEDS_RESET, as for other rules of chains that the driver breaks",
    sure="judgement",
)
VIRTIO_PADDING = Difference(
    "virtio: short frames",
    "-",
    "IEEE 802.3 4.2.3.3: no frame on the wire is shorter than 64 bytes",
    "as they are",
    "padded with zeros: the other end of the cable would drop them",
    sure="likely",
)
