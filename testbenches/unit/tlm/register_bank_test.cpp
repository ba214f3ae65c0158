#include "e1000tlm/tlm/register_bank.h"

#include <array>
#include <cstdint>
#include <stdexcept>

#include <gtest/gtest.h>

namespace e1000tlm {
namespace {

constexpr std::array kRows{
    RegisterRow{"RW", 0x00, 1, 4, Access::kReadWrite, 0x1234, 0xFFFF, 0x0FF0, 1, 1, ""},
    RegisterRow{"RO", 0x04, 1, 4, Access::kReadOnly, 0x55, 0xFFFFFFFF, 0xFFFFFFFF, 1, 1, ""},
    RegisterRow{"RC", 0x08, 1, 4, Access::kReadClear, 7, 0xFFFFFFFF, 0, 1, 1, ""},
    RegisterRow{"RCWC", 0x0C, 1, 4, Access::kReadClearWriteClear, 0xF, 0xF, 0xF, 1, 1, ""},
    RegisterRow{"W1C", 0x10, 1, 4, Access::kWriteOneClears, 0xFF, 0xFF, 0x0F, 2, 1, ""},
    RegisterRow{"W1S", 0x14, 1, 4, Access::kWriteOneSets, 0, 0xFF, 0x0F, 2, 1, ""},
    RegisterRow{"WO", 0x18, 1, 4, Access::kWriteOnly, 0, 0xFF, 0xFF, 1, 1, ""},
    RegisterRow{"ARRAY", 0x20, 4, 8, Access::kReadWrite, 9, 0xFFFFFFFF, 0xFFFFFFFF, 1, 1, ""},
    RegisterRow{"OTHER_PART", 0x40, 1, 4, Access::kReadWrite, 1, 0xFF, 0xFF, 1, 2, ""},
    RegisterRow{"PARTLY", 0x44, 1, 4, Access::kReadWrite, 0x12, 0xFF, 0xFF, 1, 1, "", 0x0F},
};
constexpr std::array kAliases{RegisterAlias{0x80, 0x00}, RegisterAlias{0x84, 0x40}};

struct Block {
  std::uint32_t view(std::uint32_t index, std::uint32_t stored) const {
    return stored + 0x100 * (index + 1);
  }
  void was_read(std::uint32_t index) { reads += 1 + index; }
  void was_written(std::uint32_t index, std::uint32_t value) {
    last_index = index;
    last_value = value;
  }
  unsigned reads = 0;
  std::uint32_t last_index = 99, last_value = 0;
};

class RegisterBankTest : public ::testing::Test {
 protected:
  RegisterBank bank_{kRows, kAliases, 0x100, 1};
};

TEST_F(RegisterBankTest, ReadWriteObeysBothMasks) {
  EXPECT_EQ(bank_.read(0), 0x1234U);
  bank_.write(0, 0xFFFFFFFF);
  EXPECT_EQ(bank_.read(0), 0x1FF4U);
  bank_.write(0, 0);
  EXPECT_EQ(bank_.read(0), 0x1004U);
}

TEST_F(RegisterBankTest, ReadOnlyIgnoresWrites) {
  bank_.write(4, 0);
  EXPECT_EQ(bank_.read(4), 0x55U);
}

TEST_F(RegisterBankTest, ReadClearClearsOnReadButNotOnPeek) {
  EXPECT_EQ(bank_.peek(8), 7U);
  EXPECT_EQ(bank_.read(8), 7U);
  EXPECT_EQ(bank_.read(8), 0U);
}

TEST_F(RegisterBankTest, WrittenOnesClearOrSet) {
  bank_.write(0x0C, 0x3);
  EXPECT_EQ(bank_.peek(0x0C), 0xCU);
  bank_.write(0x10, 0xF3);
  EXPECT_EQ(bank_.read(0x10), 0xFCU);
  bank_.write(0x14, 0xF1);
  bank_.write(0x14, 0x02);
  EXPECT_EQ(bank_.read(0x14), 0x03U);
}

TEST_F(RegisterBankTest, WriteOnlyReadsZeroButReachesItsHandler) {
  Block block;
  bank_.on_write<&Block::was_written>(0x18, &block);
  bank_.write(0x18, 0xABCD);
  EXPECT_EQ(block.last_value, 0xABCDU);
  EXPECT_EQ(bank_.read(0x18), 0U);
}

TEST_F(RegisterBankTest, ArraysHaveAStrideAndHandlersTheIndex) {
  Block block;
  bank_.on_view<&Block::view>(0x20, &block);
  bank_.on_read<&Block::was_read>(0x20, &block);
  bank_.on_write<&Block::was_written>(0x20, &block);
  EXPECT_EQ(bank_.read(0x28), 0x209U);
  EXPECT_EQ(block.reads, 2U);
  EXPECT_EQ(bank_.peek(0x38), 0x409U);
  EXPECT_EQ(block.reads, 2U);
  bank_.write(0x30, 5);
  EXPECT_EQ(block.last_index, 2U);
  EXPECT_EQ(bank_.read(0x24), 0U) << "between the array's registers";
}

TEST_F(RegisterBankTest, UnknownAddressesReadZeroAndIgnoreWrites) {
  bank_.write(0xF0, 1);
  EXPECT_EQ(bank_.read(0xF0), 0U);
  bank_.write(0x100000, 1);
  EXPECT_EQ(bank_.read(0x100000), 0U);
  EXPECT_EQ(bank_.peek(0x100000), 0U);
}

TEST_F(RegisterBankTest, RowsOfOtherPartsDoNotExist) {
  bank_.write(0x40, 3);
  EXPECT_EQ(bank_.read(0x40), 0U);
  EXPECT_EQ(bank_.read(0x84), 0U) << "nor do their aliases";
}

TEST_F(RegisterBankTest, AliasesReachTheSameRegister) {
  bank_.write(0x80, 0x0AA0);
  EXPECT_EQ(bank_.read(0), 0x1AA4U);
}

TEST_F(RegisterBankTest, ResetRestoresOnlyItsDomain) {
  bank_.write(0x00, 0);
  bank_.write(0x10, 0x0F);
  bank_.reset(1);
  EXPECT_EQ(bank_.read(0), 0x1234U);
  EXPECT_EQ(bank_.read(0x10), 0xF0U);
  bank_.reset(2);
  EXPECT_EQ(bank_.read(0x10), 0xFFU);
}

TEST_F(RegisterBankTest, ResetLeavesBitsOutsideItsMask) {
  EXPECT_EQ(bank_.read(0x44), 0x02U);
  bank_.write(0x44, 0xAB);
  bank_.reset(1);
  EXPECT_EQ(bank_.read(0x44), 0xA2U);
}

TEST_F(RegisterBankTest, WritesOfPartsChangeAndCommandNothingElse) {
  Block block;
  bank_.on_write<&Block::was_written>(0, &block);
  bank_.on_write<&Block::was_written>(0x18, &block);
  bank_.write(0, 0xFFFFFFFF, 0xFF);
  EXPECT_EQ(bank_.read(0), 0x12F4U);
  EXPECT_EQ(block.last_value, 0x12FFU) << "what the whole register is told";
  bank_.write(0x18, 0xFFFFFFFF, 0xFF00);
  EXPECT_EQ(block.last_value, 0xFF00U);
  bank_.write(0x10, 0xFFFFFFFF, 0x03);
  EXPECT_EQ(bank_.read(0x10), 0xFCU);
  bank_.write(0x14, 0xFFFFFFFF, 0x03);
  EXPECT_EQ(bank_.read(0x14), 0x03U);
}

TEST_F(RegisterBankTest, PokeStoresWithoutHandlers) {
  Block block;
  bank_.on_write<&Block::was_written>(0, &block);
  bank_.poke(0, 0xFFFFFFFF);
  EXPECT_EQ(bank_.peek(0), 0x1FF4U);
  EXPECT_EQ(block.last_index, 99U);
}

TEST(RegisterBankTable, OverlappingRowsAreRefused) {
  static constexpr std::array kBad{
      RegisterRow{"A", 0, 2, 4, Access::kReadWrite, 0, 0, 0, 1, 1, ""},
      RegisterRow{"B", 4, 1, 4, Access::kReadWrite, 0, 0, 0, 1, 1, ""}};
  EXPECT_THROW((RegisterBank{kBad, {}, 0x100, 1}), std::logic_error);
}

}  // namespace
}  // namespace e1000tlm
