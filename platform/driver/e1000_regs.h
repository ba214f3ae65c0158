#pragma once
/// Registers of the 8254x as a driver writer takes them from Intel's Software Developer's Manual
/// (317453, chapters 13 and 3). Kept apart from the model's own table on purpose: a slip in one of
/// them shows.

#include <cstdint>

namespace e1000tlm::driver::reg {

inline constexpr std::uint32_t kCtrl = 0x0000, kCtrlDup = 0x0004, kStatus = 0x0008, kEecd = 0x0010,
                               kEerd = 0x0014, kCtrlExt = 0x0018, kMdic = 0x0020, kFcal = 0x0028,
                               kFcah = 0x002C, kFct = 0x0030, kVet = 0x0038, kIcr = 0x00C0,
                               kItr = 0x00C4, kIcs = 0x00C8, kIms = 0x00D0, kImc = 0x00D8,
                               kRctl = 0x0100, kFcttv = 0x0170, kTxcw = 0x0178, kTctl = 0x0400,
                               kTipg = 0x0410, kPba = 0x1000, kFcrtl = 0x2160, kFcrth = 0x2168,
                               kRdbal = 0x2800, kRdbah = 0x2804, kRdlen = 0x2808, kRdh = 0x2810,
                               kRdt = 0x2818, kRdtr = 0x2820, kRadv = 0x282C, kTdbal = 0x3800,
                               kTdbah = 0x3804, kTdlen = 0x3808, kTdh = 0x3810, kTdt = 0x3818,
                               kTidv = 0x3820, kTxdctl = 0x3828, kTadv = 0x382C,
                               kStatistics = 0x4000, kStatisticsEnd = 0x4100, kRxcsum = 0x5000,
                               kMta = 0x5200, kRal = 0x5400, kRah = 0x5404, kVfta = 0x5600,
                               kWuc = 0x5800, kManc = 0x5820;

namespace ctrl {
inline constexpr std::uint32_t kFd = 1U << 0, kSlu = 1U << 6, kIlos = 1U << 7, kSpeedMask = 3U << 8,
                               kSpeed1000 = 2U << 8, kForceSpeed = 1U << 11,
                               kForceDuplex = 1U << 12, kRst = 1U << 26, kRfce = 1U << 27,
                               kTfce = 1U << 28;
}
namespace status {
inline constexpr std::uint32_t kFullDuplex = 1U << 0, kLinkUp = 1U << 1;
inline constexpr unsigned kSpeedShift = 6;  // 2 bits: 0 = 10, 1 = 100, 2 and 3 = 1000 Mbit/s
}  // namespace status
namespace eecd {
inline constexpr std::uint32_t kSk = 1U << 0, kCs = 1U << 1, kDi = 1U << 2, kDo = 1U << 3,
                               kRequest = 1U << 6, kGrant = 1U << 7, kSize = 1U << 9;
}
namespace eerd {
inline constexpr std::uint32_t kStart = 1U << 0, kDone = 1U << 4;
inline constexpr unsigned kAddressShift = 8, kDataShift = 16;
}  // namespace eerd
namespace ctrl_ext {
inline constexpr std::uint32_t kEepromReset = 1U << 13;
}
namespace mdic {
inline constexpr std::uint32_t kPhy1 = 1U << 21, kWrite = 1U << 26, kRead = 2U << 26,
                               kReady = 1U << 28, kError = 1U << 30;
inline constexpr unsigned kRegisterShift = 16;
}  // namespace mdic
namespace cause {  // ICR, ICS, IMS, IMC
inline constexpr std::uint32_t kTxdw = 1U << 0, kLsc = 1U << 2, kRxseq = 1U << 3, kRxdmt0 = 1U << 4,
                               kRxo = 1U << 6, kRxt0 = 1U << 7;
}
namespace rctl {
inline constexpr std::uint32_t kEn = 1U << 1, kUpe = 1U << 3, kMpe = 1U << 4, kLpe = 1U << 5,
                               kLoopback = 3U << 6, kBam = 1U << 15, kBsex = 1U << 25,
                               kSecrc = 1U << 26;
inline constexpr unsigned kBsizeShift = 16;
}  // namespace rctl
namespace tctl {
inline constexpr std::uint32_t kEn = 1U << 1, kPsp = 1U << 3, kRtlc = 1U << 24;
inline constexpr std::uint32_t kCollisionThreshold = 15U << 4, kFullDuplexDistance = 63U << 12;
}  // namespace tctl
namespace txdctl {
inline constexpr std::uint32_t kGranularityDescriptors = 1U << 24, kWriteBackEach = 1U << 16;
}
namespace rah {
inline constexpr std::uint32_t kValid = 1U << 31;
}
namespace manc {
inline constexpr std::uint32_t kArp = 1U << 13;
}
namespace rxcsum {
inline constexpr std::uint32_t kTuofld = 1U << 9;
}
inline constexpr std::uint32_t kXone = 1U << 31;  // FCRTL

/// The PHY at MDIO address 1 (IEEE 802.3 clause 22; Marvell Alaska above 15).
namespace phy {
inline constexpr unsigned kBmcr = 0, kBmsr = 1, kId1 = 2, kId2 = 3, kAnar = 4, kAnlpar = 5,
                          kGigControl = 9, kPscr = 16, kEpscr = 20, kPageSelect = 29,
                          kPageValue = 30;
inline constexpr std::uint16_t kMarvellId1 = 0x0141, kId2Mask = 0xFFF0;
inline constexpr std::uint16_t kBmcrReset = 1U << 15, kBmcrLoopback = 1U << 14,
                               kBmcrAneg = 1U << 12, kBmcrRestart = 1U << 9,
                               kBmcrFullDuplex = 1U << 8, kBmcr1000 = 1U << 6;
inline constexpr std::uint16_t kBmsrLink = 1U << 2, kBmsrAnegDone = 1U << 5;
inline constexpr std::uint16_t kAnarAll = 0x01E1;  // 10/100 half and full, IEEE 802.3 selector
inline constexpr std::uint16_t kPause = 1U << 10, kAsymmetricPause = 1U << 11;
inline constexpr std::uint16_t kGigFullDuplex = 1U << 9;
inline constexpr std::uint16_t kPscrCrsOnTx = 1U << 11, kPscrAutoMdix = 3U << 5;
}  // namespace phy

/// Descriptors: 16 bytes each.
namespace desc {
inline constexpr std::uint8_t kRxDone = 1U << 0, kRxEop = 1U << 1;
inline constexpr std::uint8_t kRxErrors = 0x97;  // CE, SE, SEQ, CXE, RXE
inline constexpr std::uint8_t kTxEop = 1U << 0, kTxIfcs = 1U << 1, kTxTse = 1U << 2,
                              kTxRs = 1U << 3, kTxRps = 1U << 4, kTxDext = 1U << 5,
                              kTxIde = 1U << 7;
inline constexpr std::uint8_t kTxDone = 1U << 0;
inline constexpr std::uint32_t kDataType = 1U << 20;  // DTYP 1 in dword 2
inline constexpr std::uint8_t kContextTcp = 1U << 0, kContextIpv4 = 1U << 1;
inline constexpr std::uint8_t kInsertIp = 1U << 0, kInsertTransport = 1U << 1;  // POPTS
inline constexpr std::uint32_t kBytes = 16;
}  // namespace desc

}  // namespace e1000tlm::driver::reg
