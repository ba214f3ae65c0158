#include "e1000tlm/link/filter/filter_box.h"

#include <algorithm>
#include <optional>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::link {

FilterBox::FilterBox(const sc_core::sc_module_name& name, CableEndIf& inner)
    : sc_module(name), near_(inner), cable_("cable", CableConfig{kTimeZero}), far_(cable_.end(0)) {
  SC_HAS_PROCESS(FilterBox);
  SC_METHOD(relay);
  sensitive << near_.change_event() << far_.change_event() << near_.ready_event()
            << far_.ready_event();
  SC_METHOD(fetch_in);
  sensitive << far_.arrival_event() << far_.change_event() << due_[index_of(Way::kIn)];
  SC_METHOD(fetch_out);
  sensitive << near_.arrival_event() << near_.change_event() << due_[index_of(Way::kOut)];
}

FilterBox::~FilterBox() = default;

void FilterBox::insert(std::unique_ptr<LineFilter> filter) {
  const std::size_t place = filters_.size();
  filter->line_ = &near_;
  filter->onward_[index_of(Way::kIn)] = [this, place](FramePtr frame) {
    if (place == 0) return leave(Way::kIn, std::move(frame));
    filters_[place - 1]->take(Way::kIn, std::move(frame));
  };
  filter->onward_[index_of(Way::kOut)] = [this, place](FramePtr frame) {
    if (place + 1 == filters_.size()) return leave(Way::kOut, std::move(frame));
    filters_[place + 1]->take(Way::kOut, std::move(frame));
  };
  filters_.push_back(std::move(filter));
}

/// Both sides see each other as if the box were not there; the partner has link while the adapter
/// has.
void FilterBox::relay() {
  const std::optional<Abilities> adapter = near_.partner();
  const std::optional<Abilities> partner = far_.partner();
  near_.advertise(partner);
  far_.advertise(adapter);
  near_.set_ready(far_.partner_ready());
  far_.set_ready(near_.partner_ready());
  const std::optional<LinkMode> mode =
      adapter && partner ? resolve(*partner, *adapter) : std::nullopt;
  near_.set_link(mode);
  far_.set_link(near_.link_up() ? mode : std::nullopt);
  if (up_ && !near_.link_up()) {
    for (const auto& filter : filters_) filter->link_lost();
  }
  up_ = near_.link_up();
}

/// Takes frames when their first bit comes, so that until then they are the cable's: to be
/// recalled, or lost with the link.
void FilterBox::fetch(Way way) {
  CableEndIf& source = source_of(way);
  const Time now = sc_now();
  while (const Arrival* const next = source.next(now)) {
    if (next->first_bit > now) {
      due_[index_of(way)].notify(to_sc(next->first_bit - now));
      return;
    }
    enter(way, source.take().frame);
  }
}

void FilterBox::enter(Way way, FramePtr frame) {
  if (filters_.empty()) return leave(way, std::move(frame));
  (way == Way::kIn ? filters_.back() : filters_.front())->take(way, std::move(frame));
}

/// The sender kept the gap between frames; what filters have added or moved keeps it now.
void FilterBox::leave(Way way, FramePtr frame) {
  CableEndIf& target = target_of(way);
  const Time now = sc_now();
  target.send(std::move(frame), now, target.busy_until() > now ? kInterFrameGapBytes : 0);
}

bool FilterBox::idle() const {
  return cable_.end(0).in_flight() == 0 && cable_.end(1).in_flight() == 0 &&
         std::all_of(filters_.begin(), filters_.end(),
                     [](const auto& filter) { return filter->idle(); });
}

std::map<std::string, std::uint64_t> FilterBox::losses() const {
  std::map<std::string, std::uint64_t> all;
  for (const auto& filter : filters_) {
    for (const auto& [reason, frames] : filter->losses()) {
      if (frames != 0) all[reason] += frames;
    }
  }
  const std::uint64_t no_link =
      cable_.statistics(0).lost_no_link + cable_.statistics(1).lost_no_link;
  if (no_link != 0) all["cable_no_link"] += no_link;
  return all;
}

void ProbeFilter::take(Way way, FramePtr frame) {
  if (ways_.has(way) && passing.armed()) {
    const Time now = sc_now();
    passing.emit({frame.get(), now, now + serialisation(frame->wire_bytes(), speed()),
                  way == Way::kOut ? inner_end_ : 1 - inner_end_});
  }
  pass_on(way, std::move(frame));
}

}  // namespace e1000tlm::link
