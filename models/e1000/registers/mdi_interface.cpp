#include "e1000tlm/e1000/registers/mdi_interface.h"

namespace e1000tlm::e1000 {

MdiInterface::MdiInterface(const sc_core::sc_module_name& name, Core& core)
    : sc_module(name), core_(core) {
  core_.bank.on_write<&MdiInterface::mdic_written>(reg::kMdic, this);
  SC_HAS_PROCESS(MdiInterface);
  SC_METHOD(complete);
  dont_initialize();
  sensitive << done_event_;
}

void MdiInterface::reset() {
  busy_ = false;
  done_event_.cancel();
}

// The write itself clears R and E: both are outside what software can set.
void MdiInterface::mdic_written(std::uint32_t, std::uint32_t) {
  core_.bank[reg::kMdic] &= ~(mdic::kReady | mdic::kError);
  busy_ = true;
  begun_ = core_.now();
  done_event_.cancel();
  done_event_.notify(to_sc(core_.timing.mdio_access));
}

void MdiInterface::complete() {
  busy_ = false;
  std::uint32_t& mdic = core_.bank[reg::kMdic];
  const unsigned phy = (mdic >> mdic::kPhyShift) & 0x1F;
  const unsigned number = (mdic >> mdic::kRegShift) & 0x1F;
  bool answered = false;
  switch (mdic & mdic::kOpMask) {
    case mdic::kOpRead:
      if (const auto value = core_.mdio->mdio_read(phy, number)) {
        mdic = (mdic & ~mdic::kDataMask) | *value;
        answered = true;
      }
      break;
    case mdic::kOpWrite:
      answered =
          core_.mdio->mdio_write(phy, number, static_cast<std::uint16_t>(mdic & mdic::kDataMask));
      break;
    default: break;
  }
  if (core_.probes.mdio.armed()) {
    core_.probes.mdio.emit({begun_, sc_now(), static_cast<std::uint8_t>(phy),
                            static_cast<std::uint8_t>(number),
                            static_cast<std::uint16_t>(mdic & mdic::kDataMask),
                            (mdic & mdic::kOpMask) == mdic::kOpWrite, answered});
  }
  mdic |= mdic::kReady | (answered ? 0 : mdic::kError);
  if ((mdic & mdic::kInterrupt) != 0) core_.interrupts.set(cause::kMdac);
}

}  // namespace e1000tlm::e1000
