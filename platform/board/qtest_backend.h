#pragma once
/// The board as a qtest client's processor sees it.

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <systemc>

#include "e1000tlm/link/host/host_flush.h"
#include "e1000tlm/plugs/qtest_backend.h"
#include "e1000tlm/tlm/bus_master.h"

namespace e1000tlm::platform {

class Network;
class NicSlot;

/// Takes the place of the Cpu. Nothing runs by itself: every access is a client's.
class BoardQTestBackend : public sc_core::sc_module, public plugs::QTestBackend {
 public:
  static constexpr unsigned kLines = 4;

  BoardQTestBackend(const sc_core::sc_module_name& name, std::uint64_t ram_bytes,
                    const std::vector<std::unique_ptr<NicSlot>>& nics, const Network& network);

  BusMasterPort mem;
  BusMasterPort io;
  sc_core::sc_vector<sc_core::sc_in<bool>> pirq;

  /// RAM is accessed in one piece; anything else in aligned pieces of at most 4 bytes.
  bool mem_read(std::uint64_t address, Bytes data) override;
  bool mem_write(std::uint64_t address, ConstBytes data) override;
  bool io_read(std::uint16_t port, unsigned size, std::uint32_t& value) override;
  bool io_write(std::uint16_t port, unsigned size, std::uint32_t value) override;
  bool busy() const override;
  std::size_t poll_hosts() override;
  bool flush_hosts(std::chrono::milliseconds timeout) override;
  void on_irq(std::function<void(unsigned, bool)> changed) override {
    changed_ = std::move(changed);
  }
  std::vector<plugs::QTestDevice> devices() const override;

 private:
  std::size_t piece(std::uint64_t address, std::size_t left) const;
  template <class Access>
  bool timed(BusMaster& master, Access access);
  void on_line();

  BusMaster memory_{mem};
  BusMaster ports_{io};
  std::uint64_t ram_bytes_;
  const std::vector<std::unique_ptr<NicSlot>>& nics_;
  const Network& network_;
  std::vector<link::HostFlush*> hosts_;
  std::function<void(unsigned, bool)> changed_;
  std::array<bool, 256> levels_{};
};

}  // namespace e1000tlm::platform
