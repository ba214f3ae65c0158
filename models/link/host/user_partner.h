#pragma once
/// A network in user space at the end of the cable, without root.

#include <chrono>
#include <cstdint>
#include <deque>

#include <systemc>

#include "e1000tlm/link/hold_queue.h"
#include "e1000tlm/link/host/host_flush.h"
#include "e1000tlm/link/host/user_stack.h"
#include "e1000tlm/link/partner.h"

namespace e1000tlm::link {

/// Partner kind "user": QEMU's -netdev user, by the same library (libslirp) and with its keys.
///
/// A gateway with DHCP, TFTP and a name server behind which the host and all it can reach lie. Its
/// clock and timers are those of the simulation, and it runs on the simulation's thread: as long as
/// no socket of the host is open, a run is not live and is reproducible. While one is (the guest
/// talks to somebody beyond the gateway, or a port is forwarded) the partner is live, and looks at
/// its sockets every kSocketInterval of simulated time.
/// Back-pressure: while the NIC's side holds kHighWater frames nothing is read from the host. A
/// frame from the NIC is taken the moment its last bit has arrived. Drops beside those of
/// HoldQueue: "bad_fcs", "too_long" (from the stack: more than a frame can hold).
class UserPartner : public LinkPartner, public HostFlush, private FrameSink {
 public:
  /// See above.
  static constexpr Time kSocketInterval = us(200);
  /// See above.
  static constexpr std::size_t kHighWater = 1024;

  /// Throws std::invalid_argument (bad option) or std::runtime_error (port of the host in use).
  UserPartner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec);
  ~UserPartner() override;

  bool live() const override { return !polled_ && stack_.uses_host(); }
  bool exhausted() const override { return arrivals_.empty() && LinkPartner::exhausted(); }

  void use_polling() override;
  std::size_t poll() override;
  bool releasing() const override { return hold_.releasing() || !arrivals_.empty(); }
  bool flush(std::chrono::milliseconds) override { return true; }

 private:
  void receive(Arrival arrival) override;
  bool take_back(Time last_bit, std::size_t size) override;
  void work();
  void plan();
  void offer(ConstBytes content);

  HoldQueue hold_;
  sc_core::sc_event work_;
  std::deque<Arrival> arrivals_;  // from the NIC, until their last bits
  bool polled_ = false;
  std::size_t offered_ = 0;
  UserStack stack_;
};

/// What the options of a spec say. Throws std::invalid_argument.
UserConfig user_config(const PartnerSpec& spec);

/// For the registry.
PartnerRegistry::Kind user_kind();

}  // namespace e1000tlm::link
