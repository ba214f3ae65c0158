#pragma once
/// What the wires of a PCI bus did, worked out from the transactions that an arbiter decided on. No
/// SystemC.

#include <cstdint>
#include <functional>
#include <optional>

#include "e1000tlm/pci/timing.h"
#include "e1000tlm/pci/transaction.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::pci {

/// Signals that all agents share.
enum class BusSignal : std::uint8_t {
  kFrame,   ///< FRAME#
  kIrdy,    ///< IRDY#
  kTrdy,    ///< TRDY#
  kDevsel,  ///< DEVSEL#
  kStop,    ///< STOP#
  kCbe,     ///< C/BE#: the command, then byte enables; 8 bits, of which a 32-bit bus has 4
  kAd,      ///< AD[31:0]: addresses; unknown where data or attributes are
  kMaster,  ///< no wire: the requester whose transaction it is
};

/// What is on a wire.
struct WireLevel {
  /// Somebody drives it with a value that is known; drives something; nobody drives it.
  enum class Drive : std::uint8_t { kKnown, kUnknown, kFloating };
  /// Which of them.
  Drive drive = Drive::kFloating;
  /// kKnown.
  std::uint64_t value = 0;

  /// Driven with a value.
  static WireLevel known(std::uint64_t value) { return {Drive::kKnown, value}; }
  /// Driven with data, which nobody wrote down.
  static WireLevel unknown() { return {Drive::kUnknown, 0}; }
  /// Not driven.
  static WireLevel floating() { return {Drive::kFloating, 0}; }
  /// The same.
  bool operator==(const WireLevel& o) const { return drive == o.drive && value == o.value; }
};

/// The C/BE# code of a command (PCI 2.3 3.1.1, PCI-X 1.0b 2.4).
std::uint8_t command_code(const Transaction& transaction);

/// When something changes.
using WireSink = std::function<void(BusSignal, Time, const WireLevel&)>;

/// Tells a transaction's changes, those of one signal in the order of their times. Before and after
/// it the five control signals are high, C/BE#, AD and the master float. Times are clock edges: the
/// address phase is the clock that begins with Transaction::start. Clocks are those of
/// doc/pci_timing.md:
/// - PCI: IRDY# comes with the clock after the address phase, DEVSEL# (fast) as well, TRDY# with
///   the last clock of each data phase; FRAME# goes with the last data phase. A target that stops a
///   burst asserts STOP# with TRDY# of the last one. Retry: STOP# without TRDY# in the last two
///   clocks before the idle clock.
/// - PCI-X: IRDY# comes two clocks after the attribute phase, DEVSEL# `decode` clocks after it.
///   Split Response is TRDY# with DEVSEL# high. Before configuration accesses the address is there
///   four clocks before FRAME# (IDSEL).
void draw_transaction(const Transaction& transaction, const WireSink& sink);

/// Who may use the bus: GNT# of each requester, from one transaction after the other.
///
/// GNT# comes `request_to_grant` - 1 clocks after REQ#, but not before the transaction that has the
/// bus has begun; the one that had it loses it then. Nobody else wanting the bus, it stays until
/// the end of the transaction, or where the bus is parked.
class GrantSignals {
 public:
  /// GNT# of a requester goes low (true) or high.
  using Sink = std::function<void(unsigned requester, Time at, bool low)>;
  /// Of a bus with this arbiter.
  GrantSignals(const ArbiterTiming& arbiter, Sink sink);
  /// The next transaction; changes come in the order of their times.
  void operator()(const Transaction& transaction);
  /// There are no more.
  void finish();

 private:
  void move(unsigned to, Time at);
  void park(Time at);

  ArbiterTiming arbiter_;
  Sink sink_;
  std::optional<unsigned> holder_;
  std::optional<Transaction> before_;
};

}  // namespace e1000tlm::pci
