#pragma once
/// A virtio network device on PCI: wires its hardware blocks together.

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>

#include "e1000tlm/link/cable.h"
#include "e1000tlm/pci/function.h"
#include "e1000tlm/pci/messages.h"
#include "e1000tlm/pci/vendor_capability.h"
#include "e1000tlm/tlm/bus_master.h"
#include "e1000tlm/virtio/net.h"
#include "e1000tlm/virtio/net_config.h"

namespace e1000tlm::virtio {

class DataPlane;
class DataPlaneOwner;
struct NetProbes;
struct QueueSetup;

/// Sockets and ports are the whole interface.
///
///   registers  target     the modern BAR (pci_layout), 16 KiB
///   legacy     target     the legacy BAR; may stay unbound
///   dma        initiator  rings and buffers
///   irq        out        INTx level, true = asserted
///   messages   port       MSI-X, the function's; may stay unbound
///   wire       port       the cable's end; may stay unbound with another data plane
///   reset      in         true = held in reset; may stay unbound
///
/// As pci::DeviceEventsIf it hears of resets, bus-master enable, power states and MSI-X; as
/// pci::VendorCapabilityIf it shows its registers in the function's configuration space.
class NetDevice : public sc_core::sc_module,
                  public pci::DeviceEventsIf,
                  public pci::VendorCapabilityIf {
 public:
  /// Throws std::invalid_argument if there cannot be such a device.
  NetDevice(const sc_core::sc_module_name& name, const NetDeviceConfig& config);
  ~NetDevice() override;

  ::tlm_utils::simple_target_socket<NetDevice> registers;        ///< the modern BAR
  ::tlm_utils::simple_target_socket_optional<NetDevice> legacy;  ///< may stay unbound
  BusMasterPort dma;                                             ///< bind dma.socket
  sc_core::sc_out<bool> irq;                                     ///< INTx level
  /// MSI-X; may stay unbound.
  sc_core::sc_port<pci::MessagesIf, 1, sc_core::SC_ZERO_OR_MORE_BOUND> messages;
  /// The cable's end; may stay unbound, then there is no link but what a data plane says.
  sc_core::sc_port<link::CableEndIf, 1, sc_core::SC_ZERO_OR_MORE_BOUND> wire;
  /// True: held in reset; may stay unbound.
  sc_core::sc_port<sc_core::sc_signal_in_if<bool>, 1, sc_core::SC_ZERO_OR_MORE_BOUND> reset;

  void pci_reset(pci::ResetKind kind) override;
  void pci_bus_master(bool enabled) override;
  void pci_power_state(pci::PowerState state) override;
  void pci_pme(bool enabled, bool status) override;
  void pci_messages(bool enabled) override;
  void vendor_read(std::size_t capability, std::size_t first, std::size_t count,
                   Bytes bytes) override;
  void vendor_written(std::size_t capability, std::size_t first, std::size_t count,
                      ConstBytes bytes) override;
  void vendor_peek(std::size_t capability, std::size_t first, std::size_t count,
                   Bytes bytes) const override;

  /// As e1000::Controller::set_lookahead().
  void set_lookahead(Time limit);

  /// Somebody else carries the packets (data_plane.h), before simulation starts; must outlive the
  /// device. The engines rest then, and the cable is not used.
  void set_data_plane(DataPlane& plane);
  /// Whom such a one calls.
  DataPlaneOwner& data_plane_owner();

  /// As given.
  const NetDeviceConfig& config() const;
  /// Frames lost for this reason.
  std::uint64_t drops(NetDrop reason) const;
  /// Of a pair.
  const NetPairCounters& counters(unsigned pair) const;
  /// As agreed with the driver.
  std::uint64_t features() const;
  /// Device status (device_status).
  std::uint8_t status() const;
  /// There is link.
  bool link_up() const;
  /// Notified when link_up() changes.
  const sc_core::sc_event& link_event() const;
  /// In Mbit/s; of the last link.
  std::uint32_t link_speed() const;
  /// Ditto.
  bool link_full_duplex() const;
  /// Queues, the control queue included.
  unsigned queues() const;
  /// A queue as the driver has set it up.
  const QueueSetup& queue(unsigned index) const;
  /// Pairs that the driver uses.
  unsigned active_pairs() const;
  /// Why it needs a reset; empty: it does not.
  std::string fault() const;
  /// DMA or a frame on the wire is under way.
  bool busy() const;
  /// Not busy, nothing waits for time or room, no interrupt pending.
  bool idle() const;
  /// Interrupts so far, messages or edges.
  std::uint64_t interrupts() const;
  /// What happens in it: net_probes.h.
  NetProbes& probes();

 private:
  void end_of_elaboration() override;
  void start_of_simulation() override;
  void reset_changed();
  void registers_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned registers_debug(::tlm::tlm_generic_payload& payload);
  void legacy_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned legacy_debug(::tlm::tlm_generic_payload& payload);

  struct Blocks;
  std::unique_ptr<Blocks> blocks_;
};

/// MSI-X vectors that a device has: one for each queue and one for its configuration.
constexpr unsigned vectors(const NetDeviceConfig& config) { return 2 * config.queue_pairs + 2; }
/// Which of its vendor-specific capabilities is the window to its registers.
inline constexpr std::size_t kWindowIndex = 4;
/// The configuration space of such a device.
pci::FunctionConfig pci_profile(const NetDeviceConfig& config);

}  // namespace e1000tlm::virtio
