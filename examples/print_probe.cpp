/// Watching: probes announce what happens inside without taking part in it. This one prints frames
/// on the wire, received frames and the interrupt line, each with its simulated time.

#include <cstdio>

#include <systemc>

#include "e1000tlm/e1000/controller.h"
#include "e1000tlm/e1000/interrupts/interrupt_unit.h"
#include "e1000tlm/e1000/receive/mac_receiver.h"
#include "e1000tlm/link/simple_partners.h"
#include "e1000tlm/memory/memory.h"
#include "e1000tlm/phy/m88e1011.h"

#include "processor.h"

using namespace e1000tlm;  // NOLINT(google-build-using-namespace): an example

namespace {

double microseconds(Time t) { return static_cast<double>(t.count()) * 1e-6; }

}  // namespace

int sc_main(int, char**) {
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  memory::Memory ram("ram", {});
  example::Processor processor("processor", ram);
  e1000::Controller nic("nic", e1000::ControllerConfig{});
  phy::M88E1011 phy("phy");
  link::Cable cable("cable");
  const link::LoopbackPartner far_end("far_end", cable.end(1));
  sc_core::sc_signal<bool> interrupt("interrupt");

  cable.wire.attach([](const link::WireEvent& event) {
    std::printf("%12.3f us  wire: %zu bytes from end %u\n", microseconds(event.start),
                event.frame->size(), event.from);
  });
  nic.received().attach([](const e1000::ReceiveEvent& event) {
    std::printf("%12.3f us  MAC: frame %s\n", microseconds(event.at),
                event.stored ? "stored" : "dropped");
  });
  nic.interrupt_events().attach([](const e1000::InterruptEvent& event) {
    std::printf("%12.3f us  interrupt %s, ICR %08x\n", microseconds(event.at),
                event.asserted ? "asserted" : "released", event.causes);
  });

  processor.socket.bind(nic.mmio);
  nic.dma.socket.bind(ram.socket);
  nic.irq(interrupt);
  processor.interrupt(interrupt);
  nic.gmii(phy);
  nic.mdio(phy);
  phy.cable(cable.end(0));
  sc_core::sc_start();
  return 0;
}
