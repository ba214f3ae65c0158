#include "e1000tlm/link/host/user_config.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <arpa/inet.h>

namespace e1000tlm::link {
namespace {

[[noreturn]] void bad(const std::string& text, const std::string& why) {
  throw std::invalid_argument("'" + text + "' " + why);
}

/// What stands before the separator; the rest loses both.
std::string cut(std::string& rest, char separator, const std::string& whole,
                const std::string& expected) {
  const std::size_t at = rest.find(separator);
  if (at == std::string::npos) bad(whole, "is not of the form " + expected);
  std::string part = rest.substr(0, at);
  rest.erase(0, at + 1);
  return part;
}

unsigned parse_number(const std::string& text, unsigned most, const char* what) {
  const bool digits = !text.empty() && text.size() <= 5 &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  const unsigned long value = digits ? std::stoul(text) : most + 1UL;
  if (value > most)
    bad(text, std::string("is no ") + what + " (0 to " + std::to_string(most) + ")");
  return static_cast<unsigned>(value);
}

std::uint16_t parse_port(const std::string& text) {
  return static_cast<std::uint16_t>(parse_number(text, 65535, "port"));
}

bool parse_protocol(const std::string& text, const std::string& whole) {
  if (text.empty() || text == "tcp") return false;
  if (text == "udp") return true;
  bad(whole, "begins with '" + text + "': expected tcp: or udp:");
}

struct Class {
  std::uint32_t mask, value, net_mask;
};
// Networks without a mask, as QEMU's net/slirp.c tells them apart.
constexpr std::array<Class, 6> kClasses{{
    {0x8000'0000, 0x0000'0000, 0xFF00'0000},  // A
    {0xFFF0'0000, 0xAC10'0000, 0xFFF0'0000},  // private, 172.16.0.0
    {0xC000'0000, 0x8000'0000, 0xFFFF'0000},  // B
    {0xFFFF'0000, 0xC0A8'0000, 0xFFFF'0000},  // private, 192.168.0.0
    {0xFFFF'0000, 0xC612'0000, 0xFFFE'0000},  // tests, 198.18.0.0
    {0xE000'0000, 0xC000'0000, 0xFFFF'FF00},  // C
}};
constexpr std::uint32_t kOtherMask = 0xFFFF'FFF0;

std::uint32_t class_mask(std::uint32_t address) {
  const auto found = std::find_if(kClasses.begin(), kClasses.end(),
                                  [&](const Class& c) { return (address & c.mask) == c.value; });
  return found == kClasses.end() ? kOtherMask : found->net_mask;
}

std::string text_of(in_addr address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, &address, text.data(), text.size());
  return text.data();
}

}  // namespace

in_addr parse_ipv4(const std::string& text) {
  in_addr address{};
  if (::inet_pton(AF_INET, text.c_str(), &address) != 1) bad(text, "is no IPv4 address (1.2.3.4)");
  return address;
}

in6_addr parse_ipv6(const std::string& text) {
  in6_addr address{};
  if (::inet_pton(AF_INET6, text.c_str(), &address) != 1) bad(text, "is no IPv6 address");
  return address;
}

Ipv4Network parse_ipv4_network(const std::string& text) {
  const std::size_t slash = text.find('/');
  Ipv4Network network;
  const std::uint32_t address = ntohl(parse_ipv4(text.substr(0, slash)).s_addr);
  std::uint32_t mask = class_mask(address);
  if (slash != std::string::npos) {
    const std::string tail = text.substr(slash + 1);
    if (tail.find('.') != std::string::npos) {
      mask = ntohl(parse_ipv4(tail).s_addr);
      if ((~mask & (~mask + 1)) != 0) bad(tail, "is no network mask");
    } else {
      const unsigned length = parse_number(tail, 30, "length of a network's prefix");
      if (length < 4) bad(tail, "is too short for a network's prefix (4 to 30)");
      mask = 0xFFFF'FFFFU << (32 - length);
    }
  }
  if (~mask < 3) bad(text, "leaves no room for addresses");
  network.address.s_addr = htonl(address & mask);
  network.mask.s_addr = htonl(mask);
  return network;
}

HostForward parse_host_forward(const std::string& text) {
  const std::string form = "[tcp|udp]:[HOSTADDR]:HOSTPORT-[GUESTADDR]:GUESTPORT";
  std::string rest = text;
  HostForward forward;
  forward.udp = parse_protocol(cut(rest, ':', text, form), text);
  const std::string host = cut(rest, ':', text, form);
  if (!host.empty()) forward.host = parse_ipv4(host);
  forward.host_port = parse_port(cut(rest, '-', text, form));
  const std::string guest = cut(rest, ':', text, form);
  if (!guest.empty()) forward.guest = parse_ipv4(guest);
  forward.guest_port = parse_port(rest);
  if (forward.guest_port == 0) bad(text, "leads to port 0 of the guest");
  return forward;
}

GuestForward parse_guest_forward(const std::string& text) {
  const std::string form = "[tcp]:SERVER:PORT-cmd:COMMAND or ...-unix:PATH";
  std::string rest = text;
  GuestForward forward;
  if (parse_protocol(cut(rest, ':', text, form), text)) bad(text, "asks for udp: only tcp can be");
  forward.server = parse_ipv4(cut(rest, ':', text, form));
  forward.port = parse_port(cut(rest, '-', text, form));
  const std::string target = cut(rest, ':', text, form);
  if (target == "cmd") forward.command = rest;
  if (target == "unix") forward.path = rest;
  if (forward.command.empty() && forward.path.empty()) bad(text, "is not of the form " + form);
  return forward;
}

UserConfig::UserConfig() {
  set_network(parse_ipv4_network("10.0.2.0/24"));
  set_ipv6_prefix(parse_ipv6("fec0::"), 64);
}

void UserConfig::set_network(const Ipv4Network& network) {
  net = network;
  const auto within = [&](std::uint32_t number) {
    return in_addr{network.address.s_addr | (htonl(number) & ~network.mask.s_addr)};
  };
  host = within(0x0202);
  dns = within(0x0203);
  dhcp_start = within(0x020F);
}

void UserConfig::set_ipv6_prefix(const in6_addr& prefix, std::uint8_t length) {
  ipv6_prefix = ipv6_host = ipv6_dns = prefix;
  ipv6_prefix_length = length;
  ipv6_host.s6_addr[15] |= 2;
  ipv6_dns.s6_addr[15] |= 3;
}

void UserConfig::check() const {
  const auto inside = [&](in_addr a) { return (a.s_addr & net.mask.s_addr) == net.address.s_addr; };
  const auto reject = [&](const char* key, in_addr value, const std::string& why) {
    throw std::invalid_argument(std::string("option ") + key + "=" + text_of(value) + ": " + why);
  };
  const std::string outside =
      "is not in the network " + text_of(net.address) + "/" + text_of(net.mask);
  if (!inside(host)) reject("host", host, outside);
  if (!inside(dhcp_start)) reject("dhcpstart", dhcp_start, outside);
  if (restricted && !inside(dns)) reject("dns", dns, outside + ", which restrict=on asks for");
  if (dns.s_addr == host.s_addr) reject("dns", dns, "is the host's address, too");
  if (dhcp_start.s_addr == host.s_addr || dhcp_start.s_addr == dns.s_addr) {
    reject("dhcpstart", dhcp_start, "is the address of the host or the name server, too");
  }
  if (!ipv4 && !ipv6) throw std::invalid_argument("option ipv6=off: with ipv4=off nothing is left");
}

}  // namespace e1000tlm::link
