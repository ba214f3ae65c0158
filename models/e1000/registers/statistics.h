#pragma once
/// The statistics registers, 4000h to 40FCh (manual 13.7): every counter stops at its maximum and
/// clears when read. Sizes are bytes from destination address through CRC. No SystemC.
///
/// The caller counts only while the side in question is enabled (RCTL.EN, TCTL.EN).

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "e1000tlm/e1000/registers/registers.h"

namespace e1000tlm::e1000 {

/// A counter's value is its place in the register block: offset 4000h + 4 x value.
enum class Counter : std::uint8_t {
  kCrcerrs = 0x00,
  kAlgnerrc,
  kSymerrs,
  kRxerrc,
  kMpc,
  kScc,
  kEcol,
  kMcc,
  kLatecol,
  kColc = 0x0A,
  kDc = 0x0C,
  kTncrs,
  kSec,
  kCexterr,
  kRlec,
  kXonrxc = 0x12,
  kXontxc,
  kXoffrxc,
  kXofftxc,
  kFcruc,
  kPrc64,
  kPrc127,
  kPrc255,
  kPrc511,
  kPrc1023,
  kPrc1522,
  kGprc,
  kBprc,
  kMprc,
  kGptc,
  kRnbc = 0x28,
  kRuc,
  kRfc,
  kRoc,
  kRjc,
  kMgtprc,
  kMgtpdc,
  kMgtptc,
  kTpr = 0x34,
  kTpt,
  kPtc64,
  kPtc127,
  kPtc255,
  kPtc511,
  kPtc1023,
  kPtc1522,
  kMptc,
  kBptc,
  kTsctc,
  kTsctfc,
};
/// The 64-bit counters, pairs of registers: good and total octets, received and transmitted.
enum class OctetCounter : std::uint8_t { kGorc, kGotc, kTor, kTot };

/// Its offset in the register space.
constexpr std::uint32_t offset_of(Counter counter) {
  return reg::kStatistics + 4 * static_cast<std::uint32_t>(counter);
}
/// Of the low half.
constexpr std::uint32_t offset_of(OctetCounter counter) {
  constexpr std::array<std::uint32_t, 4> kOffsets{0x4088, 0x4090, 0x40C0, 0x40C8};
  return kOffsets[static_cast<std::size_t>(counter)];
}

/// A counter and its name in the manual.
struct CounterName {
  /// Which one.
  Counter counter;
  /// As in the manual.
  std::string_view name;
};
/// The same of a 64-bit counter.
struct OctetCounterName {
  /// Which one.
  OctetCounter counter;
  /// As in the manual, without H and L.
  std::string_view name;
};
/// In register order, for reports and register tables.
inline constexpr std::array<CounterName, 50> kCounterNames{{
    {Counter::kCrcerrs, "CRCERRS"}, {Counter::kAlgnerrc, "ALGNERRC"},
    {Counter::kSymerrs, "SYMERRS"}, {Counter::kRxerrc, "RXERRC"},
    {Counter::kMpc, "MPC"},         {Counter::kScc, "SCC"},
    {Counter::kEcol, "ECOL"},       {Counter::kMcc, "MCC"},
    {Counter::kLatecol, "LATECOL"}, {Counter::kColc, "COLC"},
    {Counter::kDc, "DC"},           {Counter::kTncrs, "TNCRS"},
    {Counter::kSec, "SEC"},         {Counter::kCexterr, "CEXTERR"},
    {Counter::kRlec, "RLEC"},       {Counter::kXonrxc, "XONRXC"},
    {Counter::kXontxc, "XONTXC"},   {Counter::kXoffrxc, "XOFFRXC"},
    {Counter::kXofftxc, "XOFFTXC"}, {Counter::kFcruc, "FCRUC"},
    {Counter::kPrc64, "PRC64"},     {Counter::kPrc127, "PRC127"},
    {Counter::kPrc255, "PRC255"},   {Counter::kPrc511, "PRC511"},
    {Counter::kPrc1023, "PRC1023"}, {Counter::kPrc1522, "PRC1522"},
    {Counter::kGprc, "GPRC"},       {Counter::kBprc, "BPRC"},
    {Counter::kMprc, "MPRC"},       {Counter::kGptc, "GPTC"},
    {Counter::kRnbc, "RNBC"},       {Counter::kRuc, "RUC"},
    {Counter::kRfc, "RFC"},         {Counter::kRoc, "ROC"},
    {Counter::kRjc, "RJC"},         {Counter::kMgtprc, "MGTPRC"},
    {Counter::kMgtpdc, "MGTPDC"},   {Counter::kMgtptc, "MGTPTC"},
    {Counter::kTpr, "TPR"},         {Counter::kTpt, "TPT"},
    {Counter::kPtc64, "PTC64"},     {Counter::kPtc127, "PTC127"},
    {Counter::kPtc255, "PTC255"},   {Counter::kPtc511, "PTC511"},
    {Counter::kPtc1023, "PTC1023"}, {Counter::kPtc1522, "PTC1522"},
    {Counter::kMptc, "MPTC"},       {Counter::kBptc, "BPTC"},
    {Counter::kTsctc, "TSCTC"},     {Counter::kTsctfc, "TSCTFC"},
}};
/// All 64-bit counters.
inline constexpr std::array<OctetCounterName, 4> kOctetCounterNames{{
    {OctetCounter::kGorc, "GORC"},
    {OctetCounter::kGotc, "GOTC"},
    {OctetCounter::kTor, "TOR"},
    {OctetCounter::kTot, "TOT"},
}};

/// By destination.
enum class FrameKind : std::uint8_t { kUnicast, kMulticast, kBroadcast };
/// Of a destination address (6 bytes).
inline FrameKind frame_kind(const std::uint8_t* destination) {
  if ((destination[0] & 1) == 0) return FrameKind::kUnicast;
  const bool all_ones = (destination[0] & destination[1] & destination[2] & destination[3] &
                         destination[4] & destination[5]) == 0xFF;
  return all_ones ? FrameKind::kBroadcast : FrameKind::kMulticast;
}

/// What is wrong with a frame's length and CRC together (manual 13.7.15, 13.7.34 to 13.7.37).
enum class FrameFault : std::uint8_t {
  kNone,
  kCrc,        ///< right size, wrong CRC
  kUndersize,  ///< too short, CRC right
  kFragment,   ///< too short, CRC wrong
  kOversize,   ///< too long, CRC right
  kJabber,     ///< too long, CRC wrong
};
/// Shortest frame, with FCS.
inline constexpr std::uint32_t kMinFrameBytes = 64;
/// Longest frame without RCTL.LPE, with FCS.
inline constexpr std::uint32_t kMaxFrameBytes = 1522;
/// Longest frame with RCTL.LPE, with FCS.
inline constexpr std::uint32_t kMaxLongFrameBytes = 16384;
/// `long_packets`: RCTL.LPE.
constexpr FrameFault classify_frame(std::uint32_t bytes, bool crc_ok, bool long_packets) {
  if (bytes < kMinFrameBytes) return crc_ok ? FrameFault::kUndersize : FrameFault::kFragment;
  if (bytes > (long_packets ? kMaxLongFrameBytes : kMaxFrameBytes)) {
    return crc_ok ? FrameFault::kOversize : FrameFault::kJabber;
  }
  return crc_ok ? FrameFault::kNone : FrameFault::kCrc;
}

/// The statistics registers (manual 13.7): every counter stops at its maximum.
class Statistics {
 public:
  /// All there is to save, restore and compare.
  struct State {
    /// By Counter; the places between stay 0. Counted beyond what the registers can show, so that
    /// counting needs no look at the limit; reading saturates.
    std::array<std::uint64_t, 64> counters{};
    std::array<std::uint64_t, 4> octets{};  ///< by OctetCounter
    /// All counters are equal.
    bool operator==(const State& other) const {
      return counters == other.counters && octets == other.octets;
    }
  };

