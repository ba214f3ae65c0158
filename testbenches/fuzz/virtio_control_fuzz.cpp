/// Whatever control commands a driver sends, what they leave behind can be, and frames find a pair.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "e1000tlm/virtio/control_unit.h"

namespace {

using namespace e1000tlm::virtio::net;
using e1000tlm::ConstBytes;

constexpr unsigned kPairs = 4;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const ControlUnit& unit, ConstBytes frame) {
  const ReceiveFilter& filter = unit.filter();
  require(unit.pairs() >= 1 && unit.pairs() <= kPairs);
  require(filter.unicast_entries() + filter.multicast_entries() <= ReceiveFilter::kEntries);
  require(unit.hash().pair(unit.hash()(frame)) < kPairs);
  if (filter.accepts(frame)) require(frame.size() >= 14);
}

}  // namespace

/// Two bytes choose features; then commands, each with its length in two bytes before it. A command
/// is a frame, too.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  ControlUnit unit(kPairs, {2, 0, 0, 0, 0, 1});
  std::uint64_t features = ~0ULL;
  if (data[0] % 4 == 0) features = std::uint64_t{data[1]} << 17 | std::uint64_t{data[0]} << 55;
  unit.set_features(features);
  data += 2;
  size -= 2;
  while (size >= 2) {
    const std::size_t wanted = data[0] | std::size_t{data[1]} << 8;
    data += 2;
    size -= 2;
    const ConstBytes command(data, std::min(wanted, size));
    data += command.size();
    size -= static_cast<std::size_t>(command.size());
    const std::uint64_t errors = unit.errors();
    const std::uint8_t answer = unit.execute(command);
    require(answer == control::kOk || answer == control::kError);
    require(unit.errors() == errors + (answer == control::kError ? 1 : 0));
    check(unit, command);
    if (command.size() % 5 == 0) unit.ask_for_announcement();
  }
  unit.reset();
  require(unit.pairs() == 1 && unit.filter().modes().promiscuous && !unit.hash().active());
  return 0;
}
