#pragma once
/// A small machine around the PCI modules: CPU, memory, bridge, bus and devices that record what
/// reaches them.

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include "e1000tlm/memory/memory.h"
#include "e1000tlm/pci/bus.h"
#include "e1000tlm/pci/function.h"
#include "e1000tlm/pci/host_bridge.h"
#include "e1000tlm/tlm/bus_master.h"
#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::pci::test {

inline constexpr unsigned kPmcsr = 0xE0, kMsi = 0xF0;

inline FunctionConfig nic() {
  FunctionConfig config;
  config.vendor_id = 0x8086;
  config.device_id = 0x100E;
  config.class_code = 0x020000;
  config.bars[0] = {BarConfig::Kind::kMemory32, 4096, false};
  config.bars[1] = {BarConfig::Kind::kIo, 64, false};
  config.bars[2] = {BarConfig::Kind::kMemory64, 4096, true};
  config.expansion_rom_size = 2048;  // nothing is bound there
  config.pm_offset = 0xDC;
  config.pm_capabilities = 0xC822;  // PME# from D3hot and D3cold, device specific init, version 2
  config.msi_offset = kMsi;
  config.width_bits = 64;
  return config;
}

/// Initiator for memory and port accesses; remembers how the last one went.
class Cpu : public sc_core::sc_module {
 public:
  explicit Cpu(const sc_core::sc_module_name& name)
      : sc_core::sc_module(name), memory("memory"), io("io") {
    memory.register_invalidate_direct_mem_ptr(this, &Cpu::invalidate);
  }

  std::uint32_t read(std::uint64_t address, unsigned bytes = 4) {
    return access(memory, ::tlm::TLM_READ_COMMAND, address, 0, bytes);
  }
  void write(std::uint64_t address, std::uint32_t value, unsigned bytes = 4) {
    access(memory, ::tlm::TLM_WRITE_COMMAND, address, value, bytes);
  }
  std::uint32_t in(std::uint64_t port, unsigned bytes = 4) {
    return access(io, ::tlm::TLM_READ_COMMAND, port, 0, bytes);
  }
  void out(std::uint64_t port, std::uint32_t value, unsigned bytes = 4) {
    access(io, ::tlm::TLM_WRITE_COMMAND, port, value, bytes);
  }
  std::uint32_t config_read(unsigned device, unsigned reg, unsigned bytes = 4) {
    out(0xCF8, 0x80000000 | device << 11 | (reg & 0xFC));
    return in(0xCFC + (reg & 3), bytes);
  }
  void config_write(unsigned device, unsigned reg, std::uint32_t value, unsigned bytes = 4) {
    out(0xCF8, 0x80000000 | device << 11 | (reg & 0xFC));
    out(0xCFC + (reg & 3), value, bytes);
  }
  /// Any transaction; `payload` is completed by the caller.
  template <class Socket>
  void transport(Socket& socket, ::tlm::tlm_generic_payload& payload) {
    const Time start = sc_now();
    sc_core::sc_time delay = to_sc(ahead);
    payload.set_response_status(::tlm::TLM_INCOMPLETE_RESPONSE);
    socket->b_transport(payload, delay);
    waited = sc_now() - start;
    took = waited + from_sc(delay);
    response = payload.get_response_status();
    dmi_hint = payload.is_dmi_allowed();
    if (delay != sc_core::SC_ZERO_TIME) sc_core::wait(delay);
  }

  ::tlm_utils::simple_initiator_socket<Cpu> memory;
  ::tlm_utils::simple_initiator_socket<Cpu> io;
  Time ahead{};   // delay with which accesses set out
  Time took{};    // of the last access
  Time waited{};  // part of it that was spent in wait()
  bool dmi_hint = false;
  ::tlm::tlm_response_status response = ::tlm::TLM_INCOMPLETE_RESPONSE;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> invalidated;

