/// Bring-up: reset, EEPROM, PHY, link. The order of writes is that of common drivers for the part.
#include <algorithm>
#include <stdexcept>

#include "e1000tlm/driver/e1000_nic.h"

namespace e1000tlm::driver {
namespace {

constexpr unsigned kReceiveAddresses = 15, kTableWords = 128;
constexpr unsigned kEepromWords = 64, kChecksum = 0xBABA;
constexpr unsigned kMdioPolls = 700, kEerdPolls = 1000, kGrantPolls = 1000, kResetPolls = 100;
constexpr Time kPoll = us(5);
constexpr std::uint16_t kVlanType = 0x8100;
constexpr std::uint32_t kPba48K = 48, kRxFifoBytes = 48 * 1024;
constexpr std::uint32_t kCopperTipg = 8 | (8 << 10) | (6 << 20);

/// Parts that are reset through CTRL_DUP; all others through the I/O window when there is one.
bool resets_by_duplicate(std::uint16_t device_id) { return device_id == 0x1026; }

}  // namespace

void E1000Nic::bring_up() {
  reset();
  read_eeprom();
  setup_phy();
  setup_rings();
}

void E1000Nic::software_reset() {
  const std::uint32_t value = read(reg::kCtrl) | reg::ctrl::kRst;
  if (resets_by_duplicate(pci_.device_id)) {
    write(reg::kCtrlDup, value);
  } else if (pci_.io != 0) {
    cpu_.out(pci_.io, reg::kCtrl);
    cpu_.out(static_cast<std::uint16_t>(pci_.io + 4), value);
  } else {
    write(reg::kCtrl, value);
  }
  if (is_82544_) {
    cpu_.sleep(delays_.reset_wait_82544);
    write(reg::kCtrlExt, read(reg::kCtrlExt) | reg::ctrl_ext::kEepromReset);
    cpu_.sleep(delays_.eeprom_reload);
  } else {
    cpu_.sleep(delays_.reset_wait);
  }
}

void E1000Nic::clear_tables() {
  for (unsigned i = 1; i < kReceiveAddresses; ++i) {
    write(reg::kRal + 8 * i, 0);
    write(reg::kRah + 8 * i, 0);
  }
  // Backwards: on the 82544 writing an odd entry disturbs the even one before it.
  for (unsigned i = kTableWords; i-- > 0;) write(reg::kMta + 4 * i, 0);
  for (unsigned i = kTableWords; i-- > 0;) write(reg::kVfta + 4 * i, 0);
}

void E1000Nic::stop() {
  write(reg::kImc, 0xFFFF'FFFF);
  write(reg::kRctl, 0);
  write(reg::kTctl, reg::tctl::kPsp);
  read(reg::kStatus);
  cpu_.sleep(delays_.reset_settle);
  software_reset();
  rx_started_ = false;
  link_ = {};
}

void E1000Nic::close() {
  stop();
  while (rx_next_ != rx_filled_) {
    rx_pool_.give(rx_slots_[rx_next_]);
    rx_next_ = (rx_next_ + 1) % settings_.rx_descriptors;
  }
  while (tx_used_ > 0) {
    const TxSlot& slot = tx_slots_[tx_clean_];
    if (slot.home != nullptr) slot.home->give(slot.address);
    tx_clean_ = (tx_clean_ + 1) % settings_.tx_descriptors;
    --tx_used_;
  }
  rx_next_ = rx_filled_ = rx_tail_ = 0;
  rx_skip_ = false;
  tx_next_ = tx_clean_ = tx_unannounced_ = 0;
}

void E1000Nic::reset() {
  if (pci_.mmio == 0) throw std::runtime_error(name() + ": no memory BAR could be placed");
  write(reg::kPba, kPba48K);
  stop();
  unsigned polls = 0;
  while ((read(reg::kCtrl) & reg::ctrl::kRst) != 0) {
    if (++polls == kResetPolls) throw std::runtime_error(name() + ": reset does not end");
    cpu_.sleep(kPoll);
  }
  if (!is_82544_) write(reg::kManc, read(reg::kManc) & ~reg::manc::kArp);
  write(reg::kImc, 0xFFFF'FFFF);
  read(reg::kIcr);
  write(reg::kWuc, 0);
}

std::uint16_t E1000Nic::eerd(unsigned word) {
  write(reg::kEerd, (word << reg::eerd::kAddressShift) | reg::eerd::kStart);
  for (unsigned polls = 0; polls < kEerdPolls; ++polls) {
    const std::uint32_t value = read(reg::kEerd);
    if ((value & reg::eerd::kDone) != 0) {
      return static_cast<std::uint16_t>(value >> reg::eerd::kDataShift);
    }
    cpu_.sleep(kPoll);
  }
  throw std::runtime_error(name() + ": EERD never done");
}

void E1000Nic::eecd_clock(std::uint32_t pins) {
  write(reg::kEecd, pins | reg::eecd::kSk);
  cpu_.sleep(delays_.eeprom_half_clock);
  write(reg::kEecd, pins);
  cpu_.sleep(delays_.eeprom_half_clock);
}

std::uint16_t E1000Nic::microwire_read(unsigned word, unsigned address_bits) {
  using namespace reg::eecd;
  const std::uint32_t idle = is_82544_ ? 0 : kRequest;
  write(reg::kEecd, idle | kCs);
  const std::uint32_t command = (6U << address_bits) | word;  // start bit and READ: 110b
  for (unsigned bit = address_bits + 3; bit-- > 0;) {
    const std::uint32_t di = ((command >> bit) & 1) != 0 ? kDi : 0;
    write(reg::kEecd, idle | kCs | di);
    eecd_clock(idle | kCs | di);
  }
  std::uint16_t value = 0;
  for (unsigned bit = 0; bit < 16; ++bit) {
    eecd_clock(idle | kCs);
    value = static_cast<std::uint16_t>((value << 1) | ((read(reg::kEecd) & kDo) != 0 ? 1 : 0));
  }
  write(reg::kEecd, idle);
  cpu_.sleep(delays_.eeprom_half_clock);
  return value;
}

bool E1000Nic::eeprom_sum_by_bits() {
  using namespace reg::eecd;
  if (!is_82544_) {
    write(reg::kEecd, kRequest);
    unsigned polls = 0;
    while ((read(reg::kEecd) & kGrant) == 0) {
      if (++polls == kGrantPolls) throw std::runtime_error(name() + ": EEPROM is never granted");
      cpu_.sleep(kPoll);
    }
  }
  const unsigned address_bits = !is_82544_ && (read(reg::kEecd) & kSize) != 0 ? 8 : 6;
  unsigned sum = 0;
  for (unsigned word = 0; word < kEepromWords; ++word) sum += microwire_read(word, address_bits);
  write(reg::kEecd, 0);
  return (sum & 0xFFFF) == kChecksum;
}

void E1000Nic::read_eeprom() {
  eeprom_ok_ = eeprom_sum_by_bits();
  for (unsigned word = 0; word < 3; ++word) {
    store_le16(mac_.data() + std::size_t{2} * word, eerd(word));
  }
  write(reg::kRal, load_le32(mac_.data()));
  write(reg::kRah, load_le16(mac_.data() + 4) | reg::rah::kValid);
  clear_tables();
}

std::uint32_t E1000Nic::mdio(std::uint32_t command) {
  write(reg::kMdic, command | reg::mdic::kPhy1);
  for (unsigned polls = 0; polls < kMdioPolls; ++polls) {
    cpu_.sleep(delays_.mdio_poll);
    const std::uint32_t value = read(reg::kMdic);
    if ((value & reg::mdic::kReady) == 0) continue;
    if ((value & reg::mdic::kError) != 0) break;
    return value;
  }
  throw std::runtime_error(name() + ": the PHY does not answer");
}

std::uint16_t E1000Nic::phy_read(unsigned reg_number) {
  return static_cast<std::uint16_t>(
      mdio(reg::mdic::kRead | (reg_number << reg::mdic::kRegisterShift)));
}

void E1000Nic::phy_write(unsigned reg_number, std::uint16_t value) {
  mdio(reg::mdic::kWrite | (reg_number << reg::mdic::kRegisterShift) | value);
}

void E1000Nic::setup_phy() {
  using namespace reg::phy;
  std::uint32_t ctrl = read(reg::kCtrl);
  ctrl |= reg::ctrl::kSlu;
  ctrl &= ~(reg::ctrl::kForceSpeed | reg::ctrl::kForceDuplex);
  write(reg::kCtrl, ctrl);

  const std::uint16_t id2 = phy_read(kId2);
  const std::uint16_t expected = is_82544_ ? 0x0C30 : 0x0C20;
  if (phy_read(kId1) != kMarvellId1 || (id2 & kId2Mask) != expected) {
    throw std::runtime_error(name() + ": unknown PHY");
  }
  phy_write(kPscr, phy_read(kPscr) | kPscrCrsOnTx | kPscrAutoMdix);
  phy_write(kBmcr, phy_read(kBmcr) | kBmcrReset);
  cpu_.sleep(us(1));
  const std::uint16_t pause = settings_.flow_control ? kPause | kAsymmetricPause : 0;
  phy_write(kAnar, kAnarAll | pause);
  phy_write(kGigControl, kGigFullDuplex);
  phy_write(kBmcr, phy_read(kBmcr) | kBmcrAneg | kBmcrRestart);
}

std::uint32_t E1000Nic::rctl() const {
  using namespace reg::rctl;
  std::uint32_t value = kBam;
  if (settings_.promiscuous) value |= kUpe | kMpe;
  if (settings_.strip_fcs) value |= kSecrc;
  if (settings_.max_frame_bytes > 1518) value |= kLpe;
  switch (rx_pool_.buffer_bytes()) {
    case 16384: return value | kBsex | (1U << kBsizeShift);
    case 8192: return value | kBsex | (2U << kBsizeShift);
    case 4096: return value | kBsex | (3U << kBsizeShift);
    default: return value;
  }
}

void E1000Nic::setup_rings() {
  if (!is_82544_) {
    write(reg::kTxdctl, reg::txdctl::kGranularityDescriptors | reg::txdctl::kWriteBackEach);
  }
  for (std::uint32_t r = reg::kStatistics; r < reg::kStatisticsEnd; r += 4) read(r);
  write(reg::kVet, kVlanType);
  const unsigned rate = settings_.interrupt_rate;
  if (!is_82544_) {
    write(reg::kItr, rate == 0 ? 0 : std::min(1'000'000'000U / (rate * 256U), 0xFFFFU));
  }

  write(reg::kTdlen, settings_.tx_descriptors * reg::desc::kBytes);
  write(reg::kTdbah, static_cast<std::uint32_t>(tx_ring_ >> 32));
  write(reg::kTdbal, static_cast<std::uint32_t>(tx_ring_));
  write(reg::kTdt, 0);
  write(reg::kTdh, 0);
  write(reg::kTipg, kCopperTipg);
  write(reg::kTidv, settings_.tidv);
  if (!is_82544_) write(reg::kTadv, settings_.tadv);
  using namespace reg::tctl;
  write(reg::kTctl, kPsp | kRtlc | kCollisionThreshold | kFullDuplexDistance);

  write(reg::kRctl, 0);
  write(reg::kRdtr, settings_.rdtr);
  if (!is_82544_) write(reg::kRadv, settings_.radv);
  write(reg::kRdlen, settings_.rx_descriptors * reg::desc::kBytes);
  write(reg::kRdbah, static_cast<std::uint32_t>(rx_ring_ >> 32));
  write(reg::kRdbal, static_cast<std::uint32_t>(rx_ring_));
  write(reg::kRdt, 0);
  write(reg::kRdh, 0);
  write(reg::kRxcsum, reg::rxcsum::kTuofld);
}

void E1000Nic::enable_interrupts() {
  unmask();
  write(reg::kIcs, reg::cause::kLsc);  // looks at the link at once
}

void E1000Nic::start_receiver() {
  write(reg::kRctl, rctl() | reg::rctl::kEn);
  rx_started_ = true;
  refill();
}

void E1000Nic::check_link() {
  using namespace reg::phy;
  phy_read(kBmsr);  // latched low: the second read tells the present state
  const std::uint16_t bmsr = phy_read(kBmsr);
  const std::uint32_t status = read(reg::kStatus);
  const bool up = (bmsr & kBmsrLink) != 0 && (status & reg::status::kLinkUp) != 0;
  if (up == link_.up) return;
  ++counters_.link_changes;
  link_.up = up;
  if (!up) {
    write(reg::kTctl, read(reg::kTctl) & ~reg::tctl::kEn);
    return;
  }
  constexpr unsigned kSpeeds[4] = {10, 100, 1000, 1000};
  link_.mbit_per_second = kSpeeds[(status >> reg::status::kSpeedShift) & 3];
  link_.full_duplex = (status & reg::status::kFullDuplex) != 0;
  apply_flow_control((bmsr & kBmsrAnegDone) != 0);
  write(reg::kTctl, read(reg::kTctl) | reg::tctl::kEn);
}

/// FCRTH: above it must be room for what still comes in after the MAC has asked for silence: while
/// a frame of its own goes out, then what the far end has begun, and what the MAC takes in late
/// because the bus holds the receive path up, once for its own burst and once for one of the other
/// direction.
std::uint32_t E1000Nic::pause_threshold(std::uint32_t max_frame_bytes) {
  constexpr std::uint32_t kFrames = 4;
  constexpr std::uint32_t kPauseAndPropagation = 512;
  const std::uint32_t room = kFrames * max_frame_bytes + kPauseAndPropagation;
  const std::uint32_t least = kRxFifoBytes / 8;
  return (room + least < kRxFifoBytes ? kRxFifoBytes - room : least) & 0xFFF8;
}

void E1000Nic::apply_flow_control(bool negotiated) {
  using namespace reg::phy;
  link_.rx_pause = link_.tx_pause = false;
  if (settings_.flow_control && negotiated && link_.full_duplex) {
    // IEEE 802.3 table 28B-3 for an end that advertises both bits.
    const std::uint16_t partner = phy_read(kAnlpar);
    if ((partner & kPause) != 0) {
      link_.rx_pause = link_.tx_pause = true;
    } else if ((partner & kAsymmetricPause) != 0) {
      link_.rx_pause = true;
    }
  }
  write(reg::kFcal, 0x00C2'8001);
  write(reg::kFcah, 0x0000'0100);
  write(reg::kFct, 0x8808);
  write(reg::kFcttv, 0xFFFF);
  const std::uint32_t high = pause_threshold(settings_.max_frame_bytes);
  write(reg::kFcrtl, link_.tx_pause ? (high - 8) | reg::kXone : 0);
  write(reg::kFcrth, link_.tx_pause ? high : 0);
  std::uint32_t ctrl = read(reg::kCtrl) & ~(reg::ctrl::kRfce | reg::ctrl::kTfce);
  if (link_.rx_pause) ctrl |= reg::ctrl::kRfce;
  if (link_.tx_pause) ctrl |= reg::ctrl::kTfce;
  write(reg::kCtrl, ctrl);
}

}  // namespace e1000tlm::driver
