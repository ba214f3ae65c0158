#pragma once
/// The M88E1011's management registers as a table. No SystemC.
///
/// Sources: 8254x Software Developer's Manual chapters 11 and 13.5 (PHY registers), IEEE 802.3
/// clauses 22.2.4, 28.2.4 and 40.5.1 for the standard ones. Where neither names a reserved bit's
/// behaviour, it stores what is written.

#include <array>
#include <cstdint>
#include <string_view>

#include "e1000tlm/phy/config.h"

namespace e1000tlm::phy {

inline constexpr unsigned kRegisterCount = 32;

namespace reg {
inline constexpr unsigned kControl = 0;
inline constexpr unsigned kStatus = 1;
inline constexpr unsigned kId1 = 2;
inline constexpr unsigned kId2 = 3;
inline constexpr unsigned kAdvertisement = 4;
inline constexpr unsigned kPartnerAbility = 5;
inline constexpr unsigned kExpansion = 6;
inline constexpr unsigned kNextPage = 7;
inline constexpr unsigned kPartnerNextPage = 8;
inline constexpr unsigned kGigabitControl = 9;
inline constexpr unsigned kGigabitStatus = 10;
inline constexpr unsigned kExtendedStatus = 15;
inline constexpr unsigned kSpecificControl = 16;
inline constexpr unsigned kSpecificStatus = 17;
inline constexpr unsigned kInterruptEnable = 18;
inline constexpr unsigned kInterruptStatus = 19;
inline constexpr unsigned kExtendedControl = 20;
inline constexpr unsigned kReceiveErrors = 21;
inline constexpr unsigned kExtendedControl2 = 26;
inline constexpr unsigned kPageSelect = 29;
inline constexpr unsigned kPageWindow = 30;
}  // namespace reg

/// Bits by register.
namespace control {  // 0
inline constexpr std::uint16_t kReset = 0x8000, kLoopback = 0x4000, kSpeedLow = 0x2000,
                               kAutonegotiation = 0x1000, kPowerDown = 0x0800, kIsolate = 0x0400,
                               kRestart = 0x0200, kFullDuplex = 0x0100, kCollisionTest = 0x0080,
                               kSpeedHigh = 0x0040;
}
namespace status {  // 1
inline constexpr std::uint16_t kComplete = 0x0020, kRemoteFault = 0x0010, kLink = 0x0004,
                               kJabber = 0x0002;
}
namespace ability {  // 4 and 5
inline constexpr std::uint16_t kNextPage = 0x8000, kAcknowledge = 0x4000, kRemoteFault = 0x2000,
                               kAsymmetricPause = 0x0800, kPause = 0x0400, kFull100 = 0x0100,
                               kHalf100 = 0x0080, kFull10 = 0x0040, kHalf10 = 0x0020,
                               kSelector = 0x0001;
}
namespace expansion {  // 6
inline constexpr std::uint16_t kParallelFault = 0x0010, kPartnerNextPageAble = 0x0008,
                               kNextPageAble = 0x0004, kPageReceived = 0x0002,
                               kPartnerNegotiates = 0x0001;
}
namespace gigabit {  // 9 (control) and 10 (status)
inline constexpr std::uint16_t kManualMasterSlave = 0x1000, kMaster = 0x0800, kMultiport = 0x0400,
                               kFull = 0x0200, kHalf = 0x0100;
inline constexpr std::uint16_t kMasterSlaveFault = 0x8000, kIsMaster = 0x4000,
                               kLocalReceiver = 0x2000, kRemoteReceiver = 0x1000,
                               kPartnerFull = 0x0800, kPartnerHalf = 0x0400, kIdleErrors = 0x00FF;
}  // namespace gigabit
namespace specific {  // 16 (control) and 17 (status)
inline constexpr std::uint16_t kForceLink = 0x0400, kCrossover = 0x0060, kManualMdix = 0x0020;
inline constexpr std::uint16_t kSpeed1000 = 0x8000, kSpeed100 = 0x4000, kFullDuplex = 0x2000,
                               kPageReceived = 0x1000, kResolved = 0x0800, kLink = 0x0400,
                               kMdix = 0x0040;
}  // namespace specific
namespace interrupt {  // 18 and 19
inline constexpr std::uint16_t kSpeed = 0x4000, kDuplex = 0x2000, kPage = 0x1000,
                               kComplete = 0x0800, kLink = 0x0400;
}

/// How one register behaves. Every bit is in `read` or reads 0.
struct RegisterRow {
  std::uint8_t number;
  std::string_view name;
  std::uint16_t reset;          ///< after hardware reset
  std::uint16_t read;           ///< bits that can read 1
  std::uint16_t write;          ///< bits that keep what is written
  std::uint16_t self_clearing;  ///< commands: writing 1 acts, reads 0
  std::uint16_t staged;         ///< written at once, acting only from the next link start
  std::uint16_t latched_low;    ///< 0 stays until read
  std::uint16_t read_clear;     ///< latched high, or a counter
  std::uint16_t soft_reset;     ///< bits that soft reset returns to `reset`; the others keep
};

/// All implemented registers by number; the others read 0 and swallow writes.
///
/// Self-clearing bits never read 1: a management frame takes 25.6 us, a soft reset about 1 us.
/// Register 9 resets to automatic master/slave resolution. Register 29's upper bits are stored, its
/// low five select the page.
inline constexpr std::array kRegisters{
    RegisterRow{0, "PCTRL", 0x1140, 0x7DC0, 0x7DC0, 0x8200, 0x3140, 0, 0, 0x4C80},
    RegisterRow{1, "PSTATUS", 0x7949, 0x797F, 0, 0, 0, 0x0004, 0x0012, 0xFFFF},
    RegisterRow{2, "PHYID1", 0x0141, 0xFFFF, 0, 0, 0, 0, 0, 0},
    RegisterRow{3, "PHYID2", kM88E1011Id2, 0xFFFF, 0, 0, 0, 0, 0, 0},
    RegisterRow{4, "ANA", 0x01E1, 0xADE1, 0xADE0, 0, 0, 0, 0, 0},
    RegisterRow{5, "LPA", 0, 0xFFFF, 0, 0, 0, 0, 0, 0xFFFF},
    RegisterRow{6, "ANE", 0, 0x001F, 0, 0, 0, 0, 0x0012, 0xFFFF},
    RegisterRow{7, "NPT", 0x2001, 0xBFFF, 0xB7FF, 0, 0, 0, 0, 0xFFFF},
    RegisterRow{8, "LPN", 0, 0xFFFF, 0, 0, 0, 0, 0, 0xFFFF},
    RegisterRow{9, "GCON", 0x0E00, 0xFF00, 0xFF00, 0, 0, 0, 0, 0},
    RegisterRow{10, "GSTATUS", 0, 0xFCFF, 0, 0, 0, 0, 0x80FF, 0xFFFF},
    RegisterRow{15, "ESTATUS", 0x3000, 0xF000, 0, 0, 0, 0, 0, 0},
    RegisterRow{16, "PSCON", 0x0068, 0xFFFF, 0xFFFF, 0, 0x0B78, 0, 0, 0},
    RegisterRow{17, "PSSTAT", 0, 0xFFE3, 0, 0, 0, 0, 0x1000, 0xFFFF},
    RegisterRow{18, "PINTE", 0, 0xFFFF, 0xFFFF, 0, 0, 0, 0, 0},
    RegisterRow{19, "PINTS", 0, 0xFFFF, 0, 0, 0, 0, 0xFFFF, 0xFFFF},
    RegisterRow{20, "EPSCON1", 0x0D60, 0xFFFF, 0xFFFF, 0, 0, 0, 0, 0},
    RegisterRow{21, "PREC", 0, 0xFFFF, 0, 0, 0, 0, 0xFFFF, 0xFFFF},
    RegisterRow{26, "EPSCON2", 0x000C, 0xFFFF, 0xFFFF, 0, 0, 0, 0, 0},
    RegisterRow{29, "R29PAGE", 0, 0xFFFF, 0xFFFF, 0, 0, 0, 0, 0},
    RegisterRow{30, "R30WINDOW", 0, 0xFFFF, 0xFFFF, 0, 0, 0, 0, 0},
};

/// The row of a register 0 to 31; an unimplemented one has only zeros and no name.
const RegisterRow& register_row(unsigned number);

}  // namespace e1000tlm::phy
