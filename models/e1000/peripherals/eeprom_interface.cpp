#include "e1000tlm/e1000/peripherals/eeprom_interface.h"

#include "e1000tlm/e1000/peripherals/leds.h"
#include "e1000tlm/e1000/registers/register_map.h"

namespace e1000tlm::e1000 {

EepromInterface::EepromInterface(const sc_core::sc_module_name& name, Core& core,
                                 EepromImage& image)
    : sc_module(name), core_(core), image_(image), device_(image) {
  core_.bank.on_view<&EepromInterface::eecd_view>(reg::kEecd, this);
  core_.bank.on_write<&EepromInterface::eecd_written>(reg::kEecd, this);
  core_.bank.on_view<&EepromInterface::eerd_view>(reg::kEerd, this);
  core_.bank.on_write<&EepromInterface::eerd_written>(reg::kEerd, this);
  SC_HAS_PROCESS(EepromInterface);
  SC_METHOD(read_done);
  dont_initialize();
  sensitive << read_event_;
  SC_METHOD(write_done);
  dont_initialize();
  sensitive << write_event_;
}

/// GNT answers REQ unless hardware has the EEPROM (rule EE-6). The 82544 has no arbitration:
/// software just drives the pins.
bool EepromInterface::granted() const {
  if (core_.part.is_82544) return true;
  return core_.is_on(reg::kEecd, eecd::kReq) && !busy();
}

std::uint32_t EepromInterface::eecd_view(std::uint32_t, std::uint32_t stored) const {
  std::uint32_t value = stored | eecd::kPres;
  if (device_.data_out()) value |= eecd::kDo;
  if (image_.words() > 64) value |= eecd::kSize;
  if (!core_.part.is_82544 && granted()) value |= eecd::kGnt;
  return value;
}

void EepromInterface::eecd_written(std::uint32_t, std::uint32_t value) {
  if (!granted()) return;
  const bool was_writing = device_.writing();
  device_.set_pins((value & eecd::kCs) != 0, (value & eecd::kSk) != 0, (value & eecd::kDi) != 0);
  if (device_.writing() && !was_writing) {
    write_event_.notify(to_sc(core_.timing.eeprom_write));
  }
}

void EepromInterface::write_done() { device_.finish_write(); }

std::uint32_t EepromInterface::eerd_view(std::uint32_t, std::uint32_t stored) const {
  return stored | (std::uint32_t{data_} << eerd::kDataShift) | (done_ ? eerd::kDone : 0);
}

void EepromInterface::eerd_written(std::uint32_t, std::uint32_t value) {
  if ((value & eerd::kStart) == 0) return;
  done_ = false;
  read_pending_ = true;
  read_event_.cancel();
  read_event_.notify(to_sc(core_.timing.eeprom_word));
}

void EepromInterface::read_done() {
  read_pending_ = false;
  done_ = true;
  data_ = image_.word((core_.bank[reg::kEerd] >> eerd::kAddrShift) & 0xFF);
}

/// Words and bits: manual 5.6. Without a valid signature in word 0Ah hardware keeps its defaults
/// (rule EE-3), the station address apart, which needs no signature on these parts.
void EepromInterface::load(std::uint8_t domains) {
  RegisterBank& bank = core_.bank;
  read_pending_ = done_ = false;
  read_event_.cancel();
  load_done_ = sc_now() + core_.timing.eeprom_load;
  load_event_.cancel();
  load_event_.notify(to_sc(core_.timing.eeprom_load));

  bank[reg::kRa] = image_.word(0) | (std::uint32_t{image_.word(1)} << 16);
  bank[reg::kRa + 4] = image_.word(2) | rah::kAv;
  if (!image_.signature_ok()) return;

  const std::uint16_t control = image_.word(0x0A);
  std::uint32_t& ctrl = bank[reg::kCtrl];
  ctrl &= ~(ctrl::kFd | ctrl::kLrst | ctrl::kFrcspd | ctrl::kIlos);
  if ((control & (1 << 10)) != 0) ctrl |= ctrl::kFd;
  if ((control & (1 << 9)) != 0) ctrl |= ctrl::kLrst;
  if ((control & (1 << 11)) != 0) ctrl |= ctrl::kFrcspd;
  if ((control & (1 << 4)) != 0) ctrl |= ctrl::kIlos;
  const bool apme = core_.part.is_82544 ? (image_.word(0x0F) & (1 << 2)) != 0
                                        : (image_.word(0x24) & (1 << 10)) != 0;
  // Waiting for a magic packet takes a link, before any driver (manual 13.4.1).
  if (apme) ctrl |= ctrl::kSlu;

  bank.poke(reg::kLedctl, ledctl_from_eeprom(image_.word(0x1F), image_.word(0x2F)));

  if ((domains & (domain::kPowerGood | domain::kBus)) == 0) return;
  if (apme) bank[reg::kWuc] |= wuc::kApme;
  // Its broadcast magic packets have to pass the filter (manual 6.4.3.1.4).
  if (apme && core_.part.is_82544) bank[reg::kRctl] |= rctl::kBam;
  // Init Control 2 bit 15: APM asserts PME# (manual 5.6.12).
  if ((image_.word(0x0F) & (1 << 15)) != 0) bank[reg::kWuc] |= wuc::kApmpme;
}

}  // namespace e1000tlm::e1000
