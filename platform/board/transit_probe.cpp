#include "e1000tlm/board/transit_probe.h"

#include <algorithm>

namespace e1000tlm::platform {
namespace {

// More than any packet buffer and ring together hold.
constexpr std::size_t kMostUnderWay = 16'384;

}  // namespace

TransitProbe::TransitProbe(link::Cable& in, link::Cable& out) : under_way_(kMostUnderWay) {
  in.wire.attach([this](const link::WireEvent& event) {
    if (event.from == 1) entered(event);
  });
  out.wire.attach([this](const link::WireEvent& event) {
    if (event.from == 0) left(event);
  });
}

std::uint64_t TransitProbe::fingerprint(const link::Frame& frame) {
  constexpr std::uint64_t kMix = 0x9E37'79B9'7F4A'7C15U;
  const std::size_t size = frame.size();
  std::uint64_t value = size;
  if (size < link::kMinFrameBytes) return value;
  // IP length and identification; TCP sequence or UDP checksum; the last bytes.
  for (const std::size_t at : {std::size_t{14}, std::size_t{38}, size - 8}) {
    value = (value ^ load_le64(frame.data() + at)) * kMix;
    value ^= value >> 29;
  }
  return value;
}

void TransitProbe::entered(const link::WireEvent& event) {
  under_way_.push_back({fingerprint(*event.frame), event.end});
}

void TransitProbe::left(const link::WireEvent& event) {
  const std::uint64_t wanted = fingerprint(*event.frame);
  const auto found = std::find_if(under_way_.begin(), under_way_.end(),
                                  [=](const Entry& e) { return e.fingerprint == wanted; });
  if (found == under_way_.end()) return;
  const Time latency = event.start - found->arrived;
  latency_.record(latency > kTimeZero ? static_cast<std::uint64_t>(latency.count()) : 0);
  under_way_.erase_begin(static_cast<std::size_t>(found - under_way_.begin()) + 1);
}

}  // namespace e1000tlm::platform
