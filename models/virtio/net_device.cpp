#include "e1000tlm/virtio/net_device.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "e1000tlm/tlm/register_access.h"
#include "e1000tlm/virtio/config_window.h"
#include "e1000tlm/virtio/data_plane.h"
#include "e1000tlm/virtio/engine_plane.h"
#include "e1000tlm/virtio/interrupt_unit.h"
#include "e1000tlm/virtio/link_unit.h"
#include "e1000tlm/virtio/net_core.h"
#include "e1000tlm/virtio/net_features.h"
#include "e1000tlm/virtio/receive_engine.h"
#include "e1000tlm/virtio/transmit_engine.h"

namespace e1000tlm::virtio {
namespace {

constexpr std::uint32_t kLegacyBytes = 64;

const NetDeviceConfig& checked(const NetDeviceConfig& config) {
  const auto refuse = [](const std::string& why) {
    throw std::invalid_argument("virtio network device: " + why);
  };
  if (config.queue_pairs < 1 || config.queue_pairs > net::kMostPairs) {
    refuse("it has 1 to " + std::to_string(net::kMostPairs) + " pairs of queues, not " +
           std::to_string(config.queue_pairs));
  }
  const unsigned size = config.queue_size;
  if (size < 2 || size > SplitLayout::kMostSize || (size & (size - 1)) != 0) {
    refuse("a queue has 2 to 32768 descriptors, a power of two, not " + std::to_string(size));
  }
  const NetTiming& timing = config.timing;
  const auto burst = [&](std::uint32_t value, const char* what) {
    if (value < 1 || value > BusMemory::kMost) {
      refuse(std::string(what) + ": 1 to " + std::to_string(BusMemory::kMost) + ", not " +
             std::to_string(value));
    }
  };
  burst(timing.available_burst, "entries of a burst");
  burst(timing.descriptor_burst, "descriptors of a burst");
  burst(timing.used_batch, "used buffers at a time");
  if (timing.data_burst < 64) refuse("a burst of data has at least 64 bytes");
  if (timing.transmit_fifo < kLeastFifo || timing.receive_fifo < kLeastFifo) {
    refuse("its memories have at least " + std::to_string(kLeastFifo) + " bytes each");
  }
  return config;
}

/// Takes an access to part of a dword apart into registers' accesses of 1, 2 and 4 bytes:
/// `action(offset, bytes, shift)`.
template <class Action>
void for_lanes(std::uint32_t offset, std::uint32_t mask, Action action) {
  for (unsigned lane = 0; lane < 4;) {
    const std::uint32_t rest = mask >> (8 * lane);
    if ((rest & 0xFF) == 0) {
      ++lane;
      continue;
    }
    unsigned bytes = 1;
    if (lane == 0 && rest == 0xFFFF'FFFF) {
      bytes = 4;
    } else if (lane % 2 == 0 && (rest & 0xFFFF) == 0xFFFF) {
      bytes = 2;
    }
    action(offset + lane, bytes, 8 * lane);
    lane += bytes;
  }
}

}  // namespace

/// The blocks, in the order in which they depend on each other, and the device behind the
/// transport.
struct NetDevice::Blocks : public DeviceModel, public DataPlaneOwner {
  Blocks(const NetDeviceConfig& its_config, BusMasterPort& dma)
      : config(checked(its_config)),
        core(config, dma),
        interrupts("interrupts", core),
        transport({2 * config.queue_pairs + 1, config.queue_size, vectors(config),
                   config.interface == NetInterface::kTransitional},
                  *this, interrupts),
        window(transport),
        link("link", core),
        transmit("transmit", core, interrupts),
        receive("receive", core, interrupts),
        engines(transmit, receive),
        plane(&engines) {
    core.transport = &transport;
    link.set_listener([this](bool up) {
      if (!up) transmit.link_lost();
      receive.update_ready();
    });
    link.set_cable_listener([this] { update_plane(); });
    transmit.set_command_listener([this] { set_active_pairs(core.control.pairs()); });
  }

  // --- the device behind the transport ---
  std::uint64_t offered_features() const override;
  bool accept_features(std::uint64_t features) override;
  void driver_ready() override;
  void device_reset() override;
  void queue_enabled(unsigned queue) override;
  void queue_reset(unsigned queue) override;
  void queue_notified(unsigned queue) override;
  std::uint8_t config_byte(unsigned offset) const override;
  void write_config(unsigned offset, std::uint8_t value) override;

