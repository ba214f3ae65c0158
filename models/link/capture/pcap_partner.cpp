#include "e1000tlm/link/capture/pcap_partner.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::link {
namespace {

constexpr double kLargestScale = 1e9;
constexpr std::uint64_t kMostPasses = 1'000'000'000;
constexpr const char* kReport = "/e1000tlm/link/pcap";
constexpr const char* kStandardStream = "-";

Pace parse_pace(const PartnerSpec& spec) {
  try {
    return Pace::parse(spec.find("pace").value_or("recorded"));
  } catch (const std::invalid_argument& error) {
    spec.reject("pace", error.what());
  }
}

double parse_scale(const PartnerSpec& spec) {
  const auto text = spec.find("scale");
  if (!text) return 1;
  std::size_t used = 0;
  double value = 0;
  try {
    value = std::stod(*text, &used);
  } catch (const std::logic_error&) {  // no number, or none that a double can hold: see below
  }
  if (used != text->size() || !(value >= 1 / kLargestScale) || value > kLargestScale) {
    spec.reject("scale", "is not a number from 1e-9 to 1e9");
  }
  return value;
}

std::uint64_t highest_speed(const Abilities& a) {
  const Speed speed = a.full_1000 || a.half_1000 ? Speed::k1000
                      : a.full_100 || a.half_100 ? Speed::k100
                                                 : Speed::k10;
  return bits_per_second(speed);
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  return a != kStandardStream && b != kStandardStream && std::filesystem::equivalent(a, b, error) &&
         !error;
}

std::unique_ptr<Replay> open_replay(const PartnerSpec& spec, const Pace& pace, double scale,
                                    std::uint64_t passes, StopReading stop) {
  PcapReader::Options options;
  options.with_fcs = spec.choice("fcs", {"no", "yes"}, 0) == 1;
  options.timed = pace.kind == Pace::Kind::kRecorded;
  auto capture = std::make_unique<PcapReader>(spec.require("in"), options, std::move(stop));
  if (passes > 1 && !capture->can_rewind()) {
    spec.reject("loop", "needs a file; " + spec.require("in") + " is a pipe and can be read once");
  }
  auto replay = std::make_unique<Replay>(std::move(capture), pace, scale, passes);
  replay->look_ahead();
  return replay;
}

}  // namespace

PcapPartner::Setup::Setup(const std::string& name, const PartnerSpec& spec, StopReading stop)
    : pace(parse_pace(spec)),
      scale(parse_scale(spec)),
      passes(spec.number("loop", 1, 1, kMostPasses)) {
  const auto in = spec.find("in");
  const auto out = spec.find("out");
  const std::uint64_t speed = highest_speed(abilities_from(spec));
  if (spec.options.count("scale") != 0 && pace.kind != Pace::Kind::kRecorded) {
    spec.reject("scale", "only goes with pace=recorded");
  }
  if (in || !out) {
    reading = FileLock("capture file", spec.require("in"), FileLock::Use::kRead);
    replay = open_replay(spec, pace, scale, passes, std::move(stop));
  } else {
    spec.choice("fcs", {"no", "yes"}, 0);
  }
  if (out) {
    const std::string path = spec.require("out");
    if (in && same_file(*in, path)) spec.reject("out", "is the file that in= names");
    writer = std::make_unique<PcapngWriter>(
        path, PcapngWriter::Interface{name, "wire of the NIC facing " + name, speed});
  }
}

PcapPartner::Gate::Gate(const sc_core::sc_module_name& name, PcapPartner& owner, Time flush)
    : ReadyGate(name, owner.end_, flush), owner_(owner) {}

PcapPartner::Gate::~Gate() = default;

PcapPartner::PcapPartner(const sc_core::sc_module_name& name, CableEndIf& end,
                         const PartnerSpec& spec, Time hold_flush, StopReading stop)
    : PcapPartner(name, end, spec, hold_flush,
                  Setup(static_cast<const char*>(name), spec, std::move(stop))) {}

PcapPartner::PcapPartner(const sc_core::sc_module_name& name, CableEndIf& end,
                         const PartnerSpec& spec, Time hold_flush, Setup setup)
    : LinkPartner(name, end, spec),
      setup_(std::move(setup)),
      gate_("gate", *this, hold_flush),
      send_event_("send_event") {
  if (setup_.writer) {
    output_ = std::make_unique<WireCapture>(std::move(setup_.writer), end.wire(), 1 - end.index());
  }
  if (setup_.replay) {
    after_reading();
    end.set_source(this);
    SC_HAS_PROCESS(PcapPartner);
    SC_METHOD(send_in_time);
    sensitive << send_event_ << pause_.changed_event();
    dont_initialize();
  }
  end.set_sink(this);
}

PcapPartner::~PcapPartner() {
  try {
    finish();
  } catch (const std::runtime_error&) {  // reported to whoever called finish() before
  }
}

bool PcapPartner::exhausted() const { return finished() && end_.in_flight() == 0; }

