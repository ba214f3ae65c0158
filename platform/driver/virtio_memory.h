#pragma once
/// RAM as a driver on the Cpu reaches it, for virtqueues.

#include <atomic>

#include "e1000tlm/driver/cpu.h"
#include "e1000tlm/virtio/ring_memory.h"

namespace e1000tlm::driver {

/// Loads and stores of the program, which take their time. Rings and buffers are the driver's own,
/// so they are always there.
class CpuMemory final : public virtio::RingMemory {
 public:
  explicit CpuMemory(Cpu& cpu) : cpu_(cpu) {}

  bool read(std::uint64_t address, Bytes to) override {
    cpu_.load(address, to.data(), static_cast<std::uint32_t>(to.size()));
    return true;
  }
  bool write(std::uint64_t address, ConstBytes from) override {
    cpu_.store(address, from.data(), static_cast<std::uint32_t>(from.size()));
    return true;
  }
  bool load(std::uint64_t address, std::uint16_t& value) override {
    std::uint8_t bytes[2];
    cpu_.load(address, bytes, 2);
    std::atomic_thread_fence(std::memory_order_acquire);
    value = load_le16(bytes);
    return true;
  }
  bool store(std::uint64_t address, std::uint16_t value) override {
    std::uint8_t bytes[2];
    store_le16(bytes, value);
    std::atomic_thread_fence(std::memory_order_release);
    cpu_.store(address, bytes, 2);
    return true;
  }
  // The other side may be a program of its own that shares the board's RAM.
  void barrier() override { std::atomic_thread_fence(std::memory_order_seq_cst); }

 private:
  Cpu& cpu_;
};

}  // namespace e1000tlm::driver
