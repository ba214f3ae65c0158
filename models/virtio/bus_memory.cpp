#include "e1000tlm/virtio/bus_memory.h"

#include <algorithm>
#include <cstring>

namespace e1000tlm::virtio {
namespace {

constexpr std::uint64_t kIndex = 2, kEntry = 2, kElement = 8;
/// Chains whose first descriptors are further apart do not follow each other.
constexpr std::uint32_t kMostStride = 8;

}  // namespace

void BusMemory::attach(const SplitLayout& layout) {
  layout_ = layout;
  available_index_ = 0;
  entries_.bytes = descriptors_.bytes = indirect_.bytes = 0;
  indirect_end_ = 0;
  chain_ = 0;
  chain_before_ = 1;
  used_bytes_ = 0;
}

template <std::size_t kBytes>
bool BusMemory::fetch(Window<kBytes>& window, std::uint64_t address, std::uint64_t bytes) {
  window.address = address;
  window.bytes = 0;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, kBytes));
  if (!bus_.bus_read(address, Bytes(window.data.data(), size))) return false;
  window.bytes = size;
  return true;
}

bool BusMemory::read(std::uint64_t address, Bytes to) {
  const std::uint64_t size = to.size();
  const std::uint64_t entry = address - entries_at();
  if (size == kEntry && entry < kEntry * layout_.size) return read_entry(address, to);
  if (size == Descriptor::kBytes) {
    if (address < indirect_end_ && indirect_end_ - address >= size &&
        (indirect_.bytes == 0 || address >= indirect_.address)) {
      return read_indirect(address, to);
    }
    const std::uint64_t offset = address - layout_.descriptors;
    if (offset < SplitLayout::descriptor_bytes(layout_.size)) return read_descriptor(address, to);
  }
  for (std::size_t done = 0; done < to.size();) {
    const std::size_t bytes = std::min<std::size_t>(to.size() - done, bursts_.data);
    if (!bus_.bus_read(address + done, to.subspan(done, bytes))) return false;
    done += bytes;
  }
  return true;
}

/// Entries up to the ring's end or the index as it was read last.
bool BusMemory::read_entry(std::uint64_t address, Bytes to) {
  if (!entries_.covers(address, kEntry)) {
    const auto slot = static_cast<std::uint32_t>((address - entries_at()) / kEntry);
    const std::uint32_t mask = layout_.size - 1U;
    const std::uint32_t available = ((available_index_ - slot - 1U) & mask) + 1;
    const std::uint32_t count =
        std::min({available, layout_.size - slot, bursts_.available, kMost});
    if (!fetch(entries_, address, kEntry * count)) return false;
  }
  std::memcpy(to.data(), entries_.at(address), kEntry);
  entry_ = address;
  if (chain_ != 0) chain_before_ = chain_;
  chain_ = 0;
  indirect_end_ = 0;
  return true;
}

/// How many descriptors from the one that begins the present chain on are worth fetching at once.
std::uint32_t BusMemory::descriptors_in_a_row() const {
  const auto head = [&](std::uint64_t address) { return load_le16(entries_.at(address)); };
  std::uint32_t stride = 0, count = 0;
  for (std::uint64_t at = entry_; entries_.covers(at, 2 * kEntry); at += kEntry) {
    const std::uint32_t step = static_cast<std::uint16_t>(head(at + kEntry) - head(at));
    if (stride == 0 && step <= kMostStride) stride = step;
    if (stride == 0 || step != stride) break;
    count += stride;
  }
  return count == 0 ? chain_before_ : count + stride;
}

bool BusMemory::read_descriptor(std::uint64_t address, Bytes to) {
  if (!descriptors_.covers(address, Descriptor::kBytes)) {
    const std::uint64_t end = layout_.descriptors + SplitLayout::descriptor_bytes(layout_.size);
    const std::uint64_t left = (end - address) / Descriptor::kBytes;
    const std::uint32_t wanted = chain_ == 0 ? descriptors_in_a_row() : chain_before_;
    const std::uint64_t count =
        std::min<std::uint64_t>({std::max(wanted, 1U), left, bursts_.descriptors, kMost});
    if (!fetch(descriptors_, address, Descriptor::kBytes * std::max<std::uint64_t>(count, 1))) {
      return false;
    }
  }
  std::memcpy(to.data(), descriptors_.at(address), Descriptor::kBytes);
  ++chain_;
  return true;
}

void BusMemory::expect_table(std::uint64_t address, std::uint64_t bytes) {
  indirect_.bytes = 0;
  indirect_.address = address;
  indirect_end_ = address + bytes;
}

bool BusMemory::read_indirect(std::uint64_t address, Bytes to) {
  if (!indirect_.covers(address, Descriptor::kBytes)) {
    const std::uint64_t most =
        Descriptor::kBytes * std::uint64_t{std::min(bursts_.descriptors, kMost)};
    if (!fetch(indirect_, address, std::min(indirect_end_ - address, most))) return false;
  }
  std::memcpy(to.data(), indirect_.at(address), Descriptor::kBytes);
  return true;
}

bool BusMemory::write(std::uint64_t address, ConstBytes from) {
  const std::uint64_t element = address - elements_at();
  if (from.size() == kElement && element < kElement * layout_.size) return gather(address, from);
  for (std::size_t done = 0; done < from.size();) {
    const std::size_t bytes = std::min<std::size_t>(from.size() - done, bursts_.data);
    if (!bus_.bus_write(address + done, from.subspan(done, bytes))) return false;
    done += bytes;
  }
  return true;
}

bool BusMemory::gather(std::uint64_t address, ConstBytes from) {
  const bool follows = used_bytes_ != 0 && address == used_from_ + used_bytes_;
  if ((!follows || used_bytes_ == used_.size()) && !flush()) return false;
  if (used_bytes_ == 0) used_from_ = address;
  std::memcpy(used_.data() + used_bytes_, from.data(), kElement);
  used_bytes_ += kElement;
  return true;
}

bool BusMemory::flush() {
  if (used_bytes_ == 0) return true;
  const std::uint32_t bytes = used_bytes_;
  used_bytes_ = 0;
  return bus_.bus_write(used_from_, ConstBytes(used_.data(), bytes));
}

bool BusMemory::load(std::uint64_t address, std::uint16_t& value) {
  std::array<std::uint8_t, 2> bytes{};
  if (!bus_.bus_read(address, bytes)) return false;
  value = load_le16(bytes.data());
  if (address == layout_.available + kIndex) {
    available_index_ = value;
    entries_.bytes = descriptors_.bytes = 0;
  }
  return true;
}

bool BusMemory::store(std::uint64_t address, std::uint16_t value) {
  std::array<std::uint8_t, 2> bytes{};
  store_le16(bytes.data(), value);
  return flush() && bus_.bus_write(address, bytes);
}

}  // namespace e1000tlm::virtio