  // --- the owner of the data plane ---
  void plane_used(unsigned queue) override { interrupts.queue_used(queue); }
  void plane_link(bool up) override { link.set_carried(up); }
  void plane_failed(const std::string& why) override { transport.needs_reset(why); }

  void hardware_reset() {
    transport.bus_reset();
    interrupts.reset();
  }
  void set_gate(bool enabled) {
    core.gate.enabled = enabled;
    if (!enabled) ++core.gate.closures;
    update_plane();
    receive.update_ready();
    transmit.wake();
    receive.wake();
  }
  void set_active_pairs(unsigned pairs) {
    if (pairs == active_pairs) return;
    active_pairs = pairs;
    plane->set_active_pairs(pairs);
  }
  /// Whoever carries packets beside the engines does so only while the device may master the bus
  /// and its cable is in.
  void update_plane() {
    if (plane == &engines) return;
    if (core.gate.enabled && link.cable_up()) {
      resume_plane();
    } else {
      suspend_plane();
    }
  }
  void suspend_plane();
  void resume_plane();
  DataPlane::Queue setup(unsigned queue) const { return {queue, transport.queue(queue).layout, 0}; }
  bool is_control(unsigned queue) const {
    return core.agreed(net::feature::kControlQueue) && queue == core.control_queue();
  }
  /// It is one of the receive and transmit queues that the driver may use.
  bool carries(unsigned queue) const {
    return queue < 2 * config.queue_pairs && (core.many_pairs() || queue < 2);
  }

