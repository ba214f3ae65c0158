/// The same adapter behind a PCI model of one's own: e1000tlm's pci::Function gives the controller
/// its configuration space, base address registers and INTA#; the bus is the platform's.

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include "e1000tlm/e1000/controller.h"
#include "e1000tlm/link/simple_partners.h"
#include "e1000tlm/memory/memory.h"
#include "e1000tlm/pci/function.h"
#include "e1000tlm/phy/m88e1011.h"

#include "processor.h"

using namespace e1000tlm;  // NOLINT(google-build-using-namespace): an example

namespace {

constexpr std::uint32_t kRegisters = 0xE000'0000;  // where the program puts BAR 0
constexpr std::uint64_t kConfigWindow = 0xF000'0000;

/// Somebody's PCI bus, cut down to one device: configuration registers are seen in a window of
/// memory addresses, everything else goes to the function if it claims it.
class OwnPci : public sc_core::sc_module {
 public:
  OwnPci(const sc_core::sc_module_name& name, pci::Function& function)
      : sc_module(name), from_processor("from_processor"), function_(function) {
    from_processor.register_b_transport(this, &OwnPci::b_transport);
    to_function.bind(function.target);
  }

  ::tlm_utils::simple_target_socket<OwnPci> from_processor;

 private:
  void b_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    pci::PciExtension extension;
    const std::uint64_t address = payload.get_address();
    if (address >= kConfigWindow) {
      extension.space = pci::Space::kConfig;
      payload.set_address(address - kConfigWindow);
    } else if (!function_.claims(pci::Space::kMemory, address, payload.get_data_length())) {
      payload.set_response_status(::tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    payload.set_extension(&extension);
    to_function->b_transport(payload, delay);
    payload.clear_extension(&extension);
    payload.set_address(address);
    delay += sc_core::sc_time(240, sc_core::SC_NS);  // what an access takes on this bus
  }

  ::tlm_utils::simple_initiator_socket<OwnPci> to_function{"to_function"};
  pci::Function& function_;
};

/// Does what firmware and a driver's probe do: places BAR 0, enables decoding and bus mastering.
class PciProcessor : public example::Processor {
 public:
  PciProcessor(const sc_core::sc_module_name& name, memory::Memory& ram)
      : Processor(name, ram, kRegisters) {}

 private:
  void set_up_bus() override {
    constexpr auto kWindow = static_cast<std::uint32_t>(kConfigWindow);
    std::printf("vendor and device %08x\n", read_bus(kWindow));
    write_bus(kWindow + 0x10, kRegisters);
    write_bus(kWindow + 0x04, 0x6);  // memory space, bus master
  }
};

}  // namespace

int sc_main(int, char**) {
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  e1000::ControllerConfig config;
  config.part = e1000::Part::k82540em;

  memory::Memory ram("ram", {});
  PciProcessor processor("processor", ram);
  e1000::Controller nic("nic", config);
  pci::Function function("function", e1000::pci_profile(config));
  OwnPci bus("bus", function);
  phy::M88E1011 phy("phy", e1000::phy_profile(config.part));
  link::Cable cable("cable");
  const link::LoopbackPartner far_end("far_end", cable.end(1));
  sc_core::sc_signal<bool> irq("irq"), inta("inta"), rst("rst");

  // Between the controller and its function.
  function.bar[0].bind(nic.mmio);  // memory BAR
  function.bar[2].bind(nic.io);    // I/O BAR
  nic.dma.socket.bind(function.dma);
  nic.irq(irq);
  function.irq(irq);
  function.events(nic);  // resets, bus-master enable, power states
  nic.pme(function);     // wake-up

  // Between the function and the platform.
  processor.socket.bind(bus.from_processor);
  function.initiator.bind(ram.socket);  // DMA and MSI
  function.intx(inta);
  processor.interrupt(inta);
  function.reset(rst);

  nic.gmii(phy);
  nic.mdio(phy);
  phy.cable(cable.end(0));
  sc_core::sc_start();
  return 0;
}
