/// Whatever a driver has put into its queues, packets and control commands are taken from there
/// within the rules: segments are no longer than their packet, memory around the driver's stays.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "e1000tlm/link/virtio_header.h"
#include "e1000tlm/virtio/control_unit.h"
#include "e1000tlm/virtio/packet_header.h"

namespace {

using namespace e1000tlm;
using namespace e1000tlm::virtio;
using Octets = std::vector<std::uint8_t>;

constexpr std::size_t kMemory = 4096, kGuard = 64;
constexpr std::uint64_t kBase = 0x10000;
constexpr std::uint16_t kSize = 8;
constexpr std::uint64_t kFeatures[] = {
    0,
    net::feature::kVersion1 | net::feature::kCsum | net::feature::kHostTso4 |
        net::feature::kHostTso6 | net::feature::kHostEcn,
    net::feature::kVersion1 | net::feature::kCsum | net::feature::kHostTso4 |
        net::feature::kHashReport,
    net::feature::kVersion1,
};

void require(bool holds) {
  if (!holds) std::abort();
}

/// Takes a chain as a packet to send, and finishes it for the wire.
void transmit(RingMemory& memory, const DeviceQueue::Chain& chain, std::uint64_t features) {
  const std::size_t header_bytes = net::header_bytes(features);
  Octets packet(std::min<std::size_t>(chain.readable_bytes, kMemory));
  if (!read_chain(memory, chain, 0, packet) || packet.size() < header_bytes + 14) return;
  const ConstBytes bytes(packet.data(), header_bytes);
  const Bytes frame(packet.data() + header_bytes, packet.size() - header_bytes);
  const auto header = net::PacketHeader::decode(bytes);
  const char* const problem = net::transmit_problem(header, features);
  if ((features & net::feature::kCsum) == 0 && problem == nullptr) {
    require((header.flags & net::header::kNeedsCsum) == 0 && header.gso_type == 0);
  }
  link::OffloadFinisher finisher;
  if (problem != nullptr || !finisher.begin(bytes, frame)) return;
  std::size_t segments = 0;
  while (finisher.more()) {
    const ConstBytes segment = finisher.next();
    require(!segment.empty() && segment.size() <= frame.size());
    require(++segments <= static_cast<std::size_t>(frame.size()));
  }
  require(segments > 0);
}

/// Takes it as a buffer for a received packet.
void receive(RingMemory& memory, const DeviceQueue::Chain& chain, std::uint64_t features) {
  Octets packet(net::header_bytes(features) + 60, 0xAA);
  net::receive_header(Bytes(packet.data() + 12, 60), features).encode(Bytes(packet.data(), 10));
  const auto written = write_chain(memory, chain, 0, packet);
  if (written) require(*written <= packet.size() && *written <= chain.writable_bytes);
}

}  // namespace

/// One byte chooses the kind of queue, one the features, the rest is memory from the queue on.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  Octets all(kMemory + 2 * kGuard, 0xC5);
  std::fill(all.begin() + kGuard, all.end() - kGuard, std::uint8_t{0});
  std::copy_n(data + 2, std::min(size - 2, kMemory), all.begin() + kGuard);
  MappedMemory memory;
  memory.add(kBase, Bytes(all.data() + kGuard, kMemory));
  const std::uint64_t features = kFeatures[data[1] % 4];
  net::ControlUnit unit(4, {2, 0, 0, 0, 0, 1});
  unit.set_features(~0ULL);
  DeviceQueue queue(memory);
  DeviceQueue::Chain chain;
  if (!queue.start(SplitLayout::at(kBase, kSize), {false, true, 32})) return 0;
  // What the device writes may make more chains available.
  for (int i = 0; i < 64 && queue.pop(chain) == DeviceQueue::Pop::kChain; ++i) {
    if (data[0] % 3 == 0) transmit(memory, chain, features);
    if (data[0] % 3 == 1) receive(memory, chain, features);
    if (data[0] % 3 == 2 && net::ControlUnit::problem(chain) == nullptr) unit.serve(memory, chain);
    queue.push(chain.head, 0);
    queue.publish();
  }
  require(unit.pairs() >= 1 && unit.pairs() <= 4);
  const auto kept = [](std::uint8_t byte) { return byte == 0xC5; };
  require(std::all_of(all.begin(), all.begin() + kGuard, kept));
  require(std::all_of(all.end() - kGuard, all.end(), kept));
  return 0;
}
