#include "e1000tlm/pci/bus.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "e1000tlm/pci/bus_parts.h"
#include "e1000tlm/pci/payload.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::pci {
namespace {

constexpr unsigned kMaxDevices = 32;
constexpr unsigned kBusiestMemory = 95;  // percent
constexpr unsigned kHostNumber = 0;
constexpr std::uint32_t kClosed = ~0u;         // ticket of a booking that needs no more questions
constexpr std::uint32_t kAverageDmiBytes = 4;  // price of DMI for initiators without Tariff

/// Loosely timed price of 4 bytes.
Time average(const AccessTiming& timing) {
  BusUsage unused;
  unsigned last = ~0u;
  return timing.unposted().alone(0, kAverageDmiBytes, 0, kTimeZero, last, unused);
}

Space space_of(const PciExtension* extension) {
  return extension != nullptr ? extension->space : Space::kMemory;
}

/// As in TenureEvent.
std::uint64_t trace_address(const ::tlm::tlm_generic_payload& payload,
                            const PciExtension* extension) {
  const std::uint64_t address = payload.get_address();
  if (space_of(extension) != Space::kConfig) return address;
  return address | std::uint64_t{extension->device} << 11 | std::uint64_t{extension->function} << 8;
}

/// Latencies are waited out attempt by attempt: more than PCI allows would never end.
void check(const TargetTiming& target, const char* which) {
  for (const Time latency : {target.delayed_read, target.split_latency}) {
    if (latency < kTimeZero || latency > kLongestDelay) {
      throw std::invalid_argument(std::string("PCI bus: latency of ") + which + " reads of " +
                                  std::to_string(latency.count()) + " ps is not 0..983 us");
    }
  }
}

void check_bridge(const TargetTiming& host) {
  const unsigned block = host.prefetch_bytes;
  if ((block & (block - 1)) != 0) {
    throw std::invalid_argument("PCI bus: the host prefetches blocks of " + std::to_string(block) +
                                " bytes, which is no power of two");
  }
  if (host.memory_busy_percent > kBusiestMemory) {
    throw std::invalid_argument("PCI bus: memory that is busy for " +
                                std::to_string(host.memory_busy_percent) +
                                " % of its time: expected at most 95");
  }
  if (host.posted_drain < kTimeZero || host.posted_drain > kLongestDelay) {
    throw std::invalid_argument("PCI bus: drain of posted writes of " +
                                std::to_string(host.posted_drain.count()) + " ps is not 0..983 us");
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
  check_bridge(config.host);
  check(config.host, "host");
  check(config.device, "device");
}

}  // namespace

void Bus::Master::set_timings(const BusConfig& config) {
  AccessTiming::Setup setup;
  setup.bus = config.speed;
  setup.arbiter = config.arbiter;
  setup.master = settings(config);
  setup.requester = number;
  setup.posted = shared != nullptr ? shared : &posted;
  setup.watch = watch;
  for (const bool write : {false, true}) {
    setup.write = write;
    setup.space = Space::kMemory;
    setup.target = config.host;
    to_host[write] = AccessTiming(setup);
    setup.target = config.device;
    for (const Space space : {Space::kMemory, Space::kIo, Space::kConfig}) {
      setup.space = space;
      for (const bool wide : {false, true}) {
        setup.target_width_bits = wide ? 64 : 32;
        to_device[wide][static_cast<unsigned>(space)][write] = AccessTiming(setup);
      }
    }
    setup.target_width_bits = 64;
  }
  for (const Space space : {Space::kMemory, Space::kIo, Space::kConfig}) {
    for (const bool write : {false, true}) {
      to_nobody[static_cast<unsigned>(space)][write] =
          AccessTiming::master_abort(config.speed, config.arbiter, number, space, write, watch);
    }
  }
}

Bus::Bus(const sc_core::sc_module_name& name, const BusConfig& config)
    : sc_core::sc_module(name),
      from_host("from_host"),
      to_host("to_host"),
      pirq("pirq", 4),
      config_(config),
      posted_(config.host),
      host_(std::make_unique<Master>(0, nullptr, config)) {
  check(config_);
  check_time_resolution();
  from_host.register_b_transport(this, &Bus::host_transport);
  from_host.register_transport_dbg(this, &Bus::host_debug);
  to_host.register_invalidate_direct_mem_ptr(this, &Bus::host_invalidate);
  arbiter_.set_latency_timer(0, config_.host_latency_timer);
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
    Slot& slot = *slots_.back();
    function->on_decode_change([this, function] { decode_changed(*function); });
    function->on_settings_change([this, &slot] { settings_changed(slot); });
    if (config_.speed.pcix) function->config().set_pcix_mode(0, device);
    settings_changed(slot);
  }
  SC_METHOD(drive_pirq);
  for (const auto& slot : slots_) sensitive << slot->intx;
}

