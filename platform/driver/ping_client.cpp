#include "e1000tlm/driver/ping_client.h"

#include <algorithm>

#include "e1000tlm/link/checksum.h"

namespace e1000tlm::driver {
namespace {

constexpr std::size_t kEthernetBytes = 14, kArpBytes = 28, kIpBytes = 20, kUdpBytes = 8,
                      kIcmpBytes = 8, kLeastFrame = 60;
constexpr std::uint16_t kTypeIpv4 = 0x0800, kTypeArp = 0x0806;
constexpr std::uint8_t kIcmp = 1, kUdp = 17;
constexpr std::uint16_t kArpRequest = 1, kArpReply = 2;
constexpr std::uint8_t kEchoReply = 0, kEchoRequest = 8;
constexpr std::uint32_t kBroadcast = 0xFFFF'FFFF;
constexpr std::array<std::uint8_t, 6> kEveryone{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

// RFC 2131, figure 1 and table 1; RFC 2132.
constexpr std::uint16_t kServerPort = 67, kClientPort = 68;
constexpr std::size_t kDhcpFixed = 236, kDhcpCookieEnd = 240, kDhcpBytes = 300;
constexpr std::uint32_t kCookie = 0x6382'5363;
constexpr std::uint8_t kDiscover = 1, kOffer = 2, kRequest = 3, kAck = 5, kNak = 6;
constexpr std::uint8_t kPad = 0, kMask = 1, kRouter = 3, kWantedAddress = 50, kMessageType = 53,
                       kServer = 54, kParameters = 55, kEnd = 255;

std::uint32_t transaction(const std::array<std::uint8_t, 6>& mac) {
  return load_be32(mac.data() + 2);
}

}  // namespace

std::string ipv4_text(std::uint32_t address) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    text += std::to_string(address >> shift & 0xFF) + (shift > 0 ? "." : "");
  }
  return text;
}

PingClient::PingClient(const PingSettings& settings) : settings_(settings) {}

Time PingClient::due() const {
  if (arp_asker_) return kTimeZero;
  return done() ? kTimeNever : due_;
}

void PingClient::enter(Step step, Time now) {
  step_ = step;
  tries_ = 0;
  due_ = now;
}

void PingClient::give_up(const std::string& why) {
  result_.failure = why;
  step_ = Step::kDone;
}

// --- what is sent ---

const std::vector<std::uint8_t>* PingClient::next(Time now) {
  if (arp_asker_) {
    make_arp(kArpReply, *arp_asker_, arp_asker_address_);
    arp_asker_.reset();
    return &frame_;
  }
  if (done() || now < due_) return nullptr;
  if (step_ == Step::kPing) {
    if (result_.sent == settings_.count) {  // the last one's time is up
      step_ = Step::kDone;
      return nullptr;
    }
    make_echo(now);
    return &frame_;
  }
  if (tries_++ == kTries) {
    give_up(step_ == Step::kResolve ? "nobody answers ARP requests for " + ipv4_text(next_hop_)
                                    : "no DHCP server answers");
    return nullptr;
  }
  due_ = now + kPatience;
  switch (step_) {
    case Step::kDiscover: make_dhcp(kDiscover); break;
    case Step::kRequest: make_dhcp(kRequest); break;
    default: make_arp(kArpRequest, kEveryone, next_hop_); break;
  }
  return &frame_;
}

std::uint8_t* PingClient::make_frame(const Mac& to, std::uint16_t type, std::size_t payload) {
  frame_.assign(std::max(kEthernetBytes + payload, kLeastFrame), 0);
  std::copy(to.begin(), to.end(), frame_.begin());
  std::copy(settings_.mac.begin(), settings_.mac.end(), frame_.begin() + 6);
  store_be16(frame_.data() + 12, type);
  return frame_.data() + kEthernetBytes;
}

std::uint8_t* PingClient::make_ipv4(const Mac& to, std::uint8_t protocol, std::uint32_t from,
                                    std::uint32_t target, std::size_t payload) {
  std::uint8_t* const ip = make_frame(to, kTypeIpv4, kIpBytes + payload);
  ip[0] = 0x45;
  store_be16(ip + 2, static_cast<std::uint16_t>(kIpBytes + payload));
  store_be16(ip + 4, ip_id_++);
  ip[8] = 64;  // time to live
  ip[9] = protocol;
  store_be32(ip + 12, from);
  store_be32(ip + 16, target);
  link::insert_checksum({ip, kIpBytes}, 0, 0, 10, false);
  return ip + kIpBytes;
}

