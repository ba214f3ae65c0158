#pragma once
/// Memory that somebody else owns and may take away. No SystemC.

#include <atomic>
#include <cstdint>
#include <string>

#include "e1000tlm/link/host/host_fd.h"

namespace e1000tlm::plugs::vfio_user {

/// A piece of a client's file, mapped. A client that cuts the file short while it is mapped makes
/// the next access a SIGBUS, which would end this process: instead the piece becomes memory of
/// ours, full of zeros, and lost() says so.
class SharedMapping {
 public:
  /// How many there may be in this process, and how much together. The kernel's own bounds
  /// (vm.max_map_count, the address space) are about twice that; reaching them, this process could
  /// not even allocate memory.
  static constexpr std::size_t kMostMappings = 30'000;
  static constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 46;

  /// Throws std::invalid_argument saying what is wrong with the descriptor: it is no regular file,
  /// or the file ends before `offset` + `size`, or it cannot be mapped, or too much is already.
  SharedMapping(const link::UniqueFd& file, std::uint64_t offset, std::uint64_t size,
                bool writable);
  ~SharedMapping();
  SharedMapping(const SharedMapping&) = delete;
  SharedMapping& operator=(const SharedMapping&) = delete;

  /// Its first byte.
  std::uint8_t* data() const { return data_; }
  /// The client has taken the file away under it.
  bool lost() const { return slot_->lost; }
  /// Of all mappings, how many were ever lost.
  static unsigned losses() { return lost_so_far; }

 private:
  /// What the signal's handler knows of a mapping.
  struct Slot {
    std::atomic<std::uintptr_t> start{0};  // 0: free
    std::atomic<std::size_t> bytes{0};
    std::atomic<bool> lost{false};
    Slot* next = nullptr;
  };
  static std::atomic<Slot*> slots;
  static std::atomic<unsigned> lost_so_far;
  static std::atomic<std::size_t> mappings;
  static std::atomic<std::uint64_t> mapped_bytes;
  static Slot* take_slot(std::uintptr_t start, std::size_t bytes);
  static void on_bus_error(int signal, void* info, void* context);
  friend struct BusErrorHandler;

  Slot* slot_ = nullptr;
  std::uint8_t* data_ = nullptr;
};

}  // namespace e1000tlm::plugs::vfio_user
