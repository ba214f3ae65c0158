#include "testbenches/timing/machine.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include <systemc>
#include <tlm>

#include "e1000tlm/board/e1000_card.h"
#include "e1000tlm/board/network.h"
#include "e1000tlm/board/nic_slot.h"
#include "e1000tlm/e1000/drops.h"
#include "e1000tlm/e1000/interrupts/interrupt_unit.h"
#include "e1000tlm/e1000/receive/receive_engine.h"
#include "e1000tlm/memory/memory.h"
#include "e1000tlm/pci/bus.h"
#include "e1000tlm/pci/host_bridge.h"
#include "e1000tlm/pci/host_timing.h"
#include "e1000tlm/tlm/sc_time.h"
#include "testbenches/timing/forked.h"
#include "testbenches/timing/station.h"

namespace e1000tlm::timing {
namespace {

using nlohmann::json;

constexpr std::uint64_t kRam = 64U << 20;
constexpr Time kBringUpLimit = ms(20'000);

pci::BusConfig bus_config(const Experiment& setup) {
  const auto speed = pci::find_bus_speed(setup.bus);
  if (!speed) throw std::invalid_argument("no bus " + setup.bus);
  pci::BusConfig config;
  config.speed = *speed;
  config.arbiter = setup.arbiter;
  config.host = setup.host;
  return config;
}

/// Memory, bridge, bus, processor and adapters, with probes everywhere.
class Machine : public sc_core::sc_module {
 public:
  Machine(const sc_core::sc_module_name& name, const Experiment& setup);

  Trace run();

 private:
  void add_nic(unsigned index);
  void watch(unsigned index);
  void note_delays(unsigned index);
  bool in_window(Time t) const { return begin_ <= t && t < begin_ + setup_.window; }
  void note(std::vector<Time>& list, Time at) const {
    if (in_window(at)) list.push_back(at - workload_.ready_time());
  }

  Experiment setup_;
  memory::Memory memory_;
  pci::HostBridge bridge_;
  pci::Bus bus_;
  sc_core::sc_vector<sc_core::sc_signal<bool>> pirq_;
  driver::Cpu cpu_;
  Workload workload_;
  platform::Network network_{platform::BoardConfig{}, Station::partners()};  // no switches
  std::vector<std::unique_ptr<platform::NicSlot>> nics_;
  Trace trace_;
  std::vector<std::vector<Time>> arrivals_;  // all of them, by adapter
  Time begin_ = kTimeNever;                  // of the window
};

memory::MemoryConfig memory_config() {
  memory::MemoryConfig config;
  config.size = kRam;
  return config;
}

Machine::Machine(const sc_core::sc_module_name& name, const Experiment& setup)
    : sc_module(name),
      setup_(setup),
      memory_("memory", memory_config()),
      bridge_("bridge", pci::HostBridgeConfig{}),
      bus_("bus", bus_config(setup)),
      pirq_("pirq", driver::Cpu::kLines),
      cpu_("cpu"),
      workload_(cpu_, setup.nics, kRam, setup.work) {
  bridge_.memory.bind(memory_.socket);
  bridge_.pci.bind(bus_.from_host);
  bus_.to_host.bind(bridge_.dma);
  for (unsigned i = 0; i < driver::Cpu::kLines; ++i) {
    bus_.pirq[i].bind(pirq_[i]);
    cpu_.pirq[i](pirq_[i]);
  }
  cpu_.mem.socket.bind(bridge_.cpu);
  cpu_.io.socket.bind(bridge_.io);
  cpu_.load(workload_);
  workload_.on_ready = [this] {
    begin_ = workload_.ready_time() + setup_.warm_up;
    sc_core::sc_pause();
  };
  trace_.ports.resize(setup.nics);
  arrivals_.resize(setup.nics);
  for (unsigned i = 0; i < setup.nics; ++i) add_nic(i);
  if (!setup.want_tenures) return;
  const Time clock = bus_.config().speed.clock;
  bus_.tenures().attach([this, clock](const pci::TenureEvent& event) {
    if (begin_ == kTimeNever) return;
    trace_.tenures.push_back({event.master, pci::is_write(event.command), event.bytes,
                              static_cast<std::uint64_t>((event.end - event.requested) / clock),
                              event.end - workload_.ready_time()});
  });
}

void Machine::add_nic(unsigned index) {
  platform::NicConfig config;
  config.part = setup_.part;
  config.timing = setup_.silicon;
  const std::string name = "nic" + std::to_string(index);
  nics_.push_back(std::make_unique<platform::NicSlot>(name.c_str(),
                                                      platform::NicPlace{index, index}, config,
                                                      setup_.far, bus_.config().speed, network_));
  bus_.attach(nics_.back()->function());
  watch(index);
}

void Machine::watch(unsigned index) {
  PortTrace& port = trace_.ports[index];
  platform::NicSlot& slot = *nics_[index];
  slot.cable().wire.attach([this, &port, index](const link::WireEvent& event) {
    if (event.from == 0) return note(port.sent, event.start);
    arrivals_[index].push_back(event.end + link::CableConfig{}.propagation);
    note(port.arrived, arrivals_[index].back());
  });
  e1000::Controller& controller = platform::e1000_card(slot)->controller();
  controller.receive_descriptors().attach(
      [this, &port](const e1000::ReceiveDescriptorEvent& event) {
        if ((event.fields.status & e1000::rx_status::kEop) != 0) note(port.stored, event.at);
      });
  controller.interrupt_events().attach([this, &port](const e1000::InterruptEvent& event) {
    if (event.asserted) note(port.interrupts, event.at);
  });
}

Trace Machine::run() {
  sc_core::sc_start(to_sc(kBringUpLimit));
  if (begin_ == kTimeNever) throw std::runtime_error("the adapters do not come up");
  if (begin_ > sc_now()) sc_core::sc_start(to_sc(begin_ - sc_now()));
  const Time busy = bus_.statistics().busy;
  sc_core::sc_start(to_sc(begin_ + setup_.window - sc_now()));
  trace_.bus_busy = static_cast<double>((bus_.statistics().busy - busy).count()) /
                    static_cast<double>(setup_.window.count());
  for (unsigned i = 0; i < setup_.nics; ++i) {
    PortTrace& port = trace_.ports[i];
    if (const auto* station = dynamic_cast<const Station*>(&nics_[i]->partner())) {
      for (const Time t : station->first_bits) note(port.heard, t);
    }
    port.lost = platform::e1000_card(*nics_[i])->controller().drops()[e1000::Drop::kRxFifoFull];
    note_delays(i);
  }
  return trace_;
}

/// Software gets the frames in the order of their arrival, so the n-th is the n-th.
void Machine::note_delays(unsigned index) {
  PortTrace& port = trace_.ports[index];
  if (port.lost != 0) return;
  const std::vector<Time>& taken = workload_.taken[index];
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (in_window(arrivals_[index][i])) port.delays.push_back(taken[i] - arrivals_[index][i]);
  }
}

json times(const std::vector<Time>& list) {
  json result = json::array();
  for (const Time t : list) result.push_back(t.count());
  return result;
}
std::vector<Time> times(const json& list) {
  std::vector<Time> result;
  for (const json& t : list) result.emplace_back(t.get<std::int64_t>());
  return result;
}

constexpr std::pair<const char*, std::vector<Time> PortTrace::*> kSeries[] = {
    {"sent", &PortTrace::sent},       {"heard", &PortTrace::heard},
    {"arrived", &PortTrace::arrived}, {"stored", &PortTrace::stored},
    {"delays", &PortTrace::delays},   {"interrupts", &PortTrace::interrupts},
};

json pack(const Trace& trace) {
  json result{{"busy", trace.bus_busy}, {"ports", json::array()}, {"tenures", json::array()}};
  for (const PortTrace& port : trace.ports) {
    json packed{{"lost", port.lost}};
    for (const auto& [name, series] : kSeries) packed[name] = times(port.*series);
    result["ports"].push_back(std::move(packed));
  }
  for (const Tenure& t : trace.tenures) {
    result["tenures"].push_back({t.master, t.write, t.bytes, t.clocks, t.end.count()});
  }
  return result;
}

Trace unpack(const json& packed) {
  Trace trace;
  trace.bus_busy = packed["busy"];
  for (const json& from : packed["ports"]) {
    PortTrace port;
    port.lost = from["lost"];
    for (const auto& [name, series] : kSeries) port.*series = times(from[name]);
    trace.ports.push_back(std::move(port));
  }
  for (const json& t : packed["tenures"]) {
    trace.tenures.push_back({t[0], t[1], t[2], t[3], Time{t[4].get<std::int64_t>()}});
  }
  return trace;
}

}  // namespace

void Experiment::use_host(const std::string& name) {
  const auto speed = pci::find_bus_speed(bus);
  const auto timing = speed ? pci::find_host_timing(name, *speed) : std::nullopt;
  if (!timing) throw std::invalid_argument("no bus " + bus + " or no host " + name);
  arbiter = timing->arbiter;
  host = timing->target;
}

Trace observe(const Experiment& setup) {
  return unpack(in_child([&setup] {
    sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
    sc_core::sc_report_handler::set_actions(sc_core::SC_WARNING, sc_core::SC_THROW);
    ::tlm::tlm_global_quantum::instance().set(to_sc(setup.quantum));
    Machine machine("machine", setup);
    return pack(machine.run());
  }));
}

double rate(const std::vector<Time>& times) {
  if (times.size() < 2) return 0;
  const auto [first, last] = std::minmax_element(times.begin(), times.end());
  return static_cast<double>(times.size() - 1) * 1e12 /
         static_cast<double>((*last - *first).count());
}

}  // namespace e1000tlm::timing
