#pragma once
/// Registers as data: one row each, from which decode, reset, access rules, documentation and tests
/// are derived. No SystemC.

#include <cstdint>
#include <string_view>

namespace e1000tlm {

/// What reads and writes do to the stored value. Side effects beyond that are handlers.
enum class Access : std::uint8_t {
  kReadWrite,
  kReadOnly,
  kReadClear,            ///< a read returns and clears
  kReadClearWriteClear,  ///< ditto, and a written 1 clears its bit
  kWriteOneClears,
  kWriteOneSets,
  kWriteOnly,  ///< reads 0; the write is all in the handler
};

constexpr std::string_view to_string(Access access) {
  switch (access) {
    case Access::kReadWrite: return "RW";
    case Access::kReadOnly: return "RO";
    case Access::kReadClear: return "RC";
    case Access::kReadClearWriteClear: return "RC/W1C";
    case Access::kWriteOneClears: return "W1C";
    case Access::kWriteOneSets: return "W1S";
    case Access::kWriteOnly: return "WO";
  }
  return "";
}

/// One register, or an array of `count` registers `stride` bytes apart.
struct RegisterRow {
  std::string_view name;
  std::uint32_t offset = 0;
  std::uint32_t count = 1;
  std::uint32_t stride = 4;
  Access access = Access::kReadWrite;
  std::uint32_t reset = 0;
  std::uint32_t read_mask = 0xFFFFFFFF;   ///< other bits read 0
  std::uint32_t write_mask = 0xFFFFFFFF;  ///< other bits do not store
  std::uint8_t domains = 0xFF;            ///< resets that restore it (the model's own bits)
  std::uint8_t parts = 0xFF;              ///< parts it exists on (the model's own bits)
  std::string_view section;               ///< of the manual
  std::uint32_t reset_mask = 0xFFFFFFFF;  ///< bits that resets restore; others keep their value
};

/// A second address range of registers that exist already.
struct RegisterAlias {
  std::uint32_t offset = 0;
  std::uint32_t target = 0;
  std::uint32_t count = 1;  ///< consecutive dwords
};

}  // namespace e1000tlm
