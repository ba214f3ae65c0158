"""Names, offsets and bits of the 8254x's registers (manual chapter 13), PHY registers included."""

# General
CTRL, CTRL_DUP, STATUS, EECD, EERD, CTRL_EXT, MDIC = 0x00, 0x04, 0x08, 0x10, 0x14, 0x18, 0x20
FCAL, FCAH, FCT, VET, FCTTV, TXCW, RXCW = 0x28, 0x2C, 0x30, 0x38, 0x170, 0x178, 0x180
LEDCTL, PBA = 0xE00, 0x1000
# Interrupts
ICR, ITR, ICS, IMS, IMC = 0xC0, 0xC4, 0xC8, 0xD0, 0xD8
# Receive
RCTL, FCRTL, FCRTH = 0x100, 0x2160, 0x2168
RDFH, RDFT, RDFHS, RDFTS, RDFPC = 0x2410, 0x2418, 0x2420, 0x2428, 0x2430
RDBAL, RDBAH, RDLEN, RDH, RDT = 0x2800, 0x2804, 0x2808, 0x2810, 0x2818
RDTR, RXDCTL, RADV, RSRPD, RXCSUM = 0x2820, 0x2828, 0x282C, 0x2C00, 0x5000
MTA, RAL, RAH, VFTA = 0x5200, 0x5400, 0x5404, 0x5600  # RAL and RAH: 8 bytes apart
# Transmit
TCTL, TIPG, AIT = 0x400, 0x410, 0x458
TDFH, TDFT, TDFHS, TDFTS, TDFPC = 0x3410, 0x3418, 0x3420, 0x3428, 0x3430
TDBAL, TDBAH, TDLEN, TDH, TDT = 0x3800, 0x3804, 0x3808, 0x3810, 0x3818
TIDV, TXDCTL, TADV, TSPMT = 0x3820, 0x3828, 0x382C, 0x3830
SWSM = 0x5B50  # not in the manual
TBT, TXDMAC = 0x448, 0x3000  # 82544GC/EI only
# Wake-up
WUC, WUFC, WUS, MANC, IPAV = 0x5800, 0x5808, 0x5810, 0x5820, 0x5838
IP4AT, IP6AT, WUPL, WUPM = 0x5840, 0x5880, 0x5900, 0x5A00
FFLT, FFMT, FFVT = 0x5F00, 0x9000, 0x9800
WUC_APME, WUC_PME_EN, WUC_PME_STATUS, WUC_APMPME = 1 << 0, 1 << 1, 1 << 2, 1 << 3
# WUFC and WUS
LNKC, MAG, EX, MC, BC, WAKE_ARP, WAKE_IPV4, WAKE_IPV6 = (1 << n for n in range(8))
FLX = tuple(1 << 16 + n for n in range(4))
ALL_FILTERS = 0x000F00FE  # those for packets
PBM = 0x10000

STATISTICS = dict(
    CRCERRS=0x4000,
    ALGNERRC=0x4004,
    SYMERRS=0x4008,
    RXERRC=0x400C,
    MPC=0x4010,
    SCC=0x4014,
    ECOL=0x4018,
    MCC=0x401C,
    LATECOL=0x4020,
    COLC=0x4028,
    DC=0x4030,
    TNCRS=0x4034,
    SEC=0x4038,
    CEXTERR=0x403C,
    RLEC=0x4040,
    XONRXC=0x4048,
    XONTXC=0x404C,
    XOFFRXC=0x4050,
    XOFFTXC=0x4054,
    FCRUC=0x4058,
    PRC64=0x405C,
    PRC127=0x4060,
    PRC255=0x4064,
    PRC511=0x4068,
    PRC1023=0x406C,
    PRC1522=0x4070,
    GPRC=0x4074,
    BPRC=0x4078,
    MPRC=0x407C,
    GPTC=0x4080,
    GORCL=0x4088,
    GORCH=0x408C,
    GOTCL=0x4090,
    GOTCH=0x4094,
    RNBC=0x40A0,
    RUC=0x40A4,
    RFC=0x40A8,
    ROC=0x40AC,
    RJC=0x40B0,
    MGTPRC=0x40B4,
    MGTPDC=0x40B8,
    MGTPTC=0x40BC,
    TORL=0x40C0,
    TORH=0x40C4,
    TOTL=0x40C8,
    TOTH=0x40CC,
    TPR=0x40D0,
    TPT=0x40D4,
    PTC64=0x40D8,
    PTC127=0x40DC,
    PTC255=0x40E0,
    PTC511=0x40E4,
    PTC1023=0x40E8,
    PTC1522=0x40EC,
    MPTC=0x40F0,
    BPTC=0x40F4,
    TSCTC=0x40F8,
    TSCTFC=0x40FC,
)
globals().update(STATISTICS)

