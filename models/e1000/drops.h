#pragma once
/// Why frames were lost, counted; nothing is lost silently. No SystemC.

#include <array>
#include <cstdint>
#include <string_view>

namespace e1000tlm::e1000 {

/// Reasons; those of reception begin with kRx, those of transmission with kTx.
enum class Drop : std::uint8_t {
  // receive
  kRxDisabled,  ///< RCTL.EN off
  kRxNoLink,
  kRxFiltered,  ///< address or VLAN filter
  kRxFifoFull,  ///< packet buffer full (MPC)
  kRxBadFcs,
  kRxUndersize,
  kRxOversize,
  kRxMacControl,  ///< PAUSE and other MAC control frames, consumed
  kRxDmaError,    ///< bus error while storing
  kRxReset,       ///< in the packet buffer at reset
  kRxAsleep,      ///< in D3, where only the wake-up filters look at frames
  // transmit
  kTxMalformed,  ///< faults of AssemblerResult
  kTxDmaError,
  kTxReset,  ///< under way at reset
  kCount
};

/// Their names in reports, by Drop.
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Drop::kCount)> kDropNames{
    "rx_disabled",  "rx_no_link",   "rx_filtered",    "rx_fifo_full", "rx_bad_fcs",
    "rx_undersize", "rx_oversize",  "rx_mac_control", "rx_dma_error", "rx_reset",
    "rx_asleep",    "tx_malformed", "tx_dma_error",   "tx_reset"};

/// One counter for each reason.
class DropCounters {
 public:
  /// More frames were lost for this reason.
  void count(Drop reason, std::uint64_t frames = 1) {
    counts_[static_cast<std::size_t>(reason)] += frames;
  }
  /// Frames lost for this reason.
  std::uint64_t operator[](Drop reason) const { return counts_[static_cast<std::size_t>(reason)]; }

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(Drop::kCount)> counts_{};
};

}  // namespace e1000tlm::e1000
