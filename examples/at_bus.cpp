/// Approximately timed on both sides: an initiator that speaks the base protocol's four phases to
/// the registers, and a memory bus that answers DMA with nb_transport.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/peq_with_cb_and_phase.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include "e1000tlm/e1000/controller.h"
#include "e1000tlm/link/simple_partners.h"
#include "e1000tlm/memory/memory.h"
#include "e1000tlm/phy/m88e1011.h"

#include "processor.h"

using namespace e1000tlm;  // NOLINT(google-build-using-namespace): an example

namespace {

/// Payloads that live until the last phase has been seen, as the protocol asks for.
class PayloadPool : public ::tlm::tlm_mm_interface {
 public:
  ::tlm::tlm_generic_payload& take() {
    if (free_.empty()) {
      all_.push_back(std::make_unique<::tlm::tlm_generic_payload>(this));
      free_.push_back(all_.back().get());
    }
    ::tlm::tlm_generic_payload* payload = free_.back();
    free_.pop_back();
    payload->acquire();
    return *payload;
  }
  void free(::tlm::tlm_generic_payload* payload) override {
    payload->reset();
    free_.push_back(payload);
  }

 private:
  std::vector<std::unique_ptr<::tlm::tlm_generic_payload>> all_;
  std::vector<::tlm::tlm_generic_payload*> free_;
};

/// From the processor's b_transport to BEGIN_REQ, END_REQ, BEGIN_RESP, END_RESP.
class FourPhaseInitiator : public sc_core::sc_module {
 public:
  explicit FourPhaseInitiator(const sc_core::sc_module_name& name)
      : sc_module(name), from_processor("from_processor"), to_registers("to_registers") {
    from_processor.register_b_transport(this, &FourPhaseInitiator::b_transport);
    to_registers.register_nb_transport_bw(this, &FourPhaseInitiator::nb_transport_bw);
  }

  ::tlm_utils::simple_target_socket<FourPhaseInitiator> from_processor;
  ::tlm_utils::simple_initiator_socket<FourPhaseInitiator> to_registers;
  unsigned responses = 0;

 private:
  void b_transport(::tlm::tlm_generic_payload& request, sc_core::sc_time& delay) {
    wait(delay);
    delay = sc_core::SC_ZERO_TIME;
    ::tlm::tlm_generic_payload& payload = pool_.take();
    payload.deep_copy_from(request);
    payload.set_data_ptr(request.get_data_ptr());
    payload.set_response_status(::tlm::TLM_INCOMPLETE_RESPONSE);
    ::tlm::tlm_phase phase = ::tlm::BEGIN_REQ;
    sc_core::sc_time t = sc_core::SC_ZERO_TIME;
    const ::tlm::tlm_sync_enum answer = to_registers->nb_transport_fw(payload, phase, t);
    const bool complete = answer == ::tlm::TLM_COMPLETED;
    const bool responded = answer == ::tlm::TLM_UPDATED && phase == ::tlm::BEGIN_RESP;
    if (!complete && !responded) {
      wait(response_);
    } else {
      wait(t);
    }
    if (!complete) {
      phase = ::tlm::END_RESP;
      t = sc_core::SC_ZERO_TIME;
      to_registers->nb_transport_fw(payload, phase, t);
    }
    ++responses;
    request.set_response_status(payload.get_response_status());
    payload.release();
  }

  ::tlm::tlm_sync_enum nb_transport_bw(::tlm::tlm_generic_payload&, ::tlm::tlm_phase& phase,
                                       sc_core::sc_time& delay) {
    if (phase == ::tlm::BEGIN_RESP) response_.notify(delay);
    return ::tlm::TLM_ACCEPTED;
  }

  PayloadPool pool_;
  sc_core::sc_event response_;
};

/// A memory behind a bus that takes requests one phase at a time. It has no b_transport: SystemC's
/// convenience socket turns the controller's blocking accesses into phases.
class PhasedMemory : public sc_core::sc_module {
 public:
  PhasedMemory(const sc_core::sc_module_name& name, memory::Memory& ram)
      : sc_module(name), dma("dma"), to_ram("to_ram") {
    dma.register_nb_transport_fw(this, &PhasedMemory::nb_transport_fw);
    to_ram.bind(ram.socket);
  }

  ::tlm_utils::simple_target_socket<PhasedMemory> dma;
  unsigned accesses = 0;

 private:
  ::tlm::tlm_sync_enum nb_transport_fw(::tlm::tlm_generic_payload& payload, ::tlm::tlm_phase& phase,
                                       sc_core::sc_time& delay) {
    if (phase == ::tlm::BEGIN_REQ) queue_.notify(payload, phase, delay);
    return phase == ::tlm::END_RESP ? ::tlm::TLM_COMPLETED : ::tlm::TLM_ACCEPTED;
  }

  void on_phase(::tlm::tlm_generic_payload& payload, const ::tlm::tlm_phase& phase) {
    sc_core::sc_time t = sc_core::SC_ZERO_TIME;
    if (phase == ::tlm::BEGIN_REQ) {
      ::tlm::tlm_phase next = ::tlm::END_REQ;
      dma->nb_transport_bw(payload, next, t);
      queue_.notify(payload, ::tlm::BEGIN_RESP, sc_core::sc_time(120, sc_core::SC_NS));
    } else {
      to_ram->b_transport(payload, t);
      ++accesses;
      ::tlm::tlm_phase next = ::tlm::BEGIN_RESP;
      dma->nb_transport_bw(payload, next, t);
    }
  }

  ::tlm_utils::simple_initiator_socket<PhasedMemory> to_ram;
  ::tlm_utils::peq_with_cb_and_phase<PhasedMemory> queue_{"queue", this, &PhasedMemory::on_phase};
};

}  // namespace

int sc_main(int, char**) {
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  memory::Memory ram("ram", {});
  example::Processor processor("processor", ram);
  FourPhaseInitiator initiator("initiator");
  PhasedMemory bus("bus", ram);
  e1000::Controller nic("nic", e1000::ControllerConfig{});
  phy::M88E1011 phy("phy");
  link::Cable cable("cable");
  const link::LoopbackPartner far_end("far_end", cable.end(1));
  sc_core::sc_signal<bool> interrupt("interrupt");

  processor.socket.bind(initiator.from_processor);
  initiator.to_registers.bind(nic.mmio);
  nic.dma.socket.bind(bus.dma);
  nic.irq(interrupt);
  processor.interrupt(interrupt);
  nic.gmii(phy);
  nic.mdio(phy);
  phy.cable(cable.end(0));
  sc_core::sc_start();
  std::printf("%u register accesses and %u DMA accesses, phase by phase\n", initiator.responses,
              bus.accesses);
  return initiator.responses > 0 && bus.accesses > 0 ? 0 : 1;
}
