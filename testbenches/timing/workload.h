#pragma once
/// Software for timing measurements: the driver's own classes, without its applications.

#include <functional>
#include <memory>
#include <vector>

#include "e1000tlm/driver/cpu.h"
#include "e1000tlm/driver/e1000_nic.h"
#include "e1000tlm/driver/pci_host.h"

namespace e1000tlm::timing {

struct WorkloadSettings {
  driver::NicSettings nic{};
  bool transmit = false, receive = false;
  /// Click-like: interrupts stay masked; the program looks at the rings each `poll`.
  bool polling = true;
  Time poll = us(64);
  unsigned size = 64;           ///< of frames sent, with FCS
  unsigned frames_at_once = 0;  ///< 0: the transmit ring is kept full; else so many a poll
  unsigned tipg_ipgt = 8;
};

/// Brings the adapters up as driver::Driver does, then keeps their rings busy for ever. One thread,
/// as on a machine with one core.
class Workload : public driver::Program, private driver::FrameTaker {
 public:
  Workload(driver::Cpu& cpu, unsigned nics, std::uint64_t ram_bytes,
           const WorkloadSettings& settings);

  void run() override;

  Time ready_time() const { return ready_time_; }  ///< kTimeNever before
  /// Called in the program when the rings are about to become busy.
  std::function<void()> on_ready;
  /// When software took each frame of an adapter.
  std::vector<std::vector<Time>> taken;

 private:
  struct Port {
    std::unique_ptr<driver::E1000Nic> nic;
    std::unique_ptr<driver::BufferPool> buffers;
  };

  void bring_up();
  void await_link();
  void fill_buffers(Port& port);
  void serve(unsigned index);
  void poll_for_ever();
  void serve_interrupts();
  void wait_for_interrupts();
  bool take(std::uint64_t address, std::uint32_t bytes, driver::BufferPool& home) override;

  driver::Cpu& cpu_;
  unsigned nics_;
  WorkloadSettings settings_;
  driver::RamAllocator ram_;
  driver::PciHost pci_;
  std::vector<Port> ports_;
  unsigned serving_ = 0;
  Time ready_time_ = kTimeNever;
};

}  // namespace e1000tlm::timing
