#include "e1000tlm/trace/recorder.h"

#include <algorithm>

namespace e1000tlm::trace {
namespace {

constexpr std::size_t kFirstRoom = 4096;

template <class Item, class Before>
std::vector<Item> sorted(const boost::circular_buffer<Item>& items, Time begin, Time end,
                         Before before) {
  std::vector<Item> result;
  result.reserve(items.size());
  for (const Item& item : items) {
    if (item.end >= begin && before(item) <= end) result.push_back(item);
  }
  std::stable_sort(result.begin(), result.end(),
                   [&](const Item& a, const Item& b) { return before(a) < before(b); });
  return result;
}

}  // namespace

Recorder::Recorder(std::optional<Keep> keep) : keep_(std::move(keep)) {}

bool Recorder::wanted(Time at, Time end) const {
  return at < keep_->until && end >= keep_->from && at <= ended_;
}

/// Memory grows with what is kept, up to the limit.
template <class Item>
void Recorder::push(boost::circular_buffer<Item>& items, const Item& item) {
  if (items.full()) {
    if (items.capacity() < keep_->most) {
      items.set_capacity(std::min(keep_->most, std::max(kFirstRoom, 2 * items.capacity())));
    } else {
      // A stretch that does not fit: said, so that nobody takes it for all there was.
      const bool needed = !keep_->last || items.front().end >= begin();
      if (needed) ++left_out_;
      if (!keep_->last) return;
    }
  }
  items.push_back(item);
}

void Recorder::store(const Event& event) {
  if (!wanted(event.at, event.end)) return;
  if (event.kind == Kind::kDrop && keep_->until_drop && ended_ == kTimeNever) ended_ = event.at;
  // Frames are announced before they are sent.
  if (event.kind != Kind::kWireIn) latest_ = std::max(latest_, event.at);
  if (keep_->filter.passes(event.kind)) push(events_, event);
}

void Recorder::record(const FramePath& path) {
  for (const auto& listener : path_listeners_) listener(path);
  if (!keep_ || !wanted(path.begin, path.end)) return;
  push(paths_, path);
}

Time Recorder::begin() const {
  if (!keep_->last) return kTimeZero;
  return (ended_ != kTimeNever ? ended_ : latest_) - *keep_->last;
}

std::vector<Event> Recorder::events() const {
  if (!keep_) return {};
  return sorted(events_, begin(), ended_, [](const Event& e) { return e.at; });
}

std::vector<FramePath> Recorder::paths() const {
  if (!keep_) return {};
  return sorted(paths_, begin(), ended_, [](const FramePath& p) { return p.begin; });
}

}  // namespace e1000tlm::trace
