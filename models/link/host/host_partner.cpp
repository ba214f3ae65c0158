#include "e1000tlm/link/host/host_partner.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <poll.h>

#include "e1000tlm/link/host/spec_values.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::link {
namespace {

using Outcome = HostDevice::Outcome;
using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kHeaderBytes = 14;  // addresses and EtherType
constexpr std::size_t kFramesPerRead = 64;
constexpr std::size_t kFirstRoom = 64;
constexpr int kRetryMilliseconds = 1;
// How often a full NIC side is looked at again.
constexpr Time kBacklogCheck = us(100);
constexpr const char* kReport = "/e1000tlm/link/host";

}  // namespace

HostPartner::HostPartner(const sc_core::sc_module_name& name, CableEndIf& end,
                         const PartnerSpec& spec, std::unique_ptr<HostDevice> device,
                         Time hold_flush)
    : LinkPartner(name, end, spec),
      what_(text_of(spec)),
      device_(std::move(device)),
      queues_(device_->queues()),
      hold_("hold", pause_, statistics_, {hold_flush, HoldQueue::kLiveCapacity}),
      gate_("gate"),
      check_backlog_("check_backlog"),
      arrived_("arrived"),
      arriving_(kFirstRoom) {
  SC_HAS_PROCESS(HostPartner);
  SC_METHOD(hand_over_arrived);
  sensitive << arrived_;
  dont_initialize();
  SC_METHOD(relieve);
  sensitive << check_backlog_;
  dont_initialize();
  end_.set_sink(this);
}

HostPartner::~HostPartner() {
  HostPartner::finish();
  end_.set_sink(nullptr);
}

void HostPartner::start_of_simulation() {
  if (polled_ || thread_.joinable()) return;
  gate_.attach();
  thread_ = std::thread([this] { run(); });
}

void HostPartner::use_polling() {
  polled_ = true;
  hold_.open_at_once();
}

void HostPartner::finish() {
  if (thread_.joinable()) {
    stop_ = true;
    wake_.set();
    thread_.join();
    gate_.detach();
  }
  hand_over_arrived();
  if (device_) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!arriving_.empty()) drop("host_closed", arriving_.size());
    arriving_.clear();
    write_outgoing(kLastFlush);
    const std::size_t left = outgoing_.size() + incoming_.frames.size();
    if (left > 0) drop("host_closed", left);
    outgoing_.clear();
    incoming_.clear();
    closed_ = true;
    if (gone_ && !told_gone_) why_gone_ = device_->why_closed();
    const std::string trouble = device_->shut_down();
    if (const std::uint64_t frames = device_->unsent(); frames > 0) drop("host_closed", frames);
    warnings_ = device_->warnings();
    device_.reset();
    if (!trouble.empty()) SC_REPORT_WARNING(kReport, (what_ + ": " + trouble).c_str());
  }
  collect_drops();
}

// --- from the NIC ---

void HostPartner::receive(Arrival arrival) {
  count_from_nic(*arrival.frame);
  if (pause_.take(arrival)) return;
  // An answer must not come before its question has been sent.
  if (arriving_.empty()) arrived_.notify(to_sc(std::max(kTimeZero, arrival.last_bit - sc_now())));
  if (arriving_.full()) arriving_.set_capacity(2 * arriving_.capacity());
  arriving_.push_back(std::move(arrival));
}

bool HostPartner::take_back(Time last_bit, std::size_t size) {
  if (!pause_.take_back(last_bit)) {
    if (arriving_.empty() || arriving_.back().last_bit != last_bit) return false;
    arriving_.pop_back();
  }
  uncount_from_nic(size);
  return true;
}

void HostPartner::hand_over_arrived() {
  const Time now = sc_now();
  for (; !arriving_.empty() && arriving_.front().last_bit <= now; arriving_.pop_front()) {
    hand_over(*arriving_.front().frame);
  }
  if (!arriving_.empty()) arrived_.notify(to_sc(arriving_.front().last_bit - now));
}

void HostPartner::hand_over(const Frame& frame) {
  if (frame.coding_error || !frame.fcs_ok()) {
    ++statistics_.drops["bad_fcs"];
    return;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (outgoing_.empty() && write(frame.bytes(), frame.queue, milliseconds(0)) != Outcome::kAgain)
    return;
  if (outgoing_.size() >= kOutgoingFrames) {
    drop("host_queue_full");
    return;
  }
  outgoing_.push_back({{frame.bytes().begin(), frame.bytes().end()}, frame.queue});
  wake_.set();
}

HostDevice::Outcome HostPartner::write(ConstBytes frame, std::uint16_t queue, milliseconds wait) {
  if (closed_) {
    drop(gone_ ? "host_gone" : "host_closed");
    return Outcome::kDropped;
  }
  const HostDevice::WriteResult result = device_->write_by(queue, frame, wait);
  if (result.outcome == Outcome::kDropped) drop(result.reason);
  if (result.outcome == Outcome::kClosed) {
    closed_ = gone_ = true;
    drop("host_gone");
    wake_.set();  // the thread has the simulation tell the user
  }
  return result.outcome;
}

bool HostPartner::write_outgoing(milliseconds timeout) {
  const auto deadline = SteadyClock::now() + timeout;
  while (!outgoing_.empty()) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - SteadyClock::now());
    const Waiting& first = outgoing_.front();
    const Outcome outcome = write(first.bytes, first.queue, std::max(left, milliseconds(0)));
    if (outcome == Outcome::kAgain) {
      if (left.count() > 0) continue;  // interrupted, or woken for another's sake
      return false;
    }
    outgoing_.pop_front();
  }
  return true;
}

