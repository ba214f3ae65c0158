#pragma once
/// A host just large enough to get an address by DHCP and to ping somebody. No SystemC.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "e1000tlm/driver/ping_result.h"
#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::driver {

/// What it is to do.
struct PingSettings {
  std::array<std::uint8_t, 6> mac{};
  std::uint32_t target = 0;  ///< IPv4 address as a number; 0: the gateway that DHCP names
  std::uint64_t count = 4;   ///< echo requests
  std::uint16_t identifier = 1;
};

/// DHCP (RFC 2131), ARP (RFC 826) and ICMP echo (RFC 792) as a client needs them, one step after
/// the other: discover, request, resolve, ping. What does not belong to its step it ignores, ARP
/// requests for its address it answers.
class PingClient {
 public:
  explicit PingClient(const PingSettings& settings);

  /// A frame of at least an Ethernet header has come in.
  void receive(ConstBytes frame, Time now);
  /// The next frame that is to be sent now; nullptr: none. Valid until the next call.
  const std::vector<std::uint8_t>* next(Time now);
  /// When next() has something, if nothing comes in; kTimeNever: never.
  Time due() const;
  /// It has succeeded or given up.
  bool done() const { return step_ == Step::kDone; }
  const PingResult& result() const { return result_; }

  static constexpr Time kPatience = ms(1'000);   ///< until a request is sent again
  static constexpr unsigned kTries = 5;          ///< of a DHCP or ARP request
  static constexpr Time kInterval = ms(100);     ///< between an answer and the next echo request
  static constexpr std::size_t kEchoBytes = 56;  ///< of data, as ping(8) sends

 private:
  enum class Step : std::uint8_t { kDiscover, kRequest, kResolve, kPing, kDone };
  using Mac = std::array<std::uint8_t, 6>;
  struct Offer {
    std::uint32_t address = 0, server = 0, mask = 0, router = 0;
    std::uint8_t type = 0;
  };

  void enter(Step step, Time now);
  void give_up(const std::string& why);
  void receive_arp(ConstBytes packet, Time now);
  void receive_ipv4(ConstBytes packet, Time now);
  void receive_dhcp(ConstBytes message, Time now);
  void receive_echo(ConstBytes message, Time now);
  std::optional<Offer> parse_dhcp(ConstBytes message) const;
  void take_lease(const Offer& offer, Time now);

  void make_dhcp(std::uint8_t type);
  void make_arp(std::uint16_t operation, const Mac& to, std::uint32_t target);
  void make_echo(Time now);
  std::uint8_t* make_frame(const Mac& to, std::uint16_t type, std::size_t payload);
  std::uint8_t* make_ipv4(const Mac& to, std::uint8_t protocol, std::uint32_t from,
                          std::uint32_t target, std::size_t payload);

  PingSettings settings_;
  PingResult result_;
  Step step_ = Step::kDiscover;
  Offer lease_;
  std::uint32_t next_hop_ = 0;
  Mac next_hop_mac_{};
  Time due_ = kTimeZero;
  Time echo_sent_{};
  unsigned tries_ = 0;
  std::uint16_t sequence_ = 0;
  std::uint16_t ip_id_ = 0;
  bool awaiting_echo_ = false;
  std::optional<Mac> arp_asker_;
  std::uint32_t arp_asker_address_ = 0;
  std::vector<std::uint8_t> frame_;
};

/// "10.0.2.15".
std::string ipv4_text(std::uint32_t address);

}  // namespace e1000tlm::driver
