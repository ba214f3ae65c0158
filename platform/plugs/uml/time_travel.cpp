#include "e1000tlm/plugs/uml/time_travel.h"

#include <algorithm>
#include <utility>

namespace e1000tlm::plugs::uml {
namespace {

constexpr std::array<const char*, 10> kNames{"ACK",     "START",    "REQUEST", "WAIT",
                                             "GET",     "UPDATE",   "RUN",     "FREE_UNTIL",
                                             "GET_TOD", "BROADCAST"};

}  // namespace

std::variant<TimeMessage, std::string> parse_time_message(ConstBytes bytes) {
  if (bytes.size() != kTimeMessageBytes) {
    return "a time message of " + std::to_string(bytes.size()) + " bytes";
  }
  const std::uint32_t op = load_le32(bytes.data());
  if (op >= kNames.size()) return "a time message of unknown kind " + std::to_string(op);
  return TimeMessage{static_cast<TimeOp>(op), load_le32(bytes.data() + 4),
                     load_le64(bytes.data() + 8)};
}

std::array<std::uint8_t, kTimeMessageBytes> to_bytes(const TimeMessage& message) {
  std::array<std::uint8_t, kTimeMessageBytes> bytes{};
  store_le32(bytes.data(), static_cast<std::uint32_t>(message.op));
  store_le32(bytes.data() + 4, message.number);
  store_le64(bytes.data() + 8, message.time);
  return bytes;
}

std::string to_string(const TimeMessage& message) {
  const auto op = static_cast<std::size_t>(message.op);
  std::string text = op < kNames.size() ? kNames[op] : "kind " + std::to_string(op);
  switch (message.op) {
    case TimeOp::kRequest:
    case TimeOp::kUpdate:
    case TimeOp::kRun:
    case TimeOp::kFreeUntil: text += " " + std::to_string(message.time) + " ns"; break;
    default: break;
  }
  return text;
}

std::variant<std::monostate, TimeMessage, std::string> GuestClock::take(const TimeMessage& message,
                                                                        std::uint64_t now,
                                                                        std::uint64_t calendar) {
  TimeMessage ack{TimeOp::kAck, message.number, 0};
  if (!started_ && message.op != TimeOp::kStart) return to_string(message) + " before START";
  switch (message.op) {
    case TimeOp::kAck:
      if (answered_ || message.number != number_) return std::string("ACK of nothing we asked for");
      answered_ = true;
      return std::monostate{};
    case TimeOp::kStart:
      if (started_) return std::string("START for the second time");
      started_ = true;
      return ack;
    case TimeOp::kRequest:
      if (message.time < reached_) return to_string(message) + ": that time is over";
      wish_ = std::min(message.time, kTimeForever);
      return ack;
    case TimeOp::kWait:
      if (waiting_) return std::string("WAIT for the second time");
      waiting_ = true;
      latest_ = std::min(furthest(), std::max(reached_, wish_));
      free_until_ = 0;
      return ack;
    case TimeOp::kGet:
      reached_ = std::max(reached_, now);
      ack.time = now;
      return ack;
    case TimeOp::kUpdate:
      if (waiting_) return to_string(message) + " while it waits";
      if (message.time < reached_) return to_string(message) + ": that time is over";
      if (message.time > std::max(reached_, free_until_)) {
        return to_string(message) + ": it may not go that far";
      }
      reached_ = message.time;
      return ack;
    case TimeOp::kGetTod: ack.time = calendar; return ack;
    case TimeOp::kBroadcast: return ack;
    case TimeOp::kRun:
    case TimeOp::kFreeUntil: break;
  }
  return to_string(message) + ": only a controller says that";
}

TimeMessage GuestClock::ask(TimeOp op, std::uint64_t time) {
  answered_ = false;
  return {op, ++number_, time};
}

TimeMessage GuestClock::run() {
  waiting_ = false;
  reached_ = std::max(reached_, wish_);
  return ask(TimeOp::kRun, std::exchange(wish_, kTimeForever));
}

TimeMessage GuestClock::allow_until(std::uint64_t time) {
  free_until_ = time;
  return ask(TimeOp::kFreeUntil, time);
}

}  // namespace e1000tlm::plugs::uml
