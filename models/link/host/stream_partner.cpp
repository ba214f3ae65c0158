#include "e1000tlm/link/host/stream_partner.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include <poll.h>
#include <sys/uio.h>

#include "e1000tlm/link/host/host_watch.h"
#include "e1000tlm/link/host/length_prefix.h"

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

class StreamDevice : public HostDevice {
 public:
  explicit StreamDevice(const StreamConfig& config) : config_(config), peer_(config, watch_) {}

  int fd() const override { return watch_.fd(); }
  bool poll_tells_room() const override { return false; }
  std::string why_closed() const override {
    return config_.descriptor.empty() ? "the peer has gone (reconnect=SECONDS looks for it again)"
                                      : "the peer has gone";
  }

  ReadResult read() override {
    for (;;) {
      if (!peer_.find()) {
        return {peer_.waits_for_peers() ? Outcome::kAgain : Outcome::kClosed, {}, nullptr};
      }
      const LengthPrefixReader::Item item = reader_.next();
      leftover_.set(item.result != LengthPrefixReader::Result::kNeedsMore && reader_.inside());
      switch (item.result) {
        case LengthPrefixReader::Result::kFrame: return {Outcome::kDone, item.frame, nullptr};
        case LengthPrefixReader::Result::kTooLong: return {Outcome::kDropped, {}, "too_long"};
        case LengthPrefixReader::Result::kGarbage:
          hang_up();
          return {Outcome::kDropped, {}, "bad_length"};
        case LengthPrefixReader::Result::kNeedsMore: break;
      }
      const Bytes room = reader_.room();
      const ssize_t bytes = ::recv(peer_.fd(), room.data(), room.size(), MSG_DONTWAIT);
      if (bytes > 0) {
        reader_.received(static_cast<std::size_t>(bytes));
        continue;
      }
      if (bytes < 0 && has_no_room(errno)) return {Outcome::kAgain, {}, nullptr};
      const bool cut_off = reader_.inside();
      hang_up();
      if (cut_off) return {Outcome::kDropped, {}, "cut_off"};
    }
  }

  WriteResult write(ConstBytes frame, milliseconds wait) override {
    const auto deadline = SteadyClock::now() + wait;
    peer_.find();
    while (peer_ && !deaf_) {
      if (send_rest(frame)) return {Outcome::kDone, nullptr};
      if (deaf_) break;
      const auto left = std::chrono::duration_cast<milliseconds>(deadline - SteadyClock::now());
      if (left.count() <= 0) return {Outcome::kAgain, nullptr};
      is_ready(peer_.fd(), POLLOUT, left);
    }
    if (!peer_ && !peer_.waits_for_peers()) return {Outcome::kClosed, nullptr};
    return {Outcome::kDropped, "no_peer"};
  }

