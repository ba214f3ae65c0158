/// The guest's vhost-user requests.
#include <algorithm>
#include <limits>
#include <utility>

#include "e1000tlm/plugs/uml/door.h"

namespace e1000tlm::plugs::uml {
namespace {

namespace vhost = virtio::vhost_user;
using vhost::Request;

constexpr std::uint64_t kFeatures =
    vhost::feature::kProtocolFeatures | virtio::ring_feature::kVersion1;
// Without any one of them interrupts do not work, or simulated time does not.
constexpr std::uint64_t kProtocol = vhost::protocol_feature::kReplyAck |
                                    vhost::protocol_feature::kBackendReq |
                                    vhost::protocol_feature::kInbandNotifications;

}  // namespace

std::string Door::answer(const vhost::Header& header, std::uint64_t value) {
  if (guest_.send(vhost::encode_reply(header, vhost::Number{value}))) return {};
  leave();
  return {};
}

std::string Door::handle(const vhost::Header& header, ConstBytes body) {
  const auto parsed =
      vhost::parse_request(vhost::Side::kFrontEnd, header, body, guest_.descriptors());
  if (const auto* why = std::get_if<std::string>(&parsed)) return *why;
  bool answered = false;
  std::string why = perform(header, std::get<vhost::Payload>(parsed), answered);
  if (!why.empty() || !guest_ || answered || !header.need_reply) return why;
  return answer(header, 0);
}

std::string Door::perform(const vhost::Header& header, const vhost::Payload& payload,
                          bool& answered) {
  const auto& number = std::get_if<vhost::Number>(&payload);
  const auto& state = std::get_if<vhost::VringState>(&payload);
  if (state != nullptr && state->index >= kQueues) {
    return vhost::request_name(vhost::Side::kFrontEnd, header.request) + ": there is no ring " +
           std::to_string(state->index);
  }
  switch (static_cast<Request>(header.request)) {
    case Request::kSetOwner: return {};
    case Request::kGetFeatures: answered = true; return answer(header, kFeatures);
    case Request::kGetProtocolFeatures: answered = true; return answer(header, kProtocol);
    case Request::kSetFeatures:
      return (number->value & ~kFeatures) == 0 ? "" : "SET_FEATURES: more than was offered";
    case Request::kSetProtocolFeatures:
      return number->value == kProtocol
                 ? ""
                 : "SET_PROTOCOL_FEATURES: needs all of REPLY_ACK, SLAVE_REQ and "
                   "INBAND_NOTIFICATIONS, and nothing else";
    case Request::kSetBackendReqFd: {
      auto descriptors = guest_.take_descriptors();
      requests_ = Peer(std::move(descriptors.front()));
      return {};
    }
    case Request::kSetMemTable: return map(std::get<vhost::MemoryTable>(payload));
    case Request::kSetVringNum:
      queues_[state->index].layout.size = static_cast<std::uint16_t>(
          std::min<std::uint32_t>(state->num, std::numeric_limits<std::uint16_t>::max()));
      return {};
    case Request::kSetVringBase:
      queues_[state->index].base = static_cast<std::uint16_t>(state->num);
      return {};
    case Request::kSetVringAddr: return place_ring(std::get<vhost::VringAddr>(payload));
    case Request::kSetVringEnable: return enable(state->index, state->num != 0);
    case Request::kVringKick: return kick(state->index);
    default: break;
  }
  return vhost::request_name(vhost::Side::kFrontEnd, header.request) + ": not offered";
}

/// The guest's memory: the descriptor's file, where DMA goes, too.
std::string Door::map(const vhost::MemoryTable& table) {
  auto descriptors = guest_.take_descriptors();
  for (QueueState& queue : queues_) queue.ring.stop();
  ring_memory_.clear();
  memory.clear();
  regions_ = table.regions;
  for (std::size_t i = 0; i < regions_.size(); ++i) {
    const vhost::MemoryRegion& region = regions_[i];
    vfio_user::DmaMap request;
    request.address = region.guest_address;
    request.size = region.size;
    request.offset = region.offset;
    request.readable = request.writable = true;
    const auto refusal = memory.map(request, descriptors[i]);
    if (refusal) return "SET_MEM_TABLE: " + refusal->why;
    const vfio_user::GuestRegion* piece = memory.regions().find(region.guest_address);
    ring_memory_.add(region.guest_address,
                     {piece->mapping->data(), static_cast<std::size_t>(region.size)});
  }
  return {};
}

/// Rings are named by the guest's own addresses, which need not be those of its memory. 0: none.
std::uint64_t Door::guest_address(std::uint64_t user_address) const {
  for (const vhost::MemoryRegion& region : regions_) {
    const std::uint64_t offset = user_address - region.user_address;
    if (user_address >= region.user_address && offset < region.size) {
      return region.guest_address + offset;
    }
  }
  return 0;
}

std::string Door::place_ring(const vhost::VringAddr& where) {
  if (where.index >= kQueues) return "SET_VRING_ADDR: there is no such ring";
  virtio::SplitLayout& layout = queues_[where.index].layout;
  layout.descriptors = guest_address(where.descriptors);
  layout.available = guest_address(where.available);
  layout.used = guest_address(where.used);
  if (layout.descriptors == 0 || layout.available == 0 || layout.used == 0) {
    return "SET_VRING_ADDR: ring " + std::to_string(where.index) + " is not in memory";
  }
  return {};
}

std::string Door::enable(std::uint32_t index, bool on) {
  QueueState& queue = queues_[index];
  if (!on) {
    queue.base = queue.ring.stop();
    orderly_ = true;
    return {};
  }
  orderly_ = false;
  if (queue.ring.start(queue.layout, {}, queue.base)) return {};
  return "SET_VRING_ENABLE: ring " + std::to_string(index) + ": " +
         virtio::to_string(queue.ring.fault());
}

std::string Door::kick(std::uint32_t index) {
  QueueState& queue = queues_[index];
  if (!queue.ring.started()) return "VRING_KICK: ring " + std::to_string(index) + " is not enabled";
  if (kicked_) kicked_();
  if (!guest_) return {};
  if (index == kCommandQueue) {
    std::string why = do_commands();
    if (!why.empty() || !guest_) return why;
  } else {
    // The handler has run and has given its buffer back.
    if (level_ && (touched_ || starved_)) due_ = true;
    starved_ = false;
    if (interrupt_due()) raised_.notify(sc_core::SC_ZERO_TIME);
  }
  if (done_) done_();
  return {};
}

}  // namespace e1000tlm::plugs::uml