 private:
  template <class Socket>
  std::uint32_t access(Socket& socket, ::tlm::tlm_command command, std::uint64_t address,
                       std::uint32_t value, unsigned bytes) {
    std::array<std::uint8_t, 4> data{};
    store_le32(data.data(), value);
    ::tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(data.data());
    payload.set_data_length(bytes);
    payload.set_streaming_width(bytes);
    transport(socket, payload);
    return load_le32(data.data());
  }
  void invalidate(sc_dt::uint64 start, sc_dt::uint64 end) { invalidated.emplace_back(start, end); }
};

/// 4 KiB of registers behind each BAR; records accesses and events.
class Device : public sc_core::sc_module, public DeviceEventsIf {
 public:
  explicit Device(const sc_core::sc_module_name& name)
      : sc_core::sc_module(name), mmio("mmio"), port("port"), wide("wide"), dma("dma") {
    mmio.register_b_transport(this, &Device::mmio_transport);
    mmio.register_transport_dbg(this, &Device::debug);
    port.register_b_transport(this, &Device::port_transport);
    wide.register_b_transport(this, &Device::wide_transport);
  }

  struct Access {
    char where;  // m mmio, p port, w wide
    bool write;
    std::uint64_t address;
    std::uint32_t bytes;
    Time at;  // local time of the access
    bool operator==(const Access& o) const {
      return where == o.where && write == o.write && address == o.address && bytes == o.bytes;
    }
  };

  void pci_reset(ResetKind kind) override {
    log.push_back(kind == ResetKind::kBusReset ? "bus reset" : "power reset");
  }
  void pci_bus_master(bool enabled) override { log.push_back(enabled ? "master" : "no master"); }
  void pci_power_state(PowerState state) override {
    log.push_back("D" + std::to_string(static_cast<int>(state)));
  }
  void pci_pme(bool enabled, bool status) override {
    log.push_back("pme " + std::to_string(enabled) + std::to_string(status));
  }
  void pci_messages(bool enabled) override { log.push_back(enabled ? "messages" : "no messages"); }

  ::tlm_utils::simple_target_socket<Device> mmio;
  ::tlm_utils::simple_target_socket<Device> port;
  ::tlm_utils::simple_target_socket<Device> wide;
  BusMasterPort dma;

  std::vector<Access> accesses;
  std::vector<std::string> log;
  std::array<std::uint8_t, 4096> registers{};
  ::tlm::tlm_response_status answer = ::tlm::TLM_OK_RESPONSE;
  const std::uint8_t* byte_enables = nullptr;  // of the last access
  unsigned streaming_width = 0;

 private:
  void mmio_transport(::tlm::tlm_generic_payload& p, sc_core::sc_time& t) { access('m', p, t); }
  void port_transport(::tlm::tlm_generic_payload& p, sc_core::sc_time& t) { access('p', p, t); }
  void wide_transport(::tlm::tlm_generic_payload& p, sc_core::sc_time& t) { access('w', p, t); }
  void access(char where, ::tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay) {
    accesses.push_back({where, payload.is_write(), payload.get_address(), payload.get_data_length(),
                        sc_now() + from_sc(delay)});
    byte_enables = payload.get_byte_enable_ptr();
    streaming_width = payload.get_streaming_width();
    payload.set_response_status(answer);
    payload.set_dmi_allowed(true);
    if (answer == ::tlm::TLM_OK_RESPONSE) debug(payload);
  }
  unsigned debug(::tlm::tlm_generic_payload& payload) {
    std::uint8_t* reg = &registers[payload.get_address()];
    if (payload.is_write()) std::memcpy(reg, payload.get_data_ptr(), payload.get_data_length());
    if (payload.is_read()) std::memcpy(payload.get_data_ptr(), reg, payload.get_data_length());
    return payload.get_data_length();
  }
};

/// A function with its device and interrupt level.
struct Card {
  Card(const std::string& name, const FunctionConfig& config, Bus& bus,
       std::optional<unsigned> wanted = std::nullopt)
      : function((name + "_function").c_str(), config),
        device((name + "_device").c_str()),
        irq((name + "_irq").c_str()),
        pme((name + "_pme").c_str()) {
    function.bar[0].bind(device.mmio);
    function.bar[1].bind(device.port);
    function.bar[2].bind(device.wide);
    device.dma.socket.bind(function.dma);
    function.irq(irq);
    function.pme(pme);
    function.events(device);
    number = bus.attach(function, wanted);
  }

