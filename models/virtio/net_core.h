#pragma once
/// What every hardware block of the network device works with.

#include <array>
#include <cstdint>

#include <systemc>

#include "e1000tlm/link/cable.h"
#include "e1000tlm/tlm/bus_master.h"
#include "e1000tlm/tlm/sc_time.h"
#include "e1000tlm/virtio/control_unit.h"
#include "e1000tlm/virtio/net_device.h"
#include "e1000tlm/virtio/net_probes.h"
#include "e1000tlm/virtio/packet_header.h"
#include "e1000tlm/virtio/transport.h"

namespace e1000tlm::virtio {

/// May the device master the bus (PCI command bit 2, power state)?
struct BusMasterGate {
  bool enabled = true;
  std::uint64_t closures = 0;  ///< how often it was closed
};

/// One counter for each reason.
class NetDropCounters {
 public:
  void count(NetDrop reason, std::uint64_t frames = 1) {
    counts_[static_cast<std::size_t>(reason)] += frames;
  }
  std::uint64_t operator[](NetDrop reason) const {
    return counts_[static_cast<std::size_t>(reason)];
  }

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(NetDrop::kCount)> counts_{};
};

/// The parts that all blocks share, and the time.
class NetCore {
 public:
  NetCore(const NetDeviceConfig& its_config, BusMasterPort& its_dma)
      : config(its_config), dma(its_dma), control(its_config.queue_pairs, its_config.mac) {}

  const NetDeviceConfig& config;
  BusMasterPort& dma;
  BusMasterGate gate{};
  NetDropCounters drops{};
  std::array<NetPairCounters, net::kMostPairs> pairs{};
  NetProbes probes{};
  /// What the driver has said through the control queue.
  net::ControlUnit control;
  /// On which pair each flow sent last.
  net::FlowTable flows{};
  /// See NetDevice::set_lookahead().
  Time lookahead = kTimeZero;
  /// In a state other than D0.
  bool asleep = false;
  /// Set while the blocks are made.
  PciTransport* transport = nullptr;
  /// Set at elaboration's end; null: no cable, somebody else carries the packets.
  link::CableEndIf* wire = nullptr;

  /// Was a feature agreed on?
  bool agreed(std::uint64_t feature) const { return (transport->features() & feature) != 0; }
  /// Several pairs of queues can be used; else there are two queues and the control queue.
  bool many_pairs() const { return agreed(net::feature::kMultiQueue | net::feature::kRss); }
  /// Number of the control queue, in general and as agreed.
  unsigned control_queue_of(bool many) const { return many ? 2 * config.queue_pairs : 2; }
  unsigned control_queue() const { return control_queue_of(many_pairs()); }
  /// Bytes of the header before each packet.
  std::size_t header_bytes() const { return net::header_bytes(transport->features()); }

  /// A register access at a local time of its initiator's, as long as its handlers run.
  class Access {
   public:
    Access(NetCore& core, Time at) : core_(core) { core_.access_at_ = at; }
    ~Access() { core_.access_at_ = kTimeNever; }
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;

   private:
    NetCore& core_;
  };
  /// What time it is for what a register handler does: the access's own; else the kernel's.
  Time now() const { return access_at_ != kTimeNever ? access_at_ : sc_now(); }

 private:
  Time access_at_ = kTimeNever;  // no access
};

}  // namespace e1000tlm::virtio
