/// The PHY's registers by themselves: reset values, access, staging, latches.

#include <map>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "e1000tlm/phy/register_file.h"

namespace e1000tlm::phy {
namespace {

using link::Abilities;
using link::LinkMode;
using link::Speed;

// Values by hand from the manual's register descriptions, not from the table under test.
const std::map<unsigned, std::uint16_t> kReset{
    {0, 0x1140}, {1, 0x7949},  {2, 0x0141},  {3, 0x0C24},  {4, 0x01E1},  {7, 0x2001},
    {9, 0x0E00}, {15, 0x3000}, {16, 0x0068}, {20, 0x0D60}, {26, 0x000C},
};
const std::map<unsigned, std::uint16_t> kWritable{
    {0, 0x7DC0},  {4, 0xADE0},  {7, 0xB7FF},  {9, 0xFF00},  {16, 0xFFFF},
    {18, 0xFFFF}, {20, 0xFFFF}, {26, 0xFFFF}, {29, 0xFFFF}, {30, 0xFFFF},
};

std::uint16_t lookup(const std::map<unsigned, std::uint16_t>& values, unsigned number) {
  const auto it = values.find(number);
  return it == values.end() ? std::uint16_t{0} : it->second;
}

constexpr LinkMode kGigabit{Speed::k1000, true};

TEST(PhyRegisters, ResetValuesAreTheManuals) {
  RegisterFile file;
  for (unsigned number = 0; number < kRegisterCount; ++number) {
    EXPECT_EQ(file.peek(number), lookup(kReset, number)) << "register " << number;
    EXPECT_EQ(file.read(number), lookup(kReset, number)) << "register " << number;
  }
}

TEST(PhyRegisters, OnlyWritableBitsKeepWhatIsWritten) {
  for (unsigned number = 0; number < kRegisterCount; ++number) {
    const std::uint16_t writable = lookup(kWritable, number);
    const std::uint16_t fixed = lookup(kReset, number) & static_cast<std::uint16_t>(~writable);
    for (const std::uint16_t pattern : {0x5A5A, 0xA5A5, 0x0000, 0xFFFF}) {
      RegisterFile file;
      // Soft reset is a command of its own; everything else may be written.
      const std::uint16_t written = number == reg::kControl ? pattern & 0x7FFF : pattern;
      file.write(number, written);
      EXPECT_EQ(file.peek(number), (written & writable) | fixed)
          << "register " << number << " pattern " << pattern;
    }
  }
}

TEST(PhyRegisters, TheTableAgreesWithTheRegisterFile) {
  for (const RegisterRow& row : kRegisters) {
    RegisterFile file;
    EXPECT_EQ(file.peek(row.number), row.reset) << row.name;
    file.write(row.number, 0x7FFF);
    EXPECT_EQ(file.peek(row.number) & ~row.read, 0) << row.name;
    EXPECT_EQ(file.peek(row.number) & row.self_clearing, 0) << row.name;
  }
}

TEST(PhyRegisters, UnimplementedReadZeroAndSwallowWrites) {
  RegisterFile file;
  for (const unsigned number : {11U, 12U, 13U, 14U, 22U, 23U, 24U, 25U, 27U, 28U, 31U}) {
    EXPECT_EQ(file.write(number, 0xFFFF), Reaction::kNone);
    EXPECT_EQ(file.read(number), 0) << number;
    EXPECT_TRUE(register_row(number).name.empty());
  }
}

TEST(PhyRegisters, IdentityComesFromTheConfiguration) {
  RegisterFile file(0x0C34);
  EXPECT_EQ(file.read(reg::kId2), 0x0C34);
  file.write(reg::kId2, 0);
  file.write(reg::kControl, 0x9140);
  file.hardware_reset();
  EXPECT_EQ(file.read(reg::kId2), 0x0C34);
}

TEST(PhyRegisters, WindowRemembersWritesPerPage) {
  RegisterFile file;
  file.write(reg::kPageSelect, 0x001F);
  file.write(reg::kPageWindow, 0x8FFC);
  file.write(reg::kPageSelect, 0x001A);
  EXPECT_EQ(file.read(reg::kPageWindow), 0);
  file.write(reg::kPageWindow, 0x8FF0);
  EXPECT_EQ(file.read(reg::kPageSelect), 0x001A);
  file.write(reg::kPageSelect, 0x001F);
  EXPECT_EQ(file.read(reg::kPageWindow), 0x8FFC);
  file.write(reg::kPageSelect, 0xFFFF);  // any page number is in range
  EXPECT_EQ(file.read(reg::kPageWindow), 0x8FFC);
  file.hardware_reset();
  EXPECT_EQ(file.read(reg::kPageWindow), 0);
}

TEST(PhyRegisters, ControlBitsAreStagedUntilTheLinkRestarts) {
  RegisterFile file;
  EXPECT_EQ(file.write(reg::kControl, 0x2100), Reaction::kNone);  // 100 full, no autonegotiation
  EXPECT_EQ(file.read(reg::kControl), 0x2100);
  EXPECT_TRUE(file.autonegotiation());
  EXPECT_EQ(file.forced_mode(), kGigabit);
  file.restart_link();
  EXPECT_FALSE(file.autonegotiation());
  EXPECT_EQ(file.forced_mode(), (LinkMode{Speed::k100, true}));
}

TEST(PhyRegisters, SpecificControlIsStagedToo) {
  RegisterFile file;
  file.write(reg::kSpecificControl, 0x0808);
  EXPECT_EQ(file.acting_specific_control(), 0x0068);
  file.write(reg::kControl, 0x9140);
  EXPECT_EQ(file.acting_specific_control(), 0x0808);
}

TEST(PhyRegisters, SoftResetActsOnStagedBitsAndKeepsConfiguration) {
  RegisterFile file;
  file.write(reg::kAdvertisement, 0x0DE1);
  file.write(reg::kGigabitControl, 0x0200);
  file.write(reg::kNextPage, 0);
  file.write(reg::kInterruptEnable, 0x1234);
  file.write(reg::kExtendedControl, 0x0070);
  EXPECT_EQ(file.write(reg::kControl, 0xEDC0 & ~0x1000), Reaction::kRestartLink);
  // Loopback, power-down, isolate and collision test go; speed and duplex stay and act.
  EXPECT_EQ(file.read(reg::kControl), 0x2140);
  EXPECT_FALSE(file.autonegotiation());
  EXPECT_EQ(file.read(reg::kAdvertisement), 0x0DE1);
  EXPECT_EQ(file.read(reg::kGigabitControl), 0x0200);
  EXPECT_EQ(file.read(reg::kNextPage), 0x2001);
  EXPECT_EQ(file.read(reg::kInterruptEnable), 0x1234);
  EXPECT_EQ(file.read(reg::kExtendedControl), 0x0070);
}

TEST(PhyRegisters, CommandsClearThemselves) {
  RegisterFile file;
  EXPECT_EQ(file.write(reg::kControl, 0x1340), Reaction::kRestartLink);
  EXPECT_EQ(file.read(reg::kControl), 0x1140);
  EXPECT_EQ(file.write(reg::kControl, 0x9340), Reaction::kRestartLink);
  EXPECT_EQ(file.read(reg::kControl), 0x1140);
}

TEST(PhyRegisters, ReactionsOfControl) {
  RegisterFile file;
  EXPECT_EQ(file.write(reg::kControl, 0x1940), Reaction::kPowerDown);
  EXPECT_EQ(file.write(reg::kControl, 0x1B40), Reaction::kNone);  // no restart while powered down
  EXPECT_EQ(file.write(reg::kControl, 0x1140), Reaction::kRestartLink);
  EXPECT_EQ(file.write(reg::kControl, 0x4140), Reaction::kLoopback);
  EXPECT_FALSE(file.autonegotiation());
  EXPECT_EQ(file.write(reg::kControl, 0x4140), Reaction::kLoopback);
  EXPECT_EQ(file.write(reg::kControl, 0x0140), Reaction::kRestartLink);
  EXPECT_EQ(file.write(reg::kControl, 0x0540), Reaction::kReconsider);
  EXPECT_EQ(file.write(reg::kControl, 0x0540), Reaction::kNone);
  EXPECT_EQ(file.write(reg::kControl, 0x0140), Reaction::kReconsider);
}

TEST(PhyRegisters, ReservedSpeedCodeIsGigabit) {
  RegisterFile file;
  file.write(reg::kControl, 0xA040);
  EXPECT_EQ(file.forced_mode(), (LinkMode{Speed::k1000, false}));
}

TEST(PhyRegisters, LinkStatusLatchesLow) {
  RegisterFile file;
  const Abilities partner = link::gigabit_abilities();
  file.restart_link();
  file.link_established(kGigabit, &partner);
  EXPECT_EQ(file.read(reg::kStatus), 0x796D);
  file.restart_link();
  file.link_established(kGigabit, &partner);
  EXPECT_EQ(file.peek(reg::kStatus), 0x7969);
  EXPECT_EQ(file.peek(reg::kStatus), 0x7969) << "peek has no side effect";
  EXPECT_EQ(file.read(reg::kSpecificStatus) & specific::kLink, specific::kLink) << "real time";
  EXPECT_EQ(file.read(reg::kStatus), 0x7969);
  EXPECT_EQ(file.read(reg::kStatus), 0x796D);
}

TEST(PhyRegisters, DropThatWasReadIsNotShownAgain) {
  RegisterFile file;
  file.link_established(kGigabit, nullptr);
  file.restart_link();
  EXPECT_EQ(file.read(reg::kStatus) & status::kLink, 0);
  file.link_established(kGigabit, nullptr);
  EXPECT_EQ(file.read(reg::kStatus) & status::kLink, status::kLink);
}

TEST(PhyRegisters, PageReceivedClearsOnRead) {
  RegisterFile file;
  file.page_received(link::gigabit_abilities());
  EXPECT_EQ(file.peek(reg::kExpansion), 0x000F);
  EXPECT_EQ(file.read(reg::kExpansion), 0x000F);
  EXPECT_EQ(file.read(reg::kExpansion), 0x000D);
  EXPECT_EQ(file.read(reg::kSpecificStatus), 0x1000);
  EXPECT_EQ(file.read(reg::kSpecificStatus), 0);
}

TEST(PhyRegisters, InterruptStatusClearsOnRead) {
  RegisterFile file;
  const Abilities partner = link::gigabit_abilities();
  file.page_received(partner);
  file.link_established(kGigabit, &partner);
  EXPECT_EQ(file.read(reg::kInterruptStatus), 0x7C00);  // speed, duplex, page, complete, link
  EXPECT_EQ(file.read(reg::kInterruptStatus), 0);
  file.restart_link();
  EXPECT_EQ(file.read(reg::kInterruptStatus), 0x0400);
  file.link_established(kGigabit, &partner);
  EXPECT_EQ(file.read(reg::kInterruptStatus), 0x0C00) << "same speed and duplex as before";
}

TEST(PhyRegisters, CountersStickAndClearOnRead) {
  RegisterFile file;
  file.count_idle_errors(3);
  file.count_idle_errors(1000);
  EXPECT_EQ(file.read(reg::kGigabitStatus), 0x00FF);
  EXPECT_EQ(file.read(reg::kGigabitStatus), 0);
  for (int i = 0; i < 70'000; ++i) file.count_receive_error();
  EXPECT_EQ(file.read(reg::kReceiveErrors), 0xFFFF);
  EXPECT_EQ(file.read(reg::kReceiveErrors), 0);
}

TEST(PhyRegisters, RestartForgetsThePartner) {
  RegisterFile file;
  const Abilities partner = link::gigabit_abilities();
  file.page_received(partner);
  file.link_established(kGigabit, &partner);
  file.count_idle_errors(5);
  file.restart_link();
  EXPECT_EQ(file.read(reg::kPartnerAbility), 0);
  EXPECT_EQ(file.read(reg::kGigabitStatus), 5) << "only the count is kept";
  EXPECT_EQ(file.read(reg::kStatus) & status::kComplete, 0);
  EXPECT_EQ(file.read(reg::kSpecificStatus) & ~specific::kPageReceived, 0);
}

TEST(PhyConfigCheck, RejectsWhatIsOutOfRange) {
  PhyConfig config;
  EXPECT_NO_THROW(validate(config));
  EXPECT_GE(config.timing.autonegotiation, ms(400)) << "Linux's interrupt self-test";
  config.address = 32;
  EXPECT_THROW(validate(config), std::invalid_argument);
  config.address = 31;
  EXPECT_NO_THROW(validate(config));
  config.timing.forced_link = Time{-1};
  try {
    validate(config);
    FAIL() << "accepted";
  } catch (const std::invalid_argument& e) {
    EXPECT_THAT(e.what(), ::testing::HasSubstr("forced_link"));
  }
  config.timing.forced_link = kTimeNever;
  EXPECT_THROW(validate(config), std::invalid_argument);
}

}  // namespace
}  // namespace e1000tlm::phy
