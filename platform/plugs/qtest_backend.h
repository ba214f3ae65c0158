#pragma once
/// What a board offers to a qtest client. No SystemC.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::plugs {

/// What a client may name in irq_intercept_in, irq_intercept_out and set_irq_in.
struct QTestDevice {
  std::string path;  ///< its place in QEMU's tree of objects, e.g. "/machine/i440fx/ioapic"
  /// How many inputs without a name; 0: it has no pins at all. There is no device with outputs.
  unsigned inputs = 0;
};

/// The board as its CPU and its interrupt controller see it. All calls come from one SC_THREAD of
/// the door; accesses may wait.
class QTestBackend {
 public:
  virtual ~QTestBackend() = default;

  // --- CPU accesses ---
  /// One access of any size; the backend splits it as a CPU would. False: nobody answered at least
  /// one part; what was not read is then all ones, as on a PCI bus (QEMU's PC answers with zeros in
  /// memory space and with ones in I/O space).
  virtual bool mem_read(std::uint64_t address, Bytes data) = 0;
  virtual bool mem_write(std::uint64_t address, ConstBytes data) = 0;
  /// `size`: 1, 2 or 4 bytes. False: nobody answered, `value` is not looked at.
  virtual bool io_read(std::uint16_t port, unsigned size, std::uint32_t& value) = 0;
  virtual bool io_write(std::uint16_t port, unsigned size, std::uint32_t value) = 0;

  // --- work in progress ---
  /// Devices have transactions or frames under way that need nothing but time to end: descriptors
  /// to fetch, data to move, frames on the wire. Timers that merely run (autonegotiation, interrupt
  /// delays) are not work.
  virtual bool busy() const = 0;
  /// Takes frames that hosts have ready; returns how many. See link::HostFlush.
  virtual std::size_t poll_hosts() = 0;
  /// Hands frames over to hosts; false if some are still waiting after `timeout`.
  virtual bool flush_hosts(std::chrono::milliseconds timeout) = 0;

  // --- interrupts ---
  /// The function to call when an input of the interrupt controller changes: number and level.
  virtual void on_irq(std::function<void(unsigned, bool)> changed) = 0;
  /// Everything that clients may name; the first one with inputs is the interrupt controller.
  virtual std::vector<QTestDevice> devices() const = 0;
};

}  // namespace e1000tlm::plugs