bool PcapPartner::finished() const {
  return !setup_.replay || setup_.replay->finished() || interrupted_ || !fault_.empty();
}

std::vector<std::string> PcapPartner::warnings() const {
  if (!setup_.replay) return {};
  const PcapReader& capture = setup_.replay->capture();
  std::vector<std::string> result;
  for (const std::string& sentence : capture.notes().sentences()) {
    result.push_back(capture.name() + ": " + sentence);
  }
  return result;
}

void PcapPartner::warn() {
  if (std::exchange(warned_, true)) return;
  for (const std::string& text : warnings()) SC_REPORT_WARNING(kReport, text.c_str());
}

void PcapPartner::finish() {
  warn();
  // A frame whose time lies beyond the end of the run has not been sent.
  const bool recalled = end_.recall() > 0;
  if (recalled) unsend();
  if (output_) output_->finish(recalled ? last_start_ : kTimeNever);
}

/// The frame sent last will be sent again, or never.
void PcapPartner::unsend() {
  setup_.replay->take_back();
  --statistics_.frames_to_nic;
  statistics_.bytes_to_nic -= last_size_;
}

/// Reads on unless the next frame is there. False: there is none, or none yet.
bool PcapPartner::fetch() {
  if (setup_.replay->ready()) return true;
  if (finished()) return false;
  bool found = false;
  try {
    found = setup_.replay->fetch();
  } catch (const ReadInterrupted& error) {
    interrupted_ = true;
    end_early(setup_.replay->capture().name() + ": waiting for more was " + error.what());
  } catch (const std::runtime_error& error) {
    fault_ = error.what();
    end_early(fault_);
  }
  after_reading();
  return found;
}

void PcapPartner::end_early(const std::string& reason) {
  SC_REPORT_WARNING(kReport, (reason + "; the replay ends here").c_str());
}

void PcapPartner::after_reading() {
  const PcapReader& capture = setup_.replay->capture();
  if (capture.oversized() > oversized_) {
    statistics_.drops["oversized"] = oversized_ = capture.oversized();
  }
  if (capture.complete()) warn();
}

void PcapPartner::receive(Arrival arrival) {
  count_from_nic(*arrival.frame);
  pause_.take(arrival);
}

bool PcapPartner::take_back(Time last_bit, std::size_t size) {
  uncount_from_nic(size);
  pause_.take_back(last_bit);
  return true;
}

void PcapPartner::refill(Time) {
  if (started_ && gate_.open() && !finished() && !pause_.obeying()) send_next();
}

/// Of the frame that has been fetched.
Time PcapPartner::next_start() const {
  const Time gap = byte_time(end_.speed()) * static_cast<std::int64_t>(kInterFrameGapBytes);
  return pause_.allowed(
      std::max({origin_ + setup_.replay->due(), not_before_, end_.busy_until() + gap, sc_now()}));
}

void PcapPartner::send_in_time() {
  send_event_.cancel();
  if (!pause_.obeying() || !started_ || !gate_.open()) return;
  while (fetch()) {
    const Time start = next_start();
    if (start > sc_now()) {
      send_event_.notify(to_sc(start - sc_now()));
      return;
    }
    not_before_ = start;  // what is overdue has not started all the same
    send_next();
  }
}

void PcapPartner::pause() {
  if (!setup_.replay) return;
  paused_at_ = sc_now();
}

/// The link went while the frame sent last was still waiting for its time: it will be sent again.
bool PcapPartner::take_back() {
  unsend();
  return true;
}

void PcapPartner::resume() {
  if (!setup_.replay) return;
  const Time now = sc_now();
  origin_ = started_ ? origin_ + (now - paused_at_) : now;
  started_ = true;
  not_before_ = now;
  if (pause_.obeying()) {
    send_event_.notify(sc_core::SC_ZERO_TIME);
  } else if (!finished() && end_.in_flight() == 0) {
    send_next();
  }
}

void PcapPartner::send_next() {
  if (!fetch()) return;
  Replay& replay = *setup_.replay;
  const FramePtr& frame = replay.frame();
  last_size_ = frame->size();
  count_to_nic(*frame);
  const Time done = end_.send(frame, std::max(origin_ + replay.due(), not_before_));
  last_start_ = done - serialisation(last_size_ + kFcsBytes, end_.speed());
  replay.sent(done - origin_, last_size_ + kFcsBytes);
  // What is not waited for is read at once: so it is known when the last frame has been sent.
  if (replay.capture().can_rewind()) fetch();
}

PartnerRegistry::Kind pcap_kind() {
  return {
      "replays in=FILE (pcap, pcapng, also packed by gzip, xz, zstd) at pace=recorded|line|RATE "
      "(scale=F, loop=N, fcs=yes|no), records both directions to out=FILE; - is standard input or "
      "output",
      {"in", "out", "pace", "scale", "loop", "fcs"},
      [](const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec) {
        return std::make_unique<PcapPartner>(context.name.c_str(), end, spec, context.hold_flush,
                                             context.stop);
      }};
}

}  // namespace e1000tlm::link
