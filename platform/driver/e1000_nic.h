#pragma once
/// A driver for one 8254x adapter: bring-up, descriptor rings, interrupts.

#include <array>
#include <cstdint>
#include <vector>

#include "e1000tlm/driver/e1000_regs.h"
#include "e1000tlm/driver/nic.h"

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

/// The driver of an e1000 adapter.
class E1000Nic final : public Nic {
 public:
  /// Throws std::invalid_argument on settings out of range, std::runtime_error without RAM.
  E1000Nic(Cpu& cpu, const PciDevice& pci, RamAllocator& ram, const NicSettings& settings,
           const NicDelays& delays = {});

  void bring_up() override;
  void enable_interrupts() override;
  void start_receiver() override;
  /// CTRL.RST and all it takes; for tests and for halting.
  void stop() override;
  void close() override;
  // The steps of bring_up(), in this order.
  void reset();
  void read_eeprom();
  void setup_phy();
  void setup_rings();

  /// Reads ICR; masks and handles what it says.
  bool interrupt() override;
  bool unmask() override;
  /// Moves RDT in batches.
  unsigned receive(FrameTaker& taker, unsigned budget) override;
  void reclaim() override;
  bool send(std::uint64_t address, std::uint32_t bytes, BufferPool& home) override;
  bool send(std::uint64_t address, std::uint32_t bytes, BufferPool& home,
            const TxOffload& offload) override;
  /// Moves TDT to what has been queued.
  void flush() override;
  bool idle() override;

  bool eeprom_checksum_ok() const { return eeprom_ok_; }

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
  /// Fills the receive ring from its pool; moves RDT when a batch is together.
  void refill();

  NicDelays delays_;
  BufferPool rx_pool_;
  std::uint64_t rx_ring_, tx_ring_;
  bool eeprom_ok_ = false, is_82544_ = false, rx_started_ = false;

  std::vector<std::uint64_t> rx_slots_;
  unsigned rx_next_ = 0;    // next to look at
  unsigned rx_filled_ = 0;  // next to fill
  unsigned rx_tail_ = 0;    // RDT as last written
  bool rx_skip_ = false;    // in a frame that spans buffers: dropped up to its EOP
  std::vector<TxSlot> tx_slots_;
  unsigned tx_next_ = 0;   // next to fill
  unsigned tx_clean_ = 0;  // oldest not reclaimed
  unsigned tx_unannounced_ = 0;
};

}  // namespace e1000tlm::driver
