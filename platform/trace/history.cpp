#include "e1000tlm/trace/history.h"

#include <algorithm>
#include <cstdio>

#include "e1000tlm/e1000/registers/registers.h"

namespace e1000tlm::trace {
namespace {

constexpr std::uint32_t kPreambleAndGap = 8 + 12;
constexpr std::size_t kMostLinkChanges = 50;
/// A resource that is busy for more of the time is what limits the run.
constexpr double kFull = 0.9;

double share(Time part, Time whole) {
  return whole > kTimeZero ? static_cast<double>(part.count()) / static_cast<double>(whole.count())
                           : 0;
}

std::string percent(double value) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.1f %%", 100 * value);
  return text.data();
}

}  // namespace

double Series::merged(double a, double b) const {
  return merge_ == Merge::kSum ? a + b : std::max(a, b);
}

void Series::halve() {
  for (std::size_t i = 0; i < values_.size(); i += 2) {
    values_[i / 2] = i + 1 < values_.size() ? merged(values_[i], values_[i + 1]) : values_[i];
  }
  values_.resize((values_.size() + 1) / 2);
  width_ *= 2;
}

void Series::widen(Time width) {
  while (width_ < width) halve();
}

void Series::add(Time at, double value) {
  if (at < kTimeZero) return;
  while (static_cast<std::size_t>(at / width_) >= kMost) halve();
  const auto place = static_cast<std::size_t>(at / width_);
  if (values_.size() <= place) values_.resize(place + 1, merge_ == Merge::kMost ? level_ : 0);
  values_[place] = merged(values_[place], value);
  level_ = value;
}

void Series::add_span(Time at, Time end) {
  while (at < end) {
    // Longer intervals, if that is what it takes to hold the end.
    add(end - Time{1}, 0);
    const Time next = std::min(end, (at / width_ + 1) * width_);
    add(at, static_cast<double>((next - at).count()));
    at = next;
  }
}

void History::operator()(const Event& event) {
  if (event.nic != kNoNic) nics = std::max(nics, event.nic + 1U);
  boards = std::max(boards, event.board + 1U);
  if (event.kind == Kind::kWireIn || event.kind == Kind::kWireOut) wire(event);
  if (event.kind == Kind::kInterrupt) interrupt(event);
  if (origin_ == kTimeNever || event.at < origin_) return;
  if (event.kind != Kind::kWireIn && event.kind != Kind::kTransmitFifo)
    latest_ = std::max(latest_, event.end);
  const Time at = event.at - origin_;
  switch (event.kind) {
    case Kind::kBus: access(event); break;
    case Kind::kDrop: {
      const auto reason = std::string(drop_name(event.code));
      drops[reason].add(at, 1);
      break;
    }
    case Kind::kFifo: fifo.add(at, event.bytes); break;
    case Kind::kTransmitFifo:
      if (event.code == 0) transmit_fifo.add(at, event.bytes);
      break;
    case Kind::kRing: rings.at(event.code).add(at, event.bytes); break;
    default: break;
  }
}

void History::wire(const Event& event) {
  if (origin_ == kTimeNever) origin_ = event.at;
  const bool out = event.kind == Kind::kWireOut;
  const double bits = 8.0 * (event.bytes + kPreambleAndGap);
  (out ? wire_out : wire_in).add(event.at - origin_, bits);
  const Time byte = (event.end - event.at) / (static_cast<std::int64_t>(event.bytes) + 8);
  wire_busy[event.nic].at(out ? 1 : 0) += event.end - event.at + byte * 12;
  const auto place = std::lower_bound(kSizeClasses.begin(), kSizeClasses.end(), event.bytes);
  ++sizes.at(out ? 1 : 0).at(static_cast<std::size_t>(place - kSizeClasses.begin()));
}

void History::interrupt(const Event& event) {
  if (event.code == 0) return;
  const auto causes_now = static_cast<std::uint32_t>(event.value);
  const bool line = event.code != kQueueInterrupt;
  if (line && (causes_now & e1000::cause::kLsc) != 0 && link_changes.size() < kMostLinkChanges) {
    link_changes.emplace_back(event.at, event.nic);
  }
  if (origin_ == kTimeNever || event.at < origin_) return;
  interrupts.add(event.at - origin_, 1);
  ++causes[interrupt_name(event)];
}

void History::access(const Event& event) {
  bus.add_span(std::max(event.end - event.busy, origin_) - origin_, event.end - origin_);
  bus_busy[event.board] += event.busy;
  BusShare& row = shares[{event.nic, event.command, event.use}];
  ++row.accesses;
  row.bytes += event.bytes;
  row.busy += event.end - event.at;
}

void History::operator()(const FramePath& path) {
  Attribution& into = latency.at(path.inbound ? 0 : 1);
  const Time whole = path.end - path.begin;
  into.total.record(static_cast<std::uint64_t>(whole.count()));
  std::size_t step = 0;
  while (step + 1 < into.doublings.size() && whole > ns(1) * (std::int64_t{1} << step)) ++step;
  ++into.doublings.at(step);
  for (std::size_t i = 0; i < into.parts.size(); ++i) {
    into.parts.at(i).record(static_cast<std::uint64_t>(path.parts.at(i).count()));
    into.sums.at(i) += path.parts.at(i);
  }
}

std::string bottleneck(const History& history) {
  if (history.origin() == kTimeNever) return "There was no traffic.";
  const Time span = history.latest() - history.origin();
  double wire = 0;
  unsigned nic = 0;
  bool out = false;
  for (const auto& [number, busy] : history.wire_busy) {
    for (const bool direction : {false, true}) {
      const double use = share(busy.at(direction ? 1 : 0), span);
      if (use > wire) {
        wire = use;
        nic = number;
        out = direction;
      }
    }
  }
  double bus = 0;
  unsigned board = 0;
  for (const auto& [number, busy] : history.bus_busy) {
    if (share(busy, span) <= bus) continue;
    bus = share(busy, span);
    board = number;
  }
  const std::string wire_text = "the wire " + std::string(out ? "from" : "to") + " NIC " +
                                std::to_string(nic) + " was busy for " + percent(wire);
  const std::string bus_text = "the PCI bus" +
                               (history.boards > 1 ? " of board " + std::to_string(board) : "") +
                               " was busy for " + percent(bus);
  // Gaps of a few frames at both ends of the run keep a full wire below 100 %.
  if (wire >= kFull && wire >= bus) return "The wire bounds throughput: " + wire_text + ".";
  if (bus >= kFull) return "The PCI bus bounds throughput: " + bus_text + ", " + wire_text + ".";
  const Attribution& in = history.latency[0];
  const Attribution& from = history.latency[1];
  const Attribution& most = in.total.count() >= from.total.count() ? in : from;
  if (most.total.count() == 0) return "Nothing is full: " + wire_text + ", " + bus_text + ".";
  Time sum{};
  std::size_t longest = 1;  // the wire is no wait
  for (std::size_t i = 0; i < most.sums.size(); ++i) {
    sum += most.sums.at(i);
    if (i > 0 && most.sums.at(i) > most.sums.at(longest)) longest = i;
  }
  return "Nothing is full (" + wire_text + ", " + bus_text + "): frames wait longest for " +
         std::string(kPartNames.at(longest)) + ", " + percent(share(most.sums.at(longest), sum)) +
         " of the time of frames " + (&most == &in ? "received" : "sent") + ".";
}

}  // namespace e1000tlm::trace
