#include "e1000tlm/trace/recorder.h"

#include <algorithm>
#include <utility>

#include <boost/sort/spinsort/spinsort.hpp>

namespace e1000tlm::trace {
namespace {

/// Memory that nothing has been written to yet costs nothing.
constexpr std::size_t kFirstRoom = 4'000'000;

Time begin_of(const PackedEvent& event) { return event.at; }
Time begin_of(const FrameTimes& path) { return path.begin; }
Time begin_of(const pci::Transaction& transaction) { return transaction.start; }
Time end_of(const PackedEvent& event) { return event.end; }
Time end_of(const FrameTimes& path) { return path.end; }
Time end_of(const pci::Transaction& transaction) { return transaction.end(); }

/// Those within the limits, by their beginnings, and as they were recorded where these are the
/// same. They come nearly in order: a block is sorted with what is left of those before it, and
/// what begins no later than anything behind is shown. That stays in the processor's caches.
template <class Item, class Visitor>
void visit_sorted(const Kept<Item>& kept, Time begin, Time end, const Visitor& visitor) {
  using Key = std::pair<Time, std::uint32_t>;
  constexpr std::size_t kBlock = Kept<Item>::kBlock;
  const auto one = kept.items.array_one();
  const auto two = kept.items.array_two();
  const auto at = [&](std::size_t i) -> const Item& {
    return i < one.second ? one.first[i] : two.first[i - one.second];
  };
  const std::size_t blocks = kept.earliest.size();
  std::vector<Time> earliest(blocks + 1, kTimeNever);  // in a block or behind it
  for (std::size_t block = blocks; block-- > 0;) {
    earliest[block] = std::min(kept.earliest[block], earliest[block + 1]);
  }
  std::vector<Key> keys;
  keys.reserve(2 * kBlock);
  std::size_t i = 0;
  std::size_t over = kBlock - (kept.count - kept.items.size()) % kBlock;
  for (std::size_t block = 0; block < blocks; ++block, over += kBlock) {
    for (; i < std::min(over, kept.items.size()); ++i) {
      const Item& item = at(i);
      if (end_of(item) < begin || begin_of(item) > end) continue;
      keys.emplace_back(begin_of(item), static_cast<std::uint32_t>(i));
    }
    const Time later = earliest[block + 1];
    if (later <= earliest[block] && later != kTimeNever) continue;  // nothing can be shown yet
    boost::sort::spinsort(keys.begin(), keys.end());
    auto shown = keys.begin();
    for (; shown != keys.end() && shown->first <= later; ++shown) visitor(at(shown->second));
    keys.erase(keys.begin(), shown);
  }
}

template <class Item>
std::vector<Item> sorted(const Kept<Item>& kept, Time begin, Time end) {
  std::vector<Item> result;
  result.reserve(kept.items.size());
  visit_sorted(kept, begin, end, [&](const Item& item) { result.push_back(item); });
  return result;
}

}  // namespace

Recorder::Recorder(std::optional<Keep> keep) : keep_(std::move(keep)) {}

bool Recorder::wanted(Time at, Time end) const {
  return at < keep_->until && end >= keep_->from && at <= ended_;
}

/// Memory grows with what is kept, up to the limit, and is hardly ever copied.
template <class Item>
void Recorder::push(Kept<Item>& kept, const Item& item) {
  auto& items = kept.items;
  if (items.full()) {
    if (items.capacity() < keep_->most) {
      items.set_capacity(std::min(keep_->most, std::max(kFirstRoom, 2 * items.capacity())));
    } else {
      // A stretch that does not fit: said, so that nobody takes it for all there was.
      const bool needed = !keep_->last || end_of(items.front()) >= begin();
      if (needed) ++left_out_;
      if (!keep_->last) return;
      // The oldest goes, and with the last item of a block that block.
      if ((kept.count - items.size() + 1) % Kept<Item>::kBlock == 0) kept.earliest.pop_front();
    }
  }
  items.push_back(item);
  if (kept.count++ % Kept<Item>::kBlock == 0) kept.earliest.push_back(kTimeNever);
  kept.earliest.back() = std::min(kept.earliest.back(), begin_of(item));
}

void Recorder::store(const Event& event) {
  if (!wanted(event.at, event.end)) return;
  if (event.kind == Kind::kDrop && keep_->until_drop && ended_ == kTimeNever) ended_ = event.at;
  // Frames are announced before they are sent.
  if (event.kind != Kind::kWireIn && event.kind != Kind::kTransmitFifo)
    latest_ = std::max(latest_, event.at);
  if (keep_->filter.passes(event.kind) || (keep_->waves && is_in_waves(event.kind))) {
    push(events_, packer_.pack(event));
  }
}

void Recorder::record(const FramePath& path) {
  for (const auto& listener : path_listeners_) listener(path);
  if (!keep_ || !keep_->paths || !wanted(path.begin, path.end)) return;
  push(paths_, static_cast<const FrameTimes&>(path));
}

void Recorder::record(const pci::Transaction& transaction, unsigned board) {
  if (!keep_ || !wanted(transaction.start, transaction.end())) return;
  if (transactions_.size() <= board) transactions_.resize(board + 1);
  push(transactions_[board], transaction);
}

Time Recorder::begin() const {
  if (!keep_->last) return kTimeZero;
  return (ended_ != kTimeNever ? ended_ : latest_) - *keep_->last;
}

void Recorder::visit(const std::function<void(const Event&)>& visitor) const {
  if (!keep_) return;
  visit_sorted(events_, begin(), ended_,
               [&](const PackedEvent& event) { visitor(packer_.unpack(event)); });
}

void Recorder::visit_paths(const std::function<void(const FrameTimes&)>& visitor) const {
  if (keep_) visit_sorted(paths_, begin(), ended_, visitor);
}

std::vector<Event> Recorder::events() const {
  std::vector<Event> result;
  visit([&](const Event& event) { result.push_back(event); });
  return result;
}

std::vector<FrameTimes> Recorder::paths() const {
  if (!keep_) return {};
  return sorted(paths_, begin(), ended_);
}

std::vector<pci::Transaction> Recorder::transactions(unsigned board) const {
  if (!keep_ || board >= transactions_.size()) return {};
  return sorted(transactions_[board], begin(), ended_);
}

}  // namespace e1000tlm::trace
