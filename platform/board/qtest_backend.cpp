#include "e1000tlm/board/qtest_backend.h"

#include <algorithm>

#include "e1000tlm/board/network.h"
#include "e1000tlm/board/nic_slot.h"
#include "e1000tlm/driver/pci_host.h"

namespace e1000tlm::platform {
namespace {

constexpr unsigned kIoApicInputs = 24;

}  // namespace

BoardQTestBackend::BoardQTestBackend(const sc_core::sc_module_name& name, std::uint64_t ram_bytes,
                                     const std::vector<std::unique_ptr<NicSlot>>& nics,
                                     const Network& network)
    : sc_module(name),
      mem("mem"),
      io("io"),
      pirq("pirq", kLines),
      ram_bytes_(ram_bytes),
      nics_(nics),
      network_(network) {
  SC_HAS_PROCESS(BoardQTestBackend);
  SC_METHOD(on_line);
  for (auto& line : pirq) sensitive << line;
  dont_initialize();
  const auto poll = [&](link::LinkPartner& partner) {
    auto* host = dynamic_cast<link::HostFlush*>(&partner);
    if (host == nullptr) return;
    host->use_polling();
    hosts_.push_back(host);
  };
  for (const auto& nic : nics_) poll(nic->partner());
  for (const auto& outlet : network_.outlets()) poll(outlet->partner());
}

std::size_t BoardQTestBackend::piece(std::uint64_t address, std::size_t left) const {
  if (address < ram_bytes_) {
    return static_cast<std::size_t>(std::min<std::uint64_t>(left, ram_bytes_ - address));
  }
  if (address % 4 == 0 && left >= 4) return 4;
  if (address % 2 == 0 && left >= 2) return 2;
  return 1;
}

/// Accesses of both ports happen one after the other, each at the kernel's time.
template <class Access>
bool BoardQTestBackend::timed(BusMaster& master, Access access) {
  master.time().start();
  const bool ok = access() == BusStatus::kOk;
  master.time().sync();
  return ok;
}

bool BoardQTestBackend::mem_read(std::uint64_t address, Bytes data) {
  bool ok = true;
  for (std::size_t done = 0; done < data.size();) {
    const std::size_t bytes = piece(address + done, data.size() - done);
    const Bytes part = data.subspan(done, bytes);
    ok = timed(memory_, [&] { return memory_.read(address + done, part); }) && ok;
    done += bytes;
  }
  return ok;
}

bool BoardQTestBackend::mem_write(std::uint64_t address, ConstBytes data) {
  bool ok = true;
  for (std::size_t done = 0; done < data.size();) {
    const std::size_t bytes = piece(address + done, data.size() - done);
    const ConstBytes part = data.subspan(done, bytes);
    ok = timed(memory_, [&] { return memory_.write(address + done, part); }) && ok;
    done += bytes;
  }
  return ok;
}

bool BoardQTestBackend::io_read(std::uint16_t port, unsigned size, std::uint32_t& value) {
  std::array<std::uint8_t, 4> bytes{};
  const bool ok = timed(ports_, [&] { return ports_.read(port, Bytes(bytes.data(), size)); });
  value = load_le32(bytes.data());
  return ok;
}

bool BoardQTestBackend::io_write(std::uint16_t port, unsigned size, std::uint32_t value) {
  std::array<std::uint8_t, 4> bytes{};
  store_le32(bytes.data(), value);
  return timed(ports_, [&] { return ports_.write(port, ConstBytes(bytes.data(), size)); });
}

// A replay's next frame is always on its way, however far ahead: only hosts' frames are work.
bool BoardQTestBackend::busy() const {
  if (network_.busy()) return true;
  const auto releasing = [](const link::HostFlush* host) { return host->releasing(); };
  if (std::any_of(hosts_.begin(), hosts_.end(), releasing)) return true;
  return std::any_of(nics_.begin(), nics_.end(), [](const auto& nic) {
    const bool host = dynamic_cast<link::HostFlush*>(&nic->partner()) != nullptr ||
                      leads_to_switch(nic->link_spec());
    return nic->card().busy() ||
           (host && nic->cable().end(1).in_flight() + nic->cable().end(0).in_flight() > 0);
  });
}

std::size_t BoardQTestBackend::poll_hosts() {
  std::size_t taken = 0;
  for (link::HostFlush* host : hosts_) taken += host->poll();
  return taken;
}

bool BoardQTestBackend::flush_hosts(std::chrono::milliseconds timeout) {
  bool clear = true;
  for (link::HostFlush* host : hosts_) clear = host->flush(timeout) && clear;
  return clear;
}

std::vector<plugs::QTestDevice> BoardQTestBackend::devices() const {
  std::vector<plugs::QTestDevice> devices{{"/machine/i440fx/ioapic", kIoApicInputs},
                                          {"/machine/i440fx", 0}};
  for (std::size_t i = 0; i < nics_.size(); ++i) {
    devices.push_back({"/machine/peripheral-anon/device[" + std::to_string(i) + "]", 0});
  }
  return devices;
}

void BoardQTestBackend::on_line() {
  std::array<bool, 256> levels{};
  for (unsigned i = 0; i < kLines; ++i) {
    if (pirq[i].read()) levels[driver::kPirqRouting[i]] = true;
  }
  for (const unsigned irq : driver::kPirqRouting) {
    if (levels[irq] == levels_[irq]) continue;
    levels_[irq] = levels[irq];
    if (changed_) changed_(irq, levels[irq]);
  }
}

}  // namespace e1000tlm::platform
