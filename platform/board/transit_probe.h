#pragma once
/// How long frames take through the machine, seen from the wire.

#include <cstdint>

#include <boost/circular_buffer.hpp>

#include "e1000tlm/link/cable.h"
#include "e1000tlm/traffic/histogram.h"

namespace e1000tlm::platform {

/// From a frame's last bit into one NIC to the same frame's first bit out of another or the same
/// (RFC 1242 latency of a store-and-forward device). Frames are recognised by size and samples of
/// their content, in order: frames lost on the way are passed over, and frames that the machine
/// made itself are ignored.
class TransitProbe {
 public:
  /// `in` and `out` may be the same cable; the NIC is end 0 of both.
  TransitProbe(link::Cable& in, link::Cable& out);
  TransitProbe(const TransitProbe&) = delete;
  TransitProbe& operator=(const TransitProbe&) = delete;

  /// In ps.
  const traffic::Histogram& latency() const { return latency_; }

 private:
  struct Entry {
    std::uint64_t fingerprint;
    Time arrived;
  };
  static std::uint64_t fingerprint(const link::Frame& frame);
  void entered(const link::WireEvent& event);
  void left(const link::WireEvent& event);

  boost::circular_buffer<Entry> under_way_;
  traffic::Histogram latency_;
};

}  // namespace e1000tlm::platform
