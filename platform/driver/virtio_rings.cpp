#include "e1000tlm/driver/virtio_rings.h"

#include <algorithm>
#include <stdexcept>

namespace e1000tlm::driver {

namespace net = virtio::net;
using virtio::DriverQueue;
using virtio::SplitLayout;

namespace {

SplitLayout allocate(RamAllocator& ram, std::uint16_t size) {
  const std::uint64_t bytes = SplitLayout::end_of(0, size);
  return SplitLayout::at(ram.allocate(bytes, 64), size);
}

}  // namespace

VirtioRing::VirtioRing(Cpu& cpu, RamAllocator& ram, const std::string& owner, unsigned number,
                       std::uint16_t size)
    : cpu_(cpu),
      memory_(cpu),
      owner_(owner),
      number_(number),
      layout_(allocate(ram, size)),
      queue_(memory_) {}

void VirtioRing::start(VirtioPci& pci, const virtio::RingOptions& options) {
  if (!queue_.start(layout_, options)) fail(virtio::to_string(queue_.fault()));
  unannounced_ = 0;
  mask();
  pci.enable_queue(number_, layout_);
}

void VirtioRing::fail(const std::string& what) const {
  throw std::runtime_error(owner_ + ": queue " + std::to_string(number_) + ": " + what);
}

bool VirtioRing::reap(DriverQueue::Used& used) {
  switch (queue_.reap(used)) {
    case DriverQueue::Reap::kUsed: return true;
    case DriverQueue::Reap::kEmpty: return false;
    case DriverQueue::Reap::kBroken: break;
  }
  fail(virtio::to_string(queue_.fault()));
}

bool VirtioRing::waits() {
  constexpr std::uint64_t kIndex = 2;
  std::uint8_t index[2];
  return queue_.in_flight() != 0 && cpu_.peek(layout_.used + kIndex, index, 2) &&
         load_le16(index) != queue_.next_used();
}

// --- receive ---

VirtioReceiver::VirtioReceiver(Cpu& cpu, RamAllocator& ram, const std::string& owner,
                               unsigned number, std::uint16_t size, VirtioBuffers& buffers)
    : VirtioRing(cpu, ram, owner, number, size), buffers_(buffers), slots_(size) {}

void VirtioReceiver::refill(VirtioPci& pci, unsigned batch) {
  const std::uint32_t bytes = buffers_.parts.buffer_bytes() + kVirtioHeader;
  while (queue_.free() != 0 && !buffers_.parts.empty()) {
    const std::uint64_t address = buffers_.parts.take();
    const DriverQueue::Buffer one[] = {{address - kVirtioHeader, bytes, true}};
    const auto head = queue_.add(one);
    if (!head) fail(virtio::to_string(queue_.fault()));
    slots_[*head] = address;
    ++unannounced_;
  }
  // A starving receiver is not kept waiting for a full batch.
  if (unannounced_ >= batch || (unannounced_ > 0 && in_flight() - unannounced_ < batch)) {
    announce(pci);
  }
}

void VirtioReceiver::drop_parts() {
  for (const Part& part : parts_) buffers_.parts.give(part.address);
  parts_.clear();
  expected_ = 1;
}

/// Copies a frame of several parts to one buffer. The device writes from the start of each, the
/// header of the first included. False: there is no such buffer now.
bool VirtioReceiver::merge(std::uint32_t bytes) {
  if (buffers_.whole.empty()) return false;
  const std::uint64_t to = buffers_.whole.take();
  std::uint64_t at = to - kVirtioHeader;
  for (const Part& part : parts_) {
    scratch_.resize(part.written);
    cpu_.load(part.address - kVirtioHeader, scratch_.data(), part.written);
    cpu_.store(at, scratch_.data(), part.written);
    at += part.written;
  }
  ready_ = Ready{to, bytes, &buffers_.whole};
  return true;
}

/// Puts the next frame into ready_. False: it has not come in, or there is no buffer for it.
bool VirtioReceiver::gather() {
  while (parts_.size() < expected_) {
    DriverQueue::Used used;
    if (!reap(used)) return false;
    parts_.push_back({slots_[used.head], used.written});
    slots_[used.head] = 0;
    if (parts_.size() > 1 || !buffers_.mergeable || used.written < kVirtioHeader) continue;
    std::uint8_t count[2];
    cpu_.load(parts_[0].address - kVirtioHeader + net::header::kBuffers, count, 2);
    expected_ = std::max<unsigned>(1, load_le16(count));
    if (expected_ > layout_.size) fail("a packet that is said to have more buffers than there are");
  }
  std::uint64_t written = 0;
  for (const Part& part : parts_) written += part.written;
  if (written <= kVirtioHeader || written - kVirtioHeader > buffers_.max_frame_bytes) {
    drop_parts();
    ready_ = Ready{0, 0, nullptr};
    return true;
  }
  const auto bytes = static_cast<std::uint32_t>(written - kVirtioHeader);
  if (parts_.size() == 1) {
    ready_ = Ready{parts_[0].address, bytes, &buffers_.parts};
    parts_.clear();
    return true;
  }
  if (!merge(bytes)) return false;
  drop_parts();
  return true;
}

unsigned VirtioReceiver::receive(FrameTaker& taker, unsigned budget, NicCounters& counters,
                                 Time frame_cost) {
  unsigned taken = 0;
  for (; taken < budget; ++taken) {
    if (!ready_ && !gather()) break;
    if (ready_->home == nullptr) {
      ++counters.rx_errors;
    } else {
      if (!taker.take(ready_->address, ready_->bytes, *ready_->home)) break;
      ++counters.rx_frames;
      counters.rx_bytes += ready_->bytes;
    }
    ready_.reset();
    cpu_.time().advance(frame_cost);
  }
  return taken;
}

void VirtioReceiver::give_up() {
  drop_parts();
  if (ready_ && ready_->home != nullptr) ready_->home->give(ready_->address);
  ready_.reset();
  for (std::uint64_t& slot : slots_) {
    if (slot != 0) buffers_.parts.give(slot);
    slot = 0;
  }
}

// --- transmit ---

namespace {

constexpr std::uint64_t kPlaceBytes = 64, kTableInPlace = 16;
constexpr unsigned kPieces = 2;

}  // namespace

VirtioTransmitter::VirtioTransmitter(Cpu& cpu, RamAllocator& ram, const std::string& owner,
                                     unsigned number, std::uint16_t size, NicCounters& counters)
    : VirtioRing(cpu, ram, owner, number, size),
      slots_(size),
      places_(ram.allocate(kPlaceBytes * (size + std::uint64_t{1}), kPlaceBytes)),
      counters_(counters) {
  const std::array<std::uint8_t, kVirtioHeader> zeros{};
  cpu.store(places_, zeros.data(), kVirtioHeader);
  free_places_.reserve(size);
  for (std::uint16_t place = size; place > 0; --place) free_places_.push_back(place);
}

std::uint64_t VirtioTransmitter::place_address(std::uint16_t place) const {
  return places_ + kPlaceBytes * place;
}

bool VirtioTransmitter::make_room(VirtioPci& pci, unsigned descriptors) {
  if (queue_.free() >= descriptors) return true;
  announce(pci);
  reclaim();
  return queue_.free() >= descriptors;
}

bool VirtioTransmitter::send(VirtioPci& pci, std::uint64_t address, std::uint32_t bytes,
                             BufferPool& home, const Header* header) {
  static constexpr Header kPlain{};
  if (home.headroom() >= kVirtioHeader) {
    if (!make_room(pci, 1)) return false;
    cpu_.store(address - kVirtioHeader, (header != nullptr ? *header : kPlain).data(),
               kVirtioHeader);
    const DriverQueue::Buffer one[] = {{address - kVirtioHeader, bytes + kVirtioHeader, false}};
    const auto head = queue_.add(one);
    if (!head) fail(virtio::to_string(queue_.fault()));
    slots_[*head] = {address, &home, bytes, kNoPlace};
  } else {
    if (!make_room(pci, indirect_ ? 1 : kPieces)) return false;
    std::uint16_t place = kNoPlace;
    if (header != nullptr || indirect_) {
      place = free_places_.back();
      free_places_.pop_back();
    }
    const std::uint64_t header_at = header != nullptr ? place_address(place) : places_;
    if (header != nullptr) cpu_.store(header_at, header->data(), kVirtioHeader);
    const DriverQueue::Buffer both[] = {{header_at, kVirtioHeader, false}, {address, bytes, false}};
    const auto head = indirect_ ? queue_.add_indirect(both, place_address(place) + kTableInPlace)
                                : queue_.add(both);
    if (!head) fail(virtio::to_string(queue_.fault()));
    slots_[*head] = {address, &home, bytes, place};
  }
  ++unannounced_;
  return true;
}

void VirtioTransmitter::reclaim() {
  DriverQueue::Used used;
  while (in_flight() > unannounced_ && reap(used)) {
    Slot& slot = slots_[used.head];
    slot.home->give(slot.address);
    slot.home = nullptr;
    if (slot.place != kNoPlace) free_places_.push_back(slot.place);
    ++counters_.tx_frames;
    counters_.tx_bytes += slot.bytes;
  }
}

void VirtioTransmitter::give_up() {
  for (Slot& slot : slots_) {
    if (slot.home == nullptr) continue;
    slot.home->give(slot.address);
    slot.home = nullptr;
    if (slot.place != kNoPlace) free_places_.push_back(slot.place);
  }
}

// --- control ---

namespace {

constexpr unsigned kAnswerPolls = 100'000;
constexpr Time kAnswerPoll = us(10);
constexpr std::uint8_t kNoAnswer = 0xFF;
constexpr std::uint32_t kCommandHeader = 2;

}  // namespace

VirtioControl::VirtioControl(Cpu& cpu, RamAllocator& ram, const std::string& owner, unsigned number,
                             std::uint16_t size)
    : VirtioRing(cpu, ram, owner, number, size), buffer_(ram.allocate(64, 64)) {}

void VirtioControl::command(VirtioPci& pci, std::uint8_t command_class, std::uint8_t command,
                            ConstBytes data) {
  std::array<std::uint8_t, kCommandHeader + kMostData + 1> bytes{command_class, command};
  std::copy(data.begin(), data.end(), bytes.begin() + kCommandHeader);
  const auto asked = static_cast<std::uint32_t>(kCommandHeader + data.size());
  bytes[asked] = kNoAnswer;
  cpu_.store(buffer_, bytes.data(), asked + 1);
  const DriverQueue::Buffer pieces[] = {{buffer_, asked, false}, {buffer_ + asked, 1, true}};
  if (!queue_.add(pieces)) fail(virtio::to_string(queue_.fault()));
  announce(pci);
  const std::string name =
      "command " + std::to_string(command_class) + "." + std::to_string(command);
  DriverQueue::Used used;
  for (unsigned polls = 0; !reap(used); ++polls) {
    if (polls == kAnswerPolls) fail(name + " is not answered");
    cpu_.sleep(kAnswerPoll);
  }
  std::uint8_t answer = 0;
  cpu_.load(buffer_ + asked, &answer, 1);
  if (answer != net::control::kOk) fail(name + " is refused");
}

}  // namespace e1000tlm::driver
