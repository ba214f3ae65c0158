#include "e1000tlm/link/filter/impair_filter.h"

#include <algorithm>
#include <optional>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::link {
namespace {

/// The frame with one bit inverted; others may hold the original. An FCS that was right is wrong
/// afterwards unless it is mended.
FramePtr damaged(const Frame& original, std::size_t bit, bool mend_fcs) {
  FramePtr frame = FramePool::shared().copy(original.bytes());
  frame->coding_error = original.coding_error;
  frame->tag = original.tag;
  frame->queue = original.queue;
  std::uint32_t fcs = original.fcs();
  const std::size_t byte = bit / 8;
  const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
  if (byte < frame->size()) {
    frame->data()[byte] ^= mask;
  } else {
    fcs ^= std::uint32_t{1} << (bit - frame->size() * 8);
  }
  if (!mend_fcs) frame->carry_fcs(fcs);
  return frame;
}

Time gap(Speed speed) { return byte_time(speed) * static_cast<std::int64_t>(kInterFrameGapBytes); }

}  // namespace

ImpairFilter::ImpairFilter(const sc_core::sc_module_name& name, Ways ways,
                           const ImpairConfig& config)
    : sc_module(name), ways_(ways), lines_{Line(config, 0), Line(config, 1)} {
  SC_HAS_PROCESS(ImpairFilter);
  SC_METHOD(release_in);
  sensitive << lines_[index_of(Way::kIn)].due;
  dont_initialize();
  SC_METHOD(release_out);
  sensitive << lines_[index_of(Way::kOut)].due;
  dont_initialize();
}

ImpairFilter::~ImpairFilter() = default;

void ImpairFilter::change(const ImpairConfig& config) {
  for (Line& line : lines_) line.impairment.change(config);
}

void ImpairFilter::take(Way way, FramePtr frame) {
  if (!ways_.has(way)) return pass_on(way, std::move(frame));
  Line& line = lines_[index_of(way)];
  const Time now = sc_now();
  const ImpairConfig& config = line.impairment.config();
  const Impairment::Verdict verdict = line.impairment.decide(now, frame->wire_bytes(), speed());
  if (verdict.lost) return;
  if (verdict.inverted_bit) frame = damaged(*frame, *verdict.inverted_bit, config.mend_fcs);
  if (verdict.aside) {
    if (verdict.twice) line.aside.push_back({frame, config.depth, verdict.start + config.wait});
    line.aside.push_back({std::move(frame), config.depth, verdict.start + config.wait});
  } else {
    const bool moved = verdict.start > now;
    if (verdict.twice) hold(line, verdict.start, frame, moved);
    hold(line, verdict.start, std::move(frame), moved || verdict.twice);
    overtake(line, verdict.start);
  }
  release(way);
}

void ImpairFilter::hold(Line& line, Time start, FramePtr frame, bool moved) {
  const std::size_t bytes = frame->wire_bytes();
  if (line.held_bytes + bytes > kMostHeldBytes) {
    line.impairment.lose(ImpairLoss::kOverflow);
    return;
  }
  line.held_bytes += bytes;
  line.held.emplace(start, Held{std::move(frame), moved});
}

/// Another frame goes on at this time; those that have waited for it follow.
void ImpairFilter::overtake(Line& line, Time start) {
  for (Aside& waiting : line.aside) --waiting.others;
  const auto done = std::stable_partition(line.aside.begin(), line.aside.end(),
                                          [](const Aside& a) { return a.others != 0; });
  for (auto it = done; it != line.aside.end(); ++it) hold(line, start, std::move(it->frame), true);
  line.aside.erase(done, line.aside.end());
}

void ImpairFilter::give_up_waiting(Line& line) {
  const Time now = sc_now();
  const auto late = std::stable_partition(line.aside.begin(), line.aside.end(),
                                          [&](const Aside& a) { return a.latest > now; });
  for (auto it = late; it != line.aside.end(); ++it) hold(line, now, std::move(it->frame), true);
  line.aside.erase(late, line.aside.end());
}

void ImpairFilter::release(Way way) {
  Line& line = lines_[index_of(way)];
  const Time now = sc_now();
  give_up_waiting(line);
  while (!line.held.empty() && line.held.begin()->first <= now) {
    const auto first = line.held.begin();
    if (line.busy + (first->second.moved ? gap(speed()) : kTimeZero) > now) {
      // It waits for the wire, and then keeps the gap like anything else that has been moved.
      first->second.moved = true;
      break;
    }
    FramePtr frame = std::move(first->second.frame);
    line.held.erase(first);
    line.held_bytes -= frame->wire_bytes();
    line.busy = now + serialisation(frame->wire_bytes(), speed());
    pass_on(way, std::move(frame));
  }
  plan(line);
}

void ImpairFilter::plan(Line& line) {
  Time next = kTimeNever;
  if (!line.held.empty()) {
    const auto& [start, held] = *line.held.begin();
    next = std::max(start, line.busy + (held.moved ? gap(speed()) : kTimeZero));
  }
  for (const Aside& waiting : line.aside) next = std::min(next, waiting.latest);
  if (next == kTimeNever) return;
  line.due.cancel();
  line.due.notify(to_sc(std::max(kTimeZero, next - sc_now())));
}

bool ImpairFilter::idle() const {
  return std::all_of(lines_.begin(), lines_.end(),
                     [](const Line& line) { return line.held.empty() && line.aside.empty(); });
}

void ImpairFilter::link_lost() {
  for (Line& line : lines_) {
    for (std::size_t i = line.held.size() + line.aside.size(); i != 0; --i) {
      line.impairment.lose(ImpairLoss::kLinkLost);
    }
    line.held.clear();
    line.aside.clear();
    line.held_bytes = 0;
    line.due.cancel();
  }
}

std::map<std::string, std::uint64_t> ImpairFilter::losses() const {
  std::map<std::string, std::uint64_t> all;
  for (const Line& line : lines_) {
    for (std::size_t i = 0; i < kImpairLossNames.size(); ++i) {
      all[std::string(kImpairLossNames[i])] += line.impairment.statistics().lost[i];
    }
  }
  return all;
}

}  // namespace e1000tlm::link
