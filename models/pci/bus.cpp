#include "models/pci/bus.h"

#include <algorithm>
#include <deque>
#include <stdexcept>
#include <string>

#include "models/pci/payload.h"
#include "models/tlm/sc_time.h"

namespace e1000tlm::pci {
namespace {

constexpr unsigned kMaxDevices = 32;
constexpr std::uint32_t kAverageDmiBytes = 4;  // price of DMI for initiators without Tariff

constexpr Command command_of(Space space, bool write) {
  switch (space) {
    case Space::kIo: return write ? Command::kIoWrite : Command::kIoRead;
    case Space::kConfig: return write ? Command::kConfigWrite : Command::kConfigRead;
    default: return write ? Command::kMemoryWrite : Command::kMemoryRead;
  }
}

void check(const BusConfig& config) {
  if (config.speed.width_bits != 32 && config.speed.width_bits != 64) {
    throw std::invalid_argument("PCI bus: width of " + std::to_string(config.speed.width_bits) +
                                " bits is neither 32 nor 64");
  }
  if (config.speed.clock <= kTimeZero) {
    throw std::invalid_argument("PCI bus: clock period of " +
                                std::to_string(config.speed.clock.count()) + " ps");
  }
  if (config.first_device == 0 || config.first_device >= kMaxDevices) {
    throw std::invalid_argument("PCI bus: first device number " +
                                std::to_string(config.first_device) + " is not 1..31");
  }
}

}  // namespace

/// Who gets an access. Neither slot nor host: nobody.
struct Bus::Target {
  Slot* slot = nullptr;
  bool host = false;

  bool claimed() const { return host || slot != nullptr; }
};

/// Whoever starts accesses, with the range and target of its last one.
struct Bus::Master {
  Master(unsigned its_number, Function* its_function, const BusConfig& config)
      : number(its_number), function(its_function) {
    BusSpeed speed = config.speed;
    if (function != nullptr) {
      speed.width_bits = std::min(speed.width_bits, function->config().config().width_bits);
    }
    for (const bool write : {false, true}) {
      to_host[write] =
          AccessPrice(speed, config.host, config.arbiter, command_of(Space::kMemory, write));
    }
  }

  unsigned number;         // as in TenureEvent
  Function* function;      // none: the host bridge
  AccessPrice to_host[2];  // read, write

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

  Time book(::tlm::tlm_command command, std::uint64_t address, std::uint32_t bytes,
            Time at) override {
    const bool write = command == ::tlm::TLM_WRITE_COMMAND;
    return bus_.book_dma(master_, write, address, bytes, at) + latency_[write];
  }
  bool prices(Time read_latency, Time write_latency) const {
    return latency_[0] == read_latency && latency_[1] == write_latency;
  }

