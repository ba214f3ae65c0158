#pragma once
/// A queue's memory as a device on a bus reaches it: bus accesses, gathered to bursts.

#include <array>
#include <cstdint>

#include "e1000tlm/virtio/ring_memory.h"
#include "e1000tlm/virtio/split_ring.h"

namespace e1000tlm::virtio {

/// Accesses of one engine; they take its time. False: nothing (of use) was transferred.
class BusAccess {
 public:
  virtual ~BusAccess() = default;
  virtual bool bus_read(std::uint64_t address, Bytes to) = 0;
  virtual bool bus_write(std::uint64_t address, ConstBytes from) = 0;
};

/// How accesses are gathered; see NetTiming.
struct BusBursts {
  std::uint32_t available = 16;    ///< entries of an available ring
  std::uint32_t descriptors = 16;  ///< descriptors
  std::uint32_t data = 4096;       ///< bytes of a packet
};

/// One queue's hand on the bus.
///
/// What the driver has made available does not change until the device has used it (virtio 1.2,
/// 2.7.13), so entries of the available ring and descriptors that have been available when the
/// ring's index was read last are fetched in bursts and kept until it is read again. How many
/// descriptors follow each other in the table shows in the entries of the available ring that have
/// been fetched with theirs, and else in the length of the chain before. Used elements are gathered
/// and written in one burst before the index that shows them.
class BusMemory : public RingMemory {
 public:
  /// Most entries, descriptors or used elements of a burst.
  static constexpr std::uint32_t kMost = 64;

  BusMemory(BusAccess& bus, const BusBursts& bursts) : bus_(bus), bursts_(bursts) {}

  /// Its queue is here from now on; nothing has been fetched or gathered.
  void attach(const SplitLayout& layout);

  bool read(std::uint64_t address, Bytes to) override;
  bool write(std::uint64_t address, ConstBytes from) override;
  bool load(std::uint64_t address, std::uint16_t& value) override;
  bool store(std::uint64_t address, std::uint16_t value) override;
  void expect_table(std::uint64_t address, std::uint64_t bytes) override;

 private:
  /// Something fetched.
  template <std::size_t kBytes>
  struct Window {
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;  // 0: nothing
    std::array<std::uint8_t, kBytes> data{};

    bool covers(std::uint64_t at, std::uint64_t size) const {
      return at >= address && at - address < bytes && size <= bytes - (at - address);
    }
    const std::uint8_t* at(std::uint64_t where) const { return data.data() + (where - address); }
  };
  template <std::size_t kBytes>
  bool fetch(Window<kBytes>& window, std::uint64_t address, std::uint64_t bytes);

  bool read_entry(std::uint64_t address, Bytes to);
  bool read_descriptor(std::uint64_t address, Bytes to);
  bool read_indirect(std::uint64_t address, Bytes to);
  std::uint32_t descriptors_in_a_row() const;
  bool gather(std::uint64_t address, ConstBytes from);
  bool flush();

  std::uint64_t entries_at() const { return layout_.available + 4; }
  std::uint64_t elements_at() const { return layout_.used + 4; }

  BusAccess& bus_;
  BusBursts bursts_;
  SplitLayout layout_;
  std::uint16_t available_index_ = 0;  // as read last
  Window<2 * kMost> entries_;
  Window<Descriptor::kBytes * kMost> descriptors_;
  Window<Descriptor::kBytes * kMost> indirect_;
  std::uint64_t indirect_end_ = 0;  // of the table that is expected
  std::uint64_t entry_ = 0;         // address of the entry that was asked for last
  std::uint32_t chain_ = 0;         // descriptors of the chain that is being read
  std::uint32_t chain_before_ = 1;
  std::array<std::uint8_t, 8 * kMost> used_{};  // elements that wait
  std::uint64_t used_from_ = 0;
  std::uint32_t used_bytes_ = 0;
};

}  // namespace e1000tlm::virtio
