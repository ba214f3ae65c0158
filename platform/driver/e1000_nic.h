#pragma once
/// A driver for one 8254x adapter: bring-up, descriptor rings, interrupts.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "e1000tlm/driver/buffers.h"
#include "e1000tlm/driver/cpu.h"
#include "e1000tlm/driver/e1000_regs.h"
#include "e1000tlm/driver/nic_settings.h"
#include "e1000tlm/driver/pci_host.h"

namespace e1000tlm::driver {

/// How long software waits for hardware.
struct NicDelays {
  Time reset_settle = ms(10);  ///< after switching receive and transmit off
  Time reset_wait = ms(5);     ///< after CTRL.RST
  Time reset_wait_82544 = us(10);
  Time eeprom_reload = ms(2);  ///< after CTRL_EXT.EE_RST
  Time eeprom_half_clock = us(1);
  Time mdio_poll = us(5);
  Time frame_cost = ns(50);  ///< of software, each frame received or sent
};

struct NicCounters {
  std::uint64_t rx_frames = 0, rx_bytes = 0;  ///< bytes without FCS
  std::uint64_t tx_frames = 0, tx_bytes = 0;  ///< completed (DD), bytes handed over
  std::uint64_t rx_errors = 0;   ///< error bits or frames longer than a buffer: dropped
  std::uint64_t interrupts = 0;  ///< with a cause
  std::uint64_t spurious = 0;    ///< line asserted, ICR 0 (shared line)
  std::uint64_t link_changes = 0;
};

struct NicLink {
  bool up = false;
  unsigned mbit_per_second = 0;
  bool full_duplex = false;
  bool rx_pause = false, tx_pause = false;
};

/// Takes received frames.
class FrameTaker {
 public:
  virtual ~FrameTaker() = default;
  /// A frame of `bytes` (without FCS) stands at `address` in a buffer of `home`, which the taker
  /// now owns. False: no room now, ask again with the same frame later; nothing has been taken.
  virtual bool take(std::uint64_t address, std::uint32_t bytes, BufferPool& home) = 0;
};

/// Offload of one frame (manual 3.3.6, 3.5). Offsets from the frame's first byte.
struct TxOffload {
  bool ipv4 = true, tcp = false;  ///< else IPv6, UDP
  std::uint8_t ip_offset = 14, transport_offset = 34;
  std::uint16_t mss = 0;  ///< > 0: segment; header_bytes is then needed
  std::uint8_t header_bytes = 0;
};

class Nic {
 public:
  /// Throws std::invalid_argument on settings out of range, std::runtime_error without RAM.
  Nic(Cpu& cpu, const PciDevice& pci, RamAllocator& ram, const NicSettings& settings,
      const NicDelays& delays = {});

  // --- bring-up, in this order; all take simulated time and throw std::runtime_error on failure
  // ---
  void reset();
  void read_eeprom();
  void setup_phy();
  void setup_rings();
  void enable_interrupts();
  /// After link is up: gives the receiver its buffers.
  void start_receiver();
  /// CTRL.RST and all it takes; for tests and for halting.
  void stop();
  /// Stops, and gives up what is in the rings; to be brought up again from reset() on.
  void close();

  // --- at work ---
  /// Reads ICR; masks and handles what it says. False: not this adapter's interrupt.
  bool interrupt();
  /// Opens the mask again after interrupt().
  void unmask();
  bool masked() const { return masked_; }
  /// Hands up to `budget` received frames over; returns how many. Moves RDT in batches.
  unsigned receive(FrameTaker& taker, unsigned budget);
  /// Gives completed transmit buffers back to their pools.
  void reclaim();
  /// Queues a frame; false when the ring is full. `home` gets the buffer back when it has been
  /// sent.
  bool send(std::uint64_t address, std::uint32_t bytes, BufferPool& home);
  bool send(std::uint64_t address, std::uint32_t bytes, BufferPool& home, const TxOffload& offload);
  unsigned tx_room() const { return settings_.tx_descriptors - 1 - tx_used_; }
  /// Moves TDT to what has been queued.
  void flush();
  /// Fills the receive ring from its pool; moves RDT when a batch is together.
  void refill();

  /// Everything sent has completed and nothing received waits. No simulated time.
  bool idle();

  const std::array<std::uint8_t, 6>& mac() const { return mac_; }
  bool eeprom_checksum_ok() const { return eeprom_ok_; }
  const NicLink& link() const { return link_; }
  const NicCounters& counters() const { return counters_; }
  const PciDevice& pci() const { return pci_; }
  const NicSettings& settings() const { return settings_; }
  BufferPool& rx_pool() { return rx_pool_; }

  std::uint32_t read(std::uint32_t offset) { return cpu_.read32(pci_.mmio + offset); }
  void write(std::uint32_t offset, std::uint32_t value) { cpu_.write32(pci_.mmio + offset, value); }
  std::uint16_t phy_read(unsigned reg);
  void phy_write(unsigned reg, std::uint16_t value);
  std::uint16_t eerd(unsigned word);
  /// Reads the whole EEPROM through EECD; true: it sums to BABAh. Throws std::runtime_error when
  /// access is never granted.
  bool eeprom_sum_by_bits();

 private:
  struct TxSlot {
    std::uint64_t address = 0;
    BufferPool* home = nullptr;  // nullptr: context descriptor
    std::uint32_t bytes = 0;
  };

  void software_reset();
  void clear_tables();
  std::uint16_t microwire_read(unsigned word, unsigned address_bits);
  void eecd_clock(std::uint32_t pins);
  std::uint32_t mdio(std::uint32_t command);
  void check_link();
  static std::uint32_t pause_threshold(std::uint32_t max_frame_bytes);
  void apply_flow_control(bool negotiated);
  std::uint32_t rctl() const;
  void put_tx(const std::uint8_t* descriptor, const TxSlot& slot);
  void put_context(const TxOffload& offload, std::uint32_t bytes);
  std::string name() const;

  Cpu& cpu_;
  PciDevice pci_;
  NicSettings settings_;
  NicDelays delays_;
  BufferPool rx_pool_;
  std::uint64_t rx_ring_, tx_ring_;
  std::array<std::uint8_t, 6> mac_{};
  bool eeprom_ok_ = false, is_82544_ = false, masked_ = false, rx_started_ = false;
  NicLink link_;
  NicCounters counters_;

  std::vector<std::uint64_t> rx_slots_;
  unsigned rx_next_ = 0;    // next to look at
  unsigned rx_filled_ = 0;  // next to fill
  unsigned rx_tail_ = 0;    // RDT as last written
  bool rx_skip_ = false;    // in a frame that spans buffers: dropped up to its EOP
  std::vector<TxSlot> tx_slots_;
  unsigned tx_next_ = 0;   // next to fill
  unsigned tx_clean_ = 0;  // oldest not reclaimed
  unsigned tx_used_ = 0;
  unsigned tx_unannounced_ = 0;
};

/// Lets every adapter on an asserted line say whether it wants something; see Nic::interrupt().
void serve_interrupts(Cpu& cpu, const std::vector<std::unique_ptr<Nic>>& nics);

}  // namespace e1000tlm::driver
