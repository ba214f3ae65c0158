#include "e1000tlm/link/host/l2tpv3_partner.h"

#include <cerrno>
#include <stdexcept>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

#include "e1000tlm/link/host/datagram_device.h"
#include "e1000tlm/link/host/spec_values.h"

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;

constexpr int kIpProtocolL2tp = 115;  // <netinet/in.h> has no name for it
constexpr std::size_t kLeastIpv4Header = 20;

class L2tpv3Device : public HostDevice {
 public:
  /// `ip_header`: what is read begins with an IPv4 header, as raw sockets have it.
  L2tpv3Device(DatagramSockets sockets, const L2tpv3Session& session, bool ip_header)
      : socket_(make_datagram_device(std::move(sockets))), codec_(session), ip_header_(ip_header) {}

  int fd() const override { return socket_->fd(); }
  bool poll_tells_room() const override { return socket_->poll_tells_room(); }
  std::string why_closed() const override { return socket_->why_closed(); }

  ReadResult read() override {
    const ReadResult result = socket_->read();
    if (result.outcome != Outcome::kDone) return result;
    ConstBytes message = result.frame;
    if (ip_header_) {
      const std::size_t header = message.empty() ? 0 : std::size_t{message[0] & 0x0FU} * 4;
      if (header < kLeastIpv4Header || header > message.size()) {
        return {Outcome::kDropped, {}, "too_short"};
      }
      message = message.subspan(header);
    }
    const L2tpv3Codec::Result decoded = codec_.decode(message);
    if (decoded.fault != L2tpv3Codec::Fault::kNone) {
      return {Outcome::kDropped, {}, to_string(decoded.fault)};
    }
    return {Outcome::kDone, decoded.frame, nullptr};
  }

  WriteResult write(ConstBytes frame, milliseconds wait) override {
    // A frame that had no room comes again: its message, and the count in it, is there already.
    if (!pending_) message_ = codec_.encode(frame);
    const WriteResult result = socket_->write(message_, wait);
    pending_ = result.outcome == Outcome::kAgain;
    return result;
  }

 private:
  std::unique_ptr<HostDevice> socket_;
  L2tpv3Codec codec_;
  bool ip_header_;
  bool pending_ = false;
  ConstBytes message_;
};

/// Decimal, or hexadecimal after 0x, as QEMU takes them.
std::uint64_t number(const PartnerSpec& spec, const std::string& key, std::uint64_t most) {
  const std::string text = spec.find(key).value_or("0");
  const bool hex =
      text.size() > 2 && (text.compare(0, 2, "0x") == 0 || text.compare(0, 2, "0X") == 0);
  const std::string digits = hex ? text.substr(2) : text;
  const char* const allowed = hex ? "0123456789abcdefABCDEF" : "0123456789";
  const bool plain = !digits.empty() && digits.size() <= (hex ? 16U : 20U) &&
                     digits.find_first_not_of(allowed) == std::string::npos;
  try {
    const std::uint64_t value = plain ? std::stoull(digits, nullptr, hex ? 16 : 10) : 0;
    if (plain && value <= most) return value;
  } catch (const std::out_of_range&) {  // reported like any other number out of range
  }
  spec.reject(key, "is not a whole number from 0 to " + std::to_string(most) +
                       " (decimal, or hexadecimal after 0x)");
}

bool is_on(const PartnerSpec& spec, const std::string& key) {
  return spec.choice(key, {"off", "on"}, 0) == 1;
}

L2tpv3Session session_of(const PartnerSpec& spec) {
  constexpr std::uint64_t k32 = 0xFFFF'FFFF;
  constexpr std::uint64_t k64 = ~std::uint64_t{0};
  constexpr std::uint64_t kMostOffset = 256;
  L2tpv3Session session;
  session.udp = is_on(spec, "udp");
  spec.require("txsession");
  session.tx_session = static_cast<std::uint32_t>(number(spec, "txsession", k32));
  session.rx_session = spec.find("rxsession")
                           ? static_cast<std::uint32_t>(number(spec, "rxsession", k32))
                           : session.tx_session;
  const bool wide = is_on(spec, "cookie64");
  const bool cookies = spec.find("txcookie") || spec.find("rxcookie");
  if (wide && !cookies) spec.reject("cookie64", "needs txcookie= and rxcookie=");
  if (cookies) {
    spec.require("txcookie");
    spec.require("rxcookie");
    session.cookie_bytes = wide ? 8 : 4;
    session.tx_cookie = number(spec, "txcookie", wide ? k64 : k32);
    session.rx_cookie = number(spec, "rxcookie", wide ? k64 : k32);
  }
  session.counter = is_on(spec, "counter");
  session.pin_counter = is_on(spec, "pincounter");
  if (session.pin_counter && !session.counter) spec.reject("pincounter", "needs counter=on");
  session.offset = static_cast<std::uint32_t>(number(spec, "offset", kMostOffset));
  return session;
}

