#pragma once
/// A bad line: Impairment in simulated time.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <systemc>

#include "e1000tlm/link/filter/filter_box.h"
#include "e1000tlm/link/filter/impairment.h"

namespace e1000tlm::link {

/// Loses, damages, doubles, reorders and delays frames; see ImpairConfig. Both ways are configured
/// alike but have chance and queues of their own; give a box two of these for ways that differ.
class ImpairFilter final : public sc_core::sc_module, public LineFilter {
 public:
  /// Held back at most, each way; more are lost (ImpairLoss::kOverflow).
  static constexpr std::size_t kMostHeldBytes = std::size_t{256} << 20;

  /// Throws std::invalid_argument naming the value that is out of its range.
  ImpairFilter(const sc_core::sc_module_name& name, Ways ways, const ImpairConfig& config);
  ~ImpairFilter() override;

  /// For frames whose first bit comes from now on. Throws as the constructor does.
  void change(const ImpairConfig& config);
  /// As last given.
  const ImpairConfig& config() const { return lines_[0].impairment.config(); }
  /// Which ways it works on.
  Ways ways() const { return ways_; }
  /// So far.
  const ImpairStatistics& statistics(Way way) const {
    return lines_[index_of(way)].impairment.statistics();
  }

  void take(Way way, FramePtr frame) override;
  bool idle() const override;
  void link_lost() override;
  std::map<std::string, std::uint64_t> losses() const override;

 private:
  struct Held {
    FramePtr frame;
    bool moved;  // keeps the gap to the frame before
  };
  /// Waits until others have overtaken it.
  struct Aside {
    FramePtr frame;
    unsigned others;
    Time latest;
  };
  struct Line {
    Line(const ImpairConfig& config, unsigned stream) : impairment(config, stream) {}
    Impairment impairment;
    std::multimap<Time, Held> held;  // by start; equal ones as they came
    std::vector<Aside> aside;
    std::size_t held_bytes = 0;
    Time busy{};  // last bit sent
    sc_core::sc_event due{sc_core::sc_gen_unique_name("due")};
  };

  void hold(Line& line, Time start, FramePtr frame, bool moved);
  void overtake(Line& line, Time start);
  void release_in() { release(Way::kIn); }
  void release_out() { release(Way::kOut); }
  void release(Way way);
  void give_up_waiting(Line& line);
  void plan(Line& line);

  Ways ways_;
  ForWays<Line> lines_;
};

}  // namespace e1000tlm::link
