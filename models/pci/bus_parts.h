#pragma once
/// What a Bus is made of inside. Internal to models/pci.

#include <cstdint>
#include <deque>
#include <string>

#include "e1000tlm/pci/bus.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::pci {

/// Who gets an access. Neither slot nor host: nobody.
struct Bus::Target {
  Slot* slot = nullptr;
  bool host = false;

  bool claimed() const { return host || slot != nullptr; }
};

/// Whoever starts accesses: what they cost, with the range and target of its last one.
struct Bus::Master {
  Master(unsigned its_number, Function* its_function, const BusConfig& config)
      : number(its_number), function(its_function), posted(config.host) {
    set_timings(config);
  }

  MasterSettings settings(const BusConfig& config) const {
    if (function != nullptr) return function->config().master_settings();
    MasterSettings host;
    host.latency_timer = config.host_latency_timer;
    return host;
  }
  void set_timings(const BusConfig& config);

  unsigned number;                  // as in TenureEvent; its REQ#
  Function* function;               // none: the host bridge
  AccessTiming to_host[2];          // memory: read, write
  AccessTiming to_device[2][3][2];  // 32 or 64 bits wide, by Space, then the same
  AccessTiming to_nobody[3][2];     // by Space, then the same

  const Probe<Transaction>* watch = nullptr;  // if somebody looks

  PostedWrites posted;             // loosely timed: as if it were alone
  PostedWrites* shared = nullptr;  // else the bus's

  std::uint64_t generation = 0;  // of the cached range; 0 is never current
  Space space = Space::kMemory;
  std::uint64_t start = 0;
  std::uint64_t last = 0;
  Target target;
};

/// Books DMI accesses of one master to memory of certain latencies.
class Bus::SlotTariff final : public Tariff {
 public:
  SlotTariff(Bus& bus, const Master& master, Time read_latency, Time write_latency)
      : bus_(bus), master_(master), latency_{read_latency, write_latency} {}

  Booking book(::tlm::tlm_command command, std::uint64_t address, std::uint32_t bytes,
               Time at) override;
  Time book_before(::tlm::tlm_command command, std::uint64_t address, std::uint32_t bytes, Time at,
                   Time limit) override;
  bool ended(Booking& booking, Time now) override;

  bool prices(Time read_latency, Time write_latency) const {
    return latency_[0] == read_latency && latency_[1] == write_latency;
  }

 private:
  /// What a booking is about, for ended().
  struct Booked {
    std::uint64_t address;
    std::uint32_t bytes;
    bool write;
  };
  void announce(const Booked& booked, const Arbiter::Access& access) const;

  Bus& bus_;
  const Master& master_;
  Time latency_[2];             // of the memory: after the tenure, without the bus
  std::vector<Booked> booked_;  // by ticket
};

/// Where a function is plugged in.
struct Bus::Slot {
  Slot(Bus& its_bus, Function& function, unsigned device)
      : bus(its_bus),
        master(static_cast<unsigned>(its_bus.slots_.size()) + 1, &function, its_bus.config_),
        to_function(("function_" + std::to_string(device)).c_str()),
        from_function(("master_" + std::to_string(device)).c_str()),
        intx(("intx_" + std::to_string(device)).c_str()) {
    from_function.register_b_transport(this, &Slot::b_transport);
    from_function.register_transport_dbg(this, &Slot::transport_dbg);
    from_function.register_get_direct_mem_ptr(this, &Slot::get_direct_mem_ptr);
    to_function.bind(function.target);
    function.initiator.bind(from_function);
    function.intx.bind(intx);
    wide = function.config().config().width_bits > 32;
    const unsigned pin = function.config().config().interrupt_pin;
    if (pin != 0) line = static_cast<int>(pirq_line(device, pin - 1));
  }

  void b_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    bus.transport(master, payload, delay);
  }
  unsigned transport_dbg(::tlm::tlm_generic_payload& payload) { return bus.debug(master, payload); }
  bool get_direct_mem_ptr(::tlm::tlm_generic_payload& payload, ::tlm::tlm_dmi& dmi) {
    return bus.get_dmi(*this, payload, dmi);
  }
  Tariff& tariff(Time read_latency, Time write_latency) {
    for (SlotTariff& tariff : tariffs) {
      if (tariff.prices(read_latency, write_latency)) return tariff;
    }
    return tariffs.emplace_back(bus, master, read_latency, write_latency);
  }

  Bus& bus;
  Master master;
  ::tlm_utils::simple_initiator_socket<Slot> to_function;
  ::tlm_utils::simple_target_socket<Slot> from_function;
  sc_core::sc_signal<bool> intx;
  bool wide = false;               // takes 64 bits at a time
  int line = -1;                   // PIRQ; -1: no interrupt pin
  std::deque<SlotTariff> tariffs;  // handed out: they stay where they are
};

}  // namespace e1000tlm::pci