void Bus::start_of_simulation() {
  loosely_timed_ = ::tlm::tlm_global_quantum::instance().get() > sc_core::SC_ZERO_TIME;
  const Probe<Transaction>* const watch = transactions_.armed() ? &transactions_ : nullptr;
  host_->watch = watch;
  host_->set_timings(config_);
  // Masters that run ahead do not contend, for the host's buffer neither.
  for (const auto& slot : slots_) {
    slot->master.shared = loosely_timed_ ? nullptr : &posted_;
    slot->master.watch = watch;
    slot->master.set_timings(config_);
  }
}

void Bus::settings_changed(Slot& slot) {
  arbiter_.settle(sc_now());
  slot.master.set_timings(config_);
  arbiter_.set_latency_timer(slot.master.number, slot.master.settings(config_).latency_timer);
}

BusStatistics Bus::statistics() const {
  BusStatistics result;
  result.master_aborts = master_aborts_;
  for (unsigned master = 0; master < masters(); ++master) {
    const BusUsage& usage = arbiter_.usage(master);
    result.busy += usage.busy;
    result.accesses += usage.accesses;
    result.tenures += usage.tenures;
    result.bytes += usage.bytes;
  }
  return result;
}

void Bus::reset() {
  for (Function* function : functions_) function->bus_reset();
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
  if (!target.claimed()) ++master_aborts_;
  PaidExtension* paid = nullptr;
  payload.get_extension(paid);
  const sc_core::sc_time at = delay;
  if (paid != nullptr) {
    // It has had its time on the bus, and of the memory.
  } else if (loosely_timed_) {
    annotate(master, payload, extension, target, delay);
  } else if (!wait_for_turn(master, payload, extension, target, delay)) {
    fill_ones(payload);
    payload.set_response_status(::tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  if (target.slot != nullptr) {
    target.slot->to_function->b_transport(payload, delay);
  } else if (target.host) {
    to_host->b_transport(payload, delay);
    if (paid != nullptr) delay = at;
  } else {
    abort(master, payload);
    return;
  }
  if (!payload.is_response_ok()) conclude_error(master, target, payload);
}

const AccessTiming& Bus::timing(const Master& master, const Target& target,
                                const ::tlm::tlm_generic_payload& payload,
                                const PciExtension* extension) const {
  const bool write = payload.is_write();
  if (!target.claimed()) {
    return master.to_nobody[static_cast<unsigned>(space_of(extension))][write];
  }
  if (target.host) return master.to_host[write];
  return master.to_device[target.slot->wide][static_cast<unsigned>(space_of(extension))][write];
}

Arbiter::Transfer Bus::transfer(const Target& target,
                                const ::tlm::tlm_generic_payload& payload) const {
  return {payload.get_address(), payload.get_data_length(),
          target.slot != nullptr ? target.slot->master.number : kHostNumber};
}

/// Loosely timed: adds what the access takes.
void Bus::annotate(const Master& master, const ::tlm::tlm_generic_payload& payload,
                   const PciExtension* extension, const Target& target, sc_core::sc_time& delay) {
  const AccessTiming& price = timing(master, target, payload, extension);
  const Time at = sc_now() + from_sc(delay);
  Arbiter::Access access{at, arbiter_.alone_start(price, at), {}};
  access.end = arbiter_.alone(price, transfer(target, payload), at);
  delay += to_sc(access.end - at);
  if (tenures_.armed()) announce(master, payload, extension, access, !target.claimed());
}

/// Approximately timed: waits until the access has had its time on the bus; no delay is left then.
/// Meanwhile software may have moved BARs, so the target may be another (or nobody), or switched
/// the master off: then false.
bool Bus::wait_for_turn(Master& master, const ::tlm::tlm_generic_payload& payload,
                        const PciExtension* extension, Target& target, sc_core::sc_time& delay) {
  const bool claimed = target.claimed();
  const Time now = sc_now();
  Time again{};
  const Arbiter::Ticket ticket =
      arbiter_.request(timing(master, target, payload, extension), transfer(target, payload),
                       now + from_sc(delay), now, again, Arbiter::Told::kYes);
  reconsider();
  Arbiter::Access access;
  do {
    const Time from = sc_now();
    if (arbiter_.may_gain(ticket, from, again)) {
      ++early_;
      sc_core::wait(to_sc(again - from), newcomer_event_);
      --early_;
    } else {
      sc_core::wait(to_sc(again - from));
    }
  } while (!arbiter_.ended(ticket, sc_now(), access, again, Arbiter::Told::kYes));
  // Of what ends in the same picosecond, the devices' part comes first.
  if (&master == host_.get() && sc_core::sc_pending_activity_at_current_time()) {
    sc_core::wait(sc_core::SC_ZERO_TIME);
  }
  delay = sc_core::SC_ZERO_TIME;
  if (tenures_.armed()) announce(master, payload, extension, access, !claimed);
  if (claimed) {
    target = decode(master, payload, extension);
    if (!target.claimed()) ++master_aborts_;
  }
  return master.function == nullptr || master.function->may_master();
}

void Bus::announce(const Master& master, const ::tlm::tlm_generic_payload& payload,
                   const PciExtension* extension, const Arbiter::Access& access,
                   bool aborted) const {
  const AccessTiming& any =
      master.to_device[false][static_cast<unsigned>(space_of(extension))][payload.is_write()];
  const std::uint32_t bytes = payload.get_data_length();
  tenures_.emit({master.number, any.command(payload.get_address(), bytes),
                 trace_address(payload, extension), bytes, access.asked, access.start, access.end,
                 aborted});
}

Tariff::Booking Bus::SlotTariff::book(::tlm::tlm_command command, std::uint64_t address,
                                      std::uint32_t bytes, Time at) {
  const bool write = command == ::tlm::TLM_WRITE_COMMAND;
  const AccessTiming& timing = master_.to_host[write];
  const Arbiter::Transfer transfer{address, bytes, kHostNumber};
  if (bus_.loosely_timed_) {
    if (!bus_.tenures_.armed()) {
      return {bus_.arbiter_.alone(timing, transfer, at) + latency_[write], kClosed};
    }
    Arbiter::Access access{at, bus_.arbiter_.alone_start(timing, at), kTimeZero};
    access.end = bus_.arbiter_.alone(timing, transfer, at);
    announce({address, bytes, write}, access);
    return {access.end + latency_[write], kClosed};
  }
  Booking booking;
  booking.ticket = bus_.arbiter_.request(timing, transfer, at, sc_now(), booking.end);
  bus_.reconsider();
  booking.end += latency_[write];
  if (booked_.size() <= booking.ticket) booked_.resize(booking.ticket + 1);
  booked_[booking.ticket] = {address, bytes, write};
  return booking;
}

Time Bus::SlotTariff::book_before(::tlm::tlm_command command, std::uint64_t address,
                                  std::uint32_t bytes, Time at, Time limit) {
  const bool write = command == ::tlm::TLM_WRITE_COMMAND;
  Arbiter::Access access;
  if (!bus_.arbiter_.undisturbed(master_.to_host[write], {address, bytes, kHostNumber}, at,
                                 limit - latency_[write], access)) {
    return kTimeNever;
  }
  bus_.reconsider();
  if (bus_.tenures_.armed()) announce({address, bytes, write}, access);
  return access.end + latency_[write];
}

bool Bus::SlotTariff::ended(Booking& booking, Time now) {
  if (booking.ticket == kClosed) return true;
  const Booked& booked = booked_[booking.ticket];
  Arbiter::Access access;
  if (!bus_.arbiter_.ended(booking.ticket, now, access, booking.end)) {
    booking.end += latency_[booked.write];
    return false;
  }
  if (bus_.tenures_.armed()) announce(booked, access);
  // It may have been pushed back by less than the memory's latency.
  booking.end = access.end + latency_[booked.write];
  booking.ticket = kClosed;
  return booking.end <= now;
}

void Bus::SlotTariff::announce(const Booked& booked, const Arbiter::Access& access) const {
  bus_.tenures_.emit({master_.number,
                      master_.to_host[booked.write].command(booked.address, booked.bytes),
                      booked.address, booked.bytes, access.asked, access.start, access.end, false});
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
    ++master_aborts_;
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
  dmi.set_read_latency(to_sc(read + average(slot.master.to_host[false])));
  dmi.set_write_latency(to_sc(write + average(slot.master.to_host[true])));
  return true;
}

void Bus::host_invalidate(sc_dt::uint64 start, sc_dt::uint64 end) {
  for (const auto& slot : slots_) slot->from_function->invalidate_direct_mem_ptr(start, end);
}

// --- interrupts ---------------------------------------------------------------------------------

void Bus::drive_pirq() {
  std::array<bool, 4> level{};
  for (const auto& slot : slots_) {
    if (slot->line >= 0 && slot->intx.read()) level[slot->line] = true;
  }
  for (unsigned i = 0; i < 4; ++i) {
    if (level[i] == pirq_level_[i]) continue;
    pirq_level_[i] = level[i];
    if (pirq[i].size() > 0) pirq[i]->write(level[i]);
  }
}

}  // namespace e1000tlm::pci