  Function function;
  Device device;
  sc_core::sc_signal<bool, sc_core::SC_MANY_WRITERS> irq;
  sc_core::sc_signal<bool> pme;
  unsigned number = 0;
};

struct BenchConfig {
  Time quantum = us(10);
  BusConfig bus{};
  Time cpu_latency{};
  Time memory_read{};
  Time memory_write{};
  std::vector<FunctionConfig> cards{nic(), nic()};
  std::uint32_t latency_timer = 255;
};

/// RAM of 1 MiB at 0, cards from device 2 on. BARs are given out by set_up().
struct Bench {
  explicit Bench(const BenchConfig& config = {})
      : memory("memory", memory_config(config)),
        bridge("bridge", bridge_config(config)),
        bus("bus", config.bus),
        cpu("cpu"),
        latency_timer(config.latency_timer) {
    ::tlm::tlm_global_quantum::instance().set(to_sc(config.quantum));
    cpu.memory.bind(bridge.cpu);
    cpu.io.bind(bridge.io);
    bridge.memory.bind(memory.socket);
    bridge.pci.bind(bus.from_host);
    bus.to_host.bind(bridge.dma);
    for (std::size_t i = 0; i < config.cards.size(); ++i) {
      cards.push_back(std::make_unique<Card>("card" + std::to_string(i), config.cards[i], bus));
    }
    for (unsigned i = 0; i < 4; ++i) bus.pirq[i](pirq[i]);
  }

  static memory::MemoryConfig memory_config(const BenchConfig& config) {
    memory::MemoryConfig memory;
    memory.size = 1 << 20;
    memory.read_latency = config.memory_read;
    memory.write_latency = config.memory_write;
    return memory;
  }
  static HostBridgeConfig bridge_config(const BenchConfig& config) {
    HostBridgeConfig bridge;
    bridge.ram_bytes = 1 << 20;
    bridge.cpu_latency = config.cpu_latency;
    return bridge;
  }

  /// Runs the functions as threads, started in order, until nothing is left to do.
  void run(const std::vector<std::function<void()>>& threads) {
    for (const auto& thread : threads) sc_core::sc_spawn(thread);
    sc_core::sc_start();
  }
  void run(const std::function<void()>& thread) { run(std::vector{thread}); }

  static std::uint32_t bar(std::size_t card) {
    return 0xFE000000 + 0x100000 * static_cast<std::uint32_t>(card);
  }
  static std::uint32_t port(std::size_t card) {
    return 0xC000 + 0x100 * static_cast<std::uint32_t>(card);
  }
  /// BARs of one card, and its command register.
  void set_up(std::size_t card,
              std::uint16_t command = command::kIo | command::kMemory | command::kMaster) {
    const unsigned device = cards[card]->number;
    cpu.config_write(device, 0x10, bar(card));
    cpu.config_write(device, 0x14, port(card));
    cpu.config_write(device, 0x18, bar(card) + 0x10000);
    cpu.config_write(device, 0x1C, 1);
    cpu.config_write(device, cfg::kLatencyTimer, latency_timer, 1);
    cpu.config_write(device, cfg::kCommand, command, 2);
  }
  Device& device(std::size_t card) { return cards[card]->device; }
  Function& function(std::size_t card) { return cards[card]->function; }
  std::uint32_t status(std::size_t card) {
    return cards[card]->function.config().read(cfg::kStatus, 2);
  }

  memory::Memory memory;
  HostBridge bridge;
  Bus bus;
  Cpu cpu;
  std::uint32_t latency_timer;
  std::vector<std::unique_ptr<Card>> cards;
  std::array<sc_core::sc_signal<bool>, 4> pirq;
};

}  // namespace e1000tlm::pci::test
