#pragma once
/// What the examples share: a processor whose program does the least that a driver does. It takes
/// the link, sends one broadcast, and waits until a frame has come in.

#include <cstdint>
#include <cstdio>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

#include "e1000tlm/memory/memory.h"

namespace example {

class Processor : public sc_core::sc_module {
 public:
  /// `registers`: where the adapter's registers are on the bus behind `socket`.
  Processor(const sc_core::sc_module_name& name, e1000tlm::memory::Memory& ram,
            std::uint32_t registers = 0)
      : sc_module(name), socket("socket"), ram_(ram), registers_(registers) {
    SC_HAS_PROCESS(Processor);
    SC_THREAD(program);
  }

  ::tlm_utils::simple_initiator_socket<Processor> socket;
  sc_core::sc_in<bool> interrupt{"interrupt"};

 protected:
  std::uint32_t read_bus(std::uint32_t address) {
    return access(::tlm::TLM_READ_COMMAND, address, 0);
  }
  void write_bus(std::uint32_t address, std::uint32_t value) {
    access(::tlm::TLM_WRITE_COMMAND, address, value);
  }
  /// Makes the registers reachable; where there is no PCI there is nothing to do.
  virtual void set_up_bus() {}

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
    if (p.is_response_error()) SC_REPORT_ERROR("processor", p.get_response_string().c_str());
    return value;
  }
  std::uint32_t read(std::uint32_t offset) { return read_bus(registers_ + offset); }
  void write(std::uint32_t offset, std::uint32_t value) { write_bus(registers_ + offset, value); }

  void program() {
    set_up_bus();
    const std::uint32_t low = read(kRal), high = read(kRah);
    std::printf("station address %02x:%02x:%02x:%02x:%02x:%02x\n", low & 0xFF, low >> 8 & 0xFF,
                low >> 16 & 0xFF, low >> 24, high & 0xFF, high >> 8 & 0xFF);
    write(kCtrl, read(kCtrl) | 1U << 6);  // SLU: take the PHY's link
    write(kIms, 1U << 2 | 1U << 7);       // LSC, RXT0
    while ((read(kStatus) & 2) == 0) {
      wait(interrupt.posedge_event());
      read(kIcr);
    }
    std::printf("link up after %.0f ms\n", sc_core::sc_time_stamp().to_seconds() * 1e3);

    e1000tlm::store_le64(&ram_.bytes()[kRxRing], kRxBuffer);
    write(kRdbal, kRxRing);
    write(kRdlen, 128);
    write(kRctl, 1U << 1 | 1U << 15 | 1U << 26);  // EN, BAM, SECRC
    write(kRdt, 1);

    for (std::uint32_t i = 0; i < 6; ++i) ram_.bytes()[kTxBuffer + i] = 0xFF;  // broadcast
    e1000tlm::store_le64(&ram_.bytes()[kTxRing], kTxBuffer);
    e1000tlm::store_le32(&ram_.bytes()[kTxRing + 8], 42U | 0x03U << 24);  // 42 bytes, EOP and IFCS
    write(kTdbal, kTxRing);
    write(kTdlen, 128);
    write(kTctl, 1U << 1 | 1U << 3);  // EN, PSP: pad to the minimum
    write(kTdt, 1);

    wait(interrupt.posedge_event());
    read(kIcr);
    std::printf("frame received: %u bytes\n",
                static_cast<unsigned>(e1000tlm::load_le16(&ram_.bytes()[kRxRing + 8])));
    sc_core::sc_stop();
  }

  e1000tlm::memory::Memory& ram_;
  std::uint32_t registers_;
};

}  // namespace example
