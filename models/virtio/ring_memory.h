#pragma once
/// The memory that a driver and a device share, as either of them reaches it. No SystemC.

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::virtio {

/// Access to shared memory by address. Every access says whether the memory is there: addresses
/// come from the other side. Numbers in it are little endian (virtio 1.2, 1.4).
class RingMemory {
 public:
  virtual ~RingMemory() = default;
  /// False: some of it is not memory; `to` is of no use then.
  virtual bool read(std::uint64_t address, Bytes to) = 0;
  /// False: some of it is not memory, or may not be written; nothing was written.
  virtual bool write(std::uint64_t address, ConstBytes from) = 0;
  /// 16 bits at an even address, in one piece; what the other side wrote before them is seen by
  /// later accesses.
  virtual bool load(std::uint64_t address, std::uint16_t& value) = 0;
  /// 16 bits at an even address, in one piece, not before all earlier writes.
  virtual bool store(std::uint64_t address, std::uint16_t value) = 0;
  /// Later loads do not come before earlier stores. For memory that another thread or program
  /// works on at the same time.
  virtual void barrier() {}
  /// Descriptors in a table of so many bytes are going to be read: memory behind a bus may fetch
  /// several at a time.
  virtual void expect_table(std::uint64_t address, std::uint64_t bytes) {
    static_cast<void>(address);
    static_cast<void>(bytes);
  }
};

/// Memory of this process, in one or more pieces, that somebody else may be working on.
class MappedMemory : public RingMemory {
 public:
  /// Adds a piece; it must outlive this, and none may overlap another.
  void add(std::uint64_t address, Bytes bytes) { pieces_.push_back({address, bytes}); }
  /// Takes all away.
  void clear() { pieces_.clear(); }
  /// The bytes from there on; empty: not within one piece.
  Bytes at(std::uint64_t address, std::uint64_t size) const {
    for (const Piece& piece : pieces_) {
      const std::uint64_t offset = address - piece.address;
      const auto bytes = static_cast<std::uint64_t>(piece.bytes.size());
      if (address >= piece.address && offset < bytes && size <= bytes - offset) {
        return {piece.bytes.data() + offset, static_cast<std::size_t>(size)};
      }
    }
    return {};
  }

  bool read(std::uint64_t address, Bytes to) override {
    const Bytes from = at(address, to.size());
    if (from.size() != to.size()) return false;
    if (!to.empty()) std::memcpy(to.data(), from.data(), to.size());
    return true;
  }
  bool write(std::uint64_t address, ConstBytes from) override {
    const Bytes to = at(address, from.size());
    if (to.size() != from.size()) return false;
    if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
    return true;
  }
  bool load(std::uint64_t address, std::uint16_t& value) override {
    const Bytes bytes = aligned(address);
    if (bytes.empty()) return false;
    value = boost::endian::little_to_native(
        __atomic_load_n(reinterpret_cast<const std::uint16_t*>(bytes.data()), __ATOMIC_ACQUIRE));
    return true;
  }
  bool store(std::uint64_t address, std::uint16_t value) override {
    const Bytes bytes = aligned(address);
    if (bytes.empty()) return false;
    __atomic_store_n(reinterpret_cast<std::uint16_t*>(bytes.data()),
                     boost::endian::native_to_little(value), __ATOMIC_RELEASE);
    return true;
  }
  void barrier() override { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

 private:
  struct Piece {
    std::uint64_t address;
    Bytes bytes;
  };
  Bytes aligned(std::uint64_t address) const {
    const Bytes bytes = at(address, 2);
    const bool even = (reinterpret_cast<std::uintptr_t>(bytes.data()) & 1) == 0;
    return even ? bytes : Bytes();
  }
  std::vector<Piece> pieces_;
};

}  // namespace e1000tlm::virtio
