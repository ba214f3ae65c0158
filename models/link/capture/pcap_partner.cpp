#include "e1000tlm/link/capture/pcap_partner.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::link {
namespace {

constexpr double kLargestScale = 1e9;
constexpr std::uint64_t kMostPasses = 1'000'000'000;
constexpr const char* kReport = "/e1000tlm/link/pcap";

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
  return std::filesystem::equivalent(a, b, error) && !error;
}

/// Stretched times must stay within what simulated time can hold.
void check_span(const PcapReader& capture, double scale, const PartnerSpec& spec) {
  constexpr Time kLongest = ms(std::int64_t{100} * 24 * 3600 * 1'000);
  for (std::size_t i = 0; i < capture.size(); ++i) {
    if (static_cast<double>(capture.offset(i).count()) / scale > kLongest.count()) {
      spec.reject("scale", "stretches the capture to more than 100 days");
    }
  }
}

void warn_about(const PcapReader& capture, const std::string& path) {
  const auto warn = [&](std::uint64_t frames, const std::string& what) {
    if (frames == 0) return;
    const std::string text = "capture file " + path + ": " + std::to_string(frames) + what;
    SC_REPORT_WARNING(kReport, text.c_str());
  };
  warn(capture.snapped(), " frames were recorded incompletely; zeros complete them");
  warn(capture.oversized(),
       " frames longer than " + std::to_string(kMaxFrameBytes) + " bytes are left out");
}

}  // namespace

PcapPartner::Setup::Setup(const std::string& name, const PartnerSpec& spec)
    : pace(parse_pace(spec)),
      scale(parse_scale(spec)),
      passes(spec.number("loop", 1, 1, kMostPasses)) {
  const auto in = spec.find("in");
  const auto out = spec.find("out");
  const std::uint64_t speed = highest_speed(abilities_from(spec));
  PcapReader::Options options;
  options.with_fcs = spec.choice("fcs", {"no", "yes"}, 0) == 1;
  if (spec.options.count("scale") != 0 && pace.kind != Pace::Kind::kRecorded) {
    spec.reject("scale", "only goes with pace=recorded");
  }
  if (in || !out) {
    reading = FileLock("capture file", spec.require("in"), FileLock::Use::kRead);
    capture.emplace(spec.require("in"), options);
    warn_about(*capture, *in);
    check_span(*capture, scale, spec);
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
                         const PartnerSpec& spec, Time hold_flush)
    : PcapPartner(name, end, spec, hold_flush, Setup(static_cast<const char*>(name), spec)) {}

PcapPartner::PcapPartner(const sc_core::sc_module_name& name, CableEndIf& end,
                         const PartnerSpec& spec, Time hold_flush, Setup setup)
    : LinkPartner(name, end, spec),
      setup_(std::move(setup)),
      gate_("gate", *this, hold_flush),
      send_event_("send_event") {
  if (setup_.writer) {
    output_ = std::make_unique<WireCapture>(std::move(setup_.writer), end.wire(), 1 - end.index());
  }
  if (setup_.capture) {
    if (setup_.capture->empty()) position_.pass = setup_.passes;
    if (setup_.capture->oversized() > 0) {
      statistics_.drops["oversized"] = setup_.capture->oversized() * setup_.passes;
    }
    position_.clock = RateClock(std::max<std::uint64_t>(1, setup_.pace.rate));
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

void PcapPartner::finish() {
  // A frame whose time lies beyond the end of the run has not been sent.
  const bool recalled = end_.recall() > 0;
  if (recalled) take_back();
  if (output_) output_->finish(recalled ? last_start_ : kTimeNever);
}

/// The frame sent last will be sent again, or never.
void PcapPartner::take_back() {
  position_ = previous_;
  --statistics_.frames_to_nic;
  statistics_.bytes_to_nic -= last_size_;
}

void PcapPartner::receive(Arrival arrival) {
  count_from_nic(*arrival.frame);
  pause_.take(arrival);
}

void PcapPartner::refill(Time) {
  if (started_ && gate_.open() && !finished() && !pause_.obeying()) send_next();
}

Time PcapPartner::next_start() const {
  const Time gap = byte_time(end_.speed()) * static_cast<std::int64_t>(kInterFrameGapBytes);
  return pause_.allowed(
      std::max({origin_ + position_.due, not_before_, end_.busy_until() + gap, sc_now()}));
}

void PcapPartner::send_in_time() {
  send_event_.cancel();
  if (!pause_.obeying() || !started_ || !gate_.open()) return;
  while (!finished()) {
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
  if (!setup_.capture) return;
  paused_at_ = sc_now();
  const std::uint64_t lost_now = end_.statistics().lost_no_link - lost_;
  lost_ += lost_now;
  if (lost_now == 0) return;
  if (last_start_ > paused_at_) {
    // The link went while this frame was still waiting for its time: it will be sent again.
    take_back();
  } else {
    statistics_.drops["link_lost"] += lost_now;
  }
}

void PcapPartner::resume() {
  if (!setup_.capture) return;
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
  FramePtr frame = make_frame();
  const Frame& sent = *frame;
  previous_ = position_;
  last_size_ = sent.size();
  count_to_nic(sent);
  // The far end may give the frame back to the pool at once, so one reference stays here.
  const Time done = end_.send(frame, std::max(origin_ + position_.due, not_before_));
  last_start_ = done - serialisation(last_size_ + kFcsBytes, end_.speed());
  step(sent, done);
}

FramePtr PcapPartner::make_frame() const {
  const PcapReader::Record record = setup_.capture->record(position_.index);
  const std::size_t size = record.bytes.size();
  FramePtr frame = FramePool::shared().make(std::max(size, kMinFrameBytes));
  if (size > 0) std::memcpy(frame->data(), record.bytes.data(), size);
  if (size < kMinFrameBytes) {
    std::memset(frame->data() + size, 0, kMinFrameBytes - size);
  } else if (record.fcs) {
    frame->carry_fcs(*record.fcs);
  }
  frame->tag = position_.index;
  return frame;
}

/// Moves on to the frame after the one that has been sent (its last bit leaving at `sent`).
void PcapPartner::step(const Frame& frame, Time sent) {
  Position& next = position_;
  if (setup_.pace.kind == Pace::Kind::kBits) next.due += next.clock.advance(frame.wire_bytes() * 8);
  if (setup_.pace.kind == Pace::Kind::kFrames) next.due += next.clock.advance(1);
  ++next.index;
  if (next.index == setup_.capture->size()) {
    next.index = 0;
    ++next.pass;
    next.pass_start = sent - origin_;
    if (setup_.pace.kind == Pace::Kind::kRecorded) next.due = next.pass_start;
  } else if (setup_.pace.kind == Pace::Kind::kRecorded) {
    next.due = std::max(next.due, next.pass_start + scaled(setup_.capture->offset(next.index)));
  }
}

Time PcapPartner::scaled(Time recorded) const {
  if (setup_.scale == 1) return recorded;
  return Time{std::llround(static_cast<double>(recorded.count()) / setup_.scale)};
}

PartnerRegistry::Kind pcap_kind() {
  return {
      "replays in=FILE at pace=recorded|line|RATE (scale=F, loop=N, fcs=yes|no), records both "
      "directions to out=FILE",
      {"in", "out", "pace", "scale", "loop", "fcs"},
      [](const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec) {
        return std::make_unique<PcapPartner>(context.name.c_str(), end, spec, context.hold_flush);
      }};
}

}  // namespace e1000tlm::link
