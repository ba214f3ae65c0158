#pragma once
/// What a user-mode network (libslirp) is like, and how its users write it. No SystemC.

#include <cstdint>
#include <string>
#include <vector>

#include <netinet/in.h>

namespace e1000tlm::link {

/// An IPv4 network.
struct Ipv4Network {
  in_addr address{};  ///< host part 0
  in_addr mask{};
};

/// "10.0.2.0/24", "10.0.2.0/255.255.255.0"; without a mask that of the address's class, as QEMU has
/// it. Throws std::invalid_argument.
Ipv4Network parse_ipv4_network(const std::string& text);
/// Throws std::invalid_argument.
in_addr parse_ipv4(const std::string& text);
/// Throws std::invalid_argument.
in6_addr parse_ipv6(const std::string& text);

/// A port of the host that leads to one of the guest's.
struct HostForward {
  bool udp = false;
  in_addr host{};
  std::uint16_t host_port = 0;
  in_addr guest{};  ///< 0.0.0.0: the first that DHCP gives away
  std::uint16_t guest_port = 0;
};
/// "[tcp|udp]:[HOSTADDR]:HOSTPORT-[GUESTADDR]:GUESTPORT". Throws std::invalid_argument.
HostForward parse_host_forward(const std::string& text);

/// A port of the modelled network that leads to a program or a socket of the host.
struct GuestForward {
  in_addr server{};
  std::uint16_t port = 0;
  std::string command;  ///< started for each connection, which is its standard input and output
  std::string path;     ///< of a UNIX socket; either this or a command
};
/// "[tcp]:SERVER:PORT-cmd:COMMAND" or "...-unix:PATH". Throws std::invalid_argument.
GuestForward parse_guest_forward(const std::string& text);

/// Defaults are QEMU's.
struct UserConfig {
  bool ipv4 = true;
  Ipv4Network net{};
  in_addr host{}, dhcp_start{}, dns{};
  bool ipv6 = true;
  in6_addr ipv6_prefix{}, ipv6_host{}, ipv6_dns{};
  std::uint8_t ipv6_prefix_length = 64;
  bool restricted = false;  ///< no way to the host or beyond, but for forwarded ports
  std::string hostname, domainname;
  std::vector<std::string> dnssearch;
  std::string tftp;  ///< directory that TFTP serves; empty: none
  std::string tftp_server_name, bootfile;
  std::vector<HostForward> host_forwards;
  std::vector<GuestForward> guest_forwards;

  /// 10.0.2.0/24 and fec0::/64.
  UserConfig();
  /// This network and the usual addresses in it: host .2.2, DNS .2.3, DHCP from .2.15 on, as far as
  /// the mask leaves room.
  void set_network(const Ipv4Network& network);
  /// The same for IPv6: host ::2, DNS ::3.
  void set_ipv6_prefix(const in6_addr& prefix, std::uint8_t length);
  /// Throws std::invalid_argument, naming the key, when addresses do not fit together.
  void check() const;
};

}  // namespace e1000tlm::link
