#include "e1000tlm/tlm/register_bank.h"

#include <stdexcept>
#include <string>

namespace e1000tlm {

RegisterBank::RegisterBank(gsl::span<const RegisterRow> table,
                           gsl::span<const RegisterAlias> aliases, std::uint32_t window_bytes,
                           std::uint8_t part)
    : table_(table),
      part_(part),
      cells_(window_bytes / 4),
      storage_(window_bytes / 4),
      handlers_(table.size()) {
  for (std::size_t r = 0; r < table_.size(); ++r) {
    const RegisterRow& row = table_[r];
    if ((row.parts & part_) == 0) continue;
    for (std::uint32_t i = 0; i < row.count; ++i) {
      const std::uint32_t home = (row.offset + i * row.stride) / 4;
      Cell& cell = cells_.at(home);
      if (cell.row != kNoRow) {
        throw std::logic_error("register table: " + std::string(row.name) + " overlaps " +
                               std::string(table_[cell.row].name));
      }
      cell = {static_cast<std::uint16_t>(r), static_cast<std::uint16_t>(i), home};
    }
  }
  for (const RegisterAlias& alias : aliases) {
    for (std::uint32_t i = 0; i < alias.count; ++i) {
      Cell& cell = cells_.at(alias.offset / 4 + i);
      if (cell.row == kNoRow) cell = cells_.at(alias.target / 4 + i);
    }
  }
  reset(0xFF);
}

inline std::uint32_t RegisterBank::view(const Cell& cell) const {
  const RegisterRow& row = table_[cell.row];
  const Handlers& h = handlers_[cell.row];
  const std::uint32_t stored = storage_[cell.home];
  const std::uint32_t value = h.view != nullptr ? h.view(h.view_block, cell.index, stored) : stored;
  return value & row.read_mask;
}

std::uint32_t RegisterBank::read(std::uint32_t offset) {
  if (offset / 4 >= cells_.size()) return 0;
  const Cell& cell = cells_[offset / 4];
  if (cell.row == kNoRow) return 0;
  const std::uint32_t value = view(cell);
  const Access access = table_[cell.row].access;
  if (access == Access::kReadClear || access == Access::kReadClearWriteClear) {
    storage_[cell.home] = 0;
  }
  const Handlers& h = handlers_[cell.row];
  if (h.read != nullptr) h.read(h.read_block, cell.index);
  return value;
}

std::uint32_t RegisterBank::peek(std::uint32_t offset) const {
  if (offset / 4 >= cells_.size()) return 0;
  const Cell& cell = cells_[offset / 4];
  return cell.row == kNoRow ? 0 : view(cell);
}

void RegisterBank::write(std::uint32_t offset, std::uint32_t value, std::uint32_t mask) {
  if (offset / 4 >= cells_.size()) return;
  const Cell& cell = cells_[offset / 4];
  if (cell.row == kNoRow) return;
  const RegisterRow& row = table_[cell.row];
  std::uint32_t& stored = storage_[cell.home];
  if (mask != 0xFFFFFFFF) {
    value &= mask;
    if (row.access == Access::kReadWrite) value |= stored & ~mask;
  }
  switch (row.access) {
    case Access::kReadWrite: stored = (stored & ~row.write_mask) | (value & row.write_mask); break;
    case Access::kReadClearWriteClear:
    case Access::kWriteOneClears: stored &= ~(value & row.write_mask); break;
    case Access::kWriteOneSets: stored |= value & row.write_mask; break;
    case Access::kReadOnly:
    case Access::kReadClear:
    case Access::kWriteOnly: break;
  }
  const Handlers& h = handlers_[cell.row];
  if (h.write != nullptr) h.write(h.write_block, cell.index, value);
}

void RegisterBank::poke(std::uint32_t offset, std::uint32_t value) {
  if (offset / 4 >= cells_.size()) return;
  const Cell& cell = cells_[offset / 4];
  if (cell.row == kNoRow) return;
  const std::uint32_t mask = table_[cell.row].write_mask;
  storage_[cell.home] = (storage_[cell.home] & ~mask) | (value & mask);
}

void RegisterBank::reset(std::uint8_t domains) {
  for (const RegisterRow& row : table_) {
    if ((row.domains & domains) == 0 || (row.parts & part_) == 0) continue;
    for (std::uint32_t i = 0; i < row.count; ++i) {
      std::uint32_t& stored = storage_[(row.offset + i * row.stride) / 4];
      stored = (stored & ~row.reset_mask) | (row.reset & row.reset_mask);
    }
  }
}

void RegisterBank::reset_register(std::uint32_t offset) {
  const RegisterRow* row = row_at(offset);
  if (row != nullptr) storage_[cells_[offset / 4].home] = row->reset;
}

const RegisterRow* RegisterBank::row_at(std::uint32_t offset) const {
  if (offset / 4 >= cells_.size()) return nullptr;
  const Cell& cell = cells_[offset / 4];
  return cell.row == kNoRow ? nullptr : &table_[cell.row];
}

RegisterBank::Handlers& RegisterBank::handlers_at(std::uint32_t offset) {
  const Cell& cell = cells_.at(offset / 4);
  // A block may ask for a register that this part does not have: its handler is never called.
  static Handlers unused;
  return cell.row == kNoRow ? unused : handlers_[cell.row];
}

}  // namespace e1000tlm