 private:
  Bus& bus_;
  const Master& master_;
  Time latency_[2];  // of the memory: after the tenure, without the bus
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
  int line = -1;                   // PIRQ; -1: no interrupt pin
  std::deque<SlotTariff> tariffs;  // handed out: they stay where they are
};

Bus::Bus(const sc_core::sc_module_name& name, const BusConfig& config)
    : sc_core::sc_module(name),
      from_host("from_host"),
      to_host("to_host"),
      pirq("pirq", 4),
      config_(config),
      host_(std::make_unique<Master>(0, nullptr, config)) {
  check(config_);
  check_time_resolution();
  from_host.register_b_transport(this, &Bus::host_transport);
  from_host.register_transport_dbg(this, &Bus::host_debug);
  to_host.register_invalidate_direct_mem_ptr(this, &Bus::host_invalidate);
  for (const bool write : {false, true}) {
    for (const Space space : {Space::kMemory, Space::kIo, Space::kConfig}) {
      device_price_[static_cast<unsigned>(space)][write] =
          AccessPrice(config_.speed, config_.device, config_.arbiter, command_of(space, write));
    }
  }
  abort_time_ =
      config_.speed.clock * static_cast<std::int64_t>(master_abort_clocks(config_.arbiter));
}

Bus::~Bus() = default;

unsigned Bus::attach(Function& function, std::optional<unsigned> wanted) {
  const auto taken = [&](unsigned device) {
    return std::find(devices_.begin(), devices_.end(), device) != devices_.end();
  };
  unsigned device = wanted.value_or(config_.first_device);
  while (!wanted && taken(device)) ++device;
  if (device == 0 || device >= kMaxDevices || taken(device)) {
    throw std::invalid_argument("PCI bus " + std::string(name()) + " has no device number " +
                                (wanted ? std::to_string(device) : std::string("left")) + " for " +
                                function.name());
  }
  functions_.push_back(&function);
  devices_.push_back(device);
  return device;
}

// Sockets can be made here inside this module whoever called attach() from wherever.
void Bus::before_end_of_elaboration() {
  for (Function* function : functions_) {
    const unsigned device = devices_[slots_.size()];
    slots_.push_back(std::make_unique<Slot>(*this, *function, device));
    function->on_decode_change([this, function] { decode_changed(*function); });
  }
  SC_METHOD(drive_pirq);
  for (const auto& slot : slots_) sensitive << slot->intx;
}

void Bus::start_of_simulation() {
  loosely_timed_ = ::tlm::tlm_global_quantum::instance().get() > sc_core::SC_ZERO_TIME;
}

void Bus::reset() {
  for (Function* function : functions_) function->bus_reset();
}

// --- decode -------------------------------------------------------------------------------------

Bus::Target Bus::route(Master& master, Space space, std::uint64_t address, std::uint64_t last) {
  if (master.generation == decode_generation_ && master.space == space && master.start <= address &&
      last <= master.last && address <= last) {
    return master.target;
  }
  return search(master, space, address, last);
}

Bus::Target Bus::search(Master& master, Space space, std::uint64_t address, std::uint64_t last) {
  if (address > last) return {};
  const auto found = [&](std::uint64_t first, std::uint64_t end, Target target) {
    master.generation = decode_generation_;
    master.space = space;
    master.start = first;
    master.last = end;
    return master.target = target;
  };
  for (const auto& slot : slots_) {
    if (slot->master.function == master.function) continue;
    for (const Function::Window& window : slot->master.function->windows()) {
      if (window.space == space && window.start <= address && last <= window.last) {
        return found(window.start, window.last, Target{slot.get(), false});
      }
    }
  }
  if (master.function == nullptr || space != Space::kMemory) return {};
  const Range range = host_range(master, address);
  if (address < range.start || last > range.last) return {};
  return found(range.start, range.last, Target{nullptr, true});
}

/// The addresses around `address` that the host bridge claims from this master; empty (start >
/// last) if it does not claim `address` itself.
Bus::Range Bus::host_range(const Master& master, std::uint64_t address) const {
  if (address >= config_.host_memory_end) return {};
  Range range{0, config_.host_memory_end - 1};
  for (const auto& slot : slots_) {
    if (slot->master.function == master.function) continue;
    for (const Function::Window& window : slot->master.function->windows()) {
      if (window.space != Space::kMemory) continue;
      if (window.start <= address && address <= window.last) return {};
      if (window.last < address) range.start = std::max(range.start, window.last + 1);
      if (window.start > address) range.last = std::min(range.last, window.start - 1);
    }
  }
  return range;
}

Bus::Target Bus::config_target(const Master& master, const PciExtension& extension) const {
  const auto device = std::find(devices_.begin(), devices_.end(), extension.device);
  if (master.function != nullptr || extension.function != 0 || device == devices_.end()) return {};
  return {slots_[static_cast<std::size_t>(device - devices_.begin())].get(), false};
}

Bus::Target Bus::decode(Master& master, const ::tlm::tlm_generic_payload& payload,
                        const PciExtension* extension) {
  const Space space = extension != nullptr ? extension->space : Space::kMemory;
  if (space == Space::kConfig) return config_target(master, *extension);
  const std::uint64_t address = payload.get_address();
  return route(master, space, address, address + extent(payload) - 1);
}

void Bus::decode_changed(const Function& function) {
  ++decode_generation_;
  // A BAR may have come to lie over memory that masters reach by DMI.
  for (const Function::Window& window : function.windows()) {
    if (window.space != Space::kMemory) continue;
    for (const auto& slot : slots_) {
      if (slot->master.function == &function) continue;
      slot->from_function->invalidate_direct_mem_ptr(window.start, window.last);
    }
  }
}

// --- accesses -----------------------------------------------------------------------------------

void Bus::host_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  transport(*host_, payload, delay);
}

