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

namespace e1000tlm::virtio {

class DataPlane;
class DataPlaneOwner;
struct NetProbes;

/// Each of the device's memories has at least so many bytes: a frame of any size and another one.
inline constexpr std::uint32_t kLeastFifo = 17 * 1024;

/// What of the legacy interface there is, as QEMU names it.
enum class NetInterface : std::uint8_t {
  kModern,        ///< non-transitional: 1AF4:1041, no I/O BAR
  kTransitional,  ///< 1AF4:1000, and legacy registers in BAR 0 beside the modern ones
};

/// The device's own times: assumptions, as no document says them; see doc/virtio.md.
struct NetTiming {
  Time doorbell = ns(100);      ///< from a notification to the first look at the queue
  Time packet = ns(20);         ///< work on each packet beside its bus accesses
  Time moderation = kTimeZero;  ///< at least between two interrupts of a queue; 0: none

  // How accesses to rings are gathered: each group is one burst on the bus.
  std::uint32_t available_burst = 16;   ///< most entries of an available ring, 1 to 64
  std::uint32_t descriptor_burst = 16;  ///< most descriptors, 1 to 64
  std::uint32_t used_batch = 16;        ///< most used buffers that the driver does not see, 1 to 64
  std::uint32_t data_burst = 4096;      ///< most bytes of a packet, at least 64

  // Memory of the device.
  std::uint32_t transmit_fifo = 32 * 1024;  ///< packets on their way to the wire, at least 17 KiB
  std::uint32_t receive_fifo = 32 * 1024;   ///< packets that wait for a buffer, of each pair; ditto
};

/// What a device is.
struct NetDeviceConfig {
  NetInterface interface = NetInterface::kModern;  ///< which registers
  unsigned queue_pairs = 1;                        ///< 1 to net::kMostPairs
  std::uint16_t queue_size = 256;                  ///< most descriptors of each queue
  std::array<std::uint8_t, 6> mac{0x52, 0x54, 0, 0x12, 0x34, 0x56};  ///< its address
  std::uint16_t mtu = 0;  ///< largest MTU that it tells of; 0: none
  /// Not offered although it has them; as QEMU's device these two.
  std::uint64_t masked_features = net::feature::kRss | net::feature::kHashReport;
  NetTiming timing{};  ///< its own times
};

/// Why frames were lost.
enum class NetDrop : std::uint8_t {
  kRxNotReady,   ///< no driver is ready, or the pair has no queue
  kRxNoLink,     ///< arrived while the link was down
  kRxFiltered,   ///< address or VLAN filter
  kRxNoBuffer,   ///< no buffer in time
  kRxTooLong,    ///< longer than the buffer (without mergeable buffers), or than any frame
  kRxBadFcs,     ///< damaged on the wire
  kRxDmaError,   ///< bus error
  kRxReset,      ///< waiting at a reset
  kTxMalformed,  ///< a header that asks for the impossible, too short or too long
  kTxNoLink,     ///< sent while the link was down
  kTxDmaError,   ///< bus error
  kTxReset,      ///< under way at reset
  kCount
};
/// Their names in reports, by NetDrop.
inline constexpr std::array<std::string_view, static_cast<std::size_t>(NetDrop::kCount)>
    kNetDropNames{"rx_not_ready", "rx_no_link", "rx_filtered",  "rx_no_buffer",
                  "rx_too_long",  "rx_bad_fcs", "rx_dma_error", "rx_reset",
                  "tx_malformed", "tx_no_link", "tx_dma_error", "tx_reset"};

/// Of one pair of queues.
struct NetPairCounters {
  std::uint64_t rx_frames = 0, rx_bytes = 0;  ///< stored; without FCS
  std::uint64_t tx_frames = 0, tx_bytes = 0;  ///< handed to the cable, segments counted singly
  std::uint64_t rx_interrupts = 0, tx_interrupts = 0;  ///< told the driver
};

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
