/// An 82540EM in somebody else's platform, without PCI: the platform's processor drives `mmio`, its
/// memory answers `dma`, its interrupt controller hears `irq`. A PHY and a cable make it a whole
/// adapter.

#include <systemc>

#include "e1000tlm/e1000/controller.h"
#include "e1000tlm/link/simple_partners.h"
#include "e1000tlm/memory/memory.h"
#include "e1000tlm/phy/m88e1011.h"

#include "processor.h"

using namespace e1000tlm;  // NOLINT(google-build-using-namespace): an example

int sc_main(int, char**) {
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  e1000::ControllerConfig config;
  config.part = e1000::Part::k82540em;
  config.eeprom = e1000::EepromImage::make(config.part, e1000::parse_mac("52:54:00:12:34:56"));

  memory::Memory ram("ram", {});
  example::Processor processor("processor", ram);
  e1000::Controller nic("nic", config);
  phy::M88E1011 phy("phy", e1000::phy_profile(config.part));
  link::Cable cable("cable");
  const link::LoopbackPartner far_end("far_end", cable.end(1));  // sends everything back
  sc_core::sc_signal<bool> interrupt("interrupt"), reset("reset");

  processor.socket.bind(nic.mmio);  // your bus: route 128 KiB to nic.mmio
  nic.dma.socket.bind(ram.socket);  // your bus: take DMA from nic.dma.socket
  nic.irq(interrupt);               // your interrupt controller
  processor.interrupt(interrupt);
  nic.reset(reset);  // your reset, true = asserted; or leave it unbound
  nic.gmii(phy);
  nic.mdio(phy);
  phy.cable(cable.end(0));
  sc_core::sc_start();
  return 0;
}
