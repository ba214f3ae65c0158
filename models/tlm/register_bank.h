#pragma once
/// The registers behind one window: storage, decode by array index, access rules, handlers.
/// No SystemC.

#include <cstdint>
#include <gsl/span>
#include <vector>

#include "e1000tlm/tlm/register_table.h"

namespace e1000tlm {

/// 32-bit registers, little endian, dword aligned. Addresses without a row read 0 and ignore
/// writes.
///
/// A handler is a member function named as template argument: bank.on_write<&Block::tail>(reg,
/// this).
///   view    `uint32_t (uint32_t index, uint32_t stored) const`: the value that a read or peek
///   shows.
///           No side effects.
///   read    `void (uint32_t index)`: side effect of a read, after the value was taken.
///   write   `void (uint32_t index, uint32_t written)`: side effect, after the value was stored.
/// `index` counts within the row.
class RegisterBank {
 public:
  /// `part`: only rows and aliases whose `parts` has one of these bits exist.
  RegisterBank(gsl::span<const RegisterRow> table, gsl::span<const RegisterAlias> aliases,
               std::uint32_t window_bytes, std::uint8_t part);

  std::uint32_t read(std::uint32_t offset);
  /// `mask`: the bits that are written; the others keep their value and command nothing.
  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t mask = 0xFFFFFFFF);
  /// As read(), without side effects.
  std::uint32_t peek(std::uint32_t offset) const;
  /// Stores within the write mask, without side effects.
  void poke(std::uint32_t offset, std::uint32_t value);

  /// Restores every row that belongs to one of these domains.
  void reset(std::uint8_t domains);
  /// Restores one register.
  void reset_register(std::uint32_t offset);

  /// The stored value of the register at an offset that exists, for the hardware blocks.
  std::uint32_t& operator[](std::uint32_t offset) { return storage_[offset / 4]; }
  const std::uint32_t& operator[](std::uint32_t offset) const { return storage_[offset / 4]; }

  const RegisterRow* row_at(std::uint32_t offset) const;
  gsl::span<const RegisterRow> table() const { return table_; }
  std::uint32_t window_bytes() const { return static_cast<std::uint32_t>(cells_.size()) * 4; }

  template <auto kMethod, class T>
  void on_view(std::uint32_t offset, const T* block) {
    Handlers& h = handlers_at(offset);
    h.view_block = block;
    h.view = [](const void* self, std::uint32_t index, std::uint32_t stored) -> std::uint32_t {
      return (static_cast<const T*>(self)->*kMethod)(index, stored);
    };
  }
  template <auto kMethod, class T>
  void on_read(std::uint32_t offset, T* block) {
    Handlers& h = handlers_at(offset);
    h.read_block = block;
    h.read = [](void* self, std::uint32_t index) { (static_cast<T*>(self)->*kMethod)(index); };
  }
  template <auto kMethod, class T>
  void on_write(std::uint32_t offset, T* block) {
    Handlers& h = handlers_at(offset);
    h.write_block = block;
    h.write = [](void* self, std::uint32_t index, std::uint32_t value) {
      (static_cast<T*>(self)->*kMethod)(index, value);
    };
  }

 private:
  struct Handlers {
    std::uint32_t (*view)(const void*, std::uint32_t, std::uint32_t) = nullptr;
    void (*read)(void*, std::uint32_t) = nullptr;
    void (*write)(void*, std::uint32_t, std::uint32_t) = nullptr;
    const void* view_block = nullptr;
    void* read_block = nullptr;
    void* write_block = nullptr;
  };
  static constexpr std::uint16_t kNoRow = 0xFFFF;
  struct Cell {
    std::uint16_t row = kNoRow;
    std::uint16_t index = 0;
    std::uint32_t home = 0;  // dword index of the storage; differs from the address for aliases
  };

  Handlers& handlers_at(std::uint32_t offset);
  std::uint32_t view(const Cell& cell) const;

  gsl::span<const RegisterRow> table_;
  std::uint8_t part_;
  std::vector<Cell> cells_;
  std::vector<std::uint32_t> storage_;
  std::vector<Handlers> handlers_;  // per row
};

}  // namespace e1000tlm