bool HostPartner::flush(milliseconds timeout) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return write_outgoing(timeout);
}

// --- to the NIC ---

void HostPartner::run() {
  bool posted_gone = false;
  while (!stop_) {
    std::array<pollfd, 2> fds{};
    fds[0] = {wake_.fd(), POLLIN, 0};
    int timeout = -1;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const bool retry = !outgoing_.empty() && !closed_;
      fds[1] = {closed_ ? -1 : device_->fd(), 0, 0};
      if (!paused_) fds[1].events |= POLLIN;
      if (retry && device_->poll_tells_room()) fds[1].events |= POLLOUT;
      if (retry && !device_->poll_tells_room()) timeout = kRetryMilliseconds;
      // A device that only reports an error would wake poll() for ever.
      if (fds[1].events == 0) fds[1].fd = -1;
    }
    if (::poll(fds.data(), fds.size(), timeout) < 0 && errno != EINTR) return;
    wake_.clear();
    const std::lock_guard<std::mutex> lock(mutex_);
    write_outgoing(milliseconds(0));
    if (!paused_ && !closed_ && fds[1].revents != 0 && read_batch()) {
      gate_.post([this] { take_batch(); });
    }
    if (gone_ && !posted_gone) gate_.post([this] { collect_drops(); });
    posted_gone = gone_;
  }
}

/// True if frames joined an empty batch: the simulation must be told.
bool HostPartner::read_batch() {
  const bool was_empty = incoming_.frames.empty();
  for (std::size_t i = 0; i < kFramesPerRead; ++i) {
    if (backlog_ + incoming_.frames.size() >= kHighWater) {
      paused_ = true;
      break;
    }
    const HostDevice::ReadResult result = device_->read();
    if (result.outcome == Outcome::kAgain) break;
    if (result.outcome == Outcome::kClosed) {
      closed_ = gone_ = true;
      break;
    }
    if (result.outcome == Outcome::kDropped) {
      drop(result.reason, result.frames);
      continue;
    }
    incoming_.bytes.insert(incoming_.bytes.end(), result.frame.begin(), result.frame.end());
    incoming_.frames.push_back({static_cast<std::uint32_t>(result.frame.size()), result.queue});
  }
  return was_empty && !incoming_.frames.empty();
}

void HostPartner::take_batch() {
  taken_.clear();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::swap(taken_, incoming_);
    // Until they are offered below they count as the NIC's side.
    backlog_ = backlog() + taken_.frames.size();
  }
  const std::uint8_t* bytes = taken_.bytes.data();
  for (const Batch::Place& frame : taken_.frames) {
    offer({bytes, frame.size}, frame.queue);
    bytes += frame.size;
  }
  relieve();
}

void HostPartner::offer(ConstBytes content, std::uint16_t queue) {
  if (content.size() < kHeaderBytes || content.size() > kMaxFrameBytes) {
    ++statistics_.drops[content.size() < kHeaderBytes ? "too_short" : "too_long"];
    return;
  }
  FramePtr frame = FramePool::shared().make(std::max(content.size(), kMinFrameBytes));
  frame->queue = queue;
  std::uint8_t* const padding = std::copy(content.begin(), content.end(), frame->data());
  std::fill(padding, frame->data() + frame->size(), std::uint8_t{0});
  hold_.offer(std::move(frame), sc_now());
}

void HostPartner::relieve() {
  collect_drops();
  const std::lock_guard<std::mutex> lock(mutex_);
  backlog_ = backlog();
  if (paused_ && backlog_ + incoming_.frames.size() <= kLowWater) {
    paused_ = false;
    wake_.set();
  }
  // Looked at again also while not paused: the thread may pause any time later on this backlog.
  if (!polled_ && backlog_ > kLowWater) check_backlog_.notify(to_sc(kBacklogCheck));
}

std::size_t HostPartner::poll() {
  std::size_t taken = 0;
  // A host that sends nothing but rubbish, and that without end, must not keep us here.
  for (std::size_t reads = 0; reads < kHighWater; ++reads) {
    if (!device_ || thread_.joinable() || closed_ || backlog() >= kHighWater) break;
    const HostDevice::ReadResult result = device_->read();
    if (result.outcome == Outcome::kAgain) break;
    if (result.outcome == Outcome::kClosed) {
      closed_ = gone_ = true;
    } else if (result.outcome == Outcome::kDropped) {
      statistics_.drops[result.reason] += result.frames;
    } else {
      offer(result.frame, result.queue);
      ++taken;
    }
  }
  collect_drops();
  return taken;
}

void HostPartner::collect_drops() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [reason, frames] : drops_) statistics_.drops[reason] += frames;
  drops_.clear();
  if (!gone_ || told_gone_) return;
  told_gone_ = true;
  if (device_) why_gone_ = device_->why_closed();
  const std::string text = what_ + ": " + why_gone_ + "; frames to it are lost";
  SC_REPORT_WARNING(kReport, text.c_str());
}

}  // namespace e1000tlm::link