void PingClient::make_dhcp(std::uint8_t type) {
  std::uint8_t* const udp = make_ipv4(kEveryone, kUdp, 0, kBroadcast, kUdpBytes + kDhcpBytes);
  store_be16(udp, kClientPort);
  store_be16(udp + 2, kServerPort);
  store_be16(udp + 4, kUdpBytes + kDhcpBytes);  // checksum 0: none (RFC 768)
  std::uint8_t* const bootp = udp + kUdpBytes;
  bootp[0] = 1;  // request
  bootp[1] = 1;  // Ethernet
  bootp[2] = 6;
  store_be32(bootp + 4, transaction(settings_.mac));
  store_be16(bootp + 10, 0x8000);  // answers may be broadcast
  std::copy(settings_.mac.begin(), settings_.mac.end(), bootp + 28);
  store_be32(bootp + kDhcpFixed, kCookie);
  std::uint8_t* option = bootp + kDhcpCookieEnd;
  const auto put = [&](std::uint8_t code, std::uint32_t value) {
    option[0] = code;
    option[1] = 4;
    store_be32(option + 2, value);
    option += 6;
  };
  *option++ = kMessageType;
  *option++ = 1;
  *option++ = type;
  if (type == kRequest) {
    put(kWantedAddress, lease_.address);
    put(kServer, lease_.server);
  }
  for (const std::uint8_t byte : {kParameters, std::uint8_t{2}, kMask, kRouter, kEnd}) {
    *option++ = byte;
  }
}

void PingClient::make_arp(std::uint16_t operation, const Mac& to, std::uint32_t target) {
  std::uint8_t* const arp = make_frame(to, kTypeArp, kArpBytes);
  store_be16(arp, 1);  // Ethernet
  store_be16(arp + 2, kTypeIpv4);
  arp[4] = 6;
  arp[5] = 4;
  store_be16(arp + 6, operation);
  std::copy(settings_.mac.begin(), settings_.mac.end(), arp + 8);
  store_be32(arp + 14, lease_.address);
  if (operation == kArpReply) std::copy(to.begin(), to.end(), arp + 18);
  store_be32(arp + 24, target);
}

void PingClient::make_echo(Time now) {
  const std::uint32_t target = settings_.target != 0 ? settings_.target : lease_.router;
  std::uint8_t* const icmp =
      make_ipv4(next_hop_mac_, kIcmp, lease_.address, target, kIcmpBytes + kEchoBytes);
  icmp[0] = kEchoRequest;
  store_be16(icmp + 4, settings_.identifier);
  store_be16(icmp + 6, ++sequence_);
  for (std::size_t i = 0; i < kEchoBytes; ++i) {
    icmp[kIcmpBytes + i] = static_cast<std::uint8_t>(i + sequence_);
  }
  link::insert_checksum({icmp, kIcmpBytes + kEchoBytes}, 0, 0, 2, false);
  ++result_.sent;
  echo_sent_ = now;
  awaiting_echo_ = true;
  due_ = now + kPatience;
}

// --- what comes in ---

void PingClient::receive(ConstBytes frame, Time now) {
  if (frame.size() < kEthernetBytes) return;
  const bool ours = std::equal(settings_.mac.begin(), settings_.mac.end(), frame.begin()) ||
                    std::equal(kEveryone.begin(), kEveryone.end(), frame.begin());
  if (!ours) return;
  const std::uint16_t type = load_be16(frame.data() + 12);
  const ConstBytes packet = frame.subspan(kEthernetBytes);
  if (type == kTypeArp && packet.size() >= kArpBytes) receive_arp(packet, now);
  if (type == kTypeIpv4 && packet.size() >= kIpBytes) receive_ipv4(packet, now);
}

void PingClient::receive_arp(ConstBytes packet, Time now) {
  const std::uint8_t* const arp = packet.data();
  if (load_be16(arp) != 1 || load_be16(arp + 2) != kTypeIpv4 || arp[4] != 6 || arp[5] != 4) return;
  const std::uint16_t operation = load_be16(arp + 6);
  const std::uint32_t sender = load_be32(arp + 14);
  Mac mac{};
  std::copy(arp + 8, arp + 14, mac.begin());
  const bool for_us = lease_.address != 0 && load_be32(arp + 24) == lease_.address;
  if (operation == kArpRequest && for_us && step_ > Step::kRequest) {
    arp_asker_ = mac;
    arp_asker_address_ = sender;
  }
  if (operation == kArpReply && step_ == Step::kResolve && sender == next_hop_) {
    next_hop_mac_ = mac;
    enter(Step::kPing, now);
  }
}

