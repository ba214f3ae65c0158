#pragma once
/// libslirp, an IP stack in user space, on a clock that is not the host's. No SystemC.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "e1000tlm/link/host/user_config.h"
#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::link {

/// Has no threads, and no clock and timers but those its owner gives it: what it answers by itself
/// (ARP, DHCP, echo requests to the gateway, TFTP, router advertisements) depends on nothing but
/// what it was given, and when. Sockets of the host appear when the guest talks to somebody beyond,
/// and for forwarded ports.
class UserStack {
 public:
  /// What the owner does for it; all are called in the functions below.
  struct Host {
    std::function<void(ConstBytes)> send;  ///< takes a frame for the guest, without FCS
    std::function<Time()> now;             ///< never runs backwards
  };

  /// Throws std::runtime_error (port in use ...) or std::invalid_argument, naming key and value.
  /// `seed`: of the moments of unasked-for router advertisements.
  UserStack(const UserConfig& config, Host host, std::uint64_t seed);
  ~UserStack();
  UserStack(const UserStack&) = delete;
  UserStack& operator=(const UserStack&) = delete;

  /// Takes a frame of the guest, without FCS.
  void input(ConstBytes frame);
  /// Fires timers that are due and does what sockets of the host are ready for, without waiting.
  /// `sockets`: look at them (else they push back). To be called after input(), when due() says so,
  /// and while uses_host() every now and then.
  void advance(bool sockets);
  /// When advance() has something to do by itself, as of the last call.
  std::optional<Time> due() const;
  /// Sockets of the host are open, as of the last advance().
  bool uses_host() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace e1000tlm::link
