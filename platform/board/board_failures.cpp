/// Whether what a run came to is all right.
#include <algorithm>
#include <string>
#include <vector>

#include "e1000tlm/board/board.h"
#include "e1000tlm/traffic/units.h"

namespace e1000tlm::platform {
namespace {

void add_losses(const std::string& who, const std::map<std::string, std::uint64_t>& lost,
                std::vector<std::string>& failures) {
  for (const auto& [reason, frames] : lost) {
    failures.push_back(who + traffic::format_count(frames) + " frames lost: " + reason +
                       " (--strict)");
  }
}

/// Every loss, whatever it follows from.
void check_losses(const RunSummary& summary, std::vector<std::string>& failures) {
  for (std::size_t i = 0; i < summary.nics.size(); ++i) {
    add_losses("nic " + std::to_string(i) + ": ", summary.nics[i].lost, failures);
  }
  for (const SwitchSummary& s : summary.switches) {
    for (std::size_t i = 0; i < s.ports.size(); ++i) {
      add_losses("switch " + s.name + ", port " + std::to_string(i) + ": ", s.ports[i].lost,
                 failures);
    }
  }
  for (std::size_t i = 0; i < summary.streams.size(); ++i) {
    if (summary.streams[i].lost == 0) continue;
    failures.push_back("stream " + std::to_string(i) + ": " +
                       traffic::format_count(summary.streams[i].lost) + " frames lost (--strict)");
  }
}

/// What becomes of the queues that have no partner; empty: all have one, or there are no several.
std::string queues_without_partner(unsigned pairs, unsigned queues) {
  if (pairs == 1 || queues == 1 || pairs == queues) return {};
  const std::string text = "its " + std::to_string(pairs) + " pairs of queues are on a link with " +
                           std::to_string(queues) + " queues: ";
  if (pairs > queues) {
    return text + "frames of pairs from " + std::to_string(queues) +
           " on leave by the queue of their flow";
  }
  return text + "frames that come by queues from " + std::to_string(pairs) +
         " on go to the pair of their flow";
}

}  // namespace

void Board::check_nic(const RunSummary& summary, std::size_t index,
                      std::vector<std::string>& failures) const {
  const NicSummary& n = summary.nics[index];
  const std::string who = "nic " + std::to_string(index) + ": ";
  if (config_.app == AppChoice::kSelfTest) {
    if (!n.self_test || !n.self_test->passed()) {
      failures.push_back(who + "self-test " + (n.self_test ? "failed" : "did not end"));
    }
    return;  // frames from outside are lost in resets and end in the rings of the tests
  }
  if (n.ping && !n.ping->passed()) {
    failures.push_back(who + "ping: " +
                       (!n.ping->failure.empty() ? n.ping->failure
                        : n.ping->sent == 0      ? std::string("did not end")
                                                 : std::to_string(n.ping->sent - n.ping->received) +
                                                  " echo requests were not answered"));
  }
  for (const CardDrop& drop : nics_[index]->card().drops()) {
    if (drop.frames == 0 || drop.kind != DropKind::kFault) continue;
    std::string text = who;
    failures.push_back(text.append(traffic::format_count(drop.frames))
                           .append(" frames lost: ")
                           .append(drop.reason));
  }
  const std::string fault = nics_[index]->card().fault();
  if (!fault.empty()) failures.push_back(who + "needs a reset: " + fault);
  if (const driver::Nic* const nic = driven(index); nic && nic->counters().tx_too_long != 0) {
    failures.push_back(
        who + traffic::format_count(nic->counters().tx_too_long) +
        " frames were not sent, as they are longer than its MTU allows; give --nic a "
        "larger mtu=, or none");
  }
  if (!done()) return;                                   // frames are still on their way
  if (nics_[index]->card().carried_by_others()) return;  // nobody has seen them come in
  const std::uint64_t known = n.accounted();
  if (n.wire_in.frames != known) {
    failures.push_back(who + traffic::format_count(n.wire_in.frames) + " frames came in, " +
                       traffic::format_count(n.driver_in.frames) + " reached the driver, " +
                       traffic::format_count(known - n.driver_in.frames) + " are counted as lost");
  }
  const bool lanes = config_.app == AppChoice::kReflect || config_.app == AppChoice::kForward;
  const std::size_t out = config_.app == AppChoice::kForward ? index ^ 1U : index;
  if (lanes && summary.nics[out].driver_out.frames != n.driver_in.frames) {
    failures.push_back(who + traffic::format_count(n.driver_in.frames) + " frames were taken but " +
                       traffic::format_count(summary.nics[out].driver_out.frames) + " sent on");
  }
}

/// Filters have reordered, doubled or damaged frames, as they were told to.
bool Board::network_disturbed() const {
  const auto disturbs = [](const auto& end) {
    return end->filters() != nullptr && end->filters()->disturbs();
  };
  return std::any_of(nics_.begin(), nics_.end(), disturbs) ||
         std::any_of(network_.outlets().begin(), network_.outlets().end(), disturbs);
}

void Board::check_streams(const RunSummary& summary, std::vector<std::string>& failures) const {
  const std::uint64_t explained = summary.losses();
  for (std::size_t i = 0; i < summary.streams.size(); ++i) {
    const StreamSummary& s = summary.streams[i];
    const std::string who = "stream " + std::to_string(i) + ": ";
    if (s.corrupt + s.duplicates + s.reordered > 0 && !network_disturbed()) {
      failures.push_back(who + "frames came back corrupt, twice or out of order");
    }
    const bool returns = s.received > 0 || nics_[i]->link_spec().kind == "loopback";
    if (returns && done() && s.lost > explained) {
      failures.push_back(who + traffic::format_count(s.lost) + " frames did not come back");
    }
  }
}

/// A link that goes away for good is a fault, unless all was done by then.
void Board::check_links(const RunSummary& summary, std::vector<std::string>& failures) const {
  const bool lossless = std::all_of(summary.nics.begin(), summary.nics.end(),
                                    [](const NicSummary& n) { return n.lost.empty(); });
  const bool complete = lossless && native() && has_task() && ready() && done() && missing() == 0;
  if (complete) return;
  for (std::size_t i = 0; i < nics_.size(); ++i) {
    const std::string fault = nics_[i]->partner().fault();
    if (fault.empty()) continue;
    failures.push_back("nic " + std::to_string(i) + ": " + summary.nics[i].link + ": " + fault);
  }
  for (const auto& outlet : network_.outlets()) {
    const std::string fault = outlet->partner().fault();
    if (!fault.empty()) failures.push_back(outlet->text() + ": " + fault);
  }
}

void Board::check_driver(const RunSummary& summary, std::vector<std::string>& failures) const {
  const std::string error = driver_error();
  if (!error.empty()) failures.push_back(error);
  if (!ready()) {
    if (error.empty()) failures.emplace_back("ended before the driver was ready");
    return;
  }
  if (supervisor_->stalled())
    failures.emplace_back("nothing happens any more, but traffic is left");
  for (std::size_t i = 0; i < summary.nics.size(); ++i) check_nic(summary, i, failures);
  check_streams(summary, failures);
}

void Board::find_warnings(RunSummary& summary) const {
  constexpr std::uint32_t kMostFrameBytes = 16114;
  const auto add = [&](const std::string& who, const link::LinkPartner& partner) {
    for (const std::string& text : partner.warnings()) summary.warnings.push_back(who + text);
  };
  for (std::size_t i = 0; i < nics_.size(); ++i) {
    const std::string who = "nic " + std::to_string(i) + ": ";
    add(who, nics_[i]->partner());
    const std::string queues =
        queues_without_partner(nics_[i]->card().queue_pairs(), nics_[i]->partner().queues());
    if (!queues.empty()) summary.warnings.push_back(who + queues);
    const std::string fault = nics_[i]->card().fault();
    if (!native() && !fault.empty()) summary.warnings.push_back(who + "needs a reset: " + fault);
    if (!native() || config_.max_frame_bytes >= kMostFrameBytes) continue;
    for (const CardDrop& drop : nics_[i]->card().drops()) {
      if (drop.frames == 0 || drop.kind != DropKind::kTooLong) continue;
      std::string text = who + traffic::format_count(drop.frames) + " frames lost as ";
      summary.warnings.push_back(
          text.append(drop.reason)
              .append(" were longer than ")
              .append(std::to_string(config_.max_frame_bytes))
              .append(" bytes with FCS, the longest that the driver receives; --max-frame (up to ")
              .append(std::to_string(kMostFrameBytes))
              .append(") lets it take more"));
    }
  }
  for (const auto& outlet : network_.outlets()) add(outlet->text() + ": ", outlet->partner());
}

void Board::find_failures(RunSummary& summary) const {
  summary.failures = unwritten_;
  check_links(summary, summary.failures);
  if (native()) check_driver(summary, summary.failures);
  if (config_.strict) check_losses(summary, summary.failures);
}

}  // namespace e1000tlm::platform