void PingClient::receive_ipv4(ConstBytes packet, Time now) {
  const std::uint8_t* const ip = packet.data();
  const std::size_t header = std::size_t{ip[0] & 0x0FU} * 4;
  const std::size_t total = load_be16(ip + 2);
  if (ip[0] >> 4 != 4 || header < kIpBytes || total < header || total > packet.size()) return;
  if (link::ones_sum(packet.first(header)) != 0xFFFF) return;
  constexpr std::uint16_t kFragment = 0x3FFF;
  if ((load_be16(ip + 6) & kFragment) != 0) return;
  const ConstBytes payload = packet.subspan(header, total - header);
  if (ip[9] == kUdp && payload.size() >= kUdpBytes) {
    const std::size_t length = load_be16(payload.data() + 4);
    if (load_be16(payload.data() + 2) != kClientPort || length < kUdpBytes ||
        length > payload.size()) {
      return;
    }
    receive_dhcp(payload.subspan(kUdpBytes, length - kUdpBytes), now);
  }
  const std::uint32_t target = settings_.target != 0 ? settings_.target : lease_.router;
  if (ip[9] == kIcmp && load_be32(ip + 12) == target) receive_echo(payload, now);
}

void PingClient::receive_echo(ConstBytes message, Time now) {
  const std::uint8_t* const icmp = message.data();
  if (step_ != Step::kPing || !awaiting_echo_ || message.size() != kIcmpBytes + kEchoBytes ||
      icmp[0] != kEchoReply || load_be16(icmp + 4) != settings_.identifier ||
      load_be16(icmp + 6) != sequence_ || link::ones_sum(message) != 0xFFFF) {
    return;
  }
  for (std::size_t i = 0; i < kEchoBytes; ++i) {
    if (icmp[kIcmpBytes + i] != static_cast<std::uint8_t>(i + sequence_)) return;
  }
  awaiting_echo_ = false;
  const Time round_trip = now - echo_sent_;
  if (++result_.received == 1) result_.fastest = result_.slowest = round_trip;
  result_.fastest = std::min(result_.fastest, round_trip);
  result_.slowest = std::max(result_.slowest, round_trip);
  due_ = now + kInterval;
  if (result_.sent == settings_.count) step_ = Step::kDone;
}

std::optional<PingClient::Offer> PingClient::parse_dhcp(ConstBytes message) const {
  if (message.size() < kDhcpCookieEnd) return std::nullopt;
  const std::uint8_t* const bootp = message.data();
  const bool ours = bootp[0] == 2 && load_be32(bootp + 4) == transaction(settings_.mac) &&
                    std::equal(settings_.mac.begin(), settings_.mac.end(), bootp + 28) &&
                    load_be32(bootp + kDhcpFixed) == kCookie;
  if (!ours) return std::nullopt;
  Offer offer;
  offer.address = load_be32(bootp + 16);
  const auto size = static_cast<std::size_t>(message.size());
  for (std::size_t at = kDhcpCookieEnd; at < size && bootp[at] != kEnd;) {
    const std::uint8_t code = bootp[at];
    if (code == kPad) {
      ++at;
      continue;
    }
    if (at + 2 > size || at + 2 + bootp[at + 1] > size) return std::nullopt;
    const std::uint8_t length = bootp[at + 1];
    const std::uint8_t* const value = bootp + at + 2;
    if (code == kMessageType && length >= 1) offer.type = value[0];
    if (code == kMask && length >= 4) offer.mask = load_be32(value);
    if (code == kRouter && length >= 4) offer.router = load_be32(value);
    if (code == kServer && length >= 4) offer.server = load_be32(value);
    at += 2U + length;
  }
  return offer;
}

void PingClient::receive_dhcp(ConstBytes message, Time now) {
  const auto offer = parse_dhcp(message);
  if (!offer) return;
  if (step_ == Step::kDiscover && offer->type == kOffer && offer->address != 0) {
    lease_ = *offer;
    enter(Step::kRequest, now);
  } else if (step_ == Step::kRequest && offer->type == kAck && offer->address != 0) {
    take_lease(*offer, now);
  } else if (step_ == Step::kRequest && offer->type == kNak) {
    enter(Step::kDiscover, now + kPatience);
  }
}

void PingClient::take_lease(const Offer& offer, Time now) {
  lease_ = offer;
  result_.address = ipv4_text(offer.address);
  result_.server = ipv4_text(offer.server);
  if (offer.router != 0) result_.gateway = ipv4_text(offer.router);
  const std::uint32_t target = settings_.target != 0 ? settings_.target : offer.router;
  if (target == 0) return give_up("DHCP names no gateway, and no --to says whom to ping");
  result_.target = ipv4_text(target);
  const bool near = ((target ^ offer.address) & offer.mask) == 0;
  next_hop_ = near || offer.router == 0 ? target : offer.router;
  enter(Step::kResolve, now);
}

}  // namespace e1000tlm::driver