unsigned Bus::host_debug(::tlm::tlm_generic_payload& payload) { return debug(*host_, payload); }

void Bus::transport(Master& master, ::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (extent(payload) == 0 || !(payload.is_read() || payload.is_write())) {
    payload.set_response_status(payload.get_command() == ::tlm::TLM_IGNORE_COMMAND
                                    ? ::tlm::TLM_OK_RESPONSE
                                    : ::tlm::TLM_BURST_ERROR_RESPONSE);
    return;
  }
  PciExtension* extension = nullptr;
  payload.get_extension(extension);
  Target target = decode(master, payload, extension);
  const Time duration = price(master, target, payload, extension);
  if (loosely_timed_) {
    count(payload.get_data_length(), duration, !target.claimed());
    if (tenures_.armed()) {
      const Time at = sc_now() + from_sc(delay);
      announce(master, payload, extension, at, at, duration, !target.claimed());
    }
    delay += to_sc(duration);
  } else if (!wait_for_turn(master, payload, extension, duration, target, delay)) {
    fill_ones(payload);
    payload.set_response_status(::tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  if (target.slot != nullptr) {
    target.slot->to_function->b_transport(payload, delay);
  } else if (target.host) {
    to_host->b_transport(payload, delay);
  } else {
    abort(master, payload);
    return;
  }
  if (!payload.is_response_ok()) conclude_error(master, target, payload);
}

Time Bus::price(const Master& master, const Target& target,
                const ::tlm::tlm_generic_payload& payload, const PciExtension* extension) const {
  if (!target.claimed()) return abort_time_;
  const bool write = payload.is_write();
  const unsigned space = extension != nullptr ? static_cast<unsigned>(extension->space) : 0;
  const AccessPrice& price = target.host ? master.to_host[write] : device_price_[space][write];
  return price.time(payload.get_address(), payload.get_data_length());
}

/// Approximately timed: waits until the access has had its time on the bus; no delay is left then.
/// Meanwhile software may have moved BARs, so the target may be another (or nobody), or switched
/// the master off: then false.
bool Bus::wait_for_turn(Master& master, const ::tlm::tlm_generic_payload& payload,
                        const PciExtension* extension, Time duration, Target& target,
                        sc_core::sc_time& delay) {
  const Time now = sc_now();
  const Time at = now + from_sc(delay);
  const Time start = reserve(at, duration);
  count(payload.get_data_length(), duration, !target.claimed());
  if (tenures_.armed()) {
    announce(master, payload, extension, at, start, duration, !target.claimed());
  }
  sc_core::wait(to_sc(start + duration - now));
  delay = sc_core::SC_ZERO_TIME;
  if (target.claimed()) {
    target = decode(master, payload, extension);
    if (!target.claimed()) ++statistics_.master_aborts;
  }
  return master.function == nullptr || master.function->may_master();
}

Time Bus::book_dma(const Master& master, bool write, std::uint64_t address, std::uint32_t bytes,
                   Time at) {
  const Time duration = master.to_host[write].time(address, bytes);
  const Time start = loosely_timed_ ? at : reserve(at, duration);
  count(bytes, duration, false);
  if (tenures_.armed()) {
    tenures_.emit({master.number, command_of(Space::kMemory, write), address, bytes, at, start,
                   start + duration, false});
  }
  return start + duration;
}

/// Approximately timed: when an access requested at `at` starts. The bus is taken until it ends.
Time Bus::reserve(Time at, Time duration) {
  const Time start = std::max(at, free_);
  free_ = start + duration;
  return start;
}

void Bus::count(std::uint32_t bytes, Time duration, bool aborted) {
  ++statistics_.tenures;
  statistics_.busy += duration;
  if (aborted) {
    ++statistics_.master_aborts;
  } else {
    statistics_.bytes += bytes;
  }
}

void Bus::announce(const Master& master, const ::tlm::tlm_generic_payload& payload,
                   const PciExtension* extension, Time at, Time start, Time duration,
                   bool aborted) const {
  const Space space = extension != nullptr ? extension->space : Space::kMemory;
  std::uint64_t address = payload.get_address();
  if (space == Space::kConfig) {
    address |= std::uint64_t{extension->device} << 11 | std::uint64_t{extension->function} << 8;
  }
  tenures_.emit({master.number, command_of(space, payload.is_write()), address,
                 payload.get_data_length(), at, start, start + duration, aborted});
}

void Bus::abort(Master& master, ::tlm::tlm_generic_payload& payload) {
  if (master.function != nullptr) {
    master.function->config().set_status(status::kReceivedMasterAbort);
  }
  fill_ones(payload);
  payload.set_response_status(::tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

void Bus::conclude_error(Master& master, const Target& target,
                         ::tlm::tlm_generic_payload& payload) {
  if (payload.get_response_status() == ::tlm::TLM_ADDRESS_ERROR_RESPONSE) {
    ++statistics_.master_aborts;
    abort(master, payload);
    return;
  }
  if (master.function != nullptr) {
    master.function->config().set_status(status::kReceivedTargetAbort);
  }
  if (target.slot != nullptr) {
    target.slot->master.function->config().set_status(status::kSignaledTargetAbort);
  }
  fill_ones(payload);
  payload.set_response_status(::tlm::TLM_GENERIC_ERROR_RESPONSE);
}

unsigned Bus::debug(Master& master, ::tlm::tlm_generic_payload& payload) {
  if (payload.get_data_length() == 0) return 0;
  PciExtension* extension = nullptr;
  payload.get_extension(extension);
  // Streaming width means nothing in debug accesses.
  const Space space = extension != nullptr ? extension->space : Space::kMemory;
  const std::uint64_t address = payload.get_address();
  const Target target = space == Space::kConfig ? config_target(master, *extension)
                                                : route(master, space, address,
                                                        address + payload.get_data_length() - 1);
  if (target.slot != nullptr) return target.slot->to_function->transport_dbg(payload);
  return target.host ? to_host->transport_dbg(payload) : 0;
}

// --- DMI ----------------------------------------------------------------------------------------

bool Bus::get_dmi(Slot& slot, ::tlm::tlm_generic_payload& payload, ::tlm::tlm_dmi& dmi) {
  TariffExtension* extension = nullptr;
  payload.get_extension(extension);
  const Range range = host_range(slot.master, payload.get_address());
  const bool priced = extension != nullptr || loosely_timed_;
  if (!priced || payload.get_address() < range.start || payload.get_address() > range.last) {
    return deny_dmi(payload, dmi);
  }
  if (!to_host->get_direct_mem_ptr(payload, dmi)) return false;
  clip_dmi(dmi, range.start, range.last);
  const Time read = from_sc(dmi.get_read_latency()), write = from_sc(dmi.get_write_latency());
  if (extension != nullptr) extension->tariff = &slot.tariff(read, write);
  dmi.set_read_latency(to_sc(read + slot.master.to_host[false].time(0, kAverageDmiBytes)));
  dmi.set_write_latency(to_sc(write + slot.master.to_host[true].time(0, kAverageDmiBytes)));
  return true;
}

void Bus::host_invalidate(sc_dt::uint64 start, sc_dt::uint64 end) {
  for (const auto& slot : slots_) slot->from_function->invalidate_direct_mem_ptr(start, end);
}

// --- interrupts ---------------------------------------------------------------------------------

void Bus::drive_pirq() {
  bool level[4] = {};
  for (const auto& slot : slots_) {
    if (slot->line >= 0 && slot->intx.read()) level[slot->line] = true;
  }
  for (unsigned i = 0; i < 4; ++i) {
    if (pirq[i].size() > 0) pirq[i]->write(level[i]);
  }
}

}  // namespace e1000tlm::pci