  NetDeviceConfig config;
  NetCore core;
  InterruptUnit interrupts;
  PciTransport transport;
  ConfigWindow window;
  LinkUnit link;
  TransmitEngine transmit;
  ReceiveEngine receive;
  EnginePlane engines;
  DataPlane* plane;
  unsigned active_pairs = 1;
  std::vector<DataPlane::Queue> suspended;
  bool in_reset = false;
};

// --- the device behind the transport ------------------------------------------------------------

std::uint64_t NetDevice::Blocks::offered_features() const {
  using namespace net::feature;
  std::uint64_t features = kCsum | kGuestCsum | kMac | kGuestTso4 | kGuestTso6 | kGuestEcn |
                           kHostTso4 | kHostTso6 | kHostEcn | kMergeableBuffers | kStatus |
                           kAnyLayout | kIndirect | kEventIndex | kVersion1 | kRingReset |
                           kSpeedDuplex | kControlQueue | kControlRx | kControlVlan |
                           kControlRxExtra | kGuestAnnounce | kControlMac | kHashReport |
                           kInOrder;  // the engines take and give back one after the other
  if (config.mtu != 0) features |= kMtu;
  if (config.queue_pairs > 1) features |= kMultiQueue | kRss;
  return net::without_unmet(features & ~config.masked_features & plane->features());
}

bool NetDevice::Blocks::accept_features(std::uint64_t features) {
  if (net::broken_rule(features)) return false;
  core.control.set_features(features);
  return true;
}

void NetDevice::Blocks::driver_ready() {
  std::vector<DataPlane::Queue> queues;
  for (unsigned queue = 0; carries(queue); ++queue) {
    if (transport.queue(queue).enabled) queues.push_back(setup(queue));
  }
  plane->start(transport.features(), queues);
  update_plane();
  if (core.agreed(net::feature::kControlQueue)) {
    const unsigned control = core.control_queue();
    if (transport.queue(control).enabled) queue_enabled(control);
  }
  receive.update_ready();
}

void NetDevice::Blocks::device_reset() {
  plane->stop();
  if (plane != &engines) transmit.stop();  // the control queue
  suspended.clear();
  interrupts.reset();
  core.control.reset();
  core.flows.reset();
  set_active_pairs(1);
}

void NetDevice::Blocks::queue_enabled(unsigned queue) {
  if (is_control(queue)) {
    transmit.start_control(queue, transport.queue(queue).layout);
  } else if (carries(queue)) {
    plane->start_queue(setup(queue));
  }
}

void NetDevice::Blocks::queue_reset(unsigned queue) {
  if (!transport.running()) return;
  if (is_control(queue)) {
    transmit.stop_queue(queue);
  } else if (carries(queue)) {
    plane->stop_queue(queue);
  }
}

void NetDevice::Blocks::queue_notified(unsigned queue) {
  if (!transport.running()) return;
  if (is_control(queue)) {
    transmit.notified(queue);
  } else if (carries(queue)) {
    plane->notified(queue);
  }
}

void NetDevice::Blocks::suspend_plane() {
  if (!transport.running() || !suspended.empty()) return;
  for (unsigned queue = 0; carries(queue); ++queue) {
    if (!transport.queue(queue).enabled) continue;
    suspended.push_back(setup(queue));
    suspended.back().base = plane->stop_queue(queue);
  }
}

void NetDevice::Blocks::resume_plane() {
  for (const DataPlane::Queue& queue : suspended) plane->start_queue(queue);
  suspended.clear();
}

std::uint8_t NetDevice::Blocks::config_byte(unsigned offset) const {
  namespace at = net::config;
  const auto byte_of = [offset](std::uint32_t value, unsigned from) {
    return static_cast<std::uint8_t>(value >> (8 * (offset - from)));
  };
  if (offset < at::kStatus) return core.control.filter().address()[offset];
  if (offset < at::kMostPairs) return byte_of(link.status(), at::kStatus);
  if (offset < at::kMtu) return byte_of(config.queue_pairs, at::kMostPairs);
  if (offset < at::kSpeed) return byte_of(config.mtu, at::kMtu);
  if (offset < at::kDuplex) return byte_of(link.speed(), at::kSpeed);
  if (offset == at::kDuplex) return link.full_duplex() ? 1 : 0;
  if (offset == at::kRssMostKey) return net::ToeplitzHash::kKeyBytes;
  if (offset < at::kHashTypes) return byte_of(net::HashConfig::kMostTable, at::kRssMostTable);
  if (offset < at::kBytes) return byte_of(net::hash_type::kAll, at::kHashTypes);
  return 0;
}

/// Only legacy drivers may write here, and only the address (virtio 1.2, 5.1.4).
void NetDevice::Blocks::write_config(unsigned offset, std::uint8_t value) {
  if (offset < config.mac.size() && transport.legacy_driver()) {
    core.control.set_address_byte(offset, value);
  }
}

// --- the module ---------------------------------------------------------------------------------

NetDevice::NetDevice(const sc_core::sc_module_name& name, const NetDeviceConfig& config)
    : sc_module(name),
      registers("registers"),
      legacy("legacy"),
      dma("dma"),
      irq("irq"),
      messages("messages"),
      wire("wire"),
      reset("reset"),
      blocks_(std::make_unique<Blocks>(config, dma)) {
  blocks_->interrupts.line.bind(irq);
  registers.register_b_transport(this, &NetDevice::registers_transport);
  registers.register_transport_dbg(this, &NetDevice::registers_debug);
  legacy.register_b_transport(this, &NetDevice::legacy_transport);
  legacy.register_transport_dbg(this, &NetDevice::legacy_debug);
}

NetDevice::~NetDevice() = default;

void NetDevice::end_of_elaboration() {
  check_time_resolution();
  Blocks& b = *blocks_;
  if (messages.size() > 0) b.interrupts.connect(*messages.operator->());
  if (wire.size() > 0) {
    b.core.wire = wire.operator->();
    b.link.connect();
  }
  if (reset.size() > 0) {
    sc_core::sc_spawn_options options;
    options.spawn_method();
    options.set_sensitivity(&reset->value_changed_event());
    options.dont_initialize();
    sc_core::sc_spawn([this] { reset_changed(); }, "reset_changed", &options);
  }
}

void NetDevice::start_of_simulation() {
  if (reset.size() > 0 && reset->read()) reset_changed();
}

void NetDevice::reset_changed() {
  blocks_->in_reset = reset->read();
  if (blocks_->in_reset) blocks_->hardware_reset();
  pci_bus_master(!blocks_->in_reset);
}

namespace {

/// Registers of a transport, as many bytes at a time as the access enables side by side.
void access_lanes(::tlm::tlm_generic_payload& payload, std::uint32_t size, PciTransport& transport,
                  std::uint32_t (PciTransport::*read)(std::uint32_t, unsigned),
                  void (PciTransport::*write)(std::uint32_t, unsigned, std::uint32_t)) {
  access_registers(
      payload, size,
      [&](std::uint32_t offset, std::uint32_t mask) {
        std::uint32_t value = 0;
        for_lanes(offset, mask, [&](std::uint32_t at, unsigned bytes, unsigned shift) {
          value |= (transport.*read)(at, bytes) << shift;
        });
        return value;
      },
      [&](std::uint32_t offset, std::uint32_t value, std::uint32_t mask) {
        for_lanes(offset, mask, [&](std::uint32_t at, unsigned bytes, unsigned shift) {
          (transport.*write)(at, bytes, value >> shift);
        });
      });
}

}  // namespace

void NetDevice::registers_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  Blocks& b = *blocks_;
  if (b.in_reset) return leave_undriven(payload);
  const NetCore::Access access(b.core, sc_now() + from_sc(delay));
  access_lanes(payload, pci_layout::kModernBytes, b.transport, &PciTransport::read,
               &PciTransport::write);
}

