#include "e1000tlm/virtio/split_ring.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "e1000tlm/virtio/ring_layout.h"

namespace e1000tlm::virtio {
using namespace ring_layout;
namespace {

constexpr std::uint64_t aligned(std::uint64_t address, std::uint64_t to) {
  return (address + to - 1) & ~(to - 1);
}

}  // namespace

SplitLayout SplitLayout::at(std::uint64_t address, std::uint16_t size) {
  SplitLayout layout;
  layout.size = size;
  layout.descriptors = address;
  layout.available = address + descriptor_bytes(size);
  layout.used = aligned(layout.available + available_bytes(size), 64);
  return layout;
}

std::uint64_t SplitLayout::end_of(std::uint64_t address, std::uint16_t size) {
  return aligned(at(address, size).used + used_bytes(size), 64);
}

std::string SplitLayout::problem() const {
  if (size == 0 || size > kMostSize || (size & (size - 1)) != 0) {
    return "a queue has 1 to 32768 descriptors, a power of two, not " + std::to_string(size);
  }
  if (descriptors % 16 != 0) return "the descriptor table is not at a multiple of 16";
  if (available % 2 != 0) return "the available ring is not at a multiple of 2";
  if (used % 4 != 0) return "the used ring is not at a multiple of 4";
  const std::uint64_t top = ~std::uint64_t{0};
  if (descriptors > top - descriptor_bytes(size) || available > top - available_bytes(size) ||
      used > top - used_bytes(size)) {
    return "a part of the queue ends beyond 2^64";
  }
  return {};
}

Descriptor Descriptor::decode(const std::uint8_t* bytes) {
  Descriptor descriptor;
  descriptor.address = load_le64(bytes);
  descriptor.length = load_le32(bytes + 8);
  descriptor.flags = load_le16(bytes + 12);
  descriptor.next = load_le16(bytes + 14);
  return descriptor;
}

void Descriptor::encode(std::uint8_t* bytes) const {
  store_le64(bytes, address);
  store_le32(bytes + 8, length);
  store_le16(bytes + 12, flags);
  store_le16(bytes + 14, next);
}

const char* to_string(RingFault fault) {
  constexpr const char* kTexts[] = {
      "nothing is wrong",
      "the queue's size or a place of its parts is impossible",
      "a part of the queue is not in memory",
      "an index is further ahead than the queue has room",
      "a chain begins outside of the descriptor table",
      "a chain goes on outside of its table",
      "a chain is longer than its table",
      "a chain is too long",
      "a descriptor has no bytes",
      "a descriptor ends beyond 2^64",
      "a chain has something to read after something to write",
      "an indirect table was not agreed on",
      "an indirect table is in another",
      "a chain goes on after an indirect table",
      "an indirect table has no whole number of descriptors",
      "more chains are available than the queue has descriptors",
      "a chain came back that was not there",
      "more was written than there was room for",
  };
  static_assert(std::size(kTexts) == std::size_t(RingFault::kBadUsedLength) + 1);
  return kTexts[static_cast<std::size_t>(fault)];
}

// --- the device's side ---

bool DeviceQueue::start(const SplitLayout& layout, const RingOptions& options, std::uint16_t base) {
  layout_ = layout;
  options_ = options;
  started_ = true;
  kicks_ = true;
  fault_ = RingFault::kNone;
  next_available_ = known_available_ = base;
  in_flight_ = 0;
  if (!layout.problem().empty()) {
    fault_ = RingFault::kBadLayout;
  } else if (!memory_.load(layout_.used + kIndex, next_used_)) {
    fault_ = RingFault::kNoMemory;
  }
  published_ = next_used_;
  if (fault_ == RingFault::kNone) enable_kicks();
  return fault_ == RingFault::kNone;
}

std::uint16_t DeviceQueue::stop() {
  started_ = false;
  return next_available_;
}

DeviceQueue::Pop DeviceQueue::fail(RingFault fault) {
  if (fault_ == RingFault::kNone) fault_ = fault;
  return Pop::kBroken;
}

/// Chains that the driver has added. False: fault().
bool DeviceQueue::available(std::uint16_t& count) {
  if (!memory_.load(layout_.available + kIndex, known_available_)) {
    fail(RingFault::kNoMemory);
    return false;
  }
  count = static_cast<std::uint16_t>(known_available_ - next_available_);
  if (count > layout_.size) fail(RingFault::kIndexJump);
  return count <= layout_.size;
}

DeviceQueue::Pop DeviceQueue::pop(Chain& chain) {
  if (!started_ || fault_ != RingFault::kNone) return Pop::kBroken;
  if (known_available_ == next_available_) {
    std::uint16_t count = 0;
    if (!available(count)) return Pop::kBroken;
    const bool arm = count == 0 && kicks_ && options_.event_index && armed_ != next_available_;
    if (count == 0 && !(arm && enable_kicks())) {
      return fault_ == RingFault::kNone ? Pop::kEmpty : Pop::kBroken;
    }
  }
  if (in_flight_ >= layout_.size) return fail(RingFault::kTwice);
  const std::uint16_t slot = next_available_ % layout_.size;
  std::array<std::uint8_t, 2> head{};
  if (!memory_.read(layout_.available + kRing + 2U * slot, head)) return fail(RingFault::kNoMemory);
  chain.head = load_le16(head.data());
  chain.readable.clear();
  chain.writable.clear();
  chain.readable_bytes = chain.writable_bytes = 0;
  if (chain.head >= layout_.size) return fail(RingFault::kBadHead);
  const RingFault fault = walk(chain, {layout_.descriptors, layout_.size, false}, chain.head);
  if (fault != RingFault::kNone) return fail(fault);
  ++next_available_;
  ++in_flight_;
  return Pop::kChain;
}

void DeviceQueue::undo_pop() {
  --next_available_;
  --in_flight_;
}

RingFault DeviceQueue::walk(Chain& chain, const Table& table, std::uint32_t first) {
  std::array<std::uint8_t, Descriptor::kBytes> bytes{};
  std::uint32_t index = first;
  for (std::uint32_t steps = 0; steps < table.entries; ++steps) {
    if (!memory_.read(table.address + std::uint64_t{Descriptor::kBytes} * index, bytes)) {
      return RingFault::kNoMemory;
    }
    const Descriptor descriptor = Descriptor::decode(bytes.data());
    if ((descriptor.flags & Descriptor::kIndirect) != 0) {
      return table.indirect ? RingFault::kIndirectNested : walk_indirect(chain, descriptor);
    }
    if (const RingFault fault = take(chain, descriptor); fault != RingFault::kNone) return fault;
    if ((descriptor.flags & Descriptor::kNext) == 0) return RingFault::kNone;
    index = descriptor.next;
    if (index >= table.entries) return RingFault::kBadNext;
  }
  return RingFault::kLoop;
}

RingFault DeviceQueue::walk_indirect(Chain& chain, const Descriptor& descriptor) {
  if (!options_.indirect) return RingFault::kIndirectRefused;
  if ((descriptor.flags & Descriptor::kNext) != 0) return RingFault::kIndirectContinued;
  if (descriptor.length == 0 || descriptor.length % Descriptor::kBytes != 0) {
    return RingFault::kIndirectSize;
  }
  if (descriptor.address > ~std::uint64_t{0} - (descriptor.length - 1)) return RingFault::kWraps;
  const auto entries = static_cast<std::uint32_t>(descriptor.length / Descriptor::kBytes);
  memory_.expect_table(descriptor.address, descriptor.length);
  return walk(chain, {descriptor.address, entries, true}, 0);
}

RingFault DeviceQueue::take(Chain& chain, const Descriptor& descriptor) const {
  const bool writable = (descriptor.flags & Descriptor::kWrite) != 0;
  if (descriptor.length == 0) return RingFault::kZeroLength;
  if (descriptor.address > ~std::uint64_t{0} - (descriptor.length - 1)) return RingFault::kWraps;
  if (!writable && !chain.writable.empty()) return RingFault::kReadAfterWrite;
  const std::size_t most = std::max(layout_.size, options_.most_pieces);
  if (chain.readable.size() + chain.writable.size() >= most) return RingFault::kTooLong;
  const std::uint64_t before = std::uint64_t{chain.readable_bytes} + chain.writable_bytes;
  if (before + descriptor.length > 0xFFFF'FFFF) return RingFault::kTooLong;
  (writable ? chain.writable : chain.readable).push_back({descriptor.address, descriptor.length});
  (writable ? chain.writable_bytes : chain.readable_bytes) += descriptor.length;
  return RingFault::kNone;
}

bool DeviceQueue::push(std::uint16_t head, std::uint32_t written) {
  if (!started_ || fault_ != RingFault::kNone || in_flight_ == 0) return false;
  std::array<std::uint8_t, kUsedElement> element{};
  store_le32(element.data(), head);
  store_le32(element.data() + 4, written);
  const std::uint16_t slot = next_used_ % layout_.size;
  if (!memory_.write(layout_.used + kRing + kUsedElement * slot, element)) {
    fail(RingFault::kNoMemory);
    return false;
  }
  ++next_used_;
  --in_flight_;
  return true;
}

bool DeviceQueue::publish() {
  if (!started_ || fault_ != RingFault::kNone || published_ == next_used_) return false;
  const std::uint16_t before = published_;
  std::uint16_t wish = 0;
  if (!memory_.store(layout_.used + kIndex, next_used_)) {
    fail(RingFault::kNoMemory);
    return false;
  }
  published_ = next_used_;
  memory_.barrier();
  // used_event stands behind the available ring; without it, bit 0 of the flags says "do not".
  const std::uint64_t at =
      options_.event_index ? layout_.available + kRing + 2ULL * layout_.size : layout_.available;
  if (!memory_.load(at, wish)) {
    fail(RingFault::kNoMemory);
    return false;
  }
  if (!options_.event_index) return (wish & 1) == 0;
  return static_cast<std::uint16_t>(next_used_ - wish - 1) <
         static_cast<std::uint16_t>(next_used_ - before);
}

void DeviceQueue::disable_kicks() {
  kicks_ = false;
  // With event indices the one that is there lies behind by the next chain.
  if (!options_.event_index && !memory_.store(layout_.used, 1)) fail(RingFault::kNoMemory);
}

bool DeviceQueue::enable_kicks() {
  if (!started_ || fault_ != RingFault::kNone) return false;
  kicks_ = true;
  const bool stored =
      options_.event_index
          ? memory_.store(layout_.used + kRing + kUsedElement * layout_.size, next_available_)
          : memory_.store(layout_.used, 0);
  if (!stored) {
    fail(RingFault::kNoMemory);
    return false;
  }
  armed_ = next_available_;
  memory_.barrier();
  std::uint16_t count = 0;
  return available(count) && count > 0;
}

namespace {

/// Calls `copy(address, offset, bytes)` for what lies in the pieces from `offset` on, `size` bytes
/// at most. The number of bytes; nullopt: one failed.
template <class Copy>
std::optional<std::size_t> for_pieces(const std::vector<Piece>& pieces, std::size_t offset,
                                      std::size_t size, const Copy& copy) {
  std::size_t done = 0;
  for (const Piece& piece : pieces) {
    if (done == size) break;
    if (offset >= piece.length) {
      offset -= piece.length;
      continue;
    }
    const std::size_t bytes = std::min<std::size_t>(size - done, piece.length - offset);
    if (!copy(piece.address + offset, done, bytes)) return std::nullopt;
    done += bytes;
    offset = 0;
  }
  return done;
}

}  // namespace

std::optional<std::size_t> read_chain(RingMemory& memory, const DeviceQueue::Chain& chain,
                                      std::size_t offset, Bytes to) {
  return for_pieces(chain.readable, offset, to.size(),
                    [&](std::uint64_t address, std::size_t at, std::size_t bytes) {
                      return memory.read(address, to.subspan(at, bytes));
                    });
}

std::optional<std::size_t> write_chain(RingMemory& memory, const DeviceQueue::Chain& chain,
                                       std::size_t offset, ConstBytes from) {
  return for_pieces(chain.writable, offset, from.size(),
                    [&](std::uint64_t address, std::size_t at, std::size_t bytes) {
                      return memory.write(address, from.subspan(at, bytes));
                    });
}

}  // namespace e1000tlm::virtio
