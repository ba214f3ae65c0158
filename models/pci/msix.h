#pragma once
/// MSI-X: table of messages and pending bits (PCI 3.0 6.8.2). No SystemC.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "e1000tlm/pci/config_space.h"
#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::pci {

/// A message as it goes out: a write of four bytes.
struct InterruptMessage {
  /// Where to.
  std::uint64_t address = 0;
  /// What it says.
  std::uint32_t data = 0;
  /// Of MSI-X: whose it is.
  std::optional<unsigned> vector{};
};

/// Registers in a function's memory, and which message goes next.
///
/// A message that is raised is pending until it is taken: once, however often it is raised
/// meanwhile. Messages go in the order in which they were raised; those that were masked go when
/// that ends, the lowest vector first. Pending bits survive while MSI-X is off.
class Msix {
 public:
  /// One that ConfigSpace has accepted.
  explicit Msix(const MsixConfig& config);

  /// A part of this BAR is here.
  bool has_bar(unsigned bar) const {
    return bar == config_.table.bar || bar == config_.pending.bar;
  }
  /// The access touches the table or the pending bits.
  bool touches(unsigned bar, std::uint64_t offset, std::uint64_t bytes) const;
  /// A byte of the BAR; 0 where neither table nor pending bits are.
  std::uint8_t read(unsigned bar, std::uint64_t offset) const;
  /// Ditto. Pending bits and reserved bits cannot be written.
  void write(unsigned bar, std::uint64_t offset, std::uint8_t value);

  /// The capability's control register says so now.
  void set_control(const MsixControl& control);
  /// MSI-X Enable.
  bool enabled() const { return control_.enabled; }
  /// The vector's message is to go. Ignored while MSI-X is off, and for vectors that do not exist.
  void raise(unsigned vector);
  /// There may be something to take().
  bool ready() const { return next_ != queue_.size(); }
  /// The next message; nullopt: none may go.
  std::optional<InterruptMessage> take();
  /// It is pending.
  bool pending(unsigned vector) const;
  /// As at power-up: everything masked, nothing pending, off.
  void reset();

 private:
  static constexpr std::size_t kDwords = kMsixEntryBytes / 4;

  struct Entry {
    std::array<std::uint32_t, kDwords> dwords{};
    bool pending = false;
    bool queued = false;
  };
  bool masked(const Entry& entry) const;
  void queue(unsigned vector);

  MsixConfig config_;
  MsixControl control_;
  std::vector<Entry> entries_;
  std::vector<std::uint16_t> queue_;  // from next_ on; never more than there are vectors
  std::size_t next_ = 0;
};

}  // namespace e1000tlm::pci
