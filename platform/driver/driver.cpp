#include "e1000tlm/driver/driver.h"

#include <algorithm>
#include <stdexcept>

#include "e1000tlm/traffic/units.h"

namespace e1000tlm::driver {
namespace {

constexpr std::uint16_t kIntel = 0x8086;
constexpr std::uint64_t kFirstFree = 1 << 20;  // the first MiB belongs to firmware on a PC

}  // namespace

Driver::Driver(Cpu& cpu, const DriverSettings& settings)
    : cpu_(cpu), settings_(settings), ram_(kFirstFree, settings.ram_bytes), pci_(cpu) {}

void Driver::run() {
  // Exceptions must not cross the kernel: it would report them as its own.
  try {
    bring_up();
    await_link();
    for (auto& nic : nics_) nic->start_receiver();
    ready_ = true;
    ready_time_ = cpu_.time().now();
    if (on_ready_) on_ready_();
    app_->start();
    work();
  } catch (const std::exception& failure) {
    error_ = failure.what();
    sc_core::sc_stop();
  }
}

void Driver::bring_up() {
  for (PciDevice& device : pci_.scan(kIntel)) {
    if (nics_.size() == settings_.nics) break;
    pci_.enable(device);
    nics_.push_back(std::make_unique<Nic>(cpu_, device, ram_, settings_.nic, settings_.delays));
  }
  if (nics_.size() != settings_.nics) {
    throw std::runtime_error("found " + std::to_string(nics_.size()) + " of " +
                             std::to_string(settings_.nics) +
                             " adapters on the PCI bus (what is in an EEPROM changes their IDs)");
  }
  for (auto& nic : nics_) {
    nic->reset();
    nic->read_eeprom();
    nic->setup_phy();
    nic->setup_rings();
  }
  app_ = App::make(settings_.app, cpu_, nics_, ram_);
  for (auto& nic : nics_) nic->enable_interrupts();
}

void Driver::await_link() {
  const auto up = [](const auto& nic) { return nic->link().up; };
  const Time end = cpu_.time().now() + settings_.link_timeout;
  while (!std::all_of(nics_.begin(), nics_.end(), up)) {
    if (cpu_.time().now() >= end) {
      const auto down = std::find_if_not(nics_.begin(), nics_.end(), up);
      throw std::runtime_error("nic " + std::to_string(down - nics_.begin()) + ": no link after " +
                               traffic::format_time(settings_.link_timeout));
    }
    cpu_.wait_for_interrupt(end);
    serve_interrupts(cpu_, nics_);
    for (auto& nic : nics_) {
      if (nic->masked()) nic->unmask();
    }
  }
}

void Driver::work() {
  for (;;) {
    serve_interrupts(cpu_, nics_);
    while (app_->service()) serve_interrupts(cpu_, nics_);
    for (auto& nic : nics_) {
      if (nic->masked()) nic->unmask();
    }
    cpu_.wait_for_interrupt(app_->due());
  }
}

bool Driver::idle() {
  return ready_ && cpu_.waiting() && app_->done() &&
         std::all_of(nics_.begin(), nics_.end(), [](const auto& nic) { return nic->idle(); });
}

}  // namespace e1000tlm::driver