  /// Counts `amount` events.
  void add(Counter counter, std::uint32_t amount = 1) {
    state_.counters[static_cast<std::size_t>(counter)] += amount;
  }
  /// Counts octets.
  void add(OctetCounter counter, std::uint32_t bytes) {
    std::uint64_t& value = state_.octets[static_cast<std::size_t>(counter)];
    const std::uint64_t room = std::numeric_limits<std::uint64_t>::max() - value;
    value += bytes < room ? bytes : room;
  }

  /// Every frame seen while receiving is enabled, once, whatever becomes of it: TPR, TOR.
  void on_receive_total(std::uint32_t bytes) {
    add(Counter::kTpr);
    add(OctetCounter::kTor, bytes);
  }
  /// An intact frame of legal length that passed the filters into the packet buffer; not for MAC
  /// control frames consumed by the MAC: GPRC, GORC, PRCn, BPRC, MPRC.
  void on_receive_good(FrameKind kind, std::uint32_t bytes) {
    add(Counter::kGprc);
    add(OctetCounter::kGorc, bytes);
    add_size(Counter::kPrc64, bytes);
    if (kind != FrameKind::kUnicast) {
      add(kind == FrameKind::kBroadcast ? Counter::kBprc : Counter::kMprc);
    }
  }
  /// A frame that passed the filters but found no room in the packet buffer: MPC. TPR and TOR have
  /// counted it in on_receive_total().
  void on_receive_missed() { add(Counter::kMpc); }
  /// A frame that passed the filters and has this fault: RLEC, RUC, RFC, ROC, RJC, CRCERRS.
  void on_receive_fault(FrameFault fault);
  /// A valid PAUSE frame: XOFFRXC, or XONRXC when its timer is 0.
  void on_receive_pause(std::uint16_t quanta) {
    add(quanta != 0 ? Counter::kXoffrxc : Counter::kXonrxc);
  }

