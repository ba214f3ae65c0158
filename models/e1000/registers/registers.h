#pragma once
/// Offsets and bits of the 8254x registers, named as in the manual (chapter 13). No SystemC.

#include <cstdint>

namespace e1000tlm::e1000 {

/// Size of the register space.
inline constexpr std::uint32_t kMmioBytes = 128 * 1024;

namespace reg {
inline constexpr std::uint32_t kCtrl = 0x0000, kCtrlDup = 0x0004, kStatus = 0x0008, kEecd = 0x0010,
                               kEerd = 0x0014, kCtrlExt = 0x0018, kFla = 0x001C, kMdic = 0x0020,
                               kFcal = 0x0028, kFcah = 0x002C, kFct = 0x0030, kVet = 0x0038,
                               kIcr = 0x00C0, kItr = 0x00C4, kIcs = 0x00C8, kIms = 0x00D0,
                               kImc = 0x00D8, kRctl = 0x0100, kFcttv = 0x0170, kTxcw = 0x0178,
                               kRxcw = 0x0180, kTctl = 0x0400, kTipg = 0x0410, kTbt = 0x0448,
                               kAit = 0x0458, kLedctl = 0x0E00, kPba = 0x1000, kFcrtl = 0x2160,
                               kFcrth = 0x2168, kRdfh = 0x2410, kRdft = 0x2418, kRdfhs = 0x2420,
                               kRdfts = 0x2428, kRdfpc = 0x2430, kRdbal = 0x2800, kRdbah = 0x2804,
                               kRdlen = 0x2808, kRdh = 0x2810, kRdt = 0x2818, kRdtr = 0x2820,
                               kRxdctl = 0x2828, kRadv = 0x282C, kRsrpd = 0x2C00, kTxdmac = 0x3000,
                               kTdfh = 0x3410, kTdft = 0x3418, kTdfhs = 0x3420, kTdfts = 0x3428,
                               kTdfpc = 0x3430, kTdbal = 0x3800, kTdbah = 0x3804, kTdlen = 0x3808,
                               kTdh = 0x3810, kTdt = 0x3818, kTidv = 0x3820, kTxdctl = 0x3828,
                               kTadv = 0x382C, kTspmt = 0x3830, kStatistics = 0x4000,
                               kStatisticsEnd = 0x4100, kRxcsum = 0x5000, kMta = 0x5200,
                               kRa = 0x5400, kVfta = 0x5600, kWuc = 0x5800, kWufc = 0x5808,
                               kWus = 0x5810, kManc = 0x5820, kIpav = 0x5838, kIp4at = 0x5840,
                               kIp6at = 0x5880, kWupl = 0x5900, kWupm = 0x5A00, kFflt = 0x5F00,
                               kFfmt = 0x9000, kFfvt = 0x9800, kPbm = 0x10000;
}  // namespace reg

namespace ctrl {
inline constexpr std::uint32_t kFd = 1 << 0, kLrst = 1 << 3, kAsde = 1 << 5, kSlu = 1 << 6,
                               kIlos = 1 << 7, kSpeedShift = 8, kSpeedMask = 3 << 8,
                               kFrcspd = 1 << 11, kFrcdpx = 1 << 12, kSdp0Data = 1 << 18,
                               kSdpData = 3 << 18, kSdpOutputShift = 4, kAdvd3wuc = 1 << 20,
                               kEnPhyPwrMgmt = 1 << 21, kRst = 1 << 26, kRfce = 1 << 27,
                               kTfce = 1 << 28, kVme = 1 << 30, kPhyRst = 1U << 31;
}
namespace status {
inline constexpr std::uint32_t kFd = 1 << 0, kLu = 1 << 1, kTxoff = 1 << 4, kTbimode = 1 << 5,
                               kSpeedShift = 6, kAsdvShift = 8, kMtxckok = 1 << 10,
                               kPci66 = 1 << 11, kBus64 = 1 << 12, kPcixMode = 1 << 13,
                               kPcixSpeedShift = 14;
}
namespace eecd {
inline constexpr std::uint32_t kSk = 1 << 0, kCs = 1 << 1, kDi = 1 << 2, kDo = 1 << 3,
                               kFweMask = 3 << 4, kFweOn = 2 << 4, kReq = 1 << 6, kGnt = 1 << 7,
                               kPres = 1 << 8, kSize = 1 << 9;
}
namespace eerd {
inline constexpr std::uint32_t kStart = 1 << 0, kDone = 1 << 4, kAddrShift = 8, kDataShift = 16;
}
namespace ctrl_ext {
inline constexpr std::uint32_t kPhyintEn = 1 << 1, kEeRst = 1 << 13;
}
namespace mdic {
inline constexpr std::uint32_t kDataMask = 0xFFFF, kRegShift = 16, kPhyShift = 21, kOpShift = 26,
                               kOpMask = 3 << 26, kOpWrite = 1 << 26, kOpRead = 2 << 26,
                               kReady = 1 << 28, kInterrupt = 1 << 29, kError = 1 << 30;
}
namespace cause {  // ICR, ICS, IMS, IMC
inline constexpr std::uint32_t kTxdw = 1 << 0, kTxqe = 1 << 1, kLsc = 1 << 2, kRxseq = 1 << 3,
                               kRxdmt0 = 1 << 4, kRxo = 1 << 6, kRxt0 = 1 << 7, kMdac = 1 << 9,
                               kRxcfg = 1 << 10, kPhyint = 1 << 12, kTxdLow = 1 << 15,
                               kSrpd = 1 << 16, kAll = 0x1FFFF, kAll82544 = 0x7FFF;
}
namespace rctl {
inline constexpr std::uint32_t kEn = 1 << 1, kSbp = 1 << 2, kUpe = 1 << 3, kMpe = 1 << 4,
                               kLpe = 1 << 5, kLbmMask = 3 << 6, kRdmtsShift = 8, kMoShift = 12,
                               kBam = 1 << 15, kBsizeShift = 16, kVfe = 1 << 18, kCfien = 1 << 19,
                               kCfi = 1 << 20, kDpf = 1 << 22, kPmcf = 1 << 23, kBsex = 1 << 25,
                               kSecrc = 1 << 26;
}
namespace tctl {
inline constexpr std::uint32_t kEn = 1 << 1, kPsp = 1 << 3, kSwxoff = 1 << 22;
}
namespace fcrtl {
inline constexpr std::uint32_t kXone = 1U << 31;
}
namespace rdtr {
inline constexpr std::uint32_t kFpd = 1U << 31;
}
namespace dctl {  // RXDCTL, TXDCTL
inline constexpr std::uint32_t kPthreshMask = 0x3F, kHthreshShift = 8, kWthreshShift = 16,
                               kGran = 1 << 24, kLwthreshShift = 25;
}
namespace rah {
inline constexpr std::uint32_t kAv = 1U << 31;
}
namespace wuc {
inline constexpr std::uint32_t kApme = 1 << 0, kPmeEn = 1 << 1, kPmeStatus = 1 << 2,
                               kApmpme = 1 << 3;
}

/// Size of receive buffers for RCTL.BSIZE/BSEX (manual 13.4.22). The reserved code gives 2048.
constexpr std::uint32_t receive_buffer_bytes(std::uint32_t rctl) {
  const unsigned code = (rctl >> rctl::kBsizeShift) & 3;
  if ((rctl & rctl::kBsex) == 0) return 2048U >> code;
  return code == 0 ? 2048 : 32768U >> code;
}

}  // namespace e1000tlm::e1000
