/// An 82540EM in somebody else's platform, without PCI: the platform's processor drives `mmio`, its
/// memory answers `dma`, its interrupt controller hears `irq`. A PHY and a cable make it a whole
/// adapter.

#include <cstdio>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

#include "e1000tlm/e1000/controller.h"
#include "e1000tlm/link/partner.h"
#include "e1000tlm/memory/memory.h"
#include "e1000tlm/phy/m88e1011.h"

using namespace e1000tlm;  // NOLINT(google-build-using-namespace): an example

namespace {

/// The platform's processor; here a process that does what a driver does.
class Processor : public sc_core::sc_module {
 public:
  explicit Processor(const sc_core::sc_module_name& name) : sc_module(name), socket("socket") {
    SC_HAS_PROCESS(Processor);
    SC_THREAD(software);
  }

  ::tlm_utils::simple_initiator_socket<Processor> socket;
  sc_core::sc_in<bool> interrupt{"interrupt"};
  memory::Memory* ram = nullptr;

 private:
  static constexpr std::uint32_t kCtrl = 0x0, kStatus = 0x8, kIcr = 0xC0, kIms = 0xD0,
                                 kRctl = 0x100, kRdbal = 0x2800, kRdlen = 0x2808, kRdt = 0x2818,
                                 kRal = 0x5400, kRah = 0x5404, kTctl = 0x400, kTdbal = 0x3800,
                                 kTdlen = 0x3808, kTdt = 0x3818;
  static constexpr std::uint32_t kRxRing = 0x1000, kTxRing = 0x2000, kRxBuffer = 0x10000,
                                 kTxBuffer = 0x20000;

  std::uint32_t access(::tlm::tlm_command command, std::uint32_t address, std::uint32_t value) {
    ::tlm::tlm_generic_payload p;
    p.set_command(command);
    p.set_address(address);
    p.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    p.set_data_length(4);
    p.set_streaming_width(4);
    sc_core::sc_time delay;
    socket->b_transport(p, delay);
    wait(delay);
    return value;
  }
  std::uint32_t read(std::uint32_t r) { return access(::tlm::TLM_READ_COMMAND, r, 0); }
  void write(std::uint32_t r, std::uint32_t value) { access(::tlm::TLM_WRITE_COMMAND, r, value); }

  void software() {
    const std::uint32_t low = read(kRal), high = read(kRah);
    std::printf("station address %02x:%02x:%02x:%02x:%02x:%02x\n", low & 0xFF, low >> 8 & 0xFF,
                low >> 16 & 0xFF, low >> 24, high & 0xFF, high >> 8 & 0xFF);
    write(kCtrl, read(kCtrl) | 1 << 6);  // SLU: take the PHY's link
    write(kIms, 1 << 2 | 1 << 7);        // LSC, RXT0
    while ((read(kStatus) & 2) == 0) {
      wait(interrupt.posedge_event());
      read(kIcr);
    }
    std::printf("link up after %.0f ms\n", sc_core::sc_time_stamp().to_seconds() * 1e3);

    store_le64(&ram->bytes()[kRxRing], kRxBuffer);
    write(kRdbal, kRxRing);
    write(kRdlen, 128);
    write(kRctl, 1 << 1 | 1 << 15 | 1 << 26);  // EN, BAM, SECRC
    write(kRdt, 1);

    for (int i = 0; i < 6; ++i) ram->bytes()[kTxBuffer + i] = 0xFF;  // broadcast
    store_le64(&ram->bytes()[kTxRing], kTxBuffer);
    store_le32(&ram->bytes()[kTxRing + 8], 42 | 0x03 << 24);  // 42 bytes, EOP and IFCS
    write(kTdbal, kTxRing);
    write(kTdlen, 128);
    write(kTctl, 1 << 1 | 1 << 3);  // EN, PSP: pad to the minimum
    write(kTdt, 1);

    wait(interrupt.posedge_event());  // the cable's far end sends everything back
    read(kIcr);
    std::printf("frame received: %u bytes\n", load_le16(&ram->bytes()[kRxRing + 8]));
    sc_core::sc_stop();
  }
};

}  // namespace

int sc_main(int, char**) {
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  e1000::ControllerConfig config;
  config.part = e1000::Part::k82540em;
  config.eeprom = e1000::EepromImage::make(config.part, e1000::parse_mac("52:54:00:12:34:56"));

  memory::Memory ram("ram", {});
  Processor processor("processor");
  e1000::Controller nic("nic", config);
  phy::M88E1011 phy("phy");
  link::Cable cable("cable");
  link::register_builtin_partners();
  const auto far_end = link::PartnerRegistry::instance().make({"far_end"}, cable.end(1),
                                                              link::PartnerSpec::parse("loopback"));
  sc_core::sc_signal<bool> interrupt("interrupt");

  processor.socket.bind(nic.mmio);  // your bus: route 128 KiB to nic.mmio
  nic.dma.socket.bind(ram.socket);  // your bus: take DMA from nic.dma.socket
  nic.irq(interrupt);               // your interrupt controller
  processor.interrupt(interrupt);
  nic.gmii(phy);
  nic.mdio(phy);
  phy.cable(cable.end(0));
  processor.ram = &ram;
  sc_core::sc_start();
  return 0;
}