  /// A frame sent. All: TPT, TOT. Not for PAUSE frames, nor for runts: GPTC, GOTC, PTCn, MPTC,
  /// BPTC. A runt (under 64 bytes) still counts in MPTC, BPTC.
  void on_transmit(FrameKind kind, std::uint32_t bytes, bool is_pause) {
    add(Counter::kTpt);
    add(OctetCounter::kTot, bytes);
    if (is_pause) return;
    if (bytes >= kMinFrameBytes) {
      add(Counter::kGptc);
      add(OctetCounter::kGotc, bytes);
      add_size(Counter::kPtc64, bytes);
    }
    if (kind != FrameKind::kUnicast) {
      add(kind == FrameKind::kBroadcast ? Counter::kBptc : Counter::kMptc);
    }
  }
  /// In addition to on_transmit(): XOFFTXC, or XONTXC when its timer is 0.
  void on_transmit_pause(std::uint16_t quanta) {
    add(quanta != 0 ? Counter::kXofftxc : Counter::kXontxc);
  }

  /// A register read: clears the counter; a pair is cleared by its high half, never by its low one.
  /// `offset` from the start of the register space; anything but a counter reads 0.
  std::uint32_t read(std::uint32_t offset);
  /// The same value without the effect.
  std::uint32_t peek(std::uint32_t offset) const;

  /// The value that a read of the register would give.
  std::uint32_t operator[](Counter counter) const {
    return saturated(state_.counters[static_cast<std::size_t>(counter)]);
  }
  /// Both halves.
  std::uint64_t operator[](OctetCounter counter) const {
    return state_.octets[static_cast<std::size_t>(counter)];
  }
  /// All counters to 0.
  void reset() { state_ = State{}; }
  /// Everything, to be saved or compared.
  const State& state() const { return state_; }
  /// Back to what was saved.
  void set_state(const State& state) { state_ = state; }

 private:
  static std::uint32_t saturated(std::uint64_t count) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(std::min(count, kMost));
  }
  /// One of six bins in a row: 64, 65-127, 128-255, 256-511, 512-1023, 1024 and more.
  void add_size(Counter first, std::uint32_t bytes) {
    if (bytes < kMinFrameBytes) return;
    // From 65 on each power of two begins a bin.
    const unsigned power = 31 - static_cast<unsigned>(__builtin_clz(bytes));
    const unsigned bin = bytes == kMinFrameBytes ? 0 : std::min(power - 5, 5U);
    add(static_cast<Counter>(static_cast<unsigned>(first) + bin));
  }

  State state_;
};

}  // namespace e1000tlm::e1000
