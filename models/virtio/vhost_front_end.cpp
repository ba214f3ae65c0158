#include "e1000tlm/virtio/vhost_front_end.h"

#include <algorithm>
#include <utility>

namespace e1000tlm::virtio::vhost_user {
namespace {

// virtio 1.2, 2.1.
constexpr std::uint64_t kAcknowledge = 1, kDriver = 2, kDriverOk = 4, kFeaturesOk = 8;

std::uint64_t number(const Payload& payload) { return std::get<Number>(payload).value; }

std::vector<int> beside(int descriptor) {
  return descriptor < 0 ? std::vector<int>() : std::vector<int>{descriptor};
}

}  // namespace

void FrontEnd::connected() {
  disconnected();
  state_ = State::kAsking;
  add(Request::kSetOwner);
  add(Request::kGetFeatures);
}

void FrontEnd::disconnected() {
  state_ = State::kIdle;
  why_.clear();
  features_ = protocol_features_ = 0;
  calls_told_ = false;
  steps_.clear();
  outgoing_.reset();
  waiting_.reset();
  rings_.clear();
}

void FrontEnd::add(Request request, Payload payload, std::vector<int> descriptors) {
  steps_.push_back({request, std::move(payload), std::move(descriptors)});
}

void FrontEnd::add_status(std::uint64_t status) {
  if (has(protocol_feature::kStatus)) add(Request::kSetStatus, Number{status});
}

void FrontEnd::add_call(std::uint8_t index, int descriptor) {
  add(Request::kSetVringCall, VringFd{index, descriptor >= 0}, beside(descriptor));
}

/// Memory comes before what is in it. A ring starts when it is kicked, and works when it is
/// enabled.
void FrontEnd::start(std::uint64_t features, const std::vector<SharedMemory>& memory,
                     const std::vector<SharedRing>& rings) {
  state_ = State::kStarting;
  rings_.clear();
  add_status(kAcknowledge | kDriver);
  const std::uint64_t agreed = (features & features_) | (features_ & feature::kProtocolFeatures);
  add(Request::kSetFeatures, Number{agreed});
  if (has(protocol_feature::kStatus)) {
    add_status(kAcknowledge | kDriver | kFeaturesOk);
    add(Request::kGetStatus);
  }
  if (wishes_.mtu != 0 && has(protocol_feature::kMtu) && (agreed & net_feature::kMtu) != 0) {
    add(Request::kNetSetMtu, Number{wishes_.mtu});
  }
  MemoryTable table;
  std::vector<int> memory_descriptors;
  for (const SharedMemory& piece : memory) {
    table.regions.push_back(piece.region);
    memory_descriptors.push_back(piece.descriptor);
  }
  add(Request::kSetMemTable, std::move(table), std::move(memory_descriptors));
  for (const SharedRing& ring : rings) add_ring(ring);
  for (const SharedRing& ring : rings) {
    if (ring.enabled) enable_ring(ring.index, true);
  }
  add_status(kAcknowledge | kDriver | kFeaturesOk | kDriverOk);
  // Without acknowledgements any answer shows that all before it has been done.
  if (!has(protocol_feature::kReplyAck)) add(Request::kGetFeatures);
}

void FrontEnd::add_ring(const SharedRing& ring) {
  rings_.push_back(ring.index);
  if (bases_.size() <= ring.index) bases_.resize(ring.index + std::size_t{1});
  add(Request::kSetVringNum, VringState{ring.index, ring.layout.size});
  add(Request::kSetVringBase, VringState{ring.index, ring.base});
  VringAddr addr;
  addr.index = ring.index;
  addr.descriptors = ring.layout.descriptors;
  addr.available = ring.layout.available;
  addr.used = ring.layout.used;
  add(Request::kSetVringAddr, addr);
  add(Request::kSetVringKick, VringFd{ring.index, ring.kick >= 0}, beside(ring.kick));
  // Again: a back-end forgets it when a ring is taken back.
  add_call(ring.index, ring.call);
}

void FrontEnd::start_ring(const SharedRing& ring) {
  add_ring(ring);
  if (ring.enabled) enable_ring(ring.index, true);
}

void FrontEnd::stop_ring(std::uint8_t index) {
  enable_ring(index, false);
  add(Request::kGetVringBase, VringState{index, 0});
}

void FrontEnd::enable_ring(std::uint8_t index, bool enabled) {
  if (enables()) add(Request::kSetVringEnable, VringState{index, enabled ? 1U : 0U});
}

void FrontEnd::stop() {
  if (state_ != State::kRunning) return;
  state_ = State::kStopping;
  for (const std::uint8_t ring : rings_) enable_ring(ring, false);
  for (const std::uint8_t ring : rings_) add(Request::kGetVringBase, VringState{ring, 0});
  add_status(0);
  advance();  // there may be nothing to do
}

const FrontEnd::Outgoing* FrontEnd::next() {
  if (waiting_ || steps_.empty() || state_ == State::kBroken) return nullptr;
  if (!outgoing_) {
    const Step& step = steps_.front();
    const RequestInfo& info = *find_request(Side::kFrontEnd, std::uint32_t(step.request));
    const bool need_reply = has(protocol_feature::kReplyAck) && info.reply == PayloadKind::kNone &&
                            step.request != Request::kSetProtocolFeatures;
    outgoing_ = Outgoing{encode(step.request, step.payload, need_reply), step.descriptors};
    outgoing_header_ = std::get<Header>(parse_header(ConstBytes(outgoing_->bytes)));
  }
  return &*outgoing_;
}

void FrontEnd::sent() {
  if (log) {
    log("> " + describe(Side::kFrontEnd, outgoing_header_, steps_.front().payload));
  }
  const RequestInfo& info = *find_request(Side::kFrontEnd, outgoing_header_.request);
  if (outgoing_header_.need_reply || info.reply != PayloadKind::kNone) {
    waiting_ = outgoing_header_;
  }
  if (const auto* ring = std::get_if<VringState>(&steps_.front().payload)) {
    asked_ring_ = ring->index;
  }
  outgoing_.reset();
  steps_.pop_front();
  if (!waiting_) advance();
}

bool FrontEnd::receive(const Header& header, ConstBytes body, std::size_t descriptors) {
  if (state_ == State::kBroken) return false;
  if (!waiting_) return fail("sends what was not asked for");
  const auto parsed = parse_reply(Side::kFrontEnd, *waiting_, header, body, descriptors);
  if (const auto* why = std::get_if<std::string>(&parsed)) return fail("answers wrongly: " + *why);
  const auto& payload = std::get<Payload>(parsed);
  if (log) log("< " + describe(Side::kFrontEnd, header, payload));
  if (!answered(payload)) return false;
  waiting_.reset();
  advance();
  return true;
}

/// The answer to *waiting_ has come. False: it is not what the session can go on with.
bool FrontEnd::answered(const Payload& payload) {
  const std::string name = request_name(Side::kFrontEnd, waiting_->request);
  switch (static_cast<Request>(waiting_->request)) {
    case Request::kGetFeatures: return state_ != State::kAsking || agree(number(payload));
    case Request::kGetProtocolFeatures: {
      const std::uint64_t both = number(payload) & wishes_.protocol_features;
      add(Request::kSetProtocolFeatures, Number{both});
      protocol_features_ = both;
      if (has(protocol_feature::kMq)) add(Request::kGetQueueNum);
      if (has(protocol_feature::kMq) || wishes_.queue_pairs == 1) return true;
      return fail("has one pair of queues only, not " + std::to_string(wishes_.queue_pairs));
    }
    case Request::kGetQueueNum:
      if (number(payload) >= wishes_.queue_pairs) return true;
      return fail("has " + std::to_string(number(payload)) + " pairs of queues, not " +
                  std::to_string(wishes_.queue_pairs));
    case Request::kGetStatus:
      if ((number(payload) & kFeaturesOk) != 0) return true;
      return fail("does not take the features that were agreed on");
    case Request::kGetVringBase: {
      const auto& state = std::get<VringState>(payload);
      const auto ring = std::find(rings_.begin(), rings_.end(), asked_ring_);
      if (state.index != asked_ring_ || ring == rings_.end()) {
        return fail("answers " + name + " for another ring");
      }
      if (state.num > 0xFFFF) {
        return fail("answers " + name +
                    " with an index that there is not: " + std::to_string(state.num));
      }
      bases_[state.index] = static_cast<std::uint16_t>(state.num);
      rings_.erase(ring);
      return true;
    }
    default: return number(payload) == 0 || fail("refuses " + name);
  }
}

bool FrontEnd::agree(std::uint64_t offered) {
  features_ = offered & (wishes_.features | feature::kProtocolFeatures);
  const bool many = wishes_.queue_pairs > 1;
  if (many && (features_ & net_feature::kMultiQueue) == 0) {
    return fail("has one pair of queues only, not " + std::to_string(wishes_.queue_pairs));
  }
  if (!many) features_ &= ~net_feature::kMultiQueue;
  if (enables()) {
    add(Request::kGetProtocolFeatures);
  } else if (many) {
    return fail("has one pair of queues only, not " + std::to_string(wishes_.queue_pairs));
  }
  return true;
}

bool FrontEnd::fail(const std::string& why) {
  broken(why);
  return false;
}

void FrontEnd::broken(const std::string& why) {
  state_ = State::kBroken;
  why_ = why;
}

/// Where nothing is left to be sent or waited for, what was asked for is done.
void FrontEnd::advance() {
  if (!steps_.empty() || waiting_) return;
  switch (state_) {
    case State::kAsking:
      if (!std::exchange(calls_told_, true) && !wishes_.calls.empty()) {
        for (std::size_t i = 0; i < wishes_.calls.size(); ++i) {
          add_call(static_cast<std::uint8_t>(i), wishes_.calls[i]);
        }
      } else {
        state_ = State::kAgreed;
      }
      break;
    case State::kStarting: state_ = State::kRunning; break;
    case State::kStopping: state_ = State::kStopped; break;
    default: break;
  }
}

std::string FrontEnd::waiting_for() const {
  return waiting_ ? request_name(Side::kFrontEnd, waiting_->request) : std::string();
}

}  // namespace e1000tlm::virtio::vhost_user
