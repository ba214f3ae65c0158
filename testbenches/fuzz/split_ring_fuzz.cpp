/// Whatever a driver has written into a queue, the device's walk ends, and what it hands out lies
/// within the rules; the device uses each chain and gives it back.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "e1000tlm/virtio/split_ring.h"

namespace {

using namespace e1000tlm;
using namespace e1000tlm::virtio;

constexpr std::size_t kMemory = 4096;
constexpr std::uint64_t kBase = 0x10000;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const DeviceQueue::Chain& chain, const SplitLayout& layout, std::size_t most) {
  require(chain.head < layout.size);
  require(chain.readable.size() + chain.writable.size() <=
          std::max<std::size_t>(layout.size, most));
  std::uint64_t bytes = 0;
  for (const auto* pieces : {&chain.readable, &chain.writable}) {
    for (const Piece& piece : *pieces) {
      require(piece.length != 0 && piece.length - 1 <= ~std::uint64_t{0} - piece.address);
      bytes += piece.length;
    }
  }
  require(bytes == std::uint64_t{chain.readable_bytes} + chain.writable_bytes);
  require(bytes <= 0xFFFF'FFFF);
}

/// Reads what there is to read and writes it back, as an echo would.
void use(RingMemory& memory, DeviceQueue& queue, const DeviceQueue::Chain& chain) {
  std::vector<std::uint8_t> data(256);
  const auto read = read_chain(memory, chain, 1, data);
  if (read) require(*read <= chain.readable_bytes && *read <= data.size());
  const auto written = write_chain(memory, chain, 0, data);
  if (written) require(*written <= chain.writable_bytes && *written <= data.size());
  queue.push(chain.head, static_cast<std::uint32_t>(written.value_or(0)));
}

}  // namespace

/// Two bytes choose size and options, the rest is the memory from the queue on.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::vector<std::uint8_t> bytes(kMemory);
  std::copy_n(data + 2, std::min(size - 2, kMemory), bytes.begin());
  MappedMemory memory;
  memory.add(kBase, bytes);
  RingOptions options;
  options.event_index = (data[0] & 1) != 0;
  options.indirect = (data[0] & 2) != 0;
  options.most_pieces = 32;
  const auto layout = SplitLayout::at(kBase, static_cast<std::uint16_t>(1U << (data[0] >> 2) % 7));
  DeviceQueue queue(memory);
  if (!queue.start(layout, options, data[1])) return 0;
  if ((data[0] & 0x80) != 0) queue.disable_kicks();
  DeviceQueue::Chain chain;
  // What the device writes may make more chains available.
  for (int i = 0; i < 1000; ++i) {
    const auto popped = queue.pop(chain);
    if (popped == DeviceQueue::Pop::kBroken) {
      require(queue.fault() != RingFault::kNone);
      require(queue.pop(chain) == DeviceQueue::Pop::kBroken && !queue.push(0, 0));
      break;
    }
    if (popped == DeviceQueue::Pop::kEmpty) break;
    check(chain, layout, options.most_pieces);
    require(queue.in_flight() <= layout.size);
    if (i % 7 == 6) {  // taken up again, as after a stop
      const std::uint16_t head = chain.head;
      queue.undo_pop();
      const auto again = queue.pop(chain);
      require(again == DeviceQueue::Pop::kChain && chain.head == head);
    }
    use(memory, queue, chain);
    if (i % 3 == 0) queue.publish();
  }
  queue.publish();
  queue.enable_kicks();
  return 0;
}
