#pragma once
/// A box in the middle of a cable, and what may be in it.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <systemc>

#include "e1000tlm/link/cable.h"
#include "e1000tlm/link/filter/ways.h"
#include "e1000tlm/tlm/probe.h"

namespace e1000tlm::link {

/// One device in the line. Frames come to it when their first bit does, in simulated time; it
/// passes them on at once or later.
class LineFilter {
 public:
  virtual ~LineFilter() = default;

  /// A frame whose first bit comes now. Must not wait.
  virtual void take(Way way, FramePtr frame) = 0;
  /// It holds no frame back.
  virtual bool idle() const { return true; }
  /// The link has gone: what it holds back is lost.
  virtual void link_lost() {}
  /// Frames lost here, by reason.
  virtual std::map<std::string, std::uint64_t> losses() const { return {}; }

 protected:
  /// To the next device. The frame's first bit goes now.
  void pass_on(Way way, FramePtr frame) { onward_[index_of(way)](std::move(frame)); }
  /// The speed of the line.
  Speed speed() const { return line_->speed(); }

 private:
  friend class FilterBox;
  ForWays<std::function<void(FramePtr)>> onward_;
  const CableEndIf* line_ = nullptr;
};

/// Stands between one end of a cable and the link partner that would be there. Without filters
/// nothing changes: negotiation, readiness, frames and all times are as before. Frames from the
/// adapter meet the filters in the order of add(), frames to it the other way round: the first one
/// stands nearest to the adapter.
///
///   Cable cable("cable");
///   FilterBox box("box", cable.end(1));
///   auto& bad = box.add(std::make_unique<ImpairFilter>("impair", ways, config));
///   NullPartner partner("partner", box.outer());
class FilterBox : public sc_core::sc_module {
 public:
  /// `inner`: the end of the adapter's cable; must outlive the box.
  FilterBox(const sc_core::sc_module_name& name, CableEndIf& inner);
  ~FilterBox() override;

  /// Before simulation starts.
  template <class Filter>
  Filter& add(std::unique_ptr<Filter> filter) {
    Filter& added = *filter;
    insert(std::move(filter));
    return added;
  }

  /// What the partner is to be connected to.
  CableEndIf& outer() { return cable_.end(1); }
  /// No frame is between the adapter's cable and the partner.
  bool idle() const;
  /// Frames lost here, by reason.
  std::map<std::string, std::uint64_t> losses() const;
  /// In the order of add().
  const std::vector<std::unique_ptr<LineFilter>>& filters() const { return filters_; }

 private:
  void insert(std::unique_ptr<LineFilter> filter);
  void relay();
  void fetch_in() { fetch(Way::kIn); }
  void fetch_out() { fetch(Way::kOut); }
  void fetch(Way way);
  void enter(Way way, FramePtr frame);
  void leave(Way way, FramePtr frame);
  CableEndIf& source_of(Way way) { return way == Way::kIn ? far_ : near_; }
  CableEndIf& target_of(Way way) { return way == Way::kIn ? near_ : far_; }

  CableEndIf& near_;
  mutable Cable cable_;  // from the box to the partner, without length
  CableEndIf& far_;
  std::vector<std::unique_ptr<LineFilter>> filters_;
  bool up_ = false;
  ForWays<sc_core::sc_event> due_{sc_core::sc_event("due_in"), sc_core::sc_event("due_out")};
};

/// Shows passing frames to whoever listens, for captures at this place of the line.
class ProbeFilter final : public LineFilter {
 public:
  /// `inner_end`: index of the adapter's end, for WireEvent::from.
  ProbeFilter(Ways ways, unsigned inner_end) : ways_(ways), inner_end_(inner_end) {}
  void take(Way way, FramePtr frame) override;

  /// Frames with their times here.
  Probe<WireEvent> passing;

 private:
  Ways ways_;
  unsigned inner_end_;
};

}  // namespace e1000tlm::link
