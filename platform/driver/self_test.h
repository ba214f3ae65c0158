#pragma once
/// The offline self-test of an e1000 adapter, step by step as Linux's driver does it for `ethtool
/// -t`.

#include <cstdint>
#include <memory>
#include <vector>

#include "e1000tlm/driver/apps.h"
#include "e1000tlm/driver/e1000_nic.h"
#include "e1000tlm/driver/self_test_result.h"

namespace e1000tlm::driver {

/// Link, registers, EEPROM, interrupt, loopback, in this order, with resets between them. The
/// adapter must be up; it is closed for the tests and open again afterwards. Other adapters may be
/// at work: their interrupts are taken and masked meanwhile.
class SelfTest {
 public:
  /// `nics`: all of the machine, the tested one among them. Allocates rings and buffers of the
  /// loopback test; throws std::runtime_error without RAM, std::invalid_argument if the tested one
  /// is no e1000 adapter.
  SelfTest(Cpu& cpu, const Nics& nics, std::size_t tested, RamAllocator& ram);

  /// In the processor's program; takes about 7 s of simulated time.
  SelfTestResult run();

 private:
  std::uint32_t test_link();
  std::uint32_t test_registers();
  std::uint32_t test_eeprom();
  std::uint32_t test_interrupt();
  std::uint32_t test_loopback();

  void reset();
  void reopen();
  /// Takes interrupts for so long; what the tested adapter's ICR said is gathered in causes_.
  void listen(Time span);
  void take_interrupts();
  bool line_is_its_own() const;

  // The parts of the loopback test.
  void fill_rings();
  void loop_phy();
  void write_test_frames();
  /// True when the buffer holds the test frame.
  bool is_test_frame(unsigned buffer);
  std::uint32_t run_rounds();
  void unloop_phy();

  Cpu& cpu_;
  const Nics& nics_;
  E1000Nic& nic_;
  std::uint64_t tx_ring_, rx_ring_, tx_buffers_, rx_buffers_;
  std::uint32_t causes_ = 0;
};

/// Tests every adapter once and then takes and discards what comes in. Throws std::invalid_argument
/// if one is no e1000 adapter.
std::unique_ptr<App> make_self_test(Cpu& cpu, const Nics& nics, RamAllocator& ram);

}  // namespace e1000tlm::driver
