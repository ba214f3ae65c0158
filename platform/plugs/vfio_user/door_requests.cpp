/// What a client asks for, and the answers.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "e1000tlm/plugs/vfio_user/door.h"

namespace e1000tlm::plugs::vfio_user {

void Door::handle(Incoming& message) {
  if (message.header.reply) {
    answered(message);
    return;
  }
  auto parsed = parse_request(message.header, message.body, message.descriptors.size());
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) {
    if (refusal->fatal) {
      reject(message, refusal->why);
    } else if (!negotiated_) {
      reject(message, "its first message is no VERSION: " + refusal->why);
    } else {
      refuse(message, *refusal);
    }
    return;
  }
  const Request& request = std::get<Request>(parsed);
  if (!negotiated_ && !std::holds_alternative<Version>(request)) {
    reject(message, "its first message is command " + std::to_string(message.header.command) +
                        ", not VERSION");
    return;
  }
  std::visit([&](const auto& one) { on(message, one); }, request);
}

/// To what the door has asked.
void Door::answered(const Incoming& message) {
  if (abandoned_.erase(message.header.id) != 0) return;  // too late
  const auto found = exchanges_.find(message.header.id);
  if (found == exchanges_.end() || found->second.done) {
    reject(message, "an answer to nothing that it was asked");
    return;
  }
  Exchange& exchange = found->second;
  exchange.done = true;
  exchange.ok = !message.header.failed;
  if (exchange.ok && !exchange.into.empty()) {
    const auto data = dma_read_data(message.body, exchange.address,
                                    static_cast<std::uint32_t>(exchange.into.size()));
    exchange.ok = data.has_value();
    if (data) std::copy(data->begin(), data->end(), exchange.into.begin());
    if (!data) remark("an answer to DMA_READ has not the address and size that were asked for");
  }
  answered_.notify(sc_core::SC_ZERO_TIME);
}

/// Tells the client, and breaks with it.
void Door::reject(const Incoming& to, const std::string& why) {
  answer(to, error_reply(to.header, EINVAL));
  failure_ = why;
}

void Door::answer(const Incoming& to, const Message& message) {
  if (to.header.no_reply || !channel_) return;
  if (!channel_.send(message) && failure_.empty()) failure_ = channel_.why();
}

void Door::refuse(const Incoming& to, const Refusal& refusal) {
  ++counters_.refused;
  remark("refused: " + refusal.why);
  answer(to, error_reply(to.header, refusal.error));
}

void Door::conclude(const Incoming& to, const std::optional<Refusal>& refusal,
                    const Message& message) {
  if (refusal) {
    refuse(to, *refusal);
  } else {
    answer(to, message);
  }
}

void Door::on(Incoming& m, const Version& request) {
  if (negotiated_) {
    refuse(m, {EINVAL, "VERSION: a second time", false});
    return;
  }
  negotiated_ = true;
  ++counters_.clients;
  most_data_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(request.most_data, kMostData));
  answer(m, version_reply(m.header, std::min<std::uint16_t>(request.minor, 1)));
}

void Door::on(Incoming& m, const DmaMap& request) {
  const link::UniqueFd none;
  const auto refusal = memory.map(request, m.descriptors.empty() ? none : m.descriptors.front());
  conclude(m, refusal, empty_reply(m.header));
}

/// Nothing uses the memory when the answer goes out: what is under way to it ends now, as the
/// client may wait for this answer before it gives any other.
void Door::on(Incoming& m, const DmaUnmap& request) {
  const auto refusal = memory.unmap(request);
  for (auto& [id, exchange] : exchanges_) {
    if (!exchange.done && memory.regions().find(exchange.address) == nullptr) abandon(id, exchange);
  }
  conclude(m, refusal, unmap_reply(m.header, m.body));
}

void Door::on(Incoming& m, const GetInfo& /*request*/) { answer(m, info_reply(m.header)); }

void Door::on(Incoming& m, const GetRegionInfo& request) {
  if (request.index >= kRegions) {
    refuse(m, {EINVAL, "GET_REGION_INFO: no region " + std::to_string(request.index), false});
    return;
  }
  answer(m, region_reply(m.header, request.index, region_size(request.index),
                         request.index != kRomRegion));
}

void Door::on(Incoming& m, const GetRegionIoFds& request) {
  if (region_size(request.index) == 0) {
    refuse(m, {EINVAL, "GET_REGION_IO_FDS: no region " + std::to_string(request.index), false});
    return;
  }
  answer(m, io_fds_reply(m.header, request.index));
}

void Door::on(Incoming& m, const GetIrqInfo& request) {
  using namespace irq_flag;
  if (request.index >= kIrqKinds) {
    refuse(m, {EINVAL, "GET_IRQ_INFO: no kind " + std::to_string(request.index), false});
    return;
  }
  const auto kind = static_cast<Irq>(request.index);
  std::uint32_t count = interrupts_.count(kind);
  std::uint32_t flags = kEventFd | kNoResize;
  if (kind == Irq::kIntx) {
    flags = kEventFd | kMaskable | kAutoMasked;
    if (function_.config().config().interrupt_pin == 0) count = 0;
  }
  if (kind == Irq::kMsix && count != 0) flags = kEventFd | kMaskable;
  answer(m, irq_reply(m.header, request.index, flags, count));
}

void Door::on(Incoming& m, const SetIrqs& request) {
  const auto refusal = interrupts_.set(request, std::move(m.descriptors));
  if (!refusal && request.index == static_cast<std::uint32_t>(Irq::kMsix)) {
    armed_ = false;
    arm_messages();
  }
  conclude(m, refusal, empty_reply(m.header));
}

void Door::on(Incoming& m, const RegionRead& request) {
  if (const auto refusal = check_range(request.region, request.offset, request.count, false)) {
    refuse(m, *refusal);
    return;
  }
  ++counters_.reads;
  Message message = read_reply(m.header, request);
  read_region(request.region, request.offset,
              {message.data() + (message.size() - request.count), request.count});
  answer(m, message);
}

void Door::on(Incoming& m, const RegionWrite& request) {
  const auto refusal = check_range(request.region, request.offset, request.data.size(), true);
  if (!refusal) {
    ++counters_.writes;
    write_region(request.region, request.offset, request.data);
  }
  conclude(m, refusal, write_reply(m.header, request));
}

void Door::on(Incoming& m, const RegionWriteMulti& request) {
  for (const RegionWrite& write : request.writes) {
    const auto refusal = check_range(write.region, write.offset, write.data.size(), true);
    if (refusal) {
      refuse(m, *refusal);
      return;
    }
    ++counters_.writes;
    write_region(write.region, write.offset, write.data);
  }
  answer(m, write_multi_reply(m.header, request.writes.size()));
}

void Door::on(Incoming& m, const Reset& /*request*/) {
  ++counters_.resets;
  port.forget();
  forget_messages();
  interrupts_.disable_intx(false);
  port.place();
  answer(m, empty_reply(m.header));
}

}  // namespace e1000tlm::plugs::vfio_user