# CTRL
CTRL_FD, CTRL_LRST, CTRL_ASDE, CTRL_SLU = 1 << 0, 1 << 3, 1 << 5, 1 << 6
CTRL_SPEED_1000, CTRL_FRCSPD, CTRL_FRCDPX = 2 << 8, 1 << 11, 1 << 12
CTRL_RST, CTRL_RFCE, CTRL_TFCE, CTRL_VME, CTRL_PHY_RST = 1 << 26, 1 << 27, 1 << 28, 1 << 30, 1 << 31
CTRL_EXT_EE_RST = 1 << 13
CTRL_SDP0_DATA, CTRL_EN_PHY_PWR_MGMT, CTRL_SDP0_OUTPUT = 1 << 18, 1 << 21, 1 << 22
# STATUS
STATUS_FD, STATUS_LU, STATUS_TXOFF, STATUS_SPEED_1000 = 1 << 0, 1 << 1, 1 << 4, 2 << 6
# EECD
EECD_SK, EECD_CS, EECD_DI, EECD_DO, EECD_REQ, EECD_GNT, EECD_PRES = (
    1 << 0,
    1 << 1,
    1 << 2,
    1 << 3,
    1 << 6,
    1 << 7,
    1 << 8,
)
EECD_FWE = 3 << 4  # 10b: writes to the flash are enabled
EERD_START, EERD_DONE = 1 << 0, 1 << 4
# MDIC
MDIC_WRITE, MDIC_READ, MDIC_READY, MDIC_INTERRUPT, MDIC_ERROR = (
    1 << 26,
    2 << 26,
    1 << 28,
    1 << 29,
    1 << 30,
)
# ICR, ICS, IMS, IMC
INT = dict(
    TXDW=0,
    TXQE=1,
    LSC=2,
    RXSEQ=3,
    RXDMT0=4,
    RXO=6,
    RXT0=7,
    MDAC=9,
    RXCFG=10,
    PHYINT=12,
    GPI_SDP6=13,
    GPI_SDP7=14,
    TXD_LOW=15,
    SRPD=16,
)
TXDW, TXQE, LSC, RXSEQ, RXDMT0, RXO, RXT0, MDAC = (
    1 << INT[name] for name in "TXDW TXQE LSC RXSEQ RXDMT0 RXO RXT0 MDAC".split()
)
TXD_LOW, SRPD = 1 << 15, 1 << 16
# RCTL
RCTL_EN, RCTL_SBP, RCTL_UPE, RCTL_MPE, RCTL_LPE = 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
RCTL_LBM = 3 << 6
RCTL_BAM, RCTL_VFE, RCTL_CFIEN, RCTL_CFI = 1 << 15, 1 << 18, 1 << 19, 1 << 20
RCTL_DPF, RCTL_PMCF, RCTL_BSEX, RCTL_SECRC = 1 << 22, 1 << 23, 1 << 25, 1 << 26
RCTL_SIZE = {
    2048: 0,
    1024: 1 << 16,
    512: 2 << 16,
    256: 3 << 16,
    16384: 1 << 16 | RCTL_BSEX,
    8192: 2 << 16 | RCTL_BSEX,
    4096: 3 << 16 | RCTL_BSEX,
}


def RCTL_RDMTS(code):
    return code << 8


def RCTL_MO(code):
    return code << 12


# TCTL
TCTL_EN, TCTL_PSP, TCTL_SWXOFF = 1 << 1, 1 << 3, 1 << 22
TCTL_NORMAL = TCTL_EN | TCTL_PSP | 15 << 4 | 63 << 12
# Power management in configuration space
PMCSR, PM_DATA = 0xE0, 0xE3
PME_EN, PME_STATUS, D3 = 1 << 8, 1 << 15, 3
# RAH
RAH_AV, RAH_SOURCE = 1 << 31, 1 << 16
RXCSUM_IPOFLD, RXCSUM_TUOFLD, RXCSUM_IPV6OFL = 1 << 8, 1 << 9, 1 << 10

# Receive descriptor: status and errors
RX_DD, RX_EOP, RX_IXSM, RX_VP, RX_TCPCS, RX_IPCS, RX_PIF = (
    1 << 0,
    1 << 1,
    1 << 2,
    1 << 3,
    1 << 5,
    1 << 6,
    1 << 7,
)
RX_CE, RX_TCPE, RX_IPE, RX_RXE = 1 << 0, 1 << 5, 1 << 6, 1 << 7
# Transmit descriptor: commands
EOP, IFCS, IC, TSE, RS, RPS, DEXT, VLE, IDE = (
    1 << 0,
    1 << 1,
    1 << 2,
    1 << 2,
    1 << 3,
    1 << 4,
    1 << 5,
    1 << 6,
    1 << 7,
)
CONTEXT_TCP, CONTEXT_IP = 1 << 0, 1 << 1
IXSM, TXSM = 1 << 0, 1 << 1

# PHY
BMCR, BMSR, PHYID1, PHYID2, ANAR, ANLPAR, ANER, NPT, LPN, GTCR, GTSR, ESTATUS = *range(11), 15
PSCR, PSSR, PHY_IER, PHY_ISR, EPSCR, RXERR, EPSCR2 = 16, 17, 18, 19, 20, 21, 26
PHY_PAGE, PHY_WINDOW = 29, 30
BMCR_RESET, BMCR_LOOPBACK, BMCR_AUTONEG, BMCR_POWER_DOWN, BMCR_RESTART = (
    1 << 15,
    1 << 14,
    1 << 12,
    1 << 11,
    1 << 9,
)
BMCR_FD, BMCR_1000 = 1 << 8, 1 << 6
BMSR_AN_DONE, BMSR_LINK = 1 << 5, 1 << 2