ResolvedAddress address_of(const PartnerSpec& spec, const std::string& key, const std::string& port,
                           int family) {
  SocketAddress address;
  address.host = spec.require(key);
  address.port = port;
  return naming(spec, key, [&] {
    for (const ResolvedAddress& found : resolve(address)) {
      if (found.family() == family) return found;
    }
    throw std::invalid_argument(family == AF_INET ? "has no IPv4 address (ipv6=on takes IPv6)"
                                                  : "has no IPv6 address");
  });
}

/// Only the other end's messages come in over IP, where there are no ports to tell tunnels apart.
DatagramSockets sockets_of(const PartnerSpec& spec, bool udp, int family) {
  if (!udp) {
    for (const char* key : {"srcport", "dstport"}) {
      if (spec.find(key)) spec.reject(key, "needs udp=on");
    }
  }
  std::string srcport = "0";
  std::string dstport = "0";
  if (udp) {
    spec.require("dstport");
    srcport = std::to_string(spec.number("srcport", 0, 0, 65535));
    dstport = std::to_string(spec.number("dstport", 0, 1, 65535));
  }
  const ResolvedAddress from = address_of(spec, "src", srcport, family);
  DatagramSockets sockets;
  sockets.to = address_of(spec, "dst", dstport, family);
  sockets.in = UniqueFd(
      ::socket(family, (udp ? SOCK_DGRAM : SOCK_RAW) | SOCK_CLOEXEC, udp ? 0 : kIpProtocolL2tp));
  const std::string what = "link partner l2tpv3: ";
  if (!sockets.in) {
    throw_host_error(what + "cannot make a socket" +
                         (udp ? "" : " for L2TP over IP (needs CAP_NET_RAW; udp=on does not)"),
                     errno);
  }
  if (::bind(sockets.in.get(), from.generic(), from.size) != 0) {
    throw_host_error(what + "cannot bind to src=" + spec.require("src") +
                         (udp ? ",srcport=" + srcport : std::string()),
                     errno);
  }
  if (!udp) {
    if (::connect(sockets.in.get(), sockets.to.generic(), sockets.to.size) != 0) {
      throw_host_error(what + "no way to dst=" + spec.require("dst"), errno);
    }
    sockets.to.size = 0;
  }
  return sockets;
}

}  // namespace

std::unique_ptr<HostDevice> open_l2tpv3(const PartnerSpec& spec) {
  const L2tpv3Session session = session_of(spec);
  const int family = is_on(spec, "ipv6") ? AF_INET6 : AF_INET;
  return std::make_unique<L2tpv3Device>(sockets_of(spec, session.udp, family), session,
                                        !session.udp && family == AF_INET);
}

L2tpv3Partner::L2tpv3Partner(const PartnerContext& context, CableEndIf& end,
                             const PartnerSpec& spec)
    : HostPartner(context.name.c_str(), end, spec, open_l2tpv3(spec), context.hold_flush) {}

PartnerRegistry::Kind l2tpv3_kind() {
  const auto make = [](const PartnerContext& context, CableEndIf& end,
                       const PartnerSpec& spec) -> std::unique_ptr<LinkPartner> {
    return std::make_unique<L2tpv3Partner>(context, end, spec);
  };
  return {"an end of an L2TPv3 tunnel, static as `ip l2tp` has it: src=,dst=,txsession=",
          {"src", "dst", "udp", "ipv6", "srcport", "dstport", "txsession", "rxsession", "cookie64",
           "txcookie", "rxcookie", "counter", "pincounter", "offset"},
          make};
}

}  // namespace e1000tlm::link
