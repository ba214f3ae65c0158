#include "e1000tlm/e1000/peripherals/eeprom_interface.h"

#include "e1000tlm/e1000/peripherals/eeprom_map.h"
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
  if (!granted()) {
    release_pins();
    return;
  }
  set_pins((value & eecd::kCs) != 0, (value & eecd::kSk) != 0, (value & eecd::kDi) != 0);
}

void EepromInterface::set_pins(bool cs, bool sk, bool di) {
  const bool was_writing = device_.writing();
  const bool was_reading = device_.reading();
  const std::uint16_t before = device_.address();
  device_.set_pins(cs, sk, di);
  if (device_.reading() && !(was_reading && device_.address() == before)) {
    announce(core_.now(), device_.address(), false, true);
  }
  if (device_.writing() && !was_writing) {
    announce(core_.now(), device_.address(), true, true);
    write_event_.notify(to_sc(core_.timing.eeprom_write));
  }
}

void EepromInterface::announce(Time begin, std::uint16_t word, bool write, bool pins) const {
  if (!core_.probes.eeprom.armed()) return;
  core_.probes.eeprom.emit({begin, core_.now(), word, image_.word(word), write, pins});
}

void EepromInterface::write_done() { device_.finish_write(); }

std::uint32_t EepromInterface::eerd_view(std::uint32_t, std::uint32_t stored) const {
  return stored | (std::uint32_t{data_} << eerd::kDataShift) | (done_ ? eerd::kDone : 0);
}

void EepromInterface::eerd_written(std::uint32_t, std::uint32_t value) {
  if ((value & eerd::kStart) == 0) return;
  done_ = false;
  read_pending_ = true;
  asked_ = core_.now();
  read_event_.cancel();
  read_event_.notify(to_sc(core_.timing.eeprom_word));
}

void EepromInterface::read_done() {
  read_pending_ = false;
  done_ = true;
  // No more address bits are sent than the EEPROM has.
  const unsigned word = (core_.bank[reg::kEerd] >> eerd::kAddrShift & 0xFF) % image_.words();
  data_ = image_.word(word);
  announce(asked_, static_cast<std::uint16_t>(word), false, false);
}

void EepromInterface::load(std::uint8_t domains) {
  release_pins();
  read_pending_ = done_ = false;
  read_event_.cancel();
  load_done_ = core_.now() + core_.timing.eeprom_load;
  load_event_.cancel();
  load_event_.notify(to_sc(core_.timing.eeprom_load));

  RegisterBank& bank = core_.bank;
  for (const EepromField& field : eeprom_map()) {
    if (!field.is_register() || (field.parts & core_.part.mask) == 0) continue;
    const std::uint32_t reset = bank.row_at(field.reg)->reset;
    bank[field.reg] =
        loaded_from_eeprom(image_, core_.part.mask, domains, field.reg, bank[field.reg], reset);
  }
}

}  // namespace e1000tlm::e1000
