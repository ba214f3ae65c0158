#pragma once
/// One transaction on the bus's wires, for waveforms. No SystemC.

#include <cstdint>

#include "e1000tlm/pci/timing.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::pci {

/// How a tenure ended: with the access, at a boundary, with Retry, with Split Response.
enum class TenureEnding : std::uint8_t { kDone, kDisconnect, kRetry, kSplit };

/// A tenure that has been, with everything that says what the bus's signals did meanwhile.
/// Announced when it has ended, in the order in which transactions begin.
struct Transaction {
  /// Address, bytes and clocks, as it ended.
  Tenure tenure;
  /// When its data phases were.
  TenurePace pace{};
  Time asked{};  ///< REQ#
  Time start{};  ///< address phase
  /// The bus's clock period.
  Time clock{};
  /// Who asserted REQ#: 0 host bridge, n = n-th function attached, counted from 1. Split
  /// completions: the target of the read.
  std::uint16_t requester = 0;
  /// PCI-X: clocks from the attribute phase to DEVSEL#.
  std::uint16_t decode = 1;
  /// As in the address phase.
  Command command = Command::kMemoryRead;
  /// How it ended.
  TenureEnding ending = TenureEnding::kDone;
  bool pcix = false;              ///< PCI-X mode
  bool claimed = true;            ///< false: master abort
  bool split_completion = false;  ///< PCI-X: delivers a split read; `command` is the read's
  bool stopped = false;           ///< kDisconnect: by the target, at a boundary of its own
  bool preempted = false;         ///< kDisconnect: by the latency timer; neither: by the master

  /// Of the idle clock.
  Time end() const { return start + clock * static_cast<std::int64_t>(tenure.clocks); }
};

}  // namespace e1000tlm::pci
