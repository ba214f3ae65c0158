#include "e1000tlm/link/filter/divert_filter.h"

#include <memory>
#include <utility>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::link {

class DivertFilter::Port final : public LinkPartner {
 public:
  Port(const sc_core::sc_module_name& name, CableEndIf& end) : LinkPartner(name, end) {}
};

DivertFilter::DivertFilter(const sc_core::sc_module_name& name, Ways ways, Divert what)
    : sc_module(name),
      ways_(ways),
      what_(what),
      cable_("cable", CableConfig{kTimeZero}),
      port_(std::make_unique<Port>("port", cable_.end(0))) {
  SC_HAS_PROCESS(DivertFilter);
  SC_METHOD(fetch);
  sensitive << cable_.end(0).arrival_event() << cable_.end(0).change_event() << due_;
}

DivertFilter::~DivertFilter() = default;

void DivertFilter::take(Way way, FramePtr frame) {
  if (!ways_.has(way)) return pass_on(way, std::move(frame));
  CableEndIf& branch = cable_.end(0);
  const Time now = sc_now();
  branch.send(frame, now, branch.busy_until() > now ? kInterFrameGapBytes : 0);
  if (what_ == Divert::kMirror) pass_on(way, std::move(frame));
}

void DivertFilter::fetch() {
  CableEndIf& branch = cable_.end(0);
  const Time now = sc_now();
  while (const Arrival* const next = branch.next(now)) {
    if (next->first_bit > now) {
      due_.notify(to_sc(next->first_bit - now));
      return;
    }
    FramePtr frame = branch.take().frame;
    if (what_ == Divert::kMirror) {
      ++returned_;
    } else {
      pass_on(ways_.in ? Way::kIn : Way::kOut, std::move(frame));
    }
  }
}

bool DivertFilter::idle() const {
  return cable_.end(0).in_flight() == 0 && cable_.end(1).in_flight() == 0;
}

std::map<std::string, std::uint64_t> DivertFilter::losses() const {
  return {{"branch_no_link", cable_.statistics(0).lost_no_link + cable_.statistics(1).lost_no_link},
          {"mirror_returned", returned_}};
}

}  // namespace e1000tlm::link
