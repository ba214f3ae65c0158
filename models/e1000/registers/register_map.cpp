#include "e1000tlm/e1000/registers/register_map.h"

#include <array>

#include "e1000tlm/e1000/parts.h"

namespace e1000tlm::e1000 {
namespace {

using A = Access;
constexpr std::uint32_t kFull = 0xFFFFFFFF;
constexpr std::uint8_t kAny = on::kAll, kNew = on::kNot82544, kOld = on::k82544gc;
constexpr std::uint8_t kD = domain::kAll, kPg = domain::kPowerGood;

// Reset values of registers that EEPROM words override are those without a valid EEPROM. The manual
// gives TDFH and TDFT 11 bits and, as TDFHS and TDFTS, the reset value 600h. That cannot be a
// number of 64-bit words (13.8.6) in a FIFO that begins at 48 KiB; drivers write PBA.RXA * 128.
// clang-format off
constexpr std::array kRegisters{
//             name       offset  count stride access            reset       read mask   write mask  reset by  on    manual
RegisterRow{"CTRL",      0x00000,    1,  4, A::kReadWrite,       0x00000A09, kFull,      0xDBFF1BE9, kD,     kAny, "13.4.1"},
RegisterRow{"CTRL_DUP",  0x00004,    1,  4, A::kWriteOnly,       0,          kFull,      kFull,      kD,     kAny, "13.4.1"},
RegisterRow{"STATUS",    0x00008,    1,  4, A::kReadOnly,        0,          0x0000FFFF, 0,          kD,     kAny, "13.4.2"},
RegisterRow{"EECD",      0x00010,    1,  4, A::kReadWrite,       0x00000010, 0x000003FF, 0x00000077, kD,     kNew, "13.4.3"},
RegisterRow{"EECD",      0x00010,    1,  4, A::kReadWrite,       0x00000010, 0x0000003F, 0x00000037, kD,     kOld, "13.4.3"},
RegisterRow{"EERD",      0x00014,    1,  4, A::kReadWrite,       0,          0xFFFFFF10, 0x0000FF00, kD,     kAny, "13.4.4"},
RegisterRow{"CTRL_EXT",  0x00018,    1,  4, A::kReadWrite,       0,          0x00C3DFFF, 0x00C3DFFF, kD,     kAny, "13.4.6"},
RegisterRow{"MDIC",      0x00020,    1,  4, A::kReadWrite,       0x10000000, 0x7FFFFFFF, 0x2FFFFFFF, kD,     kAny, "13.4.8"},
RegisterRow{"FCAL",      0x00028,    1,  4, A::kReadWrite,       0,          kFull,      kFull,      kD,     kAny, "13.4.9"},
RegisterRow{"FCAH",      0x0002C,    1,  4, A::kReadWrite,       0,          0x0000FFFF, 0x0000FFFF, kD,     kAny, "13.4.10"},
RegisterRow{"FCT",       0x00030,    1,  4, A::kReadWrite,       0,          0x0000FFFF, 0x0000FFFF, kD,     kAny, "13.4.11"},
RegisterRow{"VET",       0x00038,    1,  4, A::kReadWrite,       0x00008100, 0x0000FFFF, 0x0000FFFF, kD,     kAny, "13.4.12"},
RegisterRow{"ICR",       0x000C0,    1,  4, A::kReadClearWriteClear, 0,      0x0001FFFF, 0x0001FFFF, kD,     kAny, "13.4.17"},
RegisterRow{"ITR",       0x000C4,    1,  4, A::kReadWrite,       0,          0x0000FFFF, 0x0000FFFF, kD,     kNew, "13.4.18"},
RegisterRow{"ICS",       0x000C8,    1,  4, A::kWriteOnly,       0,          0x0001FFFF, 0x0001FFFF, kD,     kAny, "13.4.19"},
RegisterRow{"IMS",       0x000D0,    1,  4, A::kWriteOneSets,    0,          0x0001FFFF, 0x0001FFFF, kD,     kAny, "13.4.20"},
RegisterRow{"IMC",       0x000D8,    1,  4, A::kWriteOnly,       0,          0,          0x0001FFFF, kD,     kAny, "13.4.21"},
RegisterRow{"RCTL",      0x00100,    1,  4, A::kReadWrite,       0,          0x06DFB3FE, 0x06DFB3FE, kD,     kAny, "13.4.22"},
RegisterRow{"FCTTV",     0x00170,    1,  4, A::kReadWrite,       0,          0x0000FFFF, 0x0000FFFF, kD,     kAny, "13.4.13"},
RegisterRow{"TXCW",      0x00178,    1,  4, A::kReadWrite,       0,          0xC000FFFF, 0xC000FFFF, kD,     kAny, "13.4.14"},
RegisterRow{"RXCW",      0x00180,    1,  4, A::kReadOnly,        0,          0xFC00FFFF, 0,          kD,     kAny, "13.4.15"},
RegisterRow{"TCTL",      0x00400,    1,  4, A::kReadWrite,       0,          0x017FFFFA, 0x013FFFFA, kD,     kAny, "13.4.33"},
RegisterRow{"TIPG",      0x00410,    1,  4, A::kReadWrite,       0x00602008, 0x3FFFFFFF, 0x3FFFFFFF, kD,     kAny, "13.4.34"},
RegisterRow{"TBT",       0x00448,    1,  4, A::kReadWrite,       0,          kFull,      kFull,      kD,     kOld, "-"},
RegisterRow{"AIT",       0x00458,    1,  4, A::kReadWrite,       0,          0x0000FFFF, 0x0000FFFF, kD,     kAny, "13.4.35"},
RegisterRow{"LEDCTL",    0x00E00,    1,  4, A::kReadWrite,       0x07068302, 0xEFEFEFEF, 0xEFEFEFEF, kD,     kNew, "13.4.7"},
RegisterRow{"PBA",       0x01000,    1,  4, A::kReadWrite,       0x00100030, 0x007F007F, 0x0000007F, kPg|domain::kBus, kAny, "13.4.16"},
RegisterRow{"FCRTL",     0x02160,    1,  4, A::kReadWrite,       0,          0x8000FFF8, 0x8000FFF8, kD,     kAny, "13.4.23"},
RegisterRow{"FCRTH",     0x02168,    1,  4, A::kReadWrite,       0,          0x8000FFF8, 0x0000FFF8, kD,     kAny, "13.4.24"},
RegisterRow{"RDFH",      0x02410,    1,  4, A::kReadWrite,       0,          0x00001FFF, 0x00001FFF, kD,     kAny, "13.8.1"},
RegisterRow{"RDFT",      0x02418,    1,  4, A::kReadWrite,       0,          0x00001FFF, 0x00001FFF, kD,     kAny, "13.8.2"},
RegisterRow{"RDFHS",     0x02420,    1,  4, A::kReadWrite,       0,          0x00001FFF, 0x00001FFF, kD,     kAny, "13.8.3"},
RegisterRow{"RDFTS",     0x02428,    1,  4, A::kReadWrite,       0,          0x00001FFF, 0x00001FFF, kD,     kAny, "13.8.4"},
RegisterRow{"RDFPC",     0x02430,    1,  4, A::kReadWrite,       0,          0x00001FFF, 0x00001FFF, kD,     kAny, "13.8.5"},
RegisterRow{"RDBAL",     0x02800,    1,  4, A::kReadWrite,       0,          0xFFFFFFF0, 0xFFFFFFF0, kPg,    kAny, "13.4.25"},
RegisterRow{"RDBAH",     0x02804,    1,  4, A::kReadWrite,       0,          kFull,      kFull,      kPg,    kAny, "13.4.26"},
RegisterRow{"RDLEN",     0x02808,    1,  4, A::kReadWrite,       0,          0x000FFF80, 0x000FFF80, kD,     kAny, "13.4.27"},
RegisterRow{"RDH",       0x02810,    1,  4, A::kReadWrite,       0,          0x0000FFFF, 0x0000FFFF, kD,     kAny, "13.4.28"},
RegisterRow{"RDT",       0x02818,    1,  4, A::kReadWrite,       0,          0x0000FFFF, 0x0000FFFF, kD,     kAny, "13.4.29"},
RegisterRow{"RDTR",      0x02820,    1,  4, A::kReadWrite,       0,          0x0000FFFF, 0x0000FFFF, kD,     kAny, "13.4.30"},
RegisterRow{"RXDCTL",    0x02828,    1,  4, A::kReadWrite,       0x01010000, 0x013F3F3F, 0x013F3F3F, kD,     kAny, "13.4.46"},
RegisterRow{"RADV",      0x0282C,    1,  4, A::kReadWrite,       0,          0x0000FFFF, 0x0000FFFF, kD,     kNew, "13.4.31"},
RegisterRow{"RSRPD",     0x02C00,    1,  4, A::kReadWrite,       0,          0x00000FFF, 0x00000FFF, kD,     kNew, "13.4.32"},
RegisterRow{"TXDMAC",    0x03000,    1,  4, A::kReadWrite,       0x00000001, 0x00000001, 0x00000001, kD,     kOld, "13.4.42"},
RegisterRow{"TDFH",      0x03410,    1,  4, A::kReadWrite,       0x00001800, 0x00001FFF, 0x00001FFF, kD,     kAny, "13.8.6"},
RegisterRow{"TDFT",      0x03418,    1,  4, A::kReadWrite,       0x00001800, 0x00001FFF, 0x00001FFF, kD,     kAny, "13.8.7"},
RegisterRow{"TDFHS",     0x03420,    1,  4, A::kReadWrite,       0x00001800, 0x00001FFF, 0x00001FFF, kD,     kAny, "13.8.8"},
RegisterRow{"TDFTS",     0x03428,    1,  4, A::kReadWrite,       0x00001800, 0x00001FFF, 0x00001FFF, kD,     kAny, "13.8.9"},
RegisterRow{"TDFPC",     0x03430,    1,  4, A::kReadWrite,       0,          0x00001FFF, 0x00001FFF, kD,     kAny, "13.8.10"},
RegisterRow{"TDBAL",     0x03800,    1,  4, A::kReadWrite,       0,          0xFFFFFFF0, 0xFFFFFFF0, kPg,    kAny, "13.4.36"},
RegisterRow{"TDBAH",     0x03804,    1,  4, A::kReadWrite,       0,          kFull,      kFull,      kPg,    kAny, "13.4.37"},
RegisterRow{"TDLEN",     0x03808,    1,  4, A::kReadWrite,       0,          0x000FFF80, 0x000FFF80, kD,     kAny, "13.4.38"},
RegisterRow{"TDH",       0x03810,    1,  4, A::kReadWrite,       0,          0x0000FFFF, 0x0000FFFF, kD,     kAny, "13.4.39"},
RegisterRow{"TDT",       0x03818,    1,  4, A::kReadWrite,       0,          0x0000FFFF, 0x0000FFFF, kD,     kAny, "13.4.40"},
RegisterRow{"TIDV",      0x03820,    1,  4, A::kReadWrite,       0,          0x0000FFFF, 0x0000FFFF, kD,     kAny, "13.4.41"},
RegisterRow{"TXDCTL",    0x03828,    1,  4, A::kReadWrite,       0,          0xFF3F3F3F, 0xFF3F3F3F, kD,     kNew, "13.4.43"},
RegisterRow{"TXDCTL",    0x03828,    1,  4, A::kReadWrite,       0,          0x013F3F3F, 0x013F3F3F, kD,     kOld, "13.4.43"},
RegisterRow{"TADV",      0x0382C,    1,  4, A::kReadWrite,       0,          0x0000FFFF, 0x0000FFFF, kD,     kNew, "13.4.44"},
RegisterRow{"TSPMT",     0x03830,    1,  4, A::kReadWrite,       0x01000400, kFull,      kFull,      kD,     kNew, "13.4.45"},
RegisterRow{"STATISTICS",0x04000,   64,  4, A::kReadClear,       0,          kFull,      0,          kPg|domain::kBus, kAny, "13.7"},
RegisterRow{"RXCSUM",    0x05000,    1,  4, A::kReadWrite,       0,          0x000007FF, 0x000007FF, kD,     kNew, "13.4.47"},
RegisterRow{"RXCSUM",    0x05000,    1,  4, A::kReadWrite,       0,          0x000003FF, 0x000003FF, kD,     kOld, "13.4.47"},
RegisterRow{"MTA",       0x05200,  128,  4, A::kReadWrite,       0,          kFull,      kFull,      kPg,    kAny, "13.5.1"},
RegisterRow{"RAL",       0x05400,   16,  8, A::kReadWrite,       0,          kFull,      kFull,      kPg,    kAny, "13.5.2"},
RegisterRow{"RAH",       0x05404,   16,  8, A::kReadWrite,       0,          0x8003FFFF, 0x8003FFFF, kD,     kAny, "13.5.3", rah::kAv},
RegisterRow{"VFTA",      0x05600,  128,  4, A::kReadWrite,       0,          kFull,      kFull,      kPg,    kAny, "13.5.4"},
RegisterRow{"WUC",       0x05800,    1,  4, A::kReadWrite,       0,          0x8000000F, 0x8000000B, kPg|domain::kBus, kAny, "13.6.1"},
RegisterRow{"WUFC",      0x05808,    1,  4, A::kReadWrite,       0,          0x000F80FF, 0x000F80FF, kPg|domain::kBus, kNew, "13.6.2"},
RegisterRow{"WUFC",      0x05808,    1,  4, A::kReadWrite,       0,          0x000F807F, 0x000F807F, kPg|domain::kBus, kOld, "13.6.2"},
RegisterRow{"WUS",       0x05810,    1,  4, A::kWriteOneClears,  0,          0x000F00FF, 0x000F00FF, kPg,    kAny, "13.6.3"},
RegisterRow{"MANC",      0x05820,    1,  4, A::kReadWrite,       0,          0x3F7FFF03, 0x3F7FFF00, kD,     kAny, "13.6.5"},
RegisterRow{"IPAV",      0x05838,    1,  4, A::kReadWrite,       0,          0x0001000F, 0x0001000F, kPg|domain::kBus, kAny, "13.6.4"},
RegisterRow{"IP4AT",     0x05840,    4,  8, A::kReadWrite,       0,          kFull,      kFull,      kPg,    kAny, "13.6.6"},
RegisterRow{"IP6AT",     0x05880,    4,  4, A::kReadWrite,       0,          kFull,      kFull,      kPg,    kNew, "13.6.7"},
RegisterRow{"WUPL",      0x05900,    1,  4, A::kReadOnly,        0,          0x00000FFF, 0,          kPg,    kAny, "13.6.8"},
RegisterRow{"WUPM",      0x05A00,   32,  4, A::kReadOnly,        0,          kFull,      0,          kPg,    kAny, "13.6.9"},
RegisterRow{"SWSM",      0x05B50,    1,  4, A::kReadWrite,       0,          0x00000003, 0x00000003, kD,     kAny, "-"},
RegisterRow{"FFLT",      0x05F00,    4,  8, A::kReadWrite,       0,          0x000007FF, 0x000007FF, kPg|domain::kBus, kAny, "13.6.10"},
RegisterRow{"FFMT",      0x09000,  128,  8, A::kReadWrite,       0,          0x0000000F, 0x0000000F, kPg,    kAny, "13.6.11"},
RegisterRow{"FFVT",      0x09800,  128,  8, A::kReadWrite,       0,          kFull,      kFull,      kPg,    kAny, "13.6.12"},
RegisterRow{"PBM",       0x10000,16384,  4, A::kReadWrite,       0,          kFull,      kFull,      kPg,    kAny, "13.8.11"},
};

constexpr std::array kAliases{
RegisterAlias{0x0108, 0x2820}, RegisterAlias{0x0110, 0x2800}, RegisterAlias{0x0114, 0x2804},
RegisterAlias{0x0118, 0x2808}, RegisterAlias{0x0120, 0x2810}, RegisterAlias{0x0128, 0x2818},
RegisterAlias{0x0160, 0x2168}, RegisterAlias{0x0168, 0x2160}, RegisterAlias{0x0040, 0x5400, 32},
RegisterAlias{0x0200, 0x5200, 128}, RegisterAlias{0x0600, 0x5600, 128},
RegisterAlias{0x0420, 0x3800}, RegisterAlias{0x0424, 0x3804}, RegisterAlias{0x0428, 0x3808},
RegisterAlias{0x0430, 0x3810}, RegisterAlias{0x0438, 0x3818}, RegisterAlias{0x0440, 0x3820},
RegisterAlias{0x8000, 0x2410}, RegisterAlias{0x8008, 0x2418}, RegisterAlias{0x8010, 0x3410},
RegisterAlias{0x8018, 0x3418},
};
// clang-format on

}  // namespace

gsl::span<const RegisterRow> register_map() { return kRegisters; }
gsl::span<const RegisterAlias> register_aliases() { return kAliases; }

}  // namespace e1000tlm::e1000