 private:
  /// True: the frame has gone. Otherwise there is no room now, or the peer is deaf.
  bool send_rest(ConstBytes frame) {
    auto prefix = length_prefix(frame.size());
    const std::size_t of_prefix = std::min(sent_, prefix.size());
    const std::size_t of_frame = sent_ - of_prefix;
    std::array<iovec, 2> parts{
        {{prefix.data() + of_prefix, prefix.size() - of_prefix},
         {const_cast<std::uint8_t*>(frame.data()) + of_frame, frame.size() - of_frame}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t bytes = ::sendmsg(peer_.fd(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (bytes < 0) {
      deaf_ = !has_no_room(errno);
      return false;
    }
    sent_ += static_cast<std::size_t>(bytes);
    if (sent_ < prefix.size() + frame.size()) return false;
    sent_ = 0;
    return true;
  }

  void hang_up() {
    peer_.hang_up();
    reader_.clear();
    leftover_.set(false);
    sent_ = 0;
    deaf_ = false;
  }

  StreamConfig config_;
  Watch watch_;
  Chardev peer_;
  LengthPrefixReader reader_;
  Leftover leftover_{watch_};  // in the reader: what has been taken from the socket wakes nobody
  std::size_t sent_ = 0;       // of the frame that write() is offered again, with its prefix
  bool deaf_ = false;  // the peer takes nothing any more; what it has sent can still be read
};

}  // namespace

namespace {

/// The same options in QEMU's words: addr.type and what goes with it.
PartnerSpec without_prefix(const PartnerSpec& spec) {
  PartnerSpec plain = spec;
  const std::size_t type = spec.choice("addr.type", {"unix", "inet", "fd"}, 3);
  constexpr std::array<std::array<const char*, 3>, 4> kNames{{{"addr.path", "path", "unix"},
                                                              {"addr.host", "host", "inet"},
                                                              {"addr.port", "port", "inet"},
                                                              {"addr.str", "fd", "fd"}}};
  for (const auto& [prefixed, name, of_type] : kNames) {
    const auto value = spec.find(prefixed);
    if (!value) continue;
    if (type == 3 || *spec.find("addr.type") != of_type) {
      spec.reject(prefixed, std::string("goes with addr.type=") + of_type);
    }
    if (spec.find(name)) spec.reject(prefixed, std::string("is the same as ") + name + "=");
    plain.options[name] = *value;
  }
  return plain;
}

}  // namespace

milliseconds reconnect_interval(const PartnerSpec& spec) {
  constexpr std::uint64_t kMostSeconds = 86'400;
  const std::uint64_t seconds = spec.number("reconnect", 0, 0, kMostSeconds);
  return milliseconds(spec.number("reconnect-ms", seconds * 1000, 0, kMostSeconds * 1000));
}

StreamConfig stream_config(const PartnerSpec& given) {
  const PartnerSpec spec = without_prefix(given);
  StreamConfig config;
  const auto alone = [&](const char* way, std::initializer_list<const char*> others) {
    for (const char* key : others) {
      if (spec.find(key)) spec.reject(key, std::string("does not go with ") + way + "=");
    }
  };
  if (spec.find("fd")) {
    alone("fd", {"path", "host", "port", "reconnect", "reconnect-ms"});
    config.descriptor = spec.require("fd");
  } else if (spec.find("path")) {
    config.address.path = spec.require("path");
    alone("path", {"host", "port"});
  } else {
    spec.require("port");
    config.address.port = std::to_string(spec.number("port", 0, 1, 65535));
    config.address.host = spec.find("host").value_or("");
  }
  config.server = spec.choice("server", {"off", "on"}, 0) == 1;
  config.reconnect = reconnect_interval(spec);
  for (const char* key : {"reconnect", "reconnect-ms"}) {
    if (config.server && spec.find(key)) spec.reject(key, "does not go with server=on");
  }
  return config;
}

std::unique_ptr<HostDevice> open_stream(const StreamConfig& config) {
  return std::make_unique<StreamDevice>(config);
}

StreamPartner::StreamPartner(const PartnerContext& context, CableEndIf& end,
                             const PartnerSpec& spec)
    : HostPartner(context.name.c_str(), end, spec, open_stream(stream_config(spec)),
                  context.hold_flush) {}

PartnerRegistry::Kind stream_kind() {
  const auto make = [](const PartnerContext& context, CableEndIf& end,
                       const PartnerSpec& spec) -> std::unique_ptr<LinkPartner> {
    return std::make_unique<StreamPartner>(context, end, spec);
  };
  return {
      "frames on a stream socket, QEMU's -netdev stream: path=PATH, host=HOST,port=PORT or fd=N; "
      "server to listen, otherwise reconnect=SECONDS or reconnect-ms=N to try again",
      {"path", "host", "port", "fd", "server", "reconnect", "reconnect-ms", "addr.type",
       "addr.path", "addr.host", "addr.port", "addr.str"},
      make};
}

}  // namespace e1000tlm::link