unsigned NetDevice::registers_debug(::tlm::tlm_generic_payload& payload) {
  if (payload.is_write()) return 0;
  return debug_registers(
      payload, pci_layout::kModernBytes,
      [&](std::uint32_t offset, std::uint32_t) { return blocks_->transport.peek(offset, 4); },
      [](std::uint32_t, std::uint32_t, std::uint32_t) {});
}

void NetDevice::legacy_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  Blocks& b = *blocks_;
  if (b.in_reset) return leave_undriven(payload);
  const NetCore::Access access(b.core, sc_now() + from_sc(delay));
  access_lanes(payload, kLegacyBytes, b.transport, &PciTransport::read_legacy,
               &PciTransport::write_legacy);
}

unsigned NetDevice::legacy_debug(::tlm::tlm_generic_payload& payload) {
  if (payload.is_write()) return 0;
  return debug_registers(
      payload, kLegacyBytes,
      [&](std::uint32_t offset, std::uint32_t) {
        return blocks_->transport.peek_legacy(offset, 4);
      },
      [](std::uint32_t, std::uint32_t, std::uint32_t) {});
}

void NetDevice::pci_reset(pci::ResetKind) { blocks_->hardware_reset(); }

void NetDevice::pci_bus_master(bool enabled) { blocks_->set_gate(enabled); }

void NetDevice::pci_power_state(pci::PowerState state) {
  blocks_->core.asleep = state != pci::PowerState::kD0;
  blocks_->receive.update_ready();
}

void NetDevice::pci_pme(bool, bool) {}

void NetDevice::pci_messages(bool) { blocks_->transport.messages_switched(); }

void NetDevice::vendor_read(std::size_t capability, std::size_t first, std::size_t count,
                            Bytes bytes) {
  if (capability == kWindowIndex) blocks_->window.read(first, count, bytes);
}

void NetDevice::vendor_written(std::size_t capability, std::size_t first, std::size_t count,
                               ConstBytes bytes) {
  if (capability == kWindowIndex) blocks_->window.written(first, count, bytes);
}

void NetDevice::vendor_peek(std::size_t capability, std::size_t first, std::size_t count,
                            Bytes bytes) const {
  if (capability == kWindowIndex) blocks_->window.peek(first, count, bytes);
}

void NetDevice::set_lookahead(Time limit) { blocks_->core.lookahead = limit; }
void NetDevice::set_data_plane(DataPlane& plane) {
  blocks_->plane = &plane;
  blocks_->link.set_carried(false);
}
DataPlaneOwner& NetDevice::data_plane_owner() { return *blocks_; }

const NetDeviceConfig& NetDevice::config() const { return blocks_->config; }
std::uint64_t NetDevice::drops(NetDrop reason) const { return blocks_->core.drops[reason]; }
const NetPairCounters& NetDevice::counters(unsigned pair) const {
  return blocks_->core.pairs.at(pair);
}
std::uint64_t NetDevice::features() const { return blocks_->transport.features(); }
std::uint8_t NetDevice::status() const { return blocks_->transport.status(); }
bool NetDevice::link_up() const { return blocks_->link.up(); }
const sc_core::sc_event& NetDevice::link_event() const { return blocks_->link.changed(); }
std::uint32_t NetDevice::link_speed() const { return blocks_->link.speed(); }
bool NetDevice::link_full_duplex() const { return blocks_->link.full_duplex(); }
unsigned NetDevice::queues() const { return blocks_->transport.queues(); }
const QueueSetup& NetDevice::queue(unsigned index) const { return blocks_->transport.queue(index); }
unsigned NetDevice::active_pairs() const { return blocks_->active_pairs; }
std::string NetDevice::fault() const { return blocks_->transport.fault(); }

bool NetDevice::busy() const { return blocks_->transmit.busy() || blocks_->receive.busy(); }

bool NetDevice::idle() const {
  const Blocks& b = *blocks_;
  return !busy() && !b.interrupts.pending() && !b.interrupts.asserted() && b.receive.waiting() == 0;
}

std::uint64_t NetDevice::interrupts() const { return blocks_->transport.interrupts(); }
NetProbes& NetDevice::probes() { return blocks_->core.probes; }

}  // namespace e1000tlm::virtio
