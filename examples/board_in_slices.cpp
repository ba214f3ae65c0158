/// A whole board (processor, memory, PCI bus, two adapters, native drivers) inside a simulation of
/// one's own, which runs in slices of time and has a link partner of its own kind on the cables.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <utility>

#include <systemc>

#include "e1000tlm/board/board.h"
#include "e1000tlm/link/host/builtin_partners.h"

using namespace e1000tlm;  // NOLINT(google-build-using-namespace): an example

namespace {

/// A link partner: gives each frame back to its sender, addresses exchanged, a microsecond after it
/// has arrived.
class Swap final : public link::LinkPartner, private link::FrameSink {
 public:
  Swap(const link::PartnerContext& context, link::CableEndIf& end, const link::PartnerSpec& spec)
      : LinkPartner(context.name.c_str(), end, spec) {
    end_.set_sink(this);
  }

 private:
  /// Called in the sender's process as soon as the frame's times are known.
  void receive(link::Arrival arrival) override {
    count_from_nic(*arrival.frame);
    link::FramePtr copy = link::FramePool::shared().copy(arrival.frame->bytes());
    std::swap_ranges(copy->data(), copy->data() + 6, copy->data() + 6);
    count_to_nic(*copy);
    end_.send(std::move(copy), arrival.last_bit + us(1));
  }
  /// A pulled plug has cut the frame off before its last bit: nor does anything come back.
  bool take_back(Time, std::size_t size) override {
    if (end_.recall(1) == 0) return false;
    uncount_from_nic(size);
    --statistics_.frames_to_nic;
    statistics_.bytes_to_nic -= size;
    return true;
  }
};

/// Something else that the simulation is about.
class Heartbeat : public sc_core::sc_module {
 public:
  explicit Heartbeat(const sc_core::sc_module_name& name) : sc_module(name) {
    SC_HAS_PROCESS(Heartbeat);
    SC_METHOD(beat);
  }
  unsigned beats = 0;

 private:
  void beat() {
    ++beats;
    next_trigger(10, sc_core::SC_MS);
  }
};

}  // namespace

int sc_main(int, char**) {
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  link::PartnerRegistry partners = link::builtin_partners();
  partners.add("swap", {"gives each frame back to its sender",
                        {},
                        [](const link::PartnerContext& context, link::CableEndIf& end,
                           const link::PartnerSpec& spec) -> std::unique_ptr<link::LinkPartner> {
                          return std::make_unique<Swap>(context, end, spec);
                        }});

  platform::BoardConfig config;
  config.nics.resize(2);
  config.links = {"swap", "swap:speed=100"};
  config.app = platform::AppChoice::kGenerate;
  config.frames = 100;
  config.lookahead = kTimeZero;  // the kernel is told to stop after a time: see set_lookahead()
  platform::Board board("board", config, std::move(partners));
  Heartbeat heartbeat("heartbeat");

  unsigned slices = 0;
  while (sc_core::sc_get_status() != sc_core::SC_STOPPED) {
    sc_core::sc_start(1, sc_core::SC_MS);
    ++slices;
  }
  board.finish();
  const platform::RunSummary summary = board.summary();
  std::printf("%u slices, %u beats, ended by: %s\n", slices, heartbeat.beats,
              summary.ended_by.c_str());
  bool fine = summary.failures.empty() && summary.nics.size() == 2;
  for (const platform::NicSummary& nic : summary.nics) {
    std::printf("%s: %llu frames out, %llu in\n", nic.link.c_str(),
                static_cast<unsigned long long>(nic.wire_out.frames),
                static_cast<unsigned long long>(nic.driver_in.frames));
    fine = fine && nic.driver_in.frames == 100;
  }
  return fine ? 0 : 1;
}
