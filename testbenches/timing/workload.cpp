#include "testbenches/timing/workload.h"

#include <algorithm>
#include <stdexcept>

namespace e1000tlm::timing {
namespace {

namespace reg = driver::reg;

constexpr std::uint16_t kIntel = 0x8086;
constexpr std::uint64_t kFirstFree = 1 << 20;
constexpr unsigned kBudget = 64;
constexpr std::uint32_t kFcs = 4;

}  // namespace

Workload::Workload(driver::Cpu& cpu, unsigned nics, std::uint64_t ram_bytes,
                   const WorkloadSettings& settings)
    : taken(nics),
      cpu_(cpu),
      nics_(nics),
      settings_(settings),
      ram_(kFirstFree, ram_bytes),
      pci_(cpu) {}

void Workload::run() {
  bring_up();
  await_link();
  for (Port& port : ports_) {
    fill_buffers(port);
    if (settings_.polling) port.nic->write(reg::kImc, 0xFFFF'FFFF);
    port.nic->write(reg::kTipg, settings_.tipg_ipgt | (8U << 10) | (6U << 20));
    if (settings_.receive) port.nic->start_receiver();
  }
  cpu_.time().sync();
  ready_time_ = cpu_.time().now();
  if (on_ready) on_ready();
  if (settings_.polling) poll_for_ever();
  wait_for_interrupts();
}

void Workload::bring_up() {
  for (driver::PciDevice& device : pci_.scan()) {
    if (ports_.size() == nics_) break;
    if (device.vendor_id != kIntel) continue;
    pci_.enable(device);
    Port port;
    port.nic = std::make_unique<driver::E1000Nic>(cpu_, device, ram_, settings_.nic);
    port.buffers =
        std::make_unique<driver::BufferPool>(ram_, settings_.nic.tx_descriptors, settings_.size);
    ports_.push_back(std::move(port));
  }
  if (ports_.size() != nics_) throw std::runtime_error("not all adapters were found");
  for (Port& port : ports_) {
    port.nic->reset();
    port.nic->read_eeprom();
    port.nic->setup_phy();
    port.nic->setup_rings();
    port.nic->enable_interrupts();
  }
}

void Workload::await_link() {
  const auto up = [](const Port& port) { return port.nic->link().up; };
  while (!std::all_of(ports_.begin(), ports_.end(), up)) {
    cpu_.wait_for_interrupt(kTimeNever);
    serve_interrupts();
    for (Port& port : ports_) {
      if (port.nic->masked()) port.nic->unmask();
    }
  }
}

void Workload::fill_buffers(Port& port) {
  std::vector<std::uint8_t> content(settings_.size, 0xA5);
  std::fill_n(content.begin(), 6, std::uint8_t{0xFF});
  std::vector<std::uint64_t> all;
  while (!port.buffers->empty()) all.push_back(port.buffers->take());
  for (const std::uint64_t address : all) {
    cpu_.store(address, content.data(), settings_.size);
    port.buffers->give(address);
  }
}

void Workload::serve(unsigned index) {
  Port& port = ports_[index];
  serving_ = index;
  // A poller takes what is there; who was interrupted stays as long as there is more.
  const unsigned budget = settings_.polling ? settings_.nic.rx_descriptors : kBudget;
  if (settings_.receive) {
    while (port.nic->receive(*this, budget) == budget && !settings_.polling) {
    }
  }
  if (!settings_.transmit) return;
  port.nic->reclaim();
  unsigned left = settings_.frames_at_once == 0 ? ~0U : settings_.frames_at_once;
  for (; left != 0 && port.nic->tx_room() != 0 && !port.buffers->empty(); --left) {
    port.nic->send(port.buffers->take(), settings_.size - kFcs, *port.buffers);
  }
  port.nic->flush();
}

void Workload::poll_for_ever() {
  for (;;) {
    const Time start = cpu_.time().now();
    for (unsigned i = 0; i < ports_.size(); ++i) serve(i);
    const Time spent = cpu_.time().now() - start;
    cpu_.sleep(spent < settings_.poll ? settings_.poll - spent : ns(100));
  }
}

void Workload::serve_interrupts() {
  for (unsigned line = 0; line < driver::Cpu::kLines; ++line) {
    if (!cpu_.line(line)) continue;
    for (Port& port : ports_) {
      if (port.nic->pci().pirq == line) port.nic->interrupt();
    }
    cpu_.acknowledge(line);
  }
}

void Workload::wait_for_interrupts() {
  for (;;) {
    serve_interrupts();
    for (unsigned i = 0; i < ports_.size(); ++i) serve(i);
    for (Port& port : ports_) {
      if (port.nic->masked()) port.nic->unmask();
    }
    cpu_.wait_for_interrupt(kTimeNever);
  }
}

bool Workload::take(std::uint64_t address, std::uint32_t, driver::BufferPool& home) {
  taken[serving_].push_back(cpu_.time().now());
  home.give(address);
  return true;
}

}  // namespace e1000tlm::timing
