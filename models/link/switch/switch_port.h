#pragma once
/// One port of a Switch: what comes in, what goes out, and the link.

#include <array>
#include <cstdint>
#include <string_view>

#include <systemc>

#include <boost/circular_buffer.hpp>

#include "e1000tlm/link/cable.h"
#include "e1000tlm/link/partner.h"
#include "e1000tlm/link/switch/switch_table.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::link {

class Switch;

/// Why a switch did not pass a frame on.
enum class SwitchDrop : std::uint8_t {
  kBadFcs,
  kCodingError,
  kTooShort,  ///< less than 64 bytes with FCS
  kTooLong,   ///< see SwitchConfig::max_frame_bytes
  kReserved,  ///< for the switch itself by its address: PAUSE, spanning tree ...
  kFiltered,  ///< the destination is on the port it came from
  kQueueFull,
  kCount,
};
/// As in PartnerStatistics::drops; in the order of SwitchDrop.
inline constexpr std::array<std::string_view, static_cast<std::size_t>(SwitchDrop::kCount)>
    kSwitchDropNames{"bad_fcs",  "coding_error", "too_short", "too_long",
                     "reserved", "filtered",     "queue_full"};

/// A frame that has come in, or is about to, with what the switch goes by. That is taken from the
/// frame when it is handed over: its sender has just written it, while by the time its last bit is
/// in, with many ports busy, it is no longer in the host's cache.
struct Pending {
  FramePtr frame;
  Time last_bit{};
  StationAddress destination : 48;
  StationAddress fault : 16;  ///< a SwitchDrop; kCount: none
  StationAddress source : 48;
  StationAddress wire_bytes : 16;
};

/// The far end of a station's cable. LinkPartner::statistics() counts frames looked at
/// (`frames_from_nic`) and frames handed to the wire (`frames_to_nic`); `drops` holds all names of
/// kSwitchDropNames.
class SwitchPort final : public LinkPartner, private FrameSink {
 public:
  /// See Switch::plug().
  SwitchPort(const sc_core::sc_module_name& name, CableEndIf& end, const PartnerSpec& spec,
             Switch& owner, unsigned number);
  ~SwitchPort() override;

  /// Counted from 0 in the order of Switch::plug().
  unsigned number() const { return number_; }
  const CableEndIf& end() const { return end_; }
  std::uint64_t drops(SwitchDrop reason) const { return *drops_[static_cast<std::size_t>(reason)]; }
  /// Frames that are coming in.
  std::size_t under_way() const { return incoming_.size(); }

 private:
  friend class Switch;

  /// A frame that occupies the output queue until its last bit has been sent.
  struct Queued {
    Time end;
    std::size_t bytes;
  };

  // CableEndIf::set_ready and changes of the link, in the process of LinkPartner.
  bool ready() const override;
  void link_changed() override;
  void watch_readiness();

  void receive(Arrival arrival) override;
  bool take_back(Time last_bit, std::size_t size) override;
  /// When the first of them is looked at: as its last bit is in, by a hub as its first is.
  Time first_due() const {
    const Pending& first = incoming_.front();
    return repeats_ ? first_bit_of(first) : first.last_bit;
  }
  Time first_bit_of(const Pending& frame) const {
    return frame.last_bit - serialisation(frame.wire_bytes, end_.speed());
  }
  Pending take();
  void transmit(FramePtr frame, std::size_t wire_bytes, Time ready);
  void count_in(std::size_t wire_bytes) {
    ++statistics_.frames_from_nic;
    statistics_.bytes_from_nic += wire_bytes - kFcsBytes;
  }
  void drop(SwitchDrop reason) { ++*drops_[static_cast<std::size_t>(reason)]; }

  Switch& switch_;
  unsigned number_;
  bool repeats_;
  bool up_ = false;
  std::array<std::uint64_t*, kSwitchDropNames.size()> drops_{};  // in statistics_
  boost::circular_buffer<Pending> incoming_;                     // by last bit
  boost::circular_buffer<Queued> queue_;
  std::size_t queued_bytes_ = 0;
};

}  // namespace e1000tlm::link
